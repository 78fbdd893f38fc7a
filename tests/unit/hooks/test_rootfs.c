/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests hooks/rootfs.c: files put in place, and never through a link. */
#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "hooks/rootfs.h"

/* A root file system, and beside it what nobody may touch. */
struct tree {
	char dir[64];
	int root;
};

static const char *path(const struct tree *t, const char *name)
{
	static char buf[2][128];
	static int turn;

	turn ^= 1;
	snprintf(buf[turn], sizeof(buf[turn]), "%s/%s", t->dir, name);
	return buf[turn];
}

static void put(const struct tree *t, const char *name, const char *text)
{
	FILE *f = fopen(path(t, name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_holds(const struct tree *t, const char *name, const char *text)
{
	char buf[1024];
	FILE *f = fopen(path(t, name), "r");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	fclose(f);
	assert_string_equal(buf, text);
}

static int make(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));
	struct err e = ERR_INIT;

	assert_non_null(t);
	strcpy(t->dir, "/tmp/test_rootfs.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(mkdir(path(t, "rootfs"), 0755), 0);
	put(t, "secret", "secret");
	t->root = rootfs_open(t->dir, "rootfs", &e);
	assert_true(t->root >= 0);
	*state = t;
	return 0;
}

static int clean(void **state)
{
	struct tree *t = *state;
	char command[128];
	int r;

	close(t->root);
	snprintf(command, sizeof(command), "rm -rf %s", t->dir);
	r = system(command);
	free(t);
	return r;
}

static void test_write(void **state)
{
	struct tree *t = *state;
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(rootfs_write(t->root, "resolv.conf", "one\n", &e), 0);	/* makes etc */
	assert_holds(t, "rootfs/etc/resolv.conf", "one\n");
	put(t, "rootfs/etc/.cni-passt.resolv.conf", "of a hook that died");
	assert_int_equal(rootfs_write(t->root, "resolv.conf", "two\n", &e), 0);
	assert_holds(t, "rootfs/etc/resolv.conf", "two\n");
	assert_int_equal(access(path(t, "rootfs/etc/.cni-passt.resolv.conf"), F_OK), -1);
	assert_int_equal(stat(path(t, "rootfs/etc/resolv.conf"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void test_hosts(void **state)
{
	struct tree *t = *state;
	struct err e = ERR_INIT;

	assert_int_equal(rootfs_add_hosts(t->root, "192.0.2.1\tbox\n", &e), 0);
	assert_holds(t, "rootfs/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost"
		     " ip6-loopback\n# cni-passt: begin\n192.0.2.1\tbox\n# cni-passt: end\n");
	put(t, "rootfs/etc/hosts", "127.0.0.1 localhost\n# cni-passt: begin\nold\n"
	    "# cni-passt: end\nlast, without a newline");
	assert_int_equal(rootfs_add_hosts(t->root, "192.0.2.2\tbox\n", &e), 0);
	assert_holds(t, "rootfs/etc/hosts", "127.0.0.1 localhost\nlast, without a newline\n"
		     "# cni-passt: begin\n192.0.2.2\tbox\n# cni-passt: end\n");
}

static void test_links(void **state)
{
	struct tree *t = *state;
	struct err e = ERR_INIT;
	char command[256];

	assert_int_equal(mkdir(path(t, "rootfs/etc"), 0755), 0);
	assert_int_equal(symlink("../../secret", path(t, "rootfs/etc/hosts")), 0);
	assert_int_equal(symlink("../../secret", path(t, "rootfs/etc/.cni-passt.hosts")), 0);
	assert_int_equal(rootfs_add_hosts(t->root, "x\n", &e), 0);
	assert_holds(t, "secret", "secret");
	assert_int_equal(readlink(path(t, "rootfs/etc/hosts"), command, 1), -1);
	assert_int_equal(unlink(path(t, "rootfs/etc/hosts")), 0);

	assert_int_equal(mkfifo(path(t, "rootfs/etc/hosts"), 0600), 0);
	assert_int_equal(rootfs_add_hosts(t->root, "x\n", &e), -1);
	assert_int_equal(rootfs_write(t->root, "hosts", "x\n", &e), -1);
	assert_int_equal(access(path(t, "rootfs/etc/.cni-passt.hosts"), F_OK), -1);

	snprintf(command, sizeof(command), "rm -r %s/rootfs/etc && mkdir %s/out && ln -s ../out"
		 " %s/rootfs/etc", t->dir, t->dir, t->dir);
	assert_int_equal(system(command), 0);
	e = ERR_INIT;
	assert_int_equal(rootfs_write(t->root, "resolv.conf", "x\n", &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(access(path(t, "out/resolv.conf"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_write, make, clean),
		cmocka_unit_test_setup_teardown(test_hosts, make, clean),
		cmocka_unit_test_setup_teardown(test_links, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
