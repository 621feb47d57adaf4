#!/bin/sh
# Workers that leave after max-connections-per-worker: one by one, and no
# client notices.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace

LIMIT=200
WORKERS=8

# A pool of a fixed size, so that nobody leaves for another reason.
start "log-level debug
$(conf "max-workers $WORKERS" "min-spare-workers $WORKERS" \
	"start-workers $WORKERS" "max-connections-per-worker $LIMIT")"
: >"$T/counts"

# Each connection's line has the pid of its worker.
count_connections()
{
	sed -n 's/.*service=echo .* pid=\([0-9]*\)$/\1/p' "$T/log" |
		sort | uniq -c | awk '{ print $1, $2 }'
}

exited()
{
	sed -n "s/.*debug: worker \\([0-9]*\\) (echo .*exited with status 0.*/\\1/p" "$T/log"
}

# What those served who have left by themselves.
count_left()
{
	exited >"$T/exited"
	count_connections | while read -r count pid; do
		grep -qx "$pid" "$T/exited" && echo "$count"
	done
}

echoes()
{
	for n in 1 2 3 4 5 6 7 8 9 10; do
		"$CLIENT" echo -c -n 400 -b 100 127.0.0.1 $ECHO || return
	done
}

all_counted()
{
	field_is echo connections 4000 && has_ended echo peer-closed 4000
}

t "4000 clients, none lost and none reset" echoes
t "each is counted" until_true all_counted
t "the pool is whole" until_true field_is echo idle $WORKERS
left=$(count_left)
echo "# $(exited | wc -l) left; after: $(echo "$left" | sort -n | sed -n '1p;$p' | paste -s -d ' ')"
t "as many as it takes" test "$(exited | wc -l)" -ge 10
t "none after more than its limit" \
	at_most $LIMIT "$(echo "$left" | sort -n | tail -n 1)"
t "none before three quarters of it" \
	at_most "$(echo "$left" | sort -n | head -n 1)" $((LIMIT * 3 / 4))
t "not all after as many" test "$(echo "$left" | sort -u | wc -l)" -ge 4
t "no warning: that is no failure" equals 0 \
	"$(log_lines 'warning: worker|error:')"
t "each is replaced by one" equals $((WORKERS + $(exited | wc -l))) \
	"$(log_lines 'debug: worker [0-9]+ \(echo .* was started')"

stop
t "exit status 0" equals 0 $STATUS

# A pool that is busy without a pause: those that leave are missed.
start "log-level debug
$(conf "max-workers $WORKERS" "min-spare-workers $WORKERS" \
	"start-workers $WORKERS" "max-connections-per-worker 1000" |
	grep -v log-connections)"
for n in 1 2 3 4; do
	"$CLIENT" daytime -n 10000 -t 60 127.0.0.1 $DAYTIME >"$T/client.$n" &
	BACKGROUND="$BACKGROUND $!"
done
all_served()
{
	for pid in $BACKGROUND; do
		wait "$pid" || return
	done
	equals 4 "$(cat "$T"/client.? | grep -c 'fin=10000 rst=0 timeout=0 lines=10000')"
}
t "four clients that come 10000 times each, none lost" all_served
BACKGROUND=
t "... while tens of workers left" at_most \
	"$(log_lines '\(daytime .* exited with status 0')" 30

# One that serves its last client does so to the end.
stop
start "$(conf "max-workers 1" "max-connections-per-worker 1" "evict no")"
worker=$(pgrep -P "$DAEMON" -f 'worker echo')
"$CLIENT" echo -n 1 -b 1 -t 60 127.0.0.1 $ECHO >/dev/null &
BACKGROUND=$!
until_true field_is echo busy 1
"$CLIENT" echo -c -n 3 -b 1000 127.0.0.1 $ECHO >"$T/client.out" &
waiting=$!
until_true field_is echo queue 3/4096
t "a worker with its last client stays with it" equals "$worker" \
	"$(pgrep -P "$DAEMON" -f 'worker echo')"
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null
BACKGROUND=
t "those that wait are served by its successors" wait $waiting
t "... of which each serves one" equals 4 "$(count_connections | grep -c '^1 ')"
stop
finish
