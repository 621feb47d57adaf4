#include "services/service.h"

#include <string.h>

static const struct service table[] = {
	{ { "echo", 7, true }, echo_serve },
	{ { "daytime", 13, true }, daytime_serve },
};

#define ROWS (sizeof(table) / sizeof(table[0]))

const struct service *
service_find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(table[i].known.name, name) == 0)
			return &table[i];
	return NULL;
}

const struct conf_known *
service_known(size_t index)
{
	return index < ROWS ? &table[index].known : NULL;
}
