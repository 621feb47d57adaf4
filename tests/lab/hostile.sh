#!/bin/sh
# Clients that are up to no good, 100,000 of them: who comes to be served is, the
# books are right to the last connection, and the master is what it was. One
# worker in a hundred is killed again and again besides.
#
#	HOSTILE=1000000 tests/lab/hostile.sh		for longer than the suite
[ "${SANITIZERS:-no}" = no ] || : "${HOSTILE:=20000}" # each costs much more
: "${HOSTILE:=100000}"
: "${TEST_LIMIT:=$((300 + HOSTILE / 500))}"
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need ss shuf nstat
MAX=500
STORM=3000
AMID=100                     # in the half-open flood
STREAMS=20
QUICK=$((HOSTILE / 5))       # come and go at full speed
SLOW_IN=12                   # of the others one in so many is slow
HALF_OPEN=20000              # SYNs of nobody
HALF_SLACK=1000              # of these that the kernel may have had done with
RSS_SLACK=256                # KiB
PATIENCE=60

# Those come from addresses of their own, so that ports suffice, and so that a
# worker that serves one of ours can be told.
make_network
SOURCES=
for last in $(seq 16 31); do
	SOURCES="$SOURCES 192.0.2.$last"
	in_client ip addr add 192.0.2.$last/24 dev lab
done
# Nobody is there: the answers have a way, and come to nothing.
ip route add 198.18.0.0/15 via $FAR
sysctl -q -w net.ipv4.tcp_syncookies=1

start "pid-file none
control none
service echo {
listen $SERVER:$ECHO
max-workers $MAX
max-spare-workers 32
linger-timeout 1s
evict no
}"

polite()
{
	nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" rate -n 50 -b 2000 \
		-t "$TEST_LIMIT" $SERVER $ECHO >"$T/polite" &
	POLITE=$!
	BACKGROUND="$BACKGROUND $POLITE"
}

# part OF LINE: the number behind this word.
part()
{
	tr ' ' '\n' <"$T/$2" | sed -n "s/^$1=//p"
}

rss()
{
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$DAEMON/status"
}

descriptors()
{
	for fd in "/proc/$DAEMON/fd"/*; do
		readlink "$fd"
	done | sort
}

ending()
{
	status_field echo endings | tr ',' '\n' | sed -n "s/^$1://p" |
		grep . || echo 0
}

sum_of_endings()
{
	status_field echo endings | tr ',' '\n' |
		awk -F : '{ sum += $2 } END { print sum + 0 }'
}

# As many workers as an idle pool keeps, all of them in accept.
is_calm()
{
	field_is echo busy 0 && field_is echo queue 0/4096 &&
		at_most 32 "$(status_field echo workers)" &&
		equals "$(status_field echo idle)" "$(worker_count)"
}

# The state of a stopped worker does not change: a worker that has one of ours
# goes on, the others die where they are.
strike()
{
	victims=$(workers | tr ' ' '\n' |
		shuf -n $((($(worker_count) + 99) / 100)))
	for pid in $victims; do
		kill -STOP "$pid" 2>/dev/null
	done
	for pid in $victims; do
		until_true has_halted "$pid"
	done
	ss -Htnp "sport = :$ECHO and dst $FAR" >"$T/ours"
	for pid in $victims; do
		if grep -q "pid=$pid," "$T/ours"; then
			kill -CONT "$pid"
			spared=$((spared + 1))
		elif kill -KILL "$pid" 2>/dev/null; then
			killed=$((killed + 1))
		fi
	done
}

# Or it has left.
has_halted()
{
	! grep -q '^State:[[:space:]]*[RSD]' "/proc/$1/status" 2>/dev/null
}

# At first as many as may be, so that the master has had all the memory for it.
nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" echo -n $MAX -b 1 -t 100 \
	$SERVER $ECHO >"$T/held" &
HOLDER=$!
t "as many workers as there may be" until_true has_workers $MAX
kill $HOLDER 2>/dev/null
wait $HOLDER 2>/dev/null
t "... and they leave" until_true is_calm
before=$(status_field echo connections)
kilobytes=$(rss)
held=$(descriptors)
polite

# Accept storm.
in_client "$CLIENT" echo -c -n $STORM -b 300 -t 120 $SERVER $ECHO >"$T/storm"
STATUS=$?
row "accept storm: $STORM at once" "complete=$STORM" \
	"$(grep -o 'complete=[0-9]*' "$T/storm")"
t "accept storm: each of $STORM that come at once has all of its bytes, and FIN" \
	equals "0 fin=$STORM rst=0 timeout=0 mismatch=0" \
	"$STATUS $(grep -o 'fin=.*mismatch=[0-9]*' "$T/storm")"

# Connection flood, then all of it and SIGKILL.
# shellcheck disable=SC2086
in_client "$CLIENT" hostile -n $QUICK -k 0 -t "$TEST_LIMIT" $SERVER $ECHO \
	$SOURCES >"$T/quick"
t "connection flood: $QUICK that come and go have done so" equals 0 $?
killed=0
spared=0
nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" stream -n $STREAMS -b 20000 -t 15 \
	$SERVER $ECHO >"$T/streams" &
LONG=$!
BACKGROUND="$BACKGROUND $LONG"
# shellcheck disable=SC2086
in_client "$CLIENT" hostile -n $((HOSTILE - QUICK)) -k $SLOW_IN \
	-t "$TEST_LIMIT" $SERVER $ECHO $SOURCES >"$T/mixed" &
MIXED=$!
most=0
while kill -0 $MIXED 2>/dev/null; do
	strike
	now=$(worker_count)
	[ "$now" -le $most ] || most=$now
	sleep 0.2
done
wait $MIXED
STATUS=$?
echo "# mixed: $(cat "$T/mixed")"
echo "# $killed workers were killed, of up to $most;" \
	"$spared had one of ours and were not"
t "mixed: $((HOSTILE - QUICK)) have done their worst" equals 0 $STATUS
t "... everybody was let in" equals "0 0" \
	"$(part refused quick) $(part refused mixed)"
t "... those that drip have their bytes back" equals 0 "$(part mismatch mixed)"
t "... no worker was lost but those that were killed" \
	at_most $killed "$(part lost mixed)"
t "... as many were there as that takes, and no more" \
	is_between 200 $MAX $most
t "workers were killed by the dozen" test $killed -ge $((HOSTILE / 2000))
kill -TERM $POLITE
wait $POLITE
STATUS=$?
row "polite clients beside $HOSTILE hostile ones" "all served" \
	"$(part whole polite) of $(part started polite)"
echo "# polite: $(cat "$T/polite")"
t "polite clients: every byte right, and FIN, for each of them" equals 0 $STATUS
wait $LONG
STATUS=$?
echo "# $STREAMS streams: $(cat "$T/streams")"
t "... and for those that stay" equals 0 $STATUS

t "nobody is left, and as many workers as may be spare" until_true is_calm

# All of ours leave with FIN.
ours=$(($(part started polite) + STORM + STREAMS))
came=$((ours + $(part connected quick) + $(part connected mixed)))
closed=$((ours + $(part peer-closed quick) + $(part peer-closed mixed)))
reset=$(($(part reset quick) + $(part reset mixed)))
counted=$(($(status_field echo connections) - before))
failed=$(ending failed)
closed_less=$((closed + before - $(ending peer-closed)))
reset_less=$((reset - $(ending reset)))
unseen=$((came - counted))
echo "# $came came: $closed FIN, $reset RST; counted $counted:" \
	"$(status_field echo endings)"
t "each connection has ended exactly once" equals $((counted + before)) \
	"$(sum_of_endings)"
t "... only as those that killed workers had have they failed" \
	is_between 1 $killed $((failed + unseen))
t "... of those, a worker can be killed before it counts its connection" \
	is_between 0 $failed $unseen
t "... but for these, every FIN and every RST is in the books" equals \
	"$((failed + unseen)) 1 1" "$((closed_less + reset_less)) \
$((closed_less >= 0)) $((reset_less >= 0))"
t "... none is of ours" not logged "peer=$FAR:.*ending=failed"
t "... and each is in the log" equals "$failed" "$(log_lines 'ending=failed')"
t "each death is in the log, once" equals $killed \
	"$(log_lines 'was killed by signal 9')"
t "... and none ended in another way" equals 0 "$(log_lines \
	'was killed by signal ([0-8]|[1-9][0-9])|exited with status [1-9]|error:')"

# Half-open: more than the queue has room for. Last, for while the kernel hands out
# cookies it can take a late segment of a connection that is over for a new one.
polite
in_client "$CLIENT" flood -n $HALF_OPEN -t 2 $SERVER $ECHO >"$T/flood"
half_open=$(ss -Htn state syn-recv "sport = :$ECHO" | wc -l)
cookies=$(nstat -asz TcpExtSyncookiesSent |
	awk '$1 == "TcpExtSyncookiesSent" { print $2 }')
row "half-open flood" "$HALF_OPEN handshakes" \
	"$half_open half open, $cookies more got a cookie"
t "half-open flood: the queue for handshakes is full of it" \
	is_between $HALF_SLACK 8192 "$half_open"
t "... nearly all came" test $((half_open + cookies)) -ge \
	$((HALF_OPEN - HALF_SLACK))
in_client "$CLIENT" echo -c -n $AMID -b 3000 -t 60 $SERVER $ECHO >"$T/amid"
t "... and who comes now has all of its bytes, and FIN" equals 0 $?
kill -TERM $POLITE
wait $POLITE
STATUS=$?
echo "# polite: $(cat "$T/polite")"
t "... and so have those that came all the while" equals 0 $STATUS
until_true is_calm

row "the master's memory" "up to $RSS_SLACK KiB more" \
	"$kilobytes before, $(rss) KiB after"
t "the master has the descriptors that it had" equals "$held" "$(descriptors)"
if [ "$SANITIZERS" = no ]; then
	t "... and its memory, up to $RSS_SLACK KiB" \
		at_most $((kilobytes + RSS_SLACK)) "$(rss)"
fi
t "no zombie is left" equals 0 \
	"$(ps -o stat= --ppid "$DAEMON" | grep -c '^Z')"
stop
t "exit status 0" equals 0 $STATUS
finish
