/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/control.h"

#include <assert.h>
#include <string.h>

#include "base/jsonline.h"
#include "conf/forward.h"

const char *const control_verb_names[] = {
	"", "show", "stats", "flows", "forward-list", "forward-add", "forward-del",
	"counters", "capture",
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

/* Its place in a list of names, or -1 with *e. */
static int find_word(const struct jsonline_member *m, const char *const *names, int n,
		     struct err *e)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], m->text) == 0)
			return i;
	return err_set(e, ERR_DECODE, "\"%s\": \"%.40s\" is not known", m->key, m->text);
}

static int read_protocol(const struct jsonline_member *m, struct control_request *ret,
			 struct err *e)
{
	int at;

	if (ret->verb == CONTROL_CAPTURE) {
		at = find_word(m, capture_proto_names, CAPTURE_PROTO_COUNT, e);
		ret->want.proto = at < 0 ? 0 : (uint8_t)at;
		return at < 0 ? -1 : 0;
	}
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

static int read_direction(const struct jsonline_member *m, struct control_request *ret,
			  struct err *e)
{
	int at = find_word(m, capture_way_names, CAPTURE_WAY_COUNT, e);

	ret->want.way = at < 0 ? 0 : (uint8_t)at;
	return at < 0 ? -1 : 0;
}

static int read_address(const struct jsonline_member *m, struct control_request *ret,
			struct err *e)
{
	ret->want.has_prefix = true;
	return prefix_parse(m->text, &ret->want.prefix) == 0 ? 0 :
	       err_set(e, ERR_DECODE, "\"address\": \"%.60s\" is neither an address nor a prefix",
		       m->text);
}

static int check_range(const struct jsonline_member *m, uint64_t least, uint64_t most,
		       struct err *e)
{
	return m->number >= least && m->number <= most ? 0 :
	       err_set(e, ERR_DECODE, "\"%s\": %llu is not between %llu and %llu", m->key,
		       (unsigned long long)m->number, (unsigned long long)least,
		       (unsigned long long)most);
}

static int read_port(const struct jsonline_member *m, struct control_request *ret, struct err *e)
{
	ret->want.port = (uint16_t)m->number;
	return check_range(m, 1, UINT16_MAX, e);
}

static int read_count(const struct jsonline_member *m, struct control_request *ret, struct err *e)
{
	ret->want.count = m->number;
	return check_range(m, 1, JSONLINE_NUMBER_MAX, e);
}

static int read_bytes(const struct jsonline_member *m, struct control_request *ret, struct err *e)
{
	ret->want.bytes = m->number;
	return check_range(m, CAPTURE_BYTES_MIN, JSONLINE_NUMBER_MAX, e);
}

static int read_snap(const struct jsonline_member *m, struct control_request *ret, struct err *e)
{
	ret->want.snap = (uint32_t)m->number;
	return check_range(m, CAPTURE_SNAP_MIN, CAPTURE_SNAP_MAX, e);
}

#define OF(verb)	(1u << (verb))
#define OF_ALL		(~0u)

/* In the order in which they are read; each verb has all that are its, but those that
 * may be left out. */
static const struct member {
	const char *key;
	enum jsonline_type type;
	unsigned int verbs;
	int (*read)(const struct jsonline_member *m, struct control_request *ret, struct err *e);
	unsigned int optional;	/* for these verbs */
} members[] = {
	{ "v", JSONLINE_NUMBER, OF_ALL, read_version, 0 },
	{ "do", JSONLINE_STRING, OF_ALL, read_verb, 0 },
	{ "from", JSONLINE_NUMBER, OF(CONTROL_FLOWS), read_from, 0 },
	{ "protocol", JSONLINE_STRING, OF(CONTROL_ADD) | OF(CONTROL_DEL) | OF(CONTROL_CAPTURE),
	  read_protocol, OF(CONTROL_CAPTURE) },
	{ "rule", JSONLINE_STRING, OF(CONTROL_ADD) | OF(CONTROL_DEL), read_rule, 0 },
	{ "port", JSONLINE_NUMBER, OF(CONTROL_CAPTURE), read_port, OF(CONTROL_CAPTURE) },
	{ "address", JSONLINE_STRING, OF(CONTROL_CAPTURE), read_address, OF(CONTROL_CAPTURE) },
	{ "direction", JSONLINE_STRING, OF(CONTROL_CAPTURE), read_direction, OF(CONTROL_CAPTURE) },
	{ "count", JSONLINE_NUMBER, OF(CONTROL_CAPTURE), read_count, OF(CONTROL_CAPTURE) },
	{ "bytes", JSONLINE_NUMBER, OF(CONTROL_CAPTURE), read_bytes, OF(CONTROL_CAPTURE) },
	{ "snap", JSONLINE_NUMBER, OF(CONTROL_CAPTURE), read_snap, OF(CONTROL_CAPTURE) },
};

static int read_members(const struct jsonline *j, struct control_request *ret, struct err *e)
{
	uint32_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct jsonline_member *m = jsonline_find(j, members[i].key);

		if (!(members[i].verbs & OF(ret->verb)))
			continue;
		if (!m && (members[i].optional & OF(ret->verb)))
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
