#!/bin/sh
# What status says of the accept queue, against what was done to it: who was
# turned away and why, how long the others waited, and who is half open.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need ss nstat jq
BACKLOG=3
make_network

ctl()
{
	"$PREFORKCTL" -s "$T/control" "$@"
}

# figure TITLE [SERVICE]: of the table. It is a look.
figure()
{
	ctl status | awk -v s="${2:-echo}" -v title="$1" '
		$1 == "service" { for (i = 1; i <= NF; i++) at[$i] = i }
		$1 == s { print $at[title] }'
}

figure_is()
{
	equals "$3" "$(figure "$1" "$2")"
}

configuration()
{
	echo "pid-file none"
	echo "control $T/control"
	printf '%s\n' "$@"
}

# Of the whole namespace, since it is there.
listen_drops()
{
	nstat -asz TcpExtListenDrops | awk '$1 == "TcpExtListenDrops" { print $2 }'
}

# A burst, which is over when this returns.
burst()
{
	in_client "$CLIENT" connect -n 30 -t 1.2 $SERVER $ECHO >/dev/null
}

stopped_burst()
{
	pause_workers
	burst
	resume_workers
}

# overflowed NAME: as many as the kernel has counted, of all its sockets.
overflowed()
{
	experiment "$1: overflows are ListenDrops" "$(listen_drops)" \
		"$(ctl -j status | jq '[.listeners[].overflows] | add')"
}

# Every worker serves: only more of them would help.
start "$(configuration "$(service echo $ECHO "max-workers 1" "evict no" \
	"min-spare-workers 1" "start-workers 1" "backlog $BACKLOG")")"
t "at first nobody was turned away" figure_is overflows echo 0
t "... and nobody waited" figure_is longest-wait echo 0.000
peer 5400 $ECHO connect send=1 get=1 go=1 fin end
until_true did 5400 get=1
waiting="5401 5402 5403"
for port in $waiting; do
	eval "began_$port=$(now_ms)"
	peer "$port" $ECHO connect send=1 get=1 fin end
	until_true did "$port" send=1
	sleep 0.1
done
sleep 0.3
before=$(now_ms)
go 1

# A connection has waited from its handshake, which is between the start of the
# client and its word that it is connected, to accept, which is between ours
# that it may be and the first byte that comes back.
least=0 most=0 sum_least=0 sum_most=0
for port in $waiting; do
	until_true did "$port" get=1
	eval "began=\$began_$port"
	short=$((before - $(peer_ms "$port" connect)))
	long=$(($(peer_ms "$port" get=1) - began))
	[ $short -le $least ] || least=$short
	[ $long -le $most ] || most=$long
	sum_least=$((sum_least + short))
	sum_most=$((sum_most + long))
done
until_true has_ended echo peer-closed 4

wait_ms()
{
	ctl -j status | jq ".listeners[0].$1 * 1000 | round"
}
longest=$(wait_ms longest_wait)
mean=$(wait_ms mean_wait)
row "three waited: longest-wait" "$(seconds $least) to $(seconds $most)" \
	"$(seconds "$longest")"
t "longest-wait is within 20 ms of that" \
	is_between $((least - 20)) $((most + 20)) "$longest"
row "... and one did not: mean-wait" \
	"$(seconds $((sum_least / 4))) to $(seconds $((sum_most / 4)))" \
	"$(seconds "$mean")"
t "mean-wait is within 20 ms of that" \
	is_between $((sum_least / 4 - 20)) $((sum_most / 4 + 20)) "$mean"
# shellcheck disable=SC2046
kill -KILL $(workers)
until_true has_workers 1
t "... still when that worker is no more" equals "$longest $mean" \
	"$(wait_ms longest_wait) $(wait_ms mean_wait)"

peer 5410 $ECHO connect send=1 get=1 go=2 fin end
until_true did 5410 get=1
ctl status >/dev/null
burst
experiment "one worker serves, max-workers 1: raise" max-workers \
	"$(figure raise)"
t "... it is marked once" figure_is raise echo -
overflowed "a full queue"
go 2
until_true did 5410 end fin
sed 's/max-workers 1$/max-workers 64/' "$T/preforkd.conf" >"$T/new.conf"
mv "$T/new.conf" "$T/preforkd.conf"
ctl reload
peer 5411 $ECHO connect send=1 get=1 go=3 fin end
until_true did 5411 get=1
drops=$(listen_drops)
for port in 5412 5413 5414 5415 5416 5417; do
	peer $port $ECHO connect send=1 get=1 go=3 fin end
	until_true did $port get=1
done
t "... and with more workers nobody is turned away" equals "$drops" \
	"$(listen_drops)"
go 3
until_true did 5417 end fin
stop

# Workers are frozen, so that it is not they who are too few.
start "$(configuration "$(service echo $ECHO "backlog $BACKLOG")" \
	"$(service daytime $DAYTIME)")"
since=$(listen_drops)
stopped_burst
experiment "workers are there, backlog $BACKLOG: raise" backlog \
	"$(figure raise)"
t "... not of the other one" figure_is overflows daytime 0
experiment "... overflows are ListenDrops" $(($(listen_drops) - since)) \
	"$(figure overflows)"
sed "s/backlog $BACKLOG\$/backlog 64/" "$T/preforkd.conf" >"$T/new.conf"
mv "$T/new.conf" "$T/preforkd.conf"
ctl reload
drops=$(listen_drops)
stopped_burst
t "... and with a longer one nobody is turned away" equals "$drops" \
	"$(listen_drops)"
t "... and nothing is marked" figure_is raise echo -
sysctl -q -w net.core.somaxconn=4
ctl reload
t "what the kernel cut: what was asked for" figure_is backlog echo 64
t "... and what is in force" equals 4 \
	"$(figure queue | cut -d / -f 2)"
stopped_burst
experiment "backlog 64, net.core.somaxconn 4: raise" net.core.somaxconn \
	"$(figure raise)"
sysctl -q -w net.core.somaxconn=4096
ctl reload
drops=$(listen_drops)
stopped_burst
t "... and when it is raised nobody is turned away" equals "$drops" \
	"$(listen_drops)"
stop

# The last ACK of the handshake is lost: the client is connected, we are not.
start "$(configuration "$(service echo $ECHO)" \
	"$(service daytime $DAYTIME | sed "s/listen $SERVER/listen */")")"
in_client nft add rule inet lab from tcp sport 5420-5422 \
	tcp flags '&' '(syn | ack)' == ack drop
peer 5420 $ECHO connect fin
peer 5421 $DAYTIME connect fin
peer 5422 $DAYTIME connect fin
for port in 5420 5421 5422; do
	until_true did $port connect
done
experiment "handshakes that lack an ACK: half-open" 1 "$(figure half-open)"
experiment "... of a socket for every address and both families" 2 \
	"$(figure half-open daytime)"
t "... JSON has the same" equals "1 2" \
	"$(ctl -j status | jq -r '[.listeners[].half_open] | join(" ")')"
t "... and ss" equals 3 "$(ss -Htn state syn-recv | wc -l)"
mend
t "... none when the ACK comes" until_true figure_is half-open echo 0
t "... of both" until_true figure_is half-open daytime 0
stop
t "exit status 0" equals 0 $STATUS
finish
