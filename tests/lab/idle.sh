#!/bin/sh
# preforkprobe idle: firewalls that forget, and do not say so or answer with
# RST. The limit is found within a second, and a connection with the keepalive
# that is advised then lives ten times as long. "make lab-long" has longer ones.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need jq
: "${LAB_LIMITS:=5}"
TIMES=10

# Two services for each limit: one that sends no keepalive, to be measured, and
# one with the keepalive that shall come of it; and of each two, for that the
# firewall drops or rejects.
measured_port()
{
	echo $((18100 + $1 * 4 + $2))
}

advised_port()
{
	echo $((18102 + $1 * 4 + $2))
}

# keepalive_of LIMIT: keepalive-idle and keepalive-interval.
keepalive_of()
{
	case $1 in
	5) echo 2 1 ;;
	17) echo 8 2 ;;
	61) echo 30 10 ;;
	esac
}

# start_daemons LIMIT
start_daemons()
{
	keepalive=$(keepalive_of "$1")
	daemon "measured-$1" "
$(service echo "$(measured_port "$1" 0)" \
	"listen $SERVER:$(measured_port "$1" 1)" \
	"keepalive no" "idle-timeout 1h")"
	daemon "advised-$1" "
$(service echo "$(advised_port "$1" 0)" \
	"listen $SERVER:$(advised_port "$1" 1)" \
	"keepalive-idle ${keepalive% *}s" \
	"keepalive-interval ${keepalive#* }s" "idle-timeout 1h")"
}

# Odd ports of the server.
make_firewall 3600 "tcp dport & 1 == 1 reject with tcp reset
			tcp sport & 1 == 1 reject with tcp reset
			drop"
for limit in $LAB_LIMITS; do
	forgets "$limit" "$(measured_port "$limit" 0)-$(advised_port "$limit" 1)"
	start_daemons "$limit"
done

# How a peer without keepalive of its own has fared in the end, from port FROM.
hold()
{
	peer "$1" "$2" connect send=5 get=5 wait=$(($3 * TIMES * 1000)) \
		send=7 get=7 fin end
}

measure()
{
	in_client timeout "$TEST_LIMIT" "$PROBE" -j -t 2 --max $(($2 * 3)) \
		idle "$SERVER:$1" >"$T/probe.$1" 2>&1 &
	eval "PID_$1=$!"
	BACKGROUND="$BACKGROUND $!"
}

for limit in $LAB_LIMITS; do
	for rejects in 0 1; do
		hold $((5000 + limit * 2 + rejects)) \
			"$(advised_port "$limit" $rejects)" "$limit"
		measure "$(measured_port "$limit" $rejects)" "$limit"
	done
done

# of_summary PORT FIELD
of_summary()
{
	jq -r "select(.event == \"summary\") | .$2" "$T/probe.$1"
}

# Our last acknowledgement, which the firewall counts from, is a moment later
# than the byte that the probe counts from.
is_within()
{
	is_between $(($1 * 1000 - 1000)) $(($1 * 1000 + 100)) "${2%.*}" &&
		is_between $(($1 * 1000)) $(($1 * 1000 + 1100)) "${3%.*}"
}

judge()
{
	port=$(measured_port "$1" "$2")
	eval "wait \$PID_$port"
	t "$3: exit status 0" equals 0 $?
	alive=$(of_summary "$port" alive_ms) gone=$(of_summary "$port" gone_ms)
	row "$3: the limit" "$1 s, within 1 s" \
		"more than $(seconds "${alive%.*}"), less than $(seconds "${gone%.*}")"
	t "... the limit is found within a second" is_within "$1" "$alive" "$gone"
	experiment "$3: what comes too late is" "$4" "$(of_summary "$port" gone)"
	experiment "$3: the advice" "idle $(keepalive_of "$1" |
		sed 's/ /, interval /')" "$(of_summary "$port" \
		'| "idle \(.keepalive_idle_s), interval \(.keepalive_interval_s)"')"
	t "... it is proved" equals true "$(of_summary "$port" proved)"
	t "... for three times the limit" is_between $(($1 * 3000)) \
		$(($1 * 3000 + 5000)) "$(of_summary "$port" 'held_ms | floor')"
}

firewall()
{
	case $2 in
	0) echo "forgets after $1 s, drops" ;;
	1) echo "forgets after $1 s, answers with RST" ;;
	esac
}

for limit in $LAB_LIMITS; do
	judge "$limit" 0 "$(firewall "$limit" 0)" timed-out
	judge "$limit" 1 "$(firewall "$limit" 1)" reset
done
for limit in $LAB_LIMITS; do
	# More than what is left of it.
	PATIENCE=$((TIMES * limit + 20))
	for rejects in 0 1; do
		from=$((5000 + limit * 2 + rejects))
		until_true did $from end '[^ ]*' >/dev/null
		experiment "$(firewall "$limit" $rejects): $((TIMES * limit)) s with the advice" \
			"all 7 bytes, FIN" \
			"$(did $from get=7 && did $from end fin &&
				echo "all 7 bytes, FIN")"
	done
done
finish
