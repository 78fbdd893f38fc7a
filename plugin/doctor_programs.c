/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_programs: the container engines that are here and which configuration each would
 * use, our daemon and our broker, and whether all of us are of one version. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "plugin/attach/attach.h"
#include "plugin/attach/netns.h"
#include "plugin/attach/via.h"
#include "plugin/doctor.h"
#include "plugin/json/get.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

/* Where PATH has a program, and where ordinary users' often lacks it. */
static bool find_program(const char *name, char ret[DOCTOR_TEXT])
{
	char path[4 * DOCTOR_TEXT], *save = NULL;

	snprintf(path, sizeof(path), "%s:/usr/local/sbin:/usr/sbin:/sbin", getenv("PATH") ?: "");
	for (char *s = strtok_r(path, ":", &save); s; s = strtok_r(NULL, ":", &save)) {
		snprintf(ret, DOCTOR_TEXT, "%.400s/%s", s, name);
		if (access(ret, X_OK) == 0)
			return true;
	}
	return false;
}

/* --- clients and their configurations -------------------------------------------- */

#define FILE_MAX	(1 << 20)	/* bytes of a configuration that is looked at */

/* A network as a file describes it. */
struct network {
	char path[DOCTOR_TEXT], name[CONF_ID_MAX + 1], type[64];
	bool ours;
};

static struct json_object *read_json(const char *path)
{
	FD_OWNED int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = fd < 0 ? NULL : malloc(FILE_MAX);
	ssize_t n = text ? read(fd, text, FILE_MAX - 1) : -1;
	struct json_object *o = NULL;

	if (n > 0) {
		text[n] = '\0';
		o = json_tokener_parse(text);
	}
	free(text);
	return o;
}

/* A list's first plugin, a configuration's own type, or netavark's driver. */
static bool read_network(const char *path, struct network *ret)
{
	struct json_object *o = read_json(path), *plugins;
	const char *type;
	size_t n;

	*ret = (struct network){ .ours = false };
	plugins = get_list(o, "plugins", &n);
	type = n ? get_str(json_object_array_get_idx(plugins, 0), "type") : get_str(o, "type");
	if (!type[0])
		type = get_str(o, "driver");
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	snprintf(ret->name, sizeof(ret->name), "%s", get_str(o, "name"));
	snprintf(ret->type, sizeof(ret->type), "%s", type);
	ret->ours = strcmp(type, "cni-passt") == 0;
	for (size_t i = 1; i < n && !ret->ours; i++)
		ret->ours = strcmp(get_str(json_object_array_get_idx(plugins, i), "type"),
				   "cni-passt") == 0;
	json_object_put(o);
	return ret->type[0] != '\0';
}

/* The first network of the folder, in the order of names; of ours alone where `ours`. */
static bool find_network(const char *folder, bool ours, struct network *ret)
{
	char pattern[DOCTOR_TEXT];
	bool found = false;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%.400s/*.{conf,conflist,json}", folder);
	if (glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &g) != 0)
		return false;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct network n;

		if (!read_network(g.gl_pathv[i], &n) || (ours && !n.ours) ||
		    (found && strcmp(n.path, ret->path) > 0))
			continue;
		*ret = n;
		found = true;
	}
	globfree(&g);
	return found;
}

/* What is known of an engine. Folders: of root, and of others below their home. */
static const struct client {
	const char *name;
	const char *root[2], *home[2];
	bool first;		/* takes the first network there is; else by its name */
	const char *option;	/* which says the name */
	const char *example, *home_example;	/* the second for users: NULL: the same */
} clients[] = {
	{ "podman", { "/etc/cni/net.d", "/etc/containers/networks" },
	  { ".config/cni/net.d", ".local/share/containers/storage/networks" },
	  false, "--network", "cni-passt-podman.conflist", "cni-passt-podman-rootless.conflist" },
	{ "nerdctl", { "/etc/cni/net.d" }, { ".config/cni/net.d" }, false, "--net",
	  "cni-passt-nerdctl.conflist", NULL },
	{ "ctr", { "/etc/cni/net.d" }, { "/etc/cni/net.d" }, true, "--cni",
	  "cni-passt-containerd.conflist", NULL },
	{ "crictl", { "/etc/cni/net.d" }, { "/etc/cni/net.d" }, true, NULL,
	  "cni-passt-containerd.conflist", NULL },
	{ "crio", { "/etc/cni/net.d" }, { "/etc/cni/net.d" }, true, NULL,
	  "cni-passt-containerd.conflist", NULL },
};

/* Whether the client would use us, and what it would use. Without a file: "". */
static bool choose(const struct client *c, struct network *ret)
{
	const char *const *folders = geteuid() == 0 ? c->root : c->home;
	const char *home = getenv("HOME") ?: "";
	char folder[DOCTOR_TEXT];

	*ret = (struct network){ .ours = false };
	for (size_t i = 0; i < ARRAY_LEN(c->root) && folders[i]; i++) {
		snprintf(folder, sizeof(folder), "%.200s%s%.200s", folders[i][0] == '/' ? "" : home,
			 folders[i][0] == '/' ? "" : "/", folders[i]);
		if (find_network(folder, !c->first, ret))
			return ret->ours;
	}
	return false;
}

static void tell_client(struct doctor *d, const struct client *c, const char *program)
{
	char mend[DOCTOR_TEXT];
	struct network n;

	if (choose(c, &n)) {
		finding(d, GOOD, c->name, NULL, NULL, "%s uses network %s of %s%s%s", program, n.name,
			n.path, c->option ? ", with " : "", c->option ? c->option : "");
		return;
	}
	snprintf(mend, sizeof(mend), "copy the example %s to %s%s",
		 geteuid() != 0 && c->home_example ? c->home_example : c->example,
		 geteuid() == 0 || c->home[0][0] == '/' ? "" : "~/",
		 geteuid() == 0 ? c->root[0] : c->home[0]);
	if (n.path[0])
		finding(d, NOTE, c->name, "it takes the first file of that folder",
			mend, "%s uses %s (%s), not us", program, n.path, n.type);
	else
		finding(d, NOTE, c->name, "it uses the networks that files there describe", mend,
			"%s has no network of ours", program);
}

static void check_clients(struct doctor *d)
{
	static const char *const runtimes[] = { "runc", "crun" };
	char path[DOCTOR_TEXT];
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		if (find_program(clients[i].name, path)) {
			tell_client(d, &clients[i], path);
			any = true;
		}
	for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
		if (find_program(runtimes[i], path)) {
			finding(d, GOOD, runtimes[i], NULL, NULL, "%s uses hooks of its bundles and of"
				" hooks.d, cni-passt-hook(8)", path);
			any = true;
		}
	if (!any)
		finding(d, GOOD, "clients", NULL, NULL, "no container engine is here");
}

/* --- our own --------------------------------------------------------------------- */

/* The last word of what the program says of itself. */
static bool core_version(const char *path, char ret[DOCTOR_TEXT])
{
	char command[2 * CONF_PATH_MAX], line[DOCTOR_TEXT] = "";
	FILE *f;

	if (strpbrk(path, "'\n"))	/* it goes through a shell */
		return false;
	snprintf(command, sizeof(command), "'%s' --version 2> /dev/null", path);
	f = popen(command, "re");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		pclose(f);
	line[strcspn(line, "\n")] = '\0';
	if (!strrchr(line, ' '))
		return false;
	strcpy(ret, strrchr(line, ' ') + 1);
	return true;
}

static void check_core(struct doctor *d)
{
	char path[CONF_PATH_MAX], version[DOCTOR_TEXT];
	struct err e = ERR_INIT;

	if (spawn_find_core(path, &e) < 0)
		finding(d, BAD, "daemon", "it does all the work", e.details[0] ? e.details :
			"install cni-passt whole", "%s", e.msg);
	else if (!core_version(path, version))
		finding(d, BAD, "daemon", "it does all the work", "install cni-passt again",
			"%s does not run", path);
	else if (strcmp(version, PACKAGE_VERSION) != 0)
		finding(d, BAD, "daemon", "plugin and daemon must be of one version",
			"install both again", "%s is of version %s, this is %s", path, version,
			PACKAGE_VERSION);
	else
		finding(d, GOOD, "daemon", NULL, NULL, "%s, version %s", path, version);
}


static void check_broker(struct doctor *d)
{
	struct via_hello h;
	struct err e = ERR_INIT;
	int r = via_look(&h, &e);

	if (r == 0)
		finding(d, GOOD, "broker", NULL, NULL, "none answers; rootless podman and RootlessKit"
			" have a use for one, others have not");
	else if (r < 0)
		finding(d, NOTE, "broker", "\"via\": \"auto\" does without it, \"broker\" fails",
			e.details[0] ? e.details : "systemctl --user restart cni-passt-broker", "%s",
			e.msg);
	else if (strcmp(h.version, PACKAGE_VERSION) != 0)
		finding(d, NOTE, "broker", "broker and plugin must be of one version",
			"systemctl --user restart cni-passt-broker", "it is of version %s, this is %s",
			h.version, PACKAGE_VERSION);
	else
		finding(d, GOOD, "broker", NULL, NULL, "it answers, version %s, from %s network"
			" namespace", h.version,
			netns_is_own(h.net_dev, h.net_ino) == 1 ? "this" : "another");
}

void doctor_programs(struct doctor *d)
{
	check_clients(d);
	check_core(d);
	check_broker(d);
}
