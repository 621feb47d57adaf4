# What every test script shares: TAP, a place of its own, a daemon to talk to.
# shellcheck shell=sh
#
#	. "${TOP_SRCDIR:-.}/tests/lib.sh"
#	start "$conf"			a daemon with this configuration text
#	t "what is true" command ...	one test: true when the command is
#	finish				prints the plan
#
# Tests wait with until_true, never for a fixed time. Root gets a network
# namespace for each script, so that ports and sysctls are its own.

set -u
PATH=$PATH:/usr/sbin:/sbin
: "${TOP_SRCDIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${TOP_BUILDDIR:=$TOP_SRCDIR/build}"
: "${PREFORKD:=$TOP_BUILDDIR/preforkd}"
: "${PREFORKCTL:=$TOP_BUILDDIR/preforkctl}"
: "${CLIENT:=$TOP_BUILDDIR/tests/system/client}"
: "${PROBE:=$TOP_BUILDDIR/preforkprobe}"
: "${UNLOCKED:=$TOP_BUILDDIR/tests/system/unlocked}"
: "${TEST_LIMIT:=240}"
: "${SANDBOX:=yes}"
export TOP_SRCDIR TOP_BUILDDIR PREFORKD PREFORKCTL CLIENT

# A test that hangs is a failed test: the whole group ends.
if [ -z "${TEST_LIMITED-}" ]; then
	TEST_LIMITED=1
	export TEST_LIMITED
	if [ "$(id -u)" = 0 ] && unshare -n -m true 2>/dev/null; then
		TEST_NAMESPACE=root
		export TEST_NAMESPACE
		exec unshare -n -m timeout -k 5 "$TEST_LIMIT" sh "$0" "$@"
	elif unshare -U -r -n -m true 2>/dev/null; then
		TEST_NAMESPACE=user
		export TEST_NAMESPACE
		exec unshare -U -r -n -m timeout -k 5 "$TEST_LIMIT" sh "$0" "$@"
	fi
	# All scripts share one loopback here: one at a time.
	exec flock "${TMPDIR:-/tmp}/preforkd-test.$(id -u)" \
		timeout -k 5 "$TEST_LIMIT" sh "$0" "$@"
fi
if [ -n "${TEST_NAMESPACE-}" ]; then
	ip link set lo up || exit 99
fi

T=$(mktemp -d "${TMPDIR:-/tmp}/preforkd-test.XXXXXX") || exit 99

# In a build with sanitizers each process writes what they find to a file of
# its own here: a daemon's stderr may be /dev/null, and a user other than ours.
: "${SANITIZERS:=no}"
if [ "$SANITIZERS" = yes ]; then
	chmod 711 "$T"
	mkdir -m 1777 "$T/sanitizers"
	ASAN_OPTIONS="log_path=$T/sanitizers/report${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
	UBSAN_OPTIONS="print_stacktrace=1:log_path=$T/sanitizers/report"
	export ASAN_OPTIONS UBSAN_OPTIONS
fi
TESTS=0
FAILED=0
DAEMON=
BACKGROUND=
TRACER=
ECHO=17007
DAYTIME=17013

# The machine may be slow; a poll ends as soon as it can, so this costs nothing.
: "${PATIENCE:=20}"

clean_up()
{
	# A worker dies with its master.
	for pid in $TRACER $DAEMON $BACKGROUND; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	rm -rf "$T"
}
# Not for signals: a child that is signalled between fork and exec would run
# the trap as well. They reach the whole group, so the daemon ends with us.
trap clean_up EXIT

# t NAME COMMAND ...: the output of a command that fails is shown.
t()
{
	T_NAME=$1
	shift
	TESTS=$((TESTS + 1))
	if "$@" >"$T/t.out" 2>&1; then
		echo "ok $TESTS - $T_NAME"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $TESTS - $T_NAME"
		echo "# failed: $*"
		sed 's/^/# /' "$T/t.out"
		[ -f "$T/log" ] && grep -v "status:" "$T/log" | tail -n 8 |
			sed 's/^/# log: /'
	fi
}

# Wherever a sanitizer could write: its own file, or some log.
no_sanitizer_reports()
{
	# Files alone: to read a fifo would be to wait for somebody. And text:
	# a copy of the program has these words in it.
	reports=$(find "$T" "$T/sanitizers" -maxdepth 1 -type f -exec \
		grep -IlE 'ERROR: .*Sanitizer|runtime error: ' {} +)
	[ -z "$reports" ] || {
		# shellcheck disable=SC2086
		cat $reports
		return 1
	}
}

finish()
{
	[ "$SANITIZERS" != yes ] ||
		t "no sanitizer has found anything" no_sanitizer_reports
	echo "1..$TESTS"
	[ "$FAILED" = 0 ]
	exit
}

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

# need COMMAND ...: skips the script where one is missing.
need()
{
	for command in "$@"; do
		command -v "$command" >/dev/null 2>&1 ||
			skip_all "$command is not installed"
	done
}

# The program as it is shipped, without sanitizers: for valgrind and the like.
need_plain()
{
	[ "$SANITIZERS" = no ] || skip_all "not for a build with sanitizers"
}

# A network of our own, where we may change sysctls and trace.
need_namespace()
{
	[ -n "${TEST_NAMESPACE-}" ] || skip_all "needs root, or user namespaces"
}

need_root()
{
	[ "${TEST_NAMESPACE-}" = root ] || skip_all "needs root and namespaces"
}

# until_true COMMAND ...: tries again until it is true, or patience ends.
until_true()
{
	end=$(($(date +%s) + PATIENCE))
	until "$@" >/dev/null 2>&1; do
		if [ "$(date +%s)" -ge "$end" ]; then
			echo "not true after $PATIENCE s: $*"
			"$@"
			return 1
		fi
		sleep 0.02
	done
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

not()
{
	! "$@"
}

# equals EXPECTED SEEN
equals()
{
	[ "$1" = "$2" ] || {
		echo "expected: $1"
		echo "seen:     $2"
		return 1
	}
}

at_most()
{
	[ "$2" -le "$1" ] || {
		echo "at most $1, but it is $2"
		return 1
	}
}

# is_between LEAST MOST SEEN
is_between()
{
	[ "$3" -ge "$1" ] && [ "$3" -le "$2" ] || {
		echo "from $1 to $2, but it is $3"
		return 1
	}
}

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}

# logged PATTERN [FILE]: a line of the log matches.
logged()
{
	grep -Eq -- "$1" "${2:-$T/log}"
}

# log_lines PATTERN: how many match.
log_lines()
{
	grep -Ec -- "$1" "$T/log"
}

# How many warnings there are, but for that of a build without the sandbox.
warnings()
{
	grep -v 'WORKERS ARE IN NO SANDBOX' "$T/log" | grep -c 'warning: '
}

# run COMMAND ...: sets STATUS, STDOUT and STDERR.
run()
{
	timeout 30 "$@" >"$T/run.out" 2>"$T/run.err" </dev/null
	STATUS=$?
	STDOUT=$(cat "$T/run.out")
	STDERR=$(cat "$T/run.err")
}

# A configuration on the test's ports; arguments are lines of both services.
conf()
{
	echo "pid-file none"
	echo "control none"
	echo "log-connections yes"
	for service in "echo $ECHO" "daytime $DAYTIME"; do
		echo "service ${service% *} {"
		echo "listen 127.0.0.1:${service#* }"
		for line in "$@"; do
			echo "$line"
		done
		echo "}"
	done
}

# The same with a control socket at $T/control.
conf_with_control()
{
	conf "$@" | sed "s|^control none|control $T/control|"
}

is_serving()
{
	gone "$DAEMON" || logged 'notice: serving'
}

# start TEXT [OPTION ...]: a daemon in the foreground, in DAEMON.
start()
{
	printf '%s\n' "$1" >"$T/preforkd.conf"
	shift
	cat "$T/log" >>"$T/log.before" 2>/dev/null
	: >"$T/log"
	"$PREFORKD" -F -f "$T/preforkd.conf" "$@" 2>"$T/log" &
	DAEMON=$!
	until_true is_serving
	if ! logged 'notice: serving'; then
		sed 's/^/# /' "$T/log"
		echo "Bail out! the daemon did not start"
		exit 1
	fi
}

# stop [SIGNAL]: sets STATUS to the daemon's exit status, MS to the time.
stop()
{
	before=$(now_ms)
	kill "-${1:-TERM}" "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	STATUS=$?
	MS=$(($(now_ms) - before))
	DAEMON=
}

workers()
{
	pgrep -P "$DAEMON" | paste -s -d ' ' -
}

# lives PID ...: PID:START of each that is there. Where pid_max is small and much
# is started, a number is soon another process's: the moment of the start, see
# proc_pid_stat(5), tells which.
lives()
{
	for pid; do
		{ read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
		# shellcheck disable=SC2086
		set -- ${stat##*) }
		echo "$pid:${20}"
	done | paste -s -d ' ' -
}

# all_gone PID:START ...: they have ended, and were reaped. Shows who has not.
all_gone()
{
	[ $# -gt 0 ] || {
		echo "nobody to look for"
		return 1
	}
	stay=0
	for life; do
		pid=${life%:*}
		[ "$(lives "$pid")" = "$life" ] || continue
		stay=1
		echo "there still: $life: $(cut -d ' ' -f 2-4 "/proc/$pid/stat")" \
			"$(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done 2>/dev/null
	return $stay
}

worker_count()
{
	pgrep -c -P "$DAEMON"
}

has_workers()
{
	[ "$(worker_count)" = "$1" ]
}

# A stopped worker leaves accept, so that the queue fills.
all_stopped()
{
	for pid in $(workers); do
		grep -q '^State:[[:space:]]*T' "/proc/$pid/status" || return 1
	done
}

pause_workers()
{
	# shellcheck disable=SC2046
	kill -STOP $(workers)
	until_true all_stopped
}

resume_workers()
{
	# shellcheck disable=SC2046
	kill -CONT $(workers)
}

# trace PIDS OPTION ...: strace on these, to $T/strace, until untrace.
trace()
{
	traced_pids=$1
	shift
	: >"$T/strace"
	# shellcheck disable=SC2046
	strace -q -o "$T/strace" "$@" $(printf ' -p %s' $traced_pids) \
		2>"$T/strace.err" &
	TRACER=$!
	until_true are_traced $traced_pids
}

are_traced()
{
	for pid; do
		grep -q "^TracerPid:[[:space:]]*$TRACER\$" \
			"/proc/$pid/status" || return 1
	done
}

# A signal that is on its way to them at this moment may be lost, for strace lets
# go of them without it. That of a worker's end would leave a zombie until the
# next one: not while workers leave.
untrace()
{
	kill -TERM $TRACER 2>/dev/null
	wait $TRACER 2>/dev/null
	TRACER=
}

# late_client OPTION ...: an echo client that reads nothing until read_now.
late_client()
{
	mkfifo "$T/go"
	"$CLIENT" echo -l -t 60 "$@" 127.0.0.1 $ECHO <"$T/go" \
		>"$T/client.out" &
	BACKGROUND=$!
	exec 8>"$T/go"
}

read_now()
{
	exec 8>&-
	rm "$T/go"
}

# client_ends LINE: what the client in the background prints in the end.
client_ends()
{
	wait $BACKGROUND
	BACKGROUND=
	equals "$1" "$(tail -n 1 "$T/client.out")"
}

# The daemon cannot send, for its one client does not read.
is_stuck()
{
	in=$(status_field echo in)
	[ "$in" -gt 500000 ] && sleep 0.2 &&
		equals "$in" "$(status_field echo in)"
}

# status_field SERVICE FIELD: from the log lines that USR1 asks for.
status_field()
{
	lines=$(log_lines "status: service=$1 ")
	kill -USR1 "$DAEMON"
	until_true status_came "$1" "$lines"
	grep "status: service=$1 " "$T/log" | tail -n 1 | tr ' ' '\n' |
		sed -n "s/^$2=//p"
}

status_came()
{
	[ "$(log_lines "status: service=$1 ")" -gt "$2" ]
}

field_is()
{
	equals "$3" "$(status_field "$1" "$2")"
}

# has_ended SERVICE WORD NUMBER: so many connections have ended so.
has_ended()
{
	equals "$2:$3" "$(status_field "$1" endings | tr ',' '\n' |
		grep "^$2:")"
}
