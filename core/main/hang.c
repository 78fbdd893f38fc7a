/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/hang.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

/* On the clock of a process that is not ours: the kernel wants no right for that, in
 * whatever user namespace it is. 0 or -errno. */
static int arm(struct hang *h, pid_t pid)
{
	const struct itimerspec each = {
		.it_interval = { .tv_sec = HANG_LOOK_MS / 1000 },
		.it_value = { .tv_sec = HANG_LOOK_MS / 1000 },
	};
	struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = HANG_SIGNAL };
	clockid_t clock;
	int rc = clock_getcpuclockid(pid, &clock);

	if (rc != 0)
		return -rc;
	if (timer_create(clock, &how, &h->timer) < 0)
		return -errno;
	h->armed = true;
	if (timer_settime(h->timer, 0, &each, NULL) == 0)
		return 0;
	rc = -errno;
	hang_close(h);
	return rc;
}

void hang_follow(struct hang *h, const struct child *engine, uint64_t turns)
{
	int rc;

	if (h->pid == engine->pid && h->restarts == engine->restarts)
		return;
	hang_close(h);
	h->pid = engine->pid;
	h->restarts = engine->restarts;
	h->turns = turns;
	h->used_us = 0;
	rc = h->pid ? arm(h, h->pid) : 0;
	/* (ESRCH: it is dead already, and the next one has its own) */
	if (rc == 0 || rc == -ESRCH || h->said)
		return;
	h->said = true;
	log_debug("no timer on the engine's CPU time: %s; one that loops for ever is replaced when"
		  " it is told something, not before", strerror(-rc));
}

uint64_t hang_stuck_us(struct hang *h, uint64_t turns, uint64_t used_us)
{
	if (turns != h->turns || used_us < h->used_us) {
		h->turns = turns;
		h->used_us = used_us;
	}
	return used_us - h->used_us;
}

void hang_look(struct hang *h, struct child *engine, uint64_t turns)
{
	uint64_t used_us, stuck_us;

	/* the signal may be of the one before, and late */
	if (!h->armed || h->pid != engine->pid || h->restarts != engine->restarts)
		return;
	used_us = child_cpu_us(engine);
	if (!used_us)		/* dead, and about to be reaped */
		return;
	stuck_us = hang_stuck_us(h, turns, used_us);
	if (stuck_us >= HANG_MS * UINT64_C(1000))
		child_kill(engine, "it did not answer while it used %.1f s of CPU time (an endless loop?)",
			   (double)stuck_us / 1e6);
}

void hang_close(struct hang *h)
{
	if (h->armed)
		timer_delete(h->timer);
	h->armed = false;
	h->pid = 0;
}
