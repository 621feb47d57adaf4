#!/bin/sh
# A thousand configurations, each with a mistake that somebody could make, and
# HUP for each of them under a steady load: whatever it is, nothing changes.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

MUTANTS=1000
SLACK=512 # kB: errors of other kinds come, and memory is cut in other pieces
[ "$SANITIZERS" = no ] || SLACK=100000 # it keeps what was freed for a while
SEED=20240229

good()
{
	echo "pid-file none"
	echo "log-level notice"
	echo "stop-timeout 10s"
	# With room to grow, a busy machine would have more of them in the end.
	conf "max-workers 4" "start-workers 4" "min-spare-workers 2" \
		"idle-timeout 1m" "backlog 1024" "keepalive yes" |
		sed '/^pid-file/d; /^log-connections/d'
}

# Writes $T/mutants/N.conf, for N from 1: a character or a line that was
# deleted, doubled, or changed for another one.
mutate()
{
	good | awk -v seed="$1" -v count="$2" -v dir="$T/mutants" '
	function pick(n) { return int(rand() * n) }
	function printable() { return sprintf("%c", 33 + pick(94)) }
	{ line[NR] = $0 }
	END {
		srand(seed)
		for (i = 1; i <= count; i++) {
			file = dir "/" i ".conf"
			which = 1 + pick(NR)
			what = pick(6)
			at = 1 + pick(length(line[which]))
			for (n = 1; n <= NR; n++) {
				text = line[n]
				head = substr(text, 1, at - 1)
				tail = substr(text, at + 1)
				this = substr(text, at, 1)
				if (n != which)
					print text >file
				else if (what == 0)
					print head tail >file
				else if (what == 1)
					print head this this tail >file
				else if (what == 2)
					print head printable() tail >file
				else if (what == 3)
					print text "\n" text >file
				else if (what == 4)
					print line[1 + pick(NR)] >file
				else
					printf "" >file
			}
			close(file)
		}
	}'
}

mkdir "$T/mutants"
mutate $SEED $((MUTANTS * 3))

# Those that are wrong, as -n says.
wrong=0
for file in "$T"/mutants/*.conf; do
	"$PREFORKD" -n -f "$file" 2>/dev/null && continue
	wrong=$((wrong + 1))
	mv "$file" "$T/mutants/wrong.$wrong"
	[ $wrong -lt $MUTANTS ] || break
done
t "there are $MUTANTS mutants with a mistake" equals $MUTANTS $wrong

rss()
{
	sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$DAEMON/status"
}

# until_refused NUMBER: so many reloads were. Faster than until_true.
until_refused()
{
	tries=0
	until [ "$(grep -c 'error: reload refused' "$T/log")" -ge "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 2000 ] || return 1
		sleep 0.005
	done
}

# fed FIRST LAST: these are tried, one after the other.
fed()
{
	for n in $(seq "$1" "$2"); do
		mv "$T/mutants/wrong.$n" "$T/preforkd.conf"
		kill -HUP "$DAEMON"
		until_refused "$n" || return 1
	done
}

start "$(good)"
until_true has_workers 8

# What is allocated once is there after some of them.
fed 1 50
before=$(workers)
memory=$(rss)
descriptors=$(ls "/proc/$DAEMON/fd")
"$CLIENT" rate -n 100 -b 1000 -t 120 127.0.0.1 $ECHO >"$T/rate" &
LOAD=$!
while :; do
	"$CLIENT" daytime -n 20 -t 20 127.0.0.1 $DAYTIME >>"$T/daytime" ||
		touch "$T/daytime-failed"
	[ ! -e "$T/enough" ] || break
	sleep 0.1
done &
ASKING=$!
began=$(now_ms)
t "each of them is refused" fed 51 $MUTANTS
echo "# $((MUTANTS - 50)) reloads in $(($(now_ms) - began)) ms"
t "... and none was reloaded" equals 0 "$(log_lines 'notice: reloaded')"
t "... nor anything started for it" equals "$before" "$(workers)"
t "... no descriptor is left" equals "$descriptors" "$(ls "/proc/$DAEMON/fd")"
t "... and no memory" at_most $((memory + SLACK)) "$(rss)"
echo "# RSS: $memory kB, then $(rss) kB"
touch "$T/enough"
wait $ASKING
t "no daytime client has noticed" not test -e "$T/daytime-failed"
kill -TERM $LOAD
wait $LOAD
STATUS=$?
echo "# $(cat "$T/rate")"
t "... and no echo client has" equals 0 $STATUS
t "the daemon is as it was" echoes
reload "$(good)"
t "... and reloads what has no mistake" last_outcome reloaded
stop
t "exit status 0" equals 0 $STATUS
finish
