/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/dns.h"

#include <errno.h>
#include <stdio.h>

#include "base/siphash.h"
#include "proto/admit.h"
#include "proto/frame.h"
#include "proto/port.h"
#include "proto/tcp.h"
#include "proto/udp.h"
#include "wire/dns.h"

#define ERRORS_MAX	32u	/* entries of one error queue in one turn */

/* A question as it came. */
struct query {
	struct flow_key key;
	struct dns_head head;
	struct dns_question question;
	bool readable;			/* question is valid */
	bool edns;
	uint16_t edns_flags;
};

static const char *const engine_names[] = { "host.containers.internal", "host.docker.internal" };

/* --- reading, answering -------------------------------------------------------- */

/* False: no DNS message at all. Not readable: FORMERR is the answer; more than one
 * question is none (RFC 9619). */
static bool read_query(const void *data, size_t len, struct query *q)
{
	struct rd r = rd_init(data, len);

	if (dns_head_read(&r, &q->head) != WIRE_OK || (q->head.flags & DNSF_QR))
		return false;
	q->readable = q->head.questions == 1 && dns_question_read(&r, &q->question) == WIRE_OK;
	q->edns = q->readable && dns_edns_find(r, &q->head, &q->edns_flags);
	return true;
}

static void send_message(struct ctx *c, const struct flow_key *asked, void *msg, size_t len)
{
	const struct flow_ip ip = { .ttl = IP_DEFAULT_TTL };
	struct flow_key key = *asked;
	struct iovec iov = { msg, len };

	key.remote_port = PORT_DNS;
	frame_udp(c, &key, &ip, 0, &iov, 1, len, 0);
}

static size_t write_answer(const struct query *q, struct dns_answer *a,
			   uint8_t buf[DNS_OWN_ANSWER_MAX])
{
	a->head = &q->head;
	a->question = q->readable ? &q->question : NULL;
	a->edns = q->edns;
	a->edns_flags = q->edns_flags;
	a->udp_size = DNS_UDP_SIZE;
	a->ttl = DNS_OWN_TTL_S;
	return dns_answer_write(buf, DNS_OWN_ANSWER_MAX, a);
}

static void fail(struct ctx *c, const struct query *q, uint8_t rcode)
{
	struct dns_answer a = { .rcode = rcode };
	uint8_t buf[DNS_OWN_ANSWER_MAX];
	size_t len = write_answer(q, &a, buf);

	c->count->dns_failed += rcode == DNSR_SERVFAIL;
	if (len)
		send_message(c, &q->key, buf, len);
}

/* --- the host's names ---------------------------------------------------------- */

static bool is_named(const struct dns_question *q, const char *text)
{
	uint8_t name[NAME_WIRE_MAX];
	struct wr w = wr_init(name, sizeof(name));

	return name_write(&w, text) &&
	       dns_name_eq(q->name, q->name_len, name, sizeof(name) - w.left);
}

/* The host's own name, and the first part of it. */
static bool is_host_name(const struct ctx *c, const struct dns_question *q)
{
	const char *host = c->dns.to.host;
	char first[DNS_LABEL_MAX + 1];
	size_t n = strcspn(host, ".");

	if (!n || n > DNS_LABEL_MAX)
		return false;
	memcpy(first, host, n);
	first[n] = '\0';
	return is_named(q, host) || is_named(q, first);
}

static bool is_engine_name(const struct dns_question *q)
{
	for (size_t i = 0; i < ARRAY_LEN(engine_names); i++)
		if (is_named(q, engine_names[i]))
			return true;
	return false;
}

/* What of a family leads to the host: hostAddress; without one the host's own
 * address, where the container has not the same. */
static bool host_address(const struct ctx *c, bool v4, struct addr *ret)
{
	const struct addr *own = v4 ? &c->net->host4 : &c->net->host6;
	struct route_target to;

	for (uint32_t i = 0; i < c->conf->nhost_addresses; i++) {
		*ret = c->conf->host_addresses[i];
		if (addr_is4(ret) == v4 && route_outbound(c->conf, c->net, ret, 0, &to) == ROUTE_OK)
			return true;
	}
	*ret = *own;
	return !addr_is_any(own) && !netcfg_has_address(c->net, own);
}

/* The name for the way back (RFC 1035, 3.5; RFC 3596, 2.5). */
static void reverse_name(const struct addr *a, char text[80])
{
	const uint8_t *b = addr_bytes(a);
	int at = 0;

	if (addr_is4(a)) {
		snprintf(text, 80, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
		return;
	}
	for (int i = 15; i >= 0; i--)
		at += snprintf(text + at, 80 - (size_t)at, "%x.%x.", b[i] & 15, b[i] >> 4);
	snprintf(text + at, 80 - (size_t)at, "ip6.arpa");
}

static bool is_reverse(const struct ctx *c, const struct dns_question *q)
{
	struct route_target to;
	char text[80];

	for (uint32_t i = 0; i < c->conf->nhost_addresses; i++) {
		reverse_name(&c->conf->host_addresses[i], text);
		if (is_named(q, text))
			return route_outbound(c->conf, c->net, &c->conf->host_addresses[i],
					      0, &to) == ROUTE_OK;
	}
	return false;
}

static bool asks_for(const struct dns_question *q, uint16_t type)
{
	return q->type == type || q->type == DNST_ANY;
}

/* Without a record of the type asked for the answer is that there is none
 * (RFC 2308, 2.2): the names are the host's alone. */
static size_t answer_address(const struct query *q, const struct addr *four,
			     const struct addr *six, uint8_t buf[DNS_OWN_ANSWER_MAX])
{
	struct dns_answer a = { .own = true };

	if (four && asks_for(&q->question, DNST_A))
		a.rr[a.n++] = (struct dns_rr){ DNST_A, 4, addr_bytes(four) };
	if (six && asks_for(&q->question, DNST_AAAA))
		a.rr[a.n++] = (struct dns_rr){ DNST_AAAA, 16, addr_bytes(six) };
	return write_answer(q, &a, buf);
}

static size_t answer_reverse(const struct query *q, uint8_t buf[DNS_OWN_ANSWER_MAX])
{
	struct dns_answer a = { .own = true };
	uint8_t name[NAME_WIRE_MAX];
	struct wr w = wr_init(name, sizeof(name));

	if (asks_for(&q->question, DNST_PTR) && name_write(&w, engine_names[0]))
		a.rr[a.n++] = (struct dns_rr){ DNST_PTR, (uint16_t)(sizeof(name) - w.left), name };
	return write_answer(q, &a, buf);
}

/* Bytes of the answer, 0: it is not about the host. */
static size_t answer_own(const struct ctx *c, const struct query *q,
			 uint8_t buf[DNS_OWN_ANSWER_MAX])
{
	struct addr four, six;
	bool has4, has6;

	if (!c->conf->dns_host_names || (q->head.flags & DNSF_OPCODE) ||
	    (q->question.class != DNSC_IN && q->question.class != DNSC_ANY))
		return 0;
	if (is_reverse(c, &q->question))
		return answer_reverse(q, buf);
	if (!is_engine_name(&q->question) && !is_host_name(c, &q->question))
		return 0;
	has4 = host_address(c, true, &four);
	has6 = host_address(c, false, &six);
	return has4 || has6 ? answer_address(q, has4 ? &four : NULL, has6 ? &six : NULL, buf) : 0;
}

size_t dns_own_answer(const struct ctx *c, const void *msg, size_t len, uint8_t *ret)
{
	struct query q = { .readable = false };

	return read_query(msg, len, &q) && q.readable ? answer_own(c, &q, ret) : 0;
}

/* --- the resolvers ------------------------------------------------------------- */

void dns_set_resolvers(struct ctx *c, const struct resolvers *r)
{
	c->dns.to = *r;
	c->dns.gen++;
	memset(c->dns.heard_ms, 0, sizeof(c->dns.heard_ms));
	memset(c->dns.rests_ms, 0, sizeof(c->dns.rests_ms));
}

/* Silent since `asked`: it goes behind the others for a while. */
static void rest(struct ctx *c, uint32_t at, uint64_t asked)
{
	if (at < c->dns.to.n && c->dns.heard_ms[at] <= asked)
		c->dns.rests_ms[at] = c->now + DNS_REST_MS;
}

/* The first that is not among `tried`, before the others one that does not rest;
 * RESOLVERS_MAX: all were. */
static uint32_t choose(const struct ctx *c, uint32_t tried)
{
	uint32_t resting = RESOLVERS_MAX;

	for (uint32_t i = 0; i < c->dns.to.n; i++) {
		if (tried & 1u << i)
			continue;
		if (c->dns.rests_ms[i] <= c->now)
			return i;
		if (resting == RESOLVERS_MAX)
			resting = i;
	}
	return resting;
}

enum route_verdict dns_route(const struct ctx *c, struct route_target *ret)
{
	uint32_t at = choose(c, 0);

	if (at == RESOLVERS_MAX)
		return ROUTE_NONE;
	*ret = (struct route_target){
		.addr = c->dns.to.list[at].addr, .scope = c->dns.to.list[at].scope, .to_host = true,
	};
	return ROUTE_OK;
}

/* --- a question's flow --------------------------------------------------------- */

/* Its place in the ring is that of the one CTX_QUESTIONS before it. */
static void take_place(struct ctx *c, struct flow *f)
{
	struct forwarder *d = &c->dns;
	uint32_t at = d->count++ % CTX_QUESTIONS;
	struct flow *old = flow_at(&c->flows, d->asked[at].flow);

	if (d->asked[at].gen && old->state == FLOW_OPEN && old->gen == d->asked[at].gen) {
		c->count->dns_evicted++;
		admit_free(c, old);
	}
	d->asked[at].flow = flow_idx(&c->flows, f);
	d->asked[at].gen = f->gen;
}

void dns_forget(struct ctx *c, struct flow *f)
{
	if (!f->dns.query.len)
		return;
	hold_clear(&c->pool, &f->dns.query);
	hold_reserve(&c->pool, 1, 0);
}

static bool keep_query(struct ctx *c, struct flow *f, const void *data, size_t len)
{
	if (!hold_reserve(&c->pool, 0, 1))
		return false;
	return hold_append(&c->pool, &f->dns.query, data, len) == len;
}

/* The question that is kept, which was readable when it came. */
static struct iovec kept(const struct ctx *c, const struct flow *f)
{
	struct iovec iov[HOLD_IOV_MAX];
	size_t len;

	hold_iov(&c->pool, &f->dns.query, 0, f->dns.query.len, iov, &len);
	return iov[0];
}

static void reread(const struct ctx *c, const struct flow *f, struct query *q)
{
	const struct iovec data = kept(c, f);

	q->key = f->key;
	read_query(data.iov_base, data.iov_len, q);
}

static void give_up(struct ctx *c, struct flow *f)
{
	struct query q;

	reread(c, f, &q);
	fail(c, &q, DNSR_SERVFAIL);
	admit_free(c, f);
}

static uint16_t random_id(const struct ctx *c, const struct flow *f)
{
	const struct { struct flow_key key; uint64_t us; uint32_t gen, tries; } seed = {
		f->key, c->now_us, f->gen, f->dns.tries,
	};

	return (uint16_t)siphash(&c->isn_key, &seed, sizeof(seed));
}

static int send_query(struct ctx *c, struct flow *f)
{
	struct iovec data = kept(c, f);
	uint8_t id[2];
	struct iovec iov[] = {
		{ id, sizeof(id) },
		{ (uint8_t *)data.iov_base + sizeof(id), data.iov_len - sizeof(id) },
	};
	const struct port_dgram d = {
		.iov = iov, .niov = ARRAY_LEN(iov), .len = (uint32_t)data.iov_len, .ip = f->ip,
	};
	int rc;

	dns_set_id(id, f->dns.id);
	rc = port_dgram_send(c, f, &d, 1);
	c->count->dns_asked += rc == 1;
	return rc < 0 ? rc : 0;
}

static bool is_connected_to(const struct flow *f, const struct resolver *to)
{
	return f->sock >= 0 && addr_eq(&f->outer, &to->addr) && f->outer_scope == to->scope;
}

/* One resolver, by a new socket; the same one once more by the same, so that a late
 * answer to what it was asked before is one. */
static int ask(struct ctx *c, struct flow *f, uint32_t at)
{
	const struct resolver *to = &c->dns.to.list[at];
	int rc;

	f->dns.at = (uint8_t)at;
	f->dns.tried |= (uint8_t)(1u << at);
	f->dns.asked_ms = c->now;
	if (is_connected_to(f, to))
		return send_query(c, f);
	port_close(c, f, false);
	f->outer = to->addr;
	f->outer_scope = to->scope;
	f->outer_port = PORT_DNS;
	f->dns.id = random_id(c, f);
	c->count->dns_next += f->dns.tries > 0;
	f->dns.tries += f->dns.tries < UINT8_MAX;
	rc = admit_socket(c, f);
	return rc < 0 ? rc : send_query(c, f);
}

/* The next resolver that can be asked. Once round, and then, if they were silent, round
 * again while there is time. */
static void ask_next(struct ctx *c, struct flow *f, bool silent)
{
	uint32_t at;

	if (f->dns.list_gen != c->dns.gen) {	/* other resolvers by now */
		f->dns.list_gen = c->dns.gen;
		f->dns.tried = 0;
	}
	if (silent && c->now >= f->opened_ms + DNS_LIFE_MS) {
		give_up(c, f);
		return;
	}
	at = choose(c, f->dns.tried);
	if (at == RESOLVERS_MAX && silent) {
		f->dns.tried = 0;
		at = choose(c, 0);
	}
	for (; at != RESOLVERS_MAX; at = choose(c, f->dns.tried)) {
		if (ask(c, f, at) == 0) {
			wheel_start(&c->wheel, flow_idx(&c->flows, f), c->now + DNS_WAIT_MS);
			return;
		}
	}
	give_up(c, f);
}

void dns_ask_again(struct ctx *c)
{
	memset(c->dns.rests_ms, 0, sizeof(c->dns.rests_ms));
	for (uint32_t i = 0; i < c->flows.fresh; i++) {
		struct flow *f = flow_at(&c->flows, i);

		if (f->state == FLOW_FREE || f->key.proto != FLOW_DNS)
			continue;
		port_close(c, f, false);
		f->dns.tried = 0;
		ask_next(c, f, false);
	}
}

/* The container asks again, as it thinks what we sent was lost: it may have been. Another
 * question under the same number from the same port ends the old one. True: done. */
static bool asked_before(struct ctx *c, struct flow *f, const void *data, size_t len)
{
	const struct iovec before = kept(c, f);

	if (before.iov_len != len || memcmp(before.iov_base, data, len) != 0) {
		admit_free(c, f);
		return false;
	}
	send_query(c, f);
	return true;
}

static void forward(struct ctx *c, const struct query *q, const void *data, size_t len)
{
	struct flow *f = flow_find(&c->flows, &q->key);

	if (f && asked_before(c, f, data, len))
		return;
	f = admit_flow(c, &q->key);
	if (!f)
		return;
	take_place(c, f);
	flow_touch(&c->flows, f);
	f->ip = (struct flow_ip){ .ttl = IP_DEFAULT_TTL };
	f->dns.list_gen = c->dns.gen;
	if (!keep_query(c, f, data, len)) {
		c->count->flows_refused++;
		admit_free(c, f);
		return;
	}
	ask_next(c, f, false);
}

static void question(struct ctx *c, const struct ip *ip, const struct udp *u,
		     const uint8_t *data, size_t len)
{
	struct query q = {
		.key = { .inner = ip->src, .remote = ip->dst, .inner_port = u->sport,
			 .proto = FLOW_DNS },
	};
	uint8_t own[DNS_OWN_ANSWER_MAX];
	size_t n;

	if (!u->sport || len > DNS_QUERY_MAX || !read_query(data, len, &q)) {
		c->count->dns_malformed++;
		return;
	}
	q.key.remote_port = q.head.id;
	c->count->dns_questions++;
	if (!q.readable) {
		c->count->dns_malformed++;
		fail(c, &q, DNSR_FORMERR);
		return;
	}
	n = answer_own(c, &q, own);
	if (!n) {
		forward(c, &q, data, len);
		return;
	}
	c->count->dns_own++;
	send_message(c, &q.key, own, n);
}

void dns_datagram(struct ctx *c, const struct ip *ip, const struct udp *u, const uint8_t *data,
		  size_t len, uint16_t gso_size)
{
	do {
		size_t part = gso_size ? MIN_OF(len, (size_t)gso_size) : len;

		question(c, ip, u, data, part);
		data += part;
		len -= part;
	} while (len);
}

/* --- what comes back ----------------------------------------------------------- */

/* Whether a message is an answer to f's question. Who could not read it may say so
 * without repeating it (RFC 1035, 4.1.1). */
static bool is_answer(const struct ctx *c, const struct flow *f, const struct port_dgram *d,
		      uint8_t *rcode)
{
	struct rd r = rd_init(d->iov->iov_base, d->len);
	struct dns_question asked;
	struct dns_head h;
	struct query q;

	if (dns_head_read(&r, &h) != WIRE_OK || !(h.flags & DNSF_QR) || h.id != f->dns.id)
		return false;
	reread(c, f, &q);
	*rcode = h.flags & DNSF_RCODE;
	if ((h.flags ^ q.head.flags) & DNSF_OPCODE)
		return false;
	if (!h.questions)
		return *rcode == DNSR_FORMERR || *rcode == DNSR_NOTIMP;
	return h.questions == 1 && dns_question_read(&r, &asked) == WIRE_OK &&
	       dns_question_eq(&asked, &q.question);
}

/* It cannot or will not answer this: another one may (as the C library has it). */
static bool is_refusal(uint8_t rcode)
{
	return rcode == DNSR_SERVFAIL || rcode == DNSR_REFUSED || rcode == DNSR_NOTIMP;
}

static void pass_answer(struct ctx *c, struct flow *f, const struct port_dgram *d)
{
	dns_set_id(d->iov->iov_base, f->key.remote_port);
	send_message(c, &f->key, d->iov->iov_base, d->len);
	c->count->dns_answers++;
	admit_free(c, f);
}

/* True: f is over, or another resolver's. */
static bool take_answer(struct ctx *c, struct flow *f, const struct port_dgram *d)
{
	bool same = f->dns.list_gen == c->dns.gen;
	uint8_t rcode;

	if (!is_answer(c, f, d, &rcode)) {
		c->count->dns_strange++;
		return false;
	}
	if (same) {
		c->dns.heard_ms[f->dns.at] = c->now;
		c->dns.rests_ms[f->dns.at] = 0;
	}
	if (is_refusal(rcode) && (!same || choose(c, f->dns.tried) != RESOLVERS_MAX))
		ask_next(c, f, false);
	else
		pass_answer(c, f, d);
	return true;
}

/* The host, or a router, says that the resolver cannot be reached. */
static bool has_failed(struct ctx *c, struct flow *f)
{
	struct port_err e;
	bool failed = false;
	uint8_t none[1];

	for (uint32_t i = 0; i < ERRORS_MAX; i++) {
		if (port_errqueue(c, f, &e, none, 0) < 0)
			break;
		failed |= e.err != -EMSGSIZE;
	}
	f->ready &= (uint8_t)~FLOW_ERRORS;
	return failed;
}

bool dns_serve(struct ctx *c, struct flow *f)
{
	struct port_dgram d[CTX_DGRAMS];
	struct iovec iov[CTX_DGRAMS];
	int n;

	if (f->sock < 0)
		return false;
	udp_room(c, d, iov);
	if ((f->ready & FLOW_ERRORS) && has_failed(c, f)) {
		ask_next(c, f, false);
		return false;
	}
	n = port_dgram_recv(c, f, d, CTX_DGRAMS);
	if (n == -EAGAIN) {
		f->ready &= (uint8_t)~FLOW_READABLE;
		return false;
	}
	if (n < 0) {
		ask_next(c, f, false);
		return false;
	}
	for (int i = 0; i < n; i++)
		if (take_answer(c, f, &d[i]))
			return false;
	return true;
}

void dns_timer(struct ctx *c, struct flow *f)
{
	if (f->dns.list_gen == c->dns.gen)
		rest(c, f->dns.at, f->dns.asked_ms);
	ask_next(c, f, true);
}

/* --- TCP ----------------------------------------------------------------------- */

/* The place of f's resolver; UINT32_MAX, one before the first, if it is none any more. */
static uint32_t place_of(const struct ctx *c, const struct flow *f)
{
	for (uint32_t i = 0; i < c->dns.to.n; i++)
		if (addr_eq(&c->dns.to.list[i].addr, &f->outer) &&
		    c->dns.to.list[i].scope == f->outer_scope)
			return i;
	return UINT32_MAX;
}

bool dns_tcp_next(struct ctx *c, struct flow *f)
{
	uint32_t at = place_of(c, f);
	int rc;

	/* DNS over TLS is not everybody's: a refusal says nothing of another. */
	if (f->key.remote_port != PORT_DNS ||
	    !route_is_dns(c->conf, c->net, &c->dns.to, &f->key.remote, f->key.remote_port))
		return false;
	while (++at < c->dns.to.n) {
		port_close(c, f, false);
		f->outer = c->dns.to.list[at].addr;
		f->outer_scope = c->dns.to.list[at].scope;
		tcp_timer_set(c, f, DNS_WAIT_MS);
		rc = admit_socket(c, f);
		if (rc == 0)
			tcp_connected(c, f);
		if (rc == 0 || rc == -EINPROGRESS)
			return true;
	}
	return false;
}
