#!/bin/sh
# USR2: what a daemon was started with is what it goes on with.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

TRIED=$PREFORKD
mkdir "$T/bin"
cp "$TRIED" "$T/bin/preforkd"

is_up()
{
	DAEMON=$(cat "$T/pid") && [ -n "$DAEMON" ] && echoes
}

# in_background COMMAND ...: its pid is in the file.
in_background()
{
	"$@" 2>"$T/start.err"
	until_true is_up
}

# anew: one more upgrade, of which only the workers tell.
anew()
{
	old=$(lives $(workers))
	kill -USR2 "$DAEMON"
	until_true all_gone $old && until_true has_workers "${1:-8}" && echoes
}

end_background()
{
	kill -TERM "$DAEMON"
	until_true gone "$DAEMON"
}

# Started from a directory that it leaves: names without it are found again.
cd "$T" || exit 99
printf '%s\npid-file %s/pid\n' "$(conf "max-workers 4" | sed '/^pid-file/d')" \
	"$T" >relative.conf
in_background ./bin/preforkd -f relative.conf
for time in first second third; do
	t "in the background, started without its directory: $time upgrade" anew
	t "... with its pid in the file" equals "$DAEMON" "$(cat "$T/pid")"
	run "$TRIED" -f "$T/relative.conf"
	t "... and the lock on it" sh -c "[ $STATUS = 1 ] &&
		echo '$STDERR' | grep -q 'already running with pid $DAEMON'"
done
end_background
t "the stop removes the file" not test -e "$T/pid"

# By way of PATH, and of a link that leads to another binary then.
ln -s preforkd "$T/bin/linked"
cp "$TRIED" "$T/bin/other"
PATH=$T/bin:$PATH in_background linked -p "$T/pid" -v \
	"echo@127.0.0.1:$ECHO"
ln -sf other "$T/bin/linked"
for time in first second third; do
	t "found in PATH, by a link, services in the arguments: $time upgrade" \
		anew 4
	t "... to where the link leads now" equals "$T/bin/other" \
		"$(readlink "/proc/$DAEMON/exe")"
	t "... with its pid file" equals "$DAEMON" "$(cat "$T/pid")"
done
t "daytime is not served" is_refused $DAYTIME
end_background

# As a foreground process, with -v, an environment, and a service manager.
"$CLIENT" syslog "$T/notify" >"$T/told" &
BACKGROUND=$!
until_true test -S "$T/notify"
PREFORKD=$T/bin/preforkd
conf "max-workers 4" >"$T/preforkd.conf"
: >"$T/log"
env -i MARK=kept NOTIFY_SOCKET="$T/notify" \
	${ASAN_OPTIONS+ASAN_OPTIONS="$ASAN_OPTIONS"} \
	"$PREFORKD" -d -v -v -f "$T/preforkd.conf" 2>"$T/log" &
DAEMON=$!
until_true is_serving
was_told()
{
	[ "$(grep -c "^$1=1" "$T/told")" = "$2" ]
}
told=1
until_true was_told READY $told
for time in first second third; do
	t "in the foreground: $time upgrade" upgrade
	t "... is done" last_outcome reloaded
	told=$((told + 1))
	t "... and the service manager was told" until_true was_told READY $told
done
cat >"$T/bin/new" <<END
#!/bin/sh
echo "\$*" >"$T/arguments"
/usr/bin/env >"$T/environment"
exit 1
END
chmod 755 "$T/bin/new"
mv "$T/bin/new" "$PREFORKD"
upgrade
t "the arguments are those of the start" \
	equals "-d -v -v -f $T/preforkd.conf" "$(cat "$T/arguments")"
t "... and the environment, with what the upgrade adds" equals \
	"MARK=kept NOTIFY_SOCKET=$T/notify PREFORKD_STATE= PREFORKD_TRIAL=1" \
	"$(sed '/^PWD=/d; /^_=/d; /^ASAN_OPTIONS/d; s/STATE=[0-9]*$/STATE=/' \
		"$T/environment" | sort | paste -s -d ' ' -)"
stop
t "exit status 0" equals 0 $STATUS
kill $BACKGROUND
BACKGROUND=
cp "$TRIED" "$T/bin/new"
mv "$T/bin/new" "$PREFORKD"

# Others than root, and root with its workers in a chroot.
if [ "$(id -u)" = 0 ] && [ "${TEST_NAMESPACE-}" = root ]; then
	chmod 755 "$T" "$T/bin"
	mkdir "$T/empty"
	start "chroot $T/empty
$(conf "max-workers 4")"
	for time in first second; do
		t "root, with a chroot: $time upgrade" upgrade
		t "... is done" last_outcome reloaded
		t "... workers are in it" equals "$T/empty" \
			"$(readlink "/proc/$(pgrep -n -P "$DAEMON")/root")"
	done
	stop

	ECHO=7
	conf "max-workers 4" >"$T/preforkd.conf"
	chmod 644 "$T/preforkd.conf"
	if [ -n "$(command -v setpriv)" ]; then
		: >"$T/log"
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			--inh-caps +net_bind_service \
			--ambient-caps +net_bind_service \
			"$PREFORKD" -F -f "$T/preforkd.conf" 2>"$T/log" &
		DAEMON=$!
		until_true is_serving
		caps=$(grep ^Cap "/proc/$DAEMON/status")
		for time in first second; do
			t "a user with one capability: $time upgrade" upgrade
			t "... is done" last_outcome reloaded
			t "... with the same capabilities" equals "$caps" \
				"$(grep ^Cap "/proc/$DAEMON/status")"
		done
		reload "$(conf "max-workers 4" | sed 's/:17013/:13/')"
		t "... and it may bind another low port" last_outcome reloaded
		worker=$(pgrep -n -P "$DAEMON")
		t "... and its workers have none" equals 0 "$(grep '^Cap[IPEA]' \
			"/proc/$worker/status" | grep -vc '0000000000000000')"
		stop
	fi
fi
finish
