#!/bin/sh
# What a connection costs a worker, call by call: the log line of one that
# nobody asked for costs nothing.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need strace

# The calls from accept to close, for one client.
calls_for()
{
	trace "$(pgrep -f -P "$DAEMON" "worker $1")" -e signal=none
	shift
	"$@" >/dev/null
	until_true grep -q 'close([0-9]*) *= 0' "$T/strace"
	untrace
	worker=$(sed -n 's/^\([0-9]*\) *close([0-9]*) *= 0$/\1/p' "$T/strace")
	sed -n "/^$worker .*accept4.* = [0-9]/,/^$worker .*close/p" "$T/strace" |
		sed -n "s/^$worker *\(<\.\.\. \)*\([a-z0-9]*\).*/\2/p" |
		paste -s -d ' ' -
}

# Enough spare workers: nobody has to be woken.
spare()
{
	conf "start-workers 3" "min-spare-workers 1" "max-spare-workers 3"
}

start "$(spare | sed '/^log-connections/d')"
t "daytime: six calls" equals \
	"accept4 sendto shutdown setsockopt recvfrom close" \
	"$(calls_for daytime "$CLIENT" daytime 127.0.0.1 $DAYTIME)"
t "echo: six, with one message" equals \
	"accept4 setsockopt recvfrom sendto recvfrom close" \
	"$(calls_for echo "$CLIENT" echo -c -b 1 127.0.0.1 $ECHO)"
stop

start "$(spare)"
t "the line of a connection costs eight more" equals \
	"accept4 getsockopt ioctl setsockopt recvfrom sendto recvfrom getsockopt ioctl getsockname getpid getpid write close" \
	"$(calls_for echo "$CLIENT" echo -c -b 1 127.0.0.1 $ECHO)"
stop
t "exit status 0" equals 0 $STATUS
finish
