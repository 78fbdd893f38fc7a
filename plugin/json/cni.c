/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/json/cni.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_STEP	16384

const char *const cni_version_names[] = {
	[CNI_0_1_0] = "0.1.0", [CNI_0_2_0] = "0.2.0", [CNI_0_3_0] = "0.3.0",
	[CNI_0_3_1] = "0.3.1", [CNI_0_4_0] = "0.4.0", [CNI_1_0_0] = "1.0.0",
	[CNI_1_1_0] = "1.1.0",
};
static_assert(ARRAY_LEN(cni_version_names) == CNI_VERSION_COUNT, "a name for each version");

int cni_version_parse(const char *s)
{
	for (int i = 0; i < CNI_VERSION_COUNT; i++)
		if (strcmp(cni_version_names[i], s) == 0)
			return i;
	return -1;
}

char *cni_read(int fd, const char *what, size_t *len, struct err *e)
{
	size_t size = 0, n = 0;
	char *buf = NULL, *more;
	ssize_t r = 1;

	while (r != 0) {
		if (size - n < READ_STEP) {
			more = realloc(buf, size + 2 * READ_STEP);
			if (!more) {
				err_set(e, ERR_IO, "%s: out of memory", what);
				break;
			}
			buf = more;
			size += 2 * READ_STEP;
		}
		r = read(fd, buf + n, size - n - 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			err_set(e, ERR_IO, "%s: %s", what, strerror(errno));
			break;
		}
		n += (size_t)r;
		if (n > CNI_REQUEST_MAX) {
			err_set(e, ERR_DECODE, "%s: longer than %u bytes", what, CNI_REQUEST_MAX);
			break;
		}
	}
	if (r != 0 || !buf) {
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	*len = n;
	return buf;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int bad_json(struct err *e, const char *what, const char *text, size_t at,
		    const char *why)
{
	unsigned int line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	return err_set(e, ERR_DECODE, "%s: line %u, column %u: %s", what, line, column, why);
}

/* What the parser lets through even when strict: names in single quotes, and
 * NUL in strings, which would cut them short for everyone behind it. */
static int check_text(const char *text, size_t len, const char *what, struct err *e)
{
	bool inside = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"') {
			inside = !inside;
		} else if (!inside && text[i] == '\'') {
			return bad_json(e, what, text, i, "single quote");
		} else if (text[i] == '\0') {
			return bad_json(e, what, text, i, "NUL byte");
		} else if (inside && text[i] == '\\') {
			if (strncmp(text + i, "\\u0000", 6) == 0)
				return bad_json(e, what, text, i, "NUL in a string");
			i++;
		}
	}
	return 0;
}

struct json_object *cni_parse(const char *text, size_t len, const char *what, struct err *e)
{
	struct json_tokener *tok;
	struct json_object *o;
	enum json_tokener_error why;
	size_t at;

	while (len && is_space(text[len - 1]))
		len--;
	if (!len) {
		err_set(e, ERR_DECODE, "%s: empty, not a JSON object", what);
		return NULL;
	}
	if (check_text(text, len, what, e) < 0)
		return NULL;
	tok = json_tokener_new_ex(CNI_DEPTH_MAX);
	if (!tok) {
		err_set(e, ERR_IO, "%s: out of memory", what);
		return NULL;
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	why = json_tokener_get_error(tok);
	at = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	/* What ends inside an object is, to the parser, only waiting for more. */
	if (why == json_tokener_continue)
		bad_json(e, what, text, len, "ends too early");
	else if (why != json_tokener_success)
		bad_json(e, what, text, at, json_tokener_error_desc(why));
	else if (at < len)
		bad_json(e, what, text, at, "something follows the object");
	else if (!json_object_is_type(o, json_type_object))
		bad_json(e, what, text, 0, "not an object");
	else
		return o;
	json_object_put(o);
	return NULL;
}

static bool is_ours(struct json_object *entry)
{
	struct json_object *type;

	return json_object_is_type(entry, json_type_object) &&
	       json_object_object_get_ex(entry, "type", &type) &&
	       json_object_is_type(type, json_type_string) &&
	       strcmp(json_object_get_string(type), CNI_TYPE) == 0;
}

/* As a runtime makes the request of a list: the entry, with two keys of the
 * list's (SPEC, section 3, "Deriving request configuration"). */
static struct json_object *from_list(struct json_object *list, const char *what, struct err *e)
{
	static const char *const inherited[] = { "name", "cniVersion" };
	struct json_object *plugins, *entry = NULL, *v;
	size_t n;

	if (!json_object_object_get_ex(list, "plugins", &plugins))
		return json_object_get(list);
	n = json_object_is_type(plugins, json_type_array) ? json_object_array_length(plugins) : 0;
	for (size_t i = 0; i < n && !entry; i++)
		if (is_ours(json_object_array_get_idx(plugins, i)))
			entry = json_object_array_get_idx(plugins, i);
	if (!entry) {
		err_set(e, ERR_CONFIG, "%s: plugins: no entry of type \"" CNI_TYPE "\"", what);
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(inherited); i++)
		if (json_object_object_get_ex(list, inherited[i], &v))
			json_object_object_add(entry, inherited[i], json_object_get(v));
	return json_object_get(entry);
}

static int find_version(struct request *r, struct err *e)
{
	struct json_object *v;
	const char *s;
	int i;

	r->version = CNI_0_1_0;		/* what the absence has always meant */
	if (!json_object_object_get_ex(r->netconf, "cniVersion", &v) || !v)
		return 0;
	r->version = CNI_NEWEST;
	if (!json_object_is_type(v, json_type_string))
		return err_set(e, ERR_CONFIG, "cniVersion: %.80s is not a string",
			       json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
	s = json_object_get_string(v);
	i = s[0] ? cni_version_parse(s) : CNI_0_1_0;
	if (i < 0) {
		err_set(e, ERR_VERSION, "cniVersion: %.80s is not supported",
			json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
		return err_hint(e, "configuration has %.80s, cni-passt speaks 0.1.0, 0.2.0, 0.3.0,"
				   " 0.3.1, 0.4.0, 1.0.0, 1.1.0", s);
	}
	r->version = (enum cni_version)i;
	return 0;
}

int cni_decode(const char *text, size_t len, const char *what, bool list,
	       struct request *ret, struct err *e)
{
	struct json_object *o;

	*ret = (struct request){ .version = CNI_NEWEST };
	o = cni_parse(text, len, what, e);
	if (!o)
		return -1;
	ret->netconf = list ? from_list(o, what, e) : json_object_get(o);
	json_object_put(o);
	return ret->netconf ? find_version(ret, e) : -1;
}

void cni_drop(struct request *r)
{
	json_object_put(r->netconf);
	r->netconf = NULL;
}
