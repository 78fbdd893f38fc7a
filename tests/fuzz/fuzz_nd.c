/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/nd: a Neighbor Solicitation from behind its 8-byte ICMPv6 header, and
 * the same bytes behind the target as the options of a Router Solicitation.
 * The advertisement written for what was read has the option's two kinds but
 * for the type byte alike, and so is read back as a solicitation. */
#include "fuzz.h"

#include "wire/nd.h"
#include "wire/numbers.h"

/* Taken whenever the Neighbor Solicitation ns (NULL: none) was, to the same end. */
static void read_rs(const uint8_t *data, size_t size, const struct nd_ns *ns)
{
	struct rd r = rd_init(data, size);
	struct nd_rs rs;
	enum wire_err err;

	FUZZ_POISON(rs);
	err = nd_rs_read(&r, &rs);
	if (err)
		FUZZ_POISONED(rs);
	FUZZ_HOLDS(!ns || (!err && rs.has_slla == ns->has_slla && mac_eq(&rs.slla, &ns->slla)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct nd_ns ns, back;
	uint8_t out[ND_NA_LEN];
	struct wr w = wr_init(out, sizeof(out));

	FUZZ_POISON(ns);
	if (nd_ns_read(&r, &ns) != WIRE_OK) {
		FUZZ_POISONED(ns);
		if (size >= 16)
			read_rs(data + 16, size - 16, NULL);
		return 0;
	}
	read_rs(data + 16, size - 16, &ns);
	FUZZ_HOLDS(!r.failed && r.left == 0);
	FUZZ_HOLDS(size <= 16 + (size_t)ND_OPTS_MAX * 255 * 8 && size % 8 == 0);
	FUZZ_HOLDS(!addr_is_multicast(&ns.target) && !addr_is4(&ns.target));
	FUZZ_HOLDS(memcmp(ns.target.b, data, 16) == 0);
	if (!ns.has_slla)
		return 0;
	FUZZ_HOLDS(nd_na_write(&w, &ns.target, &ns.slla));
	FUZZ_HOLDS(out[16] == NDO_TLLA);
	out[16] = NDO_SLLA;
	r = rd_init(out, sizeof(out));
	FUZZ_HOLDS(nd_ns_read(&r, &back) == WIRE_OK && back.has_slla);
	FUZZ_HOLDS(addr_eq(&back.target, &ns.target) && mac_eq(&back.slla, &ns.slla));
	return 0;
}
