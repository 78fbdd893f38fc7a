/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine: the process that sees every frame and every flow, and nothing else. */
#ifndef MAIN_ENGINE_H
#define MAIN_ENGINE_H

#include "conf/netcfg.h"
#include "conf/resolv.h"
#include "flow/counters.h"
#include "flow/forward.h"
#include "flow/roster.h"
#include "flow/view.h"
#include "io/capture.h"
#include "io/framing.h"

struct engine_args {
	const struct conf *conf;
	const struct netcfg *net;
	struct forward *forwards;	/* listeners; the child's own copy of main's table */
	uint32_t nforwards;
	int tap_fd;			/* non-blocking; of a virtual machine: its connection, or -1 */
	struct framing *framing;	/* of a virtual machine, else NULL: where in the stream ... */
	uint32_t stream_seq;		/* ... of this number the engines are */
	uint32_t tap_features;		/* enum tun_feature, io/tun.h */
	struct capture_with capture;
	int rawping_fd[2];		/* io/rawping.h; -1: none */
	int main_fd;			/* SOCK_SEQPACKET to main; EOF: main is gone */
	struct counters *counters;	/* shared with main */
	struct tally *tallies;		/* too */
	struct view_page *page;		/* too: filled when main asks */
	struct roster *roster;		/* too: for the next engine (flow/roster.h) ... */
	uint32_t number;		/* ... and which engine this is in it */
	const struct resolvers *resolvers;	/* whom the DNS forwarder asks at first */
};

/*
 * Runs until main_fd closes; returns the process's exit status. Called in the
 * forked child after sandbox_engine(). Sends one struct msg_engine on main_fd
 * when it is sealed (sandbox.h) and about to wait for the first frame, and another if the container
 * deletes the interface; then it returns.
 */
int engine_main(const struct engine_args *args);

#endif
