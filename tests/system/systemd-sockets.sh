#!/bin/sh
# A real systemd, and what it holds for us: sockets over a restart, sockets
# that it has bound, the watchdog, and a reload.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/box.sh"

need ss

UNIT=preforkd.service

property()
{
	in_box systemctl show -P "$1" $UNIT
}

property_is()
{
	equals "$2" "$(property "$1")"
}

in_journal()
{
	in_box journalctl -q --no-pager -u $UNIT -o cat |
		grep -Eq -- "$1" || {
		in_box journalctl -q --no-pager -u $UNIT -o cat | tail -n 20
		return 1
	}
}

serves()
{
	"$CLIENT" echo -c -b 100000 -n 5 127.0.0.1 7 &&
		"$CLIENT" daytime -t 10 ::1 13
}

is_active()
{
	property_is ActiveState active && property_is SubState running
}

# drop_in NAME TEXT: for the unit, in force after the next start.
drop_in()
{
	mkdir -p "$BOX/etc/systemd/system/$UNIT.d" &&
		printf '%s\n' "$2" >"$BOX/etc/systemd/system/$UNIT.d/$1.conf" &&
		in_box systemctl daemon-reload
}

inode()
{
	nsenter -t "$LEADER" -n ss -Hltne "sport = :$1" 2>/dev/null |
		grep -o 'ino:[0-9]*'
}

# A new connection each 10 ms, until the file is there: what each one came to.
load()
{
	rm -f "$T/enough"
	until [ -e "$T/enough" ]; do
		"$CLIENT" daytime -t 20 127.0.0.1 13
		sleep 0.01
	done >"$T/load" 2>&1 &
	LOAD=$!
}

end_load()
{
	: >"$T/enough"
	wait $LOAD
	LOAD=
}

nobody_noticed()
{
	[ "$(wc -l <"$T/load")" -ge 20 ] &&
		not grep -v '^fin=1 rst=0 timeout=0 lines=1$' "$T/load"
}

# A client that is in the middle of its stream when the restart comes.
restart_under_load()
{
	load
	rm -f "$T/go"
	late_client -b 20000
	until_true client_is_served
	before=$(wc -l <"$T/load")
	inode=$(inode 7)
	master=$(property MainPID)
	t "$UNIT: a restart under load" in_box systemctl restart $UNIT
	until_true load_goes_on
	read_now
	t "... a stream that it ends sees FIN with all its bytes" client_ends \
		"fin=1 rst=0 timeout=0 mismatch=0 complete=1 bytes=20000"
	t "... and a second one" in_box systemctl restart $UNIT
	before=$(wc -l <"$T/load")
	until_true load_goes_on
	end_load
	t "... nobody was refused, nobody reset, everybody served" nobody_noticed
	t "... by another master" not property_is MainPID "$master"
	t "... on the same socket" equals "$inode" "$(inode 7)"
}

status_matches()
{
	property StatusText | grep -Eq -- "$1"
}

client_is_served()
{
	nsenter -t "$LEADER" -n ss -Htn state established sport = :7 |
		grep -q . && grep -q ready "$T/client.out"
}

load_goes_on()
{
	[ "$(wc -l <"$T/load")" -ge $((before + 10)) ]
}

# That on sockets of systemd is not asked over a control socket.
reload_fails()
{
	if [ $UNIT = preforkd.service ]; then
		not in_box systemctl reload $UNIT
	else
		in_box systemctl reload $UNIT
	fi
}

reload_good_and_bad()
{
	master=$(property MainPID)
	echo "log-connections yes" >>"$BOX/etc/preforkd.conf"
	t "$UNIT: a reload" in_box systemctl reload $UNIT
	t "... is done" until_true in_journal '^reloaded$'
	t "... and is active" until_true is_active
	echo "log-levle info" >>"$BOX/etc/preforkd.conf"
	t "a reload of a file with an error fails where it can be waited for" \
		reload_fails
	t "... is refused, with the line" until_true in_journal \
		'^/etc/preforkd.conf:[0-9]+: log-levle: '
	t "... which the status shows" until_true status_matches \
		'^serving .*; reload refused: .*/etc/preforkd.conf:[0-9]+: log-levle: '
	t "... and is active" until_true is_active
	t "... and serves" serves
	t "... by the same master" property_is MainPID "$master"
	cp "$T/good.conf" "$BOX/etc/preforkd.conf"
}

hangs_and_is_back()
{
	drop_in watchdog '[Service]
WatchdogSec=400ms
TimeoutAbortSec=100ms'
	in_box systemctl restart $UNIT
	until_true is_active
	master=$(property MainPID)
	t "$UNIT: while it runs the watchdog is content" stays "$master"
	in_box sh -c "kill -STOP $master"
	t "a master that hangs is ended and started again" \
		until_true is_another "$master"
	t "... for the watchdog" in_journal 'Watchdog timeout'
	t "... and serves" serves
	rm -r "$BOX/etc/systemd/system/$UNIT.d"
	in_box systemctl daemon-reload
}

# For more than twice the watchdog's time.
stays()
{
	sleep 1.2
	property_is MainPID "$1" && property_is NRestarts 0
}

is_another()
{
	is_active && not property_is MainPID "$1"
}

prepare()
{
	install_box || return
	sed -i 's/#linger-timeout 5s /linger-timeout 500ms /' \
		"$BOX/etc/preforkd.conf"
	cp "$BOX/etc/preforkd.conf" "$T/good.conf"
}

box_make
t "install into the box" prepare
t "boot systemd" power_on basic.target

t "the service starts" in_box systemctl start $UNIT
t "its listening sockets are stored" until_true property_is NFileDescriptorStore 2
restart_under_load
t "... which is stored once" property_is NFileDescriptorStore 2
reload_good_and_bad
hangs_and_is_back
t "... with the sockets of before" in_journal '^[*]:7: taken over from the instance'
sed -i '/^service daytime/,$d' "$BOX/etc/preforkd.conf"
in_box systemctl reload $UNIT
t "a listen line that goes is stored no longer" \
	until_true property_is NFileDescriptorStore 1
cp "$T/good.conf" "$BOX/etc/preforkd.conf"
t "the service stops" in_box systemctl stop $UNIT
t "nothing is stored any more" until_true property_is NFileDescriptorStore 0
t "and the port is closed" until_true equals "" "$(inode 7)"

in_box systemctl start $UNIT
SOCKETS="preforkd-echo.socket preforkd-daytime.socket"
# shellcheck disable=SC2086
t "the sockets start" in_box systemctl start $SOCKETS
t "... in place of the service" until_true property_is ActiveState inactive
UNIT=preforkd-activated.service
t "... whose place another takes at the first client" serves
t "it is active" until_true is_active
t "and its status says so" sh -c \
	"echo '$(property StatusText)' | grep -q '^serving echo [*]:7, daytime [*]:13; '"
MASTER=$(property MainPID)
field_of_master()
{
	in_box sed -n "s/^$1:[[:space:]]*//p" "/proc/$MASTER/status"
}
t "it has no right at all" equals 0000000000000000 "$(field_of_master CapEff)"
t "nor can it gain one" equals 0000000000000000 "$(field_of_master CapBnd)"
t "nor has it a network" equals "lo" \
	"$(in_box nsenter -t "$MASTER" -n ls /sys/class/net | tr -d '\n' ||:)"
t "its workers are in the sandbox" in_journal '^sandbox of workers: .*Landlock'
restart_under_load
reload_good_and_bad
hangs_and_is_back
t "it stops" in_box systemctl stop $UNIT
t "... and the first client starts it again" serves
t "the service with sockets of its own starts" \
	in_box systemctl start preforkd.service
t "... in the place of the other one" until_true property_is ActiveState inactive
UNIT=preforkd.service
t "... and serves" serves
t "power off" power_off
finish
