/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suspend: tells that the machine slept. While it does, CLOCK_BOOTTIME goes on and
 * CLOCK_MONOTONIC does not; a timer that the kernel cancels when the wall clock jumps
 * (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET), as it does at a resume, says when to compare
 * them. Nothing wakes up in between.
 */
#ifndef IO_SUSPEND_H
#define IO_SUSPEND_H

#include <stdint.h>

#define SUSPEND_LEAST_MS	1000	/* what is shorter is none: clocks are set, too */

struct suspend {
	int fd;			/* poll for POLLIN; owned; -1: nobody tells */
	int64_t ahead_ms;	/* CLOCK_BOOTTIME before CLOCK_MONOTONIC, as last seen */
};

#define SUSPEND_INIT ((struct suspend){ .fd = -1 })

/* -errno: a kernel without such timers; fd is -1. */
int suspend_open(struct suspend *s);
void suspend_close(struct suspend *s);

/* To be called when fd is readable: the milliseconds slept, 0 if it was none. */
int64_t suspend_heard(struct suspend *s);

/* Its judgement: of both clocks' milliseconds. */
int64_t suspend_slept(struct suspend *s, int64_t boot_ms, int64_t mono_ms);

#endif
