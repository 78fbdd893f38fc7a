/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/journal.h"

#define LOG_LINE_MAX	1024
#define LOG_LIMIT_MS	60000

const char *const log_level_names[LOGL_COUNT] = { "error", "warn", "info", "debug" };
const char *const log_target_names[LOGT_COUNT] = { "stderr", "syslog", "file", "none",
						    "journal" };

static struct {
	enum log_target target;
	enum log_level level;
	int fd;
	uint32_t size;
	char ident[96];
	char role[16];
	char container[160], interface[16];
} state = { .target = LOGT_STDERR, .level = LOGL_INFO, .fd = -1, .size = LOG_FILE_MAX };

static int find_name(const char *const *names, int n, const char *s)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], s) == 0)
			return i;
	return -EINVAL;
}

int log_level_parse(const char *s, enum log_level *ret)
{
	int i = find_name(log_level_names, LOGL_COUNT, s);

	if (i < 0)
		return i;
	*ret = (enum log_level)i;
	return 0;
}

int log_target_parse(const char *s, enum log_target *ret)
{
	int i = find_name(log_target_names, LOGT_COUNT, s);

	if (i < 0)
		return i;
	*ret = (enum log_target)i;
	return 0;
}

/* One event stays one line, and a terminal that shows it stays as it was: text
 * may hold names that a container or a runtime chose. */
static void blank_controls(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
}

int log_open(enum log_target target, enum log_level level, const char *path,
	     const char *ident)
{
	int fd = -1, err = 0;

	if (target == LOGT_JOURNAL || (target == LOGT_SYSLOG && journal_is_syslog())) {
		fd = journal_open(JOURNAL_SOCKET);
		err = fd < 0 && target == LOGT_JOURNAL ? fd : 0;
		target = fd < 0 ? LOGT_SYSLOG : LOGT_JOURNAL;
	}
	tzset();	/* reads a file, which the sealed processes cannot */
	state.level = level;
	snprintf(state.ident, sizeof(state.ident), "%s", ident ? ident : "");
	blank_controls(state.ident);
	if (target == LOGT_FILE) {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0) {
			err = -errno;
			target = LOGT_STDERR;
		}
	} else if (target == LOGT_SYSLOG) {
		/* LOG_NDELAY: the engine can open nothing later. */
		openlog("cni-passt", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	}
	if (state.fd >= 0)
		close(state.fd);
	state.fd = fd;
	state.target = target;
	return err;
}

void log_names(const char *container, const char *interface)
{
	snprintf(state.container, sizeof(state.container), "%s", container);
	snprintf(state.interface, sizeof(state.interface), "%s", interface);
	blank_controls(state.container);
	blank_controls(state.interface);
}

void log_limit_size(uint32_t size)
{
	state.size = size ? size : LOG_FILE_MAX;
}

void log_role(const char *role)
{
	snprintf(state.role, sizeof(state.role), "%s", role);
}

/* By the call that brings frames to the tap too: a sealed process has few. A full
 * disk, or nobody who reads, must not stop the network. */
static void write_out(int fd, char *line, int len)
{
	const struct iovec iov = { line, (size_t)len };

	if (writev(fd, &iov, 1) < 0)
		return;
}

static void write_file(char *line, int len)
{
	if (lseek(state.fd, 0, SEEK_END) > (off_t)state.size && ftruncate(state.fd, 0) < 0)
		return;
	write_out(state.fd, line, len);
}

/* A journald that hangs or is gone costs a line, and not the network. */
static void write_journal(int priority, const char *text)
{
	const struct journal_who who = {
		.identifier = "cni-passt", .container = state.container,
		.interface = state.interface, .process = state.role,
	};
	char line[LOG_LINE_MAX + 192], entry[JOURNAL_ENTRY_MAX];
	size_t n;

	snprintf(line, sizeof(line), "%s%s%s %s", state.ident, state.ident[0] ? " " : "",
		 state.role, text);
	n = journal_format(&who, priority, line, text, entry);
	write_out(state.fd, entry, (int)n);
}

static void write_line(enum log_level level, const char *text)
{
	char line[LOG_LINE_MAX + 192], stamp[32] = "";
	struct timespec now;
	struct tm tm;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	if (state.target == LOGT_FILE && gmtime_r(&now.tv_sec, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ ", &tm);
	n = snprintf(line, sizeof(line), "%s%s%s%s%s%s%s: %s\n", stamp,
		     state.target == LOGT_STDERR ? "cni-passt: " : "",
		     state.ident, state.ident[0] ? " " : "",
		     state.role, state.role[0] ? " " : "", log_level_names[level],
		     text);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	if (state.target == LOGT_FILE)
		write_file(line, n);
	else
		write_out(STDERR_FILENO, line, n);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	static const int prio[LOGL_COUNT] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
	char text[LOG_LINE_MAX];
	va_list ap;

	if (level > state.level || state.target == LOGT_NONE)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	blank_controls(text);
	if (state.target == LOGT_JOURNAL)
		write_journal(prio[level], text);
	else if (state.target == LOGT_SYSLOG)
		syslog(prio[level], "%s%s%s %s", state.ident, state.ident[0] ? " " : "",
		       state.role, text);
	else
		write_line(level, text);
}

bool log_allowed(struct log_limit *limit, uint64_t now_ms)
{
	if (limit->next_ms && now_ms < limit->next_ms) {
		limit->swallowed++;
		return false;
	}
	limit->next_ms = now_ms + LOG_LIMIT_MS;
	limit->last_swallowed = limit->swallowed;
	limit->swallowed = 0;
	return true;
}
