/*
 * sandbox_off: for builds whose instrumentation makes calls of its own
 * (sanitizers, coverage). Says so wherever the sandbox would be described.
 */
#include <stdio.h>

#include "worker/sandbox.h"

struct sandbox {
	char nothing;
};

static struct sandbox off;

struct sandbox *
sandbox_prepare(void)
{
	return &off;
}

void
sandbox_free(struct sandbox *sandbox)
{
	(void)sandbox;
}

bool
sandbox_is_whole(const struct sandbox *sandbox)
{
	(void)sandbox;
	return false;
}

char *
sandbox_describe(const struct sandbox *sandbox, char *text, size_t size)
{
	(void)sandbox;
	snprintf(text, size,
	    "WORKERS ARE IN NO SANDBOX: built with --disable-sandbox, for "
	    "tests only");
	return text;
}

void
sandbox_begin(const struct sandbox *sandbox)
{
	(void)sandbox;
}

void
sandbox_close(const struct sandbox *sandbox, struct slot *slot)
{
	(void)sandbox;
	(void)slot;
}

char *
sandbox_name_call(uint32_t failed_syscall, char *text, size_t size)
{
	snprintf(text, size, "number %u", failed_syscall - 1);
	return text;
}
