/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/flow/hold.c: queues over one arena against flat arrays. */
#include "../unit.h"

#include "flow/hold.h"

#define CHUNKS	40u
#define QUEUES	4u
#define STEPS	30000

struct flat {
	uint8_t bytes[CHUNKS * HOLD_CHUNK];
	uint32_t len;
};

struct model {
	struct hold_pool p;
	uint8_t mem[CHUNKS * HOLD_CHUNK];
	uint32_t next[CHUNKS];
	struct hold h[QUEUES];
	struct flat flat[QUEUES];
	uint8_t seq;			/* the next byte appended anywhere */
};

static struct model m;

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static int start(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	hold_pool_init(&m.p, m.mem, m.next, CHUNKS);
	for (uint32_t i = 0; i < QUEUES; i++)
		m.h[i] = HOLD_INIT;
	return 0;
}

static uint32_t chunks_of(const struct hold *h)
{
	uint32_t n = 0;

	for (uint32_t c = h->head; c != HOLD_NONE; c = m.next[c]) {
		assert_true(c < CHUNKS);
		assert_true(++n <= CHUNKS);
		if (m.next[c] == HOLD_NONE)
			assert_int_equal(c, h->tail);
	}
	return n;
}

/* Every chunk is in one queue or free, every byte is counted, none is kept by
 * an empty queue. */
static void check_pool(void)
{
	uint32_t used = 0;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < QUEUES; i++) {
		uint32_t n = chunks_of(&m.h[i]);

		assert_int_equal(m.h[i].len, m.flat[i].len);
		assert_int_equal(n, m.h[i].len ? (m.h[i].offset + m.h[i].len + HOLD_CHUNK - 1) /
						 HOLD_CHUNK : 0);
		assert_true(n <= hold_chunks(m.h[i].len));
		used += n;
		bytes += m.h[i].len;
	}
	assert_int_equal(m.p.nfree, CHUNKS - used);
	assert_int_equal(m.p.bytes, bytes);
}

static void check_bytes(const struct hold *h, const struct flat *f, uint32_t off, size_t max)
{
	struct iovec iov[HOLD_IOV_MAX];
	size_t len, at = off;
	int n = hold_iov(&m.p, h, off, max, iov, &len);
	size_t want = off >= f->len ? 0 : f->len - off;

	want = max < want ? max : want;
	assert_true(n <= HOLD_IOV_MAX && len <= want);
	if (len < want)		/* only pieces may run out */
		assert_int_equal(n, HOLD_IOV_MAX);
	for (int i = 0; i < n; i++) {
		assert_true(iov[i].iov_len > 0);
		assert_memory_equal(iov[i].iov_base, f->bytes + at, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	assert_int_equal(at, off + len);
}

static void append(uint32_t q, size_t n)
{
	static uint8_t src[2 * CHUNKS * HOLD_CHUNK];
	size_t done;

	for (size_t i = 0; i < n; i++)
		src[i] = (uint8_t)(m.seq + i);
	done = hold_append(&m.p, &m.h[q], src, n);
	assert_true(done <= n);
	if (done < n)
		assert_int_equal(m.p.nfree, 0);
	memcpy(m.flat[q].bytes + m.flat[q].len, src, done);
	m.flat[q].len += (uint32_t)done;
	m.seq = (uint8_t)(m.seq + done);
}

static void space_and_commit(uint32_t q, size_t max, uint64_t r)
{
	struct iovec iov[HOLD_IOV_MAX];
	int n = hold_space(&m.p, &m.h[q], max, iov);
	size_t room = 0, used, at = 0;

	for (int i = 0; i < n; i++)
		room += iov[i].iov_len;
	assert_true(room <= max);
	if (room < max)
		assert_true(m.p.nfree == 0 || n == HOLD_IOV_MAX);
	used = room ? r % (room + 1) : 0;
	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < iov[i].iov_len && at < used; k++, at++) {
			((uint8_t *)iov[i].iov_base)[k] = m.seq;
			m.flat[q].bytes[m.flat[q].len++] = m.seq++;
		}
	hold_commit(&m.p, &m.h[q], used);
}

static void consume(uint32_t q, uint32_t n)
{
	struct flat *f = &m.flat[q];

	hold_consume(&m.p, &m.h[q], n);
	memmove(f->bytes, f->bytes + n, f->len - n);
	f->len -= n;
}

static uint32_t given, pieces;

static void give(void *mem, size_t len)
{
	uint8_t *at = mem;

	assert_true(at >= m.mem && at + len <= m.mem + sizeof(m.mem));
	assert_int_equal(len % HOLD_CHUNK, 0);
	memset(at, 0xee, len);		/* of no use any more */
	given += (uint32_t)(len / HOLD_CHUNK);
	pieces++;
}

static uint32_t trim(uint32_t keep)
{
	given = pieces = 0;
	hold_trim(&m.p, keep, give);
	return given;
}

static void test_random(void **state)
{
	uint64_t seed = 0x123456789abcdefu;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		uint64_t r = next_random(&seed);
		uint32_t q = (uint32_t)(r >> 20) % QUEUES;
		/* often a whole number of chunks, or one byte beside it */
		size_t n = r & 1 ? (r >> 8) % 9000 :
				   ((r >> 8) % 5) * HOLD_CHUNK + (r >> 30) % 3 - 1;

		n = n > CHUNKS * HOLD_CHUNK ? 0 : n;
		switch ((r >> 2) % 8) {
		case 0: case 1:
			append(q, n);
			break;
		case 2: case 3:
			space_and_commit(q, n, next_random(&seed));
			break;
		case 4:
			if (r % 31 == 0) {
				hold_clear(&m.p, &m.h[q]);
				m.flat[q].len = 0;
			}
			break;
		default:
			consume(q, (uint32_t)(n > m.flat[q].len ? m.flat[q].len : n));
		}
		if (step % 16 == 0)
			trim(1);
		check_pool();
		if (step % 8 == 0)
			check_bytes(&m.h[q], &m.flat[q],
				    (uint32_t)(r >> 40) % (m.flat[q].len + 2), n);
	}
	for (uint32_t q = 0; q < QUEUES; q++) {
		check_bytes(&m.h[q], &m.flat[q], 0, SIZE_MAX);
		hold_clear(&m.p, &m.h[q]);
		m.flat[q].len = 0;
	}
	check_pool();
	assert_int_equal(m.p.nfree, CHUNKS);
}

/* One queue written ahead in any order, with the flags of a flat array beside it. */
struct ahead {
	uint8_t bytes[CHUNKS * HOLD_CHUNK];
	bool there[CHUNKS * HOLD_CHUNK];
	uint32_t len, end;
};

static void write_ahead(struct ahead *a, uint32_t off, uint32_t n)
{
	static uint8_t src[CHUNKS * HOLD_CHUNK];
	uint32_t chunks = m.h[0].chunks, nfree = m.p.nfree;

	for (uint32_t i = 0; i < n; i++)
		src[i] = m.seq++;
	if (!hold_write(&m.p, &m.h[0], off, src, n)) {
		/* nothing taken, and rightly so */
		assert_int_equal(m.h[0].chunks, chunks);
		assert_int_equal(m.p.nfree, nfree);
		assert_true(m.h[0].offset + off + n > (chunks + nfree) * HOLD_CHUNK);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		a->bytes[off + i] = src[i];
		a->there[off + i] = true;
	}
	a->end = n && off + n > a->end ? off + n : a->end;
}

static void check_ahead(const struct ahead *a)
{
	const struct hold *h = &m.h[0];
	struct iovec iov[HOLD_IOV_MAX];
	uint32_t at = 0;
	size_t len;

	assert_int_equal(h->len, a->len);
	assert_int_equal(h->end, a->end);
	assert_int_equal(h->chunks, chunks_of(h));
	assert_int_equal(h->chunks,
			 a->end ? (h->offset + a->end + HOLD_CHUNK - 1) / HOLD_CHUNK : 0);
	assert_int_equal(m.p.nfree, CHUNKS - h->chunks);
	assert_int_equal(m.p.bytes, a->len);
	for (; at < a->len; at += (uint32_t)len) {
		int n = hold_iov(&m.p, h, at, SIZE_MAX, iov, &len);
		uint32_t off = at;

		assert_true(len > 0 && at + len <= a->len);
		for (int i = 0; i < n; i++) {
			assert_memory_equal(iov[i].iov_base, a->bytes + off, iov[i].iov_len);
			off += (uint32_t)iov[i].iov_len;
		}
	}
}

static void consume_ahead(struct ahead *a, uint32_t n)
{
	hold_consume(&m.p, &m.h[0], n);
	memmove(a->bytes, a->bytes + n, a->end - n);
	memmove(a->there, a->there + n, a->end - n);
	memset(a->there + (a->end - n), 0, n);
	a->len -= n;
	a->end -= n;
}

/* As far as bytes are there without a gap, the queue may grow. */
static void extend(struct ahead *a)
{
	uint32_t n = 0;

	while (a->len + n < a->end && a->there[a->len + n])
		n++;
	hold_extend(&m.p, &m.h[0], n);
	a->len += n;
}

static void test_ahead(void **state)
{
	static struct ahead a;
	uint64_t seed = 0xfedcba987654321u;

	(void)state;
	memset(&a, 0, sizeof(a));
	for (int step = 0; step < STEPS / 3; step++) {
		uint64_t r = next_random(&seed);
		uint32_t most = CHUNKS * HOLD_CHUNK, n, off;

		n = r & 1 ? (uint32_t)(r >> 8) % 3000 : (uint32_t)(r >> 8) % 3 * HOLD_CHUNK;
		off = a.len + (uint32_t)(r >> 24) % (r & 2 ? 20000 : 5);
		off -= r & 4 ? MIN_OF(a.len, (uint32_t)(r >> 44) % 500) : 0;
		switch ((r >> 4) % 8) {
		case 0: case 1: case 2: case 3:
			if (off < most && n < most - off)
				write_ahead(&a, off, n);
			break;
		case 4: case 5:
			extend(&a);
			break;
		case 6:
			consume_ahead(&a, (uint32_t)(r >> 24) % (a.len + 1));
			break;
		default:
			if (r % 17 == 0) {
				hold_cut(&m.p, &m.h[0]);
				memset(a.there + a.len, 0, a.end - a.len);
				a.end = a.len;
			}
			if (r % 131 == 0) {
				hold_clear(&m.p, &m.h[0]);
				memset(&a, 0, sizeof(a));
			}
		}
		if (r % 64 == 1 && a.len < most - n && a.end == a.len) {
			static uint8_t zero[3 * HOLD_CHUNK];
			uint32_t done = (uint32_t)hold_append(&m.p, &m.h[0], zero, n);

			memset(a.bytes + a.len, 0, done);
			memset(a.there + a.len, 1, done);
			a.len = a.end = a.len + done;
		}
		if (step % 4 == 0)
			check_ahead(&a);
	}
	hold_clear(&m.p, &m.h[0]);
	assert_int_equal(m.p.nfree, CHUNKS);
	assert_int_equal(m.p.bytes, 0);
}

/* A piece far ahead without chunks for it takes none. */
static void test_ahead_full(void **state)
{
	(void)state;
	append(1, (CHUNKS - 2) * HOLD_CHUNK);
	assert_false(hold_write(&m.p, &m.h[0], 2 * HOLD_CHUNK, "x", 1));
	assert_int_equal(m.p.nfree, 2);
	assert_true(hold_write(&m.p, &m.h[0], 2 * HOLD_CHUNK - 1, "x", 1));
	assert_int_equal(m.p.nfree, 0);
	hold_cut(&m.p, &m.h[0]);
	check_pool();
	assert_int_equal(m.p.nfree, 2);
}

static void test_full(void **state)
{
	(void)state;
	append(0, CHUNKS * HOLD_CHUNK + 1);
	assert_int_equal(m.h[0].len, CHUNKS * HOLD_CHUNK);
	append(1, 1);
	assert_int_equal(m.h[1].len, 0);
	check_pool();
	consume(0, HOLD_CHUNK);
	append(1, 1);
	assert_int_equal(m.h[1].len, 1);
	check_pool();
}

/* Space that was offered and not used goes back, from an empty queue too. */
static void test_commit_nothing(void **state)
{
	struct iovec iov[HOLD_IOV_MAX];

	(void)state;
	assert_int_equal(hold_space(&m.p, &m.h[0], 3 * HOLD_CHUNK, iov), 3);
	hold_commit(&m.p, &m.h[0], 0);
	check_pool();
	append(0, 10);
	assert_int_equal(hold_space(&m.p, &m.h[0], 3 * HOLD_CHUNK, iov), 4);
	assert_int_equal(iov[0].iov_len, HOLD_CHUNK - 10);
	hold_commit(&m.p, &m.h[0], 0);
	check_pool();
	check_bytes(&m.h[0], &m.flat[0], 0, 10);
	assert_int_equal(hold_space(&m.p, &m.h[0], 0, iov), 0);
	hold_commit(&m.p, &m.h[0], 0);
	check_pool();
}

/* hold_chunks() is enough wherever in its first chunk a queue begins. */
static void test_chunks_suffice(void **state)
{
	(void)state;
	for (uint32_t bytes = 0; bytes < 4 * HOLD_CHUNK; bytes += 511)
		for (uint32_t off = 0; off < HOLD_CHUNK; off += 273)
			assert_true((off + bytes + HOLD_CHUNK - 1) / HOLD_CHUNK <=
				    hold_chunks(bytes));
	assert_true((HOLD_CHUNK - 1 + HOLD_CHUNK - 1 + HOLD_CHUNK - 1) / HOLD_CHUNK <=
		    hold_chunks(HOLD_CHUNK - 1));
}

static void test_reserve(void **state)
{
	(void)state;
	assert_true(hold_reserve(&m.p, 0, CHUNKS - 1));
	assert_false(hold_reserve(&m.p, 0, 2));
	assert_int_equal(m.p.reserved, CHUNKS - 1);
	assert_true(hold_reserve(&m.p, 0, 1));
	assert_false(hold_reserve(&m.p, 1, 2));
	assert_false(hold_reserve(&m.p, 0, UINT32_MAX));
	assert_true(hold_reserve(&m.p, CHUNKS, CHUNKS));
	assert_true(hold_reserve(&m.p, CHUNKS - 1, 0));
	assert_true(hold_reserve(&m.p, 1, CHUNKS));
	assert_true(hold_reserve(&m.p, CHUNKS, 0));
	assert_int_equal(m.p.reserved, 0);
}

/* What a peak left goes, but not what was needed since the last look. */
static void test_trim(void **state)
{
	static uint8_t bytes[10 * HOLD_CHUNK];

	(void)state;
	assert_int_equal(trim(0), 0);
	assert_true(hold_reserve(&m.p, 0, CHUNKS));
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(hold_append(&m.p, &m.h[i], bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(trim(0), 0);
	hold_clear(&m.p, &m.h[0]);
	hold_clear(&m.p, &m.h[2]);
	assert_int_equal(trim(0), 0);	/* ... they were until now */
	assert_int_equal(hold_append(&m.p, &m.h[0], bytes, 4 * HOLD_CHUNK), 4 * HOLD_CHUNK);
	hold_clear(&m.p, &m.h[0]);
	assert_int_equal(trim(5), 20 - 4 - 5);
	assert_true(pieces <= 2);	/* the second queue lies between */
	assert_int_equal(trim(5), 20 - 11 - 5);
	assert_int_equal(trim(5), 0);
	assert_int_equal(m.p.nwarm, 5);
	/* nothing is lost by it, and nothing of the queue between */
	assert_int_equal(hold_append(&m.p, &m.h[0], bytes, sizeof(bytes)), sizeof(bytes));
	for (uint32_t i = 2; i < 4; i++)
		assert_int_equal(hold_append(&m.p, &m.h[i], bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(m.p.nfree, 0);
	for (uint32_t i = 0; i < 4; i++) {
		struct iovec iov[HOLD_IOV_MAX];
		size_t len;
		int n = hold_iov(&m.p, &m.h[i], 0, sizeof(bytes), iov, &len);

		assert_int_equal(len, sizeof(bytes));
		for (int k = 0; k < n; k++)
			assert_memory_equal(iov[k].iov_base, bytes, iov[k].iov_len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random, start),
		cmocka_unit_test_setup(test_ahead, start),
		cmocka_unit_test_setup(test_ahead_full, start),
		cmocka_unit_test_setup(test_full, start),
		cmocka_unit_test_setup(test_commit_nothing, start),
		cmocka_unit_test_setup(test_chunks_suffice, start),
		cmocka_unit_test_setup(test_reserve, start),
		cmocka_unit_test_setup(test_trim, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
