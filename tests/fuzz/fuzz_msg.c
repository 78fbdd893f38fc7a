/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes main/msg: a message that was valid, with bytes changed and its size
 * wrong, goes through a real socket pair and the checks its receiver makes.
 * What passes them can be used without a look at any count or string.
 *
 * Input: which message; how many bytes too few (signed) are sent; then groups
 * of four: field, offset in it (two bytes), new value. By field, not by offset
 * in the struct, so that seeds outlive its next change.
 */
#include "fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "main/msg.h"

union any {
	struct msg_engine running;
	struct msg_setup setup;
	struct msg_setup_done done;
	struct msg_forward forward;
	struct msg_ports ports;
	struct msg_inner inner;
	struct msg_listen listen;
	struct msg_resolvers resolvers;
	struct msg_capture capture;
	struct msg_stream stream;
	struct msg_move move;
	struct msg_moved moved;
	uint8_t bytes[sizeof(struct msg_move) + sizeof(struct msg_ports) + 128];
};

struct field {
	size_t at, size;
};

#define FIELD(type, f) { offsetof(struct type, f), sizeof(((struct type *)0)->f) }
#define WHOLE(type) { 0, sizeof(struct type) }

static const struct field running_fields[] = { WHOLE(msg_engine), FIELD(msg_engine, kind) };

static const struct field setup_fields[] = {
	WHOLE(msg_setup), FIELD(msg_setup, kind), FIELD(msg_setup, without),
	FIELD(msg_setup, net.ifname), FIELD(msg_setup, net.outer_ifname4),
	FIELD(msg_setup, net.outer_ifname6), FIELD(msg_setup, net.mac), FIELD(msg_setup, net.mtu),
	FIELD(msg_setup, net.naddresses), FIELD(msg_setup, net.addresses[0].addr),
	FIELD(msg_setup, net.addresses[0].len), FIELD(msg_setup, net.nroutes),
	FIELD(msg_setup, net.routes[0].dst), FIELD(msg_setup, net.routes[0].gw),
	FIELD(msg_setup, net.routes[0].onlink), FIELD(msg_setup, net.configure),
	FIELD(msg_setup, net.nnameservers),
	FIELD(msg_setup, net.gateway4_of), FIELD(msg_setup, net.gateway6_of),
};

static const struct field done_fields[] = {
	WHOLE(msg_setup_done), FIELD(msg_setup_done, kind), FIELD(msg_setup_done, features),
	FIELD(msg_setup_done, ipv6_left_out), FIELD(msg_setup_done, err.code),
	FIELD(msg_setup_done, err.msg), FIELD(msg_setup_done, err.details),
};

static const struct field forward_fields[] = {
	WHOLE(msg_forward), FIELD(msg_forward, kind), FIELD(msg_forward, idx),
	FIELD(msg_forward, forward.port), FIELD(msg_forward, forward.to_port),
	FIELD(msg_forward, forward.proto), FIELD(msg_forward, forward.queued),
};

static const struct field ports_fields[] = {
	WHOLE(msg_ports), FIELD(msg_ports, kind), FIELD(msg_ports, proto), FIELD(msg_ports, ports),
	FIELD(msg_ports, loopback),
};

static const struct field inner_fields[] = {
	WHOLE(msg_inner), FIELD(msg_inner, kind), FIELD(msg_inner, ipv4), FIELD(msg_inner, count),
};

static const struct field listen_fields[] = {
	WHOLE(msg_listen), FIELD(msg_listen, kind), FIELD(msg_listen, addr),
	FIELD(msg_listen, port),
};

static const struct field move_fields[] = {
	WHOLE(msg_move), FIELD(msg_move, kind), FIELD(msg_move, was.naddresses),
	FIELD(msg_move, now.nroutes), FIELD(msg_move, now.ifname), FIELD(msg_move, now.mtu),
};

static const struct field moved_fields[] = {
	WHOLE(msg_moved), FIELD(msg_moved, kind), FIELD(msg_moved, ipv6_left_out),
	FIELD(msg_moved, err.msg), FIELD(msg_moved, err.details),
};

static const struct field resolvers_fields[] = {
	WHOLE(msg_resolvers), FIELD(msg_resolvers, kind), FIELD(msg_resolvers, resolvers.n),
	FIELD(msg_resolvers, resolvers.list[0].addr), FIELD(msg_resolvers, resolvers.host),
};

static const struct field stream_fields[] = {
	WHOLE(msg_stream), FIELD(msg_stream, kind), FIELD(msg_stream, seq),
};

static const struct field capture_fields[] = {
	WHOLE(msg_capture), FIELD(msg_capture, kind), FIELD(msg_capture, place),
	FIELD(msg_capture, order.want.proto), FIELD(msg_capture, order.want.way),
	FIELD(msg_capture, order.want.snap), FIELD(msg_capture, order.want.has_prefix),
	FIELD(msg_capture, order.want.prefix.len),
};

static void use_netcfg(const struct netcfg *n)
{
	char text[PREFIX_STRLEN];

	FUZZ_HOLDS(n->naddresses <= CONF_ADDRS_MAX && n->nroutes <= CONF_ROUTES_MAX);
	FUZZ_HOLDS(n->nnameservers <= CONF_NAMESERVERS_MAX);
	FUZZ_HOLDS(n->configure == true || n->configure == false);
	FUZZ_HOLDS(n->gateway4_of < NETCFG_GATEWAY_COUNT && n->gateway6_of < NETCFG_GATEWAY_COUNT);
	FUZZ_HOLDS(strlen(n->ifname) <= CONF_IFNAME_MAX && !strchr(n->ifname, '/'));
	for (uint32_t i = 0; i < n->naddresses; i++)
		FUZZ_HOLDS(prefix_contains(&n->addresses[i], &n->addresses[i].addr) &&
			   prefix_format(&n->addresses[i], text) == text);
	for (uint32_t i = 0; i < n->nroutes; i++)
		FUZZ_HOLDS(prefix_format(&n->routes[i].dst, text) == text &&
			   (n->routes[i].onlink == true || n->routes[i].onlink == false));
}

static void use_running(const union any *m)
{
	if (msg_engine_ok(&m->running))
		FUZZ_HOLDS(m->running.kind == MSG_RUNNING || m->running.kind == MSG_TAP_GONE ||
			   m->running.kind == MSG_SYNCED || m->running.kind == MSG_VIEWED ||
			   (m->running.kind == MSG_STREAM_GONE && m->running.why <= INT32_MAX) ||
			   (m->running.kind == MSG_INNER_WANTED && m->running.count >= 1 &&
			    m->running.count <= MSG_FDS_MAX && m->running.ipv4 <= 1));
}

static void use_setup(const union any *m)
{
	if (msg_setup_ok(&m->setup))
		use_netcfg(&m->setup.net);
}

static void use_done(const union any *m)
{
	if (!msg_setup_done_ok(&m->done))
		return;
	FUZZ_HOLDS(strlen(m->done.err.msg) < ERR_MSG_MAX);
	FUZZ_HOLDS(strlen(m->done.err.details) < ERR_DETAILS_MAX);
}

static void use_forward(const union any *m)
{
	if (!msg_forward_ok(&m->forward) || m->forward.kind == MSG_SYNC ||
	    m->forward.kind == MSG_VIEW || m->forward.kind == MSG_RESUMED)	/* a place to begin at: any number will do */
		return;
	FUZZ_HOLDS(m->forward.idx < FORWARD_MAX);
	FUZZ_HOLDS(m->forward.kind != MSG_FORWARD_OPEN ||
		   (m->forward.forward.proto < CONF_PROTO_COUNT && m->forward.forward.port));
}

static void use_ports(const union any *m)
{
	if (msg_ports_ok(&m->ports))
		FUZZ_HOLDS(m->ports.proto < CONF_PROTO_COUNT);
}

static void use_inner(const union any *m)
{
	if (msg_inner_ok(&m->inner))
		FUZZ_HOLDS(m->inner.count >= 1 && m->inner.count <= MSG_FDS_MAX && m->inner.ipv4 <= 1);
	for (uint32_t n = 0; n <= MSG_FDS_MAX; n++)
		if (msg_inner_done_ok(&m->inner, n))
			FUZZ_HOLDS(n <= m->inner.count && m->inner.ipv4 <= 1);
}

static void use_listen(const union any *m)
{
	if (msg_listen_ok(&m->listen))
		FUZZ_HOLDS(addr_is_loopback(&m->listen.addr) && m->listen.port);
}

static void use_move(const union any *m)
{
	if (!msg_move_ok(&m->move))
		return;
	use_netcfg(&m->move.was);
	use_netcfg(&m->move.now);
}

static void use_moved(const union any *m)
{
	if (msg_moved_ok(&m->moved))
		FUZZ_HOLDS(strlen(m->moved.err.msg) < ERR_MSG_MAX &&
			   strlen(m->moved.err.details) < ERR_DETAILS_MAX);
}

static void use_resolvers(const union any *m)
{
	if (!msg_resolvers_ok(&m->resolvers))
		return;
	FUZZ_HOLDS(m->resolvers.resolvers.n <= RESOLVERS_MAX);
	FUZZ_HOLDS(strlen(m->resolvers.resolvers.host) <= CONF_DOMAIN_MAX);
	for (uint32_t i = 0; i < m->resolvers.resolvers.n; i++)
		FUZZ_HOLDS(!addr_is_any(&m->resolvers.resolvers.list[i].addr));
}

static void use_capture(const union any *m)
{
	const struct capture_want *w = &m->capture.order.want;
	char text[CAPTURE_FILTER_TEXT];

	if (!msg_capture_ok(&m->capture))
		return;
	FUZZ_HOLDS(m->capture.place < CAPTURES && w->proto < CAPTURE_PROTO_COUNT);
	FUZZ_HOLDS(strlen(capture_filter(w, text)) < sizeof(text));
	FUZZ_HOLDS(!w->has_prefix || prefix_contains(&w->prefix, &w->prefix.addr));
}

static void use_stream(const union any *m)
{
	FUZZ_HOLDS(!msg_stream_ok(&m->stream) || m->stream.seq != 0);
}

static const struct {
	size_t size;
	const struct field *fields;
	size_t nfields;
	void (*use)(const union any *m);
} messages[] = {
	{ sizeof(struct msg_engine), running_fields, ARRAY_LEN(running_fields), use_running },
	{ sizeof(struct msg_setup), setup_fields, ARRAY_LEN(setup_fields), use_setup },
	{ sizeof(struct msg_setup_done), done_fields, ARRAY_LEN(done_fields), use_done },
	{ sizeof(struct msg_forward), forward_fields, ARRAY_LEN(forward_fields), use_forward },
	{ sizeof(struct msg_ports), ports_fields, ARRAY_LEN(ports_fields), use_ports },
	{ sizeof(struct msg_inner), inner_fields, ARRAY_LEN(inner_fields), use_inner },
	{ sizeof(struct msg_listen), listen_fields, ARRAY_LEN(listen_fields), use_listen },
	{ sizeof(struct msg_move), move_fields, ARRAY_LEN(move_fields), use_move },
	{ sizeof(struct msg_moved), moved_fields, ARRAY_LEN(moved_fields), use_moved },
	{ sizeof(struct msg_resolvers), resolvers_fields, ARRAY_LEN(resolvers_fields),
	  use_resolvers },
	{ sizeof(struct msg_capture), capture_fields, ARRAY_LEN(capture_fields), use_capture },
	{ sizeof(struct msg_stream), stream_fields, ARRAY_LEN(stream_fields), use_stream },
};

static void make_valid(union any *m, size_t which)
{
	memset(m, 0, sizeof(*m));
	if (which == 0)
		m->running = (struct msg_engine){ .kind = MSG_RUNNING, .pid = 1 };
	else if (which == 1)
		m->setup = (struct msg_setup){ .kind = MSG_SETUP, .net = {
			.ifname = "eth0", .mtu = 1500, .mac = { { 2, 0, 0, 0, 0, 1 } },
			.naddresses = 1, .addresses = { { { { 0x20, 1, [15] = 2 } }, 64 } },
			.nroutes = 1, .routes = { { .gw = { { 0xfe, 0x80, [15] = 1 } } } } } };
	else if (which == 3)
		m->forward = (struct msg_forward){ .kind = MSG_FORWARD_OPEN, .idx = 7, .forward = {
			.port = 80, .to_port = 80, .proto = CONF_UDP } };
	else if (which == 4)
		m->ports = (struct msg_ports){ .kind = MSG_PORTS, .proto = CONF_UDP };
	else if (which == 5)
		m->inner = (struct msg_inner){ .kind = MSG_INNER, .ipv4 = 1, .count = 64 };
	else if (which == 6)
		m->listen = (struct msg_listen){ .kind = MSG_LISTEN, .addr = addr_loopback(true),
						 .port = 80 };
	else if (which == 7)
		m->move = (struct msg_move){ .kind = MSG_MOVE,
			.was = { .ifname = "eth0", .mtu = 1500, .mac = { { 2, 0, 0, 0, 0, 1 } } },
			.now = { .ifname = "eth0", .mtu = 1400, .mac = { { 2, 0, 0, 0, 0, 1 } } } };
	else if (which == 8)
		m->moved = (struct msg_moved){ .kind = MSG_MOVED, .err = { .msg = "m" } };
	else if (which == 9)
		m->resolvers = (struct msg_resolvers){ .kind = MSG_RESOLVERS, .resolvers = {
			.n = 1, .list = { { addr_loopback(true), 0 } }, .host = "box" } };
	else if (which == 10)
		m->capture = (struct msg_capture){ .kind = MSG_CAPTURE, .place = 3, .order = {
			.number = 1, .want = { .has_prefix = true, .prefix = { addr_loopback(true), 8 } } } };
	else if (which == 11)
		m->stream = (struct msg_stream){ .kind = MSG_STREAM, .seq = 1 };
	else
		m->done = (struct msg_setup_done){ .kind = MSG_SETUP_DONE, .features = 1,
						   .err = { .msg = "m", .details = "d" } };
}

static void change(union any *m, size_t which, struct rd *r)
{
	uint8_t field, value;
	uint16_t at;

	while (rd_u8(r, &field) && rd_u16(r, &at) && rd_u8(r, &value)) {
		const struct field *f = &messages[which].fields[field % messages[which].nfields];

		m->bytes[f->at + at % f->size] = value;
	}
}

/* Sends `len` bytes of *m, receives a message of messages[which] into *m. */
static int pass(union any *m, size_t which, size_t len)
{
	uint32_t kind = 0;
	int sv[2], r;

	FUZZ_HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) == 0);
	FUZZ_HOLDS(msg_send(sv[0], m, len, -1) == 0);
	FUZZ_HOLDS(msg_peek_kind(sv[1], &kind) == (len == 0 ? -EPIPE : len < 4 ? -EBADMSG : 0));
	FUZZ_POISON(*m);
	r = msg_recv(sv[1], m, messages[which].size, NULL);
	close(sv[0]);
	close(sv[1]);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	uint8_t which, less;
	union any m;
	size_t len;
	int got;

	if (!rd_u8(&r, &which) || !rd_u8(&r, &less))
		return 0;
	which %= ARRAY_LEN(messages);
	make_valid(&m, which);
	messages[which].use(&m);
	change(&m, which, &r);
	len = messages[which].size;
	len = less < 128 ? len - MIN_OF(len, less) : len + (256u - less);
	got = pass(&m, which, len);
	FUZZ_HOLDS(got == (len == 0 ? -EPIPE : len == messages[which].size ? 0 : -EBADMSG));
	if (got == 0)
		messages[which].use(&m);
	return 0;
}
