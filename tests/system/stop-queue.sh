#!/bin/sh
# Stopping with clients in the accept queue: they are served, nobody else is
# let in.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

CONF="pid-file none
log-connections yes
service echo {
listen 127.0.0.1:$ECHO
start-workers 1
}"

start "$CONF"
late_client -n 6 -b 3000
until_true grep -q ready "$T/client.out"
t "one is served, five wait in the queue" \
	until_true field_is echo queue 5/4096
kill -TERM "$DAEMON"
until_true logged 'notice: stopping'
read_now
t "all of them get every byte, and FIN" client_ends \
	"fin=6 rst=0 timeout=0 mismatch=0 complete=6 bytes=18000"
wait "$DAEMON"
t "exit status 0" equals 0 $?
DAEMON=
t "all are logged as stopped, with their bytes" \
	equals 6 "$(log_lines 'ending=stopped in=3000 out=3000 ')"

start "$CONF"
late_client -b 100000000
until_true is_stuck
kill -TERM "$DAEMON"
until_true logged 'notice: stopping'
t "while it stops, the queue admits one, and no more" \
	equals connected=1 "$("$CLIENT" connect -n 5 -t 0.5 127.0.0.1 $ECHO)"
stop
read_now
wait $BACKGROUND
BACKGROUND=
finish
