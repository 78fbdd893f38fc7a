/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the command `cni-passt doctor`: what of this machine helps or hinders, and with
 * --netns or --pid the way out of one container, step by step. Each finding says what it
 * is, why it matters and what mends it. Changes nothing; of the machine the last word is a
 * trial of an ADD's way, the same as STATUS.
 */
#include "plugin/doctor.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/attach/attach.h"
#include "plugin/attach/front.h"

static const char *const level_names[] = { "ok", "note", "FAIL" };
static_assert(ARRAY_LEN(level_names) == LEVEL_COUNT, "a name for each level");

void finding(struct doctor *d, enum level level, const char *topic, const char *why,
	     const char *mend, const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char what[DOCTOR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	front_clean(what);
	d->bad += level == BAD;
	json_object_object_add(o, "level", json_object_new_string(level_names[level]));
	json_object_object_add(o, "topic", json_object_new_string(topic));
	json_object_object_add(o, "what", json_object_new_string(what));
	if (why)
		json_object_object_add(o, "why", json_object_new_string(why));
	if (mend)
		json_object_object_add(o, "mend", json_object_new_string(mend));
	json_object_array_add(d->findings, o);
	if (d->c->json)
		return;
	printf("%-5s %-12s %s\n", level_names[level], topic, what);
	if (why)
		printf("%18s why:  %s\n", "", why);
	if (mend)
		printf("%18s mend: %s\n", "", mend);
	fflush(stdout);		/* the next one may take a while */
}

/* The way of an ADD, with nothing that stays. */
static void check_trial(struct doctor *d)
{
	struct err e = ERR_INIT;
	struct conf c;

	conf_init(&c);
	strcpy(c.container_id, "doctor");
	strcpy(c.ifname, "eth0");
	strcpy(c.netns_path, "/proc/self/ns/net");
	strcpy(c.state_dir, "/");
	if (conf_validate(&c, &e) == 0 && attach_status(&c, -1, &e) == 0)
		finding(d, GOOD, "trial", NULL, NULL, "an ADD would work");
	else
		finding(d, BAD, "trial", "no container can be attached",
			e.details[0] ? e.details : NULL, "an ADD would not work: %s", e.msg);
}

static int print_json(struct command *c, struct doctor *d)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "works", json_object_new_boolean(!d->bad));
	json_object_object_add(o, "findings", json_object_get(d->findings));
	return command_print(c, o);
}

int doctor_command(struct command *c)
{
	struct doctor d = { .c = c };
	int r = 0;

	if (c->nwords)
		return command_misuse(c, "one word too many: %.40s", c->words[0]);
	d.findings = json_object_new_array();
	doctor_machine(&d);
	doctor_programs(&d);
	check_trial(&d);
	if (c->netns)
		doctor_container(&d, c->netns);
	if (c->json)
		r = print_json(c, &d);
	json_object_put(d.findings);
	if (r == 0 && d.bad)
		r = err_set(c->err, ERR_UNAVAILABLE, "doctor: %u of the findings keep%s it from working",
			    d.bad, d.bad == 1 ? "s" : "");
	return r < 0 ? r : command_flush(c);
}
