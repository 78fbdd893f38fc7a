/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/udp.h"

#include <assert.h>
#include <errno.h>

#include "proto/admit.h"
#include "proto/frame.h"
#include "proto/group.h"
#include "proto/hop.h"
#include "proto/icmp.h"
#include "wire/numbers.h"

static_assert(CTX_PENDING <= 64, "a bit for each in udp_flush()");

bool udp_datagram(struct ctx *c, const struct ip *ip, const struct udp *u, const void *data,
		  size_t len, uint16_t gso_size)
{
	const struct flow_key key = {
		.inner = ip->src, .remote = ip->dst, .inner_port = u->sport,
		.remote_port = u->dport, .proto = FLOW_UDP,
	};
	const struct iovec first = {
		(void *)(uintptr_t)data, gso_size ? MIN_OF(len, (size_t)gso_size) : len,
	};
	struct flow *f;

	if (!key.remote_port || (gso_size && len / gso_size >= 2 * UDP_SEGMENTS)) {
		c->count->drop_martian++;
		return false;
	}
	if (c->npending == CTX_PENDING)
		udp_flush(c);
	if (addr_is_multicast(&key.remote))
		group_learn(c, &key.remote, key.remote_port);
	f = flow_find(&c->flows, &key);
	if (!f)
		f = admit_datagram(c, &key, ip, &first, udp_oneway_ms(c));
	if (!f)
		return false;
	f->dg.last_ms = c->now;
	flow_sent(&c->flows, f, len, c->now);
	c->count->udp_tx_bytes += len;
	if (f->dg.via != FORWARD_NONE)		/* the container answers a client */
		f->dg.rx += f->dg.rx < UINT32_MAX;
	f->dg.asked = (uint16_t)MIN_OF(f->dg.asked + udp_datagrams(len, gso_size), UINT16_MAX);
	flow_touch(&c->flows, f);
	if (flow_is_group(f))
		group_sends(c, f, data, len, gso_size);
	c->pending[c->npending++] = (struct pending){
		.flow = flow_idx(&c->flows, f), .gso_size = gso_size < len ? gso_size : 0,
		.ip = hop_out(ip, flow_is_on_link(f)), .data = { (void *)(uintptr_t)data, len },
	};
	return true;
}

static uint32_t segments(const struct port_dgram *d)
{
	return udp_datagrams(d->len, d->gso_size);
}

/* Sends the datagrams of one message singly: the path, or the kernel, does not
 * take UDP_SEGMENT for it. The pieces of the message are whole datagrams, or one
 * piece holds several. Whether that was the reason, and not their size. */
static bool send_singly(struct ctx *c, struct flow *f, const struct port_dgram *d)
{
	bool fit = true;
	int rc;

	for (uint32_t i = 0; i < d->niov; i++) {
		uint8_t *p = d->iov[i].iov_base;
		size_t left = d->iov[i].iov_len;

		do {
			size_t part = d->gso_size ? MIN_OF(left, (size_t)d->gso_size) : left;
			struct iovec iov = { p, part };
			struct port_dgram one = { .iov = &iov, .niov = 1, .len = (uint32_t)part,
						  .ip = d->ip };

			rc = icmp_dgram_send(c, f, &one, 1);
			fit &= rc != -EMSGSIZE;
			if (rc == 1)
				c->count->udp_tx_datagrams++;
			else
				c->count->udp_tx_error++;
			p += part;
			left -= part;
		} while (left);
	}
	return fit;
}

/* Sends n messages of one flow; those not taken as one are sent singly, those
 * the host has no room for are lost, as on a network. */
static void send_messages(struct ctx *c, struct flow *f, const struct port_dgram *d,
			  unsigned int n)
{
	unsigned int done = 0;

	while (done < n) {
		int rc = f->dg.no_gso && d[done].gso_size ? -EINVAL :
			 icmp_dgram_send(c, f, d + done, n - done);

		if (rc > 0) {
			for (int i = 0; i < rc; i++)
				c->count->udp_tx_datagrams += segments(&d[done + (unsigned int)i]);
			done += (unsigned int)rc;
			continue;
		}
		if (d[done].gso_size && (rc == -EINVAL || rc == -EMSGSIZE || rc == -EIO)) {
			f->dg.no_gso |= send_singly(c, f, &d[done]);
		} else {
			c->count->udp_tx_error += segments(&d[done]);
		}
		done++;
	}
}

/* Whether datagram b may follow a in one message: a run of equal ones, sent alike, of
 * which only the last is shorter (udp(7), UDP_SEGMENT), none of them empty. */
static bool joins(const struct port_dgram *run, const struct pending *first,
		  const struct pending *b)
{
	const struct iovec *last = &run->iov[run->niov - 1];
	size_t size = first->data.iov_len;

	return !first->gso_size && !b->gso_size && flow_ip_eq(&first->ip, &b->ip) &&
	       b->data.iov_len && last->iov_len == size && b->data.iov_len <= size &&
	       run->niov < UDP_SEGMENTS && run->len + b->data.iov_len <= UDP_GSO_BYTES;
}

/* A USO frame of more segments than one send takes goes as two messages, each
 * with one piece. Returns how many. */
static unsigned int split_uso(struct port_dgram *d, struct iovec *iov, const struct pending *p)
{
	size_t most = p->gso_size ? (size_t)p->gso_size * UDP_SEGMENTS : p->data.iov_len;
	size_t first = MIN_OF(p->data.iov_len, most);

	iov[0] = (struct iovec){ p->data.iov_base, first };
	d[0] = (struct port_dgram){ .iov = iov, .niov = 1, .len = (uint32_t)first,
				    .gso_size = p->gso_size, .ip = p->ip };
	if (first == p->data.iov_len)
		return 1;
	iov[1] = (struct iovec){ (uint8_t *)p->data.iov_base + first, p->data.iov_len - first };
	d[1] = (struct port_dgram){ .iov = iov + 1, .niov = 1, .len = (uint32_t)iov[1].iov_len,
				    .gso_size = p->gso_size, .ip = p->ip };
	return 2;
}

/* n kept datagrams, all of one flow, as few messages as can be. */
static void flush_flow(struct ctx *c, const struct pending *const p[], unsigned int n)
{
	struct flow *f = flow_at(&c->flows, p[0]->flow);
	struct port_dgram d[CTX_PENDING * 2];
	struct iovec iov[CTX_PENDING * 2];
	const struct pending *head = NULL;	/* of the run that d[m - 1] is */
	unsigned int m = 0, v = 0, k;

	for (unsigned int i = 0; i < n; i++) {
		if (head && joins(&d[m - 1], head, p[i])) {
			iov[v++] = p[i]->data;
			d[m - 1].niov++;
			d[m - 1].len += (uint32_t)p[i]->data.iov_len;
			d[m - 1].gso_size = (uint16_t)head->data.iov_len;
			continue;
		}
		head = f->dg.no_gso || !p[i]->data.iov_len ? NULL : p[i];
		k = split_uso(d + m, iov + v, p[i]);
		v += k;
		m += k;
	}
	send_messages(c, f, d, m);
}

/* Flows take turns, and only what stands together goes in one message: each flow's
 * datagrams together, in their order. */
void udp_flush(struct ctx *c)
{
	const struct pending *same[CTX_PENDING];
	uint64_t sent = 0;

	for (unsigned int i = 0; i < c->npending; i++) {
		unsigned int n = 0;

		if (sent >> i & 1)
			continue;
		for (unsigned int k = i; k < c->npending; k++)
			if (c->pending[k].flow == c->pending[i].flow) {
				same[n++] = &c->pending[k];
				sent |= 1ull << k;
			}
		flush_flow(c, same, n);
	}
	c->npending = 0;
}

/* Received datagrams i.. that may travel as one USO frame: equal headers, equal
 * sizes, the last may be shorter. Returns how many. */
static int run_length(const struct port_dgram *d, int n)
{
	size_t total = d[0].len;
	int k = 1;

	if (d[0].gso_size || !d[0].len)
		return 1;
	while (k < n && !d[k].gso_size && d[k].len && d[k].len <= d[0].len &&
	       d[k - 1].len == d[0].len && flow_ip_eq(&d[k].ip, &d[0].ip) &&
	       d[k].from_port == d[0].from_port &&
	       total + d[k].len <= UDP_GSO_BYTES)
		total += d[k++].len;
	return k;
}

void udp_deliver(struct ctx *c, struct flow *f, const struct port_dgram *d, int n)
{
	struct flow_key key = f->key;
	struct iovec iov[CTX_DGRAMS];

	for (int i = 0, k; i < n; i += k) {
		const struct flow_ip ip = hop_in(&d[i].ip, hop_is_near(c, f, &f->outer));
		size_t total = 0;

		k = run_length(d + i, n - i);
		for (int j = 0; j < k; j++) {
			iov[j] = (struct iovec){ d[i + j].iov->iov_base, d[i + j].len };
			total += d[i + j].len;
			c->count->udp_rx_datagrams += segments(&d[i + j]);
		}
		c->count->udp_rx_bytes += total;
		flow_got(&c->flows, f, total, c->now);
		if (UNLIKELY(udp_hears_any_port(f)))
			key.remote_port = d[i].from_port;
		frame_udp(c, &key, &ip, f->dg.mtu, iov, k, total,
			  k > 1 ? (uint16_t)d[i].len : d[i].gso_size);
	}
}

void udp_room(struct ctx *c, struct port_dgram *d, struct iovec *iov)
{
	for (unsigned int i = 0; i < CTX_DGRAMS; i++) {
		iov[i] = (struct iovec){ c->dgrams + (size_t)i * CTX_HOT_SIZE, CTX_HOT_SIZE };
		d[i] = (struct port_dgram){ .iov = &iov[i], .niov = 1 };
	}
}

/* A flow to port 53 ends with its last answer: whether the socket has all of them; of more than 65534 nobody keeps
 * count. */
static bool all_answered(struct flow *f, const struct port_dgram *d, int n)
{
	uint32_t answers = 0;

	if (f->key.remote_port != PORT_DNS || f->dg.asked == UINT16_MAX)
		return false;
	for (int i = 0; i < n; i++)
		answers += segments(&d[i]);
	f->dg.asked -= (uint16_t)MIN_OF(answers, f->dg.asked);
	return !f->dg.asked;
}

bool udp_serve(struct ctx *c, struct flow *f)
{
	struct port_dgram d[CTX_DGRAMS];
	struct iovec iov[CTX_DGRAMS];
	int n;

	udp_room(c, d, iov);
	if (f->ready & FLOW_ERRORS) {
		icmp_tell_queued(c, f);
		if (f->ready & FLOW_ERRORS)
			return true;	/* more of them: first the others' turn */
	}
	n = port_dgram_recv(c, f, d, CTX_DGRAMS);
	if (n == -EAGAIN) {
		f->ready &= (uint8_t)~FLOW_READABLE;
		return false;
	}
	if (n < 0) {
		icmp_tell_receive(c, f, n);
		return true;
	}
	f->dg.last_ms = c->now;
	f->dg.rx += f->dg.rx < UINT32_MAX;
	flow_touch(&c->flows, f);
	if (flow_is_group(f))
		group_deliver(c, f, d, n);
	else
		udp_deliver(c, f, d, n);
	if (all_answered(f, d, n)) {
		admit_free(c, f);
		return false;
	}
	return true;
}

void udp_timer(struct ctx *c, struct flow *f, uint64_t oneway_ms, uint64_t twoway_ms)
{
	uint64_t due = f->dg.last_ms + (f->dg.rx ? twoway_ms : oneway_ms);

	if (c->now >= due)
		admit_free(c, f);
	else
		wheel_start(&c->wheel, flow_idx(&c->flows, f), due);
}
