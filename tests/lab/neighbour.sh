#!/bin/sh
# A client on our own network is switched off: its address has no answer.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

make_network
daemon main "$(service echo $ECHO "peer-timeout 6s")"

for port in 5701 5702; do
	peer $port $ECHO connect send=5 get=5 go=1 send=7 wait=60000
	until_true did $port get=5
done
# Of the second one a request comes still; nothing goes back.
in_client nft "add rule inet lab to tcp dport 5702 drop
	add rule inet lab from tcp sport 5701 drop"
go 1
until_true field_is echo out 17
in_client ip link set lab down
ip neigh flush dev lab
CUT=$(now_ms)
# Our kernel tells itself by ICMP that there is no such host, and takes that for
# the reason; but not where keepalive had asked.
experiment "neighbour is gone, idle" dead-peer "$(word_of 5701)"
ends "neighbour is gone, a reply is under way" 5702 unreachable \
	"$CUT" 3000 12000
finish
