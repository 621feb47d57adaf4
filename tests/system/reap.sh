#!/bin/sh
# Workers that die are reaped, named in the log, and replaced.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

N=100

zombies()
{
	ps -o stat= --ppid "$DAEMON" | grep -c '^Z'
}

no_zombies()
{
	equals 0 "$(zombies)"
}

whole()
{
	field_is echo idle $N
}

each_is_logged()
{
	for pid in $1; do
		logged "worker $pid \\(echo 127\\.0\\.0\\.1:$ECHO\\) was killed by signal 9 \\(Killed\\)" || {
			echo "$pid is missing"
			return 1
		}
	done
}

start "pid-file none
control none
service echo {
listen 127.0.0.1:$ECHO
start-workers $N
min-spare-workers $N
max-spare-workers $N
max-workers $N
}"
t "$N workers are in accept" field_is echo idle $N
for round in 1 2 3; do
	old=$(workers)
	old_lives=$(lives $old)
	# shellcheck disable=SC2086
	kill -KILL $old
	t "round $round: all of them are gone" until_true all_gone $old_lives
	t "round $round: the pool is whole again" until_true whole
	t "round $round: no zombie is left" until_true no_zombies
	t "round $round: each death is in the log" each_is_logged "$old"
	t "round $round: clients are served" \
		"$CLIENT" echo -c -n 20 -b 1000 127.0.0.1 $ECHO
done
t "each of the 300 deaths is logged once" \
	equals 300 "$(log_lines 'was killed by signal 9')"

# A worker that crashes with a connection open.
"$CLIENT" echo -n 1 -t 20 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true grep -q ready "$T/client.out"
until_true field_is echo busy 1
victim=
for pid in $(workers); do
	[ "$(ls /proc/"$pid"/fd | wc -l)" = 6 ] && victim=$pid
done
t "the busy worker can be told by its descriptors" test -n "$victim"
kill -ABRT "$victim"
t "a crash is logged with its signal" until_true \
	logged "worker $victim .* was killed by signal 6 "
t "... and its open connection as failed" until_true \
	logged "service=echo peer=127.0.0.1:[0-9]+ .*ending=failed .*pid=$victim\$"
t "... and counted" has_ended echo failed 1
t "... and the pool is whole again" until_true whole
wait $BACKGROUND
BACKGROUND=
stop
t "exit status 0" equals 0 $STATUS
finish
