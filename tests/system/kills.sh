#!/bin/sh
# Workers that are killed at any instant, under load: the books stay right.
#
#	KILLS_SECONDS=600 tests/system/kills.sh		for longer than the suite
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace

: "${KILLS_SECONDS:=12}"
[ "$KILLS_SECONDS" -le 60 ] || TEST_LIMIT=$((KILLS_SECONDS + 120))
MAX=24

start "pid-file none
control none
service echo {
listen 127.0.0.1:$ECHO
linger-timeout 1s
max-workers $MAX
max-connections-per-worker 500
}
service daytime {
listen 127.0.0.1:$DAYTIME
linger-timeout 1s
max-workers $MAX
}"

# Clients may fail, for their worker is killed; they are to go on coming.
END=$(($(date +%s) + KILLS_SECONDS))
load()
{
	while [ "$(date +%s)" -lt $END ]; do
		"$CLIENT" "$@" >/dev/null 2>&1
	done
}
load echo -c -n 8 -b 20000 -t 2 127.0.0.1 $ECHO &
BACKGROUND="$BACKGROUND $!"
load echo -n 6 -b 500 -t 0.3 127.0.0.1 $ECHO &
BACKGROUND="$BACKGROUND $!"
load echo -r -n 4 -b 3000 -t 1 127.0.0.1 $ECHO &
BACKGROUND="$BACKGROUND $!"
load daytime -n 200 -t 1 127.0.0.1 $DAYTIME &
BACKGROUND="$BACKGROUND $!"
load daytime -f -n 50 -t 1 127.0.0.1 $DAYTIME &
BACKGROUND="$BACKGROUND $!"

# Few of one list, so that none of them is another process by then.
killed=0
while [ "$(date +%s)" -lt $END ]; do
	for victim in $(pgrep -P "$DAEMON" | shuf -n 3); do
		kill -KILL "$victim" 2>/dev/null && killed=$((killed + 1))
		sleep 0.00$((victim % 9 + 1))
	done
done
for pid in $BACKGROUND; do
	wait "$pid"
done
BACKGROUND=

# Every client is gone: what is left must settle within five seconds.
PATIENCE=5
has_spare()
{
	[ "$(status_field "$1" idle)" -ge 4 ]
}

sum_of_endings()
{
	status_field "$1" endings | tr ',' '\n' |
		awk -F : '{ sum += $2 } END { print sum + 0 }'
}

live_workers()
{
	pgrep -P "$DAEMON" -f "worker $1" | sort -n | paste -s -d ' ' -
}

holders()
{
	status_field "$1" holders | tr ',' '\n' | grep -v configuration |
		sort -n | paste -s -d ' ' -
}

adds_up()
{
	equals "$(($(status_field "$1" idle) + $(status_field "$1" other)))" \
		"$(status_field "$1" workers)"
}

has_settled()
{
	field_is "$1" busy 0 && adds_up "$1" &&
		equals "$(holders "$1")" "$(live_workers "$1")"
}

no_zombies()
{
	equals 0 "$(ps -o stat= --ppid "$DAEMON" | grep -c '^Z')"
}

for service in echo daytime; do
	t "$service: min-spare-workers are there within five seconds" \
		until_true has_spare $service
	t "$service: nobody is busy, and all others are idle" \
		until_true has_settled $service
	t "$service: no worker more than max-workers" \
		at_most $MAX "$(status_field $service workers)"
	t "$service: it serves" field_is $service state serving
	t "$service: each connection has ended exactly once" equals \
		"$(status_field $service connections)" "$(sum_of_endings $service)"
	t "$service: ... there were many" \
		test "$(status_field $service connections)" -ge 100
	t "$service: the ledger names the workers there are" equals \
		"$(holders $service)" "$(live_workers $service)"
	echo "# $service: $(status_field $service connections) connections," \
		"$(status_field $service endings)"
done
t "no zombie is left" until_true no_zombies
# One may have been leaving by itself, or been killed before.
deaths=$(log_lines 'was killed by signal 9')
echo "# $killed kills, $deaths deaths"
t "workers were killed by the dozen" test "$deaths" -ge 20
t "... each is in the log" at_most "$deaths" $((killed * 9 / 10))
t "... once" at_most "$killed" "$deaths"
t "... and none ended in another way" equals 0 "$(log_lines \
	'was killed by signal ([0-8]|[1-9][0-9])|exited with status [1-9]|error:')"
PATIENCE=20
t "clients are served" "$CLIENT" echo -c -n 20 -b 10000 127.0.0.1 $ECHO
stop
t "exit status 0" equals 0 $STATUS
finish
