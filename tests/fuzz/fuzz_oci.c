/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes what a hook is given: the state, and after a NUL, if there is one, the
 * bundle's config.json; then its annotations on their way into a configuration.
 * A refusal must have a code and words. */
#include "fuzz.h"

#include "hooks/annotation.h"
#include "hooks/oci.h"
#include "plugin/json/keys.h"

static void check(int r, const struct err *e)
{
	FUZZ_HOLDS(r == 0 || (e->code && e->msg[0]));
}

static void annotate(struct json_object *annotations)
{
	struct json_object *netconf = json_object_new_object();
	struct keys k = { .dns = NULL };
	struct err e = ERR_INIT;
	bool attach;
	int r = annotation_apply(annotations, NULL, netconf, &attach, &e);

	if (r == 0)
		r = keys_read(netconf, NULL, &k, &e);
	check(r, &e);
	keys_drop(&k);
	json_object_put(netconf);
}

static void read_bundle(const char *text)
{
	struct oci_bundle b;
	struct err e = ERR_INIT;
	int r = oci_read_bundle(text, strlen(text), &b, &e);

	check(r, &e);
	FUZZ_HOLDS(r < 0 || b.net != OCI_NET_PATH || b.netns[0] == '/');
	if (r == 0) {
		oci_is_mounted(&b, "/etc/resolv.conf");
		oci_has_hook(&b, "createContainer", "pass");
		annotate(b.annotations);
	}
	oci_drop_bundle(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct oci_state s;
	struct err e = ERR_INIT;
	size_t len;
	int r;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	len = strlen(text);
	r = oci_read_state(text, len, &s, &e);
	check(r, &e);
	FUZZ_HOLDS(r < 0 || (conf_id_ok(s.id) && s.pid >= 0));
	if (r == 0)
		annotate(s.annotations);
	oci_drop_state(&s);
	if (len < size)
		read_bundle(text + len + 1);
	free(text);
	return 0;
}
