/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/outer.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
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

static bool is_global(const struct sockaddr *sa, bool v4)
{
	struct in6_addr six;
	uint32_t four;

	if (sa->sa_family != (v4 ? AF_INET : AF_INET6))
		return false;
	if (!v4) {
		memcpy(&six, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, sizeof(six));
		return !IN6_IS_ADDR_LINKLOCAL(&six) && !IN6_IS_ADDR_LOOPBACK(&six);
	}
	four = ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr);
	return four >> 24 != IN_LOOPBACKNET && four >> 16 != 0xa9fe;	/* RFC 3927 */
}

static bool find_holder(bool v4, char ret[CONF_IFNAME_MAX + 1])
{
	const unsigned int want = IFF_UP | IFF_RUNNING;
	struct ifaddrs *list, *i;

	ret[0] = '\0';
	if (getifaddrs(&list) < 0)
		return false;
	for (i = list; i && !ret[0]; i = i->ifa_next)
		if (i->ifa_addr && (i->ifa_flags & (want | IFF_LOOPBACK)) == want &&
		    is_global(i->ifa_addr, v4))
			snprintf(ret, CONF_IFNAME_MAX + 1, "%.15s", i->ifa_name);
	freeifaddrs(list);
	return ret[0];
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
	    (c->ipv6 && find_default("/proc/net/ipv6_route", read6, ret)) ||
	    (c->ipv4 && find_holder(true, ret)) || (c->ipv6 && find_holder(false, ret)))
		return;
	strcpy(ret, OUTER_NONE);
}
