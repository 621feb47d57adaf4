# What the wire has seen of each connection, held against the words of the log.
# Files: the log, then tcpdump -n of segments with SYN, FIN or RST. Variables:
# server, its address. Prints a line a word, then what breaks a rule, and then
# "N connections, N violations".
/ending=/ {
	for (i = 1; i <= NF; i++) {
		if ($i ~ /^peer=/)
			port = last($i, ":")
		if ($i ~ /^ending=/)
			ending = last($i, "=")
	}
	if (port in word)
		violation(port, "has two lines")
	word[port] = ending
	lines++
}

# 12:00:00.000000 IP 192.0.2.2.20000 > 192.0.2.1.7: Flags [S], ...
$2 == "IP" && $6 == "Flags" {
	ours = index($3, server ".") == 1
	port = last(ours ? substr($5, 1, length($5) - 1) : $3, ".")
	if ($7 ~ /S/ && !ours)
		syn[port] = 1
	if ($7 ~ /F/)
		fin[port, ours] = 1
	if ($7 ~ /R/ && !is_late(port, $7))
		rst[port, ours] = 1
}

END {
	for (port in syn)
		judge(port, word[port])
	for (port in word)
		if (!(port in syn))
			violation(port, "has a line, but no SYN")
	for (ending in count)
		printf "%s: %d, our FIN %d, our RST %d, its FIN %d, its RST %d\n",
		    ending, count[ending], seen[ending, "fin", 1],
		    seen[ending, "rst", 1], seen[ending, "fin", 0],
		    seen[ending, "rst", 0]
	printf "late: %d RST after both FINs\n", late
	for (i = 1; i <= violations && i <= 20; i++)
		print violated[i]
	printf "%d connections, %d violations\n", lines, violations
}

# Linux acknowledges a FIN twice now and then. To whom the second one comes is no
# more, and the kernel answers with a RST that no program sees: RFC 9293,
# 3.10.7.1, without ACK.
function is_late(port, flags)
{
	if (flags != "[R]," || !fin[port, 0] || !fin[port, 1])
		return 0
	late++
	return 1
}

function judge(port, ending)
{
	if (ending == "") {
		violation(port, "has no line")
		return
	}
	count[ending]++
	tally(ending, port, 0)
	tally(ending, port, 1)
	if (rst[port, 1] && ending !~ \
	    /^(stalled|lingered|dead-peer|unreachable|failed)$/)
		violation(port, ending " with a RST of ours")
	if (rst[port, 0] && ending !~ /^(reset|stalled|lingered|failed)$/)
		violation(port, ending " with a RST of its own")
	if (ending == "reset" && !rst[port, 0])
		violation(port, "reset without a RST of its own")
	if (ending ~ /^(served|peer-closed|idle|stopped)$/ &&
	    !(fin[port, 0] && fin[port, 1]))
		violation(port, ending " without a FIN from each side")
	# A FIN may have to wait behind bytes for which there is no window.
	if (ending ~ /^(lingered|stalled)$/ && !fin[port, 1] && !rst[port, 1])
		violation(port, ending " without a FIN or RST of ours")
}

function tally(ending, port, ours)
{
	seen[ending, "fin", ours] += fin[port, ours]
	seen[ending, "rst", ours] += rst[port, ours]
}

function violation(port, what)
{
	violated[++violations] = "port " port ": " what
}

function last(text, separator, part, n)
{
	n = split(text, part, "[" separator "]")
	return part[n]
}
