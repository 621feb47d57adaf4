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

# slow_workers: those that start from now on take three seconds for it.
slow_workers()
{
	trace "$DAEMON" -f -e trace=close_range \
		-e inject=close_range:delay_enter=3000000:when=1
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
	[ -z "$TRACER" ] || untrace
}

A=$(conf_with_control "max-workers 1" "start-workers 1" "min-spare-workers 1" \
	"idle-timeout 60s")
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
slow_workers
write_file "$MORE"
ask first reload
until_true something_at $OTHER
ask second upgrade
"$CLIENT" echo -n 1 -b 1000 -t 20 127.0.0.1 $OTHER >"$T/new" &
NEW=$!
until_true something_at $OTHER established
ask last stop
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

# The exec itself: what comes meanwhile is for the new binary.
start "$A"
put_script "[ -z \"\$PREFORKD_TRIAL\" ] || touch '$T/tried'" \
	"exec '$TRIED' \"\$@\""
trace "$DAEMON" -e trace=execve -e inject=execve:delay_enter=3000000:when=1
ask first upgrade
until_true test -e "$T/tried"
until_true has_workers 2 # the trial has been reaped
kill -TERM "$DAEMON"
# Its workers may be there before it has looked for signals.
given_up_or_done()
{
	wait "$first"
	grep -Eq 'first reload was refused|^upgraded to ' "$T/first"
}
t "a stop while the binary takes over: the upgrade is given up, or done" \
	given_up_or_done
t "... by the new binary" logged 'notice: upgraded: '
wait "$DAEMON"
t "... exit status 0" equals 0 $?
DAEMON=
untrace
cp "$TRIED" "$T/bin/new"
mv "$T/bin/new" "$PREFORKD"

# The reload that follows it.
start "$A"
slow_workers
ask first upgrade
until_true logged 'notice: upgraded: '
until_true has_workers 4
ask last stop
t "the reload after an upgrade is given up, and with it the upgrade" \
	answer first 1 'first reload was refused'
stopped_well
finish
