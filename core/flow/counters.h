/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counters: what the engine counts, in one table. They live in memory shared
 * with main (which logs and serves them) and survive an engine's restart; one
 * writer, no lock. */
#ifndef FLOW_COUNTERS_H
#define FLOW_COUNTERS_H

#include <stdint.h>

#include "wire/err.h"

/* name, what one count means, by itself */
#define COUNTERS_TABLE(X) \
	X(tap_rx_frames, "frames read from the container") \
	X(tap_rx_bytes, "bytes of frames read from the container") \
	X(tap_tx_frames, "frames written to the container") \
	X(tap_tx_bytes, "bytes of frames written to the container") \
	X(tap_tx_again, "writes the tap pushed back (EAGAIN, ENOBUFS)") \
	X(tap_tx_error, "writes that failed otherwise") \
	X(stream_connections, "connections of a virtual machine's qemu") \
	X(stream_refused, "connections while there was one") \
	X(stream_nonsense, "connections ended because of a length that no frame has") \
	X(drop_ethertype, "frames of another EtherType") \
	X(drop_off, "packets for what the configuration switched off") \
	X(drop_martian, "packets to or from an address that may not be used") \
	X(drop_source, "packets from an address that is not the container's (sourceCheck)") \
	X(drop_proto, "IP protocols not translated") \
	X(drop_multicast, "multicast and broadcast not passed on") \
	X(drop_hops, "packets whose hop limit ended here") \
	X(drop_icmp_error, "ICMP errors of the container about nothing it got") \
	X(drop_port, "TCP connections and datagrams to our own addresses that nothing listens to") \
	X(drop_metadata, "packets to a cloud's metadata service (key metadata)") \
	X(drop_noroute, "packets of a family switched off or without a route outside") \
	X(frag_rx, "IP fragments read from the container") \
	X(frag_reassembled, "datagrams put together of IP fragments") \
	X(frag_refused, "IP fragments dropped: overlapping, contradictory, cut headers") \
	X(frag_timeouts, "datagrams in IP fragments that did not become whole in time") \
	X(frag_evicted, "datagrams in IP fragments dropped unfinished to make room") \
	X(frag_tx, "IP fragments written to the container") \
	X(flows_opened, "flows opened") \
	X(flows_closed, "flows closed") \
	X(flows_evicted, "flows ended to make room") \
	X(flows_refused, "flows refused: table, descriptors or memory at their cap") \
	X(tcp_accepted, "TCP connections the remote accepted") \
	X(tcp_refused, "TCP connections the remote or the host refused") \
	X(inbound_tcp, "TCP connections of clients of forwarded ports") \
	X(inbound_refused, "TCP connections of clients of forwarded ports that were reset: the container did not take them") \
	X(inbound_paused, "times accept() waited: half-open flows or descriptors at their cap") \
	X(inbound_udp, "UDP flows begun by clients of forwarded ports") \
	X(inbound_udp_dropped, "datagrams of clients of forwarded ports that no flow could take") \
	X(tcp_tx_segments, "TCP segments of the container for a connection that stands") \
	X(tcp_tx_bytes, "bytes of payload of TCP out of the container, over the tap") \
	X(tcp_rx_segments, "TCP segments or super-frames sent to the container") \
	X(tcp_rx_bytes, "bytes of payload of TCP into the container, over the tap") \
	X(tcp_reset_in, "resets from the container") \
	X(tcp_reset_out, "resets sent to the container") \
	X(tcp_orphans, "connections of an engine that died, reset by the next one") \
	X(tcp_badseg, "TCP segments outside the window or the state") \
	X(tcp_challenges_limited, "bad TCP segments without text that were not answered: too soon after the last") \
	X(tcp_outoforder, "TCP segments beyond the next expected byte") \
	X(tcp_ooo_dropped, "TCP segments beyond the next expected byte not kept: too many pieces") \
	X(tcp_paws, "TCP segments with an old timestamp") \
	X(tcp_retransmits, "segments sent again to the container") \
	X(tcp_timeouts, "retransmission time-outs") \
	X(tcp_near, "connections with much from right beside the host, whose window stays within 1 MiB") \
	X(tcp_held_bytes, "bytes that had to wait in hold buffers") \
	X(tcp_starved, "times the host had no memory for bytes that had to wait") \
	X(tcp_window_zero, "times the window shown to a container's flow closed") \
	X(udp_tx_datagrams, "UDP datagrams sent outside") \
	X(udp_rx_datagrams, "UDP datagrams received outside") \
	X(udp_tx_bytes, "bytes of payload of UDP out of the container") \
	X(udp_rx_bytes, "bytes of payload of UDP into the container") \
	X(udp_tx_error, "UDP datagrams the host did not take") \
	X(udp_other_port, "UDP flows at another port of the host than others of their endpoint") \
	X(dns_questions, "questions to the DNS forwarder") \
	X(dns_answers, "questions to the DNS forwarder that a resolver answered") \
	X(dns_own, "questions about the host's names, answered by the DNS forwarder itself") \
	X(dns_failed, "questions to the DNS forwarder that no resolver answered") \
	X(dns_asked, "datagrams sent to resolvers") \
	X(dns_next, "times another resolver was asked for the same question") \
	X(dns_strange, "answers of resolvers that were to no question, or not to this one") \
	X(dns_malformed, "questions to the DNS forwarder that are none") \
	X(dns_evicted, "questions to the DNS forwarder given up for newer ones") \
	X(network_changes, "times the host's network became another one") \
	X(late_turns, "times the engine did not run for a second though it was to (a suspend, SIGSTOP)") \
	X(splice_opened, "local connections joined socket to socket") \
	X(splice_refused, "local connections not joined: nobody listened, or no socket") \
	X(splice_reset, "joined connections ended by a reset of either side") \
	X(splice_bytes, "bytes that joined connections and datagrams carried") \
	X(splice_tx_bytes, "bytes of splice_bytes out of the container") \
	X(splice_udp, "local clients of UDP ports joined socket to socket") \
	X(splice_datagrams, "datagrams to and from joined local clients") \
	X(splice_datagrams_lost, "datagrams of joined local clients lost: no room, or no socket yet") \
	X(splice_no_pipe, "times there was no pipe for a joined connection, and bytes were copied") \
	X(icmp_tx_echo, "echo requests sent outside") \
	X(icmp_tx_bytes, "bytes of echo requests sent outside, from the ICMP header on") \
	X(icmp_rx_echo, "echo replies received outside") \
	X(icmp_rx_bytes, "bytes of echo replies received outside, from the ICMP header on") \
	X(icmp_own, "echo requests to our own addresses, answered") \
	X(icmp_no_socket, "echo requests without a ping socket (net.ipv4.ping_group_range)") \
	X(icmp_errors_sent, "ICMP errors sent to the container") \
	X(icmp_errors_limited, "ICMP errors not sent: too many") \
	X(icmp_errors_heeded, "ICMP errors of the container that ended a flow or told its path's MTU") \
	X(groups_joined, "multicast groups the container joined") \
	X(groups_left, "multicast groups the container left, or did not renew") \
	X(groups_refused, "reports of multicast groups refused: one group too many") \
	X(groups_queries, "general queries sent to the container") \
	X(groups_echoes, "copies of the container's own datagrams not given back to it") \
	X(arp_replies, "ARP replies sent") \
	X(nd_replies, "neighbour advertisements sent") \
	X(nd_router_adverts, "router advertisements sent") \
	X(dhcp_replies, "DHCP and BOOTP messages answered") \
	X(dhcp_naks, "DHCP messages answered by DHCPNAK") \
	X(dhcp6_replies, "DHCPv6 messages answered") \
	X(dhcp_ignored, "DHCP and DHCPv6 messages that get no answer") \
	X(capture_frames, "frames kept for captures at run time") \
	X(capture_dropped, "frames captures at run time had no room for: a slow reader")

struct counters {
#define X(name, text) uint64_t name;
	COUNTERS_TABLE(X)
#undef X
	uint64_t drop_wire[WIRE_ERR_COUNT];	/* malformed, by reason */
	/* The system call that ended a sealed process, for main's log (sandbox.h). */
	int32_t forbidden_engine, forbidden_nsagent;
	/* Turns of engines' loops that have ended, for main to see that they do (main/hang.h). */
	uint64_t turns;
};

#endif
