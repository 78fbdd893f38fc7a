/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes what a CNI request passes through: the decoder, the tables of keys,
 * the validator, the result of what was taken. Input: the configuration, and
 * after a NUL, if there is one, CNI_ARGS. A refusal must have a code and words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/json/cni.h"
#include "plugin/json/keys.h"
#include "plugin/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(enum cni_version version, struct err *e)
{
	if (!e->code || !e->msg[0])
		abort();
	json_object_put(result_error(version, e));
}

/* As main.c fills it, and as the daemon would answer. */
static void build(const struct request *req, struct keys *k)
{
	struct err e = ERR_INIT;
	struct netcfg net = { .ifname = "eth0" };
	struct result r = { .version = req->version, .net = &net, .sandbox = "/run/netns/x",
			    .dns = k->dns, .prev = k->prev };
	struct json_object *o;

	strcpy(k->conf.container_id, "demo");
	strcpy(k->conf.ifname, "eth0");
	strcpy(k->conf.netns_path, "/run/netns/x");
	strcpy(k->conf.state_dir, "/run/cni-passt/demo@eth0");
	if (conf_validate(&k->conf, &e) < 0) {
		check_refusal(req->version, &e);
		return;
	}
	net.naddresses = k->conf.naddresses;
	memcpy(net.addresses, k->conf.addresses, sizeof(net.addresses));
	net.nroutes = k->conf.nroutes;
	memcpy(net.routes, k->conf.routes, sizeof(net.routes));
	o = result_build(&r);
	if (!o || !json_object_to_json_string(o))
		abort();
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct err e = ERR_INIT;
	struct request req;
	struct keys k = { .dns = NULL };
	size_t len;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	len = strlen(text);
	if (cni_decode(text, len, "input", size % 2, &req, &e) < 0 ||
	    keys_read(req.netconf, len < size ? text + len + 1 : NULL, &k, &e) < 0)
		check_refusal(req.version, &e);
	else
		build(&req, &k);
	keys_drop(&k);
	cni_drop(&req);
	free(text);
	return 0;
}
