#!/bin/sh
# USR2 while something else happens: another upgrade, a reload, a stop, clients
# of the control socket.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

TRIED=$PREFORKD
mkdir "$T/bin"
PREFORKD=$T/bin/preforkd

put_daemon()
{
	cp "$TRIED" "$T/bin/new"
	mv "$T/bin/new" "$PREFORKD"
}

# A trial that lasts until there is a file of that name.
WAIT="until [ -e '$T/go' ]; do sleep 0.02; done"

# A wrapper has executed the daemon under its own name: again under ours.
anew()
{
	stop
	put_daemon
	start "$A"
	until_true has_workers 8
}

# The trial runs: what comes now, comes while it does.
try()
{
	tries=$(log_lines 'upgrade: trying')
	ask "$1" upgrade
	until_true more_lines 'upgrade: trying' "$tries"
}

A=$(conf_with_control "max-workers 4")
put_daemon
start "$A"
until_true has_workers 8

# Another binary comes while one is tried, and is tried at once: a reload that
# waits for both has nothing to tell those who wait for the upgrade.
put_script "$WAIT" "exec '$TRIED' \"\$@\""
try first
ask second upgrade
ask third reload
put_script 'echo there is something wrong' 'exit 1'
touch "$T/go"
t "an upgrade that is tried again and refused is refused" answer first 1 \
	'upgrade refused'
t "... for what was wrong then" grep -q 'something wrong' "$T/first"
t "... and so is the other one" answer second 1 'something wrong'
t "... and the reload is done" answer third 0 '^reloaded$'
rm "$T/go"

# It leaves nobody behind who would hold our sockets.
put_script "$SLEEPER >/dev/null 2>&1 &" 'exit 1'
try first
t "a trial that fails is refused" answer first 1 'trial.*failed'
t "... and who it started is ended" until_true no_sleeper

# It may have much to say, and succeed.
put_script 'head -c 40000 /dev/zero | tr "\0" "x" >&2' \
	"[ -z \"\$PREFORKD_TRIAL\" ] || exec '$TRIED' \"\$@\"" \
	"exec '$TRIED' \"\$@\""
try first
t "a trial that says much, and yes, is a success" answer first 0 '^upgraded to'
anew

# Who is about to ask, or has not read the answer yet, keeps it waiting.
put_script "$WAIT" "exec '$TRIED' \"\$@\""
try first
mkfifo "$T/asks"
nc -N -U "$T/control" <"$T/asks" >"$T/answer" &
ASKS=$!
exec 9>"$T/asks"
printf stat >&9
has_connections()
{
	[ "$(ss -Hxn src "$T/control" | grep -c ESTAB)" -ge "$1" ]
}
t "a client is about to ask" until_true has_connections 2
touch "$T/go"
until_true not pgrep -P "$DAEMON" -f "$T/bin/preforkd"
sleep 0.3
(echo us >&9) 2>/dev/null # a subshell, for SIGPIPE
exec 9>&-
wait $ASKS
t "... and is answered" sh -c "head -n 2 '$T/answer' | grep -q 'master $DAEMON'"
t "... and the upgrade is done" answer first 0 '^upgraded to'
rm "$T/go"
anew

# A stop that is over has left nobody behind, however slowly the trial dies:
# strace is told of its end, and holds it there.
if [ -n "$(command -v strace)" ] && [ -n "${TEST_NAMESPACE-}" ]; then
	put_script "$WAIT"
	try first
	trial=$(pgrep -P "$DAEMON" -f "$T/bin/preforkd")
	trace "$trial" -e trace=none
	kill -STOP "$TRACER"
	ask last stop
	(
		sleep 0.5
		kill -CONT "$TRACER"
	) &
	t "a stop is done" answer last 0 '^stopped$'
	t "... after the trial has ended" gone "$trial"
	t "... which was refused" answer first 1 'the daemon stops'
	wait "$DAEMON"
	t "... exit status 0" equals 0 $?
	DAEMON=
	untrace
fi
finish
