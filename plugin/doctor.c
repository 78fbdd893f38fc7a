/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the command `cni-passt doctor`: what of this machine helps or hinders, and with
 * --netns or --pid the way out of one container, step by step. Each finding says what it
 * is, why it matters and what mends it. Changes nothing; the last word is a trial of an
 * ADD's way, the same as STATUS.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/resolv.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/attach.h"
#include "plugin/check.h"
#include "plugin/command.h"
#include "plugin/json/get.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

#define FILES_WANTED	65536u	/* descriptors: a flow and a listener take one each */
#define TEXT_MAX	512	/* bytes of a small file, or of what is said */

enum level { GOOD, NOTE, BAD, LEVEL_COUNT };
static const char *const level_names[] = { "ok", "note", "FAIL" };
static_assert(ARRAY_LEN(level_names) == LEVEL_COUNT, "a name for each level");

struct doctor {
	struct command *c;
	struct json_object *findings;
	uint32_t bad;
};

/* why and mend are NULL where all is well. */
static void finding(struct doctor *d, enum level level, const char *topic, const char *why,
		    const char *mend, const char *fmt, ...) PRINTF_LIKE(6, 7);

static void finding(struct doctor *d, enum level level, const char *topic, const char *why,
		    const char *mend, const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char what[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	d->bad += level == BAD;
	json_object_object_add(o, "level", json_object_new_string(level_names[level]));
	json_object_object_add(o, "topic", json_object_new_string(topic));
	json_object_object_add(o, "what", json_object_new_string(what));
	if (why)
		json_object_object_add(o, "why", json_object_new_string(why));
	if (mend)
		json_object_object_add(o, "mend", json_object_new_string(mend));
	json_object_array_add(d->findings, o);
	if (d->c->json)
		return;
	printf("%-5s %-12s %s\n", level_names[level], topic, what);
	if (why)
		printf("%18s why:  %s\n", "", why);
	if (mend)
		printf("%18s mend: %s\n", "", mend);
	fflush(stdout);		/* the next one may take a while */
}

/* The beginning of a small file, without the end of its last line. False: it is not there. */
static bool read_text(const char *path, char ret[TEXT_MAX])
{
	FD_OWNED int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, TEXT_MAX - 1);

	if (n < 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

/* -1: there is no such setting. */
static long setting(const char *path)
{
	char text[TEXT_MAX];

	return read_text(path, text) ? strtol(text, NULL, 10) : -1;
}

/* --- this machine ------------------------------------------------------------- */

static void check_kernel(struct doctor *d)
{
	struct utsname u;

	if (uname(&u) == 0)
		finding(d, GOOD, "kernel", NULL, NULL, "Linux %s, %s", u.release, u.machine);
}

static void check_tun(struct doctor *d)
{
	FD_OWNED int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		finding(d, GOOD, "tun", NULL, NULL, "/dev/net/tun can be opened");
	else if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		finding(d, BAD, "tun", "the container's interface is a tap device",
			"modprobe tun; in a container, run it with --device /dev/net/tun",
			"/dev/net/tun: %s", strerror(errno));
	else
		finding(d, BAD, "tun", "the container's interface is a tap device",
			"chmod 0666 /dev/net/tun", "/dev/net/tun cannot be opened: %s",
			strerror(errno));
}

/* A child that makes the namespaces a container has: 0, or an errno. */
static int try_userns(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : errno);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return EAGAIN;
	return WEXITSTATUS(status);
}

static void check_userns(struct doctor *d)
{
	enum level level = geteuid() == 0 ? NOTE : BAD;
	const char *why = "without root a container has a user namespace of its own";
	int err = try_userns();

	if (!err)
		finding(d, GOOD, "userns", NULL, NULL, "user and network namespaces can be made");
	else if (setting("/proc/sys/user/max_user_namespaces") == 0)
		finding(d, level, "userns", why, "sysctl -w user.max_user_namespaces=15000",
			"user.max_user_namespaces is 0");
	else if (setting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		finding(d, level, "userns", why, "sysctl -w kernel.unprivileged_userns_clone=1",
			"kernel.unprivileged_userns_clone is 0");
	else if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		finding(d, level, "userns", why,
			"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor"
			" profile with \"userns,\" for the container engine",
			"AppArmor restricts user namespaces: %s", strerror(err));
	else
		finding(d, level, "userns", why,
			"raise user.max_user_namespaces and user.max_net_namespaces; in a container,"
			" its seccomp profile may forbid it",
			"no user and network namespace can be made: %s", strerror(err));
}

/* Whether /etc/subuid or /etc/subgid has a range of the user's. */
static bool has_range(const char *path, const char *user)
{
	char line[TEXT_MAX], number[16];
	FILE *f = fopen(path, "re");
	bool found = false;

	snprintf(number, sizeof(number), "%u", (unsigned int)getuid());
	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, ":\n")] = '\0';
		found = strcmp(line, user) == 0 || strcmp(line, number) == 0;
	}
	if (f)
		fclose(f);
	return found;
}

static void check_subuid(struct doctor *d)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *user = pw ? pw->pw_name : "";
	char mend[TEXT_MAX];

	if (getuid() == 0)
		return;
	snprintf(mend, sizeof(mend), "usermod --add-subuids 100000-165535 --add-subgids"
		 " 100000-165535 %s", user[0] ? user : "USER");
	if (has_range("/etc/subuid", user) && has_range("/etc/subgid", user))
		finding(d, GOOD, "subuid", NULL, NULL, "%s has ranges in /etc/subuid and"
			" /etc/subgid", user);
	else
		finding(d, NOTE, "subuid", "podman and nerdctl without root map the users of a"
			" container to it; a namespace of your own needs none", mend,
			"no range in /etc/subuid or /etc/subgid");
}

static void check_ping(struct doctor *d)
{
	unsigned int low = 1, high = 0;
	char text[TEXT_MAX] = "";

	if (read_text("/proc/sys/net/ipv4/ping_group_range", text) &&
	    sscanf(text, "%u %u", &low, &high) == 2 && low <= getegid() && getegid() <= high)
		finding(d, GOOD, "ping", NULL, NULL, "ping sockets are allowed");
	else if (geteuid() == 0)
		finding(d, GOOD, "ping", NULL, NULL, "ping sockets are not allowed; raw ones"
			" serve instead");
	else
		finding(d, NOTE, "ping", "containers get no answers to ping",
			"sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"",
			"net.ipv4.ping_group_range leaves out group %u", (unsigned int)getegid());
}

static void check_ports(struct doctor *d)
{
	long start = setting("/proc/sys/net/ipv4/ip_unprivileged_port_start");

	if (geteuid() == 0 || start <= 80)
		finding(d, GOOD, "low ports", NULL, NULL, "ports from %ld on can be published",
			geteuid() == 0 ? 1L : start < 1 ? 1L : start);
	else
		finding(d, NOTE, "low ports", "lower ports of the host cannot be published",
			"sysctl -w net.ipv4.ip_unprivileged_port_start=80",
			"ports from %ld on can be published", start);
}

static void check_files(struct doctor *d)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_max >= FILES_WANTED)
		finding(d, GOOD, "descriptors", NULL, NULL, "enough files may be open");
	else
		finding(d, NOTE, "descriptors", "each connection and each published port takes one",
			"raise LimitNOFILE= of the service, or nofile in /etc/security/limits.conf",
			"at most %llu files may be open", (unsigned long long)r.rlim_max);
}

/* Read as the daemon reads it: those on the host's loopback are reached by the forwarder,
 * which is the host's side. */
static void check_resolvers(struct doctor *d)
{
	FD_OWNED int fd = open(RESOLV_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct resolv file = { .nservers = 0 };
	char *text = fd < 0 ? NULL : malloc(RESOLV_TEXT_MAX);
	ssize_t n = text ? read(fd, text, RESOLV_TEXT_MAX) : -1;

	if (n > 0)
		resolv_parse(text, (size_t)n, &file);
	free(text);
	if (file.nservers)
		finding(d, GOOD, "resolvers", NULL, NULL, "%u name servers, asked by the DNS"
			" forwarder", file.nservers);
	else
		finding(d, NOTE, "resolvers", "the DNS forwarder asks 127.0.0.1 then, as programs of"
			" this machine do", "name a server in " RESOLV_FILE,
			RESOLV_FILE " has no name servers");
}

static void check_ipv6(struct doctor *d)
{
	if (access("/proc/net/if_inet6", R_OK) < 0)
		finding(d, NOTE, "ipv6", "containers get IPv4 only", "boot without ipv6.disable=1",
			"this kernel has no IPv6");
	else if (setting("/proc/sys/net/ipv6/conf/all/disable_ipv6") == 1)
		finding(d, NOTE, "ipv6", "containers get IPv4 only",
			"sysctl -w net.ipv6.conf.all.disable_ipv6=0", "IPv6 is switched off");
	else
		finding(d, GOOD, "ipv6", NULL, NULL, "IPv6 is there");
}

static bool takes(int domain, int type, int level, int name, int value)
{
	FD_OWNED int fd = socket(domain, type | SOCK_CLOEXEC, 0);

	return fd >= 0 && setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static void check_features(struct doctor *d)
{
	bool peek4 = takes(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_PEEK_OFF, 0);
	bool peek6 = takes(AF_INET6, SOCK_STREAM, SOL_SOCKET, SO_PEEK_OFF, 0);
	bool gso = takes(AF_INET, SOCK_DGRAM, IPPROTO_UDP, UDP_SEGMENT, 1000);

	if (peek4 && peek6)
		finding(d, GOOD, "SO_PEEK_OFF", NULL, NULL, "TCP of IPv4 and IPv6 has it");
	else
		finding(d, NOTE, "SO_PEEK_OFF", "downloads are copied once more, and slower",
			"a kernel from 6.9 on", "TCP of %s lacks it",
			peek4 ? "IPv6" : peek6 ? "IPv4" : "IPv4 and IPv6");
	if (gso)
		finding(d, GOOD, "UDP_SEGMENT", NULL, NULL, "UDP has it");
	else
		finding(d, NOTE, "UDP_SEGMENT", "each datagram is a system call",
			"a kernel from 4.18 on", "UDP lacks it");
}

/* --- programs ----------------------------------------------------------------- */

/* Where PATH has a program, and where ordinary users' often lacks it. */
static bool find_program(const char *name, char ret[TEXT_MAX])
{
	char path[4 * TEXT_MAX], *save = NULL;

	snprintf(path, sizeof(path), "%s:/usr/local/sbin:/usr/sbin:/sbin", getenv("PATH") ?: "");
	for (char *s = strtok_r(path, ":", &save); s; s = strtok_r(NULL, ":", &save)) {
		snprintf(ret, TEXT_MAX, "%.400s/%s", s, name);
		if (access(ret, X_OK) == 0)
			return true;
	}
	return false;
}

static bool mentions_us(const char *path)
{
	char text[16384];
	FD_OWNED int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "\"cni-passt\"") != NULL;
}

/* The lists of a folder that name us, with spaces before each. */
static void find_lists(const char *folder, char *ret, size_t size)
{
	static const char *const patterns[] = { "conflist", "conf", "json" };
	char pattern[TEXT_MAX];
	size_t len = strlen(ret);
	glob_t g;

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		snprintf(pattern, sizeof(pattern), "%.400s/*.%s", folder, patterns[i]);
		if (glob(pattern, 0, NULL, &g) != 0)
			continue;
		for (size_t j = 0; j < g.gl_pathc; j++)
			if (mentions_us(g.gl_pathv[j]) && len < size)
				len += (size_t)snprintf(ret + len, size - len, " %s",
							g.gl_pathv[j]);
		globfree(&g);
	}
}

static void check_clients(struct doctor *d)
{
	static const char *const clients[] = { "podman", "netavark", "nerdctl", "ctr", "crictl",
					       "runc", "crun" };
	const char *home = getenv("HOME");
	char lists[TEXT_MAX] = "", all[TEXT_MAX] = "", path[TEXT_MAX], own[TEXT_MAX];
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		if (find_program(clients[i], path) && len < sizeof(all))
			len += (size_t)snprintf(all + len, sizeof(all) - len, " %s", path);
	finding(d, GOOD, "clients", NULL, NULL, all[0] ? "found:%s" : "none found%s", all);
	snprintf(own, sizeof(own), "%.400s/.config/cni/net.d", home ?: "");
	if (home && geteuid() != 0)
		find_lists(own, lists, sizeof(lists));
	find_lists("/etc/cni/net.d", lists, sizeof(lists));
	if (lists[0])
		finding(d, GOOD, "lists", NULL, NULL, "these name us:%s", lists);
	else if (all[0])
		finding(d, NOTE, "lists", "container engines use what /etc/cni/net.d or"
			" ~/.config/cni/net.d says", "copy one of the examples' conflists there",
			"no list there names cni-passt");
}

/* The last word of what the program says of itself. */
static bool core_version(const char *path, char ret[TEXT_MAX])
{
	char command[2 * CONF_PATH_MAX], line[TEXT_MAX] = "";
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
	char path[CONF_PATH_MAX], version[TEXT_MAX];
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

/* The way of an ADD, with nothing that stays. */
static void check_trial(struct doctor *d)
{
	struct err e = ERR_INIT;
	struct conf c;

	conf_init(&c);
	strcpy(c.container_id, "doctor");
	strcpy(c.ifname, "eth0");
	strcpy(c.netns_path, "/proc/self/ns/net");
	strcpy(c.state_dir, "/");
	if (conf_validate(&c, &e) == 0 && attach_status(&c, -1, &e) == 0)
		finding(d, GOOD, "trial", NULL, NULL, "an ADD would work");
	else
		finding(d, BAD, "trial", "no container can be attached",
			e.details[0] ? e.details : NULL, "an ADD would not work: %s", e.msg);
}

/* --- one container -------------------------------------------------------------- */

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

static void check_engine(struct doctor *d, const struct attach *a)
{
	struct err e = ERR_INIT;
	struct json_object *stats = ask_daemon(a->dir.fd, ask_request(CONTROL_STATS), &e);
	struct json_object *gauges = get_member(stats, "gauges", json_type_object);

	if (!stats)
		finding(d, BAD, "daemon", "it carries every packet", "see its log; end the container"
			" and start it again", "%s", e.msg);
	else if (json_object_get_boolean(get_member(gauges, "engine_failing", json_type_boolean)))
		finding(d, BAD, "engine", "it carries every packet", "see the log for why it dies,"
			" and report it", "it dies again and again; it was started again %llu times",
			(unsigned long long)command_number(stats, "engine_restarts"));
	else if (!json_object_get_boolean(get_member(gauges, "engine_up", json_type_boolean)))
		finding(d, BAD, "engine", "it carries every packet", "see the log for why it dies",
			"it does not run; it was started again %llu times",
			(unsigned long long)command_number(stats, "engine_restarts"));
	else
		finding(d, GOOD, "engine", NULL, NULL, "it answers; %llu flows, started again %llu"
			" times", (unsigned long long)command_number(gauges, "flows"),
			(unsigned long long)command_number(stats, "engine_restarts"));
	json_object_put(stats);
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

static void check_container(struct doctor *d, const char *path)
{
	struct attach a = ATTACH_INIT;
	struct err e = ERR_INIT;
	struct netns ns;
	struct state s;

	if (netns_open_path(path, &ns, &e) < 0) {
		finding(d, BAD, "namespace", "that is where the container's interface is",
			e.details[0] ? e.details : NULL, "%s", e.msg);
		return;
	}
	netns_close(&ns);
	finding(d, GOOD, "namespace", NULL, NULL, "%s can be opened", path);
	if (!find_by_netns(path, &a, &s)) {
		finding(d, BAD, "attachment", "nothing of ours is in that namespace",
			"cni-passt ADD, or see with which configuration the engine runs it;"
			" attachments of other users are not seen", "none is in %s", path);
		return;
	}
	finding(d, GOOD, "attachment", NULL, NULL, "%s", a.dir.name);
	check_engine(d, &a);
	check_inside(d, &a, &s, path);
	check_outside(d, &s);
	attach_done(&a);
}

/* ---------------------------------------------------------------------------------- */

static int print_json(struct command *c, struct doctor *d)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "works", json_object_new_boolean(!d->bad));
	json_object_object_add(o, "findings", json_object_get(d->findings));
	return command_print(c, o);
}

int doctor_command(struct command *c)
{
	static void (*const checks[])(struct doctor *d) = {
		check_kernel, check_tun, check_userns, check_subuid, check_ping, check_ports,
		check_files, check_resolvers, check_ipv6, check_features, check_clients, check_core,
		check_trial,
	};
	struct doctor d = { .c = c };
	int r = 0;

	if (c->nwords)
		return command_misuse(c, "one word too many: %.40s", c->words[0]);
	d.findings = json_object_new_array();
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i](&d);
	if (c->netns)
		check_container(&d, c->netns);
	if (c->json)
		r = print_json(c, &d);
	json_object_put(d.findings);
	if (r == 0 && d.bad)
		r = err_set(c->err, ERR_UNAVAILABLE, "doctor: %u of the findings keep it from working",
			    d.bad);
	return r < 0 ? r : command_flush(c);
}
