/*
 * load: many connections at once, in one process, for so long or so often.
 */
#ifndef PROBE_LOAD_H
#define PROBE_LOAD_H

#include "probe/histogram.h"
#include "probe/session.h"

#define LOAD_SOURCES 16

enum slot_state {
	SLOT_FREE,
	SLOT_CONNECTING,
	SLOT_TALKING,
	SLOT_RESTING, /* it waits for nothing, and nothing shall come */
	SLOT_ENDING   /* our FIN is sent */
};

/* Room for one connection, and then for the next. */
struct slot {
	struct session session;
	enum slot_state state;
	bool opening;     /* its first message, before the clock starts */
	uint32_t events;  /* that epoll watches for, or 0 */
	uint64_t start;   /* where its bytes are in the pattern */
	uint64_t allowed; /* how many of them may be sent so far */
	int64_t began_us; /* of clock_us: what it is timed from */
};

/* What has been seen. */
struct load_tally {
	uint64_t begun; /* connections, or messages where these stay */
	uint64_t completed;
	uint64_t in_time;     /* of these, before the end */
	uint64_t bytes;       /* that came back before the end */
	uint64_t connections; /* that were begun */
	uint64_t fin;         /* of these, with a FIN of the far end */
	uint64_t rst;
	uint64_t failed;
	uint64_t verdicts[VERDICT_COUNT]; /* of those that failed */
	uint64_t in_a_row;                /* failed since one completed */
	int64_t opening_us; /* until those that stay had their first message */
	int64_t start_us;   /* of clock_us */
	int64_t end_us;     /* what completes until then counts */
	int64_t last_us;    /* when the last of these did */
	struct histogram latency;
};

struct load {
	const struct session_options *options;
	const struct load_plan *plan;
	struct report *report;
	struct resolve_address to;
	struct resolve_address sources[LOAD_SOURCES]; /* to connect from */
	size_t source_count;                          /* 0: any will do */
	int epoll;
	struct slot *slots;
	size_t live;    /* not free */
	size_t resting; /* of these */
	bool stopping;  /* nothing more is begun */
	int64_t look;   /* of clock_ms: when deadlines are looked at next */
	struct load_tally tally;
	unsigned char buffer[65536];
};

/*
 * Does what the plan in options says, and reports it. Returns VERDICT_OK when
 * every connection was well, VERDICT_FAILED when it was all this machine's
 * fault, and else what most of those that failed have ended with.
 */
enum verdict
load_run(const struct session_options *options, struct report *report);

/* Whether one more connection or message may begin, which is then begun. */
bool load_draw(struct load *load);

/* Connects; the slot is free again when that failed at once. */
void slot_start(struct load *load, struct slot *slot);

/* The same for a session that is connected. */
void slot_adopt(struct load *load, struct slot *slot);

/* One more message on a connection that rests. */
void slot_go_on(struct load *load, struct slot *slot);

/* What epoll has to say of it. */
void slot_event(struct load *load, struct slot *slot, uint32_t events);

/* Its deadline has passed. */
void slot_late(struct load *load, struct slot *slot);

/* What became of it all: text, or a JSON object. */
void load_report(const struct load *load, enum verdict verdict);

#endif
