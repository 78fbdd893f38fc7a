/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/framing.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MOVE_AT_ONCE	4096u	/* so few bytes go to the front, where it is warm in the cache */

static_assert(2 * FRAMING_READ <= FRAMING_IN && FRAMING_WORD + FRAMING_MOST <= FRAMING_READ,
	      "what is left of a frame can be moved to the front, and one read fits behind it");

static struct framing_way *other(struct framing_way way[2], uint32_t now)
{
	struct framing_way *w = &way[!now];

	memset(w, 0, sizeof(*w));
	return w;
}

/* From here on the other one counts: a single store, and nothing before it comes later. */
static void flip(uint32_t *now)
{
	__atomic_store_n(now, !*now, __ATOMIC_RELEASE);
}

static void put_word(uint8_t at[FRAMING_WORD], size_t len)
{
	for (size_t i = 0; i < FRAMING_WORD; i++)
		at[i] = (uint8_t)(len >> (8 * (FRAMING_WORD - 1 - i)));
}

static uint32_t get_word(const uint8_t at[FRAMING_WORD])
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void framing_reset(struct framing *f, uint32_t seq)
{
	f->seq = 0;		/* until it is done, it is nobody's */
	memset(f->in, 0, sizeof(f->in));
	memset(f->out, 0, sizeof(f->out));
	f->in_now = f->out_now = 0;
	f->guest = (struct mac){ .b = { 0 } };
	__atomic_store_n(&f->seq, seq, __ATOMIC_RELEASE);
}

/* --- in ------------------------------------------------------------------- */

static uint32_t in_tail(const struct framing_way *w)
{
	return w->tail + w->m.msg_len;
}

struct mmsghdr *framing_reading(struct framing *f, struct iovec *room)
{
	const struct framing_way *was = &f->in[f->in_now];
	struct framing_way *w = other(f->in, f->in_now);
	uint32_t tail = in_tail(was), rest = tail - was->head;
	bool full = tail + FRAMING_READ > FRAMING_IN;

	w->head = was->head;
	w->tail = tail;
	/* Never over itself: the old place must be good until the new one counts. */
	if (rest <= was->head && (rest <= MOVE_AT_ONCE || full)) {
		memcpy(f->in_bytes, f->in_bytes + was->head, rest);
		w->head = 0;
		w->tail = rest;
	}
	assert(w->tail + FRAMING_READ <= FRAMING_IN);
	*room = (struct iovec){ f->in_bytes + w->tail, FRAMING_READ };
	w->m.msg_hdr.msg_iov = room;
	w->m.msg_hdr.msg_iovlen = 1;
	flip(&f->in_now);
	return &w->m;
}

bool framing_has(const struct framing *f)
{
	const struct framing_way *w = &f->in[f->in_now];
	uint32_t have = in_tail(w) - w->head, len;

	if (have < FRAMING_WORD)
		return false;
	len = get_word(f->in_bytes + w->head);
	return len < FRAMING_LEAST || len > FRAMING_MOST || have - FRAMING_WORD >= len;
}

/* A frame is over before it is looked at: one that is an engine's end is not the next
 * one's too. */
int framing_next(struct framing *f, uint8_t **frame, uint32_t *len)
{
	struct framing_way *w = &f->in[f->in_now];
	uint8_t *at = f->in_bytes + w->head;

	if (!framing_has(f))
		return 0;
	*len = get_word(at);
	if (*len < FRAMING_LEAST || *len > FRAMING_MOST)
		return -EBADMSG;
	*frame = at + FRAMING_WORD;
	__atomic_store_n(&w->head, w->head + FRAMING_WORD + *len, __ATOMIC_RELEASE);
	return 1;
}

/* --- out ------------------------------------------------------------------ */

uint32_t framing_waiting(const struct framing *f)
{
	const struct framing_way *w = &f->out[f->out_now];

	return w->tail - w->head;
}

static void copy(uint8_t *to, const struct iovec *iov, int n, size_t skip)
{
	for (int i = 0; i < n; i++) {
		size_t pass = skip < iov[i].iov_len ? skip : iov[i].iov_len;

		memcpy(to, (const uint8_t *)iov[i].iov_base + pass, iov[i].iov_len - pass);
		to += iov[i].iov_len - pass;
		skip -= pass;
	}
}

/* What waits goes to the front, unless it would go over itself. */
static void make_room(struct framing *f)
{
	const struct framing_way *was = &f->out[f->out_now];
	uint32_t rest = was->tail - was->head;
	struct framing_way *w;

	if (rest > was->head)
		return;
	w = other(f->out, f->out_now);
	memcpy(f->out_bytes, f->out_bytes + was->head, rest);
	w->tail = rest;
	flip(&f->out_now);
}

bool framing_put(struct framing *f, const struct iovec *iov, int n, size_t len)
{
	struct framing_way *w;
	uint8_t *at;

	assert(len >= FRAMING_LEAST && len <= FRAMING_MOST);
	if (f->out[f->out_now].tail + FRAMING_WORD + len > FRAMING_OUT)
		make_room(f);
	w = &f->out[f->out_now];
	if (w->tail + FRAMING_WORD + len > FRAMING_OUT)
		return false;
	at = f->out_bytes + w->tail;
	put_word(at, len);
	copy(at + FRAMING_WORD, iov, n, 0);
	__atomic_store_n(&w->tail, w->tail + FRAMING_WORD + (uint32_t)len, __ATOMIC_RELEASE);
	return true;
}

struct mmsghdr *framing_writing(struct framing *f, struct iovec *pieces, const struct iovec *iov,
				int n, size_t len)
{
	const struct framing_way *was = &f->out[f->out_now];
	struct framing_way *w = other(f->out, f->out_now);
	int k = 0;

	w->head = was->head;
	w->tail = was->tail;
	if (w->tail > w->head)
		pieces[k++] = (struct iovec){ f->out_bytes + w->head, w->tail - w->head };
	if (n) {
		assert(len >= FRAMING_LEAST && len <= FRAMING_MOST && n <= FRAMING_IOV);
		w->direct = FRAMING_WORD + (uint32_t)len;
		put_word(w->word, len);
		pieces[k++] = (struct iovec){ w->word, FRAMING_WORD };
		memcpy(pieces + k, iov, (size_t)n * sizeof(*iov));
		k += n;
	}
	w->m.msg_hdr.msg_iov = pieces;
	w->m.msg_hdr.msg_iovlen = (size_t)k;
	flip(&f->out_now);
	return &w->m;
}

/* The rest of a frame of which that many bytes went; iov NULL: it is lost, zeros stand
 * in, and the guest drops what they make of it. Returns its length. */
static uint32_t keep_rest(struct framing *f, const struct framing_way *was, uint32_t gone,
			  const struct iovec *iov, int n)
{
	uint32_t word = gone < FRAMING_WORD ? FRAMING_WORD - gone : 0;
	uint32_t body = gone < FRAMING_WORD ? 0 : gone - FRAMING_WORD;
	uint32_t rest = was->direct - gone;

	memcpy(f->out_bytes, was->word + FRAMING_WORD - word, word);
	if (iov)
		copy(f->out_bytes + word, iov, n, body);
	else
		memset(f->out_bytes + word, 0, rest - word);
	return rest;
}

bool framing_wrote(struct framing *f, const struct iovec *iov, int n)
{
	const struct framing_way *was = &f->out[f->out_now];
	uint32_t sent = was->m.msg_len, waited = was->tail - was->head;
	bool begun = sent > waited;
	struct framing_way *w = other(f->out, f->out_now);

	assert(sent <= waited + was->direct);
	if (begun) {
		w->tail = keep_rest(f, was, sent - waited, iov, n);
	} else if (sent < waited) {
		w->head = was->head + sent;
		w->tail = was->tail;
	}
	flip(&f->out_now);
	return begun;
}

/* --- after a death --------------------------------------------------------- */

static bool in_is_sane(const struct framing_way *w)
{
	return w->tail <= FRAMING_IN && w->m.msg_len <= FRAMING_IN - w->tail &&
	       w->head <= in_tail(w) && !w->direct;
}

static bool out_is_sane(const struct framing_way *w)
{
	return w->head <= w->tail && w->tail <= FRAMING_OUT &&
	       w->direct <= FRAMING_WORD + FRAMING_MOST &&
	       w->m.msg_len <= w->tail - w->head + w->direct &&
	       (!w->direct || get_word(w->word) == w->direct - FRAMING_WORD);
}

bool framing_recover(struct framing *f)
{
	if (f->in_now > 1 || f->out_now > 1 || !in_is_sane(&f->in[f->in_now]) ||
	    !out_is_sane(&f->out[f->out_now]))
		return false;
	framing_wrote(f, NULL, 0);
	return true;
}
