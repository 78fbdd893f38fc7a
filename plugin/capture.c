/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture: the command `cni-passt capture ID`: frames of a running attachment, as pcapng
 * into a file or to standard output. The daemon sends them ready to be read
 * (cni-passt-control(7)); here they are passed on, and the statistics at the end told.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pcapng.h"
#include "plugin/attach/ask.h"
#include "plugin/command.h"
#include "plugin/table.h"

#define END_MS	3000	/* for the daemon's last words, once told to end */
#define CHUNK	(1u << 16)

/* --- options --------------------------------------------------------------------- */

static bool is_one_of(const char *word, const char *const *list, int n)
{
	for (int i = 1; i < n; i++)	/* [0]: the default, which has no word here */
		if (strcmp(list[i], word) == 0)
			return true;
	return false;
}

static int add_word(struct command *c, struct json_object *o, const char *option, const char *key,
		    const char *word, const char *const *list, int n)
{
	char all[80] = "";
	size_t len = 0;

	if (!word)
		return 0;
	if (is_one_of(word, list, n)) {
		json_object_object_add(o, key, json_object_new_string(word));
		return 0;
	}
	for (int i = 1; i < n; i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, " %s", list[i]);
	return command_misuse(c, "--%s: \"%.40s\" is none of%s", option, word, all);
}

/* Digits, and K, M or G where `units`. */
static bool read_number(const char *s, bool units, uint64_t *ret)
{
	static const char letters[] = "KMG";
	const char *unit;
	char *end;

	errno = 0;
	*ret = s[0] >= '0' && s[0] <= '9' ? strtoull(s, &end, 10) : 0;
	if (errno || !(s[0] >= '0' && s[0] <= '9'))
		return false;
	unit = units && *end ? strchr(letters, *end) : NULL;
	if (unit && *ret <= UINT64_MAX >> 10 * (unit - letters + 1)) {
		*ret <<= 10 * (unit - letters + 1);
		end++;
	}
	return !*end;
}

static int add_number(struct command *c, struct json_object *o, const char *key, const char *text,
		      uint64_t least, uint64_t most)
{
	/* the option's name is the request's member, but for one */
	const char *option = strcmp(key, "bytes") == 0 ? "size" : key;
	uint64_t v;

	if (!text)
		return 0;
	if (!read_number(text, strcmp(key, "bytes") == 0, &v) || v < least || v > most)
		return command_misuse(c, "--%s: \"%.40s\" is not a number from %" PRIu64
				      " to %" PRIu64, option, text, least, most);
	json_object_object_add(o, key, json_object_new_int64((int64_t)v));
	return 0;
}

static int add_address(struct command *c, struct json_object *o)
{
	struct prefix p;

	if (!c->address)
		return 0;
	if (prefix_parse(c->address, &p) < 0)
		return command_misuse(c, "--address: \"%.60s\" is neither an address nor a prefix",
				      c->address);
	json_object_object_add(o, "address", json_object_new_string(c->address));
	return 0;
}

/* What is asked of the daemon; to put, or NULL. */
static struct json_object *read_request(struct command *c)
{
	const uint64_t most = INT64_MAX >> 10;	/* JSON's whole numbers */
	struct json_object *o = ask_request(CONTROL_CAPTURE);

	if (add_word(c, o, "proto", "protocol", c->proto, capture_proto_names,
		     CAPTURE_PROTO_COUNT) == 0 &&
	    add_word(c, o, "direction", "direction", c->direction, capture_way_names,
		     CAPTURE_WAY_COUNT) == 0 &&
	    add_number(c, o, "port", c->port, 1, UINT16_MAX) == 0 &&
	    add_number(c, o, "count", c->count, 1, most) == 0 &&
	    add_number(c, o, "bytes", c->size, CAPTURE_BYTES_MIN, most) == 0 &&
	    add_number(c, o, "snap", c->snap, CAPTURE_SNAP_MIN, CAPTURE_SNAP_MAX) == 0 &&
	    add_address(c, o) == 0)
		return o;
	json_object_put(o);
	return NULL;
}

/* --- where it goes ---------------------------------------------------------------- */

static bool is_stdout(const struct command *c)
{
	return !c->write || strcmp(c->write, "-") == 0;
}

static int open_output(struct command *c)
{
	int fd;

	if (is_stdout(c))
		return dup(STDOUT_FILENO);
	fd = open(c->write, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		err_set(c->err, ERR_IO, "capture: cannot open %.200s: %s", c->write,
			strerror(errno));
	return fd;
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			return false;
		p += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
	return true;
}

/* --- what comes ------------------------------------------------------------------- */

/* Blocks as they pass: the last one is the statistics. */
struct blocks {
	uint8_t buf[PCAPNG_STATS_LEN];	/* of the present one, as far as it goes */
	size_t have;			/* bytes of it that came */
	uint32_t len;			/* all of them; known from the eighth on */
	uint64_t bytes;			/* of all blocks */
	bool has_stats;
	struct pcapng_stats stats;
};

static void follow(struct blocks *b, const uint8_t *p, size_t n)
{
	b->bytes += n;
	while (n) {
		size_t want = b->have < 8 ? 8 - b->have : b->len - b->have;
		size_t part = MIN_OF(want, n);

		if (b->have < sizeof(b->buf))
			memcpy(b->buf + b->have, p, MIN_OF(part, sizeof(b->buf) - b->have));
		b->have += part;
		p += part;
		n -= part;
		if (b->have == 8)
			memcpy(&b->len, b->buf + 4, sizeof(b->len));
		if (b->have < 8 || b->have < b->len)
			continue;
		b->has_stats = b->have <= sizeof(b->buf) &&
			       pcapng_read_stats(b->buf, b->have, &b->stats);
		b->have = 0;
	}
}

/* Whatever else is going on, the daemon hears of the end at once; a second signal ends the
 * command itself. */
static volatile sig_atomic_t told_to_end;
static int stream = -1;

static void on_signal(int number)
{
	(void)number;
	told_to_end = 1;
	shutdown(stream, SHUT_WR);
}

static void take_signals(int fd)
{
	const struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	stream = fd;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

enum outcome { ENDED, NOBODY_READS, NOT_WRITTEN };

/* Until the daemon has no more. */
static enum outcome pass_on(int from, int to, struct blocks *b)
{
	static uint8_t buf[CHUNK];
	struct pollfd p[] = { { .fd = from, .events = POLLIN }, { .fd = to } };
	ssize_t n = 1;
	int ready;

	take_signals(from);
	while (n) {
		ready = poll(p, ARRAY_LEN(p), told_to_end ? END_MS : -1);
		if (ready == 0)
			return ENDED;
		if (ready < 0)
			continue;
		if (p[1].revents & (POLLERR | POLLHUP))
			return NOBODY_READS;
		n = recv(from, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return ENDED;
		if (n > 0 && !write_all(to, buf, (size_t)n))
			return errno == EPIPE ? NOBODY_READS : NOT_WRITTEN;
		if (n > 0)
			follow(b, buf, (size_t)n);
	}
	return ENDED;
}

/* --- telling ---------------------------------------------------------------------- */

static void tell_begin(const struct found *at, const struct command *c)
{
	fprintf(stderr, "cni-passt: capturing %s to %s; Ctrl-C ends it\n", at->name,
		is_stdout(c) ? "stdout" : c->write);
}

static void tell_end(const struct blocks *b)
{
	char text[TABLE_TEXT];

	if (!b->has_stats) {
		fprintf(stderr, "cni-passt: %s bytes; the attachment has ended\n",
			table_bytes(b->bytes, text));
		return;
	}
	fprintf(stderr, "cni-passt: %" PRIu64 " frames, %s bytes; %" PRIu64 " of %" PRIu64
		" passed the filter; %" PRIu64 " dropped%s\n", b->stats.kept,
		table_bytes(b->bytes, text), b->stats.passed, b->stats.seen, b->stats.dropped,
		b->stats.dropped ? ": what reads them is too slow; --snap 128 or a filter"
				   " makes less of them" : "");
}

static int capture(struct command *c, const struct found *at, struct json_object *request)
{
	struct blocks b = { .have = 0 };
	struct ask a = ASK_INIT;
	enum outcome how = ENDED;
	FD_OWNED int out = -1;
	int r = ask_open(&a, at->fd, c->err);

	if (r < 0)
		json_object_put(request);
	else
		r = ask_stream(&a, request, c->err);
	if (r == 0 && (out = open_output(c)) < 0)
		r = -1;
	if (r == 0) {
		tell_begin(at, c);
		how = pass_on(a.fd, out, &b);
	}
	if (r == 0 && how == NOT_WRITTEN)
		r = err_set(c->err, ERR_IO, "capture: cannot write %.200s: %s",
			    is_stdout(c) ? "to stdout" : c->write, strerror(errno));
	if (r == 0 && how == ENDED)
		tell_end(&b);
	ask_close(&a);
	return r;
}

int capture_command(struct command *c)
{
	struct found at = { .fd = -1 };
	struct json_object *request;
	int r;

	if (c->json)
		return command_misuse(c, "it has no --json: a capture is pcapng%s", "");
	if (is_stdout(c) && isatty(STDOUT_FILENO))
		return command_misuse(c, "stdout is a terminal: -w FILE, or | tshark -r -%s", "");
	request = read_request(c);
	if (!request)
		return -1;
	if (command_find(c, &at) < 0) {
		json_object_put(request);
		return -1;
	}
	signal(SIGPIPE, SIG_IGN);	/* that nobody reads is an end like others */
	r = capture(c, &at, request);
	fd_drop(&at.fd);
	return r;
}
