/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/resolv.h"

#include <string.h>
#include <strings.h>

/* The rest of one line; a word is what stands between blanks. */
struct line {
	const char *p;
	size_t left;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word, copied into buf; false at the line's end. One that is too long for
 * buf is none of ours and comes out as "". */
static bool next_word(struct line *l, char *buf, size_t size)
{
	size_t n = 0;

	while (l->left && is_blank(*l->p)) {
		l->p++;
		l->left--;
	}
	if (!l->left)
		return false;
	while (n < l->left && !is_blank(l->p[n]))
		n++;
	buf[0] = '\0';
	if (n < size && !memchr(l->p, '\0', n)) {
		memcpy(buf, l->p, n);
		buf[n] = '\0';
	}
	l->p += n;
	l->left -= n;
	return true;
}

/* What may be asked: the host's loopback too, but no group and not "any". */
static bool server_ok(const struct addr *a)
{
	return addr_is_unicast(a) || addr_is_loopback(a);
}

static void add_server(struct resolv *r, struct line *l)
{
	char word[ADDR_STRLEN + CONF_IFNAME_MAX + 2], *scope;
	struct resolv_server s = { .ifname = "" };

	if (r->nservers == RESOLVERS_MAX || !next_word(l, word, sizeof(word)))
		return;
	scope = strchr(word, '%');
	if (scope)
		*scope++ = '\0';
	if (addr_parse(word, &s.addr) < 0 || !server_ok(&s.addr))
		return;
	if (scope && addr_is_linklocal6(&s.addr)) {
		if (!conf_ifname_ok(scope))
			return;
		strcpy(s.ifname, scope);
	}
	r->servers[r->nservers++] = s;
}

/* Without the dot that a full name may end with. */
static bool read_name(struct line *l, bool *more, char to[CONF_DOMAIN_MAX + 1])
{
	char word[CONF_DOMAIN_MAX + 2];
	size_t n;

	*more = next_word(l, word, sizeof(word));
	if (!*more)
		return false;
	n = strlen(word);
	n -= n && word[n - 1] == '.';
	if (n > CONF_DOMAIN_MAX)
		return false;
	word[n] = '\0';
	if (!conf_domain_ok(word))
		return false;
	memcpy(to, word, n + 1);
	return true;
}

static void set_search(struct resolv *r, struct line *l)
{
	char name[CONF_DOMAIN_MAX + 1];
	bool more = true;

	r->nsearch = 0;
	r->domain[0] = '\0';
	while (more && r->nsearch < CONF_SEARCH_MAX)
		if (read_name(l, &more, name))
			strcpy(r->search[r->nsearch++], name);
}

static void set_domain(struct resolv *r, struct line *l)
{
	bool more;

	r->nsearch = 0;
	if (!read_name(l, &more, r->domain))
		r->domain[0] = '\0';
}

static void read_line(struct resolv *r, struct line l)
{
	static const struct {
		const char *word;
		void (*set)(struct resolv *r, struct line *l);
	} lines[] = {
		{ "nameserver", add_server },
		{ "search", set_search },
		{ "domain", set_domain },
	};
	char word[sizeof("nameserver")];

	if (!next_word(&l, word, sizeof(word)))
		return;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (strcmp(lines[i].word, word) == 0)
			lines[i].set(r, &l);
}

void resolv_parse(const char *text, size_t len, struct resolv *ret)
{
	*ret = (struct resolv){ .nservers = 0 };
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		read_line(ret, (struct line){ text, n });
		n += end != NULL;
		text += n;
		len -= n;
	}
}

bool resolv_host_ok(const char *name)
{
	return conf_domain_ok(name) && strcasecmp(name, "localhost") != 0 &&
	       strncasecmp(name, "localhost.", 10) != 0;
}

bool resolvers_ok(const struct resolvers *r)
{
	if (r->n > RESOLVERS_MAX || !memchr(r->host, '\0', sizeof(r->host)) ||
	    (r->host[0] && !resolv_host_ok(r->host)))
		return false;
	for (uint32_t i = 0; i < r->n; i++)
		if (!server_ok(&r->list[i].addr))
			return false;
	return true;
}

bool resolvers_eq(const struct resolvers *a, const struct resolvers *b)
{
	if (a->n != b->n || strcmp(a->host, b->host) != 0)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!addr_eq(&a->list[i].addr, &b->list[i].addr) ||
		    a->list[i].scope != b->list[i].scope)
			return false;
	return true;
}
