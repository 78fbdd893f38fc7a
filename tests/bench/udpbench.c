/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udpbench: how many UDP bytes and datagrams get through, one direction at a
 * time, counted where they arrive. With more than one segment a send, the
 * sender uses UDP_SEGMENT and the receiver UDP_GRO; with one, both use batches
 * of plain datagrams (sendmmsg, recvmmsg).
 *
 *   udpbench server ADDRESS PORT
 *   udpbench up|down ADDRESS PORT SECONDS SIZE SEGMENTS
 *       prints "<bytes> <datagrams> <seconds>" as seen by the receiver
 *   udpbench flows ADDRESS PORT SECONDS SIZE FLOWS
 *       opens so many sockets, says "open", waits for a line on standard input, then
 *       sends from one after the other; prints the same
 *
 * A control message starts with a word that no data starts with (data are
 * zeros). The client speaks first, so that it works through a translator.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/udp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif

#define BATCH		32
#define BUF_SIZE	65536
#define SOCK_BUF	(8 << 20)
#define SECONDS_MAX	60
#define FLOWS_MAX	20000
#define TELL_TIMES	5	/* a control message may be lost */

struct job {
	int seconds, size, segments;
};

struct count {
	uint64_t bytes, datagrams;
	double first, last;
};

static uint8_t bufs[BATCH][BUF_SIZE];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "udpbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set_timeout(int s, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static struct addrinfo *resolve(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *ai;
	int rc = getaddrinfo(host, port, &hints, &ai);

	if (rc) {
		fprintf(stderr, "udpbench: %s: %s\n", host, gai_strerror(rc));
		exit(1);
	}
	return ai;
}

static int open_socket(const struct addrinfo *ai)
{
	int s = socket(ai->ai_family, SOCK_DGRAM, 0);
	int size = SOCK_BUF;

	if (s < 0)
		die("socket");
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return s;
}

/* Sends zeros for the time given; the connected socket blocks where it can. */
static void blast(int s, const struct job *job)
{
	struct iovec iov = { .iov_base = bufs[0],
			     .iov_len = (size_t)job->size * (size_t)job->segments };
	struct mmsghdr msgs[BATCH];
	double end = now() + job->seconds;
	int segment = job->segments > 1 ? job->size : 0;

	memset(bufs[0], 0, sizeof(bufs[0]));
	memset(msgs, 0, sizeof(msgs));
	for (int i = 0; i < BATCH; i++) {
		msgs[i].msg_hdr.msg_iov = &iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	if (setsockopt(s, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) && segment)
		die("UDP_SEGMENT");
	while (now() < end) {
		int n = sendmmsg(s, msgs, job->segments > 1 ? 1 : BATCH, 0);

		if (n < 0 && errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED)
			die("send");
	}
	segment = 0;
	setsockopt(s, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
}

static int gro_size(struct msghdr *msg)
{
	int size = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(c), sizeof(size));
	return size;
}

static void add(struct count *count, size_t len, int segment)
{
	count->last = now();
	if (!count->datagrams)
		count->first = count->last;
	count->bytes += len;
	count->datagrams += segment > 0 ? (len + (size_t)segment - 1) / (size_t)segment : 1;
}

/* Counts data until a control message comes, which is left in `said`, with its
 * sender in *from; false when none comes within the socket's time-out. */
static bool count_until_told(int s, bool gro, struct count *count, char said[64],
			     struct sockaddr_storage *from, socklen_t *from_len)
{
	char control[BATCH][CMSG_SPACE(sizeof(int))];
	struct sockaddr_storage names[BATCH];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	int on = gro;

	setsockopt(s, SOL_UDP, UDP_GRO, &on, sizeof(on));
	for (;;) {
		int n;

		memset(msgs, 0, sizeof(msgs));
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ .iov_base = bufs[i], .iov_len = BUF_SIZE };
			msgs[i].msg_hdr = (struct msghdr){
				.msg_iov = &iov[i], .msg_iovlen = 1,
				.msg_name = &names[i], .msg_namelen = sizeof(names[i]),
				.msg_control = control[i], .msg_controllen = sizeof(control[i]),
			};
		}
		n = recvmmsg(s, msgs, BATCH, MSG_WAITFORONE, NULL);
		if (n < 0 && errno == ECONNREFUSED)
			continue;
		if (n <= 0)
			return false;
		for (int i = 0; i < n; i++) {
			if (msgs[i].msg_len && msgs[i].msg_len < 64 && bufs[i][0]) {
				memcpy(said, bufs[i], msgs[i].msg_len);
				said[msgs[i].msg_len] = 0;
				*from = names[i];
				*from_len = msgs[i].msg_hdr.msg_namelen;
				return true;
			}
			add(count, msgs[i].msg_len, gro_size(&msgs[i].msg_hdr));
		}
	}
}

static void report(const struct count *count, char text[64])
{
	double seconds = count->last - count->first;

	snprintf(text, 64, "result %llu %llu %.6f", (unsigned long long)count->bytes,
		 (unsigned long long)count->datagrams, seconds > 0 ? seconds : 1);
}

static void tell(int s, const char *text)
{
	for (int i = 0; i < TELL_TIMES; i++) {
		send(s, text, strlen(text), 0);
		usleep(20000);
	}
}

static bool parse(const char *text, const char *verb, struct job *job)
{
	char word[16];

	return sscanf(text, "%15s %d %d %d", word, &job->seconds, &job->size,
		      &job->segments) == 4 && strcmp(word, verb) == 0 &&
	       job->seconds > 0 && job->seconds <= SECONDS_MAX && job->segments > 0 &&
	       job->size > 0 && job->size * job->segments <= 65507;
}

/* One client after the other, for ever; a socket of its own for what goes down
 * is not needed: connect() and disconnect again. */
static void serve(int s)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct count count = { 0 };
	struct sockaddr_storage from;
	socklen_t from_len;
	struct job job;
	char said[64], text[64];
	bool gro = true;

	for (;;) {
		if (!count_until_told(s, gro, &count, said, &from, &from_len))
			continue;
		if (parse(said, "up", &job)) {
			gro = job.segments > 1;
			count = (struct count){ 0 };
			sendto(s, "go", 2, 0, (struct sockaddr *)&from, from_len);
		} else if (strncmp(said, "stop", 4) == 0) {
			report(&count, text);
			sendto(s, text, strlen(text), 0, (struct sockaddr *)&from, from_len);
		} else if (parse(said, "down", &job)) {
			if (connect(s, (struct sockaddr *)&from, from_len))
				continue;
			blast(s, &job);
			usleep(200000);
			tell(s, "stop");
			connect(s, &none, sizeof(none));
		}
	}
}

/* Asks until answered; the answer is left in said. */
static void ask(int s, const char *text, const char *answer, char said[64])
{
	struct sockaddr_storage from;
	struct count count = { 0 };
	socklen_t len;

	for (int i = 0; i < 10; i++) {
		send(s, text, strlen(text), 0);
		if (count_until_told(s, false, &count, said, &from, &len) &&
		    strncmp(said, answer, strlen(answer)) == 0)
			return;
	}
	fprintf(stderr, "udpbench: no answer to \"%s\"\n", text);
	exit(1);
}

static void run_up(int s, const struct job *job)
{
	char text[64], said[64];

	snprintf(text, sizeof(text), "up %d %d %d", job->seconds, job->size, job->segments);
	ask(s, text, "go", said);
	blast(s, job);
	usleep(200000);
	ask(s, "stop", "result", said);
	printf("%s\n", said + 7);
}

static void run_down(int s, const struct job *job)
{
	struct sockaddr_storage from;
	struct count count = { 0 };
	char text[64], said[64];
	socklen_t len;

	snprintf(text, sizeof(text), "down %d %d %d", job->seconds, job->size, job->segments);
	set_timeout(s, 2000 + job->seconds * 1000);
	send(s, text, strlen(text), 0);
	count_until_told(s, job->segments > 1, &count, said, &from, &len);
	report(&count, text);
	printf("%s\n", text + 7);
}

/* Each datagram from another socket, so that nothing is merged and every flow is cold. */
static void blast_flows(const int *socks, int n, const struct job *job)
{
	double end = now() + job->seconds;

	memset(bufs[0], 0, (size_t)job->size);	/* the last answer lies there */
	while (now() < end)
		for (int i = 0; i < n; i++)
			if (send(socks[i], bufs[0], (size_t)job->size, 0) < 0 && errno != EAGAIN &&
			    errno != ENOBUFS && errno != ECONNREFUSED)
				die("send");
}

/* Every flow is made, and known to whatever lies on the way, before the time counts. */
static void run_flows(int s, const struct addrinfo *ai, const struct job *job, int n)
{
	const struct rlimit files = { (rlim_t)n + 64, (rlim_t)n + 64 };
	static int socks[FLOWS_MAX];
	char text[64], said[64];

	if (setrlimit(RLIMIT_NOFILE, &files))
		die("limit of open files");
	memset(bufs[0], 0, sizeof(bufs[0]));
	for (int i = 0; i < n; i++) {
		socks[i] = socket(ai->ai_family, SOCK_DGRAM, 0);
		if (socks[i] < 0 || connect(socks[i], ai->ai_addr, ai->ai_addrlen))
			die("socket");
		send(socks[i], bufs[0], (size_t)job->size, 0);
		if (i % 100 == 99)
			usleep(1000);
	}
	usleep(500000);
	puts("open");
	fflush(stdout);
	if (!fgets(said, sizeof(said), stdin))
		die("no line to begin");
	snprintf(text, sizeof(text), "up %d %d 1", job->seconds, job->size);
	ask(s, text, "go", said);
	blast_flows(socks, n, job);
	usleep(200000);
	ask(s, "stop", "result", said);
	printf("%s\n", said + 7);
}

int main(int argc, char **argv)
{
	struct addrinfo *ai;
	struct job job;
	char text[64];
	bool flows;
	int s;

	if (argc == 4 && strcmp(argv[1], "server") == 0) {
		ai = resolve(argv[2], argv[3]);
		s = open_socket(ai);
		if (bind(s, ai->ai_addr, ai->ai_addrlen))
			die("bind");
		serve(s);
	}
	if (argc != 7) {
		fprintf(stderr, "usage: udpbench server ADDRESS PORT\n"
			"       udpbench up|down ADDRESS PORT SECONDS SIZE SEGMENTS\n"
			"       udpbench flows ADDRESS PORT SECONDS SIZE FLOWS\n");
		return 2;
	}
	flows = strcmp(argv[1], "flows") == 0;
	snprintf(text, sizeof(text), "%s %s %s %s", argv[1], argv[4], argv[5],
		 flows ? "1" : argv[6]);
	if (!parse(text, argv[1], &job) ||
	    (flows && (atoi(argv[6]) < 1 || atoi(argv[6]) > FLOWS_MAX))) {
		fprintf(stderr, "udpbench: \"%s\" makes no sense\n", text);
		return 2;
	}
	ai = resolve(argv[2], argv[3]);
	s = open_socket(ai);
	if (connect(s, ai->ai_addr, ai->ai_addrlen))
		die("connect");
	set_timeout(s, 500);
	if (flows)
		run_flows(s, ai, &job, atoi(argv[6]));
	else if (strcmp(argv[1], "up") == 0)
		run_up(s, &job);
	else
		run_down(s, &job);
	freeaddrinfo(ai);
	return 0;
}
