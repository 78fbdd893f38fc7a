/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main: which of the core's faces is asked for. The program is started by a
 * front end (--attach, conf/handoff.h), or by a person who wants to know what
 * it is. Under the names of pasta and passt it becomes the front end cni-passt-pasta.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "conf/handoff.h"
#include "main/ask.h"
#include "main/attach.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unreleased"
#endif

static int usage(FILE *to)
{
	fprintf(to, "usage: cni-passt-core --attach | --check | --status | --help | --version\n"
		"The daemon of cni-passt: started by cni-passt, not by hand.\n");
	return to == stderr ? 2 : 0;
}

static int show_help(void)
{
	return usage(stdout);
}

static int show_version(void)
{
	puts("cni-passt-core " PACKAGE_VERSION);
	return 0;
}

/* Names under which it is the command line of pasta or passt: another program (cli/), which
 * stands beside this one, so that no daemon carries its parser and its libraries. */
static const char *const cli_names[] = { "pasta", "passt4netns", "passt" };

#define CLI_NAME	"cni-passt-pasta"

static bool is_cli_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	for (size_t i = 0; i < ARRAY_LEN(cli_names); i++)
		if (strcmp(name, cli_names[i]) == 0)
			return true;
	return false;
}

static int become_cli(char *argv[])
{
	/* installed, in the build tree */
	static const char *const places[] = { CLI_NAME, "../cli/" CLI_NAME };
	char self[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		snprintf(path, sizeof(path), "%s/%s", self, places[i]);
		execv(path, argv);
	}
	fprintf(stderr, "%s: cannot run %s/" CLI_NAME ": %s; install cni-passt whole\n", argv[0],
		self, strerror(errno));
	return 1;
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *word;
		int (*fn)(void);
	} faces[] = {
		{ HANDOFF_WORD, attach_main },
		{ HANDOFF_WORD_CHECK, ask_check },
		{ HANDOFF_WORD_STATUS, ask_status },
		{ "--help", show_help },
		{ "--version", show_version },
	};

	if (argc && is_cli_name(argv[0]))
		return become_cli(argv);
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(faces); i++)
		if (strcmp(argv[1], faces[i].word) == 0)
			return faces[i].fn();
	return usage(stderr);
}
