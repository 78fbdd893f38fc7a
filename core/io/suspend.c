/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/suspend.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define NEVER_S	INT32_MAX	/* 68 years */

static int64_t boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Far from now. */
static int arm(int fd)
{
	struct itimerspec its = { .it_value.tv_nsec = 0 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	its.it_value.tv_sec = now.tv_sec + NEVER_S;
	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL) < 0 ?
	       -errno : 0;
}

int suspend_open(struct suspend *s)
{
	FD_OWNED int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	int rc = fd < 0 ? -errno : arm(fd);

	*s = SUSPEND_INIT;
	if (rc < 0)
		return rc;
	s->ahead_ms = boot_ms() - clock_ms();
	s->fd = fd_take(&fd);
	return 0;
}

void suspend_close(struct suspend *s)
{
	fd_drop(&s->fd);
}

int64_t suspend_slept(struct suspend *s, int64_t boot, int64_t mono)
{
	int64_t slept = boot - mono - s->ahead_ms;

	s->ahead_ms = boot - mono;
	return slept >= SUSPEND_LEAST_MS ? slept : 0;
}

int64_t suspend_heard(struct suspend *s)
{
	uint64_t count;

	/* ECANCELED; and the next time is heard of in any case */
	if (read(s->fd, &count, sizeof(count)) < 0 && errno == EAGAIN)
		return 0;
	if (arm(s->fd) < 0)
		suspend_close(s);
	return suspend_slept(s, boot_ms(), clock_ms());
}
