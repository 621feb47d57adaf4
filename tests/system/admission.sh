#!/bin/sh
# Whom a service admits: allow and deny, in their order, for IPv4, IPv6 and the
# one as the other; who is refused gets FIN, a word, and one line of the log.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace

# from SOURCE [COUNT]: what became of daytime clients that come from there.
from()
{
	run "$CLIENT" daytime -B "$1" -n "${2-1}" -t 20 127.0.0.1 $DAYTIME
	printf '%s' "$STDOUT"
}

from6()
{
	run "$CLIENT" daytime -t 20 "$1" $DAYTIME
	printf '%s' "$STDOUT"
}

served="fin=1 rst=0 timeout=0 lines=1"
refused="fin=1 rst=0 timeout=0 lines=0"

start "$(conf "deny 127.0.0.2" "allow 127.0.0.0/30" "deny 127.0.0.9" \
	"allow 127.0.0.8/29")"
t "an address that is allowed is served" equals "$served" "$(from 127.0.0.1)"
t "the first that matches decides: denied before it is allowed" \
	equals "$refused" "$(from 127.0.0.2)"
t "the rest of that prefix is allowed" equals "$served" "$(from 127.0.0.3)"
t "... and what lies beyond it is not" equals "$refused" "$(from 127.0.0.4)"
t "a later prefix" equals "$served" "$(from 127.0.0.8)"
t "... and its exception" equals "$refused" "$(from 127.0.0.9)"
t "each of them is a FIN, many times over" equals \
	"fin=200 rst=0 timeout=0 lines=0" "$(from 127.0.0.2 200)"
t "the ledger counts what the clients saw: refused" \
	until_true has_ended daytime refused 203
t "... and served" until_true has_ended daytime served 3
t "... and nothing else" field_is daytime connections 206
t "a line of the log for each, as for others" \
	equals 203 "$(log_lines 'service=daytime .*ending=refused in=0 out=0 ')"
t "the reason once for a source: the rule and where it is" equals 1 \
	"$(log_lines "notice: daytime 127.0.0.1:$DAYTIME: refused 127.0.0.2: $T/preforkd.conf:[0-9]*: deny 127.0.0.2/32\$")"
t "... and where there is none, the service" equals 1 \
	"$(log_lines "refused 127.0.0.4: $T/preforkd.conf:[0-9]*: service daytime has no allow for it\$")"
t "... and no other" equals 3 "$(log_lines ': refused ')"
rule=$(sed -n "s|.*refused 127.0.0.9: $T/preforkd.conf:\([0-9]*\):.*|\1|p" "$T/log")
t "that line of the file has the rule" \
	equals "deny 127.0.0.9" "$(sed -n "${rule}p" "$T/preforkd.conf")"
run "$CLIENT" echo -B 127.0.0.2 -n 20 -b 100 -t 20 127.0.0.1 $ECHO
t "who sends first is refused by FIN, or by RST where it was late" sh -c \
	"printf '%s' '$STDOUT' | grep -q ' timeout=0 mismatch=0 complete=0 bytes=0'"
t "... each is refused" until_true has_ended echo refused 20
t "the other clients of that service go on" \
	"$CLIENT" echo -c -n 50 -b 100 127.0.0.1 $ECHO
stop
t "exit status 0" equals 0 $STATUS

# Without an allow, everybody else is welcome; any is both families.
both()
{
	conf "$@" | sed 's/listen 127.0.0.1:/listen *:/'
}

start "$(both "deny 127.0.0.2" "deny ::1")"
t "deny alone: who is not denied is served" equals "$served" "$(from 127.0.0.3)"
t "a socket for both families: its IPv4 clients are IPv4" \
	equals "$refused" "$(from 127.0.0.2)"
t "an IPv6 client" equals "$refused" "$(from6 ::1)"
t "... is named as such" logged 'refused ::1: .*: deny ::1/128$'
stop

start "$(both "allow ::ffff:127.0.0.2/127" "allow ::/0" "deny any")"
t "a mapped prefix is the IPv4 prefix" equals "$served" "$(from 127.0.0.3)"
t "... and no more than that" equals "$refused" "$(from 127.0.0.4)"
t "::/0 is all of IPv6" equals "$served" "$(from6 ::1)"
t "... and no IPv4" equals "$refused" "$(from 127.0.0.1)"

# Rules are reloaded as all else.
both "deny any" >"$T/preforkd.conf"
kill -HUP "$DAEMON"
until_true logged 'notice: reloaded$'
t "a reload brings other rules" until_true equals "$refused" "$(from6 ::1)"
t "... for all" equals "$refused" "$(from 127.0.0.3)"
both "deny 127.0.0.1/8" >"$T/preforkd.conf"
kill -HUP "$DAEMON"
t "a rule that is wrong changes nothing, and the log says what to write" \
	until_true logged "preforkd.conf:[0-9]*: deny 127.0.0.1/8: has bits set beyond its length 8: write 127.0.0.0/8, or 127.0.0.1/32"
t "... it is still denied" equals "$refused" "$(from 127.0.0.3)"
both >"$T/preforkd.conf"
kill -HUP "$DAEMON"
served_now()
{
	equals "$served" "$(from 127.0.0.1)"
}
t "a reload without them admits everybody" until_true served_now
stop

# Without log-connections, the reason is all that the log says.
start "$(conf "deny 127.0.0.2" | sed '/^log-connections/d')"
from 127.0.0.2 100 >/dev/null
t "a hundred that were refused" until_true has_ended daytime refused 100
t "... are one line" equals 1 "$(log_lines ': refused ')"
t "... and no warning" equals 0 "$(warnings)"
stop
t "exit status 0 again" equals 0 $STATUS

run "$PREFORKD" -nv -f "$T/preforkd.conf"
t "-nv prints the rules in their order" equals "deny 127.0.0.2/32" \
	"$(printf '%s\n' "$STDOUT" | sed -n 's/^	\(deny .*\)/\1/p' | head -n 1)"
finish
