/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/group.c: reports of every version, and our own queries read as a
 * container's kernel reads them. */
#include "../unit.h"

#include <stdio.h>

#include "base/cksum.h"
#include "wire/group.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/numbers.h"

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* What a message says, as "group+ group- ": up to its end or what is wrong with it. */
static enum wire_err read_all(const void *msg, size_t len, bool v6, char *said, size_t size)
{
	struct rd r = rd_init(msg, len);
	struct group_report g;
	struct group_record rec;
	char text[ADDR_STRLEN];
	enum wire_err err = group_read(&r, v6, &g);

	said[0] = '\0';
	while (err == WIRE_OK && group_next(&g, &rec, &err))
		snprintf(said + strlen(said), size - strlen(said), "%s%c ",
			 addr_format(&rec.group, text), rec.wanted ? '+' : '-');
	return err;
}

#define G4 "\357\1\2\3"
#define G6 "\377\2\0\0\0\0\0\0\0\0\0\0\0\0\0\373"
#define HEAD3 "\x22\0\0\0\0\0\0"
#define HEAD6 "\x8f\0\0\0\0\0\0"

static void test_reports(void **state)
{
	static const struct {
		const char *msg;
		size_t len;
		bool v6;
		const char *said;
		enum wire_err err;
	} rows[] = {
		{ "\x12\0\0\0" G4, 8, false, "239.1.2.3+ ", WIRE_OK },
		{ "\x16\0\0\0" G4, 8, false, "239.1.2.3+ ", WIRE_OK },
		{ "\x17\0\0\0" G4, 8, false, "239.1.2.3- ", WIRE_OK },
		{ "\x11\0\0\0" G4, 8, false, "", WIRE_OK },		/* a query */
		{ "\x99\0\0\0" G4, 8, false, "", WIRE_OK },
		{ "\x16\0\0\0\1\2\3\4", 8, false, "", WIRE_ADDRESS },
		{ "\x16\0\0\0\340\0\0", 7, false, "", WIRE_SHORT },
		{ HEAD3 "\1\1\0\0\0" G4, 16, false, "", WIRE_OK },	/* include nothing */
		{ HEAD3 "\1\1\0\0\1" G4 "\1\2\3\4", 20, false, "239.1.2.3+ ", WIRE_OK },
		{ HEAD3 "\1\2\0\0\0" G4, 16, false, "239.1.2.3+ ", WIRE_OK },
		{ HEAD3 "\1\3\0\0\0" G4, 16, false, "239.1.2.3- ", WIRE_OK },
		{ HEAD3 "\1\3\0\0\1" G4 "\1\2\3\4", 20, false, "239.1.2.3+ ", WIRE_OK },
		{ HEAD3 "\1\4\0\0\0" G4, 16, false, "239.1.2.3+ ", WIRE_OK },
		{ HEAD3 "\1\5\0\0\1" G4 "\1\2\3\4", 20, false, "239.1.2.3+ ", WIRE_OK },
		{ HEAD3 "\1\6\0\0\1" G4 "\1\2\3\4", 20, false, "", WIRE_OK },
		{ HEAD3 "\1\x77\0\0\0" G4, 16, false, "", WIRE_OK },	/* not known */
		{ HEAD3 "\2\6\1\0\1" G4 "\1\2\3\4aux4" "\4\0\0\0" G4, 32, false, "239.1.2.3+ ",
		  WIRE_OK },
		{ HEAD3 "\2\4\0\0\0" G4 "\4\0\0\0", 20, false, "239.1.2.3+ ", WIRE_SHORT },
		{ HEAD3 "\1\4\0\xff\xff" G4, 16, false, "", WIRE_SHORT },
		{ HEAD3 "\1\4\0\0\0\1\2\3\4", 16, false, "", WIRE_ADDRESS },
		{ "\x83\0\0\0\0\0\0\0" G6, 24, true, "ff02::fb+ ", WIRE_OK },
		{ "\x84\0\0\0\0\0\0\0" G6, 24, true, "ff02::fb- ", WIRE_OK },
		{ "\x83\0\0\0\0\0\0\0" G6, 23, true, "", WIRE_SHORT },
		{ HEAD6 "\2\4\0\0\0" G6 "\3\0\0\0" G6, 48, true, "ff02::fb+ ff02::fb- ", WIRE_OK },
		{ HEAD6 "\1\4\0\0\1" G6, 28, true, "", WIRE_SHORT },
	};
	char said[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(read_all(rows[i].msg, rows[i].len, rows[i].v6, said,
					  sizeof(said)), rows[i].err);
		assert_string_equal(said, rows[i].said);
	}
}

/* An IPv4-mapped group in MLD would name an IPv4 one. */
static void test_mapped(void **state)
{
	char said[64];

	(void)state;
	assert_int_equal(read_all("\x83\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\357\1\2\3", 24,
				  true, said, sizeof(said)), WIRE_ADDRESS);
}

static void test_many_records(void **state)
{
	static uint8_t msg[8 + 8 * 1000] = { IGMP3_REPORT };
	struct rd r = rd_init(msg, sizeof(msg));
	struct group_report g;
	struct group_record rec;
	enum wire_err err;
	unsigned int n = 0;

	(void)state;
	msg[6] = 1000 >> 8;
	msg[7] = 1000 & 0xff;
	for (size_t i = 0; i < 1000; i++) {
		msg[8 + 8 * i] = GROUP_TO_EXCLUDE;
		memcpy(msg + 12 + 8 * i, G4, 4);
	}
	assert_int_equal(group_read(&r, false, &g), WIRE_OK);
	while (group_next(&g, &rec, &err))
		n++;
	assert_int_equal(n, GROUP_RECORDS_MAX);
	assert_int_equal(err, WIRE_OK);
}

static void test_query4(void **state)
{
	static const uint8_t tail[] = { 2, 125, 0, 0 };
	const struct addr from = parse("203.0.113.1"), to = group_all_nodes(true);
	uint8_t buf[GROUP_QUERY_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	size_t len = group_query_write(&w, &from, 10000, 125);
	struct rd r = rd_init(buf, len), pay;
	struct ip ip;

	(void)state;
	assert_int_equal(len, 36);
	assert_int_equal(ip4_read(&r, &ip, &pay), WIRE_OK);
	assert_true(addr_eq(&ip.src, &from) && addr_eq(&ip.dst, &to));
	assert_int_equal(ip.hdr_len, 24);
	assert_memory_equal(buf + 20, "\x94\4\0\0", 4);		/* RFC 2113 */
	assert_int_equal(ip.ttl, 1);
	assert_int_equal(ip.proto, PROTO_IGMP);
	assert_true(icmp4_sum_ok(pay.p, pay.left));
	assert_int_equal(pay.p[0], IGMP_QUERY);
	assert_int_equal(pay.p[1], 100);
	assert_memory_equal(pay.p + 4, "\0\0\0\0", 4);
	assert_memory_equal(pay.p + 8, tail, 4);
}

static void test_query6(void **state)
{
	const struct addr from = parse("fe80::1"), to = group_all_nodes(false);
	uint8_t buf[GROUP_QUERY_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	size_t len = group_query_write(&w, &from, 10000, 125);
	struct rd r = rd_init(buf, len), pay;
	struct ip ip;

	(void)state;
	assert_int_equal(len, 40 + 8 + 28);
	assert_int_equal(ip6_read(&r, &ip, &pay), WIRE_OK);
	assert_true(addr_eq(&ip.src, &from) && addr_eq(&ip.dst, &to));
	assert_memory_equal(buf + 40, "\x3a\0\5\2\0\0\1\0", 8);	/* RFC 2711 */
	assert_int_equal(ip.ttl, 1);
	assert_int_equal(ip.proto, PROTO_ICMP6);
	assert_int_equal(cksum_finish(cksum_add(pay.p, pay.left,
						cksum_pseudo(&from, &to, PROTO_ICMP6, 28, 0))), 0);
	assert_int_equal(pay.p[0], MLD_QUERY);
	assert_memory_equal(pay.p + 4, "\x27\x10\0\0", 4);
	assert_memory_equal(pay.p + 24, "\2\175\0\0", 4);
	for (size_t n = 0; n < len; n++) {
		w = wr_init(buf, n);
		assert_int_equal(group_query_write(&w, &from, 10000, 125), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports), cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_many_records), cmocka_unit_test(test_query4),
		cmocka_unit_test(test_query6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
