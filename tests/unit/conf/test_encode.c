/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/conf/encode.c: there and back, every truncation, values out of
 * range, and the seals of the carrier. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/encode.h"

static struct conf usual(void)
{
	struct conf c;

	conf_init(&c);
	strcpy(c.container_id, "demo");
	strcpy(c.ifname, "eth0");
	strcpy(c.network, "web");
	strcpy(c.netns_path, "/proc/1/ns/net");
	strcpy(c.state_dir, "/run/cni-passt/demo@eth0");
	return c;
}

/* A configuration with something in every field. */
static struct conf full(void)
{
	struct conf c = usual();

	strcpy(c.log_path, "/x.log");
	c.log_target = LOGT_FILE;
	c.log_level = LOGL_DEBUG;
	c.owner_pid = 4711;
	c.ipv6 = false;
	c.source_check = true;
	c.metadata = c.sandbox_strict = true;
	c.run_uid = 65534;
	c.run_gid = 65533;
	c.follow = false;
	c.udp_timeout = 7;
	c.udp_stream = 77;
	c.mtu = 1500;
	c.mac = (struct mac){ { 2, 3, 4, 5, 6, 7 } };
	c.gw_mac = (struct mac){ { 6, 3, 4, 5, 6, 7 } };
	c.addresses_host = false;
	c.addresses_private = true;
	c.naddresses = CONF_ADDRS_MAX;
	for (uint8_t i = 0; i < CONF_ADDRS_MAX; i++) {
		uint8_t b[4] = { 10, 0, i, 1 };

		c.addresses[i] = (struct prefix){ addr_from4(b), (uint8_t)(8 + i) };
	}
	c.ngateways = 1;
	addr_parse("10.0.0.9", &c.gateways[0]);
	c.nroutes = CONF_ROUTES_MAX;
	for (uint8_t i = 0; i < CONF_ROUTES_MAX; i++) {
		prefix_parse("fd00::/64", &c.routes[i].dst);
		c.routes[i].dst.addr.b[7] = i;
		addr_parse("fe80::1", &c.routes[i].gw);
		c.routes[i].metric = 0x01020304u + i;
		c.routes[i].onlink = i % 2;
	}
	c.nforwards = CONF_FORWARDS_MAX;
	for (uint16_t i = 0; i < CONF_FORWARDS_MAX; i++) {
		struct conf_forward *f = &c.forwards[i];

		*f = (struct conf_forward){
			.proto = i % CONF_PROTO_COUNT, .kind = i % CONF_FORWARD_KIND_COUNT,
			.ready = i & 1, .addr = c.gateways[0], .first = i, .last = (uint16_t)(i + 9),
			.to_first = (uint16_t)(i + 1000), .to = c.gateways[0],
		};
		memset(f->ifname, 'e', CONF_IFNAME_MAX);
	}
	c.nreverses = CONF_REVERSES_MAX;
	memcpy(c.reverses, c.forwards, sizeof(c.reverses));
	c.preserve_source = false;
	c.port_conflict = CONF_CONFLICT_IGNORE;
	c.configure = false;
	c.ipv4_late = true;
	c.nnameservers = CONF_NAMESERVERS_MAX;
	for (uint8_t i = 0; i < CONF_NAMESERVERS_MAX; i++)
		c.nameservers[i] = c.addresses[i].addr;
	c.ndns_forward = 1;
	addr_parse("169.254.1.53", &c.dns_forward[0]);
	c.dns_host_names = c.dns_told = false;
	strcpy(c.domain, "example.org");
	c.nsearch = CONF_SEARCH_MAX;
	for (uint8_t i = 0; i < CONF_SEARCH_MAX; i++)
		snprintf(c.search[i], sizeof(c.search[i]), "s%d.example", i);
	strcpy(c.captive_portal, "https://portal.example/api");
	c.ipv6_only_s = 1800;
	prefix_parse("2001:db8:7::/48", &c.delegated);
	strcpy(c.outbound_ifname4, "wlan0");
	strcpy(c.outbound_ifname6, "wlan1");
	strcpy(c.template_ifname, "wlan2");
	c.log_size = 123456;
	strcpy(c.capture, "/x.pcapng");
	c.off = CONF_OFF_ALL;
	c.one_address = c.map_gateway = c.loopback_to_loopback = c.outlive = true;
	c.guest = c.guest_once = true;
	strcpy(c.socket_path, "/tmp/passt_1.socket");
	c.udp_follows_tcp = c.udp_mirrors_tcp = c.splice_only = c.net_address = c.adopt = c.freebind = true;
	c.nresolvers = CONF_RESOLVERS_MAX;
	addr_parse("192.0.2.53", &c.resolvers[0]);
	addr_parse("2001:db8::53", &c.resolvers[1]);
	strcpy(c.hostname, "web");
	strcpy(c.fqdn, "web.example.org");
	c.stats_s = 86400;
	c.copy_routes4 = true;
	c.copy_routes6 = false;
	c.noutbound = 1;
	c.outbound[0] = c.addresses[0].addr;
	c.without = CONF_WITHOUT_PEEK;
	c.via = CONF_VIA_BROKER;
	for (int i = 0; i < ORIGIN_KEY_COUNT; i++)
		c.from[i] = (uint8_t)(i % ORIGIN_COUNT);
	c.forwards[3].from = ORIGIN_RUNTIME;
	return c;
}

static int encode(const struct conf *c, uint8_t buf[ENCODE_MAX])
{
	int n = encode_conf(c, buf, ENCODE_MAX);

	assert_true(n > 0);
	return n;
}

/* Compared by encoding again: the structs' padding may differ. */
static void test_there_and_back(void **state)
{
	struct conf c = full(), d;
	uint8_t buf[ENCODE_MAX], again[ENCODE_MAX];
	int n = encode(&c, buf);

	(void)state;
	POISON(d);
	assert_int_equal(encode_parse(buf, (size_t)n, &d), 0);
	assert_string_equal(d.container_id, "demo");
	assert_string_equal(d.log_path, "/x.log");
	assert_int_equal(d.via, CONF_VIA_BROKER);
	assert_memory_equal(d.from, c.from, sizeof(c.from));
	assert_int_equal(d.forwards[3].from, ORIGIN_RUNTIME);
	assert_int_equal(d.ndns_forward, 1);
	assert_true(addr_eq(&d.dns_forward[0], &c.dns_forward[0]));
	assert_false(d.dns_host_names);
	assert_false(d.dns_told);
	assert_int_equal(d.owner_pid, 4711);
	assert_false(d.ipv6);
	assert_true(d.source_check);
	assert_true(d.metadata && d.sandbox_strict);
	assert_int_equal(d.run_uid, 65534);
	assert_int_equal(d.run_gid, 65533);
	assert_false(d.follow);
	assert_int_equal(d.udp_timeout, 7);
	assert_int_equal(d.udp_stream, 77);
	assert_int_equal(d.naddresses, CONF_ADDRS_MAX);
	assert_int_equal(d.addresses[15].len, 23);
	assert_int_equal(d.routes[63].metric, 0x01020304u + 63);
	assert_true(d.routes[63].onlink);
	assert_false(d.routes[62].onlink);
	assert_int_equal(d.forwards[255].last, 264);
	assert_string_equal(d.forwards[255].ifname, "eeeeeeeeeeeeeee");
	assert_int_equal(d.reverses[63].to_first, 1063);
	assert_false(d.preserve_source);
	assert_int_equal(d.port_conflict, CONF_CONFLICT_IGNORE);
	assert_int_equal(d.log_level, LOGL_DEBUG);
	assert_int_equal(d.without, CONF_WITHOUT_PEEK);
	assert_false(d.configure);
	assert_true(d.ipv4_late);
	assert_true(addr_eq(&d.nameservers[7], &c.nameservers[7]));
	assert_string_equal(d.domain, "example.org");
	assert_string_equal(d.search[7], "s7.example");
	assert_string_equal(d.captive_portal, "https://portal.example/api");
	assert_int_equal(d.ipv6_only_s, 1800);
	assert_int_equal(d.delegated.len, 48);
	assert_string_equal(d.outbound_ifname4, "wlan0");
	assert_string_equal(d.outbound_ifname6, "wlan1");
	assert_string_equal(d.template_ifname, "wlan2");
	assert_int_equal(d.log_size, 123456);
	assert_string_equal(d.capture, "/x.pcapng");
	assert_int_equal(d.off, CONF_OFF_ALL);
	assert_true(d.one_address && d.map_gateway && d.loopback_to_loopback && d.outlive);
	assert_true(d.guest && d.guest_once);
	assert_string_equal(d.socket_path, "/tmp/passt_1.socket");
	assert_true(d.copy_routes4 && !d.copy_routes6);
	assert_true(d.udp_follows_tcp && d.udp_mirrors_tcp && d.splice_only && d.net_address && d.adopt && d.freebind);
	assert_true(addr_eq(&d.resolvers[1], &c.resolvers[1]));
	assert_string_equal(d.hostname, "web");
	assert_string_equal(d.fqdn, "web.example.org");
	assert_int_equal(d.stats_s, 86400);
	assert_true(addr_eq(&d.outbound[0], &c.outbound[0]));
	assert_int_equal(encode(&d, again), n);
	assert_memory_equal(buf, again, (size_t)n);
}

static void test_truncated(void **state)
{
	struct conf c = full(), d;
	uint8_t buf[ENCODE_MAX];
	int n = encode(&c, buf);

	(void)state;
	POISON(d);
	for (int i = 0; i < n; i++) {
		BLOCK p = unit_block(buf, (size_t)i);

		assert_int_equal(encode_parse(p, (size_t)i, &d), -EBADMSG);
	}
	assert_int_equal(encode_parse(buf, (size_t)n + 1, &d), -EBADMSG);
	ASSERT_POISONED(d);
	for (int i = 0; i < n; i++)
		assert_int_equal(encode_conf(&c, buf, (size_t)i), -EMSGSIZE);
}

/* Finds the bytes, puts others in their place: must be refused. */
static void assert_patched_refused(const struct conf *c, const void *find, const void *put,
				   size_t len)
{
	uint8_t buf[ENCODE_MAX];
	int n = encode(c, buf);
	uint8_t *at = memmem(buf, (size_t)n, find, len);
	struct conf d;

	assert_non_null(at);
	memcpy(at, put, len);
	POISON(d);
	assert_int_equal(encode_parse(buf, (size_t)n, &d), -EBADMSG);
	ASSERT_POISONED(d);
}

static void test_out_of_range(void **state)
{
	struct conf c = full();
	const uint8_t version[4] = { 0, 0, 0, ENCODE_VERSION }, older[4] = { 0, 0, 0, ENCODE_VERSION - 1 };

	(void)state;
	assert_patched_refused(&c, "CPCF", "CPCG", 4);			/* magic */
	assert_patched_refused(&c, version, older, 4);
	assert_patched_refused(&c, "\0\0\0\4demo", "\0\0\0\4d\0mo", 8);	/* NUL inside */
	assert_patched_refused(&c, "\0\0\0\4demo", "\xff\xff\xff\xff""demo", 8);
	assert_patched_refused(&c, "\0\0\x12\x67\1", "\0\0\x12\x67\2", 5);	/* ipv4 = 2 */
	assert_patched_refused(&c, "\0\0\x12\x67\1", "\xff\xff\xff\xff\1", 5);	/* owner_pid */
	assert_patched_refused(&c, "\0\0\0\x10", "\0\0\0\x11", 4);	/* naddresses */
	assert_patched_refused(&c, "\12\0\0\1\x8", "\12\0\0\1\x21", 5);	/* /33 */
	assert_patched_refused(&c, "\0\0\0\3\0\0\0\2\0\0\0\6/x", "\0\0\0\4\0\0\0\2\0\0\0\6/x", 14);
	assert_patched_refused(&c, "\0\0\0\3\0\0\0\2\0\0\0\6/x", "\0\0\0\3\0\0\0\5\0\0\0\6/x", 14);
	assert_patched_refused(&c, "\0\0\1\0\0\0\0\0\0\0\0\17",	/* nforwards */
			       "\0\0\1\1\0\0\0\0\0\0\0\17", 12);
	/* proto, kind, ready, weak */
	assert_patched_refused(&c, "\1\1\1\0\0\0\0\17eee", "\2\1\1\0\0\0\0\17eee", 11);
	assert_patched_refused(&c, "\1\1\1\0\0\0\0\17eee", "\1\3\1\0\0\0\0\17eee", 11);
	assert_patched_refused(&c, "\1\1\1\0\0\0\0\17eee", "\1\1\2\0\0\0\0\17eee", 11);
	assert_patched_refused(&c, "\1\1\1\0\0\0\0\17eee", "\1\1\1\2\0\0\0\17eee", 11);
	c.naddresses = CONF_ADDRS_MAX + 1;
	assert_int_equal(encode_conf(&c, (uint8_t[ENCODE_MAX]){ 0 }, ENCODE_MAX), -EMSGSIZE);
	c = full();
	memset(c.network, 'a', sizeof(c.network));	/* without an end */
	assert_int_equal(encode_conf(&c, (uint8_t[ENCODE_MAX]){ 0 }, ENCODE_MAX), -EMSGSIZE);
}

static void test_largest_fits(void **state)
{
	struct conf c = full();
	uint8_t buf[ENCODE_MAX];

	(void)state;
	memset(c.netns_path, 'a', sizeof(c.netns_path) - 1);
	memset(c.state_dir, 'a', sizeof(c.state_dir) - 1);
	memset(c.log_path, 'a', sizeof(c.log_path) - 1);
	memset(c.capture, 'a', sizeof(c.capture) - 1);
	memset(c.container_id, 'a', sizeof(c.container_id) - 1);
	memset(c.network, 'a', sizeof(c.network) - 1);
	memset(c.domain, 'a', sizeof(c.domain) - 1);
	for (int i = 0; i < CONF_SEARCH_MAX; i++)
		memset(c.search[i], 'a', sizeof(c.search[i]) - 1);
	memset(c.captive_portal, 'a', sizeof(c.captive_portal) - 1);
	memset(c.hostname, 'a', sizeof(c.hostname) - 1);
	memset(c.fqdn, 'a', sizeof(c.fqdn) - 1);
	c.noutbound = CONF_OUTBOUND_MAX;
	c.ngateways = CONF_GATEWAYS_MAX;
	c.nhost_addresses = CONF_HOST_ADDRS_MAX;
	c.nhost_loopback = CONF_HOST_ADDRS_MAX;
	encode(&c, buf);
}

static void test_memfd(void **state)
{
	struct conf c = full(), d;
	FD_OWNED int fd = encode_memfd(&c);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(encode_from_memfd(fd, &d), 0);
	assert_string_equal(d.container_id, "demo");
	assert_int_equal(encode_from_memfd(fd, &d), 0);	/* the offset does not move */
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), -1);
}

static void test_unsealed(void **state)
{
	FD_OWNED int fd = memfd_create("test", MFD_ALLOW_SEALING);
	FD_OWNED int null = open("/dev/null", O_RDWR);
	struct conf c = full(), d;
	uint8_t buf[ENCODE_MAX];
	int n = encode(&c, buf);

	(void)state;
	assert_int_equal(pwrite(fd, buf, (size_t)n, 0), n);
	POISON(d);
	assert_int_equal(encode_from_memfd(fd, &d), -EPERM);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
	assert_int_equal(encode_from_memfd(fd, &d), -EPERM);	/* could still shrink */
	assert_int_equal(encode_from_memfd(null, &d), -EPERM);
	assert_int_equal(encode_from_memfd(-1, &d), -EPERM);
	ASSERT_POISONED(d);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL), 0);
	assert_int_equal(encode_from_memfd(fd, &d), 0);
}

/* --- the fuzzer's seeds: `test_encode tests/fuzz/corpus/encode` writes them anew, which a
 * change of ENCODE_VERSION asks for --- */

/* One rule of an otherwise usual configuration; more may be set in what comes back. */
static struct conf_forward *rule(uint32_t *n, struct conf_forward *list)
{
	struct conf_forward *f = &list[(*n)++];

	*f = (struct conf_forward){ .kind = CONF_FORWARD_PORTS, .first = 80, .last = 90,
				    .to_first = 8080 };
	return f;
}

static void put(const char *dir, const char *name, const uint8_t *buf, int n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fwrite(buf, 1, (size_t)n, f) != (size_t)n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void seed(const char *dir, const char *name, const struct conf *c)
{
	uint8_t buf[ENCODE_MAX];

	put(dir, name, buf, encode_conf(c, buf, sizeof(buf)));
}

/* The first `from` in the bytes becomes `to`, of the same length. */
static void swap(uint8_t *buf, int n, const char *from, const char *to, size_t len)
{
	uint8_t *at = memmem(buf, (size_t)n, from, len);

	if (!at)
		exit(1);
	memcpy(at, to, len);
}

static void broken_seeds(const char *dir)
{
	struct conf c = usual();
	uint8_t buf[ENCODE_MAX];
	int n = encode_conf(&c, buf, sizeof(buf));

	put(dir, "truncated", buf, n - 7);
	put(dir, "trailing-byte", buf, n + 1);
	put(dir, "empty", buf, 0);
	buf[7]++;
	put(dir, "unknown-version", buf, n);
	buf[7]--;
	swap(buf, n, "web", "w\0b", 3);
	put(dir, "string-with-nul", buf, n);
	swap(buf, n, "\0\4eth0", "\0\7eth0", 6);
	put(dir, "string-longer-than-its-field", buf, n);
}

static void write_seeds(const char *dir)
{
	struct conf c = usual();
	struct conf_forward *f;

	seed(dir, "defaults", &c);
	broken_seeds(dir);
	c = full();
	seed(dir, "everything-set", &c);
	c = usual();
	strcpy(c.container_id, "../demo");
	seed(dir, "bad-container-id", &c);
	c = usual();
	c.guest = true;
	c.netns_path[0] = '\0';
	strcpy(c.socket_path, "/tmp/passt_1.socket");
	seed(dir, "guest", &c);
	rule(&c.nforwards, c.forwards)->ready = true;
	seed(dir, "guest-whose-ports-are-watched", &c);
	c.nforwards = 0;
	rule(&c.nforwards, c.forwards)->to = addr_loopback(true);
	seed(dir, "guest-s-loopback", &c);
	c.nforwards = 0;
	rule(&c.nreverses, c.reverses);
	seed(dir, "guest-with-reverse", &c);
	c = usual();
	c.ipv4 = c.ipv6 = false;
	seed(dir, "no-family", &c);
	c = usual();
	c.udp_timeout = 200;
	seed(dir, "udp-timeouts-upside-down", &c);
	c = usual();
	c.naddresses = 1;
	prefix_parse("10.0.0.1/32", &c.addresses[0]);
	seed(dir, "point-to-point", &c);
	c = usual();
	f = rule(&c.nforwards, c.forwards);
	seed(dir, "forward-one", &c);
	f->to_first = 65530;
	seed(dir, "forward-target-over-65535", &c);
	f->first = 91;
	seed(dir, "forward-range-upside-down", &c);
	c = usual();
	f = rule(&c.nforwards, c.forwards);
	addr_parse("127.0.0.1", &f->to);
	seed(dir, "forward-to-loopback", &c);
	c = usual();
	rule(&c.nforwards, c.forwards);
	rule(&c.nforwards, c.forwards)->first = 85;
	seed(dir, "forward-rules-that-meet", &c);
	c = usual();
	rule(&c.nreverses, c.reverses);
	seed(dir, "reverse-one", &c);
	c = usual();
	prefix_parse("::/8", &c.delegated);
	c.delegated.addr.b[15] = 0xff;
	c.delegated.addr.b[14] = 0xff;
	seed(dir, "found-prefix-of-host-bits-only", &c);
	c = usual();
	c.nresolvers = CONF_RESOLVERS_MAX;
	addr_parse("127.0.0.53", &c.resolvers[0]);
	addr_parse("fe80::1", &c.resolvers[1]);
	seed(dir, "resolver-link-local", &c);
}

/* Seeds of an older encoding end at their version and reach nothing. */
static void test_seeds_are_current(void **state)
{
	const char *corpus = getenv("FUZZ_CORPUS");
	uint8_t buf[ENCODE_MAX + 1];
	char path[4096];
	struct conf c;
	FILE *f;
	size_t n;

	(void)state;
	if (!corpus)
		skip();
	snprintf(path, sizeof(path), "%s/encode/everything-set", corpus);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	assert_int_equal(encode_parse(buf, n, &c), 0);
	assert_int_equal(c.nforwards, CONF_FORWARDS_MAX);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_largest_fits),
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_unsealed),
		cmocka_unit_test(test_seeds_are_current),
	};

	if (argc == 2) {
		write_seeds(argv[1]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
