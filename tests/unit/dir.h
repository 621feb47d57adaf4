/*
 * dir: a directory of its own for a test program's files. Its two ends are an
 * unchecked fixture, so that a failed case leaves nothing behind.
 */
#ifndef UNIT_DIR_H
#define UNIT_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DIR_PATH_SIZE 256
#define DIR_PATHS 8

static char dir_name[64];

static inline void
dir_make(void)
{
	strcpy(dir_name, "/tmp/preforkd-unit-XXXXXX");
	if (mkdtemp(dir_name) == NULL)
		abort();
}

static inline int
dir_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void
dir_remove(void)
{
	nftw(dir_name, dir_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name in the directory; good for the next DIR_PATHS calls. */
static inline const char *
dir_path(const char *name)
{
	static char paths[DIR_PATHS][DIR_PATH_SIZE];
	static unsigned next;
	char *path = paths[next++ % DIR_PATHS];

	snprintf(path, DIR_PATH_SIZE, "%s/%s", dir_name, name);
	return path;
}

/* Writes a file of that many bytes; returns its path. */
static inline const char *
dir_write_bytes(const char *name, const char *bytes, size_t length)
{
	const char *path = dir_path(name);
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite(bytes, 1, length, file) != length ||
	    fclose(file) != 0)
		abort();
	return path;
}

static inline const char *
dir_write(const char *name, const char *text)
{
	return dir_write_bytes(name, text, strlen(text));
}

#endif
