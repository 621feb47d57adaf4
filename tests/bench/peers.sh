# How each server of a comparison is started: ours, bare loops, and peers. A
# peer that is not installed is named and left out.
# shellcheck shell=sh
#
# Each has its own two ports on 127.0.0.1 and no limit that a load would meet.

# spawn COMMAND ...: its end is that of our namespace.
spawn()
{
	"$@" >>"$T/log" 2>&1 </dev/null &
}

left_out()
{
	echo "left out: $*" >&2
}

# peer NAME ECHO DAYTIME LINES COMMAND: takes it up once it serves. A port that
# is 0 it does not have; LINES is --lines where it waits for LF.
peer()
{
	end=$(($(date +%s) + 20))
	until serves "$@"; do
		if [ "$(date +%s)" -ge "$end" ]; then
			left_out "$1: it does not serve"
			return
		fi
		sleep 0.1
	done
	printf '%s|%s|%s|%s\n' "$1" "$2" "$3" "$4" >>"$T/peers"
}

serves()
{
	# shellcheck disable=SC2086
	{ [ "$2" = 0 ] || "$PROBE" -q -t 1 -c 1 $4 load "127.0.0.1:$2"; } &&
		{ [ "$3" = 0 ] ||
			"$PROBE" -q -t 1 daytime "127.0.0.1:$3"; }
} >/dev/null 2>&1

# has COMMAND: where system daemons are as well.
has()
{
	command -v "$1" >/dev/null || {
		left_out "$1: it is not installed"
		return 1
	}
}

# preforkd_conf ECHO DAYTIME "LINES OF ECHO" "LINES OF BOTH"
preforkd_conf()
{
	echo "user nobody"
	echo "group $(id -gn nobody)"
	echo "chroot none"
	echo "pid-file none"
	echo "control none"
	printf 'service echo {\nlisten 127.0.0.1:%s\n%s\n%s\n}\n' "$1" "$3" "$4"
	printf 'service daytime {\nlisten 127.0.0.1:%s\n%s\n}\n' "$2" "$4"
}

start_preforkd()
{
	preforkd_conf 20007 20013 "" "" >"$T/preforkd.conf"
	spawn "$PREFORKD" -F -f "$T/preforkd.conf"
	peer "preforkd" 20007 20013 ""
}

start_tuned()
{
	preforkd_conf 20107 20113 "defer-accept 5s" "scheduling batch" \
		>"$T/tuned.conf"
	spawn "$PREFORKD" -F -f "$T/tuned.conf"
	peer "preforkd tuned" 20107 20113 ""
}

# For daytime eight, which are enough; for echo one for each client, and more.
start_bare()
{
	spawn "$BARE" echo 20207 80
	spawn "$BARE" daytime 20213 8
	peer "bare prefork" 20207 20213 ""
}

start_bare_tuned()
{
	spawn "$BARE" -b -d echo 20307 80
	spawn "$BARE" -b -m daytime 20313 8
	peer "bare tuned" 20307 20313 ""
}

start_bare_drain()
{
	spawn "$BARE" -b -m -w daytime 20413 8
	peer "bare tuned, drain" 0 20413 ""
}

start_bare_fork()
{
	spawn "$BARE" echo 20507 0
	spawn "$BARE" daytime 20513 0
	peer "bare fork" 20507 20513 ""
}

xinetd_service()
{
	cat <<-EOF
		service $1
		{
			type = INTERNAL UNLISTED
			id = $1-stream
			socket_type = stream
			protocol = tcp
			port = $2
			user = root
			wait = no
			flags = NOLIBWRAP NODELAY
		}
	EOF
}

start_xinetd()
{
	has xinetd || return
	{
		cat <<-EOF
			defaults
			{
				log_type = FILE /dev/null
				instances = UNLIMITED
				per_source = UNLIMITED
				cps = 0 0
				bind = 127.0.0.1
			}
		EOF
		xinetd_service echo 20607
		xinetd_service daytime 20613
	} >"$T/xinetd.conf"
	spawn xinetd -dontfork -f "$T/xinetd.conf" -pidfile "$T/xinetd.pid"
	peer xinetd 20607 20613 ""
}

# An inetd finds the port of what it serves itself in /etc/services alone, and
# so each has one of its own. inetd_with ECHO DAYTIME COMMAND ...
inetd_with()
{
	services=$T/services.$1
	printf 'echo %s/tcp\ndaytime %s/tcp\n' "$1" "$2" >"$services"
	shift 2
	# shellcheck disable=SC2016
	spawn unshare -m sh -c 'mount --bind "$0" /etc/services && exec "$@"' \
		"$services" "$@"
}

inetd_conf()
{
	echo "127.0.0.1:echo stream tcp nowait root internal"
	echo "127.0.0.1:daytime stream tcp nowait root internal"
}

start_openbsd_inetd()
{
	has "${OPENBSD_INETD:=openbsd-inetd}" || return
	inetd_conf >"$T/inetd.conf"
	inetd_with 20707 20713 "$OPENBSD_INETD" -i -q 4096 -R 1000000000 \
		"$T/inetd.conf"
	peer openbsd-inetd 20707 20713 ""
}

start_inetutils_inetd()
{
	has "${INETUTILS_INETD:=inetutils-inetd}" || return
	inetd_conf >"$T/inetutils.conf"
	inetd_with 20807 20813 "$INETUTILS_INETD" -R 1000000000 \
		"-p$T/inetutils.pid" "$T/inetutils.conf"
	peer inetutils-inetd 20807 20813 ""
}

# Those that run a program for each connection run the least that there can be.
start_tcpserver()
{
	has tcpserver || return
	spawn tcpserver -HRl0 -c 100000 -b 4096 127.0.0.1 20907 "$BARE" echo
	spawn tcpserver -HRl0 -c 100000 -b 4096 127.0.0.1 20913 "$BARE" daytime
	peer tcpserver 20907 20913 ""
}

start_tcpsvd()
{
	has tcpsvd || return
	spawn tcpsvd -l0 -c 100000 -b 4096 127.0.0.1 21007 "$BARE" echo
	spawn tcpsvd -l0 -c 100000 -b 4096 127.0.0.1 21013 "$BARE" daytime
	peer tcpsvd 21007 21013 ""
}

start_socat()
{
	has socat || return
	options=bind=127.0.0.1,fork,reuseaddr,backlog=4096
	spawn socat "TCP4-LISTEN:21107,$options" PIPE
	spawn socat -U "TCP4-LISTEN:21113,$options" "EXEC:$BARE daytime"
	peer socat 21107 21113 ""
}

start_ncat()
{
	has ncat || return
	spawn ncat -4 -n -k -l -m 100000 -e "$BARE echo" 127.0.0.1 21207
	spawn ncat -4 -n -k -l -m 100000 -e "$BARE daytime" 127.0.0.1 21213
	peer ncat 21207 21213 ""
}

apache_conf()
{
	cat <<-EOF
		ServerRoot $T
		ServerName localhost
		PidFile $T/apache.pid
		ErrorLog $T/apache.log
		LogLevel crit
		Mutex pthread
		LoadModule mpm_prefork_module $1/mod_mpm_prefork.so
		LoadModule authz_core_module $1/mod_authz_core.so
		LoadModule echo_module $1/mod_echo.so
		Listen 127.0.0.1:21307
		ListenBacklog 4096
		User nobody
		Group $(id -gn nobody)
		Timeout 300
		KeepAliveTimeout 300
		StartServers 80
		MinSpareServers 1
		MaxSpareServers 80
		ServerLimit 80
		MaxRequestWorkers 80
		MaxConnectionsPerChild 0
		<VirtualHost 127.0.0.1:21307>
		ProtocolEcho On
		</VirtualHost>
	EOF
}

# mod_echo answers lines alone, and there is no daytime.
start_apache()
{
	has "${APACHE:=apache2}" || return
	modules=${APACHE_MODULES:-/usr/lib/apache2/modules}
	[ -f "$modules/mod_echo.so" ] || {
		left_out "Apache: no $modules/mod_echo.so"
		return
	}
	apache_conf "$modules" >"$T/apache.conf"
	spawn "$APACHE" -DFOREGROUND -f "$T/apache.conf"
	peer "Apache prefork" 21307 0 --lines
}

# shellcheck disable=SC2034
OURS="preforkd tuned bare bare_tuned bare_drain bare_fork"
# shellcheck disable=SC2034
PEERS="xinetd openbsd_inetd inetutils_inetd tcpserver tcpsvd socat ncat apache"
