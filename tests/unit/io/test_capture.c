/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/io/capture.c: the blocks byte by byte, what an engine after the first
 * finds, and that a file that takes no more stays readable. */
#include "../unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "io/capture.h"

#define HEAD_LEN	48u	/* section and interface */

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

static void test_blocks(void **state)
{
	struct err e = ERR_INIT;
	FD_OWNED int fd = capture_open(path, &e);
	struct iovec iov[] = { { "ab", 2 }, { "cdEthe", 6 }, { "rnet", 4 }, { "!", 1 } };
	struct capture c;
	uint8_t buf[256], *p = buf + HEAD_LEN;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(content(buf, sizeof(buf)), HEAD_LEN);
	assert_int_equal(word(buf), 0x0a0d0d0a);
	assert_int_equal(word(buf + 8), 0x1a2b3c4d);
	capture_use(&c, fd, 4, 1000);
	capture_frame(&c, 1500, iov, 4, true);
	assert_int_equal(content(buf, sizeof(buf)), HEAD_LEN + 28 + 12 + 16);
	assert_int_equal(word(p), 6);
	assert_int_equal(word(p + 4), 28 + 12 + 16);
	assert_int_equal(word(p + 20), 9);
	assert_int_equal(word(p + 24), 9);
	assert_memory_equal(p + 28, "Ethernet!\0\0", 12);
	assert_int_equal(word(p + 44), 2);	/* outbound */
	assert_int_equal(packets(), 1);
}

static void test_next_engine(void **state)
{
	FD_OWNED int fd = capture_open(path, NULL);
	struct iovec iov = { "frame", 5 };
	struct capture c;

	(void)state;
	capture_use(&c, fd, 0, 1);
	capture_frame(&c, 1, &iov, 1, false);
	capture_use(&c, fd, 0, 2);
	assert_int_equal(c.size, HEAD_LEN + 28 + 8 + 16);
	capture_frame(&c, 2, &iov, 1, true);
	assert_int_equal(packets(), 2);
	capture_use(&c, -1, 0, 2);
	capture_frame(&c, 2, &iov, 1, true);
	assert_int_equal(packets(), 2);
}

static void test_full(void **state)
{
	FD_OWNED int fd = capture_open(path, NULL);
	struct rlimit was, less = { .rlim_cur = 200 };
	struct iovec iov = { "a frame of some length, more than the room", 43 };
	struct capture c;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	less.rlim_max = was.rlim_max;
	capture_use(&c, fd, 0, 1);
	capture_frame(&c, 1, &iov, 1, false);
	setrlimit(RLIMIT_FSIZE, &less);
	capture_frame(&c, 1, &iov, 1, false);	/* only a part of it fits */
	capture_frame(&c, 1, &iov, 1, false);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(c.fd, -1);
	assert_int_equal(packets(), 1);
	capture_use(&c, fd, 0, 1);
	c.size = CAPTURE_MAX - 10;
	capture_frame(&c, 1, &iov, 1, false);
	assert_int_equal(c.fd, -1);
}

static void test_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(capture_open("/does/not/exist", &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(capture_open("/dev/null", &e), -1);
	assert_int_equal(capture_open("/tmp", &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_next_engine),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_refused),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
