/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/forward.h"

#include <stddef.h>

void forward_init(struct forwardtab *t, struct forward *list, uint32_t n)
{
	*t = (struct forwardtab){ .list = list, .n = n };
	for (int i = 0; i < CONF_PROTO_COUNT; i++)
		t->queue[i] = (struct forward_queue){ FORWARD_NONE, FORWARD_NONE, 0 };
}

struct forward *forward_at(const struct forwardtab *t, uint32_t idx)
{
	return idx < t->n && t->list[idx].sock >= 0 ? &t->list[idx] : NULL;
}

void forward_enqueue(struct forwardtab *t, struct forward *f)
{
	struct forward_queue *q = &t->queue[f->proto];
	uint32_t idx = forward_idx(t, f);

	if (f->queued)
		return;
	f->queued = true;
	f->queue_next = FORWARD_NONE;
	if (q->n++)
		t->list[q->tail].queue_next = idx;
	else
		q->head = idx;
	q->tail = idx;
}

struct forward *forward_dequeue(struct forwardtab *t, enum conf_proto proto)
{
	struct forward_queue *q = &t->queue[proto];
	struct forward *f;

	if (!q->n)
		return NULL;
	f = &t->list[q->head];
	q->head = f->queue_next;
	q->n--;
	f->queued = false;
	return f;
}

void forward_unqueue(struct forwardtab *t, struct forward *f)
{
	struct forward_queue *q = &t->queue[f->proto];
	uint32_t idx = forward_idx(t, f), before = FORWARD_NONE, *link = &q->head;

	if (!f->queued)
		return;
	while (*link != idx) {
		before = *link;
		link = &t->list[before].queue_next;
	}
	*link = f->queue_next;
	if (q->tail == idx)
		q->tail = before;
	q->n--;
	f->queued = false;
}

void forward_set(struct forwardtab *t, uint32_t idx, const struct forward *f)
{
	/* Places that an earlier table never used hold zeros: descriptor 0. */
	while (t->n <= idx)
		t->list[t->n++].sock = -1;
	t->list[idx] = *f;
	t->list[idx].queued = false;
	t->list[idx].flows = 0;
}
