/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests main/publish.c, serve.c and follow.c with real listeners on the loopback and
 * without an engine, which would inherit the table. */
#include "../unit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/forward.h"
#include "main/follow.h"

#define FIRST	21000		/* free ports are looked for from here on */

static struct conf conf;
static struct netcfg net;
static struct publish pub;
static struct child engine = { .name = "engine", .sock = -1 };
static struct control_answer answer;

static struct serve serve(void)
{
	return (struct serve){ .conf = &conf, .net = &net, .publish = &pub, .engine = &engine };
}

static bool is_free(uint16_t port)
{
	const struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ret = bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) == 0;

	close(fd);
	return ret;
}

/* The first of n neighbouring ports of the loopback that nobody has. */
static uint16_t free_ports(uint16_t n)
{
	uint16_t run = 0;

	for (uint16_t port = FIRST; port < 32000; port++) {
		run = is_free(port) ? (uint16_t)(run + 1) : 0;
		if (run == n)
			return (uint16_t)(port - n + 1);
	}
	fail_msg("no %u free ports", n);
	return 0;
}

static int reset(void **state)
{
	(void)state;
	conf_init(&conf);
	net = (struct netcfg){ .naddresses = 1 };
	prefix_parse("10.0.0.2/24", &net.addresses[0]);
	pub = (struct publish){ .list = NULL };
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	publish_close(&pub);
	return 0;
}

static struct conf_forward rule(enum conf_proto proto, const char *where, uint32_t first,
				uint32_t last, uint32_t to)
{
	struct conf_forward f;
	char text[64];
	const char *why;

	snprintf(text, sizeof(text), "%s%u-%u:%u-%u", where, first, last, to, to + last - first);
	why = forward_parse(text, proto, &f);
	if (why)
		fail_msg("%s %s", text, why);
	return f;
}

static struct conf_forward text_rule(enum conf_proto proto, const char *text)
{
	struct conf_forward f;

	assert_null(forward_parse(text, proto, &f));
	return f;
}

static struct conf_forward except(uint16_t port)
{
	return (struct conf_forward){ .kind = CONF_FORWARD_EXCEPT, .first = port, .last = port };
}

static void add_rule(struct conf_forward f)
{
	conf.forwards[conf.nforwards++] = f;
}

static void open_rules(void)
{
	struct err e = ERR_INIT;

	if (publish_open(&pub, &conf, &net, &e) < 0)
		fail_msg("%s", e.msg);
}

static void ask(enum control_verb verb, const struct conf_forward *f)
{
	struct control_request r = { .verb = verb };
	struct serve s = serve();

	if (f)
		r.rule = *f;
	serve_request(&s, &r, &answer);
}

static void test_open_and_conflict(void **state)
{
	uint16_t at = free_ports(3);
	struct publish again = { .list = NULL };
	struct err e = ERR_INIT;

	(void)state;
	add_rule(rule(CONF_TCP, "127.0.0.1:", at, at + 2u, at));
	add_rule(except((uint16_t)(at + 1)));
	open_rules();
	assert_int_equal(pub.nopen, 2);
	assert_int_equal(pub.list[1].port, at + 2);
	assert_int_equal(pub.list[1].to_port, at + 2);
	assert_true(is_free((uint16_t)(at + 1)));
	assert_int_equal(publish_open(&again, &conf, &net, &e), -1);
	assert_int_equal(e.code, ERR_PORT);
	assert_int_equal(again.nopen, 0);
	conf.port_conflict = CONF_CONFLICT_IGNORE;
	assert_int_equal(publish_open(&again, &conf, &net, &e), 0);
	assert_int_equal(again.nopen, 0);
	publish_close(&again);
	conf.forwards[0] = rule(CONF_TCP, "[::1]:", at, at, at);
	assert_int_equal(publish_open(&again, &conf, &net, &e), -1);
	assert_non_null(strstr(e.msg, "family that the container has no address of"));
}

static void test_add_and_del(void **state)
{
	uint16_t at = free_ports(4);
	struct conf_forward a = rule(CONF_TCP, "127.0.0.1:", at, at, at);
	struct conf_forward b = rule(CONF_TCP, "127.0.0.1:", at + 1u, at + 2u, 80);
	struct conf_forward many = rule(CONF_UDP, "127.0.0.1:", 30000, 30999, 30000);
	struct rlimit files, few;

	(void)state;
	open_rules();		/* nothing, yet a table to add to */
	ask(CONTROL_ADD, &a);
	assert_int_equal(answer.err.code, 0);
	assert_int_equal(answer.rules[0].listeners, 1);
	ask(CONTROL_ADD, &b);
	assert_int_equal(answer.rules[0].listeners, 2);
	ask(CONTROL_DEL, &a);
	assert_int_equal(answer.err.code, 0);
	assert_true(is_free(at));
	ask(CONTROL_DEL, &a);
	assert_int_equal(answer.err.code, ERR_CONFIG);
	/* one that does not fit, where a rule stood before: nobody else's ports go */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	few = files;
	few.rlim_cur = 400;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	ask(CONTROL_ADD, &many);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(answer.err.code, ERR_PORT);
	ask(CONTROL_LIST, NULL);
	assert_int_equal(answer.nrules, 1);
	assert_int_equal(answer.rules[0].listeners, 2);
	/* the place that was left is used again */
	ask(CONTROL_ADD, &a);
	assert_int_equal(pub.n, 3);
	ask(CONTROL_ADD, &b);
	assert_int_equal(answer.err.code, ERR_CONFIG);
	a = text_rule(CONF_TCP, "auto");
	ask(CONTROL_ADD, &a);
	assert_int_equal(answer.err.code, ERR_CONFIG);
}

static void test_picked(void **state)
{
	(void)state;
	add_rule(text_rule(CONF_UDP, "127.0.0.1:0:53"));
	open_rules();
	ask(CONTROL_LIST, NULL);
	assert_int_equal(answer.nrules, 1);
	assert_int_equal(answer.rules[0].picked, pub.list[0].port);
	assert_true(answer.rules[0].picked);
}

static void follow(enum conf_proto proto, const uint16_t *ports, size_t n)
{
	static struct msg_ports m;
	struct serve s = serve();

	m = (struct msg_ports){ .kind = MSG_PORTS, .proto = proto };
	for (size_t i = 0; i < n; i++)
		m.ports.bits[ports[i] / 8] |= (uint8_t)(1u << (ports[i] % 8));
	follow_ports(&s, &m);
}

static bool listens(uint32_t place)
{
	int v = 0;
	socklen_t len = sizeof(v);

	getsockopt(pub.list[place].sock, SOL_SOCKET, SO_ACCEPTCONN, &v, &len);
	return v;
}

static void test_ready(void **state)
{
	uint16_t at = free_ports(2), there[] = { 80, 81 };
	const uint16_t dns = 53;

	(void)state;
	add_rule(rule(CONF_TCP, "127.0.0.1:", at, at + 1u, 80));
	add_rule(rule(CONF_UDP, "127.0.0.1:", at, at, dns));
	conf.forwards[0].ready = conf.forwards[1].ready = true;
	assert_true(follow_wanted(&conf, CONF_TCP) && follow_wanted(&conf, CONF_UDP));
	open_rules();
	assert_int_equal(pub.nopen, 3);
	assert_false(listens(0) || listens(1));
	follow(CONF_TCP, there, 1);
	assert_true(listens(0) && !listens(1));
	ask(CONTROL_LIST, NULL);
	assert_int_equal(answer.rules[0].listeners, 1);
	follow(CONF_TCP, there, 2);
	assert_true(listens(0) && listens(1));
	follow(CONF_TCP, there + 1, 1);
	assert_true(!listens(0) && listens(1));
	follow(CONF_UDP, NULL, 0);		/* UDP is closed instead */
	assert_int_equal(pub.nopen, 2);
	follow(CONF_UDP, &dns, 1);
	assert_int_equal(pub.nopen, 3);
	assert_int_equal(pub.list[2].port, at);
	assert_int_equal(pub.list[2].to_port, dns);
}

static void test_auto(void **state)
{
	uint16_t at = free_ports(4), there[4];

	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		there[i] = (uint16_t)(at + i);
	add_rule(text_rule(CONF_TCP, "127.0.0.1:auto"));
	add_rule(except(there[0]));
	add_rule(rule(CONF_TCP, "127.0.0.1:", there[1], there[1], 80));
	assert_true(follow_wanted(&conf, CONF_TCP) && !follow_wanted(&conf, CONF_UDP));
	open_rules();
	assert_int_equal(pub.nopen, 1);
	follow(CONF_TCP, there, 4);
	assert_int_equal(pub.nopen, 3);		/* neither the exception nor the explicit one */
	assert_int_equal(pub.list[1].port, there[2]);
	assert_int_equal(pub.list[1].to_port, there[2]);
	follow(CONF_TCP, there + 3, 1);
	assert_int_equal(pub.nopen, 2);
	assert_true(is_free(there[2]));
	follow(CONF_TCP, NULL, 0);
	assert_int_equal(pub.nopen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open_and_conflict, reset, close_all),
		cmocka_unit_test_setup_teardown(test_add_and_del, reset, close_all),
		cmocka_unit_test_setup_teardown(test_picked, reset, close_all),
		cmocka_unit_test_setup_teardown(test_ready, reset, close_all),
		cmocka_unit_test_setup_teardown(test_auto, reset, close_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
