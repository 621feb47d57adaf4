#!/bin/sh
# preforkprobe: its command line, its exit status, its output. What it says of
# broken networks is in tests/lab/probe.sh.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/probe.sh"

need jq
HERE=127.0.0.1

run "$PROBE" -h
t "-h: exit status 0, on stdout" equals "0:" "$STATUS:$STDERR"
run "$PROBE" -V
t "-V: exit status 0" equals 0 $STATUS
t "-V: the version" says '^preforkprobe [0-9]+\.[0-9]+\.[0-9]+$' "$STDOUT"

wrong '^usage: '
wrong '^usage: ' echo
wrong '^usage: ' echo $HERE again
wrong 'ping: must be echo, daytime, connect, idle or load' ping $HERE
wrong "$HERE: connect has no port.*write host:port" connect $HERE
wrong 'port must be 1 to 65535' echo $HERE:0
wrong 'port must be 1 to 65535' echo $HERE:echo
wrong 'a \] is missing' echo '[::1'
wrong 'exclude each other' -4 -6 echo $HERE
wrong 'exclude each other' -6 -B $HERE echo $HERE
wrong '-B 192.0.2.1: .* name one of those' -B 192.0.2.1 echo $HERE
wrong '-B localhost: .* an address of this machine' -B localhost echo $HERE
wrong '-c 0: must be 1 to ' -c 0 echo $HERE
wrong '-s 0: must be 1 to ' -s 0 echo $HERE
wrong '-s 1x: must be 1 to ' -s 1x echo $HERE
wrong '-i -1: must be seconds, 0 to 86400' -i -1 echo $HERE
wrong '-t 0: must be seconds, 0.001 to 86400' -t 0 echo $HERE
wrong '-t 1m: must be seconds' -t 1m echo $HERE
wrong '-c: daytime has no use for it.* use it with echo' -c 2 daytime $HERE
wrong '-s: connect has no use for it' -s 2 connect $HERE:7

start "$(conf)"
run "$PROBE" -c 3 -i 0 echo localhost:$ECHO
t "echo: exit status 0" equals "0:" "$STATUS:$STDERR"
t "... both addresses, and the handshake" says \
	"^connected to $HERE:$ECHO from $HERE:[0-9]+: handshake [0-9.]+ ms$" \
	"$STDOUT"
for seq in 1 2 3; do
	t "... round trip $seq" says \
		"^64 bytes: seq=$seq first byte [0-9.]+ ms, time [0-9.]+ ms$" \
		"$STDOUT"
done
t "... the FIN" says '^FIN: [0-9.]+ ms$' "$STDOUT"
ONE=$("$PROBE" -c 1 -s 1 echo $HERE:$ECHO)
t "... one byte is one" says '^1 byte: seq=1 ' "$ONE"
t "... the verdict" says "^echo localhost port $ECHO: ok$" "$STDOUT"
t "... the loss" says '^3 asked, 3 answered, 0\.0% loss, time ' "$STDOUT"
t "... the times" says '^min/avg/max/mdev = ([0-9.]+/){3}[0-9.]+ ms$' "$STDOUT"
run "$PROBE" -c 1000 -i 0 -s 1 -q echo localhost:$ECHO
t "1000 bytes, one by one" says '^1000 asked, 1000 answered' "$STDOUT"
t "-q: no more than the summary" equals 3 "$(printf '%s\n' "$STDOUT" | wc -l)"
run timeout --foreground --preserve-status -s INT 2 \
	"$PROBE" -c 1000000 -i 0.01 echo $HERE:$ECHO
t "^C: exit status 0" equals 0 $STATUS
t "... and the summary" says '^[0-9]+ asked, [0-9]+ answered, 0\.0% loss' \
	"$STDOUT"
t "... and FIN, as ever" says '^FIN: ' "$STDOUT"
run "$PROBE" daytime localhost:$DAYTIME
t "daytime: exit status 0" equals "0:" "$STATUS:$STDERR"
t "... the line" says "^it is .*$(date +%Y)" "$STDOUT"
run "$PROBE" connect localhost:$DAYTIME
t "connect: exit status 0" equals "0:" "$STATUS:$STDERR"

run "$PROBE" -j -c 2 -i 0 echo localhost:$ECHO
t "-j: an object a line" equals "connected reply reply fin summary" \
	"$(printf '%s\n' "$STDOUT" | jq -r .event | paste -s -d ' ' -)"
run "$PROBE" -j daytime localhost:$DAYTIME
t "-j: daytime" equals "connected line fin summary" \
	"$(printf '%s\n' "$STDOUT" | jq -r .event | paste -s -d ' ' -)"
run "$PROBE" -jq echo localhost:$ECHO
t "-jq: the summary alone" equals "summary ok null" \
	"$(printf '%s\n' "$STDOUT" | jq -r '"\(.event) \(.verdict) \(.hint)"')"
run "$PROBE" -jq echo 'a"b.invalid'
t "-jq: a name is a string" equals 'a"b.invalid unresolved' \
	"$(printf '%s\n' "$STDOUT" | jq -r '"\(.host) \(.verdict)"')"
t "... exit status 1" equals 1 $STATUS

t "an output that fails is no success" not sh -c \
	"'$PROBE' echo localhost:$ECHO >/dev/full 2>'$T/full'"
t "... and is said" logged 'standard output: No space left' "$T/full"

stop

# With a single port for all clients.
if [ -n "${TEST_NAMESPACE-}" ]; then
	sysctl -q -w net.ipv4.ip_local_port_range="40000 40000"
	run "$PROBE" -jq -t 2 echo $HERE:40000
	t "we are not our own server" equals refused \
		"$(printf '%s\n' "$STDOUT" | jq -r .verdict)"
	# Of those that listen the kernel gives none away.
	sysctl -q -w net.ipv4.ip_local_port_range="40002 40002"
	"$CLIENT" serve $HERE 40002 wait=1 >"$T/serve" 2>&1 &
	BACKGROUND=$!
	until_true logged '^listening' "$T/serve"
	run "$PROBE" echo $HERE:40001
	t "no port of our own is left: exit status 2" equals 2 $STATUS
	t "... it is this machine that failed" says \
		': failed \(Cannot assign requested address\)$' "$STDOUT"
fi
finish
