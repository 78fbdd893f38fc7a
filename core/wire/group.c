/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/group.h"

#include "base/cksum.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/numbers.h"

#define HEADER		8u	/* of IGMPv3 and MLDv2 reports, and of MLDv1 before the group */
#define IGMP_HEADER	4u	/* of IGMPv1 and v2 before the group */
#define ROBUSTNESS	2u	/* QRV: RFC 3376, 8.1 */
#define TOS_CONTROL	0xc0	/* RFC 3376, 4: "Internetwork Control" */

bool group_is_mld(uint8_t type)
{
	return (type >= MLD_QUERY && type <= MLD_DONE) || type == MLD2_REPORT;
}

static bool is_single(uint8_t type, bool v6)
{
	return v6 ? type == MLD_REPORT || type == MLD_DONE :
		    type == IGMP1_REPORT || type == IGMP2_REPORT || type == IGMP_LEAVE;
}

enum wire_err group_read(const struct rd *msg, bool v6, struct group_report *ret)
{
	struct rd r = *msg;
	struct group_report g = { .v6 = v6 };

	if (r.left < HEADER)
		return WIRE_SHORT;
	rd_u8(&r, &g.type);
	if (is_single(g.type, v6)) {
		rd_skip(&r, (v6 ? HEADER : IGMP_HEADER) - 1);
		g.records = 1;
	} else {
		rd_skip(&r, HEADER - 3);
		rd_u16(&r, &g.records);
		g.records = g.type == (v6 ? MLD2_REPORT : IGMP3_REPORT) ?
			    MIN_OF(g.records, (uint16_t)GROUP_RECORDS_MAX) : 0;
	}
	g.left = r;
	*ret = g;
	return WIRE_OK;
}

static bool read_group(struct rd *r, bool v6, struct addr *ret)
{
	const uint8_t *p = rd_bytes(r, v6 ? 16 : 4);

	if (p)
		*ret = v6 ? addr_from6(p) : addr_from4(p);
	return p;
}

/* A record of IGMPv3 or MLDv2 (RFC 3376, 4.2.4). *says: it tells of a change. */
static bool read_record(struct group_report *g, struct group_record *ret, bool *says)
{
	uint8_t type = 0, aux = 0;
	uint16_t sources = 0;

	rd_u8(&g->left, &type);
	rd_u8(&g->left, &aux);
	rd_u16(&g->left, &sources);
	if (!read_group(&g->left, g->v6, &ret->group) ||
	    !rd_skip(&g->left, (size_t)sources * (g->v6 ? 16 : 4) + (size_t)aux * 4))
		return false;
	*says = true;
	switch (type) {
	case GROUP_IS_EXCLUDE:
	case GROUP_TO_EXCLUDE:
		ret->wanted = true;
		break;
	case GROUP_IS_INCLUDE:
	case GROUP_ALLOW:
		ret->wanted = true;
		*says = sources;	/* of no source: nothing is asked for */
		break;
	case GROUP_TO_INCLUDE:
		ret->wanted = sources;
		break;
	default:			/* BLOCK, and what is not known: 4.2.12 */
		*says = false;
	}
	return true;
}

bool group_next(struct group_report *g, struct group_record *ret, enum wire_err *err)
{
	bool says = false;

	*err = WIRE_OK;
	while (g->records && !says) {
		g->records--;
		if (!is_single(g->type, g->v6)) {
			if (!read_record(g, ret, &says))
				*err = WIRE_SHORT;
		} else if (read_group(&g->left, g->v6, &ret->group)) {
			says = true;
			ret->wanted = g->type != (g->v6 ? MLD_DONE : IGMP_LEAVE);
		} else {
			*err = WIRE_SHORT;
		}
		if (*err == WIRE_OK && (!addr_is_multicast(&ret->group) ||
					addr_is4(&ret->group) == g->v6))
			*err = WIRE_ADDRESS;
		if (*err != WIRE_OK) {
			g->records = 0;
			return false;
		}
	}
	return says;
}

struct addr group_all_nodes(bool v4)
{
	return v4 ? addr_from4("\340\0\0\1") : (struct addr){ { 0xff, 2, [15] = 1 } };
}

/* What follows the group in both (RFC 3376, 4.1.5 on): S and QRV, QQIC, no sources. */
static void put_tail(struct wr *w, uint8_t interval_s)
{
	wr_u8(w, ROBUSTNESS);
	wr_u8(w, interval_s);
	wr_u16(w, 0);
}

static void put_sum(uint8_t *at, uint16_t sum)
{
	struct wr w = wr_init(at, 2);

	wr_u16(&w, sum);
}

static void igmp_query(struct wr *w, const struct addr *from, uint16_t max_ms, uint8_t interval_s)
{
	static const uint8_t alert[4] = { 0x94, 4 };	/* RFC 2113 */
	const struct addr to = group_all_nodes(true);
	uint8_t *ip = w->p, *msg;

	wr_u16(w, 0x4600 | TOS_CONTROL);
	wr_u16(w, IP4_HLEN + sizeof(alert) + 12);
	wr_u32(w, 0);
	wr_u8(w, 1);
	wr_u8(w, PROTO_IGMP);
	wr_u16(w, 0);
	wr_bytes(w, addr_bytes(from), 4);
	wr_bytes(w, addr_bytes(&to), 4);
	wr_bytes(w, alert, sizeof(alert));
	msg = w->p;
	wr_u8(w, IGMP_QUERY);
	wr_u8(w, (uint8_t)(max_ms / 100));
	wr_u16(w, 0);
	wr_u32(w, 0);
	put_tail(w, interval_s);
	if (w->failed)
		return;
	put_sum(ip + 10, cksum_finish(cksum_add(ip, IP4_HLEN + sizeof(alert), 0)));
	put_sum(msg + 2, cksum_finish(cksum_add(msg, 12, 0)));
}

static void mld_query(struct wr *w, const struct addr *from, uint16_t max_ms, uint8_t interval_s)
{
	/* hop-by-hop options: router alert "MLD" (RFC 2711), and padding */
	static const uint8_t alert[8] = { PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0 };
	const struct addr to = group_all_nodes(false);
	uint8_t body[20] = { 0 };
	const struct ip ip = {
		.version = 6, .src = *from, .dst = to, .proto = PROTO_HOPOPT, .ttl = 1,
		.len = sizeof(alert) + ICMP_HLEN + sizeof(body),
	};
	const struct icmp h = { .type = MLD_QUERY, .rest = (uint32_t)max_ms << 16 };
	struct wr tail = wr_init(body + 16, 4);

	put_tail(&tail, interval_s);
	ip6_write(w, &ip);
	wr_bytes(w, alert, sizeof(alert));
	icmp_write(w, true, &h, from, &to, body, sizeof(body));
}

size_t group_query_write(struct wr *w, const struct addr *from, uint16_t max_ms,
			 uint8_t interval_s)
{
	size_t room = w->left;

	if (addr_is4(from))
		igmp_query(w, from, max_ms, interval_s);
	else
		mld_query(w, from, max_ms, interval_s);
	return w->failed ? 0 : room - w->left;
}
