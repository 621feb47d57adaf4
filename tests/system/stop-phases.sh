#!/bin/sh
# TERM in each phase of a reload and of an upgrade: it is obeyed at once, all
# who wait for an outcome hear of it, and no client is reset.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

need strace
need_plain # strace at the end of a process
need_namespace

TRIED=$PREFORKD
mkdir "$T/bin"
PREFORKD=$T/bin/preforkd
cp "$TRIED" "$PREFORKD"

# stop_now: of a daemon whose new workers are held.
stop_now()
{
	ask last stop
	until_true logged 'reload refused: the daemon stops'
	let_go
}

# something_at PORT [STATE]: a listener, or a connection.
something_at()
{
	ss -Htn state "${2:-listening}" "sport = :$1" | grep -q .
}

stopped_well()
{
	t "... the stop is done" answer last 0 '^stopped$'
	wait "$DAEMON"
	t "... exit status 0" equals 0 $?
	DAEMON=
}

A=$(conf_with_control "max-workers 1" "start-workers 1" "min-spare-workers 1" \
	"idle-timeout 60s" "evict no")
MORE=$(echo "$A" | sed "s/^listen 127.0.0.1:$ECHO/&\nlisten 127.0.0.1:$OTHER/")
AWAY=$(echo "$A" | sed "s/127.0.0.1:$ECHO/127.0.0.1:$OTHER/")

# A reload that waits for who is in the queue of a listener that goes.
start "$A"
late_client -b 1000 -n 3
until_true field_is echo queue 2/4096
reload "$AWAY"
until_true pgrep -f -P "$DAEMON" "worker echo 127.0.0.1:$OTHER"
ask first reload
t "a reload waits" equals 1 "$(log_lines 'notice: reloading')"
ask last stop
read_now
t "... and is told of the stop" answer first 1 'stopped before that was done'
stopped_well
wait $BACKGROUND
BACKGROUND=
t "... and each client sees FIN" grep -q '^fin=3 rst=0 timeout=0' "$T/client.out"

# One whose new workers start, with a client of a listener that is new, and an
# upgrade that waits for it.
start "$A"
hold_workers
write_file "$MORE"
ask first reload
until_true have_stopped 3
ask second upgrade
"$CLIENT" echo -n 1 -b 1000 -t 20 127.0.0.1 $OTHER >"$T/new" &
NEW=$!
until_true something_at $OTHER established
stop_now
t "a reload that starts workers is given up" answer first 1 \
	'reload refused: the daemon stops'
t "... an upgrade that waits for it is told of the stop" answer second 1 \
	'stopped before that was done'
stopped_well
wait $NEW
t "... and the client of the new listener is served" grep -q \
	'^fin=1 rst=0 timeout=0 mismatch=0 complete=1' "$T/new"

# A trial, and a reload that waits for it.
start "$A"
put_script "$SLEEPER"
ask first upgrade
until_true logged 'upgrade: trying'
ask second reload
ask last stop
t "a trial is given up" answer first 1 'upgrade refused: the daemon stops'
t "... a reload that waits for it is told of the stop" answer second 1 \
	'stopped before that was done'
stopped_well
t "... and nobody of it is left" no_sleeper
cp "$TRIED" "$T/bin/new"
mv "$T/bin/new" "$PREFORKD"

# The exec itself: a stop that comes meanwhile is for the new binary, which
# stands still before it has done anything.
stop_at_exec()
{
	start "$A"
	put_script "exec '$TRIED' \"\$@\""
	trace "$DAEMON" -e trace=execve -e inject=execve:signal=STOP:when=1
	ask first upgrade
	until_true have_stopped 1
	untrace
	kill -TERM "$DAEMON"
}

stopped_by_new_binary()
{
	t "... by the new binary" logged 'notice: upgraded: '
	wait "$DAEMON"
	t "... exit status 0" equals 0 $?
	DAEMON=
	cp "$TRIED" "$T/bin/new"
	mv "$T/bin/new" "$PREFORKD"
}

# It looks for signals before its workers are there.
stop_at_exec
hold_workers
kill -CONT "$DAEMON"
until_true have_stopped 3 # itself, and one of each service
until_true logged 'reload refused: the daemon stops'
let_go
t "a stop while the binary takes over: the upgrade is given up" \
	answer first 1 'first reload was refused'
stopped_by_new_binary

# They are there before it does: no ppoll of its own lets a signal in.
stop_at_exec
trace "$DAEMON" -e trace=ppoll -e inject=ppoll:error=EINTR:delay_enter=10000
kill -CONT "$DAEMON"
until_true logged 'notice: reloaded'
t "... or done, where its workers come before the signal" \
	not logged 'notice: stopping'
# What is traced no more in the middle of a ppoll would have no ppoll at all.
kill -STOP "$DAEMON"
until_true have_stopped 2
untrace
kill -CONT "$DAEMON"
t "... and whoever asked hears so" answer first 0 '^upgraded to '
stopped_by_new_binary

# The reload that follows it.
start "$A"
hold_workers
ask first upgrade
until_true logged 'notice: upgraded: '
until_true have_stopped 2
stop_now
t "the reload after an upgrade is given up, and with it the upgrade" \
	answer first 1 'first reload was refused'
stopped_well
finish
