/*
 * load_report: what became of a load.
 */
#include "common/clock.h"
#include "probe/load.h"
#include "probe/report_json.h"

static const struct {
	unsigned of_thousand;
	const char *key;
} ranks[] = { { 500, "p50_ms" }, { 900, "p90_ms" }, { 990, "p99_ms" },
	{ 999, "p999_ms" }, { 1000, "max_ms" } };

#define RANKS (sizeof(ranks) / sizeof(ranks[0]))

static double
seconds(const struct load *l)
{
	return (double)(l->tally.end_us - l->tally.start_us) / 1e6;
}

static double
a_second(const struct load *l, uint64_t n)
{
	return seconds(l) > 0 ? (double)n / seconds(l) : 0;
}

/* Those of a hold are few, and all that counts is that they stay. */
static bool
has_rate(const struct load *l)
{
	return l->plan->work != LOAD_HOLD;
}

static void
real(const struct report *r, const char *key, double value, int decimals)
{
	name(r, key);
	fprintf(r->out, "%.*f", decimals, value);
}

static void
json_failures(const struct load *l)
{
	const struct report *r = l->report;
	const char *before = "";

	name(r, "failures");
	putc('{', r->out);
	for (enum verdict v = VERDICT_OK; v < VERDICT_COUNT; v++)
		if (l->tally.verdicts[v] > 0) {
			fprintf(r->out, "%s\"%s\":%" PRIu64, before,
			    verdict_name(v), l->tally.verdicts[v]);
			before = ",";
		}
	putc('}', r->out);
}

static void
json(const struct load *l, enum verdict verdict)
{
	const struct load_tally *t = &l->tally;
	const struct report *r = l->report;

	report_head(r, verdict, NULL);
	string(r, "work", load_work_name(l->plan->work));
	integer(r, "parallel", (int64_t)l->plan->parallel);
	integer(r, "size", (int64_t)l->plan->size);
	real(r, "seconds", seconds(l), 3);
	integer(r, "begun", (int64_t)t->begun);
	integer(r, "completed", (int64_t)t->completed);
	integer(r, "connections", (int64_t)t->connections);
	integer(r, "failed", (int64_t)t->failed);
	json_failures(l);
	integer(r, "mismatches", (int64_t)t->verdicts[VERDICT_MISMATCH]);
	integer(r, "fin", (int64_t)t->fin);
	integer(r, "rst", (int64_t)t->rst);
	integer(r, "bytes", (int64_t)t->bytes);
	if (has_rate(l)) {
		real(r, "per_second", a_second(l, t->in_time), 1);
		real(r, "bytes_per_second", a_second(l, t->bytes), 0);
	}
	if (load_work_stays(l->plan->work))
		ms(r, "opening_ms", (double)t->opening_us);
	for (size_t i = 0; i < RANKS && t->latency.count > 0; i++)
		ms(r, ranks[i].key,
		    (double)histogram_at(&t->latency, ranks[i].of_thousand));
	ms(r, "total_ms", (double)(clock_us() - r->began_us));
	end(r);
}

static void
text_failures(const struct load *l)
{
	FILE *out = l->report->out;

	fprintf(out,
	    "%" PRIu64 " of %" PRIu64 " connections failed:", l->tally.failed,
	    l->tally.connections);
	for (enum verdict v = VERDICT_OK; v < VERDICT_COUNT; v++)
		if (l->tally.verdicts[v] > 0)
			fprintf(out, " %" PRIu64 " %s", l->tally.verdicts[v],
			    verdict_name(v));
	putc('\n', out);
}

static void
text_latency(const struct load *l)
{
	fputs("p50/p90/p99/p99.9/max = ", l->report->out);
	for (size_t i = 0; i < RANKS; i++)
		fprintf(l->report->out, "%s%.3f", i == 0 ? "" : "/",
		    (double)histogram_at(
			&l->tally.latency, ranks[i].of_thousand) /
			1000);
	fputs(" ms\n", l->report->out);
}

static void
text(const struct load *l, enum verdict verdict)
{
	const struct load_tally *t = &l->tally;
	FILE *out = l->report->out;

	report_head(l->report, verdict, NULL);
	fprintf(out, "%s: %zu at once", load_work_name(l->plan->work),
	    l->plan->parallel);
	if (l->plan->size > 0)
		fprintf(out, ", %zu byte%s each", l->plan->size,
		    l->plan->size == 1 ? "" : "s");
	fprintf(out, ", time %.3f s\n", seconds(l));
	if (load_work_stays(l->plan->work))
		fprintf(out, "all open after %.3f ms\n",
		    (double)t->opening_us / 1000);
	fprintf(out, "%" PRIu64 " begun, %" PRIu64 " completed", t->begun,
	    t->completed);
	if (has_rate(l))
		fprintf(out, ": %.1f a second, %.3f MB/s",
		    a_second(l, t->in_time), a_second(l, t->bytes) / 1e6);
	fprintf(out,
	    "\n%" PRIu64 " FIN, %" PRIu64 " RST, %" PRIu64 " mismatches\n",
	    t->fin, t->rst, t->verdicts[VERDICT_MISMATCH]);
	if (t->latency.count > 0)
		text_latency(l);
	if (t->failed > 0)
		text_failures(l);
	if (verdict != VERDICT_OK)
		fprintf(out, "%s\n", verdict_hint(verdict));
}

void
load_report(const struct load *l, enum verdict verdict)
{
	if (l->report->json)
		json(l, verdict);
	else
		text(l, verdict);
}
