#!/bin/sh
# The keyword scoreboard: a file that outlives a crash, and who may have it.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need jq
BOARD=$T/board

with_board()
{
	conf_with_control "min-spare-workers 1" "start-workers 2" "$@" |
		sed "1iscoreboard $BOARD"
}

says()
{
	printf '%s\n' "$2" | grep -Eq -- "$1" || {
		printf '%s\n' "$2"
		return 1
	}
}

post_mortem()
{
	run "$PREFORKCTL" -S "$BOARD" "$@"
}

# column SERVICE TITLE: of the table in the file.
column()
{
	"$PREFORKCTL" -S "$BOARD" status | awk -v s="$1" -v title="$2" '
		$1 == "service" { for (i = 1; i <= NF; i++) at[$i] = i }
		$1 == s { print $at[title] }'
}

column_is()
{
	equals "$3" "$(column "$1" "$2")"
}

start "$(with_board)"
t "the file is its user's alone" equals "600 $(id -u) regular file" \
	"$(stat -c '%a %u %F' "$BOARD")"
t "no block of it is missing" at_most $(($(stat -c %b "$BOARD") * 512)) \
	"$(stat -c %s "$BOARD")"
post_mortem status
t "-S status: exit status 0" equals "0:" "$STATUS:$STDERR"
t "-S status: the daemon runs" says \
	"^scoreboard $BOARD: master $DAEMON runs\$" "$STDOUT"
t "-S status: what only the master knows is -" says \
	"^echo +127.0.0.1:$ECHO +- +0 +2 +0 +- +- +- +- +- +- +0.000 +0.000 +0 +- +-\$" "$STDOUT"
t "-S status: the columns of status" equals \
	"$("$PREFORKCTL" -s "$T/control" status | sed -n 2p | tr -s ' ')" \
	"$(printf '%s\n' "$STDOUT" | sed -n 2p | tr -s ' ')"
# shape: the names of all members, and how deep they are.
shape()
{
	jq -c '[paths | map(if type == "number" then 0 else . end)] | unique |
		map(select(.[2] != "holders" or length < 4))'
}
post_mortem -j status
t "-S -j status: exit status 0" equals "0:" "$STATUS:$STDERR"
t "-S -j status: the shape of status -j" equals \
	"$("$PREFORKCTL" -j -s "$T/control" status | shape)" \
	"$(printf '%s\n' "$STDOUT" | shape)"
t "-S -j status: the daemon" equals "null $DAEMON true info null true" \
	"$(printf '%s\n' "$STDOUT" | jq -r '.daemon | "\(.version) \(.pid) " +
		"\(.running) \(.log_level) \(.log_lost) \(.uptime >= 0)"')"
t "... and when it was started" equals \
	"$("$PREFORKCTL" -j -s "$T/control" status | jq .daemon.started_at)" \
	"$(printf '%s\n' "$STDOUT" | jq .daemon.started_at)"
t "-S -j status: what only the master knows is null" equals \
	"backlog half_open holders max new_overflows overflows queue queue_limit raise state" \
	"$(printf '%s\n' "$STDOUT" | jq -r '.listeners[0] |
		[to_entries[] | select(.value == null) | .key] | sort |
		join(" ")')"
t "-S -j status: what is counted" equals "echo 127.0.0.1:$ECHO 0 2 0 2 0" \
	"$(printf '%s\n' "$STDOUT" | jq -r '.listeners[0] | "\(.service) " +
		"\(.listen) \(.busy) \(.idle) \(.other) \(.workers) " +
		"\(.connections)"')"
if [ "${TEST_NAMESPACE-}" = root ] && command -v setpriv >/dev/null; then
	chmod 755 "$T"
	run setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$PREFORKCTL" -S "$BOARD" status
	t "-S: another user is told who can read it" equals \
		"1:preforkctl: $BOARD: Permission denied (ask as root, or as the user that the daemon was started as)" \
		"$STATUS:$STDERR"
fi
run "$PREFORKCTL" -s "$T/control" -S "$BOARD" status
t "-s with -S: exit status 2, and both are named" says \
	"^2::preforkctl: -s and -S: " "$STATUS:$STDOUT:$STDERR"
run "$PREFORKCTL" -S "$BOARD" -s "$T/control" connections
t "... in any order" equals "2:" "$STATUS:$STDOUT"

# Another daemon with the same file, whatever else it has.
sed "s|$ECHO|$((ECHO + 1))|;s|$DAYTIME|$((DAYTIME + 1))|;s|$T/control|none|" \
	"$T/preforkd.conf" >"$T/second.conf"
run "$PREFORKD" -F -f "$T/second.conf"
t "a second daemon is refused: exit status 1" equals 1 $STATUS
t "... with file, line and remedy" says \
	"second.conf:1: scoreboard $BOARD: already running: .*stop it, or name" \
	"$STDERR"
t "... and the first one has its file" column_is echo idle 2

# A restart is needed for another file.
sed "s|^scoreboard .*|scoreboard $T/other|" "$T/preforkd.conf" >"$T/new"
cp "$T/new" "$T/preforkd.conf"
run "$PREFORKCTL" -s "$T/control" reload
t "a reload is done, and says what is not" equals \
	"0:reloaded; scoreboard changes with a restart" "$STATUS:$STDOUT"
t "... in the log as well" logged \
	'notice: reloaded; scoreboard changes with a restart$'
run "$PREFORKCTL" -s "$T/control" reload
t "... and says so again as long as that is so" equals \
	"0:reloaded; scoreboard changes with a restart" "$STATUS:$STDOUT"
t "... and the file stays" not test -e "$T/other"
t "... with what is served" until_true column_is echo idle 2
OLD=$(stat -c %i "$BOARD")
run "$PREFORKCTL" -s "$T/control" upgrade
t "an upgrade is done" equals 0 $STATUS
t "... the file goes on" equals "$OLD" "$(stat -c %i "$BOARD")"
t "... and is held" says "master $DAEMON runs" \
	"$("$PREFORKCTL" -S "$BOARD" status)"
run "$PREFORKD" -F -f "$T/second.conf"
t "... against a second daemon" equals 1 $STATUS
t "... workers are counted there" until_true column_is echo idle 2
cp "$T/preforkd.conf" "$T/both.conf"
sed '/^service daytime/,/^}/d' "$T/both.conf" >"$T/preforkd.conf"
"$PREFORKCTL" -s "$T/control" reload >/dev/null
t "a listener that is removed is no row any more" until_true \
	column_is daytime listen ""
cp "$T/both.conf" "$T/preforkd.conf"
"$PREFORKCTL" -s "$T/control" reload >/dev/null
t "... and one again when it is back" until_true column_is daytime idle 2

# All die at once, in the middle of two connections.
"$CLIENT" echo -n 2 -b 100 -t 60 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true column_is echo busy 2
until_true field_is echo in 200
post_mortem connections
t "-S connections: the kernel's part is there while it runs" equals 2 \
	"$(printf '%s\n' "$STDOUT" | grep -c ' ESTABLISHED ')"
BUSY=$(printf '%s\n' "$STDOUT" | awk 'NR > 2 { print $1, $3 }' | sort)
# shellcheck disable=SC2046
kill -KILL "$DAEMON" $(workers)
wait "$DAEMON" 2>/dev/null
DAEMON=
until_true sh -c "'$PREFORKCTL' -S '$BOARD' status | grep -q 'is gone'"
post_mortem status
t "killed: status says that the daemon is gone" says \
	"^scoreboard $BOARD: master [0-9]+ is gone\$" "$STDOUT"
t "... two workers were busy" column_is echo busy 2
t "... connections are counted" column_is echo connections 2
t "... in JSON as well" equals "false 2 2" \
	"$("$PREFORKCTL" -S "$BOARD" -j status | jq -r '"\(.daemon.running) " +
		"\(.listeners[] | select(.service == "echo") |
		"\(.busy) \(.connections)")"')"
post_mortem connections
t "... connections: exit status 0" equals "0:" "$STATUS:$STDERR"
t "... they say so as well" says \
	"^scoreboard $BOARD: master [0-9]+ is gone, connections 2; nothing from the kernel: its daemon is gone\$" \
	"$STDOUT"
t "... the workers and their peers" equals "$BUSY" \
	"$(printf '%s\n' "$STDOUT" | awk 'NR > 2 { print $1, $3 }' | sort)"
t "... and their bytes, and nothing of the kernel's" equals \
	"- 100 100 - - - -" "$(printf '%s\n' "$STDOUT" |
	awk 'NR > 2 { print $4, $6, $7, $8, $9, $10, $11 }' | sort -u)"
t "... the same as JSON" equals "false false its daemon is gone [100,100]" \
	"$("$PREFORKCTL" -j -S "$BOARD" connections |
	jq -r '"\(.running) \(.kernel) \(.reason) \([.connections[].in])"')"
kill $BACKGROUND 2>/dev/null
wait $BACKGROUND 2>/dev/null
BACKGROUND=
mkdir "$T/keep"
cp "$BOARD" "$T/keep/board"

start "$(with_board)"
t "the next daemon has a new file" column_is echo connections 0
t "... without a warning" equals 0 "$(warnings)"
stop
t "a stop removes it" not test -e "$BOARD"

# What -S is not.
for wrong in empty text cut directory missing; do
	rm -rf "$BOARD"
	case $wrong in
	empty) : >"$BOARD" ;;
	text) cp "$T/second.conf" "$BOARD" ;;
	cut) head -c 100000 "$T/keep/board" >"$BOARD" ;;
	directory) mkdir "$BOARD" ;;
	esac
	for command in status connections; do
		post_mortem $command
		t "-S $wrong $command: exit status 1" equals "1:" \
			"$STATUS:$STDOUT"
		t "... with the file and a reason" says \
			"^preforkctl: $BOARD: .*" "$STDERR"
	done
done
rm -rf "$BOARD"
for wrong in reload upgrade stop "log-level info"; do
	# shellcheck disable=SC2086
	post_mortem $wrong
	t "-S $wrong: exit status 2" equals 2 $STATUS
done

# What the daemon does not take.
refused()
{
	run "$PREFORKD" -F -f "$T/preforkd.conf"
	[ "$STATUS" = 1 ] || {
		echo "exit status $STATUS"
		return 1
	}
	says "preforkd.conf:1: scoreboard $BOARD: $1" "$STDERR"
}
with_board >"$T/preforkd.conf"
echo "somebody's words" >"$BOARD"
t "another file is left alone" refused \
	'is there and is no scoreboard, .*remove it, or name another'
t "... as it was" equals "somebody's words" "$(cat "$BOARD")"
t "... no socket is left" not test -e "$T/control"
rm "$BOARD"
ln -s "$T/keep/board" "$BOARD"
t "a symbolic link is not followed" refused '.*symbolic link'
rm "$BOARD"
BOARD=$T/nosuch/board
with_board >"$T/preforkd.conf"
t "no directory is made" refused '.*make its directory'
if [ "${TEST_NAMESPACE-}" = root ]; then
	mkdir "$T/small"
	mount -t tmpfs -o size=256k tmpfs "$T/small"
	BOARD=$T/small/board
	with_board >"$T/preforkd.conf"
	t "a full file system is an error of the start" refused \
		'[0-9]+ bytes for it: No space left on device \(make room, lower max-workers, '
	t "... and nothing is left in it" equals "" "$(ls "$T/small")"
	# The reserve for reloads is given up first.
	umount "$T/small"
	mount -t tmpfs -o size=1024k tmpfs "$T/small"
	start "$(with_board "max-workers 100" | grep -v max-spare)"
	t "a small one has a small scoreboard" at_most 1048576 \
		"$(stat -c %s "$BOARD")"
	dd if=/dev/zero of="$T/small/fill" bs=4k 2>/dev/null
	t "... that is served from when it is full" "$CLIENT" echo -c -n 50 \
		-b 100 127.0.0.1 $ECHO
	t "... by all that it has room for" equals 0 "$(warnings)"
	stop
	umount "$T/small"
fi
finish
