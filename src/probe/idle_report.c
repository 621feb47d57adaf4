#include "probe/idle_report.h"

#include <inttypes.h>

static double
s(int64_t ms)
{
	return (double)ms / 1000;
}

/* As people say it, rounded up. */
static void
duration(FILE *out, int64_t ms)
{
	int64_t seconds = (ms + 999) / 1000, minutes = (seconds + 59) / 60;

	if (seconds < 120)
		fprintf(out, "%" PRId64 " s", seconds);
	else if (minutes < 120)
		fprintf(out, "%" PRId64 " min", minutes);
	else
		fprintf(out, "%" PRId64 " h %" PRId64 " min", minutes / 60,
		    minutes % 60);
}

void
idle_report_search(
    const struct report *r, const struct bisect *search, int64_t most_ms)
{
	if (r->quiet)
		return;
	if (r->json) {
		fprintf(r->out,
		    "{\"event\":\"search\",\"max_ms\":%.3f,\"precision_ms\":%.3f,\"parallel\":%zu,\"at_most_ms\":%.3f}\n",
		    (double)search->max_ms, (double)search->precision_ms,
		    search->parallel, (double)most_ms);
		return;
	}
	fprintf(r->out,
	    "looking for a limit up to %.3f s, within %.3f s, on %zu connections at a time: at most ",
	    s(search->max_ms), s(search->precision_ms), search->parallel);
	duration(r->out, most_ms);
	fputs(", less for a short one\n", r->out);
}

void
idle_report_round(const struct report *r, unsigned int round,
    const int64_t *idle_ms, size_t count)
{
	if (r->quiet)
		return;
	if (r->json)
		fprintf(r->out,
		    "{\"event\":\"round\",\"round\":%u,\"connections\":%zu,\"shortest_ms\":%.3f,\"longest_ms\":%.3f}\n",
		    round, count, (double)idle_ms[0],
		    (double)idle_ms[count - 1]);
	else if (count == 1)
		fprintf(r->out, "round %u: idle for %.3f s\n", round,
		    s(idle_ms[0]));
	else
		fprintf(r->out, "round %u: %zu idle for %.3f to %.3f s\n",
		    round, count, s(idle_ms[0]), s(idle_ms[count - 1]));
}

/* The word of a connection; a verdict comes with some. */
static const char *
result(const struct trial *trial)
{
	switch (trial->state) {
	case TRIAL_ALIVE:
		return "alive";
	case TRIAL_ENDED:
		return "ended";
	default:
		return "gone";
	}
}

void
idle_report_trial(const struct report *r, const struct trial *trial)
{
	if (r->quiet || trial->state == TRIAL_BROKEN)
		return;
	if (r->json) {
		fprintf(r->out,
		    "{\"event\":\"idle\",\"idle_ms\":%.3f,\"result\":\"%s\",\"verdict\":\"%s\"}\n",
		    (double)trial->idled_ms, result(trial),
		    verdict_name(trial->verdict));
		return;
	}
	fprintf(r->out, "idle %.3f s: %s", s(trial->idled_ms), result(trial));
	if (trial->state == TRIAL_GONE)
		fprintf(r->out, " (%s)", verdict_name(trial->verdict));
	else if (trial->state == TRIAL_ENDED)
		fputs(" (FIN)", r->out);
	putc('\n', r->out);
}

void
idle_report_hold(
    const struct report *r, const struct idle_answer *a, int64_t hold_ms)
{
	if (r->quiet)
		return;
	if (r->json)
		fprintf(r->out,
		    "{\"event\":\"hold\",\"keepalive_idle_s\":%u,\"keepalive_interval_s\":%u,\"hold_ms\":%.3f}\n",
		    a->idle_s, a->interval_s, (double)hold_ms);
	else
		fprintf(r->out,
		    "proof: idle for %.3f s with keepalive-idle %us, keepalive-interval %us\n",
		    s(hold_ms), a->idle_s, a->interval_s);
}

/* Milliseconds, or null where there are none. */
static void
json_ms(FILE *out, const char *key, int64_t ms)
{
	if (ms == 0)
		fprintf(out, ",\"%s\":null", key);
	else
		fprintf(out, ",\"%s\":%.3f", key, (double)ms);
}

static const char *
truth(bool value)
{
	return value ? "true" : "false";
}

void
idle_report_json(FILE *out, const struct idle_answer *a)
{
	static const char *const limits[] = { [IDLE_UNKNOWN] = "unknown",
		[IDLE_FOUND] = "found",
		[IDLE_NONE] = "none",
		[IDLE_ENDED] = "server" };

	fprintf(out, ",\"limit\":\"%s\"", limits[a->limit]);
	json_ms(out, "alive_ms", a->alive_ms);
	json_ms(out, "gone_ms", a->dead_ms);
	json_ms(out, "ended_ms", a->ended_ms);
	if (a->limit == IDLE_FOUND)
		fprintf(out, ",\"gone\":\"%s\"", verdict_name(a->how));
	else
		fputs(",\"gone\":null", out);
	fprintf(out, ",\"kept_alive\":%s", truth(a->kept));
	if (!a->advised) {
		fputs(
		    ",\"keepalive_idle_s\":null,\"keepalive_interval_s\":null,\"held_ms\":null,\"proved\":null",
		    out);
		return;
	}
	fprintf(out, ",\"keepalive_idle_s\":%u,\"keepalive_interval_s\":%u",
	    a->idle_s, a->interval_s);
	json_ms(out, "held_ms", a->held_ms);
	fprintf(
	    out, ",\"proved\":%s", a->held_ms == 0 ? "null" : truth(a->proved));
}

static void
text_advice(FILE *out, const struct idle_answer *a)
{
	if (!a->advised) {
		fputs(
		    "Too short for keepalive, which counts in seconds: have the application send something more often.\n",
		    out);
		return;
	}
	fprintf(out,
	    "Set keepalive-idle %us and keepalive-interval %us in preforkd.conf.\n",
	    a->idle_s, a->interval_s);
	if (a->proved)
		fprintf(out,
		    "With these, a connection was idle for %.3f s and still answered.\n",
		    s(a->held_ms));
	else if (a->held_ms != 0)
		fprintf(out,
		    "But with these, a connection did not last for %.3f s: what forgets it does not count keepalive; have the application send something every %u s.\n",
		    s(a->held_ms), a->idle_s);
}

static void
text_found(FILE *out, const struct idle_answer *a)
{
	fprintf(out,
	    "Idle connections are forgotten: after %.3f s one was there, after %.3f s one was not, and what it sent was ",
	    s(a->alive_ms), s(a->dead_ms));
	if (a->how == VERDICT_RESET)
		fputs("answered with RST.\n", out);
	else if (a->how == VERDICT_TIMED_OUT)
		fputs("dropped without a word.\n", out);
	else
		fprintf(out, "lost (%s).\n", verdict_name(a->how));
	text_advice(out, a);
}

void
idle_report_text(FILE *out, const struct idle_answer *a)
{
	switch (a->limit) {
	case IDLE_FOUND:
		text_found(out, a);
		break;
	case IDLE_NONE:
		fprintf(out,
		    "No limit was found: idle connections are kept for at least %.3f s.\n",
		    s(a->alive_ms));
		break;
	case IDLE_ENDED:
		fprintf(out,
		    "The far end itself ends idle connections, with FIN, after %.3f s: that is the idle-timeout of the server or of a proxy, and no firewall's.\n",
		    s(a->ended_ms));
		break;
	default:
		if (a->alive_ms != 0)
			fprintf(out, "Until then, %.3f s idle were survived.\n",
			    s(a->alive_ms));
	}
	if (a->kept)
		fputs(
		    "The far end sent something in between, as its own keepalive does: set keepalive no there, and try again.\n",
		    out);
	fputs("time ", out);
	fprintf(out, "%.3f s\n", s(a->took_ms));
}
