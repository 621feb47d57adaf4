#!/bin/sh
# The backlog: what is asked for is in force, and what cuts it is named.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace

connect()
{
	"$CLIENT" connect -n 40 -t "$1" 127.0.0.1 $ECHO
}

one_service()
{
	printf 'pid-file none\ncontrol none\nservice echo {\nlisten 127.0.0.1:%s\n' $ECHO
	printf 'backlog %s\n}\n' "$1"
}

for n in 4 16; do
	start "$(one_service $n)"
	t "backlog $n: the kernel's limit is $n" field_is echo queue 0/$n
	pause_workers
	t "backlog $n: $n + 1 connections complete" \
		equals "connected=$((n + 1))" "$(connect 0.5)"
	resume_workers
	t "backlog $n: then the queue is emptied" \
		until_true field_is echo queue 0/$n
	t "backlog $n: and as many clients are all served" \
		"$CLIENT" echo -c -n $n -b 100 127.0.0.1 $ECHO
	t "backlog $n: no warning" not logged 'warning: .*somaxconn'
	stop
	t "backlog $n: exit status 0" equals 0 $STATUS
done

sysctl -q -w net.core.somaxconn=8
start "$(one_service 100)"
t "a backlog that somaxconn cuts is warned of, with both numbers" \
	logged 'warning: .*backlog 100 was cut to 8 by net\.core\.somaxconn'
t "the status says what is in force" field_is echo queue 0/8
t "-nv says it too" sh -c "$PREFORKD -nv -f $T/preforkd.conf |
	grep 'cuts the backlog of service echo from 100 to 8'"
stop
finish
