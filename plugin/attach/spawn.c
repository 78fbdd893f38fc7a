/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "plugin/attach/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

/* What the two children tell before there is a core: the daemon's number, then
 * an errno if it could not be executed. */
struct report {
	int32_t pid;
	int32_t err;
};

#define REPORT_FD	HANDOFF_FD_END		/* closed by the exec */
#define HIGH_FD		16			/* clear of all the numbers above */

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static int core_from_env(const char *path, char ret[CONF_PATH_MAX], struct err *e)
{
	char full[PATH_MAX];

	/* Made absolute: the daemon starts in the root folder. */
	if (!realpath(path, full) || strlen(full) >= CONF_PATH_MAX || !is_program(full)) {
		err_set(e, ERR_ENV, "CNI_PASST_CORE: \"%.200s\" is not an executable file", path);
		return err_hint(e, "unset it to use the installed core");
	}
	strcpy(ret, full);
	return 0;
}

int spawn_find_core(char ret[CONF_PATH_MAX], struct err *e)
{
	/* From the executable's folder: the build tree (plugin/ and top), then an
	 * installation that was moved as a whole (libexec/cni, libexec/oci/hooks.d, or
	 * the core's own folder). */
	static const char *const beside[] = { "../core", "core", "../cni-passt", "../../cni-passt", "." };
	const char *env = secure_getenv("CNI_PASST_CORE");
	char self[CONF_PATH_MAX];
	ssize_t n;

	if (env && env[0])
		return core_from_env(env, ret, e);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; n > 0 && i < ARRAY_LEN(beside); i++)
		if (snprintf(ret, CONF_PATH_MAX, "%s/%s/" SPAWN_CORE_NAME, self, beside[i]) <
		    CONF_PATH_MAX && is_program(ret))
			return 0;
	snprintf(ret, CONF_PATH_MAX, "%s", PKGLIBEXECDIR "/" SPAWN_CORE_NAME);
	if (is_program(ret))
		return 0;
	err_set(e, ERR_IO, "the daemon's program " SPAWN_CORE_NAME " is not beside %s and not in "
		PKGLIBEXECDIR, self);
	return err_hint(e, "install cni-passt whole, or name the program in CNI_PASST_CORE");
}

/* From here to exec_core: the child's side. Only async-signal-safe calls. */

static void close_others(int from)
{
	struct rlimit lim;

	if (close_range((unsigned int)from, ~0U, 0) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur > 65536)
		lim.rlim_cur = 65536;
	for (int fd = from; fd < (int)lim.rlim_cur; fd++)
		close(fd);
}

/* Puts the descriptors to their numbers. All go up first: a source may stand
 * where another's place is. */
static int place_fds(const struct spawn_fds *fds, bool keep_stderr, int front, int *report)
{
	const struct { int from, to; } map[] = {
		{ fds->conf, HANDOFF_FD_CONF },	  { front, HANDOFF_FD_FRONT },
		{ fds->netns, HANDOFF_FD_NETNS }, { fds->state, HANDOFF_FD_STATE },
		{ fds->life, HANDOFF_FD_LIFE },	  { fds->owner, HANDOFF_FD_OWNER },
		{ fds->place, HANDOFF_FD_PLACE }, { *report, REPORT_FD },
	};
	int high[ARRAY_LEN(map)], null;

	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		high[i] = map[i].from < 0 ? -1 : fcntl(map[i].from, F_DUPFD_CLOEXEC, HIGH_FD);
		if (map[i].from >= 0 && high[i] < 0)
			return -errno;
	}
	*report = high[ARRAY_LEN(map) - 1];
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	for (int fd = 0; fd < (keep_stderr ? STDERR_FILENO : 3); fd++)
		if (null == fd ? fcntl(fd, F_SETFD, 0) < 0 : dup2(null, fd) < 0)
			return -errno;
	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		if (high[i] < 0)
			close(map[i].to);
		else if (dup3(high[i], map[i].to, map[i].to == REPORT_FD ? O_CLOEXEC : 0) < 0)
			return -errno;
	}
	*report = REPORT_FD;
	close_others(REPORT_FD + 1);
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void tell(int fd, struct report r)
{
	/* If the reader is gone there is nobody left to tell. */
	_exit(write(fd, &r, sizeof(r)) == sizeof(r) ? 0 : 1);
}

static _Noreturn void exec_core(const struct spawn_program *p, const struct spawn_fds *fds, int front,
				int report)
{
	char *const argv[] = { (char *)SPAWN_CORE_NAME, (char *)p->word, NULL };
	int r;

	reset_signals();
	/* The caller's folder is not to stay busy for our sake. */
	r = chdir("/") < 0 ? -errno : place_fds(fds, p->keep_stderr, front, &report);
	if (r == 0) {
		execve(p->core, argv, environ);
		r = -errno;
	}
	tell(report, (struct report){ .err = -r });
}

/* A session of its own and then a child of that: not a session leader, so it
 * can never get a terminal. */
static _Noreturn void detach(const struct spawn_program *p, const struct spawn_fds *fds, int front,
			     int report)
{
	pid_t pid;

	setsid();
	pid = fork();
	if (pid == 0)
		exec_core(p, fds, front, report);
	tell(report, (struct report){ .pid = pid, .err = pid < 0 ? errno : 0 });
}

/* Reads both reports; EOF means that the exec closed the pipe: it worked. */
static int read_reports(int fd, pid_t *pid)
{
	struct report r;
	int err = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, &r, sizeof(r));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof(r))
			return err ? -err : *pid > 0 ? 0 : -EIO;
		if (r.pid > 0)
			*pid = r.pid;
		if (r.err)
			err = r.err;
	}
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int spawn_exec(const struct spawn_program *what, const struct spawn_fds *fds, int front,
	       pid_t *ret)
{
	FD_OWNED int rd = -1;
	FD_OWNED int wr = -1;
	int p[2], r;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	rd = p[0];
	wr = p[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		detach(what, fds, front, wr);
	fd_drop(&wr);
	*ret = 0;
	r = read_reports(rd, ret);
	reap(pid);
	return r;
}

/* Our end into s; returns the core's, or -1 with *e. */
static int make_pair(struct spawn *s, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, ERR_IO, "socketpair: %s", strerror(errno));
	s->sock = pair[0];
	return pair[1];
}

int spawn_via(struct spawn *s, const struct via *v, enum via_verb verb,
	      const struct spawn_fds *fds, struct err *e)
{
	FD_OWNED int front = make_pair(s, e);
	const int fd[VIA_FDS_MAX] = {
		[HANDOFF_FD_CONF - HANDOFF_FD_CONF] = fds->conf,
		[HANDOFF_FD_FRONT - HANDOFF_FD_CONF] = front,
		[HANDOFF_FD_NETNS - HANDOFF_FD_CONF] = fds->netns,
		[HANDOFF_FD_STATE - HANDOFF_FD_CONF] = fds->state,
		[HANDOFF_FD_LIFE - HANDOFF_FD_CONF] = fds->life,
		[HANDOFF_FD_OWNER - HANDOFF_FD_CONF] = fds->owner,
		[HANDOFF_FD_PLACE - HANDOFF_FD_CONF] = fds->place,
	};

	if (front < 0)
		return -1;
	s->brokered = true;
	if (via_start(v, verb, fd, &s->pid, e) == 0)
		return 0;
	spawn_end(s);
	return -1;
}

int spawn_start(struct spawn *s, const char *core, const char *word,
		const struct spawn_fds *fds, struct err *e)
{
	const struct spawn_program what = { .core = core, .word = word,
					    .keep_stderr = s->keep_stderr };
	FD_OWNED int front = make_pair(s, e);
	int r;

	if (front < 0)
		return -1;
	/* What the core starts comes to us if the core dies, so that a failed
	 * start can wait for all of it. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = spawn_exec(&what, fds, front, &s->pid);
	if (r == 0)
		return 0;
	spawn_end(s);
	return err_set(e, ERR_IO, "cannot start %.200s: %s", core, strerror(-r));
}

/* waitpid with an end: 0 on time-out. */
static pid_t reap_one(pid_t child, int *status, int timeout_ms)
{
	const struct timespec turn = { .tv_nsec = 1000000 };
	int64_t end = clock_ms() + timeout_ms;
	pid_t pid;

	while ((pid = waitpid(child, status, WNOHANG)) == 0 && clock_ms() < end)
		nanosleep(&turn, NULL);
	return pid;
}

/* The core closed its end: say how it ended, for its own words are lost. */
static int core_gone(struct spawn *s, struct err *e)
{
	int status = 0;
	pid_t pid = reap_one(s->pid, &status, SPAWN_END_MS);

	if (pid == s->pid)
		s->pid = 0;
	if (pid > 0 && WIFSIGNALED(status))
		err_set(e, ERR_INTERNAL, "the daemon was killed by signal %d (%s) while starting",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (pid > 0)
		err_set(e, ERR_INTERNAL, "the daemon ended with status %d while starting,"
			" without a word", WEXITSTATUS(status));
	else
		err_set(e, ERR_INTERNAL, "the daemon hung up while starting, without a word");
	return err_hint(e, "its log (syslog, or what \"log\" says) may tell more");
}

static int take_ready(struct spawn *s, struct ready *ret, struct err *e)
{
	struct ready r;
	ssize_t n = recv(s->sock, &r, sizeof(r), MSG_TRUNC);

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return core_gone(s, e);
	if (n < 0)
		return err_set(e, ERR_IO, "the daemon's answer: %s", strerror(errno));
	if (n != sizeof(r) || r.magic != HANDOFF_MAGIC) {
		err_set(e, ERR_INTERNAL, "the daemon is of another version (answer of %zd bytes,"
			" not %zu)", n, sizeof(r));
		return err_hint(e, "install cni-passt and " SPAWN_CORE_NAME " together");
	}
	r.err.msg[ERR_MSG_MAX - 1] = '\0';
	r.err.details[ERR_DETAILS_MAX - 1] = '\0';
	if (r.err.code) {
		if (e)
			*e = r.err;
		return -1;
	}
	if (r.net.naddresses > CONF_ADDRS_MAX || r.net.nroutes > CONF_ROUTES_MAX)
		return err_set(e, ERR_INTERNAL, "the daemon's answer does not make sense");
	r.net.ifname[CONF_IFNAME_MAX] = '\0';
	r.net.outer_ifname4[CONF_IFNAME_MAX] = '\0';
	r.net.outer_ifname6[CONF_IFNAME_MAX] = '\0';
	*ret = r;
	return 0;
}

int spawn_wait(struct spawn *s, struct ready *ret, struct err *e)
{
	struct pollfd p[] = { { .fd = s->sock, .events = POLLIN },
			      { .fd = s->stop_fd, .events = POLLIN } };
	int64_t end = clock_ms() + HANDOFF_TIMEOUT_MS, left;
	int n;

	do {
		left = end - clock_ms();
		n = poll(p, ARRAY_LEN(p), left > 0 ? (int)left : 0);
	} while ((n < 0 && errno == EINTR) || (n == 0 && left > 0));
	if (n < 0)
		return err_set(e, ERR_IO, "poll: %s", strerror(errno));
	if (n == 0)
		return err_set(e, ERR_IO, "the daemon is not ready after %d s",
			       HANDOFF_TIMEOUT_MS / 1000);
	if (p[1].revents)
		return err_set(e, ERR_AGAIN, "interrupted by a signal");
	return take_ready(s, ret, e);
}

int spawn_say(struct spawn *s, char word, struct err *e)
{
	if (send(s->sock, &word, 1, MSG_NOSIGNAL) == 1)
		return 0;
	return err_set(e, ERR_IO, "the daemon ended before the attachment was complete: %s",
		       strerror(errno));
}

/* Waits until no child is left; false on time-out. */
static bool reap_all(int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms, left = timeout_ms;
	pid_t pid;

	do {
		pid = reap_one(-1, NULL, left > 0 ? (int)left : 0);
		left = end - clock_ms();
	} while (pid > 0);
	return pid < 0;
}

void spawn_end(struct spawn *s)
{
	/* Closing tells the core that nobody will commit: it undoes everything. */
	fd_drop(&s->sock);
	if (s->brokered) {
		s->pid = 0;
		return;
	}
	if (s->pid > 0)
		kill(s->pid, SIGTERM);
	if (!reap_all(SPAWN_END_MS) && s->pid > 0) {
		kill(s->pid, SIGKILL);
		reap_all(SPAWN_END_MS);
	}
	s->pid = 0;
}
