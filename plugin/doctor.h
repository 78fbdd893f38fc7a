/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what its parts have in common: findings. */
#ifndef PLUGIN_DOCTOR_H
#define PLUGIN_DOCTOR_H

#include "plugin/command.h"

#define DOCTOR_TEXT	512	/* bytes of a small file, or of what is said */

enum level { GOOD, NOTE, BAD, LEVEL_COUNT };

struct doctor {
	struct command *c;
	struct json_object *findings;
	uint32_t bad;
};

/* why and mend are NULL where all is well. */
void finding(struct doctor *d, enum level level, const char *topic, const char *why,
	     const char *mend, const char *fmt, ...) PRINTF_LIKE(6, 7);

/* Whether packets of that family would find a way out from here; none is sent. */
bool doctor_has_way(bool v4);

/* The parts, in the order in which they are told. */
void doctor_machine(struct doctor *d);
void doctor_programs(struct doctor *d);		/* clients, daemon, broker */
void doctor_container(struct doctor *d, const char *netns);

#endif
