# The picture of bench.sh: of four works, the median of each server, and from
# the least to the most of the rounds. data and picture are files.
set terminal svg size 960,760 font "sans,11" background "white"
set output picture
set multiplot layout 2,2
set style fill solid 0.6 noborder
set grid xtics
set xrange [0:*]
set yrange [*:*] reverse
set offsets 0, 0, 0.6, 0.6
set ytics noenhanced scale 0
set xtics autofreq font ",10"
set lmargin 24
set rmargin 4
set datafile missing "?"
unset key

# Of the works in the order of bench.sh: their name, and what is counted.
names = "daytime-1 daytime-16 daytime-64 echo-16 round-trip-1 round-trip-16 bulk-1 bulk-4"
units = "connections connections connections connections messages messages GB GB"
do for [panel in "2 4 6 8"] {
	n = int(panel)
	c = 3 * n - 1
	scale = word(units, n) eq "GB" ? 1e-9 : 1e-3
	set title word(names, n)
	set xlabel (word(units, n) eq "GB" ? "GB a second" : \
	    "thousand " . word(units, n) . " a second")
	plot data using (column(c) * scale / 2):0:(column(c) * scale / 2):(0.36):ytic(1) \
		with boxxyerror linecolor rgb "#4878a8", \
	    "" using (column(c) * scale):0:(column(c + 1) * scale):(column(c + 2) * scale) \
		with xerrorbars linecolor rgb "#202020" pointtype 0
}
unset multiplot
