#!/bin/sh
# Under a real systemd: reloads, upgrades and restarts under a steady load. No
# new client is refused, none is reset, and each stream that a restart ends sees
# FIN, and no wrong byte. SECONDS_LONG stretches it.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/box.sh"

UNIT=preforkd.service
: "${SECONDS_LONG:=20}"
NEW_A_SECOND=500
STREAMS=50
ROUNDS=30 # 5 restarts, 5 upgrades, 5 reloads that are refused, 15 that are not

prepare()
{
	install_box || return
	sed -e 's/#max-workers 1024/max-workers 300/' \
		-e 's/#max-spare-workers 16 /max-spare-workers 60 /' \
		"$BOX/etc/preforkd.conf" >"$T/good.conf" &&
		(cat "$T/good.conf" && echo nonsense) >"$T/bad.conf" &&
		cp "$T/good.conf" "$BOX/etc/preforkd.conf"
}

box_make
t "install into the box" prepare
t "boot systemd" power_on basic.target
t "the service starts" in_box systemctl start $UNIT

began=$(now_ms)
"$CLIENT" rate -n $NEW_A_SECOND -b 2000 -t "$SECONDS_LONG" 127.0.0.1 7 \
	>"$T/new" &
NEW=$!

# A restart ends the streams: others take their place.
streams()
{
	while [ ! -e "$T/enough" ]; do
		"$CLIENT" stream -n $STREAMS -b 20000 -t "$SECONDS_LONG" \
			127.0.0.1 7
	done >"$T/streams"
}
streams &
OLD=$!

failed=
for round in $(seq $ROUNDS); do
	while [ $(($(now_ms) - began)) -lt \
		$((round * SECONDS_LONG * 1000 / (ROUNDS + 1))) ]; do
		sleep 0.02
	done
	case $((round % 6)) in
	0) in_box systemctl restart $UNIT ;;
	3) in_box preforkctl upgrade ;;
	5)
		cp "$T/bad.conf" "$BOX/etc/preforkd.conf"
		not in_box systemctl reload $UNIT
		result=$?
		cp "$T/good.conf" "$BOX/etc/preforkd.conf"
		[ $result = 0 ]
		;;
	*) in_box systemctl reload $UNIT ;;
	esac >"$T/out" 2>&1 || failed="$failed $round:$(cat "$T/out")"
done
t "15 reloads, 5 that are refused, 5 upgrades and 5 restarts" equals "" "$failed"
: >"$T/enough"
wait $NEW
echo "# $NEW_A_SECOND new connections a second: $(cat "$T/new")"
all=$(sed 's/started=\([0-9]*\).*/\1/' "$T/new")
t "there were as many new connections as there should be" at_most "$all" \
	$((NEW_A_SECOND * SECONDS_LONG * 9 / 10))
t "each of them saw FIN, and no wrong byte" grep -Eq \
	"^started=$all whole=[0-9]* fin=$all rst=0 refused=0 timeout=0 mismatch=0 " \
	"$T/new"
whole=$(sed 's/.* whole=\([0-9]*\).*/\1/' "$T/new")
t "... and its own" equals "$all" "$whole"
t "the last restart, for the streams" in_box systemctl restart $UNIT
wait $OLD
sed 's/^/# streams: /' "$T/streams"
t "each stream saw FIN, and no wrong byte" not grep -v \
	"^fin=$STREAMS rst=0 timeout=0 mismatch=0 " "$T/streams"
# One that has to come in between two restarts may live through the second.
t "... and others came after them" at_most "$(wc -l <"$T/streams")" 4
t "no worker has failed" equals 0 \
	"$(in_box journalctl -q --no-pager -u $UNIT -o cat |
		grep -Ec 'was killed|exited with status 1')"
finish
