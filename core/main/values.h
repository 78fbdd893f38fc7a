/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * values: what an attachment is, value by value, and from where each came: the list of the
 * answer to "show" (cni-passt-control(7)). What the configuration left to the host is told
 * as it became.
 */
#ifndef MAIN_VALUES_H
#define MAIN_VALUES_H

#include "base/jsonout.h"
#include "conf/netcfg.h"

void values_write(struct jsonout *o, const struct conf *c, const struct netcfg *net);

#endif
