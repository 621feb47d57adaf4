#!/bin/sh
# No worker outlives its master, and none keeps the port.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

all_gone()
{
	for pid in $1; do
		# A zombie that nobody has reaped yet runs no more.
		[ ! -e "/proc/$pid/stat" ] ||
			[ "$(cut -d ' ' -f 3 "/proc/$pid/stat")" = Z ] || return 1
	done
}

start "$(conf "start-workers 20" "max-spare-workers 20" "max-workers 20")"
"$CLIENT" echo -n 3 -t 20 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true grep -q ready "$T/client.out"
old=$(workers)
t "40 workers run" equals 40 "$(echo "$old" | wc -w)"
before=$(now_ms)
stop KILL
until_true all_gone "$old"
t "no worker is left 1 s after the master was killed" \
	at_most 1000 $(($(now_ms) - before))
t "... idle or busy" all_gone "$old"
wait $BACKGROUND
BACKGROUND=

start "$(conf)"
t "the ports are free at once" logged 'serving echo on'
t "and served" "$CLIENT" echo -c -b 1000 127.0.0.1 $ECHO
stop
t "exit status 0" equals 0 $STATUS

# The master dies after the fork, before the worker has asked to die with it.
if [ -n "${TEST_NAMESPACE-}" ]; then
	start "pid-file none
control none
service echo {
listen 127.0.0.1:$ECHO
max-workers 1
}"
	old=$(workers)
	trace "$DAEMON" -f -e trace=prctl \
		-e inject=prctl:delay_enter=1000000
	is_replaced()
	{
		new=$(workers)
		[ -n "$new" ] && [ "$new" != "$old" ]
	}
	kill -KILL $old
	until_true is_replaced
	stop KILL
	t "a worker that finds its master dead leaves" until_true gone "$new"
	untrace
fi
finish
