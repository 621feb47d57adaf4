#!/bin/sh
# Sockets of ours that the service manager keeps while we are not there.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need ss

OTHER=17099

# supervise: the manager, in BACKGROUND, and its first daemon.
supervise()
{
	: >"$T/log"
	: >"$T/told"
	"$CLIENT" supervise "$T/manager" "$PREFORKD" -F -f "$T/preforkd.conf" \
		>"$T/told" 2>>"$T/log" &
	BACKGROUND=$!
	until_true is_ready 1
	DAEMON=$(last_daemon)
}

last_daemon()
{
	sed -n 's/^started //p' "$T/told" | tail -n 1
}

is_ready()
{
	[ "$(grep -c '^READY=1' "$T/told")" -ge "$1" ]
}

# again: the manager stops the daemon and starts it again.
again()
{
	readies=$(grep -c '^READY=1' "$T/told")
	kill -USR1 $BACKGROUND
	until_true is_ready $((readies + 1))
	DAEMON=$(last_daemon)
}

told()
{
	tr '\n' ' ' <"$T/told" | grep -Eq -- "$1" || {
		cat "$T/told"
		return 1
	}
}

inode()
{
	ss -Hltne "sport = :$1" | grep -o 'ino:[0-9]*'
}

is_open()
{
	inode "$1" | grep -q ino
}

write_conf()
{
	printf '%s\n' "$1" >"$T/new.conf"
	mv "$T/new.conf" "$T/preforkd.conf"
}

reload()
{
	outcomes=$(log_lines 'notice: reloaded')
	kill -HUP "$DAEMON"
	until_true reload_came "$outcomes"
}

reload_came()
{
	[ "$(log_lines 'notice: reloaded')" -gt "$1" ]
}

descriptors()
{
	find "/proc/$1/fd" -lname 'socket:*' | wc -l
}

has_descriptors()
{
	equals "$2" "$(descriptors "$1")"
}

end_all()
{
	kill -TERM $BACKGROUND
	wait $BACKGROUND
	BACKGROUND=
	DAEMON=
}

BOTH=$(conf "max-workers 4")
write_conf "$BOTH"
FDSTORE=8
export FDSTORE
supervise
t "each socket is stored before it is ready" told \
	"^started [0-9]* FDSTORE=1 FDNAME=preforkd/127.0.0.1/$ECHO FDSTORE=1 FDNAME=preforkd/127.0.0.1/$DAYTIME READY=1"
t "the manager has them" has_descriptors $BACKGROUND 3
t "and is a holder" sh -c \
	"echo '$(status_field echo holders)' | grep -Eq '^configuration,([0-9]+,)*systemd'"
t "the variable is gone from the environment" not sh -c \
	"tr '\\0' '\\n' <'/proc/$(pgrep -P "$DAEMON" | head -n 1)/environ' | grep FDSTORE"

before=$(inode $ECHO)
stores=$(grep -c '^FDSTORE=1' "$T/told")
outcomes=$(log_lines 'notice: reloaded')
kill -USR2 "$DAEMON"
t "an upgrade" until_true reload_came "$outcomes"
t "... keeps the socket" equals "$before" "$(inode $ECHO)"
t "... stores nothing twice" equals "$stores" \
	"$(grep -c '^FDSTORE=1' "$T/told")"
t "... and knows that it is stored" sh -c \
	"echo '$(status_field echo holders)' | grep -q systemd"
t "a restart" again
t "... keeps the socket" equals "$before" "$(inode $ECHO)"
t "... which is taken for its address" logged \
	"127.0.0.1:$ECHO: taken over from the instance before"
t "... stores nothing again" equals 2 "$(grep -c '^FDSTORE=1' "$T/told")"
"$CLIENT" daytime -n 3000 -t 60 127.0.0.1 $DAYTIME >"$T/client.out" 2>&1 &
CLIENTS=$!
again
again
wait $CLIENTS
t "... refuses nobody under load, and resets nobody" equals "lines=3000" \
	"$(grep -o 'lines=.*' "$T/client.out")"
t "... and blocks in accept" field_is daytime idle 4

# More than one worker can take: its queue is never empty.
write_conf "stop-timeout 2s
$(conf "max-workers 1")"
again
LOAD=
for client in $(seq 40); do
	"$CLIENT" daytime -n 1500 -t 60 127.0.0.1 $DAYTIME \
		>"$T/load.$client" 2>&1 &
	LOAD="$LOAD $!"
done
until_true sh -c "[ $(status_field daytime connections) -lt \
	\"\$(grep -c ending=served '$T/log')\" ]"
before=$(now_ms)
again
t "a stop leaves a queue that does not get empty to the next" \
	at_most 1900 $(($(now_ms) - before))
# shellcheck disable=SC2086
wait $LOAD
t "... and all in it are served" equals 40 \
	"$(grep -lx 'fin=1500 rst=0 timeout=0 lines=1500' "$T"/load.* | wc -l)"
t "... nobody had to be killed" not logged 'killing the workers'

# A crash with a client in the queue, whom nobody takes.
write_conf "$(conf "max-workers 1")"
again
worker=$(pgrep -P "$DAEMON" -f 'worker daytime')
kill -STOP "$worker"
until_true grep -q '^State:.*stopped' "/proc/$worker/status"
"$CLIENT" daytime -n 1 -t 30 127.0.0.1 $DAYTIME >"$T/client.out" &
CLIENTS=$!
until_true field_is daytime queue 1/4096
readies=$(grep -c '^READY=1' "$T/told")
kill -KILL "$DAEMON"
wait $CLIENTS
t "a master that is killed leaves its queue to the next" equals \
	"fin=1 rst=0 timeout=0 lines=1" "$(cat "$T/client.out")"
until_true is_ready $((readies + 1))
DAEMON=$(last_daemon)
write_conf "$BOTH"
again

printf '%s\nservice discard {\nlisten 127.0.0.1:%s\n}\n' \
	"$(conf | sed '/^service daytime/,$d')" $OTHER >"$T/new.conf"
mv "$T/new.conf" "$T/preforkd.conf"
reload
t "a listen line that comes is stored" until_true told \
	"FDSTORE=1 FDNAME=preforkd/127.0.0.1/$OTHER"
t "one that goes is no longer" until_true told \
	"FDSTOREREMOVE=1 FDNAME=preforkd/127.0.0.1/$DAYTIME"
t "... the manager has two" until_true has_descriptors $BACKGROUND 3
t "... and its port is free" until_true not is_open $DAYTIME

write_conf "$(conf | sed '/^service daytime/,$d')"
again
t "a socket that no line names any more is not kept" told \
	"FDSTOREREMOVE=1 FDNAME=preforkd/127.0.0.1/$OTHER READY=1"
t "... and its port is free" until_true not is_open $OTHER
write_conf "$(conf | sed '/^service daytime/,$d' | sed 's/127.0.0.1:/*:/')"
again
t "another address of the port takes its place" \
	"$CLIENT" echo -c -b 1000 127.0.0.2 $ECHO
t "... and is stored in its stead" told \
	"FDSTOREREMOVE=1 FDNAME=preforkd/127.0.0.1/$ECHO FDSTORE=1 FDNAME=preforkd/[*]/$ECHO READY=1"
before=$(inode $ECHO)
again
t "... a restart keeps that" equals "$before" "$(inode $ECHO)"
t "nothing was worth a warning but that load" equals \
	"$(log_lines 'warning: .*all of max-workers')" "$(warnings)"
end_all
t "exit status 0" told 'ended 0 $'

FDSTORE=1
write_conf "$BOTH"
supervise
t "one place for two: one is stored" equals 1 "$(grep -c '^FDSTORE=1' "$T/told")"
t "... and the log says which is not" logged \
	"warning: 127.0.0.1:$DAYTIME: a restart will not keep .*FDSTORE is 1"
end_all
FDSTORE=many
supervise
t "a number that is none is warned of" logged 'FDSTORE=many: must be a number'
t "... and nothing is stored" not told FDSTORE=1
end_all
unset FDSTORE
supervise
t "nor is it where the unit keeps nothing" not told FDSTORE=1
end_all
t "exit status 0" told 'ended 0 $'
finish
