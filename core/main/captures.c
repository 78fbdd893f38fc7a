/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/captures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define BELL	CAPTURES	/* its number among the events */

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unreleased"
#endif

static struct capture_ring *ring_of(const struct captures *c, const struct captures_one *o)
{
	return &c->shared->ring[o - c->one];
}

/* --- open, close ------------------------------------------------------------------ */

/* Rings are virtual until used. Where there is no room for them (RLIMIT_AS), only what a
 * capture's file needs. */
static int map_rings(struct captures *c)
{
	const int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
	void *p = mmap(NULL, sizeof(*c->shared), prot, flags, -1, 0);

	c->places = p == MAP_FAILED ? 0 : CAPTURES;
	if (p == MAP_FAILED)
		p = mmap(NULL, offsetof(struct capture_shared, ring), prot, flags, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	c->shared = p;
	return 0;
}

static void unmap(struct captures *c)
{
	if (c->shared)
		munmap(c->shared, c->places ? sizeof(*c->shared) :
					      offsetof(struct capture_shared, ring));
	c->shared = NULL;
}

static int watch(struct captures *c, int op, int fd, uint32_t number, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u32 = number };

	return epoll_ctl(c->fd, op, fd, &ev);
}

int captures_open(struct captures *c, struct err *e)
{
	*c = CAPTURES_INIT;
	c->fd = epoll_create1(EPOLL_CLOEXEC);
	c->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	c->one = calloc(CAPTURES, sizeof(*c->one));
	if (c->fd < 0 || c->bell < 0 || !c->one || map_rings(c) < 0 ||
	    watch(c, EPOLL_CTL_ADD, c->bell, BELL, EPOLLIN) < 0) {
		err_set(e, ERR_IO, "nothing can be made ready for captures: %s", strerror(errno));
		captures_close(c);
		return -1;
	}
	for (uint32_t i = 0; i < CAPTURES; i++)
		c->one[i].fd = -1;
	return 0;
}

/* --- one client ------------------------------------------------------------------- */

static void listen_for(struct captures *c, struct captures_one *o, uint32_t events)
{
	if (o->fd >= 0 && o->events != events &&
	    watch(c, EPOLL_CTL_MOD, o->fd, (uint32_t)(o - c->one), events) == 0)
		o->events = events;
}

/* The memory is given back: the attachment is as small as before. */
static void release(struct captures *c, struct captures_one *o)
{
	struct capture_ring *r = ring_of(c, o);

	log_info("capture ended number=%u frames=%llu dropped=%llu", o->order.number,
		 (unsigned long long)r->kept, (unsigned long long)r->dropped);
	fd_drop(&o->fd);
	madvise(r->bytes, sizeof(r->bytes), MADV_REMOVE);
	o->state = CAPTURES_FREE;
}

/* The place is free once the engine has let go of it. */
static void end(struct captures *c, struct captures_one *o, struct serve *s)
{
	const struct capture_order none = { .number = 0 };

	if (o->state != CAPTURES_RUNNING)
		return;
	o->state = CAPTURES_ENDING;
	if (s && s->engine->pid)
		serve_capture(s, (uint32_t)(o - c->one), &none);
	else		/* and the next one is not told of it */
		atomic_store(&ring_of(c, o)->stopped, o->order.number);
}

static void client_gone(struct captures *c, struct captures_one *o, struct serve *s)
{
	fd_drop(&o->fd);
	end(c, o, s);
}

static bool has_stopped(const struct captures *c, const struct captures_one *o)
{
	return atomic_load(&ring_of(c, o)->stopped) == o->order.number;
}

static void put_stats(struct captures *c, struct captures_one *o)
{
	const struct capture_ring *r = ring_of(c, o);
	struct timespec ts;
	struct pcapng_stats s = {
		.seen = r->seen, .passed = r->passed, .dropped = r->dropped, .kept = r->kept,
	};

	clock_gettime(CLOCK_REALTIME, &ts);
	s.us = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	o->nout = (uint32_t)pcapng_stats(o->out, &s);
	o->sent = 0;
	o->state = CAPTURES_LAST;
}

/* Sends up to n bytes. How many went; 0: no more for now; -1: nobody is there. */
static ssize_t send_some(struct captures_one *o, const uint8_t *p, size_t n)
{
	ssize_t done;

	do {
		done = send(o->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (done < 0 && errno == EINTR);
	return done >= 0 ? done : errno == EAGAIN ? 0 : -1;
}

/* Bytes that wait in the ring; an engine that says more than fits is not believed. */
static size_t waiting(const struct captures *c, const struct captures_one *o, bool *nonsense)
{
	const struct capture_ring *r = ring_of(c, o);
	uint64_t n = atomic_load(&r->head) - atomic_load_explicit(&r->tail, memory_order_relaxed);

	*nonsense = n > CAPTURE_RING;
	return *nonsense ? 0 : (size_t)n;
}

/* Once: from out or the ring. As send_some(); *all: there was nothing left to send. */
static ssize_t push(struct captures *c, struct captures_one *o, bool *all)
{
	struct capture_ring *r = ring_of(c, o);
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	size_t at = tail & (CAPTURE_RING - 1), n;
	bool nonsense;
	ssize_t done;

	*all = false;
	if (o->sent < o->nout) {
		done = send_some(o, o->out + o->sent, o->nout - o->sent);
		o->sent += done > 0 ? (uint32_t)done : 0;
		return done;
	}
	n = waiting(c, o, &nonsense);
	if (nonsense) {
		log_error("capture number=%u: the engine wrote nonsense", o->order.number);
		return -1;
	}
	*all = n == 0;
	if (!n)
		return 0;
	n = MIN_OF(n, CAPTURE_RING - at);
	done = send_some(o, r->bytes + at, MIN_OF(n, (size_t)CAPTURES_TURN));
	if (done > 0)
		atomic_store(&r->tail, tail + (uint64_t)done);
	return done;
}

/* Nothing is left: what comes next is worth a word of the engine, unless it came
 * just now. True: it has. */
static bool fall_asleep(struct captures *c, struct captures_one *o)
{
	struct capture_ring *r = ring_of(c, o);
	bool nonsense;

	atomic_store(&r->asleep, 1);
	return waiting(c, o, &nonsense) || nonsense || has_stopped(c, o);
}

/* What the client takes now, a turn's share. */
static void serve_client(struct captures *c, struct captures_one *o, struct serve *s)
{
	uint32_t in = o->state == CAPTURES_RUNNING ? EPOLLIN | EPOLLRDHUP : 0;
	size_t sum = 0;

	while (o->fd >= 0) {
		bool stopped = has_stopped(c, o), all;
		ssize_t n = push(c, o, &all);

		if (n < 0) {
			client_gone(c, o, s);
			return;
		}
		sum += (size_t)n;
		if (all && o->state == CAPTURES_LAST) {
			release(c, o);
			return;
		}
		if (all && stopped) {
			put_stats(c, o);
		} else if (all && !fall_asleep(c, o)) {
			listen_for(c, o, in);
			return;
		} else if (!all && !n) {
			listen_for(c, o, in | EPOLLOUT);
			return;
		}
		if (sum >= CAPTURES_TURN) {
			c->more = true;
			return;
		}
	}
}

/* Whatever it says means nothing; that it says no more means the end. */
static void hear(struct captures *c, struct captures_one *o, struct serve *s)
{
	char rest[256];
	ssize_t n = recv(o->fd, rest, sizeof(rest), MSG_DONTWAIT);

	if (n == 0)
		end(c, o, s);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		client_gone(c, o, s);
}

/* --- all of them ------------------------------------------------------------------- */

static void on_event(struct captures *c, const struct epoll_event *ev, struct serve *s)
{
	struct captures_one *o;
	uint64_t n;

	if (ev->data.u32 == BELL) {
		if (read(c->bell, &n, sizeof(n)) < 0)
			return;		/* it is the looking that counts, not the number */
		return;
	}
	o = &c->one[ev->data.u32];
	if (o->fd >= 0 && (ev->events & (EPOLLHUP | EPOLLERR)))
		client_gone(c, o, s);
	else if (o->fd >= 0 && (ev->events & (EPOLLIN | EPOLLRDHUP)))
		hear(c, o, s);
}

void captures_turn(struct captures *c, struct serve *s)
{
	struct epoll_event ev[CAPTURES + 1];
	int n = epoll_wait(c->fd, ev, ARRAY_LEN(ev), 0);

	c->more = false;
	for (int i = 0; i < n; i++)
		on_event(c, &ev[i], s);
	for (struct captures_one *o = c->one; o < c->one + CAPTURES; o++) {
		if (o->state != CAPTURES_FREE && o->fd >= 0)
			serve_client(c, o, s);
		if (o->state != CAPTURES_FREE && o->fd < 0 && has_stopped(c, o))
			release(c, o);
	}
}

void captures_engine_died(struct captures *c)
{
	for (struct captures_one *o = c->one; c->one && o < c->one + CAPTURES; o++)
		if (o->state == CAPTURES_ENDING) {
			atomic_store(&ring_of(c, o)->stopped, o->order.number);
			c->more = true;
		}
}

void captures_close(struct captures *c)
{
	for (struct captures_one *o = c->one; c->one && o < c->one + CAPTURES; o++) {
		if (o->state == CAPTURES_FREE)
			continue;
		end(c, o, NULL);	/* with the engine, which is gone */
		atomic_store(&ring_of(c, o)->stopped, o->order.number);
		do {
			c->more = false;
			serve_client(c, o, NULL);
		} while (c->more);
		fd_drop(&o->fd);
	}
	free(c->one);
	c->one = NULL;
	unmap(c);
	fd_drop(&c->bell);
	fd_drop(&c->fd);
}

void captures_leave(struct captures *c, bool engine)
{
	for (uint32_t i = 0; c->one && i < CAPTURES; i++)
		fd_drop(&c->one[i].fd);
	fd_drop(&c->fd);
	if (engine)
		return;
	fd_drop(&c->bell);
	unmap(c);
}

uint32_t captures_count(const struct captures *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < CAPTURES; i++)
		n += c->one[i].state == CAPTURES_RUNNING;
	return n;
}

void captures_orders(const struct captures *c, struct capture_order ret[CAPTURES])
{
	for (uint32_t i = 0; i < CAPTURES; i++) {
		ret[i] = c->one[i].order;
		if (c->one[i].state != CAPTURES_RUNNING)
			ret[i].number = 0;
	}
}

/* --- begin ------------------------------------------------------------------------- */

static struct captures_one *free_place(const struct captures *c)
{
	for (uint32_t i = 0; i < c->places; i++)
		if (c->one[i].state == CAPTURES_FREE)
			return &c->one[i];
	return NULL;
}

int captures_check(const struct captures *c, const struct capture_want *w, struct err *e)
{
	if (!c->places)
		return err_set(e, ERR_AGAIN, "capture: there was no memory for it when the"
			       " attachment began");
	if (!free_place(c)) {
		err_set(e, ERR_AGAIN, "capture: %d of this attachment are under way", CAPTURES);
		return err_hint(e, "end one of them");
	}
	if (w->bytes && w->bytes < CAPTURE_BYTES_MIN)
		return err_set(e, ERR_CONFIG, "capture: a limit below %u bytes", CAPTURE_BYTES_MIN);
	return 0;
}

struct pcapng_about captures_about(const struct serve *s, const char *filter, uint32_t snap,
				   char buf[2][PCAPNG_TEXT_MAX])
{
	snprintf(buf[0], PCAPNG_TEXT_MAX, "attachment %s/%s of network %s", s->conf->container_id,
		 s->conf->ifname, s->conf->network);
	snprintf(buf[1], PCAPNG_TEXT_MAX, "container %s", s->conf->container_id);
	return (struct pcapng_about){
		.application = "cni-passt " PACKAGE_VERSION, .comment = buf[0],
		.interface = s->conf->ifname, .description = buf[1], .filter = filter,
		.snap = snap,
	};
}

/* The place was the engine's last time: it has let go of it. */
static void clear(struct capture_ring *r)
{
	r->lost = 0;
	r->head = r->tail = 0;
	r->seen = r->passed = r->dropped = r->kept = 0;
	r->asleep = 0;
	r->stopped = 0;
}

static void log_begin(const struct captures_one *o, const char *filter)
{
	log_info("capture began number=%u filter=\"%s\"", o->order.number, filter);
}

void captures_begin(struct captures *c, struct serve *s, int fd, const struct capture_want *w,
		    const struct jsonout *line)
{
	struct captures_one *o = free_place(c);
	char filter[CAPTURE_FILTER_TEXT], texts[2][PCAPNG_TEXT_MAX];
	struct pcapng_about about = captures_about(s, capture_filter(w, filter), w->snap, texts);
	size_t head;

	*o = (struct captures_one){ .state = CAPTURES_RUNNING, .fd = fd,
				    .order = { ++c->number, *w }, .events = EPOLLIN | EPOLLRDHUP };
	clear(ring_of(c, o));
	memcpy(o->out, line->buf, line->len);
	head = pcapng_head(o->out + line->len, &about);
	o->nout = (uint32_t)(line->len + head);
	if (o->order.want.bytes)
		o->order.want.bytes -= head + PCAPNG_STATS_LEN;
	log_begin(o, filter);
	if (watch(c, EPOLL_CTL_ADD, fd, (uint32_t)(o - c->one), o->events) < 0) {
		release(c, o);
		return;
	}
	serve_capture(s, (uint32_t)(o - c->one), &o->order);
	c->more = true;
}
