/*
 * limits: what the kernel will make of a configuration.
 */
#ifndef MASTER_LIMITS_H
#define MASTER_LIMITS_H

#include <stdio.h>

#include "common/conf.h"

/*
 * Writes net.core.somaxconn, RLIMIT_NOFILE, RLIMIT_NPROC, kernel.pid_max and
 * kernel.threads-max as comment lines, each with what it changes in this
 * configuration.
 */
void limits_print(const struct conf *conf, FILE *to);

/*
 * For the start: logs a warning for each of them that cannot carry max-workers
 * of all listening sockets together, and one where a service asks for a
 * scheduling that is not permitted. What cannot be read is taken to be enough.
 */
void limits_warn(const struct conf *conf);

#endif
