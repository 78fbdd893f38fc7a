/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf: what one attachment shall be. Values only: no pointer, no descriptor,
 * no JSON. Front ends fill it, conf_validate() is the one validator, and the
 * encoding in encode.h carries it to the daemon, which validates it again.
 * After the start it is `const struct conf *` everywhere.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/log.h"
#include "conf/origin.h"

#define CONF_ID_MAX		128	/* container id and network name */
#define CONF_IFNAME_MAX		15	/* IFNAMSIZ - 1 */
#define CONF_PATH_MAX		1024
#define CONF_ADDRS_MAX		16
#define CONF_ROUTES_MAX		64
#define CONF_GATEWAYS_MAX	2	/* one a family */
#define CONF_HOST_ADDRS_MAX	4
#define CONF_FORWARDS_MAX	256	/* rules; neighbouring ports are one */
#define CONF_REVERSES_MAX	64
#define CONF_OUTBOUND_MAX	2	/* one a family */
#define CONF_NAMESERVERS_MAX	8
#define CONF_SEARCH_MAX		8
#define CONF_DOMAIN_MAX		253	/* RFC 1035, 2.3.4, as text without the last dot */
#define CONF_RESOLVERS_MAX	2	/* one a family */
#define CONF_URI_MAX		255
#define CONF_IPV6_ONLY_MIN	300	/* MIN_V6ONLY_WAIT of RFC 8925, 3.4 */
#define CONF_MTU_MIN		576	/* RFC 791; 1280 with IPv6 (RFC 8200, 5) */
#define CONF_MTU_MAX		65535
#define CONF_UDP_TIMEOUT	30	/* seconds; both are Linux conntrack's defaults */
#define CONF_UDP_STREAM		120	/* RFC 4787, 4.3 REQ-5 */
#define CONF_UDP_MAX		86400
#define CONF_STATS_MAX		86400	/* s */

struct route {
	struct prefix dst;	/* host bits zero */
	struct addr gw;		/* ADDR_ANY: on-link */
	uint32_t metric;	/* 0: the kernel's default */
	bool onlink;		/* gw is not inside an address's prefix */
};

enum conf_proto { CONF_TCP, CONF_UDP, CONF_PROTO_COUNT };

extern const char *const conf_proto_names[CONF_PROTO_COUNT];	/* "tcp" */

enum conf_forward_kind {
	CONF_FORWARD_PORTS,	/* first..last to to_first.. */
	CONF_FORWARD_AUTO,	/* what the other side listens on, under the same number */
	CONF_FORWARD_EXCEPT,	/* first..last: not these, whatever the other rules say */
	CONF_FORWARD_KIND_COUNT
};

/*
 * One rule of "forward" (the host listens, the container serves) or "reverse"
 * (the container's loopback listens, the host's serves); forward.h has the text.
 * All rules of a list together say which ports are open: the explicit ones, then
 * those that "auto" finds, less the exceptions of their protocol.
 */
struct conf_forward {
	uint8_t proto;		/* enum conf_proto */
	uint8_t kind;		/* enum conf_forward_kind */
	bool ready;		/* listen only while the other side does */
	bool weak;		/* ports that cannot be had are left out */
	char ifname[CONF_IFNAME_MAX + 1];	/* only what comes in here; empty: anywhere */
	struct addr addr;	/* listened on; ADDR_ANY: all, of both families */
	uint16_t first, last;	/* ports listened on; 0 and 0: one that the kernel picks */
	uint16_t to_first;	/* where the first leads; the others follow */
	struct addr to;		/* ADDR_ANY: the container's own, of the client's family */
	uint8_t from;		/* enum origin; no difference to the rule */
};

/* Who else listens on a port already. */
enum conf_conflict {
	CONF_CONFLICT_ERROR,	/* "error": ADD fails */
	CONF_CONFLICT_IGNORE,	/* "ignore": the port is left out, with a warning in the log */
	CONF_CONFLICT_COUNT
};

/* From where the daemon is started; the front end's affair (plugin/attach/via.h). */
enum conf_via {
	CONF_VIA_AUTO,		/* the broker, if one answers from another network namespace */
	CONF_VIA_DIRECT,	/* where the front end runs */
	CONF_VIA_BROKER,	/* where the broker runs */
	CONF_VIA_COUNT
};

/* Kernel features not to use even where they are there: for tests of the
 * fall-backs. Front ends take the list from CNI_PASST_WITHOUT. */
enum conf_without {
	CONF_WITHOUT_OFFLOAD = 1 << 0,	/* "offload": no GSO, no checksum offload on the tap */
	CONF_WITHOUT_USO = 1 << 1,	/* "uso": no UDP segmentation on the tap */
	CONF_WITHOUT_PEEK = 1 << 2,	/* "peek": no SO_PEEK_OFF, own ring */
	CONF_WITHOUT_UDPGSO = 1 << 3,	/* "udpgso": no UDP_SEGMENT/UDP_GRO outside */
};

/* What the container (or virtual machine) is not to have, each by itself. */
enum conf_off {
	CONF_OFF_TCP = 1 << 0,		/* frames of that protocol are dropped */
	CONF_OFF_UDP = 1 << 1,
	CONF_OFF_ICMP = 1 << 2,		/* echo, both families */
	CONF_OFF_DHCP = 1 << 3,		/* the server is silent */
	CONF_OFF_DHCP6 = 1 << 4,
	CONF_OFF_NDP = 1 << 5,		/* neighbours are not told, nor routers */
	CONF_OFF_RA = 1 << 6,		/* no Router Advertisement */
	CONF_OFF_SPLICE = 1 << 7,	/* local clients of forwarded ports come over the tap */
	CONF_OFF_ALL = (1 << 8) - 1
};

struct conf {
	char container_id[CONF_ID_MAX + 1];
	char ifname[CONF_IFNAME_MAX + 1];
	char network[CONF_ID_MAX + 1];		/* may be empty when used by hand */
	char netns_path[CONF_PATH_MAX];		/* as the caller gave it; watched */
	char state_dir[CONF_PATH_MAX];		/* this attachment's own folder */
	int32_t owner_pid;			/* process whose end is the container's; 0 unknown */

	bool ipv4, ipv6;
	bool follow;				/* be what the host is, also when that changes */
	bool source_check;			/* drop what comes from others' addresses */
	bool metadata;				/* the container may ask the cloud's metadata service */
	bool sandbox_strict;			/* a part of the sandbox that cannot be had is fatal */
	uint32_t run_uid, run_gid;		/* who engine and nsagent are if the caller is root; 0: root */
	uint32_t mtu;				/* 0: the outer interface's */
	struct mac mac;				/* the container's; always set */
	struct mac gw_mac;			/* ours, all that is not the container; always set */

	bool addresses_host;			/* copy the outer's, in a family with none given */
	uint32_t udp_timeout;			/* s, a UDP flow nobody answered yet */
	uint32_t udp_stream;			/* s, one with datagrams both ways */
	bool addresses_private;			/* or ones of its own, see io/template.h */
	uint32_t naddresses;			/* given ones; used as they are */
	struct prefix addresses[CONF_ADDRS_MAX];
	uint32_t ngateways;
	struct addr gateways[CONF_GATEWAYS_MAX];
	uint32_t nroutes;			/* in place of the copied ones, if any */
	struct route routes[CONF_ROUTES_MAX];
	uint32_t nhost_addresses;
	struct addr host_addresses[CONF_HOST_ADDRS_MAX];
	uint32_t nhost_loopback;		/* lead to the host's 127.0.0.1 and ::1 */
	struct addr host_loopback[CONF_HOST_ADDRS_MAX];

	uint32_t nforwards;
	struct conf_forward forwards[CONF_FORWARDS_MAX];
	uint32_t nreverses;
	struct conf_forward reverses[CONF_REVERSES_MAX];
	bool preserve_source;			/* the container sees who the client is */
	enum conf_conflict port_conflict;

	bool configure;				/* false: link up only, the rest by DHCP and RA */
	bool ipv4_late;				/* with it: IPv4 at HANDOFF_CONFIGURE only */
	uint32_t nnameservers;			/* given ones; else, without a forwarder, the host's */
	struct addr nameservers[CONF_NAMESERVERS_MAX];
	uint32_t ndns_forward;			/* where the container finds the DNS forwarder */
	struct addr dns_forward[CONF_HOST_ADDRS_MAX];
	bool dns_host_names;			/* which knows the host's names */
	bool dns_told;				/* servers, or else the forwarder, by DHCP and RA */
	char domain[CONF_DOMAIN_MAX + 1];	/* empty: none */
	uint32_t nsearch;
	char search[CONF_SEARCH_MAX][CONF_DOMAIN_MAX + 1];
	char captive_portal[CONF_URI_MAX + 1];	/* RFC 8910; empty: none */
	uint32_t ipv6_only_s;			/* V6ONLY_WAIT of RFC 8925; 0: not offered */
	struct prefix delegated;		/* by DHCPv6, IA_PD; length 0: none */

	char outbound_ifname4[CONF_IFNAME_MAX + 1];	/* what leaves goes by it; empty: any */
	char outbound_ifname6[CONF_IFNAME_MAX + 1];
	char template_ifname[CONF_IFNAME_MAX + 1];	/* copied from; empty: the outbound one, else
							 * that of the default route */
	uint32_t noutbound;			/* ... and from these, one a family */
	struct addr outbound[CONF_OUTBOUND_MAX];

	enum log_level log_level;
	enum log_target log_target;
	char log_path[CONF_PATH_MAX];		/* for LOGT_FILE */
	uint32_t log_size;			/* bytes before it starts anew; 0: LOG_FILE_MAX */

	char capture[CONF_PATH_MAX];		/* all frames go into that file too; empty: none */
	uint32_t without;			/* enum conf_without */
	enum conf_via via;			/* the daemon is told which way was taken */
	uint8_t from[ORIGIN_KEY_COUNT];		/* enum origin of each key */

	/* What only the command lines of pasta and passt ask for (cli/). */
	uint32_t off;				/* enum conf_off */
	bool one_address;			/* a family copied from the host gets its first only */
	bool copy_routes4, copy_routes6;	/* the host's, besides the default one */
	bool map_gateway;			/* the gateway's address leads to the host's loopback */
	bool loopback_to_loopback;		/* local TCP clients of forwarded ports go to the container's */
	bool outlive;				/* the namespace's path may go, the daemon stays */
	bool udp_follows_tcp;			/* "auto" opens UDP ports of TCP listeners too, in ... */
	bool udp_mirrors_tcp;			/* ... and out */
	bool splice_only;			/* no interface: loopback to loopback and nothing else */
	bool net_address;			/* addresses may be a network's own: Linux takes them */
	bool adopt;				/* a tap that is there already, nobody's, is ours */
	bool freebind;				/* listeners on addresses that the host has not yet */
	uint32_t nresolvers;			/* the forwarder asks them, not resolv.conf's */
	struct addr resolvers[CONF_RESOLVERS_MAX];
	char hostname[CONF_DOMAIN_MAX + 1];	/* told by DHCP; empty: the client's own */
	char fqdn[CONF_DOMAIN_MAX + 1];		/* told by DHCP and DHCPv6; empty: the client's own */
	uint32_t stats_s;			/* counters are logged so often, when they changed; 0: never */

	/* A virtual machine in the place of a container: no namespace, its qemu connects. */
	bool guest;
	bool guest_once;			/* the end of the first connection is the attachment's */
	char socket_path[CONF_PATH_MAX];	/* of the listening socket; empty: a connected one */
};

/* Defaults of INTERFACES: both families, addresses "host", hostAddress
 * 169.254.1.2, the DNS forwarder at 169.254.1.1 and fd00::a9fe:101, nothing forwarded, the client's address kept, log info to
 * syslog. Identity fields empty. */
void conf_init(struct conf *c);

/* Sets mac and gw_mac where they are still zero: locally administered, unicast
 * and stable per container id and interface. Called by conf_validate. */
void conf_default_macs(struct conf *c);

/*
 * The one validator: every value alone and against the others. On failure *e
 * names the key as the user wrote it (network configuration spelling) and the
 * value. Returns 0 or -1.
 */
int conf_validate(struct conf *c, struct err *e);

/* One more rule of forwards, at run time: validated alone and against the others,
 * then appended. 0, or -1 with *e. */
int conf_add_forward(struct conf *c, const struct conf_forward *f, struct err *e);

/* Whether two rules would listen on the same port of the same address. */
bool conf_forwards_meet(const struct conf_forward *a, const struct conf_forward *b);

/* Whether two rules are the same in every respect. */
bool conf_forward_eq(const struct conf_forward *a, const struct conf_forward *b);

/* Name rules shared with front ends (clients.md 1.8; CNI SPEC, "CNI_*"). */
bool conf_id_ok(const char *s);		/* container id, network name */
bool conf_ifname_ok(const char *s);
/* A domain name without the last dot: labels of 1 to 63 letters, digits, "-", "_". */
bool conf_domain_ok(const char *s);

/* One word of CNI_PASST_WITHOUT to its bit, 0 if unknown. */
uint32_t conf_without_parse(const char *word);

#endif
