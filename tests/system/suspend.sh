#!/bin/sh
# Master and workers are stopped (SIGSTOP) for longer than their times, and go on:
# what came meanwhile is served, and what was due is done at once. The times go on
# meanwhile: who has said nothing is idle.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need socat
PATIENT=17009
GO=$T/go
export GO
TIMES=4s # idle-timeout and so on; half of it where a peer may be gone
LONGER=4.5

# play NAME PORT STEP ...: a client in the background.
play()
{
	play_name=$1
	play_port=$2
	shift 2
	"$CLIENT" play -t 60 127.0.0.1 "$play_port" "$@" >"$T/play.$play_name" &
	BACKGROUND="$BACKGROUND $!"
}

# did NAME STEP [RESULT]
did()
{
	logged "^[0-9]+ $2 ${3:-done} " "$T/play.$1"
}

go()
{
	: >"$GO.$1"
}

# ends NAME WORD: its connection has, by the log.
ends()
{
	until_true logged "peer=127.0.0.1:$1 .*ending=" &&
		logged "peer=127.0.0.1:$1 .*ending=$2 "
}

all_halted()
{
	for pid in $DAEMON $(workers); do
		grep -q '^State:[[:space:]]*T' "/proc/$pid/status" || return 1
	done
}

suspend()
{
	# shellcheck disable=SC2046
	kill -STOP "$DAEMON" $(workers)
	until_true all_halted
}

resume()
{
	# shellcheck disable=SC2046
	kill -CONT $(workers) "$DAEMON"
}

configuration()
{
	conf_with_control "idle-timeout $TIMES" "linger-timeout $TIMES" \
		"send-timeout $TIMES" "start-workers 8"
	printf 'service discard {\nlisten 127.0.0.1:%s\n%s\n}\n' $PATIENT \
		"peer-timeout 2s"
}

# All at once, so that their times begin together: they wait for go 0.
start "$(configuration)"
here=$(workers)
play 5400 $ECHO from=5400 go=0 connect send=5 get=5 go=1 send=5 get=5 fin end
play 5401 $ECHO from=5401 go=0 connect send=5 get=5 go=1 fin end
play 5402 $ECHO from=5402 go=0 connect send=5 get=5 go=1 rst
play 5403 $ECHO from=5403 go=0 connect send=5 get=5 end fin end
play 5404 $DAYTIME from=5404 go=0 connect end go=1 fin
play 5405 $PATIENT from=5405 go=0 connect send=5 go=2 send=5 fin end
PLAYERS=$BACKGROUND
late_client -c -b 30000000
LATE=$BACKGROUND
mkfifo "$T/asks"
socat -t 30 - "UNIX-CONNECT:$T/control" <"$T/asks" >"$T/answer" 8>&- &
ASKING=$!
BACKGROUND="$PLAYERS $LATE $ASKING"
exec 7>"$T/asks"
until_true is_stuck
go 0
printf 'sta' >&7
for name in 5400 5401 5402 5403; do
	until_true did $name get=5
done
until_true did 5405 send=5
until_true did 5404 end fin
suspend
go 1
printf 'tus\n' >&7
exec 7>&-
read_now
"$CLIENT" echo -c -n 20 -b 1000 -t 60 127.0.0.1 $ECHO >"$T/newcomers" &
NEWCOMERS=$!
BACKGROUND="$BACKGROUND $NEWCOMERS"
sleep $LONGER
t "what has happened meanwhile has" did 5400 send=5
resume
go 2
t "bytes that came meanwhile are echoed: it was not idle" until_true \
	did 5400 end fin
t "... peer-closed" ends 5400 peer-closed
t "a FIN that came meanwhile: peer-closed" ends 5401 peer-closed
t "a RST that came meanwhile: reset" ends 5402 reset
t "who said nothing: idle" ends 5403 idle
t "a FIN that came while we lingered: served" ends 5404 served
t "a peer that lives is not dead" ends 5405 peer-closed
wait $LATE
t "who has read meanwhile gets all the rest" equals 0 $?
t "... it was not stalled" not logged 'ending=stalled'
wait $NEWCOMERS
t "who came meanwhile is served" equals 0 $?
wait $ASKING
t "a command that was completed meanwhile is answered" logged '^echo ' "$T/answer"
t "workers of before are there" not none_of $here
t "... and nobody was warned" equals 0 "$(warnings)"
BACKGROUND=

# A stop that was asked for meanwhile.
play 5410 $ECHO from=5410 connect send=5 get=5 go=3 send=5 end fin
until_true did 5410 get=5
suspend
go 3
until_true did 5410 send=5
kill -TERM "$DAEMON"
sleep $LONGER
resume
wait "$DAEMON"
t "TERM came meanwhile: exit status 0" equals 0 $?
DAEMON=
t "... what had come is echoed, then FIN" logged \
	'peer=127.0.0.1:5410 .*ending=stopped in=10 out=10 '
wait $BACKGROUND
BACKGROUND=

# A service manager is waiting for a sign of life: it is the first thing to do.
"$CLIENT" syslog "$T/manager" >"$T/told" &
BACKGROUND=$!
until_true test -S "$T/manager"

pings()
{
	grep -c '^WATCHDOG=1$' "$T/told"
}

has_pings()
{
	[ "$(pings)" -ge "$1" ]
}

NOTIFY_SOCKET=$T/manager
WATCHDOG_USEC=12000000
export NOTIFY_SOCKET WATCHDOG_USEC
start "$(conf "start-workers 100" "max-spare-workers 200")"
until_true has_pings 1
before=$(pings)
# The master alone: no signal of its workers wakes it.
kill -STOP "$DAEMON"
sleep 6.5
t "none while it is stopped" equals "$before" "$(pings)"
PATIENCE=3
kill -CONT "$DAEMON"
t "the watchdog is told at once" until_true has_pings $((before + 1))
PATIENCE=20

# Its new workers are ready long before it can see it.
old=$(worker_count)
has_more_workers()
{
	[ "$(worker_count)" -gt "$old" ]
}
kill -HUP "$DAEMON"
until_true has_more_workers
kill -STOP "$DAEMON"
sleep 10.5
kill -CONT "$DAEMON"
t "a reload that was ready meanwhile is one" until_true logged 'notice: reloaded'
t "... and was not late" not logged 'not ready in time'
stop
t "exit status 0" equals 0 $STATUS
finish
