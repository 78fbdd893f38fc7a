/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * origin: from where the values of a configuration came, for those who ask a running
 * attachment (cni-passt-control(7), "show"). Front ends note it as they read; nothing is
 * decided by it.
 */
#ifndef CONF_ORIGIN_H
#define CONF_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum origin {
	ORIGIN_DEFAULT,		/* nobody said anything */
	ORIGIN_CONF,		/* the network configuration, or the hook's file */
	ORIGIN_ARGS,		/* CNI_ARGS, args.cni */
	ORIGIN_RUNTIME,		/* runtimeConfig */
	ORIGIN_IPAM,		/* an IPAM plugin */
	ORIGIN_ANNOTATION,	/* of the container, by the hook */
	ORIGIN_HOST,		/* read from the host */
	ORIGIN_OPTION,		/* pasta's command line */
	ORIGIN_COMMAND,		/* changed while it runs */
	ORIGIN_COUNT
};

extern const char *const origin_names[ORIGIN_COUNT];	/* "configuration" */

/* Keys by their place in the network configuration; where a family can have another origin
 * than the other one, each has its own. */
#define ORIGIN_KEYS(X) \
	X(IPV4, "ipv4") X(IPV6, "ipv6") X(FOLLOW, "follow") X(SOURCE_CHECK, "sourceCheck") \
	X(METADATA, "metadata") X(SANDBOX, "sandbox") X(USER, "user") X(MTU, "mtu") X(MAC, "mac") \
	X(ADDRESSES, "addresses") X(ADDRESSES4, "") X(ADDRESSES6, "") X(GATEWAYS4, "") \
	X(GATEWAYS6, "") X(ROUTES, "routes") X(HOST_ADDRESS, "hostAddress") \
	X(HOST_LOOPBACK, "hostLoopback") X(PRESERVE_SOURCE, "preserveSource") X(LISTEN, "listen") \
	X(CONFLICT, "portConflict") X(CONFIGURE, "configure") \
	X(NAMESERVERS, "dns.nameservers") X(DNS_FORWARD, "dns.forward") \
	X(HOST_NAMES, "dns.hostNames") X(DOMAIN, "dns.domain") X(SEARCH, "dns.search") \
	X(PORTAL, "dhcp.captivePortal") X(IPV6_ONLY, "dhcp.ipv6OnlyPreferred") \
	X(DELEGATED, "dhcp.prefix") X(OUT_IFNAME, "outbound.interface") \
	X(OUT_ADDRESSES, "outbound.addresses") X(VIA, "via") X(UDP_TIMEOUT, "udp.timeout") \
	X(UDP_STREAM, "udp.timeoutStream") X(LOG_LEVEL, "log.level") X(LOG_TARGET, "log.target") \
	X(CAPTURE, "capture")

enum origin_key {
#define X(key, name) ORIGIN_KEY_##key,
	ORIGIN_KEYS(X)
#undef X
	ORIGIN_KEY_COUNT
};

extern const char *const origin_key_names[ORIGIN_KEY_COUNT];	/* "" where it has none */

/* The key of that name; ORIGIN_KEY_COUNT: none that is noted. */
enum origin_key origin_key_find(const char *name);

#endif
