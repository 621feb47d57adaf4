#!/bin/sh
# Handshakes that are not complete, which preforkctl alone counts: in the status
# and in the metrics, and what it says when the kernel does not tell them all.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need_plain # strace and the leak sanitizer exclude each other
need jq promtool strace

# asked COMMAND ...: of the daemon; ASK may be a tracer.
ASK=
asked()
{
	# shellcheck disable=SC2086
	$ASK "$PREFORKCTL" -s "$T/control" "$@"
}

in_table()
{
	asked status | awk -v s="$1" '
		$1 == "service" { for (i = 1; i <= NF; i++) at[$i] = i }
		$1 == s { print $at["half-open"] }'
}

in_json()
{
	asked -j status | jq -c '[.listeners[].half_open]'
}

in_metrics()
{
	asked metrics | sed -n 's/^preforkd_half_open{\(.*\)} /\1 /p' |
		paste -s -d ' ' -
}

is_in_json()
{
	equals "$1" "$(in_json)"
}

ECHO_IS='service="echo",listen="127.0.0.1:'$ECHO'"'
DAYTIME_IS='service="daytime",listen="127.0.0.1:'$DAYTIME'"'

# Who says nothing is half open, as long as data are waited for.
start "$(conf_with_control | sed '/^service echo/a\
defer-accept 60s')"
t "nobody is there" is_in_json "[0,0]"
mkfifo "$T/go"
"$CLIENT" connect -l -n 3 -t 60 127.0.0.1 $ECHO <"$T/go" >"$T/client.out" &
BACKGROUND=$!
exec 7>"$T/go"
t "three are half open: JSON" until_true is_in_json "[3,0]"
t "... the table" equals "3 0" "$(in_table echo) $(in_table daytime)"
t "... the metrics" equals "$ECHO_IS 3 $DAYTIME_IS 0" "$(in_metrics)"
asked metrics >"$T/metrics"
t "... a gauge, with its help" equals "HELP TYPE" "$(awk \
	'$1 == "#" && $3 == "preforkd_half_open" { print $2 }' "$T/metrics" |
	paste -s -d ' ' -)"
t "... promtool has nothing to say" sh -c \
	"promtool check metrics <'$T/metrics' >'$T/lint' 2>&1 && ! [ -s '$T/lint' ]"
t "... the end is the end" equals "# EOF" "$(tail -n 1 "$T/metrics")"

# asks ERROR NUMBER: recv(2) of an answer of the kernel's, the NUMBERth one,
# fails; TOLD is what was said, or nothing when there was no such one.
asks()
{
	ASK="strace -o $T/strace -e trace=recvfrom -e inject=recvfrom:$1:when=$2"
	TOLD="$(in_json 2>/dev/null)"
	grep -q INJECTED "$T/strace" || TOLD=
}

part=1
asks error=ENOBUFS $part
while [ -n "$TOLD" ]; do
	t "answer $part of the kernel is lost: not known, in JSON" \
		equals "[null,null]" "$TOLD"
	t "... in the table" equals "- -" "$(in_table echo) $(in_table daytime)"
	t "... and in metrics" equals "" "$(in_metrics)"
	part=$((part + 1))
	asks error=ENOBUFS $part
done
t "... each of four or more" [ $part -gt 4 ]
asks retval=0 $((part - 1))
t "the end does not come: not known" equals "[null,null]" "$TOLD"
asks error=EINTR:when=2..3 1
t "interrupted: asked again" equals "[3,0]" "$TOLD"
exec 7>&-
wait $BACKGROUND
BACKGROUND=
ASK=
t "they are gone" until_true is_in_json "[0,0]"

stop
t "exit status 0" equals 0 $STATUS
finish
