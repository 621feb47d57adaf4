#!/bin/sh
# HUP and USR2 with listen lines of each kind: IPv6, every address, and names
# with several addresses, which stay, go, and come.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

[ -e /proc/net/if_inet6 ] || skip_all "this machine has no IPv6"
need_namespace
need ss

EVERY=17101
SIX=17102
NAME=17103
FOUR_AND_SIX=17104

cp /etc/hosts "$T/hosts.before"
cp /etc/hosts "$T/hosts"
mount --bind "$T/hosts" /etc/hosts || skip_all "/etc/hosts cannot be mounted on"

# name_is ADDRESS ...: those of several.test from now on.
name_is()
{
	{
		cat "$T/hosts.before"
		printf '%s several.test\n' "$@"
	} >"$T/hosts.new"
	cat "$T/hosts.new" >"$T/hosts"
}

# listening ADDRESS:PORT ...: besides the one that is always there.
listening()
{
	conf "max-workers 4" "start-workers 1" "min-spare-workers 1" |
		sed "s/^listen 127.0.0.1:$ECHO/&$(printf '\\nlisten %s' "$@" |
			sed 's/[&/]/\\&/g')/"
}

# What is listened on, with the inode of each socket.
sockets()
{
	ss -Hltne | sed -n \
		's/^LISTEN *[0-9]* *[0-9]* *\([^ ]*\) .*\(ino:[0-9]*\).*/\1 \2/p' |
		sort
}

# addresses_are ADDRESS:PORT ...
addresses_are()
{
	equals "$(printf '%s\n' "127.0.0.1:$ECHO" "127.0.0.1:$DAYTIME" "$@" |
		sort)" "$(sockets | cut -d ' ' -f 1)"
}

reaches()
{
	for address in ${2-127.0.0.1 ::1}; do
		"$CLIENT" echo -c -b 1000 -t 10 "$address" "$1" >/dev/null ||
			return 1
	done
}

# Pools and workers: a socket that is there and has none would be no listener.
all_serve()
{
	until_true reaches $EVERY && until_true reaches $SIX ::1 &&
		until_true reaches $NAME && until_true reaches $FOUR_AND_SIX
}

name_is 127.0.0.1 ::1
set -- "*:$EVERY" "[::1]:$SIX" "several.test:$NAME" "0.0.0.0:$FOUR_AND_SIX" \
	"[::]:$FOUR_AND_SIX"
ALL=$(listening "$@")
are_all()
{
	addresses_are "*:$EVERY" "[::1]:$SIX" "127.0.0.1:$NAME" "[::1]:$NAME" \
		"0.0.0.0:$FOUR_AND_SIX" "[::]:$FOUR_AND_SIX"
}
start "$ALL"
t "of each kind: its sockets" are_all
t "... serve" all_serve
was=$(sockets)
old=$(lives $(workers))
reload "$ALL"
t "a reload keeps each" last_outcome reloaded
t "... with its socket" equals "$was" "$(sockets)"
t "... with new workers" until_true all_gone $old
t "... as many as before" until_true has_workers 8
t "... who serve" all_serve
old=$(lives $(workers))
upgrade
t "an upgrade keeps each" last_outcome reloaded
t "... with its socket" equals "$was" "$(sockets)"
t "... with new workers" until_true all_gone $old
t "... who serve" all_serve

# One who is served over IPv6 meanwhile.
mkfifo "$T/go"
"$CLIENT" echo -l -t 60 -c -b $MUCH ::1 $SIX <"$T/go" >"$T/client.out" &
BACKGROUND=$!
exec 8>"$T/go"
is_connected()
{
	ss -Htn state established "sport = :$SIX" | grep -q .
}
until_true is_connected
reload "$(listening "127.0.0.1:$SIX")"
t "a reload without them: they go" until_true \
	addresses_are "127.0.0.1:$SIX"
t "... and the one of that port is another one" reaches $SIX 127.0.0.1
reload "$ALL"
t "they come again" last_outcome reloaded
t "... each of them" are_all
t "... and serve" all_serve
read_now
t "a client of before has lost no byte" client_ends \
	"fin=1 rst=0 timeout=0 mismatch=0 complete=1 bytes=$MUCH"

# A name whose addresses change: what stays of it stays.
was=$(sockets | grep "^127.0.0.1:$NAME")
name_is 127.0.0.1 127.0.0.2
reload "$ALL"
t "a name has another address: it is listened on" reaches $NAME 127.0.0.2
t "... and the one of before no longer" until_true not reaches $NAME ::1
t "... and what stays of it is the same socket" equals "$was" \
	"$(sockets | grep "^127.0.0.1:$NAME")"
upgrade
t "an upgrade finds the same" last_outcome reloaded
t "... sockets" equals "$was" "$(sockets | grep "^127.0.0.1:$NAME")"
name_is 127.0.0.1 192.0.2.1
reload "$ALL"
t "an address that this machine has not is passed over" last_outcome reloaded
t "... and named" logged 'warning: .*192.0.2.1:.* is not an address of this'
t "... the others serve" reaches $NAME 127.0.0.1

# What cannot be, and leaves all as it was.
# refused PATTERN ADDRESS:PORT ...
refused()
{
	was=$(sockets) pattern=$1
	shift
	reload "$(listening "$@")" && last_outcome refused &&
		tail -n 4 "$T/log" | grep -Eq -- "$pattern" &&
		until_true equals "$was" "$(sockets)"
}
name_is 127.0.0.1 ::1
reload "$ALL"
t "an address that a name has as well is refused" \
	refused "127.0.0.1:$NAME" "several.test:$NAME" "127.0.0.1:$NAME"
t "every address in place of one is refused, with the remedy" \
	refused 'a restart can' "*:$SIX"
t "... and one in place of every address" refused 'a restart can' \
	"127.0.0.1:$EVERY"
t "a name without an address is refused" \
	refused 'nosuch.test' "nosuch.test:$NAME"

# Each socket of a name has workers of its own: 16384 and twice those of the
# start is what there is room for, and here are 24,000 for one line.
MANY=$(listening "several.test:$NAME" | sed "s/^max-workers 4/max-workers 8000/
/^service daytime/,\$s/^max-workers.*/max-workers 1/")
write_file "$MANY"
outcomes=$(log_lines "$RELOAD_ENDS")
kill -HUP "$DAEMON"
until_true more_lines "$RELOAD_ENDS" "$outcomes"
t "more workers for a name than there is room for are refused" \
	last_outcome refused
t "... all of them counted" logged \
	"max-workers of all listening sockets is 24005, and .* room for 164[0-9]*;"
outcomes=$(log_lines "$UPGRADE_ENDS")
kill -USR2 "$DAEMON"
until_true more_lines "$UPGRADE_ENDS" "$outcomes"
t "... by an upgrade too" last_outcome 'upgrade refused'
t "... and all serve" all_serve
umount /etc/hosts
stop
t "exit status 0" equals 0 $STATUS
finish
