#!/bin/sh
# USR2: another binary in the same process, or none.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

TRIED=$PREFORKD
SLACK=1
[ "$SANITIZERS" = no ] || SLACK=1024 # it keeps what was freed for a while
mkdir "$T/bin"
PREFORKD=$T/bin/preforkd

# put FILE: it is what is there under that name from now on.
put()
{
	cp "$1" "$T/bin/new"
	mv "$T/bin/new" "$PREFORKD"
}

runs_from()
{
	equals "$1" "$(stat -L -c %i "/proc/$DAEMON/exe")"
}

inode_of()
{
	stat -c %i "$1"
}

# Descriptors by what they are; each has another number after an upgrade.
descriptors()
{
	for fd in "/proc/$1/fd"/*; do
		readlink "$fd"
	done | sort
}

# refused PATTERN: the upgrade is, for that reason, and all stays.
refused()
{
	had=$(workers)
	was=$(descriptors "$DAEMON")
	binary=$(stat -L -c %i "/proc/$DAEMON/exe")
	upgrade && last_outcome 'upgrade refused' &&
		tail -n 8 "$T/log" | grep -Eq -- "$1" &&
		runs_from "$binary" && same_workers "$had" &&
		equals "$was" "$(descriptors "$DAEMON")" && echoes
}

A=$(conf "max-workers 4")
put "$TRIED"
start "$A"
until_true has_workers 8
old=$(lives $(workers))
was=$(descriptors "$DAEMON")
served=$(status_field echo connections)
inode=$(ss -Hltne "sport = :$ECHO" | grep -o 'ino:[0-9]*')
echoes
put "$TRIED"
upgrade
t "another binary runs in the same process" runs_from "$(inode_of "$PREFORKD")"
t "... with the same listening socket" equals "$inode" \
	"$(ss -Hltne "sport = :$ECHO" | grep -o 'ino:[0-9]*')"
t "... and the same descriptors" equals "$was" "$(descriptors "$DAEMON")"
t "... workers of its own" until_true all_gone $old
t "... as many as before" until_true has_workers 8
t "... who serve" echoes
t "... and the counters of before" field_is echo connections 2
t "ps shows what it did" sh -c \
	"tr '\0' ' ' <'/proc/$DAEMON/cmdline' | grep 'master echo'"

# What is there now may be anything.
rm "$PREFORKD"
t "a binary that is not there is refused" refused 'No such file'
mkdir "$PREFORKD"
t "a directory is refused" refused 'Permission denied'
rmdir "$PREFORKD"
cp "$TRIED" "$PREFORKD" && chmod 644 "$PREFORKD"
t "one that may not be executed is refused" refused 'Permission denied'
head -c 5000 "$TRIED" >"$T/bin/new" && chmod 755 "$T/bin/new"
mv "$T/bin/new" "$PREFORKD"
t "one that was cut off is refused" refused 'upgrade refused: the trial.*failed'
put_script 'exit 0'
t "another program is refused" refused 'is not preforkd'
put_script 'yes out of space | head -c 5000000; exit 0'
t "one that has much to say is refused" refused 'out of space'
put_script 'echo "preforkd-state is accepted"; kill -KILL $$'
t "one that crashes is refused" refused "trial of the new binary failed"
sed 's/preforkd-state %d/preforkd-stoat %d/' "$TRIED" >"$T/bin/new"
chmod 755 "$T/bin/new"
mv "$T/bin/new" "$PREFORKD"
t "one that has another form of the state is refused" \
	refused 'cannot be taken over'
put "$TRIED"
write_file "$A
nonsense"
t "one that does not accept the configuration is refused" refused 'nonsense'
write_file "$(with_other "max-workers 4")"
"$TRIED" -F discard@127.0.0.1:$OTHER 2>"$T/other" &
BACKGROUND=$!
until_true logged 'notice: serving' "$T/other"
t "one that cannot listen is refused" refused 'already in use'
kill $BACKGROUND
wait $BACKGROUND
BACKGROUND=

# What would be refused by a reload, or worse: found out after the exec.
without_service()
{
	sed "s/daytime/daytimf/g" "$TRIED" >"$T/bin/new"
	chmod 755 "$T/bin/new"
	mv "$T/bin/new" "$PREFORKD"
}
without_service
write_file "$(without_daytime "max-workers 4")"
t "one that lacks a service whose workers are there is refused" \
	refused "no service daytime"
put "$TRIED"
write_file ""
t "a file that was cut off, and names no service any more, is refused" \
	refused 'names no service'
# 127.1 is the same, which shows when it is looked up.
write_file "$(without_daytime "max-workers 4" "listen 127.1:$ECHO")"
t "an address that is there twice is refused" refused "127.0.0.1:$ECHO"
write_file "$(without_daytime "max-workers 4" "listen 127.0.0.1:$OTHER" \
	"listen 127.1:$OTHER")"
t "a new one that is there twice is refused" refused "another listen of this"
write_file "$(conf "max-workers 65535")"
t "more workers than there is room for are refused" refused "room for"
write_file "$(with_other "max-workers 4")"

# An upgrade that is asked for while another one is tried comes after it.
put_script 'sleep 2' 'exit 1'
upgrades=$(log_lines 'notice: upgraded')
kill -USR2 "$DAEMON"
until_true logged 'upgrade: trying'
until_true pgrep -P "$DAEMON" -f 'bin/preforkd'
put "$TRIED"
kill -USR2 "$DAEMON"
t "one that is asked for meanwhile follows" \
	until_true more_lines 'notice: upgraded' "$upgrades"
t "... with a new listen line" until_true not is_refused $OTHER

# A trial that does not end is ended, and leaves nobody behind.
put_script "$SLEEPER &" 'kill -STOP $$' "$SLEEPER"
began=$(now_ms)
t "one that hangs is refused" refused 'did not end'
t "... after ten seconds" at_most 12000 $(($(now_ms) - began))
t "... and nobody who it started is left" until_true no_sleeper

# What was tried is what is executed.
put_script 'mv "$0.next" "$0"' \
	'echo "preforkd-state is accepted"'
printf '%s\n' '#!/bin/sh' 'echo nonsense' 'exit 1' >"$PREFORKD.next"
chmod 755 "$PREFORKD.next"
t "a binary that takes the place of the one that was tried is tried too" \
	refused 'nonsense'

# Nothing grows. The first few have their memory where others have it later.
rss()
{
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$DAEMON/status"
}
repeat()
{
	for time in $(seq "$1"); do
		$2 && last_outcome reloaded >/dev/null || return 1
	done
}
reload_it()
{
	reload "$A"
}
put "$TRIED"
repeat 10 reload_it
until_true has_workers 8
memory=$(rss)
was=$(descriptors "$DAEMON")
t "200 reloads" repeat 200 reload_it
until_true has_workers 8
t "... leave no memory behind" at_most $((memory + 256 * SLACK)) "$(rss)"
t "... and no descriptor" equals "$was" "$(descriptors "$DAEMON")"
repeat 2 upgrade
until_true has_workers 8
memory=$(rss)
t "50 upgrades" repeat 50 upgrade
until_true has_workers 8
t "... leave no memory behind" at_most $((memory + 256 * SLACK)) "$(rss)"
t "... and no descriptor" equals "$was" "$(descriptors "$DAEMON")"
t "... and serve" echoes

# A stop does not wait for one.
put_script "$SLEEPER"
kill -USR2 "$DAEMON"
until_true pgrep -fx "$SLEEPER"
stop
t "a stop does not wait for a trial" at_most 3000 "$MS"
t "... exit status 0" equals 0 $STATUS
t "... and it is gone too" until_true no_sleeper

# With room for no more workers than it needs: each place is used again.
put "$TRIED"
ulimit -S -f 2000
start "$A"
ulimit -S -f unlimited
until_true has_workers 8
upgrade_whole()
{
	upgrade && until_true has_workers 8
}
t "five upgrades without room to spare" repeat 5 upgrade_whole
stop

# A file that was right when it was tried, and is wrong when it is taken over.
put "$TRIED"
start "$A"
put_script "'$TRIED' \"\$@\" || exit 1" '[ -n "$PREFORKD_TRIAL" ]' \
	"echo nonsense >'$T/preforkd.conf'"
sed -i "2i [ -n \"\$PREFORKD_TRIAL\" ] || exec '$TRIED' \"\$@\"" "$PREFORKD"
upgrade
t "a file that breaks after the trial is a reload refused" \
	last_outcome 'reload refused'
t "... by a daemon that serves on" echoes
reload "$A"
t "... and reloads what is right" last_outcome reloaded
stop
t "exit status 0" equals 0 $STATUS
finish
