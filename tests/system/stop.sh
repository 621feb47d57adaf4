#!/bin/sh
# Stopping: everybody sees FIN, nothing that was received is lost, and no
# signal is slept over.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

MANY="start-workers 120
max-workers 120"

# A client that is connected and has sent something when this returns.
client()
{
	"$CLIENT" echo "$@" -t 30 127.0.0.1 $ECHO >"$T/client.out" &
	BACKGROUND=$!
	until_true grep -q ready "$T/client.out"
}

start "$(conf "$MANY")"
late_client -n 100 -b 30000
until_true grep -q ready "$T/client.out"
until_true field_is echo busy 100
kill -TERM "$DAEMON"
until_true logged 'notice: stopping'
read_now
t "100 clients that had sent 30,000 bytes get each of them, and FIN" \
	client_ends "fin=100 rst=0 timeout=0 mismatch=0 complete=100 bytes=3000000"
wait "$DAEMON"
t "exit status 0" equals 0 $?
DAEMON=
t "all are logged as stopped" equals 100 "$(log_lines 'ending=stopped ')"

start "$(conf "$MANY")"
client -n 100 -k 5000
until_true field_is echo busy 100
stop
t "100 clients in the middle of a stream: exit status 0" equals 0 $STATUS
wait $BACKGROUND
BACKGROUND=
t "... each sees FIN" grep -q '^fin=100 rst=0 timeout=0 mismatch=0 ' \
	"$T/client.out"
t "... long before stop-timeout" at_most 5000 $MS
t "... and all are logged as stopped" \
	equals 100 "$(log_lines 'ending=stopped ')"

# 100 clients that just sit there.
start "$(conf "$MANY")"
client -n 100 -b 1
until_true field_is echo busy 100
stop
t "100 silent clients: exit status 0" equals 0 $STATUS
t "... within a second" at_most 1000 $MS
t "... each sees FIN" \
	client_ends "fin=100 rst=0 timeout=0 mismatch=0 complete=100 bytes=100"

# A client that keeps its end open, and was waited for before the stop already.
start "stop-timeout 6s
$(conf "linger-timeout 1m")"
"$CLIENT" play -t 60 127.0.0.1 $DAYTIME connect end wait=60000 >"$T/played" &
BACKGROUND=$!
until_true logged ' end fin ' "$T/played"
stop
t "a client that does not answer our FIN: half of stop-timeout" \
	at_most 5500 $MS
t "... not less" at_most "$MS" 2900
t "... then lingered, and its worker is not killed" \
	logged 'service=daytime .*ending=lingered '
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null
BACKGROUND=

# A client that never reads, and has sent more than all buffers take.
hog()
{
	late_client -b 100000000
	until_true is_stuck
}

start "stop-timeout 500ms
$(conf)"
hog
stop
t "a client that never reads is cut off after stop-timeout" \
	at_most 5000 $MS
t "... not before" at_most "$MS" 500
t "... exit status 0" equals 0 $STATUS
t "... its connection is logged as failed" logged 'ending=failed'
t "... and the kill is logged" logged 'warning: stop-timeout of 500 ms is over'
read_now
wait $BACKGROUND
BACKGROUND=

start "$(conf)"
hog
kill -TERM "$DAEMON"
kill -TERM "$DAEMON"
until_true logged 'notice: stopping'
sleep 0.2
t "two TERM within a moment count as one" not logged 'at once'
stop
t "a second TERM stops at once" at_most 2000 $MS
t "... exit status 0" equals 0 $STATUS
t "... and says so" logged 'notice: stopping at once'
read_now
wait $BACKGROUND
BACKGROUND=

for signal in INT QUIT; do
	start "$(conf)"
	stop $signal
	t "$signal stops as well: exit status 0" equals 0 $STATUS
done
finish
