#!/bin/sh
# preforkd as a service of a real systemd, which is booted for this.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/box.sh"

need nc ss

UNIT=preforkd.service

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
	in_box cat "/proc/$1/status" | awk -v field="$2:" '$1 == field { print $2 }'
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

serves()
{
	"$CLIENT" echo -c -b 100000 -n 3 127.0.0.1 7 &&
		"$CLIENT" daytime ::1 13
}

# At first there shall be no account: systemd-sysusers runs at boot.
prepare()
{
	install_box || return
	# No pool grows, so that processes can be counted.
	sed -i -e 's/^#log-connections no /log-connections yes /' \
		-e 's/#max-workers 1024/max-workers 4/' \
		"$BOX/etc/preforkd.conf"
	cp "$BOX/etc/preforkd.conf" "$T/good.conf"
	mv "$BOX/usr/lib/sysusers.d/preforkd.conf" "$T/sysusers.conf"
}

box_make
t "install into the box" prepare
t "boot systemd" power_on basic.target
in_box systemctl log-level debug

t "the service starts" in_box systemctl start $UNIT
t "it is active" property_is ActiveState active
t "its status names what it serves" property_is StatusText \
	"serving echo *:7, daytime *:13; 0 busy, 8 idle"
MASTER=$(property MainPID)
t "its PID file names the main process" \
	equals "$MASTER" "$(in_box cat /run/preforkd/preforkd.pid)"
t "echo on port 7 and daytime on port 13 are served" serves
control_status()
{
	in_box preforkctl status | grep "^$1 .* serving "
}
t "preforkctl has the status, with no word about where" control_status echo
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
workers_have()
{
	for pid in $(in_box pgrep -P "$MASTER"); do
		equals "$2" "$(process_field "$pid" "$1")" || return
	done
	[ -n "$pid" ]
}
t "its workers may do nothing of the kind" workers_have CapPrm 0000000000000000
t "they are in the whole sandbox" in_journal \
	'^sandbox of workers: .*[1-9][0-9]* system calls; Landlock version [1-9]' \
	PRIORITY=5
t "no process can gain more" all_have CapBnd 0000000000000400
t "or new privileges" all_have NoNewPrivs 1
t "and a filter of system calls is in force" all_have Seccomp 2

# What each line of the unit comes to: most show in nothing that the service
# does, so nobody would miss one.
while read -r name value; do
	t "$name is $value" property_is "$name" "$value" </dev/null
done <<END
AmbientCapabilities cap_net_bind_service
CapabilityBoundingSet cap_net_bind_service
DynamicUser yes
Environment FDSTORE=64
FileDescriptorStoreMax 64
Group preforkd
KillMode mixed
LimitNOFILE 8192
LimitNOFILESoft 8192
LimitNPROC infinity
LimitNPROCSoft infinity
LockPersonality yes
MemoryDenyWriteExecute yes
NoNewPrivileges yes
NotifyAccess main
OOMPolicy continue
PrivateDevices yes
PrivateMounts yes
PrivateTmp yes
ProcSubset pid
ProtectClock yes
ProtectControlGroups yes
ProtectHome yes
ProtectHostname yes
ProtectKernelLogs yes
ProtectKernelModules yes
ProtectKernelTunables yes
ProtectProc invisible
ProtectSystem strict
RemoveIPC yes
Restart on-failure
RestartPreventExitStatus 2
RestartUSec 1s
RestrictNamespaces yes
RestrictRealtime yes
RestrictSUIDSGID yes
RuntimeDirectory preforkd
StartLimitIntervalUSec 0
SyslogLevel 3
SystemCallArchitectures native
SystemCallErrorNumber 1
TasksMax infinity
TimeoutAbortUSec 5s
TimeoutStopUSec 30s
Type notify
UMask 0077
User preforkd
WatchdogUSec 1min
END
t "no other address families are allowed" equals "AF_INET AF_INET6 AF_UNIX " \
	"$(property RestrictAddressFamilies | tr ' ' '\n' | sort | tr '\n' ' ')"
# allowed CALL ...: those of them that the filter lets through.
allowed()
{
	for call; do
		property SystemCallFilter | tr ' ' '\n' | grep -x "$call"
	done | paste -s -d ' ' -
}
NEEDED="accept4 capset prlimit64 landlock_restrict_self seccomp"
# shellcheck disable=SC2086
t "the filter has what it takes to serve and to give rights up" \
	equals "$NEEDED" "$(allowed $NEEDED)"
t "and nothing of what takes privilege, or resources" equals "" \
	"$(allowed mount chroot setuid bpf setpriority sched_setscheduler)"

t "a connection's line is of priority info" \
	until_true in_journal 'service=echo .*ending=peer-closed' PRIORITY=6
t "that it serves is a notice" until_true in_journal '^serving echo' PRIORITY=5
t "nothing was worth a warning" equals "" "$(journal -p warning)"

# One that has served: the early death of another would degrade its pool.
kill_worker()
{
	WORKER=$(journal | sed -n 's/^service=echo .* pid=//p' | head -n 1)
	in_box sh -c "kill -SEGV $WORKER"
}
worker_was_replaced()
{
	has_processes 9 && ! pids | grep -qx "$WORKER"
}
t "a worker crashes" kill_worker
t "another takes its place" until_true worker_was_replaced
t "the service lives on" property_is MainPID "$MASTER"
the_crash_is_said()
{
	equals "worker $WORKER (echo *:7) was killed by signal 11 (Segmentation fault)" \
		"$(journal -p warning)"
}
t "the crash is a warning, and nothing else is" until_true the_crash_is_said
t "it serves" serves
t "of a worker's end and of connections systemd was told nothing but numbers" \
	equals 3 "$(notifications . |
		grep -Evc 'WATCHDOG=1|[(]STATUS=serving echo [*]:7, daytime [*]:13; ')"

is_restarted()
{
	property_is ActiveState active && property_is NRestarts "$1" &&
		! property_is MainPID "$MASTER"
}
OLD=$(pids)
no_old_one()
{
	for pid in $OLD; do
		! pids | grep -qx "$pid" || return 1
	done
}
t "the master crashes" in_box sh -c "kill -KILL $MASTER"
t "systemd starts another" until_true is_restarted 1
t "it serves" serves
MASTER=$(property MainPID)
t "its PID file names the new one" \
	equals "$MASTER" "$(in_box cat /run/preforkd/preforkd.pid)"
t "no worker of the old one is left" until_true no_old_one

start_again_and_again()
{
	for _ in 1 2 3 4 5 6 7 8; do
		in_box systemctl restart $UNIT || return
	done
	MASTER=$(property MainPID)
}
t "however often it is started, systemd does not refuse" start_again_and_again

t "the service stops" in_box systemctl stop $UNIT
t "it is inactive" property_is ActiveState inactive
t "it ended as it was asked to" property_is Result success
t "with status 0" property_is ExecMainStatus 0
the_stop_is_said()
{
	equals "$MASTER (STOPPING=1, STATUS=stopping, EXTEND_TIMEOUT_USEC=15000000)" \
		"$(notifications STOPPING | tail -n 1)"
}
t "systemd was told that it stops, by the master" until_true the_stop_is_said
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
		awk '$1 > 0 && $2 > 500000 { print; full = 1 }
			END { exit !full }'
}
is_stuck()
{
	before=$(queues) && sleep 1 && equals "$before" "$(queues)"
}
t "a client that does not read holds a worker" until_true is_stuck
t "it stops" in_box systemctl stop $UNIT
t "in the time that it asked for" property_is Result success
t "and gave the client all of stop-timeout" \
	until_true in_journal 'stop-timeout of 3000 ms is over' _COMM=preforkd
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
	until_true in_journal "^/etc/preforkd.conf:$LINE: .*log-level" -p err
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
t "the service is there again" \
	until_true property_is ActiveState active
t "it serves" serves
t "with the PID that its file has" equals "$(property MainPID)" \
	"$(in_box cat /run/preforkd/preforkd.pid)"
t "power off" power_off
finish
