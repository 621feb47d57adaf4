#!/bin/sh
# What a daemon that serves cannot go on without: exit status 1, the reason in
# the log, and nobody left behind.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need strace

P=$T/preforkd.pid

# fails CALL WHEN REASON COMMAND ...: that system call of the master's fails
# after the command has had it look up.
fails()
{
	call=$1
	when=$2
	reason=$3
	shift 3
	start "$(conf "max-workers 4")" -p "$P"
	"$CLIENT" echo -b 1 -t 20 127.0.0.1 $ECHO >"$T/client.out" &
	BACKGROUND=$!
	until_true grep -q ready "$T/client.out"
	until_true field_is echo busy 1
	old=$(lives $(workers))
	trace "$DAEMON" -e trace="$call" -e inject="$call:error=EINVAL:when=$when"
	"$@"
	wait "$DAEMON"
	t "$call fails: exit status 1" equals 1 $?
	t "... with the reason" logged "error: $reason: Invalid argument\$"
	t "... once" equals 1 "$(log_lines 'error: ')"
	t "... 8 workers there were" equals 8 "$(echo "$old" | wc -w)"
	t "... and all are gone, idle or busy" until_true all_gone $old
	DAEMON=
	untrace
	wait $BACKGROUND
	BACKGROUND=
	start "$(conf)" -p "$P"
	t "... the next daemon finds nothing in its way" \
		equals "$DAEMON" "$(cat "$P")"
	t "... and serves" "$CLIENT" echo -c -b 1000 127.0.0.1 $ECHO
	stop
	t "... exit status 0" equals 0 $STATUS
}

send_usr1()
{
	kill -USR1 "$DAEMON"
}

# Its successor wakes the master when it is in accept.
kill_worker()
{
	kill -KILL "$(pgrep -f -P "$DAEMON" 'worker daytime' | head -n 1)"
}

# To be traced is to begin one more ppoll.
fails ppoll 2+ ppoll send_usr1
fails read 1+ "wake-up descriptor" kill_worker
finish
