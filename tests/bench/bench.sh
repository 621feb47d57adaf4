#!/bin/sh
# bench.sh - preforkd beside its peers and bare loops, in one run.
#
#	make bench				all of it, into bench/ of the build
#	tests/bench/bench.sh [-r rounds] [-t seconds] [-s "server ..."] directory
#
# Every server runs all the time, and each round asks all of them in an order of
# its own, so that a machine that is slow for a while is so for each of them. The
# medians go to table.md, with the ratio to preforkd as it is shipped, and all
# that was measured to rounds.tsv; with gnuplot, plot.svg is drawn.
#
# It has a network and processes of its own, that end with it. Needs root.
set -u
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
: "${TOP_BUILDDIR:=$(pwd)}"
: "${PREFORKD:=$TOP_BUILDDIR/preforkd}"
: "${PROBE:=$TOP_BUILDDIR/preforkprobe}"
: "${BARE:=$TOP_BUILDDIR/tests/bench/bare}"
export TOP_BUILDDIR PREFORKD PROBE BARE

[ "$(id -u)" = 0 ] || {
	echo "bench.sh: must be run as root, for a network of its own" >&2
	exit 1
}
if [ -z "${BENCH_NAMESPACE-}" ]; then
	BENCH_NAMESPACE=yes
	export BENCH_NAMESPACE
	exec unshare -n -m -p --fork --kill-child --mount-proc sh "$0" "$@"
fi
ip link set lo up || exit 1

# shellcheck source=tests/bench/peers.sh
. "$here/peers.sh"

ROUNDS=5
SECONDS_EACH=0.8
SERVERS="$OURS $PEERS"
usage="usage: bench.sh [-r rounds] [-t seconds] [-s \"server ...\"] directory"
while getopts r:t:s: option; do
	case $option in
	r) ROUNDS=$OPTARG ;;
	t) SECONDS_EACH=$OPTARG ;;
	s) SERVERS=$OPTARG ;;
	*) echo "$usage" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 1 ] || { echo "$usage" >&2; exit 2; }
mkdir -p "$1" || exit 1
OUT=$1
T=$(mktemp -d "${TMPDIR:-/tmp}/preforkd-bench.XXXXXX") || exit 1
chmod 755 "$T"
trap 'rm -rf "$T"' EXIT

# What is measured: work, at once, and what of it. A bulk is measured in bytes.
measures()
{
	cat <<-EOF
		daytime 1 per_second
		daytime 16 per_second
		daytime 64 per_second
		echo 16 per_second
		round-trip 1 per_second
		round-trip 16 per_second
		bulk 1 bytes_per_second
		bulk 4 bytes_per_second
	EOF
}

# measure ROUND WORK PARALLEL FIELD NAME ECHO DAYTIME LINES: a row of rounds.tsv
measure()
{
	port=$6
	lines=$8
	[ "$2" != daytime ] || { port=$7 lines=; }
	[ "$port" != 0 ] || return
	# A server of lines reads one into a buffer of its own.
	[ "$2$lines" != bulk--lines ] || lines="$lines -s 4096"
	if [ "$3" = 1 ]; then
		ask 1 "$2" 1 "$port" "$lines"
	else
		ask 2 "$2" $(($3 / 2)) "$port" "$lines"
	fi
	printf '%s-%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$2" "$3" "$5" "$1" \
		"$(sum "$4")" "$(largest p99_ms)" "$(sum failed)" "$(sum rst)" \
		"$(verdict)" >>"$OUT/rounds.tsv"
}

# ask CLIENTS WORK PARALLEL PORT OPTIONS: one client alone would be at its own
# limit before the server is.
ask()
{
	rm -f "$T"/json.*
	clients=
	for client in $(seq "$1"); do
		# shellcheck disable=SC2086
		"$PROBE" -jq -t 5 -p "$3" --seconds "$SECONDS_EACH" \
			--work "$2" $5 load "127.0.0.1:$4" \
			>"$T/json.$client" &
		clients="$clients $!"
	done
	# shellcheck disable=SC2086
	wait $clients
}

# The field of that name of each client.
field()
{
	sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$T"/json.*
}

sum()
{
	field "$1" | awk '{ n += $1 } END { printf "%.1f", n }'
}

largest()
{
	field "$1" | awk '$1 > n { n = $1 } END { print n + 0 }'
}

verdict()
{
	sed -n 's/.*"verdict":"\([a-z-]*\)".*/\1/p' "$T"/json.* | sort -u |
		grep -v '^ok$' | paste -s -d ' ' -
}

: >"$T/peers"
: >"$OUT/rounds.tsv"
for server in $SERVERS; do
	"start_$server"
done
# The first seconds are for caches, and for pools to grow.
while IFS='|' read -r name echo daytime lines; do
	measure 0 echo 16 per_second "$name" "$echo" "$daytime" "$lines"
done <"$T/peers"
: >"$OUT/rounds.tsv"
for round in $(seq "$ROUNDS"); do
	echo "round $round of $ROUNDS" >&2
	measures | while read -r work parallel field; do
		shuf "$T/peers" >"$T/order"
		while IFS='|' read -r name echo daytime lines; do
			measure "$round" "$work" "$parallel" "$field" \
				"$name" "$echo" "$daytime" "$lines"
		done <"$T/order"
	done
done
awk -v plot="$OUT/plot.dat" -f "$here/table.awk" "$T/peers" \
	"$OUT/rounds.tsv" >"$OUT/table.md" || exit 1
cat "$OUT/table.md"
if command -v gnuplot >/dev/null; then
	gnuplot -e "data='$OUT/plot.dat'; picture='$OUT/plot.svg'" \
		"$here/plot.gp"
else
	left_out "plot.svg: gnuplot is not installed"
fi
