/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/base/journal.c: the entry's fields, those made of the text's pairs, what does
 * not fit, and the socket. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/log.h"

static const struct journal_who who = { "cni-passt", "demo", "eth0", "engine" };

static const char *format(const char *message, const char *text)
{
	static char buf[JOURNAL_ENTRY_MAX + 1];
	size_t n = journal_format(&who, 6, message, text, buf);

	buf[n] = '\0';
	return buf;
}

static void test_fields(void **state)
{
	(void)state;
	assert_string_equal(format("demo@eth0 engine hello", "hello"),
			    "PRIORITY=6\nMESSAGE=demo@eth0 engine hello\nSYSLOG_IDENTIFIER=cni-passt\n"
			    "CNI_PASST_ID=demo\nCNI_PASST_INTERFACE=eth0\nCNI_PASST_PROCESS=engine\n");
}

static void test_pairs(void **state)
{
	const char *s = format("m", "attached container=demo why=\"two words=x\" event=end: n=7, x= =y"
			       " A=b a-b=c port_2=80 open=\"never");

	(void)state;
	assert_non_null(strstr(s, "\nCNI_PASST_CONTAINER=demo\n"));
	assert_non_null(strstr(s, "\nCNI_PASST_WHY=two words=x\n"));
	assert_non_null(strstr(s, "\nCNI_PASST_EVENT=end\n"));
	assert_non_null(strstr(s, "\nCNI_PASST_N=7\n"));
	assert_non_null(strstr(s, "\nCNI_PASST_PORT_2=80\n"));
	assert_non_null(strstr(s, "\nCNI_PASST_OPEN=never\n"));
	assert_null(strstr(s, "CNI_PASST_X"));
	assert_null(strstr(s, "=b\n"));
	assert_null(strstr(s, "=c\n"));
}

/* Every line is a field, however long or strange the text. */
static void test_limits(void **state)
{
	char text[8192], message[8192];
	const char *s;
	unsigned int fields = 0;

	(void)state;
	memset(message, 'm', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	text[0] = '\0';
	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "k%d=%0*d ", i, 150, i);
	s = format(message, text);
	assert_true(strlen(s) <= JOURNAL_ENTRY_MAX);
	assert_int_equal(s[strlen(s) - 1], '\n');
	for (const char *p = s; *p; p = strchr(p, '\n') + 1, fields++)
		assert_true(strchr(p, '=') && strchr(p, '=') < strchr(p, '\n'));
	assert_true(fields > 6 && fields <= 6 + JOURNAL_FIELDS);
	memset(text, 'k', 200);
	strcpy(text + 200, "=1 a=2");
	s = format("m", text);
	assert_non_null(strstr(s, "CNI_PASST_A=2"));
	assert_null(strstr(s, "=1\n"));
}

static void test_socket(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/test_journal.XXXXXX";
	int server = socket(AF_UNIX, SOCK_DGRAM, 0), fd, i = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/socket", dir);
	assert_int_equal(journal_open(sun.sun_path), -ENOENT);
	assert_int_equal(bind(server, (struct sockaddr *)&sun, sizeof(sun)), 0);
	fd = journal_open(sun.sun_path);
	assert_true(fd >= 0);
	/* one that does not read costs nothing but what was to be said */
	while (i < 100000 && write(fd, "MESSAGE=x\n", 10) == 10)
		i++;
	assert_true(i > 0 && i < 100000 && errno == EAGAIN);
	close(fd);
	close(server);
	assert_int_equal(journal_open(sun.sun_path), -ECONNREFUSED);
	unlink(sun.sun_path);
	rmdir(dir);
}

/* Where there is no journald, who asks for it is told, and syslog is used. */
static void test_none(void **state)
{
	(void)state;
	if (access(JOURNAL_SOCKET, F_OK) == 0)
		skip();
	assert_int_equal(log_open(LOGT_JOURNAL, LOGL_INFO, NULL, "demo"), -ENOENT);
	log_open(LOGT_NONE, LOGL_INFO, NULL, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
