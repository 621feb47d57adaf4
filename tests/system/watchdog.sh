#!/bin/sh
# The service manager's watchdog is told that the loop turns, and only then.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

"$CLIENT" syslog "$T/manager" >"$T/told" &
MANAGER=$!
BACKGROUND=$MANAGER
until_true test -S "$T/manager"

pings()
{
	grep -c '^WATCHDOG=1$' "$T/told"
}
has_pings()
{
	[ "$(pings)" -ge "$1" ]
}

NOTIFY_SOCKET=$T/manager
WATCHDOG_USEC=400000
export NOTIFY_SOCKET WATCHDOG_USEC
before=$(now_ms)
start "$(conf "max-workers 4")"
t "the watchdog is told while nothing happens" until_true has_pings 6
t "... at half of its time" at_most $(($(now_ms) - before)) 1000
t "the variables are gone from the environment of what it starts" not grep -qz \
	WATCHDOG "/proc/$(pgrep -P "$DAEMON" | head -n 1)/environ"
kill -STOP "$DAEMON"
before=$(pings)
sleep 0.5
t "a master that does not run says nothing, whatever its workers do" \
	equals "$before" "$(pings)"
kill -CONT "$DAEMON"
t "one that goes on does" until_true has_pings $((before + 2))

late_client -b 100000000
until_true is_stuck
kill -TERM "$DAEMON"
until_true logged 'notice: stopping'
before=$(pings)
t "a stop is a loop that turns" until_true has_pings $((before + 2))
sleep 0.2
stop
read_now
wait $BACKGROUND
BACKGROUND=$MANAGER
t "exit status 0" equals 0 $STATUS
finish
