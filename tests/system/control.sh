#!/bin/sh
# The control socket: who can have it, where it is, and that nobody who uses it
# badly keeps the daemon from its clients.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_root
need setpriv socat
NOBODY="setpriv --reuid=65534 --regid=65534 --clear-groups"
OTHER="setpriv --reuid=4711 --regid=4711 --clear-groups"

# Where another user can reach it and our programs.
chmod 711 "$T"
cp "$PREFORKCTL" "$T/preforkctl"
cp "$PREFORKD" "$T/preforkd"

ask()
{
	# shellcheck disable=SC2086
	run ${AS-} "$T/preforkctl" -s "$T/control" "$@"
}

answers()
{
	ask status && equals "0:" "$STATUS:$STDERR"
}

says()
{
	grep -Eq -- "$1" "$T/run.err" || {
		cat "$T/run.err"
		return 1
	}
}

stale()
{
	kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	DAEMON=
	test -S "$T/control"
}

# Who may ask.
umask 0
start "$(conf_with_control "max-workers 4")"
umask 022
t "the socket is its owner's alone, whatever the umask" \
	equals "600 0 socket" "$(stat -c '%a %u %F' "$T/control")"
t "root is answered" answers
t "the daemon has a descriptor for it, and its workers have not" sh -c "
	[ \$(ls /proc/$DAEMON/fd | wc -l) -ge 7 ] &&
	for pid in $(workers); do [ \$(ls /proc/\$pid/fd | wc -l) = 5 ] || exit 1; done"
AS=$NOBODY ask status
t "another user cannot connect: exit status 1" equals 1 $STATUS
t "... with the reason and the remedy" says 'Permission denied: ask as root'
chmod 666 "$T/control"
AS=$NOBODY ask stop
t "... and is refused, whatever the mode is" equals 1 $STATUS
t "... and told so" says '^preforkctl: not permitted: only root'
t "so is one that only listens" equals "error not permitted: only root," "$(
	$NOBODY socat -u "UNIX-CONNECT:$T/control" - | paste -s -d ' ' - |
	cut -d ' ' -f 1-5)"
t "it serves as ever" answers

# Workers that start while clients are there do not get those either.
mkfifo "$T/hold"
exec 8<>"$T/hold"
BEFORE=$(ls "/proc/$DAEMON/fd" | wc -l)
socat -u - "UNIX-CONNECT:$T/control" <"$T/hold" 8>&- &
BACKGROUND=$!
descriptors()
{
	equals "$2" "$(ls "/proc/$1/fd" | wc -l)"
}
until_true descriptors "$DAEMON" $((BEFORE + 1))
OLD=$(workers | cut -d ' ' -f 1)
kill -KILL "$OLD"
is_replaced()
{
	gone "$OLD" && field_is echo idle 4 && field_is daytime idle 4
}
until_true is_replaced
t "a worker that is forked now has its five descriptors" \
	descriptors "$(workers | sed 's/.* //')" 5
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null
BACKGROUND=

# Two daemons.
conf_with_control | sed "s/:$ECHO/:17107/; s/:$DAYTIME/:17113/" >"$T/second.conf"
for how in -F ""; do
	# shellcheck disable=SC2086
	run "$PREFORKD" $how -f "$T/second.conf"
	t "a second daemon, preforkd $how: exit status 1" equals 1 $STATUS
	t "... says where the first one answers" says \
		"not started: $T/second.conf:2: control $T/control: already running"
	t "... and the first one goes on" answers
done
stop
t "the socket is removed at the end" not test -e "$T/control"
run "$T/preforkctl" -s "$T/control" status
t "then no daemon is there: exit status 3" equals 3 $STATUS

# A stale one.
start "$(conf_with_control)"
t "a daemon that is killed leaves its socket" stale
run "$T/preforkctl" -s "$T/control" status
t "at which there is no daemon: exit status 3" equals 3 $STATUS
start "$(conf_with_control)"
t "the next one replaces it" answers
stop
mkdir "$T/control"
run "$PREFORKD" -F -f "$T/preforkd.conf"
t "another file is left alone: exit status 1" equals 1 $STATUS
t "... with the reason" says "control $T/control: is something else than a socket"
rmdir "$T/control"
sed "s|$T/control|$T/no/control|" "$T/preforkd.conf" >"$T/no.conf"
run "$PREFORKD" -F -f "$T/no.conf"
t "a missing directory: exit status 1" equals 1 $STATUS
t "... with the line, the reason and the remedy" says \
	"no.conf:2: control $T/no/control: bind: No such file or directory \(make its directory"
t "... and it is not made" not test -e "$T/no"

# A start that fails gives the socket back.
start "$(conf)"
run "$PREFORKD" -F -f "$T/second.conf" "echo@127.0.0.1:$ECHO"
t "a start that fails: exit status 1" equals 1 $STATUS
t "... leaves no socket" not test -e "$T/control"
stop

# Not as root: its own user may ask, and root.
mkdir -m 777 "$T/open"
conf | sed "s|^control none|control $T/open/control|" >"$T/nobody.conf"
: >"$T/log"
$NOBODY "$T/preforkd" -F -f "$T/nobody.conf" 2>"$T/log" &
DAEMON=$!
until_true is_serving
for who in "$NOBODY" ""; do
	run $who "$T/preforkctl" -s "$T/open/control" status
	t "of a daemon that is not root, ${who:-root} may ask" \
		equals 0 $STATUS
done
chmod 666 "$T/open/control"
run $OTHER "$T/preforkctl" -s "$T/open/control" status
t "... and no third" equals 1 $STATUS
stop

# The default path, in a /run of our own.
DEFAULT=$("$PREFORKD" -nv -f /dev/null | sed -n 's/^control "\(.*\)"/\1/p')
mkdir -p "${DEFAULT%/*/*}"
mount -t tmpfs tmpfs "${DEFAULT%/*/*}" || exit 99
conf | grep -v '^control' >"$T/default.conf"
: >"$T/log"
$NOBODY "$T/preforkd" -F -f "$T/default.conf" 2>"$T/log" &
DAEMON=$!
until_true is_serving
t "a default path out of reach: it serves" \
	"$CLIENT" echo -c -b 10 127.0.0.1 $ECHO
t "... and warns, with the remedy" logged \
	"warning: control $DEFAULT: .*make its directory.*serving without it"
t "... once" equals 1 "$(warnings)"
stop
t "exit status 0" equals 0 $STATUS
umask 077
start "$(conf | grep -v '^control')"
umask 022
t "root makes the directory, for all to see" \
	equals "755 600" "$(stat -c %a "${DEFAULT%/*}" "$DEFAULT" | paste -s -d ' ' -)"
run "$PREFORKCTL" status
t "and preforkctl looks there" equals 0 $STATUS
run "$PREFORKD" -F -f "$T/default.conf"
t "a second one there: exit status 1" equals 1 $STATUS
t "... for it is already running" says "control $DEFAULT: already running"
stop
t "the socket is gone" not test -e "$DEFAULT"
: >"$T/log"
"$PREFORKD" -d "echo@127.0.0.1:$ECHO" 2>"$T/log" &
DAEMON=$!
until_true is_serving
t "-d makes none" not test -e "$DEFAULT"
stop
umount "${DEFAULT%/*/*}"
finish
