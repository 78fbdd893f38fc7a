/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/cni.c: what decodes, what does not and where it says so, lists
 * of plugins, versions, the size cap. */
#include "../unit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/json/cni.h"

static int decode(const char *text, bool list, struct request *r, struct err *e)
{
	*e = ERR_INIT;
	return cni_decode(text, strlen(text), "input", list, r, e);
}

static void assert_refused(const char *text, int code, const char *words)
{
	struct request r;
	struct err e;

	if (decode(text, true, &r, &e) == 0)
		fail_msg("taken: %s", text);
	cni_drop(&r);
	assert_int_equal(e.code, code);
	if (!strstr(e.msg, words))
		fail_msg("\"%s\" is not in: %s", words, e.msg);
}

static void assert_version(const char *text, enum cni_version version)
{
	struct request r;
	struct err e;

	assert_int_equal(decode(text, false, &r, &e), 0);
	assert_int_equal(r.version, version);
	assert_true(json_object_is_type(r.netconf, json_type_object));
	cni_drop(&r);
}

static void test_versions(void **state)
{
	char text[64];

	(void)state;
	for (int i = 0; i < CNI_VERSION_COUNT; i++) {
		assert_int_equal(cni_version_parse(cni_version_names[i]), i);
		snprintf(text, sizeof(text), "{\"cniVersion\": \"%s\"}\n", cni_version_names[i]);
		assert_version(text, (enum cni_version)i);
	}
	assert_int_equal(cni_version_parse("1.0"), -1);
	assert_version("{}", CNI_0_1_0);
	assert_version("{\"cniVersion\": \"\"}", CNI_0_1_0);
	assert_version("{\"cniVersion\": null}", CNI_0_1_0);
	assert_refused("{\"cniVersion\": \"9.9.9\"}", ERR_VERSION, "9.9.9");
	assert_refused("{\"cniVersion\": \"1.0.0 \"}", ERR_VERSION, "1.0.0 ");
	assert_refused("{\"cniVersion\": 1}", ERR_CONFIG, "cniVersion: 1");
}

static void test_not_json(void **state)
{
	(void)state;
	assert_refused("", ERR_DECODE, "input: empty");
	assert_refused(" \n", ERR_DECODE, "empty");
	assert_refused("{", ERR_DECODE, "line 1, column 2: ends too early");
	assert_refused("{\n \"a\": 1,\n", ERR_DECODE, "line 2");
	assert_refused("{\n \"a\": tru\n}", ERR_DECODE, "line 2, column 10");
	assert_refused("{\"a\":1,}", ERR_DECODE, "line 1, column 8");
	assert_refused("{'a':1}", ERR_DECODE, "column 2: single quote");
	assert_refused("[]", ERR_DECODE, "not an object");
	assert_refused("\"x\"", ERR_DECODE, "not an object");
	assert_refused("7", ERR_DECODE, "line 1");
	assert_refused("null", ERR_DECODE, "line 1");
	assert_refused("{} {}", ERR_DECODE, "column 4");
	assert_refused("{} x", ERR_DECODE, "column 4");
	assert_refused("/**/{}", ERR_DECODE, "column 1");
	assert_refused("{\"a\":\"\xff\"}", ERR_DECODE, "utf-8");
	assert_refused("{\"a\":\"\\u0000\"}", ERR_DECODE, "column 7: NUL");
	assert_version("{\"a\":\"\\\\u0000'\"}", CNI_0_1_0);
}

static void test_nul_byte(void **state)
{
	static const char text[] = "{}\0{}";
	struct err e = ERR_INIT;
	struct request r;

	(void)state;
	assert_int_equal(cni_decode(text, 5, "input", false, &r, &e), -1);
	assert_int_equal(e.code, ERR_DECODE);
	cni_drop(&r);
}

/* A text of n nested lists in an object. */
static void nested(char *text, size_t n)
{
	strcpy(text, "{\"a\":");
	memset(text + 5, '[', n);
	memset(text + 5 + n, ']', n);
	strcpy(text + 5 + 2 * n, "}");
}

static void test_depth(void **state)
{
	char text[4 * CNI_DEPTH_MAX + 16];

	(void)state;
	nested(text, CNI_DEPTH_MAX - 4);
	assert_version(text, CNI_0_1_0);
	nested(text, 2 * CNI_DEPTH_MAX);
	assert_refused(text, ERR_DECODE, "line 1");
}

static void test_list(void **state)
{
	static const char text[] = "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"plugins\":[7,"
				   "{\"type\":\"loopback\"},{\"type\":\"cni-passt\",\"mtu\":1400}]}";
	struct json_object *v;
	struct request r;
	struct err e;

	(void)state;
	assert_int_equal(decode(text, true, &r, &e), 0);
	assert_int_equal(r.version, CNI_0_4_0);
	assert_true(json_object_object_get_ex(r.netconf, "mtu", &v));
	assert_int_equal(json_object_get_int(v), 1400);
	assert_true(json_object_object_get_ex(r.netconf, "name", &v));
	assert_string_equal(json_object_get_string(v), "n");
	cni_drop(&r);
	/* a runtime never sends a list: there it is an unknown key like any other */
	assert_int_equal(decode(text, false, &r, &e), 0);
	assert_true(json_object_object_get_ex(r.netconf, "plugins", NULL));
	cni_drop(&r);
	assert_refused("{\"plugins\":[]}", ERR_CONFIG, "no entry of type");
	assert_refused("{\"plugins\":7}", ERR_CONFIG, "no entry of type");
	assert_refused("{\"plugins\":[{\"type\":\"bridge\"}]}", ERR_CONFIG, "no entry of type");
}

/* n spaces through a pipe, written by a child. */
static char *read_spaces(size_t n, size_t *len, struct err *e)
{
	static char block[4096];
	int p[2];
	char *text;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		memset(block, ' ', sizeof(block));
		for (size_t done = 0; done < n; done += MIN_OF(sizeof(block), n - done))
			if (write(p[1], block, MIN_OF(sizeof(block), n - done)) < 0)
				_exit(1);
		_exit(0);
	}
	close(p[1]);
	text = cni_read(p[0], "input", len, e);
	close(p[0]);		/* who still writes gets SIGPIPE */
	waitpid(pid, NULL, 0);
	return text;
}

static void test_read(void **state)
{
	struct err e = ERR_INIT;
	size_t len = 0;
	char *text;

	(void)state;
	text = read_spaces(0, &len, &e);
	assert_non_null(text);
	assert_string_equal(text, "");
	free(text);
	text = read_spaces(CNI_REQUEST_MAX, &len, &e);
	assert_non_null(text);
	assert_int_equal(len, CNI_REQUEST_MAX);
	assert_int_equal(strlen(text), len);
	free(text);
	assert_null(read_spaces(CNI_REQUEST_MAX + 1, &len, &e));
	assert_int_equal(e.code, ERR_DECODE);
	assert_non_null(strstr(e.msg, "1048576"));
	assert_null(cni_read(-1, "input", &len, &e));
	assert_int_equal(e.code, ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
