/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hooks/oci.h"

#include <assert.h>
#include <string.h>

#include "plugin/json/cni.h"
#include "plugin/json/get.h"

static const char *const status_names[] = {
	[OCI_NONE] = "", [OCI_CREATING] = "creating", [OCI_CREATED] = "created",
	[OCI_RUNNING] = "running", [OCI_STOPPED] = "stopped",
};
static_assert(ARRAY_LEN(status_names) == OCI_STATUS_COUNT, "a name for each status");

static int bad(struct err *e, const char *key, struct json_object *v, const char *why)
{
	return err_set(e, ERR_DECODE, "%s: %.120s %s", key,
		       json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN |
						      JSON_C_TO_STRING_NOSLASHESCAPE), why);
}

/* A member that may be absent or null, but of no other type: 1, 0 or -1 with *e. */
static int member(struct json_object *o, const char *key, enum json_type type,
		  struct json_object **ret, struct err *e)
{
	if (!json_object_object_get_ex(o, key, ret) || !*ret) {
		*ret = NULL;
		return 0;
	}
	if (json_object_is_type(*ret, type))
		return 1;
	return bad(e, key, *ret, type == json_type_string ? "is not a string" :
		   type == json_type_array ? "is not a list" :
		   type == json_type_object ? "is not an object" : "is not an integer");
}

static int read_id(struct json_object *o, struct oci_state *s, struct err *e)
{
	struct json_object *v;
	int r = member(o, "id", json_type_string, &v, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_DECODE, "id: is missing");
	if (!conf_id_ok(json_object_get_string(v)))
		return bad(e, "id", v, "is not a container id that can name an attachment (letters,"
			   " digits, \"_.-\", at most 128)");
	strcpy(s->id, json_object_get_string(v));
	return 0;
}

static int read_status(struct json_object *o, struct oci_state *s, struct err *e)
{
	struct json_object *v;
	int r = member(o, "status", json_type_string, &v, e);

	for (int i = OCI_CREATING; r > 0 && i < OCI_STATUS_COUNT; i++)
		if (strcmp(json_object_get_string(v), status_names[i]) == 0)
			s->status = (enum oci_status)i;
	return r < 0 ? -1 : 0;
}

static int read_pid(struct json_object *o, struct oci_state *s, struct err *e)
{
	struct json_object *v;
	int r = member(o, "pid", json_type_int, &v, e);
	int64_t pid = r > 0 ? json_object_get_int64(v) : 0;

	if (r < 0)
		return -1;
	if (pid < 0 || pid > INT32_MAX)
		return bad(e, "pid", v, "is not a process id");
	s->pid = (int32_t)pid;
	return 0;
}

static int read_bundle_path(struct json_object *o, struct oci_state *s, struct err *e)
{
	struct json_object *v;
	int r = member(o, "bundle", json_type_string, &v, e);

	if (r <= 0)
		return r;
	if (json_object_get_string(v)[0] != '/' ||
	    json_object_get_string_len(v) >= (int)sizeof(s->bundle))
		return bad(e, "bundle", v, "is not an absolute path");
	strcpy(s->bundle, json_object_get_string(v));
	return 0;
}

static int read_annotations(struct json_object *o, struct oci_state *s, struct err *e)
{
	struct json_object *v;
	int r = member(o, "annotations", json_type_object, &v, e);

	s->annotations = r > 0 ? json_object_get(v) : NULL;
	return r < 0 ? -1 : 0;
}

int oci_read_state(const char *text, size_t len, struct oci_state *ret, struct err *e)
{
	static int (*const readers[])(struct json_object *, struct oci_state *, struct err *) = {
		read_id, read_status, read_pid, read_bundle_path, read_annotations,
	};
	struct json_object *o;
	int r = 0;

	*ret = (struct oci_state){ .status = OCI_NONE };
	o = cni_parse(text, len, "state on stdin", e);
	if (!o)
		return -1;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(readers); i++)
		if (readers[i](o, ret, e) < 0) {
			err_prefix(e, "state on stdin");
			r = -1;
		}
	json_object_put(o);
	return r;
}

void oci_drop_state(struct oci_state *s)
{
	json_object_put(s->annotations);
	s->annotations = NULL;
}

/* A string that may be absent or empty, as *ret or NULL. */
static int read_text(struct json_object *o, const char *key, const char **ret, struct err *e)
{
	struct json_object *v;
	int r = member(o, key, json_type_string, &v, e);

	*ret = r > 0 && json_object_get_string_len(v) ? json_object_get_string(v) : NULL;
	return r < 0 ? -1 : 0;
}

static int read_network(struct json_object *ns, struct oci_bundle *b, struct err *e)
{
	if (read_text(ns, "path", &b->netns, e) < 0)
		return -1;
	b->net = b->netns ? OCI_NET_PATH : OCI_NET_OWN;
	if (b->netns && b->netns[0] != '/')
		return bad(e, "linux.namespaces", ns, "has no absolute path");
	return 0;
}

static int read_linux(struct json_object *config, struct oci_bundle *b, struct err *e)
{
	struct json_object *linux_part, *list, *ns;
	size_t n;

	b->net = OCI_NET_SHARED;
	if (member(config, "linux", json_type_object, &linux_part, e) < 0 ||
	    (linux_part && member(linux_part, "namespaces", json_type_array, &list, e) < 0))
		return -1;
	n = linux_part && list ? json_object_array_length(list) : 0;
	for (size_t i = 0; i < n; i++) {
		ns = json_object_array_get_idx(list, i);
		if (strcmp(get_str(ns, "type"), "network") == 0)
			return read_network(ns, b, e);
	}
	return 0;
}

static int read_root(struct json_object *config, struct oci_bundle *b, struct err *e)
{
	struct json_object *root;

	if (member(config, "root", json_type_object, &root, e) < 0)
		return -1;
	return root ? read_text(root, "path", &b->rootfs, e) : 0;
}

int oci_read_bundle(const char *text, size_t len, struct oci_bundle *ret, struct err *e)
{
	*ret = (struct oci_bundle){ .net = OCI_NET_SHARED };
	ret->config = cni_parse(text, len, "config.json", e);
	if (!ret->config)
		return -1;
	if (read_linux(ret->config, ret, e) < 0 || read_root(ret->config, ret, e) < 0 ||
	    read_text(ret->config, "hostname", &ret->hostname, e) < 0 ||
	    member(ret->config, "annotations", json_type_object, &ret->annotations, e) < 0 ||
	    member(ret->config, "mounts", json_type_array, &ret->mounts, e) < 0)
		return err_prefix(e, "config.json");
	return 0;
}

void oci_drop_bundle(struct oci_bundle *b)
{
	json_object_put(b->config);
	*b = (struct oci_bundle){ .config = NULL };
}

/* Whether path is dir or below it; a mount on the root itself is the root. */
static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	return n > 1 && strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]);
}

bool oci_is_mounted(const struct oci_bundle *b, const char *path)
{
	size_t n = b->mounts ? json_object_array_length(b->mounts) : 0;

	for (size_t i = 0; i < n; i++)
		if (is_below(path, get_str(json_object_array_get_idx(b->mounts, i), "destination")))
			return true;
	return false;
}

static bool has_word(struct json_object *hook, const char *word)
{
	size_t n;
	struct json_object *args = get_list(hook, "args", &n), *v;

	for (size_t i = 0; i < n; i++) {
		v = json_object_array_get_idx(args, i);
		if (json_object_is_type(v, json_type_string) &&
		    strcmp(json_object_get_string(v), word) == 0)
			return true;
	}
	return false;
}

bool oci_has_hook(const struct oci_bundle *b, const char *name, const char *word)
{
	struct json_object *hooks = get_member(b->config, "hooks", json_type_object), *list;
	size_t n = 0;

	list = hooks ? get_list(hooks, name, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		if (has_word(json_object_array_get_idx(list, i), word))
			return true;
	return false;
}
