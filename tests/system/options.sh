#!/bin/sh
# The command line: -h, -V, -n, -v, services as arguments, and what each needs.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

says()
{
	printf '%s\n' "$2" | grep -Eq -- "$1" || {
		printf '%s\n' "$2"
		return 1
	}
}

run "$PREFORKD" -h
t "-h: exit status 0" equals 0 $STATUS
t "-h: names every option" says '-d .*' "$STDOUT"
for option in d F f n p v V h; do
	t "-h: names -$option" says "^  -$option " "$STDOUT"
done
run "$PREFORKD" -V
t "-V: exit status 0" equals 0 $STATUS
t "-V: the version" says '^preforkd [0-9]+\.[0-9]+\.[0-9]+$' "$STDOUT"

conf >"$T/good.conf"
run "$PREFORKD" -n -f "$T/good.conf"
t "-n with a good file: exit status 0" equals 0 $STATUS
t "-n with a good file: says nothing" equals "" "$STDOUT$STDERR"

run "$PREFORKD" -nv -f "$T/good.conf"
t "-nv: exit status 0" equals 0 $STATUS
for limit in net.core.somaxconn RLIMIT_NOFILE RLIMIT_NPROC kernel.pid_max; do
	t "-nv: names $limit" says "^# $limit is " "$STDOUT"
done
printf '%s\n' "$STDOUT" >"$T/first"
run "$PREFORKD" -nv -f "$T/first"
t "-nv: what it prints is a configuration that means the same" \
	equals "$(sed 's/[[:space:]]*#.*//' "$T/first")" \
	"$(printf '%s\n' "$STDOUT" | sed 's/[[:space:]]*#.*//')"

# What is printed for somebody who is not root is not looked up.
echo >"$T/empty.conf"
chmod 711 "$T"
as_somebody()
{
	# Root of a user namespace is nobody else already.
	if [ "${TEST_NAMESPACE-}" = root ]; then
		setpriv --reuid=4711 --regid=4711 --clear-groups "$@"
	else
		"$@"
	fi
}
as_somebody "$PREFORKD" -nv -f "$T/empty.conf" 2>/dev/null |
	tr -d '"' >"$T/defaults"

# etc/preforkd.conf shows every keyword at its default. Accounts and the
# directory of workers are this machine's, which may not have them.
sed -e '/^#\(user\|group\|chroot\) /d' \
	-e 's/^\([[:space:]]*\)#\([a-z]\)/\1\2/' \
	"$TOP_SRCDIR/etc/preforkd.conf" >"$T/all.conf"
for keyword in user group chroot; do
	t "etc/preforkd.conf shows the default of $keyword" sh -c "
		line=\$(sed -n 's/^#\\($keyword [^ ]*\\).*/\\1/p' '$TOP_BUILDDIR/preforkd.conf')
		grep -qx \"\$line\" '$T/defaults'"
done
run "$PREFORKD" -nv -f "$T/all.conf"
t "etc/preforkd.conf with every keyword uncommented is accepted" \
	equals 0 $STATUS
printf '%s\n' "$STDOUT" >"$T/all.out"
run "$PREFORKD" -nv -f "$TOP_SRCDIR/etc/preforkd.conf"
t "... and means the same as without" equals \
	"$(sed 's/[[:space:]]*#.*//' "$T/all.out")" \
	"$(printf '%s\n' "$STDOUT" | sed 's/[[:space:]]*#.*//')"
t "... and as no file at all" sh -c "
	echo >'$T/empty.conf'
	'$PREFORKD' -nv -f '$T/empty.conf' | sed 's/[[:space:]]*#.*//' >'$T/a'
	sed 's/[[:space:]]*#.*//' '$T/all.out' | diff '$T/a' -"
t "... and every keyword is there" sh -c "
	'$PREFORKD' -nv -f '$T/empty.conf' | sed -n 's/^[[:space:]]*\([a-z][a-z-]*\) .*/\1/p' |
	sort -u | while read -r k; do
		grep -Eq \"^[[:space:]]*#?\$k \" '$TOP_SRCDIR/etc/preforkd.conf' ||
			{ echo \"\$k is missing\"; exit 1; }
	done"

cat >"$T/two.conf" <<END
pid-file $T/two.pid
control $T/two.sock
service echo {
	listen 127.0.0.1:1
	start-workers 2
}
service daytime {
	listen 127.0.0.1:2
}
END
run "$PREFORKD" -nv -f "$T/two.conf" "echo@127.0.0.1:$ECHO" "echo@[::1]:$ECHO"
t "services as arguments replace the file's listen lines" equals \
	"listen 127.0.0.1:$ECHO listen [::1]:$ECHO " \
	"$(printf '%s\n' "$STDOUT" | sed -n 's/^[[:space:]]*\(listen .*\)/\1/p' | tr '\n' ' ')"
t "... keep the settings of its block" says '^	start-workers 2$' "$STDOUT"
t "... and its PID file, which -f has named" \
	says "^pid-file \"$T/two.pid\"\$" "$STDOUT"
t "... and its control socket" \
	says "^control \"$T/two.sock\"\$" "$STDOUT"
t "... and leave the other services out" not says daytime "$STDOUT"
run "$PREFORKD" -nv "echo@127.0.0.1:$ECHO"
t "services as arguments alone: no PID file" says '^pid-file "none"$' "$STDOUT"
t "... and no control socket" says '^control "none"$' "$STDOUT"
run "$PREFORKD" -nv -d -p "$T/x.pid" "echo@127.0.0.1:$ECHO"
t "... unless -p names one" says "^pid-file \"$T/x.pid\"\$" "$STDOUT"
t "... which is no word for a control socket" \
	says '^control "none"$' "$STDOUT"
t "-d: connections are logged" says '^log-connections yes$' "$STDOUT"

start "$(conf)" -v
t "-v logs more" logged 'debug: worker [0-9]+ .* was started'
stop
start "$(printf 'log-level error\n'; conf | sed '/^log/d')" -v -v
t "-v -v is debug whatever the file says" logged 'debug: worker'
stop
finish
