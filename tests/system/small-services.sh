#!/bin/sh
# discard, chargen and time: RFC 863, 864 and 868.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

DISCARD=17009
CHARGEN=17019
TIME=17037
CONF="pid-file none
control none
log-connections yes
service discard {
listen 127.0.0.1:$DISCARD
idle-timeout 500ms
}
service chargen {
listen 127.0.0.1:$CHARGEN
idle-timeout 500ms
linger-timeout 1s
}
service time {
listen 127.0.0.1:$TIME
}"

# play PORT [-f] STEP ...: what the client has done is in $T/played.
play()
{
	"$CLIENT" play -t 60 127.0.0.1 "$@" >"$T/played"
}

# did STEP RESULT BYTES
did()
{
	logged "^[0-9]+ $1 $2 $3\$" "$T/played"
}

start "$CONF"

play $DISCARD connect send=3000000 fin end
t "discard: nothing comes back, and FIN" did end fin 0
t "discard: all was counted in, and nothing out; peer-closed" until_true logged \
	'service=discard .*ending=peer-closed in=3000000 out=0 '
play $DISCARD connect send=5 end
t "discard: who says no more is sent FIN" did end fin 0
t "discard: ... idle-timeout" until_true logged \
	'service=discard .*ending=idle in=5 out=0 '

play $CHARGEN connect chargen=1500000 fin end
t "chargen: 1.5 MB are those of RFC 864" did chargen=1500000 done 1500000
t "chargen: when the client closes, the rest and FIN" \
	did end fin '[0-9]+'
t "chargen: ... peer-closed" until_true logged \
	'service=chargen .*ending=peer-closed in=0 out=[0-9]{7,} '
play $CHARGEN -f connect chargen=1500000 fin end
t "chargen: the same for a client that talks as well" \
	did chargen=1500000 done 1500000
t "chargen: ... FIN, no RST" did end fin '[0-9]+'
t "chargen: ... what it said was counted in" until_true logged \
	'service=chargen .*ending=peer-closed in=[1-9][0-9]* out=[0-9]{7,} '
play $CHARGEN connect send=30000000 get=100000 fin end
t "chargen: one that talks first, and reads later, is heard out" \
	did send=30000000 done 0
t "chargen: ... FIN, no RST" did end fin '[0-9]+'

# A client that does not read, in the background. It has filled all buffers.
GO=$T/go
export GO
deaf()
{
	before=$(status_field chargen out)
	play $CHARGEN connect go="$1" fin go="$2" end &
	BACKGROUND=$!
	until_true is_stuck
}
is_stuck()
{
	out=$(status_field chargen out)
	[ "$out" -gt "$((before + 100000))" ] && sleep 0.2 &&
		equals "$out" "$(status_field chargen out)"
}
deaf 1 2
: >"$GO.1"
t "chargen: the FIN of a client that does not read ends it" \
	until_true field_is chargen busy 0
: >"$GO.2"
wait $BACKGROUND
BACKGROUND=
t "chargen: ... which gets the rest, and FIN" did end fin '[0-9]+'

play $CHARGEN connect get=100 close
t "chargen: a client that closes in the middle: reset" until_true logged \
	'service=chargen .*ending=reset '
play $CHARGEN connect get=100 wait=1200 get=100000 fin end
t "chargen: idle-timeout does not apply" did end fin '[0-9]+'
t "chargen: ... nobody was idle" not logged 'service=chargen .*ending=idle'

# tells_time STEP ...: the number is of a second in which we had asked.
tells_time()
{
	before=$(date +%s)
	play $TIME connect "$@" number end
	after=$(date +%s)
	# RFC 868 counts from 1900.
	number=$(($(sed -n 's/^[0-9]* number \(0x[0-9a-f]*\) .*/\1/p' \
		"$T/played") - 2208988800))
	[ $number -ge "$before" ] && [ $number -le "$after" ] || {
		echo "$number is not from $before to $after"
		return 1
	}
}
t "time: the seconds since 1900, in four bytes" tells_time
t "time: ... then FIN" did end fin 4
t "time: ... served" until_true logged \
	'service=time .*ending=served in=0 out=4 '
t "time: the same for a client that talks first" tells_time send=1000
t "time: ... FIN, no RST" did end fin 4
t "time: ... served" until_true logged \
	'service=time .*ending=served in=1000 out=4 '

# Nothing that it could say is waited for.
deaf 3 4
stop
t "a stop does not wait for a client that does not read" at_most 5000 $MS
t "... whose worker is not killed" not logged 'chargen .*ending=failed'
: >"$GO.3"
: >"$GO.4"
wait $BACKGROUND
BACKGROUND=

start "$CONF"
play $CHARGEN connect chargen=10000000000 &
BACKGROUND=$!
has_begun()
{
	[ "$(status_field chargen out)" -gt 6000000 ]
}
until_true has_begun
stop
t "a stop in the middle of a stream: exit status 0" equals 0 $STATUS
wait $BACKGROUND
BACKGROUND=
t "... FIN, and every byte before it is right" \
	did chargen=10000000000 fin '[0-9]+'
t "... stopped" logged 'service=chargen .*ending=stopped '
finish
