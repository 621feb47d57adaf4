#!/bin/sh
# HUP where it is narrow: workers that leave meanwhile, queues and listeners
# that go, a stop in between.
. "${TOP_SRCDIR:-.}/tests/lib.sh"
. "${TOP_SRCDIR:-.}/tests/outcome.sh"

# many_listens SERVICE FIRST_PORT NUMBER
many_listens()
{
	echo "service $1 {"
	seq -f '%.0f' "$2" $(($2 + $3 - 1)) | sed 's/^/listen 127.0.0.1:/'
	echo "start-workers 1"
	echo "min-spare-workers 1"
	echo "}"
}

# A new worker that serves its one connection and leaves, before those of
# other sockets have come into accept, has done all that it shall.
RECYCLING="$(without_daytime "max-workers 1" "start-workers 1" "evict no" \
	"min-spare-workers 1" "max-connections-per-worker 1")
$(many_listens discard 18000 60)"
start "$RECYCLING"
late_client -c -b $MUCH
until_true field_is echo busy 1
until_true is_stuck
"$CLIENT" echo -c -b 1000 -t 30 127.0.0.1 $ECHO >"$T/waits" &
WAITS=$!
until_true field_is echo queue 1/4096
reload "$RECYCLING"
t "a new worker that leaves as it shall is no reason to refuse" \
	last_outcome reloaded
t "... and its client was served" wait $WAITS
read_now
t "... and so was that of the old one" client_ends \
	"fin=1 rst=0 timeout=0 mismatch=0 complete=1 bytes=$MUCH"
t "... and others follow" echoes
stop

# Clients that say nothing do not make more workers than there may be.
start "$(conf "max-workers 2" "idle-timeout 30s" "linger-timeout 100ms" \
	"evict no")"
silent_clients 22 $ECHO
until_true field_is echo queue 20/4096
reload "$(conf "max-workers 2" "linger-timeout 100ms" |
	sed "s/127.0.0.1:$ECHO/127.0.0.1:$OTHER/")"
is_held()
{
	kill -USR1 "$DAEMON"
	sleep 0.1
	logged "service=echo listen=127.0.0.1:$ECHO state=removed.*queue=19/"
}
t "a listener that goes is held by those who wait in it" until_true is_held
sleep 0.5
t "... who get one worker more than max-workers" at_most 3 \
	"$(pgrep -f -P "$DAEMON" -c "worker echo 127.0.0.1:$ECHO")"
dismiss
t "... and is closed after them" until_true is_refused $ECHO
stop

# A daemon that was started with room for no more than it needs.
printf '#!/bin/sh\nulimit -f 2000\nexec "%s" "$@"\n' "$PREFORKD" >"$T/limited"
chmod 755 "$T/limited"
PREFORKD_BEFORE=$PREFORKD
PREFORKD=$T/limited
start "$(with_other)"
reload "$(with_other)"
t "a file that is as before finds room" last_outcome reloaded
PREFORKD=$PREFORKD_BEFORE
stop

# One that was removed, and lets nobody in, does not do so again at the stop.
A="$(conf)
service discard {
listen 127.0.0.1:$OTHER
start-workers 1
min-spare-workers 1
linger-timeout 100ms
}"
start "$A"
silent_clients 1 $OTHER
until_true field_is discard busy 1
reload "$(conf)"
t "a listener that is gone refuses" until_true is_refused $OTHER
reload "$A"
t "... and its address may come again at once" last_outcome reloaded
t "... while its worker serves on" sh -c \
	"pgrep -f -P $DAEMON -c 'worker discard' | grep -q '[2-9]'"
complaints=$(warnings)
stop
t "... and the stop has nothing to complain of" \
	equals "$complaints" "$(warnings)"
t "... exit status 0" equals 0 $STATUS
dismiss

# Workers that are held on their way into accept, and what happens meanwhile.
if [ -n "$(command -v strace)" ] && [ -n "${TEST_NAMESPACE-}" ]; then
	# holding TEXT: the reload has begun, and its first workers are held.
	holding()
	{
		old=$(workers)
		hold_workers
		write_file "$1"
		kill -HUP "$DAEMON"
		until_true have_stopped 2
	}
	new_workers()
	{
		for pid in $(workers); do
			case " $old " in
			*" $pid "*) ;;
			*) echo "$pid" ;;
			esac
		done
	}
	forks()
	{
		log_lines "debug: worker [0-9]* \\($1 .* was started"
	}
	has_lived()
	{
		[ "$(ps -o etimes= -p "$2")" -ge "$1" ]
	}
	A="log-level debug
$(conf "max-workers 4" "start-workers 2" "min-spare-workers 2")"
	start "$A"
	until_true has_workers 4
	holding "$A"
	kill -KILL "$(new_workers | head -n 1)"
	t "a first worker that is killed is a reload refused" until_true \
		logged 'reload refused: a worker with the new settings ended'
	let_go
	t "... and all others are as before" until_true same_workers "$old"

	# The pool of before is short, and has another one until the reload is
	# done: that one is told to leave like the others.
	victim=$(pgrep -f -P "$DAEMON" 'worker echo' | head -n 1)
	until_true has_lived 2 "$victim" # an early death is answered later
	echo_before=$(forks echo)
	daytime_before=$(forks daytime)
	holding "$A"
	first=$(new_workers)
	leave=$(lives $old)
	kill -KILL "$victim"
	t "one of before that is killed meanwhile is replaced" \
		until_true have_stopped 3
	old="$old $(echo $first)"
	leave="$leave $(lives $(new_workers))"
	let_go
	t "... is no reason to refuse" until_true logged 'notice: reloaded'
	t "... and all of before go, and who came in its place" \
		until_true all_gone $leave
	t "... they are as many as before" until_true field_is echo idle 2
	t "... of each" until_true field_is daytime idle 2
	t "... and no more" has_workers 4
	t "... who are counted right" field_is echo workers 2
	t "... two were forked for the reload, and one for the killed one" \
		equals 3 $(($(forks echo) - echo_before))
	t "... where nobody was killed, two" \
		equals 2 $(($(forks daytime) - daytime_before))

	holding "$A"
	silent_clients 1 $ECHO
	kill -TERM "$DAEMON"
	t "a stop gives a reload up" until_true \
		logged 'reload refused: the daemon stops'
	let_go
	wait "$DAEMON"
	t "... exit status 0" equals 0 $?
	DAEMON=
	dismiss
fi
finish
