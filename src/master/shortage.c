#include "master/shortage.h"

#include <stddef.h>

const char *
shortage_name(const struct shortage_view *view)
{
	if (view->overflows == 0)
		return NULL;
	if (view->was_full)
		return "max-workers";
	if ((int64_t)view->limit < view->backlog)
		return "net.core.somaxconn";
	return "backlog";
}
