#!/bin/sh
# What comes back is a RST, an ICMP error, small pieces, or only some of it.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need ss
LOSSY=18007
CLAMPED=18019
QUEUED=19007
make_network

daemon main "
$(service echo $ECHO "peer-timeout 2s" "start-workers 8")
$(service chargen $CHARGEN "start-workers 8")
$(service daytime $DAYTIME "linger-timeout 20s")"
daemon other "
$(service echo $LOSSY "peer-timeout 120s" "start-workers 8")
$(service chargen $CLAMPED)"
daemon queue "
$(service echo $QUEUED "max-workers 1" "evict no")"

# It takes longest. Enough connections that some packet of theirs is lost.
lossy 20 $LOSSY
nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" echo -c -n 8 -b 50000 -k 4000 -t 100 \
	$SERVER $LOSSY >"$T/lossy" &
LOSSY_CLIENT=$!
BACKGROUND="$BACKGROUND $LOSSY_CLIENT"

# RST, in each state.
peer 5301 $ECHO connect send=5 get=5 rst
peer 5302 $CHARGEN room=8192 connect get=20000 wait=300 rst
peer 5303 $DAYTIME connect end rst
peer 5304 $CHARGEN connect get=1 wait=100 close
experiment "RST while idle" reset "$(word_of 5301)"
experiment "RST while data is on its way to it" reset "$(word_of 5302)"
t "... and it was" [ "$(field_of 5302 unacked)" -gt 0 ]
experiment "RST after our FIN" reset "$(word_of 5303)"
experiment "closes with unread characters" reset "$(word_of 5304)"

# RST in the accept queue.
peer 5310 $QUEUED connect send=5 get=5 go=1 fin end
until_true did 5310 get=5
peer 5311 $QUEUED connect send=5 rst
until_true did 5311 rst
peer 5312 $QUEUED connect rst
until_true did 5312 rst
peer 5313 $QUEUED connect send=5 get=5 fin end
until_true did 5313 send=5
go 1
experiment "RST in the accept queue, after a few bytes" \
	reset "$(word_of 5311)"
experiment "RST in the accept queue, before any" reset "$(word_of 5312)"
experiment "... who was served before" peer-closed "$(word_of 5310)"
experiment "... who had come after" peer-closed "$(word_of 5313)"
t "... every byte, and FIN" until_true did 5313 end fin
t "... the worker is the same" equals "$(field_of 5310 pid)" \
	"$(field_of 5313 pid)"

# ICMP: the kernel takes it for a hint, and goes on until user-timeout is over.
KINDS="5321:host-unreachable 5322:admin-prohibited 5323:port-unreachable"
for one in $KINDS; do
	peer "${one%:*}" $ECHO connect send=5 get=5 go=2 send=7 wait=60000
	until_true did "${one%:*}" get=5
	unreachable "${one%:*}" "${one#*:}"
done
peer 5324 $ECHO connect wait=60000
until_true did 5324 connect
IDLE=$(now_ms)
unreachable 5324 host-unreachable
go 2
for one in $KINDS; do
	ends "ICMP ${one#*:}, user-timeout 2s" "${one%:*}" unreachable \
		"$(peer_ms "${one%:*}" send=7)" 1900 4000
done
# Not for a keepalive probe: it is a byte that was acknowledged long ago.
ends "ICMP while idle" 5324 dead-peer "$IDLE" 0 6000

# Small segments.
clamp $CLAMPED 536
peer 5330 $CLAMPED connect chargen=500000 go=3 rst
t "segments of at most 536 bytes: every byte" \
	until_true did 5330 chargen=500000
largest=$(ss -Htin "dport = :5330" | grep -o ' mss:[0-9]*' | tr -dc 0-9)
experiment "MSS 536, less 12 for time stamps" 524 "$largest"
go 3
t "... is ended by the client" equals reset "$(word_of 5330)"

# Loss.
wait $LOSSY_CLIENT
row "20 % loss, 8 times 50 kB" "every byte" "$(tail -n 1 "$T/lossy")"
t "20 % loss: every byte" equals \
	"fin=8 rst=0 timeout=0 mismatch=0 complete=8 bytes=400000" \
	"$(tail -n 1 "$T/lossy")"
lossy_lines()
{
	grep "local=$SERVER:$LOSSY .*ending=" "$T/other.log"
}
all_have_ended()
{
	[ "$(lossy_lines | wc -l)" = 8 ]
}
until_true all_have_ended
experiment "... all" "8 peer-closed" "$(lossy_lines |
	grep -c 'ending=peer-closed in=50000 out=50000 ') peer-closed"
again=$(lossy_lines | sed 's/.* retrans=\([0-9]*\) .*/\1/' |
	awk '{ sum += $1 } END { print sum + 0 }')
row "... segments sent again" "some" "$again"
t "... segments were sent again, and counted" [ "$again" -gt 0 ]
finish
