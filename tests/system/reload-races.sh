#!/bin/sh
# HUP while something else happens: workers that are let go, a queue that
# empties, a name that is looked up slowly.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

need strace
need_namespace

# What the master counts is what is there.
counts_are_right()
{
	for service in echo daytime; do
		equals "$(pgrep -c -P "$DAEMON" -f "worker $service")" \
			"$(status_field $service workers)" || return 1
	done
}

# Spare workers are let go while a reload waits for its last new worker: none
# of its others is taken for a spare one.
start "$(conf "max-workers 32" "start-workers 24" "min-spare-workers 1" \
	"max-spare-workers 4")"
old=$(workers)
new_workers()
{
	for pid in $(workers); do
		case " $old " in
		*" $pid "*) ;;
		*) echo "$pid" ;;
		esac
	done
}
two_are_new()
{
	[ "$(new_workers | wc -l)" = 2 ]
}
of_the_old_at_most()
{
	[ $(($(worker_count) - $(new_workers | wc -l))) -le "$1" ]
}
trace "$DAEMON" -f -e trace=close_range \
	-e inject=close_range:delay_enter=2000000:when=1
kill -HUP "$DAEMON"
until_true two_are_new
new=$(new_workers | sort -n)
slow=${new#*[!0-9]} # the one of daytime
new=${new%[!0-9]*}
kill -STOP "$slow"
untrace
t "spare workers are let go while a reload goes on" \
	until_true of_the_old_at_most 20
t "... which it does" equals 0 "$(log_lines 'notice: reloaded')"
t "... but not its own" kill -0 "$new"
for _ in 1 2 3; do
	kill -HUP "$DAEMON"
	status_field echo workers >/dev/null # that one has been heard
done
kill -CONT "$slow"
t "... then it is done" until_true logged 'notice: reloaded'
t "... and three that were asked for meanwhile follow" \
	until_true more_lines 'notice: reloaded' 1
t "... spare ones are let go again, and no more" until_true has_workers 8
t "... and workers are counted right" until_true counts_are_right
stop
t "... and those three were one" equals 2 "$(log_lines 'notice: reloaded')"

# A reload waits for those in the queue of a listener that goes. The last of
# them is taken by a worker that was there: nobody comes or goes.
FEW=$(conf "max-workers 1" "start-workers 1" "min-spare-workers 1" \
	"idle-timeout 60s" "evict no")
start "$FEW"
late_client -c -b $MUCH
until_true field_is echo busy 1
silent_clients 2 $ECHO 8>&- # or it would hold the other one up
until_true field_is echo queue 2/4096
AWAY=$(echo "$FEW" | sed "s/127.0.0.1:$ECHO/127.0.0.1:$OTHER/")
reload "$AWAY"
until_true logged 'notice: reloaded'
until_true pgrep -f -P "$DAEMON" "worker echo 127.0.0.1:$OTHER"
kill -HUP "$DAEMON"
t "one who waits holds a reload up" equals 1 "$(log_lines 'notice: reloading')"
read_now
t "... until a worker takes it" until_true more_lines 'notice: reloaded' 1
t "... while that client is served" client_ends \
	"fin=1 rst=0 timeout=0 mismatch=0 complete=1 bytes=$MUCH"
dismiss
stop

# Who waits in one that goes gets a worker, but not twenty a second of those
# that cannot start.
start "$FEW"
silent_clients 3 $ECHO
until_true field_is echo queue 2/4096
reload "$AWAY"
of_the_removed()
{
	pgrep -P "$DAEMON" -f "worker echo 127.0.0.1:$ECHO"
}
two_of_the_removed()
{
	[ "$(of_the_removed | wc -l)" = 2 ]
}
until_true two_of_the_removed
trace "$DAEMON" -f -e trace=close_range -e inject=close_range:error=EPERM
# shellcheck disable=SC2046
kill -KILL $(of_the_removed)
DIED="worker .*:$ECHO\) exited with status"
until_true more_lines "$DIED" 2
sleep 2
t "workers for a queue that cannot start are started with delays" \
	at_most 10 "$(log_lines "$DIED")"
untrace
t "... until they can" until_true of_the_removed
dismiss
t "... and who waited is served" until_true not of_the_removed
stop

# The time for new workers is theirs, and not that of a slow name service.
start "$(conf)"
NAMED=$(conf | sed "s/127.0.0.1:$ECHO/localhost:$ECHO/")
trace "$DAEMON" -P /etc/hosts -e trace=openat \
	-e inject=openat:delay_enter=11000000:when=1
reload "$NAMED"
untrace
t "a name that takes eleven seconds to look up is no reason to refuse" \
	last_outcome reloaded
stop
finish
