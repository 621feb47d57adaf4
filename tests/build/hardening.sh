#!/bin/sh
# The binary has what the compiler and the linker offer against its own bugs.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need readelf
need_plain

# elf OPTION: what readelf says of the binary, to be looked at.
elf()
{
	readelf -W "$1" "$PREFORKD"
}

has()
{
	elf "$1" | grep -Eq -- "$2" || {
		elf "$1"
		return 1
	}
}

configured_with()
{
	grep -Eq "^HARDEN_(CFLAGS|LDFLAGS) =.* $1( |\$)" \
		"$TOP_BUILDDIR/Makefile"
}

# Each object of ours has the mark; whether the binary has depends on how the
# start files and the C library were built.
objects_have()
{
	readelf -Wn "$TOP_BUILDDIR/libpreforkd.a" >"$T/notes"
	equals "$(grep -c '^File: ' "$T/notes")" "$(grep -Ec "$1" "$T/notes")"
}

start_files_have()
{
	readelf -Wn "$(cc -print-file-name=Scrt1.o)" 2>/dev/null | grep -Eq "$1"
}

marks=
configured_with -fcf-protection=full && marks='IBT.*SHSTK'
configured_with -mbranch-protection=standard && marks=BTI
t "the binary is position-independent" has -h 'Type: +DYN .*'
t "... and a program, by its flag PIE" has -d 'FLAGS_1.* PIE'
t "every symbol is bound at the start" has -d 'FLAGS_1.* NOW'
t "what the binding wrote is read-only after it" has -l '^ +GNU_RELRO '
t "the stack cannot be executed" has -l '^ +GNU_STACK .* RW +0x'
t "no segment can be written and executed" not has -l ' RWE +0x'
t "functions with arrays look after their stack" \
	has --dyn-syms '__stack_chk_fail(@| |$)'
if configured_with '-D_FORTIFY_SOURCE=[23]'; then
	t "calls of the C library know the size of their buffers" \
		has --dyn-syms ' __[a-z]+_chk(@| |$)'
fi
if [ -n "$marks" ]; then
	t "indirect calls and returns are protected in our objects" \
		objects_have "$marks"
	if start_files_have "$marks"; then
		t "... and in the binary" has -n "$marks"
	fi
fi
finish
