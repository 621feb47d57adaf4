#!/bin/sh
# SIGNALS of preforkd(8): the master's, and what workers make of each.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

start "$(conf "max-workers 4")"
kill -HUP "$DAEMON"
t "HUP reads the configuration again" until_true logged 'notice: reloaded'
until_true has_workers 8
old=$(workers)
kill -USR2 "$DAEMON"
t "USR2 has the binary take over from itself" until_true \
	logged 'notice: upgraded: preforkd [0-9.]* goes on as pid'
until_true sh -c "[ \$(grep -c 'notice: reloaded' '$T/log') = 2 ]"
until_true has_workers 8
old=$(workers)
t "USR1 writes the status" field_is echo state serving
for signal in INT HUP USR1 USR2 PIPE; do
	# shellcheck disable=SC2086
	kill -$signal $old
done
t "clients are served after that" "$CLIENT" echo -c -n 8 -b 100 127.0.0.1 $ECHO
t "workers ignore INT, HUP, USR1, USR2 and PIPE" equals "$old" "$(workers)"
stop

start "pid-file none
control none
log-connections yes
service echo {
listen 127.0.0.1:$ECHO
max-workers 1
}"

# QUIT to an idle worker, at every moment of its way into accept.
slept=0
i=0
while [ $i -lt 200 ]; do
	i=$((i + 1))
	worker=$(workers)
	kill -QUIT $worker
	until gone $worker; do
		slept=$((slept + 1))
		sleep 0.01
		[ $((slept)) -lt 1000 ] || break 2
	done
	until [ -n "$(workers)" ]; do
		kill -0 "$DAEMON" || break 2
	done
done
t "QUIT to an idle worker is never slept over (200 times)" equals 200 $i
t "... and each is replaced" until_true field_is echo idle 1
t "... without a warning" not logged 'warning: .*(killed|exited|degraded)'

"$CLIENT" echo -b 5 -t 20 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true field_is echo in 5
worker=$(workers)
kill -QUIT $worker
t "QUIT to a busy worker lets its connection go on" not sh -c \
	"for i in 1 2 3 4 5; do kill -0 $worker || exit 0; sleep 0.05; done; exit 1"
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null
BACKGROUND=
t "... and the worker leaves after it" until_true gone $worker
t "... which ended by the peer" until_true logged "ending=peer-closed .*pid=$worker"
t "... and is replaced" until_true field_is echo idle 1

"$CLIENT" echo -b 5 -t 20 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true field_is echo in 10
worker=$(workers)
kill -TERM $worker
t "TERM to a busy worker ends its connection with FIN" wait $BACKGROUND
BACKGROUND=
t "... the worker leaves" until_true gone $worker
t "... logged as stopped" until_true logged "ending=stopped .*pid=$worker"
t "... and the worker is replaced" until_true field_is echo idle 1
t "... and serves" "$CLIENT" echo -c -b 100 127.0.0.1 $ECHO
worker=$(workers)
kill -TERM $worker
t "TERM to an idle worker: it leaves" until_true gone $worker
t "... and is replaced" until_true field_is echo idle 1
t "... without a warning" not logged 'warning: .*(killed|exited|degraded)'
stop
t "exit status 0" equals 0 $STATUS
finish
