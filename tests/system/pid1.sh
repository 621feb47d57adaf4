#!/bin/sh
# As PID 1 of a container: orphans of others are its to reap, and no signal
# has a default action.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_root
need nsenter

# start_as_first [COMMAND ...]: what the container has besides.
start_as_first()
{
	: >"$T/log"
	unshare --pid --fork --mount-proc sh -c "${1-}
		exec \"\$0\" -F -vv -f \"\$1\" 2>\"\$2\"" \
		"$PREFORKD" "$T/preforkd.conf" "$T/log" &
	BACKGROUND=$!
	until_true logged 'notice: serving'
	DAEMON=$(pgrep -P $BACKGROUND)
}

inside()
{
	nsenter -t "$DAEMON" -p -m -- "$@"
}

zombies()
{
	ps -o stat= --ppid "$DAEMON" | grep -c Z
}

exits_with()
{
	wait $BACKGROUND
	status=$?
	BACKGROUND=
	DAEMON=
	equals "$1" $status
}

conf "max-workers 4" >"$T/preforkd.conf"
start_as_first
t "it is PID 1" equals 1 "$(sed -n 's/^NSpid:.*[[:space:]]//p' "/proc/$DAEMON/status")"
t "it serves" "$CLIENT" echo -c -b 100000 127.0.0.1 $ECHO
orphans()
{
	# The parents end at once: what they have started has none.
	for _ in 1 2 3 4 5 6 7 8; do
		inside sh -c 'sleep 0.05 & exit 0'
	done
}
t "others leave orphans" orphans
eight_reaped()
{
	equals 8 "$(log_lines 'debug: reaped process [0-9]*, which is no worker')"
}
t "all of them are reaped" until_true eight_reaped
t "... and none is left" equals 0 "$(zombies)"
t "... of its workers none was replaced" equals 8 "$(worker_count)"
worker=$(pgrep -P "$DAEMON" -f 'worker echo' | head -n 1)
kill -KILL "$worker"
t "a worker that dies is replaced" until_true has_workers 8
t "... and it is gone" until_true gone "$worker"
t "USR1 is answered" field_is echo state serving
before=$(workers)
kill -HUP "$DAEMON"
t "HUP reloads" until_true logged 'notice: reloaded'
inside kill -TERM 1
t "TERM from inside the container stops it" exits_with 0
t "... gracefully" logged 'notice: stopped'

start_as_first
kill -TERM "$DAEMON"
t "so does TERM from outside" exits_with 0
start_as_first
inside kill -INT 1
t "and INT" exits_with 0

# A child from before the exec, which lives longer than the daemon does.
start_as_first "sleep 60 &"
kill -TERM "$DAEMON"
before=$(now_ms)
t "it does not wait for those that it has not started" exits_with 0
t "..." at_most 5000 $(($(now_ms) - before))

# Unlike another process, it has no parent that workers could be left without.
start_as_first
worker=$(pgrep -P "$DAEMON" | head -n 1)
kill -KILL "$DAEMON"
t "workers die with it" until_true gone "$worker"
wait $BACKGROUND
BACKGROUND=
DAEMON=
finish
