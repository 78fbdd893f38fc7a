/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/io/stream.c with a real socket: order, pushing back without loss, the end of
 * connections, and going on where another engine was. */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/io.h"
#include "io/stream.h"
#include "proto/port.h"

static struct bed {
	struct ctx c;
	struct io io;
	struct counters count;
	struct framing f;
	int far;
	uint32_t sent, got;		/* frames, of make_frame() */
	uint8_t rest[1 << 18];		/* of what far read */
	size_t nrest;
} bed;

static size_t size_of(uint32_t i)
{
	return i % 3 ? 60 + i % 1400 : 40000 + i % 25000;
}

static void make_frame(uint8_t *to, uint32_t i)
{
	memset(to, (int)i, size_of(i));
	memcpy(to, &i, sizeof(i));
}

/* An engine begins: what it knows is in the framing alone. */
static void begin(int fd, uint32_t seq)
{
	bed.c = (struct ctx){ .io = &bed.io, .count = &bed.count };
	bed.io = (struct io){ .epoll = epoll_create1(0), .tap = -1, .main = -1 };
	stream_use(&bed.c, &bed.f);
	stream_connect(&bed.c, fd, seq);
}

static int setup(void **state)
{
	int sv[2];

	(void)state;
	memset(&bed, 0, sizeof(bed));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	bed.far = sv[1];
	begin(sv[0], 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stream_close(&bed.c);
	close(bed.io.epoll);
	if (bed.far >= 0)
		close(bed.far);
	return 0;
}

static int send_one(void)
{
	static uint8_t frame[70000];
	struct iovec iov[2];
	int rc;

	make_frame(frame, bed.sent);
	iov[0] = (struct iovec){ frame, 33 };
	iov[1] = (struct iovec){ frame + 33, size_of(bed.sent) - 33 };
	rc = port_tap_send(&bed.c, iov, 2, size_of(bed.sent));
	bed.sent += rc == 0;
	return rc;
}

/* What came is the frames that were sent, whole and in their order. */
static void take(void)
{
	static uint8_t want[70000];
	size_t at = 0;

	while (bed.nrest - at >= 4) {
		const uint8_t *p = bed.rest + at;
		size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		assert_int_equal(len, size_of(bed.got));
		if (bed.nrest - at - 4 < len)
			break;
		make_frame(want, bed.got++);
		assert_memory_equal(p + 4, want, len);
		at += 4 + len;
	}
	memmove(bed.rest, bed.rest + at, bed.nrest - at);
	bed.nrest -= at;
}

static bool read_some(size_t most)
{
	ssize_t n = read(bed.far, bed.rest + bed.nrest, MIN_OF(most, sizeof(bed.rest) - bed.nrest));

	if (n <= 0)
		return false;
	bed.nrest += (size_t)n;
	take();
	return true;
}

static uint32_t events(void)
{
	struct epoll_event ev = { .events = 0 };

	return epoll_wait(bed.io.epoll, &ev, 1, 0) == 1 ? ev.events : 0;
}

static void test_order(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(send_one(), 0);
		if (i % 5 == 0)
			stream_finish(&bed.c);
		while (read_some(1 << 18))
			if (bed.c.tap_waits)
				stream_writable(&bed.c);
	}
	stream_finish(&bed.c);
	while (bed.got < bed.sent) {
		read_some(1 << 18);
		stream_writable(&bed.c);
	}
	assert_int_equal(bed.got, 200);
	assert_false(bed.c.tap_waits);
}

/* Small frames alone leave at the turn's end, and not before. */
static void test_together(void **state)
{
	(void)state;
	bed.sent = bed.got = 1;		/* these two are small */
	assert_int_equal(send_one(), 0);
	assert_int_equal(send_one(), 0);
	assert_false(read_some(1 << 18));
	stream_finish(&bed.c);
	assert_true(read_some(1 << 18));
	assert_int_equal(bed.got, 3);
	assert_int_equal(events(), 0);
}

/* Who does not read makes flows rest; nothing of what was taken is lost, whatever pieces it
 * reads in then. */
static void test_pushed_back(void **state)
{
	static const size_t pieces[] = { 1, 3, 977, 65536, 1 << 18 };
	uint32_t n = 0;

	(void)state;
	while (send_one() == 0) {
		if (!bed.c.tap_waits)
			continue;
		assert_true(bed.c.tap_blocked);
		n++;
	}
	assert_true(n > 50);	/* what was on its way waits */
	assert_int_equal(send_one(), -EAGAIN);
	assert_int_equal(events(), 0);
	for (size_t i = 0; bed.got < bed.sent; i++) {
		if (!read_some(pieces[i % ARRAY_LEN(pieces)]))
			assert_true(events() & EPOLLOUT);
		if (events() & EPOLLOUT)
			stream_writable(&bed.c);
	}
	stream_writable(&bed.c);
	assert_false(bed.c.tap_waits);
	assert_false(bed.c.tap_blocked);
	assert_int_equal(events(), 0);
	assert_int_equal(send_one(), 0);
}

/* The same with engines that die on the way. */
static void test_pushed_back_and_killed(void **state)
{
	(void)state;
	while (send_one() == 0)
		continue;
	for (uint32_t i = 0; bed.got < bed.sent; i++) {
		if (!read_some(10007) && (events() & EPOLLOUT))
			stream_writable(&bed.c);
		if (i % 100 == 0) {
			int fd = dup(bed.io.tap);

			close(bed.io.tap);
			close(bed.io.epoll);
			begin(fd, 1);
			assert_int_equal(bed.c.tap_waits, framing_waiting(&bed.f) > 0);
		}
		stream_finish(&bed.c);
	}
	assert_false(bed.io.stream_gone);
}

static void put_frame(uint32_t len, uint16_t ethertype)
{
	uint8_t bytes[1600] = { 0 };

	bytes[2] = (uint8_t)(len >> 8);
	bytes[3] = (uint8_t)len;
	bytes[4 + 6] = 0x02;		/* from 02:00:00:00:00:07 */
	bytes[4 + 11] = 7;
	bytes[4 + 12] = (uint8_t)(ethertype >> 8);
	bytes[4 + 13] = (uint8_t)ethertype;
	assert_int_equal(write(bed.far, bytes, 4 + len), 4 + len);
}

static void test_in(void **state)
{
	const struct mac guest = { .b = { 2, 0, 0, 0, 0, 7 } };

	(void)state;
	assert_int_equal(bed.c.guest_mac.b[0], 0xff);	/* nobody spoke yet */
	for (int i = 0; i < 10; i++)
		put_frame(100, 0x1234);
	assert_int_equal(events(), EPOLLIN);
	stream_readable(&bed.c);
	assert_int_equal(bed.count.drop_ethertype, 10);
	assert_true(mac_eq(&bed.c.guest_mac, &guest));
	assert_int_equal(events(), 0);
	stream_readable(&bed.c);	/* in vain */
	assert_false(bed.io.stream_gone);
	/* the next engine knows the guest, another connection's does not */
	close(bed.io.epoll);
	begin(dup(bed.io.tap), 1);
	assert_true(mac_eq(&bed.c.guest_mac, &guest));
	stream_connect(&bed.c, dup(bed.io.tap), 2);
	assert_int_equal(bed.c.guest_mac.b[0], 0xff);
}

static void test_closed(void **state)
{
	(void)state;
	put_frame(100, 0x1234);
	close(bed.far);
	bed.far = -1;
	stream_readable(&bed.c);
	assert_int_equal(bed.count.drop_ethertype, 1);
	stream_readable(&bed.c);
	assert_true(bed.io.stream_gone);
	assert_int_equal(bed.io.stream_why, 0);
	assert_int_equal(bed.io.tap, -1);
	assert_int_equal(send_one(), -ENOTCONN);
	stream_readable(&bed.c);
	stream_writable(&bed.c);
	stream_finish(&bed.c);
}

static void test_closed_while_sending(void **state)
{
	(void)state;
	close(bed.far);
	bed.far = -1;
	assert_int_equal(send_one(), -ENOTCONN);	/* a large one leaves at once */
	assert_true(bed.io.stream_gone);
	assert_int_equal(bed.io.stream_why, EPIPE);
}

static void test_nonsense(void **state)
{
	uint8_t bytes[64] = { 0, 0, 0, 5 };

	(void)state;
	put_frame(100, 0x1234);
	assert_int_equal(write(bed.far, bytes, sizeof(bytes)), sizeof(bytes));
	stream_readable(&bed.c);
	assert_int_equal(bed.count.drop_ethertype, 1);
	assert_int_equal(bed.count.stream_nonsense, 1);
	assert_true(bed.io.stream_gone);
	assert_int_equal(bed.io.stream_why, EBADMSG);
	assert_int_equal(read(bed.far, bytes, sizeof(bytes)), 0);	/* it hears of that */
}

static void test_memory_of_another(void **state)
{
	int fd = dup(bed.io.tap);

	(void)state;
	bed.f.out[bed.f.out_now].head = 1;
	stream_close(&bed.c);
	close(bed.io.epoll);
	begin(fd, 1);
	assert_true(bed.io.stream_gone);
	assert_int_equal(bed.io.stream_why, EBADMSG);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_order), T(test_together), T(test_pushed_back), T(test_pushed_back_and_killed),
		T(test_in), T(test_closed), T(test_closed_while_sending), T(test_nonsense),
		T(test_memory_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
