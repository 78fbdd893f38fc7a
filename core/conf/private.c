/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/private.h"

#include <stdio.h>

#include "base/siphash.h"

#define TRIES 16	/* addresses of one container that are looked at */

/* Not a secret: it makes the addresses stable over hosts and restarts. */
static const struct sipkey key = { { 0x636e692d70617373, 0x742d616464722d31 } };

static uint64_t bits(const struct conf *c, char what, unsigned int try)
{
	char text[CONF_ID_MAX + CONF_IFNAME_MAX + 16];
	int n = snprintf(text, sizeof(text), "%s/%s/%c%u", c->container_id, c->ifname, what, try);

	return siphash(&key, text, (size_t)n);
}

/* 22 bits behind 100.64.0.0/10, but no last byte of 0 or 255: there are programs that
 * take these for a network's own or its broadcast address. */
static struct prefix private4(const struct conf *c, unsigned int try)
{
	uint64_t h = bits(c, '4', try);
	const uint8_t b[4] = { 100, (uint8_t)(64 | (h & 63)), (uint8_t)(h >> 8),
			       (uint8_t)(1 + (h >> 16) % 254) };

	return (struct prefix){ addr_from4(b), 32 };
}

/* fd00::/8, a global id of 40 bits, subnet 0, an interface id of 64. */
static struct prefix private6(const struct conf *c, unsigned int try)
{
	uint64_t net = bits(c, '6', try), id = bits(c, 'i', try);
	struct prefix p = { .addr = { { 0xfd } }, .len = 128 };

	for (int i = 0; i < 5; i++)
		p.addr.b[1 + i] = (uint8_t)(net >> (8 * i));
	for (int i = 0; i < 8; i++)
		p.addr.b[8 + i] = (uint8_t)(id >> (8 * i));
	return p;
}

static bool is_occupied(const struct occupied *occ, const struct addr *a)
{
	for (uint32_t i = 0; i < occ->n; i++)
		if (prefix_contains(&occ->nets[i], a))
			return true;
	return false;
}

struct prefix private_address(const struct conf *c, bool v4, const struct occupied *occ)
{
	char text[PREFIX_STRLEN];
	struct prefix p;

	for (unsigned int i = 0; i < TRIES; i++) {
		p = v4 ? private4(c, i) : private6(c, i);
		if (!is_occupied(occ, &p.addr))
			return p;
	}
	log_warn("private address %s lies in a network that the host has a route to",
		 prefix_format(&p, text));
	return p;
}
