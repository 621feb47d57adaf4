#!/bin/sh
# The network goes away under open connections.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need ss

# The echo has come to the client, which acknowledges it.
all_acknowledged()
{
	equals "0 0" "$(ss -Htn state established "sport = :$ECHO" |
		awk '{ print $1, $2 }')"
}

connect_and_cut()
{
	"$CLIENT" echo -b 5 -t 30 127.0.0.1 $ECHO >"$T/client.out" &
	BACKGROUND=$!
	until_true field_is echo out 5
	until_true all_acknowledged
	ip link set lo down
}

mend()
{
	ip link set lo up
	kill $BACKGROUND
	wait $BACKGROUND 2>/dev/null
	BACKGROUND=
}

start "$(conf "idle-timeout 500ms" "linger-timeout 300ms")"
connect_and_cut
t "our FIN is never answered: lingered; and a FIN is no unacknowledged byte" \
	until_true logged 'service=echo .*ending=lingered .*unacked=0 '
mend
stop

start "$(conf "idle-timeout 500ms" "linger-timeout 20s" "peer-timeout 2s")"
connect_and_cut
t "the kernel gives it up before: dead-peer, and no unacknowledged byte" \
	until_true logged 'service=echo .*ending=dead-peer .*unacked=0 '
mend
stop

start "$(conf "peer-timeout 2s")"
connect_and_cut
before=$(now_ms)
t "keepalive gives the peer up: dead-peer" \
	until_true logged 'service=echo .*ending=dead-peer in=5 out=5 '
t "... within peer-timeout and a little" at_most 6000 $(($(now_ms) - before))
mend
stop
t "exit status 0" equals 0 $STATUS
finish
