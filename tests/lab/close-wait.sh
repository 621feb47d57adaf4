#!/bin/sh
# CLOSE-WAIT is a peer's FIN that we have not answered with ours. It never piles
# up: a half-closed connection ends as soon as its last byte is sent.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need ss
make_network
daemon main "
$(service echo $ECHO "peer-timeout 3s" "start-workers 64")
$(service discard $DISCARD)
$(service chargen $CHARGEN "peer-timeout 3s")"

waiting()
{
	ss -Htn state close-wait | wc -l
}

none_waits()
{
	equals 0 "$(waiting)"
}

no_connection()
{
	equals 0 "$(ss -Htn state connected exclude time-wait | wc -l)"
}

t "2000 half-closing clients, 50 at once" sh -c "
	for turn in \$(seq 40); do
		nsenter -t $CLIENT_HOLDER -n '$CLIENT' echo -c -n 50 -b 1000 \
			$SERVER $ECHO || exit 1
	done"
t "... right after the last one, none is in CLOSE-WAIT" none_waits

# These go on to hold their end: with nothing to read, and with all of it.
for port in 5601 5602 5603 5604; do
	peer $port $ECHO connect send=5000 fin wait=60000
	peer $((port + 10)) $DISCARD connect send=5000 fin wait=60000
	until_true did $port fin
	until_true did $((port + 10)) fin
done
for port in 5601 5602 5603 5604 5611 5612 5613 5614; do
	t "half-closed, held by the client ($port)" \
		equals peer-closed "$(word_of $port)"
	t "... at once" at_most 1500 \
		$(($(ended_ms $port) - $(peer_ms $port fin)))
done
experiment "echo, discard: half-closed by 8 who stay" \
	"0 in CLOSE-WAIT" "$(waiting) in CLOSE-WAIT"
t "... and no connection at all" until_true no_connection

# Half-closed by one that does not read. There would be more to send than it
# takes, but chargen ends with the peer's FIN; the kernel has the rest. That may be
# sooner than the client can say that it has sent it.
peer 5620 $CHARGEN room=8192 connect wait=500 fin wait=60000
until_true did 5620 fin
ends "chargen: half-closed by one that does not read" 5620 peer-closed \
	"$(peer_ms 5620 fin)" -100 1500
t "... none is in CLOSE-WAIT" until_true none_waits
finish
