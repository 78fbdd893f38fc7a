/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/serve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/log.h"
#include "conf/forward.h"
#include "main/msg.h"
#include "main/supply.h"

/* --- the engine ------------------------------------------------------------- */

/* Without an engine there is nobody to tell: the next one inherits the table. */
static int await_engine(struct serve *s, short events)
{
	struct pollfd p = { .fd = s->engine->sock, .events = events };
	int n;

	if (p.fd < 0)
		return -EPIPE;
	do {
		n = poll(&p, 1, SERVE_ENGINE_MS);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : -ETIMEDOUT;
}

static int tell_engine(struct serve *s, const void *m, size_t len, int fd)
{
	int rc = await_engine(s, POLLOUT);

	return rc < 0 ? rc : msg_send(s->engine->sock, m, len, fd);
}

/* Waits until the engine has done all it was told. */
static int sync_engine(struct serve *s)
{
	const struct msg_forward sync = { .kind = MSG_SYNC };
	struct msg_engine m = { .kind = 0 };
	int rc = tell_engine(s, &sync, sizeof(sync), -1);

	while (rc == 0 && m.kind != MSG_SYNCED) {
		rc = await_engine(s, POLLIN);
		if (rc == 0)
			rc = msg_recv(s->engine->sock, &m, sizeof(m), NULL);
		if (rc == 0 && !msg_engine_ok(&m))
			rc = -EBADMSG;
		if (rc == 0 && m.kind == MSG_INNER_WANTED)
			supply_ask(s->nsagent, &m);
		s->tap_gone |= rc == 0 && m.kind == MSG_TAP_GONE;
	}
	return rc;
}

void serve_tell(struct serve *s, uint32_t kind, uint32_t place)
{
	const struct msg_forward m = {
		.kind = kind, .idx = place, .forward = s->publish->list[place],
	};
	int rc = tell_engine(s, &m, sizeof(m), kind == MSG_FORWARD_OPEN ? m.forward.sock : -1);

	if (rc < 0 && rc != -EPIPE)
		child_give_up(s->engine, rc);
}

void serve_tell_network(struct serve *s)
{
	const struct msg_network m = { .kind = MSG_NETWORK, .net = *s->net };
	int rc = tell_engine(s, &m, sizeof(m), -1);

	if (rc < 0 && rc != -EPIPE)
		child_give_up(s->engine, rc);
}

void serve_sync(struct serve *s)
{
	int rc = sync_engine(s);

	if (rc < 0 && rc != -EPIPE)
		child_give_up(s->engine, rc);
}

/* The listeners of a rule are opened or closed there, and it is done on return. */
static void pass_on(struct serve *s, uint32_t kind, uint32_t id)
{
	for (uint32_t i = publish_next(s->publish, 0, id); i != FORWARD_NONE;
	     i = publish_next(s->publish, i + 1, id))
		serve_tell(s, kind, i);
	serve_sync(s);
}

/* --- the requests ------------------------------------------------------------- */

static int find_rule(const struct conf *c, const struct conf_forward *rule, struct err *e)
{
	char text[FORWARD_STRLEN];

	for (uint32_t i = 0; i < c->nforwards; i++)
		if (conf_forward_eq(&c->forwards[i], rule))
			return (int)i;
	return err_set(e, ERR_CONFIG, "forward.%s: \"%s\" is no rule of this attachment",
		       conf_proto_names[rule->proto], forward_format(rule, text));
}

static void log_rule(const char *what, const struct conf_forward *rule)
{
	char text[FORWARD_STRLEN];

	log_info("forward %s proto=%s rule=%s", what, conf_proto_names[rule->proto],
		 forward_format(rule, text));
}

static void add_rule(struct serve *s, const struct conf_forward *rule, struct control_answer *a)
{
	int at;

	if (rule->kind != CONF_FORWARD_PORTS) {
		err_set(&a->err, ERR_CONFIG, "forward: only ports can be added at run time");
		return;
	}
	at = publish_add(s->publish, s->conf, s->net, rule, &a->err);
	if (at < 0)
		return;
	pass_on(s, MSG_FORWARD_OPEN, s->publish->ids[at]);
	log_rule("added", rule);
	publish_describe(s->publish, s->conf, (uint32_t)at, &a->rules[a->nrules++]);
}

static void del_rule(struct serve *s, const struct conf_forward *rule, struct control_answer *a)
{
	int at = find_rule(s->conf, rule, &a->err);

	if (at < 0)
		return;
	pass_on(s, MSG_FORWARD_CLOSE, s->publish->ids[at]);
	log_rule("deleted", rule);
	publish_del(s->publish, s->conf, (uint32_t)at);
}

static void list_rules(struct serve *s, struct control_answer *a)
{
	for (uint32_t i = 0; i < s->conf->nforwards; i++)
		publish_describe(s->publish, s->conf, i, &a->rules[a->nrules++]);
}

void serve_request(struct serve *s, const struct control_request *r, struct control_answer *a)
{
	a->magic = CONTROL_MAGIC;
	a->nrules = 0;
	a->err = ERR_INIT;
	switch (r->verb) {
	case CONTROL_LIST:
		list_rules(s, a);
		break;
	case CONTROL_ADD:
		add_rule(s, &r->rule, a);
		break;
	case CONTROL_DEL:
		del_rule(s, &r->rule, a);
		break;
	}
}
