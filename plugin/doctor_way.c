/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_way: the way from one container to the outside, step by step: its namespace, the
 * attachment, the processes, the interface, the host's network, names. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/resolv.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/attach.h"
#include "plugin/attach/netns.h"
#include "plugin/check.h"
#include "plugin/doctor.h"
#include "plugin/json/get.h"

/* The attachment in that namespace, locked; false: none. */
static bool find_by_netns(const char *path, struct attach *a, struct state *s)
{
	struct state_name *names = NULL;
	struct stat want, there;
	bool found = false;
	size_t n = 0;

	if (stat(path, &want) < 0 || state_list(&names, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n && !found; i++) {
		if (attach_try(a, names[i].container_id, names[i].ifname, NULL) != 1)
			continue;
		found = state_read(&a->dir, s, NULL) == 1 && stat(s->netns, &there) == 0 &&
			there.st_dev == want.st_dev && there.st_ino == want.st_ino;
		if (!found)
			attach_done(a);
	}
	free(names);
	return found;
}

/* Whether the daemon answers. */
static bool check_engine(struct doctor *d, const struct attach *a)
{
	struct err e = ERR_INIT;
	struct json_object *stats = ask_daemon(a->dir.fd, ask_request(CONTROL_STATS), &e);
	struct json_object *gauges = get_member(stats, "gauges", json_type_object);

	const bool answers = stats != NULL;

	if (!answers)
		finding(d, BAD, "daemon", "it carries every packet", e.details[0] ? e.details :
			"see its log; end the container and start it again", "%s", e.msg);
	else if (json_object_get_boolean(get_member(gauges, "engine_failing", json_type_boolean)))
		finding(d, BAD, "engine", "it carries every packet", "see the log for why it dies,"
			" and report it", "it dies again and again; it was started again %llu times",
			(unsigned long long)command_number(stats, "engine_restarts"));
	else if (json_object_get_boolean(get_member(gauges, "engine_hung", json_type_boolean)))
		finding(d, BAD, "engine", "it carries every packet", "kill -CONT, if somebody stopped"
			" it; one that loops is replaced in some seconds", "it runs and does not"
			" answer; show tells its process");
	else if (!json_object_get_boolean(get_member(gauges, "engine_up", json_type_boolean)))
		finding(d, BAD, "engine", "it carries every packet", "see the log for why it dies",
			"it does not run; it was started again %llu times",
			(unsigned long long)command_number(stats, "engine_restarts"));
	else
		finding(d, GOOD, "engine", NULL, NULL, "it answers; %llu flows, started again %llu"
			" times", (unsigned long long)command_number(gauges, "flows"),
			(unsigned long long)command_number(stats, "engine_restarts"));
	json_object_put(stats);
	return answers;
}

/* From the container's interface on: what CHECK compares. */
static void check_inside(struct doctor *d, struct attach *a, const struct state *s,
			 const char *path)
{
	struct err e = ERR_INIT;
	struct netcfg now;
	struct conf want;
	int followed = state_network(&a->dir, &now, &e);

	if (followed >= 0 &&
	    check_expect(s, followed ? &now : NULL, NULL, path, &want, &e) == 0 &&
	    attach_check(a, &want, &e) == 0)
		finding(d, GOOD, "interface", NULL, NULL, "%s is there and up, with its addresses and"
			" routes; the gateway answers", s->net.ifname);
	else
		finding(d, BAD, "interface", "what it lacks does not leave the container",
			e.details[0] ? e.details : "end the container and start it again", "%s",
			e.msg);
}

/* --- names: asked from inside ------------------------------------------------------ */

#define ANSWER_MS	3000	/* the first resolver has 2 s, then the next one is asked */

enum asked { ASKED_NOT_INSIDE = 100, ASKED_SILENCE };	/* below: an RCODE of RFC 1035 */

/* In a child: into the namespace, by its user namespace, and one question there. */
static int ask_inside(int netns, const char *server, const uint8_t *question, size_t len)
{
	int owner = ioctl(netns, NS_GET_USERNS);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	bool v4 = inet_pton(AF_INET, server, &to.sin_addr) == 1;
	struct pollfd p = { .events = POLLIN };
	uint8_t answer[512];
	ssize_t n;

	/* (our own user namespace need not, and cannot, be entered) */
	if (owner >= 0)
		setns(owner, CLONE_NEWUSER);
	if (setns(netns, CLONE_NEWNET) < 0 || (!v4 && inet_pton(AF_INET6, server, &to6.sin6_addr) != 1))
		return ASKED_NOT_INSIDE;
	p.fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(p.fd, v4 ? (struct sockaddr *)&to : (struct sockaddr *)&to6,
		    v4 ? sizeof(to) : sizeof(to6)) < 0 || send(p.fd, question, len, 0) < 0 ||
	    poll(&p, 1, ANSWER_MS) <= 0)
		return ASKED_SILENCE;
	n = recv(p.fd, answer, sizeof(answer), MSG_DONTWAIT);
	if (n < 12 || memcmp(answer, question, 2) != 0)
		return ASKED_SILENCE;
	return answer[3] & 15;
}

static int ask_name(int netns, const char *server, const uint8_t *question, size_t len)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(ask_inside(netns, server, question, len));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return ASKED_NOT_INSIDE;
	return WEXITSTATUS(status);
}

/* The first value of that key in the answer to "show", or "". */
static const char *shown(struct json_object *show, const char *key)
{
	size_t n;
	struct json_object *list = get_list(show, "values", &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(get_str(json_object_array_get_idx(list, i), "key"), key) == 0)
			return get_str(json_object_array_get_idx(list, i), "value");
	return "";
}

/* The one name that the forwarder knows itself, and what every resolver knows: the root's
 * name servers. */
static void check_names(struct doctor *d, struct json_object *show, int netns)
{
	static const uint8_t root_ns[] = { 'c', 'p', 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1 };
	static const uint8_t own[] = "cq\1\0\0\1\0\0\0\0\0\0\4host\12containers\10internal\0\0\1\0\1";
	const char *server = shown(show, "dns.forward");
	int r = 0;

	if (!server[0] || strcmp(server, "none") == 0) {
		finding(d, NOTE, "names", "the container asks the servers of its resolv.conf itself",
			NULL, "this attachment has no DNS forwarder");
		return;
	}
	if (strcmp(shown(show, "dns.hostNames"), "true") == 0)
		r = ask_name(netns, server, own, sizeof(own) - 1);
	if (r == ASKED_NOT_INSIDE)
		finding(d, NOTE, "names", "the way of a question was not tried", NULL,
			"the namespace cannot be entered from here");
	else if (r == ASKED_SILENCE)
		finding(d, BAD, "names", "the container's questions get no answer either",
			"see the findings above", "the DNS forwarder at %s does not answer inside",
			server);
	else if ((r = ask_name(netns, server, root_ns, sizeof(root_ns))) == 2 ||
		 r >= ASKED_NOT_INSIDE)
		finding(d, NOTE, "names", "names outside are not resolved, or slowly",
			"see " RESOLV_FILE " of the host, and whether the servers there answer it",
			"the DNS forwarder at %s answers inside, the host's resolvers do not answer it",
			server);
	else
		finding(d, GOOD, "names", NULL, NULL, "asked inside, the DNS forwarder at %s and a"
			" resolver of the host answer", server);
}

/* --- ports, and the host's side ---------------------------------------------------- */

static void check_published(struct doctor *d, const struct attach *a)
{
	struct json_object *answer = ask_daemon(a->dir.fd, ask_request(CONTROL_LIST), NULL);
	size_t n, closed = 0;
	struct json_object *list = get_list(answer, "rules", &n), *o;
	uint64_t refused = 0;

	for (size_t i = 0; i < n; i++) {
		o = json_object_array_get_idx(list, i);
		refused += command_number(o, "refused");
		closed += get_str(o, "rule")[0] != '~' && !command_number(o, "listeners");
	}
	if (closed)
		finding(d, NOTE, "ports", "clients are refused", "cni-passt forward ID list; \"listen\":"
			" \"ready\" and \"auto\" wait for a program inside",
			"%zu of %zu rules listen on no port now", closed, n);
	else if (refused)
		finding(d, NOTE, "ports", "nothing serves the port inside, or on 127.0.0.1 only",
			"ss -ltn inside; cni-passt forward ID list", "the container did not take %llu"
			" client%s of its published ports", (unsigned long long)refused,
			refused == 1 ? "" : "s");
	else if (n)
		finding(d, GOOD, "ports", NULL, NULL, "of %zu rule%s, each listens", n,
			n == 1 ? "" : "s");
	json_object_put(answer);
}

static bool has_family(const struct state *s, bool v4)
{
	for (uint32_t i = 0; i < s->net.naddresses; i++)
		if (addr_is4(&s->net.addresses[i].addr) == v4)
			return true;
	return false;
}

static void check_routes(struct doctor *d, const struct state *s)
{
	const bool need4 = has_family(s, true), need6 = has_family(s, false);
	const bool lacks4 = need4 && !doctor_has_way(true), lacks6 = need6 && !doctor_has_way(false);

	if (lacks4 || lacks6)
		finding(d, lacks4 >= need4 && lacks6 >= need6 ? BAD : NOTE, "route", "what leaves the"
			" container in that family ends at the host", "ip route; ip -6 route",
			"the host has no default route of %s",
			lacks4 && lacks6 ? "IPv4 and IPv6" : lacks4 ? "IPv4" : "IPv6");
	else
		finding(d, GOOD, "route", NULL, NULL, "the host has default routes for the"
			" container's families");
}

static void check_outside(struct doctor *d, const struct state *s)
{
	const char *outer = s->net.outer_ifname4[0] ? s->net.outer_ifname4 : s->net.outer_ifname6;

	if (!outer[0])
		finding(d, NOTE, "outside", "only the host itself is reached", NULL,
			"the host had no network when this was made");
	else if (!if_nametoindex(outer))
		finding(d, BAD, "outside", "its addresses were the container's model",
			"end the container and start it again", "the host's interface %s is gone",
			outer);
	else
		finding(d, GOOD, "outside", NULL, NULL, "by the host's interface %s", outer);
}

/* From the daemon's answer on, what needs it alive. */
static void check_living(struct doctor *d, const struct attach *a, int netns)
{
	struct json_object *show = ask_daemon(a->dir.fd, ask_request(CONTROL_SHOW), NULL);

	if (show) {
		check_published(d, a);
		check_names(d, show, netns);
	}
	json_object_put(show);
}

void doctor_container(struct doctor *d, const char *path)
{
	struct attach a = ATTACH_INIT;
	struct err e = ERR_INIT;
	struct netns ns;
	struct state s;
	bool answers;

	if (netns_open_path(path, &ns, &e) < 0) {
		finding(d, BAD, "namespace", "that is where the container's interface is",
			e.details[0] ? e.details : "give the path or a process of the container",
			"%s", e.msg);
		return;
	}
	finding(d, GOOD, "namespace", NULL, NULL, "%s can be opened", path);
	if (!find_by_netns(path, &a, &s)) {
		finding(d, BAD, "attachment", "nothing of ours is in that namespace",
			"cni-passt ADD, or see with which configuration the engine runs it;"
			" attachments of other users are not seen", "none is in %s", path);
	} else {
		finding(d, GOOD, "attachment", NULL, NULL, "%s", a.dir.name);
		answers = check_engine(d, &a);
		check_inside(d, &a, &s, path);
		check_outside(d, &s);
		check_routes(d, &s);
		if (answers)
			check_living(d, &a, ns.fd);
		attach_done(&a);
	}
	netns_close(&ns);
}
