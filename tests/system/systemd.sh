#!/bin/sh
# preforkd as a service, under a systemd that is booted for this test: a
# container over a copy-on-write view of this machine, with a network, a
# cgroup and a journal of its own.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_root
need systemd-nspawn systemctl journalctl systemd-sysusers nsenter make nc ss

BOX=$T/box/root
NAME=preforkd-test-$$
NSPAWN=
LEADER=
UNIT=preforkd.service

# Where a run before us was killed, its cgroup has nobody to remove it.
remove_cgroups()
{
	for directory in /sys/fs/cgroup/preforkd-test-* \
		/sys/fs/cgroup/*/preforkd-test-*; do
		[ -d "$directory" ] || continue
		owner=${directory##*-}
		[ "$owner" = $$ ] || gone "$owner" || continue
		find "$directory" -depth -type d -exec rmdir {} + 2>/dev/null
	done
}

make_cgroups()
{
	for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd \
		/sys/fs/cgroup/unified; do
		[ ! -e "$hierarchy/cgroup.procs" ] ||
			mkdir "$hierarchy/$NAME" || return
	done
}

# The overlay is in a mount namespace of this script's, and goes with it.
make_box()
{
	mkdir "$T/box" && mount -t tmpfs box "$T/box" &&
		mkdir "$T/box/up" "$T/box/work" "$BOX" &&
		mount -t overlay overlay -o \
			"lowerdir=/,upperdir=$T/box/up,workdir=$T/box/work" \
			"$BOX" || return
	# Nor do the names of our boxes outlive it.
	mkdir -p /run/systemd/nspawn &&
		mount -t tmpfs nspawn /run/systemd/nspawn || return
	# What this machine mounts and starts is no business of the box.
	rm -rf "$BOX/etc/systemd/system" "$BOX/var/log/journal" &&
		mkdir -p "$BOX/etc/systemd/system" "$BOX/var/log/journal" || return
	rm -f "$BOX/etc/fstab" "$BOX/etc/preforkd.conf"
	sed -i '/^preforkd:/d' "$BOX/etc/passwd" "$BOX/etc/group" \
		"$BOX/etc/shadow" "$BOX/etc/gshadow"
}

install_box()
{
	mkdir "$T/build" && cd "$T/build" || return
	"$TOP_SRCDIR/configure" -q --prefix=/usr --sysconfdir=/etc \
		--localstatedir=/var --runstatedir=/run &&
		make -s -j2 install DESTDIR="$BOX" || return
	sed -i 's/^#log-connections no /log-connections yes /' \
		"$BOX/etc/preforkd.conf"
	cp "$BOX/etc/preforkd.conf" "$T/good.conf"
	# systemd-sysusers runs at boot: at first there shall be no account.
	mv "$BOX/usr/lib/sysusers.d/preforkd.conf" "$T/sysusers.conf"
}

in_box()
{
	nsenter -t "$LEADER" -a -- "$@"
}

is_booted()
{
	LEADER=$(pgrep -P "$NSPAWN") &&
		[ -S "/proc/$LEADER/root/run/systemd/private" ] &&
		in_box systemctl is-active basic.target
}

power_on()
{
	sh -c 'for procs in /sys/fs/cgroup/$1/cgroup.procs \
			/sys/fs/cgroup/*/$1/cgroup.procs; do
			[ ! -e "$procs" ] || echo $$ >"$procs"
		done
		exec systemd-nspawn -q -D "$2" --boot --machine="$1" \
			--register=no --keep-unit --console=pipe \
			--private-network --link-journal=no --timezone=off \
			--resolv-conf=off systemd.unit="$3"' \
		sh "$NAME" "$BOX" "$1" </dev/null >"$T/console" 2>&1 &
	NSPAWN=$!
	until_true is_booted
}

# A clean power-off: systemd stops every service.
power_off()
{
	[ -n "$NSPAWN" ] || return 0
	kill -TERM "$NSPAWN" && until_true gone "$NSPAWN"
	kill -KILL "$NSPAWN" 2>/dev/null
	wait "$NSPAWN"
	STATUS=$?
	NSPAWN=
	return $STATUS
}

scrap_box()
{
	power_off >/dev/null 2>&1
	cd / && umount -l "$BOX" "$T/box" 2>/dev/null
	remove_cgroups
	clean_up
}
trap scrap_box EXIT

# property NAME: of the service.
property()
{
	in_box systemctl show -P "$1" $UNIT
}

property_is()
{
	equals "$2" "$(property "$1")"
}

# journal OPTION ...: the service's lines.
journal()
{
	in_box journalctl -q --no-pager -u $UNIT -o cat "$@"
}

in_journal()
{
	pattern=$1
	shift
	journal "$@" | grep -Eq -- "$pattern" || {
		journal | tail -n 20
		return 1
	}
}

# notifications PATTERN: what systemd says that it was told, in order.
notifications()
{
	in_box journalctl -q --no-pager _PID=1 -o cat |
		sed -n "s/^$UNIT: Got notification message from PID //p" |
		grep -E -- "$1"
}

pids()
{
	in_box cat "/sys/fs/cgroup/systemd/system.slice/$UNIT/cgroup.procs" \
		2>/dev/null ||
		in_box cat "/sys/fs/cgroup/system.slice/$UNIT/cgroup.procs"
}

# process_field PID FIELD: the first value, of /proc/PID/status.
process_field()
{
	in_box cat "/proc/$1/status" | sed -n "s/^$2:[[:space:]]*\([^[:space:]]*\).*/\1/p"
}

# all_have FIELD VALUE: master and workers.
all_have()
{
	for pid in $(pids); do
		equals "$pid $2" "$pid $(process_field "$pid" "$1")" || return
	done
}

process_count()
{
	pids | wc -l
}

has_processes()
{
	equals "$1" "$(process_count)"
}

client()
{
	nsenter -t "$LEADER" -n "$REAL_CLIENT" "$@"
}

serves()
{
	client echo -c -b 100000 -n 5 127.0.0.1 7 && client daytime ::1 13
}

# What the helpers of lib.sh call the client shall be in the box as well.
box_client()
{
	REAL_CLIENT=$CLIENT
	ECHO=7
	CLIENT=$T/client
	printf '#!/bin/sh\nexec nsenter -t %s -n %s "$@"\n' \
		"$LEADER" "$REAL_CLIENT" >"$CLIENT"
	chmod +x "$CLIENT"
}

make_cgroups 2>"$T/why" || skip_all "no cgroup can be made: $(cat "$T/why")"
make_box 2>"$T/why" || skip_all "no overlay can be mounted: $(cat "$T/why")"
t "install into the box" install_box
t "boot systemd" power_on basic.target
box_client
in_box systemctl log-level debug

t "the service starts" in_box systemctl start $UNIT
t "it is active" property_is ActiveState active
t "its status names what it serves" property_is StatusText \
	"serving echo *:7, daytime *:13; 8 workers"
MASTER=$(property MainPID)
t "its PID file names the main process" \
	equals "$MASTER" "$(in_box cat /run/preforkd/preforkd.pid)"
t "echo on port 7 and daytime on port 13 are served" serves
t "the service is a master and 8 workers" has_processes 9
t "of one dynamic user, who is not root" \
	all_have Uid "$(in_box stat -c %u /run/preforkd)"
dynamic_user()
{
	user=$(process_field "$MASTER" Uid)
	echo "user $user"
	[ "$user" -ge 61184 ] && [ "$user" -le 65519 ]
}
t "that systemd made up" dynamic_user
t "the master may bind low ports, and nothing else" \
	equals 0000000000000400 "$(process_field "$MASTER" CapEff)"
t "no process can gain more" all_have CapBnd 0000000000000400
t "or new privileges" all_have NoNewPrivs 1
t "and a filter of system calls is in force" all_have Seccomp 2

t "a connection's line is of priority info" \
	in_journal 'service=echo .*ending=peer-closed' PRIORITY=6
t "that it serves is a notice" in_journal '^serving echo' PRIORITY=5
t "nothing was worth a warning" equals "" "$(journal -p warning)"

kill_worker()
{
	WORKER=$(pids | grep -vx "$MASTER" | head -n 1)
	in_box sh -c "kill -SEGV $WORKER"
}
worker_was_replaced()
{
	has_processes 9 && ! pids | grep -qx "$WORKER"
}
t "a worker crashes" kill_worker
t "another takes its place" until_true worker_was_replaced
t "the service lives on" property_is MainPID "$MASTER"
t "the crash is a warning, and nothing else is" until_true equals \
	"worker $WORKER (echo *:7) was killed by signal 11 (Segmentation fault)" \
	"$(journal -p warning | sed 's/daytime \*:13/echo *:7/')"
t "it serves" serves
t "of a worker's end and of connections systemd was told nothing" \
	equals 1 "$(notifications . | wc -l)"

is_restarted()
{
	property_is ActiveState active && property_is NRestarts "$1" &&
		! property_is MainPID "$MASTER"
}
t "the master crashes" in_box sh -c "kill -KILL $MASTER"
t "systemd starts another" until_true is_restarted 1
t "it serves" serves
MASTER=$(property MainPID)
t "its PID file names the new one" \
	equals "$MASTER" "$(in_box cat /run/preforkd/preforkd.pid)"
t "no worker of the old one is left" has_processes 9

t "the service stops" in_box systemctl stop $UNIT
t "it is inactive" property_is ActiveState inactive
t "it ended as it was asked to" property_is Result success
t "with status 0" property_is ExecMainStatus 0
t "systemd was told that it stops, by the master" equals \
	"$MASTER (STOPPING=1, STATUS=stopping, EXTEND_TIMEOUT_USEC=15000000)" \
	"$(notifications STOPPING)"
t "the ports are closed" not in_box nc -z 127.0.0.1 7
t "nothing is left in /run" not in_box test -e /run/preforkd

# systemd's own patience ends long before stop-timeout does.
limit_stop()
{
	mkdir -p "$BOX/etc/systemd/system/$UNIT.d" &&
		printf '[Service]\nTimeoutStopSec=1s\n' \
			>"$BOX/etc/systemd/system/$UNIT.d/stop.conf" &&
		echo "stop-timeout 3s" >>"$BOX/etc/preforkd.conf" &&
		in_box systemctl daemon-reload
}
t "with a stop-timeout longer than systemd's" limit_stop
t "it starts" in_box systemctl start $UNIT
late_client -b 100000000
# The worker cannot send, and so does not read any more.
queues()
{
	nsenter -t "$LEADER" -n ss -Htn state established sport = :7 |
		grep -v '^0 '
}
is_stuck()
{
	before=$(queues) && sleep 0.2 && equals "$before" "$(queues)"
}
t "a client that does not read holds a worker" until_true is_stuck
t "it stops" in_box systemctl stop $UNIT
t "in the time that it asked for" property_is Result success
t "and gave the client all of stop-timeout" \
	in_journal 'stop-timeout of 3000 ms is over' _COMM=preforkd
read_now
wait $BACKGROUND
BACKGROUND=
rm -r "$BOX/etc/systemd/system/$UNIT.d"

{ cat "$T/good.conf"; echo "log-levle info"; } >"$BOX/etc/preforkd.conf"
LINE=$(wc -l <"$BOX/etc/preforkd.conf")
t "with an error in the configuration it does not start" \
	not in_box systemctl start $UNIT
t "it has failed" property_is ActiveState failed
t "for the configuration" property_is ExecMainStatus 2
t "and is not started again" property_is NRestarts 0
t "the journal says which line, as an error" \
	in_journal "^/etc/preforkd.conf:$LINE: .*log-level" -p err
cp "$T/good.conf" "$BOX/etc/preforkd.conf"
t "without the error it starts" in_box systemctl start $UNIT
t "and serves" serves
t "the service stops again" in_box systemctl stop $UNIT

cp "$T/sysusers.conf" "$BOX/usr/lib/sysusers.d/preforkd.conf"
t "systemd-sysusers makes the account" in_box systemd-sysusers
ACCOUNT=$(in_box id -u preforkd)
t "whose home is the empty directory" equals "/var/empty/preforkd" \
	"$(in_box getent passwd preforkd | cut -d : -f 6)"
t "it is enabled" in_box systemctl enable $UNIT
t "it starts with the account there" in_box systemctl start $UNIT
t "all of it runs as that user" all_have Uid "$ACCOUNT"
t "it serves" serves

t "power off while it serves" power_off
t "boot again" power_on multi-user.target
box_again()
{
	sed -i "s/-t [0-9]*/-t $LEADER/" "$CLIENT"
	property_is ActiveState active
}
t "the service is there again" until_true box_again
t "it serves" serves
t "with the PID that its file has" equals "$(property MainPID)" \
	"$(in_box cat /run/preforkd/preforkd.pid)"
t "power off" power_off
finish
