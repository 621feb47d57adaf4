#!/bin/sh
# tests/bench: that the script of "make bench" runs, and what it writes. Of how
# fast anything is, nothing is said here.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_root
run "$TOP_SRCDIR/tests/bench/bench.sh"
t "no directory: exit status 2" equals 2 $STATUS
t "... says how" sh -c "echo '$STDERR' | grep -q '^usage: bench.sh'"

run "$TOP_SRCDIR/tests/bench/bench.sh" -r 1 -t 0.1 -s "preforkd bare tuned" \
	"$T/bench"
t "one round: exit status 0" equals 0 $STATUS
t "... a row for each server and work" equals 24 \
	"$(wc -l <"$T/bench/rounds.tsv")"
t "... no connection failed" equals 0 \
	"$(awk -F '\t' '{ n += $6 + $7 } END { print n }' "$T/bench/rounds.tsv")"
t "... each has a rate" equals 24 \
	"$(awk -F '\t' '$4 > 0' "$T/bench/rounds.tsv" | wc -l)"
for server in "preforkd" "bare prefork" "preforkd tuned"; do
	t "... $server is in the table" \
		grep -q "^| $server  *| [0-9]* ([0-9.]*) " "$T/bench/table.md"
done
t "... what preforkd is compared to is itself" \
	equals 2 "$(grep -Ec '^\| preforkd  *(\| [0-9]+ \(1\.00\) *){4}\|$' \
		"$T/bench/table.md")"

# The medians are those of the rounds, whatever their order.
printf '%s\n' 'preforkd|1|0|' 'other|2|0|' >"$T/peers"
for value in 30 10 20; do
	printf 'echo-16\tpreforkd\t1\t%s\t0.5\t0\t0\tok\n' $value
done >"$T/rounds"
for value in 10 1 40 4; do
	printf 'echo-16\tother\t1\t%s\t0.5\t1\t2\treset\n' $value
done >>"$T/rounds"
awk -v plot="$T/plot" -f "$TOP_SRCDIR/tests/bench/table.awk" "$T/peers" \
	"$T/rounds" >"$T/table"
t "an odd number of rounds" grep -q '^| preforkd  *| 20 (1\.00)  *|$' "$T/table"
t "an even number of rounds" grep -q '^| other  *| 7 (0\.35)  *|$' "$T/table"
t "what failed is said" grep -q \
	'^other, echo-16: 4 connections failed, 8 with RST (reset)$' "$T/table"
t "the plot has the median, the least and the most" equals \
	'"preforkd" 20 10 30
"other" 7 1 40' "$(cat "$T/plot")"
finish
