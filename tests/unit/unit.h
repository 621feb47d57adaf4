/*
 * unit: the runner that all unit tests share. It speaks TAP on stdout, so
 * that each case is counted.
 */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <check.h>

/* Far more than any case needs: only a hang may end a case by it. */
#define UNIT_TIMEOUT 60

/* A new case of the suite. */
static inline TCase *
unit_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, UNIT_TIMEOUT);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* Runs all cases and frees the suite; returns main's exit status. */
static inline int
unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

#endif
