#include "services/service.h"

#include <string.h>

const struct service *
service_find(const char *name)
{
	for (size_t i = 0; i < service_table_rows; i++)
		if (strcmp(service_table[i].known.name, name) == 0)
			return &service_table[i];
	return NULL;
}

const struct conf_known *
service_known(size_t index)
{
	return index < service_table_rows ? &service_table[index].known : NULL;
}
