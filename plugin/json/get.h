/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * get: members of JSON objects that others made: what is absent, null or of
 * another type is simply not there. (Keys of ours are read by keys.c, which
 * refuses instead.)
 */
#ifndef PLUGIN_JSON_GET_H
#define PLUGIN_JSON_GET_H

#include <json-c/json.h>
#include <stddef.h>

static inline struct json_object *get_member(struct json_object *o, const char *key,
					     enum json_type type)
{
	struct json_object *v;

	return json_object_is_type(o, json_type_object) &&
	       json_object_object_get_ex(o, key, &v) && json_object_is_type(v, type) ? v : NULL;
}

/* A string, "" where it is not there. */
static inline const char *get_str(struct json_object *o, const char *key)
{
	struct json_object *v = get_member(o, key, json_type_string);

	return v ? json_object_get_string(v) : "";
}

/* A list and its length, NULL and 0 where it is not there. */
static inline struct json_object *get_list(struct json_object *o, const char *key, size_t *n)
{
	struct json_object *v = get_member(o, key, json_type_array);

	*n = v ? json_object_array_length(v) : 0;
	return v;
}

#endif
