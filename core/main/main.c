/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main: which of the core's faces is asked for. The program is started by a
 * front end (--attach, conf/handoff.h), or by a person who wants to know what
 * it is. Other names than its own come here too, by argv[0].
 */
#include <stdio.h>
#include <string.h>

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

	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(faces); i++)
		if (strcmp(argv[1], faces[i].word) == 0)
			return faces[i].fn();
	return usage(stderr);
}
