#!/bin/sh
# What each process holds, against the manual and against the ledger.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

# The open descriptors of a process as sorted words.
kinds()
{
	for fd in /proc/"$1"/fd/*; do
		n=${fd##*/}
		case $(readlink "$fd") in
		socket:*) echo socket ;;
		anon_inode:\[eventfd\]) echo eventfd ;;
		anon_inode:\[landlock-ruleset\]) echo landlock ;;
		/memfd:preforkd-scoreboard*) echo scoreboard ;;
		pipe:*) [ "$n" -le 2 ] && echo standard || echo pipe ;;
		*) [ "$n" -le 2 ] && echo standard || readlink "$fd" ;;
		esac
	done | sort | tr '\n' ' '
}

# The inodes of the sockets of a process.
sockets()
{
	readlink /proc/"$1"/fd/* | grep '^socket:' | sort
}

listener_of()
{
	ss -Hltne "sport = :$1" | sed -n 's/.*ino:\([0-9]*\).*/socket:[\1]/p'
}

# pids that hold a socket, by /proc.
seen_holders()
{
	for pid in $(workers); do
		sockets "$pid" | grep -Fqx "$1" && echo "$pid"
	done | sort
}

# pids that hold it, by the ledger.
ledger_holders()
{
	status_field "$1" holders | tr ',' '\n' | grep -v configuration | sort
}

each_worker_has()
{
	for pid in $(workers); do
		equals "$1" "$(kinds "$pid")" || return 1
	done
}

need ss
start "$(conf)" 9<"$TOP_SRCDIR/README"
WORKER="eventfd socket standard standard standard "
t "a worker has 0 to 2, its listener and the wake-up descriptor" \
	each_worker_has "$WORKER"
t "the master has both listeners, the scoreboard, and nothing inherited" \
	equals "eventfd scoreboard socket socket standard standard standard " \
	"$(kinds "$DAEMON" | sed 's/landlock //')"
for service in "echo $ECHO" "daytime $DAYTIME"; do
	name=${service% *}
	socket=$(listener_of "${service#* }")
	t "$name: its four workers hold its listener" \
		equals 4 "$(seen_holders "$socket" | wc -l)"
	t "$name: the ledger names the same" \
		equals "$(seen_holders "$socket")" "$(ledger_holders "$name")"
	t "$name: and the configuration" sh -c \
		"echo '$(status_field "$name" holders)' | grep -q ^configuration,"
done
old=$(workers)
# shellcheck disable=SC2086
kill -KILL $old
for pid in $old; do
	until_true gone "$pid"
done
until_true field_is echo idle 4
until_true field_is daytime idle 4
t "the ledger follows when workers die" equals \
	"$(seen_holders "$(listener_of $ECHO)")" "$(ledger_holders echo)"
stop

# A pipe as stderr is opened once more, so that a full one never blocks.
: >"$T/log"
"$PREFORKD" -F -f "$T/preforkd.conf" 2>&1 | cat >"$T/log" &
BACKGROUND=$!
until_true logged 'serving daytime'
DAEMON=$(sed -n 's/.*preforkd\[\([0-9]*\)\].*/\1/p' "$T/log" | head -n 1)
t "with a pipe as stderr a worker also has the log" \
	each_worker_has "eventfd pipe socket standard standard standard "
kill -TERM "$DAEMON"
wait $BACKGROUND
DAEMON= BACKGROUND=
finish
