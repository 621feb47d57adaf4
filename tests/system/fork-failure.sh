#!/bin/sh
# fork(2) fails: the pool lives with the workers that it has, says so once, and
# mends by itself.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_root
need strace prlimit setpriv

# An account that nothing else runs as, for RLIMIT_NPROC counts by account; the
# tree may be where only root can go.
USER_ID=$((1000000 + $$))
PROGRAM=$T/preforkd
chmod 711 "$T"
cp "$PREFORKD" "$PROGRAM"
PREFORKD=$T/through
cat >"$PREFORKD" <<END
#!/bin/sh
exec setpriv --reuid $USER_ID --regid $USER_ID --clear-groups \\
	prlimit "--nproc=\${NPROC-1000}:" "$PROGRAM" "\$@"
END
chmod 755 "$PREFORKD"

CONF="pid-file none
control none
log-level debug
service echo {
listen 127.0.0.1:$ECHO
max-spare-workers 8
max-workers 100
}"
LIMIT=20
WORKERS=$((LIMIT - 1))
SAID="warning: echo 127.0.0.1:$ECHO: fork; serving with [0-9]+ of [0-9]+ workers.*RLIMIT_NPROC.*: Resource temporarily unavailable"

# may_have NUMBER: processes. Only the same account may always change that.
may_have()
{
	setpriv --reuid $USER_ID --regid $USER_ID --clear-groups \
		prlimit --pid "$DAEMON" "--nproc=$1:"
}

# hold NUMBER: so many clients come, and stay until let_go.
hold()
{
	"$CLIENT" echo -n "$1" -b 1 -t 100 127.0.0.1 $ECHO >"$T/client.out" &
	BACKGROUND=$!
}

let_go()
{
	kill "$BACKGROUND"
	wait "$BACKGROUND" 2>/dev/null
	BACKGROUND=
}

attempts()
{
	grep -Ec '(clone|clone3|fork)\(.*(EAGAIN|ENOMEM)' "$T/strace"
}

tried()
{
	[ "$(attempts)" -ge "$1" ]
}

start "$CONF"
may_have $LIMIT
trace "$DAEMON" -e trace=clone,clone3,fork,vfork
began=$(now_ms)
hold 40
t "RLIMIT_NPROC: as many as can be forked serve" until_true \
	field_is echo busy $WORKERS
t "... it is said" until_true logged "$SAID"
t "... the status says it too" until_true field_is echo state degraded
t "... it tries again" until_true tried 4
t "... slowly" at_most $(($(now_ms) - began)) 700
t "... it is said once" equals 1 "$(warnings)"
t "... those that wait are not sent away" equals connected=3 \
	"$("$CLIENT" connect -n 3 -t 5 127.0.0.1 $ECHO)"
untrace
may_have 1000
t "raised: all are served" until_true field_is echo busy 40
t "... it says that workers start again" until_true logged \
	"notice: echo 127.0.0.1:$ECHO: workers start again: [0-9]+"
t "... once" equals 1 "$(log_lines 'start again')"
t "... the status has it" field_is echo state serving
let_go

# They leave while it fails: nobody is missing any more.
t "idle again" until_true field_is echo workers 8
may_have $LIMIT
hold 40
t "a second time: it is said again" until_true \
	equals 2 "$(until_true field_is echo state degraded; log_lines "$SAID")"
let_go
t "those that waited leave: it says that nobody is missing" until_true \
	logged "notice: echo 127.0.0.1:$ECHO: (no more workers are missing|workers start again): [0-9]+"
t "... the status says serving" until_true field_is echo state serving
t "... and the pool has shrunk" until_true field_is echo workers 8
may_have 1000
stop
t "exit status 0" equals 0 $STATUS
t "no other warning" equals 2 "$(warnings)"

# No memory, for a moment.
start "$CONF"
trace "$DAEMON" -e trace=clone,clone3 -e inject=clone,clone3:error=ENOMEM:when=1..3
hold 20
t "ENOMEM three times: then all are served" until_true field_is echo busy 20
t "... said once" equals 1 "$(log_lines 'warning: .* fork; .*: Cannot allocate memory')"
t "... and that it is over" until_true logged 'workers start again'
t "... there were three" equals 3 "$(attempts)"
untrace
let_go
stop

# From the start.
NPROC=3
export NPROC
start "$CONF"
t "room for two at the start: they serve" logged \
	"notice: serving echo on 127.0.0.1:$ECHO with 2 workers"
t "... it is said" logged "$SAID"
may_have 1000
t "... until there is room" until_true field_is echo idle 4
stop
NPROC=1
run "$PREFORKD" -F -f "$T/preforkd.conf"
t "room for none: exit status 1" equals 1 $STATUS
t "... and why" grep -Eq "fork; serving with 0 of 4 workers.*RLIMIT_NPROC" "$T/run.err"
finish
