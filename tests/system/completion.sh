#!/bin/sh
# The completions for bash: each is loaded, and asked as bash asks it.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

need bash

# completes WORD ...: what is offered for the last one, on a line.
completes()
{
	bash --norc -c '
		. "$1/$2" || exit
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		function=$(complete -p "$1") || exit
		function=${function#*-F }
		"${function%% *}" "$1" "${COMP_WORDS[COMP_CWORD]}" \
			"${COMP_WORDS[COMP_CWORD - 1]}" || exit
		echo "${COMPREPLY[@]}"' bash "$TOP_SRCDIR/completions" "$@" 2>&1
}

offers()
{
	expected=$1
	shift
	equals "$expected" "$(completes "$@")"
}

# options PROGRAM: those of its help, as completion has them.
options()
{
	"$1" -h | sed -n 's/^  \(-[A-Za-z0-9]\|--[a-z]*\) .*/\1/p' | sort
}

offered()
{
	completes "$1" - | tr ' ' '\n' | sort
}

# All that there is is offered; what is to come may be.
is_offered()
{
	equals "" "$(offered "$1" | sort >"$T/offered"
		options "$2" | sort | comm -13 "$T/offered" -)"
}

mkdir "$T/files"
: >"$T/files/one.conf"
: >"$T/files/two words"
cd "$T/files" || exit 99
for file in preforkd preforkctl preforkprobe; do
	t "$file is clean in bash" bash -n "$TOP_SRCDIR/completions/$file"
done
t "preforkd: each option" is_offered preforkd "$PREFORKD"
t "preforkctl: each option" is_offered preforkctl "$PREFORKCTL"
t "preforkprobe: each option" is_offered preforkprobe "$PROBE"
t "preforkctl: each command" equals "" "$(completes preforkctl "" |
	tr ' ' '\n' | sort >"$T/offered"
	"$PREFORKCTL" -h | sed -n '/^Commands:/,/^See/s/^  \([a-z-]*\) .*/\1/p' |
	sort | comm -13 "$T/offered" -)"
t "preforkprobe: each mode of its usage" equals "" \
	"$(completes preforkprobe "" | tr ' ' '\n' | sort >"$T/offered"
	"$PROBE" -h | tr -d '\n' |
	sed 's/.* \([a-z|]*\) host\[:port\].*/\1\n/' | tr '|' '\n' | sort |
	comm -13 "$T/offered" -)"
services()
{
	sed -n 's/.*{ "\([a-z]*\)", [0-9]*,.*/\1@/p' \
		"$TOP_SRCDIR"/src/services/*.c | sort | paste -s -d ' ' -
}
t "preforkd: each service" offers "$(services)" preforkd ""

t "preforkd e: echo" offers echo@ preforkd e
t "preforkd -f: files" offers one.conf preforkd -f o
t "preforkd -p: files" offers "two words" preforkd -p two
t "preforkd -nvf: files" offers one.conf preforkd -nvf o
t "preforkd echo@127.0.0.1: a port" offers "" preforkd echo@127.0.0.1 : ""
t "preforkprobe echo localhost: a port" offers "" \
	preforkprobe echo localhost : ""
t "preforkd -d d: services" offers "daytime@ discard@" preforkd -d d
t "preforkctl con" offers connections preforkctl con
t "preforkctl -s: files" offers one.conf preforkctl -s one
t "preforkctl -S: files" offers one.conf preforkctl -S one
t "preforkctl -s FILE st: commands" offers "status stop" \
	preforkctl -s one.conf st
t "preforkctl -S FILE -j con: commands" offers connections \
	preforkctl -S one.conf -j con
t "preforkctl -js FILE con: commands" offers connections \
	preforkctl -js one.conf con
t "preforkctl log-level: levels" offers "debug error info notice warning" \
	preforkctl log-level ""
t "preforkctl log-level debug: nothing more" offers "" \
	preforkctl log-level debug ""
t "preforkctl connections: -j" offers -j preforkctl connections ""
t "preforkctl connections -j: nothing more" offers "" \
	preforkctl connections -j ""
t "preforkctl stop: nothing" offers "" preforkctl stop ""
t "preforkprobe e" offers echo preforkprobe e
t "preforkprobe: the modes" offers "connect daytime echo idle load" \
	preforkprobe ""
t "preforkprobe -c 3 -j i" offers idle preforkprobe -c 3 -j i
t "preforkprobe --max 5 i" offers idle preforkprobe --max 5 i
t "preforkprobe --lines l" offers load preforkprobe --lines l
t "preforkprobe --lines load: hosts, and no mode" offers "" \
	preforkprobe --lines load dayt
t "preforkprobe --max: a number" offers "" preforkprobe --max ""
t "preforkprobe -c: a number" offers "" preforkprobe -c ""
t "preforkprobe echo: hosts, and no mode" offers "" preforkprobe echo dayt
finish
