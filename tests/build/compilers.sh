#!/bin/sh
# gcc and clang build the tree without a warning, out of the tree.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need gcc clang

builds()
{
	mkdir "$T/$1" && cd "$T/$1" &&
		"$TOP_SRCDIR/configure" -q CC="$1" CFLAGS=-O2 \
			--enable-werror &&
		make -s preforkd preforkprobe tests/system/client &&
		./preforkd -V
}

t "gcc -O2 -Werror" builds gcc
t "clang -O2 -Werror" builds clang
warns()
{
	cp -R "$TOP_SRCDIR/src" "$T/src" &&
		echo 'char narrow(int n) { return n; }' >>"$T/src/common/clock.c" &&
		cd "$T/gcc" && touch "$T/src/common/clock.c" &&
		make -s -k VPATH="$T" srcdir="$T" src/common/clock.o 2>&1 |
		grep -q 'Werror=conversion'
}

t "a line that narrows would have failed the build" warns
finish
