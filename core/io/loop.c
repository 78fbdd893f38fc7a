/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop: the engine's one epoll loop, and the one reader of the clock. A turn:
 * wait; read the clock; socket events; proto_turn(); a batch of frames of the tap or
 * stream; proto_finish(). What a turn makes to send has left when it ends.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "io/io.h"
#include "io/stream.h"
#include "io/tun.h"
#include "proto/inbound.h"
#include "proto/proto.h"
#include "proto/splice.h"

#define TAP_RETRY_MS	1
#define HOLD_KEEP	256u	/* chunks of held bytes whose memory stays: 1 MiB */
#define TRIM_MS		50u	/* between two hold_trim(): 10 MiB/s */
#define WAIT_MAX_MS	(1u << 30)

/* Looking again for a moment before sleep, see wait_events(). */
#define POLL_US		50u	/* so long, and a wait below it is a short one */
#define POLL_AFTER	2u	/* short waits in a row */
#define POLL_BULK_US	1000u	/* not while a spliced bulk pauses for less */
#define POLL_MISSES	8u	/* in vain in a row, though the wait was short: it does not help ... */
#define POLL_REST	256u	/* ... for so many waits */

/* Sizes of all that is reserved, for loop_init() and loop_close() alike. */
struct area {
	void **ptr;
	size_t size;
};

#define AREAS 12

static void areas(struct ctx *c, struct area a[AREAS])
{
	size_t chunks = c->pool.nchunks;

	a[0] = (struct area){ (void **)&c->flows.flows, FLOW_MAX * sizeof(struct flow) };
	a[1] = (struct area){ (void **)&c->flows.buckets, FLOW_BUCKETS * sizeof(uint32_t) };
	a[2] = (struct area){ (void **)&c->pool.mem, chunks * HOLD_CHUNK };
	a[3] = (struct area){ (void **)&c->pool.next, chunks * sizeof(uint32_t) };
	a[4] = (struct area){ (void **)&c->hot, CTX_OUT_SIZE };
	a[5] = (struct area){ (void **)&c->dgrams, (size_t)CTX_DGRAMS * CTX_HOT_SIZE };
	a[6] = (struct area){ (void **)&c->io->frames, IO_BATCH_BYTES + IO_FRAME_MAX };
	a[7] = (struct area){ (void **)&c->ranges.sets, (RANGES_SETS + 1) * sizeof(struct ranges) };
	a[8] = (struct area){ (void **)&c->io->rawping.flows, RAWPING_IDS * sizeof(uint32_t) };
	a[9] = (struct area){ (void **)&c->frags, sizeof(struct fragtab) };
	a[10] = (struct area){ (void **)&c->maps.maps, (FLOW_MAX + 1) * sizeof(struct portmap) };
	a[11] = (struct area){ (void **)&c->maps.buckets, PORTMAP_BUCKETS * sizeof(uint32_t) };
}

static void release(struct ctx *c)
{
	struct area a[AREAS];

	areas(c, a);
	for (size_t i = 0; i < AREAS; i++) {
		if (*a[i].ptr)
			munmap(*a[i].ptr, a[i].size);
		*a[i].ptr = NULL;
	}
}

/* Virtual memory, in small pages as they are touched: a huge page under each
 * table would be most of an idle attachment's memory. */
static int reserve(struct ctx *c)
{
	struct area a[AREAS];

	areas(c, a);
	for (size_t i = 0; i < AREAS; i++) {
		void *p = mmap(NULL, a[i].size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		int err = errno;

		if (p == MAP_FAILED) {
			release(c);
			return -err;
		}
		madvise(p, a[i].size, MADV_NOHUGEPAGE);
		*a[i].ptr = p;
	}
	return 0;
}

/* Under RLIMIT_AS or strict overcommit a smaller arena still serves. */
static int reserve_some(struct ctx *c)
{
	int rc = -ENOMEM;

	for (uint32_t bytes = IO_HOLD_BYTES; rc == -ENOMEM && bytes >= IO_HOLD_BYTES / 16;
	     bytes /= 2) {
		c->pool.nchunks = bytes / HOLD_CHUNK;
		rc = reserve(c);
	}
	return rc;
}

static void read_clock(struct ctx *c)
{
	struct timespec ts;

	/* BOOTTIME: after a suspend, what was idle that long is over. */
	clock_gettime(CLOCK_BOOTTIME, &ts);
	c->now_us = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	c->now = c->now_us / 1000;
}

static int watch(struct io *io, int fd, uint32_t kind)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = io_ref(kind, 0, 0) };

	return epoll_ctl(io->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int keys(struct sipkey *flow_key, struct sipkey *isn_key)
{
	return getrandom(flow_key, sizeof(*flow_key), 0) == sizeof(*flow_key) &&
	       getrandom(isn_key, sizeof(*isn_key), 0) == sizeof(*isn_key) ? 0 : -EIO;
}

int loop_init(struct ctx *c, struct io *io, const struct conf *conf, const struct netcfg *net,
	      struct counters *count, int tap, uint32_t tap_features, int main_fd)
{
	struct sipkey key;
	int rc;

	memset(c, 0, sizeof(*c));
	*io = (struct io){ .epoll = -1, .tap = tap, .main = main_fd, .rawping.fd = { -1, -1 },
			   .capture.fd = -1 };
	c->conf = conf;
	c->net = net;
	c->count = count;
	c->io = io;
	c->guest_mac = net->mac;
	c->finish_head = c->splice_head = c->splice_tail = c->relay_head = FLOW_NONE;
	c->tap_vnet = !!(tap_features & TUN_F_VNETHDR);
	c->tap_csum = !!(tap_features & TUN_F_CHECKSUM);
	c->tap_tso = !!(tap_features & TUN_F_TSO);
	c->tap_uso = !!(tap_features & TUN_F_UDPSEG);
	sock_probe(c);
	if ((rc = keys(&key, &c->isn_key)) < 0 || (rc = reserve_some(c)) < 0)
		return rc;
	read_clock(c);
	c->ip_id = (uint32_t)c->now_us;
	c->groups.query_due = c->now + 1;	/* of the engine before us nothing is known */
	proto_start(c);
	flow_init(&c->flows, c->flows.flows, c->flows.buckets, &key, FLOW_MAX);
	portmap_init(&c->maps, c->maps.maps, c->maps.buckets, &key);
	wheel_init(&c->wheel, &c->flows.flows[0].timer, sizeof(struct flow), c->now);
	hold_pool_init(&c->pool, c->pool.mem, c->pool.next, c->pool.nchunks);
	ranges_pool_init(&c->ranges, c->ranges.sets, RANGES_SETS);
	io->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (io->epoll < 0)
		rc = -errno;
	if (rc < 0 || (tap >= 0 && (rc = watch(io, tap, IO_REF_TAP)) < 0) ||
	    (rc = watch(io, main_fd, IO_REF_MAIN)) < 0)
		loop_close(c);
	return rc;
}

static unsigned int splice_events(uint32_t events)
{
	return (events & EPOLLIN ? SPLICEV_IN : 0) | (events & EPOLLOUT ? SPLICEV_OUT : 0) |
	       (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? SPLICEV_END : 0) |
	       (events & EPOLLPRI ? SPLICEV_URGENT : 0);
}

int loop_listen(struct ctx *c, struct forward *list, uint32_t n)
{
	int rc = 0;

	forward_init(&c->forwards, list, n);	/* a copy of main's, which has no queue */
	for (uint32_t i = 0; i < n && rc == 0; i++)
		if (list[i].sock >= 0)
			rc = sock_listen(c, i);
	return rc;
}

int loop_listen_one(struct ctx *c, uint32_t idx, const struct forward *f)
{
	loop_unlisten(c, idx);
	forward_set(&c->forwards, idx, f);
	return sock_listen(c, idx);
}

void loop_unlisten(struct ctx *c, uint32_t idx)
{
	struct forward *f = forward_at(&c->forwards, idx);

	if (!f)
		return;
	inbound_closed(c, idx);
	forward_unqueue(&c->forwards, f);
	/* main may have it a moment longer, and so would epoll */
	epoll_ctl(c->io->epoll, EPOLL_CTL_DEL, f->sock, NULL);
	close(f->sock);
	f->sock = -1;
}

static void dispatch(struct ctx *c, const struct epoll_event *ev, uint32_t *tap)
{
	uint64_t ref = ev->data.u64;

	switch (ref >> 56) {
	case IO_REF_FLOW:
		if (UNLIKELY(ev->events & EPOLLPRI))
			proto_urgent_event(c, (uint32_t)ref, (ref >> 32) & 0xffffffu);
		proto_socket_event(c, (uint32_t)ref, (ref >> 32) & 0xffffffu,
				   ev->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP),
				   ev->events & EPOLLOUT, ev->events & EPOLLERR);
		break;
	case IO_REF_SIDE + SPLICE_OUTER:
	case IO_REF_SIDE + SPLICE_INNER:
		proto_splice_event(c, (uint32_t)ref, (ref >> 32) & 0xffffffu,
				   (enum splice_side)((ref >> 56) - IO_REF_SIDE),
				   splice_events(ev->events));
		break;
	case IO_REF_LISTEN:
		inbound_event(c, (uint32_t)ref);
		break;
	case IO_REF_TAP:
		*tap |= ev->events;
		break;
	case IO_REF_RAWPING:
		rawping_readable(c, (uint32_t)ref == 0);
		break;
	case IO_REF_MAIN:
		c->io->heard = true;
		break;
	}
}

static void give_back(void *mem, size_t len)
{
	madvise(mem, len, MADV_DONTNEED);
}

/* When memory that a peak left behind may be given back. */
static uint64_t trim_due(const struct ctx *c)
{
	return c->pool.nwarm > HOLD_KEEP ? c->io->trimmed_ms + TRIM_MS : UINT64_MAX;
}

static void trim(struct ctx *c)
{
	if (trim_due(c) > c->now)
		return;
	hold_trim(&c->pool, HOLD_KEEP, give_back);
	c->io->trimmed_ms = c->now;
}

static int wait_ms(const struct ctx *c)
{
	uint64_t next = MIN_OF(proto_next(c), trim_due(c)), inner = splice_inner_due(c);

	if (c->io->stream && c->io->tap >= 0 && framing_has(c->io->stream))
		return 0;	/* of an engine that died: no event tells of it */
	if (proto_busy(c) && (!c->tap_waits || c->splice_more))
		return c->tap_blocked && !c->splice_more ? TAP_RETRY_MS : 0;
	next = MIN_OF(next, inner);
	if (next == UINT64_MAX)
		return -1;
	return next <= c->now ? 0 : (int)MIN_OF(next - c->now, (uint64_t)WAIT_MAX_MS);
}

/* What a wait that was slept through tells of the next: it is worth polling when
 * the last ones were short, and not when polling misses what comes right after
 * it: then whoever is to send it needs this CPU. */
static void judge_wait(struct poll *p, bool polled, uint64_t slept_us)
{
	if (slept_us >= POLL_US) {
		p->shorts = p->misses = 0;
	} else if (!polled) {
		p->shorts++;
	} else if (++p->misses == POLL_MISSES) {
		*p = (struct poll){ .rest = POLL_REST };
	}
}

/*
 * Waits for events, and reads the clock. A CPU that went idle takes some 20 to
 * 30 microseconds to wake, twice for each request and answer that pass through
 * here, more than all the work on them. So while events come faster than that,
 * the loop looks for the next one for a moment before it sleeps, others of this
 * CPU first; one wait of some length ends that (as KVM's halt polling does).
 */
static int wait_events(struct ctx *c, struct epoll_event ev[IO_EVENTS])
{
	struct poll *p = &c->io->poll;
	int ms = wait_ms(c), n = 0;
	/* A guest's answers take longer, and emulating it needs the CPU, as do the two ends of
	 * a spliced bulk. */
	bool poll = ms && p->shorts >= POLL_AFTER && !c->io->stream &&
		    c->now_us - p->bulk_us > POLL_BULK_US;
	uint64_t from;

	if (p->rest) {
		p->rest--;
		poll = false;
	}
	if (ms)
		read_clock(c);
	from = c->now_us;
	while (poll && !n && c->now_us - from < POLL_US) {
		n = epoll_pwait(c->io->epoll, ev, IO_EVENTS, 0, NULL);
		if (!n)
			sched_yield();
		read_clock(c);
	}
	if (n) {
		p->misses = 0;
		return n;
	}
	from = c->now_us;
	n = epoll_pwait(c->io->epoll, ev, IO_EVENTS, ms, NULL);
	read_clock(c);
	if (ms && !p->rest)
		judge_wait(p, poll, c->now_us - from);
	return n;
}

static void turn(struct ctx *c)
{
	if (UNLIKELY(proto_late(c)))
		proto_catch_up(c);
	else
		proto_turn(c);
}

static void tap_turn(struct ctx *c, uint32_t events)
{
	turn(c);
	if (events)
		tap_readable(c);
	proto_finish(c);
}

static void stream_turn(struct ctx *c, uint32_t events)
{
	if (events & EPOLLOUT)
		stream_writable(c);
	turn(c);
	if ((events & ~(uint32_t)EPOLLOUT) || framing_has(c->io->stream))
		stream_readable(c);
	proto_finish(c);
	stream_finish(c);
}

enum loop_why loop_run(struct ctx *c)
{
	struct epoll_event ev[IO_EVENTS];

	c->io->heard = false;
	while (!c->io->stop && !c->io->heard && !c->io->stream_gone &&
	       splice_inner_due(c) > c->now) {
		uint32_t tap = 0;
		int n = wait_events(c, ev);

		for (int i = 0; i < n; i++)
			dispatch(c, &ev[i], &tap);
		if (c->io->stream)
			stream_turn(c, tap);
		else
			tap_turn(c, tap);
		trim(c);
		c->count->turns++;
	}
	return c->io->stop ? LOOP_END : c->io->stream_gone ? LOOP_STREAM :
	       c->io->heard ? LOOP_MAIN : LOOP_INNER;
}

void loop_close(struct ctx *c)
{
	proto_close(c);
	splice_close_pools(c->io);
	if (c->io->epoll >= 0)
		close(c->io->epoll);
	c->io->epoll = -1;
	release(c);
}
