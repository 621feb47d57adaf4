#!/bin/sh
# At max-workers the queue fills, which is said once a minute; and what the
# configuration may say about workers.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace

MAX=12
SAID="warning: echo 127.0.0.1:$ECHO: all of max-workers $MAX serve, and [1-9][0-9]* clients wait in the queue of 4096; raise max-workers, or lower idle-timeout"

hold()
{
	"$CLIENT" echo -n "$1" -b 1 -t 100 127.0.0.1 $ECHO >"$T/client.out" &
	BACKGROUND="$BACKGROUND $!"
}

# The most that were ever seen at once.
MOST=0
watch_workers()
{
	n=$(worker_count)
	[ "$n" -le $MOST ] || MOST=$n
	"$@"
}

queue_is()
{
	watch_workers equals "$1/4096" "$(status_field echo queue)"
}

start "$(conf "max-workers $MAX" "min-spare-workers 3" "max-spare-workers 6" \
	"start-workers 2" "backlog 4096" "evict no")
log-level debug"
sysctl -qw net.core.somaxconn=4096 2>/dev/null
hold $MAX
t "as many clients as workers: served" until_true field_is echo busy $MAX
t "... no warning, for nobody waits" equals 0 "$(warnings)"
first=$BACKGROUND
hold 30
t "thirty more wait in the queue" until_true queue_is 30
t "it is said" until_true logged "$SAID"
t "the status says who may be how many" field_is echo max $MAX
t "... and how many there are" field_is echo workers $MAX
# What wakes the master must not make it say so again.
for n in 1 2 3 4 5 6; do
	hold 1
	until_true queue_is $((30 + n))
done
t "... once" equals 1 "$(log_lines "$SAID")"
# shellcheck disable=SC2086
kill $first
t "when others leave they are served" until_true field_is echo busy $MAX
t "... from the queue" until_true queue_is 24
t "... still said once" equals 1 "$(warnings)"
for pid in $BACKGROUND; do
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	watch_workers true
done
BACKGROUND=
t "all leave: nobody waits" until_true queue_is 0
t "new clients are served" "$CLIENT" echo -c -n 100 -b 100 127.0.0.1 $ECHO
has_shrunk()
{
	watch_workers field_is echo workers 6
}
t "the pool shrinks" until_true has_shrunk
t "there were never more than max-workers of echo" \
	at_most $((MAX + 6)) $MOST
stop
t "exit status 0" equals 0 $STATUS

# The configuration.
bad()
{
	name=$1
	expected=$2
	shift 2
	{
		echo "service echo {"
		echo "listen *:$ECHO"
		printf '%s\n' "$@"
		echo "}"
	} >"$T/bad.conf"
	run "$PREFORKD" -n -f "$T/bad.conf"
	t "$name: exit status 2" equals 2 $STATUS
	t "... with the line and both values" equals \
		"$T/bad.conf:$expected" "$STDERR"
}
bad "start above max" \
	"5: service echo: start-workers 9: more than max-workers, which is 8" \
	"start-workers 9" "max-workers 8"
bad "min-spare above max-spare" \
	"5: service echo: min-spare-workers 9: more than max-spare-workers, which is 8" \
	"min-spare-workers 9" "max-spare-workers 8"
bad "min-spare above max" \
	"5: service echo: min-spare-workers 9: more than max-workers, which is 8" \
	"min-spare-workers 9" "max-workers 8"
bad "max-spare above max" \
	"5: service echo: max-spare-workers 9: more than max-workers, which is 8" \
	"max-spare-workers 9" "max-workers 8"
bad "no worker at all" "3: max-workers 0: must be 1 to 65535" "max-workers 0"

# effective LINE ...: what -nv makes of it, "start min max-spare max".
effective()
{
	{
		echo "service echo {"
		echo "listen *:$ECHO"
		printf '%s\n' "$@"
		echo "}"
	} >"$T/good.conf"
	run "$PREFORKD" -nv -f "$T/good.conf"
	echo "$STDOUT" | sed -n 's/^	\(start\|min-spare\|max-spare\|max\)-workers \([0-9]*\).*/\2/p' |
		paste -s -d ' ' -
}
t "the defaults" equals "4 4 16 1024" "$(effective)"
t "max-workers 1: all of the others give way" \
	equals "1 1 1 1" "$(effective "max-workers 1")"
t "max-workers 8: max-spare-workers gives way" \
	equals "4 4 8 8" "$(effective "max-workers 8")"
t "start-workers 2000: max-workers gives way" \
	equals "2000 4 16 2000" "$(effective "start-workers 2000")"
t "min-spare-workers 64: max-spare-workers gives way" \
	equals "4 64 64 1024" "$(effective "min-spare-workers 64")"
t "max-spare-workers 2: min-spare-workers gives way" \
	equals "4 2 2 1024" "$(effective "max-spare-workers 2")"
t "min-spare-workers 2000: max-spare-workers and max-workers give way" \
	equals "4 2000 2000 2000" "$(effective "min-spare-workers 2000")"
finish
