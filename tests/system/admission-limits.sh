#!/bin/sh
# max-per-source and rate-per-source: never more than they say, whatever else
# happens, and one source never pays for another.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace

: "${STORM_SECONDS:=4}"
SECOND=17008

# An echo of two listening sockets; arguments are lines of it.
echo_conf()
{
	echo "pid-file none"
	echo "control none"
	echo "service echo {"
	printf 'listen 127.0.0.1:%s\n' $ECHO $SECOND
	for line in "linger-timeout 1s" "start-workers 12" \
	    "min-spare-workers 8" "max-workers 40" "$@"; do
		echo "$line"
	done
	echo "}"
}

field()
{
	tr ' ' '\n' <"$1" | sed -n "s/^$2=//p"
}

# Three sources, each with more than it may have, on both sockets; some of the
# workers are killed.
start "$(echo_conf "max-per-source 3")"
for n in 2 3 4; do
	"$CLIENT" storm -B 127.0.0.$n -n 10 -t "$STORM_SECONDS" 127.0.0.1 \
		$ECHO,$SECOND >"$T/storm.$n" &
	BACKGROUND="$BACKGROUND $!"
done
end=$(($(date +%s) + STORM_SECONDS))
killed=0
while [ "$(date +%s)" -lt $end ]; do
	for victim in $(pgrep -P "$DAEMON" | shuf -n 2); do
		kill -KILL "$victim" 2>/dev/null && killed=$((killed + 1))
	done
	sleep 0.1
done
for pid in $BACKGROUND; do
	wait "$pid"
done
BACKGROUND=
for n in 2 3 4; do
	t "127.0.0.$n had never more than its three" \
		at_most 3 "$(field "$T/storm.$n" most)"
	t "... some of its connections were served" \
		is_between 10 1000000 "$(field "$T/storm.$n" admitted)"
	t "... and some refused" \
		is_between 10 1000000 "$(field "$T/storm.$n" refused)"
	t "... which one line of the log says" equals 1 \
		"$(log_lines "notice: echo 127.0.0.1:1700[78]: refused 127.0.0.$n: max-per-source 3: it has that many connections \(raise it to admit more\)\$")"
done
t "workers were killed meanwhile" is_between 5 100000 $killed
all_three()
{
	"$CLIENT" echo -c -n 3 -b 1000 -t 5 -B "$1" 127.0.0.1 "$2"
}
for n in 2 3 4; do
	t "what they had is free again for 127.0.0.$n" \
		until_true all_three 127.0.0.$n $SECOND
done
stop
t "exit status 0" equals 0 $STATUS

# Held ones count on both sockets, for their own service and source alone.
start "$(echo_conf "max-per-source 3"
	echo "service daytime {"
	echo "listen 127.0.0.1:$DAYTIME"
	echo "max-per-source 1"
	echo "}")"
mkfifo "$T/held"
"$CLIENT" connect -l -n 2 -B 127.0.0.2 127.0.0.1 $ECHO <"$T/held" \
	>"$T/held.out" &
BACKGROUND=$!
exec 8>"$T/held"
busy()
{
	kill -USR1 "$DAEMON"
	equals 2 "$(grep "status: service=echo listen=127.0.0.1:$ECHO " "$T/log" |
		tail -n 1 | sed -n 's/.* busy=\([0-9]*\) .*/\1/p')"
}
t "two connections of one source are held" until_true busy
one()
{
	"$CLIENT" echo -c -n 1 -b 1 -t 20 -B "$1" 127.0.0.1 "$2"
}
t "a third on the other socket is served" one 127.0.0.2 $SECOND
run "$CLIENT" echo -n 2 -b 1 -t 1 -B 127.0.0.2 127.0.0.1 $SECOND
t "of two more one is, or at the same instant none" \
	is_between 0 1 "$(printf '%s\n' "$STDOUT" | sed -n 's/.* complete=\([0-9]*\).*/\1/p')"
t "another source has its own three" until_true all_three 127.0.0.3 $ECHO
t "another service counts for itself" equals \
	"fin=1 rst=0 timeout=0 lines=1" \
	"$("$CLIENT" daytime -B 127.0.0.2 127.0.0.1 $DAYTIME)"

# A reload: old workers keep their clients, and those count with the new ones.
printf '%s\n' "$(echo_conf "max-per-source 2")" >"$T/preforkd.conf"
kill -HUP "$DAEMON"
until_true logged 'notice: reloaded$'
# A worker of before may take one more client while it leaves.
t "two in workers of before a reload are two" \
	until_true not one 127.0.0.2 $SECOND
t "... whoever is asked" not one 127.0.0.2 $SECOND
t "... of which others know nothing" until_true one 127.0.0.3 $SECOND
exec 8>&-
wait $BACKGROUND
BACKGROUND=
t "... and when they are gone, there is room" until_true one 127.0.0.2 $SECOND
stop
t "exit status 0 again" equals 0 $STATUS
finish
