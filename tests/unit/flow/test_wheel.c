/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/flow/wheel.c against a plain array of due times. */
#include "../unit.h"

#include "flow/wheel.h"

#define TIMERS	200
#define STEPS	200000
#define NEVER	UINT64_MAX

struct object {
	uint8_t before[12];	/* the timer is not at the object's start */
	struct timer timer;
	uint8_t after[4];
};

struct model {
	struct wheel w;
	struct object objects[TIMERS];
	uint64_t due[TIMERS];	/* NEVER: not running */
	uint64_t now;
};

/* xorshift64: the same numbers on every machine. */
static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void start_model(struct model *m, uint64_t now)
{
	memset(m, 0, sizeof(*m));
	for (int i = 0; i < TIMERS; i++)
		m->due[i] = NEVER;
	m->now = now;
	wheel_init(&m->w, &m->objects[0].timer, sizeof(m->objects[0]), now);
}

/* The wheel's next tick is the least time that can still be had. */
static void start_timer(struct model *m, uint32_t i, uint64_t due)
{
	wheel_start(&m->w, i, due);
	m->due[i] = due < m->w.now ? m->w.now : due;
	assert_true(m->objects[i].timer.slot != 0);
}

static uint64_t earliest(const struct model *m)
{
	uint64_t least = NEVER;

	for (int i = 0; i < TIMERS; i++)
		least = m->due[i] < least ? m->due[i] : least;
	return least;
}

/* Everything due fires once, nothing else does, in the order of time. */
static void advance(struct model *m, uint64_t to)
{
	uint64_t last = 0;
	uint32_t i;

	m->now = to;
	while ((i = wheel_pop(&m->w, to)) != WHEEL_NONE) {
		assert_true(i < TIMERS);
		assert_true(m->due[i] <= to);
		assert_true(m->due[i] >= last);
		assert_int_equal(m->objects[i].timer.slot, 0);
		last = m->due[i];
		m->due[i] = NEVER;
	}
	assert_true(earliest(m) > to);
}

static void check_next(const struct model *m)
{
	uint64_t next = wheel_next(&m->w), least = earliest(m);

	if (least == NEVER)
		assert_true(next == NEVER);
	else
		assert_true(next <= least && next >= m->w.now);
}

static void test_random(void **state)
{
	static struct model m;
	uint64_t seed = 0x9e3779b97f4a7c15u;

	(void)state;
	start_model(&m, 123456789);
	for (int step = 0; step < STEPS; step++) {
		uint64_t r = next_random(&seed);
		uint32_t i = (uint32_t)(r >> 32) % TIMERS;
		/* spans of every size, so that every level is used */
		uint64_t span = next_random(&seed) >> (28 + r % 36);

		switch (r % 8) {
		case 0:
			wheel_stop(&m.w, i);
			m.due[i] = NEVER;
			break;
		case 1:
			advance(&m, m.now + span % 5000);
			break;
		case 2:
			advance(&m, m.now + 1);
			break;
		case 3:	/* exactly when the wheel asks to be called */
			if (wheel_next(&m.w) != NEVER && wheel_next(&m.w) > m.now)
				advance(&m, wheel_next(&m.w));
			break;
		default:
			start_timer(&m, i, m.now + span);
		}
		check_next(&m);
	}
	advance(&m, m.now + (UINT64_C(1) << 37));
	assert_true(wheel_next(&m.w) == NEVER);
}

/* Due times round every power of 64, from clocks just before and behind one. */
static void test_boundaries(void **state)
{
	static struct model m;

	(void)state;
	for (unsigned int a = 0; a < WHEEL_LEVELS; a++) {
		for (int64_t shift = -2; shift <= 2; shift++) {
			uint32_t n = 0;

			start_model(&m, (UINT64_C(5) << (WHEEL_BITS * a)) + (uint64_t)(shift + 2));
			for (unsigned int b = 0; b < WHEEL_LEVELS; b++)
				for (int d = -1; d <= 1; d++)
					start_timer(&m, n++, m.now + (uint64_t)(int64_t)d +
						    (UINT64_C(1) << (WHEEL_BITS * b)));
			while (earliest(&m) != NEVER) {
				uint64_t due = earliest(&m);

				check_next(&m);
				if (due > m.now + 1)
					advance(&m, due - 1);	/* not early */
				advance(&m, due);		/* not late */
			}
		}
	}
}

/* The engine sleeps till wheel_next(): that must come to the due time in few steps. */
static void test_sleep_until_due(void **state)
{
	static struct model m;

	(void)state;
	for (uint64_t span = 1; span < UINT64_C(1) << 35; span = span * 3 + 1) {
		int turns = 0;

		start_model(&m, 1000003);
		start_timer(&m, 7, m.now + span);
		while (m.due[7] != NEVER) {
			uint64_t next = wheel_next(&m.w);

			assert_true(next >= m.now && next <= m.due[7]);
			advance(&m, next);
			assert_true(++turns <= (int)WHEEL_LEVELS + 1);
		}
	}
}

static void test_long_jump(void **state)
{
	static struct model m;

	(void)state;
	start_model(&m, 0);
	for (uint32_t i = 0; i < TIMERS; i++)
		start_timer(&m, i, (uint64_t)i * i * i * 64);
	advance(&m, UINT64_C(1) << 35);		/* a machine that slept a year */
	assert_true(earliest(&m) == NEVER);
	start_timer(&m, 3, m.now + 10);
	advance(&m, m.now + 9);
	assert_int_equal(m.due[3], m.now + 1);
	advance(&m, m.now + 1);
	assert_true(m.due[3] == NEVER);
}

/* What lies beyond the wheel's reach fires early, never late nor never. */
static void test_beyond_reach(void **state)
{
	static struct model m;

	(void)state;
	start_model(&m, 77);
	wheel_start(&m.w, 0, UINT64_MAX - 1);
	assert_true(wheel_next(&m.w) < UINT64_C(1) << 36);
	assert_int_equal(wheel_pop(&m.w, UINT64_C(1) << 36), 0);
	assert_int_equal(wheel_pop(&m.w, UINT64_C(1) << 36), WHEEL_NONE);
}

static void test_restart_while_popping(void **state)
{
	static struct model m;
	int fired = 0;

	(void)state;
	start_model(&m, 50);
	start_timer(&m, 0, 60);
	for (uint32_t i; (i = wheel_pop(&m.w, 100)) != WHEEL_NONE; fired++)
		if (fired < 5)
			wheel_start(&m.w, i, 20);	/* long past: the next tick */
	assert_int_equal(fired, 6);
	wheel_start(&m.w, 0, 20);
	assert_int_equal(wheel_pop(&m.w, 100), WHEEL_NONE);	/* that tick is over */
	assert_int_equal(wheel_pop(&m.w, 101), 0);
}

static void test_stop_idle(void **state)
{
	static struct model m;

	(void)state;
	start_model(&m, 50);
	wheel_stop(&m.w, 9);
	start_timer(&m, 9, 55);
	wheel_stop(&m.w, 9);
	wheel_stop(&m.w, 9);
	assert_true(wheel_next(&m.w) == NEVER);
	assert_int_equal(wheel_pop(&m.w, 1000), WHEEL_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_sleep_until_due),
		cmocka_unit_test(test_long_jump),
		cmocka_unit_test(test_beyond_reach),
		cmocka_unit_test(test_restart_while_popping),
		cmocka_unit_test(test_stop_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
