#!/bin/sh
# A firewall that forgets connections on which nothing moves, as NATs and load
# balancers do: what keepalive is for, and what becomes of those without.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

FORGETS=2
TO_ECHO=18007
make_firewall $FORGETS "tcp dport $TO_ECHO reject with tcp reset
			tcp sport $TO_ECHO reject with tcp reset
			drop"

daemon main "
$(service echo $ECHO "peer-timeout 8s" "keepalive-idle 1s")
$(service discard $DISCARD "keepalive no" "idle-timeout 4s" \
	"linger-timeout 1s")"
daemon other "
$(service echo $TO_ECHO "keepalive no" "idle-timeout 4s")
$(service discard 18009 "peer-timeout 6s")"

peer 5500 $ECHO connect send=5 get=5 wait=5000 send=5 get=5 fin end
peer 5501 $DISCARD connect send=5 wait=3000 send=7 wait=60000
peer 5502 $TO_ECHO connect send=5 get=5 wait=60000
peer 5503 $TO_ECHO connect send=5 get=5 wait=3000 send=7 get=7 wait=60000
peer 5504 18009 connect send=5 wait=60000

# The default is half of peer-timeout, which is too late here.
ends "keepalive-idle 3s, peer-timeout 6s" 5504 dead-peer \
	"$(peer_ms 5504 send=5)" 5900 8000
ends "keepalive no; our FIN, of idle-timeout 4s, is dropped" 5501 lingered \
	"$(peer_ms 5501 send=5)" 4900 7000
t "... what the client had sent did not come" equals 5 "$(field_of 5501 in)"
ends "keepalive no; our FIN is answered with RST" 5502 reset \
	"$(peer_ms 5502 send=5)" 3900 6000
until_true did 5503 get=7 rst
experiment "... the client sends before that, and is told" rst \
	"$(did 5503 get=7 rst && echo rst)"
experiment "... of which the server hears when it sends FIN" reset \
	"$(word_of 5503)"
experiment "keepalive-idle 1s: after 5 s it is still there" peer-closed \
	"$(word_of 5500)"
t "... every byte, and FIN" until_true did 5500 end fin
finish
