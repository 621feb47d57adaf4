# What the scripts of the lab share: a client in a network of its own, and
# faults on the way there.
# shellcheck shell=sh
#
#	. "${TOP_SRCDIR:-.}/tests/lib.sh"
#	. "$TOP_SRCDIR/tests/lab/lab.sh"
#	make_network			$SERVER here, $FAR behind a veth pair
#	daemon NAME "$conf" ...		a daemon; its log lines have the time
#	peer FROM TO step ...		a client in the background
#	experiment NAME EXPECTED SEEN	a test, and a line for "make lab"
#
# The client's network is that of a process of ours: when we end, however that
# is, it ends, and with it the veth pair and the rules.

SERVER=192.0.2.1
FAR=192.0.2.2
# shellcheck disable=SC2034
CHARGEN=17019 DISCARD=17009 TIME=17037

# Peers wait for files of this name: the step go=1 for $GO.1.
GO=$T/go
export GO

need_root
need ip nft nsenter

lab_holder()
{
	unshare -n sleep "$TEST_LIMIT" &
	LAB_HOLDER=$!
	BACKGROUND="$BACKGROUND $LAB_HOLDER"
	until_true is_elsewhere "$LAB_HOLDER"
}

is_elsewhere()
{
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
		[ "$(cat "/proc/$1/comm")" = sleep ]
}

in_client()
{
	nsenter -t "$CLIENT_HOLDER" -n "$@"
}

# Faults are in the client's network, so that the server's kernel sees of them
# what it would see of a broken line: nothing.
make_network()
{
	lab_holder
	CLIENT_HOLDER=$LAB_HOLDER
	ip link add lab type veth peer name lab netns "$CLIENT_HOLDER" || exit 99
	ip addr add $SERVER/24 dev lab
	ip link set lab up
	in_client ip addr add $FAR/24 dev lab
	in_client ip link set lab up
	in_client ip link set lo up
	in_client sysctl -q -w net.ipv4.icmp_ratelimit=0
	in_client nft -f - <<-END || exit 99
	table inet lab {
		chain to { type filter hook prerouting priority -300; policy accept; }
		chain from { type filter hook postrouting priority 300; policy accept; }
	}
	END
}

in_firewall()
{
	nsenter -t "$FIREWALL_HOLDER" -n "$@"
}

# make_firewall SECONDS ANSWER: the client is behind a firewall that forgets a
# connection on which nothing moves for so long. ANSWER is what it does then
# with a segment in the middle of it, as drop or reject.
make_firewall()
{
	FAR=198.51.100.2
	lab_holder
	FIREWALL_HOLDER=$LAB_HOLDER
	lab_holder
	CLIENT_HOLDER=$LAB_HOLDER
	ip link add lab type veth peer name near netns "$FIREWALL_HOLDER"
	in_firewall ip link add far type veth peer name lab \
		netns "$CLIENT_HOLDER"
	ip addr add $SERVER/24 dev lab
	in_firewall ip addr add 192.0.2.254/24 dev near
	in_firewall ip addr add 198.51.100.254/24 dev far
	in_client ip addr add $FAR/24 dev lab
	ip link set lab up
	in_firewall ip link set near up
	in_firewall ip link set far up
	in_client ip link set lab up
	ip route add 198.51.100.0/24 via 192.0.2.254
	in_client ip route add default via 198.51.100.254
	in_firewall nft -f - <<-END || exit 99
	table inet lab {
		chain forward {
			type filter hook forward priority 0; policy accept;
			ct state established accept
			ct state new tcp flags & (syn | ack) == syn accept
			counter $2
		}
	}
	END
	in_firewall sysctl -q -w net.ipv4.ip_forward=1 \
		net.netfilter.nf_conntrack_tcp_loose=0 \
		net.netfilter.nf_conntrack_tcp_timeout_established="$1"
}

# forgets SECONDS PORTS: the same, after another time, for these of the server.
forgets()
{
	in_firewall nft -f - <<-END || exit 99
	table inet forgets {
		ct timeout after$1 {
			protocol tcp
			l3proto ip
			policy = { established : $1 }
		}
		chain after$1 {
			type filter hook prerouting priority -150
			policy accept
			tcp dport $2 ct timeout set "after$1"
		}
	}
	END
}

# cut_line PORT ...: nothing passes any more between the server and these ports of
# the client. It was cut at the time CUT, or up to CUTTING milliseconds later.
cut_line()
{
	ports=$(echo "$*" | tr ' ' ',')
	CUT=$(now_ms)
	in_client nft "
		add rule inet lab to tcp dport { $ports } drop
		add rule inet lab from tcp sport { $ports } drop"
	# shellcheck disable=SC2034
	CUTTING=$(($(now_ms) - CUT))
}

# last_words PORT ...: these say one thing yet, and hear nothing any more: of
# each, two short segments pass, so that a probe on the way is not all of it.
last_words()
{
	for port in "$@"; do
		in_client nft "
			add rule inet lab to tcp dport $port drop
			add rule inet lab from tcp sport $port \
				quota over 120 bytes drop"
	done
}

mend()
{
	in_client nft flush table inet lab
}

# lossy PERCENT PORT: of the packets to and from this port of the server, at
# random.
lossy()
{
	in_client nft add rule inet lab to tcp sport "$2" \
		numgen random mod 100 \< "$1" counter drop
	in_client nft add rule inet lab from tcp dport "$2" \
		numgen random mod 100 \< "$1" counter drop
}

# unreachable PORT KIND: the server is told so, by ICMP, when it sends to this
# port of the client; which may say one thing yet, as above.
unreachable()
{
	in_client nft "
		add rule inet lab to tcp dport $1 reject with icmpx $2
		add rule inet lab from tcp sport $1 \
			quota over 120 bytes drop"
}

# clamp PORT SIZE: the largest segment for connections to this port.
clamp()
{
	in_client nft add rule inet lab to tcp sport "$1" \
		tcp flags syn tcp option maxseg size set "$2"
	in_client nft add rule inet lab from tcp dport "$1" \
		tcp flags syn tcp option maxseg size set "$2"
}

# service NAME PORT LINE ...: a block of a configuration.
service()
{
	printf 'service %s {\nlisten %s:%s\n' "$1" $SERVER "$2"
	shift 2
	printf '%s\n' "$@" "}"
}

# daemon NAME TEXT: one of several at once. The last one is DAEMON and $T/log.
daemon()
{
	printf 'pid-file none\ncontrol none\nlog-connections yes\n%s\n' "$2" >"$T/$1.conf"
	mkfifo "$T/$1.fifo"
	"$CLIENT" stamp <"$T/$1.fifo" >"$T/$1.log" &
	BACKGROUND="$BACKGROUND $!"
	"$PREFORKD" -F -f "$T/$1.conf" 2>"$T/$1.fifo" &
	DAEMON=$!
	BACKGROUND="$BACKGROUND $DAEMON"
	ln -sfn "$1.log" "$T/log"
	until_true logged 'notice: serving' || {
		sed 's/^/# /' "$T/log"
		echo "Bail out! the daemon $1 did not start"
		exit 1
	}
}

# peer FROM TO STEP ...: a client that plays these steps to the port TO, and is
# known by its own one. What it did is in $T/peer.FROM.
peer()
{
	peer_port=$1
	peer_to=$2
	shift 2
	# Not in_client: the process in the background is to be the client.
	nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" play -t "$TEST_LIMIT" \
		$SERVER "$peer_to" "from=$peer_port" "$@" \
		>"$T/peer.$peer_port" 2>&1 &
	BACKGROUND="$BACKGROUND $!"
}

# go N: those that wait in the step go=N go on.
go()
{
	: >"$GO.$1"
}

# did PORT STEP [RESULT]: it has come through this step, so.
did()
{
	logged "^[0-9]+ $2 ${3:-done} " "$T/peer.$1"
}

# peer_ms PORT STEP: when it had.
peer_ms()
{
	until_true did "$1" "$2" '[^ ]*' >/dev/null
	sed -n "s/^\\([0-9]*\\) $2 .*/\\1/p" "$T/peer.$1" | tail -n 1
}

line_of()
{
	grep -h "peer=$FAR:$1 .*ending=" "$T"/*.log
}

# field_of PORT FIELD: of the log line of its connection.
field_of()
{
	line_of "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

word_of()
{
	until_true line_of "$1" >/dev/null
	field_of "$1" ending
}

# ended_ms PORT: when its line came.
ended_ms()
{
	line_of "$1" | cut -d ' ' -f 1
}

has_not_ended()
{
	! line_of "$1"
}

seconds()
{
	case $1 in
	-*) echo "-$(seconds "${1#-}")" ;;
	*) echo "$(($1 / 1000)).$(printf %03d $(($1 % 1000))) s" ;;
	esac
}

# row NAME EXPECTED SEEN: a line of the table of "make lab".
row()
{
	printf '# lab: %s | %s | %s\n' "$1" "$2" "$3"
}

experiment()
{
	row "$1" "$2" "$3"
	t "$1" equals "$2" "$3"
}

# ends NAME PORT WORD SINCE LEAST MOST: with that word, so many milliseconds
# after the time SINCE.
ends()
{
	word=$(word_of "$2")
	took=$(($(ended_ms "$2") - $4))
	row "$1" "$3 after $(seconds "$5") to $(seconds "$6")" \
		"$word after $(seconds $took)"
	t "$1: $3" equals "$3" "$word"
	t "... in time: after $(seconds "$5") to $(seconds "$6")" \
		is_between "$5" "$6" $took
}
