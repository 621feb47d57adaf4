#!/bin/sh
# An attacker who holds ten times max-workers idle connections from one address:
# clients from other addresses are served all the same, and soon. And who is not
# evicted: anybody where there is room, and one that is active.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

MAX=50
HELD=$((10 * MAX))
CLIENTS=200
ATTACKER=10.9.0.1
# shellcheck disable=SC2034
OFF=18007 GROW=18008 TWO=18009
SOON=2000 # of a busy machine; 1000 is what it is for
make_network
ip route add 10.9.0.0/16 dev lab via $FAR
in_client ip route add local 10.9.0.0/16 dev lo

POOL="max-workers $MAX
max-spare-workers $MAX"
daemon off "
$(service echo $OFF "$POOL" "start-workers $MAX" "evict no")"
daemon evict "
$(service echo $ECHO "$POOL" "start-workers $MAX")
$(service daytime $DAYTIME "$POOL" "start-workers $MAX")
$(service discard $GROW "$POOL" "start-workers 1" "min-spare-workers 1")"

# hold PORT SOURCE OPTION ...: in the background; HOLDER is the process. All
# have sent SYN when it returns, and none has said anything.
hold()
{
	held=$T/held.$2
	rm -f "$held.begun"
	mkfifo "$held.begun"
	nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" hold -t "$TEST_LIMIT" \
		$SERVER "$@" >"$held.begun" 2>&1 &
	HOLDER=$!
	BACKGROUND="$BACKGROUND $HOLDER"
	exec 7<"$held.begun"
	read -r begun <&7
	echo "# $2: $begun"
}

# What the holder says in the end is in $T/held.
let_go()
{
	kill $HOLDER
	cat <&7 >"$T/held"
	wait $HOLDER
	exec 7<&-
	until_true nobody_is_there
}

nobody_is_there()
{
	! ss -Htn state established "dst 10.9.0.0/16" | grep -q .
}

# crowd PORT COUNT GAP SECONDS: clients from as many addresses.
crowd()
{
	in_client "$CLIENT" crowd -n "$2" -k "$3" -t "$4" $SERVER "$1" \
		10.9.1.1 >"$T/crowd" 2>&1
}

# of FIELD FILE
of()
{
	tr ' ' '\n' <"$T/$2" | sed -n "s/^$1=//p"
}

evicted()
{
	grep -c "service=$1 peer=$2:.* ending=evicted " "$T/evict.log"
}

# all_served NAME: the last crowd.
all_served()
{
	row "$1: p50, p99, max" "p99 below 1 s" \
		"$(of p50 crowd), $(of p99 crowd), $(of max crowd) ms"
	experiment "... served" "$(of of crowd) of $(of of crowd)" \
		"$(of served crowd) of $(of of crowd)"
	t "... soon" is_between 0 $SOON "$(of p99 crowd)"
}

# Free workers, and room for more of them.
hold $ECHO $ATTACKER -n $((MAX - 10))
crowd $ECHO 20 50 20
all_served "ten workers are free"
let_go
hold $GROW $ATTACKER -n $((MAX - 10))
until_true sh -c "[ \"\$(pgrep -c -f -P $DAEMON 'worker discard')\" -gt $((MAX - 10)) ]"
let_go
t "nobody is evicted where a worker is free or may be forked" equals 0 \
	"$(grep -c ending=evicted "$T/evict.log")"
t "... and nothing is said" not logged 'warning: .*max-workers'

# The attack.
hold $ECHO $ATTACKER -n $HELD
crowd $ECHO $CLIENTS 0 30
all_served "$HELD idle connections, and $CLIENTS clients behind them"
crowd $ECHO $CLIENTS 10 30
all_served "... a client every 10 ms"
let_go
t "each that is evicted sees FIN, and no RST" equals \
	"$(evicted echo $ATTACKER) 0" "$(of fin held) $(of rst held)"
t "... they were as many as waited, and more" is_between $((HELD - MAX)) $HELD \
	"$(of fin held)"
hold $ECHO $ATTACKER -r -n $HELD
crowd $ECHO $CLIENTS 0 30
all_served "who is evicted comes back at once"
# One of the others is idle for longer than any of the attacker's.
peer 5400 $ECHO connect send=1 get=1 go=1 fin end
until_true did 5400 get=1
before=$(evicted echo $ATTACKER)
crowd $ECHO $CLIENTS 10 30
all_served "... a client every 10 ms"
row "... evictions in that time" "" "$(($(evicted echo $ATTACKER) - before))"
go 1
t "... while one who has but one connection keeps it, however idle" \
	equals peer-closed "$(word_of 5400)"
let_go
t "... each sees FIN, and no RST" equals 0 "$(of rst held)"
hold $DAYTIME $ATTACKER -f -n $HELD
crowd $DAYTIME $CLIENTS 0 30
all_served "daytime: nobody answers our FIN"
let_go
t "of echo, nobody else was evicted" equals 0 \
	"$(grep 'service=echo.* ending=evicted' "$T/evict.log" |
		grep -vc "peer=$ATTACKER:")"
SAID="warning: echo $SERVER:$ECHO: all of max-workers $MAX serve, and [1-9][0-9]* clients wait in the queue of [0-9]*; idle connections of who has the most are evicted for them, and $ATTACKER has [1-9][0-9]*; raise max-workers, or set max-per-source"
t "the log says so, once for each service" equals "1 2" \
	"$(log_lines "$SAID") $(log_lines 'warning: .*max-workers')"
evictions=$(grep -c ending=evicted "$T/evict.log")
kill -USR1 "$DAEMON"
counted()
{
	[ "$(grep -o 'evicted:[0-9]*' "$T/evict.log" | tr -d 'a-z:' |
		awk '{ sum += $1 } END { print sum }')" = "$evictions" ]
}
t "the status counts them" until_true counted

# switches: how often the master has gone to sleep.
switches()
{
	sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$DAEMON/status"
}

# All serve, and nobody waits: there was a look a second before, too.
hold $ECHO $ATTACKER -n $MAX
until_true sh -c "[ \"\$(ss -Htn state established 'sport = :$ECHO' | wc -l)\" = $MAX ]"
sleep 1.5
before=$(switches)
sleep 3
t "a full pool in whose queue nobody is does not wake the master" \
	at_most 15 $(($(switches) - before))
t "... and nobody is evicted" equals "$evictions" \
	"$(grep -c ending=evicted "$T/evict.log")"
let_go

# Of the heaviest source, one connection is active.
nsenter -t "$CLIENT_HOLDER" -n "$CLIENT" stream -n 1 -b 1000 -t 3 \
	$SERVER $ECHO >"$T/stream" 2>&1 &
STREAM=$!
hold $ECHO $FAR -n $MAX
crowd $ECHO 20 50 20
all_served "the heaviest source has an active connection"
wait $STREAM
t "... which goes on" grep -q '^fin=1 .* complete=1 ' "$T/stream"
t "... while idle ones of it were evicted" [ "$(evicted echo $FAR)" -gt 0 ]
let_go

# A stop is a stop.
hold $ECHO $ATTACKER -r -n $HELD
crowd $ECHO 1 0 30
stop
t "a stop under pressure: exit status 0" equals 0 $STATUS
t "... and nobody was killed" not logged 'stop-timeout'
let_go

# Sources with as many connections each: the oldest goes.
daemon two "
$(service echo $TWO "max-workers 2")"
for source in 10.9.2.1 10.9.2.2; do
	hold $TWO $source -n 1
done
sleep 1 # until both are idle for long enough
hold $TWO 10.9.2.3 -n 1
is_evicted()
{
	grep -q "peer=$1:.* ending=evicted " "$T/two.log"
}
t "of sources with as many connections the oldest goes" \
	until_true is_evicted 10.9.2.1
t "... and no other" equals 1 "$(grep -c ending=evicted "$T/two.log")"

# Nobody is evicted, and nobody else is served.
hold $OFF $ATTACKER -n $((MAX + 10))
crowd $OFF 5 0 2
experiment "evict no: served" 0 "$(of served crowd)"
t "... and nobody is evicted" equals 0 "$(grep -c ending=evicted "$T/off.log")"
finish
