#!/bin/sh
# The unit of systemd is one that systemd understands in every line, and it
# keeps the service in a narrow place.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need systemd-analyze

EXPOSURE=15 # of 100; a unit without a sandbox has 96

# The paths of a build are not there before it is installed; here the program
# is what was built, and manual pages are not looked for.
verify()
{
	mkdir -p "$T/unit"
	sed "s|^ExecStart=/usr/sbin/preforkd|ExecStart=$PREFORKD|" "$1" \
		>"$T/unit/preforkd.service"
	grep -q "^ExecStart=$PREFORKD " "$T/unit/preforkd.service" || return
	# It loads what other units this machine has, and may speak of them.
	systemd-analyze verify --recursive-errors=no --man=no \
		"$T/unit/preforkd.service" >"$T/said" 2>&1
	status=$?
	! grep preforkd "$T/said" && [ $status = 0 ]
}

is_narrow()
{
	systemd-analyze security --offline=true --no-pager \
		--threshold=$EXPOSURE "$1"
}

# spoilt SED-SCRIPT: a copy that this changes, for sure.
spoilt()
{
	mkdir -p "$T/spoilt"
	sed "$1" "$GOOD" >"$T/spoilt/preforkd.service"
	! cmp -s "$GOOD" "$T/spoilt/preforkd.service"
}

spoilt_is_refused()
{
	spoilt "$1" && not verify "$T/spoilt/preforkd.service"
}

spoilt_is_wide()
{
	spoilt "$1" && not is_narrow "$T/spoilt/preforkd.service"
}

GOOD=$TOP_SRCDIR/systemd/preforkd.service
t "systemd understands the unit" verify "$GOOD"
t "an unknown key would be seen" spoilt_is_refused 's/^KillMode=/KillMood=/'
t "so would a bad value" spoilt_is_refused 's/^KillMode=.*/KillMode=mixt/'
t "and a system call that there is not" \
	spoilt_is_refused 's/landlock_add_rule/landlock_ad_rule/'
t "its exposure is at most 1.5 of 10" is_narrow "$GOOD"
t "root would be more" spoilt_is_wide '/^User=/d; /^Group=/d; /^DynamicUser=/d'
t "so would one more right" spoilt_is_wide \
	's/^CapabilityBoundingSet=.*/& CAP_SYS_ADMIN/'
finish
