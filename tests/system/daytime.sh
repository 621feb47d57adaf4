#!/bin/sh
# daytime: RFC 867, one line, and a reply that is never destroyed by a RST.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

matches()
{
	echo "$1" | grep -Eq "^$2\$" || {
		echo "'$1' is not like '$2'"
		return 1
	}
}

ask()
{
	"$CLIENT" daytime "$@" 127.0.0.1 $DAYTIME
}

read_line()
{
	socat -u "TCP:127.0.0.1:$1" - </dev/null | tr -d '\r'
}

need socat
DAY='(Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
TIME='[0-2][0-9]:[0-5][0-9]:[0-6][0-9]'

start "$(conf)"
t "a client that only reads" ask -n 20
t "a client that sends first, 200 times, is never reset" ask -f -n 200
t "the default format" matches "$(read_line $DAYTIME)" \
	"$DAY [A-Z][a-z][a-z] [ 0-9][0-9] $TIME 20[0-9][0-9]"
stop
t "exit status 0" equals 0 $STATUS
t "every connection is logged as served" \
	equals 221 "$(log_lines 'service=daytime .*ending=served ')"

TZ=Pacific/Kiritimati
export TZ
start "pid-file none
control none
service daytime {
listen 127.0.0.1:$DAYTIME
format \"%Y-%m-%d %H %Z\"
utc yes
}"
t "utc yes gives UTC whatever TZ says" \
	equals "$(date -u '+%Y-%m-%d %H') GMT" "$(read_line $DAYTIME)"
stop
start "pid-file none
control none
service daytime {
listen 127.0.0.1:$DAYTIME
format \"%Y-%m-%d %H %z\"
}"
t "utc no gives the local time" \
	equals "$(date '+%Y-%m-%d %H') +1400" "$(read_line $DAYTIME)"
stop
finish
