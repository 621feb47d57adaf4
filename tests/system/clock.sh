#!/bin/sh
# The clock is set a year forward, then back: no connection ends, no timeout
# runs out, no worker is replaced, and daytime tells the new time.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_plain
need faketime nc

YEAR=31536000
PROGRAM=$UNLOCKED
PREFORKD=$T/with-clock
cat >"$PREFORKD" <<END
#!/bin/sh
exec env LD_PRELOAD='$(faketime -f +0 sh -c 'echo "$LD_PRELOAD"')' \\
	FAKETIME_TIMESTAMP_FILE='$T/clock' FAKETIME_NO_CACHE=1 \\
	FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 \\
	'$PROGRAM' "\$@"
END
chmod 755 "$PREFORKD"

# The file is replaced at once: a daemon may be reading it.
set_clock()
{
	echo "$1" >"$T/clock.new" && mv "$T/clock.new" "$T/clock"
}

daytime_is_in()
{
	nc -d -w 5 127.0.0.1 $DAYTIME | grep " $1"
}

year_of()
{
	date -d "@$(($(date +%s) $1))" +%Y
}

set_clock +0
# Root may read the clock of the test, which workers do for libfaketime.
start "user root
$(conf "idle-timeout 60s" "send-timeout 60s" "max-workers 4")"
"$CLIENT" echo -n 2 -b 100 -t 30 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true field_is echo busy 2
old=$(workers)
t "daytime tells the year" daytime_is_in "$(year_of +0)"
for step in +$YEAR -$YEAR; do
	set_clock "$step"
	t "$step s: daytime tells the new time" \
		until_true daytime_is_in "$(year_of "$step")"
	t "$step s: two connections are open still" field_is echo busy 2
	t "$step s: clients are served" \
		"$CLIENT" echo -c -n 4 -b 100 127.0.0.1 $ECHO
	t "$step s: the same workers run" equals "$old" "$(workers)"
	worker=$(workers | sed 's/.* //')
	kill -KILL "$worker"
	until_true gone "$worker"
	t "$step s: a worker that dies is replaced" until_true has_workers 8
	t "... and daytime is whole" until_true field_is daytime idle 4
	old=$(workers)
done
t "no connection has ended by a timeout" not \
	logged 'ending=(idle|stalled|lingered|dead-peer|stopped|failed)'
stop
t "the stop: exit status 0" equals 0 $STATUS
t "... at once" at_most 5000 $MS
t "... and the two see FIN" wait $BACKGROUND
BACKGROUND=
t "no second was counted that has not passed" not \
	logged 'seconds=[0-9]{3}|(seconds|wait)=-[0-9]'
finish
