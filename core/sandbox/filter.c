/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1	/* <asm-generic/siginfo.h>, which glibc's headers exclude */
#endif

#include "sandbox/calls.h"
#include "sandbox/sanitizer.h"

/* Where the handler writes; the one thing it needs. */
static volatile int32_t *seen_call;

static void release(scmp_filter_ctx *ctx)
{
	seccomp_release(*ctx);		/* takes NULL */
}

static int failed(struct err *e, const char *what, int rc)
{
	return err_set(e, ERR_PRIVILEGE, "no filter of system calls: %s: %s", what, strerror(-rc));
}

/* SIGSYS is blocked in its own handler: when it comes again, the kernel does not
 * wait but kills. */
static void on_forbidden(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	*seen_call = info->si_code == SYS_SECCOMP ? info->si_syscall : -1;	/* -1: kill(1) */
	for (;;)
		syscall(SYS_getppid);
}

static int catch_forbidden(volatile int32_t *seen, struct err *e)
{
	const struct sigaction how = { .sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO };

	seen_call = seen;
	return sigaction(SIGSYS, &how, NULL) < 0 ? failed(e, "sigaction", -errno) : 0;
}

static int add(scmp_filter_ctx ctx, const struct call *c)
{
	int number = seccomp_syscall_resolve_name_arch(seccomp_arch_native(), c->name);
	struct scmp_arg_cmp checks[CALLS_CHECKS];
	unsigned int n;

	if (number < 0)		/* below 0: another architecture's */
		return 0;
	for (n = 0; n < CALLS_CHECKS && c->check[n].mask; n++)
		checks[n] = SCMP_CMP64(c->check[n].arg, SCMP_CMP_MASKED_EQ, c->check[n].mask,
				       c->check[n].own_pid ? (uint32_t)getpid()
							   : c->check[n].value);
	return seccomp_rule_add_array(ctx, c->refused ? SCMP_ACT_ERRNO(c->error) : SCMP_ACT_ALLOW,
				      number, n, checks);
}

static int add_all(scmp_filter_ctx ctx, uint32_t who)
{
	size_t n;
	const struct call *c = calls_table(&n);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		if (c[i].who & who)
			rc = add(ctx, &c[i]);
	return rc;
}

int filter_enter(uint32_t who, volatile int32_t *seen, struct err *e)
{
	scmp_filter_ctx ctx CLEANUP(release) = NULL;
	int rc;

	if (UNDER_SANITIZER)
		return failed(e, "a build with sanitizers", -ENOTSUP);
	ctx = seccomp_init(SCMP_ACT_TRAP);
	if (!ctx)
		return failed(e, "libseccomp", -ENOMEM);
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);	/* a tree, not a list */
	if (rc == 0)
		rc = add_all(ctx, who);
	if (rc < 0)
		return failed(e, "libseccomp", rc);
	if (catch_forbidden(seen, e) < 0)
		return -1;
	rc = seccomp_load(ctx);
	return rc < 0 ? failed(e, "kernel", rc) : 0;
}

void filter_call_name(int32_t number, char *buf, size_t size)
{
	char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number);

	snprintf(buf, size, "%s", name ? name : "unknown");
	free(name);
}
