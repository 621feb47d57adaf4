#!/bin/sh
# Out of descriptors: no busy loop, one line a minute, and nothing is lost.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need strace prlimit

START_WORKERS=3

# The workers may have four descriptors, or all that they set out with. Their
# account is ours here, for only then may we change that.
limit()
{
	for pid in $(workers); do
		prlimit --pid "$pid" --nofile=4:
	done
}

unlimit()
{
	for pid in $(workers); do
		prlimit --pid "$pid" "--nofile=$(prlimit --pid "$pid" \
			--nofile --noheadings --raw -o HARD):"
	done
}

paused()
{
	field_is echo other $START_WORKERS
}

start "pid-file none
control none
user root
service echo {
listen 127.0.0.1:$ECHO
max-workers $START_WORKERS
}"
limit
"$CLIENT" echo -c -n 5 -b 1000 -t 40 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
t "workers that have no descriptor left pause" until_true paused
t "... and say so, with the limit's name" logged \
	"warning: 127.0.0.1:$ECHO: accept: Too many open files; .*RLIMIT_NOFILE"
trace "$pid" -e trace=accept4
sleep 2
untrace
tries=$(grep -c EMFILE "$T/strace")
t "... but try again" at_most "$tries" 1
t "... a few times a second, no more" at_most 20 "$tries"
t "one line for all of them" equals 1 "$(log_lines 'accept: Too many')"
t "the listener stays open, the clients wait in the queue" \
	equals connected=3 "$("$CLIENT" connect -n 3 -t 5 127.0.0.1 $ECHO)"
unlimit
wait $BACKGROUND
t "with the limit raised all of them are served" equals 0 $?
BACKGROUND=
t "no worker was lost over it" equals 0 "$(log_lines 'worker .*(killed|exited)')"
stop

# More workers could accept no better, so none are started.
start "$(conf "max-workers 60")"
until_true has_workers 8
trace "$DAEMON $(workers)" -f -e trace=accept4 \
	-e inject=accept4:error=ENFILE:syscall=getpid
"$CLIENT" echo -c -n 12 -b 10 -t 40 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
t "the system is out of files: it is said" until_true logged \
	'accept: Too many open files in system; .*fs.file-max'
# USR1 has the master look at its pools.
until_true field_is echo other 4
sleep 1
t "... and no worker is started for those that wait" at_most 16 "$(worker_count)"
untrace
wait $BACKGROUND
t "... who are served when it is better" equals 0 $?
BACKGROUND=
stop

# A worker that pauses is not to hold a stop up.
start "user root
$(conf "max-workers 1")"
limit
"$CLIENT" echo -c -b 1 127.0.0.1 $ECHO >/dev/null 2>&1 &
BACKGROUND=$!
until_true field_is echo other 1
wait $BACKGROUND
BACKGROUND=
unlimit
until_true field_is echo idle 1
limit
stop
t "a stop while no descriptor is left takes no second" at_most 1000 $MS

# Errors that belong to a connection, or to nothing: accept goes on at once.
for error in ECONNABORTED EINTR EPROTO ENETDOWN; do
	start "$(conf "max-workers 1")"
	# The accept that blocks already is not hit: it takes this client. What is
	# called instead must be on the list of the sandbox.
	trace "$(pgrep -f -P "$DAEMON" 'worker echo')" -e trace=accept4 \
		-e inject=accept4:error=$error:syscall=getpid:when=1..5
	"$CLIENT" echo -c -b 10 127.0.0.1 $ECHO >/dev/null
	t "$error: the client after five of them is served" \
		"$CLIENT" echo -c -b 1000 -t 10 127.0.0.1 $ECHO
	t "$error: five of them there were" \
		equals 5 "$(grep -c "$error.*INJECTED" "$T/strace")"
	untrace
	stop
	t "$error: nothing was logged about it" not logged 'accept:'
done
finish
