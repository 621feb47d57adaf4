/*
 * Tests of common/conf: the worker keywords of a block, together.
 */
#include "unit/conf_text.h"
#include "unit/unit.h"

#define BLOCK "service echo {\nlisten *:7\n"

/* What a block gives, and start, min-spare, max-spare and max of it. */
static const struct {
	const char *text;
	int64_t start, min_spare, max_spare, max;
} workers[] = {
	{ "", 4, 4, 16, 1024 },
	/* A maximum takes the defaults down with it. */
	{ "max-workers 1\n", 1, 1, 1, 1 },
	{ "max-workers 4\n", 4, 4, 4, 4 },
	{ "max-workers 10\n", 4, 4, 10, 10 },
	{ "max-workers 10\nstart-workers 10\n", 10, 4, 10, 10 },
	{ "max-workers 10\nmin-spare-workers 10\n", 4, 10, 10, 10 },
	{ "max-workers 10\nmax-spare-workers 2\n", 4, 2, 2, 10 },
	/* The default of the maximum goes up with what was given. */
	{ "start-workers 1024\n", 1024, 4, 16, 1024 },
	{ "start-workers 1025\n", 1025, 4, 16, 1025 },
	{ "min-spare-workers 2000\n", 4, 2000, 2000, 2000 },
	{ "max-spare-workers 2000\n", 4, 4, 2000, 2000 },
	{ "start-workers 3000\nmax-spare-workers 2000\n", 3000, 4, 2000, 3000 },
	{ "start-workers 2000\nmin-spare-workers 3000\n", 2000, 3000, 3000,
	    3000 },
	/* Of the two spare ones the default gives way, whichever it is. */
	{ "min-spare-workers 16\n", 4, 16, 16, 1024 },
	{ "min-spare-workers 17\n", 4, 17, 17, 1024 },
	{ "max-spare-workers 4\n", 4, 4, 4, 1024 },
	{ "max-spare-workers 3\n", 4, 3, 3, 1024 },
	{ "min-spare-workers 30\nmax-workers 50\n", 4, 30, 30, 50 },
	/* More to begin with than are kept spare is as it was asked for. */
	{ "start-workers 100\n", 100, 4, 16, 1024 },
	{ "start-workers 5\nmin-spare-workers 5\nmax-spare-workers 5\n"
	  "max-workers 5\n",
	    5, 5, 5, 5 },
};

static const struct {
	const char *text, *errors;
} refused[] = {
	{ "start-workers 11\nmax-workers 10\n",
	    "f:5: service echo: start-workers 11: more than max-workers, "
	    "which is 10\n" },
	{ "max-workers 10\nmin-spare-workers 11\n",
	    "f:5: service echo: min-spare-workers 11: more than max-workers, "
	    "which is 10\n" },
	{ "max-spare-workers 11\n\nmax-workers 10\n",
	    "f:6: service echo: max-spare-workers 11: more than max-workers, "
	    "which is 10\n" },
	{ "min-spare-workers 3\nmax-spare-workers 2\n",
	    "f:5: service echo: min-spare-workers 3: more than "
	    "max-spare-workers, which is 2\n" },
	/* The default between them is no bridge over two that contradict. */
	{ "min-spare-workers 100\nmax-workers 50\n",
	    "f:5: service echo: min-spare-workers 100: more than max-workers, "
	    "which is 50\n" },
};

#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

static const char *
block(const char *middle)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s%s}\n", BLOCK, middle);
	return text;
}

START_TEST(a_default_gives_way)
{
	struct conf *conf = good_conf(block(workers[_i].text));
	const struct conf_service *service = first_service(conf);

	ck_assert_int_eq(service->start_workers, workers[_i].start);
	ck_assert_int_eq(service->min_spare_workers, workers[_i].min_spare);
	ck_assert_int_eq(service->max_spare_workers, workers[_i].max_spare);
	ck_assert_int_eq(service->max_workers, workers[_i].max);
	conf_free(conf);
}
END_TEST

START_TEST(two_values_that_contradict_are_refused)
{
	assert_errors(block(refused[_i].text), refused[_i].errors);
}
END_TEST

START_TEST(a_block_made_by_an_argument_has_the_defaults)
{
	char argument[] = "echo@127.0.0.1:7007";
	char *arguments[] = { argument };
	struct conf *conf = good_conf("");

	ck_assert_int_eq(
	    conf_apply_arguments(conf, arguments, 1, service_known, stderr), 0);
	ck_assert_int_eq(first_service(conf)->max_workers, 1024);
	ck_assert_int_eq(first_service(conf)->min_spare_workers, 4);
	conf_free(conf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_workers");
	TCase *tcase = unit_case(suite, "workers");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_loop_test(tcase, a_default_gives_way, 0, COUNT(workers));
	tcase_add_loop_test(
	    tcase, two_values_that_contradict_are_refused, 0, COUNT(refused));
	tcase_add_test(tcase, a_block_made_by_an_argument_has_the_defaults);
	return unit_run(suite);
}
