/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/nd: solicitations in, advertisements out (RFC 4861, 4.1 to 4.4), behind
 * the 8 bytes that wire/icmp has read or will write.
 * Called by proto/ndp alone.
 */
#include "wire/nd.h"

#include "wire/ip.h"
#include "wire/numbers.h"

#define OPT_UNIT	8	/* RFC 4861, 4.6: lengths count these */

/* One option. Unknown ones are stepped over (RFC 4861, 4.6). */
static enum wire_err read_option(struct rd *r, bool *has_slla, struct mac *slla)
{
	uint8_t type, len;
	struct rd body;

	if (!rd_u8(r, &type) || !rd_u8(r, &len) || !len ||
	    !rd_sub(r, (size_t)len * OPT_UNIT - 2, &body))
		return WIRE_OPTION;
	if (type != NDO_SLLA)
		return WIRE_OK;
	/* RFC 2464, 6: an Ethernet address makes it one unit */
	if (len != 1)
		return WIRE_OPTION;
	rd_copy(&body, slla->b, sizeof(slla->b));
	*has_slla = true;
	return WIRE_OK;
}

static enum wire_err read_options(struct rd *r, bool *has_slla, struct mac *slla)
{
	for (unsigned int i = 0; r->left; i++) {
		enum wire_err err = i == ND_OPTS_MAX ? WIRE_OPTION
						     : read_option(r, has_slla, slla);

		if (err)
			return err;
	}
	return WIRE_OK;
}

enum wire_err nd_ns_read(struct rd *r, struct nd_ns *ret)
{
	struct nd_ns ns = { .has_slla = false };
	enum wire_err err;

	if (!rd_copy(r, ns.target.b, sizeof(ns.target.b)))
		return WIRE_SHORT;
	if (!ip6_addr_ok(&ns.target) || addr_is_any(&ns.target) || addr_is_multicast(&ns.target))
		return WIRE_ADDRESS;
	err = read_options(r, &ns.has_slla, &ns.slla);
	if (err == WIRE_OK)
		*ret = ns;
	return err;
}

enum wire_err nd_rs_read(struct rd *r, struct nd_rs *ret)
{
	struct nd_rs rs = { .has_slla = false };
	enum wire_err err = read_options(r, &rs.has_slla, &rs.slla);

	if (err == WIRE_OK)
		*ret = rs;
	return err;
}

bool nd_na_write(struct wr *w, const struct addr *target, const struct mac *tlla)
{
	uint8_t *p = wr_space(w, ND_NA_LEN);
	struct wr h;

	if (!p)
		return false;
	h = wr_init(p, ND_NA_LEN);
	wr_bytes(&h, target->b, sizeof(target->b));
	wr_u8(&h, NDO_TLLA);
	wr_u8(&h, 1);
	return wr_bytes(&h, tlla->b, sizeof(tlla->b));
}

uint32_t nd_ra_rest(uint8_t hop_limit, uint8_t flags, uint16_t lifetime)
{
	return (uint32_t)hop_limit << 24 | (uint32_t)flags << 16 | lifetime;
}

bool nd_ra_write(struct wr *w, uint32_t reachable_ms, uint32_t retrans_ms)
{
	return wr_u32(w, reachable_ms) && wr_u32(w, retrans_ms);
}

/* Begins an option of len bytes in all, padded with zeros to whole units. Its
 * body is *ret; false if there is no room for it, and then nothing is written. */
static bool open_option(struct wr *w, uint8_t type, size_t len, struct wr *ret)
{
	size_t units = (len + OPT_UNIT - 1) / OPT_UNIT;

	if (units > UINT8_MAX || units * OPT_UNIT > w->left)
		return false;
	wr_u8(w, type);
	wr_u8(w, (uint8_t)units);
	*ret = wr_init(wr_space(w, units * OPT_UNIT - 2), units * OPT_UNIT - 2);
	memset(ret->p, 0, ret->left);
	return true;
}

bool nd_opt_slla(struct wr *w, const struct mac *mac)
{
	struct wr b;

	return open_option(w, NDO_SLLA, 8, &b) && wr_bytes(&b, mac->b, sizeof(mac->b));
}

bool nd_opt_mtu(struct wr *w, uint32_t mtu)
{
	struct wr b;

	return open_option(w, NDO_MTU, 8, &b) && wr_zero(&b, 2) && wr_u32(&b, mtu);
}

/* The first `len` bits of a, the others zero, as `bytes` bytes. */
static void put_prefix(struct wr *w, const struct prefix *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned int bits = p->len > i * 8 ? MIN_OF(p->len - (unsigned int)i * 8, 8u) : 0;

		wr_u8(w, (uint8_t)(p->addr.b[i] & (0xff00u >> bits)));
	}
}

bool nd_opt_prefix(struct wr *w, const struct prefix *p, uint8_t flags, uint32_t valid,
		   uint32_t preferred)
{
	struct wr b;

	if (!open_option(w, NDO_PREFIX, 32, &b))
		return false;
	wr_u8(&b, p->len);
	wr_u8(&b, flags);
	wr_u32(&b, valid);
	wr_u32(&b, preferred);
	wr_zero(&b, 4);
	put_prefix(&b, p, 16);
	return true;
}

bool nd_opt_route(struct wr *w, const struct prefix *p, uint32_t lifetime)
{
	/* RFC 4191, 2.3: one to three units, as many as the prefix needs */
	size_t bytes = p->len > 64 ? 16 : p->len > 0 ? 8 : 0;
	struct wr b;

	if (!open_option(w, NDO_ROUTE, 8 + bytes, &b))
		return false;
	wr_u8(&b, p->len);
	wr_u8(&b, 0);		/* medium preference */
	wr_u32(&b, lifetime);
	put_prefix(&b, p, bytes);
	return true;
}

bool nd_opt_rdnss(struct wr *w, const struct addr *servers, uint32_t n, uint32_t lifetime)
{
	uint32_t n6 = 0;
	struct wr b;

	for (uint32_t i = 0; i < n; i++)
		n6 += !addr_is4(&servers[i]);
	if (!n6 || !open_option(w, NDO_RDNSS, 8 + (size_t)n6 * 16, &b))
		return false;
	wr_zero(&b, 2);
	wr_u32(&b, lifetime);
	for (uint32_t i = 0; i < n; i++)
		if (!addr_is4(&servers[i]))
			wr_bytes(&b, servers[i].b, 16);
	return true;
}

bool nd_opt_dnssl(struct wr *w, const void *names, size_t names_len, uint32_t lifetime)
{
	struct wr b;

	if (!names_len || !open_option(w, NDO_DNSSL, 8 + names_len, &b))
		return false;
	wr_zero(&b, 2);
	wr_u32(&b, lifetime);
	return wr_bytes(&b, names, names_len);
}

bool nd_opt_captive_portal(struct wr *w, const char *uri)
{
	struct wr b;

	return open_option(w, NDO_CAPTIVE_PORTAL, 2 + strlen(uri), &b) &&
	       wr_bytes(&b, uri, strlen(uri));
}
