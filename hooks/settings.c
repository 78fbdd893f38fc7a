/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hooks/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "hooks/annotation.h"
#include "plugin/json/cni.h"

#define HOOK_KEY	"hook"
#define DEFAULT_IFNAME	"eth0"

/* What the file's "hook" says; the list is borrowed from it. */
struct hook {
	const char *ifname;
	struct json_object *allowed;	/* NULL: it says nothing */
	bool resolv_conf, hosts, skip_shared;
};

static int bad(struct err *e, int code, const char *key, struct json_object *v, const char *why)
{
	return err_set(e, code, HOOK_KEY ".%.64s: %.120s %s", key,
		       json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN |
						      JSON_C_TO_STRING_NOSLASHESCAPE), why);
}

static int set_ifname(struct hook *h, struct json_object *v)
{
	h->ifname = json_object_get_string(v);
	return 0;
}

static int set_resolv_conf(struct hook *h, struct json_object *v)
{
	h->resolv_conf = json_object_get_boolean(v);
	return 0;
}

static int set_hosts(struct hook *h, struct json_object *v)
{
	h->hosts = json_object_get_boolean(v);
	return 0;
}

static int set_shared(struct hook *h, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	h->skip_shared = s[0] == 's';
	return strcmp(s, "error") == 0 || strcmp(s, "skip") == 0 ? 0 : -1;
}

static int set_annotations(struct hook *h, struct json_object *v)
{
	struct json_object *name;

	for (size_t i = 0; i < json_object_array_length(v); i++) {
		name = json_object_array_get_idx(v, i);
		if (!json_object_is_type(name, json_type_string) ||
		    !annotation_known(json_object_get_string(name)))
			return -1;
	}
	h->allowed = v;
	return 0;
}

static const struct {
	const char *name;
	enum json_type type;
	int (*set)(struct hook *h, struct json_object *v);
	const char *why;	/* not */
} hook_keys[] = {
	{ "annotations", json_type_array, set_annotations, "is not a list of annotations without "
	  ANNOTATION_PREFIX },
	{ "ifname", json_type_string, set_ifname, "is not an interface name" },
	{ "resolvConf", json_type_boolean, set_resolv_conf, "is not true or false" },
	{ "hosts", json_type_boolean, set_hosts, "is not true or false" },
	{ "shared", json_type_string, set_shared, "is not \"error\" or \"skip\"" },
};

static int read_member(const char *name, struct json_object *v, struct hook *h, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(hook_keys); i++) {
		if (strcmp(hook_keys[i].name, name) != 0)
			continue;
		if (!json_object_is_type(v, hook_keys[i].type) || hook_keys[i].set(h, v) < 0)
			return bad(e, ERR_CONFIG, name, v, hook_keys[i].why);
		return 0;
	}
	return bad(e, ERR_FIELD, name, v, "is not a key of cni-passt-hook");
}

static int read_hook(struct json_object *netconf, struct hook *h, struct err *e)
{
	struct json_object *o;

	if (!json_object_object_get_ex(netconf, HOOK_KEY, &o) || !o)
		return 0;
	if (!json_object_is_type(o, json_type_object))
		return err_set(e, ERR_CONFIG, HOOK_KEY ": %.120s is not an object",
			       json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_object_foreach(o, name, v) {
		if (read_member(name, v, h, e) < 0)
			return -1;
	}
	return 0;
}

static int read_file(const char *path, struct request *req, struct err *e)
{
	FD_OWNED int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len;
	char *text;
	int r;

	if (fd < 0)
		return err_set(e, ERR_IO, "%.200s: %s", path, strerror(errno));
	text = cni_read(fd, path, &len, e);
	if (!text)
		return -1;
	r = cni_decode(text, len, path, true, req, e);
	free(text);
	return r;
}

/* A hook runs for one container and once: it has no IPAM plugins, whose DEL
 * must have what their ADD had. */
static int check_file(const struct keys *k, struct err *e)
{
	if (!k->ipam)
		return 0;
	err_set(e, ERR_FIELD, "ipam: is for the CNI plugin, a hook calls no other plugin");
	return err_hint(e, "give \"addresses\": [\"private\"] or the addresses themselves");
}

/* With the file read into netconf, which is changed. */
static int read_all(const struct settings_args *args, struct json_object *annotations,
		    struct json_object *netconf, struct settings *s, struct err *e)
{
	struct hook h = { .ifname = DEFAULT_IFNAME };
	char ifname[CONF_IFNAME_MAX + 1];

	if (read_hook(netconf, &h, e) < 0 ||
	    annotation_apply(annotations, h.allowed, netconf, &s->attach, e) < 0)
		return -1;
	s->resolv_conf = h.resolv_conf || args->resolv_conf;
	s->hosts = h.hosts || args->hosts;
	s->skip_shared = h.skip_shared || args->skip_shared;
	if (args->ifname)
		h.ifname = args->ifname;
	if (!conf_ifname_ok(h.ifname))
		return err_set(e, ERR_CONFIG, "ifname: \"%.40s\" is not an interface name", h.ifname);
	strcpy(ifname, h.ifname);
	json_object_object_del(netconf, HOOK_KEY);	/* and with it what h borrows */
	if (keys_read(netconf, NULL, &s->keys, e) < 0 || check_file(&s->keys, e) < 0)
		return -1;
	annotation_note(annotations, &s->keys.conf);
	strcpy(s->keys.conf.ifname, ifname);
	strcpy(s->keys.conf.network, SETTINGS_NETWORK);
	return 0;
}

int settings_read(const struct settings_args *args, struct json_object *annotations,
		  struct settings *ret, struct err *e)
{
	struct request req = { .netconf = NULL };
	int r = 0;

	*ret = (struct settings){ .attach = true };
	if (args->conf_path)
		r = read_file(args->conf_path, &req, e);
	else
		req.netconf = json_object_new_object();
	if (r == 0 && !req.netconf)
		r = err_set(e, ERR_IO, "out of memory");
	if (r == 0)
		r = read_all(args, annotations, req.netconf, ret, e);
	cni_drop(&req);
	return r;
}

void settings_drop(struct settings *s)
{
	keys_drop(&s->keys);
}
