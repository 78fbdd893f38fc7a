/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/name: domain names as DNS messages and the options that carry names have
 * them: labels with their length before them (RFC 1035, 3.1). */
#ifndef WIRE_NAME_H
#define WIRE_NAME_H

#include "base/cursor.h"

#define NAME_WIRE_MAX 255	/* RFC 1035, 3.1 */

/* Writes the name that `text` ("example.org", no dot at its end) is, with the
 * root's empty label behind it and without compression. False if a label is empty
 * or over 63 bytes, the whole over NAME_WIRE_MAX, or if it does not fit; what was
 * written of it is then undefined. */
bool name_write(struct wr *w, const char *text);

#endif
