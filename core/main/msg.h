/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg: what main, engine and nsagent say to each other over SOCK_SEQPACKET
 * pairs: fixed-size structs, each starting with its kind, each checked against
 * its exact size. A message of the wrong size or kind ends the conversation.
 */
#ifndef MAIN_MSG_H
#define MAIN_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pass.h"
#include "conf/netcfg.h"
#include "conf/resolv.h"
#include "flow/forward.h"
#include "io/capture.h"
#include "io/diag.h"

enum msg_kind {
	MSG_RUNNING = 1,	/* engine -> main: waiting for frames; nsagent -> main, where it was
				 * started again (struct msg_running): waiting for requests */
	MSG_SETUP,		/* main -> nsagent: make and configure the interface */
	MSG_SETUP_DONE,		/* nsagent -> main: outcome; carries the tap's descriptor on success */
	MSG_TAP_GONE,		/* engine -> main: the container deleted the interface */
	MSG_INNER_WANTED,	/* engine -> main: sockets of the container's namespace are short */
	MSG_INNER,		/* main -> nsagent: make some */
	MSG_INNER_DONE,		/* nsagent -> main -> engine: so many, with their descriptors */
	MSG_LISTEN,		/* main -> nsagent: listen on a port of the container's loopback */
	MSG_LISTEN_DONE,	/* nsagent -> main: outcome; carries the listener on success */
	MSG_FORWARD_OPEN,	/* main -> engine: one more listener; carries its descriptor */
	MSG_FORWARD_CLOSE,	/* main -> engine: close that one */
	MSG_WATCH,		/* main -> nsagent: the set-up is over, speak of ports */
	MSG_PORTS,		/* nsagent -> main: what the container listens on, when it changed */
	MSG_RESOLVERS,		/* main -> engine: whom the DNS forwarder asks from now on */
	MSG_SYNC,		/* main -> engine: say when all before this is done ... */
	MSG_SYNCED,		/* engine -> main: ... it is */
	MSG_VIEW,		/* main -> engine: fill the page that both share, with the flows from
				 * place idx on ... */
	MSG_VIEWED,		/* engine -> main: ... done */
	MSG_NETWORK,		/* main -> engine: the host's network is another now */
	MSG_MOVE,		/* main -> nsagent: so is what the interface shall have */
	MSG_MOVED,		/* nsagent -> main: outcome */
	MSG_RESUMED,		/* main -> engine: the machine slept */
	MSG_CAPTURE,		/* main -> engine: a capture at run time begins, or ends */
	MSG_STREAM,		/* main -> engine: a virtual machine connected; carries the descriptor */
	MSG_STREAM_GONE,	/* engine -> main: that connection is over */
	MSG_KIND_COUNT
};

/* All that the engine says to main. */
struct msg_engine {
	uint32_t kind;
	uint32_t pid;
	uint32_t proto, ipv4, count;	/* MSG_INNER_WANTED: as in struct msg_inner */
	uint32_t seq;		/* MSG_VIEWED: of the question; MSG_STREAM_GONE: the connection's */
	uint32_t why;		/* MSG_STREAM_GONE: an errno, 0: the other side closed it */
};

enum msg_tap {
	MSG_TAP_NEW,
	MSG_TAP_ADOPT,		/* or one that is there already (io/tun.h) */
	MSG_TAP_NONE,		/* the loopback alone */
	MSG_TAP_COUNT
};

struct msg_setup {
	uint32_t kind;
	uint32_t without;	/* enum conf_without */
	uint32_t tap;		/* enum msg_tap */
	struct netcfg net;
};

struct msg_setup_done {
	uint32_t kind;
	uint32_t features;	/* enum tun_feature */
	uint32_t ifindex;
	uint32_t ipv6_left_out;	/* 0 or 1: the namespace has no IPv6 and got none */
	struct err err;		/* code 0: done, one descriptor attached */
};

#define MSG_FDS_MAX	PASS_FDS_MAX	/* descriptors of one message */

/* MSG_INNER, and its answer, which may have fewer. */
struct msg_inner {
	uint32_t kind;
	uint32_t proto;		/* enum conf_proto */
	uint32_t ipv4;		/* 0 or 1 */
	uint32_t count;		/* of sockets: 1 to MSG_FDS_MAX, in the answer also 0 */
};

struct msg_listen {
	uint32_t kind;
	struct addr addr;	/* 127.0.0.0/8 or ::1 */
	uint16_t port;		/* not 0 */
	uint16_t proto;		/* enum conf_proto */
};

struct msg_listen_done {
	uint32_t kind;
	int32_t error;		/* 0, one descriptor attached; or -errno */
	struct addr addr;	/* as asked */
	uint16_t port;
	uint16_t proto;
};

struct msg_watch {
	uint32_t kind;
};

struct msg_running {
	uint32_t kind;
};

struct msg_ports {
	uint32_t kind;
	uint32_t proto;		/* enum conf_proto */
	struct diag_ports ports;	/* as others reach them ... */
	struct diag_ports loopback[2];	/* ... and by 127.0.0.1, ::1 */
};

/* What main says to the engine, but for MSG_INNER_DONE and MSG_RESOLVERS. */
struct msg_forward {
	uint32_t kind;
	uint32_t idx;		/* place in the table of listeners; MSG_VIEW: of flows */
	uint32_t seq;		/* MSG_VIEW: of the question, which an answer names */
	struct forward forward;	/* MSG_FORWARD_OPEN; its sock means nothing */
};

struct msg_resolvers {
	uint32_t kind;
	struct resolvers resolvers;
};

struct msg_network {
	uint32_t kind;
	struct netcfg net;
};

struct msg_capture {
	uint32_t kind;
	uint32_t place;		/* below CAPTURES */
	struct capture_order order;
};

struct msg_stream {
	uint32_t kind;
	uint32_t seq;		/* not 0 */
};

/* Main says what was set, since a nsagent that was restarted does not know it. */
struct msg_move {
	uint32_t kind;
	uint32_t nold;		/* so many of now's addresses, the last, are not to begin anything */
	struct netcfg was, now;	/* the same interface's */
};

struct msg_moved {
	uint32_t kind;
	uint32_t ipv6_left_out;	/* 0 or 1: as in struct msg_setup_done */
	struct err err;		/* the first thing that could not be done; all else was */
};

/* Sends one message with an optional descriptor (fd < 0: none). 0 or -errno. */
int msg_send(int sock, const void *msg, size_t len, int fd);

/*
 * Receives one message of exactly len bytes and, if fd is not NULL, at most one
 * descriptor (close-on-exec; *fd is -1 if none came). Returns 0, -EPIPE at end
 * of file, -errno, or -EBADMSG for any other size and for descriptors that
 * were not asked for; those are closed, and msg's bytes mean nothing then.
 */
int msg_recv(int sock, void *msg, size_t len, int *fd);

/* The same with n descriptors, or up to MSG_FDS_MAX of them, which become the
 * caller's; fewer may come than were sent, as the limit of open files has it. Neither
 * waits: -EAGAIN. */
int msg_send_fds(int sock, const void *msg, size_t len, const int *fd, uint32_t n);
int msg_recv_fds(int sock, void *msg, size_t len, int fd[MSG_FDS_MAX], uint32_t *n);

void msg_close_fds(const int *fd, uint32_t n);

/* Waits for the next message and tells its kind without taking it, so that the
 * receiver can look its size up. 0, -EPIPE at end of file, -EBADMSG for a
 * message too short to have a kind, or -errno. */
int msg_peek_kind(int sock, uint32_t *kind);

/* Whether every field of a received message may be believed: kind, counts and
 * prefix lengths within their arrays, strings terminated, flags 0 or 1. To be
 * asked before any of them is used. */
bool msg_ports_ok(const struct msg_ports *m);
bool msg_forward_ok(const struct msg_forward *m);
bool msg_resolvers_ok(const struct msg_resolvers *m);
bool msg_capture_ok(const struct msg_capture *m);
bool msg_stream_ok(const struct msg_stream *m);
bool msg_engine_ok(const struct msg_engine *m);
bool msg_setup_ok(const struct msg_setup *m);
bool msg_network_ok(const struct msg_network *m);
bool msg_move_ok(const struct msg_move *m);
bool msg_moved_ok(const struct msg_moved *m);
/* n: descriptors that came with it, not more than it says. */
bool msg_inner_ok(const struct msg_inner *m);
bool msg_inner_done_ok(const struct msg_inner *m, uint32_t n);
bool msg_listen_ok(const struct msg_listen *m);
bool msg_listen_done_ok(const struct msg_listen_done *m);
bool msg_setup_done_ok(const struct msg_setup_done *m);

#endif
