/*
 * Tests of common/privilege: the change itself, by root, in a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>

#include "common/capability.h"
#include "common/privilege.h"
#include "unit/caps.h"
#include "unit/child.h"
#include "unit/dir.h"
#include "unit/unit.h"

#define UID 4242
#define GID 4243

#define MASTER                                                                 \
	(CAPABILITY_BIT(CAP_KILL) | CAPABILITY_BIT(CAP_SETGID) |               \
	    CAPABILITY_BIT(CAP_SETUID) | CAPABILITY_BIT(CAP_NET_BIND_SERVICE))

/* The library's calls of these come here. */
static bool limit_fails;
static bool setresgid_fails;
static bool chdir_fails;

int __real_capability_limit(uint64_t keep);
int __wrap_capability_limit(uint64_t keep);
int __real_setresgid(gid_t real, gid_t effective, gid_t saved);
int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved);
int __real_chdir(const char *path);
int __wrap_chdir(const char *path);

static int
failure(void)
{
	errno = EPERM;
	return -1;
}

int
__wrap_capability_limit(uint64_t keep)
{
	return limit_fails ? failure() : __real_capability_limit(keep);
}

int
__wrap_setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return setresgid_fails ? failure() :
				 __real_setresgid(real, effective, saved);
}

int
__wrap_chdir(const char *path)
{
	return chdir_fails ? failure() : __real_chdir(path);
}

static struct privilege
worker_privilege(const char *chroot_directory)
{
	return (struct privilege){ .changes = true,
		.user = "worker",
		.group = "workers",
		.chroot = chroot_directory,
		.uid = UID,
		.gid = GID };
}

static void
must_be_worker(int status)
{
	uid_t uids[3];
	gid_t gids[3], group;

	must(getresuid(&uids[0], &uids[1], &uids[2]) == 0);
	must(getresgid(&gids[0], &gids[1], &gids[2]) == 0);
	for (int i = 0; i < 3; i++)
		must(uids[i] == UID && gids[i] == GID);
	must(getgroups(1, &group) == 1 && group == GID);
	for (int set = 0; set < CAPS_SETS; set++)
		must(set == CAPS_BOUNDING || caps_read(status, set) == 0);
	must(setuid(0) == -1 && errno == EPERM);
	must(setgid(0) == -1 && errno == EPERM);
	must(setgroups(0, NULL) == -1 && errno == EPERM);
}

static void
drop(const void *argument)
{
	struct privilege p = worker_privilege(argument);
	const gid_t many[] = { 0, 1, 2 };
	int status = caps_open();
	struct stat before, after;
	char where[64];

	must(chmod(dir_name, 0755) == 0);
	must(setgroups(3, many) == 0);
	must(stat(argument == NULL ? "/" : dir_name, &before) == 0);
	/* Not even what was to be inherited. */
	caps_set(caps_of(CAPS_PERMITTED), caps_of(CAPS_PERMITTED),
	    CAPABILITY_BIT(CAP_KILL));
	privilege_drop(&p);
	must_be_worker(status);
	must(stat("/", &after) == 0);
	must(before.st_ino == after.st_ino && before.st_dev == after.st_dev);
	must(argument == NULL ||
	    (getcwd(where, sizeof(where)) != NULL && strcmp(where, "/") == 0));
	must(argument == NULL || stat(".", &after) == 0);
	must(argument == NULL || before.st_ino == after.st_ino);
}

START_TEST(a_worker_is_nothing_but_its_account)
{
	child_must(drop, NULL);
}
END_TEST

START_TEST(a_worker_is_in_its_chroot)
{
	child_must(drop, dir_name);
}
END_TEST

/* Who is not root has no capability to lose, but may have some. */
static void
stay(const void *argument)
{
	struct privilege p = worker_privilege("/missing");
	gid_t many[] = { 5, 6, 7 };

	(void)argument;
	must(setgroups(2, many) == 0);
	p.changes = false;
	privilege_drop(&p);
	must(getuid() == 0 && getgid() == 0);
	must(getgroups(3, many) == 2 && many[0] == 5 && many[1] == 6);
	for (int set = 0; set < CAPS_SETS; set++)
		must(caps_of(set) == 0);
}

START_TEST(who_does_not_change_keeps_the_account_only)
{
	child_must(stay, NULL);
}
END_TEST

struct failing {
	const char *chroot;
	int lost; /* a capability, or -1 */
	bool *fails;
	const char *said;
};

#define CANNOT_BECOME                                                          \
	"cannot become user worker (uid 4242, gid 4243) in chroot "
#define NOT_PERMITTED ": Operation not permitted\n"

static const struct failing failing[] = {
	{ "/missing", -1, NULL,
	    CANNOT_BECOME "/missing: No such file or directory\n" },
	{ "/", CAP_SYS_CHROOT, NULL, CANNOT_BECOME "/" NOT_PERMITTED },
	{ "/", -1, &chdir_fails, CANNOT_BECOME "/" NOT_PERMITTED },
	{ NULL, CAP_SETGID, NULL, CANNOT_BECOME "none" NOT_PERMITTED },
	{ NULL, -1, &setresgid_fails, CANNOT_BECOME "none" NOT_PERMITTED },
	{ NULL, CAP_SETUID, NULL, CANNOT_BECOME "none" NOT_PERMITTED },
	{ NULL, -1, &limit_fails,
	    "cannot give the capabilities of a worker up" NOT_PERMITTED },
};

#define FAILING ((int)(sizeof(failing) / sizeof(failing[0])))

static void
drop_failing(const void *argument)
{
	const struct failing *f = argument;
	struct privilege p = worker_privilege(f->chroot);
	uint64_t left = caps_of(CAPS_PERMITTED);

	if (f->lost >= 0) {
		left &= ~CAPABILITY_BIT(f->lost);
		caps_set(left, left, 0);
	}
	if (f->fails != NULL)
		*f->fails = true;
	privilege_drop(&p);
}

START_TEST(a_worker_that_cannot_change_ends)
{
	ck_assert_int_eq(child_run(drop_failing, &failing[_i]), 1);
	ck_assert_ptr_nonnull(strstr(child_said, failing[_i].said));
}
END_TEST

static void
must_have(uint64_t set)
{
	must(caps_of(CAPS_EFFECTIVE) == set);
	must(caps_of(CAPS_PERMITTED) == set);
	must(caps_of(CAPS_INHERITABLE) == set);
	must(caps_of(CAPS_BOUNDING) == 0);
	must(caps_of(CAPS_AMBIENT) == 0);
	must(getuid() == 0);
}

static void
limit_master(const void *argument)
{
	struct privilege p = worker_privilege(argument);

	privilege_limit_master(&p);
	must_have(argument == NULL ? MASTER :
				     MASTER | CAPABILITY_BIT(CAP_SYS_CHROOT));
	/* It is enough to become a worker. */
	privilege_drop(&p);
}

START_TEST(the_master_keeps_what_it_takes_to_start_workers)
{
	child_must(limit_master, NULL);
	child_must(limit_master, dir_name);
}
END_TEST

static void
limit_master_that_stays(const void *argument)
{
	struct privilege p = worker_privilege(argument);

	p.changes = false;
	privilege_limit_master(&p);
	must_have(CAPABILITY_BIT(CAP_NET_BIND_SERVICE));
}

START_TEST(a_master_that_does_not_change_may_bind)
{
	child_must(limit_master_that_stays, dir_name);
}
END_TEST

static void
limit_master_failing(const void *argument)
{
	struct privilege p = worker_privilege(argument);

	limit_fails = true;
	must(privilege_limit_master(&p) == -1 && errno == EPERM);
}

START_TEST(a_master_that_cannot_be_limited_is_told)
{
	child_must(limit_master_failing, dir_name);
}
END_TEST

int
main(void)
{
	const uint64_t needed = MASTER | CAPABILITY_BIT(CAP_SYS_CHROOT) |
	    CAPABILITY_BIT(CAP_SETPCAP);
	Suite *suite = suite_create("privilege_drop");
	TCase *tcase = unit_case(suite, "drop");

	/* Root of a namespace of one user has nobody to become. */
	if ((caps_of(CAPS_EFFECTIVE) & needed) != needed ||
	    setgroups(0, NULL) < 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, a_worker_is_nothing_but_its_account);
	tcase_add_test(tcase, a_worker_is_in_its_chroot);
	tcase_add_test(tcase, who_does_not_change_keeps_the_account_only);
	tcase_add_loop_test(
	    tcase, a_worker_that_cannot_change_ends, 0, FAILING);
	tcase_add_test(tcase, the_master_keeps_what_it_takes_to_start_workers);
	tcase_add_test(tcase, a_master_that_does_not_change_may_bind);
	tcase_add_test(tcase, a_master_that_cannot_be_limited_is_told);
	return unit_run(suite);
}
