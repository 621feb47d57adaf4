#!/bin/sh
# Into the background: exit 0 means ready; syslog; no terminal, no stdio.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

need_root

# A /dev of our own, where a syslogd of our own can have its socket.
private_dev()
{
	mkdir "$T/dev" && mount -t tmpfs tmpfs "$T/dev" || return
	for node in null zero urandom; do
		: >"$T/dev/$node"
		mount --bind "/dev/$node" "$T/dev/$node" || return
	done
	mount --rbind "$T/dev" /dev
}

# Nobody waits for syslogd: one that a busy machine keeps from reading is to have
# room for all that is said meanwhile.
sysctl -q -w net.unix.max_dgram_qlen=1000
start_syslogd()
{
	"$CLIENT" syslog /dev/log >>"$T/syslog" &
	SYSLOGD=$!
	TRACER=$SYSLOGD		# ended with the others
	until_true test -S /dev/log
}

stop_syslogd()
{
	kill "$SYSLOGD"
	wait "$SYSLOGD" 2>/dev/null
	rm -f /dev/log
}

is_syslog_of()
{
	grep -Eq "^<$1>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} preforkd\\[$2\\]: $3" \
		"$T/syslog"
}

stat_field()
{
	sed 's/.*) //' "/proc/$DAEMON/stat" | cut -d ' ' -f "$1"
}

std_is_null()
{
	for fd in 0 1 2; do
		equals /dev/null "$(readlink "/proc/$1/fd/$fd")" || return
	done
}

t "a private /dev" private_dev
start_syslogd
conf >"$T/preforkd.conf"
P=$T/preforkd.pid
cd "$T" || exit 99
run "$PREFORKD" -f preforkd.conf -p "$P"
t "exit status 0" equals 0 $STATUS
DAEMON=$(cat "$P")
t "at once it serves" "$CLIENT" echo -c -n 8 -b 100 -t 5 127.0.0.1 $ECHO
t "nothing to complain about: the shell sees the notices alone" \
	not grep -Ev 'notice: |WORKERS ARE IN NO SANDBOX' "$T/run.err"
t "its parent is not the shell" not equals $$ "$(stat_field 2)"
t "it leads a session of its own" equals "$DAEMON" "$(stat_field 4)"
t "it has no terminal" equals 0 "$(stat_field 5)"
t "it is in /" equals / "$(readlink "/proc/$DAEMON/cwd")"
t "its standard descriptors are /dev/null" std_is_null "$DAEMON"
worker=$(pgrep -P "$DAEMON" | head -n 1)
t "its workers' as well" std_is_null "$worker"
t "a worker has the syslog socket, its listener and the wake-up" \
	equals 6 "$(ls "/proc/$worker/fd" | wc -l)"
t "the start is in syslog, daemon.notice" \
	is_syslog_of 29 "$DAEMON" "serving echo on 127.0.0.1:$ECHO"
t "connections are, daemon.info, from the worker" until_true \
	is_syslog_of 30 '[0-9]*' 'service=echo .*ending=peer-closed'

# syslogd is restarted: workers with a dead socket leave for fresh ones.
stop_syslogd
: >"$T/syslog"
"$CLIENT" echo -c -b 100 127.0.0.1 $ECHO >/dev/null
start_syslogd
logs_again()
{
	"$CLIENT" echo -c -b 77 127.0.0.1 $ECHO >/dev/null
	is_syslog_of 30 '[0-9]*' 'service=echo .*in=77 '
}
t "after a restart of syslogd connections are logged again" \
	until_true logs_again
t "no client was lost over it" \
	"$CLIENT" echo -c -n 20 -b 100 127.0.0.1 $ECHO

kill -TERM "$DAEMON"
t "TERM ends it" until_true gone "$DAEMON"
t "... the PID file is gone" not test -e "$P"
t "... and syslog has it" until_true is_syslog_of 29 "$DAEMON" stopped
DAEMON=
stop_syslogd

# syslogd is gone when the stop comes: nobody leaves before the queue is empty.
start_syslogd
conf "max-workers 1" "evict no" >preforkd.conf
run "$PREFORKD" -f preforkd.conf -p "$P"
DAEMON=$(cat "$P")
stop_syslogd
late_client -n 6 -b 3000
until_true grep -q ready "$T/client.out"
kill -TERM "$DAEMON"
read_now
t "a stop without syslogd serves those in the queue" client_ends \
	"fin=6 rst=0 timeout=0 mismatch=0 complete=6 bytes=18000"
until_true gone "$DAEMON"
conf >preforkd.conf

run "$PREFORKD" -f preforkd.conf -p "$P"
t "without syslogd it starts as well" equals 0 $STATUS
t "... and says so on stderr" grep -q 'warning: no syslog at /dev/log' \
	"$T/run.err"
DAEMON=$(cat "$P")
: >"$T/syslog"
start_syslogd
t "... and when syslogd comes, its log goes there" until_true logs_again
t "... and serves" "$CLIENT" echo -c -n 20 -b 100 127.0.0.1 $ECHO
run "$PREFORKD" -f preforkd.conf -p "$T/second.pid"
t "a second one on the same ports: exit status 1" equals 1 $STATUS
t "... with the reason on stderr" \
	grep -q 'address already in use: pid' "$T/run.err"
kill -TERM "$DAEMON"
until_true gone "$DAEMON"

# A reload while syslogd dies, and while there is none.
conf_with_control >preforkd.conf
run "$PREFORKD" -f preforkd.conf -p "$P"
DAEMON=$(cat "$P")
reload_is()
{
	run "$PREFORKCTL" -s "$T/control" reload
	echo "$STDOUT$STDERR"
	[ "$STATUS" = "$1" ] && echo "$STDOUT$STDERR" | grep -q -- "$2"
}
if [ -n "$(command -v strace)" ]; then
	old=$(lives $(workers))
	: >"$T/syslog"
	hold_workers
	"$PREFORKCTL" -s "$T/control" reload >"$T/answer" 2>&1 &
	BACKGROUND=$!
	until_true is_syslog_of 29 "$DAEMON" 'reloading'
	stop_syslogd
	until_true have_stopped 2
	let_go
	wait $BACKGROUND
	t "a reload in which syslogd dies is done" equals "0:reloaded" \
		"$?:$(cat "$T/answer")"
	BACKGROUND=
	t "... by new workers" until_true all_gone $old
	: >"$T/syslog"
	start_syslogd
	t "... and when syslogd comes, their log goes there" \
		until_true logs_again
fi
stop_syslogd
t "a reload without syslogd is done" reload_is 0 '^reloaded$'
t "... and they serve" "$CLIENT" echo -c -n 20 -b 100 127.0.0.1 $ECHO
echo nonsense >>preforkd.conf
t "... and one that is refused says why" reload_is 1 \
	'preforkd.conf:[0-9]*: nonsense: unknown keyword'
: >"$T/syslog"
start_syslogd
t "... and when syslogd comes, the log goes there" until_true logs_again
kill -TERM "$DAEMON"
until_true gone "$DAEMON"
DAEMON=
umount -R /dev 2>/dev/null
umount -R "$T/dev" 2>/dev/null
finish
