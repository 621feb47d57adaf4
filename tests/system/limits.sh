#!/bin/sh
# Limits of the kernel that cannot carry max-workers are said before a burst of
# clients finds them; and a scheduling that is not permitted.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_root
need strace prlimit setpriv

# An account that nothing else runs as.
USER_ID=$((1000000 + $$))
# The tree may be where only root can go.
chmod 711 "$T"
cp "$PREFORKD" "$T/preforkd"
PROGRAM=$T/preforkd
PREFORKD=$T/through

# through COMMAND ...: PREFORKD is the daemon started by this.
through()
{
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$*" "$PROGRAM" >"$PREFORKD"
	chmod 755 "$PREFORKD"
}

# warns NAME VALUE NEEDED REMEDY: at the start, and in -nv.
warns()
{
	start "$(conf "max-workers 1024")"
	stop
	t "$1 $2: one warning at the start" equals 1 "$(warnings)"
	t "... which names all that there is to know" logged \
		"warning: $1 is $2, but this configuration needs $3: .*$4"
	run "$PREFORKD" -nv -f "$T/preforkd.conf"
	t "... and -nv has it" grep -qx "# $1 is $2" "$T/run.out"
	t "... with what is needed" grep -Eqx \
		"#	too low: $3 are needed; .*$4.*" "$T/run.out"
	t "... of that one only" equals 1 "$(grep -c 'too low' "$T/run.out")"
}

# sysctl NAME VALUE: as this script and what it starts sees it.
sysctl_is()
{
	echo "$2" >"$T/$1"
	mount --bind "$T/$1" "/proc/sys/kernel/$1"
}

# A machine as it comes: whatever this one has.
sysctl_is pid_max 32768
through "prlimit --nofile=1024:4096"
start "$(conf)"
stop
t "a default configuration on a default machine: no warning" \
	equals 0 "$(warnings)"
run "$PREFORKD" -nv -f "$T/preforkd.conf"
t "... and -nv has none" not grep 'too low' "$T/run.out"

umount /proc/sys/kernel/pid_max
sysctl_is pid_max 2348
warns kernel.pid_max 2348 2349 'sysctl\(8\).*lower max-workers'
umount /proc/sys/kernel/pid_max
sysctl_is pid_max 2349
run "$PREFORKD" -nv -f "$T/preforkd.conf"
t "one more is enough" not grep 'too low' "$T/run.out"
sysctl_is threads-max 2048
warns kernel.threads-max 2048 2049 'sysctl\(8\).*lower max-workers'
umount /proc/sys/kernel/threads-max
umount /proc/sys/kernel/pid_max
through "prlimit --nofile=9:9"
warns RLIMIT_NOFILE 9 12 LimitNOFILE=
through "prlimit --nproc=2048:2048"
start "$(conf "max-workers 1024")"
stop
t "RLIMIT_NPROC is nothing to root" equals 0 "$(warnings)"
through "setpriv --reuid $USER_ID --regid $USER_ID --clear-groups prlimit --nproc=2048:2048"
warns RLIMIT_NPROC 2048 2049 'LimitNPROC=.*lower max-workers'

# The policy in stat is the 41st field, the third after the processor's.
policy()
{
	sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 39
}

policies()
{
	for pid in $(pgrep -P "$DAEMON" -f "$1"); do
		policy "$pid"
	done | sort | uniq -c | tr -s ' '
}

through env
start "pid-file none
control none
service echo {
listen 127.0.0.1:$ECHO
scheduling batch
max-workers 4
}
service daytime {
listen 127.0.0.1:$DAYTIME
max-workers 4
}"
t "scheduling batch: each worker has SCHED_BATCH" \
	equals " 4 3" "$(policies 'worker echo')"
t "... and no other service's" equals " 4 0" "$(policies 'worker daytime')"
t "... nor the master" equals 0 "$(policy "$DAEMON")"
t "... and nothing is said" equals 0 "$(warnings)"
stop

through "strace -f -q -o '$T/strace' -e trace=sched_setscheduler -e inject=sched_setscheduler:error=EPERM"
printf '%s\n' "$(conf "max-workers 2" "scheduling batch")" >"$T/batch.conf"
started()
{
	logged 'notice: serving daytime'
}
: >"$T/log"
"$PREFORKD" -F -f "$T/batch.conf" 2>"$T/log" &
TRACER=$!
t "not permitted: it serves" until_true started
DAEMON=$(pgrep -P $TRACER)
t "... with one warning" equals 1 "$(warnings)"
t "... which has the remedy" logged \
	'warning: scheduling batch: not permitted.*CPUSchedulingPolicy=batch in the unit.*: Operation not permitted'
t "... and workers without it" equals " 2 0" "$(policies 'worker echo')"
kill -TERM "$DAEMON"
wait $TRACER
t "exit status 0" equals 0 $?
DAEMON=
TRACER=

# A unit with that line: nothing to complain about.
through "chrt -b 0 strace -f -q -o '$T/strace' -e trace=sched_setscheduler -e inject=sched_setscheduler:error=EPERM"
: >"$T/log"
"$PREFORKD" -F -f "$T/batch.conf" 2>"$T/log" &
TRACER=$!
t "handed down by who starts it: it serves" until_true started
DAEMON=$(pgrep -P $TRACER)
t "... without a warning" equals 0 "$(warnings)"
t "... and workers have it" equals " 2 3" "$(policies 'worker echo')"
kill -TERM "$DAEMON"
wait $TRACER
DAEMON=
TRACER=
finish
