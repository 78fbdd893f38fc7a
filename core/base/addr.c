/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

bool addr_is_unspecified(const struct addr *a)
{
	/* Linux takes connect() to 0.0.0.0 and :: as "this host's loopback":
	 * the whole of 0/8 is refused as a destination. */
	return addr_is4(a) ? a->b[12] == 0 : addr_is_any(a);
}

bool addr_is_loopback(const struct addr *a)
{
	static const struct addr lo6 = { { [15] = 1 } };

	return addr_is4(a) ? a->b[12] == 127 : addr_eq(a, &lo6);
}

bool addr_is_multicast(const struct addr *a)
{
	return addr_is4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool addr_is_broadcast(const struct addr *a)
{
	static const uint8_t ones[4] = { 0xff, 0xff, 0xff, 0xff };

	return addr_is4(a) && memcmp(a->b + 12, ones, 4) == 0;
}

bool addr_is_unicast(const struct addr *a)
{
	return !addr_is_unspecified(a) && !addr_is_loopback(a) && !addr_is_multicast(a) &&
	       !addr_is_broadcast(a);
}

bool addr_is_linklocal6(const struct addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_linklocal(const struct addr *a)
{
	return addr_is4(a) ? a->b[12] == 169 && a->b[13] == 254
			   : addr_is_linklocal6(a);
}

int addr_parse(const char *s, struct addr *ret)
{
	struct addr a;
	uint8_t v4[4];

	if (inet_pton(AF_INET, s, v4) == 1) {
		*ret = addr_from4(v4);
		return 0;
	}
	if (inet_pton(AF_INET6, s, a.b) != 1 || addr_is4(&a))
		return -EINVAL;
	*ret = a;
	return 0;
}

int prefix_parse(const char *s, struct prefix *ret)
{
	char text[ADDR_STRLEN];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	struct prefix p;
	unsigned long max, len;
	char *end;

	if (n >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, n);
	text[n] = '\0';
	if (addr_parse(text, &p.addr) < 0)
		return -EINVAL;
	max = addr_is4(&p.addr) ? 32 : 128;
	len = max;
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		len = strtoul(slash + 1, &end, 10);
		if (*end || len > max)
			return -EINVAL;
	}
	p.len = (uint8_t)len;
	*ret = p;
	return 0;
}

int mac_parse(const char *s, struct mac *ret)
{
	struct mac m;
	unsigned int v[6];
	int end = 0;

	if (strlen(s) != MAC_STRLEN - 1 || strspn(s, "0123456789abcdefABCDEF:") != MAC_STRLEN - 1 ||
	    sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4],
		   &v[5], &end) != 6 || end != MAC_STRLEN - 1)
		return -EINVAL;
	for (int i = 0; i < 6; i++)
		m.b[i] = (uint8_t)v[i];
	*ret = m;
	return 0;
}

char *addr_format(const struct addr *a, char buf[ADDR_STRLEN])
{
	inet_ntop(addr_is4(a) ? AF_INET : AF_INET6, addr_bytes(a), buf, ADDR_STRLEN);
	return buf;
}

char *prefix_format(const struct prefix *p, char buf[PREFIX_STRLEN])
{
	char text[ADDR_STRLEN];

	snprintf(buf, PREFIX_STRLEN, "%s/%u", addr_format(&p->addr, text), p->len);
	return buf;
}

char *mac_format(const struct mac *m, char buf[MAC_STRLEN])
{
	snprintf(buf, MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1],
		 m->b[2], m->b[3], m->b[4], m->b[5]);
	return buf;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	const uint8_t *x = addr_bytes(&p->addr), *y = addr_bytes(a);
	unsigned int whole = p->len / 8, bits = p->len % 8;

	if (addr_is4(&p->addr) != addr_is4(a) || memcmp(x, y, whole) != 0)
		return false;
	return !bits || ((x[whole] ^ y[whole]) >> (8 - bits)) == 0;
}

struct addr addr_linklocal_of(const struct mac *m)
{
	return (struct addr){ { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, m->b[0] ^ 2, m->b[1], m->b[2], 0xff,
				0xfe, m->b[3], m->b[4], m->b[5] } };
}
