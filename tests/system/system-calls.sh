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

# Limits that nobody reaches cost nothing, and one that is refused is cheaper
# than one that is served. The log line comes once a minute.
start "$(spare | sed '/^log-connections/d' | sed 's/^listen.*/&\
allow any\
max-per-source 100\
rate-per-source 1000/')"
t "rules and limits: the same six" equals \
	"accept4 setsockopt recvfrom sendto recvfrom close" \
	"$(calls_for echo "$CLIENT" echo -c -b 1 127.0.0.1 $ECHO)"
stop
start "$(spare | sed '/^log-connections/d' | sed 's/^listen.*/&\
deny any/')"
"$CLIENT" daytime 127.0.0.1 $DAYTIME >/dev/null
t "one that is refused: four" equals "accept4 shutdown recvfrom close" \
	"$(calls_for daytime "$CLIENT" daytime 127.0.0.1 $DAYTIME)"
stop

# The next ones wait in the queue while the only worker has another client:
# for how long is asked where accept came back at once, which strace can delay.
asked()
{
	grep -c 'getsockopt([0-9]*, SOL_TCP, TCP_INFO' "$T/strace"
}

start "$(conf "start-workers 1" "min-spare-workers 1" "max-workers 1" |
	sed '/^log-connections/d')"
trace "$(pgrep -f -P "$DAEMON" 'worker echo')" -e signal=none
"$CLIENT" echo -c -n 12 -b 1 -t 30 127.0.0.1 $ECHO >/dev/null
until_true has_ended echo peer-closed 12
untrace
t "who has waited in the queue costs one more" not equals 0 "$(asked)"
t "... and once" at_most 12 "$(asked)"
stop

start "$(spare)"
t "the line of a connection costs eight more" equals \
	"accept4 getsockopt ioctl setsockopt recvfrom sendto recvfrom getsockopt ioctl getsockname getpid getpid write close" \
	"$(calls_for echo "$CLIENT" echo -c -b 1 127.0.0.1 $ECHO)"
stop
t "exit status 0" equals 0 $STATUS
finish
