/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)
#define NOT_FOUND	127	/* what shells say of a program that is not there ... */
#define NOT_EXECUTED	126	/* ... and of one that cannot be executed */

/* What the first process is told at its start, and tells when it is set up. */
struct plan {
	char *const *argv;
	uid_t uid;
	gid_t gid;
	bool pidns;
	int ready, go;		/* an errno to the caller; a byte from it */
};

void command_signals(sigset_t *ret)
{
	static const int list[] = { SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		sigaddset(ret, list[i]);
}

/* --- the first process -------------------------------------------------------- */

static int write_file(const char *path, const char *text)
{
	FD_OWNED int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Root in there is the caller outside, and nobody else is anybody (user_namespaces(7)). */
static int map_ids(const struct plan *p)
{
	char text[64];
	int rc;

	snprintf(text, sizeof(text), "0 %u 1\n", p->uid);
	rc = write_file("/proc/self/uid_map", text);
	if (rc == 0)
		rc = write_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1\n", p->gid);
	return rc < 0 ? rc : write_file("/proc/self/gid_map", text);
}

/* Where the caller is in a container that hides parts of /proc none can be mounted:
 * then the outer one stays. ping works without a right where it is let. */
static void set_up_rest(bool pidns)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && pidns)
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	write_file("/proc/sys/net/ipv4/ping_group_range", "0 0");
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static _Noreturn void exec_program(const struct plan *p)
{
	char *const *const argv = p->argv;
	const char *shell = getenv("SHELL");
	char name[256];
	char *const login[] = { name, NULL };
	const char *program;
	sigset_t none;

	if (!p->pidns)	/* where there is one the kernel ends it */
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!shell || !shell[0])
		shell = "/bin/sh";
	snprintf(name, sizeof(name), "-%s", base_name(shell));	/* a login shell */
	program = argv ? argv[0] : shell;
	execvp(program, argv ? argv : login);
	fprintf(stderr, "pasta: cannot run %.200s: %s\n", program, strerror(errno));
	_exit(errno == ENOENT ? NOT_FOUND : NOT_EXECUTED);
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* One signal: of a child's end, or to be passed on. True, and its status, when `pid`
 * has ended. What a terminal or the kernel sent, the whole group got. */
static bool take_signal(const sigset_t *set, pid_t pid, bool reap_all, int *status)
{
	siginfo_t si;
	pid_t got;
	int s;

	if (sigwaitinfo(set, &si) < 0)
		return false;
	if (si.si_signo != SIGCHLD) {
		if (si.si_code != SI_KERNEL)
			kill(pid, si.si_signo);
		return false;
	}
	while ((got = waitpid(reap_all ? -1 : pid, &s, WNOHANG)) > 0)
		if (got == pid) {
			*status = status_of(s);
			return true;
		}
	return false;
}

static int wait_for(pid_t pid, bool reap_all)
{
	int status = 0;
	sigset_t set;

	command_signals(&set);
	while (!take_signal(&set, pid, reap_all, &status))
		continue;
	return status;
}

static _Noreturn void run_first(const struct plan *p)
{
	int error;
	pid_t pid;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_NAME, "pasta-init", 0, 0, 0);
	error = -map_ids(p);
	if (!error)
		set_up_rest(p->pidns);
	if (write(p->ready, &error, sizeof(error)) != sizeof(error) || error)
		_exit(1);
	/* End of file: the caller has died, perhaps before the line on top. */
	if (read(p->go, &c, 1) != 1)
		_exit(1);
	pid = fork();
	if (pid == 0)
		exec_program(p);
	_exit(pid < 0 ? NOT_EXECUTED : wait_for(pid, p->pidns));
}

/* --- the caller's side -------------------------------------------------------- */

static int explain(int error, struct err *e)
{
	err_set(e, error == EPERM || error == EACCES || error == ENOSPC ? ERR_PRIVILEGE : ERR_IO,
		"cannot make a user namespace: %s", strerror(error));
	return err_hint(e, "see the sysctls kernel.unprivileged_userns_clone,"
			" kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces");
}

int command_start(struct command *c, char *const argv[], bool pidns, struct err *e)
{
	struct plan p = { .argv = argv, .uid = geteuid(), .gid = getegid(), .pidns = pidns };
	const unsigned long spaces = NAMESPACES | (pidns ? CLONE_NEWPID : 0);
	FD_OWNED int ready_rd = -1;
	FD_OWNED int ready_wr = -1;
	FD_OWNED int go_rd = -1;
	int ready[2], go[2], error = 0;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_set(e, ERR_IO, "pipe: %s", strerror(errno));
	ready_rd = ready[0];
	p.ready = ready_wr = ready[1];
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(e, ERR_IO, "pipe: %s", strerror(errno));
	p.go = go_rd = go[0];
	c->go = go[1];
	fflush(NULL);
	c->pid = (pid_t)syscall(SYS_clone, spaces | SIGCHLD, NULL, NULL, NULL, NULL);
	if (c->pid == 0) {
		close(c->go);
		close(ready_rd);
		run_first(&p);
	}
	if (c->pid < 0) {
		error = errno;
		c->pid = 0;
	}
	fd_drop(&ready_wr);
	if (!error && read(ready_rd, &error, sizeof(error)) != sizeof(error))
		error = EIO;
	if (!error)
		return 0;
	command_end(c);
	return explain(error, e);
}

void command_go(struct command *c)
{
	if (write(c->go, "", 1) < 0)
		kill(c->pid, SIGKILL);	/* it is gone already */
	fd_drop(&c->go);
}

int command_wait(struct command *c)
{
	int status = wait_for(c->pid, false);

	c->pid = 0;
	return status;
}

void command_end(struct command *c)
{
	fd_drop(&c->go);
	if (c->pid) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	c->pid = 0;
}
