#!/bin/sh
# The accept queue when it is full: who is let in, what both ends believe, and
# how long the log says that it took.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need ss
BACKLOG=3
HALF=18007
make_network

daemon queue "
$(service echo $ECHO "max-workers 1" "backlog $BACKLOG" "evict no")"
daemon half "
$(service echo $HALF "max-workers 1" "backlog $BACKLOG" "evict no")"

# netstat_counter NAME: of TcpExt, of the server's network.
netstat_counter()
{
	awk -v name="$1" '/^TcpExt:/ {
		if (!column)
			for (i = 1; i <= NF; i++)
				if ($i == name)
					column = i
		value = $column
	}
	END { print value }' /proc/net/netstat
}

# queue_is PORT LENGTH: as ss sees it, and the limit with it.
queue_is()
{
	equals "$2 $BACKLOG" "$(ss -Hltn "sport = :$1" |
		awk '{ print $2, $3 }')"
}

# One is served and is silent; then the queue fills.
peer 5400 $ECHO connect send=1 get=1 go=1 fin end
until_true did 5400 get=1
for port in 5401 5402 5403 5404; do
	peer $port $ECHO connect send=5 get=5 fin end
	until_true did $port send=5
done
experiment "backlog $BACKLOG: in the queue" "$((BACKLOG + 1)) $BACKLOG" \
	"$(ss -Hltn "sport = :$ECHO" | awk '{ print $2, $3 }')"
t "... none was dropped" equals 0 "$(netstat_counter ListenOverflows)"
sysctl -q -w net.ipv4.tcp_abort_on_overflow=1
peer 5405 $ECHO connect send=5 get=5 fin end
peer 5406 $ECHO connect rst
overflowed()
{
	[ "$(netstat_counter ListenOverflows)" -ge 2 ] &&
		[ "$(netstat_counter ListenDrops)" -ge 2 ]
}
t "the next ones are dropped, and counted as overflows" \
	until_true overflowed
experiment "... tcp_abort_on_overflow=1 drops a SYN as well" "SYN-SENT" \
	"$(in_client ss -Htn "sport = :5405" | awk '{ print $1 }')"
t "the others still wait" queue_is $ECHO $((BACKLOG + 1))
sleep 0.5
RELEASED=$(now_ms)
go 1
for port in 5401 5402 5403 5404; do
	experiment "in the queue with data: client $((port - 5400))" \
		"peer-closed" "$(word_of $port)"
	t "... every byte, and FIN" until_true did $port end fin
	t "... and in time" is_between 0 3000 \
		$(($(ended_ms $port) - RELEASED))
done
# The kernel counts from the last ACK of the handshake, or the client's data.
waited=$(field_of 5401 wait | tr -d .)
waited=${waited#0}
held=$(($(ended_ms 5401) - $(peer_ms 5401 connect)))
row "wait= of the log, held for $(seconds $held)" "within 0.2 s of it" \
	"$(field_of 5401 wait) s"
t "wait= is how long it was held" is_between $((held - 200)) $((held + 200)) \
	"$((waited))"
experiment "who came too late, is let in when SYN is sent again" \
	"peer-closed" "$(word_of 5405)"
t "... every byte, and FIN" until_true did 5405 end fin
sysctl -q -w net.ipv4.tcp_abort_on_overflow=0

# Half-established: the last ACK of the handshake is lost, and when it comes
# again, the queue is full. Client and server do not agree then.
#
# half_establish PORT GO: this client, behind one that is served until GO and
# four that fill the queue.
half_establish()
{
	peer $(($1 + 1)) $HALF connect send=1 get=1 "go=$2" fin end
	until_true did $(($1 + 1)) get=1
	in_client nft add rule inet lab from tcp sport "$1" \
		tcp flags '&' '(syn | ack)' == ack drop
	peer "$1" $HALF connect send=5 get=5 fin end
	until_true did "$1" send=5
	for port in $(($1 + 2)) $(($1 + 3)) $(($1 + 4)) $(($1 + 5)); do
		peer $port $HALF connect send=5 get=5 fin end
		until_true did $port send=5
	done
	overflows=$(netstat_counter ListenOverflows)
	mend
}

overflowed_again()
{
	[ "$(netstat_counter ListenOverflows)" -ge $((overflows + 2)) ]
}

# state_here PORT: of that client's connection, as the server's kernel sees it.
state_here()
{
	ss -Hatn "dport = :$1" | awk '{ print $1 }'
}

state_there()
{
	in_client ss -Hatn "sport = :$1" | awk '{ print $1 }'
}

half_establish 5420 2
t "half-established: what the client sends is one more overflow each" \
	until_true overflowed_again
experiment "half-established, as the client sees it" ESTAB "$(state_there 5420)"
experiment "... as the server sees it" SYN-RECV "$(state_here 5420)"
go 2
experiment "... when there is room" peer-closed "$(word_of 5420)"
t "... every byte, and FIN" until_true did 5420 end fin

sysctl -q -w net.ipv4.tcp_abort_on_overflow=1
half_establish 5430 3
until_true did 5430 get=5 rst
experiment "half-established, tcp_abort_on_overflow=1" rst \
	"$(did 5430 get=5 rst && echo rst)"
go 3
for port in 5432 5433 5434 5435; do
	t "... who was in the queue is served: client $((port - 5431))" \
		equals peer-closed "$(word_of $port)"
done
t "... it has no line, for it was never here" has_not_ended 5430
finish
