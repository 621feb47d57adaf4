#!/bin/sh
# preforkctl connections: a line for each worker that has one, and JSON.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need jq nc

connections()
{
	run "$PREFORKCTL" -s "$T/control" "$@"
}

says()
{
	printf '%s\n' "$2" | grep -Eq -- "$1" || {
		printf '%s\n' "$2"
		return 1
	}
}

shown()
{
	"$PREFORKCTL" -s "$T/control" connections | awk 'NR > 2' | wc -l
}

are_shown()
{
	equals "$1" "$(shown)"
}

connections connections
t "no daemon: exit status 3" equals "3:" "$STATUS:$STDOUT"

start "$(conf_with_control "start-workers 4" | sed "s|127.0.0.1:$ECHO|*:$ECHO|")"
connections connections
t "nobody: exit status 0" equals "0:" "$STATUS:$STDERR"
t "nobody: a line of the master" equals "master $DAEMON, connections 0" \
	"$(printf '%s\n' "$STDOUT" | head -n 1)"
t "nobody: and titles" equals \
	"pid service peer state age in out unacked rtt retrans timer" \
	"$(printf '%s\n' "$STDOUT" | sed 1d)"
connections connections -j
t "nobody: JSON" equals '{"master":'"$DAEMON"',"running":true,"kernel":true,"reason":null,"connections":[]}' \
	"$(printf '%s\n' "$STDOUT" | jq -c .)"

"$CLIENT" echo -n 2 -b 100 -t 60 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true are_shown 2
"$CLIENT" echo -n 1 -b 100 -t 60 ::1 $ECHO >"$T/client.out" &
BACKGROUND="$BACKGROUND $!"
t "three clients are three lines" until_true are_shown 3
# Acknowledged, and nothing is on its way.
settled()
{
	equals "100 100 0 3" "$("$PREFORKCTL" -s "$T/control" connections |
		awk 'NR > 2 && $11 ~ /^keepalive/ { print $6, $7, $8 }' |
		uniq -c | awk '{ print $2, $3, $4, $1 }')"
}
t "... with a hundred bytes each, there and back" until_true settled
connections connections
t "exit status 0" equals "0:" "$STATUS:$STDERR"
t "IPv4 peers are IPv4, the log's way" equals 2 "$(printf '%s\n' "$STDOUT" |
	grep -Ec '^[0-9]+ +echo +127\.0\.0\.1:[0-9]+ +ESTABLISHED +[0-9]+\.[0-9]{3} +100 +100 +0 +0\.[0-9]{6} +0 +keepalive,[0-9.]+,0$')"
t "IPv6 peers have brackets" says ' echo +\[::1\]:[0-9]+ +ESTABLISHED ' "$STDOUT"
t "the oldest comes first" equals "$(printf '%s\n' "$STDOUT" |
	awk 'NR > 2 { print $5 }' | sort -rn)" \
	"$(printf '%s\n' "$STDOUT" | awk 'NR > 2 { print $5 }')"
t "the pids are workers" equals 3 "$(printf '%s\n' "$STDOUT" |
	awk 'NR > 2 { print $1 }' | while read -r pid; do
	workers | tr ' ' '\n' | grep -x "$pid"
done | wc -l)"
for words in "-j connections" "connections -j"; do
	# shellcheck disable=SC2086
	connections $words
	t "$words: an object with an array of three" equals \
		"0 $DAEMON true true null 3" "$STATUS $(printf '%s\n' "$STDOUT" |
	jq -r '"\(.master) \(.running) \(.kernel) \(.reason) \(.connections | length)"')"
done
t "... of objects with these members" equals \
	'[["pid","number"],["service","string"],["listen","string"],["peer","string"],["age_seconds","number"],["in","number"],["out","number"],["local","string"],["state","string"],["unacked","number"],["rtt_seconds","number"],["retrans","number"],["timer","string"],["timer_seconds","number"],["timer_count","number"]]' \
	"$(printf '%s\n' "$STDOUT" |
	jq -c '.connections[] | to_entries | map([.key, (.value | type)])' |
	sort -u)"
# Each member of the page has one of the two lists.
t "... which are those of preforkctl(8)" equals "$(printf '%s\n' "$STDOUT" |
	jq -r 'keys_unsorted[], (.connections[0] | keys_unsorted[])' | sort)" \
	"$(sed -n '/^\.Sh CONNECTIONS/,/^\.Sh JSON/s/^\.It Li \\&"\([a-z_]*\)"$/\1/p' \
	"$TOP_SRCDIR/man/preforkctl.8" | sort)"
t "the titles are those of preforkctl(8)" equals \
	"$("$PREFORKCTL" -s "$T/control" connections | sed -n 2p | tr -s ' ' '\n')" \
	"$(sed -n '/^\.Sh CONNECTIONS/,/^\.Sh JSON/s/^\.It Li \([a-z]*\)$/\1/p' \
	"$TOP_SRCDIR/man/preforkctl.8")"

# Without the kernel's part: another namespace, or a kernel that says no.
if [ -n "${TEST_NAMESPACE-}" ]; then
	run unshare -n "$PREFORKCTL" -s "$T/control" connections
	t "another network namespace: exit status 0" equals "0:" "$STATUS:$STDERR"
	t "... it is said, with the remedy" says \
		"^master $DAEMON, connections 3; nothing from the kernel: the daemon is in another network namespace .*nsenter -t $DAEMON -n" \
		"$STDOUT"
	t "... the kernel's columns are -" equals "- 100 100 - - - -" \
		"$(printf '%s\n' "$STDOUT" |
		awk 'NR > 2 { print $4, $6, $7, $8, $9, $10, $11 }' | sort -u)"
	t "... and null" equals "3 [null,null,null,null,null,null,null,null]" \
		"$(unshare -n "$PREFORKCTL" -s "$T/control" connections -j |
		jq -rc '.connections[] | [.local, .state, .unacked,
			.rtt_seconds, .retrans, .timer, .timer_seconds,
			.timer_count]' | uniq -c | sed 's/^ *//')"
	t "... nsenter is the remedy" equals 3 \
		"$(unshare -n nsenter -t "$DAEMON" -n "$PREFORKCTL" \
		-s "$T/control" connections | grep -c ESTABLISHED)"
fi
if command -v strace >/dev/null && [ "$SANITIZERS" = no ]; then
	run strace -o /dev/null -e trace=sendto \
		-e inject=sendto:error=EPERM:when=2 \
		"$PREFORKCTL" -s "$T/control" connections
	t "a kernel that refuses: the rest is there" says \
		'connections 3; nothing from the kernel: sock_diag: request: Operation not permitted$' \
		"$STDOUT"
	t "... exit status 0" equals 0 $STATUS
fi

# The master hands over what can be read alone.
t "the request of nc is answered" equals "ok" \
	"$(echo scoreboard | nc -N -U "$T/control" | head -n 1)"
fds()
{
	equals "$1" "$(find "/proc/$DAEMON/fd" -type l | wc -l)"
}
FDS=$(find "/proc/$DAEMON/fd" -type l | wc -l)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	connections connections
done
t "... and leaves no descriptor in the master" until_true fds "$FDS"

for wrong in "-j reload" "reload -j" "connections now" "connections -x" \
    "-S" "-j"; do
	# shellcheck disable=SC2086
	connections $wrong
	t "preforkctl $wrong: exit status 2" equals "2:" "$STATUS:$STDOUT"
done
t "to a full device: exit status 1" sh -c \
	"'$PREFORKCTL' -s '$T/control' connections >/dev/full 2>'$T/said'; [ \$? = 1 ]"

# There is room for the socket, and for nothing that comes over it.
run sh -c "exec 3<&-; ulimit -n 4; exec '$PREFORKCTL' -s '$T/control' connections"
t "no descriptor left: exit status 1" equals "1:" "$STATUS:$STDOUT"
t "... with the remedy" says \
	"^preforkctl: $T/control: the scoreboard did not come with the answer \(raise RLIMIT_NOFILE, ulimit -n\)\$" \
	"$STDERR"

# Who may not ask gets nothing: not even a descriptor.
if [ "${TEST_NAMESPACE-}" = root ]; then
	chmod 755 "$T"
	chmod 777 "$T/control"
	run setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$PREFORKCTL" -s "$T/control" connections
	t "another user is refused" equals "1:" "$STATUS:$STDOUT"
	t "... by the daemon" says 'not permitted: only root' "$STDERR"
fi

# shellcheck disable=SC2086
kill $BACKGROUND
# shellcheck disable=SC2086
wait $BACKGROUND 2>/dev/null
BACKGROUND=
t "they are gone with their clients" until_true are_shown 0
stop

# Sockets of this namespace, served by a daemon that has another one.
if [ "${TEST_NAMESPACE-}" = root ] &&
    command -v systemd-socket-activate >/dev/null; then
	printf 'pid-file none\ncontrol %s\nservice echo {\nlisten systemd\n}\n' \
		"$T/control" >"$T/preforkd.conf"
	SYSTEMD_LOG_LEVEL=err SYSTEMD_LOG_TARGET=null systemd-socket-activate \
		-l 127.0.0.1:$ECHO unshare -n "$PREFORKD" -F \
		-f "$T/preforkd.conf" 2>"$T/log" &
	DAEMON=$!
	listens()
	{
		ss -Hltn "sport = :$ECHO" | grep -q .
	}
	until_true listens
	"$CLIENT" echo -n 2 -b 100 -t 60 127.0.0.1 $ECHO >"$T/client.out" &
	BACKGROUND=$!
	passed()
	{
		equals "ESTABLISHED ESTABLISHED" \
			"$("$PREFORKCTL" -s "$T/control" connections |
			awk 'NR > 2 { print $4 }' | paste -s -d ' ' -)"
	}
	t "sockets that systemd passed are seen by their inodes" \
		until_true passed
	kill $BACKGROUND
	wait $BACKGROUND 2>/dev/null
	BACKGROUND=
fi
finish
