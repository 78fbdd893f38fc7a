/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag: which ports a network namespace's programs listen on, by sock_diag(7): the
 * kernel's own list, without a look at any process. The namespace is the one in
 * which it was opened.
 *
 * The kernel walks tables of the whole machine for it, that of UDP with up to 65,536
 * entries for each family: so there is a hint, which costs next to nothing.
 */
#ifndef IO_DIAG_H
#define IO_DIAG_H

#include <stdbool.h>
#include <stdint.h>

#define DIAG_PORTS_BYTES	8192	/* a bit for each port */

struct diag_ports {
	uint8_t bits[DIAG_PORTS_BYTES];
};

static inline bool diag_has(const struct diag_ports *p, uint32_t port)
{
	return p->bits[port / 8] >> (port % 8) & 1;
}

struct diag {
	int fd;			/* sock_diag; -1: not open */
	int inuse[2];		/* /proc/net/sockstat, sockstat6; -1: cannot be read */
	uint64_t unknown;		/* of diag_udp_hint() */
	uint16_t picked_first, picked_last;	/* net.ipv4.ip_local_port_range */
};

#define DIAG_INIT ((struct diag){ .fd = -1, .inuse = { -1, -1 } })

/* 0 or -errno. */
int diag_open(struct diag *d);
void diag_close(struct diag *d);

/* A new socket for the questions; the files stay open. 0 or -errno. */
int diag_ask_anew(struct diag *d);

/* How many UDP sockets are bound: as long as it stays the same, most likely so are
 * they. Changes with each call where that cannot be known. */
uint64_t diag_udp_hint(struct diag *d);

/*
 * Fills *ret with the ports that TCP listens on, or UDP sockets without a peer are
 * bound to, in either family; those of the loopback only do not count, nor, for
 * UDP, the ports that the kernel picks for clients. 0, or -errno and *ret means
 * nothing; -EINTR: the list changed meanwhile, ask again. After any other error ask
 * anew: the socket may hold the rest of an answer. loopback: as of diag_read_loopback().
 */
int diag_read(const struct diag *d, bool tcp, struct diag_ports *ret,
	      struct diag_ports loopback[2]);

/* The same of the ports that are reached by the loopback: ret[0] by 127.0.0.1, ret[1]
 * by ::1. A socket of all IPv6 addresses counts for both: most serve both. */
int diag_read_loopback(const struct diag *d, bool tcp, struct diag_ports ret[2]);

#endif
