/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gc: ends the attachments of a network that its runtime no longer knows, and
 * sweeps the folders of those whose daemon is gone, whatever their network
 * (CNI SPEC.md, section 2, GC). Called by main.c.
 */
#ifndef PLUGIN_GC_H
#define PLUGIN_GC_H

#include <json-c/json.h>

#include "base/err.h"

/*
 * netconf: the request, or NULL by hand without one. Without a list of valid
 * attachments in it nothing that lives is ended: that the list is absent does
 * not say that it is empty. Goes on after an error; -1 with the first in *e.
 */
int gc_run(struct json_object *netconf, int stop_fd, struct err *e);

#endif
