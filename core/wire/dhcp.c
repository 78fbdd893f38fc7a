/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/dhcp: options are walked anew for each one that is asked for: messages
 * are short and rare, and so nothing has to be kept. Called by proto/dhcp alone.
 */
#include "wire/dhcp.h"

#include "wire/numbers.h"

#define OVERLOAD_FILE	1	/* RFC 2132, 9.3 */
#define OVERLOAD_SNAME	2
#define OVERLOAD_LEN	3	/* the whole option */
#define PIECE_MAX	255

static const uint8_t cookie[DHCP_COOKIE_LEN] = { 99, 130, 83, 99 };	/* RFC 2131, 3 */

/* The next option of a field; false at its end. A field that ends without the
 * end option is taken for what it says until there. */
static bool next_option(struct rd *r, uint8_t *code, struct rd *data)
{
	uint8_t len;

	do {
		if (!r->left || !rd_u8(r, code) || *code == DHCPO_END)
			return false;
	} while (*code == DHCPO_PAD);
	return rd_u8(r, &len) && rd_sub(r, len, data);
}

static bool is_whole(struct rd field)
{
	struct rd data;
	uint8_t code;

	while (next_option(&field, &code, &data))
		;
	return !field.failed;
}

/* Fields that option overload names; it must stand in the options field. */
static enum wire_err read_fields(struct dhcp *m, struct rd sname, struct rd file)
{
	uint8_t overload = 0;
	int n = dhcp_option(m, DHCPO_OVERLOAD, &overload, 1);

	if (n >= 0 && (n != 1 || !overload || overload > (OVERLOAD_FILE | OVERLOAD_SNAME)))
		return WIRE_OPTION;
	if (overload & OVERLOAD_FILE)
		m->fields[DHCP_FILE] = file;
	if (overload & OVERLOAD_SNAME)
		m->fields[DHCP_SNAME] = sname;
	return is_whole(m->fields[DHCP_FILE]) && is_whole(m->fields[DHCP_SNAME]) ? WIRE_OK
										  : WIRE_OPTION;
}

static void read_addr(struct rd *r, struct addr *ret)
{
	const uint8_t *p = rd_bytes(r, 4);

	if (p)
		*ret = addr_from4(p);
}

enum wire_err dhcp_read(struct rd *r, struct dhcp *ret)
{
	struct dhcp m = { .op = 0 };
	struct rd sname, file, none = rd_init(NULL, 0);
	enum wire_err err;
	const uint8_t *p;

	if (r->left > DHCP_MAX_LEN)
		return WIRE_LENGTH;
	rd_u8(r, &m.op);
	rd_u8(r, &m.htype);
	rd_u8(r, &m.hlen);
	rd_u8(r, &m.hops);
	rd_u32(r, &m.xid);
	rd_u16(r, &m.secs);
	rd_u16(r, &m.flags);
	read_addr(r, &m.ciaddr);
	read_addr(r, &m.yiaddr);
	read_addr(r, &m.siaddr);
	read_addr(r, &m.giaddr);
	rd_copy(r, m.chaddr, sizeof(m.chaddr));
	if (!rd_sub(r, DHCP_SNAME_LEN, &sname) || !rd_sub(r, DHCP_FILE_LEN, &file))
		return WIRE_SHORT;
	if (m.hlen > DHCP_CHADDR_LEN)
		return WIRE_LENGTH;
	m.fields[DHCP_OPTIONS] = m.fields[DHCP_FILE] = m.fields[DHCP_SNAME] = none;
	p = rd_bytes(r, DHCP_COOKIE_LEN);
	if (p && memcmp(p, cookie, DHCP_COOKIE_LEN) == 0) {
		m.fields[DHCP_OPTIONS] = *r;
		err = is_whole(*r) ? read_fields(&m, sname, file) : WIRE_OPTION;
		if (err)
			return err;
	}
	*ret = m;
	return WIRE_OK;
}

int dhcp_option(const struct dhcp *m, uint8_t code, void *buf, size_t size)
{
	struct wr w = wr_init(buf, size);
	int total = -1;

	for (int i = 0; i < DHCP_FIELDS; i++) {
		struct rd field = m->fields[i], data;
		uint8_t c;

		while (next_option(&field, &c, &data)) {
			if (c != code)
				continue;
			total = (total < 0 ? 0 : total) + (int)data.left;
			if (w.left)
				wr_bytes(&w, data.p, MIN_OF(data.left, w.left));
		}
	}
	return total;
}

void dhcp_begin(struct dhcp_out *o, size_t limit, bool overload)
{
	/* Kept back: the end option of each field, and the overload option. */
	size_t most = limit - DHCP_HLEN - DHCP_COOKIE_LEN - 1 - (overload ? OVERLOAD_LEN : 0);

	o->max[DHCP_OPTIONS] = most;
	o->max[DHCP_FILE] = overload ? DHCP_FILE_LEN - 1 : 0;
	o->max[DHCP_SNAME] = overload ? DHCP_SNAME_LEN - 1 : 0;
	o->len[DHCP_OPTIONS] = o->len[DHCP_FILE] = o->len[DHCP_SNAME] = 0;
}

static void put_pieces(struct wr *w, uint8_t code, const void *data, size_t len)
{
	struct rd r = rd_init(data, len);

	do {
		size_t n = MIN_OF(r.left, (size_t)PIECE_MAX);

		wr_u8(w, code);
		wr_u8(w, (uint8_t)n);
		wr_bytes(w, rd_bytes(&r, n), n);
	} while (r.left);
}

bool dhcp_put(struct dhcp_out *o, uint8_t code, const void *data, size_t len)
{
	size_t pieces = len ? (len + PIECE_MAX - 1) / PIECE_MAX : 1;

	for (int i = 0; i < DHCP_FIELDS; i++) {
		struct wr w = wr_init(o->bytes[i] + o->len[i], o->max[i] - o->len[i]);

		if (len + 2 * pieces > w.left)
			continue;
		put_pieces(&w, code, data, len);
		o->len[i] += len + 2 * pieces;
		return true;
	}
	return false;
}

/* sname or file: options and their end, or zeros. */
static void write_field(struct wr *w, const struct dhcp_out *o, enum dhcp_field i, size_t size)
{
	size_t n = o->len[i];

	if (n) {
		wr_bytes(w, o->bytes[i], n);
		wr_u8(w, DHCPO_END);
		n++;
	}
	wr_zero(w, size - n);
}

static void write_options(struct wr *w, const struct dhcp_out *o)
{
	uint8_t overload = (uint8_t)((o->len[DHCP_FILE] ? OVERLOAD_FILE : 0) |
				     (o->len[DHCP_SNAME] ? OVERLOAD_SNAME : 0));

	wr_bytes(w, cookie, sizeof(cookie));
	wr_bytes(w, o->bytes[DHCP_OPTIONS], o->len[DHCP_OPTIONS]);
	if (overload)
		put_pieces(w, DHCPO_OVERLOAD, &overload, 1);
	wr_u8(w, DHCPO_END);
}

bool dhcp_write(struct wr *w, const struct dhcp *m, const struct dhcp_out *o)
{
	const struct addr *const addrs[] = { &m->ciaddr, &m->yiaddr, &m->siaddr, &m->giaddr };
	size_t before = w->left, len;

	wr_u8(w, m->op);
	wr_u8(w, m->htype);
	wr_u8(w, m->hlen);
	wr_u8(w, m->hops);
	wr_u32(w, m->xid);
	wr_u16(w, m->secs);
	wr_u16(w, m->flags);
	for (size_t i = 0; i < ARRAY_LEN(addrs); i++)
		wr_bytes(w, addrs[i]->b + 12, 4);
	wr_bytes(w, m->chaddr, sizeof(m->chaddr));
	write_field(w, o, DHCP_SNAME, DHCP_SNAME_LEN);
	write_field(w, o, DHCP_FILE, DHCP_FILE_LEN);
	write_options(w, o);
	len = before - w->left;
	if (!w->failed && len < DHCP_MIN_LEN)
		wr_zero(w, DHCP_MIN_LEN - len);
	return !w->failed;
}
