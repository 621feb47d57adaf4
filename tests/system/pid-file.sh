#!/bin/sh
# Where the PID file cannot be made: said with the file, the reason and the
# remedy, exit status 1, and nothing is left behind.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace

says()
{
	grep -Eq -- "$1" "$T/run.err" || {
		cat "$T/run.err"
		return 1
	}
}

# fails NAME FILE REASON [COMMAND ...]: in the foreground and the background.
fails()
{
	name=$1
	file=$2
	reason=$3
	shift 3
	for how in -F ""; do
		# shellcheck disable=SC2086
		run "$@" "$PREFORKD" $how -p "$file" "echo@127.0.0.1:$ECHO"
		t "$name, preforkd $how: exit status 1" equals 1 $STATUS
		t "... with the file and the reason" says "error: pid-file $file .*: $reason\$"
		t "... and the remedy" says 'name another with -p, or "pid-file none"'
		t "... and no file is left" not test -f "$file"
	done
}

mkdir "$T/full" "$T/dir"
mount -t tmpfs -o size=64k tmpfs "$T/full" || exit 99
cat /dev/zero >"$T/full/fill" 2>/dev/null
fails "a full disk" "$T/full/pid" "No space left on device"
t "... the remedy is room as well" says 'make room'
# Of the mount alone: more is not allowed in a user namespace.
mount -o remount,bind,ro "$T/full"
fails "a read-only file system" "$T/full/pid" "Read-only file system"
umount "$T/full"
fails "a missing directory" "$T/no/pid" "No such file or directory"
fails "a directory" "$T/dir" "Is a directory"
if [ "$TEST_NAMESPACE" = root ]; then
	chmod 711 "$T"
	fails "a directory of somebody else" "$T/dir/pid" "Permission denied" \
		setpriv --reuid=65534 --regid=65534 --clear-groups
	t "... the remedy is root as well" says 'start as root'
fi
start "$(conf)" -p "$T/dir/pid"
t "the ports were free all the time" equals "$DAEMON" "$(cat "$T/dir/pid")"
stop
finish
