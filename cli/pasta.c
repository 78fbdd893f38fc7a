/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/pasta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/outer.h"
#include "cli/passt.h"
#include "cli/user.h"
#include "plugin/attach/attach.h"
#include "plugin/attach/front.h"
#include "plugin/attach/life.h"
#include "plugin/attach/resolv.h"

#define NETNS_FOLDER	"/run/netns/"	/* ip-netns(8) */
#define END_MS		4000		/* patience for the daemon's end */
#define ID_TRIES	16		/* numbers of processes come again */

struct pasta {
	struct options *o;
	struct attach a;
	struct command command;
	int stop_fd;			/* signals that interrupt the start */
	int pid_fd;			/* the file of --pid */
	int sock_fd;			/* of a virtual machine, until the attachment has it */
};

/* --- before the start --------------------------------------------------------- */

/* An ordinary user without XDG_RUNTIME_DIR has a folder of his own all the same:
 * the usual place of that, or one in /tmp. */
static int find_runtime_dir(struct err *e)
{
	const char *set = getenv("XDG_RUNTIME_DIR");
	char path[64];
	struct stat st;

	if ((set && set[0]) || access("/run", W_OK) == 0)
		return 0;
	snprintf(path, sizeof(path), "/run/user/%u", geteuid());
	if (stat(path, &st) < 0 || st.st_uid != geteuid()) {
		snprintf(path, sizeof(path), "/tmp/cni-passt-%u", geteuid());
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
		if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
		    (st.st_mode & 077)) {
			err_set(e, ERR_PRIVILEGE, "%s is not this user's own folder", path);
			return err_hint(e, "set XDG_RUNTIME_DIR");
		}
	}
	return setenv("XDG_RUNTIME_DIR", path, 1) < 0
		? err_set(e, ERR_IO, "XDG_RUNTIME_DIR: %s", strerror(errno)) : 0;
}

static int hold_signals(struct pasta *p, struct err *e)
{
	sigset_t set;

	command_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	p->stop_fd = front_hold_signals();
	return p->stop_fd < 0 ? err_set(e, ERR_IO, "signalfd: %s", strerror(errno)) : 0;
}

/* Before anything is made, so that a wrong path costs nothing; and whole until the new
 * number is there: it may be that of another one, who has what we want. */
static int open_pid_file(struct pasta *p, struct err *e)
{
	const char *path = p->o->pid_file;

	if (!path)
		return 0;
	p->pid_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return p->pid_fd < 0 ? err_set(e, ERR_IO, "--pid: %.200s: %s", path, strerror(errno)) : 0;
}

static int write_pid(struct pasta *p, struct err *e)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", p->a.daemon_pid);

	if (p->pid_fd >= 0 && (write(p->pid_fd, text, (size_t)n) != n ||
			       (ftruncate(p->pid_fd, n) < 0 && errno != EINVAL)))
		return err_set(e, ERR_IO, "--pid: %.200s: %s", p->o->pid_file, strerror(errno));
	return 0;
}

/* --- where -------------------------------------------------------------------- */

static int find_netns(const char *spec, char ret[CONF_PATH_MAX], struct err *e)
{
	char full[PATH_MAX];
	bool name = !strchr(spec, '/');
	int n;

	if (name) {
		n = snprintf(ret, CONF_PATH_MAX, NETNS_FOLDER "%s", spec);
	} else if (spec[0] == '/') {
		/* As it was given: a link's own end is the namespace's. */
		n = snprintf(ret, CONF_PATH_MAX, "%s", spec);
	} else {
		if (!realpath(spec, full))
			return err_set(e, ERR_NETNS, "network namespace %.200s: %s", spec,
				       strerror(errno));
		n = snprintf(ret, CONF_PATH_MAX, "%s", full);
	}
	return n < CONF_PATH_MAX ? 0 : err_set(e, ERR_NETNS, "--netns: the path is too long");
}

/* Which user namespace has the rights the kernel says (io/ns.h): what is given can
 * only be right or wrong. */
static int check_userns(const struct options *o, struct err *e)
{
	if (o->userns && access(o->userns, R_OK) < 0)
		return err_set(e, ERR_NETNS, "--userns: %.200s: %s", o->userns, strerror(errno));
	return 0;
}

static int find_place(struct pasta *p, struct err *e)
{
	struct options *o = p->o;
	char *path = o->conf.netns_path;

	if (o->guest) {
		p->sock_fd = passt_open_socket(o, e);
		return p->sock_fd < 0 ? -1 : 0;
	}
	if (check_userns(o, e) < 0)
		return -1;
	if (o->netns)
		return find_netns(o->netns, path, e);
	if (!o->pid && command_start(&p->command, o->command, !o->no_pidns, e) < 0)
		return -1;
	snprintf(path, CONF_PATH_MAX, "/proc/%d/ns/net", o->pid ? o->pid : p->command.pid);
	return 0;
}

static int name_interface(struct options *o)
{
	if (o->guest)
		strcpy(o->conf.ifname, PASST_IFNAME);
	else if (o->conf.splice_only)
		strcpy(o->conf.ifname, "lo");	/* all there is */
	else if (o->ifname)
		strcpy(o->conf.ifname, o->ifname);
	else
		outer_ifname(&o->conf, o->conf.ifname);
	return 0;
}

/* --- the attachment ----------------------------------------------------------- */

/* As open_attachment() names them: a runtime's "pasta-web" is left to its DEL. */
static bool is_ours(const char *id)
{
	return (strncmp(id, "passt-", 6) == 0 || strncmp(id, "pasta-", 6) == 0) && id[6] &&
	       id[6 + strspn(id + 6, "0123456789-")] == '\0';
}

/* The folders that killed daemons left: no runtime comes back for them, as one does with
 * DEL and GC for the plugin's. One whose lock is held is being made, or looked at. */
static void sweep(void)
{
	struct state_name *names = NULL;
	struct attach a;
	size_t n = 0;

	state_list(&names, &n, NULL);
	for (size_t i = 0; i < n; i++) {
		if (!is_ours(names[i].container_id) ||
		    attach_try(&a, names[i].container_id, names[i].ifname, NULL) != 1)
			continue;
		if (attach_lives(&a))
			attach_done(&a);
		else
			attach_remove(&a, NULL);
	}
	free(names);
}

/* Under a name of its own, as long as the daemon lives. */
static int open_attachment(struct pasta *p, struct err *e)
{
	struct conf *c = &p->o->conf;
	const char *kind = p->o->guest ? "passt" : "pasta";

	for (int i = 0; i < ID_TRIES; i++) {
		if (i)
			snprintf(c->container_id, sizeof(c->container_id), "%s-%d-%d", kind,
				 getpid(), i);
		else
			snprintf(c->container_id, sizeof(c->container_id), "%s-%d", kind, getpid());
		*e = ERR_INIT;
		if ((p->o->guest ? attach_open_guest(&p->a, c, fcntl(p->sock_fd, F_DUPFD_CLOEXEC, 3),
						   p->stop_fd, e)
				 : attach_open(&p->a, c, p->stop_fd, e)) == 0)
			return 0;
		if (e->code != ERR_EXISTS)
			break;
	}
	return -1;
}

static int attach(struct pasta *p, struct err *e)
{
	struct options *o = p->o;

	sweep();
	if (open_attachment(p, e) < 0)
		return -1;
	p->a.core.keep_stderr = o->conf.log_target == LOGT_STDERR;
	if (attach_start(&p->a, &o->conf, e) == 0 && write_pid(p, e) == 0)
		return 0;
	command_end(&p->command);	/* before all children are waited for */
	attach_undo(&p->a);
	attach_remove(&p->a, NULL);
	return -1;
}

/* What the command's end does, seen through: the next one may want the same ports. */
static void end_attachment(struct pasta *p)
{
	const struct conf *c = &p->o->conf;
	struct attach a;
	struct err e = ERR_INIT;

	if (attach_find(&a, c->container_id, c->ifname, -1, &e) != 1)
		return;
	if (attach_stop(&a, &e) < 0) {
		attach_done(&a);
		log_warn("%s", e.msg);
		return;
	}
	attach_remove(&a, NULL);
}

static int run_command(struct pasta *p)
{
	int status;

	attach_done(&p->a);
	command_go(&p->command);
	status = command_wait(&p->command);
	end_attachment(p);
	return status;
}

/* In the foreground: until the daemon ends, or a signal ends both. */
static int stay(struct pasta *p)
{
	FD_OWNED int life = life_open(p->a.dir.fd);
	struct pollfd fds[] = { { .fd = life }, { .fd = p->stop_fd, .events = POLLIN } };

	attach_done(&p->a);
	if (life < 0)
		return 0;
	while (!fds[0].revents && !fds[1].revents)
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			break;
	if (!fds[0].revents && life_order(life, HANDOFF_ORDER_END) == 0)
		life_ended(life, END_MS);
	return 0;
}

static int run(struct pasta *p, struct err *e)
{
	struct options *o = p->o;

	if (o->tell_dns && !o->no_dns)
		resolv_fill(&o->conf);
	if (front_without(&o->conf.without, e) < 0 || open_pid_file(p, e) < 0 ||
	    (o->runas && user_become(o->runas_uid, o->runas_gid, e) < 0) ||
	    find_runtime_dir(e) < 0 || hold_signals(p, e) < 0 || find_place(p, e) < 0 ||
	    name_interface(o) < 0 || attach(p, e) < 0)
		return 1;
	fd_drop(&p->pid_fd);
	fd_drop(&p->sock_fd);
	if (o->guest)
		passt_tell(o, &p->a.net);
	if (p->command.pid)
		return run_command(p);
	if (o->foreground)
		return stay(p);
	attach_done(&p->a);
	return 0;
}

int pasta_run(struct options *o, struct err *e)
{
	struct pasta p = { .o = o, .command = COMMAND_INIT, .stop_fd = -1, .pid_fd = -1,
			   .sock_fd = -1 };
	int status = run(&p, e);

	if (p.sock_fd >= 0)	/* nobody has it */
		passt_undo(o);
	fd_drop(&p.sock_fd);
	command_end(&p.command);
	fd_drop(&p.pid_fd);
	fd_drop(&p.stop_fd);
	return status;
}
