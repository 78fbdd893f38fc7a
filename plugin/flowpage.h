/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flowpage: the daemon's pages of flows (cni-passt-control(7)) as records that can be
 * filtered, sorted and printed. Ten thousand of them are some megabytes of JSON: read by
 * scan.h, in one pass, without an object for each.
 */
#ifndef PLUGIN_FLOWPAGE_H
#define PLUGIN_FLOWPAGE_H

#include "base/addr.h"
#include "plugin/json/scan.h"

enum flow_end { FLOW_INNER, FLOW_REMOTE, FLOW_OUTER, FLOW_ENDS };

/* What is known of one flow. Texts are places in the page's. */
struct flow_row {
	struct scan_text whole;		/* all of it, as the daemon wrote it */
	struct scan_text proto, state, path;
	struct {
		struct scan_text address;
		uint64_t port;
	} end[FLOW_ENDS];
	uint64_t age_ms, idle_ms, tx_bytes, rx_bytes, window, own_window, held_bytes, rtt_us,
		 retransmits;
	bool inbound, has_window, has_rtt;
};

struct flow_list {
	struct flow_row *rows;
	size_t n, cap;
	char **pages;		/* the texts, owned */
	size_t npages, pages_cap;
};

/* Where the next page begins, looked up at the page's end: true if there is one. */
bool flowpage_next(const char *text, size_t len, uint64_t *ret);

/* Adds the page's flows. `keep` says which ones, with `arg`. Copies nothing of the text. 0,
 * -EBADMSG where it does not decode or is not a page, or -ENOMEM. */
int flowpage_read(const char *text, size_t len, bool (*keep)(const struct flow_row *r, void *arg),
		  void *arg, struct flow_list *ret);

/* A copy of a text that lives as long as the list; NULL: out of memory. */
char *flowpage_hold(struct flow_list *l, const char *text, size_t len);

void flowpage_drop(struct flow_list *l);

/* Into buf, ended by NUL; cut where it does not fit. Returns buf. */
const char *flowpage_text(struct scan_text t, char *buf, size_t size);

bool flowpage_address(const struct flow_row *r, enum flow_end end, struct addr *ret);

#endif
