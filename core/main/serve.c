/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/serve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/log.h"
#include "conf/forward.h"
#include "main/msg.h"
#include "main/report.h"
#include "main/supply.h"

/* --- the engine ------------------------------------------------------------- */

/* Without an engine there is nobody to tell: the next one inherits the table. */
static int await_engine(struct serve *s, short events)
{
	struct pollfd p = { .fd = s->engine->sock, .events = events };
	const uint64_t used_us = child_cpu_us(s->engine);
	int n;

	if (p.fd < 0)
		return -EPIPE;
	do {
		n = poll(&p, 1, SERVE_ENGINE_MS);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	s->used_us = child_cpu_us(s->engine);
	s->used_us -= MIN_OF(used_us, s->used_us);
	return -ETIMEDOUT;
}

/* It does not do what it is told: the next one inherits that. (An order does not wait for
 * what main/hang.h would find by itself.) */
static void replace_engine(struct serve *s, int rc)
{
	if (rc == -ETIMEDOUT)
		child_kill(s->engine, "it did not answer for %d s and used %.2f s of CPU time"
			   " meanwhile", SERVE_ENGINE_MS / 1000, (double)s->used_us / 1e6);
	else if (rc < 0 && rc != -EPIPE)
		child_give_up(s->engine, rc);
}

static int tell_engine(struct serve *s, const void *m, size_t len, int fd)
{
	int rc = await_engine(s, POLLOUT);

	return rc < 0 ? rc : msg_send(s->engine->sock, m, len, fd);
}

/* Tells it that, and waits for the answer of that kind: an older one may come first. */
static int ask_engine(struct serve *s, const struct msg_forward *question, uint32_t kind)
{
	struct msg_engine m = { .kind = 0 };
	int rc = tell_engine(s, question, sizeof(*question), -1);

	while (rc == 0 && !(m.kind == kind && m.seq == question->seq)) {
		rc = await_engine(s, POLLIN);
		if (rc == 0)
			rc = msg_recv(s->engine->sock, &m, sizeof(m), NULL);
		if (rc == 0 && !msg_engine_ok(&m))
			rc = -EBADMSG;
		if (rc == 0 && m.kind == MSG_INNER_WANTED)
			supply_ask(s->nsagent, &m);
		if (rc == 0 && m.kind == MSG_RUNNING)
			child_up(s->engine);
		s->tap_gone |= rc == 0 && m.kind == MSG_TAP_GONE;
		if (rc == 0 && m.kind == MSG_STREAM_GONE)
			s->stream_gone = (struct serve_stream){ m.seq, m.why };
	}
	return rc;
}

/* Waits until the engine has done all it was told. */
static int sync_engine(struct serve *s)
{
	return ask_engine(s, &(struct msg_forward){ .kind = MSG_SYNC }, MSG_SYNCED);
}

/* A copy of the page with the flows from that place on. Who only looks does not end an
 * engine that is slow: its answer, when it comes, is to a question that is over. */
static int view_flows(struct serve *s, uint32_t from, struct view_page *ret)
{
	const struct msg_forward m = { .kind = MSG_VIEW, .idx = from, .seq = ++*s->asked };
	int rc = ask_engine(s, &m, MSG_VIEWED);

	if (rc == -EBADMSG)
		child_give_up(s->engine, rc);
	if (rc < 0)
		return rc;
	memcpy(ret, s->page, sizeof(*ret));
	return view_ok(ret) ? 0 : -EBADMSG;
}

void serve_tell(struct serve *s, uint32_t kind, uint32_t place)
{
	const struct msg_forward m = {
		.kind = kind, .idx = place, .forward = s->publish->list[place],
	};
	int rc = tell_engine(s, &m, sizeof(m), kind == MSG_FORWARD_OPEN ? m.forward.sock : -1);

	replace_engine(s, rc);
}

void serve_tell_network(struct serve *s)
{
	const struct msg_network m = { .kind = MSG_NETWORK, .net = *s->net };
	int rc = tell_engine(s, &m, sizeof(m), -1);

	replace_engine(s, rc);
}

void serve_capture(struct serve *s, uint32_t place, const struct capture_order *order)
{
	const struct msg_capture m = { .kind = MSG_CAPTURE, .place = place, .order = *order };
	int rc = tell_engine(s, &m, sizeof(m), -1);

	replace_engine(s, rc);
}

void serve_connection(struct serve *s, int fd, uint32_t seq)
{
	const struct msg_stream m = { .kind = MSG_STREAM, .seq = seq };
	int rc = tell_engine(s, &m, sizeof(m), fd);

	replace_engine(s, rc);
}

void serve_sync(struct serve *s)
{
	int rc = sync_engine(s);

	replace_engine(s, rc);
}

void serve_resolvers(struct serve *s, const struct resolvers *r)
{
	const struct msg_resolvers m = { .kind = MSG_RESOLVERS, .resolvers = *r };
	int rc = await_engine(s, POLLOUT);

	if (rc == 0)
		rc = msg_send(s->engine->sock, &m, sizeof(m), -1);
	replace_engine(s, rc);
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

static void add_rule(struct serve *s, const struct conf_forward *asked, struct control_answer *a)
{
	struct conf_forward rule = *asked;
	int at;

	rule.from = ORIGIN_COMMAND;
	if (rule.kind != CONF_FORWARD_PORTS) {
		err_set(&a->err, ERR_CONFIG, "forward: only ports can be added at run time");
		return;
	}
	at = publish_add(s->publish, s->conf, s->net, &rule, &a->err);
	if (at < 0)
		return;
	pass_on(s, MSG_FORWARD_OPEN, s->publish->ids[at]);
	log_rule("added", &rule);
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
	default:
		break;
	}
}

static void answer_rules(struct serve *s, const struct control_request *r, struct jsonout *o)
{
	static struct control_answer a;		/* large: not on the stack */

	serve_request(s, r, &a);
	if (a.err.code)
		report_error(o, &a.err);
	else
		report_rules(o, s, &a);
}

/* There is an engine, and it says nothing. */
static bool is_hung(const struct serve *s, int rc)
{
	return rc == -ETIMEDOUT && s->engine->up;
}

/* Why there is no answer of the engine, and what helps. One that loops on a busy machine gets
 * little CPU, one that is stopped gets none. */
static void explain(const struct serve *s, int rc, struct err *e)
{
	if (is_hung(s, rc) && s->used_us > SERVE_ENGINE_MS * UINT64_C(100)) {
		err_set(e, ERR_AGAIN, "the engine does not answer: one thing has it busy for more than"
			" a second");
		err_hint(e, "it is replaced if that lasts: try again in some seconds");
	} else if (is_hung(s, rc)) {
		err_set(e, ERR_AGAIN, "the engine does not answer: process %d is stopped, or gets no"
			" CPU", (int)s->engine->pid);
		err_hint(e, "kill -CONT %d, if somebody stopped it; else try again",
			 (int)s->engine->pid);
	} else if (child_is_failing(s->engine, s->now_ms)) {
		err_set(e, ERR_AGAIN, "there is no engine now: it dies again and again");
		err_hint(e, "the daemon's log says what it dies of");
	} else {
		err_set(e, ERR_AGAIN, "the engine is being started again");
		err_hint(e, "try once more");
	}
}

static void answer_flows(struct serve *s, uint32_t from, struct jsonout *o)
{
	static struct view_page page;
	int rc = view_flows(s, from, &page);
	struct err e = ERR_INIT;

	if (rc == 0) {
		report_flows(o, &page);
		return;
	}
	explain(s, rc, &e);
	report_error(o, &e);
}

/* Counters are there without the engine, gauges are not. */
static void answer_stats(struct serve *s, struct jsonout *o)
{
	static struct view_page page;
	int rc = view_flows(s, VIEW_END, &page);

	report_stats(o, s, rc == 0 ? &page : NULL, is_hung(s, rc));
}

void serve_line(struct serve *s, const struct control_request *r, struct jsonout *o)
{
	switch (r->verb) {
	case CONTROL_SHOW:
		report_show(o, s);
		break;
	case CONTROL_STATS:
		answer_stats(s, o);
		break;
	case CONTROL_COUNTERS:
		report_counters(o);
		break;
	case CONTROL_FLOWS:
		answer_flows(s, r->from, o);
		break;
	default:
		answer_rules(s, r, o);
		break;
	}
}
