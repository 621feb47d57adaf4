/*
 * Tests of common/privilege: from names of the configuration to an account.
 * The accounts of this machine are not asked.
 */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>

#include "common/privilege.h"
#include "unit/child.h"
#include "unit/conf_text.h"
#include "unit/unit.h"

static struct passwd users[] = {
	{ .pw_name = (char *)"worker", .pw_uid = 7001, .pw_gid = 7002 },
	{ .pw_name = (char *)"lonely", .pw_uid = 7003, .pw_gid = 7999 },
	{ .pw_name = (char *)"nobody", .pw_uid = 65534, .pw_gid = 65533 },
};
static struct group groups[] = {
	{ .gr_name = (char *)"workers", .gr_gid = 7002 },
	{ .gr_name = (char *)"extra", .gr_gid = 7004 },
	{ .gr_name = (char *)"nogroup", .gr_gid = 65533 },
};
static const char *absent = ""; /* a name that is not there after all */
static int user_error;          /* of a look-up that finds nothing */
static int group_error;

struct passwd *__wrap_getpwnam(const char *name);
struct passwd *__wrap_getpwuid(uid_t uid);
struct group *__wrap_getgrnam(const char *name);
struct group *__wrap_getgrgid(gid_t gid);

/* What errno is after a look-up that found something means nothing. */
struct passwd *
__wrap_getpwnam(const char *name)
{
	struct passwd *pw = NULL;

	for (size_t i = 0; i < 3; i++)
		if (strcmp(users[i].pw_name, name) == 0 &&
		    strcmp(absent, name) != 0)
			pw = &users[i];
	if (pw != NULL)
		errno = EIO;
	else if (user_error != 0)
		errno = user_error;
	return pw;
}

struct passwd *
__wrap_getpwuid(uid_t uid)
{
	for (size_t i = 0; i < 3; i++)
		if (users[i].pw_uid == uid)
			return &users[i];
	return NULL;
}

struct group *
__wrap_getgrnam(const char *name)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(groups[i].gr_name, name) == 0)
			return &groups[i];
	if (group_error != 0)
		errno = group_error;
	return NULL;
}

struct group *
__wrap_getgrgid(gid_t gid)
{
	for (size_t i = 0; i < 3; i++)
		if (groups[i].gr_gid == gid)
			return &groups[i];
	return NULL;
}

static struct conf *conf;
static struct privilege found;
static char *errors;

static void
set_default(const char *keyword, char **value, const char *by)
{
	if (conf_is_set(conf, keyword) || by == NULL)
		return;
	free(*value);
	*value = strdup(by);
}

/* Finds what the file says; by default user and group are these. */
static int
find(const char *text, const char *user, const char *group)
{
	FILE *to;
	size_t size;
	int result;

	if (conf != NULL) {
		conf_free(conf);
		free(errors);
	}
	conf = good_conf(text);
	set_default("user", &conf->user, user);
	set_default("group", &conf->group, group);
	set_default("chroot", &conf->chroot, dir_path("missing"));
	memset(&found, 0xa5, sizeof(found));
	to = open_memstream(&errors, &size);
	errno = EIO; /* of before: no look-up failed */
	result = privilege_find(&found, conf, to);
	fclose(to);
	strip_dir(errors);
	return result;
}

static void
release(void)
{
	conf_free(conf);
	free(errors);
}

static const struct {
	const char *text;
	const char *user; /* the defaults */
	const char *group;
	const char *found_user;
	const char *found_group;
	uid_t uid;
	gid_t gid;
} accounts[] = {
	/* A default that is there, or is not. */
	{ "", "worker", "extra", "worker", "extra", 7001, 7004 },
	{ "", "worker", "gone", "worker", "workers", 7001, 7002 },
	{ "", "lonely", "gone", "lonely", "7999", 7003, 7999 },
	{ "", "gone", "gone", "nobody", "nogroup", 65534, 65533 },
	{ "", "gone", "extra", "nobody", "extra", 65534, 7004 },
	/* A user that was named comes with its own group. */
	{ "user worker\n", "gone", "extra", "worker", "workers", 7001, 7002 },
	{ "user lonely\n", "gone", "extra", "lonely", "7999", 7003, 7999 },
	{ "user worker\n", "gone", "gone", "worker", "workers", 7001, 7002 },
	/* A group that was named stays. */
	{ "group extra\n", "worker", "gone", "worker", "extra", 7001, 7004 },
	{ "group extra\n", "gone", "gone", "nobody", "extra", 65534, 7004 },
	{ "user worker\ngroup extra\n", "gone", "gone", "worker", "extra", 7001,
	    7004 },
	/* Numbers, with and without an entry. */
	{ "user 7001\n", "gone", "extra", "7001", "workers", 7001, 7002 },
	{ "user 7003\n", "gone", "extra", "7003", "7999", 7003, 7999 },
	{ "user 54321\n", "gone", "extra", "54321", "54321", 54321, 54321 },
	{ "user 0\n", "gone", "gone", "0", "0", 0, 0 },
	{ "group 54321\n", "worker", "gone", "worker", "54321", 7001, 54321 },
	{ "group 0\n", "worker", "gone", "worker", "0", 7001, 0 },
	{ "user 4294967294\ngroup 4294967294\n", "gone", "gone", "4294967294",
	    "4294967294", 4294967294, 4294967294 },
};

#define ACCOUNTS ((int)(sizeof(accounts) / sizeof(accounts[0])))

START_TEST(an_account_is_found)
{
	char *text, line[64];

	ck_assert_int_eq(
	    find(accounts[_i].text, accounts[_i].user, accounts[_i].group), 0);
	ck_assert_str_eq(errors, "");
	ck_assert_str_eq(found.user, accounts[_i].found_user);
	ck_assert_str_eq(found.group, accounts[_i].found_group);
	ck_assert_uint_eq(found.uid, accounts[_i].uid);
	ck_assert_uint_eq(found.gid, accounts[_i].gid);
	/* -nv prints what is in force. */
	text = printed(conf);
	snprintf(line, sizeof(line), "\nuser %s\n", found.user);
	ck_assert_ptr_nonnull(strstr(text, line + 1));
	snprintf(line, sizeof(line), "\ngroup %s\n", found.group);
	ck_assert_ptr_nonnull(strstr(text, line));
	free(text);
}
END_TEST

#define MAKE_USER                                                              \
	"there is no such user; make it with useradd(8) or "                   \
	"systemd-sysusers(8), or name another\n"
#define MAKE_GROUP                                                             \
	"there is no such group; make it with groupadd(8) or "                 \
	"systemd-sysusers(8), or name another\n"
#define MAKE_CHROOT                                                            \
	"there is no such directory; make an empty one that only root can "    \
	"write to, or say \"chroot none\"\n"

static const struct {
	const char *text;
	const char *said;
} missing[] = {
	{ "user gone\n", "good:1: user gone: " MAKE_USER },
	{ "\nuser 4294967295\n", "good:2: user 4294967295: " MAKE_USER },
	{ "group gone\n", "good:1: group gone: " MAKE_GROUP },
	{ "\n\ngroup 4294967295\n", "good:3: group 4294967295: " MAKE_GROUP },
	{ "chroot /gone/away\n", "good:1: chroot /gone/away: " MAKE_CHROOT },
	/* Not a directory. */
	{ "chroot /dev/null\n", "good:1: chroot /dev/null: " MAKE_CHROOT },
	/* All of them at once. */
	{ "chroot /gone\nuser gone\ngroup lost\n",
	    "good:2: user gone: " MAKE_USER "good:3: group lost: " MAKE_GROUP
	    "good:1: chroot /gone: " MAKE_CHROOT },
};

#define MISSING ((int)(sizeof(missing) / sizeof(missing[0])))

START_TEST(what_was_named_and_is_missing_is_an_error)
{
	ck_assert_int_eq(find(missing[_i].text, "worker", "workers"), -1);
	ck_assert_str_eq(errors, missing[_i].said);
}
END_TEST

START_TEST(without_nobody_a_user_must_be_named)
{
	absent = "nobody";
	ck_assert_int_eq(find("", "gone", "gone"), -1);
	ck_assert_str_eq(
	    errors, "user gone: there is no such user, nor nobody; name one\n");
}
END_TEST

/* Some sources of accounts say ENOENT, ESRCH and others for "none". */
static const struct {
	int error;
	bool said;
} lookups[] = { { EMFILE, true }, { ENFILE, true }, { ENOMEM, true },
	{ EIO, true }, { ENOENT, false }, { ESRCH, false }, { EBADF, false },
	{ EPERM, false } };

START_TEST(a_look_up_that_failed_is_no_missing_account)
{
	const char *why = strerror(lookups[_i].error);
	char expected[256];

	user_error = group_error = lookups[_i].error;
	ck_assert_int_eq(find("user gone\n", "worker", "workers"),
	    lookups[_i].said ? PRIVILEGE_FAILED : PRIVILEGE_BAD);
	snprintf(expected, sizeof(expected), "%s\n", why);
	ck_assert_int_eq(
	    strcmp(strrchr(errors, ':') + 2, expected) == 0, lookups[_i].said);
	ck_assert_int_eq(find("user worker\ngroup gone\n", "worker", "workers"),
	    lookups[_i].said ? PRIVILEGE_FAILED : PRIVILEGE_BAD);
	ck_assert_int_eq(
	    strcmp(strrchr(errors, ':') + 2, expected) == 0, lookups[_i].said);
	/* A number needs none. */
	ck_assert_int_eq(find("user 9\ngroup 9\n", "worker", "workers"), 0);
}
END_TEST

START_TEST(a_chroot_is_found)
{
	char text[128];

	snprintf(text, sizeof(text), "chroot %s\n", dir_name);
	ck_assert_int_eq(find(text, "worker", "workers"), 0);
	ck_assert_str_eq(found.chroot, dir_name);
	ck_assert_ptr_eq(found.chroot, conf->chroot);
	ck_assert_int_eq(find("chroot none\n", "worker", "workers"), 0);
	ck_assert_ptr_null(found.chroot);
	/* By default there is one where it exists. */
	ck_assert_int_eq(find("", "worker", "workers"), 0);
	ck_assert_ptr_null(found.chroot);
	ck_assert_str_eq(conf->chroot, "none");
	ck_assert_int_eq(mkdir(dir_path("missing"), 0755), 0);
	ck_assert_int_eq(find("", "worker", "workers"), 0);
	ck_assert_str_eq(found.chroot, dir_path("missing"));
	ck_assert_int_eq(rmdir(dir_path("missing")), 0);
}
END_TEST

START_TEST(a_privilege_is_described)
{
	struct privilege p = { .changes = true,
		.user = "worker",
		.group = "workers",
		.uid = 4000000001,
		.gid = 7002 };
	char text[PRIVILEGE_TEXT_SIZE], expected[256];

	ck_assert_ptr_eq(privilege_describe(&p, text, sizeof(text)), text);
	ck_assert_str_eq(text,
	    "workers run as user worker (uid 4000000001), "
	    "group workers (gid 7002), chroot none");
	p.chroot = "/var/empty";
	privilege_describe(&p, text, sizeof(text));
	ck_assert_str_eq(text,
	    "workers run as user worker (uid 4000000001), "
	    "group workers (gid 7002), chroot /var/empty");
	p.changes = false;
	privilege_describe(&p, text, sizeof(text));
	snprintf(expected, sizeof(expected),
	    "not started as root: workers run as uid %d as well; "
	    "user, group and chroot are left alone",
	    (int)geteuid());
	ck_assert_str_eq(text, expected);
}
END_TEST

static void
as_root(const void *argument)
{
	(void)argument;
	must(find("chroot none\n", "worker", "workers") == 0 && found.changes);
	/* No /proc: no user namespaces. */
	must(chroot(dir_name) == 0 && chdir("/") == 0);
	must(privilege_find(&found, conf, stderr) == 0 && found.changes);
}

static void
as_user(const void *argument)
{
	(void)argument;
	must(find("user gone\nchroot /gone\n", "worker", "workers") == -1);
	must(setresuid(65534, 65534, 65534) == 0);
	/* What is not used need not be there. */
	must(privilege_find(&found, conf, stderr) == 0 && !found.changes);
}

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) > 0 && close(fd) == 0;
}

/* As unshare -r of an ordinary user; not all kernels let them. */
static bool
become_mapped_root(void)
{
	return setresuid(65534, 65534, 65534) == 0 &&
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 &&
	    unshare(CLONE_NEWUSER) == 0 &&
	    write_text("/proc/self/setgroups", "deny") &&
	    write_text("/proc/self/uid_map", "0 65534 1");
}

static void
as_mapped_root(const void *argument)
{
	(void)argument;
	must(find("", "worker", "workers") == 0);
	if (!become_mapped_root())
		return;
	must(geteuid() == 0);
	must(privilege_find(&found, conf, stderr) == 0 && !found.changes);
}

START_TEST(only_root_changes)
{
	child_must(as_root, NULL);
	child_must(as_user, NULL);
	child_must(as_mapped_root, NULL);
}
END_TEST

static void
add_find_tests(Suite *suite)
{
	TCase *tcase = unit_case(suite, "find");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_checked_fixture(tcase, NULL, release);
	tcase_add_loop_test(tcase, an_account_is_found, 0, ACCOUNTS);
	tcase_add_loop_test(
	    tcase, what_was_named_and_is_missing_is_an_error, 0, MISSING);
	tcase_add_test(tcase, without_nobody_a_user_must_be_named);
	tcase_add_loop_test(
	    tcase, a_look_up_that_failed_is_no_missing_account, 0, 8);
	tcase_add_test(tcase, a_chroot_is_found);
}

int
main(void)
{
	Suite *suite = suite_create("privilege");
	TCase *tcase;
	/* Not so of the root of a namespace of one user. */
	bool is_root = geteuid() == 0 && setgroups(0, NULL) == 0;

	/* Nobody else looks for an account. */
	if (is_root)
		add_find_tests(suite);
	tcase = unit_case(suite, "changes");
	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	if (is_root)
		tcase_add_test(tcase, only_root_changes);
	else
		printf("# who changes to which account is not tested: "
		       "needs root\n");
	tcase_add_test(tcase, a_privilege_is_described);
	return unit_run(suite);
}
