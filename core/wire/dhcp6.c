/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/dhcp6: options of a 16-bit code and length (RFC 8415, 21.1). Called by
 * proto/dhcp6 alone. */
#include "wire/dhcp6.h"

#include "wire/numbers.h"

bool dhcp6_next(struct rd *opts, uint16_t *code, struct rd *data)
{
	uint16_t len;

	return opts->left && rd_u16(opts, code) && rd_u16(opts, &len) && rd_sub(opts, len, data);
}

bool dhcp6_find(struct rd opts, uint16_t code, struct rd *data)
{
	struct rd d;
	uint16_t c;

	while (dhcp6_next(&opts, &c, &d))
		if (c == code) {
			*data = d;
			return true;
		}
	return false;
}

static bool is_whole(struct rd opts)
{
	struct rd data;
	uint16_t code;

	while (dhcp6_next(&opts, &code, &data))
		;
	return !opts.failed;
}

enum wire_err dhcp6_read(struct rd *r, struct dhcp6 *ret)
{
	uint32_t head;

	if (r->left > DHCP6_MAX_LEN)
		return WIRE_LENGTH;
	if (!rd_u32(r, &head))
		return WIRE_SHORT;
	if (!is_whole(*r))
		return WIRE_OPTION;
	*ret = (struct dhcp6){ .type = (uint8_t)(head >> 24), .xid = head & 0xffffff, .opts = *r };
	return WIRE_OK;
}

bool dhcp6_ia_read(struct rd data, struct dhcp6_ia *ret)
{
	struct dhcp6_ia ia;

	if (!rd_u32(&data, &ia.iaid) || !rd_u32(&data, &ia.t1) || !rd_u32(&data, &ia.t2) ||
	    !is_whole(data))
		return false;
	ia.opts = data;
	*ret = ia;
	return true;
}

bool dhcp6_iaaddr_read(struct rd data, struct dhcp6_addr *ret)
{
	struct dhcp6_addr a = { .prefix.len = 128 };

	if (!rd_copy(&data, a.prefix.addr.b, 16) || !rd_u32(&data, &a.preferred) ||
	    !rd_u32(&data, &a.valid) || !is_whole(data) || addr_is4(&a.prefix.addr))
		return false;
	*ret = a;
	return true;
}

bool dhcp6_iaprefix_read(struct rd data, struct dhcp6_addr *ret)
{
	struct dhcp6_addr a;

	if (!rd_u32(&data, &a.preferred) || !rd_u32(&data, &a.valid) ||
	    !rd_u8(&data, &a.prefix.len) || !rd_copy(&data, a.prefix.addr.b, 16) ||
	    !is_whole(data) || a.prefix.len > 128 || addr_is4(&a.prefix.addr))
		return false;
	*ret = a;
	return true;
}

bool dhcp6_write(struct wr *w, uint8_t type, uint32_t xid)
{
	return wr_u32(w, (uint32_t)type << 24 | (xid & 0xffffff));
}

uint8_t *dhcp6_open(struct wr *w, uint16_t code)
{
	wr_u16(w, code);
	return wr_space(w, 2);
}

void dhcp6_close(const struct wr *w, uint8_t *opened)
{
	struct wr len = wr_init(opened, 2);

	if (opened && !w->failed)
		wr_u16(&len, (uint16_t)(w->p - opened - 2));
}

bool dhcp6_put(struct wr *w, uint16_t code, const void *data, size_t len)
{
	wr_u16(w, code);
	wr_u16(w, (uint16_t)len);
	return wr_bytes(w, data, len);
}

bool dhcp6_status(struct wr *w, uint16_t status, const char *message)
{
	uint8_t *opt = dhcp6_open(w, DHCP6O_STATUS);

	wr_u16(w, status);
	wr_bytes(w, message, strlen(message));
	dhcp6_close(w, opt);
	return !w->failed;
}

bool dhcp6_iaaddr_write(struct wr *w, const struct dhcp6_addr *a)
{
	uint8_t *opt = dhcp6_open(w, DHCP6O_IAADDR);

	wr_bytes(w, a->prefix.addr.b, 16);
	wr_u32(w, a->preferred);
	wr_u32(w, a->valid);
	dhcp6_close(w, opt);
	return !w->failed;
}

bool dhcp6_iaprefix_write(struct wr *w, const struct dhcp6_addr *a)
{
	uint8_t *opt = dhcp6_open(w, DHCP6O_IAPREFIX);

	wr_u32(w, a->preferred);
	wr_u32(w, a->valid);
	wr_u8(w, a->prefix.len);
	wr_bytes(w, a->prefix.addr.b, 16);
	dhcp6_close(w, opt);
	return !w->failed;
}
