/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox: capabilities(7) by the system calls themselves, prctl(2),
 * getrlimit(2). What each stage keeps and why stands in sandbox.h.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "sandbox/alone.h"
#include "sandbox/calls.h"
#include "sandbox/filter.h"
#include "sandbox/sanitizer.h"

#define CAP_BIT(c)	(UINT64_C(1) << (c))
#define CAP_COUNT_MAX	64
#define AGENT_CAPS	(CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_NET_BIND_SERVICE))
#define UNTIL_SETTLED	(CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) | \
			 CAP_BIT(CAP_SETPCAP))

static int failed(struct err *e, const char *what)
{
	return err_set(e, ERR_PRIVILEGE, "cannot give up rights: %s: %s", what, strerror(errno));
}

/* The leak checker attaches to its own process, which this would forbid. */
static int set_undumpable(struct err *e)
{
	if (UNDER_SANITIZER)
		return 0;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? failed(e, "dumpable") : 0;
}

static int set_no_new_privs(struct err *e)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? failed(e, "no_new_privs") : 0;
}

static int get_caps(struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return (int)syscall(SYS_capget, &h, data);
}

static int set_caps(uint64_t keep)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(keep >> (32 * i));
		data[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &h, data);
}

/* The bounding set needs CAP_SETPCAP; who has it not can gain nothing by exec
 * either (no_new_privs), so that EPERM is no failure. */
static int drop_bounding(struct err *e)
{
	for (int cap = 0; cap < CAP_COUNT_MAX; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL || errno == EPERM)
				return 0;
			return failed(e, "bounding set");
		}
	return 0;
}

/* Whether nothing but `keep` is left, in any set. */
static int check_caps(uint64_t keep, struct err *e)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (get_caps(data) < 0)
		return failed(e, "capget");
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t k = (uint32_t)(keep >> (32 * i));

		if (data[i].permitted != k || data[i].effective != k || data[i].inheritable)
			return err_set(e, ERR_INTERNAL, "capabilities are still there after"
				       " having been given up");
	}
	return 0;
}

static int keep_caps(uint64_t keep, struct err *e)
{
	if (drop_bounding(e) < 0)
		return -1;
	/* EINVAL: a kernel before ambient capabilities has none */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return failed(e, "ambient set");
	if (set_caps(keep) < 0)
		return failed(e, "capset");
	return check_caps(keep, e);
}

int sandbox_main(struct err *e)
{
	const struct rlimit no_core = { 0, 0 };
	struct rlimit files;

	if (set_no_new_privs(e) < 0 || set_undumpable(e) < 0)
		return -1;
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return failed(e, "core files");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) < 0)
			return err_set(e, ERR_IO, "cannot raise the limit of open files: %s",
				       strerror(errno));
	}
	return 0;
}

static int become(const struct sandbox_who *who, struct err *lack)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (!who->uid || geteuid() != 0)
		return 0;
	if (alone_become(who->uid, who->gid, lack) < 0)
		return -1;
	/* Permitted they stayed; what follows needs some of them in effect. */
	if (get_caps(data) < 0 ||
	    set_caps((uint64_t)data[1].permitted << 32 | data[0].permitted) < 0)
		return failed(lack, "capabilities of another user than root");
	return 0;
}

/* Root makes the namespaces by its rights; anybody else, and a root that lacks them, in
 * a user namespace of its own. */
static int leave_all(const struct sandbox_who *who, struct err *lack)
{
	if (geteuid() == 0 && alone_enter(false, lack) == 0)
		return become(who, lack);
	*lack = ERR_INIT;
	return become(who, lack) < 0 ? -1 : alone_enter(true, lack);
}

/* Within the user namespace it entered. */
static int leave_files(const struct sandbox_who *who, struct err *lack)
{
	return alone_enter(false, lack) < 0 ? -1 : become(who, lack);
}

/* What cannot be had is told in *lack, and is the end of it where it must be had. */
static int stand_alone(int (*part)(const struct sandbox_who *who, struct err *lack),
		       const struct sandbox_who *who, struct err *lack, struct err *e)
{
	/* a sanitizer's runtime opens files when it has something to say */
	if (UNDER_SANITIZER || part(who, lack) == 0 || !who->strict)
		return 0;
	*e = *lack;
	return -1;
}

int sandbox_engine(const struct sandbox_who *who, struct err *lack, struct err *e)
{
	if (set_no_new_privs(e) < 0 || stand_alone(leave_all, who, lack, e) < 0 ||
	    keep_caps(0, e) < 0)
		return -1;
	return set_undumpable(e);	/* last: a change of credentials resets it */
}

int sandbox_nsagent(struct err *e)
{
	if (set_no_new_privs(e) < 0 || keep_caps(AGENT_CAPS | UNTIL_SETTLED, e) < 0)
		return -1;
	return set_undumpable(e);
}

int sandbox_settle(const struct sandbox_who *who, struct err *lack, struct err *e)
{
	if (stand_alone(leave_files, who, lack, e) < 0 || keep_caps(AGENT_CAPS, e) < 0)
		return -1;
	return set_undumpable(e);
}

int sandbox_seal_engine(volatile int32_t *seen, struct err *e)
{
	return filter_enter(CALLS_ENGINE, seen, e);
}

int sandbox_seal_nsagent(volatile int32_t *seen, struct err *e)
{
	return filter_enter(CALLS_NSAGENT, seen, e);
}

void sandbox_call_name(int32_t number, char *buf, size_t size)
{
	filter_call_name(number, buf, size);
}
