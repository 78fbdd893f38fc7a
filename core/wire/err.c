/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/err: the names under which dropped packets are counted and shown. */
#include "wire/err.h"

const char *const wire_err_names[WIRE_ERR_COUNT] = {
	[WIRE_OK] = "ok",
	[WIRE_SHORT] = "short",
	[WIRE_LENGTH] = "length",
	[WIRE_VERSION] = "version",
	[WIRE_CHECKSUM] = "checksum",
	[WIRE_OPTION] = "option",
	[WIRE_CHAIN] = "chain",
	[WIRE_ADDRESS] = "address",
	[WIRE_VNET] = "vnet",
};

_Static_assert(WIRE_VNET == WIRE_ERR_COUNT - 1, "name the new wire_err here");
