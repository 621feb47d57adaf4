#!/bin/sh
# Socket options: set once on the listener, in force on every connection.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need ss strace

server_side()
{
	ss -Htno state established "sport = :$ECHO"
}

timer_is()
{
	server_side | grep -Eq "timer:\\(keepalive,$1"
}

held()
{
	"$CLIENT" echo -b 1 -t 20 127.0.0.1 $ECHO >"$T/client.out" &
	BACKGROUND=$!
	until_true grep -q ready "$T/client.out"
	until_true field_is echo in 1
}

release()
{
	kill $BACKGROUND
	wait $BACKGROUND 2>/dev/null
	BACKGROUND=
}

start "$(conf "keepalive-idle 300s")"
held
t "keepalive is on, with keepalive-idle" timer_is '(4min|5min)'
release
stop
start "$(conf "keepalive no")"
held
t "keepalive no: no timer" not timer_is ''
release
stop

# What the master asks of the kernel, and what a worker asks once more.
: >"$T/log"
conf "peer-timeout 20s" "keepalive-count 3" "defer-accept 4s" >"$T/preforkd.conf"
strace -f -q -e trace=setsockopt -o "$T/strace" \
	"$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/log" &
BACKGROUND=$!
until_true logged 'serving daytime'
DAEMON=$(sed -n 's/.*preforkd\[\([0-9]*\)\].*/\1/p' "$T/log" | head -n 1)
"$CLIENT" daytime -f -n 20 127.0.0.1 $DAYTIME >/dev/null
MASTER=$DAEMON
kill -TERM "$DAEMON"
wait $BACKGROUND
BACKGROUND= DAEMON=

set_twice()
{
	equals 2 "$(grep -c "$1" "$T/strace")"
}

t "SO_KEEPALIVE on both listeners" set_twice 'SO_KEEPALIVE, \[1\]'
t "TCP_KEEPIDLE is half of peer-timeout, and what three probes leave over" \
	set_twice 'TCP_KEEPIDLE, \[11\]'
t "TCP_KEEPCNT is the keyword's" set_twice 'TCP_KEEPCNT, \[3\]'
t "TCP_KEEPINTVL is the rest, divided by it" set_twice 'TCP_KEEPINTVL, \[3\]'
t "TCP_USER_TIMEOUT is peer-timeout" set_twice 'TCP_USER_TIMEOUT, \[20000\]'
t "TCP_NODELAY" set_twice 'TCP_NODELAY, \[1\]'
t "TCP_DEFER_ACCEPT" set_twice 'TCP_DEFER_ACCEPT, \[4\]'
# strace pads the pid. What a connection cannot inherit it is given itself.
calls()
{
	grep -E "^$MASTER +setsockopt\\(" "$T/strace"
}
t "SO_RCVTIMEO is not among them: two listeners, eight each" \
	equals "16 0" "$(calls | wc -l) $(calls | grep -c SO_RCVTIMEO)"
t "a daytime connection is set nothing else, and that twice at most" \
	equals "40" "$(grep -c SO_RCVTIMEO "$T/strace")"
t "... by workers alone" equals 56 "$(grep -c 'setsockopt(' "$T/strace")"
finish
