#!/bin/sh
# Stopping with clients in the accept queue: they are served, nobody else is
# let in.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

CONF="pid-file none
control none
log-connections yes
service echo {
listen 127.0.0.1:$ECHO
max-workers 1
evict no
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

# Peers that never answer our FIN: one deadline for all of them.
start "pid-file none
control none
log-connections yes
stop-timeout 4s
service echo {
listen 127.0.0.1:$ECHO
max-workers 1
evict no
linger-timeout 60s
}"
late_client -n 6 -b 3000
until_true field_is echo queue 5/4096
stop
t "six peers that do not answer our FIN: exit status 0" equals 0 $STATUS
t "... before stop-timeout, as nobody is killed" not logged 'stop-timeout'
t "... all were served" \
	equals 6 "$(log_lines 'ending=lingered in=3000 out=3000 ')"
read_now
t "... none is reset" client_ends \
	"fin=6 rst=0 timeout=0 mismatch=0 complete=6 bytes=18000"

# Their number makes no difference.
start "stop-timeout 4s
$(conf "max-workers 4" "evict no")"
late_client -n 1000 -b 10
until_true field_is echo queue 996/4096
stop
t "a thousand silent clients: exit status 0" equals 0 $STATUS
t "... within stop-timeout, and a little for a slow machine" at_most 6000 $MS
t "... as nobody is killed" not logged 'stop-timeout'
t "... all were served" \
	equals 1000 "$(log_lines 'ending=[a-z]* in=10 out=10 ')"
read_now
t "... none is reset" client_ends \
	"fin=1000 rst=0 timeout=0 mismatch=0 complete=1000 bytes=10000"

# QUIT retires a worker; to the whole group, as ^\\ does, it means a stop.
printf '%s\n' "$CONF" >"$T/preforkd.conf"
: >"$T/log"
setsid "$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/log" &
DAEMON=$!
until_true logged 'notice: serving'
late_client -n 6 -b 3000
until_true field_is echo queue 5/4096
kill -s QUIT -- "-$DAEMON"
until_true logged 'notice: stopping'
read_now
t "QUIT to the whole group: those in the queue are served as well" \
	client_ends "fin=6 rst=0 timeout=0 mismatch=0 complete=6 bytes=18000"
wait "$DAEMON"
t "... exit status 0" equals 0 $?
DAEMON=

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
