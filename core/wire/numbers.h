/* SPDX-License-Identifier: GPL-2.0-or-later */
/* numbers: protocol constants, each with its source. Lengths stand with the
 * header they belong to. */
#ifndef WIRE_NUMBERS_H
#define WIRE_NUMBERS_H

/* EtherTypes (IANA ieee-802-numbers) */
enum { ETYPE_IP4 = 0x0800, ETYPE_ARP = 0x0806, ETYPE_IP6 = 0x86dd };

/* Protocol numbers (IANA protocol-numbers; RFC 8200, 4 for the extension headers) */
enum {
	PROTO_HOPOPT = 0, PROTO_ICMP = 1, PROTO_IGMP = 2, PROTO_TCP = 6, PROTO_UDP = 17,
	PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_ICMP6 = 58,
	PROTO_NONE = 59, PROTO_DSTOPTS = 60, PROTO_SCTP = 132,
};

/* ICMP types and codes (RFC 792, RFC 1122 3.2.2.1, RFC 1191, RFC 1812 5.2.7.1) */
enum {
	ICMP4_ECHO_REPLY = 0, ICMP4_UNREACH = 3, ICMP4_ECHO = 8, ICMP4_TIMEX = 11,
	ICMP4_UNREACH_NET = 0, ICMP4_UNREACH_HOST = 1, ICMP4_UNREACH_PROTO = 2,
	ICMP4_UNREACH_PORT = 3, ICMP4_UNREACH_FRAG = 4, ICMP4_UNREACH_ADMIN = 13,
	ICMP4_QUENCH = 4, ICMP4_REDIRECT = 5, ICMP4_PARAM = 12,
	ICMP4_TIMEX_REASSEMBLY = 1,
};

/* ICMPv6 types and codes (RFC 4443; RFC 4861 for 133-137) */
enum {
	ICMP6_UNREACH = 1, ICMP6_TOOBIG = 2, ICMP6_TIMEX = 3, ICMP6_PARAM = 4,
	ICMP6_ECHO = 128, ICMP6_ECHO_REPLY = 129,
	ICMP6_RS = 133, ICMP6_RA = 134, ICMP6_NS = 135, ICMP6_NA = 136, ICMP6_REDIRECT = 137,
	ICMP6_UNREACH_NOROUTE = 0, ICMP6_UNREACH_ADMIN = 1, ICMP6_UNREACH_ADDR = 3,
	ICMP6_UNREACH_PORT = 4,
	ICMP6_TIMEX_REASSEMBLY = 1,
	ICMP6_PARAM_HEADER = 0, ICMP6_PARAM_NEXT = 1, ICMP6_PARAM_OPTION = 2,
	ICMP6_PARAM_CHAIN = 3,	/* RFC 7112, 5 */
};

/* IGMP types (RFC 1112, RFC 2236, RFC 3376, 4), MLD types (RFC 2710, 3; RFC 3810, 5) */
enum {
	IGMP_QUERY = 0x11, IGMP1_REPORT = 0x12, IGMP2_REPORT = 0x16, IGMP_LEAVE = 0x17,
	IGMP3_REPORT = 0x22,
	MLD_QUERY = 130, MLD_REPORT = 131, MLD_DONE = 132, MLD2_REPORT = 143,
};

/* Group record types of IGMPv3 and MLDv2 (RFC 3376, 4.2.12; RFC 3810, 5.2.12) */
enum {
	GROUP_IS_INCLUDE = 1, GROUP_IS_EXCLUDE = 2, GROUP_TO_INCLUDE = 3, GROUP_TO_EXCLUDE = 4,
	GROUP_ALLOW = 5, GROUP_BLOCK = 6,
};

/* Hop limit of ND messages (RFC 4861, 7.1) and of what we make ourselves
 * (RFC 1700 / IANA ip-parameters) */
enum { ND_HOPLIMIT = 255, IP_DEFAULT_TTL = 64 };

/* TCP option kinds (IANA tcp-parameters) */
enum {
	TCPO_END = 0, TCPO_NOP = 1, TCPO_MSS = 2, TCPO_WSCALE = 3, TCPO_SACK_OK = 4,
	TCPO_SACK = 5, TCPO_TS = 8,
};

/* Neighbor Discovery options (RFC 4861, 4.6) */
enum { NDO_SLLA = 1, NDO_TLLA = 2 };

/* ARP (RFC 826; IANA arp-parameters) */
enum { ARP_HW_ETHER = 1 };

#endif
