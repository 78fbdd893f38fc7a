/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/find.h"
#include "plugin/json/get.h"

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

void crowd_tell_failing(void)
{
	const enum control_verb verb = CONTROL_STATS;
	struct state_name *names = NULL;
	struct json_object **answers;
	struct err unknown = ERR_INIT;
	FD_OWNED int root = state_root(false, &unknown);
	size_t n = 0;

	if (root < 0 || state_list(&names, &n, &unknown) < 0)
		return;
	answers = n ? calloc(n, sizeof(struct json_object *)) : NULL;
	if (answers)
		crowd_ask(root, names, n, &verb, 1, answers);
	for (size_t i = 0; answers && i < n; i++) {
		struct json_object *gauges = get_member(answers[i], "gauges", json_type_object);

		if (json_object_get_boolean(get_member(gauges, "engine_failing", json_type_boolean)))
			fprintf(stderr, "cni-passt: attachment %s@%s: its engine dies again and again; see its"
				" log\n", names[i].container_id, names[i].ifname);
		json_object_put(answers[i]);
	}
	free(answers);
	free(names);
}
