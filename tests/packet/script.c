/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/proto.h"
#include "proto/tcp.h"
#include "tests/unit/proto/fakeport.h"
#include "wire/numbers.h"

#define WORDS_MAX	20
#define TEXT_MAX	256
#define SPIN_MAX	2000	/* turns until the loop must have come to rest */
#define DATA_MAX	65536
#define PORT_INNER	40000
#define PORT_REMOTE	80
#define ISN_FIRST	0xffffe000u	/* so that every longer script wraps */

struct script {
	struct fake_setup setup;
	struct script_variant variant;
	struct fake_world *w;
	struct fake_sock *sock;		/* of the connection, once it was opened */
	struct addr inner, remote;
	uint32_t isn, iss, iss_before;
	uint32_t stream;		/* next SEQ that `stream` expects */
	bool syn_seen, dirty, skip;
	bool edge_known;
	uint32_t edge;			/* right edge of the window last shown */
	char *err;
	const char *path;
	int line;
};

static bool wrong(struct script *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(struct script *s, const char *fmt, ...)
{
	int n = snprintf(s->err, SCRIPT_ERR, "%s:%d: ", s->path, s->line);
	va_list ap;

	va_start(ap, fmt);
	if (n > 0 && n < SCRIPT_ERR)
		vsnprintf(s->err + n, SCRIPT_ERR - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static uint8_t out_byte(uint64_t at)	/* container -> remote */
{
	return (uint8_t)(at * 13 + 5 + at / 241);
}

static uint8_t in_byte(uint64_t at)	/* remote -> container */
{
	return (uint8_t)(at * 7 + 1 + at / 251);
}

static bool number(const char *word, long *ret)
{
	char *end;

	if (!word)
		return false;
	*ret = strtol(word, &end, 10);
	return end != word && !*end;
}

static int errno_of(const char *word)
{
	static const struct { const char *name; int value; } names[] = {
		{ "ECONNREFUSED", ECONNREFUSED }, { "EHOSTUNREACH", EHOSTUNREACH },
		{ "ENETUNREACH", ENETUNREACH }, { "ETIMEDOUT", ETIMEDOUT },
		{ "ECONNRESET", ECONNRESET }, { "EPIPE", EPIPE }, { "EIO", EIO },
		{ "EMFILE", EMFILE }, { "EACCES", EACCES }, { "EADDRNOTAVAIL", EADDRNOTAVAIL },
	};

	for (size_t i = 0; word && i < ARRAY_LEN(names); i++)
		if (strcmp(word, names[i].name) == 0)
			return -names[i].value;
	return 0;
}

/* --- the world --- */

static void begin(struct script *s)
{
	static const struct { const char *inner, *remote; } ends[2] = {
		{ "203.0.113.2", "198.51.100.10" }, { "2001:db8:1::2", "2001:db8:2::10" },
	};

	if (s->w)
		return;
	s->setup.no_offload = s->variant.no_offload;
	s->setup.no_peek = s->variant.no_peek;
	s->w = fake_start(&s->setup);
	FAKE_HOLDS(addr_parse(ends[s->variant.v6].inner, &s->inner) == 0);
	FAKE_HOLDS(addr_parse(ends[s->variant.v6].remote, &s->remote) == 0);
}

static void look_for_socket(struct script *s)
{
	if (s->w->io.socks[s->w->io.last].used)
		s->sock = fake_last(s->w);
}

static bool check_taken(struct script *s)
{
	for (size_t i = 0; s->sock && i < s->sock->out.len; i++)
		if (s->sock->out.p[i] != out_byte(i))
			return wrong(s, "the remote got a wrong byte at %zu", i + 1);
	return true;
}

static bool turn(struct script *s)
{
	fake_turn(s->w);
	fake_check(s->w);
	look_for_socket(s);
	return true;
}

/* Turns until the loop would sleep. */
static bool settle(struct script *s)
{
	int n = 0;

	begin(s);
	if (!s->dirty)
		return true;
	s->dirty = false;
	do {
		if (n++ > SPIN_MAX)
			return wrong(s, "the loop never comes to rest");
		turn(s);
	} while (proto_busy(&s->w->c) && !s->w->c.tap_blocked);
	return check_taken(s);
}

static bool pass_time(struct script *s, uint64_t ms)
{
	uint64_t until;

	if (!settle(s))
		return false;
	until = s->w->c.now + ms;
	while (s->w->c.now < until) {
		uint64_t next = proto_next(&s->w->c);

		if (proto_busy(&s->w->c))
			next = s->w->c.now + 1;
		if (next <= s->w->c.now)
			next = s->w->c.now + 1;
		s->w->c.now = MIN_OF(next, until);
		s->w->c.now_us = s->w->c.now * 1000;
		s->dirty = true;
		if (!settle(s))
			return false;
	}
	return true;
}

/* --- segments as words --- */

struct segment {
	uint8_t flags;
	long seq, len;
	bool has_ack, has_win, has_mss, has_ws, has_gso, has_urg;
	long ack, win, mss, ws, gso, urg;

	/* options: what must be there, and what must not */
	bool sackok, no_sackok, ts, no_ts, no_sack, ce;
	bool has_tsval, has_tsecr;
	long tsval, tsecr;
	unsigned int nsack;
	long left[TCP_SACK_MAX], right[TCP_SACK_MAX];
};

static bool read_flags(const char *word, uint8_t *ret)
{
	static const char letters[] = "FSRP.UEW";	/* in the order of the bits */

	*ret = 0;
	if (strcmp(word, "-") == 0)
		return true;
	for (; *word; word++) {
		const char *at = strchr(letters, *word);

		if (!at)
			return false;
		*ret |= (uint8_t)(1u << (at - letters));
	}
	return true;
}

/* VAL or VAL/ECR; VAL may be "*". */
static bool read_ts(const char *word, struct segment *g)
{
	const char *slash = strchr(word, '/');
	char *end;

	g->ts = true;
	g->has_tsval = *word != '*';
	g->tsval = strtol(word, &end, 10);
	if ((g->has_tsval ? end : word + 1) != (slash ? slash : word + strlen(word)))
		return false;
	g->has_tsecr = slash;
	return !slash || number(slash + 1, &g->tsecr);
}

/* L-R,L-R,... */
static bool read_sack(const char *word, struct segment *g)
{
	int end = 0;

	for (; g->nsack < TCP_SACK_MAX; word += end + 1) {
		unsigned int i = g->nsack++;

		if (sscanf(word, "%ld-%ld%n", &g->left[i], &g->right[i], &end) != 2)
			return false;
		if (!word[end])
			return true;
		if (word[end] != ',')
			return false;
	}
	return false;
}

/* How many of the words are an option of TCP: 0 none, -1 a wrong one. */
static int read_option(char **words, struct segment *g)
{
	const struct { const char *name; bool *is; } flags[] = {
		{ "sackok", &g->sackok }, { "nosackok", &g->no_sackok },
		{ "nots", &g->no_ts }, { "nosack", &g->no_sack },
		{ "ce", &g->ce },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (strcmp(flags[i].name, words[0]) == 0) {
			*flags[i].is = true;
			return 1;
		}
	}
	if (strcmp(words[0], "ts") == 0)
		return words[1] && read_ts(words[1], g) ? 2 : -1;
	if (strcmp(words[0], "sack") == 0)
		return words[1] && read_sack(words[1], g) ? 2 : -1;
	return 0;
}

static bool read_segment(struct script *s, char **words, struct segment *ret)
{
	struct segment g = { .ws = -1 };
	const struct { const char *name; bool *has; long *value; } options[] = {
		{ "ack", &g.has_ack, &g.ack }, { "win", &g.has_win, &g.win },
		{ "mss", &g.has_mss, &g.mss }, { "ws", &g.has_ws, &g.ws },
		{ "gso", &g.has_gso, &g.gso }, { "urg", &g.has_urg, &g.urg },
	};
	int end = 0;

	if (!words[0] || !words[1] || !read_flags(words[0], &g.flags))
		return wrong(s, "FLAGS SEQ(LEN) wanted");
	if (sscanf(words[1], "%ld(%ld)%n", &g.seq, &g.len, &end) != 2 || words[1][end] ||
	    g.len < 0 || g.len > DATA_MAX)
		return wrong(s, "\"%s\" is not SEQ(LEN)", words[1]);
	for (words += 2; *words; words += 2) {
		int option = read_option(words, &g);
		size_t i = 0;

		if (option) {
			if (option < 0)
				return wrong(s, "\"%s %s\" is not understood", words[0],
					     words[1] ? words[1] : "");
			words += option - 2;
			continue;
		}
		while (i < ARRAY_LEN(options) && strcmp(options[i].name, *words) != 0)
			i++;
		if (i == ARRAY_LEN(options) || !words[1])
			return wrong(s, "unknown word \"%s\"", *words);
		*options[i].has = true;
		if (strcmp(words[1], "none") == 0)
			*options[i].value = i == 3 ? -1 : 0;
		else if (!number(words[1], options[i].value))
			return wrong(s, "\"%s\" is no number", words[1]);
	}
	*ret = g;
	return true;
}

/* As Linux writes it: a router inside that answers from an address of its own. */
static bool too_big(struct script *s, char **words)
{
	const char *from = s->variant.v6 ? "2001:db8:1::9" : "203.0.113.9";
	uint8_t msg[ICMP_HLEN + IP6_HLEN + TCP_HLEN] = { 0 };
	struct wr w = wr_init(msg, sizeof(msg));
	const struct ip ip = {
		.version = s->variant.v6 ? 6 : 4, .src = s->remote, .dst = s->inner, .ttl = 63,
		.proto = PROTO_TCP, .df = true, .len = 1460,	/* most of it cut off */
	};
	struct addr router;
	long seq, mtu;

	FAKE_HOLDS(addr_parse(from, &router) == 0);
	if (!words[0] || !words[1] || !number(words[0], &seq) || !number(words[1], &mtu))
		return wrong(s, "toobig SEQ MTU wanted");
	wr_u8(&w, s->variant.v6 ? ICMP6_TOOBIG : ICMP4_UNREACH);
	wr_u8(&w, s->variant.v6 ? 0 : ICMP4_UNREACH_FRAG);
	wr_u16(&w, 0);		/* the sum comes later */
	wr_u32(&w, (uint32_t)mtu);
	if (s->variant.v6)
		ip6_write(&w, &ip);
	else
		ip4_write(&w, &ip);
	wr_u16(&w, PORT_REMOTE);
	wr_u16(&w, PORT_INNER);
	wr_u32(&w, s->iss + (uint32_t)seq);
	fake_ingress(s->w, &(struct fake_packet){
		.src = router, .dst = s->remote, .l4 = msg, .len = sizeof(msg) - w.left,
		.proto = s->variant.v6 ? PROTO_ICMP6 : PROTO_ICMP,
	});
	s->dirty = true;
	return true;
}

static bool do_ingress(struct script *s, char **words)
{
	static uint8_t data[DATA_MAX];
	struct segment g;
	struct tcp t = { .sport = PORT_INNER, .dport = PORT_REMOTE, .opt = TCP_OPTS_INIT };

	if (words[0] && strcmp(words[0], "toobig") == 0)
		return too_big(s, words + 1);
	if (!read_segment(s, words, &g))
		return false;
	t.flags = g.flags;
	t.seq = s->isn + (uint32_t)g.seq;
	t.ack = g.flags & TCPF_ACK ? s->iss + (uint32_t)g.ack : 0;
	t.wnd = (uint16_t)(g.has_win ? g.win : 64240);
	t.urg = (uint16_t)g.urg;
	t.opt.mss = (uint16_t)g.mss;
	t.opt.wscale = (int8_t)g.ws;
	t.opt.sack_ok = g.sackok;
	t.opt.ts = g.ts;
	t.opt.tsval = (uint32_t)g.tsval;
	t.opt.tsecr = (uint32_t)g.tsecr;
	t.opt.nsack = (uint8_t)g.nsack;
	for (unsigned int i = 0; i < g.nsack; i++) {
		t.opt.sack[i].left = s->iss + (uint32_t)g.left[i];
		t.opt.sack[i].right = s->iss + (uint32_t)g.right[i];
	}
	for (long i = 0; i < g.len; i++)
		data[i] = out_byte((uint64_t)(g.seq - 1 + i));
	s->w->tcp_tos = g.ce ? IP_ECN_CE : 0;
	fake_ingress_tcp(s->w, &s->inner, &s->remote, &t, data, (size_t)g.len);
	look_for_socket(s);
	s->dirty = true;
	return true;
}

static bool do_pieces(struct script *s, char **words)
{
	long n, seq, len, step;
	char flags[] = "P.", ack[] = "ack", at[32];
	char *segment[] = { flags, at, ack, words[0] && words[1] && words[2] ? words[3] : NULL, NULL };

	if (!segment[3] || !number(words[0], &n) || !number(words[2], &step) ||
	    sscanf(words[1], "%ld(%ld)", &seq, &len) != 2)
		return wrong(s, "pieces N SEQ(LEN) STEP ACK wanted");
	for (long i = 0; i < n; i++) {
		snprintf(at, sizeof(at), "%ld(%ld)", seq + i * step, len);
		if (!do_ingress(s, segment))
			return false;
	}
	return true;
}

/* --- frames to the container --- */

static bool check_data(struct script *s, const struct fake_seen *f)
{
	uint32_t seq = f->tcp.seq - s->iss;

	for (size_t i = 0; i < f->len; i++)
		if (f->data[i] != in_byte(seq - 1 + i))
			return wrong(s, "a wrong byte at SEQ %zu", seq + i);
	return true;
}

static bool check_edge(struct script *s, const struct fake_seen *f)
{
	const struct flow *flow = s->sock ? fake_flow(s->w, s->sock) : NULL;
	unsigned int scale = flow && !(f->tcp.flags & TCPF_SYN) ? flow->tcp.rcv_wscale : 0;
	uint32_t edge = f->tcp.ack + ((uint32_t)f->tcp.wnd << scale);

	if ((f->tcp.flags & TCPF_RST) || !(f->tcp.flags & TCPF_ACK) || !flow)
		return true;
	/* less than a granule may be lost in rounding (RFC 7323, 2.4) */
	if (s->edge_known && seq_lt(edge + (1u << scale) - 1, s->edge))
		return wrong(s, "the window's right edge moved left by %u", s->edge - edge);
	s->edge_known = true;
	s->edge = edge;
	return true;
}

static void describe(const struct script *s, const struct fake_seen *f, char *buf, size_t size)
{
	const struct tcp *t = &f->tcp;
	int n;

	if (f->ip.proto != PROTO_TCP) {
		snprintf(buf, size, "icmp %u %u", f->icmp.type, f->icmp.code);
		return;
	}
	n = snprintf(buf, size, "%s%s%s%s%s%s%s %d(%zu) ack %d win %u mss %u ws %d gso %u",
			 t->flags & TCPF_FIN ? "F" : "", t->flags & TCPF_SYN ? "S" : "",
			 t->flags & TCPF_RST ? "R" : "", t->flags & TCPF_PSH ? "P" : "",
			 t->flags & TCPF_URG ? "U" : "", t->flags & TCPF_ECE ? "E" : "",
			 t->flags & TCPF_ACK ? "." : "", (int)(t->seq - s->iss), f->len,
			 (int)(t->ack - s->isn), t->wnd, t->opt.mss, t->opt.wscale, f->gso_size);
	if (t->urg)
		n += snprintf(buf + n, size - (size_t)n, " urg %u", t->urg);
	if (t->opt.sack_ok)
		n += snprintf(buf + n, size - (size_t)n, " sackok");
	if (t->opt.ts)
		n += snprintf(buf + n, size - (size_t)n, " ts %u/%u", t->opt.tsval, t->opt.tsecr);
	for (unsigned int i = 0; i < t->opt.nsack; i++)
		n += snprintf(buf + n, size - (size_t)n, "%s%d-%d", i ? "," : " sack ",
			      (int)(t->opt.sack[i].left - s->isn),
			      (int)(t->opt.sack[i].right - s->isn));
}

/* The next frame, addressed as it must be. */
static bool next_frame(struct script *s, struct fake_seen *f)
{
	if (!settle(s))
		return false;
	if (!fake_frame(s->w, f))
		return wrong(s, "no frame came");
	if (f->etype == ETYPE_ARP || !addr_eq(&f->ip.dst, &s->inner))
		return wrong(s, "a frame for somebody else came");
	if (f->ip.proto != PROTO_TCP)
		return true;
	if (!addr_eq(&f->ip.src, &s->remote) || f->tcp.sport != PORT_REMOTE ||
	    f->tcp.dport != PORT_INNER)
		return wrong(s, "a segment of another connection came");
	if ((f->tcp.flags & TCPF_SYN) && !s->syn_seen) {
		s->iss = f->tcp.seq;
		s->syn_seen = true;
		s->stream = 1;
	}
	return check_data(s, f) && check_edge(s, f);
}

static bool expect_icmp(struct script *s, char **words)
{
	struct fake_seen f;
	long type, code;
	struct rd r;
	uint16_t sport = 0, dport = 0;
	uint32_t seq = 0;
	char text[TEXT_MAX];

	if (!number(words[0], &type) || !number(words[1], &code))
		return wrong(s, "icmp TYPE CODE wanted");
	if (!next_frame(s, &f))
		return false;
	describe(s, &f, text, sizeof(text));
	if (f.ip.proto == PROTO_TCP || f.icmp.type != type || f.icmp.code != code)
		return wrong(s, "%s came", text);
	/* The quoted packet is shorter than its length field says: read by hand. */
	r = rd_init(f.data, f.len);
	rd_skip(&r, s->variant.v6 ? IP6_HLEN : IP4_HLEN);
	if (!rd_u16(&r, &sport) || !rd_u16(&r, &dport) || !rd_u32(&r, &seq))
		return wrong(s, "the ICMP error quotes too little");
	if (sport != PORT_INNER || dport != PORT_REMOTE || seq != s->isn)
		return wrong(s, "the ICMP error quotes another packet");
	return true;
}

/* The options that the script names, are as it says. */
static bool options_fit(const struct script *s, const struct segment *g, const struct tcp_opts *o)
{
	if ((g->sackok && !o->sack_ok) || (g->no_sackok && o->sack_ok) || (g->ts && !o->ts) ||
	    (g->no_ts && o->ts) || (g->no_sack && o->nsack))
		return false;
	if ((g->has_tsval && (uint32_t)g->tsval != o->tsval) ||
	    (g->has_tsecr && (uint32_t)g->tsecr != o->tsecr))
		return false;
	for (unsigned int i = 0; i < g->nsack; i++)
		if ((uint32_t)g->left[i] != o->sack[i].left - s->isn ||
		    (uint32_t)g->right[i] != o->sack[i].right - s->isn)
			return false;
	return !g->nsack || g->nsack == o->nsack;
}

static bool do_expect(struct script *s, char **words)
{
	struct segment g;
	struct fake_seen f;
	char text[TEXT_MAX];

	if (words[0] && strcmp(words[0], "icmp") == 0)
		return expect_icmp(s, words + 1);
	if (!read_segment(s, words, &g) || !next_frame(s, &f))
		return false;
	describe(s, &f, text, sizeof(text));
	if (f.ip.proto != PROTO_TCP || f.tcp.flags != g.flags || (long)f.len != g.len ||
	    (uint32_t)g.seq != f.tcp.seq - (g.flags == TCPF_RST || s->syn_seen ? s->iss : 0) ||
	    (g.has_ack && (uint32_t)g.ack != f.tcp.ack - s->isn) ||
	    (g.has_win && g.win != f.tcp.wnd) || (g.has_mss && g.mss != f.tcp.opt.mss) ||
	    (g.has_ws && g.ws != f.tcp.opt.wscale) || (g.has_gso && g.gso != f.gso_size) ||
	    (uint16_t)g.urg != f.tcp.urg || !options_fit(s, &g, &f.tcp.opt))
		return wrong(s, "%s came", text);
	if (f.len && s->stream == (uint32_t)g.seq)
		s->stream += (uint32_t)g.len;
	return true;
}

static bool do_stream(struct script *s, char **words)
{
	struct fake_seen f;
	char text[TEXT_MAX];
	long until;

	if (!number(words[0], &until))
		return wrong(s, "stream N wanted");
	while (s->stream != (uint32_t)until) {
		if (!next_frame(s, &f))
			return false;
		describe(s, &f, text, sizeof(text));
		if (f.ip.proto != PROTO_TCP || !f.len || f.tcp.seq - s->iss != s->stream ||
		    s->stream + f.len > (uint32_t)until)
			return wrong(s, "at SEQ %u: %s came", s->stream, text);
		s->stream += (uint32_t)f.len;
	}
	return true;
}

static bool do_quiet(struct script *s, char **words)
{
	struct fake_seen f;
	char text[TEXT_MAX];

	(void)words;
	if (!settle(s))
		return false;
	if (!fake_frame(s->w, &f))
		return true;
	describe(s, &f, text, sizeof(text));
	return wrong(s, "%s came", text);
}

static bool do_drop(struct script *s, char **words)
{
	(void)words;
	if (!settle(s))
		return false;
	fake_frames_drop(s->w);
	return true;
}

/* --- the host's side --- */

static bool have_socket(struct script *s)
{
	return s->sock ? true : wrong(s, "no socket was opened yet");
}

static bool do_connect(struct script *s, char **words)
{
	int err = errno_of(words[0]);

	if (!words[0])
		return wrong(s, "connect what?");
	if (err)
		s->w->io.open_rc = err;
	else
		s->w->io.open_rc = strcmp(words[0], "wait") == 0 ? -EINPROGRESS : 0;
	return true;
}

/* A client of the forwarded port: accepted, or accept() fails while it waits. */
static bool do_accept(struct script *s, char **words)
{
	struct addr local = s->inner;
	int err = errno_of(words[0]);

	s->w->io.accept_rc = err;
	if (words[0] && !err && strcmp(words[0], "again") != 0)
		return wrong(s, "accept [ERRNO|again] wanted");
	if (words[0] && !err)		/* what failed is possible from here on */
		return true;
	fake_client(s->w, &s->remote, PORT_REMOTE, &local);
	s->dirty = true;
	return true;
}

static bool do_failed(struct script *s, char **words)
{
	if (!have_socket(s))
		return false;
	s->sock->err = errno_of(words[0]);
	if (!s->sock->err)
		return wrong(s, "failed ERRNO wanted");
	fake_event(s->w, s->sock, true, true, true);
	s->dirty = true;
	return true;
}

static bool do_remote(struct script *s, char **words)
{
	static uint8_t data[1u << 22];
	bool error = false, unseen, urgent;
	long n = 0;

	if (!have_socket(s) || !words[0])
		return wrong(s, "remote what?");
	unseen = strcmp(words[0], "unseen") == 0;
	urgent = unseen || strcmp(words[0], "urgent") == 0;
	words += urgent;
	if (words[0] && strcmp(words[0], "gone") == 0) {	/* no event told of it yet */
		s->sock->err = -ECONNRESET;
		s->sock->in_eof = true;
		return true;
	}
	if (words[0] && strcmp(words[0], "fin") == 0) {
		s->sock->in_eof = true;
	} else if (words[0] && strcmp(words[0], "reset") == 0) {
		s->sock->err = words[1] ? errno_of(words[1]) : -ECONNRESET;
		s->sock->in_eof = error = true;
	} else if (!words[0] || !number(words[0], &n) || n < 0 || (size_t)n > sizeof(data)) {
		return wrong(s, "remote N|fin|reset|gone wanted");
	}
	for (long i = 0; i < n; i++)
		data[i] = in_byte(s->sock->in_read + s->sock->in.len + (uint64_t)i);
	fake_put(s->sock, data, (size_t)n);
	if (urgent) {
		s->sock->urgent = s->sock->in.len - 1;
		if (!unseen)
			fake_urgent_event(s->w, s->sock);
	}
	fake_event(s->w, s->sock, true, error, error);
	s->dirty = true;
	return true;
}

static bool do_urgent(struct script *s, char **words)
{
	long n;

	if (!settle(s) || !have_socket(s) || !number(words[0], &n))
		return false;
	return s->sock->out_urgent == (size_t)n ? true : wrong(s, "it is %zu", s->sock->out_urgent);
}

static bool do_keep(struct script *s, char **words)
{
	long n;

	if (!words[0] || !number(words[0], &n))
		return wrong(s, "keep N wanted");
	if (!settle(s) || !have_socket(s))
		return false;
	return s->sock->keep_s == n || wrong(s, "it is asked after %u s", s->sock->keep_s);
}

static bool do_room(struct script *s, char **words)
{
	long n;
	bool all = words[0] && strcmp(words[0], "all") == 0;

	if (!have_socket(s) || (!all && !number(words[0], &n)))
		return wrong(s, "room N|all wanted");
	s->sock->out_room = all ? SIZE_MAX : (size_t)n;
	return true;
}

static bool do_writable(struct script *s, char **words)
{
	(void)words;
	if (!have_socket(s))
		return false;
	fake_event(s->w, s->sock, false, true, false);
	s->dirty = true;
	return true;
}

static bool do_took(struct script *s, char **words)
{
	long n;

	if (!settle(s) || !have_socket(s) || !number(words[0], &n))
		return false;
	return s->sock->out.len == (size_t)n ? true : wrong(s, "it took %zu", s->sock->out.len);
}

static bool do_socket(struct script *s, char **words)
{
	const char *is;

	if (!settle(s) || !have_socket(s) || !words[0])
		return false;
	if (s->sock->open)
		is = s->sock->shut ? "shut" : "open";
	else
		is = s->sock->aborted ? "aborted" :
		     s->sock->closed_unread ? "reset by unread bytes" : "closed";
	return strcmp(is, words[0]) == 0 ? true : wrong(s, "it is %s", is);
}

static bool check_calls(struct script *s, char **words, const uint64_t *is)
{
	long n;

	if (!settle(s) || !number(words[0], &n))
		return false;
	return *is == (uint64_t)n ? true : wrong(s, "%d calls", (int)*is);
}

static bool do_opens(struct script *s, char **words)
{
	begin(s);
	return check_calls(s, words, &s->w->io.opens);
}

static bool do_sends(struct script *s, char **words)
{
	begin(s);
	return check_calls(s, words, &s->w->io.sends);
}

static bool do_flow(struct script *s, char **words)
{
	static const char *const states[TCPS_COUNT] = { "connecting", "synsent", "syn", "open", "linger" };
	const struct flow_key key = {
		.inner = s->inner, .remote = s->remote, .inner_port = PORT_INNER,
		.remote_port = PORT_REMOTE, .proto = FLOW_TCP,
	};
	const struct flow *f;
	const char *is;

	if (!settle(s))
		return false;
	f = flow_find(&s->w->c.flows, &key);
	is = f ? states[f->tcp.state] : "gone";
	return words[0] && strcmp(is, words[0]) == 0 ? true : wrong(s, "it is %s", is);
}

static bool do_tap(struct script *s, char **words)
{
	long n;

	s->w->io.tap_err = errno_of(words[0]);
	if (words[0] && strcmp(words[0], "all") == 0)
		s->w->io.tap_room = UINT64_MAX;
	else if (number(words[0], &n))
		s->w->io.tap_room = (uint64_t)n;
	else if (!s->w->io.tap_err)
		return wrong(s, "tap N|all|ERRNO wanted");
	return true;
}

static bool do_count(struct script *s, char **words)
{
	static const struct { const char *name; size_t at; } names[] = {
#define X(name, text) { #name, offsetof(struct counters, name) },
		COUNTERS_TABLE(X)
#undef X
	};
	uint64_t is;
	long n;

	if (!settle(s) || !words[0] || !number(words[1], &n))
		return wrong(s, "count NAME N wanted");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i].name, words[0]) != 0)
			continue;
		memcpy(&is, (uint8_t *)&s->w->count + names[i].at, sizeof(is));
		return is == (uint64_t)n ? true : wrong(s, "it is %llu", (unsigned long long)is);
	}
	return wrong(s, "no counter \"%s\"", words[0]);
}

/* --- the script itself --- */

static bool do_setup(struct script *s, char **words)
{
	long n;

	if (s->w || !words[0] || !number(words[1], &n))
		return wrong(s, "setup NAME N wanted, before all else");
	if (strcmp(words[0], "flows") == 0)
		s->setup.flows = (uint32_t)n;
	else if (strcmp(words[0], "chunks") == 0)
		s->setup.chunks = (uint32_t)n;
	else if (strcmp(words[0], "ranges") == 0)
		s->setup.ranges = (uint16_t)n;
	else if (strcmp(words[0], "mtu") == 0)
		s->setup.mtu = (uint32_t)n;
	else
		return wrong(s, "no setup \"%s\"", words[0]);
	return true;
}

static bool do_only(struct script *s, char **words)
{
	const struct { const char *name; bool is; } variants[] = {
		{ "peek", !s->variant.no_peek }, { "ring", s->variant.no_peek },
		{ "offload", !s->variant.no_offload }, { "plain", s->variant.no_offload },
		{ "v4", !s->variant.v6 }, { "v6", s->variant.v6 },
	};

	for (; *words; words++) {
		size_t i = 0;

		while (i < ARRAY_LEN(variants) && strcmp(variants[i].name, *words) != 0)
			i++;
		if (i == ARRAY_LEN(variants))
			return wrong(s, "no variant \"%s\"", *words);
		s->skip |= !variants[i].is;
	}
	return true;
}

static bool do_isn(struct script *s, char **words)
{
	long n;

	if (!number(words[0], &n))
		return wrong(s, "isn N wanted");
	s->isn += (uint32_t)n;
	s->iss_before = s->iss;
	s->syn_seen = s->edge_known = false;
	return true;
}

static bool do_beyond(struct script *s, char **words)
{
	long n;

	if (!number(words[0], &n) || !s->syn_seen)
		return wrong(s, "beyond N wanted, behind a SYN-ACK");
	return seq_lt(s->iss_before + (uint32_t)n, s->iss) ? true :
	       wrong(s, "it counts from %d beyond", (int)(s->iss - s->iss_before));
}

static const struct {
	const char *name;
	bool (*run)(struct script *s, char **words);
} commands[] = {
	{ "<", do_ingress }, { ">", do_expect }, { "pieces", do_pieces }, { "stream", do_stream },
	{ "quiet", do_quiet }, { "drop", do_drop }, { "connect", do_connect }, { "connected", do_writable },
	{ "failed", do_failed }, { "accept", do_accept }, { "remote", do_remote }, { "room", do_room },
	{ "writable", do_writable }, { "took", do_took }, { "socket", do_socket },
	{ "opens", do_opens }, { "sends", do_sends }, { "flow", do_flow }, { "tap", do_tap }, { "count", do_count },
	{ "urgent", do_urgent }, { "keep", do_keep }, { "isn", do_isn }, { "beyond", do_beyond }, { "setup", do_setup }, { "only", do_only },
};

static bool run_line(struct script *s, char *line)
{
	char *words[WORDS_MAX + 1] = { NULL }, *save, *p = strtok_r(line, " \t\n", &save);
	size_t n = 0, i = 0;
	long ms;

	for (; p && *p != '#'; p = strtok_r(NULL, " \t\n", &save))
		if (n < WORDS_MAX)
			words[n++] = p;
	if (!n || s->skip)
		return true;
	if (words[0][0] == '+' && number(words[0] + 1, &ms))
		return pass_time(s, (uint64_t)ms);
	while (i < ARRAY_LEN(commands) && strcmp(commands[i].name, words[0]) != 0)
		i++;
	if (i == ARRAY_LEN(commands))
		return wrong(s, "no command \"%s\"", words[0]);
	if (commands[i].run != do_setup && commands[i].run != do_only)
		begin(s);
	return commands[i].run(s, words + 1);
}

bool script_run(const char *path, const struct script_variant *v, bool *ran, char err[SCRIPT_ERR])
{
	struct script s = { .variant = *v, .isn = ISN_FIRST, .err = err, .path = path };
	FILE *f = fopen(path, "r");
	char line[512];
	bool ok = true;

	if (!f)
		return wrong(&s, "cannot read it: %s", strerror(errno));
	while (ok && fgets(line, sizeof(line), f)) {
		s.line++;
		if (getenv("SCRIPT_TRACE"))
			fprintf(stderr, "%d: %s", s.line, line);
		ok = run_line(&s, line);
	}
	fclose(f);
	*ran = !s.skip;
	if (ok && !s.skip)		/* nothing unexpected was left */
		ok = do_quiet(&s, NULL);
	if (s.w)
		fake_stop(s.w);
	return ok;
}
