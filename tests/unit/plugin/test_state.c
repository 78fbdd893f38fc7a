/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests plugin/attach/state.c on a real folder: where it lies, whose it must
 * be, the lock and what happens to those who wait for it, the file there and
 * back. As root it runs in a user namespace of its own, or the store would be
 * the machine's.
 */
#include "../unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "plugin/attach/state.h"

#define WAIT_MS	100	/* how long a helper process keeps the lock */

static char top[] = "/tmp/test_state.XXXXXX";

static bool write_text(const char *path, const char *text)
{
	FD_OWNED int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static int set_up(void **state)
{
	(void)state;
	if (geteuid() == 0 && (unshare(CLONE_NEWUSER) < 0 ||
			       !write_text("/proc/self/uid_map", "0 0 1\n")))
		return 0;	/* each test skips itself */
	return mkdtemp(top) && setenv("XDG_RUNTIME_DIR", top, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/cni-passt", top);
	rmdir(path);
	rmdir(top);
	return 0;
}

static void need_store(void)
{
	struct stat st;

	if (stat(top, &st) < 0) {
		print_message("skipped: no user namespace can be made here\n");
		skip();
	}
}

static int open_it(bool make, int stop_fd, struct state_dir *d, struct err *e)
{
	*e = ERR_INIT;
	return state_open("demo", "eth0", make, stop_fd, d, e);
}

/* "top/cni-passt/demo@eth0" and then rest */
static const char *path_of(const char *rest)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/cni-passt/demo@eth0%s", top, rest);
	return path;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void test_path(void **state)
{
	char path[CONF_PATH_MAX], longest[CONF_PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	need_store();
	assert_int_equal(state_path("demo", "eth0", path, &e), 0);
	assert_string_equal(path, path_of(""));
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	assert_int_equal(state_path("demo", "eth0", path, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	memset(longest, '/', sizeof(longest));
	longest[sizeof(longest) - 10] = '\0';
	setenv("XDG_RUNTIME_DIR", longest, 1);
	assert_int_equal(state_path("demo", "eth0", path, &e), -1);
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(state_path("demo", "eth0", path, &e), 0);
	assert_string_equal(path, "/run/cni-passt/demo@eth0");
	setenv("XDG_RUNTIME_DIR", top, 1);
}

static void test_make_and_remove(void **state)
{
	struct state_dir d;
	struct stat st;
	struct err e;

	(void)state;
	need_store();
	assert_int_equal(open_it(false, -1, &d, &e), 0);
	assert_false(exists(path_of("")));
	assert_int_equal(open_it(true, -1, &d, &e), 1);
	assert_int_equal(stat(path_of(""), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(exists(path_of("/lock")));
	assert_true(write_text(path_of("/control.sock"), "x"));
	assert_true(write_text(path_of("/state.json"), "x"));
	assert_int_equal(state_clean(&d, &e), 0);
	assert_true(exists(path_of("/lock")));
	assert_false(exists(path_of("/control.sock")));
	assert_true(write_text(path_of("/state.json"), "x"));
	assert_int_equal(state_remove(&d, &e), 0);
	assert_int_equal(d.fd, -1);
	assert_int_equal(d.lock_fd, -1);
	assert_false(exists(path_of("")));
}

static struct state some_state(void)
{
	struct state s = {
		.daemon = { .pid = 4711, .start_time = 123456789012345, .pid_ns = 4026531836,
			    .boot_id = "01234567-89ab-cdef-0123-456789abcdef" },
		.container_id = "demo", .network = "web", .netns = "/run/netns/x",
		.version = "1.2.3",
		.net = { .ifname = "eth0", .outer_ifname4 = "h0", .outer_ifname6 = "h1",
			 .mtu = 1500, .mac = { { 2, 0, 0, 0, 0, 9 } }, .naddresses = 2,
			 .nroutes = 2 },
	};

	prefix_parse("10.0.0.2/24", &s.net.addresses[0]);
	prefix_parse("fd00::2/64", &s.net.addresses[1]);
	addr_parse("10.0.0.1", &s.net.gateway4);
	addr_parse("fe80::1", &s.net.gateway6);
	prefix_parse("0.0.0.0/0", &s.net.routes[0].dst);
	s.net.routes[0].gw = s.net.gateway4;
	prefix_parse("fd01::/16", &s.net.routes[1].dst);
	s.net.routes[1].metric = 5;
	return s;
}

static void test_file(void **state)
{
	struct state s = some_state(), r;
	struct state_dir d;
	struct stat st;
	struct err e;

	(void)state;
	need_store();
	assert_int_equal(open_it(true, -1, &d, &e), 1);
	POISON(r);
	assert_int_equal(state_read(&d, &r, &e), 0);
	ASSERT_POISONED(r);
	assert_int_equal(state_write(&d, &s, &e), 0);
	assert_int_equal(stat(path_of("/state.json"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(exists(path_of("/state.json.new")));
	assert_int_equal(state_read(&d, &r, &e), 1);
	assert_int_equal(r.daemon.pid, 4711);
	assert_true(r.daemon.start_time == s.daemon.start_time);
	assert_string_equal(r.daemon.boot_id, s.daemon.boot_id);
	assert_true(r.daemon.pid_ns == s.daemon.pid_ns);
	assert_string_equal(r.container_id, "demo");
	assert_string_equal(r.network, "web");
	assert_string_equal(r.netns, "/run/netns/x");
	assert_string_equal(r.version, "1.2.3");
	assert_string_equal(r.net.ifname, "eth0");
	assert_string_equal(r.net.outer_ifname6, "h1");
	assert_int_equal(r.net.mtu, 1500);
	assert_true(mac_eq(&r.net.mac, &s.net.mac));
	assert_int_equal(r.net.naddresses, 2);
	assert_memory_equal(r.net.addresses, s.net.addresses, 2 * sizeof(struct prefix));
	assert_true(addr_eq(&r.net.gateway6, &s.net.gateway6));
	assert_int_equal(r.net.nroutes, 2);
	assert_true(addr_eq(&r.net.routes[0].gw, &s.net.gateway4));
	assert_int_equal(r.net.routes[1].metric, 5);
	assert_int_equal(state_remove(&d, &e), 0);
}

/* What the daemon writes when it followed the host. */
static void test_network(void **state)
{
	struct handoff_net h = { .magic = HANDOFF_MAGIC, .net = {
		.ifname = "eth0", .mtu = 1400, .mac = { { 2, 0, 0, 0, 0, 1 } } } };
	struct netcfg n;
	struct state_dir d;
	struct err e;
	FILE *f;

	(void)state;
	need_store();
	assert_int_equal(open_it(true, -1, &d, &e), 1);
	POISON(n);
	assert_int_equal(state_network(&d, &n, &e), 0);
	ASSERT_POISONED(n);
	for (int bad = 0; bad < 3; bad++) {
		h.net.mtu = bad == 1 ? 1 : 1400;
		f = fopen(path_of("/" HANDOFF_NET_NAME), "w");
		assert_non_null(f);
		assert_int_equal(fwrite(&h, sizeof(h) - (bad == 2), 1, f), 1);
		fclose(f);
		if (bad) {
			assert_int_equal(state_network(&d, &n, &e), -1);
			assert_int_equal(e.code, ERR_DECODE);
			continue;
		}
		assert_int_equal(state_network(&d, &n, &e), 1);
		assert_int_equal(n.mtu, 1400);
	}
	assert_int_equal(state_remove(&d, &e), 0);
	assert_false(exists(path_of("")));
}

/* Whatever stands in the file, reading it ends well or with one error. */
static void test_bad_file(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "null", "{}", "{\"containerId\":\"demo\"}",
		"{\"containerId\":7,\"ifname\":\"eth0\"}",
		"{\"containerId\":\"demo\",\"ifname\":\"eth01234567890123456\"}",
	};
	static const char *const odd[] = {
		"{\"containerId\":\"demo\",\"ifname\":\"eth0\",\"pid\":4294967297,"
		"\"startTime\":-5,\"bootId\":\"0123456789012345678901234567890123456\","
		"\"addresses\":[7,null,\"y\"],"
		"\"routes\":[1,{\"dst\":\"z\"},{\"dst\":\"::/0\",\"gw\":7}],\"mtu\":\"q\","
		"\"gateways\":{},\"mac\":7,\"format\":99,\"colour\":1}",
	};
	struct state_dir d;
	struct state r;
	struct err e;

	(void)state;
	need_store();
	assert_int_equal(open_it(true, -1, &d, &e), 1);
	POISON(r);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(write_text(path_of("/state.json"), bad[i]));
		assert_int_equal(state_read(&d, &r, &e), -1);
		assert_int_equal(e.code, ERR_DECODE);
	}
	ASSERT_POISONED(r);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		assert_true(write_text(path_of("/state.json"), odd[i]));
		assert_int_equal(state_read(&d, &r, &e), 1);
		assert_int_equal(r.net.naddresses, 0);
		assert_int_equal(r.net.nroutes, 1);
		assert_int_equal(r.daemon.pid, 0);
		assert_true(r.daemon.start_time == 0);
		assert_string_equal(r.daemon.boot_id, "");
	}
	unlink(path_of("/state.json"));
	assert_int_equal(symlink("/etc/passwd", path_of("/state.json")), 0);
	assert_int_equal(state_read(&d, &r, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(state_remove(&d, &e), 0);
}

/* A process that holds the lock for a while and then does what it is told. */
static pid_t holder(bool remove)
{
	struct state_dir d;
	struct err e;
	int p[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		if (open_it(true, -1, &d, &e) != 1 || write(p[1], "x", 1) != 1)
			_exit(1);
		usleep(WAIT_MS * 1000);
		if (remove)
			state_remove(&d, &e);
		_exit(0);
	}
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	return pid;
}

static void reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_waits(void **state)
{
	struct state_dir d;
	struct err e;
	pid_t pid;

	(void)state;
	need_store();
	pid = holder(false);
	assert_int_equal(open_it(false, -1, &d, &e), 1);
	reap(pid);
	assert_int_equal(state_remove(&d, &e), 0);
}

/* A lock that was removed while it was waited for locks nothing. */
static void test_removed_under_a_waiter(void **state)
{
	struct state_dir d;
	struct err e;
	pid_t pid;

	(void)state;
	need_store();
	pid = holder(true);
	assert_int_equal(open_it(false, -1, &d, &e), 0);
	reap(pid);
	pid = holder(true);
	assert_int_equal(open_it(true, -1, &d, &e), 1);
	reap(pid);
	assert_true(exists(path_of("/lock")));
	assert_int_equal(state_remove(&d, &e), 0);
}

static void test_interrupted(void **state)
{
	FD_OWNED int stop = eventfd(1, EFD_CLOEXEC);
	struct state_dir d, second;
	struct err e;

	(void)state;
	need_store();
	assert_int_equal(open_it(true, stop, &d, &e), 1);	/* nobody to wait for */
	assert_int_equal(open_it(true, stop, &second, &e), -1);
	assert_int_equal(e.code, ERR_AGAIN);
	assert_int_equal(second.fd, -1);
	assert_int_equal(state_remove(&d, &e), 0);
}

static void test_foreign_folders(void **state)
{
	char root[128], aside[128];
	struct state_dir d;
	struct err e;

	(void)state;
	need_store();
	snprintf(root, sizeof(root), "%s/cni-passt", top);
	snprintf(aside, sizeof(aside), "%s/aside", top);
	assert_int_equal(chmod(root, 0777), 0);
	assert_int_equal(open_it(true, -1, &d, &e), -1);
	assert_int_equal(e.code, ERR_PRIVILEGE);
	assert_int_equal(chmod(root, 0700), 0);
	assert_int_equal(rename(root, aside), 0);
	assert_int_equal(symlink("aside", root), 0);
	assert_int_equal(open_it(true, -1, &d, &e), -1);
	assert_int_equal(unlink(root), 0);
	assert_int_equal(rename(aside, root), 0);
	assert_int_equal(symlink("..", path_of("")), 0);
	assert_int_equal(open_it(true, -1, &d, &e), -1);
	assert_int_equal(unlink(path_of("")), 0);
	/* a base that is another user's: in a user namespace root's is nobody's */
	setenv("XDG_RUNTIME_DIR", "/proc", 1);
	assert_int_equal(open_it(true, -1, &d, &e), -1);
	assert_true(e.code == ERR_PRIVILEGE || e.code == ERR_IO);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	assert_int_equal(open_it(false, -1, &d, &e), 0);
	assert_int_equal(open_it(true, -1, &d, &e), -1);
	setenv("XDG_RUNTIME_DIR", top, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_make_and_remove),
		cmocka_unit_test(test_network), cmocka_unit_test(test_file),
		cmocka_unit_test(test_bad_file),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_removed_under_a_waiter),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_foreign_folders),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
