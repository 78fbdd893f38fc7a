/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counters: what the engine counts, in one table. They live in memory shared
 * with main (which logs and serves them) and survive an engine's restart; one
 * writer, no lock. */
#ifndef FLOW_COUNTERS_H
#define FLOW_COUNTERS_H

#include <stdint.h>

#include "wire/err.h"

/* name, what one count means */
#define COUNTERS_TABLE(X) \
	X(tap_rx_frames, "frames read from the container") \
	X(tap_rx_bytes, "bytes of them") \
	X(tap_tx_frames, "frames written to the container") \
	X(tap_tx_bytes, "bytes of them") \
	X(tap_tx_again, "writes the tap pushed back (EAGAIN, ENOBUFS)") \
	X(tap_tx_error, "writes that failed otherwise") \
	X(drop_ethertype, "frames of another EtherType") \
	X(drop_martian, "packets to or from an address that may not be used") \
	X(drop_fragment, "IP fragments") \
	X(drop_proto, "IP protocols not translated") \
	X(drop_multicast, "multicast and broadcast not passed on") \
	X(drop_noroute, "packets of a family switched off or without a route outside") \
	X(flows_opened, "flows opened") \
	X(flows_closed, "flows closed") \
	X(flows_evicted, "flows ended to make room") \
	X(flows_refused, "flows refused: table, descriptors or memory at their cap") \
	X(tcp_accepted, "TCP connections the remote accepted") \
	X(tcp_refused, "TCP connections the remote or the host refused") \
	X(tcp_reset_in, "resets from the container") \
	X(tcp_reset_out, "resets sent to the container") \
	X(tcp_badseg, "TCP segments outside the window or the state") \
	X(tcp_outoforder, "TCP segments beyond the next expected byte") \
	X(tcp_ooo_dropped, "of them those not kept: too many pieces") \
	X(tcp_paws, "TCP segments with an old timestamp") \
	X(tcp_retransmits, "segments sent again to the container") \
	X(tcp_timeouts, "retransmission time-outs") \
	X(tcp_held_bytes, "bytes that had to wait in hold buffers") \
	X(tcp_window_zero, "times the window shown to a container's flow closed") \
	X(udp_tx_datagrams, "UDP datagrams sent outside") \
	X(udp_rx_datagrams, "UDP datagrams received outside") \
	X(udp_tx_error, "UDP datagrams the host did not take") \
	X(icmp_tx_echo, "echo requests sent outside") \
	X(icmp_rx_echo, "echo replies received outside") \
	X(icmp_no_socket, "echo requests without a ping socket (net.ipv4.ping_group_range)") \
	X(icmp_errors_sent, "ICMP errors sent to the container") \
	X(arp_replies, "ARP replies sent") \
	X(nd_replies, "neighbour advertisements sent") \
	X(nd_router_adverts, "router advertisements sent") \
	X(dhcp_replies, "DHCP and BOOTP messages answered") \
	X(dhcp_naks, "of them by DHCPNAK") \
	X(dhcp6_replies, "DHCPv6 messages answered") \
	X(dhcp_ignored, "DHCP and DHCPv6 messages that get no answer")

struct counters {
#define X(name, text) uint64_t name;
	COUNTERS_TABLE(X)
#undef X
	uint64_t drop_wire[WIRE_ERR_COUNT];	/* malformed, by reason */
};

#endif
