/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/attach/find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/forward.h"
#include "plugin/attach/ask.h"

/* What is asked for, in its parts. */
struct wanted {
	const char *id;
	size_t id_len;
	const char *ifname;	/* NULL: any */
};

/* 2: by the whole id; 1: by a prefix; 0: not at all. */
static int match(const struct wanted *w, const char *name)
{
	const char *at = strrchr(name, '@');
	size_t len = at ? (size_t)(at - name) : 0;

	if (!at || len < w->id_len || memcmp(name, w->id, w->id_len) != 0)
		return 0;
	if (w->ifname && strcmp(w->ifname, at + 1) != 0)
		return 0;
	return len == w->id_len ? 2 : 1;
}

struct matches {
	int best, count;
	char names[2][STATE_NAME_MAX + 1];	/* of the first two of the best kind */
};

static void note(struct matches *m, const struct wanted *w, const char *name)
{
	int kind = match(w, name);

	if (!kind || kind < m->best || strlen(name) > STATE_NAME_MAX)
		return;
	if (kind > m->best)
		m->count = 0;
	m->best = kind;
	if (m->count < 2)
		strcpy(m->names[m->count], name);
	m->count++;
}

static int read_names(int root, const struct wanted *w, struct matches *m)
{
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return -errno;
	for (struct dirent *d; (d = readdir(dir)) != NULL;)
		note(m, w, d->d_name);
	closedir(dir);
	return 0;
}

static int several(const struct matches *m, const char *id, struct err *e)
{
	err_set(e, ERR_CONTAINER, "\"%.80s\" is not one attachment: %d begin so, %.100s and %.100s"
		" among them", id, m->count, m->names[0], m->names[1]);
	return err_hint(e, "give more of the id, or ID/ifname");
}

static int open_folder(int root, const char *name)
{
	return openat(root, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int find_folder(int root, const struct state_name *n)
{
	char name[STATE_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%s@%s", n->container_id, n->ifname);
	return open_folder(root, name);
}

int find_attachment(const char *id, struct found *ret, struct err *e)
{
	const char *slash = strchr(id, '/');
	const struct wanted w = {
		.id = id, .id_len = slash ? (size_t)(slash - id) : strlen(id),
		.ifname = slash ? slash + 1 : NULL,
	};
	struct matches m = { .best = 0 };
	FD_OWNED int root = state_root(false, e);
	int r = 0;

	if (root < 0 && root != -ENOENT)
		return -1;
	if (root >= 0 && w.id_len)
		r = read_names(root, &w, &m);
	if (r < 0)
		return err_set(e, ERR_IO, "the state folder cannot be read: %s", strerror(-r));
	if (m.count > 1)
		return several(&m, id, e);
	if (!m.count)
		return err_set(e, ERR_CONTAINER, "no attachment of \"%.80s\" here", id);
	strcpy(ret->name, m.names[0]);
	ret->fd = open_folder(root, ret->name);
	return ret->fd < 0 ? err_set(e, ERR_CONTAINER, "attachment %s: %s", ret->name,
				     strerror(errno)) : 0;
}

/* The ports that a rule of an answer listens on, false: none, or it does not decode. */
static bool read_rule(struct json_object *o, struct conf_forward *ret)
{
	struct json_object *proto, *rule, *listeners, *port;
	const char *name;

	if (!json_object_object_get_ex(o, "protocol", &proto) ||
	    !json_object_object_get_ex(o, "rule", &rule) ||
	    !json_object_object_get_ex(o, "listeners", &listeners) ||
	    !json_object_get_int(listeners))
		return false;
	name = json_object_get_string(proto);
	for (int i = 0; i < CONF_PROTO_COUNT; i++) {
		if (strcmp(conf_proto_names[i], name) != 0)
			continue;
		if (forward_parse(json_object_get_string(rule), (enum conf_proto)i, ret))
			return false;
		if (json_object_object_get_ex(o, "port", &port))	/* picked by the kernel */
			ret->first = ret->last = (uint16_t)json_object_get_int(port);
		return true;
	}
	return false;
}

static bool any_meets(struct json_object *answer, const struct conf_forward *rules, uint32_t n)
{
	struct json_object *list;
	struct conf_forward real;

	if (!json_object_object_get_ex(answer, "rules", &list) ||
	    !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (!read_rule(json_object_array_get_idx(list, i), &real))
			continue;
		for (uint32_t j = 0; j < n; j++)
			if (conf_forwards_meet(&real, &rules[j]))
				return true;
	}
	return false;
}

static bool has_port(int root, const char *name, const struct conf_forward *rules, uint32_t n)
{
	FD_OWNED int fd = open_folder(root, name);
	struct json_object *answer = fd < 0 ? NULL :
				     ask_daemon(fd, ask_request(CONTROL_LIST), NULL);
	bool has = answer && any_meets(answer, rules, n);

	json_object_put(answer);
	return has;
}

bool find_port_owner(const struct conf_forward *rules, uint32_t n, const char *but,
		     char ret[STATE_NAME_MAX + 1])
{
	FD_OWNED int root = state_root(false, NULL);
	int fd = root < 0 ? -1 : openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool found = false;

	if (!dir)
		return false;
	for (struct dirent *d; !found && (d = readdir(dir)) != NULL;) {
		if (!strchr(d->d_name, '@') || strlen(d->d_name) > STATE_NAME_MAX ||
		    (but && strcmp(d->d_name, but) == 0))
			continue;
		found = has_port(root, d->d_name, rules, n);
		if (found)
			strcpy(ret, d->d_name);
	}
	closedir(dir);
	return found;
}

void find_explain(const struct conf_forward *rules, uint32_t n, const char *but, struct err *e)
{
	char name[STATE_NAME_MAX + 1];

	if (e && e->code == ERR_PORT && find_port_owner(rules, n, but, name))
		err_hint(e, "attachment %s has it: choose another port, or take it from there"
			 " (cni-passt forward)", name);
}
