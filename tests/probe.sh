# For tests of preforkprobe: what it prints, and what it refuses.
# shellcheck shell=sh
#
#	. "${TOP_SRCDIR:-.}/tests/probe.sh"	after tests/lib.sh
#	says PATTERN TEXT		a line of the text matches
#	wrong PATTERN ARGUMENT ...	refused, by a message that says this

says()
{
	printf '%s\n' "$2" | grep -Eq -- "$1" || {
		printf '%s\n' "$2"
		return 1
	}
}

wrong()
{
	pattern=$1
	shift
	run "$PROBE" "$@"
	t "wrong: $*" equals "2:" "$STATUS:$STDOUT"
	t "... says why" says "$pattern" "$STDERR"
}
