#!/bin/sh
# Clients of the control socket that are silent, slow, too loud, or gone: the
# daemon serves, others get their answer, and the master has little to do.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need socat
HOLDERS=

# Hundredths of a second that the master has worked.
worked()
{
	sed 's/.*) //' "/proc/$DAEMON/stat" | awk '{ print $12 + $13 }'
}

# hold COMMAND ...: one in the background, whose stdin stays open and silent.
hold()
{
	"$@" <"$T/hold" >/dev/null 2>&1 8>&- &
	HOLDERS="$HOLDERS $!"
}

let_go()
{
	# shellcheck disable=SC2086
	kill -KILL $HOLDERS 2>/dev/null
	# shellcheck disable=SC2086
	wait $HOLDERS 2>/dev/null
	HOLDERS=
}

# The sockets of the master beyond those that it has for itself.
clients()
{
	echo $(($(readlink /proc/"$DAEMON"/fd/* | grep -c '^socket:') - OWN))
}

has_clients()
{
	equals "$1" "$(clients)"
}

serves()
{
	"$CLIENT" echo -c -n 20 -b 1000 -t 5 127.0.0.1 $ECHO
}

# answered MS: a question is answered within that time.
answered()
{
	before=$(now_ms)
	"$PREFORKCTL" -s "$T/control" status >/dev/null &&
		at_most "$1" $(($(now_ms) - before))
}

# At most 0.4 s of work, whatever they did.
is_idle()
{
	at_most 40 $(($(worked) - WORKED))
}

mkfifo "$T/hold"
exec 8<>"$T/hold"
# Rows for a reply that no socket takes at once, with a worker each.
{
	conf_with_control | sed '/^service daytime/,$d'
	echo "service discard {"
	for n in $(seq 100 399); do
		echo "listen 127.100.100.100:20$n"
	done
	printf 'start-workers 1\nmin-spare-workers 1\nmax-workers 1\n}\n'
} >"$T/many.conf"
start "$(cat "$T/many.conf")"
OWN=$(readlink /proc/"$DAEMON"/fd/* | grep -c '^socket:')
WORKED=$(worked)

for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	hold socat -u - "UNIX-CONNECT:$T/control"
done
until_true has_clients 8
t "of 20 silent clients 8 are served at once" has_clients 8
t "... meanwhile echo is served" serves
t "... and one more is answered, when their time is up" answered 9000
t "all of them are let go" until_true has_clients 0
t "the master had little to do" is_idle
let_go

WORKED=$(worked)
for _ in 1 2 3 4; do
	{
		while sleep 0.1; do
			printf a || break
		done
	} 2>/dev/null 8>&- | socat -u - "UNIX-CONNECT:$T/control" 2>/dev/null 8>&- &
	HOLDERS="$HOLDERS $!"
done
until_true has_clients 4
t "with four that send a byte now and then echo is served" serves
t "... and one more is answered at once" answered 2000
t "... they are let go" until_true has_clients 0
t "... the master had little to do" is_idle
let_go

WORKED=$(worked)
for _ in 1 2 3 4; do
	hold sh -c "while :; do
		head -c 1000000 /dev/zero | socat -u - 'UNIX-CONNECT:$T/control'
		sleep 0.02
	done"
done
sleep 0.3
t "with four that flood echo is served" serves
t "... and one more is answered at once" answered 2000
let_go
t "... they are let go" until_true has_clients 0
t "... the master had little to do" at_most 100 $(($(worked) - WORKED))

WORKED=$(worked)
for _ in 1 2 3 4; do
	hold sh -c "{ echo status; cat; } | socat -u - 'UNIX-CONNECT:$T/control'"
done
until_true has_clients 4
t "with four that do not read a big answer echo is served" serves
t "... and one more has all of it, at once" answered 2000
t "... which is a line for each socket" equals 303 \
	"$("$PREFORKCTL" -s "$T/control" status | wc -l)"
t "... they are let go" until_true has_clients 0
t "... the master had little to do" is_idle
let_go

for request in "" sta "status
"; do
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		printf '%s' "$request" | timeout -s KILL 0.02 \
			socat -u - "UNIX-CONNECT:$T/control" 2>/dev/null
	done
done
t "30 that vanish leave nothing" until_true has_clients 0
t "... and all is well" answered 2000
t "nothing was worth a warning" equals 0 "$(warnings)"
stop
t "exit status 0" equals 0 $STATUS
finish
