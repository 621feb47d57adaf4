/*
 * limits: what the kernel will make of a configuration.
 */
#ifndef MASTER_LIMITS_H
#define MASTER_LIMITS_H

#include <stdio.h>

#include "common/conf.h"

/*
 * Writes net.core.somaxconn, RLIMIT_NOFILE, RLIMIT_NPROC and kernel.pid_max
 * as comment lines, each with what it changes in this configuration.
 */
void limits_print(const struct conf *conf, FILE *to);

#endif
