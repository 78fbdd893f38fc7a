/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: the answers of the control socket as JSON, one line each; what stands in them
 * is cni-passt-control(7)'s. Writes only; serve.c has done what was asked.
 */
#ifndef MAIN_REPORT_H
#define MAIN_REPORT_H

#include "main/serve.h"

void report_error(struct jsonout *o, const struct err *e);
void report_rules(struct jsonout *o, const struct serve *s, const struct control_answer *a);
void report_flows(struct jsonout *o, const struct view_page *page);
/* What stands before a capture. */
void report_capture(struct jsonout *o, const struct serve *s);
void report_show(struct jsonout *o, const struct serve *s);

/* What each counter means, in words. */
void report_counters(struct jsonout *o);

/* page: the engine's gauges; NULL: none answered, hung: though one runs. */
void report_stats(struct jsonout *o, const struct serve *s, const struct view_page *page, bool hung);

#endif
