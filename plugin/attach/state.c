/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "plugin/attach/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define ROOT_NAME	"cni-passt"
#define LOCK_NAME	"lock"
#define JSON_NAME	"state.json"
#define TEMP_NAME	"state.json.new"
#define LOCK_LOOK_MS	5

bool state_is_initial_root(void)
{
	FILE *f;
	unsigned long in = 1, out = 1, count = 0;
	int n;

	if (geteuid() != 0)
		return false;
	f = fopen("/proc/self/uid_map", "re");
	if (!f)
		return true;
	n = fscanf(f, "%lu %lu %lu", &in, &out, &count);
	fclose(f);
	return n == 3 && in == 0 && out == 0 && count == 4294967295UL;
}

/* What our own number is in the outermost user namespace that we can see. */
static unsigned long outer_uid(void)
{
	unsigned long in, out, count, uid = geteuid();
	FILE *f = fopen("/proc/self/uid_map", "re");

	while (f && fscanf(f, "%lu %lu %lu", &in, &out, &count) == 3)
		if (uid >= in && uid - in < count) {
			uid = uid - in + out;
			break;
		}
	if (f)
		fclose(f);
	return uid;
}

/* The folder that holds ours: XDG_RUNTIME_DIR, or, for programs that are started
 * without an environment (hooks), where it usually is; else /run. */
static const char *base_path(bool *from_env)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	static char usual[64];
	struct stat st;

	*from_env = !state_is_initial_root();
	if (*from_env && dir && dir[0])
		return dir;
	snprintf(usual, sizeof(usual), "/run/user/%lu", outer_uid());
	*from_env = *from_env && stat(usual, &st) == 0 && st.st_uid == geteuid();
	return *from_env ? usual : "/run";
}

int state_path(const char *container_id, const char *ifname, char ret[CONF_PATH_MAX],
	       struct err *e)
{
	bool from_env;
	const char *base = base_path(&from_env);
	int n;

	if (base[0] != '/')
		return err_set(e, ERR_ENV, "XDG_RUNTIME_DIR: \"%.80s\" is not an absolute path",
			       base);
	n = snprintf(ret, CONF_PATH_MAX, "%s/" ROOT_NAME "/%s@%s", base, container_id, ifname);
	if (n < 0 || n >= CONF_PATH_MAX)
		return err_set(e, ERR_ENV, "XDG_RUNTIME_DIR: \"%.80s...\" is too long", base);
	return 0;
}

static int io_err(struct err *e, const char *what, const char *name)
{
	int code = errno == EACCES || errno == EPERM || errno == EROFS ? ERR_PRIVILEGE : ERR_IO;

	return err_set(e, code, "state folder %s: %s: %s", name, what, strerror(errno));
}

/* Opens a folder of ours inside another. Returns a descriptor, -ENOENT without
 * *e, or -1 with *e. */
static int open_folder(int at, const char *name, bool make, struct err *e)
{
	FD_OWNED int fd = -1;
	struct stat st;

	if (make && mkdirat(at, name, 0700) < 0 && errno != EEXIST && errno != ENOENT)
		return io_err(e, "mkdir", name);
	fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return io_err(e, "open", name);
	if (fstat(fd, &st) < 0)
		return io_err(e, "stat", name);
	if (st.st_uid != geteuid())
		return err_set(e, ERR_PRIVILEGE, "state folder %s belongs to user %u, not %u",
			       name, st.st_uid, geteuid());
	if (st.st_mode & 022)
		return err_set(e, ERR_PRIVILEGE, "state folder %s: others may write (mode %04o)",
			       name, st.st_mode & 07777u);
	return fd_take(&fd);
}

static int root_failed(struct err *e, bool from_env, const char *path)
{
	err_prefix(e, "in %.200s", path);
	if (e && e->code == ERR_PRIVILEGE && !from_env)
		err_hint(e, "an ordinary user needs XDG_RUNTIME_DIR, a folder of his own");
	return -1;
}

int state_root(bool make, struct err *e)
{
	FD_OWNED int base = -1;
	bool from_env;
	const char *path = base_path(&from_env);
	struct stat st;
	int fd;

	base = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0 && errno == ENOENT && !make)
		return -ENOENT;
	if (base < 0 || fstat(base, &st) < 0)
		return io_err(e, from_env ? "XDG_RUNTIME_DIR" : "open", path);
	if (from_env && st.st_uid != geteuid()) {
		err_set(e, ERR_PRIVILEGE, "XDG_RUNTIME_DIR: %s belongs to user %u, not %u",
			path, st.st_uid, geteuid());
		return err_hint(e, "set it to the calling user's own, usually /run/user/%u",
				geteuid());
	}
	fd = open_folder(base, ROOT_NAME, make, e);
	if (fd == -ENOENT && make)
		return err_set(e, ERR_IO, "state folder %s/" ROOT_NAME " cannot be made", path);
	return fd == -1 ? root_failed(e, from_env, path) : fd;
}

/* Waits a moment; -1 with *e when there is no more to wait. */
static int wait_turn(int64_t end, int stop_fd, const char *name, struct err *e)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	if (clock_ms() >= end) {
		err_set(e, ERR_AGAIN, "attachment %s: another command holds its lock", name);
		return err_hint(e, "try again when that command has ended");
	}
	if (poll(&p, 1, LOCK_LOOK_MS) > 0)
		return err_set(e, ERR_AGAIN, "attachment %s: interrupted while waiting for its"
			       " lock", name);
	return 0;
}

/* Whether name in folder at still is what fd holds. */
static bool still_names(int at, const char *name, int fd)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 && fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

/* One try at the lock: 1 held, 0 the folder vanished under us, -EAGAIN another
 * holds it, -1 with *e. */
static int try_lock(struct state_dir *d, struct err *e)
{
	if (d->lock_fd < 0)
		d->lock_fd = openat(d->fd, LOCK_NAME,
				    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->lock_fd < 0 && errno == ENOENT)
		return 0;
	if (d->lock_fd < 0)
		return io_err(e, "open lock", d->name);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK || errno == EINTR)
			return -EAGAIN;
		return io_err(e, "lock", d->name);
	}
	return still_names(d->fd, LOCK_NAME, d->lock_fd) &&
	       still_names(d->root_fd, d->name, d->fd);
}

/* A folder in which not even the lock can be made, on a full file system, has
 * nothing in it: it goes, and who only looked for it has not found it. */
static int give_up(const struct state_dir *d, bool make, struct err *e)
{
	if (d->lock_fd >= 0 || unlinkat(d->root_fd, d->name, AT_REMOVEDIR) < 0 || make)
		return -1;
	if (e)
		*e = ERR_INIT;
	return 0;
}

static int open_locked(struct state_dir *d, bool make, int patience_ms, int stop_fd,
		       struct err *e)
{
	int64_t end = clock_ms() + patience_ms;
	int r;

	for (;;) {
		if (d->fd < 0) {
			r = open_folder(d->root_fd, d->name, make, e);
			if (r == -ENOENT && !make)
				return 0;
			if (r < 0 && r != -ENOENT)
				return -1;
			d->fd = r < 0 ? -1 : r;
		}
		r = d->fd < 0 ? 0 : try_lock(d, e);
		if (r == -1)
			return give_up(d, make, e);
		if (r == 1)
			return r;
		/* The folder vanished under us: begin anew. */
		if (r == 0) {
			fd_drop(&d->lock_fd);
			fd_drop(&d->fd);
		}
		if (wait_turn(end, stop_fd, d->name, e) < 0)
			return -1;
	}
}

static int open_state(const char *container_id, const char *ifname, bool make, int patience_ms,
		      int stop_fd, struct state_dir *ret, struct err *e)
{
	struct state_dir d = STATE_DIR_INIT;
	int r;

	*ret = STATE_DIR_INIT;
	snprintf(d.name, sizeof(d.name), "%s@%s", container_id, ifname);
	r = state_root(make, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return -1;
	d.root_fd = r;
	r = open_locked(&d, make, patience_ms, stop_fd, e);
	if (r == 1)
		*ret = d;
	else
		state_close(&d);
	return r;
}

int state_open(const char *container_id, const char *ifname, bool make, int stop_fd,
	       struct state_dir *ret, struct err *e)
{
	return open_state(container_id, ifname, make, STATE_LOCK_MS, stop_fd, ret, e);
}

int state_try(const char *container_id, const char *ifname, struct state_dir *ret,
	      struct err *e)
{
	return open_state(container_id, ifname, false, 0, -1, ret, e);
}

/* "<container id>@<ifname>": an id has no '@' in it. */
static bool parse_name(const char *name, struct state_name *ret)
{
	const char *at = strchr(name, '@');

	if (!at || (size_t)(at - name) >= sizeof(ret->container_id) ||
	    strlen(at + 1) >= sizeof(ret->ifname))
		return false;
	*ret = (struct state_name){ .ifname = "" };
	memcpy(ret->container_id, name, (size_t)(at - name));
	strcpy(ret->ifname, at + 1);
	return conf_id_ok(ret->container_id) && conf_ifname_ok(ret->ifname);
}

static int read_names(DIR *dir, struct state_name **list, size_t *n, struct err *e)
{
	struct state_name *more, name;
	struct dirent *entry;
	size_t room = 0;

	while ((entry = readdir(dir)) && *n < STATE_LIST_MAX) {
		if (!parse_name(entry->d_name, &name))
			continue;
		if (*n == room) {
			room = room ? 2 * room : 64;
			more = realloc(*list, room * sizeof(*more));
			if (!more)
				return err_set(e, ERR_IO, "out of memory");
			*list = more;
		}
		(*list)[(*n)++] = name;
	}
	return 0;
}

int state_list(struct state_name **ret, size_t *n, struct err *e)
{
	FD_OWNED int root = state_root(false, e);
	int fd, r;
	DIR *dir;

	*ret = NULL;
	*n = 0;
	if (root < 0)
		return root == -ENOENT ? 0 : -1;
	fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		fd_drop(&fd);
		return io_err(e, "read", ROOT_NAME);
	}
	r = read_names(dir, ret, n, e);
	closedir(dir);
	return r;
}

/* A file's worth of bytes, so that a full file system shows. */
int state_probe(struct err *e)
{
	FD_OWNED int root = state_root(true, e);
	FD_OWNED int fd = -1;
	char name[32], page[4096] = "";
	ssize_t n;
	int r = 0;

	if (root < 0)
		return -1;
	snprintf(name, sizeof(name), ".probe-%d", (int)getpid());
	fd = openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return io_err(e, "make a file", ROOT_NAME);
	n = write(fd, page, sizeof(page));
	if (n >= 0 && n < (ssize_t)sizeof(page))
		errno = ENOSPC;
	if (n < (ssize_t)sizeof(page))
		r = io_err(e, "write a file", ROOT_NAME);
	unlinkat(root, name, 0);
	return r;
}

void state_close(struct state_dir *d)
{
	fd_drop(&d->lock_fd);
	fd_drop(&d->fd);
	fd_drop(&d->root_fd);
}

int state_clean(const struct state_dir *d, struct err *e)
{
	struct dirent *entry;
	DIR *dir;
	int fd, r = 0;

	fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		fd_drop(&fd);
		return io_err(e, "read", d->name);
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    strcmp(entry->d_name, LOCK_NAME) == 0)
			continue;
		if (unlinkat(d->fd, entry->d_name, 0) < 0 && errno != ENOENT)
			r = io_err(e, "remove", d->name);
	}
	closedir(dir);
	return r;
}

int state_remove(struct state_dir *d, struct err *e)
{
	int r = state_clean(d, e);

	/* The lock last, while it is held: who waits for it sees it gone. A folder
	 * that is not empty now has a new owner already. */
	if (r == 0 && unlinkat(d->fd, LOCK_NAME, 0) < 0 && errno != ENOENT)
		r = io_err(e, "remove lock", d->name);
	if (r == 0 && unlinkat(d->root_fd, d->name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    errno != ENOTEMPTY && errno != EEXIST)
		r = io_err(e, "remove", d->name);
	state_close(d);
	return r;
}

static void put_str(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s));
}

static struct json_object *routes_json(const struct netcfg *n)
{
	struct json_object *list = json_object_new_array(), *o;
	char text[PREFIX_STRLEN];

	for (uint32_t i = 0; i < n->nroutes; i++) {
		const struct route *r = &n->routes[i];

		o = json_object_new_object();
		put_str(o, "dst", prefix_format(&r->dst, text));
		if (!addr_is_any(&r->gw))
			put_str(o, "gw", addr_format(&r->gw, text));
		if (r->metric)
			json_object_object_add(o, "metric", json_object_new_int64(r->metric));
		json_object_array_add(list, o);
	}
	return list;
}

static void put_net(struct json_object *o, const struct netcfg *n)
{
	struct json_object *list = json_object_new_array();
	char text[PREFIX_STRLEN];

	put_str(o, "mac", mac_format(&n->mac, text));
	json_object_object_add(o, "mtu", json_object_new_int64(n->mtu));
	for (uint32_t i = 0; i < n->naddresses; i++)
		json_object_array_add(list, json_object_new_string(
						    prefix_format(&n->addresses[i], text)));
	json_object_object_add(o, "addresses", list);
	list = json_object_new_array();
	if (!addr_is_any(&n->gateway4))
		json_object_array_add(list,
				      json_object_new_string(addr_format(&n->gateway4, text)));
	if (!addr_is_any(&n->gateway6))
		json_object_array_add(list,
				      json_object_new_string(addr_format(&n->gateway6, text)));
	json_object_object_add(o, "gateways", list);
	json_object_object_add(o, "routes", routes_json(n));
	put_str(o, "outer4", n->outer_ifname4);
	put_str(o, "outer6", n->outer_ifname6);
}

static struct json_object *to_json(const struct state *s)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "format", json_object_new_int(STATE_FORMAT));
	put_str(o, "version", s->version);
	json_object_object_add(o, "pid", json_object_new_int(s->daemon.pid));
	json_object_object_add(o, "startTime", json_object_new_uint64(s->daemon.start_time));
	put_str(o, "bootId", s->daemon.boot_id);
	json_object_object_add(o, "pidNamespace", json_object_new_uint64(s->daemon.pid_ns));
	put_str(o, "containerId", s->container_id);
	put_str(o, "ifname", s->net.ifname);
	put_str(o, "network", s->network);
	put_str(o, "netns", s->netns);
	put_net(o, &s->net);
	return o;
}

static int write_file(int dir, const char *text, size_t len)
{
	FD_OWNED int fd = openat(dir, TEMP_NAME,
				 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, len);
	if (n >= 0 && (size_t)n != len) {
		errno = ENOSPC;
		return -1;
	}
	return n < 0 ? -1 : renameat(dir, TEMP_NAME, dir, JSON_NAME);
}

int state_write(const struct state_dir *d, const struct state *s, struct err *e)
{
	struct json_object *o = to_json(s);
	size_t len;
	const char *text = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	int r = 0;

	/* No fsync: the folder lives in memory and does not outlive the boot. */
	if (write_file(d->fd, text, len) < 0) {
		r = io_err(e, "write " JSON_NAME, d->name);
		unlinkat(d->fd, TEMP_NAME, 0);
	}
	json_object_put(o);
	return r;
}

/* A string member into buf; "" and false where it is absent or too long. */
static bool get_str(struct json_object *o, const char *key, char *buf, size_t size)
{
	struct json_object *v;
	const char *s = "";
	bool ok;

	ok = json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string);
	if (ok)
		s = json_object_get_string(v);
	ok = ok && strlen(s) < size;
	snprintf(buf, size, "%s", ok ? s : "");
	return ok;
}

static int64_t get_int(struct json_object *o, const char *key, int64_t max)
{
	struct json_object *v;
	int64_t i;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_int))
		return 0;
	i = json_object_get_int64(v);
	return i < 0 || i > max ? 0 : i;
}

static struct json_object *get_list(struct json_object *o, const char *key, size_t *n,
				    size_t max)
{
	struct json_object *v;

	*n = 0;
	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_array))
		return NULL;
	*n = MIN_OF(json_object_array_length(v), max);
	return v;
}

static void get_routes(struct json_object *o, struct netcfg *n)
{
	char text[PREFIX_STRLEN];
	size_t count;
	struct json_object *list = get_list(o, "routes", &count, CONF_ROUTES_MAX), *v;

	for (size_t i = 0; i < count; i++) {
		struct route r = { .metric = 0 };

		v = json_object_array_get_idx(list, i);
		if (!json_object_is_type(v, json_type_object) ||
		    !get_str(v, "dst", text, sizeof(text)) || prefix_parse(text, &r.dst) < 0)
			continue;
		if (get_str(v, "gw", text, sizeof(text)) && addr_parse(text, &r.gw) < 0)
			continue;
		r.metric = (uint32_t)get_int(v, "metric", UINT32_MAX);
		n->routes[n->nroutes++] = r;
	}
}

/* What a listing shows; nothing here decides anything, so a value that does not
 * parse is left out. */
static void get_net(struct json_object *o, struct netcfg *n)
{
	char text[PREFIX_STRLEN];
	struct json_object *list;
	struct addr a;
	size_t count;

	if (get_str(o, "mac", text, sizeof(text)))
		mac_parse(text, &n->mac);
	n->mtu = (uint32_t)get_int(o, "mtu", CONF_MTU_MAX);
	get_str(o, "outer4", n->outer_ifname4, sizeof(n->outer_ifname4));
	get_str(o, "outer6", n->outer_ifname6, sizeof(n->outer_ifname6));
	list = get_list(o, "addresses", &count, CONF_ADDRS_MAX);
	for (size_t i = 0; i < count; i++)
		if (prefix_parse(json_object_get_string(json_object_array_get_idx(list, i)) ?: "",
				 &n->addresses[n->naddresses]) == 0)
			n->naddresses++;
	list = get_list(o, "gateways", &count, CONF_GATEWAYS_MAX);
	for (size_t i = 0; i < count; i++)
		if (addr_parse(json_object_get_string(json_object_array_get_idx(list, i)) ?: "",
			       &a) == 0)
			*(addr_is4(&a) ? &n->gateway4 : &n->gateway6) = a;
	get_routes(o, n);
}

static int from_json(struct json_object *o, struct state *s)
{
	if (!get_str(o, "containerId", s->container_id, sizeof(s->container_id)) ||
	    !get_str(o, "ifname", s->net.ifname, sizeof(s->net.ifname)))
		return -EBADMSG;
	/* Of a process all is needed, or nothing is known (stop.h). */
	s->daemon.pid = (int32_t)get_int(o, "pid", INT32_MAX);
	s->daemon.start_time = (uint64_t)get_int(o, "startTime", INT64_MAX);
	get_str(o, "bootId", s->daemon.boot_id, sizeof(s->daemon.boot_id));
	s->daemon.pid_ns = (uint64_t)get_int(o, "pidNamespace", INT64_MAX);
	get_str(o, "network", s->network, sizeof(s->network));
	get_str(o, "netns", s->netns, sizeof(s->netns));
	get_str(o, "version", s->version, sizeof(s->version));
	get_net(o, &s->net);
	return 0;
}

static ssize_t read_file(int dir, const char *name, void *buf, size_t size)
{
	FD_OWNED int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size);
	return n < 0 ? -errno : n;
}

int state_network(const struct state_dir *d, struct netcfg *ret, struct err *e)
{
	struct handoff_net h;
	ssize_t n = read_file(d->fd, HANDOFF_NET_NAME, &h, sizeof(h));

	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return err_set(e, ERR_IO, "state of %s: " HANDOFF_NET_NAME ": %s", d->name,
			       strerror((int)-n));
	if (n != (ssize_t)sizeof(h) || h.magic != HANDOFF_MAGIC || !netcfg_ok(&h.net)) {
		err_set(e, ERR_DECODE, "state of %s: " HANDOFF_NET_NAME " does not decode", d->name);
		return err_hint(e, "its daemon may be of another version");
	}
	*ret = h.net;
	return 1;
}

int state_read(const struct state_dir *d, struct state *ret, struct err *e)
{
	struct state s = { .network = "" };
	struct json_object *o = NULL;
	char *text = malloc(STATE_JSON_MAX);
	ssize_t n = text ? read_file(d->fd, JSON_NAME, text, STATE_JSON_MAX - 1) : -ENOMEM;
	int r = -EBADMSG;

	if (n > 0) {
		text[n] = '\0';
		o = json_tokener_parse(text);
	}
	free(text);
	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return err_set(e, ERR_IO, "state of %s: " JSON_NAME ": %s", d->name,
			       strerror((int)-n));
	if (json_object_is_type(o, json_type_object))
		r = from_json(o, &s);
	json_object_put(o);
	if (r < 0)
		return err_set(e, ERR_DECODE, "state of %s: " JSON_NAME " does not decode",
			       d->name);
	*ret = s;
	return 1;
}
