/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes wire/ip4. A fuzzer does not guess checksums: each input is run as it
 * is and once more with the checksum made right for the length it claims.
 */
#include "fuzz.h"

#include "base/cksum.h"
#include "wire/ip.h"

static void round_trip(const struct ip *ip)
{
	uint8_t out[IP4_HLEN + UINT16_MAX] = { 0 };
	struct wr w = wr_init(out, IP4_HLEN);
	struct rd r = rd_init(out, IP4_HLEN + (size_t)ip->len), pay;
	struct ip back;

	FUZZ_HOLDS(ip4_write(&w, ip));
	FUZZ_HOLDS(ip4_read(&r, &back, &pay) == WIRE_OK);
	FUZZ_HOLDS(addr_eq(&back.src, &ip->src) && addr_eq(&back.dst, &ip->dst));
	FUZZ_HOLDS(back.version == 4 && back.proto == ip->proto && back.ttl == ip->ttl);
	FUZZ_HOLDS(back.tos == ip->tos && back.df == ip->df && back.id == ip->id);
	FUZZ_HOLDS(back.hdr_len == IP4_HLEN && back.len == ip->len);
	FUZZ_HOLDS(back.more == ip->more && back.frag_off == ip->frag_off);
}

static void one(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size), pay;
	struct ip ip;

	FUZZ_POISON(ip);
	FUZZ_POISON(pay);
	if (ip4_read(&r, &ip, &pay) != WIRE_OK) {
		FUZZ_POISONED(ip);
		FUZZ_POISONED(pay);
		FUZZ_HOLDS(r.p == (data ? data : r.p) && r.left == size);
		return;
	}
	FUZZ_HOLDS(fuzz_inside(&pay, data, size) && fuzz_inside(&r, data, size));
	FUZZ_HOLDS(pay.left == ip.len && pay.p == data + ip.hdr_len);
	FUZZ_HOLDS(ip.version == 4 && ip.hdr_len >= IP4_HLEN && ip.hdr_len <= 60);
	FUZZ_HOLDS(addr_is4(&ip.src) && addr_is4(&ip.dst));
	FUZZ_HOLDS(!addr_is_multicast(&ip.src) && !addr_is_broadcast(&ip.src));
	FUZZ_HOLDS(ip.fragment == (ip.more || ip.frag_off));
	FUZZ_HOLDS(!ip.fragment || ip.hdr_len + ip.frag_off + ip.len <= 65535);
	FUZZ_HOLDS(!ip.more || ip.len % 8 == 0);
	round_trip(&ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t hlen = size ? (data[0] & 15) * 4u : 0;
	uint8_t *copy;
	uint16_t sum;

	one(data, size);
	if (hlen < IP4_HLEN || hlen > size)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[10] = copy[11] = 0;
	sum = cksum_finish(cksum_add(copy, hlen, 0));
	copy[10] = (uint8_t)(sum >> 8);
	copy[11] = (uint8_t)sum;
	one(copy, size);
	free(copy);
	return 0;
}
