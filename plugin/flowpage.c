/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/flowpage.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"

static const char *const end_names[FLOW_ENDS] = { "inner", "remote", "outer" };

static void read_end(struct scan *s, struct flow_row *r, enum flow_end end)
{
	bool first = true;

	scan_open(s, '{');
	while (scan_more(s, '}', &first)) {
		struct scan_text key = scan_key(s);

		if (scan_is(key, "address"))
			r->end[end].address = scan_string(s);
		else if (scan_is(key, "port"))
			r->end[end].port = scan_number(s);
		else
			scan_skip(s);
	}
}

static bool read_text(struct scan *s, struct flow_row *r, struct scan_text key)
{
	struct scan_text *to = scan_is(key, "protocol") ? &r->proto :
			       scan_is(key, "state") ? &r->state :
			       scan_is(key, "path") ? &r->path : NULL;

	if (to)
		*to = scan_string(s);
	return to != NULL;
}

static bool read_number(struct scan *s, struct flow_row *r, struct scan_text key)
{
	const struct {
		const char *name;
		uint64_t *to;
	} numbers[] = {
		{ "age_ms", &r->age_ms }, { "idle_ms", &r->idle_ms },
		{ "tx_bytes", &r->tx_bytes }, { "rx_bytes", &r->rx_bytes },
		{ "window", &r->window }, { "own_window", &r->own_window },
		{ "held_bytes", &r->held_bytes }, { "rtt_us", &r->rtt_us },
		{ "retransmits", &r->retransmits },
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (scan_is(key, numbers[i].name)) {
			*numbers[i].to = scan_number(s);
			r->has_window |= numbers[i].to == &r->window;
			r->has_rtt |= numbers[i].to == &r->rtt_us;
			return true;
		}
	return false;
}

static bool read_object(struct scan *s, struct flow_row *r, struct scan_text key)
{
	for (enum flow_end i = FLOW_INNER; i < FLOW_ENDS; i++)
		if (scan_is(key, end_names[i])) {
			read_end(s, r, i);
			return true;
		}
	return false;
}

static void read_flow(struct scan *s, struct flow_row *r)
{
	bool first = true;

	*r = (struct flow_row){ .whole = { s->p, 0 } };
	for (enum flow_end i = FLOW_INNER; i < FLOW_ENDS; i++)
		r->end[i].address = (struct scan_text){ "", 0 };
	r->proto = r->state = r->path = (struct scan_text){ "", 0 };
	scan_open(s, '{');
	while (scan_more(s, '}', &first)) {
		struct scan_text key = scan_key(s);

		if (scan_is(key, "inbound"))
			r->inbound = scan_bool(s);
		else if (!read_text(s, r, key) && !read_number(s, r, key) &&
			 !read_object(s, r, key))
			scan_skip(s);
	}
	r->whole.n = (size_t)(s->p - r->whole.p);
}

static struct flow_row *fresh(struct flow_list *l)
{
	size_t cap = l->cap ? l->cap * 2 : 256;
	struct flow_row *p;

	if (l->n < l->cap)
		return &l->rows[l->n];
	p = realloc(l->rows, cap * sizeof(*p));
	if (!p)
		return NULL;
	l->rows = p;
	l->cap = cap;
	return &l->rows[l->n];
}

static int read_flows(struct scan *s, bool (*keep)(const struct flow_row *r, void *arg),
		      void *arg, struct flow_list *ret)
{
	bool first = true;

	scan_open(s, '[');
	while (scan_more(s, ']', &first)) {
		struct flow_row *r = fresh(ret);

		if (!r)
			return -ENOMEM;
		read_flow(s, r);
		ret->n += !s->bad && keep(r, arg);
	}
	return 0;
}

int flowpage_read(const char *text, size_t len, bool (*keep)(const struct flow_row *r, void *arg),
		  void *arg, struct flow_list *ret)
{
	struct scan s = scan_init(text, len);
	bool first = true, ok = false, any = false;
	int rc = 0;

	scan_open(&s, '{');
	while (rc == 0 && scan_more(&s, '}', &first)) {
		struct scan_text key = scan_key(&s);

		if (scan_is(key, "ok")) {
			ok = scan_bool(&s);
		} else if (scan_is(key, "flows")) {
			any = true;
			rc = read_flows(&s, keep, arg, ret);
		} else {
			scan_skip(&s);
		}
	}
	if (rc == 0 && (!ok || !any || !scan_end(&s)))
		rc = -EBADMSG;
	return rc;
}

/* The last member, as the daemon writes it. Another order, from a later version, only
 * costs the caller what flowpage_read() finds out. */
bool flowpage_next(const char *text, size_t len, uint64_t *ret)
{
	static const char name[] = ",\"next\":";
	const size_t most = 48, n = sizeof(name) - 1;
	const char *tail = len > most ? text + len - most : text;
	const char *at = memmem(tail, (size_t)(text + len - tail), name, n);
	struct scan s;

	if (!at)
		return false;
	s = scan_init(at + n, (size_t)(text + len - at) - n);
	*ret = scan_number(&s);
	return !s.bad;
}

char *flowpage_hold(struct flow_list *l, const char *text, size_t len)
{
	if (l->npages == l->pages_cap) {
		size_t cap = l->pages_cap ? l->pages_cap * 2 : 64;
		char **p = realloc(l->pages, cap * sizeof(*p));

		if (!p)
			return NULL;
		l->pages = p;
		l->pages_cap = cap;
	}
	l->pages[l->npages] = malloc(len ? len : 1);
	if (!l->pages[l->npages])
		return NULL;
	memcpy(l->pages[l->npages], text, len);
	return l->pages[l->npages++];
}

void flowpage_drop(struct flow_list *l)
{
	for (size_t i = 0; i < l->npages; i++)
		free(l->pages[i]);
	free(l->pages);
	free(l->rows);
	*l = (struct flow_list){ .n = 0 };
}

const char *flowpage_text(struct scan_text t, char *buf, size_t size)
{
	size_t n = MIN_OF(t.n, size - 1);

	memcpy(buf, t.p, n);
	buf[n] = '\0';
	return buf;
}

bool flowpage_address(const struct flow_row *r, enum flow_end end, struct addr *ret)
{
	char text[ADDR_STRLEN];

	return r->end[end].address.n < sizeof(text) &&
	       addr_parse(flowpage_text(r->end[end].address, text, sizeof(text)), ret) == 0;
}
