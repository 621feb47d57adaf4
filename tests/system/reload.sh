#!/bin/sh
# HUP: from one configuration to the next, or not at all.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

. "${TOP_SRCDIR:-.}/tests/outcome.sh"

# refused TEXT PATTERN: the reload is, for that reason, and all stays.
refused()
{
	before=$(workers)
	descriptors=$(ls "/proc/$DAEMON/fd")
	reload "$1" && tail -n 8 "$T/log" | grep -Eq -- "$2" &&
		tail -n 2 "$T/log" | grep -q 'reload refused' &&
		until_true same_workers "$before" &&
		equals "$descriptors" "$(ls "/proc/$DAEMON/fd")"
}

A=$(conf "max-workers 4")
start "$A"
until_true has_workers 8
old=$(lives $(workers))
reload "$A"
t "all workers are new ones" until_true all_gone $old
t "... as many as before" until_true has_workers 8
t "... and serve" echoes

# What is wrong in any way leaves everything as it was.
t "a file with an error is refused, with its line" \
	refused "$(conf "max-workers 4" "max-wokers 4")" \
	"preforkd.conf:[0-9]*: .*max-wokers"
t "a file that was cut off, and names no service any more, is refused" \
	refused "" 'names no service'
t "a port that is taken is refused" \
	refused "$(conf "listen 127.0.0.1:$ECHO")" "127.0.0.1:$ECHO"
"$PREFORKD" -F discard@127.0.0.1:$OTHER 2>"$T/other" &
BACKGROUND=$!
until_true logged 'notice: serving' "$T/other"
t "... by another process too" refused "$(with_other)" 'already in use'
kill $BACKGROUND
wait $BACKGROUND
BACKGROUND=
mv "$T/preforkd.conf" "$T/away"
outcomes=$(log_lines "$RELOAD_ENDS")
kill -HUP "$DAEMON"
t "a file that is not there is refused" \
	until_true more_lines "$RELOAD_ENDS" "$outcomes"
t "... and workers serve on" echoes
if [ "$(id -u)" = 0 ] && [ "${TEST_NAMESPACE-}" = root ]; then
	t "a user who is not there is refused" \
		refused "user nobody-of-that-name
$A" 'no such user'
fi
t "more workers than there is room for are refused" \
	refused "$(conf "max-workers 65535")" "room for"

# What stays keeps its socket; what is new of it is in force.
inode=$(ss -Hltne "sport = :$ECHO" | grep -o 'ino:[0-9]*')
reload "$(conf "max-workers 4" "backlog 17" "log-connections no" 2>/dev/null |
	sed '/^log-connections no/d')"
t "a listener that stays is the same socket" equals "$inode" \
	"$(ss -Hltne "sport = :$ECHO" | grep -o 'ino:[0-9]*')"
t "... with its new backlog" field_is echo queue 0/17

# A client that is served, and one that waits in the queue.
reload "$(conf "max-workers 1" "idle-timeout 30s" "evict no")"
until_true has_workers 2
late_client -c -b $MUCH
until_true field_is echo busy 1
until_true is_stuck
worker=$(pgrep -f -P "$DAEMON" 'worker echo')
"$CLIENT" echo -c -b 1000 -t 30 127.0.0.1 $ECHO >"$T/waits" &
WAITS=$!
until_true field_is echo queue 1/4096
reload "$(conf "max-workers 2" "idle-timeout 1s")"
t "one who waits in the queue is served by a new worker" wait $WAITS
t "... while the old one serves on" kill -0 "$worker"
read_now
t "... and its client loses no byte" client_ends \
	'fin=1 rst=0 timeout=0 mismatch=0 complete=1 bytes=20000000'
t "... and then it leaves" until_true gone "$worker"

# Workers that cannot be started.
need_strace=$(command -v strace)
if [ -n "$need_strace" ] && [ -n "${TEST_NAMESPACE-}" ]; then
	trace "$DAEMON" -e trace=clone -e inject=clone:error=EAGAIN:when=2+
	t "a fork that fails is a reload refused" \
		refused "$(with_other "max-workers 2" "idle-timeout 1s")" 'fork'
	untrace
	t "... and what was opened for it is closed again" \
		until_true is_refused $OTHER
	t "... and the rest serves" echoes
fi

# A listen line that comes, and goes while it is used.
reload "$(with_other "max-workers 2" "evict no")"
t "a new listen line is served" echoes $ECHO
late_client -c -n 2 -b $MUCH
until_true field_is echo busy 2
until_true is_stuck
"$CLIENT" echo -c -b 1000 -t 30 127.0.0.1 $ECHO >"$T/waits" &
WAITS=$!
until_true field_is echo queue 1/4096
reload "$(conf "max-workers 2" "evict no" | sed "s/:$ECHO/:$OTHER/")"
t "one who waits for a listener that goes is served" wait $WAITS
t "... then it lets nobody in" until_true is_refused $ECHO
t "... and its workers hold it" sh -c \
	"grep -q 'service=echo listen=127.0.0.1:$ECHO state=removed' '$T/log' ||
		{ kill -USR1 $DAEMON; sleep 0.3; grep -q 'state=removed.*holders=' '$T/log'; }"
t "... the one of the same service on another port serves" echoes $OTHER
read_now
t "... no byte of those it served is lost" client_ends \
	'fin=2 rst=0 timeout=0 mismatch=0 complete=2 bytes=40000000'
listeners_are()
{
	kill -USR1 "$DAEMON"
	sleep 0.1
	tail -n 6 "$T/log" | grep -q "listeners=$1 "
}
t "... and in the end it is gone" until_true listeners_are 2

# The same address, another service; the log; and no service of before.
reload "$(conf "max-workers 2" |
	sed "s/^service echo/service discard/; s/^log-connections yes//")"
t "an address may change its service" until_true sh -c \
	"pgrep -f -P $DAEMON 'worker discard 127.0.0.1:$ECHO'"
old=$(lives $(workers))
printf 'log-level warning\n%s\n' "$(without_daytime "max-workers 2" |
	sed '/^log-connections/d')" >"$T/preforkd.conf"
kill -HUP "$DAEMON"
until_true all_gone $old
t "log-level and log-connections are those of the new file" sh -c \
	"'$CLIENT' echo -c -b 10 127.0.0.1 $ECHO >/dev/null &&
		! tail -n 1 '$T/log' | grep -q ending="
t "a service that is gone is gone" until_true is_refused $DAYTIME
reload "$A"

# Many at once, while clients come and go.
fails=0
for round in 1 2 3 4 5 6 7 8; do
	"$CLIENT" echo -c -n 20 -b 20000 -t 20 127.0.0.1 $ECHO >>"$T/load" ||
		fails=1
	"$CLIENT" daytime -n 10 127.0.0.1 $DAYTIME >>"$T/load" || fails=1
done &
LOAD=$!
for round in 1 2 3 4 5; do
	reload "$A"
	kill -HUP "$DAEMON"
	kill -HUP "$DAEMON"
done
wait $LOAD
t "no client has noticed" sh -c \
	"! grep -Ev 'ready|rst=0 timeout=0 (mismatch=0 complete=20|lines=10)' '$T/load'"
t "... and all of them are there" equals 16 "$(grep -c '^fin=' "$T/load")"

# A stop while a listener that is gone still has a worker.
late_client -c -b $MUCH
until_true field_is echo busy 1
until_true is_stuck
reload "$(conf "max-workers 4" | sed "s/:$ECHO/:$OTHER/")"
until_true is_refused $ECHO
kill -TERM "$DAEMON"
t "a stop does not open what a reload has closed" until_true sh -c \
	"grep -q 'notice: stopping' '$T/log' &&
		! ss -Hltn 'sport = :$ECHO' | grep -q ."
read_now
wait $BACKGROUND
BACKGROUND=
t "... and its client sees FIN" grep -q '^fin=1 rst=0' "$T/client.out"
wait "$DAEMON"
t "exit status 0" equals 0 $?
DAEMON=

# The daemon has gone into the background since, and to another directory.
cd "$T" || exit 99
printf '%s\npid-file %s/pid\n' "$(conf | sed '/^pid-file/d')" "$T" >relative.conf
"$PREFORKD" -f relative.conf 2>/dev/null
DAEMON=$(cat "$T/pid")
old=$(lives $(workers))
kill -HUP "$DAEMON"
t "a file that was named without its directory is found again" \
	until_true all_gone $old
t "... and new workers are there" until_true echoes
kill -TERM "$DAEMON"
until_true gone "$DAEMON"

# The service manager is told.
"$CLIENT" syslog "$T/notify" >"$T/told" &
BACKGROUND=$!
until_true test -S "$T/notify"
NOTIFY_SOCKET=$T/notify
export NOTIFY_SOCKET
start "$A"
unset NOTIFY_SOCKET
reload "$A"
t "RELOADING=1 with its time, and READY=1 when it is done" until_true sh -c \
	"tr '\n' ' ' <'$T/told' |
		grep -Eq 'READY=1.*RELOADING=1 MONOTONIC_USEC=[0-9]+ .*READY=1'"

# Not before that: here the new workers take a second to come into accept.
if [ -n "$need_strace" ] && [ -n "${TEST_NAMESPACE-}" ]; then
	was_told()
	{
		[ "$(grep -c "^$1=1" "$T/told")" -ge "$2" ]
	}
	trace "$DAEMON" -f -e trace=close_range \
		-e inject=close_range:delay_enter=1000000:when=1
	write_file "$A"
	kill -HUP "$DAEMON"
	until_true was_told RELOADING 2
	sleep 0.3
	t "READY=1 is not said while the reload goes on" not was_told READY 3
	t "... which it does" equals 1 "$(log_lines 'notice: reloaded')"
	t "... but after it" until_true was_told READY 3
	untrace
fi
stop
finish
