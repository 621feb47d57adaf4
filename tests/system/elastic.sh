#!/bin/sh
# Pools that grow at once and shrink slowly, and are quiet otherwise.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need strace

OTHER=17008
CLIENTS=300
CONF="pid-file none
control none
log-level debug
service echo {
listen 127.0.0.1:$ECHO
listen 127.0.0.1:$OTHER
max-workers 400
}
service daytime {
listen 127.0.0.1:$DAYTIME
max-workers 64
}"

# hold NUMBER [PORT]: so many clients come, and stay until let_go.
hold()
{
	"$CLIENT" echo -n "$1" -b 1 -t 100 127.0.0.1 "${2-$ECHO}" \
		>"$T/client.out" &
	BACKGROUND="$BACKGROUND $!"
}

let_go()
{
	for pid in $BACKGROUND; do
		kill "$pid"
		wait "$pid" 2>/dev/null
	done
	BACKGROUND=
}

# field PORT FIELD: of that listening socket's status line.
field()
{
	status_field master pid >/dev/null
	grep "status: .* listen=127.0.0.1:$1 " "$T/log" | tail -n 1 |
		tr ' ' '\n' | sed -n "s/^$2=//p"
}

# As status_field waits for: the lines of all sockets follow the master's.
status_came()
{
	[ "$(log_lines 'status: service=daytime')" -gt "$STATUS_LINES" ]
}

status_field()
{
	STATUS_LINES=$(log_lines 'status: service=daytime')
	kill -USR1 "$DAEMON"
	until_true status_came
}

is()
{
	equals "$3" "$(field "$1" "$2")"
}

is_at_least()
{
	seen=$(field "$1" "$2")
	[ "$seen" -ge "$3" ] || {
		echo "$2 is $seen"
		return 1
	}
}

forks()
{
	log_lines "debug: worker [0-9]+ \\($1\\) was started"
}

exits()
{
	log_lines "debug: worker [0-9]+ \\($1\\) exited"
}

ECHO_POOL="echo 127.0.0.1:$ECHO"

# A burst of clients that stay.
start "$CONF"
wake_fd=$(ls -l "/proc/$DAEMON/fd" | sed -n 's/.* \([0-9]*\) -> .*eventfd.*/\1/p')
trace "$DAEMON" -e trace=read,ppoll
hold $CLIENTS
t "burst: $CLIENTS clients are served by workers that were 4" \
	until_true is $ECHO busy $CLIENTS
untrace
forked=$(forks "$ECHO_POOL")
t "... a fork for each of them" at_most "$forked" $CLIENTS
t "... and few for nobody" at_most $((CLIENTS + 40)) "$forked"
turns=$(grep -c '^ppoll' "$T/strace")
t "... in few turns of the master" at_most $((CLIENTS / 4)) "$turns"
wakes=$(grep -c "^read($wake_fd, " "$T/strace")
t "... who was woken by workers a few times, not by each" \
	at_most $((CLIENTS / 4)) "$wakes"
echo "# $forked forks, $turns turns, $wakes wake-ups"
t "... and by them he was" at_most "$wakes" 1
t "min-spare-workers are left" until_true is_at_least $ECHO idle 4
t "the other socket of the service has its own pool, as it was" \
	is $OTHER workers 4
t "... no fork in it" equals 4 "$(forks "echo 127.0.0.1:$OTHER")"

# They leave.
let_go
has_begun()
{
	[ "$(exits "$ECHO_POOL")" -ge 1 ]
}
t "retire: when they are gone, workers leave" until_true has_begun
began=$(now_ms)
t "... until there are max-spare-workers" until_true is $ECHO workers 16
t "... not all at once" at_most $(($(now_ms) - began)) 3000
quiet=$(exits .)
t "... all idle" is $ECHO idle 16
t "clients are served" "$CLIENT" echo -c -n 16 -b 1000 127.0.0.1 $ECHO
t "... and nobody leaves below" equals "$quiet" "$(exits .)"

# Then it is as quiet as at the start.
trace "$DAEMON $(workers)"
processes=$(($(worker_count) + 1))
all_seen()
{
	equals "$processes" "$(grep -Ec '(accept4|ppoll)' "$T/strace")"
}
until_true all_seen
before=$(wc -c <"$T/strace")
sleep 3
t "three seconds without a system call by anybody" \
	equals "$before" "$(wc -c <"$T/strace")"
kill -USR1 "$DAEMON"
sees_calls()
{
	[ "$(wc -c <"$T/strace")" -gt "$before" ]
}
t "... and the trace was live" until_true sees_calls
untrace

# Clients for whom there are enough: the master does not hear of them.
trace "$DAEMON" -e trace=read
for n in 1 2 3 4 5 6 7 8 9 10; do
	hold 1
	until_true is $ECHO busy $n
done
untrace
t "ten of the spare workers are taken: nobody wakes the master" \
	equals 0 "$(grep -c "^read($wake_fd, " "$T/strace")"
let_go
until_true is $ECHO idle 16

# Two sockets: now the other one.
hold 20 $OTHER
t "the other socket's pool grows on its own" until_true is $OTHER busy 20
t "... this one stays" is $ECHO workers 16
let_go

# A trickle of clients that stay.
for n in 1 2 3 4 5 6 7 8 9 10; do
	hold 2
	t "trickle: client $((2 * n)) is served" \
		until_true is $ECHO busy $((2 * n))
	t "... and min-spare-workers are left" \
		until_true is_at_least $ECHO idle 4
done
let_go
until_true is $ECHO workers 16
until_true is $OTHER workers 16
stop
t "exit status 0" equals 0 $STATUS

# A steady load of short connections, and no reserve in the keywords: the pool
# finds its size, and keeps it.
start "pid-file none
control none
log-level debug
service daytime {
listen 127.0.0.1:$DAYTIME
min-spare-workers 4
max-spare-workers 4
max-workers 64
}"
for n in 1 2 3 4 5 6; do
	"$CLIENT" daytime -n 10000000 -t 60 127.0.0.1 $DAYTIME >/dev/null &
	BACKGROUND="$BACKGROUND $!"
done
DAYTIME_POOL="daytime 127.0.0.1:$DAYTIME"
changes()
{
	echo "$(forks "$DAYTIME_POOL") forks, $(exits "$DAYTIME_POOL") exits"
}
is_quiet()
{
	before=$(changes)
	served=$(field $DAYTIME connections)
	sleep 2
	served=$(($(field $DAYTIME connections) - served))
	equals "$before" "$(changes)" && [ $served -ge 500 ]
}
t "steady load: no fork and no exit in two seconds" until_true is_quiet
sleep 1
echo "# $(changes); $served connections in those seconds"
t "... and never a worker for each that may come" \
	at_most 17 "$(forks "$DAYTIME_POOL")"
t "... so that none has to leave again" at_most 3 "$(exits "$DAYTIME_POOL")"
let_go
stop
finish
