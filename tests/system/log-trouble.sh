#!/bin/sh
# A log that cannot be written keeps nobody from being served, and kills
# nobody: no room, a limit, no reader, no descriptor at all.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_root
need prlimit

PROGRAM=$PREFORKD

# through TEXT: PREFORKD is a script that starts the daemon in this way.
through()
{
	printf '#!/bin/sh\n%s\n' "$1" >"$T/through"
	chmod 755 "$T/through"
	PREFORKD=$T/through
}

serves()
{
	"$CLIENT" echo -c -b 1 127.0.0.1 $ECHO
}

lost_of()
{
	[ "$(status_field "$1" log-lost)" -gt 0 ]
}

# The log is $T/log again from here on: its file is larger, or it has room.
serves_600()
{
	t "$1: 600 clients are served" \
		"$CLIENT" daytime -n 600 -t 30 127.0.0.1 $DAYTIME
	t "$1: the log has no line of the last ones" at_most 550 \
		"$(log_lines 'service=daytime .*ending=served')"
	t "$1: no worker has ended over it" equals "$old" "$(workers)"
}

ends_well()
{
	kill -TERM "$DAEMON"
	wait "$DAEMON"
	t "$1: exit status 0" equals 0 $?
	DAEMON=
}

# The log file is on a full disk, and then there is room again.
mkdir "$T/full"
mount -t tmpfs -o size=64k tmpfs "$T/full" || exit 99
through "exec '$PROGRAM' \"\$@\" 2>'$T/full/log'"
ln -s "$T/full/log" "$T/log"
cat /dev/zero >"$T/full/fill" 2>/dev/null
truncate -s -8192 "$T/full/fill"
start "$(conf "max-workers 4")"
old=$(workers)
serves_600 "a full disk"
rm "$T/full/fill"
t "a full disk: with room again, the status counts what was lost" \
	until_true lost_of daytime
t "a full disk: ... and new lines come" until_true logged 'status: master'
ends_well "a full disk"
rm "$T/log"
umount "$T/full"

# The log file may not grow.
through "exec prlimit --fsize=65536:unlimited '$PROGRAM' \"\$@\""
start "$(conf "max-workers 4")"
old=$(workers)
serves_600 RLIMIT_FSIZE
kill -USR1 "$DAEMON"
prlimit --fsize=unlimited:unlimited --pid "$DAEMON"
t "RLIMIT_FSIZE: raised, the status counts what was lost" \
	until_true lost_of daytime
ends_well RLIMIT_FSIZE
run prlimit --fsize=0 "$PROGRAM" -F "echo@127.0.0.1:$ECHO"
t "RLIMIT_FSIZE 0: exit status 1, by no signal" equals 1 $STATUS
prlimit --fsize=0 "$PROGRAM" -F "echo@127.0.0.1:$ECHO" 2>&1 |
	cat >"$T/run.err"
t "... with the reason" grep -q 'raise RLIMIT_FSIZE' "$T/run.err"

# Nobody listens, or nobody can: in the foreground and the background.
conf "max-workers 4" >"$T/preforkd.conf"
P=$T/preforkd.pid

# starts NAME: the command that has been given to through is ready.
starts()
{
	"$PREFORKD" -f "$T/preforkd.conf" -p "$P"
	t "$1: in the background, exit status 0" equals 0 $?
	DAEMON=$(cat "$P")
	until_true has_workers 8
	old=$(workers)
	t "$1: ... it serves" "$CLIENT" echo -c -n 20 -b 9 127.0.0.1 $ECHO
	t "$1: ... with the workers that it had" equals "$old" "$(workers)"
	kill -TERM "$DAEMON"
	until_true gone "$DAEMON"
	"$PREFORKD" -F -f "$T/preforkd.conf" -p "$P" &
	DAEMON=$!
	t "$1: in the foreground, it serves" until_true serves
	until_true has_workers 8
	old=$(workers)
	kill -USR1 "$DAEMON"
	t "$1: ... many" "$CLIENT" echo -c -n 20 -b 9 127.0.0.1 $ECHO
	t "$1: ... with the workers that it had" equals "$old" "$(workers)"
	ends_well "$1"
}

through "exec '$PROGRAM' \"\$@\" 2>&-"
starts "stderr closed"
mkfifo "$T/pipe"
exec 7<>"$T/pipe" 8>"$T/pipe" 7>&-
through "exec '$PROGRAM' \"\$@\" 2>&8 8>&-"
starts "stderr a pipe without a reader"
exec 7<>"$T/pipe"
timeout 1 cat /dev/zero >&8 2>/dev/null
through "exec '$PROGRAM' \"\$@\" 2>&8 7>&- 8>&-"
starts "stderr a full pipe"
finish
