#!/bin/sh
# coverage.sh - which lines of src/ the tests execute, workers' and all.
#
#	make coverage
#	make coverage TESTS='tests/system/echo.sh tests/unit/check_conf'
#	tests/coverage/coverage.sh directory [TESTS='...']
#
# The directory gets a build of its own, with gcc's counters. Prints a line a file
# and the total. Lines of the files that were never executed are in
# directory/missed. Exit status 1 when the total is below THRESHOLD per cent, 2
# when there was nothing to measure, 77 without gcc, gcov or jq.
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
: "${GCC:=gcc}"
: "${GCOV:=gcov}"
: "${MAKE:=make}"
: "${THRESHOLD:=90}"
: "${JOBS:=$(($(nproc 2>/dev/null || echo 2) + 1))}"

give_up()
{
	echo "coverage.sh: $*" >&2
	exit 2
}

[ $# -ge 1 ] || give_up "usage: coverage.sh directory [TESTS=...]"
mkdir -p "$1" && cd "$1" || exit 2
shift
directory=$PWD
for tool in "$GCC" "$GCOV" jq; do
	command -v "$tool" >/dev/null || {
		echo "coverage.sh: no $tool: install it, or name the compiler" \
			"and its gcov with GCC= and GCOV=" >&2
		exit 77
	}
done

[ -f Makefile ] || "$source/configure" -q --enable-coverage CC="$GCC" \
	CFLAGS="-g -O0" >configure.out 2>&1 ||
	give_up "configure failed: see $directory/configure.out"
"$MAKE" -s -j"$JOBS" all >build.out 2>&1 &&
	"$MAKE" -s -j"$JOBS" check TESTS= >>build.out 2>&1 ||
	give_up "it does not compile: see $directory/build.out"

# Daemons of other users count as well, where they can write. libgcov adds to
# what is there: nothing may be, from runs before.
find . -name '*.gcno' | while read -r notes; do
	: >"${notes%.gcno}.gcda"
	chmod 666 "${notes%.gcno}.gcda"
done
: >gcov.errors
chmod 666 gcov.errors
GCOV_ERROR_FILE=$directory/gcov.errors
export GCOV_ERROR_FILE

# The tests are judged by "make check"; here it is said which failed, for what
# they did not come to is not counted.
"$MAKE" -s -k -j"$JOBS" check "$@" >check.out 2>&1
ran=$(sed -n 's/^# TOTAL: *//p' check.out | tail -n 1)
[ "${ran:-0}" -gt 0 ] || give_up "no test has run: see $directory/check.out"
grep -E '^(FAIL|ERROR):? ' check.out

# A line may be in several objects, and in each as part of several functions.
# shellcheck disable=SC2046
"$GCOV" --json-format --stdout $(find . -name '*.gcno') \
	2>gcov.out >lines.json
jq -r '.files[] | select(.file | test("(^|/)src/[^/]+")) |
	(.file | sub("^.*/src/"; "src/")) as $file |
	.lines[] | "\($file) \(.line_number) \(.count)"' lines.json |
	awk '{ count[$1 " " $2] += $3 }
		END { for (line in count) print line, count[line] }' |
	sort -k 1,1 -k 2,2n >lines
[ -s lines ] || give_up "gcov has found no line: see $directory/gcov.out"
awk '$3 == 0 { print $1 ":" $2 }' lines >missed
awk -v threshold="$THRESHOLD" '
	{ all[$1]++; hit[$1] += $3 > 0; lines++; hits += $3 > 0 }
	END {
		for (file in all)
			printf "%6.1f %% %5d of %5d  %s\n",
				100 * hit[file] / all[file], hit[file],
				all[file], file | "sort -k 6"
		close("sort -k 6")
		printf "%6.1f %% %5d of %5d  total; the threshold is %s %%\n",
			100 * hits / lines, hits, lines, threshold
		exit 100 * hits / lines < threshold
	}' lines
