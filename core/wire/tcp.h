/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/tcp: TCP header (RFC 9293, 3.1) with the options MSS, window scale and
 * timestamps (RFC 7323), SACK permitted and SACK (RFC 2018). */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define TCP_HLEN	20
#define TCP_OPTS_MAX	40
#define TCP_TS_LEN	12u	/* timestamps, padded (RFC 7323, appendix A) */
#define TCP_SACK_MAX	4

enum tcp_flag {
	TCPF_FIN = 0x01, TCPF_SYN = 0x02, TCPF_RST = 0x04, TCPF_PSH = 0x08,
	TCPF_ACK = 0x10, TCPF_URG = 0x20, TCPF_ECE = 0x40, TCPF_CWR = 0x80,
};

struct tcp_opts {
	uint16_t mss;		/* 0: not there */
	int8_t wscale;		/* -1: not there; over 14 is read as 14 (RFC 7323, 2.3) */
	bool sack_ok;
	bool ts;
	uint32_t tsval, tsecr;
	uint8_t nsack;
	struct { uint32_t left, right; } sack[TCP_SACK_MAX];
};

#define TCP_OPTS_INIT ((struct tcp_opts){ .wscale = -1 })

struct tcp {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t wnd;		/* as it stands, unscaled */
	uint16_t urg;
	uint16_t sum;		/* reader: as it stands; writer: put as given */
	struct tcp_opts opt;
};

/*
 * Reads the header and its options from *r (one whole segment), leaving the
 * payload in *r. MSS, window scale and SACK permitted are taken on SYN
 * segments only. An option whose length lies, or is not the one its RFC gives it,
 * is WIRE_OPTION; an unknown one is stepped over. Does not verify the checksum (see
 * l4sum_ok). *ret is untouched on failure, *r is then undefined.
 */
enum wire_err tcp_read(struct rd *r, struct tcp *ret);

/* Writes the header with the options in t->opt, padded to 4 bytes with NOPs in
 * the customary order (MSS; SACK permitted with timestamps; window scale; SACK
 * blocks, as many as 40 bytes of options have room for). Returns its length in
 * bytes, 0 if it did not fit. */
size_t tcp_write(struct wr *w, const struct tcp *t);

/* The length tcp_write() will give. */
size_t tcp_hdr_len(const struct tcp *t);

/* Whether the checksum of a whole TCP, UDP or ICMPv6 segment is right (RFC
 * 9293 3.1, RFC 768, RFC 4443 2.3). For UDP over IPv4 a field of 0 is right, over
 * IPv6 it never is. False for any other proto, for less than a header and for
 * more than 65535 bytes. */
bool l4sum_ok(const struct addr *src, const struct addr *dst, uint8_t proto,
	      const void *seg, size_t len);

#endif
