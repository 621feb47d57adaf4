#!/bin/sh
# A bad configuration: exit status 2, and each bad line named in one run.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

C=$T/bad.conf
cat >"$C" <<'END'
baklog 5
log-level loud
backlog 5
service echo {
	listen *:0
	listen 127.0.0.1
	backlog 0
	idle-timeout 10
	keepalive-idle 1500ms
	format "%H"
	pid-file none
}
service ecko {
	listen *:7
}
service daytime {
	format "%n"
}
stop-timeout
}
END

named()
{
	grep -Fqx -- "$C:$1" "$T/run.err" || {
		echo "missing: $C:$1"
		cat "$T/run.err"
		return 1
	}
}

for option in "" -n -d -F -nv; do
	# shellcheck disable=SC2086
	run "$PREFORKD" $option -f "$C"
	t "preforkd $option: exit status 2" equals 2 $STATUS
done
t "nothing but the 16 errors is printed" equals 16 "$(wc -l <"$T/run.err")"
t "... and nothing on stdout" equals "" "$STDOUT"
t "unknown keyword" named \
	'1: baklog: unknown keyword; the nearest is "backlog"'
t "bad level" named \
	'2: log-level loud: must be error, warning, notice, info or debug'
t "wrong place" named '3: backlog: belongs in a service block'
t "port 0" named '5: listen *:0: the port must be a number, 1 to 65535'
t "no port" named '6: listen 127.0.0.1: has no port: must be address:port, as in *:7 or 127.0.0.1:7'
t "out of range" named '7: backlog 0: must be 1 to 65535'
t "no unit" named \
	'8: idle-timeout 10: needs a unit: 10ms, 10s, 10m or 10h'
t "not whole seconds" named '9: keepalive-idle 1500ms: must be whole seconds'
t "another service's keyword" named '10: format: is for service daytime only'
t "global keyword in a block" named \
	'11: pid-file: belongs outside of the service block'
t "no good listen line" named '12: service echo: has no listen line'
t "unknown service" named \
	'13: service ecko: unknown service; the nearest is "echo"'
t "two lines from one format" named \
	'17: format %n: must give one line: no %n, no %t'
t "no listen line" named '18: service daytime: has no listen line'
t "value missing" named '19: stop-timeout: must be followed by one value'
t "a brace too many" named '20: }: no block is open'

run "$PREFORKD" -F -f "$T/absent.conf"
t "a file that is not there: exit status 2" equals 2 $STATUS
t "... and it is named" equals \
	"$T/absent.conf: cannot be opened: No such file or directory" "$STDERR"

# Arguments and options.
run "$PREFORKD" -x
t "an unknown option: exit status 2" equals 2 $STATUS
t "... with the usage" sh -c "grep -q '^usage: preforkd ' $T/run.err"
for argument in ecko@127.0.0.1:7007 echo 127.0.0.1:7007 echo@7007 \
    echo@127.0.0.1:0 echo@::1:7; do
	run "$PREFORKD" -d "$argument"
	t "argument $argument: exit status 2" equals 2 $STATUS
	t "... and it is named" sh -c "grep -qF 'preforkd: $argument: ' $T/run.err"
done
run "$PREFORKD" -d -p relative.pid echo@127.0.0.1:$ECHO
t "a relative PID file: exit status 2" equals 2 $STATUS
t "... and it is named" equals \
	"preforkd: -p relative.pid: must be an absolute path or none" "$STDERR"
finish
