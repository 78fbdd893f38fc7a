/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/control.h"

#include <assert.h>
#include <string.h>

#include "base/jsonline.h"
#include "conf/forward.h"

const char *const control_verb_names[] = {
	"", "show", "stats", "flows", "forward-list", "forward-add", "forward-del",
};

static_assert(ARRAY_LEN(control_verb_names) == CONTROL_VERB_COUNT, "a name for each verb");

static int read_version(const struct jsonline_member *m, struct control_request *ret, struct err *e)
{
	(void)ret;
	if (m->number == CONTROL_VERSION)
		return 0;
	err_set(e, ERR_VERSION, "version %llu is not spoken here",
		(unsigned long long)m->number);
	return err_hint(e, "this daemon speaks version %d", CONTROL_VERSION);
}

static int read_verb(const struct jsonline_member *m, struct control_request *ret, struct err *e)
{
	for (int i = 1; i < CONTROL_VERB_COUNT; i++)
		if (strcmp(control_verb_names[i], m->text) == 0) {
			ret->verb = (enum control_verb)i;
			return 0;
		}
	return err_set(e, ERR_DECODE, "\"do\": \"%.40s\" is not known", m->text);
}

static int read_from(const struct jsonline_member *m, struct control_request *ret, struct err *e)
{
	if (m->number > UINT32_MAX)
		return err_set(e, ERR_DECODE, "\"from\": the number is too large");
	ret->from = (uint32_t)m->number;
	return 0;
}

static int read_protocol(const struct jsonline_member *m, struct control_request *ret,
			 struct err *e)
{
	for (int i = 0; i < CONF_PROTO_COUNT; i++)
		if (strcmp(conf_proto_names[i], m->text) == 0) {
			ret->rule.proto = (uint8_t)i;
			return 0;
		}
	return err_set(e, ERR_DECODE, "\"protocol\": \"%.40s\" is neither tcp nor udp", m->text);
}

/* Behind the protocol, see control_read(). */
static int read_rule(const struct jsonline_member *m, struct control_request *ret, struct err *e)
{
	enum conf_proto proto = (enum conf_proto)ret->rule.proto;
	const char *why = forward_parse(m->text, proto, &ret->rule);

	return why ? err_set(e, ERR_CONFIG, "forward.%s: \"%.80s\" %s", conf_proto_names[proto],
			     m->text, why) : 0;
}

#define OF(verb)	(1u << (verb))
#define OF_ALL		(~0u)

/* In the order in which they are read; each verb has all that are its. */
static const struct member {
	const char *key;
	enum jsonline_type type;
	unsigned int verbs;
	int (*read)(const struct jsonline_member *m, struct control_request *ret, struct err *e);
} members[] = {
	{ "v", JSONLINE_NUMBER, OF_ALL, read_version },
	{ "do", JSONLINE_STRING, OF_ALL, read_verb },
	{ "from", JSONLINE_NUMBER, OF(CONTROL_FLOWS), read_from },
	{ "protocol", JSONLINE_STRING, OF(CONTROL_ADD) | OF(CONTROL_DEL), read_protocol },
	{ "rule", JSONLINE_STRING, OF(CONTROL_ADD) | OF(CONTROL_DEL), read_rule },
};

static int read_members(const struct jsonline *j, struct control_request *ret, struct err *e)
{
	uint32_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct jsonline_member *m = jsonline_find(j, members[i].key);

		if (!(members[i].verbs & OF(ret->verb)))
			continue;
		if (!m || m->type != members[i].type)
			return err_set(e, ERR_DECODE, "\"%s\" is missing or of another type",
				       members[i].key);
		if (members[i].read(m, ret, e) < 0)
			return -1;
		used++;
	}
	return used == j->n ? 0 : err_set(e, ERR_DECODE, "it has members that \"%s\" does not have",
					  control_verb_names[ret->verb]);
}

int control_read(const char *line, size_t len, struct control_request *ret, struct err *e)
{
	struct jsonline j;
	const char *why = jsonline_parse(line, len, &j);

	*ret = (struct control_request){ .verb = 0 };
	if (why) {
		err_set(e, ERR_DECODE, "the request does not decode: %s", why);
		return err_hint(e, "see cni-passt-control(7)");
	}
	return read_members(&j, ret, e);
}
