#include "probe/bisect.h"

#include <math.h>

#define FIRST_MS 1000    /* no firewall is as quick; nearer comes later */
#define STEEPEST 4.0     /* from one time to the next, while all survive */
#define KEEPALIVE 32767U /* seconds; tcp(7) and preforkd.conf(5) */

/*
 * Neighbours are a little nearer than asked: a busy machine wakes up late, and
 * what counts is how long a connection really was idle.
 */
static int64_t
spacing(const struct bisect *b)
{
	int64_t ms = b->precision_ms - b->precision_ms / 10;

	return ms > 0 ? ms : 1;
}

/* Where the times that grow begin. */
static int64_t
lowest(int64_t max_ms, int64_t precision_ms, int64_t alive_ms)
{
	int64_t low = precision_ms > FIRST_MS ? precision_ms : FIRST_MS;

	if (alive_ms > 0)
		return alive_ms;
	return max_ms / 2 < low ? max_ms / 2 + 1 : low;
}

/* From one time to the next: evenly up to the longest, or steeply. */
static double
steepness(int64_t low, int64_t max_ms, size_t parallel)
{
	double ratio =
	    pow((double)max_ms / (double)low, 1.0 / (double)parallel);

	return ratio < STEEPEST ? ratio : STEEPEST;
}

/* All have survived so far: times that grow, up to the longest. */
static size_t
outward(const struct bisect *b, int64_t idle_ms[])
{
	int64_t low = lowest(b->max_ms, b->precision_ms, b->alive_ms),
		last = b->alive_ms, ms;
	double ratio = steepness(low, b->max_ms, b->parallel), at;
	size_t n = 0;

	at = (double)low;
	for (size_t i = 1; i <= b->parallel; i++) {
		at *= ratio;
		ms = (int64_t)at;
		if (ms > b->max_ms - spacing(b) ||
		    (i == b->parallel && ratio < STEEPEST)) {
			idle_ms[n++] = b->max_ms;
			break;
		}
		if (ms - last < spacing(b))
			continue;
		idle_ms[n++] = last = ms;
	}
	return n;
}

/* Between the bounds, evenly, and no more than what precision needs. */
static size_t
inward(const struct bisect *b, int64_t high, size_t room, int64_t idle_ms[])
{
	int64_t width = high - b->alive_ms, step = spacing(b);
	size_t n = 0, wanted;

	if (width <= b->precision_ms)
		return 0;
	wanted = (size_t)((width - 1) / step);
	if (wanted > room)
		wanted = room;
	for (size_t i = 1; i <= wanted; i++)
		idle_ms[n++] =
		    b->alive_ms + width * (int64_t)i / ((int64_t)wanted + 1);
	return n;
}

size_t
bisect_plan(const struct bisect *b, int64_t idle_ms[BISECT_PARALLEL_MAX])
{
	size_t n;

	if (bisect_has_none(b) || b->rounds >= b->rounds_max)
		return 0;
	if (b->suspect_ms == 0 && b->dead_ms == 0)
		return outward(b, idle_ms);
	if (b->suspect_ms == 0)
		return inward(b, b->dead_ms, b->parallel, idle_ms);
	/* With one connection alone, one that dies sooner confirms it too. */
	n = inward(
	    b, b->suspect_ms, b->parallel > 1 ? b->parallel - 1 : 1, idle_ms);
	if (n < b->parallel)
		idle_ms[n++] = b->suspect_ms;
	return n;
}

/* The shortest time that was not survived, or 0. */
static int64_t
shortest_dead(const struct bisect_result *results, size_t count)
{
	int64_t ms = 0;

	for (size_t i = 0; i < count; i++)
		if (!results[i].alive && (ms == 0 || results[i].idle_ms < ms))
			ms = results[i].idle_ms;
	return ms;
}

/* The longest time below another one, or of all for 0, that was survived. */
static int64_t
longest_alive(
    const struct bisect_result *results, size_t count, int64_t below_ms)
{
	int64_t ms = 0;

	for (size_t i = 0; i < count; i++)
		if (results[i].alive && results[i].idle_ms > ms &&
		    (below_ms == 0 || results[i].idle_ms < below_ms))
			ms = results[i].idle_ms;
	return ms;
}

/*
 * What was only bad luck, or a box that is not always as quick. What was
 * believed had this suspicion as a reason, unless there is a new one.
 */
static void
clear_suspicion(struct bisect *b, int64_t dead)
{
	b->suspect_ms = 0;
	if (dead != 0)
		return;
	if (b->dead_ms > b->alive_ms)
		b->suspect_ms = b->dead_ms;
	b->dead_ms = 0;
}

void
bisect_learn(
    struct bisect *b, const struct bisect_result *results, size_t count)
{
	int64_t dead = shortest_dead(results, count), alive;

	b->rounds++;
	/* One that survives for longer than another proves nothing of the
	 * limit: some boxes look only now and then. */
	if (b->dead_ms != 0 && (dead == 0 || dead > b->dead_ms))
		alive = longest_alive(results, count, b->dead_ms);
	else
		alive = longest_alive(results, count, dead);
	if (alive > b->alive_ms)
		b->alive_ms = alive;
	if (b->suspect_ms != 0 &&
	    longest_alive(results, count, 0) >= b->suspect_ms)
		clear_suspicion(b, dead);
	if (dead == 0 || (b->dead_ms != 0 && dead >= b->dead_ms))
		return;
	if (b->suspect_ms == 0) {
		b->suspect_ms = dead;
	} else if (dead < b->suspect_ms - b->precision_ms / 10) {
		b->dead_ms = b->suspect_ms;
		b->suspect_ms = dead;
	} else {
		/* The same again, give or take a moment. */
		b->dead_ms = dead > b->suspect_ms ? dead : b->suspect_ms;
		b->suspect_ms = 0;
	}
}

bool
bisect_has_none(const struct bisect *b)
{
	return b->suspect_ms == 0 && b->dead_ms == 0 &&
	    b->alive_ms >= b->max_ms;
}

bool
bisect_has_found(const struct bisect *b)
{
	return b->suspect_ms == 0 && b->dead_ms != 0 &&
	    b->dead_ms - b->alive_ms <= b->precision_ms;
}

unsigned int
bisect_rounds(int64_t max_ms, int64_t precision_ms, size_t parallel)
{
	double low = (double)lowest(max_ms, precision_ms, 0), width;
	double ratio = steepness((int64_t)low, max_ms, parallel);
	unsigned int rounds = 0;

	for (double at = low; at < (double)max_ms; rounds++)
		for (size_t i = 0; i < parallel; i++)
			at *= ratio * (1 + 1e-9);
	/* The widest gap is the last, or the one before the first. */
	width = (double)max_ms * (1 - 1 / ratio);
	if (width < low * ratio)
		width = low * ratio;
	for (; width > (double)precision_ms * 0.9; rounds++)
		width /= parallel > 2 ? (double)parallel : 2;
	/* The last one is asked again; the two do not meet evenly; and a
	 * machine that is late may have to ask once more. */
	return rounds + 3;
}

void
bisect_init(
    struct bisect *b, int64_t max_ms, int64_t precision_ms, size_t parallel)
{
	*b = (struct bisect){ .max_ms = max_ms,
		.precision_ms = precision_ms,
		.parallel = parallel };
	b->rounds_max = 2 * bisect_rounds(max_ms, precision_ms, parallel) + 2;
}

bool
bisect_advice(int64_t alive_ms, unsigned int *idle_s, unsigned int *interval_s)
{
	int64_t idle = alive_ms / 2 / 1000, interval = alive_ms / 6 / 1000;

	if (idle < 1)
		idle = 1;
	if (interval < 1)
		interval = 1;
	*idle_s = idle > KEEPALIVE ? KEEPALIVE : (unsigned int)idle;
	*interval_s = interval > KEEPALIVE ? KEEPALIVE : (unsigned int)interval;
	return idle * 1000 + idle * 1000 / 8 <= alive_ms;
}
