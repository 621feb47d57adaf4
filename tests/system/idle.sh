#!/bin/sh
# An idle daemon makes no system call at all.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need strace

watch()
{
	trace "$DAEMON $(workers)"
	# Attaching shows the call that each sleeps in: one line, unfinished.
	until_true all_seen
	before=$(wc -c <"$T/strace")
	sleep "$1"
	t "$2" equals "$before" "$(wc -c <"$T/strace")"
	t "... and the trace was live" sees_calls
	untrace
}

all_seen()
{
	equals 9 "$(grep -Ec '(accept4|ppoll)' "$T/strace")"
}

# The same trace shows what USR1 causes, so it would have shown a wake-up.
sees_calls()
{
	field_is echo idle 4 && [ "$(wc -c <"$T/strace")" -gt "$before" ]
}

# A service manager that is told how many are busy changes nothing of it.
"$CLIENT" syslog "$T/manager" >"$T/told" &
BACKGROUND=$!
until_true test -S "$T/manager"
NOTIFY_SOCKET=$T/manager
export NOTIFY_SOCKET
start "$(conf_with_control "max-workers 4")"
watch 5 "five seconds after the start: no system call by master or workers"
"$CLIENT" echo -c -n 8 -b 1000 127.0.0.1 $ECHO >/dev/null
"$CLIENT" daytime -n 20 127.0.0.1 $DAYTIME >/dev/null
"$PREFORKCTL" -s "$T/control" status >"$T/status"
t "a client of the control socket has its answer" grep -q ^echo "$T/status"
until_true field_is echo idle 4
until_true field_is daytime idle 4
watch 6 "and none in six seconds after it has served"
t "and a service manager was told" grep -q busy "$T/told"
# Nor after other workers, and after another binary in its place.
again()
{
	old=$(lives $(workers))
	kill "-$1" "$DAEMON"
	until_true all_gone $old && until_true has_workers 8 &&
		until_true field_is echo idle 4 &&
		until_true field_is daytime idle 4
}
t "a reload" again HUP
watch 3 "and none in three seconds after it"
t "an upgrade" again USR2
watch 3 "and none in three seconds after it"
stop
t "exit status 0" equals 0 $STATUS
finish
