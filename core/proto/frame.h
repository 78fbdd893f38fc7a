/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame: building and sending what goes to the container. Checksums and
 * segmentation are left to the kernel where the tap has the offloads, and done
 * here where it has not; callers see no difference. Source and destination are
 * those the container sees.
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include "proto/ctx.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/tcp.h"

/* Payload of one TCP super-frame: 65535 less the longest headers that data have, which are
 * IPv4's, TCP's and its timestamps (RFC 791, 3.1; RFC 7323, appendix A). */
#define FRAME_GSO_MAX (65535u - IP4_HLEN - TCP_HLEN - TCP_TS_LEN)

/*
 * A TCP segment, or a super-frame of segments of `mss` bytes each, with len
 * bytes of payload in iov. FIN and PSH stand on the last segment. 0, -EAGAIN or -errno
 * of the tap; then nothing was sent, or, when segmented here, only the first
 * *sent bytes (sent may be NULL).
 */
int frame_tcp(struct ctx *c, const struct flow_key *key, const struct tcp *t,
	      const struct iovec *iov, int n, size_t len, uint16_t mss, size_t *sent);

/* One datagram, or several of gso_size bytes each (the last may be shorter). What is
 * larger than the container's MTU, or than mtu where it is not 0, leaves as IP fragments; so do
 * ICMP messages. */
int frame_udp(struct ctx *c, const struct flow_key *key, const struct flow_ip *ip,
	      uint16_t mtu, const struct iovec *iov, int n, size_t len, uint16_t gso_size);

/* One datagram to where on the link the caller says (NULL: where its address is),
 * its checksum done: DHCP clients read packet sockets, where one that was left
 * to an offload shows as wrong. */
int frame_udp_to(struct ctx *c, const struct mac *link, const struct flow_key *key,
		 const void *data, size_t len);

/* An ICMP or ICMPv6 message of len bytes, checksum already in it. */
int frame_icmp(struct ctx *c, const struct addr *src, const struct addr *dst,
	       const struct flow_ip *hdr, uint16_t mtu, const void *msg, size_t len);

/* A frame of another EtherType, complete behind the Ethernet header. */
int frame_raw(struct ctx *c, const struct mac *dst, uint16_t ethertype, const void *body,
	      size_t len);

#endif
