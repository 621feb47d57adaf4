#!/bin/sh
# preforkctl(8): what each command does, what is said, and the exit status.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need nc

ctl()
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

# column SERVICE TITLE: of the table.
column()
{
	"$PREFORKCTL" -s "$T/control" status | awk -v s="$1" -v title="$2" '
		$1 == "service" { for (i = 1; i <= NF; i++) at[$i] = i }
		$1 == s { print $at[title] }'
}

column_is()
{
	equals "$3" "$(column "$1" "$2")"
}

run "$PREFORKCTL" -h
t "-h: exit status 0" equals "0:" "$STATUS:$STDERR"
for word in 'status +\[-j\]' 'connections +\[-j\]' metrics reload upgrade stop \
	'log-level +level' -j -s -S -V -h; do
	t "-h: names $word" says "^  $word " "$STDOUT"
done
run "$PREFORKCTL" -V
t "-V: the version" says '^preforkctl [0-9]+\.[0-9]+\.[0-9]+$' "$STDOUT"
t "-V: that of the daemon" equals "$("$PREFORKD" -V | cut -d ' ' -f 2)" \
	"${STDOUT#* }"
for wrong in "" "nosuch" "status now" "log-level" "log-level a b" "-j reload" "reload -j" "-j" \
	"-j metrics" "status -j x" "status x" "-s"; do
	# shellcheck disable=SC2086
	run "$PREFORKCTL" $wrong
	t "preforkctl $wrong: exit status 2" equals "2:" "$STATUS:$STDOUT"
	t "... with the usage" says '^usage: preforkctl ' "$STDERR"
done
run "$PREFORKCTL" nosuch
t "an unknown command: the commands" says \
	'^commands: status \[-j\], connections \[-j\], metrics, reload, upgrade, stop, log-level level$' "$STDERR"
run "$PREFORKCTL" log-level "debug
stop"
t "an argument that is a line more is none: exit status 2" equals 2 $STATUS

ctl status
t "no daemon: exit status 3" equals 3 $STATUS
t "... with the socket, the reason and the remedy" says \
	"^preforkctl: $T/control: No such file or directory: .*is preforkd running\?.*-s" \
	"$STDERR"
: >"$T/control"
ctl stop
t "a file that nobody listens at: exit status 3" equals 3 $STATUS
rm "$T/control"

start "log-level warning
$(conf_with_control "min-spare-workers 1" "max-workers 64")" -v
ctl status
t "status: exit status 0" equals "0:" "$STATUS:$STDERR"
t "status: the master" says \
	"^preforkd [0-9.]+: master $DAEMON, log-level notice, log-lost 0\$" "$STDOUT"
t "status: the titles" says \
	'^service +listen +state +busy +idle +other +max +queue +backlog +half-open +overflows +raise +mean-wait +longest-wait +connections +endings +holders$' \
	"$STDOUT"
t "status: a row for echo" says \
	"^echo +127.0.0.1:$ECHO +serving +0 +4 +0 +64 +0/[0-9]+ +4096 +(0|-) +0 +- +0.000 +0.000 +0 +- +configuration(,[0-9]+){4}\$" \
	"$STDOUT"
t "status: and one for daytime" says "^daytime +127.0.0.1:$DAYTIME +serving " \
	"$STDOUT"
"$CLIENT" echo -n 2 -b 100 -t 30 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
t "status: workers that serve are busy" until_true column_is echo busy 2
until_true field_is echo in 200
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null
BACKGROUND=
t "status: connections, when they have ended" \
	until_true column_is echo endings peer-closed:2
t "status: how many there were" column_is echo connections 2
t "status: the log says the same" field_is echo endings "$(column echo endings)"
t "status: ... of who holds the socket" \
	field_is echo holders "$(column echo holders)"
t "status: the same by nc" equals "ok preforkd" \
	"$(echo status | nc -N -U "$T/control" | head -n 2 | paste -s -d ' ' - |
		cut -d ' ' -f 1-2)"
t "status: to a full device: exit status 1" sh -c \
	"'$PREFORKCTL' -s '$T/control' status >/dev/full 2>'$T/said'; [ \$? = 1 ] &&
	grep -q 'standard output: No space left' '$T/said'"

# The level is that of workers who were there before.
OLD=$(workers)
connection_is_logged()
{
	lines=$(log_lines 'service=daytime ')
	"$CLIENT" daytime 127.0.0.1 $DAYTIME >/dev/null
	# A worker writes the line before it goes back to accept.
	until_true column_is daytime idle 4 || return
	[ "$(log_lines 'service=daytime ')" -gt "$lines" ]
}
t "at level notice connections are not logged" not connection_is_logged
ctl log-level info
t "log-level info: exit status 0" equals "0:log-level info" "$STATUS:$STDOUT"
t "... of workers as well" connection_is_logged
t "... none of which was replaced" equals "$OLD" "$(workers)"
t "... the status says it" says 'log-level info,' \
	"$("$PREFORKCTL" -s "$T/control" status)"
ctl log-level error
t "log-level error: workers are silent again" not connection_is_logged
t "... and the master: no line for a dead worker" sh -c "
	kill -KILL ${OLD##* }; sleep 0.3; ! grep 'worker ${OLD##* } ' '$T/log'"
t "... who asked is in the log" logged \
	'notice: control: log-level error \(uid [0-9]+, pid [0-9]+\)'
ctl log-level loud
t "log-level loud: exit status 1" equals "1:" "$STATUS:$STDOUT"
t "... with what it must be" says \
	'^preforkctl: log-level loud: must be error, warning, notice, info or debug$' \
	"$STDERR"
ctl log-level info

ctl reload
t "reload: exit status 0, when it is done" equals "0:reloaded" "$STATUS:$STDOUT"
ctl upgrade
t "upgrade: the same, from the new binary" says \
	'^upgraded to preforkd [0-9.]+$' "$STDOUT"
t "... exit status 0" equals 0 "$STATUS"
ctl log-level debug
ctl reload
ctl status
t "a reload takes the level of the configuration again" \
	says 'log-level notice,' "$STDOUT"
cp "$T/preforkd.conf" "$T/good.conf"
sed -i "s|^control .*|control $T/elsewhere|" "$T/preforkd.conf"
ctl reload
t "a reload leaves the control socket where it is, and says so" equals \
	"0:reloaded; control changes with a restart" "$STATUS:$STDOUT"
sed -i "s|^pid-file .*|pid-file $T/elsewhere.pid|" "$T/preforkd.conf"
ctl reload
t "... and the PID file" equals \
	"0:reloaded; pid-file, control change with a restart" "$STATUS:$STDOUT"
t "... which is not made" not test -e "$T/elsewhere.pid"
ctl status
t "... and that answers" equals "0:" "$STATUS:$STDERR"
t "... and there is no other" not test -e "$T/elsewhere"
sed "s/:$ECHO/:17099/" "$T/good.conf" >"$T/preforkd.conf"
late_client -b 1000
until_true column_is echo busy 1
ctl reload
t "a listener that is gone and still has a worker: removed" \
	equals removed "$("$PREFORKCTL" -s "$T/control" status |
	awk -v at="127.0.0.1:$ECHO" '$2 == at { print $3 }')"
read_now
kill $BACKGROUND
wait $BACKGROUND 2>/dev/null
BACKGROUND=
mv "$T/good.conf" "$T/preforkd.conf"
ctl reload
# Six wait for the outcome of the next one, whatever is in progress.
for i in 1 2 3; do
	"$PREFORKCTL" -s "$T/control" reload >"$T/reload.$i" 2>&1 &
	"$PREFORKCTL" -s "$T/control" upgrade >"$T/upgrade.$i" 2>&1 &
done
six_answers()
{
	[ "$(cat "$T"/reload.? "$T"/upgrade.? | wc -l)" = 6 ] &&
		[ "$(sort -u "$T"/reload.? "$T"/upgrade.? | wc -l)" = 2 ]
}
t "six at once are all answered" until_true six_answers
mv "$T/preforkd.conf" "$T/good.conf"
printf '%s\nnonsense\n' "$(cat "$T/good.conf")" >"$T/preforkd.conf"
for command in reload upgrade; do
	ctl $command
	t "$command that is refused: exit status 1" equals "1:" "$STATUS:$STDOUT"
	t "... with file and line" says \
		'preforkd.conf:[0-9]+: nonsense: unknown keyword' "$STDERR"
	t "... and what came of it" says "^$command refused: " "$STDERR"
done
mv "$T/good.conf" "$T/preforkd.conf"
t "a command that only the daemon does not know" equals \
	"error unknown command: nosuch;" "$(echo nosuch |
	nc -N -U "$T/control" | paste -s -d ' ' - | cut -d ' ' -f 1-4)"

ctl stop
t "stop: exit status 0" equals "0:stopped" "$STATUS:$STDOUT"
wait "$DAEMON"
t "stop: the daemon's is 0 as well" equals 0 $?
DAEMON=
t "stop: it was asked for" logged 'notice: control: stop \(uid'
t "stop: nothing is at the socket" not test -e "$T/control"

# When it has answered, another one can be started: on its ports, with its file.
again()
{
	for _ in 1 2 3 4 5; do
		"$PREFORKD" -F -f "$T/preforkd.conf" -p "$T/pid" 2>>"$T/log" &
		DAEMON=$!
		until_true "$PREFORKCTL" -s "$T/control" status || return
		"$PREFORKCTL" -s "$T/control" stop || return
		[ ! -e "$T/pid" ] || return
	done
	wait
	DAEMON=
}
t "stop: at once another can be started" again

# It lasts as long as a client does, and stop-timeout.
start "stop-timeout 2s
$(conf_with_control)"
late_client -b 100000000
t "a client that does not read holds a worker" until_true is_stuck
run timeout 0.5 "$PREFORKCTL" -s "$T/control" stop
t "stop: one that does not wait" equals 124 $STATUS
t "... is not needed for it" logged 'notice: stopping$'
t "... the state is stopping" column_is echo state stopping
read_now
wait $BACKGROUND
wait "$DAEMON"
t "... exit status 0" equals 0 $?
DAEMON='' BACKGROUND=

start "stop-timeout 60s
$(conf_with_control)"
late_client -b 100000000
t "a client that does not read holds a worker" until_true is_stuck
"$PREFORKCTL" -s "$T/control" stop >"$T/first" 2>&1 &
FIRST=$!
until_true logged 'notice: stopping$'
sleep 0.2
ctl stop
t "stop: the second one stops at once" equals 0 $STATUS
t "... and says what that cost" says 'workers that still served were killed' \
	"$STDOUT"
wait $FIRST
t "... the first one has the same answer" equals "0:$STDOUT" \
	"$?:$(cat "$T/first")"
read_now
wait $BACKGROUND "$DAEMON"
DAEMON='' BACKGROUND=

# What the accept queue turned away is counted.
if [ -n "${TEST_NAMESPACE-}" ]; then
	start "$(conf_with_control "backlog 4")"
	t "nothing is turned away at first" column_is echo overflows 0
	pause_workers
	"$CLIENT" connect -n 40 -t 0.5 127.0.0.1 $ECHO >/dev/null
	t "overflows are counted" not column_is echo overflows 0
	t "... those of that socket" column_is daytime overflows 0
	t "... the log says the same" equals "$(column echo overflows)" \
		"$(status_field echo overflows)"
	resume_workers
	stop
fi
finish
