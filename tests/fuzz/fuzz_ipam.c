/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes what an IPAM plugin prints and what a runtime hands back as prevResult:
 * the same text is read as both. A refusal must have a code and words. */
#include "fuzz.h"

#include <stdlib.h>

#include "plugin/check.h"
#include "plugin/json/cni.h"
#include "plugin/ipam.h"

static void as_result(const char *text, size_t len)
{
	struct json_object *netconf = json_tokener_parse("{\"ipam\":{\"type\":\"x\"}}");
	struct err e = ERR_INIT;
	struct keys k;

	FUZZ_HOLDS(keys_read(netconf, NULL, &k, &e) == 0);
	if (ipam_take(text, len, "result", &k, &e) < 0)
		FUZZ_HOLDS(e.code && e.msg[0]);
	else
		FUZZ_HOLDS(k.conf.naddresses > 0 && k.conf.naddresses <= CONF_ADDRS_MAX &&
			   k.conf.ngateways <= CONF_GATEWAYS_MAX &&
			   k.conf.nroutes <= CONF_ROUTES_MAX);
	keys_drop(&k);
	json_object_put(netconf);
}

static void as_prev(const char *text, size_t len)
{
	struct state made = { .container_id = "demo", .net = { .ifname = "eth0", .mtu = 1500,
							       .naddresses = 1, .nroutes = 1 } };
	struct err e = ERR_INIT;
	struct request req;
	struct conf want;

	FUZZ_HOLDS(prefix_parse("10.88.0.2/24", &made.net.addresses[0]) == 0);
	FUZZ_HOLDS(prefix_parse("0.0.0.0/0", &made.net.routes[0].dst) == 0);
	if (cni_decode(text, len, "prevResult", false, &req, &e) == 0) {
		if (check_expect(&made, NULL, req.netconf, "/run/netns/x", &want, &e) < 0)
			FUZZ_HOLDS(e.code && e.msg[0]);
		else
			FUZZ_HOLDS(want.naddresses <= 1 && want.nroutes <= 1 &&
				   want.mtu <= CONF_MTU_MAX);
	}
	cni_drop(&req);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	as_result(text, strlen(text));
	as_prev(text, strlen(text));
	free(text);
	return 0;
}
