/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/icmp_error.h"

#include "proto/frame.h"
#include "wire/icmp.h"
#include "wire/numbers.h"

#define ERROR4_MAX	576u	/* bytes of the whole error: RFC 1812, 4.3.2.3 */
#define ERROR6_MAX	1280u	/* RFC 4443, 2.4 (c): the least MTU of IPv6 */
#define MS_PER_ERROR	(1000u / ICMP_ERRORS_PER_S)

/* A bucket that is full when nothing was sent for BURST * MS_PER_ERROR: kept as the
 * time at which it would be full again. */
bool icmp_error_allowed(struct ctx *c)
{
	const uint64_t most = (uint64_t)ICMP_ERRORS_BURST * MS_PER_ERROR;

	c->icmp_full_at = MAX_OF(c->icmp_full_at, c->now);
	if (c->icmp_full_at + MS_PER_ERROR > c->now + most) {
		c->count->icmp_errors_limited++;
		return false;
	}
	c->icmp_full_at += MS_PER_ERROR;
	return true;
}

static bool is_error4(uint8_t type)
{
	return type == ICMP4_UNREACH || type == ICMP4_QUENCH || type == ICMP4_REDIRECT ||
	       type == ICMP4_TIMEX || type == ICMP4_PARAM;
}

static bool is_error6(uint8_t type)
{
	return type < ICMP6_ECHO || type == ICMP6_REDIRECT;	/* RFC 4443, 2.1 */
}

/* Whether the packet is itself an ICMP error: the type is the first byte behind
 * its header, which it may lack. */
static bool is_about_error(const struct ip *ip, const struct rd *packet)
{
	bool v4 = addr_is4(&ip->src);
	struct rd r = *packet;
	uint8_t type;

	if (ip->proto != (v4 ? PROTO_ICMP : PROTO_ICMP6) || !rd_skip(&r, ip->hdr_len) ||
	    !rd_u8(&r, &type))
		return false;
	return v4 ? is_error4(type) : is_error6(type);
}

static bool may_tell(struct ctx *c, const struct ip *ip, const struct rd *packet,
		     const struct icmp_cause *cause)
{
	if (!addr_is_unicast(&ip->src) || ip->frag_off || is_about_error(ip, packet))
		return false;
	if (!addr_is_unicast(&ip->dst) && !cause->multicast_too)
		return false;
	return icmp_error_allowed(c);
}

void icmp_error(struct ctx *c, const struct ip *ip, const struct rd *packet,
		const struct icmp_cause *cause)
{
	bool v4 = addr_is4(&ip->src);
	size_t room = (v4 ? ERROR4_MAX - IP4_HLEN : ERROR6_MAX - IP6_HLEN) - ICMP_HLEN;
	const struct icmp h = { .type = cause->type, .code = cause->code, .rest = cause->rest };
	struct addr from = v4 ? c->net->gateway4 : addr_linklocal6(&c->net->gw_mac);
	uint8_t msg[ERROR6_MAX];
	struct wr w = wr_init(msg, sizeof(msg));
	size_t len;

	if (!may_tell(c, ip, packet, cause))
		return;
	if (addr_is_any(&from))
		from = ip->dst;
	len = icmp_write(&w, !v4, &h, &from, &ip->src, packet->p, MIN_OF(packet->left, room));
	if (len && frame_icmp(c, &from, &ip->src, msg, len, IP_DEFAULT_TTL) == 0)
		c->count->icmp_errors_sent++;
}
