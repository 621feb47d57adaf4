/*
 * conf_listen: the addresses that a service listens on.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_table.h"

/* Of names, of IPv4 and IPv6, of scopes, and "*". */
#define HOST_CHARACTERS                                                        \
	"*%-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

#define NAME_LONGEST 255

static int
wrong(char why[CONF_WHY_SIZE], const char *what)
{
	snprintf(why, CONF_WHY_SIZE, "%s", what);
	return -1;
}

/*
 * Splits "host:port", "[v6]:port" and "*:port"; *host and *length are the
 * host without its brackets, *port the text behind the last colon.
 */
static int
split(const char *text, const char **host, size_t *length, const char **port,
    char why[CONF_WHY_SIZE])
{
	const char *colon = strrchr(text, ':');

	*host = text;
	if (text[0] == '[') {
		const char *close = strchr(text, ']');

		if (close == NULL || close == text + 1 || close[1] != ':')
			return wrong(why,
			    "must be [address]:port, "
			    "as in [::1]:7");
		*host = text + 1;
		*length = (size_t)(close - *host);
		*port = close + 2;
		return 0;
	}
	if (colon == NULL)
		return wrong(why,
		    "has no port: must be address:port, "
		    "as in *:7 or 127.0.0.1:7");
	if (colon == text)
		return wrong(why,
		    "has no address: "
		    "write *:port for every address");
	if (strchr(text, ':') != colon)
		return wrong(why,
		    "an IPv6 address needs brackets, "
		    "as in [::1]:7");
	*length = (size_t)(colon - text);
	*port = colon + 1;
	return 0;
}

void
conf_listen_free(struct conf_listen *listen)
{
	free(listen->host);
	free(listen->text);
	free(listen->file);
	free(listen);
}

/* True for "systemd" and "systemd:NAME"; *name is what follows, or "". */
static bool
is_of_systemd(const char *text, const char **name)
{
	static const char word[] = "systemd";
	const size_t length = sizeof(word) - 1;

	if (strncmp(text, word, length) != 0 ||
	    (text[length] != '\0' && text[length] != ':'))
		return false;
	*name = text + length + (text[length] == ':');
	return true;
}

/* What systemd takes as FileDescriptorName=, see systemd.socket(5). */
static int
check_name(const char *text, const char *name, char why[CONF_WHY_SIZE])
{
	if (*name == '\0' && strchr(text, ':') != NULL)
		return wrong(why,
		    "has no name: must be systemd:NAME, or systemd for "
		    "what no other listen names");
	if (strlen(name) > NAME_LONGEST)
		return wrong(why, "the name must be at most 255 characters");
	for (; *name != '\0'; name++)
		if (*name == ':' || *name <= ' ' || *name > '~')
			return wrong(why,
			    "the name has a character that no "
			    "FileDescriptorName= has");
	return 0;
}

static struct conf_listen *
new_listen(const char *host, size_t length, const char *text, const char *file)
{
	struct conf_listen *listen = calloc(1, sizeof(*listen));

	if (listen == NULL)
		return NULL;
	listen->host = strndup(host, length);
	listen->text = strdup(text);
	listen->file = file == NULL ? NULL : strdup(file);
	if (listen->host == NULL || listen->text == NULL ||
	    (file != NULL && listen->file == NULL)) {
		conf_listen_free(listen);
		return NULL;
	}
	return listen;
}

static int
parse_address(const char *text, const char **host, size_t *length,
    uint16_t *number, char why[CONF_WHY_SIZE])
{
	const char *port, *bad;

	if (split(text, host, length, &port, why) < 0)
		return -1;
	if (strspn(*host, HOST_CHARACTERS) < *length)
		return wrong(why,
		    "the address has a character that "
		    "no address has");
	*number = (uint16_t)strtonum(port, 1, 65535, &bad);
	/* strtonum takes white space and signs as well. */
	if (bad != NULL || !isdigit((unsigned char)port[0]))
		return wrong(why, "the port must be a number, 1 to 65535");
	return 0;
}

int
conf_listen_add(struct conf_service *service, const char *text,
    const char *file, unsigned line, char why[CONF_WHY_SIZE])
{
	struct conf_listen *listen;
	uint16_t number = 0;
	const char *host;
	size_t length;
	bool systemd = is_of_systemd(text, &host);

	if (systemd) {
		if (check_name(text, host, why) < 0)
			return -1;
		length = strlen(host);
	} else if (parse_address(text, &host, &length, &number, why) < 0) {
		return -1;
	}
	listen = new_listen(host, length, text, file);
	if (listen == NULL)
		return wrong(why, "out of memory");
	listen->line = line;
	listen->systemd = systemd;
	listen->port = number;
	TAILQ_INSERT_TAIL(&service->listens, listen, entry);
	return 0;
}
