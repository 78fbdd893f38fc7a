/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/base/log.c: names, levels, the file target and its size, what a
 * line may hold, the limit on events a peer can cause. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

struct room {
	char dir[512], path[600];
};

static int setup(void **state)
{
	struct room *r = calloc(1, sizeof(*r));
	const char *tmp = getenv("TMPDIR");

	if (!r)
		return -1;
	snprintf(r->dir, sizeof(r->dir), "%.400s/test_log.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(r->dir)) {
		free(r);
		return -1;
	}
	snprintf(r->path, sizeof(r->path), "%s/log", r->dir);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct room *r = *state;

	log_open(LOGT_NONE, LOGL_INFO, NULL, NULL);
	log_role("");
	unlink(r->path);
	rmdir(r->dir);
	free(r);
	return 0;
}

/* The file's text, ended; room for `max` bytes. */
static void slurp(const char *path, char *buf, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buf, max - 1);
	close(fd);
	assert_true(n >= 0);
	buf[n] = '\0';
}

static void test_names(void **state)
{
	enum log_level level;
	enum log_target target;

	(void)state;
	for (int i = 0; i < LOGL_COUNT; i++) {
		assert_int_equal(log_level_parse(log_level_names[i], &level), 0);
		assert_int_equal(level, i);
	}
	for (int i = 0; i < LOGT_COUNT; i++) {
		assert_int_equal(log_target_parse(log_target_names[i], &target), 0);
		assert_int_equal(target, i);
	}
	POISON(level);
	POISON(target);
	assert_int_equal(log_level_parse("Error", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(log_target_parse("stdout", &target), -EINVAL);
	ASSERT_POISONED(level);
	ASSERT_POISONED(target);
}

static void test_file(void **state)
{
	struct room *r = *state;
	char text[4096], *line;
	struct stat st;

	assert_int_equal(log_open(LOGT_FILE, LOGL_INFO, r->path, "demo"), 0);
	assert_int_equal(stat(r->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	log_role("main");
	log_info("event=%s n=%d", "start", 7);
	log_error("event=end");
	log_debug("not at this level");
	slurp(r->path, text, sizeof(text));
	line = strstr(text, "Z demo main info: event=start n=7\n");
	assert_non_null(line);
	assert_int_equal(line - text, strlen("2026-01-01T00:00:00"));
	assert_non_null(strstr(line, "Z demo main error: event=end\n"));
	assert_null(strstr(text, "not at this level"));
}

static void test_levels(void **state)
{
	struct room *r = *state;
	char text[4096];

	for (int level = 0; level < LOGL_COUNT; level++) {
		unsigned int lines = 0;

		assert_int_equal(log_open(LOGT_FILE, (enum log_level)level, r->path, ""), 0);
		assert_int_equal(truncate(r->path, 0), 0);
		log_error("x");
		log_warn("x");
		log_info("x");
		log_debug("x");
		slurp(r->path, text, sizeof(text));
		for (const char *p = text; *p; p++)
			lines += *p == '\n';
		assert_int_equal(lines, level + 1);
	}
}

/* One event is one line, whatever names it holds. */
static void test_controls(void **state)
{
	struct room *r = *state;
	char text[4096];

	assert_int_equal(log_open(LOGT_FILE, LOGL_INFO, r->path, "a\nb"), 0);
	log_info("name=%s", "x\nfake error: y\033[2J\x7f\r");
	slurp(r->path, text, sizeof(text));
	assert_non_null(strstr(text, "a b info: name=x fake error: y [2J  \n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

/* A line is cut, and still ends. */
static void test_long(void **state)
{
	struct room *r = *state;
	char text[8192], wide[4000];
	size_t n;

	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	assert_int_equal(log_open(LOGT_FILE, LOGL_INFO, r->path, wide), 0);
	log_role(wide);
	log_error("%s", wide);
	slurp(r->path, text, sizeof(text));
	n = strlen(text);
	assert_true(n > 1000 && n < 1300);
	assert_int_equal(text[n - 1], '\n');
}

/* LOG_FILE_MAX: the file is started anew, it does not fill the disk. */
static void test_file_max(void **state)
{
	struct room *r = *state;
	struct stat st;

	assert_int_equal(log_open(LOGT_FILE, LOGL_INFO, r->path, "demo"), 0);
	assert_int_equal(truncate(r->path, LOG_FILE_MAX), 0);
	log_info("the last one of the old");
	assert_int_equal(stat(r->path, &st), 0);
	assert_true(st.st_size > LOG_FILE_MAX);
	log_info("the first one of the new");
	assert_int_equal(stat(r->path, &st), 0);
	assert_true(st.st_size > 0 && st.st_size < 200);
}

/* A file that cannot be had: said, and stderr is used from then on. */
static void test_open_fails(void **state)
{
	struct room *r = *state;
	int pipefd[2], saved;
	char text[512];
	ssize_t n;

	/* even when another file was open before */
	assert_int_equal(log_open(LOGT_FILE, LOGL_INFO, r->path, "demo"), 0);
	assert_int_equal(log_open(LOGT_FILE, LOGL_INFO, "/proc/nonexistent/log", "demo"), -ENOENT);
	assert_int_equal(pipe(pipefd), 0);
	saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_true(dup2(pipefd[1], STDERR_FILENO) >= 0);
	log_warn("here");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipefd[1]);
	n = read(pipefd[0], text, sizeof(text) - 1);
	close(pipefd[0]);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, "cni-passt: demo warn: here\n");
}

/* No link is followed: the path may lie where others can write. */
static void test_no_link(void **state)
{
	struct room *r = *state;
	struct stat st;
	char to[640];

	snprintf(to, sizeof(to), "%s.elsewhere", r->path);
	assert_int_equal(symlink(to, r->path), 0);
	assert_int_equal(log_open(LOGT_FILE, LOGL_INFO, r->path, "demo"), -ELOOP);
	assert_int_equal(stat(to, &st), -1);
}

static void test_limit(void **state)
{
	struct log_limit l = { 0 };

	(void)state;
	assert_true(log_allowed(&l, 1000));
	assert_int_equal(l.last_swallowed, 0);
	assert_false(log_allowed(&l, 1000));
	assert_false(log_allowed(&l, 60999));
	assert_true(log_allowed(&l, 61000));
	assert_int_equal(l.last_swallowed, 2);
	assert_int_equal(l.swallowed, 0);
	assert_false(log_allowed(&l, 61001));
	assert_true(log_allowed(&l, 500000));
	assert_int_equal(l.last_swallowed, 1);
	/* the clock may start at 0 */
	l = (struct log_limit){ 0 };
	assert_true(log_allowed(&l, 0));
	assert_false(log_allowed(&l, 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_controls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_max, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_link, setup, teardown),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
