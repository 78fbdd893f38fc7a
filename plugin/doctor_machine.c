/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_machine: what of the kernel, its settings and this user's rights helps or hinders. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/resolv.h"
#include "plugin/doctor.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4	0x20
#define TUN_F_USO6	0x40
#endif

#define FILES_WANTED	65536u	/* descriptors: a flow and a listener take one each */
#define NAMESPACES_FEW	64	/* a limit of namespaces below which some containers use up */

/* The beginning of a small file, without the end of its last line. False: it is not there. */
static bool read_text(const char *path, char ret[DOCTOR_TEXT])
{
	FD_OWNED int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, DOCTOR_TEXT - 1);

	if (n < 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

/* -1: there is no such setting. */
static long setting(const char *path)
{
	char text[DOCTOR_TEXT];

	return read_text(path, text) ? strtol(text, NULL, 10) : -1;
}

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
	const long limit = setting("/proc/sys/user/max_user_namespaces");
	int err = try_userns();

	if (!err && limit >= 0 && limit < NAMESPACES_FEW)
		finding(d, NOTE, "userns", "each container, and each engine of ours, takes one",
			"sysctl -w user.max_user_namespaces=15000",
			"user and network namespaces can be made, but user.max_user_namespaces is %ld",
			limit);
	else if (!err)
		finding(d, GOOD, "userns", NULL, NULL, "user and network namespaces can be made, up"
			" to %ld and %ld", limit, setting("/proc/sys/user/max_net_namespaces"));
	else if (limit == 0)
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

static void check_apparmor(struct doctor *d)
{
	char text[DOCTOR_TEXT], profile[DOCTOR_TEXT] = "";

	if (!read_text("/sys/module/apparmor/parameters/enabled", text) || text[0] != 'Y')
		return;
	/* (the old file is another module's where several are stacked) */
	if (!read_text("/proc/self/attr/apparmor/current", profile))
		read_text("/proc/self/attr/current", profile);
	if (profile[0] && strcmp(profile, "unconfined") != 0)
		finding(d, NOTE, "apparmor", "the profile may forbid what an ADD does; the trial below"
			" tells", "aa-status; apparmor_parser -r of the profile with what is missing",
			"this runs under the profile %s", profile);
	else if (geteuid() != 0 &&
		 setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		finding(d, NOTE, "apparmor", "a program without a profile that says \"userns,\" gets"
			" user namespaces without rights in them",
			"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or a profile with"
			" \"userns,\" for the container engine",
			"kernel.apparmor_restrict_unprivileged_userns is 1");
	else
		finding(d, GOOD, "apparmor", NULL, NULL, "nothing of it is in the way");
}

static void check_selinux(struct doctor *d)
{
	long enforce = setting("/sys/fs/selinux/enforce");
	char domain[DOCTOR_TEXT] = "";

	if (enforce < 0)
		return;
	read_text("/proc/self/attr/current", domain);
	if (enforce == 1 && !strstr(domain, "unconfined_t"))
		finding(d, NOTE, "selinux", "the domain may forbid what an ADD does; the trial below"
			" tells", "ausearch -m avc -ts recent; the module cni_passt.te of the examples",
			"it is enforcing, and this runs as %s", domain);
	else
		finding(d, GOOD, "selinux", NULL, NULL, enforce ? "it is enforcing, and this is not"
			" confined" : "it is permissive");
}

/* Whether /etc/subuid or /etc/subgid has a range of the user's. */
static bool has_range(const char *path, const char *user)
{
	char line[DOCTOR_TEXT], number[16];
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
	char mend[DOCTOR_TEXT];

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
	char text[DOCTOR_TEXT] = "";

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
		finding(d, GOOD, "resolvers", NULL, NULL, "%u name server%s, asked by the DNS"
			" forwarder", file.nservers, file.nservers == 1 ? "" : "s");
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

bool doctor_has_way(bool v4)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	FD_OWNED int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
	inet_pton(AF_INET6, "2001:db8::1", &to6.sin6_addr);
	return connect(fd, v4 ? (struct sockaddr *)&to : (struct sockaddr *)&to6,
		       v4 ? sizeof(to) : sizeof(to6)) == 0;
}

/* No interface, no address, no route, or none that leads on: an ADD works all the same. */
static void check_network(struct doctor *d)
{
	const bool way4 = doctor_has_way(true), way6 = doctor_has_way(false);

	if (way4 || way6)
		finding(d, GOOD, "network", NULL, NULL, "packets find a way out, by %s",
			way4 && way6 ? "IPv4 and IPv6" : way4 ? "IPv4" : "IPv6");
	else
		finding(d, NOTE, "network", "a container reaches only this host and the networks"
			" it is in, until there is a way",
			"bring an interface up, with an address and a default route: ip address; ip"
			" route; ip -6 route",
			"no route leads out of here, neither of IPv4 nor of IPv6");
}

static bool takes(int domain, int type, int level, int name, int value)
{
	FD_OWNED int fd = socket(domain, type | SOCK_CLOEXEC, 0);

	return fd >= 0 && setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* --- what is used of the kernel, and what is lost without it --------------------- */

static void check_peek(struct doctor *d)
{
	bool peek4 = takes(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_PEEK_OFF, 0);
	bool peek6 = takes(AF_INET6, SOCK_STREAM, SOL_SOCKET, SO_PEEK_OFF, 0);

	if (peek4 && peek6)
		finding(d, GOOD, "SO_PEEK_OFF", NULL, NULL, "TCP of IPv4 and IPv6 has it");
	else
		finding(d, NOTE, "SO_PEEK_OFF", "downloads are copied once more, and slower",
			"a kernel from 6.9 on", "TCP of %s lacks it",
			peek4 ? "IPv6" : peek6 ? "IPv4" : "IPv4 and IPv6");
}

static void check_udp(struct doctor *d)
{
	if (takes(AF_INET, SOCK_DGRAM, IPPROTO_UDP, UDP_SEGMENT, 1000))
		finding(d, GOOD, "UDP_SEGMENT", NULL, NULL, "UDP has it");
	else
		finding(d, NOTE, "UDP_SEGMENT", "each datagram that leaves is a system call",
			"a kernel from 4.18 on", "UDP lacks it");
	if (takes(AF_INET, SOCK_DGRAM, IPPROTO_UDP, UDP_GRO, 1))
		finding(d, GOOD, "UDP_GRO", NULL, NULL, "UDP has it");
	else
		finding(d, NOTE, "UDP_GRO", "each datagram that comes is taken by itself",
			"a kernel from 5.0 on", "UDP lacks it");
}

enum offloads { TAP_MADE = 1, TAP_TSO = 2, TAP_USO = 4 };

/* In a child, in namespaces of its own, with a tap that goes with it. */
static int make_tap(void)
{
	const unsigned int tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd;

	if (unshare((geteuid() ? CLONE_NEWUSER : 0) | CLONE_NEWNET) < 0)
		return 0;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0)
		return 0;
	if (ioctl(fd, TUNSETOFFLOAD, tso) < 0)
		return TAP_MADE;
	return TAP_MADE | TAP_TSO |
	       (ioctl(fd, TUNSETOFFLOAD, tso | TUN_F_USO4 | TUN_F_USO6) == 0 ? TAP_USO : 0);
}

static void check_tap(struct doctor *d)
{
	int status = 0;
	pid_t pid = fork();
	int has;

	if (pid == 0)
		_exit(make_tap());
	has = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	      WEXITSTATUS(status) : 0;
	if (!(has & TAP_MADE))
		return;		/* why is the trial's to say */
	if (!(has & TAP_TSO))
		finding(d, NOTE, "tap", "each segment crosses the tap by itself, much slower", NULL,
			"it has no offloads");
	else if (!(has & TAP_USO))
		finding(d, NOTE, "tap", "each UDP datagram crosses the tap by itself",
			"a kernel from 6.2 on", "checksum and TSO, but no USO");
	else
		finding(d, GOOD, "tap", NULL, NULL, "offloads: checksum, TSO, USO");
}

static void check_calls(struct doctor *d)
{
	const uint32_t kill = SECCOMP_RET_KILL_PROCESS;
	FD_OWNED int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (pidfd >= 0)
		finding(d, GOOD, "pidfd", NULL, NULL, "the container's end is heard of at once");
	else
		finding(d, NOTE, "pidfd", "the container's end is seen by the path of its namespace"
			" only, or by a look each second", "a kernel from 5.3 on",
			"pidfd_open: %s", strerror(errno));
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) == 0)
		finding(d, GOOD, "seccomp", NULL, NULL, "engine and nsagent are left some thirty"
			" system calls");
	else
		finding(d, NOTE, "seccomp", "an engine that was taken over has all system calls",
			"a kernel with CONFIG_SECCOMP_FILTER", "it is not there: %s",
			strerror(errno));
}

void doctor_machine(struct doctor *d)
{
	static void (*const checks[])(struct doctor *d) = {
		check_kernel, check_tun, check_userns, check_subuid, check_apparmor, check_selinux,
		check_ping, check_ports, check_files, check_resolvers, check_ipv6, check_network,
		check_peek, check_udp, check_tap, check_calls,
	};

	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i](d);
}
