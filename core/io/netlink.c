/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink: rtnetlink(7) requests, one socket for each job. Dumps
 * are filtered by the kernel where it can (NETLINK_GET_STRICT_CHK) and checked
 * again here, so that an old kernel is slower and not wrong. What the kernel
 * answers is read by libnl's attribute accessors.
 */
#include "io/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "base/fd.h"
#include "io/template.h"

#define CANDIDATES_MAX	8	/* default routes of one family that are looked at */
#define LOOPBACK_INDEX	1	/* in every network namespace (net/loopback.h) */
#define RECV_SIZE	32768	/* what the kernel fills at most in one dump step */
#define MSG_SIZE	512
#define ANSWER_MS	2500	/* two questions of the kernel's and a half: RETRANS_TIME is 1 s */
#define ANSWER_LOOK_US	1000
#define CARRIER_LOOKS	20	/* for a carrier that is missing, ... */
#define CARRIER_LOOK_US	100000	/* ... so far apart */
#define CHANGE		(NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK)

/* One socket and the request under way on it. */
struct query {
	struct nl_sock *sk;
	int error;				/* negative errno the kernel answered with */
	void (*row)(struct query *q, struct nlmsghdr *h);
	void *arg;
};

static void close_query(struct query *q)
{
	nl_socket_free(q->sk);
}

static void free_msg(struct nl_msg **m)
{
	nlmsg_free(*m);
}

static int on_row(struct nl_msg *m, void *arg)
{
	struct query *q = arg;

	if (q->row)
		q->row(q, nlmsg_hdr(m));
	return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *answer, void *arg)
{
	struct query *q = arg;

	(void)from;
	q->error = answer->error;
	return NL_STOP;
}

static int open_query(struct query *q, struct err *e)
{
	int one = 1, r;

	q->sk = nl_socket_alloc();
	if (!q->sk)
		return err_set(e, ERR_IO, "no memory for a netlink socket");
	r = nl_connect(q->sk, NETLINK_ROUTE);
	if (r < 0)
		return err_set(e, ERR_IO, "cannot open a netlink socket: %s", nl_geterror(r));
	nl_socket_disable_auto_ack(q->sk);	/* a get has its answer for one */
	nl_socket_set_msg_buf_size(q->sk, RECV_SIZE);
	nl_socket_modify_cb(q->sk, NL_CB_VALID, NL_CB_CUSTOM, on_row, q);
	nl_socket_modify_err_cb(q->sk, NL_CB_CUSTOM, on_error, q);
	/* Since Linux 4.20; without it dumps are not filtered, only longer. */
	setsockopt(nl_socket_get_fd(q->sk), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one,
		   sizeof(one));
	return 0;
}

/* Sends m and reads all that comes back: a dump to its end, one answer to a
 * get, one acknowledgement of a change. 0 or -errno. */
static int ask(struct query *q, struct nl_msg *m)
{
	int r;

	q->error = 0;
	r = nl_send_auto(q->sk, m);
	if (r >= 0)
		r = nl_recvmsgs_default(q->sk);
	if (q->error)
		return q->error;
	/* A table that changed during its dump: what came is as good as a moment. */
	return r < 0 && r != -NLE_DUMP_INTR ? -EIO : 0;
}

/* A request with its fixed header, or NULL without memory. */
static struct nl_msg *request(int type, int flags, const void *head, size_t len)
{
	struct nl_msg *m = nlmsg_alloc_size(MSG_SIZE);

	if (!m)
		return NULL;
	if (!nlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags) ||
	    nlmsg_append(m, (void *)(uintptr_t)head, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

static int family_of(const struct addr *a)
{
	return addr_is4(a) ? AF_INET : AF_INET6;
}

static int put_addr(struct nl_msg *m, int type, const struct addr *a)
{
	return nla_put(m, type, (int)addr_size(a), addr_bytes(a));
}

/* ADDR_ANY if the attribute is not there or not of the family's size. */
static struct addr get_addr(const struct nlattr *a, int family)
{
	if (a && family == AF_INET && nla_len(a) == 4)
		return addr_from4(nla_data(a));
	if (a && family == AF_INET6 && nla_len(a) == 16)
		return addr_from6(nla_data(a));
	return ADDR_ANY;
}

static uint32_t get_u32(const struct nlattr *a, uint32_t otherwise)
{
	return a && nla_len(a) >= 4 ? nla_get_u32(a) : otherwise;
}

/* --- the outer namespace ------------------------------------------------ */

struct candidate {
	uint32_t ifindex;
	uint32_t metric;
	struct addr gateway;
};

struct candidates {
	int family;
	uint32_t n;
	struct candidate c[CANDIDATES_MAX];	/* by metric, lowest first */
};

struct row {				/* one route as the kernel shows it */
	struct route r;
	uint32_t ifindex;
	uint8_t protocol;
};

/* A route by several gateways counts as one by its first. */
static void read_multipath(const struct nlattr *a, int family, struct row *row)
{
	const struct rtnexthop *nh = nla_data(a);
	const struct nlattr *gw;

	if (nla_len(a) < (int)sizeof(*nh) || nh->rtnh_len < sizeof(*nh) ||
	    nh->rtnh_len > nla_len(a))
		return;
	row->ifindex = (uint32_t)nh->rtnh_ifindex;
	gw = nla_find((const struct nlattr *)(const void *)RTNH_DATA(nh),
		      (int)(nh->rtnh_len - sizeof(*nh)), RTA_GATEWAY);
	row->r.gw = get_addr(gw, family);
}

/* Whether h is a route that can serve as a pattern: unicast, main table, alive. */
static bool read_route(struct nlmsghdr *h, int family, struct row *row)
{
	const struct rtmsg *rt = nlmsg_data(h);
	struct nlattr *tb[RTA_MAX + 1];
	static const uint8_t zero[4];

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(h, sizeof(*rt), tb, RTA_MAX, NULL) < 0)
		return false;
	if (rt->rtm_family != family || rt->rtm_type != RTN_UNICAST || rt->rtm_src_len ||
	    (rt->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD | RTNH_F_LINKDOWN)) ||
	    get_u32(tb[RTA_TABLE], rt->rtm_table) != RT_TABLE_MAIN)
		return false;
	*row = (struct row){
		.ifindex = get_u32(tb[RTA_OIF], 0),
		.protocol = rt->rtm_protocol,
		.r = {
			.dst = { .addr = get_addr(tb[RTA_DST], family), .len = rt->rtm_dst_len },
			.gw = get_addr(tb[RTA_GATEWAY], family),
			.metric = get_u32(tb[RTA_PRIORITY], 0),
		},
	};
	if (family == AF_INET && !tb[RTA_DST])
		row->r.dst.addr = addr_from4(zero);
	if (tb[RTA_MULTIPATH])
		read_multipath(tb[RTA_MULTIPATH], family, row);
	return row->ifindex && row->r.dst.len <= addr_size(&row->r.dst.addr) * 8;
}

static void add_candidate(struct candidates *cs, const struct candidate *c)
{
	uint32_t at;

	for (at = cs->n; at && cs->c[at - 1].metric > c->metric; at--)
		if (at < CANDIDATES_MAX)
			cs->c[at] = cs->c[at - 1];
	if (at == CANDIDATES_MAX)
		return;
	cs->c[at] = *c;
	if (cs->n < CANDIDATES_MAX)
		cs->n++;
}

static void on_default_route(struct query *q, struct nlmsghdr *h)
{
	struct candidates *cs = q->arg;
	struct row row;

	if (read_route(h, cs->family, &row) && !row.r.dst.len)
		add_candidate(cs, &(struct candidate){ row.ifindex, row.r.metric, row.r.gw });
}

struct fill {			/* the template being filled, for the rows below */
	struct template *t;
	int family;
	unsigned int flags;	/* of the interface */
	uint32_t only;		/* the one interface looked at, 0: all */
	uint32_t addr_ifindex;	/* whose addresses are taken: mostly the same */
	bool linklocal4;	/* ... and 169.254.0.0/16 too: there are no others */
	uint32_t nstable;	/* leading addresses that have no lifetime */
};

static void on_route(struct query *q, struct nlmsghdr *h)
{
	struct fill *f = q->arg;
	struct row row;

	if (!read_route(h, f->family, &row) || row.ifindex != f->t->ifindex || !row.r.dst.len)
		return;
	/* Connected routes come with the addresses. */
	if (row.protocol == RTPROT_KERNEL || addr_is_linklocal6(&row.r.dst.addr) ||
	    addr_is_multicast(&row.r.dst.addr))
		return;
	if (f->t->nroutes < CONF_ROUTES_MAX)
		f->t->routes[f->t->nroutes++] = row.r;
}

static void on_link(struct query *q, struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = nlmsg_data(h);
	struct nlattr *tb[IFLA_MAX + 1];
	struct fill *f = q->arg;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(h, sizeof(*ifi), tb, IFLA_MAX, NULL) < 0 || !tb[IFLA_IFNAME])
		return;
	f->flags = ifi->ifi_flags;
	f->t->mtu = get_u32(tb[IFLA_MTU], 0);
	nla_strlcpy(f->t->ifname, tb[IFLA_IFNAME], sizeof(f->t->ifname));
}

static bool is_usable(uint32_t flags, int family)
{
	const uint32_t unfit = IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TEMPORARY;

	return family == AF_INET || !(flags & unfit);
}

struct held {			/* one address as the kernel shows it */
	struct prefix p;
	uint32_t ifindex, flags;
	uint8_t scope;
};

/* Whether h is an address that a container could have: global, or IPv4 link-local. */
static bool read_address(struct nlmsghdr *h, int family, struct held *ret)
{
	const struct ifaddrmsg *ifa = nlmsg_data(h);
	struct nlattr *tb[IFA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(h, sizeof(*ifa), tb, IFA_MAX, NULL) < 0 || ifa->ifa_family != family)
		return false;
	*ret = (struct held){
		.ifindex = ifa->ifa_index, .scope = ifa->ifa_scope,
		.flags = get_u32(tb[IFA_FLAGS], ifa->ifa_flags),
		/* On a point-to-point link IFA_ADDRESS is the other end's. */
		.p = { get_addr(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], family),
		       ifa->ifa_prefixlen },
	};
	return is_usable(ret->flags, family) && addr_is_unicast(&ret->p.addr) &&
	       !addr_is_linklocal6(&ret->p.addr) && ret->p.len <= addr_size(&ret->p.addr) * 8 &&
	       (ret->scope == RT_SCOPE_UNIVERSE || addr_is_linklocal(&ret->p.addr));
}

static void on_address(struct query *q, struct nlmsghdr *h)
{
	struct fill *f = q->arg;
	struct template *t = f->t;
	struct held a;
	uint32_t at;

	if (!read_address(h, f->family, &a) || a.ifindex != f->addr_ifindex ||
	    (a.scope != RT_SCOPE_UNIVERSE && !f->linklocal4) || t->naddresses == CONF_ADDRS_MAX)
		return;
	/* Of IPv6 addresses those without a lifetime first, else as they come. */
	at = f->family == AF_INET6 && (a.flags & IFA_F_PERMANENT) ? f->nstable++ : t->naddresses;
	memmove(&t->addresses[at + 1], &t->addresses[at],
		(t->naddresses - at) * sizeof(t->addresses[0]));
	t->addresses[at] = a.p;
	t->naddresses++;
}

/* Who has an address, best first: global ones before those on the loopback (of a
 * host that routes), link-local ones last; of equals the oldest interface. */
enum rank { RANK_GLOBAL, RANK_LOOPBACK, RANK_LINKLOCAL };

static void on_holder(struct query *q, struct nlmsghdr *h)
{
	struct candidates *cs = q->arg;
	struct candidate c;
	struct held a;

	if (!read_address(h, cs->family, &a))
		return;
	c = (struct candidate){
		.ifindex = a.ifindex,
		.metric = a.scope != RT_SCOPE_UNIVERSE ? RANK_LINKLOCAL :
			  a.ifindex == LOOPBACK_INDEX ? RANK_LOOPBACK : RANK_GLOBAL,
	};
	for (uint32_t i = 0; i < cs->n; i++)
		if (cs->c[i].ifindex == c.ifindex && cs->c[i].metric == c.metric)
			return;		/* one more of an interface that is there */
	add_candidate(cs, &c);
}

static int dump_routes(struct query *q, int family, uint32_t ifindex)
{
	struct rtmsg rt = {
		.rtm_family = (uint8_t)family, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST,
	};
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_GETROUTE, NLM_F_DUMP, &rt, sizeof(rt));

	if (!m || (ifindex && nla_put_u32(m, RTA_OIF, ifindex) < 0))
		return -ENOMEM;
	return ask(q, m);
}

static int dump_addresses(struct query *q, int family, uint32_t ifindex)
{
	struct ifaddrmsg ifa = { .ifa_family = (uint8_t)family, .ifa_index = ifindex };
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));

	return m ? ask(q, m) : -ENOMEM;
}

static int get_link(struct query *q, uint32_t ifindex)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_GETLINK, 0, &ifi, sizeof(ifi));

	if (!m || nla_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0)
		return -ENOMEM;
	return ask(q, m);
}

/* The interface's name, flags and MTU; false if it is gone or down. */
static bool read_link(struct query *q, struct fill *f)
{
	f->flags = 0;
	q->row = on_link;
	q->arg = f;
	return get_link(q, f->t->ifindex) == 0 && (f->flags & IFF_UP);
}

static int read_addresses(struct query *q, struct fill *f)
{
	q->arg = f;
	q->row = on_address;
	return dump_addresses(q, f->family, f->addr_ifindex);
}

/* The best interface with a default route that is up. 0, also if there is none, or
 * -errno. */
static int read_default(struct query *q, struct fill *f)
{
	struct candidates cs = { .family = f->family };
	int r;

	q->row = on_default_route;
	q->arg = &cs;
	r = dump_routes(q, f->family, 0);
	if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP || r == -ENOENT)
		return 0;	/* a kernel without the family, a family without the table */
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < cs.n && !f->t->found; i++) {
		if (f->only && cs.c[i].ifindex != f->only)
			continue;
		*f->t = (struct template){ .ifindex = cs.c[i].ifindex, .metric = cs.c[i].metric,
					   .gateway = cs.c[i].gateway, .has_default = true };
		f->t->found = read_link(q, f) && !(f->flags & IFF_LOOPBACK);
	}
	if (!f->t->found)
		*f->t = (struct template){ .found = false };
	f->addr_ifindex = f->t->ifindex;
	return f->t->found ? read_addresses(q, f) : 0;
}

/* Addresses of the best interface that has any, for a host without a default
 * route or with one that leads through an interface without an address. */
static int read_holder(struct query *q, struct fill *f)
{
	struct candidates cs = { .family = f->family };
	struct template t = { .found = false };
	struct fill try = { .t = &t };
	int r;

	q->row = on_holder;
	q->arg = &cs;
	r = dump_addresses(q, f->family, 0);
	if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP)
		return 0;
	for (uint32_t i = 0; r == 0 && i < cs.n; i++) {
		t = (struct template){ .ifindex = cs.c[i].ifindex };
		if ((f->only && cs.c[i].ifindex != f->only) || !read_link(q, &try))
			continue;
		t.found = true;
		if (!f->t->found)
			*f->t = t;
		f->addr_ifindex = t.ifindex;
		f->linklocal4 = cs.c[i].metric == RANK_LINKLOCAL;
		return read_addresses(q, f);
	}
	return r;
}

/* What the host has in one family, or its interface `only`. 0 (also if it has nothing) or -errno. */
static int read_template(struct query *q, int family, uint32_t only, struct template *t)
{
	struct fill f = { .t = t, .family = family, .only = only };
	int r = read_default(q, &f);

	if (r == 0 && !t->naddresses)
		r = read_holder(q, &f);
	if (r < 0 || !t->found)
		return r;
	q->row = on_route;
	q->arg = &f;
	return dump_routes(q, family, t->ifindex);
}

static void occupy(struct occupied *occ, const struct prefix *p)
{
	if (occ->n < OCCUPIED_MAX)
		occ->nets[occ->n++] = *p;
}

static void on_occupied(struct query *q, struct nlmsghdr *h)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct occupied *occ = q->arg;
	struct held a;
	struct row row;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (read_address(h, families[i], &a))
			occupy(occ, &a.p);
		if (read_route(h, families[i], &row) && row.r.dst.len)
			occupy(occ, &row.r.dst);
	}
}

/* Best effort: without it a private address is as good as chance makes it. */
static void read_occupied(struct query *q, struct occupied *occ)
{
	q->row = on_occupied;
	q->arg = occ;
	dump_addresses(q, AF_UNSPEC, 0);
	dump_routes(q, AF_INET, 0);
	dump_routes(q, AF_INET6, 0);
}

/* The index of the interface to copy from, 0: any; -1 with *e. */
static int find_only(const struct conf *c, const char *outbound, uint32_t *ret, struct err *e)
{
	const char *names[] = { outbound, c->template_ifname };

	*ret = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!names[i][0])
			continue;
		*ret = if_nametoindex(names[i]);
		if (!*ret)
			return err_set(e, ERR_CONFIG, "%s: the host has no \"%s\"",
				       i ? "interface" : "outbound.interface", names[i]);
	}
	return 0;
}

int netlink_template(const struct conf *c, const struct netcfg *before, struct netcfg *net,
		     struct err *e)
{
	struct query q CLEANUP(close_query) = { .sk = NULL };
	struct template t4 = { .found = false }, t6 = { .found = false };
	struct occupied occ = { .n = 0 };
	uint32_t only4, only6;
	int r = 0;

	if (find_only(c, c->outbound_ifname4, &only4, e) < 0 ||
	    find_only(c, c->outbound_ifname6, &only6, e) < 0 || open_query(&q, e) < 0)
		return -1;
	if (c->ipv4)
		r = read_template(&q, AF_INET, only4, &t4);
	if (r == 0 && c->ipv6)
		r = read_template(&q, AF_INET6, only6, &t6);
	if (r < 0)
		return err_set(e, ERR_IO, "cannot read the host's routes and addresses: %s",
			       strerror(-r));
	if (!before || c->addresses_private)
		read_occupied(&q, &occ);
	template_apply(c, &t4, &t6, &occ, before, net);
	return 0;
}

/* --- the container's namespace ------------------------------------------ */

/* EPERM is the caller's lack, anything else the host's. */
static int failed(struct err *e, int r, const char *what, const char *ifname)
{
	return err_set(e, r == -EPERM ? ERR_PRIVILEGE : ERR_IO,
		       "cannot set %s on %s in the container: %s", what, ifname, strerror(-r));
}

static int send_request(struct query *q, struct nl_msg *m)
{
	q->row = NULL;
	return ask(q, m);
}

static int set_link_up(struct query *q, uint32_t ifindex)
{
	struct ifinfomsg ifi = {
		.ifi_index = (int)ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP,
	};
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_NEWLINK, NLM_F_ACK, &ifi, sizeof(ifi));

	return m ? send_request(q, m) : -ENOMEM;
}

static int set_link(struct query *q, uint32_t ifindex, const struct netcfg *net)
{
	struct ifinfomsg ifi = { .ifi_index = (int)ifindex };
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_NEWLINK, NLM_F_ACK, &ifi, sizeof(ifi));

	if (!m || nla_put(m, IFLA_ADDRESS, sizeof(net->mac.b), net->mac.b) < 0 ||
	    nla_put_u32(m, IFLA_MTU, net->mtu) < 0)
		return -ENOMEM;
	return send_request(q, m);
}

/* The kernel shall make no link-local address of its own: it would be one
 * under duplicate address detection, unusable for a second. */
static int set_addr_gen_none(struct query *q, uint32_t ifindex)
{
	struct ifinfomsg ifi = { .ifi_index = (int)ifindex };
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_NEWLINK, NLM_F_ACK, &ifi, sizeof(ifi));
	struct nlattr *spec, *inet6;

	if (!m)
		return -ENOMEM;
	spec = nla_nest_start(m, IFLA_AF_SPEC);
	inet6 = spec ? nla_nest_start(m, AF_INET6) : NULL;
	if (!inet6 || nla_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE) < 0)
		return -ENOMEM;
	nla_nest_end(m, inet6);
	nla_nest_end(m, spec);
	return send_request(q, m);
}

static int put_broadcast(struct nl_msg *m, const struct prefix *p)
{
	struct prefix b = *p;

	if (!addr_is4(&p->addr) || p->len > 30)
		return 0;
	for (unsigned int bit = p->len; bit < 32; bit++)
		b.addr.b[12 + bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
	return put_addr(m, IFA_BROADCAST, &b.addr);
}

/* old: nothing new begins there, where the kernel knows such addresses (RFC 4862, 5.5.4). */
static int add_address(struct query *q, uint32_t ifindex, const struct prefix *p, int scope,
		       bool old)
{
	struct ifaddrmsg ifa = {
		.ifa_family = (uint8_t)family_of(&p->addr), .ifa_prefixlen = p->len,
		.ifa_scope = (uint8_t)scope, .ifa_index = ifindex,
	};
	const struct ifa_cacheinfo life = { .ifa_prefered = 0, .ifa_valid = UINT32_MAX };
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_NEWADDR, CHANGE,
						     &ifa, sizeof(ifa));
	int r;

	if (!m || put_addr(m, IFA_LOCAL, &p->addr) < 0 || put_addr(m, IFA_ADDRESS, &p->addr) < 0 ||
	    put_broadcast(m, p) < 0 ||
	    (old && nla_put(m, IFA_CACHEINFO, sizeof(life), &life) < 0) ||
	    (!addr_is4(&p->addr) && nla_put_u32(m, IFA_FLAGS, IFA_F_NODAD) < 0))
		return -ENOMEM;
	r = send_request(q, m);
	return r == -EEXIST ? 0 : r;
}

static int change_route(struct query *q, uint32_t ifindex, const struct route *route, bool add)
{
	bool via = !addr_is_any(&route->gw);
	struct rtmsg rt = {
		.rtm_family = (uint8_t)family_of(&route->dst.addr), .rtm_dst_len = route->dst.len,
		.rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST,
		.rtm_scope = via || !addr_is4(&route->dst.addr) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_flags = route->onlink ? RTNH_F_ONLINK : 0,
	};
	struct nl_msg *m CLEANUP(free_msg) = request(add ? RTM_NEWROUTE : RTM_DELROUTE,
						     add ? CHANGE : NLM_F_ACK, &rt, sizeof(rt));

	if (!m || (route->dst.len && put_addr(m, RTA_DST, &route->dst.addr) < 0) ||
	    (via && put_addr(m, RTA_GATEWAY, &route->gw) < 0) ||
	    (route->metric && nla_put_u32(m, RTA_PRIORITY, route->metric) < 0) ||
	    nla_put_u32(m, RTA_OIF, ifindex) < 0)
		return -ENOMEM;
	return send_request(q, m);
}

static int delete_address(struct query *q, uint32_t ifindex, const struct prefix *p)
{
	struct ifaddrmsg ifa = {
		.ifa_family = (uint8_t)family_of(&p->addr), .ifa_prefixlen = p->len,
		.ifa_index = ifindex,
	};
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_DELADDR, NLM_F_ACK, &ifa, sizeof(ifa));

	if (!m || put_addr(m, IFA_LOCAL, &p->addr) < 0)
		return -ENOMEM;
	return send_request(q, m);
}

static int add_route(struct query *q, uint32_t ifindex, const struct route *route)
{
	int r = change_route(q, ifindex, route, true);

	return r == -EEXIST ? 0 : r;
}

/* Best effort: /proc may be missing, read-only, or the kernel without IPv6. */
static void set_sysctl6(const char *ifname, const char *name, const char *value)
{
	FD_OWNED int fd = -1;
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", ifname, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		log_debug("sysctl=net.ipv6.conf.%s.%s not set: %s", ifname, name, strerror(errno));
}

static bool has_ipv6(const struct netcfg *net)
{
	return netcfg_primary(net, false);
}

/* What must hold before the link comes up, and for IPv6 that the host may get later: then
 * no file can be opened any more. */
static void prepare_ipv6(struct query *q, uint32_t ifindex, const struct netcfg *net)
{
	set_addr_gen_none(q, ifindex);
	if (has_ipv6(net))
		set_sysctl6(net->ifname, "disable_ipv6", "0");
	set_sysctl6(net->ifname, "accept_ra", "0");
	set_sysctl6(net->ifname, "optimistic_dad", "1");	/* for what programs add later */
}

/* The link-local address first: that it is refused tells that the namespace
 * has no IPv6 (EACCES: disable_ipv6; EOPNOTSUPP: the kernel has none). */
static int add_linklocal(struct query *q, const struct netcfg *net, struct netlink_done *done,
			 struct err *e)
{
	struct prefix ll = { addr_linklocal6(&net->mac), 64 };
	int r;

	if (!has_ipv6(net))
		return 0;
	r = add_address(q, done->ifindex, &ll, RT_SCOPE_LINK, false);
	if (r == -EACCES || r == -EOPNOTSUPP || r == -EAFNOSUPPORT || r == -ENODEV) {
		done->ipv6_left_out = true;
		return 0;
	}
	return r < 0 ? failed(e, r, "the IPv6 link-local address", net->ifname) : 0;
}

/* The last nold of them are old. */
static int add_addresses(struct query *q, const struct netcfg *net, uint32_t nold,
			 const struct netlink_done *done, bool v4, struct err *e)
{
	char text[PREFIX_STRLEN];

	for (uint32_t i = 0; i < net->naddresses; i++) {
		/* IPv6: the kernel prefers the last of equals as a source */
		uint32_t at = v4 ? i : net->naddresses - 1 - i;
		const struct prefix *p = &net->addresses[at];
		int r;

		if (addr_is4(&p->addr) != v4 || (!v4 && done->ipv6_left_out))
			continue;
		r = add_address(q, done->ifindex, p, RT_SCOPE_UNIVERSE,
				at >= net->naddresses - nold);
		if (r < 0)
			return failed(e, r, prefix_format(p, text), net->ifname);
	}
	return 0;
}

static int add_routes(struct query *q, const struct netcfg *net,
		      const struct netlink_done *done, struct err *e)
{
	char text[PREFIX_STRLEN], what[PREFIX_STRLEN + 8];

	for (uint32_t i = 0; i < net->nroutes; i++) {
		const struct route *route = &net->routes[i];
		int r;

		if (!addr_is4(&route->dst.addr) && done->ipv6_left_out)
			continue;
		r = add_route(q, done->ifindex, route);
		if (r < 0) {
			snprintf(what, sizeof(what), "route %s", prefix_format(&route->dst, text));
			return failed(e, r, what, net->ifname);
		}
	}
	return 0;
}

int netlink_configure(const struct netcfg *net, struct netlink_done *done, struct err *e)
{
	struct query q CLEANUP(close_query) = { .sk = NULL };
	int r;

	*done = (struct netlink_done){ .ifindex = if_nametoindex(net->ifname) };
	if (!done->ifindex)
		return failed(e, -errno, "anything", net->ifname);
	if (open_query(&q, e) < 0)
		return -1;
	r = set_link_up(&q, LOOPBACK_INDEX);
	if (r < 0)
		return failed(e, r, "the link up", "lo");
	if (net->configure)
		prepare_ipv6(&q, done->ifindex, net);
	r = set_link(&q, done->ifindex, net);
	if (r < 0)
		return failed(e, r, "MAC address and MTU", net->ifname);
	r = set_link_up(&q, done->ifindex);
	if (r < 0)
		return failed(e, r, "the link up", net->ifname);
	if (!net->configure)
		return 0;
	if (add_linklocal(&q, net, done, e) < 0 || add_addresses(&q, net, 0, done, true, e) < 0 ||
	    add_addresses(&q, net, 0, done, false, e) < 0)
		return -1;
	return add_routes(&q, net, done, e);
}

int netlink_loopback(struct err *e)
{
	struct query q CLEANUP(close_query) = { .sk = NULL };
	int r;

	if (open_query(&q, e) < 0)
		return -1;
	r = set_link_up(&q, LOOPBACK_INDEX);
	return r < 0 ? failed(e, r, "the link up", "lo") : LOOPBACK_INDEX;
}

/* --- changing what was made ----------------------------------------------- */

/* Of two routes to one place only one can have a metric. */
static bool same_place(const struct route *a, const struct route *b)
{
	return a->metric == b->metric && a->dst.len == b->dst.len &&
	       addr_eq(&a->dst.addr, &b->dst.addr);
}

static const struct route *find_route(const struct netcfg *net, const struct route *r,
				      bool (*same)(const struct route *, const struct route *))
{
	for (uint32_t i = 0; i < net->nroutes; i++)
		if (same(&net->routes[i], r))
			return &net->routes[i];
	return NULL;
}

/* Where one of the container's own stands in the place it stays. One of ours goes a
 * moment before its successor comes, since to replace it could replace theirs. */
static int move_routes(struct query *q, uint32_t ifindex, const struct netcfg *was,
		       const struct netcfg *now, bool v6)
{
	int r, first = 0;

	for (uint32_t i = 0; i < now->nroutes; i++) {
		const struct route *route = &now->routes[i];
		const struct route *old = find_route(was, route, same_place);

		if (!addr_is4(&route->dst.addr) && !v6)
			continue;
		if (old && !netcfg_route_eq(old, route))
			change_route(q, ifindex, old, false);
		r = add_route(q, ifindex, route);
		first = first ? first : r;
	}
	/* the other way round: those with a gateway before those that lead to it */
	for (uint32_t i = was->nroutes; i-- > 0;)
		if (!find_route(now, &was->routes[i], same_place))
			change_route(q, ifindex, &was->routes[i], false);
	return first;
}

static void delete_addresses(struct query *q, uint32_t ifindex, const struct netcfg *was,
			     const struct netcfg *now)
{
	for (uint32_t i = 0; i < was->naddresses; i++)
		if (!netcfg_has_prefix(now, &was->addresses[i]))
			delete_address(q, ifindex, &was->addresses[i]);
}

static int set_mtu(struct query *q, uint32_t ifindex, uint32_t mtu)
{
	struct ifinfomsg ifi = { .ifi_index = (int)ifindex };
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_NEWLINK, NLM_F_ACK, &ifi, sizeof(ifi));

	if (!m || nla_put_u32(m, IFLA_MTU, mtu) < 0)
		return -ENOMEM;
	return send_request(q, m);
}

/* What came is there before what went goes; then what went may have taken of it
 * with it: the secondary addresses of its network, and their routes. */
static int move(struct query *q, const struct netcfg *was, const struct netcfg *now,
		uint32_t nold, struct netlink_done *done, struct err *e)
{
	uint32_t ifindex = done->ifindex;
	int r = now->mtu != was->mtu ? set_mtu(q, ifindex, now->mtu) : 0;

	if (r < 0)
		failed(e, r, "the MTU", now->ifname);
	add_linklocal(q, now, done, e);
	add_addresses(q, now, nold, done, true, e);
	add_addresses(q, now, nold, done, false, e);
	move_routes(q, ifindex, was, now, !done->ipv6_left_out);
	delete_addresses(q, ifindex, was, now);
	add_addresses(q, now, nold, done, true, e);
	add_addresses(q, now, nold, done, false, e);	/* one can have one prefix length only */
	r = move_routes(q, ifindex, now, now, !done->ipv6_left_out);
	return r < 0 ? failed(e, r, "routes", now->ifname) : e->code ? -1 : 0;
}

int netlink_move(uint32_t ifindex, const struct netcfg *was, const struct netcfg *now,
		 uint32_t nold, struct netlink_done *done, struct err *e)
{
	struct query q CLEANUP(close_query) = { .sk = NULL };

	*done = (struct netlink_done){ .ifindex = ifindex };
	return open_query(&q, e) < 0 ? -1 : move(&q, was, now, nold, done, e);
}

/* --- which of some addresses are there ------------------------------------ */

struct present {
	const struct prefix *list;
	uint32_t n;
	bool *there;
};

static void on_present(struct query *q, struct nlmsghdr *h)
{
	const struct ifaddrmsg *ifa = nlmsg_data(h);
	struct nlattr *tb[IFA_MAX + 1], *a;
	struct present *p = q->arg;
	struct addr addr;

	if (h->nlmsg_type != RTM_NEWADDR || nlmsg_parse(h, sizeof(*ifa), tb, IFA_MAX, NULL) < 0)
		return;
	a = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	addr = get_addr(a, ifa->ifa_family);
	for (uint32_t i = 0; i < p->n; i++)
		p->there[i] |= addr_eq(&p->list[i].addr, &addr);
}

void netlink_present(const struct prefix *list, uint32_t n, bool ret[CONF_ADDRS_MAX])
{
	struct query q CLEANUP(close_query) = { .sk = NULL };
	struct present p = { .list = list, .n = n, .there = ret };

	memset(ret, 0, n * sizeof(*ret));
	if (open_query(&q, NULL) < 0)
		return;
	q.row = on_present;
	q.arg = &p;
	dump_addresses(&q, AF_INET, 0);
	dump_addresses(&q, AF_INET6, 0);
}

/* --- looking at what was made ------------------------------------------- */

struct seen {			/* of what is wanted */
	const struct conf *want;
	uint32_t ifindex;	/* 0: no such interface */
	unsigned int flags;
	uint32_t mtu;
	struct mac mac;
	bool linklocal;		/* has a link-local IPv6 address, wanted or not */
	bool addresses[CONF_ADDRS_MAX], routes[CONF_ROUTES_MAX];
};

static void see_link(struct query *q, struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = nlmsg_data(h);
	struct nlattr *tb[IFLA_MAX + 1];
	struct seen *s = q->arg;

	if (h->nlmsg_type != RTM_NEWLINK || nlmsg_parse(h, sizeof(*ifi), tb, IFLA_MAX, NULL) < 0)
		return;
	s->ifindex = (uint32_t)ifi->ifi_index;
	s->flags = ifi->ifi_flags;
	s->mtu = get_u32(tb[IFLA_MTU], 0);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == (int)sizeof(s->mac.b))
		memcpy(s->mac.b, nla_data(tb[IFLA_ADDRESS]), sizeof(s->mac.b));
}

static void see_address(struct query *q, struct nlmsghdr *h)
{
	const struct ifaddrmsg *ifa = nlmsg_data(h);
	struct nlattr *tb[IFA_MAX + 1], *a;
	struct seen *s = q->arg;
	struct addr addr;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(h, sizeof(*ifa), tb, IFA_MAX, NULL) < 0 || ifa->ifa_index != s->ifindex)
		return;
	a = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	addr = get_addr(a, ifa->ifa_family);
	s->linklocal |= addr_is_linklocal6(&addr);
	for (uint32_t i = 0; i < s->want->naddresses; i++)
		s->addresses[i] |= s->want->addresses[i].len == ifa->ifa_prefixlen &&
				   addr_eq(&s->want->addresses[i].addr, &addr);
}

/* A metric of 0 is the kernel's default, which for IPv6 it shows as 1024. */
static bool same_route(const struct route *want, const struct route *r)
{
	return want->dst.len == r->dst.len && addr_eq(&want->dst.addr, &r->dst.addr) &&
	       addr_eq(&want->gw, &r->gw) && (!want->metric || want->metric == r->metric);
}

static void see_route(struct query *q, struct nlmsghdr *h)
{
	const struct rtmsg *rt = nlmsg_data(h);
	struct seen *s = q->arg;
	struct row row;

	if (!read_route(h, rt->rtm_family, &row) || row.ifindex != s->ifindex)
		return;
	for (uint32_t i = 0; i < s->want->nroutes; i++)
		s->routes[i] |= same_route(&s->want->routes[i], &row.r);
}

/* Both families; that the kernel lacks one only means that it has no rows. */
static int see_all(struct query *q, struct seen *s)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++) {
		q->row = see_address;
		r = dump_addresses(q, families[i], s->ifindex);
		q->row = see_route;
		if (r == 0)
			r = dump_routes(q, families[i], s->ifindex);
		if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP || r == -ENOENT)
			r = 0;
	}
	return r;
}

static int differs(const struct conf *c, struct err *e, const char *what, const char *value)
{
	return err_set(e, ERR_CHECK, "interface %s in the container: %s%s", c->ifname, what, value);
}

static int check_link(const struct seen *s, struct err *e)
{
	const struct conf *c = s->want;
	char text[MAC_STRLEN + 16];

	if (!s->ifindex)
		return differs(c, e, "it is gone", "");
	if (!(s->flags & IFF_UP))
		return differs(c, e, "it is down", "");
	if (!(s->flags & IFF_RUNNING))
		return differs(c, e, "no daemon holds its other end", "");
	if (!mac_eq(&s->mac, &c->mac))
		return differs(c, e, "its MAC address is not ", mac_format(&c->mac, text));
	snprintf(text, sizeof(text), "%u, not %u", s->mtu, c->mtu);
	return c->mtu && c->mtu != s->mtu ? differs(c, e, "its MTU is ", text) : 0;
}

static int check_lists(const struct seen *s, struct err *e)
{
	const struct conf *c = s->want;
	char text[PREFIX_STRLEN];

	for (uint32_t i = 0; i < c->naddresses; i++)
		if (!s->addresses[i])
			return differs(c, e, "it lacks the address ",
				       prefix_format(&c->addresses[i], text));
	for (uint32_t i = 0; i < c->nroutes; i++)
		if (!s->routes[i])
			return differs(c, e, "it lacks the route to ",
				       prefix_format(&c->routes[i].dst, text));
	return 0;
}

/* What the kernel knows of a neighbour: NUD_* */
static void see_neighbour(struct query *q, struct nlmsghdr *h)
{
	const struct ndmsg *nd = nlmsg_data(h);

	if (h->nlmsg_type == RTM_NEWNEIGH)
		*(uint16_t *)q->arg = nd->ndm_state;
}

static int neighbour(struct query *q, int type, int flags, uint8_t nd_flags, uint32_t ifindex,
		     const struct addr *a)
{
	const struct ndmsg nd = { .ndm_family = (uint8_t)family_of(a), .ndm_flags = nd_flags,
				  .ndm_ifindex = (int)ifindex };
	struct nl_msg *m CLEANUP(free_msg) = request(type, flags, &nd, sizeof(nd));

	if (!m || put_addr(m, NDA_DST, a) < 0)
		return -ENOMEM;
	return ask(q, m);
}

/* NUD_NONE if it is not known, or -errno. */
static int neighbour_state(struct query *q, uint32_t ifindex, const struct addr *a)
{
	uint16_t state = NUD_NONE;
	int r;

	q->row = see_neighbour;
	q->arg = &state;
	r = neighbour(q, RTM_GETNEIGH, 0, 0, ifindex, a);
	q->row = NULL;
	return r == -ENOENT ? NUD_NONE : r < 0 ? r : state;
}

/* Has the kernel forget the neighbour and ask for it anew, without a packet to
 * it (NTF_USE). One that the container set by hand is left to it. 1 if it
 * answered, 0 if not, -errno. */
static int neighbour_answers(struct query *q, uint32_t ifindex, const struct addr *a)
{
	const int answered = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
	int r = neighbour_state(q, ifindex, a);

	if (r < 0 || (r & (NUD_PERMANENT | NUD_NOARP)))
		return r < 0 ? r : 1;
	neighbour(q, RTM_DELNEIGH, NLM_F_ACK, 0, ifindex, a);
	r = neighbour(q, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, NTF_USE, ifindex, a);
	for (int us = 0; r >= 0 && us < ANSWER_MS * 1000; us += ANSWER_LOOK_US) {
		r = neighbour_state(q, ifindex, a);
		if (r > 0 && (r & answered))
			return 1;
		usleep(ANSWER_LOOK_US);
	}
	return MIN_OF(r, 0);
}

static int check_gateways(struct query *q, const struct seen *s, struct err *e)
{
	const struct conf *c = s->want;
	char text[ADDR_STRLEN];
	int r;

	for (uint32_t i = 0; i < c->nroutes; i++) {
		const struct addr *gw = &c->routes[i].gw;

		if (addr_is_any(gw) || (i && addr_eq(gw, &c->routes[i - 1].gw)))
			continue;
		/* Without a packet to lend its source the kernel cannot ask then. */
		if (!addr_is4(gw) && !s->linklocal)
			continue;
		r = neighbour_answers(q, s->ifindex, gw);
		if (r < 0)
			return err_set(e, ERR_IO, "cannot ask for the container's neighbours: %s",
				       strerror(-r));
		if (r == 0)
			return differs(c, e, "the daemon does not answer for the gateway ",
				       addr_format(gw, text));
	}
	return 0;
}

int netlink_check(const struct conf *want, struct err *e)
{
	struct query q CLEANUP(close_query) = { .sk = NULL };
	struct seen s = { .want = want };
	uint32_t ifindex = if_nametoindex(want->ifname);
	int r;

	if (open_query(&q, e) < 0)
		return -1;
	q.arg = &s;
	q.row = see_link;
	for (int i = 0; i < CARRIER_LOOKS; i++) {
		if (ifindex && get_link(&q, ifindex) < 0)
			s.ifindex = 0;		/* gone since */
		if (!s.ifindex || !(s.flags & IFF_UP) || (s.flags & IFF_RUNNING))
			break;
		usleep(CARRIER_LOOK_US);	/* main takes it away for a moment (main/uplink.h) */
	}
	if (check_link(&s, e) < 0)
		return -1;
	r = see_all(&q, &s);
	if (r < 0)
		return err_set(e, ERR_IO, "cannot read the container's addresses and routes: %s",
			       strerror(-r));
	return check_lists(&s, e) < 0 ? -1 : check_gateways(&q, &s, e);
}

int netlink_delete(uint32_t ifindex)
{
	struct ifinfomsg ifi = { .ifi_index = (int)ifindex };
	struct nl_msg *m CLEANUP(free_msg) = request(RTM_DELLINK, NLM_F_ACK, &ifi, sizeof(ifi));
	struct query q CLEANUP(close_query) = { .sk = NULL };

	if (!m)
		return -ENOMEM;
	return open_query(&q, NULL) < 0 ? -EIO : send_request(&q, m);
}
