#!/bin/sh
# What SIGNALS and EXIT STATUS of preforkd(8) claim and no other script looks
# at, and what SECURITY does. stop, stop-queue, signals, reap, options, bad-configuration,
# start-errors and run-errors have the rest.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need socat

# A peer that has sent something, and does not answer our FIN.
holder()
{
	# That of before has a hello in it.
	rm -f "$T/hold" "$T/held"
	mkfifo "$T/hold"
	socat -t 60 - "TCP4:127.0.0.1:$ECHO" <"$T/hold" >"$T/held" &
	BACKGROUND=$!
	exec 8>"$T/hold"
	echo hello >&8
	until_true grep -q hello "$T/held"
}

let_go()
{
	exec 8>&-
	kill $BACKGROUND 2>/dev/null
	wait $BACKGROUND 2>/dev/null
	BACKGROUND=
}

# TERM waits for the peer's FIN, and for how long.
start "stop-timeout 20s
$(conf "linger-timeout 600ms")"
holder
stop
t "the stop waits for the peer's FIN" at_most "$MS" 600
t "... at most linger-timeout, where that is less" at_most 5000 $MS
t "... exit status 0" equals 0 $STATUS
t "... and it is logged as lingered" logged 'ending=lingered '
let_go

start "stop-timeout 1200ms
$(conf "linger-timeout 60s")"
holder
stop
t "... or half of stop-timeout" at_most "$MS" 600
t "... so that nobody is killed" not logged 'killing the workers'
t "... exit status 0" equals 0 $STATUS
let_go

# The second signal may be another one; it must be 0.1 s after the first.
for pair in "TERM INT" "INT QUIT" "QUIT TERM"; do
	start "stop-timeout 60s
$(conf "linger-timeout 60s")"
	holder
	kill "-${pair% *}" "$DAEMON"
	until_true logged 'notice: stopping'
	sleep 0.15
	stop "${pair#* }"
	t "$pair: the second time it stops at once" \
		logged 'notice: stopping at once'
	t "... long before stop-timeout" at_most 5000 $MS
	t "... exit status 0" equals 0 $STATUS
	let_go
done

# USR1: a line a listening socket, and what is in it.
start "$(conf)"
until_true field_is echo idle 4
kill -USR1 "$DAEMON"
until_true status_came daytime 0
for service in "echo $ECHO" "daytime $DAYTIME"; do
	for field in "listen=127.0.0.1:${service#* }" 'state=serving' 'workers=4' 'idle=4' \
	    'busy=0' 'other=0' 'queue=[0-9]+/[0-9]+' 'backlog=4096' 'overflows=0' \
	    'raise=-' 'mean-wait=0.000' 'longest-wait=0.000' 'connections=0' 'endings=' \
	    'in=[0-9]+' 'out=[0-9]+' 'log-lost=0' 'holders=configuration,'; do
		t "USR1: the line of ${service% *} has $field" logged \
			"status: service=${service% *} .*$field"
	done
done
stop

# Background: the exit status of the command is that of the start.
run "$PREFORKD" -p none "nosuch@127.0.0.1:$ECHO"
t "in the background, wrong usage: exit status 2" equals 2 $STATUS
run "$PREFORKD" -p none -x
t "in the background, no such option: exit status 2" equals 2 $STATUS
run "$PREFORKD" -h
t "-h: exit status 0, on stdout" equals "0:" "$STATUS:$STDERR"
run "$PREFORKD" -V
t "-V: exit status 0, on stdout" equals "0:" "$STATUS:$STDERR"
# Every way to write that fails: not stopped as asked.
t "-nv to a full device: exit status 1" not sh -c \
	"'$PREFORKD' -nv echo@127.0.0.1:$ECHO >/dev/full"

# Each test that SECURITY names is there, and is one of those that are run.
claims=$(grep -o 'tests/[a-z]*/[A-Za-z0-9_.-]*[a-z]' "$TOP_SRCDIR/SECURITY" |
	sort -u)
is_run()
{
	for test in $claims; do
		[ -f "$TOP_SRCDIR/$test" ] &&
			grep -Eq "${test%.c}([. ]|\$)" "$TOP_SRCDIR/Makefile.am" || {
			echo "SECURITY names $test, which is none"
			return 1
		}
	done
}
t "SECURITY names tests" test "$(echo "$claims" | wc -l)" -gt 30
t "... each of them is one" is_run
finish
