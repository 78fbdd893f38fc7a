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

/* What a file says, in the place of what c has. */
static void take(struct conf *c, const struct resolv *r)
{
	c->nnameservers = 0;
	for (uint32_t i = 0; i < r->nservers; i++)
		if (is_in_reach(&r->servers[i]))
			c->nameservers[c->nnameservers++] = r->servers[i].addr;
	memcpy(c->domain, r->domain, sizeof(c->domain));
	memcpy(c->search, r->search, sizeof(c->search));
	c->nsearch = r->nsearch;
}

void resolv_merge(struct conf *c, const struct conf *host)
{
	if (!c->ndns_forward) {
		memcpy(c->nameservers, host->nameservers, sizeof(c->nameservers));
		c->nnameservers = host->nnameservers;
		c->from[ORIGIN_KEY_NAMESERVERS] = ORIGIN_HOST;
	}
	if (c->domain[0] || c->nsearch)
		return;
	memcpy(c->domain, host->domain, sizeof(c->domain));
	memcpy(c->search, host->search, sizeof(c->search));
	c->nsearch = host->nsearch;
	c->from[ORIGIN_KEY_DOMAIN] = c->from[ORIGIN_KEY_SEARCH] = ORIGIN_HOST;
}

void resolv_fill_from(struct conf *c, const char *const *files, size_t n)
{
	struct conf host = *c;
	struct resolv r;

	if (c->nnameservers)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!read_file(files[i], &r))
			continue;
		take(&host, &r);
		/* where none of them can be asked, their names do not count either */
		if (!c->ndns_forward && !host.nnameservers)
			continue;
		resolv_merge(c, &host);
		return;
	}
}

void resolv_fill(struct conf *c)
{
	static const char *const files[] = { RESOLV_FILE, RESOLVED_FILE };

	resolv_fill_from(c, files, ARRAY_LEN(files));
}
