/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/dns.c field by field. */
#include "../unit.h"

#include "wire/dns.h"

#define ID		0x12, 0x34
#define ASK_RD		0x01, 0x00
#define COUNTS(q, an, ns, ar) 0, q, 0, an, 0, ns, 0, ar
#define NAME_AB		1, 'a', 2, 'b', 'c', 0
#define OPT_DO		0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0

static enum wire_err head(const void *p, size_t len, struct dns_head *h)
{
	struct rd r = rd_init(p, len);

	return dns_head_read(&r, h);
}

/* RFC 1035, 4.1.1 */
static void test_head(void **state)
{
	static const uint8_t bytes[] = { ID, 0x81, 0x83, 0, 1, 0, 2, 0, 3, 1, 4, 99 };
	struct rd r = rd_init(bytes, sizeof(bytes));
	struct dns_head h;

	(void)state;
	assert_int_equal(dns_head_read(&r, &h), WIRE_OK);
	assert_int_equal(r.left, 1);
	assert_int_equal(h.id, 0x1234);
	assert_int_equal(h.flags, 0x8183);
	assert_int_equal(h.questions, 1);
	assert_int_equal(h.answers, 2);
	assert_int_equal(h.authorities, 3);
	assert_int_equal(h.additionals, 0x104);
	for (size_t n = 0; n < DNS_HLEN; n++) {
		POISON(h);
		assert_int_equal(head(bytes, n, &h), WIRE_SHORT);
		ASSERT_POISONED(h);
	}
}

/* RFC 1035, 4.1.2: name, type, class. */
static void test_question(void **state)
{
	static const uint8_t bytes[] = { NAME_AB, 0, 28, 0, 1, 7 };
	struct rd r = rd_init(bytes, sizeof(bytes));
	struct dns_question q;

	(void)state;
	assert_int_equal(dns_question_read(&r, &q), WIRE_OK);
	assert_int_equal(r.left, 1);
	assert_int_equal(q.name_len, 6);
	assert_memory_equal(q.name, bytes, 6);
	assert_int_equal(q.type, DNST_AAAA);
	assert_int_equal(q.class, DNSC_IN);
	for (size_t n = 0; n < sizeof(bytes) - 1; n++) {
		r = rd_init(bytes, n);
		POISON(q);
		assert_int_equal(dns_question_read(&r, &q), WIRE_SHORT);
		ASSERT_POISONED(q);
	}
}

static enum wire_err question(const void *p, size_t len)
{
	struct rd r = rd_init(p, len);
	struct dns_question q;
	enum wire_err err;

	POISON(q);
	err = dns_question_read(&r, &q);
	if (err != WIRE_OK)
		ASSERT_POISONED(q);
	return err;
}

/* RFC 1035, 2.3.4 and 4.1.4 */
static void test_names(void **state)
{
	static const uint8_t root[] = { 0, 0, 2, 0, 1 };
	static const uint8_t pointer[] = { 0xc0, 12, 0, 1, 0, 1 };
	static const uint8_t later_pointer[] = { 1, 'a', 0xc0, 12, 0, 1, 0, 1 };
	static const uint8_t reserved[] = { 0x40, 0, 0, 1, 0, 1 };
	uint8_t long_name[300], label[70] = { 63 };

	(void)state;
	assert_int_equal(question(root, sizeof(root)), WIRE_OK);
	assert_int_equal(question(pointer, sizeof(pointer)), WIRE_OPTION);
	assert_int_equal(question(later_pointer, sizeof(later_pointer)), WIRE_OPTION);
	assert_int_equal(question(reserved, sizeof(reserved)), WIRE_OPTION);
	label[64] = 0;
	assert_int_equal(question(label, sizeof(label)), WIRE_OK);
	label[0] = 64;
	assert_int_equal(question(label, sizeof(label)), WIRE_OPTION);
	for (size_t i = 0; i < sizeof(long_name); i++)	/* labels of one letter */
		long_name[i] = i % 2 ? 'x' : 1;
	long_name[254] = 0;				/* 255 bytes: the longest */
	assert_int_equal(question(long_name, 259), WIRE_OK);
	long_name[254] = 1;
	long_name[256] = 0;
	assert_int_equal(question(long_name, 261), WIRE_LENGTH);
}

static bool edns(const void *p, size_t len, uint8_t answers, uint8_t additionals, uint16_t *flags)
{
	const struct dns_head h = { .answers = answers, .additionals = additionals };

	return dns_edns_find(rd_init(p, len), &h, flags);
}

/* RFC 6891, 6.1.1: anywhere among the records; there the name may end by a pointer. */
static void test_edns(void **state)
{
	static const uint8_t opt[] = { OPT_DO };
	static const uint8_t second[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4, OPT_DO };
	static const uint8_t named[] = { NAME_AB, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0, OPT_DO };
	static const uint8_t bad_name[] = { 0x80, 0, OPT_DO };
	static const uint8_t other[] = { 0, 0, 250, 0, 255, 0, 0, 0x80, 0, 0, 0 };
	uint8_t many[DNS_RECORDS_MAX + 1][11] = { { 0 } };
	uint16_t flags = 7;

	(void)state;
	assert_true(edns(opt, sizeof(opt), 0, 1, &flags));
	assert_int_equal(flags, DNS_OPT_DO);
	flags = 7;
	assert_false(edns(opt, sizeof(opt), 0, 0, &flags));
	assert_int_equal(flags, 7);
	for (size_t n = 0; n < sizeof(opt); n++)
		assert_false(edns(opt, n, 0, 1, &flags));
	assert_true(edns(second, sizeof(second), 1, 1, &flags));
	assert_false(edns(second, sizeof(second), 1, 0, &flags));
	assert_true(edns(named, sizeof(named), 0, 2, &flags));
	assert_false(edns(bad_name, sizeof(bad_name), 0, 2, &flags));
	assert_false(edns(other, sizeof(other), 0, 1, &flags));
	memcpy(many[DNS_RECORDS_MAX - 1], opt, sizeof(opt));
	assert_true(edns(many, sizeof(many), 0, DNS_RECORDS_MAX + 1, &flags));
	memset(many[DNS_RECORDS_MAX - 1], 0, sizeof(opt));
	memcpy(many[DNS_RECORDS_MAX], opt, sizeof(opt));
	assert_false(edns(many, sizeof(many), 0, DNS_RECORDS_MAX + 1, &flags));
}

/* RFC 4343, 3: letters only, of ASCII only. */
static void test_equal(void **state)
{
	static const uint8_t a[] = { 2, 'a', 'Z', 0 }, b[] = { 2, 'A', 'z', 0 };
	static const uint8_t c[] = { 2, 'a', '{', 0 }, d[] = { 2, 'a', '[', 0 };
	struct dns_question q = { .name = { 1, 'a' }, .name_len = 3, .type = 1, .class = 1 }, p = q;

	(void)state;
	assert_true(dns_name_eq(a, 4, b, 4));
	assert_false(dns_name_eq(c, 4, d, 4));
	assert_false(dns_name_eq(a, 4, b, 3));
	p.name[1] = 'A';
	assert_true(dns_question_eq(&q, &p));
	p.type = 28;
	assert_false(dns_question_eq(&q, &p));
	p = q;
	p.class = 3;
	assert_false(dns_question_eq(&q, &p));
	p = q;
	p.name[1] = 'b';
	assert_false(dns_question_eq(&q, &p));
}

static void test_set_id(void **state)
{
	uint8_t msg[4] = { 0, 0, 5, 6 };

	(void)state;
	dns_set_id(msg, 0xabcd);
	assert_memory_equal(msg, "\xab\xcd\5\6", 4);
}

/* RFC 1035, 4.1.1, 4.1.3, 4.1.4; RFC 6891, 6.1.3 and 6.1.4 */
static void test_answer(void **state)
{
	static const uint8_t want[] = {
		ID, 0x85, 0x90, COUNTS(1, 1, 0, 1), NAME_AB, 0, 1, 0, 1,
		0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 169, 254, 1, 2,
		OPT_DO,
	};
	const struct dns_head h = { .id = 0x1234, .flags = DNSF_RD | DNSF_CD, .questions = 1 };
	const struct dns_question q = { .name = { NAME_AB }, .name_len = 6, .type = 1, .class = 1 };
	struct dns_answer a = {
		.head = &h, .question = &q, .own = true, .edns = true, .edns_flags = 0xffff,
		.udp_size = 1232, .ttl = 30, .n = 1,
		.rr = { { DNST_A, 4, (const uint8_t *)"\xa9\xfe\1\2" } },
	};
	uint8_t buf[100];

	(void)state;
	assert_int_equal(dns_answer_write(buf, sizeof(buf), &a), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
	for (size_t n = 0; n < sizeof(want); n++)
		assert_int_equal(dns_answer_write(buf, n, &a), 0);
}

/* An error about a question that could not be read has none (RFC 1035, 4.1.1); the
 * opcode is the question's. */
static void test_error(void **state)
{
	static const uint8_t want[] = { ID, 0xa8, 0x81, COUNTS(0, 0, 0, 0) };
	const struct dns_head h = { .id = 0x1234, .flags = 0x2800 | DNSF_AA, .questions = 9 };
	struct dns_answer a = { .head = &h, .rcode = DNSR_FORMERR };
	uint8_t buf[100];

	(void)state;
	assert_int_equal(dns_answer_write(buf, sizeof(buf), &a), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_edns),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_set_id),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
