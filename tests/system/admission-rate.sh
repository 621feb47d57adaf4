#!/bin/sh
# rate-per-source: so many of a burst, so many a second, the rest is refused;
# and whatever one source does, no other one loses anything.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace

field()
{
	tr ' ' '\n' | sed -n "s/^$1=//p"
}

seconds_since()
{
	echo $((($(now_ms) - $1) / 1000 + 1))
}

begun=$(now_ms)
start "$(conf "rate-per-source 2 burst 20")"
burst=$("$CLIENT" daytime -B 127.0.0.2 -n 60 -t 60 127.0.0.1 $DAYTIME)
lines=$(echo "$burst" | field lines)
more=$((2 * $(seconds_since "$begun")))
t "of a burst so many are served" is_between 20 $((20 + more)) "$lines"
t "... and all the others get FIN" equals 60 "$(echo "$burst" | field fin)"
t "... the ledger counts the same: refused" \
	until_true has_ended daytime refused $((60 - lines))
t "... and served" until_true has_ended daytime served "$lines"
t "one line of the log says why" equals 1 \
	"$(log_lines "notice: daytime 127.0.0.1:$DAYTIME: refused 127.0.0.2: rate-per-source 2 burst 20: it comes more often \(raise it to admit more\)\$")"
t "... and there is no other" equals 1 "$(log_lines ': refused ')"
t "another source has its own burst" equals \
	"fin=20 rst=0 timeout=0 lines=20" \
	"$("$CLIENT" daytime -B 127.0.0.3 -n 20 127.0.0.1 $DAYTIME)"
t "... and each service, too" \
	"$CLIENT" echo -c -B 127.0.0.2 -n 20 -b 10 127.0.0.1 $ECHO
one_is_served()
{
	"$CLIENT" daytime -B 127.0.0.2 127.0.0.1 $DAYTIME
}
t "in time, the source has another one" until_true one_is_served
stop
t "exit status 0" equals 0 $STATUS

# What is known outlives a reload: a fresh bucket would have 200 again.
start "$(conf "rate-per-source 1 burst 200")"
"$CLIENT" daytime -B 127.0.0.2 -n 210 -t 60 127.0.0.1 $DAYTIME >/dev/null
begun=$(now_ms)
kill -HUP "$DAEMON"
until_true logged 'notice: reloaded$'
lines=$("$CLIENT" daytime -B 127.0.0.2 -n 210 -t 60 127.0.0.1 $DAYTIME |
	field lines)
t "a reload goes on with what is known" \
	at_most "$(seconds_since "$begun")" "$lines"
stop

# One source with 1000 a second, which is ten times what it may; three others
# with 50 a second each, of whom nobody may lose one.
start "$(conf "rate-per-source 100 burst 500" "max-workers 64" "evict no" |
	sed '/^log-connections/d')"
"$CLIENT" rate -B 127.0.0.2 -n 1000 -b 64 -t 6 127.0.0.1 $ECHO \
	>"$T/many.out" &
many=$!
others=
for n in 3 4 5; do
	"$CLIENT" rate -B 127.0.0.$n -n 50 -b 64 -t 6 127.0.0.1 $ECHO \
		>"$T/few.$n" &
	others="$others $!"
done
BACKGROUND="$many $others"
for pid in $others; do
	t "a source beside one of 1000 a second loses nothing" wait "$pid"
done
wait "$many"
BACKGROUND=
for n in 3 4 5; do
	t "... not one of its connections" equals \
		"$(field started <"$T/few.$n")" "$(field whole <"$T/few.$n")"
done
whole=$(field whole <"$T/many.out")
started=$(field started <"$T/many.out")
t "that one comes often enough to be refused" \
	is_between 1500 100000 "$started"
t "... and has its rate and its burst" is_between 500 2500 "$whole"
few=0
for n in 3 4 5; do
	few=$((few + $(field started <"$T/few.$n")))
done
t "the ledger has all of them: served" \
	until_true has_ended echo peer-closed $((few + whole))
t "... and refused" until_true has_ended echo refused $((started - whole))
t "all of that is one line" equals 1 "$(log_lines ': refused ')"
# A slow machine has all of max-workers serve for a moment.
t "... and no warning" equals "$(log_lines 'warning: .* all of max-workers')" \
	"$(warnings)"
stop
t "exit status 0 again" equals 0 $STATUS
finish
