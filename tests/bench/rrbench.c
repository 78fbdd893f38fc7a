/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rrbench: small TCP exchanges a second: one byte there and one back, over one
 * connection or over several at once (rr), or over a new connection each (crr).
 * In crr the server closes first, so that the client does not run out of ports.
 *
 *   rrbench server ADDRESS PORT
 *   rrbench rr|crr ADDRESS PORT SECONDS [CONNECTIONS]	prints exchanges a second;
 *						several connections: rr only
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_MAX	60
#define EVENTS		64
#define CONNECTIONS_MAX	1000

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "rrbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct addrinfo *resolve(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *ai;
	int rc = getaddrinfo(host, port, &hints, &ai);

	if (rc) {
		fprintf(stderr, "rrbench: %s: %s\n", host, gai_strerror(rc));
		exit(1);
	}
	return ai;
}

static void watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		die("epoll_ctl");
}

/* 'r': answer and go on; 'c': answer and close. */
static void answer(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1 || write(fd, &c, 1) != 1 || c == 'c')
		close(fd);
}

static void serve(const struct addrinfo *ai)
{
	int s = socket(ai->ai_family, SOCK_STREAM, 0);
	int ep = epoll_create1(0);
	int on = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (s < 0 || ep < 0 || bind(s, ai->ai_addr, ai->ai_addrlen) || listen(s, 1024))
		die("listen");
	watch(ep, s);
	for (;;) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(ep, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd != s) {
				answer(fd);
				continue;
			}
			fd = accept(s, NULL, NULL);
			if (fd < 0)
				continue;
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			watch(ep, fd);
		}
	}
}

static int dial(const struct addrinfo *ai)
{
	int s = socket(ai->ai_family, SOCK_STREAM, 0);
	int on = 1;

	if (s < 0 || connect(s, ai->ai_addr, ai->ai_addrlen))
		die("connect");
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return s;
}

static void exchange(int s, char c)
{
	if (write(s, &c, 1) != 1 || read(s, &c, 1) != 1)
		die("exchange");
}

/* Each of n connections has one byte under way. Exchanges until `end`. */
static long exchange_many(const struct addrinfo *ai, int n, double end)
{
	struct epoll_event events[EVENTS];
	int ep = epoll_create1(0);
	long done = 0;
	char c = 'r';

	if (ep < 0)
		die("epoll_create1");
	for (int i = 0; i < n; i++) {
		int s = dial(ai);

		watch(ep, s);
		if (write(s, &c, 1) != 1)
			die("write");
	}
	while (now() < end) {
		int ready = epoll_wait(ep, events, EVENTS, 1000);

		if (ready <= 0)
			die("no answer");
		for (int i = 0; i < ready; i++, done++) {
			int s = events[i].data.fd;

			if (read(s, &c, 1) != 1 || write(s, &c, 1) != 1)
				die("exchange");
		}
	}
	return done;
}

int main(int argc, char **argv)
{
	struct addrinfo *ai;
	double start, end;
	int s, connections = argc == 6 ? atoi(argv[5]) : 1;
	long n = 0;

	if (argc == 4 && strcmp(argv[1], "server") == 0)
		serve(resolve(argv[2], argv[3]));
	if (argc < 5 || argc > 6 || atoi(argv[4]) < 1 || atoi(argv[4]) > SECONDS_MAX ||
	    connections < 1 || connections > CONNECTIONS_MAX) {
		fprintf(stderr, "usage: rrbench server ADDRESS PORT\n"
			"       rrbench rr|crr ADDRESS PORT SECONDS [CONNECTIONS]\n");
		return 2;
	}
	ai = resolve(argv[2], argv[3]);
	start = now();
	end = start + atoi(argv[4]);
	if (connections > 1) {
		n = exchange_many(ai, connections, end);
	} else if (strcmp(argv[1], "rr") == 0) {
		s = dial(ai);
		for (; now() < end; n++)
			exchange(s, 'r');
		close(s);
	} else {
		for (; now() < end; n++) {
			char c;

			s = dial(ai);
			exchange(s, 'c');
			if (read(s, &c, 1) != 0)
				die("end");
			close(s);
		}
	}
	printf("%.0f\n", (double)n / (now() - start));
	freeaddrinfo(ai);
	return 0;
}
