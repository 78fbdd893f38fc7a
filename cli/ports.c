/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/ports.h"

#include <string.h>

#define PORT_DIGITS	5
#define ITEMS_MAX	256	/* of one specification */

struct range {
	uint16_t first, last;
};

/* A specification while it is read. */
struct spec {
	const char *p;
	struct conf_forward where;	/* address and interface of all its rules */
	struct range from[ITEMS_MAX], to[ITEMS_MAX];
	struct addr to_addr[ITEMS_MAX];		/* ADDR_ANY: the other side's own */
	uint32_t nranges;
	bool automatic, excludes, all;
	struct addr all_to;
	uint8_t excluded[65536 / 8];
};

static void mark(struct spec *s, struct range r)
{
	for (uint32_t port = r.first; port <= r.last; port++)
		s->excluded[port / 8] |= (uint8_t)(1u << (port % 8));
}

static bool is_excluded(const struct spec *s, uint32_t port)
{
	return s->excluded[port / 8] >> (port % 8) & 1;
}

static bool take_port(struct spec *s, uint16_t *ret)
{
	size_t n = strspn(s->p, "0123456789");
	uint32_t v = 0;

	if (n < 1 || n > PORT_DIGITS)
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint32_t)(s->p[i] - '0');
	if (!v || v > UINT16_MAX)
		return false;
	*ret = (uint16_t)v;
	s->p += n;
	return true;
}

static bool take_range(struct spec *s, struct range *ret)
{
	if (!take_port(s, &ret->first))
		return false;
	ret->last = ret->first;
	if (*s->p != '-')
		return true;
	s->p++;
	return take_port(s, &ret->last) && ret->first <= ret->last;
}

/* A word at the begin of an item, with one of `ends` or the end behind it. */
static bool take_word(struct spec *s, const char *word, const char *ends)
{
	const size_t n = strlen(word);

	if (strncmp(s->p, word, n) != 0 || (s->p[n] && !strchr(ends, s->p[n])))
		return false;
	s->p += n;
	return true;
}

/* n bytes of text as an address, IPv6 also in brackets. */
static bool read_addr(const char *text, size_t n, struct addr *ret)
{
	char addr[ADDR_STRLEN];

	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= sizeof(addr))
		return false;
	memcpy(addr, text, n);
	addr[n] = '\0';
	return addr_parse(addr, ret) == 0;
}

static bool take_addr(struct spec *s, struct addr *ret)
{
	size_t n = strcspn(s->p, "/,");

	if (!read_addr(s->p, n, ret))
		return false;
	s->p += n;
	return true;
}

/* Behind the colon: ports, an address, or an address with ports. */
static const char *take_target(struct spec *s, struct range *to, struct addr *addr)
{
	const char end = s->p[strspn(s->p, "0123456789")];

	if (end && end != ',' && end != '-') {
		if (!take_addr(s, addr))
			return "has a target that is neither ports nor an address";
		if (*s->p != '/')
			return NULL;
		s->p++;
	}
	return take_range(s, to) ? NULL : "has a target that is no port";
}

static const char *take_all(struct spec *s)
{
	s->all = true;
	if (*s->p != ':')
		return NULL;
	s->p++;
	return take_addr(s, &s->all_to) ? NULL : "has a target that is no address";
}

static const char *take_item(struct spec *s)
{
	struct range *from = &s->from[s->nranges], *to = &s->to[s->nranges];
	const char *why = NULL;

	if (take_word(s, "auto", ",")) {
		s->automatic = true;
		return NULL;
	}
	if (take_word(s, "all", ",:"))
		return take_all(s);
	if (*s->p == '~') {
		s->p++;
		if (!take_range(s, from))
			return "excludes no port";
		mark(s, *from);
		s->excludes = true;
		return NULL;
	}
	if (!take_range(s, from))
		return "is not none, auto, all, or ports";
	*to = *from;
	s->to_addr[s->nranges] = ADDR_ANY;
	if (*s->p == ':') {
		s->p++;
		why = take_target(s, to, &s->to_addr[s->nranges]);
	}
	if (why)
		return why;
	if (to->last - to->first != from->last - from->first)
		return "has ranges of different size";
	s->nranges++;
	return NULL;
}

/* "ADDRESS%IFNAME" of n bytes. */
static const char *read_where(struct spec *s, const char *text, size_t n)
{
	const char *percent = memchr(text, '%', n);
	size_t len = percent ? (size_t)(percent - text) : n;
	size_t rest = percent ? n - len - 1 : 0;

	if (percent) {
		if (rest < 1 || rest > CONF_IFNAME_MAX)
			return "has an interface name that is none";
		memcpy(s->where.ifname, percent + 1, rest);
		s->where.ifname[rest] = '\0';
		if (!conf_ifname_ok(s->where.ifname))
			return "has an interface name that is none";
	}
	return (percent && !len) || read_addr(text, len, &s->where.addr) ? NULL
		: "has an address that is none";
}

static const char *read_items(struct spec *s)
{
	const char *why;

	for (;;) {
		if (s->nranges == ITEMS_MAX)
			return "has too many ranges";
		why = take_item(s);
		if (why || !*s->p)
			return why;
		if (*s->p != ',')
			return "has something behind a port";
		s->p++;
	}
}

/* A slash may be a target's as well: "5000:192.0.2.5/6000". What reads as an address is one. */
static const char *read_spec(struct spec *s)
{
	const char *const text = s->p, *slash = strchr(text, '/'), *why;

	if (!slash)
		return read_items(s);
	why = read_where(s, text, (size_t)(slash - text));
	if (!why)
		s->p = slash + 1;
	else
		s->where = (struct conf_forward){ .addr = ADDR_ANY };
	if (!why)
		return read_items(s);
	return read_items(s) ? why : NULL;
}

/* --- the rules -------------------------------------------------------------- */

static const char *put(struct ports *p, const struct conf_forward *f)
{
	if (*p->n == p->max)
		return "makes more rules than there is room for";
	p->rules[*p->n] = *f;
	p->rules[(*p->n)++].from = ORIGIN_OPTION;
	return NULL;
}

/* from, less what is excluded: a rule for each piece that stays. */
static const char *put_range(struct ports *p, const struct spec *s, struct range from,
			     uint16_t to, const struct addr *addr, bool weak)
{
	struct conf_forward f = s->where;
	const char *why = NULL;
	uint32_t port = from.first, end;

	f.proto = (uint8_t)p->proto;
	f.kind = CONF_FORWARD_PORTS;
	f.ready = s->automatic;
	f.weak = weak;
	f.to = *addr;
	while (!why && port <= from.last) {
		if (is_excluded(s, port)) {
			port++;
			continue;
		}
		for (end = port; end < from.last && !is_excluded(s, end + 1); )
			end++;
		f.first = (uint16_t)port;
		f.last = (uint16_t)end;
		f.to_first = (uint16_t)(to + (port - from.first));
		why = put(p, &f);
		port = end + 1;
	}
	return why;
}

/* All ports that nobody is given by chance. */
static const char *put_all(struct ports *p, const struct spec *s, struct ports_ephemeral eph)
{
	const struct range low = { 1, (uint16_t)(eph.first - 1) };
	const struct range high = { (uint16_t)(eph.last + 1), UINT16_MAX };
	const char *why = NULL;

	if (eph.first > 1)
		why = put_range(p, s, low, low.first, &s->all_to, true);
	if (!why && eph.last < UINT16_MAX)
		why = put_range(p, s, high, high.first, &s->all_to, true);
	return why;
}

/* What the other side listens on, less the exclusions, which are rules here. */
static const char *put_auto(struct ports *p, const struct spec *s)
{
	struct conf_forward f = s->where;
	const char *why;
	uint32_t end;

	f.proto = (uint8_t)p->proto;
	f.kind = CONF_FORWARD_AUTO;
	why = put(p, &f);
	f = (struct conf_forward){ .proto = (uint8_t)p->proto, .kind = CONF_FORWARD_EXCEPT };
	for (uint32_t port = 1; !why && port <= UINT16_MAX; port = end + 1) {
		end = port;
		if (!is_excluded(s, port))
			continue;
		while (end < UINT16_MAX && is_excluded(s, end + 1))
			end++;
		f.first = (uint16_t)port;
		f.last = (uint16_t)end;
		why = put(p, &f);
	}
	return why;
}

/* The ranges as they are; what is "all" beside them leaves them out. */
static const char *put_spec(struct ports *p, struct spec *s, struct ports_ephemeral eph)
{
	const char *why = NULL;

	if (s->automatic && !s->nranges)
		return put_auto(p, s);
	for (uint32_t i = 0; !why && i < s->nranges; i++)
		why = put_range(p, s, s->from[i], s->to[i].first, &s->to_addr[i], false);
	if (why || (s->nranges && !s->all))
		return why;
	for (uint32_t i = 0; i < s->nranges; i++)
		mark(s, s->from[i]);
	return put_all(p, s, eph);
}

const char *ports_add(struct ports *p, const char *spec, struct ports_ephemeral eph)
{
	struct spec s = { .p = spec, .where = { .addr = ADDR_ANY } };
	bool all = strcmp(spec, "all") == 0, none = strcmp(spec, "none") == 0;
	uint32_t before = *p->n;
	const char *why;

	if (p->kind == PORTS_ALL ||
	    (p->kind == PORTS_SOME && (all || none)))
		return "does not go with the others of that option";
	if (none) {
		p->kind = PORTS_NONE;
		return NULL;
	}
	why = read_spec(&s);
	if (!why)
		why = put_spec(p, &s, eph);
	if (why)
		*p->n = before;
	else
		p->kind = all ? PORTS_ALL : PORTS_SOME;
	return why;
}
