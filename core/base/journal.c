/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/journal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX	"CNI_PASST_"

int journal_open(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int journal_is_syslog(void)
{
	struct stat log, journal;

	return stat("/dev/log", &log) == 0 && stat("/run/systemd/journal/dev-log", &journal) == 0 &&
	       log.st_dev == journal.st_dev && log.st_ino == journal.st_ino;
}

struct entry {
	char *buf;
	size_t len;
};

/* All of a field or nothing of it. */
static void put(struct entry *e, const char *name, const char *value, size_t n)
{
	size_t name_len = strlen(name);

	if (!n || name_len + n + 2 > JOURNAL_ENTRY_MAX - e->len)
		return;
	memcpy(e->buf + e->len, name, name_len);
	e->len += name_len;
	e->buf[e->len++] = '=';
	memcpy(e->buf + e->len, value, n);
	e->len += n;
	e->buf[e->len++] = '\n';
}

static bool is_key(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The length of a pair's key at p, 0: there is none. */
static size_t key_len(const char *p)
{
	size_t n = 0;

	while (is_key(p[n]))
		n++;
	return p[n] == '=' && p[0] >= 'a' && p[0] <= 'z' ? n : 0;
}

/* The value at p without quotes; *end is behind it, and behind what ends it. */
static size_t value_len(const char **p, const char **end)
{
	size_t n;

	if (**p == '"') {
		++*p;
		n = strcspn(*p, "\"");
		*end = *p + n + ((*p)[n] == '"');
		return n;
	}
	n = strcspn(*p, " ");
	*end = *p + n;
	/* "bytes=7: disk full", "n=1, more" */
	return n && strchr(":,;", (*p)[n - 1]) ? n - 1 : n;
}

static void put_pairs(struct entry *e, const char *text)
{
	char name[sizeof(PREFIX) + JOURNAL_FIELD_MAX];
	const char *p = text, *end;
	unsigned int fields = 0;
	size_t key, n;

	while (*p && fields < JOURNAL_FIELDS) {
		p += strspn(p, " ");
		key = key_len(p);
		if (!key || key > JOURNAL_FIELD_MAX) {
			p += strcspn(p, " ");
			continue;
		}
		strcpy(name, PREFIX);
		for (size_t i = 0; i < key; i++)
			name[sizeof(PREFIX) - 1 + i] = p[i] >= 'a' && p[i] <= 'z' ?
						       (char)(p[i] - 'a' + 'A') : p[i];
		name[sizeof(PREFIX) - 1 + key] = '\0';
		p += key + 1;
		n = value_len(&p, &end);
		put(e, name, p, n);
		fields++;
		p = end;
	}
}

size_t journal_format(const struct journal_who *who, int priority, const char *message,
		      const char *text, char buf[JOURNAL_ENTRY_MAX])
{
	struct entry e = { .buf = buf };
	const char digit = (char)('0' + (priority & 7));
	size_t n = strlen(message);

	put(&e, "PRIORITY", &digit, 1);
	put(&e, "MESSAGE", message, n > JOURNAL_ENTRY_MAX / 2 ? JOURNAL_ENTRY_MAX / 2 : n);
	put(&e, "SYSLOG_IDENTIFIER", who->identifier, strlen(who->identifier));
	put(&e, PREFIX "ID", who->container, strlen(who->container));
	put(&e, PREFIX "INTERFACE", who->interface, strlen(who->interface));
	put(&e, PREFIX "PROCESS", who->process, strlen(who->process));
	put_pairs(&e, text);
	return e.len;
}
