#!/bin/sh
# What a service manager is told by sd_notify(3), without a systemd.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

"$CLIENT" syslog "$T/manager" >"$T/told" &
MANAGER=$!
BACKGROUND=$MANAGER
until_true test -S "$T/manager"
NOTIFY_SOCKET=$T/manager
export NOTIFY_SOCKET

told()
{
	grep -Eqx -- "$1" "$T/told" || {
		cat "$T/told"
		return 1
	}
}

last_told()
{
	tail -n 1 "$T/told" | grep -qx -- "$1"
}

# Lines, but for those that tell nothing new but counts.
told_lines()
{
	equals "$1" "$(sed 's/; .*//' "$T/told" | uniq | wc -l)"
}

SERVING="serving echo 127.0.0.1:$ECHO, daytime 127.0.0.1:$DAYTIME"

start "$(conf "max-workers 4")"
t "when it serves it says so" until_true told "STATUS=$SERVING; 0 busy, 8 idle"
t "that it is ready, and who it is" equals \
	"READY=1 MAINPID=$DAEMON STATUS=$SERVING; 0 busy, 8 idle " "$(tr '\n' ' ' <"$T/told")"

# close_range at the start of a worker: it cannot start any more.
can_break()
{
	[ -n "${TEST_NAMESPACE-}" ] && command -v strace >/dev/null
}
degrade()
{
	trace "$DAEMON" -f -e trace=close_range \
		-e inject=close_range:error=EPERM &&
		kill -KILL "$(pgrep -P "$DAEMON" -f daytime | head -n 1)"
}
if can_break; then
	t "a pool degrades" degrade
	t "it says which" until_true told \
		"STATUS=degraded: daytime 127.0.0.1:$DAYTIME 3 of 4 workers; 0 busy, 7 idle"
	untrace
	t "and that it serves again" until_true last_told "STATUS=$SERVING; .*"
fi
SEEN=$(sed 's/; .*//' "$T/told" | uniq | wc -l)
t "connections are served" "$CLIENT" echo -c -n 20 -b 1000 127.0.0.1 $ECHO
worker=$(pgrep -P "$DAEMON" -f "worker echo" | head -n 1)
kill -TERM "$worker"
t "a worker is replaced" until_true gone "$worker"
t "of that nothing is said" told_lines "$SEEN"
# USR1, which status_field sends, has the master look.
counts_are()
{
	status_field echo busy >/dev/null
	last_told "STATUS=$SERVING; $1"
}
late_client -b 100000000
t "how many are busy is said, when it looks" until_true counts_are \
	"1 busy, 7 idle"
read_now
wait $BACKGROUND
BACKGROUND=$MANAGER
t "... and when they are no longer" until_true counts_are "0 busy, 8 idle"
stop
t "exit status 0" equals 0 $STATUS
t "that it stops, and how long that may take" equals \
	"STOPPING=1 STATUS=stopping EXTEND_TIMEOUT_USEC=15000000 " \
	"$(until_true told EXTEND.*; tail -n 3 "$T/told" | tr '\n' ' ')"
t "and nothing else" told_lines $((SEEN + 3))

# What was refused stays in the status until a reload is done.
: >"$T/told"
start "$(conf)"
echo 'log-levle info' >>"$T/preforkd.conf"
kill -HUP "$DAEMON"
t "that a reload was refused is said, and why" until_true last_told \
	"STATUS=$SERVING; [^;]*; reload refused: the configuration cannot be used: $T/preforkd.conf:[0-9]*: log-levle: .*"
sed -i /log-levle/d "$T/preforkd.conf"
kill -HUP "$DAEMON"
t "... until one is done" until_true last_told \
	"STATUS=$SERVING; [0-9]* busy, [0-9]* idle"
echo 'log-levle info' >>"$T/preforkd.conf"
kill -USR2 "$DAEMON"
t "that an upgrade was refused is said, and why" until_true last_told \
	"STATUS=$SERVING; [^;]*; upgrade refused: the trial of the new binary failed: .*log-levle: .*"
stop
t "exit status 0" equals 0 $STATUS

# In the background it is the child who serves.
: >"$T/told"
printf 'pid-file %s\n%s\n' "$T/pid" "$(conf | grep -v pid-file)" \
	>"$T/preforkd.conf"
t "it starts in the background" "$PREFORKD" -f "$T/preforkd.conf"
DAEMON=$(cat "$T/pid")
t "the main process is the one in the background" \
	until_true told "MAINPID=$DAEMON"
kill -TERM "$DAEMON"
t "it ends" until_true gone "$DAEMON"
DAEMON=

# Nor does a manager that is stuck hold anybody up: what it could not be told
# it is told later.
stuff()
{
	kill -STOP $MANAGER
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		echo stuffing | timeout 0.2 socat -u - "UNIX-SENDTO:$T/manager" ||
			return 0
	done
	return 1
}
if command -v socat >/dev/null; then
	: >"$T/told"
	t "the manager is stuck, its queue is full" stuff
	start "stop-timeout 60s
$(conf "linger-timeout 60s")"
	t "it starts and serves all the same" \
		"$CLIENT" echo -c -b 1000 -t 5 127.0.0.1 $ECHO
	t "... and answers to signals" field_is echo state serving
	late_client -b 100000000
	until_true is_stuck
	t "nothing was told" not told READY=1
	kill -CONT $MANAGER
	t "when the manager goes on it is told that it serves" \
		until_true told READY=1
	t "... once" equals 1 "$(grep -c READY=1 "$T/told")"
	t "the manager is stuck again" stuff
	kill -TERM "$DAEMON"
	t "a stop begins all the same" until_true logged 'notice: stopping'
	t "... and its status is to be had" field_is echo state stopping
	t "... with nothing told" not told STOPPING=1
	kill -CONT $MANAGER
	t "when the manager goes on it is told of the stop" \
		until_true told STOPPING=1
	# Later than what would be taken for the same signal.
	sleep 0.2
	stop
	t "exit status 0" equals 0 $STATUS
	t "it was told so once" equals 1 "$(grep -c STOPPING=1 "$T/told")"
	t "of all that the log has no word" equals 0 \
		"$(log_lines 'warning: NOTIFY_SOCKET')"
	read_now
	wait $BACKGROUND
	BACKGROUND=$MANAGER
fi

# A manager that is gone changes nothing.
kill -KILL $MANAGER
wait $MANAGER 2>/dev/null
BACKGROUND=
start "$(conf)"
t "without a manager there is one warning" equals 1 \
	"$(log_lines "warning: NOTIFY_SOCKET $T/manager: .*refused")"
t "and it serves" "$CLIENT" echo -c -b 1000 127.0.0.1 $ECHO
stop
t "without another warning" equals 1 "$(log_lines "warning: NOTIFY_SOCKET")"
t "exit status 0" equals 0 $STATUS
finish
