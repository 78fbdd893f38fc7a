/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/splice.c over the fake world: every byte each way, every way
 * in which a connection ends, and what happens when something lacks. */
#include "../unit.h"

#include <errno.h>

#include "fakeport.h"
#include "proto/proto.h"
#include "proto/splice.h"

#define MANY	300000u		/* bytes: more than a copy, a pipe, and a turn's share take */

static uint8_t data[MANY];
static enum splice_side caller;		/* each test runs for both directions */

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct fake_world *start(uint32_t inner)
{
	static const struct fake_setup usual;
	struct fake_world *w = fake_start(&usual);

	for (uint32_t i = 0; i < MANY; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	w->io.inner = inner;
	return w;
}

static void turn(struct fake_world *w)
{
	fake_turn(w);
	fake_check(w);
}

static void settle(struct fake_world *w)
{
	do
		turn(w);
	while (proto_busy(&w->c));
}

static struct fake_sock *call(struct fake_world *w)
{
	const struct splice_call k = {
		.sock = fake_accept(w, caller), .caller = caller, .from = parse("127.0.0.1"),
		.by = parse("127.0.0.1"), .to = parse("203.0.113.2"), .from_port = 40000,
		.by_port = 8080, .to_port = 80,
	};

	assert_int_equal(splice_open(&w->c, &k), 0);
	return &w->io.socks[k.sock];
}

/* Both sides of a connection that is open and idle: [0] called, [1] was connected. */
struct pair {
	struct fake_sock *s[2];
};

static struct pair open_pair(struct fake_world *w)
{
	struct pair p = { { call(w), NULL } };

	p.s[1] = fake_last(w);
	for (int i = 0; i < 2; i++)
		fake_side_event(w, p.s[i], SPLICEV_OUT);
	settle(w);
	return p;
}

static void put(struct fake_world *w, struct fake_sock *s, size_t from, size_t len)
{
	fake_put(s, data + from, len);
	fake_side_event(w, s, SPLICEV_IN);
}

static void assert_out(const struct fake_sock *s, size_t len)
{
	assert_int_equal(s->out.len, len);
	if (len)
		assert_memory_equal(s->out.p, data, len);
}

/* --- */

static void test_little(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);

	(void)state;
	assert_int_equal(p.s[1]->outer_port, 80);
	assert_int_equal(w->io.inner, caller == SPLICE_OUTER ? 0 : 1);
	for (int i = 0; i < 2; i++) {
		put(w, p.s[i], 0, 100);
		settle(w);
		put(w, p.s[i], 100, 1);
		settle(w);
		assert_out(p.s[!i], 101);
	}
	assert_int_equal(w->io.pipe_calls, 0);	/* little needs none */
	assert_int_equal(w->count.splice_opened, 1);
	assert_int_equal(w->count.splice_bytes, 202);
	fake_stop(w);
}

/* Much, each way and both ways at once, with as many pipes as one could wish for,
 * too few, and none. */
static void test_much(void **state)
{
	(void)state;
	for (uint32_t pipes = 0; pipes < 3; pipes++) {
		struct fake_world *w = start(1);
		struct pair p = open_pair(w);

		w->io.max_pipes = pipes;
		for (size_t at = 0; at < MANY; at += MANY / 4)
			for (int i = 0; i < 2; i++) {
				put(w, p.s[i], at, MANY / 4);
				turn(w);
			}
		settle(w);
		assert_out(p.s[0], MANY);
		assert_out(p.s[1], MANY);
		assert_int_equal(w->io.pipe_calls > 0, pipes > 0);
		fake_stop(w);
	}
}

/* Whoever sends much is believed to go on when all of it has gone; who then sends
 * little is not. */
static void test_bulk(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);
	uint32_t calls;

	(void)state;
	put(w, p.s[0], 0, 65536);
	settle(w);
	calls = w->io.pipe_calls;
	put(w, p.s[0], 65536, SPLICE_WORTH);
	settle(w);
	assert_true(w->io.pipe_calls > calls);
	put(w, p.s[0], 65536 + SPLICE_WORTH, 100);
	settle(w);
	calls = w->io.pipe_calls;
	put(w, p.s[0], 65636 + SPLICE_WORTH, 100);
	settle(w);
	assert_int_equal(w->io.pipe_calls, calls);
	assert_out(p.s[1], 65736 + SPLICE_WORTH);
	fake_stop(w);
}

/* One flow does not keep the turn for itself. */
static void test_turn(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);

	(void)state;
	for (int i = 0; i < 4; i++)
		fake_put(p.s[0], data, MANY);
	fake_side_event(w, p.s[0], SPLICEV_IN);
	turn(w);
	assert_in_range(p.s[1]->out.len, SPLICE_TURN, SPLICE_TURN + SPLICE_PIPE_LEN);
	assert_true(proto_busy(&w->c));
	settle(w);
	assert_int_equal(p.s[1]->out.len, 4 * MANY);
	fake_stop(w);
}

/* A reader that takes little, or nothing: nobody is served in vain, nothing is
 * lost, and the pipe is given back when it is empty. */
static void test_slow_reader(void **state)
{
	(void)state;
	for (uint32_t pipes = 0; pipes < 2; pipes++) {
		struct fake_world *w = start(1);
		struct pair p = open_pair(w);
		size_t taken = 1000;

		w->io.max_pipes = pipes;
		p.s[1]->out_room = taken;
		put(w, p.s[0], 0, MANY);
		settle(w);
		assert_out(p.s[1], taken);
		put(w, p.s[0], 0, 1);		/* more comes: of no use */
		turn(w);
		assert_false(proto_busy(&w->c));
		assert_out(p.s[1], taken);
		while (taken < MANY) {
			size_t more = MIN_OF((size_t)77777, MANY - taken);

			p.s[1]->out_room = more;
			taken += more;
			fake_side_event(w, p.s[1], SPLICEV_OUT);
			settle(w);
			assert_out(p.s[1], taken);
		}
		p.s[1]->out_room = SIZE_MAX;
		fake_side_event(w, p.s[1], SPLICEV_OUT);
		settle(w);
		assert_int_equal(p.s[1]->out.len, MANY + 1);
		fake_stop(w);
	}
}

/* A tap that pushes back is not a spliced flow's affair, and those that do wait for it
 * keep their places: whoever was not served comes first. */
static void test_tap_blocked(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);
	const struct addr c4 = parse("203.0.113.2"), r4 = parse("198.51.100.10");
	struct fake_sock *udp[3];
	struct fake_seen f;

	(void)state;
	for (uint16_t i = 0; i < 3; i++) {
		fake_ingress_udp(w, &c4, &r4, (uint16_t)(1 + i), 7000, "q", 1, 0);
		turn(w);
		udp[i] = fake_last(w);
		for (int k = 0; k < 40; k++)
			fake_put_dgram(udp[i], "1", 1, 0, 0);
	}
	w->io.tap_room = 0;
	for (int i = 0; i < 3; i++)
		fake_event(w, udp[i], true, false, false);
	put(w, p.s[0], 0, MANY);
	for (int i = 0; i < 3; i++)
		put(w, p.s[0], 0, MANY);
	turn(w);
	assert_true(p.s[1]->out.len >= SPLICE_TURN && w->c.splice_more);
	/* One frame a turn, and the one behind it meets the full tap. */
	for (int i = 0; i < 3; i++) {
		w->io.tap_room = 1;
		turn(w);
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.udp.dport, "\2\1\3"[i]);
		fake_frames_drop(w);
	}
	assert_int_equal(p.s[1]->out.len, 4 * MANY);
	assert_false(w->c.splice_more);
	w->io.tap_room = UINT64_MAX;
	settle(w);
	fake_frames_drop(w);
	fake_stop(w);
}

/* --- ends --- */

static void end(struct fake_world *w, struct fake_sock *s)
{
	s->in_eof = true;
	fake_side_event(w, s, SPLICEV_IN | SPLICEV_END);
}

/* One side ends: the other goes on, as long as it likes. */
static void test_half_close(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		struct fake_world *w = start(1);
		struct pair p = open_pair(w);

		fake_put(p.s[first], data, 10);
		end(w, p.s[first]);
		settle(w);
		assert_out(p.s[!first], 10);
		assert_true(p.s[!first]->shut);
		assert_false(p.s[first]->shut);
		put(w, p.s[!first], 0, MANY);
		settle(w);
		assert_out(p.s[first], MANY);
		end(w, p.s[!first]);
		settle(w);
		assert_false(p.s[0]->open || p.s[1]->open || p.s[0]->aborted || p.s[1]->aborted);
		assert_true(p.s[first]->shut);
		assert_int_equal(w->c.flows.count, 0);
		assert_int_equal(w->count.splice_reset, 0);
		fake_stop(w);
	}
}

/* Both ended, one of them while it reads slowly: its end comes behind the data. */
static void test_end_waits(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);

	(void)state;
	p.s[1]->out_room = 5;
	fake_put(p.s[0], data, MANY);
	end(w, p.s[0]);
	end(w, p.s[1]);
	settle(w);
	assert_true(p.s[0]->shut && !p.s[1]->shut && p.s[1]->open);
	p.s[1]->out_room = SIZE_MAX;
	fake_side_event(w, p.s[1], SPLICEV_OUT);
	settle(w);
	assert_out(p.s[1], MANY);
	assert_true(p.s[1]->shut && !p.s[1]->open && !p.s[1]->aborted);
	fake_stop(w);
}

static void break_side(struct fake_world *w, struct fake_sock *s, int err)
{
	s->err = err;
	fake_side_event(w, s, SPLICEV_IN | SPLICEV_OUT | SPLICEV_END);
}

/* A reset becomes one; what came before it goes first. */
static void test_reset(void **state)
{
	(void)state;
	for (int who = 0; who < 2; who++) {
		struct fake_world *w = start(1);
		struct pair p = open_pair(w);

		fake_put(p.s[who], data, MANY);
		break_side(w, p.s[who], -ECONNRESET);
		settle(w);
		assert_out(p.s[!who], MANY);
		assert_true(p.s[!who]->aborted && !p.s[!who]->shut && !p.s[!who]->open);
		assert_int_equal(w->c.flows.count, 0);
		assert_int_equal(w->count.splice_reset, 1);
		fake_stop(w);
	}
}

/* The reset waits for a reader that is slow. */
static void test_reset_behind_data(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);

	(void)state;
	p.s[1]->out_room = 100;
	fake_put(p.s[0], data, MANY);
	break_side(w, p.s[0], -ECONNRESET);
	settle(w);
	assert_true(p.s[1]->open);
	p.s[1]->out_room = SIZE_MAX;
	fake_side_event(w, p.s[1], SPLICEV_OUT);
	settle(w);
	assert_out(p.s[1], MANY);
	assert_true(p.s[1]->aborted);
	fake_stop(w);
}

/* Sending meets the reset first, and takes the error with it (Linux: the stream
 * has an ordinary end then): what the dead side said before still goes. */
static void test_reset_while_sending(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);

	(void)state;
	fake_put(p.s[1], data, 50);
	p.s[1]->err = -EPIPE;
	p.s[1]->in_eof = true;
	put(w, p.s[0], 0, 20);
	turn(w);
	assert_true(p.s[0]->open);
	fake_side_event(w, p.s[1], SPLICEV_IN | SPLICEV_END);
	settle(w);
	assert_out(p.s[0], 50);
	assert_true(p.s[0]->aborted && !p.s[0]->shut);
	fake_stop(w);
}

/* After its own end a side may still be reset: of a download that nobody wants. */
static void test_reset_after_end(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);

	(void)state;
	end(w, p.s[0]);
	settle(w);
	p.s[0]->out_room = 10;
	put(w, p.s[1], 0, MANY);
	settle(w);
	break_side(w, p.s[0], -EPIPE);
	settle(w);
	assert_true(p.s[1]->aborted);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* Urgent data stop splice(2), which even takes them for the end: they go by copy. */
static void test_urgent(void **state)
{
	(void)state;
	for (int with_end = 0; with_end < 2; with_end++) {
		struct fake_world *w = start(1);
		struct pair p = open_pair(w);

		put(w, p.s[0], 0, 70000);	/* so that it is a bulk */
		turn(w);
		p.s[0]->urgent = 40000;
		fake_put(p.s[0], data + 70000, 80000);
		p.s[0]->in_eof = with_end;
		fake_side_event(w, p.s[0], SPLICEV_IN | SPLICEV_URGENT |
				(with_end ? SPLICEV_END : 0));
		settle(w);
		assert_out(p.s[1], 150000);
		assert_int_equal(p.s[1]->out_urgent, 70000 + 40000 + 1);
		assert_int_equal(p.s[1]->shut, with_end);
		fake_stop(w);
	}
}

/* The urgent byte came between the event and the splice(2). */
static void test_urgent_unseen(void **state)
{
	struct fake_world *w = start(1);
	struct pair p = open_pair(w);

	(void)state;
	put(w, p.s[0], 0, 65536);
	turn(w);
	p.s[0]->urgent = 0;
	p.s[0]->in_eof = true;
	fake_put(p.s[0], data + 65536, 100);
	fake_side_event(w, p.s[0], SPLICEV_IN | SPLICEV_END);
	settle(w);
	assert_out(p.s[1], 65636);
	assert_int_equal(p.s[1]->out_urgent, 65537);
	assert_true(p.s[1]->shut);
	fake_stop(w);
}

/* --- beginnings --- */

static void test_refused(void **state)
{
	struct fake_world *w = start(2);
	struct fake_sock *s;

	(void)state;
	w->io.open_rc = -EINPROGRESS;
	s = call(w);
	fake_last(w)->err = -ECONNREFUSED;
	fake_side_event(w, fake_last(w), SPLICEV_IN | SPLICEV_OUT | SPLICEV_END);
	settle(w);
	assert_true(s->aborted && !s->open);
	w->io.open_rc = -ECONNREFUSED;		/* at once */
	s = call(w);
	assert_true(s->aborted && !s->open);
	assert_int_equal(w->count.splice_refused, 2);
	assert_int_equal(w->count.splice_opened, 0);
	fake_stop(w);
}

/* The caller speaks, ends, before the other side answers. */
static void test_early_data(void **state)
{
	struct fake_world *w = start(1);
	struct fake_sock *s;

	(void)state;
	w->io.open_rc = -EINPROGRESS;
	s = call(w);
	fake_put(s, data, 5000);
	s->in_eof = true;
	fake_side_event(w, s, SPLICEV_IN | SPLICEV_OUT | SPLICEV_END);
	settle(w);
	assert_int_equal(w->count.splice_opened, 0);
	fake_side_event(w, fake_last(w), SPLICEV_OUT);
	settle(w);
	assert_out(fake_last(w), 5000);
	assert_true(fake_last(w)->shut && s->open);
	fake_stop(w);
}

/* No inner socket: served in order when some come, reset when none does. */
static void test_wait_for_inner(void **state)
{
	struct fake_world *w = start(0);
	struct fake_sock *s[5];

	(void)state;
	if (caller == SPLICE_INNER) {	/* these need none */
		fake_stop(w);
		return;
	}
	for (int i = 0; i < 5; i++)
		s[i] = call(w);
	turn(w);
	assert_int_equal(w->io.opens, 0);
	w->io.inner = 2;
	splice_supplied(&w->c);
	turn(w);
	assert_int_equal(w->count.splice_opened, 2);
	assert_true(fake_flow(w, s[0])->splice.inner >= 0 && fake_flow(w, s[1])->splice.inner >= 0);
	assert_true(fake_flow(w, s[2])->splice.inner < 0);
	w->c.now += SPLICE_WAIT_MS - 1;
	turn(w);
	w->io.inner = 1;
	w->io.open_rc = -ECONNREFUSED;
	splice_supplied(&w->c);
	assert_true(s[2]->aborted && !s[3]->aborted);
	w->c.now += 1;
	turn(w);
	assert_true(s[3]->aborted && s[4]->aborted);
	assert_int_equal(w->count.splice_refused, 3);
	assert_int_equal(w->c.flows.count, 2);
	fake_stop(w);
}

/* A full table, no descriptors: the caller is reset, or stays whose it was. */
static void test_no_room(void **state)
{
	struct fake_world *w = fake_start(&(struct fake_setup){ .flows = 1 });
	struct splice_call k = { .caller = caller, .from = parse("127.0.0.1"),
				 .by = parse("127.0.0.1"), .to = parse("127.0.0.1") };
	struct fake_sock *s;

	(void)state;
	w->io.inner = 2;
	w->io.max_open = 1;
	s = call(w);
	assert_true(s->aborted);
	w->io.max_open = FAKE_SOCKS;
	s = call(w);
	k.sock = fake_accept(w, caller);
	assert_int_equal(splice_open(&w->c, &k), -ENFILE);
	assert_true(w->io.socks[k.sock].open);
	w->io.socks[k.sock].open = false;
	w->io.nopen--;
	assert_int_equal(w->count.flows_refused, 1);
	fake_stop(w);
}

/* Everything at random: order, sizes, rooms, ends, resets, pipes. fake_check() sees
 * each turn that no byte is lost; at the end nothing is left over. */
static void test_random(void **state)
{
	uint64_t r = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 400; round++) {
		struct fake_world *w = start(1);
		struct pair p = open_pair(w);

		w->io.max_pipes = (uint32_t)round % 3;
		for (int step = 0; step < 60 && w->c.flows.count; step++) {
			struct fake_sock *s = p.s[r & 1];

			r ^= r << 13;
			r ^= r >> 7;
			r ^= r << 17;
			switch (r >> 8 & 15) {
			case 0:
				end(w, s);
				break;
			case 1:
				if ((r >> 12 & 7) == 0)
					break_side(w, s, -ECONNRESET);
				break;
			case 2: case 3: case 4:
				s->out_room = r >> 16 & 0x1ffff;
				fake_side_event(w, s, SPLICEV_OUT);
				break;
			default:
				if (!s->in_eof)
					put(w, s, 0, r >> 16 & 0x1ffff);
			}
			turn(w);
		}
		for (int i = 0; i < 2 && w->c.flows.count; i++) {
			p.s[i]->out_room = SIZE_MAX;
			fake_side_event(w, p.s[i], SPLICEV_OUT);
			end(w, p.s[i]);
		}
		settle(w);
		assert_int_equal(w->c.flows.count, 0);
		fake_stop(w);
	}
}

static int from_host(void **state)
{
	(void)state;
	caller = SPLICE_OUTER;
	return 0;
}

static int from_container(void **state)
{
	(void)state;
	caller = SPLICE_INNER;
	return 0;
}

#define BOTH(fn) \
	{ #fn " (from the host)", fn, from_host, NULL, NULL }, \
	{ #fn " (from the container)", fn, from_container, NULL, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_little), BOTH(test_much), BOTH(test_bulk), BOTH(test_tap_blocked), BOTH(test_turn),
		BOTH(test_slow_reader),
		BOTH(test_half_close), BOTH(test_end_waits), BOTH(test_reset),
		BOTH(test_reset_behind_data), BOTH(test_reset_while_sending),
		BOTH(test_reset_after_end), BOTH(test_urgent), BOTH(test_urgent_unseen),
		BOTH(test_refused), BOTH(test_early_data), BOTH(test_wait_for_inner),
		BOTH(test_no_room), BOTH(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
