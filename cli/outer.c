/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/outer.h"

#include <net/route.h>
#include <stdio.h>
#include <string.h>

/* A line of the kernel's tables; the formats are theirs (proc(5)). */
struct line {
	char name[CONF_IFNAME_MAX + 1];
	unsigned int flags, metric;
	bool is_default;
};

static bool read4(const char *text, struct line *l)
{
	unsigned int dst, mask;

	if (sscanf(text, "%15s %x %*x %x %*d %*d %u %x", l->name, &dst, &l->flags, &l->metric,
		   &mask) != 5)
		return false;
	l->is_default = !dst && !mask;
	return true;
}

static bool read6(const char *text, struct line *l)
{
	unsigned int len;
	char dst[33];

	if (sscanf(text, "%32s %x %*s %*x %*s %x %*x %*x %x %15s", dst, &len, &l->metric,
		   &l->flags, l->name) != 5)
		return false;
	l->is_default = !len && strspn(dst, "0") == 32;
	return true;
}

static bool find_default(const char *path, bool (*read)(const char *, struct line *),
			 char ret[CONF_IFNAME_MAX + 1])
{
	FILE *f = fopen(path, "re");
	struct line l, best = { .metric = UINT32_MAX };
	char text[256];

	if (!f)
		return false;
	while (fgets(text, sizeof(text), f))
		/* an unreachable default stands on lo */
		if (read(text, &l) && l.is_default && (l.flags & RTF_UP) &&
		    strcmp(l.name, "lo") != 0 && (!best.name[0] || l.metric < best.metric))
			best = l;
	fclose(f);
	strcpy(ret, best.name);
	return best.name[0];
}

void outer_ifname(const struct conf *c, char ret[CONF_IFNAME_MAX + 1])
{
	const char *const given[] = { c->template_ifname, c->outbound_ifname4, c->outbound_ifname6 };

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (given[i][0]) {
			strcpy(ret, given[i]);
			return;
		}
	if ((c->ipv4 && find_default("/proc/net/route", read4, ret)) ||
	    (c->ipv6 && find_default("/proc/net/ipv6_route", read6, ret)))
		return;
	strcpy(ret, OUTER_NONE);
}
