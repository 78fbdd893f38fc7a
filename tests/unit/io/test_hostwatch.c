/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests io/hostwatch.c against the kernel: what is heard of changes in a user and network
 * namespace of the test's own, and what is not. Skipped where there can be none.
 */
#include "../unit.h"

#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "io/hostwatch.h"

static bool is_ready;

static int enter_own(void **state)
{
	(void)state;
	is_ready = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && system("ip link set lo up") == 0;
	if (!is_ready)
		print_message("skipped: no user and network namespace, or no ip\n");
	return 0;
}

/* Whether that command of ip is heard of. */
static bool is_heard(const char *command)
{
	FD_OWNED int fd = hostwatch_open();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char line[256];

	assert_true(fd >= 0);
	snprintf(line, sizeof(line), "ip %s", command);
	if (system(line) != 0)
		fail_msg("%s", line);
	return poll(&p, 1, 0) == 1;	/* the kernel delivers before ip returns */
}

static void test_changes(void **state)
{
	(void)state;
	if (!is_ready)
		skip();
	assert_false(is_heard("link show"));
	assert_true(is_heard("addr add 192.0.2.2/24 dev lo"));
	assert_true(is_heard("addr add 2001:db8::2/64 dev lo nodad"));
	assert_true(is_heard("route add default via 192.0.2.1"));
	assert_true(is_heard("route del default"));
	assert_true(is_heard("route add 198.51.100.0/24 via 192.0.2.1"));
	assert_true(is_heard("-6 route add default via 2001:db8::1 proto ra"));
	assert_true(is_heard("route add default via 192.0.2.1 proto bgp"));
	assert_true(is_heard("link set lo mtu 60000"));
	assert_true(is_heard("addr del 2001:db8::2/64 dev lo"));
	assert_true(is_heard("link set lo down"));
}

static void test_left_out(void **state)
{
	(void)state;
	if (!is_ready)
		skip();
	assert_int_equal(system("ip link set lo up; ip addr replace 192.0.2.2/24 dev lo"), 0);
	assert_false(is_heard("route add 10.1.0.0/16 via 192.0.2.1 proto bgp"));
	assert_false(is_heard("route del 10.1.0.0/16"));
	assert_false(is_heard("route add default via 192.0.2.1 table 77"));
	assert_false(is_heard("route add 10.2.0.0/16 via 192.0.2.1 table 7777"));
	assert_false(is_heard("route add blackhole 10.3.0.0/16"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_left_out),
	};

	return cmocka_run_group_tests(tests, enter_own, NULL);
}
