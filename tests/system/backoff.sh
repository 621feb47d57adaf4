#!/bin/sh
# Workers that crash as they start: few forks, an open listener, and recovery.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need strace

CONF="pid-file none
control none
log-level debug
service echo {
listen 127.0.0.1:$ECHO
max-workers 4
}"

forks()
{
	log_lines 'debug: worker .* was started'
}

# Every close_range of the master's children fails from now on, and with it their
# start: that is where a worker sheds what it inherited.
break_workers()
{
	trace "$DAEMON" -f -e trace=close_range -e inject=close_range:error=EPERM
}

start "$CONF"
break_workers
# shellcheck disable=SC2046
kill -KILL $(workers)
t "the pool is called degraded" until_true logged \
	'warning: echo 127.0.0.1:17007: degraded: [0-3] of [1-4] workers; the next start in 100 ms'
# From the first failure on: workers that had lived for a second before they
# were killed are replaced at once, the others are not.
before=$(forks)
began=$(now_ms)
t "the dying worker says what failed" until_true logged \
	'error: close_range [0-9]* to [0-9]*: Operation not permitted'
t "USR1 says so too" field_is echo state degraded
t "the listener is still open" \
	equals connected=3 "$("$CLIENT" connect -n 3 -t 5 127.0.0.1 $ECHO)"

# A client that waits in the queue meanwhile, and is served in the end.
"$CLIENT" echo -c -b 100 -t 120 127.0.0.1 $ECHO >"$T/client.out" &
waiting=$!

while [ $(($(now_ms) - began)) -lt 60000 ] &&
    [ $(($(forks) - before)) -le 10 ]; do
	sleep 0.5
done
t "at most 10 forks in a minute" at_most 10 $(($(forks) - before))
t "... and that minute has passed" at_most $(($(now_ms) - began)) 60000
t "the delays were doubled" logged 'the next start in 12800 ms'
untrace
PATIENCE=40
t "once it is mended, workers start again" until_true logged \
	'notice: echo 127.0.0.1:17007: workers start again'
t "... and the whole pool at once" until_true field_is echo idle 4
wait $waiting
t "the client that had waited is served" equals 0 $?
stop
t "exit status 0" equals 0 $STATUS

# A worker that dies before the first start is complete.
printf '%s\n' "$CONF" >"$T/preforkd.conf"
run strace -f -q -o "$T/strace" -e trace=close_range -e inject=close_range:error=EPERM \
	"$PREFORKD" -F -f "$T/preforkd.conf"
t "workers that cannot start at all: exit status 1" equals 1 $STATUS
t "... and why" grep -q 'not started: a worker could not be started' \
	"$T/run.err"
run strace -f -q -o "$T/strace" -e trace=close_range -e inject=close_range:error=EPERM \
	"$PREFORKD" -f "$T/preforkd.conf"
t "... also into the background" equals 1 $STATUS
t "... where stderr says why as well" \
	grep -q 'close_range [0-9]* to [0-9]*: Operation not permitted' "$T/run.err"
finish
