/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/io/framing.c: frames out of pieces of any size and into them, lengths that
 * no frame has, and an engine that dies at any step. */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/framing.h"

static struct framing f;

/* Bytes that tell their place, behind their length. Returns how many. */
static size_t make_frame(uint8_t *to, size_t len, uint8_t first)
{
	for (size_t i = 0; i < FRAMING_WORD; i++)
		to[i] = (uint8_t)(len >> (24 - 8 * i));
	for (size_t i = 0; i < len; i++)
		to[FRAMING_WORD + i] = (uint8_t)(first + i * 7);
	return FRAMING_WORD + len;
}

/* The kernel's part of a read: at most n of those bytes. */
static size_t arrive(const uint8_t *bytes, size_t n)
{
	struct iovec room;
	struct mmsghdr *m = framing_reading(&f, &room);

	assert_ptr_equal(m->msg_hdr.msg_iov, &room);
	assert_int_equal(m->msg_hdr.msg_iovlen, 1);
	n = MIN_OF(n, room.iov_len);
	memcpy(room.iov_base, bytes, n);
	m->msg_len = (unsigned int)n;
	return n;
}

static void check_frame(const uint8_t *whole, uint32_t size)
{
	uint8_t *frame = NULL;
	uint32_t len = 0;

	assert_int_equal(framing_next(&f, &frame, &len), 1);
	assert_int_equal(len, size);
	assert_memory_equal(frame, whole + FRAMING_WORD, size);
}

static void check_none(void)
{
	uint8_t *frame;
	uint32_t len;

	assert_int_equal(framing_next(&f, &frame, &len), 0);
	assert_false(framing_has(&f));
}

/* --- in --- */

static void test_cut_at_every_byte(void **state)
{
	static const uint32_t sizes[] = { 14, 60, 61, 1514 };
	uint8_t bytes[4096];
	size_t n = 0, starts[ARRAY_LEN(sizes)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		starts[i] = n;
		n += make_frame(bytes + n, sizes[i], (uint8_t)i);
	}
	for (size_t cut = 0; cut <= n; cut++) {
		size_t next = 0;

		framing_reset(&f, 1);
		assert_int_equal(arrive(bytes, cut), cut);
		for (; next < ARRAY_LEN(sizes) &&
		       starts[next] + FRAMING_WORD + sizes[next] <= cut; next++)
			check_frame(bytes + starts[next], sizes[next]);
		check_none();
		arrive(bytes + cut, n - cut);
		for (; next < ARRAY_LEN(sizes); next++)
			check_frame(bytes + starts[next], sizes[next]);
		check_none();
	}
}

static void test_byte_by_byte(void **state)
{
	uint8_t bytes[256];
	size_t n = make_frame(bytes, 100, 3);

	(void)state;
	framing_reset(&f, 1);
	for (int round = 0; round < 20000; round++)	/* the buffer is gone round in */
		for (size_t i = 0; i < n; i++) {
			check_none();
			arrive(bytes + i, 1);
			if (i == n - 1)
				check_frame(bytes, 100);
		}
}

static void test_largest(void **state)
{
	uint8_t *bytes = malloc(8 * (FRAMING_WORD + FRAMING_MOST));
	size_t n = 0, at = 0, next = 0;

	(void)state;
	for (int i = 0; i < 8; i++)
		n += make_frame(bytes + n, FRAMING_MOST, (uint8_t)i);
	framing_reset(&f, 1);
	while (at < n) {
		at += arrive(bytes + at, n - at);
		while (framing_has(&f)) {
			check_frame(bytes + next, FRAMING_MOST);
			next += FRAMING_WORD + FRAMING_MOST;
		}
	}
	assert_int_equal(next, n);
	free(bytes);
}

static void test_lengths_of_no_frame(void **state)
{
	static const uint32_t bad[] = { 0, 1, FRAMING_LEAST - 1, FRAMING_MOST + 1, 0x00020000,
					0x80000000u, UINT32_MAX };
	uint8_t bytes[64];
	uint8_t *frame;
	uint32_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t n = make_frame(bytes, 20, 0);

		make_frame(bytes + n, 0, 0);
		for (size_t j = 0; j < FRAMING_WORD; j++)
			bytes[n + j] = (uint8_t)(bad[i] >> (24 - 8 * j));
		framing_reset(&f, 1);
		arrive(bytes, n + FRAMING_WORD);
		check_frame(bytes, 20);
		assert_true(framing_has(&f));
		assert_int_equal(framing_next(&f, &frame, &len), -EBADMSG);
		assert_int_equal(framing_next(&f, &frame, &len), -EBADMSG);	/* it stays so */
	}
}

/* --- out --- */

static uint8_t wire[1 << 20];		/* what the socket took */
static size_t wired;

/* Sends what waits and a frame, of which the socket takes `most` bytes in all. */
static bool leave(const struct iovec *iov, int n, size_t len, size_t most)
{
	struct iovec pieces[FRAMING_IOV + 2];
	struct mmsghdr *m = framing_writing(&f, pieces, iov, n, len);

	for (size_t i = 0; i < m->msg_hdr.msg_iovlen; i++) {
		size_t now = MIN_OF(pieces[i].iov_len, most - m->msg_len);

		memcpy(wire + wired, pieces[i].iov_base, now);
		wired += now;
		m->msg_len += (unsigned int)now;
	}
	return framing_wrote(&f, iov, n);
}

static void flush(void)
{
	while (framing_waiting(&f))
		leave(NULL, 0, 0, 5000);
}

static void test_taken_in_part(void **state)
{
	uint8_t whole[4 + 200], small[4 + 30];
	const size_t n = make_frame(whole, 200, 1), k = make_frame(small, 30, 9);
	const struct iovec iov[] = { { whole + 4, 14 }, { whole + 18, 1 }, { whole + 19, 185 } };
	const struct iovec one = { small + 4, 30 };

	(void)state;
	for (int waiting = 0; waiting < 2; waiting++)
		for (size_t most = 0; most <= n + (waiting ? k : 0); most++) {
			const size_t before = waiting ? k : 0;
			bool goes;

			framing_reset(&f, 1);
			wired = 0;
			if (waiting)
				assert_true(framing_put(&f, &one, 1, 30));
			goes = leave(iov, 3, 200, most);
			assert_int_equal(goes, most > before);
			assert_int_equal(framing_waiting(&f), goes ? n + before - most :
					 before - MIN_OF(most, before));
			if (!goes)
				assert_true(framing_put(&f, iov, 3, 200));
			flush();
			assert_int_equal(wired, n + before);
			assert_memory_equal(wire, small, before);
			assert_memory_equal(wire + before, whole, n);
		}
}

static void test_no_room(void **state)
{
	uint8_t whole[4 + 60000];
	const size_t n = make_frame(whole, 60000, 1);
	const struct iovec iov = { whole + 4, 60000 };
	uint32_t count = 0;

	(void)state;
	framing_reset(&f, 1);
	while (framing_put(&f, &iov, 1, 60000))
		count++;
	assert_int_equal(count, FRAMING_OUT / n);
	assert_int_equal(framing_waiting(&f), count * n);
	/* The first ones leave, and there is room again, at the front. */
	for (uint32_t i = 0; i < count; i++) {
		wired = 0;
		leave(NULL, 0, 0, n);
		assert_memory_equal(wire, whole, n);
	}
	assert_int_equal(framing_waiting(&f), 0);
	assert_true(framing_put(&f, &iov, 1, 60000));
	wired = 0;
	flush();
	assert_memory_equal(wire, whole, n);
}

/* What is left of a full buffer goes to the front when more is to be put. */
static void test_make_room(void **state)
{
	uint8_t whole[4 + 60000];
	const size_t n = make_frame(whole, 60000, 1);
	const struct iovec iov = { whole + 4, 60000 };
	uint32_t count = 0;

	(void)state;
	framing_reset(&f, 1);
	while (framing_put(&f, &iov, 1, 60000))
		count++;
	for (uint32_t i = 0; i < count - 2; i++) {
		wired = 0;
		leave(NULL, 0, 0, n);
	}
	assert_true(framing_put(&f, &iov, 1, 60000));
	assert_int_equal(framing_waiting(&f), 3 * n);
	wired = 0;
	flush();
	for (int i = 0; i < 3; i++)
		assert_memory_equal(wire + (size_t)i * n, whole, n);
}

/* --- deaths --- */

/* An engine that died while it wrote: what was read of the stream is frames in any case. */
static void test_death_while_writing(void **state)
{
	uint8_t whole[4 + 100], small[4 + 30];
	const size_t n = make_frame(whole, 100, 1), k = make_frame(small, 30, 9);
	const struct iovec iov = { whole + 4, 100 }, one = { small + 4, 30 };
	struct iovec pieces[FRAMING_IOV + 2];

	(void)state;
	for (size_t most = 0; most <= k + n; most++) {
		struct mmsghdr *m;
		size_t took = 0;

		framing_reset(&f, 1);
		assert_true(framing_put(&f, &one, 1, 30));
		m = framing_writing(&f, pieces, &iov, 1, 100);
		for (size_t i = 0; i < m->msg_hdr.msg_iovlen; i++)
			for (size_t j = 0; j < pieces[i].iov_len && took < most; j++)
				wire[took++] = ((uint8_t *)pieces[i].iov_base)[j];
		m->msg_len = (unsigned int)most;
		/* here it dies; and the next one as well, once it has taken over */
		assert_true(framing_recover(&f));
		assert_true(framing_recover(&f));
		wired = most;
		flush();
		assert_int_equal(wired, most > k ? k + n : k);
		assert_memory_equal(wire, small, k);
		if (most <= k)
			continue;
		assert_memory_equal(wire + k, whole, FRAMING_WORD);
		for (size_t i = most; i < k + n; i++)
			if (i >= k + FRAMING_WORD)
				assert_int_equal(wire[i], 0);
	}
}

static void test_death_while_reading(void **state)
{
	uint8_t bytes[512];
	size_t n = make_frame(bytes, 100, 1), k = make_frame(bytes + n, 50, 2);

	(void)state;
	for (size_t cut = 0; cut <= n + k; cut++) {
		struct iovec room;

		framing_reset(&f, 1);
		arrive(bytes, cut);
		assert_true(framing_recover(&f));	/* of what was read nothing was looked at */
		if (cut >= n)
			check_frame(bytes, 100);
		assert_true(framing_recover(&f));	/* one is over, and stays so */
		if (cut == n + k)
			check_frame(bytes + n, 50);
		check_none();
		framing_reading(&f, &room);		/* about to read */
		assert_true(framing_recover(&f));
		arrive(bytes + cut, n + k - cut);
		if (cut < n)
			check_frame(bytes, 100);
		if (cut < n + k)
			check_frame(bytes + n, 50);
		check_none();
	}
}

/* Memory of an engine that was taken over. */
static void test_recover_nonsense(void **state)
{
	(void)state;
#define NONSENSE(line) do { \
		framing_reset(&f, 1); \
		line; \
		assert_false(framing_recover(&f)); \
	} while (0)
	NONSENSE(f.in_now = 2);
	NONSENSE(f.out_now = UINT32_MAX);
	NONSENSE(f.in[0].head = 1);
	NONSENSE(f.in[0].tail = FRAMING_IN + 1);
	NONSENSE(f.in[0].m.msg_len = FRAMING_IN + 1);
	NONSENSE((f.in[0].tail = FRAMING_IN, f.in[0].m.msg_len = 1));
	NONSENSE(f.in[0].m.msg_len = UINT32_MAX);
	NONSENSE(f.in[0].direct = 1);
	NONSENSE(f.out[0].head = 1);
	NONSENSE(f.out[0].tail = FRAMING_OUT + 1);
	NONSENSE(f.out[0].m.msg_len = 1);
	NONSENSE((f.out[0].direct = FRAMING_WORD + FRAMING_MOST + 1));
	NONSENSE((f.out[0].direct = FRAMING_WORD + 20, f.out[0].word[3] = 21));
	NONSENSE((f.out[0].direct = 2, f.out[0].m.msg_len = 1));
#undef NONSENSE
	framing_reset(&f, 7);
	assert_int_equal(f.seq, 7);
	assert_true(framing_recover(&f));
}

/* What all of it rests on: the kernel writes how far it came, for a stream too. */
static void test_kernel_writes_length(void **state)
{
	uint8_t bytes[64] = { 1 }, got[64];
	struct iovec iov = { bytes, sizeof(bytes) }, room = { got, sizeof(got) };
	struct mmsghdr out = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	struct mmsghdr in = { .msg_hdr = { .msg_iov = &room, .msg_iovlen = 1 } };
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(recvmmsg(sv[1], &in, 1, MSG_DONTWAIT, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(in.msg_len, 0);
	assert_int_equal(sendmmsg(sv[0], &out, 1, MSG_DONTWAIT | MSG_NOSIGNAL), 1);
	assert_int_equal(out.msg_len, 64);
	assert_int_equal(recvmmsg(sv[1], &in, 1, MSG_DONTWAIT, NULL), 1);
	assert_int_equal(in.msg_len, 64);
	do {	/* a full socket takes a part, and then nothing */
		out.msg_len = 0;
	} while (sendmmsg(sv[0], &out, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(out.msg_len, 0);
	close(sv[1]);
	assert_int_equal(sendmmsg(sv[0], &out, 1, MSG_DONTWAIT | MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	close(sv[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_lengths_of_no_frame),
		cmocka_unit_test(test_taken_in_part),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_make_room),
		cmocka_unit_test(test_death_while_writing),
		cmocka_unit_test(test_death_while_reading),
		cmocka_unit_test(test_recover_nonsense),
		cmocka_unit_test(test_kernel_writes_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
