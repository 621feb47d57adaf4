/*
 * scoreboard: what each worker is doing, in memory that all processes share.
 *
 * One mapping of a memfd, or of a file: a header, a row a pool (a listening
 * socket), a slot a worker, an idle_set a pool. Only the worker writes its slot
 * while it lives; before the fork and after reaping the slot is the master's.
 * The layout is fixed and carries a version, because an upgraded master and
 * other readers map it as well.
 *
 * Counters are single words, so that reading one is never torn. What belongs
 * together (the connection that is open) is read and written under a sequence
 * number that is odd while the worker writes.
 */
#ifndef COMMON_SCOREBOARD_H
#define COMMON_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/addr.h"
#include "common/idle_set.h"
#include "common/ledger.h"

#define SCOREBOARD_MAGIC UINT64_C(0x7072656673636f72) /* "prefscor" */
#define SCOREBOARD_VERSION 3
#define SCOREBOARD_ENDINGS 14 /* room beyond ENDING_COUNT */
#define SCOREBOARD_NO_ENDING UINT32_MAX

enum slot_state {
	SLOT_FREE,     /* no worker */
	SLOT_STARTING, /* forked, not yet in accept */
	SLOT_IDLE,     /* blocks in accept */
	SLOT_BUSY,     /* serves a connection */
	SLOT_CLOSING,  /* sent FIN, waits for the peer's */
	SLOT_PAUSED    /* accept lacked descriptors or memory */
};

/*
 * Bytes of all of a worker's connections; whoever moves them counts up, and
 * notes when. A connection that has moved none is idle since it could have:
 * while it waited in the accept queue too.
 */
struct slot_traffic {
	_Atomic uint64_t in;
	_Atomic uint64_t out;
	_Atomic int64_t moved_ms; /* clock_ms */
};

/* 256 bytes: no two workers write to the same cache line. */
struct slot {
	_Atomic uint32_t sequence; /* odd: the worker is writing */
	_Atomic uint32_t state;    /* enum slot_state */
	_Atomic int32_t pid;
	uint32_t pool;            /* its row */
	_Atomic int64_t since_ms; /* clock_ms of the last change of state */
	/* the connection that is open, or was the last: under sequence */
	uint8_t peer[16];   /* IPv6, or IPv4 mapped into it */
	uint16_t peer_port; /* host byte order */
	/* 1 + its place in the table of services; for all of its life */
	_Atomic uint16_t service;
	uint32_t peer_scope;
	/* see addr_source; other workers read it without the sequence */
	_Atomic uint64_t source_key;
	int64_t accepted_ms; /* clock_ms */
	uint64_t in_before;  /* traffic when it was accepted */
	uint64_t out_before;
	/*
	 * Counters. A connection is open exactly while connections is one
	 * more than the sum of endings: each is one store, so that a worker
	 * that is killed at any instant leaves them right.
	 */
	struct slot_traffic traffic;
	_Atomic uint64_t connections; /* accepted */
	_Atomic uint64_t endings[SCOREBOARD_ENDINGS];
	_Atomic uint64_t log_lost; /* log lines that could not be written */
	/* in the accept queue, all connections together, and one alone */
	_Atomic uint64_t wait_ms;
	_Atomic uint64_t longest_wait_ms;
	_Atomic uint32_t last_ending;    /* or SCOREBOARD_NO_ENDING */
	_Atomic uint32_t failed_syscall; /* 1 + a forbidden call, or 0 */
} __attribute__((aligned(256)));

_Static_assert(sizeof(struct slot) == 256, "the layout is a contract");
_Static_assert(ENDING_COUNT <= SCOREBOARD_ENDINGS, "a word without a counter");

/* Who looks at a row for what is new since the last time. */
enum look { LOOK_STATUS, LOOK_LOG, LOOK_COUNT };

struct pool_look {
	int64_t at_ms;      /* clock_ms, or 0 */
	uint64_t overflows; /* then, of the address */
};

/*
 * A row: a listening socket, and what its reaped workers had counted. What all
 * workers write at each connection, and what they only look at, are in cache
 * lines of their own.
 *
 * Names and counters of a row that was given back stay, until its address
 * takes it again and goes on from there, or another one needs the room.
 */
struct pool_row {
	char service[16];
	char address[ADDR_STRLEN];
	_Atomic uint64_t in;
	_Atomic uint64_t out;
	_Atomic uint64_t connections;
	_Atomic uint64_t endings[SCOREBOARD_ENDINGS];
	_Atomic uint64_t log_lost;
	_Atomic uint64_t wait_ms;
	_Atomic uint64_t longest_wait_ms;
	_Atomic uint64_t overflows; /* of all its sockets, one after another */
	/* from here on it is all about the socket that is there now */
	_Atomic int64_t accept_warned_ms; /* see scoreboard_may_warn */
	uint32_t drops;  /* the kernel's counter, at the last look */
	int64_t full_ms; /* clients waited, all of max-workers served: when
			    that was seen last, or 0 */
	struct pool_look looks[LOOK_COUNT];
	/* workers, from connections, ever */
	_Atomic uint64_t returned __attribute__((aligned(64)));
	/* set by the master, taken by the worker that then wakes it: when it
	   has come into accept for the first time, */
	_Atomic uint32_t want_ready __attribute__((aligned(64)));
	_Atomic uint32_t want_short;  /* sees fewer than min-spare-workers, */
	_Atomic uint32_t want_excess; /* or more than max-spare-workers */
	uint32_t taken; /* for readers: a listening socket has it */
};

struct scoreboard_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;
	uint32_t row_size;
	uint32_t rows;
	uint32_t slot_size;
	uint32_t slots;
	_Atomic int32_t master;     /* its pid */
	_Atomic uint32_t log_level; /* of workers, see log_follow_level */
	int64_t started_ms;         /* clock_ms */
	int64_t started_at;         /* seconds since the Epoch */
	/* For readers: slots from here on were never taken. */
	_Atomic uint32_t used;
	uint32_t reserved;
} __attribute__((aligned(64)));

/* Of these all must be the same in two masters that share one. */
struct scoreboard_layout {
	uint32_t version;
	uint32_t header_size;
	uint32_t row_size;
	uint32_t slot_size;
};

/*
 * This process's view of the mapping. What bounds a loop or an index of the
 * master's is here: a worker that was taken over can write to the mapping.
 */
struct scoreboard {
	struct scoreboard_header *header;
	struct pool_row *rows;
	struct slot *slots;
	idle_word *idle; /* of all rows, one after the other */
	int fd;          /* of the mapping: an upgraded master maps it too */
	size_t size;     /* of the mapping, in bytes */
	uint32_t slot_count;
	uint32_t slot_bound;  /* for workers: so many will be in use */
	uint32_t used;        /* slots from here on were never taken */
	uint32_t *free_slots; /* those below that are free: a stack, unshared */
	uint32_t free_count;
	uint32_t row_count;
	uint8_t *rows_taken; /* a byte each, unshared */
};

/*
 * Creates a scoreboard of so many rows and free slots, a memfd
 * (memfd_create(2)), and maps it. Returns 0, or -1 with errno set.
 */
int scoreboard_create(struct scoreboard *board, uint32_t rows, uint32_t slots);

/*
 * The same in fd, of scoreboard_size bytes that are all zero. The descriptor
 * stays the caller's after a failure.
 */
int scoreboard_create_in(
    struct scoreboard *board, int fd, uint32_t rows, uint32_t slots);

/* Of so many rows and slots, in bytes. */
size_t scoreboard_size(uint32_t rows, uint32_t slots);

/* Sets what points into the mapping, and the numbers and the size of it. */
void scoreboard_place(
    struct scoreboard *board, void *map, uint32_t rows, uint32_t slots);

/* That of this program. */
struct scoreboard_layout scoreboard_layout(void);

/*
 * Maps one of our layout that a master before this one created, with no row
 * taken and the slots below used not free. What its header says is not looked
 * at: workers can write to it. The descriptor stays the caller's after a
 * failure: -1 with errno, EPROTO where it has another size.
 */
int scoreboard_attach(struct scoreboard *board, int fd, uint32_t rows,
    uint32_t slots, uint32_t used);

/* Writes the header anew, as the master that has it now. */
void scoreboard_sign(struct scoreboard *board);

/* Master, after scoreboard_attach: that row is taken; that slot is free. */
void scoreboard_claim_row(struct scoreboard *board, uint32_t row);
void scoreboard_free_slot(struct scoreboard *board, uint32_t slot);

/* Unmaps it and frees what scoreboard_create allocated. */
void scoreboard_destroy(struct scoreboard *board);

/*
 * Master: takes a row that nobody has, for a listening socket at address: the
 * one that this address had before, with its counters, or one that is all
 * zero. Returns 0 with it in *row, or -1 with errno ENOSPC.
 */
int scoreboard_take_row(
    struct scoreboard *board, const char *address, uint32_t *row);

/*
 * Gives it back. No slot may be in it any more. Its counters stay there, or go
 * to another row that has the same address by now: they never go back.
 */
void scoreboard_release_row(struct scoreboard *board, uint32_t row);

/* Master: adds a slot's counters to a row. */
void scoreboard_add_slot(struct pool_row *row, const struct slot *slot);

/* The workers of that row that are in accept. */
idle_word *scoreboard_idle(const struct scoreboard *board, uint32_t row);

/* Which one a slot is, from 0. */
uint32_t
scoreboard_index(const struct scoreboard *board, const struct slot *slot);

/*
 * Master: takes a free slot for a new worker of that row, or returns NULL
 * when all are taken.
 */
struct slot *scoreboard_take(struct scoreboard *board, uint32_t row);

/*
 * Master, after reaping: adds the slot's counters to that row and frees it.
 * A connection that was still open is counted as ENDING_FAILED; then *open
 * (when not NULL) is true and the slot's copy is in *last.
 */
void scoreboard_release(struct scoreboard *board, uint32_t row,
    struct slot *slot, bool *open, struct slot *last);

/* True while a copied slot's last connection is open. */
bool slot_is_open(const struct slot *copy);

/*
 * Reader: copies a slot into *copy. False when the worker kept writing, or
 * was killed while it wrote: then the counters are good, the peer is not.
 */
bool scoreboard_read(const struct slot *slot, struct slot *copy);

/*
 * Worker: counts one of its counters up. It is alone in writing it, so this
 * needs no atomic addition.
 */
void slot_count(_Atomic uint64_t *counter, uint64_t by);

/* Worker: says what it is doing now. */
void slot_set_state(struct slot *slot, enum slot_state state, int64_t now);

/* Worker: a connection was accepted from that peer. */
void slot_open(struct slot *slot, const struct sockaddr *peer, int64_t now);

/* Worker: so long had it waited in the accept queue, and had been idle. */
void slot_waited(struct slot *slot, uint64_t ms);

/* Worker: it ended. */
void slot_end(struct slot *slot, enum ending ending);

/*
 * Names a slot's last connection as it is since bytes have moved on it, by what
 * a signal can carry: not 0, and for all that matters another number for each
 * connection and each such moment.
 */
int slot_number(uint64_t connections, int64_t moved_ms);

/*
 * Worker, after slot_open: how many connections the same service has open from
 * the same source, this one too; in old and new workers of a reload and on all
 * of its listening sockets. Of two workers that come here at once at least one
 * counts both. A connection of a worker that died is one until its master has
 * reaped it.
 */
uint32_t
scoreboard_count_source(const struct scoreboard *board, const struct slot *own);

/* The peer of a copied slot as text of ADDR_STRLEN bytes; returns text. */
char *slot_peer(const struct slot *copy, char *text);

/*
 * True for one caller of all processes in each period_ms: a pool that runs
 * out of descriptors warns once a minute, not once a worker.
 */
bool scoreboard_may_warn(struct pool_row *row, int64_t now, int64_t period_ms);

#endif
