#!/bin/sh
# The status, five times the same: the table, JSON, both by nc, and the log.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need_namespace
need jq nc socat ss

ctl()
{
	"$PREFORKCTL" -s "$T/control" "$@"
}

# table_lines SERVICE: "title=value", of the table on stdin.
table_lines()
{
	awk -v s="$1" '
		$1 == "service" { for (i = 1; i <= NF; i++) title[i] = $i }
		$1 == s { for (i = 1; i <= NF; i++) print title[i] "=" $i }'
}

# json_lines SERVICE: the same, of JSON.
json_lines()
{
	jq -r --arg s "$1" '
		def seconds: . * 1000 | round | tostring |
			("0000" + .)[-([length, 4] | max):] |
			.[:-3] + "." + .[-3:];
		.listeners[] | select(.service == $s) |
		"service=\(.service)", "listen=\(.listen)", "state=\(.state)",
		"busy=\(.busy)", "idle=\(.idle)", "other=\(.other)",
		"max=\(.max)", "queue=\(.queue)/\(.queue_limit)",
		"backlog=\(.backlog)", "half-open=\(.half_open // "-")",
		"overflows=\(.overflows)", "raise=\(.raise // "-")",
		"mean-wait=\(.mean_wait | seconds)",
		"longest-wait=\(.longest_wait | seconds)",
		"connections=\(.connections)",
		"endings=\(.endings | to_entries | map(select(.value > 0) |
			"\(.key):\(.value)") | if length == 0 then "-"
			else join(",") end)",
		"holders=\(.holders | join(","))"'
}

in_queue()
{
	ctl status | table_lines echo | grep -q "^queue=$1/"
}

# Nothing shall be zero that can be something else.
sysctl -q -w net.core.somaxconn=3
start "$(conf_with_control "backlog 8" "min-spare-workers 1" "max-workers 64")"
pause_workers
"$CLIENT" echo -c -n 3 -b 100 -t 30 127.0.0.1 $ECHO >"$T/client.out" &
BACKGROUND=$!
t "three wait" until_true in_queue 3
sleep 0.2
resume_workers
t "... and are served" wait $BACKGROUND
BACKGROUND=
until_true has_ended echo peer-closed 3
pause_workers
"$CLIENT" connect -n 40 -t 0.5 127.0.0.1 $ECHO >/dev/null
until_true in_queue 4
ctl status >/dev/null # a look
kill -USR1 "$DAEMON"
"$CLIENT" connect -n 40 -t 0.5 127.0.0.1 $ECHO >/dev/null
ctl -j status >"$T/json"
cp "$T/json" "$T/json.first"
"$CLIENT" connect -n 40 -t 0.5 127.0.0.1 $ECHO >/dev/null

ctl status >"$T/table"
lines=$(log_lines 'status: service=echo ')
kill -USR1 "$DAEMON"
until_true status_came echo "$lines"
grep 'status: service=echo ' "$T/log" | tail -n 1 | sed 's/.*status: //' |
	tr ' ' '\n' >"$T/line"
before=$(date +%s)
ctl status -j >"$T/json"
after=$(date +%s)
echo status | nc -N -U "$T/control" >"$T/nc"
echo status -j | nc -N -U "$T/control" >"$T/nc.json"
table_lines echo <"$T/table" >"$T/table.lines"
json_lines echo <"$T/json" >"$T/json.lines"

t "seventeen figures" equals 17 "$(wc -l <"$T/table.lines")"
while read -r figure; do
	case $figure in
	half-open=*)
		t "$figure is for preforkctl alone to ask" \
			not grep -q '^half-open' "$T/line"
		t "... and so by nc it is not there" equals "half-open=-" \
			"$(table_lines echo <"$T/nc" | grep '^half-open')"
		;;
	*)
		t "the log says $figure as well" grep -qxF "$figure" "$T/line"
		;;
	esac
	case $figure in
	raise=*) ;; # once
	*) t "... and JSON" grep -qxF "$figure" "$T/json.lines" ;;
	esac
done <"$T/table.lines"
for figure in 'queue=4/3' 'backlog=8' 'overflows=[1-9][0-9]*' 'half-open=0' \
	'raise=net.core.somaxconn' 'mean-wait=[0-9.]*[1-9][0-9]*' \
	'longest-wait=0.[2-9][0-9]*' 'endings=peer-closed:3' 'connections=3'; do
	t "there is something to be compared: $figure" \
		grep -qx "$figure" "$T/table.lines"
done
t "what has overflowed is new once" equals "0 null" \
	"$(jq -r '.listeners[0] | "\(.new_overflows) \(.raise)"' "$T/json")"
t "... and in JSON as well" jq -e '.listeners[0] |
	.new_overflows > 0 and .new_overflows < .overflows and
	.raise == "net.core.somaxconn"' "$T/json.first"
t "... others have none" equals "daytime null 0" "$(jq -r '.listeners[1] |
	"\(.service) \(.raise) \(.overflows)"' "$T/json.first")"
t "by nc: the table is the same" equals "$(grep -v ^half-open "$T/table.lines" |
	grep -v '^raise')" "$(table_lines echo <"$T/nc" |
	grep -Ev '^(half-open|raise)=')"
t "by nc: the object is the same" equals \
	"$(jq -S 'del(.daemon.uptime) | del(.listeners[].half_open)' "$T/json")" \
	"$(sed 1d "$T/nc.json" |
	jq -S 'del(.daemon.uptime) | del(.listeners[].half_open)')"
t "... without what preforkctl counts" equals null \
	"$(sed 1d "$T/nc.json" | jq '.listeners[0].half_open')"

# The shape, as preforkctl(8) has it.
items()
{
	sed -n "/^\.Ss $1\$/,/^\.S[sh] /s/^\.It Li \([a-z_-]*\)\( .*\)\?\$/\1/p" \
		"$TOP_SRCDIR/man/preforkctl.8" | sort
}
t "JSON: of the daemon what the manual has" equals "$(items 'Of the daemon')" \
	"$(jq -r '.daemon | keys[]' "$T/json" | sort)"
t "JSON: of a listener what the manual has" equals "$(items 'Of a listener')" \
	"$(jq -r '.listeners[0] | keys[]' "$T/json" | sort)"
t "JSON: nothing else" equals 'daemon listeners' \
	"$(jq -r 'keys | join(" ")' "$T/json")"
t "JSON: types" jq -e '
	(.daemon | (.version, .log_level | type == "string"),
		(.running == true),
		(.pid, .log_lost, .started_at, .uptime | type == "number")),
	(.listeners[] | (.service, .listen, .state | type == "string"),
		(.holders | map(type == "string") | all),
		(.endings | length == 12 and (map(type == "number") | all)),
		(del(.service, .listen, .state, .holders, .endings, .raise) |
			map(type == "number") | all)) |
	if . then empty else error("wrong type") end, true' "$T/json"
t "JSON: the daemon" equals "$("$PREFORKD" -V | cut -d ' ' -f 2) $DAEMON info" \
	"$(jq -r '.daemon | "\(.version) \(.pid) \(.log_level)"' "$T/json")"
at=$(jq '.daemon | .started_at + .uptime | floor' "$T/json")
t "JSON: when it was started, and how long ago" \
	is_between $((before - 1)) $((after + 1)) "$at"
resume_workers

# Somebody else's socket is none of ours, though it has the same address.
elsewhere()
{
	# shellcheck disable=SC2016
	unshare -n sh -c 'ip link set lo up
		socat "TCP-LISTEN:$0,bind=127.0.0.1" STDIO &
		until ss -Hltn | grep -q ":$0 "; do sleep 0.02; done
		"$@"
		kill $!' $ECHO "$PREFORKCTL" -s "$T/control" "$@" </dev/null
}
t "from another network namespace half-open is not known" equals \
	"half-open=-" "$(elsewhere status | table_lines echo | grep half-open)"
t "... in JSON neither" equals null \
	"$(elsewhere -j status | jq '.listeners[0].half_open')"
t "but here" equals 0 "$(ctl -j status | jq '.listeners[0].half_open')"
stop
t "exit status 0" equals 0 $STATUS
finish
