/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes plugin/netavark.c: a text as each of netavark's requests, as it comes from
 * standard input. What is taken is a configuration that keys.c took too. */
#include "fuzz.h"

#include <stdlib.h>

#include "plugin/json/cni.h"
#include "plugin/netavark.h"

static void use_request(struct json_object *o, bool publish)
{
	struct netavark n = { .keys = { .dns = NULL } };
	struct err e = ERR_INIT;

	if (netavark_read(o, publish, &n, &e) == 0)
		FUZZ_HOLDS(conf_id_ok(n.container_id) && conf_ifname_ok(n.ifname) &&
			   n.keys.conf.nforwards <= CONF_FORWARDS_MAX &&
			   n.keys.conf.naddresses <= CONF_ADDRS_MAX);
	else
		FUZZ_HOLDS(e.code && e.msg[0]);
	netavark_drop(&n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request req = { .netconf = NULL };
	struct err e = ERR_INIT;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (cni_decode(text, size, "fuzz", false, &req, &e) == 0) {
		use_request(req.netconf, true);
		use_request(req.netconf, false);
		e = ERR_INIT;
		if (netavark_create(req.netconf, &e) < 0)
			FUZZ_HOLDS(e.code && e.msg[0]);
	}
	cni_drop(&req);
	free(text);
	return 0;
}
