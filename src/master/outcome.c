#include "master/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

void
outcome_begin(struct outcome *outcome, struct control *control,
    enum control_what next, enum control_what what)
{
	control_change(control, next, what);
	if (outcome->to != NULL)
		return; /* it begins once more */
	outcome->to = open_memstream(&outcome->text, &outcome->size);
	log_tee(outcome->to);
}

char *
outcome_why(struct outcome *outcome, const char *why, char *text, size_t size)
{
	strlcpy(text, why, size);
	if (outcome->to != NULL && fflush(outcome->to) == 0 &&
	    outcome->size > 0) {
		strlcat(text, ": ", size);
		strlcat(text, outcome->text, size);
		text[strcspn(text, "\n")] = '\0';
	}
	return text;
}

void
outcome_end(struct outcome *outcome, struct control *control,
    enum control_what what, bool ok, const char *last)
{
	const char *text = last == NULL ? "see the log" : last;

	log_tee(NULL);
	if (outcome->to != NULL) {
		if (last != NULL)
			fprintf(outcome->to, "%s\n", last);
		if (fclose(outcome->to) == 0)
			text = outcome->text;
	}
	control_outcome(control, what, ok, text);
	free(outcome->text);
	memset(outcome, 0, sizeof(*outcome));
}
