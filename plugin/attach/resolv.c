/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolv: line by line as resolv.conf(5) says it: a keyword at the line's begin;
 * of "domain" and "search" the last one counts. Called by front ends before an ADD. */
#include "plugin/attach/resolv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_FILE	"/etc/resolv.conf"
#define RESOLVED_FILE	"/run/systemd/resolve/resolv.conf"
#define BLANK		" \t\r\n"

static void add_server(struct conf *c, char **save)
{
	const char *word = strtok_r(NULL, BLANK, save);
	struct addr a;

	if (word && c->nnameservers < CONF_NAMESERVERS_MAX && addr_parse(word, &a) == 0)
		c->nameservers[c->nnameservers++] = a;
}

/* Without the dot that a full name may end with. */
static bool copy_name(const char *word, char to[CONF_DOMAIN_MAX + 1])
{
	size_t n = strlen(word);

	n -= n && word[n - 1] == '.';
	if (n > CONF_DOMAIN_MAX)
		return false;
	memcpy(to, word, n);
	to[n] = '\0';
	return conf_domain_ok(to);
}

static void set_search(struct conf *c, char **save)
{
	const char *word;

	c->nsearch = 0;
	c->domain[0] = '\0';
	while ((word = strtok_r(NULL, BLANK, save)) && c->nsearch < CONF_SEARCH_MAX)
		c->nsearch += copy_name(word, c->search[c->nsearch]);
}

static void set_domain(struct conf *c, char **save)
{
	const char *word = strtok_r(NULL, BLANK, save);

	c->nsearch = 0;
	if (!word || !copy_name(word, c->domain))
		c->domain[0] = '\0';
}

static void read_line(struct conf *c, char *line)
{
	static const struct {
		const char *word;
		void (*set)(struct conf *c, char **save);
	} lines[] = {
		{ "nameserver", add_server },
		{ "search", set_search },
		{ "domain", set_domain },
	};
	char *save = NULL;
	const char *word = strtok_r(line, BLANK, &save);

	for (size_t i = 0; word && i < ARRAY_LEN(lines); i++)
		if (strcmp(lines[i].word, word) == 0)
			lines[i].set(c, &save);
}

int resolv_read(const char *path, struct conf *c)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) >= 0)
		read_line(c, line);
	free(line);
	fclose(f);
	return 0;
}

static bool all_loopback(const struct conf *c)
{
	for (uint32_t i = 0; i < c->nnameservers; i++)
		if (!addr_is_loopback(&c->nameservers[i]))
			return false;
	return true;
}

void resolv_merge(struct conf *c, const struct conf *host)
{
	bool named = c->domain[0] || c->nsearch;

	memcpy(c->nameservers, host->nameservers, sizeof(c->nameservers));
	c->nnameservers = host->nnameservers;
	if (named)
		return;
	memcpy(c->domain, host->domain, sizeof(c->domain));
	memcpy(c->search, host->search, sizeof(c->search));
	c->nsearch = host->nsearch;
}

void resolv_fill(struct conf *c)
{
	static const char *const files[] = { HOST_FILE, RESOLVED_FILE };
	struct conf host;

	if (c->nnameservers)
		return;
	for (size_t i = 0; i < ARRAY_LEN(files) && all_loopback(c); i++) {
		host = *c;
		host.nnameservers = 0;
		if (resolv_read(files[i], &host) == 0 && !all_loopback(&host))
			resolv_merge(c, &host);
	}
}
