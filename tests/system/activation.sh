#!/bin/sh
# Sockets that systemd passes: "listen systemd" and "listen systemd:NAME".
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need systemd-socket-activate ss socat

# write_conf ECHO [DAYTIME [LINE ...]]: what they listen on.
write_conf()
{
	{
		echo "pid-file none"
		echo "control none"
		echo "log-connections yes"
		echo "service echo {"
		echo "listen $1"
		[ $# -lt 3 ] || printf '%s\n' "$3"
		echo "}"
		[ -z "${2-}" ] || printf 'service daytime {\nlisten %s\n}\n' "$2"
	} >"$T/preforkd.conf"
}

# activate OPTION ...: as systemd starts it, at the first client; -F and the
# file that write_conf wrote are added.
activate()
{
	: >"$T/log"
	SYSTEMD_LOG_LEVEL=err SYSTEMD_LOG_TARGET=null systemd-socket-activate \
		"$@" "$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/log" &
	DAEMON=$!
	# shellcheck disable=SC2154
	until_true is_ready_for "$@"
}

is_ready_for()
{
	case $2 in
	/*) [ -S "$2" ] ;;
	*) listens "${2##*:}" ;;
	esac
}

listens()
{
	ss -Hltn "sport = :$1" | grep -q .
}

serves_both()
{
	"$CLIENT" echo -c -b 1000 127.0.0.1 $ECHO &&
		"$CLIENT" daytime 127.0.0.1 $DAYTIME
}

ends_with()
{
	until_true gone "$DAEMON"
	wait "$DAEMON"
	status=$?
	DAEMON=
	cat "$T/log"
	equals "$1" $status
}

NAMED="-l 127.0.0.1:$ECHO -l 127.0.0.1:$DAYTIME --fdname=echo:daytime"

write_conf systemd:echo systemd:daytime "backlog 17
peer-timeout 60s"
# shellcheck disable=SC2086
activate $NAMED
t "the client that started it and another one are served" serves_both
until_true logged 'notice: serving daytime'
t "each name is the service that asks for it" logged \
	"serving echo on 127.0.0.1:$ECHO with 4"
not_for_exec()
{
	[ "$(stat -Lc %F "/proc/$DAEMON/fd/$1")" = socket ] &&
		sed -n 's/^flags:[[:space:]]*//p' "/proc/$DAEMON/fdinfo/$1" |
		grep -q '^02000002'
}
t "the sockets are closed on exec" not_for_exec 3
t "... both" not_for_exec 4
t "the backlog is the configuration's" field_is echo queue 0/17
t "systemd is one of the holders" sh -c \
	"echo '$(status_field echo holders)' | grep -Eq '^configuration,systemd,[0-9]+,'"
has_keepalive()
{
	ss -Htno state established "sport = :$ECHO" | grep 'timer:(keepalive,'
}
probes()
{
	until_true field_is echo busy 1 && until_true has_keepalive
}
mkfifo "$T/go"
socat - "TCP4:127.0.0.1:$ECHO" <"$T/go" >/dev/null &
BACKGROUND=$!
exec 8>"$T/go"
t "and so are the socket options" probes
exec 8>&-
wait $BACKGROUND
BACKGROUND=
worker_descriptors()
{
	for fd in "/proc/$(pgrep -P "$DAEMON" -f 'worker daytime' | head -n 1)"/fd/*; do
		readlink "$fd"
	done | grep -c socket:
}
t "a worker has its own listener alone" equals 1 "$(worker_descriptors)"

# A reload: what stays, what goes, what was never there.
reload()
{
	outcomes=$(log_lines 'notice: reloaded|error: reload refused')
	kill -HUP "$DAEMON"
	until_true outcome_came "$outcomes"
}
outcome_came()
{
	[ "$(log_lines 'notice: reloaded|error: reload refused')" -gt "$1" ]
}
inode()
{
	ss -Hltne "sport = :$1" | grep -o 'ino:[0-9]*'
}
before=$(inode $ECHO)
write_conf systemd:echo systemd:daytime "backlog 18"
reload
t "a reload keeps the socket" equals "$before" "$(inode $ECHO)"
t "... with its new backlog" field_is echo queue 0/18
write_conf systemd systemd:daytime
reload
t "it may be named in another way" field_is echo queue 0/4096
write_conf systemd:ecko systemd:daytime
reload
t "a name that was not passed is refused" logged \
	"error: .*preforkd.conf:5: listen systemd:ecko: systemd passed no socket of the name ecko; .*FileDescriptorName=ecko"
t "... and the rest serves" serves_both
write_conf systemd:echo
reload
t "one that goes is systemd's all the same" logged \
	"127.0.0.1:$DAYTIME: systemd holds the socket"
field_is_gone()
{
	kill -USR1 "$DAEMON"
	sleep 0.1
	tail -n 2 "$T/log" | grep -q 'listeners=1 '
}
t "... its workers leave" until_true field_is_gone
write_conf systemd:echo systemd:daytime
reload
t "... and a restart would bring it back" logged \
	'listen systemd:daytime: this process has closed .* restart'
t "... the rest serves" "$CLIENT" echo -c -b 1000 127.0.0.1 $ECHO
stop
t "exit status 0" equals 0 $STATUS

# What is not as the configuration wants it: not to be tried again.
write_conf systemd:echo systemd:daytime
activate -l 127.0.0.1:$ECHO --fdname=echo
"$CLIENT" connect -t 1 127.0.0.1 $ECHO >/dev/null
t "a name that nobody passed: exit status 2" ends_with 2
t "... with the name, the line and the remedy" logged \
	"error: .*preforkd.conf:8: listen systemd:daytime: .*FileDescriptorName=daytime"
write_conf "127.0.0.1:$DAYTIME"
activate -l 127.0.0.1:$ECHO --fdname=lost
"$CLIENT" connect -t 1 127.0.0.1 $ECHO >/dev/null
t "a socket that nobody names is warned of" until_true logged \
	"warning: systemd passed a socket of the name lost .127.0.0.1:$ECHO. .*closed"
until_true logged 'notice: serving'
t "... and closed" not listens $ECHO
stop
write_conf systemd
activate -l 127.0.0.1:$ECHO -l 127.0.0.1:$DAYTIME
t "without names systemd takes all" sh -c \
	"'$CLIENT' echo -c -b 9 127.0.0.1 $ECHO && '$CLIENT' echo -c -b 9 127.0.0.1 $DAYTIME"
stop
t "exit status 0" equals 0 $STATUS

# with_fd COMMAND ...: it has something else as descriptor 3.
passes()
{
	# shellcheck disable=SC2016
	"$@" sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=echo exec "$@"' \
		sh "$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/log"
	STATUS=$?
}
write_conf systemd:echo
passes env 3</dev/null
t "a file is refused: exit status 2" equals 2 $STATUS
t "... with the remedy" logged \
	'error: .*:5: listen systemd:echo: descriptor 3, .* is no socket; its unit needs ListenStream='
passes env 3<&-
t "so is what is not there: exit status 2" equals 2 $STATUS
t "... for LISTEN_FDS is wrong" logged 'descriptor 3, .* LISTEN_FDS counts more'
activate -l "$T/socket" --fdname=echo
socat -u /dev/null "UNIX-CONNECT:$T/socket" 2>/dev/null
t "so is a socket that is not of TCP" ends_with 2
t "... with the remedy" logged 'is no TCP socket; its unit needs ListenStream= with a port'
: >"$T/log"
LISTEN_PID=1 LISTEN_FDS=1 "$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/log"
t "what is another process's is not taken: exit status 2" equals 2 $?
# shellcheck disable=SC2016
sh -c 'LISTEN_PID=$$ LISTEN_FDS=1x exec "$0" -F -f "$1"' "$PREFORKD" \
	"$T/preforkd.conf" 2>"$T/log"
t "a number that is none is warned of" logged 'LISTEN_FDS=1x: must be a number'
t "-n does not ask for sockets" "$PREFORKD" -n -f "$T/preforkd.conf"
t "-nv prints the line" sh -c \
	"'$PREFORKD' -nv -f '$T/preforkd.conf' | grep -q '	listen systemd:echo'"

# systemd's part is played by a shell, which holds the socket and starts the
# daemon again whenever it ends.
cat >"$T/holder" <<'END'
: "${LISTEN_FDS?}"
while :; do
	LISTEN_FDNAMES=echo sh -c 'LISTEN_PID=$$ exec "$@"' sh "$@"
done
END
find_daemon()
{
	DAEMON=$(pgrep -P $BACKGROUND -f 'master daytime')
}
is_another()
{
	find_daemon && [ "$1" != "$DAEMON" ]
}
is_nonblocking()
{
	sed -n 's/^flags:[[:space:]]*//p' "/proc/$BACKGROUND/fdinfo/3" |
		grep -q '4...$'
}
sed 's/service echo/service daytime/' "$T/preforkd.conf" >"$T/daytime.conf"
: >"$T/log"
systemd-socket-activate -l 127.0.0.1:$ECHO --fdname=echo sh "$T/holder" \
	"$PREFORKD" -F -f "$T/daytime.conf" 2>>"$T/log" &
BACKGROUND=$!
until_true listens $ECHO
"$CLIENT" daytime 127.0.0.1 $ECHO >/dev/null
until_true find_daemon
"$CLIENT" daytime -n 3000 -t 60 127.0.0.1 $ECHO >"$T/client.out" 2>&1 &
CLIENTS=$!
for _ in 1 2 3; do
	old=$DAEMON
	kill -TERM "$old"
	t "a restart under load: the next one is there" until_true is_another "$old"
	until_true field_is daytime state serving
	t "... and blocks in accept" not is_nonblocking
done
wait $CLIENTS
t "no client was refused, and none reset" equals "lines=3000" \
	"$(grep -o 'lines=.*' "$T/client.out")"
kill -STOP $BACKGROUND
old=$DAEMON
kill -TERM "$old"
until_true logged 'notice: stopped'
t "a stop leaves the socket as it was" not is_nonblocking
t "... and its limit" sh -c \
	"ss -Hltn 'sport = :$ECHO' | awk '{ exit !(\$3 == 4096) }'"
kill -CONT $BACKGROUND
until_true is_another "$old"
until_true field_is daytime state serving

# Another binary has the sockets by their names as well: for its first reload,
# and for those after it.
reloads_are()
{
	[ "$(log_lines 'notice: reloaded')" -ge $((reloads + $1)) ]
}
reloads=$(log_lines 'notice: reloaded')
kill -USR2 "$DAEMON"
t "an upgrade takes what systemd has passed" until_true reloads_are 1
kill -HUP "$DAEMON"
t "... and finds it again in a reload" until_true reloads_are 2
kill -USR2 "$DAEMON"
t "... and in an upgrade after that" until_true reloads_are 3
t "... which is systemd's still" sh -c \
	"echo '$(status_field daytime holders)' | grep -q systemd"
t "... and is served" "$CLIENT" daytime -n 5 127.0.0.1 $ECHO

# A stop that never came to its end.
old=$DAEMON
stops=$(log_lines 'notice: stopping')
worker=$(pgrep -P "$old" | head -n 1)
kill -STOP "$worker"
until_true grep -q '^State:.*stopped' "/proc/$worker/status"
kill -TERM "$old"
stopping_again()
{
	[ "$(log_lines 'notice: stopping')" -gt "$stops" ]
}
until_true stopping_again
t "while it stops accept does not block" until_true is_nonblocking
kill -KILL "$old"
until_true is_another "$old"
until_true field_is daytime state serving
t "the next start has it block, whatever the one before left" \
	not is_nonblocking
kill -KILL $BACKGROUND
finish
