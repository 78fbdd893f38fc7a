/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/publish.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/forward.h"
#include "io/listen.h"

static bool has_family(const struct netcfg *net, bool v4)
{
	for (uint32_t i = 0; i < net->naddresses; i++)
		if (addr_is4(&net->addresses[i].addr) == v4)
			return true;
	return false;
}

/* Which clients a rule can serve: those of the families the container has, of
 * its target's where there is one. */
static struct listen_how how_of(const struct conf *c, const struct netcfg *net,
				const struct conf_forward *rule)
{
	bool any = addr_is_any(&rule->to), to4 = addr_is4(&rule->to);

	return (struct listen_how){
		.ifname = rule->ifname,
		.ipv4 = has_family(net, true) && (any || to4),
		.ipv6 = has_family(net, false) && (any || !to4),
		.udp_gro = !(c->without & CONF_WITHOUT_UDPGSO),
		.freebind = c->freebind,
		.reserve = rule->ready && rule->proto == CONF_TCP &&
			   rule->kind == CONF_FORWARD_PORTS,
	};
}

/* The host's own address of the rule's family, ADDR_ANY where there is none. */
static const struct addr *host_of(const struct netcfg *net, const struct conf_forward *rule)
{
	return addr_is4(&rule->addr) ? &net->host4 : &net->host6;
}

static bool is_of_host(const struct netcfg *net, const struct conf_forward *rule)
{
	return !addr_is_any(&rule->addr) && addr_eq(&rule->addr, host_of(net, rule));
}

/* What rule `at` listens on now. */
static struct addr bound_to(const struct publish *p, const struct conf *c,
			    const struct netcfg *net, uint32_t at)
{
	const struct conf_forward *rule = &c->forwards[at];

	return p->of_host[at] && !addr_is_any(host_of(net, rule)) ? *host_of(net, rule)
								  : rule->addr;
}

/* Whether a client could come to that address at all. */
static bool serves(const struct listen_how *how, const struct addr *addr)
{
	if (addr_is_any(addr))
		return how->ipv4 || how->ipv6;
	return addr_is4(addr) ? how->ipv4 : how->ipv6;
}

static bool is_open(const struct conf *c, const struct conf_forward *rule, uint32_t port)
{
	return !forward_excepted(c->forwards, c->nforwards, rule->proto, (uint16_t)port);
}

static uint32_t count_ports(const struct conf *c, const struct conf_forward *rule)
{
	uint32_t n = 0;

	if (rule->kind != CONF_FORWARD_PORTS)
		return 0;
	for (uint32_t port = rule->first; port <= rule->last; port++)
		n += is_open(c, rule, port);
	return n;
}

static int map_list(struct publish *p, struct err *e)
{
	void *at = mmap(NULL, FORWARD_MAX * sizeof(*p->list), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return err_set(e, ERR_IO, "no memory for listeners: %s", strerror(errno));
	madvise(at, FORWARD_MAX * sizeof(*p->list), MADV_NOHUGEPAGE);
	p->list = at;
	return 0;
}

/* A place that was left, else a fresh one; there is one for every port. */
static struct forward *free_place(struct publish *p)
{
	if (p->nopen == p->n)
		return &p->list[p->n];
	for (uint32_t i = 0; i < p->n; i++)
		if (p->list[i].sock < 0)
			return &p->list[i];
	return &p->list[p->n];
}

static uint32_t keep(struct publish *p, const struct forward *f)
{
	struct forward *place = free_place(p);

	if (place == &p->list[p->n])
		p->n++;
	p->nopen++;
	*place = *f;
	return (uint32_t)(place - p->list);
}

static int open_port(struct publish *p, const struct conf *c, const struct conf_forward *rule,
		     const struct listen_how *how, const struct forward *want, struct err *e)
{
	struct forward f = *want;
	int rc = listen_open(&f, how);

	f.idle = how->reserve;
	if (rc == 0) {
		keep(p, &f);
		if (!want->port)
			log_info("forward proto=%s to_port=%u port=%u, picked by the kernel",
				 conf_proto_names[f.proto], f.to_port, f.port);
		return 0;
	}
	if (rule->weak)	/* of thousands: who is in the way is not looked for */
		return 0;
	listen_explain(want, how, rc, e);
	if (rc != -EADDRINUSE || c->port_conflict != CONF_CONFLICT_IGNORE)
		return -1;
	log_warn("%s; left out by \"portConflict\"", e->msg);
	*e = ERR_INIT;
	return 0;
}

/* A rule that may lack some of its ports has opened n of them. */
static void tell_weak(const struct conf_forward *rule, uint32_t n)
{
	const uint32_t all = (uint32_t)(rule->last - rule->first) + 1;
	char text[FORWARD_STRLEN];

	if (n < all)
		log_info("forward proto=%s rule=%s ports=%u of %u, the others cannot be had",
			 conf_proto_names[rule->proto], forward_format(rule, text), n, all);
}

/* The place of a rule's numbers may have been another's. */
static void forget_tally(struct publish *p, uint32_t id)
{
	struct tally *t = tally_at(p->tallies, tally_place(id));

	if (t)
		*t = (struct tally){ .clients = 0 };
}

static int open_rule(struct publish *p, const struct conf *c, const struct netcfg *net,
		     uint32_t at, struct err *e)
{
	const struct conf_forward *rule = &c->forwards[at];
	const struct listen_how how = how_of(c, net, rule);
	char text[FORWARD_STRLEN];
	struct forward want = {
		.addr = rule->addr, .to = rule->to, .proto = rule->proto, .rule = ++p->last_id,
	};

	const uint32_t before = p->nopen;

	p->ids[at] = p->last_id;
	forget_tally(p, p->last_id);
	p->of_host[at] = is_of_host(net, rule);
	if (rule->kind != CONF_FORWARD_PORTS)
		return 0;
	if (!serves(&how, &rule->addr))
		return err_set(e, ERR_PORT, "forward.%s: \"%s\" is of a family that the container"
			       " has no address of", conf_proto_names[rule->proto],
			       forward_format(rule, text));
	for (uint32_t port = rule->first; port <= rule->last; port++) {
		if (!is_open(c, rule, port))
			continue;
		want.port = (uint16_t)port;
		want.to_port = (uint16_t)(rule->to_first + (port - rule->first));
		if (open_port(p, c, rule, &how, &want, e) < 0)
			return -1;
	}
	if (rule->weak)
		tell_weak(rule, p->nopen - before);
	return 0;
}

int publish_open(struct publish *p, const struct conf *c, const struct netcfg *net,
		 struct err *e)
{
	struct publish_step step = { .rule = 0 };
	struct forward f;
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->nforwards; i++)
		n += count_ports(c, &c->forwards[i]);
	while (publish_next_reverse(c, &step, &f))
		n++;
	if (listen_room(n, e) < 0 || map_list(p, e) < 0)
		return -1;
	for (uint32_t i = 0; i < c->nforwards; i++)
		if (open_rule(p, c, net, i, e) < 0) {
			publish_close(p);
			return -1;
		}
	return 0;
}

/* Whether the loopback of that family is to be listened on. */
static bool has_loopback(const struct conf *c, const struct conf_forward *rule, bool v4)
{
	if (!addr_is_any(&rule->to) && addr_is4(&rule->to) != v4)
		return false;
	if (!addr_is_any(&rule->addr))
		return addr_is4(&rule->addr) == v4;
	return v4 ? c->ipv4 : c->ipv6;
}

/* What the rule says of the listener at that step, false: nothing. */
static bool reverse_at(const struct conf *c, const struct publish_step *at, struct forward *want)
{
	const struct conf_forward *rule = &c->reverses[at->rule];
	bool v4 = !at->family;
	uint16_t port = (uint16_t)(rule->first + at->port);

	if (rule->kind != CONF_FORWARD_PORTS || !has_loopback(c, rule, v4) ||
	    forward_excepted(c->reverses, c->nreverses, rule->proto, port))
		return false;
	*want = (struct forward){
		.addr = addr_is_any(&rule->addr) ? addr_loopback(v4) : rule->addr,
		.to = rule->to, .port = port, .to_port = (uint16_t)(rule->to_first + at->port),
		.proto = rule->proto, .reverse = true, .sock = -1,
	};
	return true;
}

/* The other family, else the next port, else the next rule. */
static void step_on(const struct conf *c, struct publish_step *step)
{
	const struct conf_forward *rule = &c->reverses[step->rule];

	if (step->family++ == 0)
		return;
	step->family = 0;
	if (rule->first + step->port++ < rule->last)
		return;
	step->port = 0;
	step->rule++;
}

bool publish_next_reverse(const struct conf *c, struct publish_step *step, struct forward *want)
{
	while (step->rule < c->nreverses) {
		bool found = reverse_at(c, step, want);

		step->weak = c->reverses[step->rule].weak;
		step->optional = step->family && addr_is_any(&c->reverses[step->rule].addr);
		step_on(c, step);
		if (found)
			return true;
	}
	return false;
}

int publish_adopt(struct publish *p, const struct forward *f, struct err *e)
{
	int sock = f->sock;

	if (p->nopen == FORWARD_MAX) {
		fd_drop(&sock);
		return err_set(e, ERR_PORT, "reverse: more than %u listeners", FORWARD_MAX);
	}
	return (int)keep(p, f);
}

uint32_t publish_open_place(struct publish *p, const struct conf *c, const struct netcfg *net,
			    uint32_t at, uint16_t port, uint64_t now_ms)
{
	const struct conf_forward *rule = &c->forwards[at];
	const struct listen_how how = how_of(c, net, rule);
	struct forward f = {
		.addr = bound_to(p, c, net, at), .to = rule->to, .proto = rule->proto,
		.rule = p->ids[at], .port = port, .to_port = rule->kind == CONF_FORWARD_AUTO ? port :
				(uint16_t)(rule->to_first + (port - rule->first)),
	};
	int rc = -EAFNOSUPPORT;

	if (listen_room(p->nopen + 1, NULL) < 0)
		rc = -EMFILE;
	else if (serves(&how, &rule->addr))
		rc = listen_open(&f, &how);
	if (rc == 0)
		return keep(p, &f);
	if (log_allowed(&p->not_opened, now_ms))
		log_warn("forward proto=%s port=%u cannot follow the container: %s",
			 conf_proto_names[f.proto], port, strerror(-rc));
	return FORWARD_NONE;
}

/* The rule a listener was opened for; there is one while it is open. */
static uint32_t rule_of(const struct publish *p, const struct conf *c, const struct forward *f)
{
	uint32_t at = 0;

	while (at < c->nforwards && p->ids[at] != f->rule)
		at++;
	return at;
}

bool publish_is_stale(const struct publish *p, const struct conf *c, const struct netcfg *was,
		      const struct netcfg *net, uint32_t place)
{
	const struct forward *f = &p->list[place];
	uint32_t at = rule_of(p, c, f);
	struct listen_how how, before;
	struct addr want;

	if (f->sock < 0 || f->reverse || at == c->nforwards)
		return false;
	how = how_of(c, net, &c->forwards[at]);
	before = how_of(c, was, &c->forwards[at]);
	want = bound_to(p, c, net, at);
	if (!serves(&how, &want))
		return false;
	return (how.ifname[0] && !listen_on_device(f->sock, how.ifname)) ||
	       (addr_is_any(&want) ? how.ipv4 != before.ipv4 || how.ipv6 != before.ipv6
				   : !addr_eq(&want, &f->addr));
}

uint32_t publish_reopen(struct publish *p, const struct conf *c, const struct netcfg *net,
			uint32_t place)
{
	struct forward f = p->list[place], want;
	uint32_t at = rule_of(p, c, &f);
	const struct listen_how how = how_of(c, net, &c->forwards[at]);
	struct err e = ERR_INIT;
	int rc;

	publish_close_place(p, place);
	f.addr = bound_to(p, c, net, at);
	want = f;
	rc = listen_open(&f, &how);
	if (rc == 0 && how.reserve && !f.idle)
		rc = listen_start(&f);
	if (rc == 0)
		return keep(p, &f);
	fd_drop(&f.sock);
	listen_explain(&want, &how, rc, &e);
	log_warn("%s; closed, since the host changed", e.msg);
	return FORWARD_NONE;
}

void publish_close_place(struct publish *p, uint32_t place)
{
	fd_drop(&p->list[place].sock);
	p->nopen--;
}

static void close_rule(struct publish *p, uint32_t id)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->list[i].rule == id && p->list[i].sock >= 0)
			publish_close_place(p, i);
}

int publish_add(struct publish *p, struct conf *c, const struct netcfg *net,
		const struct conf_forward *rule, struct err *e)
{
	uint32_t at = c->nforwards;

	if (conf_add_forward(c, rule, e) < 0)
		return -1;
	p->ids[at] = ++p->last_id;	/* nobody's yet, should it not come to opening */
	if (listen_room(p->nopen + count_ports(c, rule), e) == 0 &&
	    open_rule(p, c, net, at, e) == 0)
		return (int)at;
	publish_del(p, c, at);
	return -1;
}

void publish_del(struct publish *p, struct conf *c, uint32_t at)
{
	close_rule(p, p->ids[at]);
	c->nforwards--;
	memmove(&c->forwards[at], &c->forwards[at + 1],
		(c->nforwards - at) * sizeof(c->forwards[0]));
	memmove(&p->ids[at], &p->ids[at + 1], (c->nforwards - at) * sizeof(p->ids[0]));
	memmove(&p->of_host[at], &p->of_host[at + 1],
		(c->nforwards - at) * sizeof(p->of_host[0]));
}

uint32_t publish_next(const struct publish *p, uint32_t from, uint32_t id)
{
	for (; from < p->n; from++)
		if (p->list[from].rule == id && p->list[from].sock >= 0)
			return from;
	return FORWARD_NONE;
}

void publish_describe(const struct publish *p, const struct conf *c, uint32_t at,
		      struct control_rule *ret)
{
	const struct tally *t = tally_at(p->tallies, tally_place(p->ids[at]));

	*ret = (struct control_rule){ .rule = c->forwards[at] };
	if (t) {
		ret->clients = t->clients;
		ret->refused = t->refused;
		ret->tx_bytes = t->tx_bytes;
		ret->rx_bytes = t->rx_bytes;
	}
	for (uint32_t i = publish_next(p, 0, p->ids[at]); i != FORWARD_NONE;
	     i = publish_next(p, i + 1, p->ids[at])) {
		ret->listeners += !p->list[i].idle;
		if (!c->forwards[at].first)
			ret->picked = p->list[i].port;
	}
}

void publish_close(struct publish *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		fd_drop(&p->list[i].sock);
	p->n = p->nopen = 0;
}
