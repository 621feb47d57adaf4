#!/bin/sh
# preforkprobe idle: its options, its exit status, its output, and servers that
# end idle connections themselves. Firewalls are in tests/lab/idle.sh.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/probe.sh"

need jq
HERE=127.0.0.1

# idle OPTION ...: of the echo server, as JSON to $STDOUT.
idle()
{
	run "$PROBE" -j "$@" idle $HERE:$ECHO
}

# of EVENT FIELD: in all such lines.
of()
{
	printf '%s\n' "$STDOUT" |
		jq -r "select(.event == \"$1\") | .$2" | paste -s -d ' ' -
}

keys()
{
	printf '%s\n' "$STDOUT" | jq -r "select(.event == \"$1\") |
		keys_unsorted | join(\" \")" | sort -u
}

is_about()
{
	[ "$(printf %.0f "$2")" -ge "$1" ] || {
		echo "at least $1, but it is $2"
		return 1
	}
}

wrong '^usage: ' idle
wrong '^usage: ' --max 5 idle $HERE again
wrong '^usage: ' --min 5 idle $HERE
wrong '--max 0: must be seconds, 1 to 86400' --max 0 idle $HERE
wrong '--max 86401: must be seconds' --max 86401 idle $HERE
wrong '--max 1h: must be seconds' --max 1h idle $HERE
wrong '--precision 0: must be seconds, 0.1 to 86400' --precision 0 idle $HERE
wrong '--precision 6 is more than --max 5: ask' --precision 6 --max 5 idle $HERE
wrong '-p 0: must be 1 to 64' -p 0 idle $HERE
wrong '-p 65: must be 1 to 64' -p 65 idle $HERE
wrong '-c: idle has no use for it.* echo' -c 2 idle $HERE
wrong '--max: echo has no use for it.* idle' --max 5 echo $HERE
wrong '--precision: connect has no use for it.* idle' \
	--precision 1 connect $HERE:7
wrong '-p: daytime has no use for it' -p 2 daytime $HERE

# Nothing ends it.
start "$(conf)"
run "$PROBE" --max 2 -p 4 --precision 0.5 idle localhost:$ECHO
t "no limit: exit status 0" equals "0:" "$STATUS:$STDERR"
t "... how long it may take is said before" says \
	'^looking for a limit up to 2.000 s, within 0.500 s, on 4 connections .* at most [0-9]+ (s|min), ' \
	"$STDOUT"
t "... that one is the longest" says '^round 1: .*2.000 s$' "$STDOUT"
t "... one connection is shown" equals 1 \
	"$(printf '%s\n' "$STDOUT" | grep -c '^connected to ')"
t "... each result" says '^idle 2\.[0-9]{3} s: alive$' "$STDOUT"
t "... the verdict" says "^idle localhost port $ECHO: ok$" "$STDOUT"
t "... and the answer" says \
	'^No limit was found: idle connections are kept for at least 2\.[0-9]+ s' \
	"$STDOUT"
t "... nobody has kept them alive" not says 'sent something' "$STDOUT"
run "$PROBE" -q --max 1 idle localhost:$ECHO
t "-q: the summary alone" equals 3 "$(printf '%s\n' "$STDOUT" | wc -l)"
idle --max 1
t "-j: an object a line" equals "search round connected idle summary" \
	"$(printf '%s\n' "$STDOUT" | jq -r .event | paste -s -d ' ' -)"
t "... no limit" equals "none alive null null false" "$(of summary limit) $(
	of idle result) $(of summary gone_ms) $(of summary keepalive_idle_s) $(
	of summary kept_alive)"

# What preforkprobe(1) says of the lines, and no other field.
t "-j: search" equals "event max_ms precision_ms parallel at_most_ms" \
	"$(keys search)"
t "-j: round" equals "event round connections shortest_ms longest_ms" \
	"$(keys round)"
t "-j: idle" equals "event idle_ms result verdict" "$(keys idle)"
SUMMARY="event mode host port verdict error hint limit alive_ms gone_ms \
ended_ms gone kept_alive keepalive_idle_s keepalive_interval_s held_ms proved \
total_ms"
t "-j: summary" equals "$SUMMARY" "$(keys summary)"
sed -n '/^\.Sh JSON/,/^\.Sh EXIT/p' "$TOP_SRCDIR/man/preforkprobe.1" >"$T/json"
for key in $(keys search) $(keys round) $(keys idle) $(keys summary) hold_ms; do
	t "preforkprobe(1) has $key" grep -qw "$key" "$T/json"
done
t "-jq: the summary alone" equals summary "$("$PROBE" -jq --max 1 \
	idle $HERE:$ECHO | jq -r .event)"
run "$PROBE" -jq --max 1 idle $HERE:$DAYTIME
t "no echo server: mismatch" equals "mismatch unknown" \
	"$(of summary verdict) $(of summary limit)"
t "... exit status 1" equals 1 $STATUS
run "$PROBE" -j --max 1 idle $HERE:18000
t "nobody listens: refused" equals "refused unknown" \
	"$(of summary verdict) $(of summary limit)"
t "... and the attempt" equals refused "$(of attempt verdict)"
t "... exit status 1" equals 1 $STATUS
stop

# The server's own doing.
start "$(conf "idle-timeout 2s")"
idle --max 5 -p 3
t "idle-timeout 2s: exit status 0" equals 0 $STATUS
t "... it is the server's, by FIN" equals "server ended null" \
	"$(of summary limit) $(of idle result | tr ' ' '\n' | tail -n 1) $(
		of summary gone_ms)"
t "... after 2 s" is_about 1500 "$(of summary ended_ms)"
t "... which is asked twice" equals "1 2" "$(of round round)"
run "$PROBE" -q --max 5 -p 3 idle $HERE:$ECHO
t "... in words" says \
	'far end itself ends idle connections, with FIN, after [12]\.[0-9]+ s: .*idle-timeout .* no firewall' \
	"$STDOUT"

# The name gets another address meanwhile, where nobody listens.
if [ -n "${TEST_NAMESPACE-}" ]; then
	echo "$HERE name.test" >"$T/hosts"
	mount --bind "$T/hosts" /etc/hosts
	timeout 30 "$PROBE" -j --max 5 -p 3 idle name.test:$ECHO >"$T/probe" &
	BACKGROUND=$!
	until_true logged '"event":"connected"' "$T/probe"
	echo "127.0.0.2 name.test" >"$T/hosts"
	wait $BACKGROUND
	BACKGROUND=
	STDOUT=$(cat "$T/probe")
	t "all connections go to the same address" equals "server" \
		"$(of summary limit)"
	umount /etc/hosts
fi
stop

start "$(conf "keepalive-idle 1s" "keepalive-interval 1s")"
idle --max 3 -p 1
t "the server keeps it alive: that is said" equals "none true" \
	"$(of summary limit) $(of summary kept_alive)"
run "$PROBE" -q --max 3 -p 1 idle $HERE:$ECHO
t "... and what to do about it" says 'set keepalive no there' "$STDOUT"
stop

# No more workers than two.
start "$(conf "start-workers 1" "min-spare-workers 1" "max-spare-workers 1" \
	"max-workers 2" "evict no")"
idle --max 10 -p 4 -t 1
t "more connections than workers: stalled" equals "stalled unknown" \
	"$(of summary verdict) $(of summary limit)"
t "... exit status 1" equals 1 $STATUS
stop
finish
