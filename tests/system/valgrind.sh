#!/bin/sh
# memcheck sees the master and its workers through a whole life: no error, no
# leak, and no descriptor that somebody forgot.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_plain
need valgrind

# The daemon as start has it, but with valgrind in front.
PROGRAM=$UNLOCKED
PREFORKD=$T/under-valgrind
mkdir "$T/reports"
cat >"$PREFORKD" <<END
#!/bin/sh
exec valgrind -q --trace-children=yes --track-fds=yes --leak-check=full \\
	--errors-for-leak-kinds=definite,indirect,possible \\
	--show-leak-kinds=definite,indirect,possible --error-exitcode=99 \\
	--log-file='$T/reports/%p' -v '$PROGRAM' "\$@"
END
chmod 755 "$PREFORKD"

# Each process but those that were killed closes its report with a count.
each_says()
{
	for report in "$T"/reports/*; do
		case " $KILLED " in
		*" ${report##*/} "*) continue ;;
		esac
		grep -q -- "$1" "$report" || {
			cat "$report"
			return 1
		}
	done
}

descriptors_of()
{
	sed -n 's/.*FILE DESCRIPTORS: \([0-9]*\) open.*/\1/p' \
		"$T/reports/$1"
}

# 0 to 2, the wake-up descriptor, and the listener: QUIT has closed that.
each_worker_left_its_own()
{
	for report in "$T"/reports/*; do
		case ${report##*/} in
		"$KILLED" | "$MASTER") continue ;;
		esac
		case " $QUIT " in
		*" ${report##*/} "*) own=4 ;;
		*) own=5 ;;
		esac
		equals $own "$(descriptors_of "${report##*/}")" || {
			cat "$report"
			return 1
		}
	done
}

all_gone()
{
	for pid; do
		gone "$pid" || return 1
	done
}

is_whole()
{
	field_is echo idle 4 && field_is daytime idle 4
}

# Workers that look for leaks take their time.
start "stop-timeout 1m
$(conf "max-workers 4")" -v -v
MASTER=$DAEMON
t "echo is served" "$CLIENT" echo -c -n 8 -b 20000 -t 20 127.0.0.1 $ECHO
t "daytime is served" "$CLIENT" daytime -n 8 -t 20 127.0.0.1 $DAYTIME
t "USR1 is answered" until_true is_whole
KILLED=$(workers | cut -d ' ' -f 1)
kill -KILL "$KILLED"
t "a worker that was killed is reaped" until_true \
	logged "worker $KILLED .* was killed by signal 9"
t "... and replaced" until_true is_whole
QUIT=$(workers | cut -d ' ' -f 1)
kill -QUIT "$QUIT"
t "a worker that is retired leaves" until_true gone "$QUIT"
t "... and is replaced" until_true is_whole
# All of them leave, and others come; a second reload finds an error.
QUIT="$QUIT $(workers)"
kill -HUP "$DAEMON"
t "a reload is done" until_true logged 'notice: reloaded'
t "... and all workers are there again" until_true is_whole
t "... other ones" until_true all_gone $QUIT
mv "$T/preforkd.conf" "$T/good.conf"
echo "nonsense" >"$T/preforkd.conf"
kill -HUP "$DAEMON"
t "a reload is refused" until_true logged 'error: reload refused'
mv "$T/good.conf" "$T/preforkd.conf"
"$CLIENT" echo -n 2 -b 100 -t 20 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
until_true field_is echo busy 2
stop
t "the stop with two clients: exit status 0" equals 0 $STATUS
t "... they see FIN" wait $BACKGROUND
BACKGROUND=
t "the master and 18 workers were seen" equals 19 "$(find "$T/reports" -type f | wc -l)"
t "no error and no leak in any of them" each_says 'ERROR SUMMARY: 0 errors'
t "the master has left no descriptor open" equals 3 "$(descriptors_of "$MASTER")"
t "each worker has left what it works with, and no connection" \
	each_worker_left_its_own

# The ways out that do not reach the loop.
run "$PREFORKD" -nv -f "$T/preforkd.conf"
t "-nv: exit status 0" equals 0 $STATUS
echo "backlog 0 {" >"$T/bad.conf"
run "$PREFORKD" -n -f "$T/bad.conf"
t "a bad configuration: exit status 2, and not valgrind's" equals 2 $STATUS
t "... no error and no leak" each_says 'ERROR SUMMARY: 0 errors'
finish
