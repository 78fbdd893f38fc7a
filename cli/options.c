/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/passt.h"
#include "cli/user.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

#define EPHEMERAL_FILE	"/proc/sys/net/ipv4/ip_local_port_range"
#define LOG_SIZE_MIN	4096
#define LOG_SIZE	(1u << 20)

/* What an option means, and what is said where it has no counterpart. */
struct option_row {
	const char *word;
	char letter;			/* 0: none */
	bool argument;
	int (*fn)(struct options *o, const struct option_row *row, const char *arg, struct err *e);
	size_t flag;			/* for set_flag: the bool's place in struct options */
	uint32_t off;			/* for set_off; for set_either */
	const char *why;		/* for ignore: why nothing is done */
};

static int bad(struct err *e, const struct option_row *row, const char *arg, const char *why)
{
	return err_set(e, ERR_CONFIG, "--%s: \"%.80s\" %s", row->word, arg, why);
}

static bool is_none(const char *arg)
{
	return strcmp(arg, "none") == 0;
}

/* --- what rows do ------------------------------------------------------------ */

static int set_flag(struct options *o, const struct option_row *row, const char *arg,
		    struct err *e)
{
	(void)arg;
	(void)e;
	*(bool *)((char *)o + row->flag) = true;
	return 0;
}

static int set_off(struct options *o, const struct option_row *row, const char *arg,
		   struct err *e)
{
	(void)arg;
	(void)e;
	o->conf.off |= row->off;
	return 0;
}

/* Of two that exclude each other the last one counts: off is the other's place. */
static int set_either(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	*(bool *)((char *)o + row->off) = false;
	return set_flag(o, row, arg, e);
}

static int clear_flag(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	(void)arg;
	(void)e;
	*(bool *)((char *)o + row->flag) = false;
	return 0;
}

static int ignore(struct options *o, const struct option_row *row, const char *arg, struct err *e);

static int read_number(const struct option_row *row, const char *arg, unsigned long max,
		       unsigned long *ret, struct err *e)
{
	char *end;

	errno = 0;
	*ret = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || arg[0] == '-' || *ret > max)
		return bad(e, row, arg, "is not a number, or too large");
	return 0;
}

static int read_addr(const struct option_row *row, const char *arg, struct addr *ret,
		     struct err *e)
{
	return addr_parse(arg, ret) < 0 ? bad(e, row, arg, "is not an address") : 0;
}

/* One a family: the last one given. */
static int put_addr(const struct option_row *row, const char *arg, struct addr *list, uint32_t *n,
		    struct err *e)
{
	struct addr a;
	uint32_t i = 0;

	if (read_addr(row, arg, &a, e) < 0)
		return -1;
	while (i < *n && addr_is4(&list[i]) != addr_is4(&a))
		i++;
	list[i] = a;
	*n += i == *n;
	return 0;
}

static int add_addr(const struct option_row *row, const char *arg, struct addr *list, uint32_t *n,
		    uint32_t max, struct err *e)
{
	if (*n == max)
		return bad(e, row, arg, "is one too many");
	if (read_addr(row, arg, &list[*n], e) < 0)
		return -1;
	(*n)++;
	return 0;
}

static int copy_text(const struct option_row *row, const char *arg, char *to, size_t size,
		     struct err *e)
{
	if (!arg[0] || strlen(arg) >= size)
		return bad(e, row, arg, "is empty or too long");
	strcpy(to, arg);
	return 0;
}

static int set_address(struct options *o, const struct option_row *row, const char *arg,
		       struct err *e)
{
	struct conf *c = &o->conf;

	struct prefix p;
	uint32_t i = 0;

	if (prefix_parse(arg, &p) < 0)
		return bad(e, row, arg, "is not ADDRESS or ADDRESS/LENGTH");
	while (i < c->naddresses && addr_is4(&c->addresses[i].addr) != addr_is4(&p.addr))
		i++;
	c->addresses[i] = p;
	c->naddresses += i == c->naddresses;
	o->bare &= (uint8_t)~(1u << i);
	if (!strchr(arg, '/'))
		o->bare |= (uint8_t)(1u << i);
	return 0;
}

/* Ones, then zeros; 0: it is none. */
static uint8_t mask_length(const struct addr *a)
{
	const uint8_t *b = a->b + 12;
	uint32_t v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	uint8_t n = 0;

	for (; v & 0x80000000u; v <<= 1)
		n++;
	return v ? 0 : n;
}

static int set_netmask(struct options *o, const struct option_row *row, const char *arg,
		       struct err *e)
{
	unsigned long bits = 0;
	struct addr a;

	if (addr_parse(arg, &a) == 0 && addr_is4(&a))
		bits = mask_length(&a);
	else if (read_number(row, arg, 32, &bits, e) < 0)
		return -1;
	if (!bits)
		return bad(e, row, arg, "is not a netmask");
	o->netmask = (uint8_t)bits;
	return 0;
}

/* Whose default route is given gets no other, in that family. */
static int set_gateway(struct options *o, const struct option_row *row, const char *arg,
		       struct err *e)
{
	struct conf *c = &o->conf;

	if (put_addr(row, arg, c->gateways, &c->ngateways, e) < 0)
		return -1;
	for (uint32_t i = 0; i < c->ngateways; i++)
		*(addr_is4(&c->gateways[i]) ? &c->copy_routes4 : &c->copy_routes6) = false;
	return 0;
}

static int set_outbound(struct options *o, const struct option_row *row, const char *arg,
			struct err *e)
{
	return put_addr(row, arg, o->conf.outbound, &o->conf.noutbound, e);
}

static int set_interface(struct options *o, const struct option_row *row, const char *arg,
			 struct err *e)
{
	return copy_text(row, arg, o->conf.template_ifname, sizeof(o->conf.template_ifname), e);
}

static int set_outbound_if4(struct options *o, const struct option_row *row, const char *arg,
			    struct err *e)
{
	return copy_text(row, arg, o->conf.outbound_ifname4, sizeof(o->conf.outbound_ifname4), e);
}

static int set_outbound_if6(struct options *o, const struct option_row *row, const char *arg,
			    struct err *e)
{
	return copy_text(row, arg, o->conf.outbound_ifname6, sizeof(o->conf.outbound_ifname6), e);
}

static int set_ifname(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	if (!conf_ifname_ok(arg))
		return bad(e, row, arg, "is not an interface name");
	o->ifname = arg;
	return 0;
}

/* 0: nothing is told or set, which leaves an interface's usual one. */
static int set_mtu(struct options *o, const struct option_row *row, const char *arg, struct err *e)
{
	unsigned long mtu;

	if (read_number(row, arg, CONF_MTU_MAX, &mtu, e) < 0)
		return -1;
	o->conf.mtu = mtu ? (uint32_t)mtu : 1500;
	return 0;
}

static int read_mac(const struct option_row *row, const char *arg, struct mac *ret, struct err *e)
{
	return mac_parse(arg, ret) < 0 ? bad(e, row, arg, "is not a MAC address") : 0;
}

static int set_gw_mac(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	return read_mac(row, arg, &o->conf.gw_mac, e);
}

static int set_mac(struct options *o, const struct option_row *row, const char *arg, struct err *e)
{
	return read_mac(row, arg, &o->conf.mac, e);
}

static int set_no_copy_routes(struct options *o, const struct option_row *row, const char *arg,
			      struct err *e)
{
	(void)row;
	(void)arg;
	(void)e;
	o->conf.copy_routes4 = o->conf.copy_routes6 = false;
	return 0;
}

static int set_no_map_gw(struct options *o, const struct option_row *row, const char *arg,
			 struct err *e)
{
	(void)row;
	(void)arg;
	(void)e;
	o->conf.map_gateway = false;
	return 0;
}

static int set_map_loopback(struct options *o, const struct option_row *row, const char *arg,
			    struct err *e)
{
	struct conf *c = &o->conf;

	o->map_given = true;
	if (is_none(arg)) {
		c->nhost_loopback = 0;
		return 0;
	}
	return put_addr(row, arg, c->host_loopback, &c->nhost_loopback, e);
}

static int set_map_guest(struct options *o, const struct option_row *row, const char *arg,
			 struct err *e)
{
	struct conf *c = &o->conf;

	if (is_none(arg)) {
		c->nhost_addresses = 0;
		return 0;
	}
	return put_addr(row, arg, c->host_addresses, &c->nhost_addresses, e);
}

static int set_dns(struct options *o, const struct option_row *row, const char *arg, struct err *e)
{
	struct conf *c = &o->conf;

	o->no_dns |= is_none(arg);
	return is_none(arg) ? 0 : add_addr(row, arg, c->nameservers, &c->nnameservers,
					   CONF_NAMESERVERS_MAX, e);
}

static int set_dns_forward(struct options *o, const struct option_row *row, const char *arg,
			   struct err *e)
{
	struct conf *c = &o->conf;

	if (is_none(arg) || !o->forward_given)
		c->ndns_forward = 0;
	o->forward_given = true;
	if (is_none(arg))
		return 0;
	return put_addr(row, arg, c->dns_forward, &c->ndns_forward, e);
}

static int set_dns_host(struct options *o, const struct option_row *row, const char *arg,
			struct err *e)
{
	return put_addr(row, arg, o->conf.resolvers, &o->conf.nresolvers, e);
}

/* A last dot may say that it is whole. */
static int set_name(const struct option_row *row, const char *arg, char to[CONF_DOMAIN_MAX + 1],
		    struct err *e)
{
	if (copy_text(row, arg, to, CONF_DOMAIN_MAX + 1, e) < 0)
		return -1;
	if (to[strlen(to) - 1] == '.')
		to[strlen(to) - 1] = '\0';
	return conf_domain_ok(to) ? 0 : bad(e, row, arg, "is not a host's name");
}

static int set_hostname(struct options *o, const struct option_row *row, const char *arg,
			struct err *e)
{
	return set_name(row, arg, o->conf.hostname, e);
}

static int set_fqdn(struct options *o, const struct option_row *row, const char *arg,
		    struct err *e)
{
	return set_name(row, arg, o->conf.fqdn, e);
}

static int set_search(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	struct conf *c = &o->conf;
	char name[CONF_DOMAIN_MAX + 2];

	o->no_search |= is_none(arg);
	while (!is_none(arg) && *(arg += strspn(arg, " "))) {
		size_t n = strcspn(arg, " ");

		if (n > CONF_DOMAIN_MAX || c->nsearch == CONF_SEARCH_MAX)
			return bad(e, row, arg, "is too long, or one too many");
		memcpy(name, arg, n);
		name[n] = '\0';
		if (n && name[n - 1] == '.')	/* "none." is the domain of that name */
			name[n - 1] = '\0';
		if (!conf_domain_ok(name))
			return bad(e, row, name, "is not a domain name");
		strcpy(c->search[c->nsearch++], name);
		arg += n;
	}
	return 0;
}

static int add_ports(struct options *o, const struct option_row *row, const char *arg,
		     struct ports *p, struct err *e)
{
	const char *why;

	if (o->guest && strcmp(arg, "auto") == 0) {
		o->auto_ignored = true;
		return 0;
	}
	why = ports_add(p, arg, o->ephemeral);
	return why ? bad(e, row, arg, why) : 0;
}

static int set_tcp_ports(struct options *o, const struct option_row *row, const char *arg,
			 struct err *e)
{
	return add_ports(o, row, arg, &o->forward[CONF_TCP], e);
}

static int set_udp_ports(struct options *o, const struct option_row *row, const char *arg,
			 struct err *e)
{
	return add_ports(o, row, arg, &o->forward[CONF_UDP], e);
}

/* The loopback is where they listen anyway. */
static int add_reverse(struct options *o, const struct option_row *row, const char *arg,
		       enum conf_proto proto, struct err *e)
{
	struct ports *p = &o->reverse[proto];
	uint32_t before = *p->n;

	if (add_ports(o, row, arg, p, e) < 0)
		return -1;
	for (uint32_t i = before; i < *p->n; i++)
		if (strcmp(p->rules[i].ifname, "lo") == 0)
			p->rules[i].ifname[0] = '\0';
	return 0;
}

static int set_tcp_ns(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	return add_reverse(o, row, arg, CONF_TCP, e);
}

static int set_udp_ns(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	return add_reverse(o, row, arg, CONF_UDP, e);
}

/* The daemon starts in the root folder. */
static int full_path(const struct option_row *row, const char *arg, char ret[CONF_PATH_MAX],
		     struct err *e)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (arg[0] != '/' && (!getcwd(cwd, sizeof(cwd)) || strcmp(cwd, "/") == 0))
		cwd[0] = '\0';
	n = snprintf(ret, CONF_PATH_MAX, "%s%s%s", cwd, arg[0] == '/' ? "" : "/", arg);
	if (!arg[0] || n < 0 || n >= CONF_PATH_MAX)
		return bad(e, row, arg, "is empty or too long");
	return 0;
}

static int set_log_file(struct options *o, const struct option_row *row, const char *arg,
			struct err *e)
{
	o->conf.log_target = LOGT_FILE;
	return full_path(row, arg, o->conf.log_path, e);
}

static int set_pcap(struct options *o, const struct option_row *row, const char *arg,
		    struct err *e)
{
	return full_path(row, arg, o->conf.capture, e);
}

static int set_log_size(struct options *o, const struct option_row *row, const char *arg,
			struct err *e)
{
	unsigned long size;

	if (read_number(row, arg, UINT32_MAX, &size, e) < 0)
		return -1;
	if (size < LOG_SIZE_MIN)
		return bad(e, row, arg, "is less than 4096 bytes");
	o->conf.log_size = (uint32_t)size;
	return 0;
}

static int set_stats(struct options *o, const struct option_row *row, const char *arg,
		     struct err *e)
{
	unsigned long s;

	if (read_number(row, arg, CONF_STATS_MAX, &s, e) < 0)
		return -1;
	if (!s)
		return bad(e, row, arg, "is no delay");
	o->conf.stats_s = (uint32_t)s;
	return 0;
}

static int set_runas(struct options *o, const struct option_row *row, const char *arg,
		     struct err *e)
{
	const char *why = user_parse(arg, &o->runas_uid, &o->runas_gid);

	o->runas = true;
	return why ? bad(e, row, arg, why) : 0;
}

static int set_pid_file(struct options *o, const struct option_row *row, const char *arg,
			struct err *e)
{
	(void)row;
	(void)e;
	o->pid_file = arg;
	return 0;
}

static int set_netns(struct options *o, const struct option_row *row, const char *arg,
		     struct err *e)
{
	if (!arg[0])
		return bad(e, row, arg, "is neither a path nor a name");
	o->netns = arg;
	return 0;
}

static int set_userns(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	if (!arg[0])
		return bad(e, row, arg, "is not a path");
	o->userns = arg;
	return 0;
}

static int set_socket(struct options *o, const struct option_row *row, const char *arg,
		      struct err *e)
{
	return full_path(row, arg, o->conf.socket_path, e);
}

static int set_fd(struct options *o, const struct option_row *row, const char *arg, struct err *e)
{
	unsigned long fd;

	if (read_number(row, arg, INT32_MAX, &fd, e) < 0)
		return -1;
	if (fd <= STDERR_FILENO)
		return bad(e, row, arg, "is a standard descriptor");
	o->socket_fd = (int32_t)fd;
	return 0;
}

static int show_help(struct options *o, const struct option_row *row, const char *arg,
		     struct err *e);

static int show_version(struct options *o, const struct option_row *row, const char *arg,
			struct err *e)
{
	(void)row;
	(void)arg;
	(void)e;
	printf("%s " PACKAGE_VERSION "\n"
	       "part of cni-passt " PACKAGE_VERSION ", GPL-2.0-or-later\n", o->name);
	o->done = true;
	return 0;
}

/* --- the table ---------------------------------------------------------------- */

#define FLAG(name)	offsetof(struct options, name)
#define CONF_FLAG(name)	offsetof(struct options, conf.name)

static const struct option_row rows[] = {
	{ "address", 'a', true, set_address, 0, 0, NULL },
	{ "netmask", 'n', true, set_netmask, 0, 0, NULL },
	{ "gateway", 'g', true, set_gateway, 0, 0, NULL },
	{ "interface", 'i', true, set_interface, 0, 0, NULL },
	{ "outbound", 'o', true, set_outbound, 0, 0, NULL },
	{ "outbound-if4", 0, true, set_outbound_if4, 0, 0, NULL },
	{ "outbound-if6", 0, true, set_outbound_if6, 0, 0, NULL },
	{ "mtu", 'm', true, set_mtu, 0, 0, NULL },
	{ "mac-addr", 'M', true, set_gw_mac, 0, 0, NULL },
	{ "ns-mac-addr", 0, true, set_mac, 0, 0, NULL },
	{ "ns-ifname", 'I', true, set_ifname, 0, 0, NULL },
	{ "no-copy-routes", 0, false, set_no_copy_routes, 0, 0, NULL },
	{ "no-copy-addrs", 0, false, set_flag, CONF_FLAG(one_address), 0, NULL },
	{ "config-net", 0, false, set_flag, CONF_FLAG(configure), 0, NULL },
	{ "ipv4-only", '4', false, set_either, FLAG(ipv4_only), FLAG(ipv6_only), NULL },
	{ "ipv6-only", '6', false, set_either, FLAG(ipv6_only), FLAG(ipv4_only), NULL },

	{ "tcp-ports", 't', true, set_tcp_ports, 0, 0, NULL },
	{ "udp-ports", 'u', true, set_udp_ports, 0, 0, NULL },
	{ "tcp-ns", 'T', true, set_tcp_ns, 0, 0, NULL },
	{ "udp-ns", 'U', true, set_udp_ns, 0, 0, NULL },
	{ "freebind", 0, false, set_flag, CONF_FLAG(freebind), 0, NULL },
	{ "host-lo-to-ns-lo", 0, false, set_flag, CONF_FLAG(loopback_to_loopback), 0, NULL },
	{ "splice-only", 0, false, set_flag, CONF_FLAG(splice_only), 0, NULL },
	{ "no-splice", 0, false, set_off, 0, CONF_OFF_SPLICE, NULL },

	{ "map-host-loopback", 0, true, set_map_loopback, 0, 0, NULL },
	{ "map-guest-addr", 0, true, set_map_guest, 0, 0, NULL },
	{ "map-gw", 0, false, set_flag, CONF_FLAG(map_gateway), 0, NULL },
	{ "no-map-gw", 0, false, set_no_map_gw, 0, 0, NULL },

	{ "dns", 'D', true, set_dns, 0, 0, NULL },
	{ "search", 'S', true, set_search, 0, 0, NULL },
	{ "dhcp-dns", 0, false, set_flag, FLAG(tell_dns), 0, NULL },
	{ "dhcp-search", 0, false, set_flag, FLAG(tell_search), 0, NULL },
	{ "no-dhcp-dns", 0, false, clear_flag, FLAG(tell_dns), 0, NULL },
	{ "no-dhcp-search", 0, false, clear_flag, FLAG(tell_search), 0, NULL },
	{ "hostname", 'H', true, set_hostname, 0, 0, NULL },
	{ "fqdn", 0, true, set_fqdn, 0, 0, NULL },
	{ "dns-forward", 0, true, set_dns_forward, 0, 0, NULL },
	{ "dns-host", 0, true, set_dns_host, 0, 0, NULL },

	{ "no-tcp", 0, false, set_off, 0, CONF_OFF_TCP, NULL },
	{ "no-udp", 0, false, set_off, 0, CONF_OFF_UDP, NULL },
	{ "no-icmp", 0, false, set_off, 0, CONF_OFF_ICMP | CONF_OFF_NDP, NULL },
	{ "no-dhcp", 0, false, set_off, 0, CONF_OFF_DHCP, NULL },
	{ "no-dhcpv6", 0, false, set_off, 0, CONF_OFF_DHCP6, NULL },
	{ "no-ndp", 0, false, set_off, 0, CONF_OFF_NDP, NULL },
	{ "no-ra", 0, false, set_off, 0, CONF_OFF_RA, NULL },

	{ "netns", 0, true, set_netns, 0, 0, NULL },
	{ "userns", 0, true, set_userns, 0, 0, NULL },
	{ "netns-only", 0, false, set_flag, FLAG(netns_only), 0, NULL },
	{ "no-netns-quit", 0, false, set_flag, CONF_FLAG(outlive), 0, NULL },

	{ "no-pidns", 0, false, set_flag, FLAG(no_pidns), 0, NULL },

	{ "foreground", 'f', false, set_flag, FLAG(foreground), 0, NULL },
	{ "pid", 'P', true, set_pid_file, 0, 0, NULL },
	{ "log-file", 'l', true, set_log_file, 0, 0, NULL },
	{ "pcap", 'p', true, set_pcap, 0, 0, NULL },
	{ "log-size", 0, true, set_log_size, 0, 0, NULL },
	{ "stderr", 'e', false, ignore, 0, 0,
	  "in the foreground it is so, and a daemon in the background has none" },
	{ "quiet", 'q', false, set_either, FLAG(quiet), FLAG(debug), NULL },
	{ "debug", 'd', false, set_either, FLAG(debug), FLAG(quiet), NULL },
	{ "trace", 0, false, set_either, FLAG(debug), FLAG(quiet), NULL },
	{ "stats", 0, true, set_stats, 0, 0, NULL },
	{ "runas", 0, true, set_runas, 0, 0, NULL },
	{ "chroot-fallback", 0, false, ignore, 0, 0,
	  "a part of the sandbox that cannot be had is left out with a warning" },
	{ "socket", 's', true, set_socket, 0, 0, NULL },
	{ "fd", 'F', true, set_fd, 0, 0, NULL },
	{ "one-off", '1', false, set_flag, CONF_FLAG(guest_once), 0, NULL },
	{ "help", 'h', false, show_help, 0, 0, NULL },
	{ "version", 0, false, show_version, 0, 0, NULL },
};

#define ROWS	ARRAY_LEN(rows)

/* Words that are for one of the two names only; the other does not know them. */
static bool is_known(const struct options *o, const struct option_row *row)
{
	static const char *const of_pasta[] = {
		"ns-mac-addr", "ns-ifname", "config-net", "tcp-ns", "udp-ns", "host-lo-to-ns-lo",
		"no-splice", "splice-only", "netns", "userns", "netns-only", "no-netns-quit", "no-pidns",
		"no-copy-routes", "no-copy-addrs",
	};
	static const char *const of_passt[] = { "socket", "fd", "one-off" };
	const char *const *others = o->guest ? of_pasta : of_passt;
	size_t n = o->guest ? ARRAY_LEN(of_pasta) : ARRAY_LEN(of_passt);

	for (size_t i = 0; i < n; i++)
		if (strcmp(others[i], row->word) == 0)
			return false;
	return true;
}

static int show_help(struct options *o, const struct option_row *row, const char *arg,
		     struct err *e)
{
	(void)row;
	(void)arg;
	(void)e;
	if (o->guest)
		printf("Usage: %s [OPTION]...\n"
		       "Connects a virtual machine to the host's network: its qemu connects to a UNIX\n"
		       "socket, whose path is printed. What each option means stands in the manual page\n"
		       "cni-passt-pasta(1).\n\n", o->name);
	else
		printf("Usage: %s [OPTION]... [COMMAND [ARG]...]\n"
	       "       %s [OPTION]... PID\n"
	       "       %s [OPTION]... --netns PATH|NAME\n"
	       "Connects a network namespace to the host's network: a new one that COMMAND, or a\n"
	       "shell, runs in, that of process PID, or the named one. What each option means\n"
	       "stands in the manual page cni-passt-pasta(1).\n\n", o->name, o->name, o->name);
	for (size_t i = 0; i < ROWS; i++)
		if (is_known(o, &rows[i]))
			printf("  %c%c%s--%s%s\n", rows[i].letter ? '-' : ' ', rows[i].letter ?: ' ',
		       rows[i].letter ? ", " : "  ", rows[i].word,
		       rows[i].argument ? " ARG" : "");
	o->done = true;
	return 0;
}

/* getopt's own form of the table. */
struct getopt_form {
	struct option list[ROWS + 1];
	char letters[2 * ROWS + 2];
};

static void make_form(const struct options *o, struct getopt_form *f)
{
	char *at = f->letters;
	size_t n = 0;

	*at++ = '+';		/* what follows the first word is the command's */
	for (size_t i = 0; i < ROWS; i++) {
		if (!is_known(o, &rows[i]))
			continue;
		f->list[n++] = (struct option){
			.name = rows[i].word, .val = (int)(i + 256),
			.has_arg = rows[i].argument ? required_argument : no_argument,
		};
		if (!rows[i].letter)
			continue;
		*at++ = rows[i].letter;
		if (rows[i].argument)
			*at++ = ':';
	}
}

static const struct option_row *find_row(int opt)
{
	for (size_t i = 0; i < ROWS; i++)
		if (opt == (int)(i + 256) || (rows[i].letter && opt == rows[i].letter))
			return &rows[i];
	return NULL;
}

static int read_all(struct options *o, int argc, char **argv, struct err *e)
{
	const struct option_row *row;
	struct getopt_form form = { .letters = "" };
	int opt;

	make_form(o, &form);
	optind = 0;	/* from the start, whatever was read before */
	while (!o->done && (opt = getopt_long(argc, argv, form.letters, form.list, NULL)) != -1) {
		row = find_row(opt);
		if (!row)
			return -1;
		if (row->fn(o, row, optarg, e) < 0)
			return -1;
	}
	return 0;
}

/* Said when it is known whether it is to be said. */
static int ignore(struct options *o, const struct option_row *row, const char *arg, struct err *e)
{
	(void)arg;
	(void)e;
	o->ignored[row - rows] = true;
	return 0;
}

static_assert(ROWS <= OPTIONS_MAX, "a place for each row");

static void tell_ignored(const struct options *o)
{
	for (size_t i = 0; i < ROWS; i++)
		if (o->ignored[i])
			log_warn("--%s is accepted and does nothing: %s", rows[i].word,
				 rows[i].why);
}

/* --- what follows from all of them -------------------------------------------- */

/* The length that the host's own interface has for that address, 0: it is not there. */
static uint8_t host_length(const struct addr *a)
{
	struct ifaddrs *list, *i;
	uint8_t len = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (i = list; i && !len; i = i->ifa_next) {
		const bool v4 = i->ifa_addr && i->ifa_addr->sa_family == AF_INET;
		const bool v6 = i->ifa_addr && i->ifa_addr->sa_family == AF_INET6;
		const uint8_t *b, *mask;

		if ((!v4 && !v6) || !i->ifa_netmask || v4 != addr_is4(a))
			continue;
		b = v4 ? (uint8_t *)&((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr
		       : (uint8_t *)&((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr;
		mask = v4 ? (uint8_t *)&((struct sockaddr_in *)(void *)i->ifa_netmask)->sin_addr
			  : (uint8_t *)&((struct sockaddr_in6 *)(void *)i->ifa_netmask)->sin6_addr;
		if (memcmp(b, addr_bytes(a), addr_size(a)) != 0)
			continue;
		for (size_t n = 0; n < addr_size(a); n++)
			len = (uint8_t)(len + __builtin_popcount(mask[n]));
	}
	freeifaddrs(list);
	return len;
}

/* Where neither -n nor the host tells: the address's class (RFC 791, 3.2), or a /64. */
static uint8_t class_length(const struct addr *a)
{
	uint8_t first = a->b[12];

	if (!addr_is4(a))
		return 64;
	return first < 128 ? 8 : first < 192 ? 16 : 24;
}

static int check_lengths(const struct options *o, struct err *e)
{
	char text[PREFIX_STRLEN];

	for (uint32_t i = 0; o->netmask && i < o->conf.naddresses; i++)
		if (!(o->bare >> i & 1) && addr_is4(&o->conf.addresses[i].addr))
			return err_set(e, ERR_CONFIG, "--netmask: --address %s has a length already",
				       prefix_format(&o->conf.addresses[i], text));
	return 0;
}

static void fill_lengths(struct options *o)
{
	for (uint32_t i = 0; i < o->conf.naddresses; i++) {
		struct prefix *p = &o->conf.addresses[i];

		if (!(o->bare >> i & 1))
			continue;
		p->len = addr_is4(&p->addr) && o->netmask ? o->netmask : host_length(&p->addr);
		if (!p->len)
			p->len = class_length(&p->addr);
	}
}

/* The rules of a protocol that is off. */
static void drop_rules(struct ports *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < *p->n; i++)
		if (p->rules[i].proto != p->proto)
			p->rules[n++] = p->rules[i];
	*p->n = n;
}

/* Where an option says nothing: all that is listened on, each under its own number, and for
 * UDP by TCP too. */
static int fill_ports(struct options *o, struct err *e)
{
	static const uint32_t off[CONF_PROTO_COUNT] = { CONF_OFF_TCP, CONF_OFF_UDP };
	struct ports *const all[] = {
		&o->forward[CONF_TCP], &o->forward[CONF_UDP], &o->reverse[CONF_TCP],
		&o->reverse[CONF_UDP],
	};

	o->conf.udp_follows_tcp = o->forward[CONF_UDP].kind == PORTS_DEFAULT && !o->guest;
	o->conf.udp_mirrors_tcp = o->reverse[CONF_UDP].kind == PORTS_DEFAULT && !o->guest;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const char *why = NULL;

		if (o->conf.off & off[all[i]->proto])
			drop_rules(all[i]);
		else if (all[i]->kind == PORTS_DEFAULT && !o->guest)
			why = ports_add(all[i], "auto", o->ephemeral);
		if (why)
			return err_set(e, ERR_CONFIG, "ports: \"auto\" %s", why);
	}
	return 0;
}

static void fill_log(struct options *o)
{
	struct conf *c = &o->conf;

	c->log_level = o->debug ? LOGL_DEBUG : o->quiet ? LOGL_WARN : LOGL_INFO;
	if (o->foreground && c->log_target == LOGT_SYSLOG)
		c->log_target = LOGT_STDERR;
	if (!o->quiet)
		tell_ignored(o);
	if (!o->quiet && o->auto_ignored)
		log_warn("ports: \"auto\" opens none: what a virtual machine listens on cannot be"
			 " seen from here; name the ports");
}

static int read_words(struct options *o, int argc, char **argv, struct err *e)
{
	char *end = NULL;
	long pid = 0;

	if (optind < argc && o->guest)
		return err_set(e, ERR_ENV, "\"%.80s\": passt takes options only; commands and"
			       " namespaces are for pasta", argv[optind]);
	if (optind < argc && o->netns)
		return err_set(e, ERR_ENV, "\"%.80s\": neither a command nor a process goes with"
			       " --netns", argv[optind]);
	if (optind >= argc)
		return 0;
	if (optind + 1 == argc && argv[optind][0] >= '0' && argv[optind][0] <= '9') {
		errno = 0;
		pid = strtol(argv[optind], &end, 10);
	}
	if (!end || *end) {
		o->command = argv + optind;
		return 0;
	}
	if (errno || pid <= 0 || pid > INT32_MAX)
		return err_set(e, ERR_ENV, "\"%.40s\" is not the number of a process", argv[optind]);
	o->pid = (int32_t)pid;
	return 0;
}

/* Callers name one of IPv4 whatever the families are. */
static void drop_dns_forward(struct conf *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->ndns_forward; i++)
		if (addr_is4(&c->dns_forward[i]) ? c->ipv4 : c->ipv6)
			c->dns_forward[n++] = c->dns_forward[i];
	c->ndns_forward = n;
}

/* Nothing but what is local on both sides: who comes in by the host's loopback. */
static int fill_splice_only(struct conf *c, struct err *e)
{
	if (c->off & CONF_OFF_SPLICE)
		return err_set(e, ERR_CONFIG, "--splice-only and --no-splice exclude each other");
	c->follow = c->preserve_source = c->map_gateway = c->configure = false;
	c->nhost_addresses = c->nhost_loopback = c->ndns_forward = 0;
	for (uint32_t i = 0; i < c->nforwards; i++)
		if (!c->forwards[i].ifname[0] && addr_is_any(&c->forwards[i].addr) &&
		    c->forwards[i].kind != CONF_FORWARD_EXCEPT)
			strcpy(c->forwards[i].ifname, "lo");
	return 0;
}

static int fill_rest(struct options *o, struct err *e)
{
	struct conf *c = &o->conf;

	if (o->userns && ((!o->netns && !o->pid) || o->netns_only))
		return err_set(e, ERR_ENV, "--userns goes with --netns or PID, and not with"
			       " --netns-only");
	if (o->no_pidns && (o->netns || o->pid))
		return err_set(e, ERR_ENV, "--no-pidns is for a command, which neither --netns nor"
			       " PID have");
	if (c->loopback_to_loopback && (c->off & CONF_OFF_SPLICE))
		return err_set(e, ERR_CONFIG, "--host-lo-to-ns-lo and --no-splice exclude each"
			       " other");
	if (check_lengths(o, e) < 0)
		return -1;
	c->ipv4 = !o->ipv6_only;
	c->ipv6 = !o->ipv4_only;
	if (o->map_given)
		c->map_gateway = false;
	c->dns_told = o->tell_dns && !o->no_dns;
	if (!c->dns_told)
		c->nnameservers = 0;
	drop_dns_forward(c);
	if (!o->tell_search || o->no_search)
		c->nsearch = 0;
	if (!o->runas)
		user_default(c);
	fill_lengths(o);
	fill_log(o);
	if (fill_ports(o, e) < 0)
		return -1;
	return c->splice_only ? fill_splice_only(c, e) : 0;
}

static struct ports_ephemeral read_ephemeral(void)
{
	struct ports_ephemeral r = { 32768, 60999 };	/* ip(7) */
	FILE *f = fopen(EPHEMERAL_FILE, "re");
	unsigned int first, last;

	if (!f)
		return r;
	if (fscanf(f, "%u %u", &first, &last) == 2 && first && first <= last && last <= UINT16_MAX)
		r = (struct ports_ephemeral){ (uint16_t)first, (uint16_t)last };
	fclose(f);
	return r;
}

static void init(struct options *o, const char *name)
{
	struct conf *c = &o->conf;

	*o = (struct options){ .name = name, .ephemeral = read_ephemeral() };
	conf_init(c);
	c->via = CONF_VIA_DIRECT;	/* "the host" is where this command is run */
	c->configure = false;
	c->mtu = OPTIONS_MTU;
	c->nhost_addresses = c->ndns_forward = 0;
	c->map_gateway = true;
	c->via = CONF_VIA_DIRECT;	/* it connects where it was started */
	c->metadata = true;	/* whoever says pasta wants what pasta does */
	c->log_size = LOG_SIZE;
	c->net_address = true;	/* "-a 10.0.2.0 -n 24" stands in podman's manual */
	c->adopt = true;	/* RootlessKit 2.0 makes the interface before it starts us */
	o->guest = strcmp(name, "passt") == 0;
	if (o->guest)
		passt_defaults(o);
	for (int i = 0; i < CONF_PROTO_COUNT; i++) {
		o->forward[i] = (struct ports){ .rules = c->forwards, .n = &c->nforwards,
			.max = CONF_FORWARDS_MAX, .proto = (enum conf_proto)i };
		o->reverse[i] = (struct ports){ .rules = c->reverses, .n = &c->nreverses,
			.max = CONF_REVERSES_MAX, .proto = (enum conf_proto)i };
	}
}

int options_read(struct options *o, const char *name, int argc, char **argv, struct err *e)
{
	init(o, name);
	if (read_all(o, argc, argv, e) < 0)
		return -1;
	if (o->done)
		return 0;
	return read_words(o, argc, argv, e) < 0 ? -1 : fill_rest(o, e);
}
