/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes io/framing: a stream that arrives and leaves in pieces, with deaths in between.
 *
 * Input: groups of one byte and what follows it. Below 0x80: so many bytes of the guest
 * arrive in one read, the next ones of the input. 0x80: the engine dies. 0x81: a frame of
 * as many bytes as the next two say (from FRAMING_LEAST on) is sent at once, 0x82: it is
 * put to what waits; then the socket takes as many bytes as two more say. All else: what
 * waits is sent, as far as two bytes say.
 */
#include "fuzz.h"

#include "io/framing.h"

static struct framing f;
static uint8_t body[FRAMING_MOST], read_so_far[1 << 16], wire[1 << 22];
static size_t came, looked, went;
static uint32_t broken;		/* frames whose rest was lost with an engine */

/* What framing_next() gives is what came, in its order; false: the stream is nonsense. */
static int take(void)
{
	uint8_t *frame;
	uint32_t len;
	int rc;

	while ((rc = framing_next(&f, &frame, &len)) > 0) {
		FUZZ_HOLDS(looked + FRAMING_WORD + len <= came);
		FUZZ_HOLDS(memcmp(frame, read_so_far + looked + FRAMING_WORD, len) == 0);
		looked += FRAMING_WORD + len;
	}
	return rc == 0;
}

static void arrive(struct rd *r, uint8_t n)
{
	struct iovec room;
	struct mmsghdr *m = framing_reading(&f, &room);
	const uint8_t *p = r->p;

	n = (uint8_t)MIN_OF((size_t)n, r->left);
	if (came + n > sizeof(read_so_far))
		return;
	rd_skip(r, n);
	FUZZ_HOLDS(room.iov_len >= n);
	memcpy(room.iov_base, p, n);
	memcpy(read_so_far + came, p, n);
	came += n;
	m->msg_len = n;
}

static void leave(const struct iovec *iov, int n, size_t len, size_t most, int dies)
{
	struct iovec pieces[FRAMING_IOV + 2];
	uint32_t waits = framing_waiting(&f);
	struct mmsghdr *m = framing_writing(&f, pieces, iov, n, len);
	int goes;

	for (size_t i = 0; i < m->msg_hdr.msg_iovlen; i++) {
		size_t now = MIN_OF(pieces[i].iov_len, most - m->msg_len);

		if (went + now > sizeof(wire))
			now = sizeof(wire) - went;
		memcpy(wire + went, pieces[i].iov_base, now);
		went += now;
		m->msg_len += (unsigned int)now;
		if (now < pieces[i].iov_len)
			break;
	}
	if (dies) {
		broken += n && m->msg_len > waits;
		FUZZ_HOLDS(framing_recover(&f));
		return;
	}
	goes = framing_wrote(&f, iov, n);
	if (n && !goes)
		framing_put(&f, iov, n, len);
}

static void send_frame(struct rd *r, int at_once)
{
	uint16_t len = 0, most = 0;
	struct iovec iov[2];

	rd_u16(r, &len);
	rd_u16(r, &most);
	len = (uint16_t)MAX_OF((unsigned int)len, FRAMING_LEAST);
	iov[0] = (struct iovec){ body, 7 };
	iov[1] = (struct iovec){ body + 7, len - 7u };
	if (!at_once)
		framing_put(&f, iov, 2, len);
	if (at_once || framing_waiting(&f))
		leave(iov, at_once ? 2 : 0, at_once ? len : 0, most, 0);
}

/* All that left is frames, one behind the other. */
static void check_wire(void)
{
	size_t at = 0;

	while (at + FRAMING_WORD <= went) {
		uint32_t len = (uint32_t)wire[at] << 24 | (uint32_t)wire[at + 1] << 16 |
			       (uint32_t)wire[at + 2] << 8 | wire[at + 3];

		FUZZ_HOLDS(len >= FRAMING_LEAST && len <= FRAMING_MOST);
		at += FRAMING_WORD;
		if (!broken && at + len <= went)
			FUZZ_HOLDS(memcmp(wire + at, body, len) == 0);
		at += len;
	}
	FUZZ_HOLDS(at >= went || went - at < FRAMING_WORD);
}

static int step(struct rd *r)
{
	uint8_t what = 0;
	uint16_t most = 0;

	rd_u8(r, &what);
	if (what < 0x80) {
		arrive(r, what);
		return take();
	}
	if (what == 0x80) {
		FUZZ_HOLDS(framing_recover(&f));
		return take();
	}
	if (what <= 0x82) {
		send_frame(r, what == 0x81);
		return 1;
	}
	rd_u16(r, &most);
	if (framing_waiting(&f))
		leave(NULL, 0, 0, most, what == 0x83);
	else if (what == 0x84)
		leave(&(struct iovec){ body, 300 }, 1, 300, most, 1);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);

	came = looked = went = broken = 0;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 13 + i / 251);
	framing_reset(&f, 1);
	while (r.left && !r.failed && went < sizeof(wire) - 2 * FRAMING_MOST)
		if (!step(&r))
			break;
	check_wire();
	return 0;
}
