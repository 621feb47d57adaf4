# box: a machine with a systemd of its own, for tests of preforkd as a service.
# shellcheck shell=sh
#
#	. "${TOP_SRCDIR:-.}/tests/lib.sh"
#	. "${TOP_SRCDIR:-.}/tests/box.sh"
#	box_make			or skips the script and says why
#	install_box			what make install installs for /usr
#	power_on basic.target		boots it up to that target
#	in_box COMMAND ...		runs a command in it
#	"$CLIENT" ...			is the client in the box's network
#	power_off			stops every service, then the box
#
# It is a container over a copy-on-write view of this machine's files, with a
# network, a cgroup and a journal of its own: it starts in a second, changes
# nothing, and several runs at once do not meet.

need_root
need systemd-nspawn systemctl journalctl systemd-sysusers nsenter make

BOX=$T/box/root
NAME=preforkd-test-$$
NSPAWN=
LEADER=
BARE_CLIENT=$CLIENT
CLIENT=$T/client
# shellcheck disable=SC2034
ECHO=7
# A container is refused some calls that a machine is not.
BOX_CALLS="landlock_create_ruleset landlock_add_rule landlock_restrict_self"

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
make_files()
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
	"$TOP_SRCDIR/configure" -q --prefix=/usr &&
		make -s -j2 install DESTDIR="$BOX"
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
			--resolv-conf=off --system-call-filter="$4" \
			systemd.unit="$3"' \
		sh "$NAME" "$BOX" "$1" "$BOX_CALLS" </dev/null >"$T/console" 2>&1 &
	NSPAWN=$!
	until_true is_booted || return
	# Our client, in the box's network.
	printf '#!/bin/sh\nexec nsenter -t %s -n %s "$@"\n' \
		"$LEADER" "$BARE_CLIENT" >"$CLIENT" && chmod +x "$CLIENT"
}

# Without nspawn its systemd would live on: that goes first.
pull_the_plug()
{
	leader=$(pgrep -P "$NSPAWN") && kill -KILL "$leader"
	kill -KILL "$NSPAWN"
	until_true gone "$NSPAWN"
}

# A clean power-off: systemd stops every service.
power_off()
{
	[ -n "$NSPAWN" ] || return 0
	kill -TERM "$NSPAWN"
	until_true gone "$NSPAWN" || pull_the_plug
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

box_make()
{
	make_cgroups 2>"$T/why" ||
		skip_all "no cgroup can be made: $(cat "$T/why")"
	make_files 2>"$T/why" ||
		skip_all "no overlay can be mounted: $(cat "$T/why")"
}
