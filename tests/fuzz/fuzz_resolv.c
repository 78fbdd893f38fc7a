/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes conf/resolv: any bytes are a resolver configuration; what is taken of them may
 * be used without another look. */
#include "fuzz.h"

#include "conf/resolv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resolvers to = { .n = 0 };
	struct resolv r;

	FUZZ_POISON(r);
	resolv_parse((const char *)data, size, &r);
	FUZZ_HOLDS(r.nservers <= RESOLVERS_MAX && r.nsearch <= CONF_SEARCH_MAX);
	for (uint32_t i = 0; i < r.nservers; i++) {
		to.list[to.n++].addr = r.servers[i].addr;
		FUZZ_HOLDS(!r.servers[i].ifname[0] || (conf_ifname_ok(r.servers[i].ifname) &&
						       addr_is_linklocal6(&r.servers[i].addr)));
	}
	FUZZ_HOLDS(resolvers_ok(&to));
	FUZZ_HOLDS(!r.domain[0] || (conf_domain_ok(r.domain) && !r.nsearch));
	for (uint32_t i = 0; i < r.nsearch; i++)
		FUZZ_HOLDS(conf_domain_ok(r.search[i]));
	return 0;
}
