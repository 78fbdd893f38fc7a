/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One walk over the fields serves both directions, so that what is written and
 * what is read cannot drift apart. Integers in network byte order, strings and
 * arrays with their count before them.
 */
#include "conf/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/fd.h"

#define ENCODE_MAGIC	0x43504346u	/* "CPCF" */
#define SEALS		(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct codec {
	bool writing;
	bool bad;		/* a value out of range was met */
	struct wr w;
	struct rd r;
};

static void code_u8(struct codec *x, uint8_t *v)
{
	if (x->writing)
		wr_u8(&x->w, *v);
	else
		rd_u8(&x->r, v);
}

static void code_u16(struct codec *x, uint16_t *v)
{
	if (x->writing)
		wr_u16(&x->w, *v);
	else
		rd_u16(&x->r, v);
}

static void code_u32(struct codec *x, uint32_t *v)
{
	if (x->writing)
		wr_u32(&x->w, *v);
	else
		rd_u32(&x->r, v);
}

static void code_bytes(struct codec *x, void *v, size_t n)
{
	if (x->writing)
		wr_bytes(&x->w, v, n);
	else
		rd_copy(&x->r, v, n);
}

static void code_bool(struct codec *x, bool *v)
{
	uint8_t b = *v;

	code_u8(x, &b);
	x->bad |= b > 1;
	*v = b == 1;
}

static void code_i32(struct codec *x, int32_t *v)
{
	uint32_t u = (uint32_t)*v;

	code_u32(x, &u);
	x->bad |= u > INT32_MAX;
	*v = u > INT32_MAX ? 0 : (int32_t)u;
}

/* A count or an enumeration: at most max. */
static void code_max(struct codec *x, uint32_t *v, uint32_t max)
{
	code_u32(x, v);
	if (*v <= max)
		return;
	x->bad = true;
	*v = 0;
}

static void code_str(struct codec *x, char *s, size_t size)
{
	uint32_t n = x->writing ? (uint32_t)strnlen(s, size) : 0;

	code_max(x, &n, (uint32_t)size - 1);
	code_bytes(x, s, n);
	if (x->writing)
		return;
	s[n] = '\0';
	x->bad |= strlen(s) != n;
}

static void code_addr(struct codec *x, struct addr *a)
{
	code_bytes(x, a->b, sizeof(a->b));
}

static void code_prefix(struct codec *x, struct prefix *p)
{
	code_addr(x, &p->addr);
	code_u8(x, &p->len);
	x->bad |= p->len > addr_size(&p->addr) * 8;
}

static void code_route(struct codec *x, struct route *r)
{
	code_prefix(x, &r->dst);
	code_addr(x, &r->gw);
	code_u32(x, &r->metric);
	code_bool(x, &r->onlink);
}

static void code_identity(struct codec *x, struct conf *c)
{
	code_str(x, c->container_id, sizeof(c->container_id));
	code_str(x, c->ifname, sizeof(c->ifname));
	code_str(x, c->network, sizeof(c->network));
	code_str(x, c->netns_path, sizeof(c->netns_path));
	code_str(x, c->state_dir, sizeof(c->state_dir));
	code_i32(x, &c->owner_pid);
}

static void code_net(struct codec *x, struct conf *c)
{
	code_bool(x, &c->ipv4);
	code_bool(x, &c->ipv6);
	code_bool(x, &c->follow);
	code_bool(x, &c->source_check);
	code_bool(x, &c->metadata);
	code_bool(x, &c->sandbox_strict);
	code_u32(x, &c->run_uid);
	code_u32(x, &c->run_gid);
	code_u32(x, &c->mtu);
	code_bytes(x, c->mac.b, sizeof(c->mac.b));
	code_bytes(x, c->gw_mac.b, sizeof(c->gw_mac.b));
	code_bool(x, &c->addresses_host);
	code_u32(x, &c->udp_timeout);
	code_u32(x, &c->udp_stream);
	code_max(x, &c->naddresses, CONF_ADDRS_MAX);
	for (uint32_t i = 0; i < c->naddresses; i++)
		code_prefix(x, &c->addresses[i]);
	code_max(x, &c->ngateways, CONF_GATEWAYS_MAX);
	for (uint32_t i = 0; i < c->ngateways; i++)
		code_addr(x, &c->gateways[i]);
	code_max(x, &c->nroutes, CONF_ROUTES_MAX);
	for (uint32_t i = 0; i < c->nroutes; i++)
		code_route(x, &c->routes[i]);
	code_max(x, &c->nhost_addresses, CONF_HOST_ADDRS_MAX);
	for (uint32_t i = 0; i < c->nhost_addresses; i++)
		code_addr(x, &c->host_addresses[i]);
	code_max(x, &c->nhost_loopback, CONF_HOST_ADDRS_MAX);
	for (uint32_t i = 0; i < c->nhost_loopback; i++)
		code_addr(x, &c->host_loopback[i]);
}

static void code_forward(struct codec *x, struct conf_forward *f)
{
	code_u8(x, &f->proto);
	code_u8(x, &f->kind);
	x->bad |= f->proto >= CONF_PROTO_COUNT || f->kind >= CONF_FORWARD_KIND_COUNT;
	code_bool(x, &f->ready);
	code_bool(x, &f->weak);
	code_str(x, f->ifname, sizeof(f->ifname));
	code_addr(x, &f->addr);
	code_u16(x, &f->first);
	code_u16(x, &f->last);
	code_u16(x, &f->to_first);
	code_addr(x, &f->to);
	code_u8(x, &f->from);
	x->bad |= f->from >= ORIGIN_COUNT;
}

static void code_publishing(struct codec *x, struct conf *c)
{
	uint32_t conflict = c->port_conflict;

	code_max(x, &c->nforwards, CONF_FORWARDS_MAX);
	for (uint32_t i = 0; i < c->nforwards; i++)
		code_forward(x, &c->forwards[i]);
	code_max(x, &c->nreverses, CONF_REVERSES_MAX);
	for (uint32_t i = 0; i < c->nreverses; i++)
		code_forward(x, &c->reverses[i]);
	code_bool(x, &c->preserve_source);
	code_max(x, &conflict, CONF_CONFLICT_COUNT - 1);
	c->port_conflict = (enum conf_conflict)conflict;
}

static void code_offer(struct codec *x, struct conf *c)
{
	code_bool(x, &c->addresses_private);
	code_bool(x, &c->configure);
	code_bool(x, &c->ipv4_late);
	code_max(x, &c->nnameservers, CONF_NAMESERVERS_MAX);
	for (uint32_t i = 0; i < c->nnameservers; i++)
		code_addr(x, &c->nameservers[i]);
	code_max(x, &c->ndns_forward, CONF_HOST_ADDRS_MAX);
	for (uint32_t i = 0; i < c->ndns_forward; i++)
		code_addr(x, &c->dns_forward[i]);
	code_bool(x, &c->dns_host_names);
	code_bool(x, &c->dns_told);
	code_str(x, c->domain, sizeof(c->domain));
	code_max(x, &c->nsearch, CONF_SEARCH_MAX);
	for (uint32_t i = 0; i < c->nsearch; i++)
		code_str(x, c->search[i], sizeof(c->search[i]));
	code_str(x, c->captive_portal, sizeof(c->captive_portal));
	code_u32(x, &c->ipv6_only_s);
	code_prefix(x, &c->delegated);
	code_str(x, c->outbound_ifname4, sizeof(c->outbound_ifname4));
	code_str(x, c->outbound_ifname6, sizeof(c->outbound_ifname6));
	code_str(x, c->template_ifname, sizeof(c->template_ifname));
	code_max(x, &c->noutbound, CONF_OUTBOUND_MAX);
	for (uint32_t i = 0; i < c->noutbound; i++)
		code_addr(x, &c->outbound[i]);
}

static void code_log(struct codec *x, struct conf *c)
{
	uint32_t level = c->log_level, target = c->log_target;

	code_max(x, &level, LOGL_COUNT - 1);
	code_max(x, &target, LOGT_COUNT - 1);
	c->log_level = (enum log_level)level;
	c->log_target = (enum log_target)target;
	code_str(x, c->log_path, sizeof(c->log_path));
	code_u32(x, &c->log_size);
	code_str(x, c->capture, sizeof(c->capture));
}

static void code_command_line(struct codec *x, struct conf *c)
{
	code_max(x, &c->off, CONF_OFF_ALL);
	code_bool(x, &c->one_address);
	code_bool(x, &c->copy_routes4);
	code_bool(x, &c->copy_routes6);
	code_bool(x, &c->map_gateway);
	code_bool(x, &c->loopback_to_loopback);
	code_bool(x, &c->outlive);
	code_bool(x, &c->udp_follows_tcp);
	code_bool(x, &c->udp_mirrors_tcp);
	code_bool(x, &c->splice_only);
	code_bool(x, &c->net_address);
	code_bool(x, &c->adopt);
	code_bool(x, &c->freebind);
	code_max(x, &c->nresolvers, CONF_RESOLVERS_MAX);
	for (uint32_t i = 0; i < c->nresolvers; i++)
		code_addr(x, &c->resolvers[i]);
	code_str(x, c->hostname, sizeof(c->hostname));
	code_str(x, c->fqdn, sizeof(c->fqdn));
	code_u32(x, &c->stats_s);
	code_bool(x, &c->guest);
	code_bool(x, &c->guest_once);
	code_str(x, c->socket_path, sizeof(c->socket_path));
}

static void code_origins(struct codec *x, struct conf *c)
{
	uint32_t via = c->via;

	code_max(x, &via, CONF_VIA_COUNT - 1);
	c->via = (enum conf_via)via;
	for (int i = 0; i < ORIGIN_KEY_COUNT; i++) {
		code_u8(x, &c->from[i]);
		x->bad |= c->from[i] >= ORIGIN_COUNT;
	}
}

static void code_conf(struct codec *x, struct conf *c)
{
	uint32_t magic = ENCODE_MAGIC, version = ENCODE_VERSION;

	code_u32(x, &magic);
	code_u32(x, &version);
	x->bad |= magic != ENCODE_MAGIC || version != ENCODE_VERSION;
	if (x->bad)
		return;
	code_identity(x, c);
	code_net(x, c);
	code_publishing(x, c);
	code_log(x, c);
	code_u32(x, &c->without);
	code_offer(x, c);
	code_command_line(x, c);
	code_origins(x, c);
}

int encode_conf(const struct conf *c, void *buf, size_t size)
{
	struct codec x = { .writing = true, .w = wr_init(buf, size) };
	struct conf copy = *c;

	code_conf(&x, &copy);
	/* A value that the reader would refuse (a count over its cap, a string
	 * without an end) does not fit the format either. */
	if (x.bad || x.w.failed)
		return -EMSGSIZE;
	return (int)(size - x.w.left);
}

int encode_parse(const void *buf, size_t len, struct conf *ret)
{
	struct codec x = { .r = rd_init(buf, len) };
	struct conf c;

	memset(&c, 0, sizeof(c));
	code_conf(&x, &c);
	if (x.bad || x.r.failed || x.r.left)
		return -EBADMSG;
	*ret = c;
	return 0;
}

static int fill(int fd, const void *buf, size_t len)
{
	ssize_t n = pwrite(fd, buf, len, 0);

	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -EIO;
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

int encode_memfd(const struct conf *c)
{
	FD_OWNED int fd = -1;
	uint8_t buf[ENCODE_MAX];
	int n, r;

	n = encode_conf(c, buf, sizeof(buf));
	if (n < 0)
		return n;
	fd = memfd_create("cni-passt-conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = fill(fd, buf, (size_t)n);
	return r < 0 ? r : fd_take(&fd);
}

int encode_from_memfd(int fd, struct conf *ret)
{
	uint8_t buf[ENCODE_MAX + 1];
	int seals = fcntl(fd, F_GET_SEALS);
	ssize_t n;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	n = pread(fd, buf, sizeof(buf), 0);
	if (n < 0)
		return -errno;
	if (n > ENCODE_MAX)
		return -EBADMSG;
	return encode_parse(buf, (size_t)n, ret);
}
