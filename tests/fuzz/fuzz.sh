#!/bin/sh
# fuzz.sh - builds the harnesses of tests/fuzz with clang, and runs each of them.
#
#	make fuzz FUZZ_SECONDS=300
#	make fuzz FUZZ_HARNESSES=control	one of them
#	make fuzz FUZZ_JOBS=1			one after the other
#	tests/fuzz/fuzz.sh directory harness ...
#
# The directory gets a build of its own, with libFuzzer, ASan and UBSan, and what
# each harness has found: what is new in corpus/NAME, where a next run goes on, and
# an input that crashed in crashes/NAME. One of those is run again with
#
#	directory/tests/fuzz/fuzz_NAME directory/crashes/NAME/crash-...
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
: "${CLANG:=clang}"
: "${FUZZ_SECONDS:=30}"
: "${FUZZ_JOBS:=$(nproc 2>/dev/null || echo 2)}" # at the same time
: "${MAKE:=make}"
INPUT_SECONDS=10 # far more than any input needs: only a hang takes as long

give_up()
{
	echo "fuzz.sh: $*" >&2
	exit 1
}

[ $# -ge 2 ] || give_up "usage: fuzz.sh directory harness ..."
mkdir -p "$1" && cd "$1" || exit 1
directory=$1
shift

command -v "$CLANG" >/dev/null || {
	echo "fuzz.sh: no $CLANG: install clang and its libFuzzer (Debian: clang" \
		"and libclang-rt-dev), or name one with CLANG=" >&2
	exit 77
}
echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' >probe.c
"$CLANG" -fsanitize=fuzzer,address probe.c -o probe 2>probe.log || {
	echo "fuzz.sh: $CLANG has no libFuzzer here: install its run-time" \
		"libraries (Debian: libclang-rt-dev, Fedora: compiler-rt)" >&2
	exit 77
}
rm -f probe probe.c probe.log

# The sources of the tree, compiled once more.
[ -f Makefile ] || "$source/configure" -q --enable-sanitizers CC="$CLANG" \
	CFLAGS="-g -O1 -fsanitize=fuzzer-no-link" >configure.out 2>&1 ||
	give_up "configure failed: see $directory/configure.out"
for harness in "$@"; do
	set -- "$@" "tests/fuzz/fuzz_$harness"
	shift
done
"$MAKE" -s -j"$FUZZ_JOBS" "$@" >make.out 2>&1 ||
	give_up "the harnesses do not compile: $(tail -n 20 make.out)"

# Without the lines that the daemon logs. Leaves $name.status.
run()
{
	name=${1##*/fuzz_}
	mkdir -p "corpus/$name" "crashes/$name"
	"./$1" -close_fd_mask=2 -max_total_time="$FUZZ_SECONDS" \
		-timeout="$INPUT_SECONDS" -print_final_stats=1 \
		-artifact_prefix="crashes/$name/" \
		-dict="$source/tests/fuzz/$name.dict" "corpus/$name" \
		"$source/tests/fuzz/corpus/$name" >"$name.out" 2>&1
	echo $? >"$name.status"
}

running=0
for program in "$@"; do
	run "$program" &
	running=$((running + 1))
	[ $((running % FUZZ_JOBS)) != 0 ] || wait
done
wait

crashed=0
for program in "$@"; do
	name=${program##*/fuzz_}
	status=$(cat "$name.status")
	if [ "$status" = 0 ]; then
		echo "ok: $name: $(sed -n 's/^#\([0-9]*\).*DONE */\1 inputs, /p' \
			"$name.out")"
		continue
	fi
	crashed=$((crashed + 1))
	echo "crashed: $name, status $status:"
	grep -E 'not true|ERROR|SUMMARY|runtime error|Test unit written' "$name.out"
	echo "    see $directory/$name.out"
done
echo "$(($# - crashed)) passed, $crashed failed, 0 skipped"
[ $crashed = 0 ]
