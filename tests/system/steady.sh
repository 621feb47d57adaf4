#!/bin/sh
# Reloads and upgrades, good ones and bad ones, under a steady load:
# nobody is refused or reset, and no byte is lost or wrong. SECONDS_LONG
# stretches it.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

: "${SECONDS_LONG:=20}"
NEW_A_SECOND=500
STREAMS=50
ROUNDS=25 # each fifth is an upgrade

TRIED=$PREFORKD
mkdir "$T/bin"
cp "$TRIED" "$T/bin/preforkd"
PREFORKD=$T/bin/preforkd

good()
{
	conf "max-workers 300" "max-spare-workers 60" \
		"max-connections-per-worker $((300 + $1))" |
		sed '/^log-connections/d'
}

# Each in its own way.
bad()
{
	case $(($1 % 3)) in
	0) good "$1" | sed 's/max-workers/max-wokers/' ;;
	1) good "$1" | sed '/^}/d' ;;
	2) echo "user nobody-of-that-name"
		good "$1" | sed "s/:$DAYTIME/:$ECHO/" ;;
	esac
}

start "$(good 0)"
descriptors=$(ls "/proc/$DAEMON/fd" | wc -l)
began=$(now_ms)
"$CLIENT" rate -n $NEW_A_SECOND -b 2000 -t "$SECONDS_LONG" 127.0.0.1 $ECHO \
	>"$T/new" &
NEW=$!
"$CLIENT" stream -n $STREAMS -b 20000 -t "$SECONDS_LONG" 127.0.0.1 $ECHO \
	>"$T/streams" &
OLD=$!

# All in the same time, whatever one of them takes.
upgrades=0
refused=0
reloaded=0
failed=
for round in $(seq $ROUNDS); do
	while [ $(($(now_ms) - began)) -lt \
		$((round * SECONDS_LONG * 1000 / (ROUNDS + 1))) ]; do
		sleep 0.02
	done
	case $((round % 5)) in
	0)
		write_file "$(good "$round")"
		cp "$TRIED" "$T/bin/new"
		mv "$T/bin/new" "$PREFORKD"
		upgrade
		upgrades=$((upgrades + 1))
		wanted=reloaded
		;;
	3)
		reload "$(bad "$round")"
		refused=$((refused + 1))
		wanted='reload refused'
		;;
	*)
		reload "$(good "$round")"
		reloaded=$((reloaded + 1))
		wanted=reloaded
		;;
	esac
	last_outcome "$wanted" >"$T/outcome" ||
		failed="$failed $round:$(grep -E "$RELOAD_ENDS|$UPGRADE_ENDS" \
			"$T/log" | tail -n 1)"
done
t "each reload and upgrade came to what it should" equals "" "$failed"
# Each upgrade begins with a reload.
t "$reloaded reloads, $refused that were refused, $upgrades upgrades" equals \
	"$((reloaded + upgrades)) $refused $upgrades" \
	"$(log_lines 'notice: reloaded') \
$(log_lines 'error: reload refused') $(log_lines 'notice: upgraded')"
wait $NEW
STATUS=$?
echo "# $NEW_A_SECOND new connections a second: $(cat "$T/new")"
t "each new connection got all of its bytes, and FIN" equals 0 $STATUS
# tcp_counter GROUP NAME: of this network, from /proc/net/netstat or snmp.
tcp_counter()
{
	cat /proc/net/netstat /proc/net/snmp | awk -v group="$1:" -v name="$2" '
	$1 == group && !n { for (n = 2; $n != name; n++); next }
	$1 == group { print $n; exit }'
}
if [ -n "${TEST_NAMESPACE-}" ]; then
	t "... no queue has been full" equals 0 "$(tcp_counter TcpExt ListenDrops)"
	echo "# $(tcp_counter Tcp RetransSegs) segments were sent again"
fi
wait $OLD
STATUS=$?
echo "# $STREAMS streams: $(cat "$T/streams")"
t "... and so did each of the long ones" equals 0 $STATUS
all=$(sed 's/started=\([0-9]*\).*/\1/' "$T/new")
t "the counters have all of them" until_true \
	field_is echo connections $((all + STREAMS))
t "nothing of it is left open" equals "$descriptors" \
	"$(ls "/proc/$DAEMON/fd" | wc -l)"
no_worker_of_before()
{
	[ "$(worker_count)" -le $((4 + 60 + 4)) ]
}
t "workers of before have left" until_true no_worker_of_before
t "no worker has failed" equals 0 "$(log_lines 'was killed|exited with status 1')"
stop
t "exit status 0" equals 0 $STATUS
finish
