#!/bin/sh
# ENDINGS of preforkd(8): each word, from a client that behaves so.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

ended()
{
	until_true logged "service=$1 .*ending=$2 "
}

start "$(conf "max-workers 2" "idle-timeout 300ms" "linger-timeout 400ms" \
	"send-timeout 500ms")"

"$CLIENT" echo -c -b 10 127.0.0.1 $ECHO >/dev/null
t "the peer closes: peer-closed" ended echo peer-closed
"$CLIENT" daytime 127.0.0.1 $DAYTIME >/dev/null
t "the reply is complete: served" ended daytime served
"$CLIENT" echo -r -b 10 127.0.0.1 $ECHO >/dev/null
t "the peer aborts: reset" ended echo reset
"$CLIENT" echo -b 10 -t 10 127.0.0.1 $ECHO >"$T/client.out"
t "the peer is silent: idle" ended echo idle
t "... it has seen FIN" grep -q '^fin=1 ' "$T/client.out"
mkfifo "$T/never"
exec 8<>"$T/never"
"$CLIENT" echo -l -t 20 127.0.0.1 $ECHO <"$T/never" >/dev/null &
BACKGROUND=$!
t "the peer does not read: stalled" ended echo stalled
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null

# A peer that is silent and does not answer our FIN either.
"$CLIENT" echo -l -b 10 -t 20 127.0.0.1 $ECHO <"$T/never" >/dev/null &
BACKGROUND=$!
t "the peer does not answer our FIN: lingered" ended echo lingered
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null

# It goes on and on, so that it does not end as idle before that.
"$CLIENT" echo -k 10 -t 20 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true field_is echo busy 1
for pid in $(pgrep -f -P "$DAEMON" 'worker echo'); do
	kill -KILL "$pid"
	until_true gone "$pid"
done
t "the worker is killed: failed" ended echo failed
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null
BACKGROUND=
until_true field_is echo idle 2

for word in peer-closed reset idle stalled lingered failed; do
	t "the status has counted $word" has_ended echo $word 1
done
t "the status has counted served" has_ended daytime served 1
t "six connections, six endings" field_is echo connections 6
stop
t "exit status 0" equals 0 $STATUS
finish
