/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/io/capture.c: the blocks byte by byte, what an engine after the first
 * finds, that a file that takes no more stays readable, and the rings: what passes a
 * filter, what finds no room, and where one ends. */
#include "../unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "io/capture.h"

static char path[] = "/tmp/test_capture.XXXXXX";

static size_t content(uint8_t *buf, size_t size)
{
	FD_OWNED int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buf, size);

	assert_true(n >= 0);
	return (size_t)n;
}

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Walks all blocks; returns how many packets there are. */
static int packets(void)
{
	static uint8_t buf[1 << 16];
	size_t n = content(buf, sizeof(buf)), at = 0;
	int packets = 0;

	while (at < n) {
		uint32_t len = word(buf + at + 4);

		assert_true(len % 4 == 0 && len >= 12 && len <= n - at);
		assert_int_equal(word(buf + at + len - 4), len);
		packets += word(buf + at) == 6;
		at += len;
	}
	assert_int_equal(at, n);
	return packets;
}

static struct capture_shared *shared;
static struct counters count;
static struct capture_order orders[CAPTURES];

static const struct pcapng_about about = {
	.application = "a", .comment = "c", .interface = "eth0", .description = "", .filter = "",
};

static size_t head_len(void)
{
	uint8_t buf[PCAPNG_HEAD_MAX];

	return pcapng_head(buf, &about);
}

static struct capture_with with(int fd, int bell)
{
	return (struct capture_with){ .fd = fd, .bell = bell, .shared = shared, .count = &count,
				      .orders = orders };
}

static void use(struct capture *c, int fd, uint32_t skip, uint64_t now_us)
{
	const struct capture_with w = with(fd, -1);

	capture_use(c, &w, skip, now_us);
}

static void test_blocks(void **state)
{
	struct err e = ERR_INIT;
	FD_OWNED int fd = capture_open(path, &about, shared, &e);
	struct iovec iov[] = { { "ab", 2 }, { "cdEthe", 6 }, { "rnet", 4 }, { "!", 1 } };
	struct capture c;
	uint8_t buf[512], *p = buf + head_len();

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(content(buf, sizeof(buf)), head_len());
	assert_int_equal(word(buf), 0x0a0d0d0a);
	assert_int_equal(word(buf + 8), 0x1a2b3c4d);
	use(&c, fd, 4, 1000);
	assert_true(c.on);
	capture_frame(&c, 1500, iov, 4, true);
	assert_int_equal(content(buf, sizeof(buf)), head_len() + 28 + 12 + 16);
	assert_int_equal(word(p), 6);
	assert_int_equal(word(p + 4), 28 + 12 + 16);
	assert_int_equal(word(p + 20), 9);
	assert_int_equal(word(p + 24), 9);
	assert_memory_equal(p + 28, "Ethernet!\0\0", 12);
	assert_int_equal(word(p + 44), 1);	/* into the container */
	assert_int_equal(packets(), 1);
	assert_int_equal(shared->whole, head_len() + 28 + 12 + 16);
}

static void test_next_engine(void **state)
{
	FD_OWNED int fd = capture_open(path, &about, shared, NULL);
	struct iovec iov = { "frame", 5 };
	struct capture c;

	(void)state;
	use(&c, fd, 0, 1);
	capture_frame(&c, 1, &iov, 1, false);
	/* the first one died in the middle of a write */
	assert_int_equal(write(fd, "torn", 4), 4);
	use(&c, fd, 0, 2);
	capture_frame(&c, 2, &iov, 1, true);
	assert_int_equal(packets(), 2);
	/* and may have lied about what is whole */
	shared->whole = UINT64_MAX;
	capture_trim(fd, shared);
	assert_int_equal(packets(), 2);
	use(&c, -1, 0, 2);
	assert_false(c.on);
}

static void test_full(void **state)
{
	FD_OWNED int fd = capture_open(path, &about, shared, NULL);
	struct rlimit was, less = { .rlim_cur = head_len() + 120 };
	struct iovec iov = { "a frame of some length, more than the room", 43 };
	struct capture c;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	less.rlim_max = was.rlim_max;
	use(&c, fd, 0, 1);
	capture_frame(&c, 1, &iov, 1, false);
	setrlimit(RLIMIT_FSIZE, &less);
	capture_frame(&c, 1, &iov, 1, false);	/* only a part of it fits */
	assert_false(c.on);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(c.fd, -1);
	capture_trim(fd, shared);
	assert_int_equal(packets(), 1);
	use(&c, fd, 0, 1);
	shared->whole = CAPTURE_MAX - 10;
	capture_frame(&c, 1, &iov, 1, false);
	assert_int_equal(c.fd, -1);
}

static void test_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(capture_open("/does/not/exist", &about, shared, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(capture_open("/dev/null", &about, shared, &e), -1);
	assert_int_equal(capture_open("/tmp", &about, shared, &e), -1);
}

/* --- rings ------------------------------------------------------------------------ */

static void start(struct capture *c, int bell, const struct capture_want *w)
{
	static uint32_t number;
	const struct capture_with with_bell = with(-1, bell);
	const struct capture_order o = { .number = ++number, .want = *w };

	memset(&shared->ring[1], 0, offsetof(struct capture_ring, bytes));
	capture_use(c, &with_bell, 0, 1);
	capture_set(c, 1, &o);
	assert_true(c->on);
}

static void cross(struct capture *c, const void *frame, size_t len, bool to_container)
{
	struct iovec iov[] = { { (void *)(uintptr_t)frame, MIN_OF(len, 30) },
			       { (uint8_t *)(uintptr_t)frame + MIN_OF(len, 30), len - MIN_OF(len, 30) } };

	capture_frame(c, 1, iov, 2, to_container);
}

static const uint8_t tcp4[54] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0,
	10, 0, 0, 1, 10, 0, 0, 2, 0x1f, 0x90, 0, 80,
};
/* UDP behind hop-by-hop options */
static const uint8_t udp6[70] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, 0, 64,
	0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	17, 0, 1, 4, 0, 0, 0, 0, 0, 53, 0x10, 0, 0, 8, 0, 0,
};

static void test_filter(void **state)
{
	static const struct {
		const char *prefix;
		struct capture_want want;
		int tcp4, udp6;		/* whether it passes, into the container */
	} cases[] = {
		{ NULL, { .proto = CAPTURE_ANY }, 1, 1 },
		{ NULL, { .proto = CAPTURE_TCP }, 1, 0 },
		{ NULL, { .proto = CAPTURE_UDP }, 0, 1 },
		{ NULL, { .proto = CAPTURE_ICMP }, 0, 0 },
		{ NULL, { .proto = CAPTURE_ARP }, 0, 0 },
		{ NULL, { .port = 80 }, 1, 0 },
		{ NULL, { .port = 8080 }, 1, 0 },
		{ NULL, { .port = 53 }, 0, 1 },
		{ NULL, { .port = 53, .proto = CAPTURE_TCP }, 0, 0 },
		{ NULL, { .way = CAPTURE_IN }, 1, 1 },
		{ NULL, { .way = CAPTURE_OUT }, 0, 0 },
		{ "10.0.0.2", { .port = 80 }, 1, 0 },
		{ "10.0.0.0/31", { .port = 0 }, 1, 0 },
		{ "10.0.0.4/30", { .port = 0 }, 0, 0 },
		{ "2001:db8::/64", { .port = 0 }, 0, 1 },
		{ "::/0", { .port = 0 }, 0, 1 },
	};
	struct capture c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct capture_want w = cases[i].want;

		w.has_prefix = cases[i].prefix != NULL;
		if (w.has_prefix)
			assert_int_equal(prefix_parse(cases[i].prefix, &w.prefix), 0);
		assert_true(capture_want_ok(&w));
		start(&c, -1, &w);
		cross(&c, tcp4, sizeof(tcp4), true);
		assert_int_equal(shared->ring[1].kept, cases[i].tcp4);
		cross(&c, udp6, sizeof(udp6), true);
		assert_int_equal(shared->ring[1].kept, cases[i].tcp4 + cases[i].udp6);
		assert_int_equal(shared->ring[1].seen, 2);
	}
	/* what is cut anywhere is no reason to read on */
	for (size_t n = 0; n < sizeof(udp6); n++) {
		start(&c, -1, &(struct capture_want){ .port = 53 });
		cross(&c, udp6, n, true);
		assert_int_equal(shared->ring[1].kept, n >= 66);
	}
}

static void test_room(void **state)
{
	static uint8_t large[60000];
	struct capture_ring *r = &shared->ring[1];
	FD_OWNED int bell = eventfd(0, EFD_NONBLOCK);
	struct capture c;
	uint64_t rung = 0, kept;

	(void)state;
	start(&c, bell, &(struct capture_want){ .count = 0 });
	r->asleep = 1;
	for (size_t i = 0; i < CAPTURE_RING / sizeof(large) + 10; i++)
		cross(&c, large, sizeof(large), false);
	assert_int_equal(read(bell, &rung, sizeof(rung)), sizeof(rung));
	assert_int_equal(rung, 1);
	kept = r->kept;
	assert_true(r->dropped >= 10 && r->head <= CAPTURE_RING);
	assert_int_equal(r->lost, r->dropped);
	assert_int_equal(count.capture_dropped, r->dropped);
	/* room again: the next one stands around the ring's end, and tells of the others */
	r->tail = r->head;
	cross(&c, large, sizeof(large), false);
	assert_int_equal(r->kept, kept + 1);
	assert_int_equal(r->lost, 0);
	assert_true(r->head > CAPTURE_RING);
}

static void test_limits(void **state)
{
	struct capture_ring *r = &shared->ring[1];
	const struct capture_order none = { .number = 0 };
	struct capture_order again;
	struct capture c;

	(void)state;
	start(&c, -1, &(struct capture_want){ .count = 2 });
	again = c.order[1];
	cross(&c, tcp4, sizeof(tcp4), true);
	assert_int_equal(r->stopped, 0);
	cross(&c, tcp4, sizeof(tcp4), true);
	assert_int_equal(r->stopped, again.number);
	assert_false(c.on);
	/* an engine that starts now does not begin it again */
	capture_set(&c, 1, &again);
	assert_false(c.on);

	start(&c, -1, &(struct capture_want){ .bytes = 250, .snap = 20 });
	for (int i = 0; i < 4; i++)
		cross(&c, tcp4, sizeof(tcp4), true);
	assert_int_equal(r->kept, 3);
	assert_int_equal(r->head, 3 * (28 + 20 + 16));
	assert_int_not_equal(r->stopped, 0);
	assert_int_equal(word(r->bytes + 20), 20);
	assert_int_equal(word(r->bytes + 24), sizeof(tcp4));

	start(&c, -1, &(struct capture_want){ .count = 9 });
	capture_set(&c, 1, &none);
	assert_int_not_equal(r->stopped, 0);
	assert_false(c.on);
}

static void test_super_frame(void **state)
{
	static const uint8_t vnet[10] = { 1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0 };	/* 1448 */
	struct iovec iov[] = { { (void *)(uintptr_t)vnet, sizeof(vnet) },
			       { (void *)(uintptr_t)tcp4, sizeof(tcp4) } };
	const struct capture_with w = with(-1, -1);
	struct capture c;

	(void)state;
	start(&c, -1, &(struct capture_want){ .count = 0 });
	orders[1] = c.order[1];
	capture_use(&c, &w, 10, 1);	/* as a new engine: it goes on */
	orders[1].number = 0;
	assert_true(c.on);
	capture_frame(&c, 1, iov, 2, true);
	assert_int_equal(word(shared->ring[1].bytes + 20), sizeof(tcp4));
	assert_memory_equal(shared->ring[1].bytes + 28 + 56 + 4,
			    "super-frame, in segments of 1448 bytes", 38);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_next_engine),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_super_frame),
	};
	int fd = mkstemp(path), failed;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (fd < 0 || shared == MAP_FAILED)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
