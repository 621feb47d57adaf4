/*
 * passed: the listeners of "listen systemd" and "listen systemd:NAME".
 */
#ifndef MASTER_PASSED_H
#define MASTER_PASSED_H

#include "master/listener.h"

/* As listener_open, with the sockets that systemd has passed. */
int passed_open(const struct conf_service *service,
    const struct conf_listen *listen, listener_known_fn *known, void *context,
    struct listener **listeners);

#endif
