#!/bin/sh
# The manual pages: well-formed, and true to the tables in the source.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need mandoc

lint_clean()
{
	equals "" "$(mandoc -T lint -W style "$1" 2>&1 |
		grep -Ev 'referenced manual not found|outdated mandoc\.db')"
}

keywords()
{
	echo >"$T/empty.conf"
	"$PREFORKD" -nv -f "$T/empty.conf" |
		sed -n 's/^[[:space:]]*\([a-z][a-z-]*\) .*/\1/p'
	printf '%s\n' include allow deny
}

documented()
{
	sed -n 's/^\.It Ic \([a-z-]*\).*/\1/p' "$TOP_SRCDIR/man/preforkd.conf.5"
}

# Each option of -h has an .It Fl line, and the other way round.
options()
{
	"$1" -h | sed -n 's/^  -\([A-Za-z0-9]\) .*/\1/p' | sort
}

documented_options()
{
	sed -n 's/^\.It Fl \([A-Za-z0-9]\).*/\1/p' "$TOP_SRCDIR/man/$1" | sort
}

# The long ones.
long_options()
{
	"$PROBE" -h | sed -n 's/^  --\([a-z]*\) .*/\1/p' | sort
}

documented_long_options()
{
	sed -n 's/^\.It Fl -\([a-z]*\).*/\1/p' \
		"$TOP_SRCDIR/man/preforkprobe.1" | sort
}

verdicts()
{
	sed -n 's/^	\[VERDICT_[A-Z_]*\] = { "\([a-z-]*\)".*/\1/p' \
		"$TOP_SRCDIR/src/probe/verdict.c" | sort
}

documented_verdicts()
{
	sed -n '/^\.Sh VERDICTS/,/^\.Sh JSON/s/^\.It Li \([a-z-]*\)$/\1/p' \
		"$TOP_SRCDIR/man/preforkprobe.1" | sort
}

# The same for the commands of preforkctl.
commands()
{
	"$PREFORKCTL" -h | sed -n '/^Commands:/,/^See/s/^  \([a-z-]*\) .*/\1/p' | sort
}

documented_commands()
{
	sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' "$TOP_SRCDIR/man/preforkctl.8" | sort
}

endings()
{
	sed -n 's/.*\[ENDING_[A-Z_]*\] = "\([a-z-]*\)".*/\1/p' \
		"$TOP_SRCDIR/src/common/ledger.c" | sort
}

documented_endings()
{
	sed -n '/^\.Sh ENDINGS/,/^\.Sh EXIT/s/^\.It Li \([a-z-]*\)$/\1/p' \
		"$TOP_SRCDIR/man/preforkd.8" | sort
}

for page in preforkd.8 preforkctl.8 preforkd.conf.5 preforkprobe.1; do
	t "$page is clean under mandoc -T lint" \
		lint_clean "$TOP_SRCDIR/man/$page"
done
t "no word of a heading is taken for a macro" not sh -c \
	"mandoc -T ascii '$TOP_SRCDIR'/man/* | col -b | grep -E '^ *<[a-z]*>'"
t "every keyword is in preforkd.conf(5), and no other" \
	equals "$(keywords | sort -u)" "$(documented | sort)"
t "every option is in preforkd(8), and no other" \
	equals "$(options "$PREFORKD")" "$(documented_options preforkd.8)"
t "every option is in preforkctl(8), and no other" \
	equals "$(options "$PREFORKCTL")" "$(documented_options preforkctl.8)"
t "every command is in preforkctl(8), and no other" \
	equals "$(commands)" "$(documented_commands)"
t "... seven of them" equals 7 "$(commands | wc -l)"
t "every option is in preforkprobe(1), and no other" \
	equals "$(options "$PROBE")" "$(documented_options preforkprobe.1)"
t "every long option is in preforkprobe(1), and no other" \
	equals "$(long_options)" "$(documented_long_options)"
t "... five of them" equals 5 "$(long_options | wc -l)"
t "every verdict is in preforkprobe(1), and no other" \
	equals "$(verdicts)" "$(documented_verdicts)"
t "thirteen verdicts" equals 13 "$(verdicts | wc -l)"
t "every ending is in preforkd(8), and no other" \
	equals "$(endings)" "$(documented_endings)"
t "twelve endings" equals 12 "$(endings | wc -l)"
for section in NAME SYNOPSIS DESCRIPTION ENDINGS SIGNALS FILES "EXIT STATUS" \
    EXAMPLES "SEE ALSO" STANDARDS HISTORY CAVEATS; do
	t "preforkd(8) has $section" \
		grep -q "^\.Sh $section\$" "$TOP_SRCDIR/man/preforkd.8"
done
# The names of metrics, without the prefix that all of them have.
metrics()
{
	sed -n 's/^	{ "\([a-z_]*\)", "\(gauge\|counter\|summary\)",.*/\1/p
		s/.*put_title(to, "\([a-z_]*\)".*/\1/p
		s/^#define NAME "preforkd_\([a-z_]*\)"$/\1/p' \
		"$TOP_SRCDIR/src/common/metrics.c" \
		"$TOP_SRCDIR/src/control/half_open_print.c" | sort
}

documented_metrics()
{
	sed -n '/^\.Sh METRICS/,/^\.Sh PROTOCOL/s/^\.It Li \([a-z_]*\)$/\1/p' \
		"$TOP_SRCDIR/man/preforkctl.8" | sort
}

t "every metric is in preforkctl(8), and no other" \
	equals "$(metrics)" "$(documented_metrics)"
t "eighteen metrics" equals 18 "$(metrics | wc -l)"
for section in NAME SYNOPSIS DESCRIPTION COMMANDS STATUS CONNECTIONS JSON METRICS PROTOCOL FILES \
    "EXIT STATUS" EXAMPLES "SEE ALSO"; do
	t "preforkctl(8) has $section" \
		grep -q "^\.Sh $section\$" "$TOP_SRCDIR/man/preforkctl.8"
done
for section in NAME SYNOPSIS DESCRIPTION "IDLE CONNECTIONS" LOAD VERDICTS JSON \
    "EXIT STATUS" EXAMPLES \
    "SEE ALSO" STANDARDS HISTORY CAVEATS; do
	t "preforkprobe(1) has $section" \
		grep -q "^\.Sh $section\$" "$TOP_SRCDIR/man/preforkprobe.1"
done
finish
