#!/bin/sh
# The clients that people have: netcat of OpenBSD, ncat, socat.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need nc ncat socat
nc -h 2>&1 | grep -qi openbsd || skip_all "nc is not netcat-openbsd"

LINE='[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 0-9][0-9] ..:..:.. 20[0-9][0-9]'

echoes()
{
	equals hello "$(printf 'hello\n' | "$@")"
}

tells_time()
{
	"$@" </dev/null >"$T/time" || return
	tr -d '\r' <"$T/time" | grep -Eq "^$LINE\$"
}

big()
{
	head -c 5000000 /dev/urandom >"$T/big"
	"$@" <"$T/big" | cmp - "$T/big"
}

start "$(conf)"
t "nc -N gets its line back" echoes nc -N 127.0.0.1 $ECHO
t "nc gets the time" tells_time nc 127.0.0.1 $DAYTIME
t "nc -N gets 5 MB back" big nc -N 127.0.0.1 $ECHO
t "ncat gets its line back" echoes ncat 127.0.0.1 $ECHO
t "ncat gets the time" tells_time ncat --recv-only 127.0.0.1 $DAYTIME
t "ncat gets 5 MB back" big ncat 127.0.0.1 $ECHO
t "socat gets its line back" echoes socat -t 10 - TCP:127.0.0.1:$ECHO
t "socat gets the time" tells_time socat -t 10 - TCP:127.0.0.1:$DAYTIME
t "socat gets 5 MB back" big socat -t 10 - TCP:127.0.0.1:$ECHO
stop
t "exit status 0" equals 0 $STATUS
t "echo always ended as peer-closed" equals 6 \
	"$(log_lines 'service=echo .*ending=peer-closed ')"
t "daytime always ended as served" equals 3 \
	"$(log_lines 'service=daytime .*ending=served ')"
finish
