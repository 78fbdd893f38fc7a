/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script: packet scripts for one TCP connection, in the spirit of packetdrill: a
 * line is a frame of the container, a frame we must answer with, an event of
 * the host socket, or time that passes. The engine's proto room is real, the
 * world is tests/unit/proto/fakeport.h.
 *
 *	# text			a comment
 *	setup flows N | chunks N | ranges N | mtu N	before all else
 *	only peek|ring|offload|plain|v4|v6	the script is for that variant
 *	isn +N			the container's next connection counts N further
 *	beyond N		... and ours from more than N beyond where the last began
 *
 *	< FLAGS SEQ(LEN) [ack N] [win N] [mss N] [ws N] [OPTION...]	from the container
 *	< toobig SEQ MTU	a router inside has a link that the segment there does not fit in
 *	> FLAGS SEQ(LEN) [ack N] [win N] [mss N|none] [ws N|none] [gso N] [OPTION...]
 *				to it. OPTION, both ways:
 *		sackok		SACK permitted; to the container on a SYN-ACK: it must be there
 *		ts VAL[/ECR]	timestamps; to the container VAL may be *
 *		sack L-R[,L-R...]	SACK blocks in this order, counted as SEQ or ack is
 *		urg N		the urgent pointer, with U in FLAGS
 *		nosackok, nots, nosack	to the container: it must not be there
 *		ce		from the container: a queue marked it (RFC 3168, 5)
 *	> icmp TYPE CODE	an ICMP error about the SYN (IPv6: > icmp of its own)
 *	pieces N SEQ(LEN) STEP ACK	N segments of the container, each STEP behind the last
 *	stream N		frames that together are the stream from where it stood up to
 *				N (the next SEQ), each byte once and in order
 *	quiet			no frame
 *	drop			whatever frames there are are lost (no look at them)
 *
 *	connect ok|wait|ERRNO	what connect() will say
 *	accept			a client of the forwarded port is there: from port 80 to the
 *				container's 40000. accept ERRNO: accept() fails while it waits, accept again:
 *				no longer
 *	connected		it comes about; failed ERRNO: it does not
 *	remote N		N bytes arrive; remote fin; remote reset [ERRNO];
 *				remote gone: reset, and no event tells of it yet
 *	remote urgent N		N bytes arrive, the last one urgent; remote unseen N: before epoll
 *				tells of it
 *	urgent N		the byte that the host socket took as urgent last; 0: none
 *	keep N			seconds of silence after which the host asks the remote, 0: as it is set
 *	room N|all		how much more send() takes; writable: and epoll says so
 *	took N			bytes that the host socket took so far
 *	socket open|shut|closed|aborted	... and closed is closed without a reset
 *	opens N			calls of connect() so far; sends N: of send()
 *	flow connecting|synsent|syn|open|linger|gone
 *	tap N|all		frames the tap still takes; tap ERRNO: what it says to each
 *	count NAME N		a counter of flow/counters.h
 *	+N			N milliseconds pass, timers fire when they are due
 *
 * FLAGS are letters of "SFRPUEW" and "." for ACK, or "-". SEQ and ack count from the
 * initial ones: SYN is 0, the first byte 1. Frames from the container that
 * follow one another are one batch. All bytes are a fixed pattern, tested
 * wherever they come out; so are, after every turn, fakeport's invariants, that the
 * window's right edge does not move left, and that the loop comes to rest.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct script_variant {
	bool no_offload, no_peek, v6;
};

#define SCRIPT_ERR 512

/* Runs a script. False with "file:line: why" in err. *ran: it is for this variant. */
bool script_run(const char *path, const struct script_variant *v, bool *ran,
		char err[SCRIPT_ERR]);

#endif
