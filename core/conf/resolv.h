/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolv: the text of a resolver configuration (resolv.conf(5)) to values, and the
 * resolvers that the engine asks. Pure: who reads the file is plugin/resolv.c for the
 * names a DHCP client is told, io/resolvers.c for the DNS forwarder.
 */
#ifndef CONF_RESOLV_H
#define CONF_RESOLV_H

#include "conf/conf.h"

#define RESOLV_FILE		"/etc/resolv.conf"
#define RESOLV_TEXT_MAX		65536u	/* bytes of the file that are looked at */
#define RESOLVERS_MAX		CONF_NAMESERVERS_MAX

struct resolv_server {
	struct addr addr;		/* one host's, or a loopback one */
	char ifname[CONF_IFNAME_MAX + 1];	/* of a link-local one's "%eth0"; else empty */
};

struct resolv {
	uint32_t nservers;
	struct resolv_server servers[RESOLVERS_MAX];
	char domain[CONF_DOMAIN_MAX + 1];	/* empty: none */
	uint32_t nsearch;
	char search[CONF_SEARCH_MAX][CONF_DOMAIN_MAX + 1];
};

/*
 * Line by line: a keyword at the line's begin, the rest of a line behind what is
 * looked at is not; of "domain" and "search" the last one counts. What is malformed or
 * has no room is left out. Nothing fails: any text says something, if only nothing.
 */
void resolv_parse(const char *text, size_t len, struct resolv *ret);

/* What the forwarder goes by, of fixed size: main tells the engine. */
struct resolver {
	struct addr addr;
	uint32_t scope;			/* interface index for IPv6 link-local, else 0 */
};

struct resolvers {
	uint32_t n;			/* 0: none is known */
	struct resolver list[RESOLVERS_MAX];
	char host[CONF_DOMAIN_MAX + 1];	/* the host's own name; empty: none to be told */
};

/* Whether a name of the host may be answered for: a domain name, and none that means
 * something else everywhere ("localhost"). */
bool resolv_host_ok(const char *name);

/* Of values that came by message: counts in their arrays, every address one that may
 * be asked, the name terminated and of its kind. */
bool resolvers_ok(const struct resolvers *r);

bool resolvers_eq(const struct resolvers *a, const struct resolvers *b);

#endif
