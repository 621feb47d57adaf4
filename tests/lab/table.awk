# The table of "make lab", from the lines "# lab: experiment | expected | seen"
# of the logs of tests/lab; a test that has failed comes with what it said.
BEGIN {
	row("experiment", "expected", "seen")
}

/^# lab: / {
	sub(/^# lab: /, "")
	split($0, column, / \| /)
	row(script() ": " column[1], column[2], column[3])
}

/^not ok / || /# SKIP/ {
	failed[++failures] = script() ": " $0
}

END {
	for (i = 1; i <= rows; i++)
		printf "%-*s | %-*s | %s\n", width[1], cell[i, 1],
		    width[2], cell[i, 2], cell[i, 3]
	for (i = 1; i <= failures; i++)
		print failed[i]
}

function script(name)
{
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.log$/, "", name)
	return name
}

function row(experiment, expected, seen)
{
	cell[++rows, 1] = experiment
	cell[rows, 2] = expected
	cell[rows, 3] = seen
	for (i = 1; i <= 3; i++)
		if (length(cell[rows, i]) > width[i])
			width[i] = length(cell[rows, i])
}
