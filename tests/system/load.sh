#!/bin/sh
# preforkprobe load: its counts are the daemon's, each of its works ends, and a
# server that does wrong is counted and said.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/probe.sh"

need jq
HERE=127.0.0.1

# load ARGUMENT ...: one that has come to its end; sets JSON to its summary.
load()
{
	run "$PROBE" -jq "$@"
	JSON=$STDOUT
}

# has JQ: this is true of the summary.
has()
{
	printf '%s\n' "$JSON" | jq -e "$1" >/dev/null || {
		printf '%s\n' "$JSON" "$STDERR"
		return 1
	}
}

wrong 'it has no end; give it one with --seconds or -c' load $HERE:$ECHO
wrong 'it has no end' -p 9 --work bulk load $HERE:$ECHO
wrong 'hold has no end; .* --seconds' --work hold load $HERE:$ECHO
wrong '-c: hold opens as many as -p says' -c 1 --seconds 1 --work hold \
	load $HERE:$ECHO
wrong '-s: daytime sends nothing' -c 1 -s 1 --work daytime load $HERE:$ECHO
wrong '--lines: a line has 65521 bytes at most' -c 1 -s 65522 --lines \
	load $HERE:$ECHO
wrong '--seconds 3601: must be seconds, 0\.001 to 3600' --seconds 3601 \
	load $HERE:$ECHO
wrong '--seconds 0: must be seconds' --seconds 0 load $HERE:$ECHO
wrong '-p 50001: must be 1 to 50000' -c 1 -p 50001 load $HERE:$ECHO
wrong '-c 1000000001: must be 1 to 1000000000' -c 1000000001 load $HERE:$ECHO
wrong '--work rest: must be echo, daytime, ' -c 1 --work rest load $HERE:$ECHO
wrong '-i: load has no use for it' -c 1 -i 1 load $HERE:$ECHO
wrong '--seconds: echo has no use for it' --seconds 1 echo $HERE:$ECHO
wrong '--work: daytime has no use for it.* with load' --work echo daytime $HERE:$ECHO
wrong '^usage: ' --nosuch load $HERE:$ECHO

# Workers enough for all that a work has open at once.
start "$(conf "start-workers 40" "max-spare-workers 60")"

# well SERVICE WORK ARGUMENT ...: a load that goes well; CONNECTIONS of it are
# what the daemon has counted.
well()
{
	service=$1
	work=$2
	shift 2
	before=$(status_field "$service" connections)
	port=$ECHO
	[ "$service" = echo ] || port=$DAYTIME
	load --work "$work" "$@" load $HERE:$port
	t "$work $*: exit status 0" equals "0:" "$STATUS:$STDERR"
	t "... no failure, no RST, no mismatch" has '.verdict == "ok" and
		.failed == 0 and .failures == {} and .rst == 0 and
		.mismatches == 0'
	t "... a FIN of each" has '.connections > 0 and .fin == .connections'
	t "... as many as the daemon has counted" has \
		".connections == $(($(status_field "$service" connections) - before))"
}

well echo echo -c 501 -p 7
t "... as many as asked for" has '.begun == 501 and .completed == 501 and
	.connections == 501 and .bytes == 501 * 64'
t "... with their times, in order" has '0 < .p50_ms and .p50_ms <= .p90_ms and
	.p90_ms <= .p99_ms and .p99_ms <= .p999_ms and .p999_ms <= .max_ms'
t "... and rates" has '.per_second > 0 and
	.bytes_per_second / .per_second > 63 and
	.bytes_per_second / .per_second < 65'
well echo echo -c 5 -s 300000 -p 2
t "... every byte of large ones" has '.completed == 5 and .bytes == 1500000'
run "$PROBE" -c 1 -s 1 load $HERE:$ECHO
t "... and one byte is one" says '^echo: 1 at once, 1 byte each, time ' "$STDOUT"
well echo echo --seconds 0.3 -p 5
t "... until the time is over" has \
	'.begun == .completed and .begun > 0 and .seconds == 0.3'
well daytime daytime -c 302 -p 9
t "... as many as asked for" has '.completed == 302 and .connections == 302'
well echo round-trip -c 1003 -p 4
t "... as many as asked for, on connections that stay" has \
	'.completed == 1003 and .connections == 4 and .bytes == 1003 * 64'
well echo round-trip --seconds 0.3 -p 3 -s 100000
t "... until the time is over" has '.begun == .completed and .begun > 0'
well echo bulk -c 100 -p 3
t "... as many as asked for" has \
	'.completed == 100 and .connections == 3 and .bytes == 100 * 65536'
well echo bulk --seconds 0.3 -p 2 -s 999
t "... until the time is over" has '.begun == .completed and .begun > 0'
well echo round-trip -c 100 -p 4 -s 77 --lines
t "... in lines" has '.completed == 100 and .bytes == 7700'
well echo bulk -c 100 -p 4 -s 3000 --lines
t "... in lines" has '.completed == 100 and .bytes == 300000'
well echo hold --seconds 0.5 -p 30
t "... all stay" has \
	'.completed == 30 and .connections == 30 and .seconds == 0.5'
t "... with their times" has '.max_ms > 0 and .opening_ms >= .max_ms'

for work in echo hold; do
	run timeout --foreground --preserve-status -s INT 2 "$PROBE" -j -p 3 --seconds 600 \
		--work $work load $HERE:$ECHO
	t "$work: ^C: exit status 0" equals 0 $STATUS
	t "... and the time until then" equals true "$(printf '%s\n' "$STDOUT" |
		jq 'select(.event == "summary") | .seconds < 30 and .completed > 0')"
done

t "-B: from there" not logged 'peer=127.0.0.9:'
load -B 127.0.0.9 -c 3 load $HERE:$ECHO
t "... exit status 0" equals 0 $STATUS
t "... it was from there" logged 'peer=127.0.0.9:'
t "on loopback it is from many addresses" logged 'peer=127.0.1.16:'

if command -v socat >/dev/null; then
	socat "TCP4-LISTEN:17009,bind=$HERE,fork,reuseaddr" \
		"EXEC:sed -n -u p" 2>/dev/null &
	BACKGROUND=$!
	until_true "$PROBE" -q -t 1 connect $HERE:17009
	load -c 30 -p 3 -s 99 --lines --work round-trip -t 9 load $HERE:17009
	t "--lines: a server of lines answers" has \
		'.completed == 30 and .failed == 0'
	load -c 3 -s 99 --work round-trip -t 0.5 load $HERE:17009
	t "... and without it, does not" has '.verdict == "stalled"'
	run "$PROBE" -c 2 -i 0 -t 9 echo $HERE:17009
	t "echo: so it does, always" equals 0 $STATUS
	kill $BACKGROUND
	wait $BACKGROUND 2>/dev/null
	BACKGROUND=
fi

run "$PROBE" -c 20 -p 2 load $HERE:$ECHO
t "text: the verdict" says "^load $HERE port $ECHO: ok$" "$STDOUT"
t "... the counts" says \
	'^20 begun, 20 completed: [0-9.]+ a second, [0-9.]+ MB/s$' "$STDOUT"
t "... how they ended" says '^20 FIN, 0 RST, 0 mismatches$' "$STDOUT"
t "... the times" says \
	'^p50/p90/p99/p99.9/max = ([0-9.]+/){4}[0-9.]+ ms$' "$STDOUT"

# What preforkprobe(1) says of the summary is what is in it.
FIELDS=$(sed -n '/^\.Sh LOAD/,/^\.Sh VERDICTS/s/^\.It Li \([a-z].*\)/\1/p' \
	"$TOP_SRCDIR/man/preforkprobe.1" | tr -d ' ' | tr ',' '\n' | sort)
load -c 2 --work round-trip load $HERE:$ECHO
t "JSON: the fields of the manual" equals "$FIELDS" \
	"$(printf '%s\n' "$JSON" | jq -r 'keys_unsorted[]' | sort)"
run "$PROBE" -j -c 2 load $HERE:$ECHO
t "... after the address" equals "connected summary" \
	"$(printf '%s\n' "$STDOUT" | jq -r .event | paste -s -d ' ' -)"

# Descriptors: what is needed is asked for.
run sh -c "ulimit -Sn 20; exec '$PROBE' -q -p 30 --work hold --seconds 0.1 \
	load $HERE:$ECHO"
t "a limit of descriptors is raised" equals 0 $STATUS
if command -v setpriv >/dev/null && [ "${TEST_NAMESPACE-}" = root ]; then
	run setpriv --bounding-set=-sys_resource prlimit --nofile=50 \
		"$PROBE" -p 30 --work hold --seconds 0.1 load $HERE:$ECHO
	t "... or it is said: exit status 2" equals 2 $STATUS
	t "... by its name, and what to do" says \
		'62 descriptors .*RLIMIT_NOFILE allows for 50; raise it' \
		"$STDOUT"
fi
stop

start "$(conf | sed "s/listen 127.0.0.1/listen [::1]/")"
load -c 20 -p 3 load "[::1]:$ECHO"
t "IPv6 as well" has '.completed == 20 and .fin == 20'
some_served()
{
	[ "$(status_field echo connections)" -gt "$1" ]
}

# Nobody is there any more: no need to ask until the time is over.
"$PROBE" -jq -p 2 --seconds 600 load "[::1]:$ECHO" >"$T/gone" &
BACKGROUND=$!
until_true some_served 100
kill -KILL "$DAEMON"
wait "$DAEMON" 2>/dev/null
DAEMON=
t "the daemon dies: it gives up soon" until_true gone $BACKGROUND
wait $BACKGROUND
t "... exit status 1" equals 1 $?
BACKGROUND=
JSON=$(cat "$T/gone")
t "... refused, a hundred times in a row" has '.verdict == "refused" and
	.failures.refused > 90 and .failed < 120 and .completed > 0'

load -c 5 load $HERE:$ECHO
t "nobody was there: exit status 1" equals 1 $STATUS
t "... and nothing was begun" has '.verdict == "refused" and .begun == null'

# bad WORDS ARGUMENT ... -- STEP ...: a server that does these steps to each
# connection makes all of them end with this word.
bad()
{
	word=$1
	work=$2
	shift 2
	arguments=
	while [ "$1" != -- ]; do
		arguments="$arguments $1"
		shift
	done
	shift
	rm -f "$T/serve"
	"$CLIENT" serve $HERE $ECHO "$@" >"$T/serve" 2>&1 &
	BACKGROUND=$!
	until_true logged '^listening' "$T/serve"
	# shellcheck disable=SC2086
	load --work "$work" $arguments load $HERE:$ECHO
	t "$work to a server of $*: exit status 1" equals 1 $STATUS
	t "... $word, each of them" has ".verdict == \"$word\" and
		.failed == .connections and .failures == {\"$word\": .failed}"
	kill $BACKGROUND 2>/dev/null
	wait $BACKGROUND 2>/dev/null
	BACKGROUND=
}

bad mismatch echo -c 5 -- get=64 send=64 end
t "... five of them, counted" has '.mismatches == 5 and .completed == 0'
bad mismatch echo -c 5 -- echo=64 send=1 end
bad reset echo -c 5 -- get=64 rst
t "... five of them, counted" has '.rst == 5 and .fin == 0'
bad reset echo -c 3 -- echo=64 wait=100 rst
bad closed-early echo -c 5 -- echo=63 fin end
bad stalled echo -c 2 -p 2 -t 0.4 -- get=64 end
bad stalled echo -c 2 -p 2 -t 0.4 -- echo=64 wait=1500
bad closed-early daytime -c 3 -- fin end
bad stalled daytime -c 2 -t 0.4 -- end
bad reset daytime -c 3 -- send=10 wait=100 rst
bad reset round-trip -c 50 -- echo=64 echo=64 get=1 rst
t "... after one that was well" has '.completed == 1 and .begun == 2'
bad mismatch round-trip -c 50 -- echo=64 echo=64 get=64 send=64 end
bad mismatch bulk -c 5 -- echo=65536 get=64 send=64 end
bad stalled bulk --seconds 9 -t 0.4 -- echo=65536 get=64 end
bad closed-early hold --seconds 9 -t 0.4 -- echo=1 wait=100 fin end
bad mismatch hold --seconds 9 -t 0.4 -- echo=1 wait=100 send=1 end
bad reset hold --seconds 9 -t 0.4 -- echo=1 wait=100 rst
bad stalled hold --seconds 0.2 -t 0.4 -- echo=1 end

# Nobody but the first three is served: to open all would take 16 s.
start "$(conf "start-workers 3" "min-spare-workers 1" "max-spare-workers 3" \
	"max-workers 3" "evict no")"
JSON=$(timeout --preserve-status -s INT 1 "$PROBE" -jq -p 300 -t 3 \
	--seconds 1 --work hold load $HERE:$ECHO)
t "^C while connections are opened: no more are" has '.connections < 200'
t "... those that were are there" has '.completed == 3'
finish
