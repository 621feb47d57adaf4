#!/bin/sh
# preforkctl metrics: a text that Prometheus takes, and counters that never go
# back, whatever happens to workers, to the configuration and to the master.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

need_namespace
need nstat promtool

: >"$T/best"

scrape()
{
	"$PREFORKCTL" -s "$T/control" metrics >"$T/metrics"
}

# Each series that is there is as high as ever, and there once.
keeps_its_counters()
{
	scrape && [ "$(tail -n 1 "$T/metrics")" = "# EOF" ] || return
	awk 'NR == FNR { best[$1] = $2; next }
		/^#/ { next }
		seen[$1]++ { print "twice: " $0; bad = 1 }
		$1 !~ /_(total|sum|count)({|$)/ { next }
		$1 in best && $2 + 0 < best[$1] + 0 {
			print "had " best[$1] ": " $0; bad = 1 }
		$2 + 0 >= best[$1] + 0 { best[$1] = $2 }
		END { for (s in best) print s, best[s] >file; exit bad }' \
		file="$T/next" "$T/best" "$T/metrics" || return
	mv "$T/next" "$T/best"
}

# value NAME SERVICE [LABEL]
value()
{
	scrape
	grep "^preforkd_$1{service=\"$2\"[^}]*${3:-}" "$T/metrics" |
		cut -d ' ' -f 2
}

value_is()
{
	equals "$4" "$(value "$1" "$2" "$3")"
}

lint_clean()
{
	scrape
	promtool check metrics <"$T/metrics" >"$T/lint" 2>&1 &&
		equals "" "$(cat "$T/lint")"
}

talk()
{
	"$CLIENT" echo -c -n 3 -b 100 -t 30 127.0.0.1 $ECHO >/dev/null &&
		"$CLIENT" daytime -n 3 -t 30 127.0.0.1 $DAYTIME >/dev/null
}

talked()
{
	value_is endings_total echo 'ending="peer-closed"' "$1"
}

# Of all sockets that there ever were, as the kernel has counted them.
overflows_are_listen_drops()
{
	scrape
	equals "$(nstat -asz TcpExtListenDrops |
		awk '$1 == "TcpExtListenDrops" { print $2 }')" \
		"$(awk '/^preforkd_overflows_total/ { n += $2 } END { print n }' \
		"$T/metrics")"
}

# That many of daytime more than there were are turned away.
overflow()
{
	had=$(value overflows_total daytime)
	overflow_unseen
	[ "$(value overflows_total daytime)" -gt "$had" ]
}

overflow_unseen()
{
	stopped=$(pgrep -f -P "$DAEMON" 'worker daytime')
	# shellcheck disable=SC2086
	kill -STOP $stopped
	"$CLIENT" connect -n 40 -t 0.3 127.0.0.1 $DAYTIME >/dev/null
	# shellcheck disable=SC2086
	kill -CONT $stopped
}

A=$(conf_with_control "backlog 4" "max-workers 16" "idle-timeout 60s")
# The same without daytime.
B=$(printf '%s\n' "$A" | sed '/^service daytime/,/^}/d')
start "$A"
t "promtool has nothing to say" lint_clean
t "at first: connections" value_is connections_total echo '' 0
t "talk" talk
t "... is counted" until_true talked 3
t "overflows" overflow
t "promtool has nothing to say" lint_clean
t "a first look at the counters" keeps_its_counters
t "... most of which count" at_most "$(grep -vc ' 0$' "$T/best")" 8

# Workers, idle and with a connection.
late_client -b 100000000
until_true is_stuck
# shellcheck disable=SC2046
kill -KILL $(workers)
t "workers are killed" until_true value_is endings_total echo 'ending="failed"' 1
read_now
wait $BACKGROUND
BACKGROUND=
t "... counters stay" keeps_its_counters
until_true has_workers 8
t "talk" talk
t "... goes on from there" until_true talked 6
t "... and so do all" keeps_its_counters

reload "$A"
t "a reload" last_outcome reloaded
t "... counters stay" keeps_its_counters
t "talk" talk
t "... goes on from there" until_true talked 9

start_time=$(grep ^preforkd_start_time_seconds "$T/metrics")
upgrade
t "an upgrade" last_outcome reloaded
t "... counters stay" keeps_its_counters
t "... and the time of the start" equals "$start_time" \
	"$(grep ^preforkd_start_time_seconds "$T/metrics")"
t "talk" talk
t "... goes on from there" until_true talked 12
t "overflows as well" overflow
t "... and all counters" keeps_its_counters

# A listener that is removed and comes back has a new socket, and its counters.
served=$(value connections_total daytime)
overflows=$(value overflows_total daytime)
reload "$B"
t "a listener is removed" until_true value_is connections_total daytime '' ''
t "... counters of the other one stay" keeps_its_counters
reload "$A"
t "... it comes back, with its connections" value_is connections_total daytime '' \
	"$served"
t "... and overflows" value_is overflows_total daytime '' "$overflows"
t "... counters stay" keeps_its_counters
t "overflows of the new socket come on top" overflow
t "talk" talk
t "... counters stay" keeps_its_counters
overflow_unseen
reload "$B"
until_true value_is connections_total daytime '' ''
upgrade
t "removed, and the master upgraded" last_outcome reloaded
reload "$A"
t "... it comes back all the same" keeps_its_counters
t "... with its connections" at_most \
	"$(value connections_total daytime)" $((served + 3))
t "... and with overflows that nobody had seen" overflows_are_listen_drops

# It comes back while a client of before is still there.
late_client -b 100000000
until_true is_stuck
for service in echo; do
	C=$(printf '%s\n' "$A" | sed "/^service $service/,/^}/d")
	reload "$C"
	t "removed with a client" value_is listener_state $service \
		'state="removed"' 1
	t "... counters stay" keeps_its_counters
	reload "$A"
	t "back, and the client is still there" equals 2 \
		"$("$PREFORKCTL" -s "$T/control" status | grep -c ^echo)"
	t "... one series for both, and counters stay" keeps_its_counters
	t "... which serves" value_is listener_state $service \
		'state="serving"' 1
	t "... promtool has nothing to say" lint_clean
	t "talk" talk
	t "... counters stay" keeps_its_counters
done
read_now
wait $BACKGROUND
BACKGROUND=
one_is_left()
{
	equals 1 "$("$PREFORKCTL" -s "$T/control" status | grep -c ^echo)"
}
t "the old one is gone" until_true one_is_left
t "... its counters stay" keeps_its_counters
t "a scrape is no look: what has overflowed is new to who asks" \
	overflow
# shellcheck disable=SC2016
t "... and says what to raise" sh -c '"$1" -s "$2" status |
	grep "^daytime.* backlog "' sh "$PREFORKCTL" "$T/control"
stop
t "exit status 0" equals 0 $STATUS
finish
