/*
 * status_head: a daemon to be described.
 */
#ifndef UNIT_STATUS_HEAD_H
#define UNIT_STATUS_HEAD_H

#include "common/status.h"

static const struct status_head head = { .version = "1.2.3",
	.pid = 4242,
	.running = true,
	.log_level = "info",
	.log_lost = 5,
	.started_at = 1700000000,
	.uptime_ms = 1500 };

#endif
