/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/forward.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PORT_DIGITS	5

/* A rule's text while it is read: every take_*() moves p behind what it took, or
 * returns false and leaves it. */
struct text {
	const char *p;
};

static bool take_char(struct text *t, char c)
{
	if (*t->p != c)
		return false;
	t->p++;
	return true;
}

static bool take_port(struct text *t, uint16_t *ret)
{
	size_t n = strspn(t->p, "0123456789");
	uint32_t v = 0;

	if (n < 1 || n > PORT_DIGITS)
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint32_t)(t->p[i] - '0');
	if (v > UINT16_MAX)
		return false;
	*ret = (uint16_t)v;
	t->p += n;
	return true;
}

static bool take_ports(struct text *t, uint16_t *first, uint16_t *last)
{
	if (!take_port(t, first))
		return false;
	*last = *first;
	return !take_char(t, '-') || (take_port(t, last) && *first && *first <= *last);
}

/* n bytes from the cursor as an address of the family that the spelling is for. */
static bool read_addr(const struct text *t, size_t n, bool v4, struct addr *ret)
{
	char s[ADDR_STRLEN];
	struct addr a;

	if (n >= sizeof(s))
		return false;
	memcpy(s, t->p, n);
	s[n] = '\0';
	if (addr_parse(s, &a) < 0 || addr_is4(&a) != v4)
		return false;
	*ret = a;
	return true;
}

/* "IPv4:" or "[IPv6]:". That neither stands there is no failure. */
static bool take_addr(struct text *t, struct addr *ret)
{
	const char *end;
	size_t n;

	if (*t->p == '[') {
		t->p++;
		end = strstr(t->p, "]:");
		if (!end || !read_addr(t, (size_t)(end - t->p), false, ret))
			return false;
		t->p = end + 2;
		return true;
	}
	n = strspn(t->p, "0123456789.");
	if (t->p[n] != ':' || !memchr(t->p, '.', n))
		return true;
	if (!read_addr(t, n, true, ret))
		return false;
	t->p += n + 1;
	return true;
}

/* "IFNAME/" */
static bool take_ifname(struct text *t, char ret[CONF_IFNAME_MAX + 1])
{
	const char *slash = strchr(t->p, '/');
	char name[CONF_IFNAME_MAX + 1];
	size_t n;

	if (!slash)
		return true;
	n = (size_t)(slash - t->p);
	if (n >= sizeof(name))
		return false;
	memcpy(name, t->p, n);
	name[n] = '\0';
	if (!conf_ifname_ok(name))
		return false;
	memcpy(ret, name, n + 1);
	t->p = slash + 1;
	return true;
}

/* Behind the ports listened on. */
static const char *parse_target(struct text *t, struct conf_forward *f)
{
	uint16_t last = f->last;

	f->to_first = f->first;
	if (take_char(t, ':')) {
		if (!take_addr(t, &f->to))
			return "has a target address that is none";
		if (!take_ports(t, &f->to_first, &last))
			return "has a target port that is none";
		if (last - f->to_first != f->last - f->first)
			return "has ranges of different size";
	}
	return f->to_first ? NULL : "leads to no port";
}

static const char *parse_rule(struct text *t, struct conf_forward *f)
{
	if (take_char(t, '~')) {
		f->kind = CONF_FORWARD_EXCEPT;
		return take_ports(t, &f->first, &f->last) && f->first ? NULL
			: "excludes no port";
	}
	if (!take_ifname(t, f->ifname))
		return "has an interface name that is none";
	if (!take_addr(t, &f->addr))
		return "has an address that is none";
	/* Said explicitly: all addresses, of that family. */
	if (strcmp(t->p, "auto") == 0) {
		f->kind = CONF_FORWARD_AUTO;
		t->p += strlen(t->p);
		return NULL;
	}
	if (!take_ports(t, &f->first, &f->last))
		return "is not [ADDRESS:|INTERFACE/]PORT[-PORT][:[ADDRESS:]PORT[-PORT]],"
		       " \"auto\" or ~PORT[-PORT]";
	return parse_target(t, f);
}

/* "8080:80/tcp", as other programs have it: a slash makes an interface of what stands
 * before it, and what is said of that would lead astray. NULL: it is not that. */
static const char *protocol_behind(const char *text)
{
	const char *slash = strrchr(text, '/');

	if (slash && (strcasecmp(slash, "/tcp") == 0 || strcasecmp(slash, "/udp") == 0))
		return "has a protocol at its end: leave that out, the key chooses it"
		       " (forward.tcp or forward.udp)";
	if (slash && strcasecmp(slash, "/sctp") == 0)
		return "asks for SCTP, which is not supported: TCP and UDP are, by the keys"
		       " forward.tcp and forward.udp";
	return NULL;
}

const char *forward_parse(const char *text, enum conf_proto proto, struct conf_forward *ret)
{
	struct conf_forward f = { .proto = (uint8_t)proto, .kind = CONF_FORWARD_PORTS };
	struct text t = { text };
	const char *why = parse_rule(&t, &f);

	if (!why && *t.p)
		why = "has something behind its end";
	if (why)
		return protocol_behind(text) ?: why;
	*ret = f;
	return NULL;
}

/* --- and back ------------------------------------------------------------ */

struct out {
	char *buf;
	size_t len;
};

static void put(struct out *o, const char *s)
{
	size_t n = MIN_OF(strlen(s), FORWARD_STRLEN - 1 - o->len);

	memcpy(o->buf + o->len, s, n);
	o->len += n;
	o->buf[o->len] = '\0';
}

static void put_addr(struct out *o, const struct addr *a)
{
	char text[ADDR_STRLEN];

	if (addr_is_any(a))
		return;
	addr_format(a, text);
	put(o, addr_is4(a) ? "" : "[");
	put(o, text);
	put(o, addr_is4(a) ? ":" : "]:");
}

static void put_ports(struct out *o, uint16_t first, uint32_t more)
{
	char text[2 * PORT_DIGITS + 2];

	if (more)
		snprintf(text, sizeof(text), "%u-%u", first, (uint16_t)(first + more));
	else
		snprintf(text, sizeof(text), "%u", first);
	put(o, text);
}

char *forward_format(const struct conf_forward *f, char buf[FORWARD_STRLEN])
{
	struct out o = { .buf = buf };
	uint32_t more = f->last > f->first ? (uint32_t)(f->last - f->first) : 0;

	buf[0] = '\0';
	if (f->kind == CONF_FORWARD_EXCEPT) {
		put(&o, "~");
		put_ports(&o, f->first, more);
		return buf;
	}
	if (f->ifname[0]) {
		put(&o, f->ifname);
		put(&o, "/");
	}
	put_addr(&o, &f->addr);
	if (f->kind == CONF_FORWARD_AUTO) {
		put(&o, "auto");
		return buf;
	}
	put_ports(&o, f->first, more);
	put(&o, ":");
	put_addr(&o, &f->to);
	put_ports(&o, f->to_first, more);
	return buf;
}

bool forward_excepted(const struct conf_forward *list, uint32_t n, enum conf_proto proto,
		      uint16_t port)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i].kind == CONF_FORWARD_EXCEPT && list[i].proto == proto &&
		    list[i].first <= port && port <= list[i].last)
			return true;
	return false;
}
