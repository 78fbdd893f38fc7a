/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/follow.h"

#include <string.h>

#include "base/log.h"
#include "conf/forward.h"
#include "io/listen.h"

static bool follows(const struct conf_forward *rule, enum conf_proto proto)
{
	if (rule->proto != proto)
		return false;
	return rule->kind == CONF_FORWARD_AUTO ||
	       (rule->kind == CONF_FORWARD_PORTS && rule->ready);
}

bool follow_wanted(const struct conf *c, enum conf_proto proto)
{
	for (uint32_t i = 0; i < c->nforwards; i++)
		if (follows(&c->forwards[i], proto))
			return true;
	return false;
}

/* A rule as a range of ports; "auto" is that of all. */
struct span {
	uint32_t first, last, to_first;
};

static struct span span_of(const struct conf_forward *rule)
{
	if (rule->kind == CONF_FORWARD_AUTO)
		return (struct span){ 1, UINT16_MAX, 1 };
	return (struct span){ rule->first, rule->last, rule->to_first };
}

/* Whether a rule of its own is for that port of the host. */
static bool is_explicit(const struct conf *c, enum conf_proto proto, uint32_t port)
{
	for (uint32_t i = 0; i < c->nforwards; i++)
		if (c->forwards[i].kind == CONF_FORWARD_PORTS && c->forwards[i].proto == proto &&
		    c->forwards[i].first <= port && port <= c->forwards[i].last)
			return true;
	return false;
}

/* Whether a program of the container listens where the rule leads. */
static bool is_served(const struct conf *c, const struct msg_ports *m,
		      const struct conf_forward *rule, uint32_t to_port)
{
	if (c->splice_only && addr_is_any(&rule->to))
		return diag_has(&m->loopback[0], to_port) || diag_has(&m->loopback[1], to_port);
	return diag_has(addr_is_loopback(&rule->to) ? &m->loopback[!addr_is4(&rule->to)] : &m->ports,
			to_port);
}

static bool is_wanted(const struct conf *c, const struct conf_forward *rule,
		      const struct msg_ports *m, uint32_t port)
{
	const struct span r = span_of(rule);

	if (!is_served(c, m, rule, r.to_first + (port - r.first)) ||
	    forward_excepted(c->forwards, c->nforwards, rule->proto, (uint16_t)port))
		return false;
	return rule->kind == CONF_FORWARD_PORTS || !is_explicit(c, rule->proto, port);
}

/* The listeners of a rule stay bound and start or stop to listen. */
static void toggle_rule(struct serve *s, uint32_t at, const struct msg_ports *m)
{
	struct publish *p = s->publish;
	int rc;

	for (uint32_t i = publish_next(p, 0, p->ids[at]); i != FORWARD_NONE;
	     i = publish_next(p, i + 1, p->ids[at])) {
		struct forward *f = &p->list[i];
		bool idle = !is_served(s->conf, m, &s->conf->forwards[at], f->to_port);

		if (f->idle == idle)
			continue;
		rc = idle ? listen_stop(f) : listen_start(f);
		if (rc == 0)
			f->idle = idle;
		else
			log_warn("forward port=%u cannot follow the container: %s", f->port,
				 strerror(-rc));
	}
}

/* The listeners of a rule are opened and closed. */
static void reopen_rule(struct serve *s, uint32_t at, const struct msg_ports *m)
{
	const struct conf_forward *rule = &s->conf->forwards[at];
	const struct span r = span_of(rule);
	static struct diag_ports have;
	struct publish *p = s->publish;

	memset(&have, 0, sizeof(have));
	for (uint32_t i = publish_next(p, 0, p->ids[at]); i != FORWARD_NONE;
	     i = publish_next(p, i + 1, p->ids[at])) {
		uint16_t port = p->list[i].port;

		if (is_wanted(s->conf, rule, m, port)) {
			have.bits[port / 8] |= (uint8_t)(1u << (port % 8));
			continue;
		}
		serve_tell(s, MSG_FORWARD_CLOSE, i);
		publish_close_place(p, i);
	}
	for (uint32_t port = r.first; port <= r.last; port++) {
		uint32_t i;

		if (diag_has(&have, port) || !is_wanted(s->conf, rule, m, port))
			continue;
		i = publish_open_place(p, s->conf, s->net, at, (uint16_t)port, s->now_ms);
		if (i != FORWARD_NONE)
			serve_tell(s, MSG_FORWARD_OPEN, i);
	}
}

void follow_ports(struct serve *s, const struct msg_ports *m)
{
	for (uint32_t i = 0; i < s->conf->nforwards; i++) {
		const struct conf_forward *rule = &s->conf->forwards[i];

		if (!follows(rule, (enum conf_proto)m->proto))
			continue;
		if (rule->kind == CONF_FORWARD_PORTS && rule->proto == CONF_TCP)
			toggle_rule(s, i, m);
		else if (rule->kind == CONF_FORWARD_AUTO || rule->first)
			reopen_rule(s, i, m);
		/* UDP on a port that the kernel picked stays: it would pick another */
	}
}
