#!/bin/sh
# echo: RFC 862, every byte in its place.
. "${TOP_SRCDIR:-.}/tests/lib.sh"

start "$(conf)"
MIB64=67108864

t "64 MiB in random chunks come back exactly, after a half-close" \
	"$CLIENT" echo -c -b $MIB64 -s 1 127.0.0.1 $ECHO
t "four connections at once, 4 MiB each" \
	"$CLIENT" echo -c -n 4 -b 4194304 -s 2 127.0.0.1 $ECHO
t "single bytes" "$CLIENT" echo -c -b 2000 -k 1 -s 3 127.0.0.1 $ECHO
t "more clients than workers are served in turn" \
	"$CLIENT" echo -c -n 40 -b 10000 -s 4 127.0.0.1 $ECHO
t "a client that reads late gets all of its bytes" \
	"$CLIENT" echo -c -l -b 100000 -s 5 127.0.0.1 $ECHO </dev/null
late_client -c -b 50000000 -s 6
t "a reply that is larger than all buffers has to wait" until_true is_stuck
read_now
t "... and comes back exactly" client_ends \
	"fin=1 rst=0 timeout=0 mismatch=0 complete=1 bytes=50000000"

stop
t "the daemon has stopped with exit status 0" equals 0 $STATUS
t "the log says how many bytes came and went" \
	logged "service=echo .*ending=peer-closed in=$MIB64 out=$MIB64 "
t "no connection ended in another way" \
	equals "$(log_lines 'ending=')" "$(log_lines 'ending=peer-closed')"
finish
