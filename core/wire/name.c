/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/name: writing domain names. Called by proto/dhcp, dhcp6 and ndp. */
#include "wire/name.h"

#define LABEL_MAX 63	/* RFC 1035, 2.3.4 */

bool name_write(struct wr *w, const char *text)
{
	if (strlen(text) + 2 > NAME_WIRE_MAX)
		return false;
	for (;;) {
		size_t n = strcspn(text, ".");

		if (!n || n > LABEL_MAX || !wr_u8(w, (uint8_t)n) || !wr_bytes(w, text, n))
			return false;
		if (!text[n])
			return wr_u8(w, 0);
		text += n + 1;
	}
}
