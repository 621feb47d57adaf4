# For tests of reload and upgrade: ask for one, and wait for what comes of it.
# shellcheck shell=sh
#
#	. "${TOP_SRCDIR:-.}/tests/outcome.sh"	after tests/lib.sh
#	reload "$conf"			true when there is an outcome
#	upgrade				the same

OTHER=17099
MUCH=20000000 # bytes, more than buffers hold

# Whole or not at all: a reload that waits may read it at any time.
write_file()
{
	printf '%s\n' "$1" >"$T/new.conf"
	mv "$T/new.conf" "$T/preforkd.conf"
}

RELOAD_ENDS='notice: reloaded|error: reload refused'
UPGRADE_ENDS='notice: upgraded|error: upgrade refused'

# more_lines PATTERN NUMBER
more_lines()
{
	[ "$(log_lines "$1")" -gt "$2" ]
}

# reload TEXT: the new file, and the outcome awaited.
reload()
{
	write_file "$1"
	outcomes=$(log_lines "$RELOAD_ENDS")
	kill -HUP "$DAEMON"
	until_true more_lines "$RELOAD_ENDS" "$outcomes"
}

# upgrade: the outcome, and that of the reload which follows it.
upgrade()
{
	outcomes=$(log_lines "$UPGRADE_ENDS")
	upgraded=$(log_lines 'notice: upgraded')
	reloads=$(log_lines "$RELOAD_ENDS")
	kill -USR2 "$DAEMON"
	until_true more_lines "$UPGRADE_ENDS" "$outcomes" || return 1
	[ "$(log_lines 'notice: upgraded')" = "$upgraded" ] ||
		until_true more_lines "$RELOAD_ENDS" "$reloads"
}

# last_outcome PATTERN: the last line about a reload or an upgrade.
last_outcome()
{
	grep -E "$RELOAD_ENDS|$UPGRADE_ENDS" "$T/log" | tail -n 1 |
		grep -E -- "$1"
}

same_workers()
{
	equals "$1" "$(workers)"
}

echoes()
{
	"$CLIENT" echo -c -b 1000 -t 10 127.0.0.1 "${1:-$ECHO}" >/dev/null
}

is_refused()
{
	"$CLIENT" connect -t 1 127.0.0.1 "$1" | grep -q 'connected=0'
}

with_other()
{
	conf "$@"
	printf 'service discard {\nlisten 127.0.0.1:%s\n}\n' $OTHER
}

without_daytime()
{
	conf "$@" | sed '/^service daytime/,$d'
}

# silent_clients NUMBER PORT: they connect, and then wait for dismissed.
silent_clients()
{
	mkfifo "$T/silence"
	"$CLIENT" connect -l -n "$1" -t 20 127.0.0.1 "$2" <"$T/silence" \
		>"$T/silent.out" &
	SILENT=$!
	exec 7>"$T/silence"
	until_true grep -q "connected=$1" "$T/silent.out"
}

dismiss()
{
	exec 7>&-
	rm "$T/silence"
	wait $SILENT
}

# ask NAME COMMAND: in the background, of a daemon with its socket at
# $T/control, until it has been heard.
ask()
{
	heard=$(log_lines "control: $2")
	timeout "$PATIENCE" "$PREFORKCTL" -s "$T/control" "$2" \
		>"$T/$1" 2>&1 8>&- &
	eval "$1=\$!"
	until_true more_lines "control: $2" "$heard"
}

# answer NAME STATUS PATTERN
answer()
{
	eval "wait \$$1"
	equals "$2" "$?" && grep -Eq -- "$3" "$T/$1" || {
		cat "$T/$1"
		return 1
	}
}

# put_script LINE ...: it is what is there under the name of PREFORKD, in
# $T/bin, from now on.
put_script()
{
	printf '%s\n' '#!/bin/sh' "$@" >"$T/bin/new"
	chmod 755 "$T/bin/new"
	mv "$T/bin/new" "$PREFORKD"
}

# What a trial may do without an end. The time is no other run's.
SLEEPER="sleep 987654.$$"

no_sleeper()
{
	! pgrep -fx "$SLEEPER"
}

# hold_workers: those that start from now on stop on their way into accept, until
# let_go. A reload that waits for them waits for RELOAD_LIMIT_MS, see
# master/reload.h, and not longer.
hold_workers()
{
	trace "$DAEMON" -f -e trace=close_range \
		-e inject=close_range:signal=STOP:when=1
}

# have_stopped NUMBER: so many processes have since trace, the daemon as well
# where it was stopped already.
have_stopped()
{
	equals "$1" "$(grep -c 'stopped by SIGSTOP' "$T/strace")"
}

# let_go: they go on, and so do those that come.
let_go()
{
	untrace
	resume_workers
}
