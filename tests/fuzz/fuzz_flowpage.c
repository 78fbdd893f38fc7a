/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes plugin/flowpage.c and plugin/json/scan.c: a page of flows as a daemon sends it that
 * may have been taken over. Every text kept lies within the page, and a page that is read
 * is read the same way again. */
#include "fuzz.h"

#include "plugin/flowpage.h"

struct page {
	const char *text;
	size_t len, met;
};

static void within(const struct page *p, struct scan_text t)
{
	FUZZ_HOLDS(t.n == 0 || (t.p >= p->text && t.p + t.n <= p->text + p->len));
}

static bool keep(const struct flow_row *r, void *arg)
{
	struct page *p = arg;
	struct addr a;
	char text[16];

	within(p, r->whole);
	within(p, r->proto);
	within(p, r->state);
	within(p, r->path);
	FUZZ_HOLDS(r->whole.n >= 2 && r->whole.p[0] == '{' && r->whole.p[r->whole.n - 1] == '}');
	for (enum flow_end i = FLOW_INNER; i < FLOW_ENDS; i++) {
		within(p, r->end[i].address);
		flowpage_address(r, i, &a);
	}
	FUZZ_HOLDS(strlen(flowpage_text(r->proto, text, sizeof(text))) < sizeof(text));
	return p->met++ % 2 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct page p = { .text = (const char *)data, .len = size };
	struct page again = p;
	struct flow_list l = { .n = 0 }, m = { .n = 0 };
	uint64_t next;
	int rc = flowpage_read(p.text, p.len, keep, &p, &l);

	FUZZ_HOLDS(flowpage_read(p.text, p.len, keep, &again, &m) == rc);
	FUZZ_HOLDS(p.met == again.met && l.n == m.n && l.n == (p.met + 1) / 2);
	flowpage_next(p.text, p.len, &next);
	flowpage_drop(&l);
	flowpage_drop(&m);
	return 0;
}
