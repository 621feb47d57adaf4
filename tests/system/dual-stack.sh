#!/bin/sh
# Which families and addresses a listen line means.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

[ -e /proc/net/if_inet6 ] || skip_all "this machine has no IPv6"

listening()
{
	printf 'pid-file none\ncontrol none\nlog-connections yes\nservice echo {\nmax-workers 4\n'
	printf 'listen %s\n' "$@"
	echo "}"
}

reaches()
{
	"$CLIENT" echo -c -b 1000 -t 5 "$1" "${2:-$ECHO}"
}

start "$(listening "*:$ECHO")"
t "*:port serves IPv4" reaches 127.0.0.1
t "*:port serves IPv6" reaches ::1
t "an IPv4 peer of the shared socket is logged as IPv4" until_true \
	logged 'peer=127\.0\.0\.1:[0-9]+ local=127\.0\.0\.1:17007'
t "an IPv6 peer is logged in brackets" until_true \
	logged 'peer=\[::1\]:[0-9]+ local=\[::1\]:17007'
t "one socket, so one pool" has_workers 4
stop

start "$(listening "0.0.0.0:$ECHO")"
t "0.0.0.0:port serves IPv4" reaches 127.0.0.1
t "0.0.0.0:port leaves IPv6 alone" not reaches ::1
stop

start "$(listening "[::]:$ECHO")"
t "[::]:port serves IPv6" reaches ::1
t "[::]:port leaves IPv4 alone" not reaches 127.0.0.1
stop

start "$(listening "0.0.0.0:$ECHO" "[::]:$ECHO" "127.0.0.2:$((ECHO + 1))")"
t "both, and a third listen, in one block" has_workers 12
t "... serve IPv4" reaches 127.0.0.1
t "... serve IPv6" reaches ::1
t "... serve the third" reaches 127.0.0.2 $((ECHO + 1))
stop
t "exit status 0" equals 0 $STATUS

# Where IPv6 is turned off, a name may still have an IPv6 address.
if [ -n "${TEST_NAMESPACE-}" ]; then
	cp /etc/hosts "$T/hosts"
	echo "127.0.0.1 both.test
::1 both.test" >>"$T/hosts"
	mount --bind "$T/hosts" /etc/hosts
	start "$(listening "both.test:$ECHO")"
	t "a name with two addresses: two pools" has_workers 8
	stop
	sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
	start "$(listening "both.test:$ECHO")"
	t "without IPv6, its IPv4 address is served" reaches 127.0.0.1
	t "... and the other is named" logged \
		"warning: .*\\[::1\\]:$ECHO is not an address of this machine"
	stop
	start "$(listening "*:$ECHO")"
	t "without IPv6, *:port serves IPv4" reaches 127.0.0.1
	stop
	sysctl -q -w net.ipv6.conf.all.disable_ipv6=0
	umount /etc/hosts
fi

start "$(listening "localhost:$ECHO")"
t "a name is listened on at its addresses" reaches localhost
stop
finish
