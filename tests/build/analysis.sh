#!/bin/sh
# What clang-tidy and cppcheck find in src/ is nothing. .clang-tidy says what is
# looked for; gcc -fanalyzer is not asked: version 12 takes what is kept until
# the exit for lost, and has found nothing else.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need clang-tidy cppcheck pkg-config xargs
cd "$TOP_SRCDIR" || exit 99

# shellcheck disable=SC2089
flags='-D_GNU_SOURCE -Isrc -DSYSCONFDIR="/etc" -DRUNSTATEDIR="/run"
	-DLOCALSTATEDIR="/var" -DSBINDIR="/sbin" -DPACKAGE_VERSION="0"'
system_flags="-std=gnu11 $(pkg-config --cflags libbsd-overlay libseccomp)"

# A process each file: with more than one, it is wrong about va_start.
tidy()
{
	# shellcheck disable=SC2086,SC2090
	printf '%s\n' "$@" | xargs -P "$(nproc)" -I FILE clang-tidy --quiet \
		--config-file=.clang-tidy FILE -- $flags $system_flags \
		2>/dev/null
}

# It reads nothing of the system's; of that, lists and trees it must know.
check()
{
	# shellcheck disable=SC2086,SC2090
	cppcheck --quiet -j "$(nproc)" --enable=warning,performance,portability \
		--inline-suppr --error-exitcode=1 --std=c11 $flags \
		--include=/usr/include/bsd/sys/queue.h \
		--include=/usr/include/bsd/sys/tree.h "$@"
}

finds_fault()
{
	! "$@" "$T/fault.c" >"$T/found" 2>&1 &&
		grep -E 'garbage value|uninitvar' "$T/found"
}

cat >"$T/fault.c" <<'END'
int
main(int argc, char **argv)
{
	int n;

	(void)argv;
	if (argc > 1)
		n = 1;
	return n;
}
END
t "clang-tidy would find a fault" finds_fault tidy
t "cppcheck would find a fault" finds_fault check
t "clang-tidy finds nothing in src" tidy src/*.c src/*/*.c
t "cppcheck finds nothing in src" check src
finish
