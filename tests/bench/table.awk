# The tables of bench.sh: of the list of peers, and then the rows of rounds.tsv,
# the median of each server and work, and its ratio to that of preforkd. The file
# that plot names gets a row a server: for each work its median, least and most.
BEGIN {
	FS = "|"
}

FNR == NR {
	server[++servers] = $1
	next
}

FNR == 1 {
	FS = "\t"
	$0 = $0
}

{
	if (!($1 in seen)) {
		seen[$1] = 1
		work[++works] = $1
	}
	n = ++count[$1, $2]
	value[$1, $2, n] = $4
	time[$1, $2, n] = $5 * 1000
	failures[$1, $2] += $6
	resets[$1, $2] += $7
	if ($6 > 0)
		word[$1, $2] = $8
}

END {
	if (plot != "")
		print_plot()
	table("Connections a second", "rate", 1, 4)
	table("Messages, and of bulk MB, a second", "rate", 5, works)
	table("99th percentile in microseconds", "late", 1, 4)
	for (s = 1; s <= servers; s++)
		for (w = 1; w <= works; w++)
			if (failures[work[w], server[s]] > 0)
				printf "%s, %s: %d connections failed, %d with RST (%s)\n", \
				    server[s], work[w], \
				    failures[work[w], server[s]], \
				    resets[work[w], server[s]], \
				    word[work[w], server[s]]
}

function print_plot(    s, w)
{
	for (s = 1; s <= servers; s++) {
		printf "\"%s\"", server[s] >plot
		for (w = 1; w <= works; w++)
			printf " %s", spread(work[w], server[s]) >plot
		print "" >plot
	}
}

function spread(w, s,    i, least, most)
{
	if (!((w, s) in count))
		return "? ? ?"
	least = most = value[w, s, 1]
	for (i = 2; i <= count[w, s]; i++) {
		least = min(least, value[w, s, i])
		most = -min(-most, -value[w, s, i])
	}
	return median(value, w, s) " " least " " most
}

function min(a, b)
{
	return a + 0 < b + 0 ? a : b
}

# Of some works a table that has room on a line.
function table(title, what, from, to,    s, w)
{
	if (to > works)
		to = works
	if (from > to)
		return
	printf "%s:\n\n%s", title, cell("", 18)
	for (w = from; w <= to; w++)
		printf "%s", cell(work[w], 14)
	printf "|\n|%s", rule(18)
	for (w = from; w <= to; w++)
		printf "|%s", rule(13) ":"
	print "|"
	for (s = 1; s <= servers; s++) {
		printf "%s", cell(server[s], 18)
		for (w = from; w <= to; w++)
			printf "%s", cell(what == "rate" ? \
			    rate(work[w], server[s]) : \
			    late(work[w], server[s]), 14)
		print "|"
	}
	print ""
}

function rate(w, s,    v)
{
	if (!((w, s) in count))
		return "-"
	v = median(value, w, s)
	return sprintf("%d (%s)", w ~ /^bulk/ ? v / 1e6 : v, ratio(v, w))
}

function ratio(v, w,    ours)
{
	ours = median(value, w, "preforkd")
	return ours > 0 ? sprintf("%.2f", v / ours) : "-"
}

function late(w, s)
{
	return (w, s) in count ? sprintf("%d", median(time, w, s)) : "-"
}

function median(of, w, s,    i, j, n, all, v)
{
	n = count[w, s]
	for (i = 1; i <= n; i++) {
		v = of[w, s, i] + 0
		for (j = i - 1; j > 0 && all[j] > v; j--)
			all[j + 1] = all[j]
		all[j + 1] = v
	}
	return n % 2 ? all[(n + 1) / 2] : (all[n / 2] + all[n / 2 + 1]) / 2
}

function cell(text, width)
{
	return sprintf("| %-" (width - 1) "s", text)
}

function rule(width,    text)
{
	while (length(text) < width)
		text = text "-"
	return text
}
