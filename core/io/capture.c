/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/capture.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "wire/glance.h"
#include "wire/numbers.h"
#include "wire/vnet.h"

#define PIECES_MAX	256	/* of a frame; more than any has (proto/frame.c) */

static_assert((CAPTURE_RING & (CAPTURE_RING - 1)) == 0, "places by a mask");

/* --- the file ------------------------------------------------------------------ */

int capture_open(const char *path, const struct pcapng_about *about,
		 struct capture_shared *shared, struct err *e)
{
	FD_OWNED int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
			       O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	uint8_t head[PCAPNG_HEAD_MAX];
	size_t len = pcapng_head(head, about);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, ERR_CONFIG, "capture: cannot open %.200s: %s", path,
			       strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFIG, "capture: %.200s is not a file", path);
	if (write(fd, head, len) != (ssize_t)len)
		return err_set(e, ERR_CONFIG, "capture: cannot write %.200s: %s", path,
			       strerror(errno));
	shared->whole = len;
	return fd_take(&fd);
}

void capture_trim(int fd, const struct capture_shared *shared)
{
	struct stat st;

	/* never longer: who wrote the figure may be a container's by now */
	if (fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size > shared->whole &&
	    ftruncate(fd, (off_t)shared->whole) < 0)
		log_warn("event=capture_torn: %s; its last frame may be cut", strerror(errno));
}

/* --- a frame ------------------------------------------------------------------- */

/* What there is of one, behind the virtio-net header. */
struct frame {
	struct iovec iov[PIECES_MAX];
	int n;
	uint32_t len;
	bool to_container;
	uint64_t us;			/* since 1970 */
	uint16_t segment;		/* struct pcapng_packet */
};

static struct iovec behind(const struct iovec *v, size_t less)
{
	return (struct iovec){ (uint8_t *)v->iov_base + less, v->iov_len - less };
}

/* The first bytes, at most `most` of them, as one piece. */
static size_t gather(const struct iovec *iov, int n, uint8_t *ret, size_t most)
{
	size_t len = 0;

	for (int i = 0; i < n && len < most; i++) {
		size_t part = MIN_OF(iov[i].iov_len, most - len);

		memcpy(ret + len, iov[i].iov_base, part);
		len += part;
	}
	return len;
}

/* Of the virtio-net header, which a capture leaves out: whether it is a super-frame. */
static uint16_t segment_of(const struct iovec *iov, int n)
{
	uint8_t head[VNET_HLEN];
	uint16_t size;

	if (gather(iov, n, head, sizeof(head)) < sizeof(head) || head[1] == VNET_GSO_NONE)
		return 0;
	memcpy(&size, head + 4, sizeof(size));
	return size;
}

static void describe(struct capture *c, uint64_t now_us, const struct iovec *iov, int n,
		     struct frame *ret)
{
	size_t skip = c->skip;

	ret->n = 0;
	ret->len = 0;
	ret->us = (uint64_t)((int64_t)now_us + c->to_wall_us);
	ret->segment = c->skip == VNET_HLEN ? segment_of(iov, n) : 0;
	for (int i = 0; i < n && ret->n < PIECES_MAX; i++) {
		size_t less = MIN_OF(skip, iov[i].iov_len);

		skip -= less;
		if (less == iov[i].iov_len)
			continue;
		ret->iov[ret->n] = behind(&iov[i], less);
		ret->len += (uint32_t)ret->iov[ret->n++].iov_len;
	}
}

static struct pcapng_packet packet_of(const struct frame *f, uint32_t snap, uint32_t lost)
{
	return (struct pcapng_packet){
		.us = f->us, .captured = snap ? MIN_OF(f->len, snap) : f->len,
		.original = f->len, .inbound = f->to_container, .lost = lost,
		.segment = f->segment,
	};
}

static void judge(struct capture *c)
{
	c->on = c->fd >= 0;
	for (uint32_t i = 0; i < CAPTURES; i++)
		c->on |= c->order[i].number != 0;
}

/* --- into the file --------------------------------------------------------------- */

/* What is torn now is cut off when no engine lives: none of them may. */
static void give_up(struct capture *c, const char *why)
{
	log_warn("event=capture_ended bytes=%llu: %s", (unsigned long long)c->shared->whole, why);
	c->fd = -1;
	judge(c);
}

static void into_file(struct capture *c, const struct frame *f)
{
	struct pcapng_packet p = packet_of(f, 0, 0);
	struct iovec out[PIECES_MAX + 2];
	struct pcapng_frame block;
	ssize_t done;

	pcapng_frame(&p, &block);
	if (c->shared->whole + block.len > CAPTURE_MAX) {
		give_up(c, "the file has reached its greatest size");
		return;
	}
	out[0] = (struct iovec){ block.before, sizeof(block.before) };
	memcpy(&out[1], f->iov, (size_t)f->n * sizeof(out[0]));
	out[f->n + 1] = (struct iovec){ block.after, block.nafter };
	do {
		done = writev(c->fd, out, f->n + 2);
	} while (done < 0 && errno == EINTR);
	if (done == (ssize_t)block.len)
		c->shared->whole += block.len;
	else
		give_up(c, done < 0 ? strerror(errno) : "the disk is full");
}

/* --- into a ring ----------------------------------------------------------------- */

static bool passes_proto(const struct glance *g, enum capture_proto proto)
{
	switch (proto) {
	case CAPTURE_TCP:
		return g->has_proto && g->proto == PROTO_TCP;
	case CAPTURE_UDP:
		return g->has_proto && g->proto == PROTO_UDP;
	case CAPTURE_ICMP:
		return g->has_proto && g->proto == (g->type == ETYPE_IP4 ? PROTO_ICMP : PROTO_ICMP6);
	case CAPTURE_ARP:
		return g->type == ETYPE_ARP;
	default:
		return true;
	}
}

static bool is_in(const struct prefix *p, const struct addr *a)
{
	return !addr_is_any(a) && prefix_contains(p, a);
}

static bool passes(const struct capture_want *w, const struct frame *f)
{
	uint8_t head[GLANCE_MAX];
	struct glance g;

	if (w->way && (w->way == CAPTURE_IN) != f->to_container)
		return false;
	if (!w->proto && !w->port && !w->has_prefix)
		return true;
	g = glance_read(rd_init(head, gather(f->iov, f->n, head, sizeof(head))));
	return passes_proto(&g, (enum capture_proto)w->proto) &&
	       (!w->port || (g.has_ports && (g.sport == w->port || g.dport == w->port))) &&
	       (!w->has_prefix || is_in(&w->prefix, &g.src) || is_in(&w->prefix, &g.dst));
}

/* Writes at *at, around the ring's end where that is. */
static void put(struct capture_ring *r, uint64_t *at, const void *v, size_t n)
{
	size_t from = *at & (CAPTURE_RING - 1), first = MIN_OF(n, CAPTURE_RING - from);

	memcpy(r->bytes + from, v, first);
	if (n > first)
		memcpy(r->bytes, (const uint8_t *)v + first, n - first);
	*at += n;
}

static void put_frame(struct capture_ring *r, uint64_t *at, const struct frame *f, size_t n)
{
	for (int i = 0; i < f->n && n; i++) {
		size_t part = MIN_OF(f->iov[i].iov_len, n);

		put(r, at, f->iov[i].iov_base, part);
		n -= part;
	}
}

/* It sleeps once it has found nothing and said so: then there was a word to be had. */
static void wake(struct capture *c, struct capture_ring *r)
{
	uint64_t one = 1;
	const struct iovec iov = { &one, sizeof(one) };

	if (atomic_load(&r->asleep) && atomic_exchange(&r->asleep, 0) &&
	    writev(c->bell, &iov, 1) < 0)
		return;		/* full: it is woken already */
}

static void stop(struct capture *c, uint32_t place)
{
	struct capture_ring *r = &c->shared->ring[place];

	atomic_store(&r->stopped, c->order[place].number);
	c->order[place].number = 0;
	judge(c);
	wake(c, r);
}

/* One writer, but read meanwhile. */
static void add(_Atomic uint64_t *v)
{
	atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static void into_ring(struct capture *c, uint32_t place, const struct frame *f)
{
	const struct capture_want *w = &c->order[place].want;
	struct capture_ring *r = &c->shared->ring[place];
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	struct pcapng_packet p = packet_of(f, w->snap, r->lost);
	struct pcapng_frame block;

	pcapng_frame(&p, &block);
	if (w->bytes && head + block.len > w->bytes) {
		stop(c, place);
		return;
	}
	add(&r->passed);
	if (block.len > CAPTURE_RING - (head - atomic_load(&r->tail))) {
		add(&r->dropped);
		r->lost += r->lost < UINT32_MAX;
		c->count->capture_dropped++;
		return;
	}
	put(r, &head, block.before, sizeof(block.before));
	put_frame(r, &head, f, p.captured);
	put(r, &head, block.after, block.nafter);
	r->lost = 0;
	add(&r->kept);
	c->count->capture_frames++;
	atomic_store(&r->head, head);
	wake(c, r);
	if (w->count && atomic_load(&r->kept) >= w->count)
		stop(c, place);
}

void capture_frame(struct capture *c, uint64_t now_us, const struct iovec *iov, int n,
		   bool to_container)
{
	struct frame f;

	f.to_container = to_container;
	describe(c, now_us, iov, n, &f);
	if (c->fd >= 0)
		into_file(c, &f);
	for (uint32_t i = 0; i < CAPTURES; i++) {
		if (!c->order[i].number)
			continue;
		add(&c->shared->ring[i].seen);
		if (passes(&c->order[i].want, &f))
			into_ring(c, i, &f);
	}
}

/* --- on and off ------------------------------------------------------------------- */

void capture_set(struct capture *c, uint32_t place, const struct capture_order *order)
{
	if (!order->number && c->order[place].number)
		stop(c, place);
	else if (order->number && atomic_load(&c->shared->ring[place].stopped) != order->number)
		c->order[place] = *order;
	judge(c);
}

void capture_use(struct capture *c, const struct capture_with *with, uint32_t skip,
		 uint64_t now_us)
{
	struct timespec ts;

	*c = (struct capture){
		.fd = with->fd, .bell = with->bell, .skip = skip, .shared = with->shared,
		.count = with->count,
	};
	clock_gettime(CLOCK_REALTIME, &ts);
	c->to_wall_us = ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - (int64_t)now_us;
	capture_trim(c->fd, c->shared);
	for (uint32_t i = 0; i < CAPTURES; i++)
		capture_set(c, i, &with->orders[i]);
	judge(c);
}
