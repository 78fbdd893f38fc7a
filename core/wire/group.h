/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/group: who wants which multicast group: IGMP (v1 RFC 1112, v2 RFC 2236, v3 RFC
 * 3376) and MLD (v1 RFC 2710, v2 RFC 3810), one view of both. Source filters are
 * read over: whoever wants a group from some sources gets it from all.
 */
#ifndef WIRE_GROUP_H
#define WIRE_GROUP_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define GROUP_RECORDS_MAX	256u	/* of one report looked at; an Ethernet frame has 183 */
#define GROUP_QUERY_MAX		80	/* bytes of group_query_write()'s packet */

struct group_report {
	bool v6;
	uint8_t type;		/* of the message */
	uint16_t records;	/* not read yet */
	struct rd left;
};

struct group_record {
	struct addr group;
	bool wanted;		/* false: left */
};

/* Whether an ICMPv6 type is MLD's. */
bool group_is_mld(uint8_t type);

/*
 * Begins a whole IGMP or MLD message (checksum tested by the caller); what is no
 * report, a query for instance, has no records. WIRE_SHORT if its header does not fit.
 */
enum wire_err group_read(const struct rd *msg, bool v6, struct group_report *ret);

/* The next record that says something; false at the end, or with *err at one that is cut
 * or that names no group. */
bool group_next(struct group_report *g, struct group_record *ret, enum wire_err *err);

/*
 * A general query as a whole IP packet with the router alert option that it must have
 * (RFC 3376, 4; RFC 3810, 5): IGMPv3, or MLDv2 from a link-local address, as `from`
 * has it. Answers are asked for within max_ms (<= 12700). The querier's interval that
 * it tells is interval_s (< 128). Returns its length, 0 if it did not fit.
 */
size_t group_query_write(struct wr *w, const struct addr *from, uint16_t max_ms,
			 uint8_t interval_s);

/* Where it goes: 224.0.0.1 or ff02::1. */
struct addr group_all_nodes(bool v4);

#endif
