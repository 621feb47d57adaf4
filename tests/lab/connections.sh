#!/bin/sh
# preforkctl connections says of each connection what ss(8) says, in every state
# that a worker can be in.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need ss
make_network
# So that a peer that does not read stops its worker soon.
sysctl -q -w net.ipv4.tcp_wmem="4096 16384 16384"
LIMITS="start-workers 20
min-spare-workers 4
max-spare-workers 60
max-workers 100
peer-timeout 300s
linger-timeout 200s
idle-timeout 0"
printf 'pid-file none\ncontrol %s/control\n%s\n%s\n%s\n' "$T" \
	"$(service echo $ECHO "$LIMITS")" \
	"$(service daytime $DAYTIME "$LIMITS")" \
	"$(service chargen $CHARGEN "$LIMITS")" >"$T/main.conf"
"$PREFORKD" -F -f "$T/main.conf" 2>"$T/log" &
DAEMON=$!
until_true logged 'notice: serving chargen' || exit 99

ctl()
{
	"$PREFORKCTL" -s "$T/control" connections
}

# pid peer state unacked rtt-us retrans timer, and the timer's milliseconds
ours()
{
	ctl | awk 'NR > 2 {
		split($11 ",,", timer, ",")
		printf "%s %s %s %s %d %s %s %d\n", $1, $3, $4, $8,
			$9 * 1000000 + 0.5, $10, timer[1], timer[2] * 1000
	}' | sort
}

# The same of ss: "1min23sec", "204ms", and "1.234ms" for more than a second.
theirs()
{
	ss -tinpoHO state connected exclude syn-recv exclude time-wait |
	awk -v ports=" $ECHO $DAYTIME $CHARGEN " '
	function ms(text, sum) {
		sum = 0
		if (match(text, /^[0-9]+min/)) {
			sum += 60000 * substr(text, 1, RLENGTH - 3)
			text = substr(text, RLENGTH + 1)
		}
		if (text ~ /\./)
			sum += 1000 * substr(text, 1, length(text) - 2)
		else if (text ~ /ms$/)
			sum += substr(text, 1, length(text) - 2)
		else if (text ~ /sec$/)
			sum += 1000 * substr(text, 1, length(text) - 3)
		return sum
	}
	BEGIN {
		names["ESTAB"] = "ESTABLISHED"
	}
	match($0, /pid=[0-9]+/) {
		pid = substr($0, RSTART + 4, RLENGTH - 4)
		port = $4
		sub(/.*:/, "", port)
		if (index(ports, " " port " ") == 0)
			next
		peer = $5
		sub(/\[::ffff:/, "", peer)
		sub(/\]/, "", peer)
		retrans = 0
		timer = "-,,"
		rtt = 0
		for (i = 6; i <= NF; i++) {
			if ($i ~ /^retrans:/) {
				retrans = $i
				sub(/.*\//, "", retrans)
			} else if ($i ~ /^rtt:/) {
				rtt = $i
				sub(/^rtt:/, "", rtt)
				sub(/\/.*/, "", rtt)
			} else if ($i ~ /^timer:/) {
				timer = $i
				gsub(/^timer:\(|\)$/, "", timer)
			}
		}
		split(timer, t, ",")
		state = $1 in names ? names[$1] : $1
		printf "%s %s %s %s %d %s %s %d\n", pid, peer, state, $3,
			rtt * 1000 + 0.5, retrans, t[1], ms(t[2])
	}' | sort
}

# Some seconds may pass between the two.
agree()
{
	ours >"$T/ours"
	theirs >"$T/theirs"
	cut -d ' ' -f 1-7 "$T/ours" >"$T/ours.cut"
	cut -d ' ' -f 1-7 "$T/theirs" >"$T/theirs.cut"
	diff "$T/theirs.cut" "$T/ours.cut" || return
	paste -d ' ' "$T/ours" "$T/theirs" | awk '
		$8 - $16 > 3000 || $16 - $8 > 3000 { print; bad = 1 }
		END { exit bad }'
}

count()
{
	ours | awk -v state="$1" -v timer="$2" \
		'$3 == state && (timer == "" || $7 == timer)' | wc -l
}

counts()
{
	equals "$3" "$(count "$1" "$2")"
}

played()
{
	for port in $(seq "$1" "$2"); do
		did "$port" "$3" || return
	done
}

# 40 that have had an answer, and say nothing.
for port in $(seq 6000 6039); do
	peer "$port" $ECHO connect send=100 get=100 wait=200000
done
t "40 idle ones" until_true played 6000 6039 get=100
# 15 that do not read, and a closed window.
for port in $(seq 6100 6114); do
	peer "$port" $CHARGEN room=4096 connect wait=200000
done
t "15 that do not read: persist" until_true counts ESTABLISHED persist 15
# 15 that have said that it is over, and have not read what there is for them.
for port in $(seq 6200 6214); do
	peer "$port" $ECHO room=4096 connect send=70000 fin wait=200000
done
t "15 whose FIN has come, and ours has not gone" \
	until_true counts CLOSE-WAIT "" 15
# 10 that keep their end open after our FIN.
for port in $(seq 6300 6309); do
	peer "$port" $DAYTIME connect wait=200000
done
t "10 that do not answer our FIN with theirs" \
	until_true counts FIN-WAIT-2 "" 10
# 10 that our FIN does not reach.
in_client nft add rule inet lab to tcp dport 6400-6499 \
	tcp flags \& fin == fin drop
for port in $(seq 6400 6409); do
	peer "$port" $DAYTIME connect wait=200000
done
t "10 that our FIN does not reach" until_true counts FIN-WAIT-1 on 10
# 10 of whom nothing comes any more.
for port in $(seq 6500 6509); do
	peer "$port" $ECHO connect send=100 get=100 go=1 send=100 wait=200000
done
until_true played 6500 6509 get=100
in_client nft add rule inet lab to tcp dport 6500-6599 drop
go 1
t "10 who do not hear us: retransmissions" until_true counts ESTABLISHED on 10

experiment "connections of a worker, in five states and with three timers" \
	"100 connections" "$(ours | wc -l) connections"
t "... the kernel's columns are those of ss" until_true agree
for state in ESTABLISHED CLOSE-WAIT FIN-WAIT-1 FIN-WAIT-2; do
	row "state $state" "as ss" "$(count $state "") connections"
done
retransmitted()
{
	ours | awk '$7 == "on" && $6 == 0 { bad = 1 } END { exit bad }'
}
t "... segments sent again are counted" until_true retransmitted
t "... still those of ss" until_true agree
t "... unacknowledged bytes are there for who does not read" \
	equals "30 30" "$(ours | awk '
		$7 == "persist" { n++; full += $4 > 4000 }
		END { print n, full }')"
t "... and the worker's, of the 40 idle ones" equals "40 100 100" \
	"$(ctl | awk '$3 ~ /:60[0-3][0-9]$/ { print $6, $7 }' |
		uniq -c | sed 's/^ *//')"
nowhere()
{
	equals "100 - -" "$(in_client "$PREFORKCTL" -s "$T/control" \
		connections | awk 'NR > 2 { print $4, $11 }' | uniq -c |
		sed 's/^ *//')"
}
t "from another network namespace there is nothing of the kernel's" nowhere
# There somebody has a connection with the same peer and ports: not our worker.
nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" serve -k 4 -t 200 $FAR $ECHO \
	wait=200000 >"$T/far" 2>&1 &
BACKGROUND="$BACKGROUND $!"
until_true logged '^listening' "$T/far"
in_far()
{
	in_client ss -tnH state established "sport = $ECHO" | grep -q ":6000 *$"
}
nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" play -t 200 $FAR $ECHO from=6000 \
	connect wait=200000 >/dev/null 2>&1 &
BACKGROUND="$BACKGROUND $!"
t "... one of its own looks like one of ours" until_true in_far
t "... and is not taken for it" nowhere
kill -KILL "$DAEMON"
wait "$DAEMON" 2>/dev/null
DAEMON=
finish
