/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/crowd.h"

#include "base/clock.h"
#include "base/fd.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/find.h"

/* All questions leave before the first answer is waited for. */
static bool begin(struct ask *a, int root, const struct state_name *name,
		  const enum control_verb *verbs, size_t nverbs, int64_t deadline)
{
	FD_OWNED int fd = find_folder(root, name);

	*a = ASK_INIT;
	if (fd < 0 || ask_open(a, fd, NULL) < 0)
		return false;
	a->deadline = deadline;
	for (size_t i = 0; i < nverbs; i++)
		if (ask_send(a, ask_request(verbs[i]), NULL) < 0)
			return false;
	return true;
}

static void ask_some(int root, const struct state_name *names, size_t n,
		     const enum control_verb *verbs, size_t nverbs, struct json_object **ret)
{
	const int64_t deadline = clock_ms() + CROWD_MS;
	struct ask asks[CROWD_MAX];
	bool there[CROWD_MAX];

	for (size_t i = 0; i < n; i++)
		there[i] = begin(&asks[i], root, &names[i], verbs, nverbs, deadline);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < nverbs && there[i]; j++) {
			ret[i * nverbs + j] = ask_answer(&asks[i], NULL);
			there[i] = ret[i * nverbs + j] != NULL;
		}
		ask_close(&asks[i]);
	}
}

void crowd_ask(int root, const struct state_name *names, size_t n, const enum control_verb *verbs,
	       size_t nverbs, struct json_object **ret)
{
	for (size_t i = 0; i < n; i += CROWD_MAX)
		ask_some(root, names + i, MIN_OF(n - i, (size_t)CROWD_MAX), verbs, nverbs,
			 ret + i * nverbs);
}
