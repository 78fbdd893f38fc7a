/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/main/values.c: what is told of an attachment, and from where it came. */
#include "../unit.h"

#include <stdio.h>

#include "conf/control.h"
#include "main/values.h"

static struct conf conf;
static struct netcfg net;
static char buf[CONTROL_ANSWER_MAX];

static void make(void)
{
	conf_init(&conf);
	strcpy(conf.container_id, "demo");
	strcpy(conf.ifname, "eth0");
	conf_default_macs(&conf);
	net = (struct netcfg){ .mtu = 1500, .mac = conf.mac };
	strcpy(net.outer_ifname4, "wlan0");
	net.naddresses = 1;
	prefix_parse("192.0.2.2/24", &net.addresses[0]);
	addr_parse("192.0.2.1", &net.gateway4);
}

static const char *write_all(void)
{
	struct jsonout o = jsonout_init(buf, sizeof(buf) - 1);

	jsonout_open(&o, NULL, '{');
	values_write(&o, &conf, &net);
	jsonout_shut(&o, '}');
	assert_false(o.failed);
	buf[o.len] = '\0';
	return buf;
}

static void has(const char *key, const char *value, const char *from)
{
	char want[256];

	snprintf(want, sizeof(want), "{\"key\":\"%s\",\"value\":\"%s\",\"from\":\"%s\"}", key, value,
		 from);
	if (!strstr(buf, want))
		fail_msg("%s is not in %s", want, buf);
}

static void test_plain(void **state)
{
	(void)state;
	make();
	write_all();
	has("addresses", "192.0.2.2/24", "host");
	has("gateways", "192.0.2.1", "host");
	has("mtu", "1500", "host");
	has("outer", "wlan0", "host");
	has("hostAddress", "169.254.1.2", "default");
	has("dns.forward", "169.254.1.1", "default");
	has("udp.timeout", "30", "default");
	has("log.target", "syslog", "default");
	has("follow", "true", "default");
	assert_null(strstr(buf, "configuration"));
	assert_null(strstr(buf, "command line"));
	net.outer_ifname4[0] = '\0';
	write_all();
	has("mtu", "1500", "default");
}

static void test_given(void **state)
{
	(void)state;
	make();
	/* what equals the default is the configuration's where that says so */
	conf.from[ORIGIN_KEY_UDP_TIMEOUT] = conf.from[ORIGIN_KEY_FOLLOW] = ORIGIN_CONF;
	conf.from[ORIGIN_KEY_ADDRESSES4] = ORIGIN_IPAM;
	conf.from[ORIGIN_KEY_GATEWAYS4] = ORIGIN_ARGS;
	conf.from[ORIGIN_KEY_NAMESERVERS] = ORIGIN_HOST;
	conf.from[ORIGIN_KEY_DNS_FORWARD] = ORIGIN_CONF;
	conf.naddresses = conf.ngateways = conf.nnameservers = net.nnameservers = 1;
	conf.ndns_forward = 0;
	conf.addresses[0] = net.addresses[0];
	conf.gateways[0] = net.gateway4;
	addr_parse("192.0.2.53", &conf.nameservers[0]);
	net.nameservers[0] = conf.nameservers[0];
	conf.nforwards = 2;
	conf.forwards[0] = (struct conf_forward){ .first = 80, .last = 80, .to_first = 80,
						  .from = ORIGIN_RUNTIME };
	conf.forwards[1] = (struct conf_forward){ .proto = CONF_UDP, .first = 53, .last = 53,
						  .to_first = 53, .from = ORIGIN_COMMAND };
	write_all();
	has("udp.timeout", "30", "configuration");
	has("follow", "true", "configuration");
	has("addresses", "192.0.2.2/24", "ipam");
	has("gateways", "192.0.2.1", "CNI_ARGS");
	has("dns.forward", "none", "configuration");
	has("dns.nameservers", "192.0.2.53", "host");
	has("forward", "tcp 80:80", "runtimeConfig");
	has("forward", "udp 53:53", "command");
}

/* pasta notes nothing: what is not the default came from its options. */
static void test_options(void **state)
{
	(void)state;
	make();
	conf.mtu = net.mtu = 9000;
	conf.off = CONF_OFF_UDP | CONF_OFF_SPLICE;
	conf.nhost_addresses = 0;
	conf.log_target = LOGT_FILE;
	strcpy(conf.log_path, "/tmp/\xc3\xbc.log");
	write_all();
	has("mtu", "9000", "command line");
	has("off", "udp", "command line");
	has("off", "splice", "command line");
	has("hostAddress", "none", "command line");
	has("log.target", "/tmp/\xc3\xbc.log", "command line");
	has("udp.timeout", "30", "default");
}

/* Everything that fits a configuration fits an answer. */
static void test_largest(void **state)
{
	(void)state;
	make();
	conf.nforwards = CONF_FORWARDS_MAX;
	for (uint16_t i = 0; i < CONF_FORWARDS_MAX; i++) {
		conf.forwards[i] = (struct conf_forward){ .first = 50000, .last = (uint16_t)(60000 + i),
							  .to_first = 1000 };
		addr_parse("2001:db8:1111:2222:3333:4444:5555:6666", &conf.forwards[i].addr);
		conf.forwards[i].to = conf.forwards[i].addr;
		memset(conf.forwards[i].ifname, 'e', CONF_IFNAME_MAX);
	}
	conf.nreverses = CONF_REVERSES_MAX;
	memcpy(conf.reverses, conf.forwards, sizeof(conf.reverses));
	net.nroutes = CONF_ROUTES_MAX;
	for (int i = 0; i < CONF_ROUTES_MAX; i++) {
		prefix_parse("2001:db8:1111:2222:3333:4444:5555:6666/128", &net.routes[i].dst);
		net.routes[i].gw = conf.forwards[0].addr;
	}
	memset(conf.log_path, 'a', sizeof(conf.log_path) - 1);
	conf.log_target = LOGT_FILE;
	memset(conf.capture, 0x7f, sizeof(conf.capture) - 1);
	write_all();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
