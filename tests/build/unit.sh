#!/bin/sh
# The units of systemd are such that systemd understands in every line, and they
# keep the service in a narrow place.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need systemd-analyze

EXPOSURE=15 # of 100; a unit without a sandbox has 96
EXPOSURE_ACTIVATED=2

# The paths of a build are not there before it is installed; here the program
# is what was built, and manual pages are not looked for.
verify()
{
	mkdir -p "$T/unit"
	for unit in "$TOP_SRCDIR"/systemd/*.service "$TOP_SRCDIR"/systemd/*.socket \
		"$1"; do
		sed -e "s|^ExecStart=/usr/sbin/preforkd|ExecStart=$PREFORKD|" \
			-e "s|^ExecReload=/usr/sbin/preforkctl|ExecReload=$PREFORKD|" \
			"$unit" >"$T/unit/$(basename "$unit")"
	done
	grep -q "^ExecStart=$PREFORKD " "$T/unit/$NAME" || return
	# It loads what other units this machine has, and may speak of them.
	systemd-analyze verify --recursive-errors=no --man=no \
		"$T/unit/$NAME" >"$T/said" 2>&1
	status=$?
	! grep preforkd "$T/said" && [ $status = 0 ]
}

is_narrow()
{
	systemd-analyze security --offline=true --no-pager \
		--threshold="$EXPOSURE" "$1"
}

# spoilt SED-SCRIPT: a copy that this changes, for sure.
spoilt()
{
	mkdir -p "$T/spoilt"
	sed "$1" "$GOOD" >"$T/spoilt/$NAME"
	! cmp -s "$GOOD" "$T/spoilt/$NAME"
}

spoilt_is_refused()
{
	spoilt "$1" && not verify "$T/spoilt/$NAME"
}

spoilt_is_wide()
{
	spoilt "$1" && not is_narrow "$T/spoilt/$NAME"
}

NAME=preforkd.service
GOOD=$TOP_SRCDIR/systemd/$NAME
t "systemd understands the unit" verify "$GOOD"
t "an unknown key would be seen" spoilt_is_refused 's/^KillMode=/KillMood=/'
t "so would a bad value" spoilt_is_refused 's/^KillMode=.*/KillMode=mixt/'
t "and a system call that there is not" \
	spoilt_is_refused 's/landlock_add_rule/landlock_ad_rule/'
t "its exposure is at most 1.5 of 10" is_narrow "$GOOD"
t "root would be more" spoilt_is_wide '/^User=/d; /^Group=/d; /^DynamicUser=/d'
t "so would one more right" spoilt_is_wide \
	's/^CapabilityBoundingSet=.*/& CAP_SYS_ADMIN/'
t "what it stores is what it is told that it may" equals \
	"$(sed -n 's/^FileDescriptorStoreMax=//p' "$GOOD")" \
	"$(sed -n 's/^Environment=FDSTORE=//p' "$GOOD")"

NAME=preforkd-activated.service
GOOD=$TOP_SRCDIR/systemd/$NAME
EXPOSURE=$EXPOSURE_ACTIVATED
t "systemd understands the unit with sockets" verify "$GOOD"
t "its exposure is at most 0.2 of 10" is_narrow "$GOOD"
t "a network would be more" spoilt_is_wide '/^PrivateNetwork=/d'
t "so would a right" spoilt_is_wide 's/^CapabilityBoundingSet=/&CAP_NET_BIND_SERVICE/'
is_socket_of_it()
{
	grep -qx "FileDescriptorName=$1" "$TOP_SRCDIR/systemd/preforkd-$1.socket" &&
		grep -qx "Service=$NAME" "$TOP_SRCDIR/systemd/preforkd-$1.socket" &&
		grep -q "^Sockets=.*preforkd-$1.socket" "$GOOD" &&
		grep -q "^ExecStart=.* $1@systemd:$1" "$GOOD"
}
t "the socket of echo is the one that it serves" is_socket_of_it echo
t "and so is that of daytime" is_socket_of_it daytime
finish
