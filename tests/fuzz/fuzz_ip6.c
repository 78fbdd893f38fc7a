/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/ip6: the walk along the extension headers first of all. */
#include "fuzz.h"

#include "wire/ip.h"
#include "wire/numbers.h"

/* Without the extension headers it is the same packet. */
static void round_trip(const struct ip *ip)
{
	uint8_t out[IP6_HLEN + UINT16_MAX] = { 0 };
	struct wr w = wr_init(out, IP6_HLEN);
	struct rd r = rd_init(out, IP6_HLEN + (size_t)ip->len), pay;
	struct ip back;

	FUZZ_HOLDS(ip6_write(&w, ip));
	FUZZ_HOLDS(ip6_read(&r, &back, &pay) == WIRE_OK);
	FUZZ_HOLDS(addr_eq(&back.src, &ip->src) && addr_eq(&back.dst, &ip->dst));
	FUZZ_HOLDS(back.version == 6 && back.proto == ip->proto && back.ttl == ip->ttl);
	FUZZ_HOLDS(back.tos == ip->tos && back.df && !back.fragment);
	FUZZ_HOLDS(back.hdr_len == IP6_HLEN && back.len == ip->len);
}

static int is_extension(uint8_t proto)
{
	return proto == PROTO_HOPOPT || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT ||
	       proto == PROTO_AH || proto == PROTO_DSTOPTS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size), pay;
	struct ip6_problem why;
	struct ip ip;

	FUZZ_POISON(ip);
	FUZZ_POISON(pay);
	FUZZ_POISON(why);
	if (ip6_read_why(&r, &ip, &pay, &why) != WIRE_OK) {
		FUZZ_HOLDS(!why.tell || (why.pointer < size && why.code <= ICMP6_PARAM_CHAIN));
		FUZZ_HOLDS(!why.tell || !addr_is_multicast(&why.src));
		FUZZ_POISONED(ip);
		FUZZ_POISONED(pay);
		FUZZ_HOLDS(r.p == (data ? data : r.p) && r.left == size);
		return 0;
	}
	FUZZ_HOLDS(!why.tell && ip.proto_at < ip.hdr_len && data[ip.proto_at] == ip.proto);
	FUZZ_HOLDS(fuzz_inside(&pay, data, size) && fuzz_inside(&r, data, size));
	FUZZ_HOLDS(pay.left == ip.len && pay.p == data + ip.hdr_len);
	FUZZ_HOLDS(ip.version == 6 && ip.hdr_len >= IP6_HLEN);
	FUZZ_HOLDS((ip.hdr_len - IP6_HLEN) % 4 == 0);
	FUZZ_HOLDS(!addr_is4(&ip.src) && !addr_is4(&ip.dst) && !addr_is_multicast(&ip.src));
	FUZZ_HOLDS(ip.fragment == (ip.more || ip.frag_off));
	FUZZ_HOLDS(!ip.fragment || ip.frag_off + ip.len <= 65535);
	FUZZ_HOLDS(!ip.more || ip.len % 8 == 0);
	FUZZ_HOLDS(ip.fragment || !is_extension(ip.proto));
	if (!is_extension(ip.proto))
		round_trip(&ip);
	return 0;
}
