#!/bin/sh
# From root to the account of workers, and what is left to the master.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_root
need strace

# field PID NAME: a line of /proc/PID/status, without its name.
field()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr '\t' ' ' |
		sed 's/ *$//'
}

# each_worker COMMAND ...: true of each, with its pid as the last argument; and
# there are some.
each_worker()
{
	[ "$(worker_count)" -gt 0 ] || return
	for pid in $(workers); do
		"$@" "$pid" || return
	done
}

has()
{
	equals "$2" "$(field "$3" "$1")"
}

each_worker_has()
{
	each_worker has "$1" "$2"
}

has_link()
{
	equals "$2" "$(readlink "/proc/$3/$1")"
}

each_worker_has_link()
{
	each_worker has_link "$1" "$2"
}

# limit PID NAME: soft and hard, by their name in /proc.
limit()
{
	sed -n "s/^Max $2  *\([^ ]*\)  *\([^ ]*\) .*/\1 \2/p" "/proc/$1/limits"
}

is_limited()
{
	equals "$2 $2" "$(limit "$3" "$1")"
}

each_worker_is_limited()
{
	each_worker is_limited "$1" "$2"
}

# One more descriptor than it has open: that of a connection.
has_one_more()
{
	most=$(limit "$1" "open files")
	most=${most% *}
	equals 1 "$((most - $(below "$most" "/proc/$1/fd")))"
}

# How many numbers below a limit are taken.
below()
{
	for fd in "$2"/*; do
		[ "${fd##*/}" -ge "$1" ] || echo "$fd"
	done | wc -l
}

NONE=0000000000000000
has_no_capability()
{
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		equals $NONE "$(field "$1" $set)" || return
	done
}


says()
{
	grep -Eq -- "$1" "$T/run.err" || {
		cat "$T/run.err"
		return 1
	}
}

# CAP_KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10, SYS_CHROOT 18
MASTER=00000000000004e0
MASTER_WITH_CHROOT=00000000000404e0

mkdir -m 755 "$T/empty"
chmod 755 "$T"
start "user 4711
group 4712
chroot $T/empty
$(conf "max-workers 4")"
t "the start says what workers run as" logged \
	"notice: workers run as user 4711 \\(uid 4711\\), group 4712 \\(gid 4712\\), chroot $T/empty"
t "real, effective, saved and file-system uid" \
	each_worker_has Uid "4711 4711 4711 4711"
t "the same of the gid" each_worker_has Gid "4712 4712 4712 4712"
t "no other group" each_worker_has Groups 4712
t "they are in their chroot" each_worker_has_link root "$T/empty"
t "... and in no other directory" each_worker_has_link cwd "$T/empty"
t "no capability in any set" each_worker has_no_capability
if [ "$SANDBOX" = yes ]; then
	t "they cannot get new privileges" each_worker_has NoNewPrivs 1
	t "seccomp is on" each_worker_has Seccomp 2
	t "no process" each_worker_is_limited processes 0
	t "no core" each_worker_is_limited "core file size" 0
	t "one more descriptor" each_worker has_one_more
fi
t "nobody but root can look into them" sh -c "
	for pid in $(workers); do
		[ \$(stat -c %u /proc/\$pid/mem) = 0 ] || exit 1
	done"
t "the master is root" equals "0 0 0 0" "$(field "$DAEMON" Uid)"
t "it has the capabilities to bind, and to start and signal workers" equals \
	$MASTER_WITH_CHROOT "$(field "$DAEMON" CapEff)"
t "... and no more to be had" equals $MASTER_WITH_CHROOT \
	"$(field "$DAEMON" CapPrm)"
t "... which the binary of an upgrade has as well" equals \
	$MASTER_WITH_CHROOT "$(field "$DAEMON" CapInh)"
for set in CapBnd CapAmb; do
	t "... nor by its $set" equals $NONE "$(field "$DAEMON" $set)"
done
t "echo is served" "$CLIENT" echo -c -n 8 -b 1000 127.0.0.1 $ECHO
t "daytime tells the local time from there" "$CLIENT" daytime -n 8 \
	127.0.0.1 $DAYTIME
worker=$(workers | cut -d ' ' -f 1)
kill -KILL "$worker"
t "a worker that died is replaced" until_true field_is echo idle 4
t "... by one without privileges" each_worker_has Uid "4711 4711 4711 4711"
stop
t "TERM reaches workers of another user: exit status 0" equals 0 $STATUS
t "... within a second" at_most 1000 "$MS"

start "user nobody
chroot none
$(conf)"
t "without chroot the master keeps less" equals $MASTER \
	"$(field "$DAEMON" CapEff)"
t "the group is the user's own" each_worker_has Gid \
	"$(id -g nobody) $(id -g nobody) $(id -g nobody) $(id -g nobody)"
t "... and the directory as it was" each_worker_has_link root /
stop

run "$PREFORKD" -nv
t "-nv says what workers run as" sh -c \
	"grep -q '^# workers run as user .* (uid [0-9]*), group .*, chroot ' '$T/run.out'"
t "... and what they are locked in with" grep -Eq \
	'^# (sandbox of workers: |WORKERS ARE IN NO SANDBOX)' "$T/run.out"

# An account that is asked for must be there, with every error in one run.
cat >"$T/bad.conf" <<END
user no-such-user
group no-such-group
chroot $T/no-such-directory
END
for how in -n -F ""; do
	# shellcheck disable=SC2086
	run "$PREFORKD" $how -f "$T/bad.conf"
	t "preforkd $how, user that is not there: exit status 2" equals 2 $STATUS
	t "... and it is named" says \
		"^$T/bad.conf:1: user no-such-user: there is no such user; .*useradd"
	t "... the chroot in the same run" says \
		"^$T/bad.conf:3: chroot $T/no-such-directory: there is no such directory; "
done
echo "group no-such-group" >"$T/bad.conf"
run "$PREFORKD" -n -f "$T/bad.conf"
t "a group that is not there: exit status 2" equals 2 $STATUS
t "... and it is named" says \
	"^$T/bad.conf:1: group no-such-group: there is no such group; .*groupadd"

# A container's root without what it takes; a step at the end that fails.
run setpriv --bounding-set=-setuid "$PREFORKD" -F -f "$T/preforkd.conf"
t "root that cannot change: exit status 2" equals 2 $STATUS
t "... before anything is bound" says \
	'^preforkd: started as root without CAP_SETUID, CAP_SETGID, .*start as another user'
P=$T/pid/preforkd.pid
mkdir "$T/pid"
run strace -f -q -o "$T/strace" -e trace=capset -e inject=capset:error=EPERM \
	"$PREFORKD" -F -p "$P" -f "$T/preforkd.conf"
t "capabilities that cannot be given up: exit status 1" equals 1 $STATUS
t "... and why" says 'not started: capabilities cannot be given up'
t "... and no PID file is left" not test -e "$P"

# A PID file in somebody else's directory cannot be removed by root's master.
chown 4711 "$T/pid"
start "$(conf)" -p "$P"
stop
t "a PID file that cannot be removed names nobody" not grep -q . "$P"

start "user root
chroot none
$(conf)"
t "workers as root: the log warns" logged \
	'warning: workers run as root \(uid 0\)'
stop

# Not root: one notice, and the settings are left alone.
: >"$T/log"
chmod 666 "$T/log"
{
	echo "user no-such-user"
	echo "chroot $T/no-such-directory"
	conf
} >"$T/preforkd.conf"
setpriv --reuid=4711 --regid=4712 --clear-groups --bounding-set=-all \
	"$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/log" &
DAEMON=$!
until_true is_serving
t "not root: one notice says so" equals 1 \
	"$(log_lines 'notice: not started as root: workers run as uid 4711 as well; user, group and chroot are left alone')"
t "... workers are who started them" each_worker_has Uid "4711 4711 4711 4711"
[ "$SANDBOX" != yes ] ||
	t "... without a way to a capability" each_worker_has NoNewPrivs 1
t "... and they serve" "$CLIENT" echo -c -b 1000 127.0.0.1 $ECHO
stop
t "exit status 0" equals 0 $STATUS
finish
