#!/bin/sh
# Nobody reads the log: clients are served all the same, lost lines counted.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

mkfifo "$T/err"
exec 7<>"$T/err"
conf >"$T/preforkd.conf"
"$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/err" 7>&- &
DAEMON=$!
serves()
{
	"$CLIENT" echo -c -b 1 127.0.0.1 $ECHO
}
until_true serves
t "600 clients are served while nobody reads stderr" \
	"$CLIENT" daytime -n 600 -t 30 127.0.0.1 $DAYTIME
cat <&7 >"$T/log" &
BACKGROUND=$!
# Before there is room, the line of the status would be lost as well.
until_true logged 'ending='
has_lost()
{
	[ "$(status_field daytime log-lost)" -gt 0 ]
}
t "the status counts the lines that were lost" until_true has_lost
stop
t "exit status 0" equals 0 $STATUS
finish
