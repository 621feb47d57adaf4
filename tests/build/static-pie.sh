#!/bin/sh
# --enable-static-pie: one file without an interpreter, which does the same.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need gcc readelf

# A C library without a static one cannot.
echo 'int main(void) { return 0; }' >"$T/empty.c"
gcc -static-pie -fPIE -o "$T/empty" "$T/empty.c" 2>/dev/null ||
	skip_all "gcc -static-pie does not link here"

builds()
{
	mkdir "$T/static" && cd "$T/static" &&
		"$TOP_SRCDIR/configure" -q CC=gcc --enable-static-pie \
			--enable-werror && make -s preforkd
}

has_segment()
{
	readelf -lW "$PREFORKD" | grep -q "^ *$1 "
}

t "it builds" builds
cd / || exit 99
PREFORKD=$T/static/preforkd
t "no interpreter is needed" not has_segment INTERP
t "it is at another address each time" sh -c \
	"readelf -hW '$PREFORKD' | grep -q 'Type: *DYN'"
t "what is relocated is read-only" has_segment GNU_RELRO
t "it checks a configuration, with users and groups" \
	"$PREFORKD" -nv "echo@localhost:$ECHO"
start "$(conf | sed 's/127\.0\.0\.1/localhost/')"
t "it finds the addresses of a name, and serves echo" \
	"$CLIENT" echo -c -n 8 -b 1000 127.0.0.1 $ECHO
t "and daytime" "$CLIENT" daytime -n 8 127.0.0.1 $DAYTIME
mappings()
{
	wc -l <"/proc/$(workers | cut -d ' ' -f 1)/maps"
}
static=$(mappings)
stop
t "exit status 0" equals 0 $STATUS
PREFORKD=$TOP_BUILDDIR/preforkd
start "$(conf)"
t "a worker has half as many mappings" at_most $(($(mappings) / 2)) "$static"
stop
finish
