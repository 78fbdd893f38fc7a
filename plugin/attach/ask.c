/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "plugin/attach/ask.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "plugin/attach/life.h"

#define ANSWER_DEPTH	8	/* of an answer's JSON */
#define CONNECT_TRIES	40
#define CONNECT_PAUSE_US	25000
#define ASK_TELL_MS	2000	/* of silence, and it is said who is waited for */

/* Where many came at the same moment it takes another one until there is room. */
static int connect_soon(int fd, const struct sockaddr_un *sun)
{
	int r;

	for (int i = 0; i < CONNECT_TRIES; i++) {
		r = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
		if (r == 0 || errno != EAGAIN)
			return r;
		usleep(CONNECT_PAUSE_US);
	}
	errno = EAGAIN;
	return -1;
}

/* A daemon that ends by itself takes its folder along. */
static int explain(int state_fd, int error, struct err *e)
{
	FD_OWNED int life = life_open(state_fd);

	if (life == -ENXIO) {
		err_set(e, ERR_IO, "the attachment's daemon has ended");
		return err_hint(e, "it was killed, or crashed; ADD again, or end the container and start"
				   " it again");
	}
	err_set(e, error == EAGAIN ? ERR_AGAIN : ERR_IO, "the daemon cannot be asked: %s",
		strerror(error));
	return err_hint(e, "it may be ending; see its log");
}

int ask_open(struct ask *a, int state_fd, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	FD_OWNED int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*a = ASK_INIT;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/" CONTROL_NAME, state_fd);
	if (fd < 0 || connect_soon(fd, &sun) < 0)
		return explain(state_fd, errno, e);
	a->buf = malloc(CONTROL_ANSWER_MAX);
	if (!a->buf)
		return err_set(e, ERR_IO, "out of memory");
	a->fd = fd_take(&fd);
	return 0;
}

void ask_close(struct ask *a)
{
	fd_drop(&a->fd);
	free(a->buf);
	*a = ASK_INIT;
}

struct json_object *ask_request(enum control_verb verb)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "v", json_object_new_int(CONTROL_VERSION));
	json_object_object_add(o, "do", json_object_new_string(control_verb_names[verb]));
	return o;
}

static int send_line(int fd, struct json_object *request, struct err *e)
{
	char line[CONTROL_LINE_MAX];
	int n = snprintf(line, sizeof(line), "%s\n",
			 json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN |
								 JSON_C_TO_STRING_NOSLASHESCAPE));

	if (n < 0 || (size_t)n >= sizeof(line))
		return err_set(e, ERR_DECODE, "the request is longer than %d bytes",
			       CONTROL_LINE_MAX);
	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != (ssize_t)n)
		return err_set(e, ERR_IO, "the daemon cannot be asked: %s", strerror(errno));
	return 0;
}

/* To a person; for programs the end of it is enough. */
static void tell_waiting(int64_t left_ms)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "cni-passt: waiting for the daemon, %d s more\n",
			(int)(left_ms + 999) / 1000);
}

/* What stands behind the last answer is the next one's. */
static void forget_line(struct ask *a)
{
	size_t gone = a->have ? a->len + 1 : 0;

	a->have -= gone;
	memmove(a->buf, a->buf + gone, a->have);
	a->len = 0;
}

/* A whole line in a->buf, its end replaced by NUL. `most` bytes at a time: 1, where what
 * stands behind it is another's to read. */
static int read_line(struct ask *a, size_t most, struct err *e)
{
	const int64_t deadline = a->deadline ? a->deadline : clock_ms() + CONTROL_TIMEOUT_MS;
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	const char *end;
	bool told = false;
	ssize_t n;

	assert(a->buf);		/* ask_open() was there before */
	forget_line(a);
	while (!(end = memchr(a->buf + a->len, '\n', a->have - a->len))) {
		int64_t left = deadline - clock_ms();

		a->len = a->have;	/* there it is not */
		if (a->have == CONTROL_ANSWER_MAX)
			return err_set(e, ERR_DECODE, "the daemon's answer is too long");
		if (!told && !a->deadline && left > ASK_TELL_MS && poll(&p, 1, ASK_TELL_MS) == 0) {
			told = true;
			tell_waiting(left - ASK_TELL_MS);
			continue;
		}
		if (poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
			return err_set(e, ERR_AGAIN, "the daemon did not answer in time");
		n = recv(a->fd, a->buf + a->have, MIN_OF(most, CONTROL_ANSWER_MAX - a->have),
			 MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			err_set(e, ERR_IO, "the daemon did not take the request");
			return err_hint(e, "it may be of another version, or another user's");
		}
		a->have += n > 0 ? (size_t)n : 0;
	}
	a->len = (size_t)(end - a->buf);
	a->buf[a->len] = '\0';
	return 0;
}

static int64_t number(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_int64(v) : 0;
}

static const char *string(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : "";
}

/* Whether it is a "yes"; a "no" says why. */
static int judge(struct json_object *answer, struct err *e)
{
	struct json_object *ok;

	if (!json_object_is_type(answer, json_type_object) ||
	    number(answer, "v") != CONTROL_VERSION ||
	    !json_object_object_get_ex(answer, "ok", &ok))
		return err_set(e, ERR_DECODE, "the daemon's answer does not decode; it may be of"
			       " another version");
	if (json_object_get_boolean(ok))
		return 0;
	err_set(e, (int)number(answer, "code"), "%s", string(answer, "error"));
	if (string(answer, "hint")[0])
		err_hint(e, "%s", string(answer, "hint"));
	return -1;
}

static struct json_object *decode(const char *text, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(ANSWER_DEPTH);
	struct json_object *o = t ? json_tokener_parse_ex(t, text, (int)len) : NULL;

	if (t)
		json_tokener_free(t);
	return o;
}

int ask_send(struct ask *a, struct json_object *request, struct err *e)
{
	int r = send_line(a->fd, request, e);

	json_object_put(request);
	return r;
}

int ask_text(struct ask *a, struct err *e)
{
	return read_line(a, CONTROL_ANSWER_MAX, e);
}

int ask_refused(const char *text, size_t len, struct err *e)
{
	struct json_object *o = decode(text, len);

	if (judge(o, e) == 0)
		err_set(e, ERR_DECODE, "the daemon's answer does not decode; it may be of another"
			" version");
	json_object_put(o);
	return -1;
}

static struct json_object *answer(struct ask *a, size_t most, struct err *e)
{
	struct json_object *o;

	if (read_line(a, most, e) < 0)
		return NULL;
	o = decode(a->buf, a->len + 1);
	if (judge(o, e) == 0)
		return o;
	json_object_put(o);
	return NULL;
}

struct json_object *ask_answer(struct ask *a, struct err *e)
{
	return answer(a, CONTROL_ANSWER_MAX, e);
}

static struct json_object *ask(struct ask *a, struct json_object *request, size_t most,
			       struct err *e)
{
	return ask_send(a, request, e) < 0 ? NULL : answer(a, most, e);
}

struct json_object *ask_line(struct ask *a, struct json_object *request, struct err *e)
{
	return ask(a, request, CONTROL_ANSWER_MAX, e);
}

int ask_stream(struct ask *a, struct json_object *request, struct err *e)
{
	struct json_object *answer = ask(a, request, 1, e);

	if (!answer)
		return -1;
	json_object_put(answer);
	return 0;
}

struct json_object *ask_daemon(int state_fd, struct json_object *request, struct err *e)
{
	struct json_object *answer = NULL;
	struct ask a;

	if (ask_open(&a, state_fd, e) == 0)
		answer = ask_line(&a, request, e);
	else
		json_object_put(request);
	ask_close(&a);
	return answer;
}
