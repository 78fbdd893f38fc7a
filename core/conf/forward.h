/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward: the text of one forwarding rule, as the configuration's "forward" and
 * "reverse" lists and the command `cni-passt forward` have it:
 *
 *	rule   = [where] ports [":" target] | [where] "auto" | "~" ports
 *	where  = IFNAME "/" | IPv4 ":" | "[" IPv6 "]:"
 *	target = [IPv4 ":" | "[" IPv6 "]:"] ports
 *	ports  = PORT | PORT "-" PORT
 *
 * "8080:80", "8080" (to the same), "127.0.0.1:8443:443", "[::1]:53:53",
 * "9000-9010:8000-8010", "eth0/80:80", "0:80" (the kernel picks one), "auto",
 * "~22" (not this one).
 */
#ifndef CONF_FORWARD_H
#define CONF_FORWARD_H

#include "conf/conf.h"

/* IFNAME/[IPv6]:PORT-PORT:[IPv6]:PORT-PORT */
#define FORWARD_STRLEN	(CONF_IFNAME_MAX + 2 * (ADDR_STRLEN + 2) + 32)

/* Returns NULL, or what is wrong with the text ("is not ..."); *ret is untouched
 * then. What the values mean together is conf_validate's. */
const char *forward_parse(const char *text, enum conf_proto proto, struct conf_forward *ret);

/* The shortest text of that rule, which forward_parse() takes again. Returns buf. */
char *forward_format(const struct conf_forward *f, char buf[FORWARD_STRLEN]);

/* Whether a rule of the list says that this port is not to be forwarded. */
bool forward_excepted(const struct conf_forward *list, uint32_t n, enum conf_proto proto,
		      uint16_t port);

#endif
