#!/bin/sh
# A reader of the scoreboard never sees half of one peer and half of another,
# however often it looks while workers serve.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace # its clients have ports of their choice
TORN=$TOP_BUILDDIR/tests/system/torn

start "$(conf_with_control "start-workers 6" "max-spare-workers 8" |
	sed 's/^log-connections yes/log-connections no/')"
million()
{
	"$TORN" "$T/control" $ECHO 4 1000000 >"$T/reads" 2>&1
}
t "a million reads of slots whose workers serve: each is of one connection" \
	million
sed 's/^/# /' "$T/reads"
t "... the daemon has served meanwhile" at_most \
	"$(status_field echo connections)" 2000
t "... and said nothing" equals 0 "$(warnings)"
finish
