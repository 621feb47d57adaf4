#!/bin/sh
# Includes point down: main, master, worker, services, connection, common; and
# main, control, common, and main, probe, connection, common, beside them.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

cd "$TOP_SRCDIR/src" || exit 99

rank()
{
	case $1 in
	common/*) echo 1 ;;
	connection/* | control/*) echo 2 ;;
	services/* | probe/*) echo 3 ;;
	worker/*) echo 4 ;;
	master/*) echo 5 ;;
	*/*) echo unknown ;;
	*) echo 6 ;;
	esac
}

includes()
{
	sed -n 's/^#[[:space:]]*include "\(.*\)".*/\1/p' "$1"
}

points_down()
{
	for header in $(includes "$1"); do
		[ -f "$header" ] || {
			echo "$1 includes $header, which is not named from src/"
			return 1
		}
		[ "$(rank "$header")" -le "$(rank "$1")" ] || {
			echo "$1 includes $header, which is above it"
			return 1
		}
	done
}

only_spawn_knows_worker()
{
	equals "master/spawn.c" "$(grep -l '#include "worker/' master/*)" &&
		equals '#include "worker/worker.h"' \
			"$(grep -h '#include "worker/' master/spawn.c)"
}

header_is_named()
{
	sed -n 's/^#ifndef \([A-Z_]*_H\)$/\1/p' "$1" | grep -qx \
		"$(echo "${1%.h}_H" | tr 'a-z/' 'A-Z_')"
}

for file in *.[ch] */*.[ch]; do
	[ -f "$file" ] || continue
	t "src/$file includes nothing above it" points_down "$file"
done
# preforkctl knows nothing of a daemon but what it says.
control_is_apart()
{
	equals "" "$(includes_of control/* preforkctl.c |
		grep -Ev '^(control|common)/')" &&
		equals "" "$(includes_of preforkd.c master/* worker/* \
			services/* connection/* common/* | grep '^control/')"
}

# A client has nothing to do with the daemon.
probe_is_apart()
{
	equals "" "$(includes_of probe/* preforkprobe.c |
		grep -Ev '^(probe|connection|common)/')" &&
		equals "" "$(includes_of preforkd.c preforkctl.c master/* \
			worker/* services/* control/* connection/* common/* |
			grep '^probe/')"
}

includes_of()
{
	for file; do
		includes "$file"
	done
}

t "preforkctl.c and control/ include common/ alone, and nobody them" \
	control_is_apart
t "preforkprobe.c and probe/ include connection/ and common/ alone, and nobody them" \
	probe_is_apart
t "only master/spawn includes worker/worker.h" only_spawn_knows_worker
t "common/log includes nothing of ours but its header" \
	equals common/log.h "$(includes common/log.c)$(includes common/log.h)"
for header in */*.h; do
	t "src/$header is guarded by its own name" header_is_named "$header"
done
t "policy makes no system call" not grep -lE \
	'#include <(sys/socket|sys/wait|unistd|signal|poll|fcntl)\.h>' \
	master/pool.c master/backoff.c master/shortage.c connection/ending.c \
	probe/verdict.c probe/bisect.c probe/histogram.c probe/load_plan.c \
	probe/pattern.c
finish
