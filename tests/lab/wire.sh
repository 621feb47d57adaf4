#!/bin/sh
# Ten thousand connections of every behaviour: the FIN and RST that tcpdump sees
# on the wire are those that the log's words stand for.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "$TOP_SRCDIR/tests/lab/lab.sh"

need tcpdump
CONNECTIONS=10000
make_network

start "pid-file none
control none
log-connections yes
$(service echo $ECHO "idle-timeout 1s" "send-timeout 2s" \
	"linger-timeout 1s" "max-workers 200" "min-spare-workers 32")
$(service daytime $DAYTIME "max-workers 200" "min-spare-workers 32")"

# -Z: it would become another user, who may not write here.
tcpdump -Z root -n -i lab -s 96 -B 32768 --immediate-mode -U -w "$T/wire" \
	'tcp[tcpflags] & (tcp-syn | tcp-fin | tcp-rst) != 0' 2>"$T/tcpdump" &
TCPDUMP=$!
BACKGROUND="$BACKGROUND $TCPDUMP"
until_true logged 'listening on lab' "$T/tcpdump"

before=$(now_ms)
in_client "$CLIENT" mixed -n $CONNECTIONS -t 150 $SERVER $ECHO,$DAYTIME \
	>"$T/mixed"
t "$CONNECTIONS connections of all kinds have ended" equals 0 $?
echo "# in $(seconds $(($(now_ms) - before)))"

all_have_lines()
{
	[ "$(log_lines 'ending=')" -ge $CONNECTIONS ]
}
t "each has a line in the log" until_true all_have_lines
stop
# What has come when this has come, is all.
peer 19999 1 connect
all_is_written()
{
	tcpdump -n -r "$T/wire" src port 19999 2>/dev/null | grep -q .
}
until_true all_is_written
kill -INT $TCPDUMP
wait $TCPDUMP
dropped=$(sed -n 's/^\([0-9]*\) packets\{0,1\} dropped by kernel/\1/p' \
	"$T/tcpdump")
experiment "packets that tcpdump has lost" 0 "$dropped"
tcpdump -n -r "$T/wire" not port 19999 >"$T/segments" 2>/dev/null
awk -v server=$SERVER -f "$TOP_SRCDIR/tests/lab/wire.awk" "$T/log" \
	"$T/segments" >"$T/judged"
sed 's/^/# /' "$T/judged"
for port in $(sed -n 's/^port \([0-9]*\): .*/\1/p' "$T/judged" | head -n 5); do
	grep -h -e "peer=$FAR:$port " -e "^$port " "$T/log" "$T/mixed"
	grep "$FAR\.${port}[ :]" "$T/segments"
done | sed 's/^/# /'
while read -r word rule; do
	row "$word" "$rule" "$(sed -n "s/^$word: //p" "$T/judged")"
	t "some were $word" logged "^$word: " "$T/judged"
done <<END
served FIN from both
peer-closed FIN from both
idle FIN from both
reset RST from it alone
lingered FIN or RST from us
stalled FIN or RST from us
END
experiment "words of the log and segments of the wire" \
	"$CONNECTIONS connections, 0 violations" "$(tail -n 1 "$T/judged")"
finish
