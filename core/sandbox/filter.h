/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter: the table of calls.h as a seccomp filter, by libseccomp. What is not in it
 * ends the process: the kernel sends SIGSYS, whose handler writes down which call it
 * was and is then killed by a second one. Nothing can be done about that from
 * inside: the program text is read-only, there is one thread, and rt_sigaction() is not
 * in the table, so that the handler stays. (SECCOMP_RET_KILL_PROCESS would not
 * tell anybody which call it was.) A call of a foreign architecture kills at once.
 */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* From here on the calling process makes the calls of `who` (CALLS_ENGINE ...) and no
 * others, for ever. *seen, in memory shared with who is to know, becomes the
 * number of the one that ended it. 0, or -1 with *e: not in this build or by this
 * kernel, and nothing changed. */
int filter_enter(uint32_t who, volatile int32_t *seen, struct err *e);

/* The name of a system call of this machine; "unknown". */
void filter_call_name(int32_t number, char *buf, size_t size);

#endif
