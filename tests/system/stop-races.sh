#!/bin/sh
# 400 stops at every moment: right after the start, and in the middle of
# accept. None is slept over.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

ROUNDS=200
LIMIT=1000

# Sets WORST and BAD from rounds of a start, a pause of $1 ms, and a stop.
rounds()
{
	WORST=0
	BAD=0
	i=0
	while [ $i -lt $ROUNDS ]; do
		i=$((i + 1))
		"$1" $i
		[ "$MS" -le $WORST ] || WORST=$MS
		[ "$STATUS" = 0 ] || BAD=$((BAD + 1))
	done
	echo "# $1: $ROUNDS stops, the slowest $WORST ms"
}

# 0 to 19.8 ms after the first sign of life: before, while and after forking.
right_after_start()
{
	: >"$T/log"
	"$PREFORKD" -F -v -v -f "$T/preforkd.conf" 2>"$T/log" &
	DAEMON=$!
	until test -s "$T/log"; do
		kill -0 $DAEMON || return
	done
	sleep "0.0$(printf '%03d' $(($1 * 2 % 200)))"
	stop
}

# Clients come and go all the time, so the stop falls on every line of accept.
in_accept()
{
	: >"$T/log"
	"$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/log" &
	DAEMON=$!
	until logged 'serving daytime'; do
		kill -0 $DAEMON || return
	done
	"$CLIENT" daytime -n 100000 -t 0.$((50 + $1 % 50)) \
		127.0.0.1 $DAYTIME >/dev/null 2>&1 &
	BACKGROUND=$!
	sleep "0.0$(($1 % 10))$(($1 % 7))"
	stop
	kill $BACKGROUND 2>/dev/null
	wait $BACKGROUND 2>/dev/null
	BACKGROUND=
}

conf "start-workers 8" "max-workers 8" >"$T/preforkd.conf"
rounds right_after_start
t "$ROUNDS stops right after the start: none takes over a second" \
	at_most $LIMIT $WORST
t "... exit status 0 each time" equals 0 $BAD
rounds in_accept
t "$ROUNDS stops in the middle of accept: none takes over a second" \
	at_most $LIMIT $WORST
t "... exit status 0 each time" equals 0 $BAD
finish
