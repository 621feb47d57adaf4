#!/bin/sh
# make install puts every file where it belongs, make uninstall takes all away.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

D=$T/root
UNITS=/lib/systemd/system
SYSUSERS=/usr/lib/sysusers.d
# units DIRECTORY: as they are sorted.
units()
{
	for unit in preforkd-activated.service preforkd-daytime.socket \
		preforkd-echo.socket preforkd.service; do
		printf '%s/%s ' "$1" "$unit"
	done
}
PROBE=./usr/bin/preforkprobe
COMPLETIONS=share/bash-completion/completions
# completions DIRECTORY: as they are sorted.
completions()
{
	printf '%s ' "$1/preforkctl" "$1/preforkd" "$1/preforkprobe"
}
PROGRAM="./usr/sbin/preforkctl ./usr/sbin/preforkd $(completions ./usr/$COMPLETIONS)./usr/share/man/man1/preforkprobe.1 ./usr/share/man/man5/preforkd.conf.5 ./usr/share/man/man8/preforkctl.8 ./usr/share/man/man8/preforkd.8 "

# configured [OPTION ...]: a build directory for that; -C makes it quicker.
configured()
{
	mkdir -p "$T/build" && cd "$T/build" || return
	"$TOP_SRCDIR/configure" -q -C --prefix=/usr "$@"
}

make_in()
{
	cd "$T/build" && make -s "$@" DESTDIR="$D"
}

files()
{
	(cd "$D" && find . ! -type d | LC_ALL=C sort | tr '\n' ' ')
}

t "configure" configured --with-systemdsystemunitdir=$UNITS \
	--with-sysusersdir=$SYSUSERS \
	--with-bashcompletiondir=/usr/$COMPLETIONS
t "make install" make_in install
t "exactly the programs, their pages and completions, configuration and units" \
	equals "./etc/preforkd.conf $(units .$UNITS)$PROBE .$SYSUSERS/preforkd.conf $PROGRAM" \
	"$(files)"
t "and an empty directory for processes that shall see no file" \
	equals "755 " "$(stat -c %a "$D/var/empty/preforkd") $(ls -A "$D/var/empty/preforkd")"
t "the installed program runs" sh -c "'$D/usr/sbin/preforkd' -V"
t "so do the others" sh -c \
	"'$D/usr/sbin/preforkctl' -V && '$D/usr/bin/preforkprobe' -V"
t "it looks for its configuration in /etc" sh -c \
	"'$D/usr/sbin/preforkd' -h | grep -q '(default /etc/preforkd.conf)'"
t "the installed configuration is accepted" \
	"$D/usr/sbin/preforkd" -n -f "$D/etc/preforkd.conf"
t "the manual pages name the installed paths" sh -c \
	"! grep -n '@[a-z]*@' '$D'/usr/share/man/man?/* && grep -q /etc/preforkd.conf '$D/usr/share/man/man8/preforkd.8'"
t "the unit starts the installed program" \
	grep -q '^ExecStart=/usr/sbin/preforkd -F ' "$D$UNITS/preforkd.service"
t "so does the one with sockets, with the installed configuration" \
	grep -q '^ExecStart=/usr/sbin/preforkd -F -f /etc/preforkd.conf ' \
	"$D$UNITS/preforkd-activated.service"
t "the account's home is the empty directory" \
	grep -q '^u preforkd - ".*" /var/empty/preforkd$' \
	"$D$SYSUSERS/preforkd.conf"

echo "# mine" >>"$D/etc/preforkd.conf"
: >"$D/var/empty/preforkd/mine"
t "make install again" make_in install
t "keeps a configuration that was changed" \
	grep -q '^# mine' "$D/etc/preforkd.conf"
t "make uninstall" make_in uninstall
t "leaves what was changed or added, and nothing else" \
	equals "./etc/preforkd.conf ./var/empty/preforkd/mine " "$(files)"

rm -rf "$D"
t "install, then uninstall without a change" make_in install
t "uninstall" make_in uninstall
t "leaves no file at all" equals "" "$(files)"
t "nor the empty directory" not test -e "$D/var/empty/preforkd"
t "uninstall where nothing is installed" make_in uninstall

# Where things go is the configuration's to say.
t "configure for a place of one's own" configured --prefix="$T/home" \
	--sysconfdir="$T/home/etc" --localstatedir="$T/home/var"
D=
t "install with no right but to that" make_in install
D=$T/home
t "all of it is there" equals \
	"./bin/preforkprobe ./etc/preforkd.conf $(units ./lib/systemd/system)./lib/sysusers.d/preforkd.conf ./sbin/preforkctl ./sbin/preforkd $(completions ./$COMPLETIONS)./share/man/man1/preforkprobe.1 ./share/man/man5/preforkd.conf.5 ./share/man/man8/preforkctl.8 ./share/man/man8/preforkd.8 " \
	"$(files)"
t "the unit starts the program there" grep -q \
	"^ExecStart=$T/home/sbin/preforkd -F " \
	"$D/lib/systemd/system/preforkd.service"

# Not even in a directory whose name begins so.
D=$T/none/
t "configure without systemd" configured --without-systemdsystemunitdir \
	--without-sysusersdir --without-bashcompletiondir
t "install" make_in install
t "the programs alone" equals "./etc/preforkd.conf $PROBE $(echo "$PROGRAM" |
	sed "s| [^ ]*/completions/[^ ]*||g")" "$(files)"

# asked_of PACKAGE VARIABLE DEFAULT
asked_of()
{
	pkg-config --variable="$2" "$1" 2>/dev/null || echo "/usr/$3"
}
D=$T/default
t "configure for /usr, with no word about systemd and bash" configured
t "install" make_in install
t "the unit is where systemd looks for it" test -f \
	"$D$(asked_of systemd systemdsystemunitdir lib/systemd/system)/preforkd.service"
t "and so is the account" test -f \
	"$D$(asked_of systemd sysusersdir lib/sysusers.d)/preforkd.conf"
t "and the completion is where bash looks for it" test -f \
	"$D$(asked_of bash-completion completionsdir $COMPLETIONS)/preforkctl"
finish
