#include "probe/report.h"

#include <inttypes.h>
#include <string.h>

#include "common/addr.h"
#include "common/clock.h"
#include "probe/idle_report.h"
#include "probe/report_json.h"

void
report_init(struct report *report, FILE *out, const char *mode,
    const char *host, uint16_t port)
{
	memset(report, 0, sizeof(*report));
	report->out = out;
	report->mode = mode;
	report->host = host;
	report->port = port;
	report->began_us = clock_us();
}

static const char *
error_text(const struct dial_attempt *a)
{
	return a->error == 0 ? "no answer in time" : strerror(a->error);
}

void
report_attempt(
    struct report *r, const struct dial_attempt *a, enum verdict verdict)
{
	const struct sockaddr *to = (const struct sockaddr *)&a->to.addr;
	char remote[ADDR_STRLEN];

	addr_format(to, remote, sizeof(remote));
	if (r->quiet)
		return;
	if (r->json) {
		event(r, "attempt");
		string(r, "remote", remote);
		string(r, "verdict", verdict_name(verdict));
		string(r, "error", error_text(a));
		string(r, "icmp_from", *a->sender == '\0' ? NULL : a->sender);
		ms(r, "ms", (double)a->took_us);
		end(r);
		return;
	}
	fprintf(r->out, "%s: %s after %.3f ms: %s", remote,
	    verdict_name(verdict), (double)a->took_us / 1000, error_text(a));
	if (*a->sender != '\0')
		fprintf(r->out, " (ICMP from %s)", a->sender);
	putc('\n', r->out);
}

void
report_connected(
    struct report *r, const char *local, const char *remote, int64_t us)
{
	if (r->quiet)
		return;
	if (r->json) {
		event(r, "connected");
		string(r, "local", local);
		string(r, "remote", remote);
		ms(r, "handshake_ms", (double)us);
		end(r);
		return;
	}
	fprintf(r->out, "connected to %s from %s: handshake %.3f ms\n", remote,
	    local, (double)us / 1000);
}

void
report_trip(struct report *r, uint64_t seq, uint64_t bytes, int64_t first_us,
    int64_t us)
{
	stats_add(&r->trips, us);
	if (r->quiet)
		return;
	if (r->json) {
		event(r, "reply");
		integer(r, "seq", (int64_t)seq);
		integer(r, "bytes", (int64_t)bytes);
		ms(r, "first_byte_ms", (double)first_us);
		ms(r, "ms", (double)us);
		end(r);
		return;
	}
	fprintf(r->out,
	    "%" PRIu64 " byte%s: seq=%" PRIu64
	    " first byte %.3f ms, time %.3f ms\n",
	    bytes, bytes == 1 ? "" : "s", seq, (double)first_us / 1000,
	    (double)us / 1000);
}

void
report_line(struct report *r, const char *text, size_t length, int64_t first_us,
    int64_t us)
{
	stats_add(&r->trips, us);
	if (r->quiet)
		return;
	if (r->json) {
		event(r, "line");
		name(r, "text");
		text_json(r->out, text, length);
		ms(r, "first_byte_ms", (double)first_us);
		ms(r, "ms", (double)us);
		end(r);
		return;
	}
	fputs("it is ", r->out);
	text_plain(r->out, text, length);
	fprintf(r->out, ": first byte %.3f ms, time %.3f ms\n",
	    (double)first_us / 1000, (double)us / 1000);
}

void
report_fin(struct report *r, int64_t us)
{
	if (r->quiet)
		return;
	if (r->json) {
		event(r, "fin");
		ms(r, "ms", (double)us);
		end(r);
		return;
	}
	fprintf(r->out, "FIN: %.3f ms\n", (double)us / 1000);
}

static double
loss_percent(const struct report *r)
{
	if (r->asked == 0)
		return 0;
	return 100 * (double)(r->asked - r->trips.count) / (double)r->asked;
}

/* What the kernel knows of a connection that failed. */
static bool
has_evidence(enum verdict verdict, const struct verdict_facts *facts)
{
	return verdict != VERDICT_OK && facts->stage >= STAGE_TALK &&
	    facts->acked >= 0;
}

void
report_head(const struct report *r, enum verdict verdict, const char *cause)
{
	if (r->json) {
		event(r, "summary");
		string(r, "mode", r->mode);
		string(r, "host", r->host);
		integer(r, "port", r->port);
		string(r, "verdict", verdict_name(verdict));
		string(r, "error", cause);
		string(r, "hint",
		    verdict == VERDICT_OK ? NULL : verdict_hint(verdict));
		return;
	}
	if (!r->quiet)
		putc('\n', r->out);
	fprintf(r->out, "%s %s port %u: %s", r->mode, r->host, r->port,
	    verdict_name(verdict));
	fprintf(r->out, cause == NULL ? "\n" : " (%s)\n", cause);
}

static void
json_summary(struct report *r, enum verdict verdict,
    const struct verdict_facts *facts, const char *cause)
{
	report_head(r, verdict, cause);
	if (r->idle != NULL) {
		idle_report_json(r->out, r->idle);
	} else {
		integer(r, "asked", (int64_t)r->asked);
		integer(r, "answered", (int64_t)r->trips.count);
		name(r, "loss_percent");
		fprintf(r->out, "%.1f", loss_percent(r));
	}
	if (r->trips.count > 0) {
		ms(r, "min_ms", (double)r->trips.min);
		ms(r, "avg_ms", r->trips.mean);
		ms(r, "max_ms", (double)r->trips.max);
		ms(r, "mdev_ms", stats_deviation(&r->trips));
	}
	if (has_evidence(verdict, facts)) {
		integer(r, "sequence_sent", facts->sent);
		integer(r, "sequence_acknowledged", facts->acked);
		integer(r, "retransmissions", facts->retrans);
	}
	ms(r, "total_ms", (double)(clock_us() - r->began_us));
	end(r);
}

void
report_summary(struct report *r, enum verdict verdict,
    const struct verdict_facts *facts, const char *cause)
{
	if (r->json) {
		json_summary(r, verdict, facts, cause);
		return;
	}
	report_head(r, verdict, cause);
	if (r->idle != NULL)
		idle_report_text(r->out, r->idle);
	if (r->asked > 0)
		fprintf(r->out,
		    "%" PRIu64 " asked, %" PRIu64
		    " answered, %.1f%% loss, time %.3f ms\n",
		    r->asked, r->trips.count, loss_percent(r),
		    (double)(clock_us() - r->began_us) / 1000);
	if (r->trips.count > 0)
		fprintf(r->out, "min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
		    (double)r->trips.min / 1000, r->trips.mean / 1000,
		    (double)r->trips.max / 1000,
		    stats_deviation(&r->trips) / 1000);
	if (has_evidence(verdict, facts))
		fprintf(r->out,
		    "sent up to sequence %" PRId64
		    ", acknowledged up to %" PRId64 ", %" PRId64
		    " segments sent again\n",
		    facts->sent, facts->acked, facts->retrans);
	if (verdict != VERDICT_OK)
		fprintf(r->out, "%s\n", verdict_hint(verdict));
}
