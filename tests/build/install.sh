#!/bin/sh
# make install puts every file where it belongs, make uninstall takes all away.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

D=$T/root

make_in()
{
	mkdir -p "$T/build" && cd "$T/build" || return
	[ -f Makefile ] || "$TOP_SRCDIR/configure" -q --prefix=/usr \
		--sysconfdir=/etc --localstatedir=/var || return
	make -s "$@" DESTDIR="$D"
}

files()
{
	(cd "$D" && find . ! -type d | sort | tr '\n' ' ')
}

t "make install" make_in install
t "exactly the program, its manual pages and its configuration" equals \
	"./etc/preforkd.conf ./usr/sbin/preforkd ./usr/share/man/man5/preforkd.conf.5 ./usr/share/man/man8/preforkd.8 " \
	"$(files)"
t "the installed program runs" sh -c "'$D/usr/sbin/preforkd' -V"
t "it looks for its configuration in /etc" sh -c \
	"'$D/usr/sbin/preforkd' -h | grep -q '(default /etc/preforkd.conf)'"
t "the installed configuration is accepted" \
	"$D/usr/sbin/preforkd" -n -f "$D/etc/preforkd.conf"
t "the manual pages name the installed paths" sh -c \
	"! grep -n '@[a-z]*@' '$D'/usr/share/man/man?/* && grep -q /etc/preforkd.conf '$D/usr/share/man/man8/preforkd.8'"

echo "# mine" >>"$D/etc/preforkd.conf"
t "make install again" make_in install
t "keeps a configuration that was changed" \
	grep -q '^# mine' "$D/etc/preforkd.conf"
t "make uninstall" make_in uninstall
t "leaves the changed configuration, and nothing else" \
	equals "./etc/preforkd.conf " "$(files)"

rm -rf "$D"
t "install, then uninstall without a change" make_in install
t "uninstall" make_in uninstall
t "leaves nothing at all" equals "" "$(files)"
finish
