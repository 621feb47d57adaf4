/*
 * Tests of master/shortage: which of three was too small.
 */
#include "master/shortage.h"
#include "unit/unit.h"

static const struct {
	struct shortage_view view;
	const char *name;
} cases[] = {
	{ { 0, false, 4096, 4096 }, NULL },
	/* Whatever else is wrong: nobody was turned away. */
	{ { 0, true, 128, 4096 }, NULL },
	{ { 1, true, 4096, 4096 }, "max-workers" },
	{ { 1, true, 128, 4096 }, "max-workers" },
	{ { 1, false, 128, 4096 }, "net.core.somaxconn" },
	{ { UINT64_MAX, false, 4095, 4096 }, "net.core.somaxconn" },
	{ { 1, false, 4096, 4096 }, "backlog" },
	{ { UINT64_MAX, false, 4097, 4096 }, "backlog" },
	{ { 1, false, UINT32_MAX, INT32_MAX }, "backlog" },
};

START_TEST(what_was_short_is_named)
{
	ck_assert_pstr_eq(shortage_name(&cases[_i].view), cases[_i].name);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shortage");
	TCase *tcase = unit_case(suite, "shortage");

	tcase_add_loop_test(tcase, what_was_short_is_named, 0,
	    sizeof(cases) / sizeof(cases[0]));
	return unit_run(suite);
}
