#!/bin/sh
# preforkprobe names what is wrong: each word, by a real fault, with its exit
# status, and in time.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need ss jq
SERVER6=2001:db8::1
FAR6=2001:db8::2
# Of the client, for faults that are for a probe alone.
OTHER=192.0.2.3
WITHIN=2
ROOM=1500 # for a busy machine to start a program
make_network
ip addr add $SERVER6/64 dev lab nodad
in_client ip addr add $FAR6/64 dev lab nodad
in_client ip addr add $OTHER/24 dev lab
sysctl -q -w net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
nft -f - <<-END || exit 99
	table inet probe {
		chain in { type filter hook input priority 0; policy accept; }
	}
END

daemon main "
service echo {
listen $SERVER:$ECHO
listen [$SERVER6]:$ECHO
}
$(service daytime $DAYTIME)"

# server PORT STEP ...: one that does this to each client.
server()
{
	server_port=$1
	shift
	"$CLIENT" serve -k 3 -t "$TEST_LIMIT" $SERVER "$server_port" "$@" \
		>"$T/server.$server_port" 2>&1 &
	BACKGROUND="$BACKGROUND $!"
	until_true logged '^listening' "$T/server.$server_port"
}

run_probe()
{
	in_client timeout 60 "$PROBE" -j -t "$WITHIN" "$@" \
		>"$T/probe" 2>"$T/probe.err"
	echo $? >"$T/probe.status"
	cat "$T/probe" >>"$T/probes"
}

# of_summary FIELD: a text or a number.
of_summary()
{
	grep '"event":"summary"' "$T/probe" |
		sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p"
}

status_of()
{
	if [ "$1" = ok ]; then echo 0; else echo 1; fi
}

# judge NAME WORD: what run_probe has come to.
judge()
{
	experiment "$1" "$2, exit status $(status_of "$2")" \
		"$(of_summary verdict), exit status $(cat "$T/probe.status")"
}

# probe NAME WORD OPTION ... MODE HOST: the verdict, the status, the time.
probe()
{
	name=$1 word=$2
	shift 2
	before=$(now_ms)
	run_probe "$@"
	took=$(($(now_ms) - before))
	judge "$name" "$word"
	t "... within -t" at_most $((WITHIN * 1000 + ROOM)) $took
}

# fault PORT WHAT ...: what the server's kernel does with a SYN to this port.
fault()
{
	port=$1
	shift
	nft add rule inet probe in tcp dport "$port" "$@" || exit 99
}

# answered N: round trips that came back.
answered()
{
	equals "$1" "$(of_summary answered)"
}

said()
{
	grep -q -- "$1" "$T/probe" || {
		cat "$T/probe"
		return 1
	}
}

# Nothing is wrong.
probe "echo" ok echo $SERVER:$ECHO
probe "echo, IPv6" ok -6 echo "[$SERVER6]:$ECHO"
t "... with both addresses" said \
	"\"local\":\"\\[$FAR6\\]:[0-9]*\",\"remote\":\"\\[$SERVER6\\]:$ECHO\""
probe "echo, 3 times 0.2 s apart" ok -c 3 -i 0.2 echo $SERVER:$ECHO
t "... all come back" answered 3
t "... not all at once" [ "$took" -ge 400 ]
clamp $ECHO 536
probe "echo, 5 MB in small segments" ok -s 5000000 echo $SERVER:$ECHO
mend
probe "daytime" ok daytime $SERVER:$DAYTIME
t "... and the line" said '"event":"line","text":"[A-Z][a-z]* .*20[0-9][0-9]"'
probe "connect" ok connect $SERVER:$ECHO
probe "from a given address" ok -B $OTHER echo $SERVER:$ECHO
t "... it is that one" said "\"local\":\"$OTHER:"

# The handshake.
probe "nobody listens" refused echo $SERVER:18000
probe "nobody listens, IPv6" refused echo "[$SERVER6]:18000"
fault 18001 reject with tcp reset
probe "a firewall answers with RST" refused connect $SERVER:18001
fault 18002 drop
probe "a firewall drops" timed-out connect $SERVER:18002
t "... not before -t" [ "$took" -ge $((WITHIN * 1000)) ]
fault 18003 reject with icmpx host-unreachable
fault 18004 reject with icmpx no-route
fault 18005 reject with icmpx admin-prohibited
fault 18006 reject with icmpx port-unreachable
for family in "$SERVER ICMP" "[$SERVER6] ICMPv6"; do
	to=${family% *} icmp=${family#* }
	probe "$icmp: host unreachable" host-unreachable connect "$to:18003"
	probe "$icmp: no route" net-unreachable connect "$to:18004"
	probe "$icmp: port unreachable" refused connect "$to:18006"
	probe "$icmp: prohibited" prohibited connect "$to:18005"
	from=${to#[} from=${from%]}
	t "... and who said so" said "\"icmp_from\":\"$from\""
done
# Three questions, a second each.
WITHIN=6
probe "no answer to ARP" host-unreachable connect 192.0.2.99:7
WITHIN=2
probe "no route" net-unreachable connect 203.0.113.1:7
in_client ip route add prohibit 203.0.113.0/24
probe "a route that forbids it" prohibited connect 203.0.113.1:7
in_client ip route replace blackhole 203.0.113.0/24
probe "a route that swallows it" net-unreachable connect 203.0.113.1:7

# Two families.
cp /etc/hosts "$T/hosts"
printf '%s\n' "$SERVER6 both.test" "$SERVER both.test" >>"$T/hosts"
mount --bind "$T/hosts" /etc/hosts
in_client nft add rule inet lab from ip6 daddr $SERVER6 tcp dport $ECHO drop
probe "IPv6 is dropped, IPv4 is there" ok echo both.test:$ECHO
t "... a quarter of a second later, or little more" \
	at_most $((250 + ROOM)) $took
mend
in_client nft add rule inet lab from ip6 daddr $SERVER6 tcp dport 18000 drop
probe "IPv6 is dropped, IPv4 refuses" refused echo both.test:18000
t "... and both are said" equals 2 "$(grep -c '"event":"attempt"' "$T/probe")"
mend

# The name.
printf 'nameserver 127.0.0.1\n' >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf
in_client ip link set lo up
probe "no name server" unresolved echo no.such.invalid
nft add rule inet probe in udp dport 53 drop
printf 'nameserver %s\noptions timeout:20 attempts:3\n' $SERVER \
	>"$T/resolv.conf"
probe "a name server that does not answer" unresolved echo no.such.invalid
t "... and that is why" equals "no answer in time" "$(of_summary error)"

# The service.
server 18010 wait=60000
probe "accepts and never answers: echo" stalled echo $SERVER:18010
server 18011 wait=60000
probe "accepts and never answers: daytime" stalled daytime $SERVER:18011
server 18012 wait=60000
probe "accepts and never answers: connect" stalled connect $SERVER:18012
server 18018 wait=60000
probe "reads nothing of much" stalled -s 50000000 echo $SERVER:18018
server 18019 get=64 wait=60000
probe "reads all and answers nothing" stalled echo $SERVER:18019
server 18020 echo=63 wait=60000
probe "answers all but one byte" stalled echo $SERVER:18020
server 18021 get=64 rst
probe "RST instead of an answer" reset echo $SERVER:18021
server 18022 echo=64 rst
probe "RST in the second round trip" reset -c 2 -i 0.1 echo $SERVER:18022
server 18023 echo=64 end rst
probe "RST instead of FIN" reset echo $SERVER:18023
server 18024 fin end
probe "FIN before anything: echo" closed-early echo $SERVER:18024
probe "FIN before anything: daytime" closed-early daytime $SERVER:18024
server 18025 echo=63 fin end
probe "FIN before the last byte" closed-early echo $SERVER:18025
server 18026 echo=64 fin end
probe "FIN after the first round trip" closed-early -c 2 -i 0.1 \
	echo $SERVER:18026
t "... which was counted" answered 1
server 18027 get=64 send=64 end
probe "other bytes come back" mismatch echo $SERVER:18027
server 18028 echo=64 send=1 end
probe "a byte too many" mismatch echo $SERVER:18028
probe "echo asked of daytime" mismatch echo $SERVER:$DAYTIME
server 18029 echo=64 end wait=60000
probe "no FIN of theirs" stalled echo $SERVER:18029

# A daemon that is stopped: its kernel goes on alone.
daemon frozen "$(service echo 18030)
$(service daytime 18031)"
# shellcheck disable=SC2046
kill -STOP $DAEMON $(workers)
probe "a daemon that is stopped: echo" stalled echo $SERVER:18030
probe "a daemon that is stopped: daytime" stalled daytime $SERVER:18031
probe "a daemon that is stopped: connect" stalled connect $SERVER:18030
# shellcheck disable=SC2046
kill -CONT $DAEMON $(workers)

# in_background OPTION ... MODE HOST, and later NAME WORD: a probe to which
# something happens.
in_background()
{
	: >"$T/probe"
	run_probe "$@" &
	PROBING=$!
	until_true [ -s "$T/probe" ]
}

first_trip()
{
	until_true said '"seq":1'
}

later()
{
	wait "$PROBING"
	judge "$1" "$2"
}

# The line breaks in the middle.
in_background -c 2 -i 1 echo $SERVER:$ECHO
first_trip
in_client nft add rule inet lab from tcp dport $ECHO drop
later "the line is cut after the first round trip" timed-out
t "... which was counted" answered 1
mend
in_background -c 2 -i 1 echo $SERVER:$ECHO
first_trip
fault $ECHO reject with icmpx host-unreachable
later "ICMP after the first round trip: host unreachable" host-unreachable
nft flush chain inet probe in

# Half-established, see queue.sh: the server has but the SYN.
#
# half_establish PORT MODE: with that listener, one client served, four in the
# queue, and the probe that came before these.
half_establish()
{
	server "$1" get=1 send=1 go=9
	peer $(($1 + 100)) "$1" connect send=1 get=1 wait=60000
	until_true did $(($1 + 100)) get=1
	in_client nft add rule inet lab from ip saddr $OTHER \
		tcp flags '&' '(syn | ack)' == ack drop
	in_background -B $OTHER "$2" "$SERVER:$1"
	for port in $(($1 + 101)) $(($1 + 102)) $(($1 + 103)) $(($1 + 104)); do
		peer $port "$1" connect send=5 wait=60000
		until_true did $port send=5
	done
	mend
}

WITHIN=4
for one in 18040:echo 18041:daytime 18042:connect; do
	mode=${one#*:}
	half_establish "${one%:*}" "$mode"
	t "$mode: the server has but the SYN" equals SYN-RECV \
		"$(ss -Hatn "dst $OTHER" | awk '{ print $1 }' | sort -u)"
	later "half-established: $mode" half-established
	t "... nothing was acknowledged but the SYN" equals 1 \
		"$(of_summary sequence_acknowledged)"
done
sysctl -q -w net.ipv4.tcp_abort_on_overflow=1
half_establish 18060 echo
later "half-established, tcp_abort_on_overflow=1" half-established
t "... by RST" equals "Connection reset by peer" "$(of_summary error)"
t "each line of all of these is a JSON object" \
	equals "$(wc -l <"$T/probes")" "$(jq -c objects <"$T/probes" | wc -l)"
finish
