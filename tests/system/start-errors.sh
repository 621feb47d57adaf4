#!/bin/sh
# What keeps a daemon from starting is named, with the remedy: exit status 1.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

says()
{
	grep -Eq -- "$1" "$T/run.err" || {
		cat "$T/run.err"
		return 1
	}
}

P=$T/preforkd.pid
start "$(conf)" -p "$P"
t "the PID file holds the master's pid" equals "$DAEMON" "$(cat "$P")"

for how in -F ""; do
	# shellcheck disable=SC2086
	run "$PREFORKD" $how -p "$T/other.pid" \
		"echo@127.0.0.1:$ECHO" "daytime@127.0.0.1:$DAYTIME"
	t "preforkd $how, ports in use: exit status 1" equals 1 $STATUS
	t "... the first is named, with who holds it" says \
		"echo@127.0.0.1:$ECHO: address already in use: pid [0-9]+ \\(preforkd\\) listens on port $ECHO"
	t "... and the second in the same run" says \
		"daytime@127.0.0.1:$DAYTIME: address already in use"
	t "... and no PID file is left" not test -e "$T/other.pid"
	# shellcheck disable=SC2086
	run "$PREFORKD" $how -p "$P" "echo@127.0.0.1:$((ECHO + 1))"
	t "preforkd $how, PID file held: exit status 1" equals 1 $STATUS
	t "... and the holder is named" says \
		"already running with pid $DAEMON, which holds pid-file $P"
done
t "the holder still serves" "$CLIENT" echo -c -b 10 127.0.0.1 $ECHO
t "and its PID file is still there" equals "$DAEMON" "$(cat "$P")"
stop
t "after the stop the PID file is gone" not test -e "$P"

# Two hold the port, on other addresses: the right one is named.
start "$(conf | sed 's/127\.0\.0\.1/127.0.0.2/')"
first=$DAEMON
start "$(conf | sed 's/127\.0\.0\.1/127.0.0.3/')"
run "$PREFORKD" -F "echo@127.0.0.3:$ECHO"
t "of two daemons on one port the one in the way is named" says \
	"pid ($DAEMON|$(workers | tr ' ' '|')) \\(preforkd\\) listens on port $ECHO"
BACKGROUND=$first
stop
kill "$first"
wait "$first"
BACKGROUND=

# After a while pids begin again at low ones, and workers have lower ones than
# their master: to stop one of those would not free the port.
conf >"$T/low.conf"
cat >"$T/low.sh" <<'END'
poll()
{
	for i in $(seq 1000); do
		grep -q "$1" "$T/low.log" && return
		sleep 0.02
	done
}
echo 20000 >/proc/sys/kernel/ns_last_pid
"$PREFORKD" -F -f "$T/low.conf" 2>"$T/low.log" &
poll 'notice: serving daytime'
echo 5000 >/proc/sys/kernel/ns_last_pid
kill -HUP $!
poll 'reloaded'
echo $!
"$PREFORKD" -F "echo@127.0.0.1:$ECHO"
kill $!
END
if [ "${TEST_NAMESPACE-}" = root ]; then
	export T ECHO
	run unshare -p -f --mount-proc sh "$T/low.sh"
	t "of a master and its workers the master is named" says \
		"pid $(head -n 1 "$T/run.out") \\(preforkd\\) listens on port $ECHO"
fi

start "$(conf)" -p "$P"
old=$(workers)
stop KILL
# The kernel ends the workers in a moment, and with them the hold on the ports.
for pid in $old; do
	until_true gone "$pid"
done
t "a killed daemon leaves its PID file" test -s "$P"
start "$(conf)" -p "$P"
t "the next one takes it over" equals "$DAEMON" "$(cat "$P")"
stop

run "$PREFORKD" -F -p "$T/no/such/dir.pid" "echo@127.0.0.1:$ECHO"
t "no directory for the PID file: exit status 1" equals 1 $STATUS
t "... and it is named, with the remedy" says \
	"pid-file $T/no/such/dir.pid .*-p.*: No such file or directory"
echo "service echo {" >"$T/precious.conf"
cp "$T/precious.conf" "$T/copy.conf"
run "$PREFORKD" -F -p "$T/precious.conf" "echo@127.0.0.1:$ECHO"
t "-p on somebody's file: exit status 1" equals 1 $STATUS
t "... and why" says "pid-file $T/precious.conf: holds something else"
t "... and the file is as it was" cmp "$T/copy.conf" "$T/precious.conf"
run "$PREFORKD" -F "echo@*:$ECHO" "echo@127.0.0.1:$ECHO"
t "two listens in each other's way: exit status 1" equals 1 $STATUS
t "... and nobody is told to stop himself" says \
	"echo@127.0.0.1:$ECHO: address already in use: another listen of this configuration"
run "$PREFORKD" -F "echo@192.0.2.1:$ECHO"
t "an address that is not ours: exit status 1" equals 1 $STATUS
t "... and it is named" says \
	"echo@192.0.2.1:$ECHO: no interface of this machine has this address"
run "$PREFORKD" -F "echo@no-such-host.invalid:$ECHO"
t "a name without an address: exit status 1" equals 1 $STATUS
t "... and it is named" says "cannot find the address of \"no-such-host.invalid\""

if [ "${TEST_NAMESPACE-}" = root ] && command -v setpriv >/dev/null; then
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		--bounding-set=-all "$PREFORKD" -F echo@127.0.0.1:7
	t "a low port without the right: exit status 1" equals 1 $STATUS
	t "... and the right is named" says \
		"echo@127.0.0.1:7: permission denied: port 7 needs CAP_NET_BIND_SERVICE"
fi
finish
