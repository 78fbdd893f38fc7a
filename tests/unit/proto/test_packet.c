/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs every script of tests/packet/ (script.h there has the language) in each
 * variant: SO_PEEK_OFF or own ring, offloads or none, IPv4 or IPv6.
 *
 *	test_packet [FILE...]		all of tests/packet without an argument
 */
#include "../unit.h"

#include <dirent.h>
#include <stdio.h>

#include "fakeport.h"
#include "tests/packet/script.h"

#define VARIANTS	8
#define SCRIPTS_MAX	256

static void run_script(void **state)
{
	const char *path = *state;
	unsigned int total = 0;

	for (unsigned int i = 0; i < VARIANTS; i++) {
		const struct script_variant v = {
			.no_offload = i & 1, .no_peek = i & 2, .v6 = i & 4,
		};
		char err[SCRIPT_ERR];
		bool ran = false;

		if (!script_run(path, &v, &ran, err))
			fail_msg("%s (%s, %s, %s)", err, v.no_offload ? "plain" : "offload",
				 v.no_peek ? "ring" : "peek", v.v6 ? "v6" : "v4");
		total += ran;
	}
	assert_true(total > 0);
}

static int is_script(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".pkt") == 0;
}

static int find_scripts(char **paths)
{
	const char *root = getenv("top_srcdir");
	struct dirent **names;
	char dir[4096];
	int n, kept = 0;

	snprintf(dir, sizeof(dir), "%s/tests/packet", root ? root : ".");
	n = scandir(dir, &names, is_script, alphasort);
	for (int i = 0; i < n; i++) {
		if (kept < SCRIPTS_MAX &&
		    asprintf(&paths[kept], "%s/%s", dir, names[i]->d_name) > 0)
			kept++;
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return kept;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[SCRIPTS_MAX];
	static char *found[SCRIPTS_MAX];
	char **paths = argc > 1 ? argv + 1 : found;
	int n = argc > 1 ? MIN_OF(argc - 1, SCRIPTS_MAX) : find_scripts(found), rc;

	if (n == 0) {
		fprintf(stderr, "test_packet: no script found\n");
		return 1;
	}
	for (int i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){
			.name = strrchr(paths[i], '/') ? strrchr(paths[i], '/') + 1 : paths[i],
			.test_func = run_script, .initial_state = paths[i],
		};
	rc = _cmocka_run_group_tests("packet", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(found[i]);
	return rc;
}
