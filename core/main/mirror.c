/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/mirror.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/log.h"
#include "conf/forward.h"
#include "io/listen.h"

#define PORTS	65536u

/* Whose listeners they are, in struct forward: no rule of "forward" has this number. */
#define RULE	UINT32_MAX

static struct addr loopback_of(int family)
{
	return addr_loopback(family == 0);
}

/* Whether a rule asks for that loopback's ports. */
static bool is_wanted(const struct conf *c, enum conf_proto proto, int family)
{
	const struct addr lo = loopback_of(family);

	for (uint32_t i = 0; i < c->nreverses; i++) {
		const struct conf_forward *f = &c->reverses[i];

		if (f->kind == CONF_FORWARD_AUTO && f->proto == proto &&
		    (addr_is_any(&f->addr) || addr_eq(&f->addr, &lo)))
			return family == 0 ? c->ipv4 : c->ipv6;
	}
	return false;
}

static bool is_any_wanted(const struct conf *c, enum conf_proto proto)
{
	return is_wanted(c, proto, 0) || is_wanted(c, proto, 1);
}

static void *reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int mirror_open(struct mirror *m, const struct conf *c, struct err *e)
{
	int rc;

	*m = MIRROR_INIT;
	if (!is_any_wanted(c, CONF_TCP) && !is_any_wanted(c, CONF_UDP))
		return 0;
	m->udp_hint = UINT64_MAX;
	m->seen = reserve(CONF_PROTO_COUNT * sizeof(*m->seen));
	m->ports = reserve(PORTS * sizeof(*m->ports));
	rc = m->seen && m->ports ? diag_open(&m->diag) : -ENOMEM;
	if (rc < 0)
		return err_set(e, ERR_IO, "reverse: \"auto\": what the host listens on cannot be"
			       " seen: %s", strerror(-rc));
	m->look_ms = 1;
	return 0;
}

void mirror_close(struct mirror *m)
{
	diag_close(&m->diag);
}

int mirror_wait_ms(const struct mirror *m, uint64_t now_ms)
{
	if (!m->look_ms)
		return -1;
	return m->look_ms > now_ms ? (int)(m->look_ms - now_ms) : 0;
}

/* The place of an open one. */
static uint32_t place_of(const struct publish *p, enum conf_proto proto, int family, uint32_t port)
{
	const struct addr addr = loopback_of(family);
	uint32_t i = publish_next(p, 0, RULE);

	while (i != FORWARD_NONE && !(p->list[i].port == port && p->list[i].proto == proto &&
				      addr_eq(&p->list[i].addr, &addr)))
		i = publish_next(p, i + 1, RULE);
	return i;
}

static bool is_published(const struct publish *p, enum conf_proto proto, uint32_t port)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->list[i].sock >= 0 && !p->list[i].reverse && p->list[i].port == port &&
		    p->list[i].proto == proto)
			return true;
	return false;
}

static bool is_due(const struct serve *s, const struct diag_ports *now, enum conf_proto proto,
		   int family, uint32_t port)
{
	return diag_has(&now[family], port) && is_wanted(s->conf, proto, family) &&
	       !forward_excepted(s->conf->reverses, s->conf->nreverses, proto, (uint16_t)port) &&
	       !is_published(s->publish, proto, port) &&
	       !(proto == CONF_UDP && s->conf->udp_mirrors_tcp &&
		 is_published(s->publish, CONF_TCP, port));
}

static void add_tcp(const struct mirror *m, struct diag_ports udp[2])
{
	for (int family = 0; family < 2; family++)
		for (size_t i = 0; i < sizeof(udp->bits); i++)
			udp[family].bits[i] |= m->seen[CONF_TCP][family].bits[i];
}

/* False: not now. */
static bool ask(struct serve *s, enum conf_proto proto, int family, uint32_t port)
{
	const struct msg_listen m = {
		.kind = MSG_LISTEN, .addr = loopback_of(family), .port = (uint16_t)port,
		.proto = (uint16_t)proto,
	};

	return s->nsagent->sock >= 0 && listen_room(s->publish->nopen + 1, NULL) == 0 &&
	       msg_send_fds(s->nsagent->sock, &m, sizeof(m), NULL, 0) == 0;
}

static void close_port(struct mirror *m, struct serve *s, enum conf_proto proto, int family,
		       uint32_t port)
{
	uint32_t place = place_of(s->publish, proto, family, port);

	if (place != FORWARD_NONE) {
		serve_tell(s, MSG_FORWARD_CLOSE, place);
		publish_close_place(s->publish, place);
	}
	m->ports[port][proto][family] = MIRROR_CLOSED;
}

/* What a nsagent that died was asked for, and what is to be tried again. */
static void forget(struct mirror *m, enum mirror_port what)
{
	for (uint32_t port = 0; port < PORTS; port++)
		for (int i = 0; i < 2 * CONF_PROTO_COUNT; i++)
			if (m->ports[port][i / 2][i % 2] == what)
				m->ports[port][i / 2][i % 2] = MIRROR_CLOSED;
	m->more[CONF_TCP] = m->more[CONF_UDP] = true;
}

static void compare(struct mirror *m, struct serve *s, enum conf_proto proto,
		    const struct diag_ports *now)
{
	uint32_t asks = 0;

	m->more[proto] = false;
	for (uint32_t port = 1; port < PORTS; port++)
		for (int family = 0; family < 2; family++) {
			uint8_t *is = &m->ports[port][proto][family];
			bool due = (*is != MIRROR_CLOSED || diag_has(&now[family], port)) &&
				   is_due(s, now, proto, family, port);

			if (!due && *is == MIRROR_OPEN) {
				close_port(m, s, proto, family, port);
			} else if (!due && *is == MIRROR_REFUSED) {
				*is = MIRROR_CLOSED;
			} else if (*is == MIRROR_ASKED) {
				m->more[proto] = true;
			} else if (due && *is == MIRROR_CLOSED) {
				if (asks++ < MIRROR_ASKS && ask(s, proto, family, port))
					*is = MIRROR_ASKED;
				m->more[proto] = true;
			}
		}
}

/* UDP is dear to look at (io/diag.h). */
static bool is_time(struct mirror *m, enum conf_proto proto)
{
	uint64_t hint;

	if (proto == CONF_TCP)
		return true;
	hint = diag_udp_hint(&m->diag);
	if (!m->more[proto] && hint == m->udp_hint && ++m->udp_skipped < MIRROR_UDP_LOOKS)
		return false;
	m->udp_hint = hint;
	m->udp_skipped = 0;
	return true;
}

static void look(struct mirror *m, struct serve *s, enum conf_proto proto)
{
	static struct diag_ports now[2];
	int rc;

	if (!is_any_wanted(s->conf, proto) || !is_time(m, proto))
		return;
	rc = diag_read_loopback(&m->diag, proto == CONF_TCP, now);
	if (rc < 0) {
		if (rc != -EINTR) {	/* the rest of an answer may still come */
			diag_close(&m->diag);
			diag_open(&m->diag);
		}
		return;
	}
	if (proto == CONF_UDP && s->conf->udp_mirrors_tcp)
		add_tcp(m, now);
	if (!m->more[proto] && memcmp(now, m->seen[proto], sizeof(now)) == 0)
		return;
	if (proto == CONF_TCP)
		m->udp_hint = UINT64_MAX;	/* UDP is due */
	memcpy(m->seen[proto], now, sizeof(now));
	compare(m, s, proto, now);
}

void mirror_tick(struct mirror *m, struct serve *s)
{
	if (!m->look_ms || s->now_ms < m->look_ms)
		return;
	m->look_ms = s->now_ms + MIRROR_LOOK_MS;
	if (m->agent != s->nsagent->pid) {
		m->agent = s->nsagent->pid;
		forget(m, MIRROR_ASKED);
	}
	if (s->now_ms >= m->again_ms) {
		m->again_ms = s->now_ms + MIRROR_AGAIN_MS;
		forget(m, MIRROR_REFUSED);
	}
	look(m, s, CONF_TCP);
	look(m, s, CONF_UDP);
}

/* Its place in the table, or -1. */
static int adopt(struct serve *s, const struct msg_listen_done *done, int fd)
{
	const struct forward f = {
		.addr = done->addr, .port = done->port, .to_port = done->port,
		.proto = (uint8_t)done->proto, .reverse = true, .rule = RULE, .sock = fd,
	};
	struct err e = ERR_INIT;
	int place = publish_adopt(s->publish, &f, &e);

	if (place < 0)
		log_warn("%s", e.msg);
	else
		serve_tell(s, MSG_FORWARD_OPEN, (uint32_t)place);
	return place;
}

int mirror_opened(struct mirror *m, struct serve *s, const struct msg_listen_done *done, int fd)
{
	uint8_t *is;

	if (!msg_listen_done_ok(done) || !done->error != (fd >= 0) || !m->look_ms) {
		fd_drop(&fd);
		return -EBADMSG;
	}
	is = &m->ports[done->port][done->proto][!addr_is4(&done->addr)];
	if (*is != MIRROR_ASKED) {
		fd_drop(&fd);
		return -EBADMSG;
	}
	*is = fd >= 0 && adopt(s, done, fd) >= 0 ? MIRROR_OPEN : MIRROR_REFUSED;
	log_debug("reverse auto proto=%s port=%u %s", conf_proto_names[done->proto], done->port,
		  done->error ? strerror(-done->error) : "open");
	return 0;
}
