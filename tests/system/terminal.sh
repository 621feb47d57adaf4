#!/bin/sh
# By hand, in a terminal: -d, and ^C ends it.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

run "$CLIENT" pty "serving daytime" "$PREFORKD" -d -v \
	"echo@127.0.0.1:$ECHO" "daytime@127.0.0.1:$DAYTIME"
t "^C ends it with exit status 0" equals 0 $STATUS
t "the terminal shows what it serves" grep -q \
	"notice: serving echo on 127.0.0.1:$ECHO with 4 workers" "$T/run.out"
t "... and that it has stopped" grep -q 'notice: stopped' "$T/run.out"
t "no worker complains: ^C is the master's" not grep -q 'killed by' "$T/run.out"
forked=$(sed -n 's/.*debug: worker \([0-9]*\) .* was started.*/\1/p' "$T/run.out")
all_gone()
{
	for pid in $forked; do
		gone "$pid" || return 1
	done
}
t "eight workers were started" equals 8 "$(echo "$forked" | wc -l)"
t "none of them is left behind" all_gone

t "-d makes no PID file of its own accord" sh -c \
	"'$PREFORKD' -nv -d | grep -qx 'pid-file \"none\"'"
t "nor a control socket" sh -c \
	"'$PREFORKD' -nv -d | grep -qx 'control \"none\"'"
start "log-level warning
$(conf)" -d
"$CLIENT" echo -c -b 10 127.0.0.1 $ECHO >/dev/null
t "-d logs every connection, whatever log-level says" until_true logged 'ending=peer-closed in=10 out=10'
stop
t "exit status 0" equals 0 $STATUS
finish
