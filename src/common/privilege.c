#include "common/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/capability.h"
#include "common/log.h"

#define FALLBACK_USER "nobody"
#define PLACE_SIZE 512
#define LARGEST_ID ((long long)UINT32_MAX - 1) /* the last one is "none" */

/*
 * Root of a user namespace in which setgroups(2) is denied has been mapped by
 * an ordinary user, and has no other account to change to.
 */
static bool
may_change(void)
{
	char word[16] = "";
	FILE *file;

	if (geteuid() != 0)
		return false;
	file = fopen("/proc/self/setgroups", "re");
	if (file == NULL)
		return true; /* a kernel without user namespaces */
	if (fscanf(file, "%15s", word) != 1)
		word[0] = '\0';
	fclose(file);
	return strcmp(word, "deny") != 0;
}

/* A number needs no entry. The error of a look-up goes to *error, 0: none. */
static bool
find_user(const char *name, uid_t *uid, gid_t *gid, int *error)
{
	const struct passwd *pw;
	long long number;
	const char *bad;

	errno = 0;
	pw = getpwnam(name);
	*error = errno;
	if (pw == NULL) {
		number = strtonum(name, 0, LARGEST_ID, &bad);
		if (bad != NULL)
			return false;
		*uid = (uid_t)number;
		pw = getpwuid(*uid);
		*gid = pw == NULL ? (gid_t)number : pw->pw_gid;
		return true;
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return true;
}

static bool
find_group(const char *name, gid_t *gid, int *error)
{
	const struct group *gr;
	long long number;
	const char *bad;

	errno = 0;
	gr = getgrnam(name);
	*error = errno;
	if (gr != NULL) {
		*gid = gr->gr_gid;
		return true;
	}
	number = strtonum(name, 0, LARGEST_ID, &bad);
	if (bad != NULL)
		return false;
	*gid = (gid_t)number;
	return true;
}

/* ENOENT, ESRCH and others are how some sources say "no such entry". */
static bool
is_failure(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	    error == EIO;
}

static int
complain(const struct conf *conf, const char *keyword, const char *value,
    const char *remedy, int error, FILE *errors)
{
	char place[PLACE_SIZE];

	fprintf(errors, "%s %s: ", conf_place(conf, keyword, place, PLACE_SIZE),
	    value);
	fprintf(errors, "%s\n", is_failure(error) ? strerror(error) : remedy);
	return is_failure(error) ? PRIVILEGE_FAILED : PRIVILEGE_BAD;
}

/* A default that is not there gives way; -nv shows what took its place. */
static int
replace(char **value, const char *by, FILE *errors)
{
	char *copy = strdup(by);

	if (copy == NULL) {
		fprintf(errors, "%s: %s\n", by, strerror(errno));
		return PRIVILEGE_FAILED;
	}
	free(*value);
	*value = copy;
	return 0;
}

static int
replace_by_group_of_user(struct privilege *p, struct conf *conf, FILE *errors)
{
	const struct group *gr = getgrgid(p->gid);
	char number[16];

	snprintf(number, sizeof(number), "%u", (unsigned)p->gid);
	return replace(&conf->group, gr == NULL ? number : gr->gr_name, errors);
}

static int
find_user_of_conf(struct privilege *p, struct conf *conf, FILE *errors)
{
	int error;

	if (find_user(conf->user, &p->uid, &p->gid, &error))
		return 0;
	if (conf_is_set(conf, "user") || is_failure(error))
		return complain(conf, "user", conf->user,
		    "there is no such user; make it with useradd(8) or "
		    "systemd-sysusers(8), or name another",
		    error, errors);
	if (!find_user(FALLBACK_USER, &p->uid, &p->gid, &error))
		return complain(conf, "user", conf->user,
		    "there is no such user, nor " FALLBACK_USER "; name one",
		    error, errors);
	return replace(&conf->user, FALLBACK_USER, errors);
}

static int
find_group_of_conf(struct privilege *p, struct conf *conf, FILE *errors)
{
	int error;

	/* The user's own group goes with a user that was chosen. */
	if (!conf_is_set(conf, "group") &&
	    (conf_is_set(conf, "user") ||
		!find_group(conf->group, &p->gid, &error)))
		return replace_by_group_of_user(p, conf, errors);
	if (!find_group(conf->group, &p->gid, &error))
		return complain(conf, "group", conf->group,
		    "there is no such group; make it with groupadd(8) or "
		    "systemd-sysusers(8), or name another",
		    error, errors);
	return 0;
}

static int
find_chroot(struct conf *conf, FILE *errors)
{
	char place[PLACE_SIZE];
	struct stat st;

	if (strcmp(conf->chroot, "none") == 0 ||
	    (stat(conf->chroot, &st) == 0 && S_ISDIR(st.st_mode)))
		return 0;
	if (conf_is_set(conf, "chroot") && errno != 0 && errno != ENOENT &&
	    errno != ENOTDIR) {
		fprintf(errors, "%s %s: %s\n",
		    conf_place(conf, "chroot", place, sizeof(place)),
		    conf->chroot, strerror(errno));
		return PRIVILEGE_FAILED;
	}
	if (conf_is_set(conf, "chroot"))
		return complain(conf, "chroot", conf->chroot,
		    "there is no such directory; make an empty one that only "
		    "root can write to, or say \"chroot none\"",
		    0, errors);
	return replace(&conf->chroot, "none", errors);
}

/* A container's root may lack what it takes: said before anything is bound. */
static int
check_capabilities(const struct privilege *p, FILE *errors)
{
	static const uint64_t ids =
	    CAPABILITY_BIT(CAP_SETUID) | CAPABILITY_BIT(CAP_SETGID);
	uint64_t set = 0;

	if (capability_effective(&set) == 0 && (set & ids) == ids &&
	    (p->chroot == NULL || (set & CAPABILITY_BIT(CAP_SYS_CHROOT))))
		return 0;
	fprintf(errors,
	    "preforkd: started as root without CAP_SETUID, CAP_SETGID%s, "
	    "which workers need to become user %s; give them, or start as "
	    "another user\n",
	    p->chroot == NULL ? "" : " or CAP_SYS_CHROOT", p->user);
	return PRIVILEGE_BAD;
}

int
privilege_find(struct privilege *privilege, struct conf *conf, FILE *errors)
{
	int result, next;

	memset(privilege, 0, sizeof(*privilege));
	privilege->changes = may_change();
	if (!privilege->changes)
		return 0;
	result = find_user_of_conf(privilege, conf, errors);
	next = find_group_of_conf(privilege, conf, errors);
	result = next < result ? next : result;
	next = find_chroot(conf, errors);
	result = next < result ? next : result;
	privilege->user = conf->user;
	privilege->group = conf->group;
	if (strcmp(conf->chroot, "none") != 0)
		privilege->chroot = conf->chroot;
	next = check_capabilities(privilege, errors);
	return next < result ? next : result;
}

char *
privilege_describe(const struct privilege *privilege, char *text, size_t size)
{
	if (!privilege->changes)
		snprintf(text, size,
		    "not started as root: workers run as uid %d as well; "
		    "user, group and chroot are left alone",
		    (int)geteuid());
	else
		snprintf(text, size,
		    "workers run as user %s (uid %u), group %s (gid %u), "
		    "chroot %s",
		    privilege->user, (unsigned)privilege->uid, privilege->group,
		    (unsigned)privilege->gid,
		    privilege->chroot == NULL ? "none" : privilege->chroot);
	return text;
}

void
privilege_drop(const struct privilege *p)
{
	/*
	 * The directory first, which takes root; the user last, which ends
	 * it. setgroups: the groups of whoever started us, root's among them,
	 * would otherwise stay.
	 */
	if (p->changes &&
	    ((p->chroot != NULL && (chroot(p->chroot) < 0 || chdir("/") < 0)) ||
		setgroups(1, &p->gid) < 0 ||
		setresgid(p->gid, p->gid, p->gid) < 0 ||
		setresuid(p->uid, p->uid, p->uid) < 0))
		fatal("cannot become user %s (uid %u, gid %u) in chroot %s%s",
		    p->user, (unsigned)p->uid, (unsigned)p->gid,
		    p->chroot == NULL ? "none" : p->chroot,
		    errno == EINVAL ? " (not mapped in this user namespace)" :
				      "");
	if (capability_limit(0) < 0)
		fatal("cannot give the capabilities of a worker up");
}

int
privilege_limit_master(const struct privilege *privilege)
{
	uint64_t keep = CAPABILITY_BIT(CAP_NET_BIND_SERVICE);

	if (privilege->changes)
		keep |= CAPABILITY_BIT(CAP_SETUID) |
		    CAPABILITY_BIT(CAP_SETGID) | CAPABILITY_BIT(CAP_KILL);
	if (privilege->changes && privilege->chroot != NULL)
		keep |= CAPABILITY_BIT(CAP_SYS_CHROOT);
	return capability_limit(keep);
}
