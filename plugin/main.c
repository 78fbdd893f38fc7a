/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main: the program cni-passt: CNI plugin where CNI_COMMAND is set and no verb
 * is given, else the user's command. Picks the verb from a table, gathers what
 * it is called with, prints the answer once. As a plugin, errors are objects on
 * stdout; by hand, one line on stderr. Makes and ends attachments through
 * plugin/attach only.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "plugin/attach/attach.h"
#include "plugin/attach/front.h"
#include "plugin/attach/resolv.h"
#include "plugin/broker.h"
#include "plugin/check.h"
#include "plugin/command.h"
#include "plugin/crowd.h"
#include "plugin/forward.h"
#include "plugin/gc.h"
#include "plugin/ipam.h"
#include "plugin/json/cni.h"
#include "plugin/json/keys.h"
#include "plugin/json/near.h"
#include "plugin/netavark.h"
#include "plugin/result.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

enum exit_status { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

/* What a verb is called with, from options, or CNI variables in their absence. */
struct call {
	bool by_hand;
	bool usage;			/* the error is the caller's wrong use */
	const char *verb;
	const char *container_id, *ifname, *netns, *args;
	const char *conf_path;		/* by hand: --conf; NULL: not given */
	int32_t pid;			/* by hand: --pid; 0: not given */
	char pid_netns[32];		/* its namespace's path */
	int nwords;			/* by hand: what follows the verb */
	char **words;
	bool json;			/* by hand: --json */
	struct command command;		/* by hand: what only commands for people take */
	unsigned int given;		/* by hand: enum need of the options that were given */
	bool netavark;			/* netavark calls: its answers, its errors */
	const char *listen;		/* by hand: --listen */
	enum cni_version version;	/* for errors, as soon as it is known */
	struct err err;
};

enum need {
	NEED_ID = 1, NEED_IFNAME = 2, NEED_NETNS = 4,
	NEED_CNI_NETNS = 8,		/* of a CNI runtime; by hand the state file knows it */
	TAKES_WORDS = 16,		/* by hand, behind the verb */
	TAKES_WATCH = 32, TAKES_PROMETHEUS = 64, TAKES_FILTER = 128,	/* options, by hand */
	TAKES_ENDS = 256,		/* --port, --address, --proto */
	TAKES_FRAMES = 512,		/* those of capture alone */
};

struct verb {
	const char *name;
	unsigned int needs;
	bool cni;			/* also a CNI_COMMAND */
	enum cni_version since;		/* of the network configuration */
	int (*run)(struct call *c);	/* 0, or -1 with c->err */
};

static const struct verb *find_verb(const struct call *c);

/* Writes all of it without ever blocking where stop_fd could not be heard: a
 * pipe that polls writable takes PIPE_BUF bytes. */
static int write_out(const char *text, size_t len, int stop_fd, struct err *e)
{
	struct pollfd p[] = { { .fd = STDOUT_FILENO, .events = POLLOUT },
			      { .fd = stop_fd, .events = POLLIN } };
	ssize_t n;

	while (len) {
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return err_set(e, ERR_IO, "stdout: poll: %s", strerror(errno));
		if (p[1].revents)
			return err_set(e, ERR_AGAIN, "interrupted by a signal");
		n = write(STDOUT_FILENO, text, MIN_OF(len, (size_t)PIPE_BUF));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_set(e, ERR_IO, "stdout: %s", strerror(errno));
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Prints and puts o. */
static int print_json(struct json_object *o, int stop_fd, struct err *e)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;
	size_t len;
	int r;

	if (!o)
		return err_set(e, ERR_IO, "out of memory");
	text = json_object_to_json_string_length(o, flags, &len);
	r = text ? write_out(text, len, stop_fd, e) : err_set(e, ERR_IO, "out of memory");
	if (r == 0)
		r = write_out("\n", 1, stop_fd, e);
	json_object_put(o);
	return r;
}

/* A verb that is younger than the configuration's version (by hand it does not
 * matter: who asks is the one who is answered). */
static int check_version(struct call *c)
{
	enum cni_version since = find_verb(c)->since;

	if (c->by_hand || c->version >= since)
		return 0;
	err_set(&c->err, ERR_VERSION, "CNI_COMMAND=%s is not part of version %s", c->verb,
		cni_version_names[c->version]);
	return err_hint(&c->err, "the configuration's \"cniVersion\" must be %s or later",
			cni_version_names[since]);
}

/* The network configuration from --conf or stdin. */
static int read_request(struct call *c, struct request *req)
{
	bool from_stdin = !c->conf_path || strcmp(c->conf_path, "-") == 0;
	const char *what = from_stdin ? "configuration on stdin" : c->conf_path;
	FD_OWNED int fd = -1;
	size_t len;
	char *text;
	int r;

	*req = (struct request){ .version = CNI_NEWEST };
	if (!from_stdin) {
		fd = open(c->conf_path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_set(&c->err, ERR_IO, "%.200s: %s", what, strerror(errno));
	}
	text = cni_read(from_stdin ? STDIN_FILENO : fd, what, &len, &c->err);
	if (!text)
		return -1;
	/* A DEL must work with as little as there is. */
	if (strcmp(c->verb, "DEL") == 0 && strspn(text, " \t\r\n") == len)
		r = cni_decode("{}", 2, what, false, req, &c->err);
	else
		r = cni_decode(text, len, what, c->by_hand, req, &c->err);
	c->version = req->version;
	free(text);
	return r < 0 ? r : check_version(c);
}

/* A name from outside into its place in struct conf; one that is too long can
 * not be good either, and the validator shall see that it is not. */
static int copy_name(struct call *c, const char *key, const char *from, char *to, size_t size)
{
	if (strlen(from) >= size)
		return err_set(&c->err, ERR_ENV, "%s: \"%.40s...\" is longer than %zu bytes", key,
			       from, size - 1);
	strcpy(to, from);
	return 0;
}

static int fill_identity(struct call *c, struct conf *conf)
{
	if (copy_name(c, "CNI_CONTAINERID", c->container_id, conf->container_id,
		      sizeof(conf->container_id)) < 0 ||
	    copy_name(c, "CNI_IFNAME", c->ifname, conf->ifname, sizeof(conf->ifname)) < 0)
		return -1;
	if (copy_name(c, "CNI_NETNS", c->netns, conf->netns_path, sizeof(conf->netns_path)) < 0)
		return -1;
	return front_without(&conf->without, &c->err);
}

static int answer_add(struct call *c, const struct keys *k, const struct attach *a, int stop_fd)
{
	struct result r = {
		.version = c->version,
		.net = &a->net,
		.sandbox = k->conf.netns_path,
		.dns = k->dns,
		.forwards_dns = !k->conf.nnameservers && k->conf.ndns_forward,
		.prev = k->prev,
	};

	return print_json(c->netavark ? netavark_status(&a->net, k->dns) : result_build(&r),
			  stop_fd, &c->err);
}

static struct ipam_for ipam_for(const struct call *c, int stop_fd)
{
	return (struct ipam_for){ .container_id = c->container_id, .ifname = c->ifname,
				  .netns = c->netns, .stop_fd = stop_fd };
}

/* What an ADD that fails took from an IPAM plugin goes back, also where it was
 * the plugin that failed (SPEC, section 4). The ADD's error is the one to tell. */
static void release(const struct call *c, const struct request *req, const struct ipam_for *who)
{
	struct ipam_for all = *who;
	struct err e = ERR_INIT;

	all.stop_fd = -1;	/* also after a signal */
	if (ipam_call("DEL", req->netconf, &all, &e) < 0)
		fprintf(stderr, "cni-passt: %s: %s\n", c->verb, e.msg);
}

/* The plugin dhcp asks by the interface: that is first. */
static int start_by_dhcp(struct call *c, const struct request *req, struct keys *k,
			 struct attach *a, const struct ipam_for *who)
{
	if (attach_prepare(a, &k->conf, &c->err) < 0 ||
	    ipam_add_dhcp(req->netconf, who, &a->net, &c->err) < 0 ||
	    attach_configure(a, &c->err) < 0)
		return -1;
	return attach_commit(a, &c->err);
}

/* With the folder locked: addresses, network, answer. */
static int add_locked(struct call *c, const struct request *req, struct keys *k,
		      struct attach *a, int stop_fd)
{
	const struct ipam_for who = ipam_for(c, stop_fd);
	int r = k->ipam ? ipam_add(req->netconf, &who, k, &c->err) : 0;

	if (r == 0)
		r = k->ipam_dhcp ? start_by_dhcp(c, req, k, a, &who)
				 : attach_start(a, &k->conf, &c->err);
	if (r == 0)
		r = answer_add(c, k, a, stop_fd);
	if (r < 0) {
		attach_undo(a);
		release(c, req, &who);
		attach_remove(a, NULL);
	}
	return r;
}

/* The name servers of where the daemon runs, if the configuration has none. */
static void fill_names(struct conf *c, const struct via *v)
{
	const struct via_names *n = &v->hello.names;
	struct conf host = *c;

	if (!v->brokered) {
		resolv_fill(c);
		return;
	}
	if (c->nnameservers || (!n->nnameservers && !c->ndns_forward))
		return;
	host.nnameservers = n->nnameservers;
	memcpy(host.nameservers, n->nameservers, sizeof(host.nameservers));
	memcpy(host.domain, n->domain, sizeof(host.domain));
	host.nsearch = n->nsearch;
	memcpy(host.search, n->search, sizeof(host.search));
	resolv_merge(c, &host);
}

static int add_attachment(struct call *c, const struct request *req, struct keys *k)
{
	FD_OWNED int stop_fd = front_hold_signals();
	struct attach a;

	if (stop_fd < 0)
		return err_set(&c->err, ERR_IO, "signalfd: %s", strerror(errno));
	if (fill_identity(c, &k->conf) < 0 ||
	    attach_open(&a, &k->conf, stop_fd, &c->err) < 0)
		return -1;
	fill_names(&k->conf, &a.via);
	if (add_locked(c, req, k, &a, stop_fd) < 0)
		return -1;
	attach_done(&a);
	return 0;
}

static int run_add(struct call *c)
{
	struct request req;
	struct keys k = { .dns = NULL };
	int r = read_request(c, &req);

	if (r == 0)
		r = keys_read(req.netconf, c->args, &k, &c->err);
	if (r == 0)
		r = add_attachment(c, &req, &k);
	keys_drop(&k);
	cni_drop(&req);
	return r;
}

static int check_names(struct call *c)
{
	if (!conf_id_ok(c->container_id))
		return err_set(&c->err, ERR_ENV, "CNI_CONTAINERID: \"%.128s\" is not a container"
			       " id (letters, digits, \"_.-\", at most %d)", c->container_id,
			       CONF_ID_MAX);
	if (!conf_ifname_ok(c->ifname))
		return err_set(&c->err, ERR_ENV, "CNI_IFNAME: \"%.40s\" is not an interface name",
			       c->ifname);
	return 0;
}

/* Here as there the addresses go back before the lock does: an ADD that waits
 * for it may get the same ones. */
static int del_attachment(struct call *c, const struct request *req)
{
	const struct ipam_for who = ipam_for(c, -1);
	struct attach a;
	int there = attach_find(&a, c->container_id, c->ifname, -1, &c->err), r = there;

	if (there == 1)
		r = attach_stop(&a, &c->err);
	if (r >= 0)
		r = ipam_call("DEL", req->netconf, &who, &c->err);
	if (there == 1 && r < 0)
		attach_done(&a);
	else if (there == 1)
		r = attach_remove(&a, &c->err);
	return r;
}

/* The configuration is decoded for its version and its IPAM plugin and otherwise
 * not looked at: a key that went bad since the ADD must not keep the container
 * from going. */
static int run_del(struct call *c)
{
	struct request req = { .netconf = NULL };
	int r = c->by_hand && !c->conf_path ? 0 : read_request(c, &req);

	if (r == 0)
		r = check_names(c);
	if (r == 0)
		r = del_attachment(c, &req);
	cni_drop(&req);
	return r;
}

static int check_attachment(struct call *c, const struct request *req, struct json_object *prev)
{
	const struct ipam_for who = ipam_for(c, -1);
	struct attach a;
	struct state made;
	struct netcfg now;
	struct conf want;
	int followed = 0, r = attach_find(&a, c->container_id, c->ifname, -1, &c->err);

	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(&c->err, ERR_CHECK, "attachment %s@%s: there is none",
			       c->container_id, c->ifname);
	r = state_read(&a.dir, &made, &c->err);
	if (r == 0)
		err_set(&c->err, ERR_CHECK, "attachment %s: its state file is gone", a.dir.name);
	if (r == 1)
		followed = state_network(&a.dir, &now, &c->err);
	r = r != 1 || followed < 0 ? -1 :
	    check_expect(&made, followed ? &now : NULL, prev, c->netns ?: made.netns, &want,
			 &c->err);
	if (r == 0)
		r = attach_check(&a, &want, &c->err);
	if (r == 0)
		r = check_processes(a.dir.fd, &c->err);
	attach_done(&a);
	return r < 0 ? r : ipam_call("CHECK", req->netconf, &who, &c->err);
}

/* A person who has no result at hand compares with all that was made. */
static int run_check(struct call *c)
{
	struct request req = { .netconf = NULL };
	struct keys k = { .dns = NULL };
	int r = c->by_hand && !c->conf_path ? 0 : read_request(c, &req);

	if (r == 0)
		r = check_names(c);
	if (r == 0 && !c->by_hand)
		r = keys_read_prev(req.netconf, &k, &c->err);
	if (r == 0)
		r = check_attachment(c, &req, k.prev);
	keys_drop(&k);
	cni_drop(&req);
	return r;
}

static int run_gc(struct call *c)
{
	struct request req = { .netconf = NULL };
	int r = c->by_hand && !c->conf_path ? 0 : read_request(c, &req);

	if (r == 0)
		r = gc_run(req.netconf, -1, &c->err);
	cni_drop(&req);
	return r;
}

/* An identity that is good and nobody's, and one address where an IPAM plugin
 * would give some (RFC 5737). */
static void fill_trial(struct keys *k)
{
	strcpy(k->conf.container_id, "status");
	strcpy(k->conf.ifname, "eth0");
	strcpy(k->conf.netns_path, "/proc/self/ns/net");
	strcpy(k->conf.state_dir, "/");
	if (k->ipam && !k->conf.naddresses)
		prefix_parse("192.0.2.1/32", &k->conf.addresses[k->conf.naddresses++]);
}

/* SPEC, "Error": 50, or 51 where what runs already may suffer as well: a host
 * without a network. An IPAM plugin that says one of them knows why. */
static int status_code(int code)
{
	return code == ERR_HOSTNET || code == ERR_LIMITED ? ERR_LIMITED : ERR_UNAVAILABLE;
}

/* A configuration that is wrong in itself keeps its own code. */
static int try_status(struct call *c, struct json_object *netconf, struct keys *k)
{
	fill_trial(k);
	if (front_without(&k->conf.without, &c->err) < 0 || conf_validate(&k->conf, &c->err) < 0)
		return -1;
	if (attach_status(&k->conf, -1, &c->err) == 0 &&
	    ipam_call("STATUS", netconf, &(struct ipam_for){ .stop_fd = -1 }, &c->err) == 0)
		return 0;
	c->err.code = status_code(c->err.code);
	return -1;
}

static int run_status(struct call *c)
{
	struct request req = { .netconf = NULL };
	struct keys k = { .dns = NULL };
	int r = 0;

	if (!c->by_hand || c->conf_path)
		r = read_request(c, &req);
	else
		req.netconf = json_object_new_object();
	if (r == 0)
		r = keys_read(req.netconf, c->args, &k, &c->err);
	if (r == 0)
		r = try_status(c, req.netconf, &k);
	/* No reason to refuse the next ADD: one container could then keep all others from
	 * starting. */
	if (r == 0)
		crowd_tell_failing();
	keys_drop(&k);
	cni_drop(&req);
	return r;
}

/* SPEC: the version asked with; a caller we do not understand gets our newest. */
static int run_version(struct call *c)
{
	enum cni_version asked = CNI_NEWEST;
	struct request req;

	if (!c->by_hand) {
		if (read_request(c, &req) == 0)
			asked = req.version;
		cni_drop(&req);
		c->err = ERR_INIT;
	}
	return print_json(result_versions(asked), -1, &c->err);
}

static int run_forward(struct call *c)
{
	struct json_object *o;

	if (forward_command(c->nwords, c->words, &o, c->json, &c->usage, &c->err) < 0)
		return -1;
	return o ? print_json(o, -1, &c->err) : 0;
}

static int run_command(struct call *c, int (*fn)(struct command *c))
{
	int r;

	signal(SIGPIPE, SIG_DFL);	/* `| head` is no error */
	c->command.verb = c->verb;
	c->command.nwords = c->nwords;
	c->command.words = c->words;
	c->command.json = c->json;
	c->command.netns = c->netns;
	c->command.err = &c->err;
	r = fn(&c->command);
	c->usage = c->command.usage;
	return r;
}

static int run_list(struct call *c)
{
	return run_command(c, list_command);
}

static int run_show(struct call *c)
{
	return run_command(c, show_command);
}

static int run_stats(struct call *c)
{
	return run_command(c, stats_command);
}

static int run_flows(struct call *c)
{
	return run_command(c, flows_command);
}

static int run_doctor(struct call *c)
{
	return run_command(c, doctor_command);
}

static int run_broker(struct call *c)
{
	return broker_run(c->listen, &c->err);
}

/* One of netavark's requests from stdin, an object to put; NULL with c->err. */
static struct json_object *read_netavark(struct call *c)
{
	struct request req = { .netconf = NULL };
	size_t len;
	char *text;

	c->netavark = true;
	text = cni_read(STDIN_FILENO, "request on stdin", &len, &c->err);
	if (text && cni_decode(text, len, "request on stdin", false, &req, &c->err) < 0)
		cni_drop(&req);
	free(text);
	return req.netconf;
}

static int need_netns(struct call *c)
{
	c->netavark = true;
	if (c->nwords == 1) {
		c->netns = c->words[0];
		return 0;
	}
	c->usage = true;
	return err_set(&c->err, ERR_ENV, "%s needs one word, the network namespace's path", c->verb);
}

static int run_setup(struct call *c)
{
	const struct request none = { .netconf = NULL };
	struct netavark n = { .keys = { .dns = NULL } };
	struct json_object *o = need_netns(c) < 0 ? NULL : read_netavark(c);
	/* A rootless podman's rootlessport has the ports. */
	int r = o ? netavark_read(o, state_is_initial_root(), &n, &c->err) : -1;

	c->container_id = n.container_id;
	c->ifname = n.ifname;
	if (r == 0)
		r = add_attachment(c, &none, &n.keys);
	netavark_drop(&n);
	json_object_put(o);
	return r;
}

static int run_teardown(struct call *c)
{
	const struct request none = { .netconf = NULL };
	struct netavark n;
	struct json_object *o = need_netns(c) < 0 ? NULL : read_netavark(c);
	int r = o ? netavark_identify(o, &n, &c->err) : -1;

	if (r == 0) {
		c->container_id = n.container_id;
		c->ifname = n.ifname;
		r = del_attachment(c, &none);
	}
	json_object_put(o);
	return r;
}

static int run_create(struct call *c)
{
	struct json_object *o = read_netavark(c);

	if (!o || netavark_create(o, &c->err) < 0) {
		json_object_put(o);
		return -1;
	}
	return print_json(o, -1, &c->err);
}

static int run_info(struct call *c)
{
	c->netavark = true;
	return print_json(netavark_info(PACKAGE_VERSION), -1, &c->err);
}

static int run_capture(struct call *c)
{
	return run_command(c, capture_command);
}

static const struct verb verbs[] = {
	{ "ADD", NEED_ID | NEED_IFNAME | NEED_NETNS, true, CNI_0_1_0, run_add },
	{ "DEL", NEED_ID | NEED_IFNAME, true, CNI_0_1_0, run_del },
	{ "CHECK", NEED_ID | NEED_IFNAME | NEED_CNI_NETNS, true, CNI_0_4_0, run_check },
	{ "GC", 0, true, CNI_1_1_0, run_gc },
	{ "STATUS", 0, true, CNI_1_1_0, run_status },
	{ "VERSION", 0, true, CNI_0_1_0, run_version },
	{ "create", 0, false, CNI_0_1_0, run_create },
	{ "setup", TAKES_WORDS, false, CNI_0_1_0, run_setup },
	{ "teardown", TAKES_WORDS, false, CNI_0_1_0, run_teardown },
	{ "info", 0, false, CNI_0_1_0, run_info },
	{ "list", TAKES_WORDS, false, CNI_0_1_0, run_list },
	{ "show", TAKES_WORDS, false, CNI_0_1_0, run_show },
	{ "stats", TAKES_WORDS | TAKES_WATCH | TAKES_PROMETHEUS, false, CNI_0_1_0, run_stats },
	{ "flows", TAKES_WORDS | TAKES_WATCH | TAKES_FILTER | TAKES_ENDS, false, CNI_0_1_0, run_flows },
	{ "forward", TAKES_WORDS, false, CNI_0_1_0, run_forward },
	{ "capture", TAKES_WORDS | TAKES_FRAMES | TAKES_ENDS, false, CNI_0_1_0, run_capture },
	{ "broker", 0, false, CNI_0_1_0, run_broker },
	{ "doctor", TAKES_WORDS, false, CNI_0_1_0, run_doctor },
};

static const struct verb *find_verb(const struct call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, c->verb) == 0 && (c->by_hand || verbs[i].cni))
			return &verbs[i];
	return NULL;
}

/* Names everything that is missing at once. */
static int check_needs(struct call *c, const struct verb *v)
{
	const struct {
		unsigned int need;
		const char *variable, *option;
		bool there;
	} needs[] = {
		{ NEED_ID, "CNI_CONTAINERID", "--container-id", c->container_id != NULL },
		{ NEED_NETNS, "CNI_NETNS", "--netns or --pid", c->netns != NULL },
		{ NEED_CNI_NETNS, "CNI_NETNS", "", c->netns || c->by_hand },
		{ NEED_IFNAME, "CNI_IFNAME", "--ifname", c->ifname != NULL },
	};
	char missing[128] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if ((v->needs & needs[i].need) && !needs[i].there)
			n += (size_t)snprintf(missing + n, sizeof(missing) - n, "%s%s",
					      n ? ", " : "", c->by_hand ? needs[i].option
									: needs[i].variable);
	if (!n)
		return 0;
	c->usage = true;
	return err_set(&c->err, ERR_ENV, "%s needs %s", v->name, missing);
}

static int unknown_verb(struct call *c)
{
	struct near near = { .name = c->verb };

	c->usage = true;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (c->by_hand || verbs[i].cni)
			near_try(&near, verbs[i].name);
	err_set(&c->err, ERR_ENV, "%s\"%.40s\" is not a command", c->by_hand ? "" : "CNI_COMMAND: ",
		c->verb);
	if (near.best)
		return err_hint(&c->err, "did you mean \"%s\"?", near.best);
	return c->by_hand ? err_hint(&c->err, "see cni-passt --help") : -1;
}

static int run(struct call *c)
{
	const struct verb *v = find_verb(c);

	if (!v)
		return unknown_verb(c);
	if (check_needs(c, v) < 0)
		return -1;
	return v->run(c);
}

/* The error as the runtime wants it, on stdout. False: it did not get there. */
static bool answer_error(struct call *c)
{
	return print_json(c->netavark ? netavark_error(&c->err) : result_error(c->version, &c->err),
			  -1, NULL) == 0;
}

/* The one place an error is printed. A runtime whose stdout is closed or full has the
 * line by hand on stderr, where its log may have it: else nobody could tell why. */
static enum exit_status report(struct call *c)
{
	const bool wants_json = c->netavark || !c->by_hand;

	if (wants_json && answer_error(c))
		return EXIT_FAILED;
	front_clean(c->err.msg);
	front_clean(c->err.details);
	fprintf(stderr, "cni-passt: %s%s%s\n", c->err.msg, c->err.details[0] ? "; " : "",
		c->err.details);
	return c->usage && !wants_json ? EXIT_USAGE : EXIT_FAILED;
}

/* Set and not empty, or NULL. */
static const char *variable(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] ? v : NULL;
}

static void about(FILE *f)
{
	fprintf(f, "CNI cni-passt plugin v" PACKAGE_VERSION "\nCNI protocol versions supported:");
	for (int i = 0; i < CNI_VERSION_COUNT; i++)
		fprintf(f, "%s %s", i ? "," : "", cni_version_names[i]);
	fputc('\n', f);
}

static void help(void)
{
	puts("Usage: cni-passt ADD|DEL|CHECK|GC|STATUS|VERSION [option...]\n"
	     "       cni-passt list | show ID | stats [ID] | flows ID | doctor [--json]\n"
	     "       cni-passt forward ID list|add|del [tcp|udp RULE] [--json]\n"
	     "       cni-passt capture ID [-w FILE|-] [-c FRAMES] [filter...]\n"
	     "       cni-passt broker [--listen PATH]\n"
	     "Attaches a network namespace to the host's network without root, and detaches it.\n"
	     "\n"
	     "  --netns PATH         the container's network namespace\n"
	     "  --pid PID            the same, by one of the container's processes\n"
	     "  --container-id ID    the container's id, free to choose by hand\n"
	     "  --ifname NAME        its interface (eth0)\n"
	     "  --conf FILE          network configuration (*.conf, *.conflist); - is stdin\n"
	     "  --json               listings as JSON\n"
	     "  --watch              stats, flows: again each second\n"
	     "  --prometheus         stats: for node_exporter's textfile collector; without ID of all\n"
	     "  --port PORT, --address ADDRESS[/LEN], --proto PROTOCOL\n"
	     "                       flows, capture: only these\n"
	     "  --state STATE, --path tap|splice|relay|dns   flows: only these\n"
	     "  --sort age|idle|tx|rx|window|rtt|retransmits|container|remote\n"
	     "                       flows: the largest first, ends by address\n"
	     "  -w, --write FILE     capture: pcapng to there; - is stdout\n"
	     "  -c, --count FRAMES, --size BYTES[K|M|G]   capture: ends with so many\n"
	     "  --snap BYTES         capture: of each frame no more\n"
	     "  --direction in|out   capture: into the container, or out of it\n"
	     "  --listen PATH        the broker's socket\n"
	     "  --help, --version\n"
	     "\n"
	     "ID is a container id or the beginning of one, ID/ifname where it has several\n"
	     "interfaces. RULE is that of the key \"forward\": 8080:80, 127.0.0.1:53:53.\n"
	     "\n"
	     "Where an option is absent its CNI variable is used: CNI_NETNS, CNI_CONTAINERID,\n"
	     "CNI_IFNAME. Without a command, CNI_COMMAND makes it a CNI plugin.\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage.");
}

static int parse_pid(struct call *c, const char *s)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(s, &end, 10);
	if (errno || end == s || *end || pid <= 0 || pid > INT32_MAX) {
		c->usage = true;
		return err_set(&c->err, ERR_ENV, "--pid: \"%.40s\" is not a process id", s);
	}
	c->pid = (int32_t)pid;
	snprintf(c->pid_netns, sizeof(c->pid_netns), "/proc/%ld/ns/net", pid);
	return 0;
}

enum option_id { OPT_NETNS = 256, OPT_PID, OPT_ID, OPT_IFNAME, OPT_CONF, OPT_JSON, OPT_LISTEN, OPT_HELP, OPT_VERSION,
	OPT_WATCH, OPT_PROMETHEUS, OPT_PORT, OPT_ADDRESS, OPT_PROTO, OPT_STATE, OPT_PATH, OPT_SORT,
	OPT_SIZE, OPT_SNAP, OPT_DIRECTION, OPT_WRITE = 'w', OPT_COUNT = 'c' };

static const struct option options[] = {
	{ "netns", required_argument, NULL, OPT_NETNS },
	{ "pid", required_argument, NULL, OPT_PID },
	{ "container-id", required_argument, NULL, OPT_ID },
	{ "ifname", required_argument, NULL, OPT_IFNAME },
	{ "conf", required_argument, NULL, OPT_CONF },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "watch", no_argument, NULL, OPT_WATCH },
	{ "prometheus", no_argument, NULL, OPT_PROMETHEUS },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "proto", required_argument, NULL, OPT_PROTO },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "path", required_argument, NULL, OPT_PATH },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "filter-proto", required_argument, NULL, OPT_PROTO },
	{ "write", required_argument, NULL, OPT_WRITE },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "snap", required_argument, NULL, OPT_SNAP },
	{ "direction", required_argument, NULL, OPT_DIRECTION },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* Whether it is one of commands for people only. */
static bool take_command_option(struct call *c, int opt)
{
	struct command *o = &c->command;
	const struct {
		int opt;
		unsigned int need;
		const char **text;
		bool *flag;
	} list[] = {
		{ OPT_WATCH, TAKES_WATCH, NULL, &o->watch },
		{ OPT_PROMETHEUS, TAKES_PROMETHEUS, NULL, &o->prometheus },
		{ OPT_PORT, TAKES_ENDS, &o->port, NULL },
		{ OPT_ADDRESS, TAKES_ENDS, &o->address, NULL },
		{ OPT_PROTO, TAKES_ENDS, &o->proto, NULL },
		{ OPT_STATE, TAKES_FILTER, &o->state, NULL },
		{ OPT_PATH, TAKES_FILTER, &o->path, NULL },
		{ OPT_SORT, TAKES_FILTER, &o->sort, NULL },
		{ OPT_WRITE, TAKES_FRAMES, &o->write, NULL },
		{ OPT_COUNT, TAKES_FRAMES, &o->count, NULL },
		{ OPT_SIZE, TAKES_FRAMES, &o->size, NULL },
		{ OPT_SNAP, TAKES_FRAMES, &o->snap, NULL },
		{ OPT_DIRECTION, TAKES_FRAMES, &o->direction, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		if (list[i].opt != opt)
			continue;
		c->given |= list[i].need;
		if (list[i].flag)
			*list[i].flag = true;
		else
			*list[i].text = optarg;
		return true;
	}
	return false;
}

/* Returns an exit status, or -1 to go on. */
static int take_option(struct call *c, int opt)
{
	if (take_command_option(c, opt))
		return -1;
	switch (opt) {
	case OPT_NETNS:
		c->netns = optarg;
		return -1;
	case OPT_PID:
		return parse_pid(c, optarg) < 0 ? (int)report(c) : -1;
	case OPT_ID:
		c->container_id = optarg;
		return -1;
	case OPT_IFNAME:
		c->ifname = optarg;
		return -1;
	case OPT_CONF:
		c->conf_path = optarg;
		return -1;
	case OPT_JSON:
		c->json = true;
		return -1;
	case OPT_LISTEN:
		c->listen = optarg;
		return -1;
	case OPT_HELP:
		help();
		return EXIT_DONE;
	case OPT_VERSION:
		puts("cni-passt " PACKAGE_VERSION);
		return EXIT_DONE;
	default:
		return EXIT_USAGE;	/* getopt has said it */
	}
}

static int usage(struct call *c, const char *what, const char *word)
{
	c->usage = true;
	err_set(&c->err, ERR_ENV, "%s%.80s", what, word);
	err_hint(&c->err, "see cni-passt --help");
	return report(c);
}

static int run_by_hand(struct call *c, int argc, char **argv)
{
	int opt, r;

	c->by_hand = true;
	while ((opt = getopt_long(argc, argv, "w:c:", options, NULL)) != -1) {
		r = take_option(c, opt);
		if (r >= 0)
			return r;
	}
	if (optind >= argc)
		return usage(c, "no command given", "");
	c->verb = argv[optind];
	c->words = argv + optind + 1;
	c->nwords = argc - optind - 1;
	if (c->nwords && find_verb(c) && !(find_verb(c)->needs & TAKES_WORDS))
		return usage(c, "one word too many: ", argv[optind + 1]);
	if (find_verb(c) && (c->given & ~find_verb(c)->needs))
		return usage(c, "an option that another command has was given to ", c->verb);
	if (c->netns && c->pid)
		return usage(c, "--netns and --pid are two ways to say one thing: give one", "");
	if (c->pid)
		c->netns = c->pid_netns;
	else if (!c->netns)
		c->netns = variable("CNI_NETNS");
	if (!c->container_id)
		c->container_id = variable("CNI_CONTAINERID");
	if (!c->ifname)
		c->ifname = variable("CNI_IFNAME") ?: "eth0";
	if (strcmp(c->verb, "ADD") == 0 && !c->conf_path && isatty(STDIN_FILENO))
		return usage(c, "ADD needs --conf FILE", "");
	return run(c) < 0 ? (int)report(c) : EXIT_DONE;
}

static int run_plugin(struct call *c)
{
	c->verb = variable("CNI_COMMAND");
	c->container_id = variable("CNI_CONTAINERID");
	c->netns = variable("CNI_NETNS");
	c->ifname = variable("CNI_IFNAME");
	return run(c) < 0 ? (int)report(c) : EXIT_DONE;
}

/* Run by the name it has in netavark's folder of plugins, where no word means info. */
static bool is_netavarks(const char *name)
{
	static const char folder[] = "/netavark/";
	const char *slash = name ? strrchr(name, '/') : NULL;

	return slash && slash - name >= (ptrdiff_t)sizeof(folder) - 2 &&
	       strncmp(slash - (sizeof(folder) - 2), folder, sizeof(folder) - 1) == 0;
}

int main(int argc, char **argv)
{
	struct call c = { .version = CNI_NEWEST, .args = variable("CNI_ARGS"), .err = ERR_INIT };

	front_fill_std_fds();
	signal(SIGPIPE, SIG_IGN);	/* a reader that went away is a failed write */
	if (argc > 1)
		return run_by_hand(&c, argc, argv);
	if (variable("CNI_COMMAND"))
		return run_plugin(&c);
	if (is_netavarks(argv[0]))
		return run_info(&c) < 0 ? (int)report(&c) : EXIT_DONE;
	about(stderr);
	return EXIT_DONE;
}
