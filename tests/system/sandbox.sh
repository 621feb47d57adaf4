#!/bin/sh
# A worker that was taken over: what it tries ends it, and the log names it.
# Then the same without the filter, where each of the other locks must hold.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need nc strace
PORT=17007

# ask NAME [NUMBER]: what the worker answers.
ask()
{
	printf '%s\n' "$*" | timeout 20 nc -N 127.0.0.1 $PORT
}

answers()
{
	expected=$1
	shift
	equals "$expected" "$(ask "$@")"
}

# It fails, in one of the ways that are named, or there is no such call here.
fails_with()
{
	answer=$(ask "$2" "${3-}")
	case " $1 " in
	*" ${answer#* } "*) ;;
	*)
		echo "$answer, and not one of: $1"
		return 1
		;;
	esac
}

dies_of()
{
	logged "warning: worker [0-9]* \\(forbidden 127.0.0.1:$PORT\\) was killed by signal 31 \\(Bad system call\\), for a forbidden system call: $1 \\([0-9]+\\)"
}

start_one()
{
	PREFORKD=$TOP_BUILDDIR/tests/system/$1
	start "pid-file none
control none
log-connections yes
service forbidden {
listen 127.0.0.1:$PORT
max-workers 2
}"
}

whole()
{
	has_workers 2 && field_is forbidden idle 2
}

start_one forbidden
for call in openat mkdirat unlinkat socket connect bind execve clone ptrace \
    kill setuid setgid setgroups chroot mount unshare prlimit64 prctl mmap \
    dup sendto setsockopt getsockopt ioctl fcntl shutdown; do
	until_true whole
	other=$(workers | cut -d ' ' -f 1)
	t "$call: the worker does not live to answer" answers "" $call "$other"
	t "$call: the log names it" until_true dies_of $call
done
t "none of them was taken for an early death" not logged degraded
t "each is a failed connection" until_true has_ended forbidden failed 26
until_true whole
t "create: the worker dies as well" answers "" create
t "... and there is no file" not test -e /tmp/preforkd-forbidden
until_true whole

# What is allowed can be turned against the others: a timeout on the listener.
listener()
{
	listening=$(readlink /proc/"$DAEMON"/fd/* | grep '^socket:')
	for fd in /proc/"$1"/fd/*; do
		[ "$(readlink "$fd")" != "$listening" ] || echo "${fd##*/}"
	done
}

old=$(workers)
t "a timeout on the listener is set" answers "timeout done" timeout \
	"$(listener "${old% *}")"
# The timeout is one of milliseconds: while it was set, accept would fail again
# and again.
serves_in_turn()
{
	equals "timeout EBADF" "$(ask timeout -1)" &&
		equals "timeout EBADF" "$(ask timeout -1)"
}
t "... and both workers live on, and serve" serves_in_turn
t "... the same ones" equals "$old" "$(workers)"
trace "$old" -e trace=accept4
sleep 1
untrace
t "... and wait in accept, with the timeout gone" \
	at_most 2 "$(grep -c accept4 "$T/strace")"

# The master is woken by a descriptor that any worker can write to.
wake_up()
{
	ls -l "/proc/$DAEMON/fd" |
		sed -n 's/.* \([0-9]*\) -> .*eventfd.*/\1/p'
}
fd=$(wake_up)
trace "$DAEMON" -e trace=read
before=$(now_ms)
t "the master is woken for a second, without an end" answers "wake done" \
	wake "$fd"
took=$(($(now_ms) - before))
untrace
wakes=$(grep -c "^read($fd, " "$T/strace")
t "... and looks" at_most "$wakes" 10
t "... but no more often than every 2 ms" at_most $((took / 2 + 1)) "$wakes"
t "... and does its duty" until_true whole

# While it stops, too.
before=$(log_lines 'forbidden system call: openat')
worker=$(workers | cut -d ' ' -f 1)
other=$(workers | cut -d ' ' -f 2)
kill -STOP "$other"
mkfifo "$T/go"
timeout 20 nc 127.0.0.1 $PORT <"$T/go" >"$T/answer" &
BACKGROUND=$!
exec 8>"$T/go"
until_true field_is forbidden busy 1
kill -STOP "$worker"
kill -CONT "$other"
echo openat >&8
kill -TERM "$DAEMON"
until_true logged 'notice: stopping'
kill -CONT "$worker"
wait "$DAEMON"
exec 8>&-
t "a forbidden call during a stop is named as well" \
	equals $((before + 1)) "$(log_lines 'forbidden system call: openat')"
wait $BACKGROUND
DAEMON= BACKGROUND=

# What it can write to must not talk the master into sending everybody home.
PREFORKD=$TOP_BUILDDIR/tests/system/forbidden
start "pid-file none
control none
service forbidden {
listen 127.0.0.1:$PORT
start-workers 18
max-spare-workers 16
max-workers 40
}"
t "all workers are said to be free, and more" answers "forge done" forge
t "those beyond max-spare-workers leave" until_true has_workers 16
sleep 3
t "... and nobody else is sent home" has_workers 16
t "... so that they serve" answers "forge done" forge
stop

# A connection is born with the timeout that the listener has just then; here
# another worker is in an accept that began before.
start "pid-file none
control none
log-connections yes
service forbidden {
listen 127.0.0.1:$PORT
max-workers 2
idle-timeout 0
}"
talk()
{
	mkfifo "$T/talk$1"
	timeout 20 nc -N 127.0.0.1 $PORT <"$T/talk$1" >"$T/answer$1" &
	BACKGROUND="$BACKGROUND $!"
}
talk 1
exec 6>"$T/talk1"
until_true field_is forbidden busy 1
echo "timeout $(listener "$(workers | cut -d ' ' -f 1)")" >&6
until_true test -s "$T/answer1"
talk 2
exec 7>"$T/talk2"
until_true field_is forbidden busy 2
sleep 0.3
echo "timeout -1" >&7
t "with idle-timeout 0 a timeout on the listener ends no connection" \
	until_true grep -q EBADF "$T/answer2"
exec 6>&- 7>&-
# shellcheck disable=SC2086
wait $BACKGROUND
BACKGROUND=
t "... both end with the peer's FIN" \
	until_true has_ended forbidden peer-closed 2
stop

start_one unfiltered
t "without the filter the log says so" logged 'no seccomp'
first=$(workers | cut -d ' ' -f 1)
while read -r errors call number; do
	[ "$number" != master ] || number=$DAEMON
	t "$call ${number:+of $number }fails with $errors" \
		fails_with "$(echo "$errors" | tr , ' ')" "$call" "$number"
done <<END
EACCES,EMFILE,ENOENT openat
EACCES,EMFILE,ENOENT create
EACCES,ENOENT mkdirat
EACCES,ENOENT unlinkat
EMFILE socket
EACCES,ENOENT execve
EAGAIN clone
EPERM ptrace master
EPERM kill master
EPERM setgroups
EPERM chroot
EPERM mount
EPERM prlimit64
EMFILE dup
END
if [ "$(awk '/^Uid/ { print $2 }' "/proc/$first/status")" != 0 ]; then
	for call in setuid setgid; do
		t "$call fails with EPERM" fails_with EPERM $call
	done
fi
lacks_landlock()
{
	logged 'no Landlock|Landlock version [1-3]:'
}
if ! lacks_landlock; then
	t "connect fails with EACCES" fails_with EACCES connect 9
	t "bind fails with EACCES" fails_with EACCES bind
fi
if logged 'no signal to others'; then
	echo "kill-other EPERM" >"$T/kill"
	# Two answer in turns, so one of them is not the one itself.
	t "kill of another worker fails with EPERM" sh -c "
		for pid in $first $first $first; do
			echo kill-other \$pid | timeout 20 nc -N 127.0.0.1 $PORT
		done | grep -v EDEADLK | sort -u | diff - '$T/kill'"
fi
t "the daemon is as it was" until_true whole
stop
t "exit status 0" equals 0 $STATUS
finish
