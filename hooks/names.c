/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hooks/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/json/get.h"

#define HOST_NAMES	"host.containers.internal host.docker.internal"
#define SHORT_ID	12	/* of the container id, as clients show it */

struct text {
	char *buf;
	size_t size, len;
	bool full;
};

static void PRINTF_LIKE(2, 3) add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->size - t->len)
		t->full = true;
	else
		t->len += (size_t)n;
}

/* The options of the configuration's "dns": words, not lines. */
static void add_options(struct text *t, struct json_object *dns)
{
	size_t n;
	struct json_object *list = get_list(dns, "options", &n);
	const char *s;

	for (size_t i = 0; i < n; i++) {
		s = json_object_get_string(json_object_array_get_idx(list, i));
		if (s && s[0] && !strpbrk(s, "\r\n"))
			add(t, "options %s\n", s);
	}
}

bool names_resolv_conf(const struct keys *k, const struct netcfg *net, char *buf, size_t size)
{
	const struct conf *c = &k->conf;
	struct text t = { .buf = buf, .size = size };
	char addr[ADDR_STRLEN];

	if (c->nsearch || c->domain[0])
		add(&t, "search");
	for (uint32_t i = 0; i < c->nsearch; i++)
		add(&t, " %s", c->search[i]);
	if (!c->nsearch && c->domain[0])
		add(&t, " %s", c->domain);
	if (t.len)
		add(&t, "\n");
	for (uint32_t i = 0; i < net->nnameservers; i++)
		add(&t, "nameserver %s\n", addr_format(&net->nameservers[i], addr));
	add_options(&t, k->dns);
	return net->nnameservers && !t.full;
}

/* A hostname that is no name would change the lines' meaning. */
static void own_name(const struct conf *c, const char *hostname, char ret[CONF_DOMAIN_MAX + 1])
{
	if (hostname && strlen(hostname) <= CONF_DOMAIN_MAX && conf_domain_ok(hostname))
		strcpy(ret, hostname);
	else
		snprintf(ret, CONF_DOMAIN_MAX + 1, "%.*s", SHORT_ID, c->container_id);
}

bool names_hosts(const struct conf *c, const struct netcfg *net, const char *hostname,
		 char *buf, size_t size)
{
	struct text t = { .buf = buf, .size = size };
	char addr[ADDR_STRLEN], name[CONF_DOMAIN_MAX + 1];

	own_name(c, hostname, name);
	buf[0] = '\0';
	for (uint32_t i = 0; i < net->naddresses; i++)
		add(&t, "%s\t%s\n", addr_format(&net->addresses[i].addr, addr), name);
	for (uint32_t i = 0; i < c->nhost_addresses; i++)
		add(&t, "%s\t" HOST_NAMES "\n", addr_format(&c->host_addresses[i], addr));
	return !t.full;
}
