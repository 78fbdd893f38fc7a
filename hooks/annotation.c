/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hooks/annotation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/json/cni.h"

#define ATTACH	"attach"	/* not a key: whether the hook does anything */
#define BLANK	" \t\r\n"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_BOOL, KIND_LIST, KIND_RULES, KIND_JSON };

struct annotation {
	const char *name;
	const char *outer, *key;	/* outer: the object the key is in, or NULL */
	enum kind kind;
	bool free;			/* allowed where the administrator says nothing */
};

static const struct annotation table[] = {
	{ "publish", NULL, "forward", KIND_RULES, true },
	{ "addresses", NULL, "addresses", KIND_LIST, true },
	{ "gateways", NULL, "gateways", KIND_LIST, true },
	{ "routes", NULL, "routes", KIND_JSON, true },
	{ "mac", NULL, "mac", KIND_TEXT, true },
	{ "mtu", NULL, "mtu", KIND_NUMBER, true },
	{ "ipv4", NULL, "ipv4", KIND_BOOL, true },
	{ "ipv6", NULL, "ipv6", KIND_BOOL, true },
	{ "configure", NULL, "configure", KIND_BOOL, true },
	{ "dns", "dns", "nameservers", KIND_LIST, true },
	{ "dns.nameservers", "dns", "nameservers", KIND_LIST, true },
	{ "dns.domain", "dns", "domain", KIND_TEXT, true },
	{ "dns.search", "dns", "search", KIND_LIST, true },
	{ "dns.options", "dns", "options", KIND_LIST, true },
	{ "listen", NULL, "listen", KIND_TEXT, true },
	{ "portConflict", NULL, "portConflict", KIND_TEXT, true },
	{ "preserveSource", NULL, "preserveSource", KIND_BOOL, true },
	{ "sourceCheck", NULL, "sourceCheck", KIND_BOOL, false },
	{ "udp.timeout", "udp", "timeout", KIND_NUMBER, false },
	{ "udp.stream", "udp", "timeoutStream", KIND_NUMBER, false },
	{ "hostAddress", NULL, "hostAddress", KIND_LIST, false },
	{ "hostLoopback", NULL, "hostLoopback", KIND_LIST, false },
	{ "reverse", NULL, "reverse", KIND_RULES, false },
	{ "outbound.interface", "outbound", "interface", KIND_TEXT, false },
	{ "outbound.addresses", "outbound", "addresses", KIND_LIST, false },
	{ "log.level", "log", "level", KIND_TEXT, false },
};

static const struct annotation *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

bool annotation_known(const char *name)
{
	return strcmp(name, "*") == 0 || strcmp(name, ATTACH) == 0 || find(name);
}

static int bad(struct err *e, const char *name, const char *text, const char *why)
{
	return err_set(e, ERR_CONFIG, "annotation " ANNOTATION_PREFIX "%.64s: \"%.120s\" %s", name,
		       text, why);
}

static struct json_object *read_number(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return errno || end == text || *end ? NULL : json_object_new_int64(n);
}

static struct json_object *read_bool(const char *text)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return NULL;
	return json_object_new_boolean(text[0] == 't');
}

/* The words between commas, each given to take(); `copy` is cut up. */
static void each_word(char *copy, void (*take)(char *word, struct json_object *to),
		      struct json_object *to)
{
	char *save = NULL, *word;

	for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		word = s + strspn(s, BLANK);
		for (size_t n = strlen(word); n && strchr(BLANK, word[n - 1]); n--)
			word[n - 1] = '\0';
		if (word[0])
			take(word, to);
	}
}

static void take_item(char *word, struct json_object *list)
{
	json_object_array_add(list, json_object_new_string(word));
}

/* "8080:80", "53:53/udp": the rule of "forward" and at its end the protocol. */
static void take_rule(char *word, struct json_object *protos)
{
	static const char *const ends[] = { "tcp", "udp" };
	const char *proto = ends[0];
	char *slash = strrchr(word, '/');
	struct json_object *list;

	for (size_t i = 0; slash && i < ARRAY_LEN(ends); i++)
		if (strcmp(slash + 1, ends[i]) == 0) {
			proto = ends[i];
			*slash = '\0';
			break;
		}
	if (!json_object_object_get_ex(protos, proto, &list)) {
		list = json_object_new_array();
		json_object_object_add(protos, proto, list);
	}
	take_item(word, list);
}

static struct json_object *read_words(const char *text, enum kind kind)
{
	struct json_object *to = kind == KIND_RULES ? json_object_new_object()
						    : json_object_new_array();
	char *copy = strdup(text);

	if (copy && to)
		each_word(copy, kind == KIND_RULES ? take_rule : take_item, to);
	free(copy);
	return to;
}

/* A list or an object, in JSON. */
static struct json_object *read_json(const char *text)
{
	struct json_object *o, *v = NULL;
	char *wrapped = NULL;
	size_t n = strlen(text);

	/* The parser takes objects. */
	wrapped = malloc(n + sizeof("{\"v\":}"));
	if (!wrapped)
		return NULL;
	memcpy(wrapped, "{\"v\":", 5);
	memcpy(wrapped + 5, text, n);
	memcpy(wrapped + 5 + n, "}", 2);
	o = cni_parse(wrapped, n + 6, "", NULL);
	/* One value, and not what closes the wrapper and begins anew. */
	if (o && json_object_object_length(o) == 1 && json_object_object_get_ex(o, "v", &v))
		v = json_object_get(v);
	json_object_put(o);
	free(wrapped);
	return v;
}

static struct json_object *read_value(const struct annotation *a, const char *text,
				      const char **why)
{
	switch (a->kind) {
	case KIND_NUMBER:
		*why = "is not a number";
		return read_number(text);
	case KIND_BOOL:
		*why = "is not true or false";
		return read_bool(text);
	case KIND_LIST:
	case KIND_RULES:
		*why = "cannot be read: out of memory";
		return read_words(text, a->kind);
	case KIND_JSON:
		*why = "is not a JSON list";
		return read_json(text);
	default:
		*why = "cannot be read: out of memory";
		return json_object_new_string(text);
	}
}

/* Where the key goes; an object of the configuration's that is none stays for
 * keys.c to refuse. */
static struct json_object *place(const struct annotation *a, struct json_object *netconf)
{
	struct json_object *o;

	if (!a->outer)
		return netconf;
	if (json_object_object_get_ex(netconf, a->outer, &o) && o)
		return json_object_is_type(o, json_type_object) ? o : NULL;
	o = json_object_new_object();
	json_object_object_add(netconf, a->outer, o);
	return o;
}

static bool is_allowed(const char *name, const struct annotation *a, struct json_object *allowed)
{
	const char *s;

	if (!a)
		return true;		/* ATTACH */
	if (!allowed)
		return a->free;
	for (size_t i = 0; i < json_object_array_length(allowed); i++) {
		s = json_object_get_string(json_object_array_get_idx(allowed, i));
		if (s && (strcmp(s, "*") == 0 || strcmp(s, name) == 0))
			return true;
	}
	return false;
}

static int check(const char *name, struct json_object *v, const struct annotation *a,
		 struct json_object *allowed, struct err *e)
{
	if (!a && strcmp(name, ATTACH) != 0) {
		err_set(e, ERR_FIELD, "annotation " ANNOTATION_PREFIX "%.64s is not one of cni-passt",
			name);
		return err_hint(e, "see cni-passt-hook(8), ANNOTATIONS");
	}
	if (!is_allowed(name, a, allowed)) {
		err_set(e, ERR_PRIVILEGE, "annotation " ANNOTATION_PREFIX "%.64s is not allowed here",
			name);
		return err_hint(e, "the list \"annotations\" in \"hook\" of the hook's configuration"
				   " file names those that are");
	}
	if (!json_object_is_type(v, json_type_string))
		return bad(e, name, json_object_to_json_string(v), "is not a string");
	if (json_object_get_string_len(v) > ANNOTATION_VALUE_MAX)
		return err_set(e, ERR_CONFIG, "annotation " ANNOTATION_PREFIX "%.64s: longer than %d"
			       " bytes", name, ANNOTATION_VALUE_MAX);
	return 0;
}

static int apply_one(const struct annotation *a, const char *text, struct json_object *netconf,
		     struct err *e)
{
	struct json_object *to = place(a, netconf), *v;
	const char *why;

	if (!to)
		return 0;
	v = read_value(a, text, &why);
	if (!v)
		return bad(e, a->name, text, why);
	json_object_object_add(to, a->key, v);
	return 0;
}

static int apply(const char *name, struct json_object *v, struct json_object *allowed,
		 struct json_object *netconf, bool *attach, struct err *e)
{
	const struct annotation *a = find(name);
	const char *text;

	if (check(name, v, a, allowed, e) < 0)
		return -1;
	text = json_object_get_string(v);
	if (a)
		return apply_one(a, text, netconf, e);
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return bad(e, name, text, "is not true or false");
	*attach = text[0] == 't';
	return 0;
}

int annotation_apply(struct json_object *annotations, struct json_object *allowed,
		     struct json_object *netconf, bool *attach, struct err *e)
{
	const size_t n = strlen(ANNOTATION_PREFIX);

	*attach = true;
	if (!annotations)
		return 0;
	json_object_object_foreach(annotations, name, v) {
		if (strncmp(name, ANNOTATION_PREFIX, n) == 0 &&
		    apply(name + n, v, allowed, netconf, attach, e) < 0)
			return -1;
	}
	return 0;
}

static void note(const struct annotation *a, struct conf *c)
{
	char path[64];
	enum origin_key key;

	snprintf(path, sizeof(path), "%s%s%s", a->outer ? a->outer : "", a->outer ? "." : "", a->key);
	key = origin_key_find(path);
	if (key < ORIGIN_KEY_COUNT)
		c->from[key] = ORIGIN_ANNOTATION;
	for (uint32_t i = 0; strcmp(a->key, "forward") == 0 && i < c->nforwards; i++)
		c->forwards[i].from = ORIGIN_ANNOTATION;
	for (uint32_t i = 0; strcmp(a->key, "reverse") == 0 && i < c->nreverses; i++)
		c->reverses[i].from = ORIGIN_ANNOTATION;
	if (strcmp(a->key, "addresses") == 0)
		c->from[ORIGIN_KEY_ADDRESSES4] = c->from[ORIGIN_KEY_ADDRESSES6] = ORIGIN_ANNOTATION;
	if (strcmp(a->key, "gateways") == 0)
		c->from[ORIGIN_KEY_GATEWAYS4] = c->from[ORIGIN_KEY_GATEWAYS6] = ORIGIN_ANNOTATION;
}

void annotation_note(struct json_object *annotations, struct conf *c)
{
	const size_t n = strlen(ANNOTATION_PREFIX);
	const struct annotation *a;

	if (!annotations)
		return;
	json_object_object_foreach(annotations, name, v) {
		(void)v;
		a = strncmp(name, ANNOTATION_PREFIX, n) == 0 ? find(name + n) : NULL;
		if (a)
			note(a, c);
	}
}
