/*
 * options: the socket options that accepted connections inherit.
 */
#ifndef CONNECTION_OPTIONS_H
#define CONNECTION_OPTIONS_H

#include "common/conf.h"

/*
 * Sets on a listening socket what every connection of the service shall have
 * (socket(7), tcp(7)): keepalive and its times, the user timeout, no Nagle
 * delay, and deferred accept. Inherited options cost a connection nothing.
 * SO_RCVTIMEO is not among them: it would time accept out. Returns NULL, or
 * the name of the option that failed with errno set.
 */
const char *options_inherit(int fd, const struct conf_service *service);

#endif
