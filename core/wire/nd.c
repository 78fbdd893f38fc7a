/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/nd: Neighbor Solicitations in, Neighbor Advertisements out (RFC 4861,
 * 4.3 and 4.4), behind the 8 bytes that wire/icmp has read or will write.
 * Called by proto/ndp alone.
 */
#include "wire/nd.h"

#include "wire/numbers.h"

#define OPT_UNIT	8	/* RFC 4861, 4.6: lengths count these */

/* One option. Unknown ones are stepped over (RFC 4861, 4.6). */
static enum wire_err read_option(struct rd *r, struct nd_ns *ns)
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
	rd_copy(&body, ns->slla.b, sizeof(ns->slla.b));
	ns->has_slla = true;
	return WIRE_OK;
}

enum wire_err nd_ns_read(struct rd *r, struct nd_ns *ret)
{
	struct nd_ns ns = { .has_slla = false };
	enum wire_err err;

	if (!rd_copy(r, ns.target.b, sizeof(ns.target.b)))
		return WIRE_SHORT;
	/* IPv4-mapped: it would be an IPv4 address to struct addr. */
	if (addr_is4(&ns.target) || addr_is_multicast(&ns.target))
		return WIRE_ADDRESS;
	for (unsigned int i = 0; r->left; i++) {
		if (i == ND_OPTS_MAX)
			return WIRE_OPTION;
		err = read_option(r, &ns);
		if (err)
			return err;
	}
	*ret = ns;
	return WIRE_OK;
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
