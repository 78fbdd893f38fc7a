/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/attach/resolv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/resolv.h"

#define RESOLVED_FILE	"/run/systemd/resolve/resolv.conf"

/* One file; false if it cannot be read. */
static bool read_file(const char *path, struct resolv *ret)
{
	static char text[RESOLV_TEXT_MAX];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	resolv_parse(text, n, ret);
	return true;
}

/* Whether the container could ask it where it stands. */
static bool is_in_reach(const struct resolv_server *s)
{
	return !addr_is_loopback(&s->addr) && !addr_is_linklocal6(&s->addr);
}

static void take_servers(struct conf *c, const struct resolv *r)
{
	for (uint32_t i = 0; i < r->nservers; i++)
		if (is_in_reach(&r->servers[i]))
			c->nameservers[c->nnameservers++] = r->servers[i].addr;
}

static void take_names(struct conf *c, const struct resolv *r)
{
	memcpy(c->domain, r->domain, sizeof(c->domain));
	memcpy(c->search, r->search, sizeof(c->search));
	c->nsearch = r->nsearch;
}

void resolv_fill_from(struct conf *c, const char *const *files, size_t n)
{
	bool named = c->domain[0] || c->nsearch;
	struct resolv r;

	if (c->nnameservers)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!read_file(files[i], &r))
			continue;
		if (!c->ndns_forward)
			take_servers(c, &r);
		if (!c->ndns_forward && !c->nnameservers)
			continue;	/* none of these can be asked: neither do its names count */
		if (!named)
			take_names(c, &r);
		return;
	}
}

void resolv_fill(struct conf *c)
{
	static const char *const files[] = { RESOLV_FILE, RESOLVED_FILE };

	resolv_fill_from(c, files, ARRAY_LEN(files));
}
