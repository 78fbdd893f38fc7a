/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach: one struct holds the whole attachment, one poll() loop moves it. All
 * that is made here goes by itself when this process ends, however it ends:
 * the children by their parent-death signal, the interface with the tap's
 * descriptor. Only the state folder must be removed, see remove_state().
 */
#include "main/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/encode.h"
#include "conf/handoff.h"
#include "flow/counters.h"
#include "io/capture.h"
#include "io/netlink.h"
#include "io/ns.h"
#include "io/rawping.h"
#include "io/resolvers.h"
#include "io/suspend.h"
#include "io/tun.h"
#include "io/watch.h"
#include "main/captures.h"
#include "main/child.h"
#include "main/control.h"
#include "main/engine.h"
#include "main/follow.h"
#include "main/guest.h"
#include "main/hang.h"
#include "main/mirror.h"
#include "main/msg.h"
#include "main/nsagent.h"
#include "main/publish.h"
#include "main/report.h"
#include "main/serve.h"
#include "main/supply.h"
#include "main/uplink.h"
#include "sandbox/sandbox.h"

/* Below the front end's patience, so that it gets our reason. */
#define SETUP_MS	(HANDOFF_TIMEOUT_MS - 2000)
#define LOG_ID_LEN	12	/* of the container id, as clients show it */
#define COUNTERS_LINE	900	/* bytes of counters in one log line */
#define CONTROL_TURN	16	/* requests of the control socket, of one turn of the loop */
#define REMOVE_MS	1000	/* patience for the interface's deletion by nsagent */
#define LOCK_MS		500	/* ... and for the state folder's lock */
#define LOCK_TURN_MS	5

struct attach {
	struct conf conf;
	struct netcfg net;
	uint32_t features;		/* enum tun_feature */
	uint32_t ifindex;		/* the interface's; 0: not made yet */
	bool ended;			/* leave the loop */
	bool outlived;			/* ... because the container is gone: nobody waits for us */
	bool owes_ready;		/* to the front end, once IPv4 is there as well */

	int front_fd;			/* -1 after the commit */
	int netns_fd;
	int state_fd;
	int place_fd;			/* HANDOFF_FD_PLACE, or -1; the watch's */
	int signal_fd;
	int life_fd;			/* HANDOFF_FD_LIFE */
	int tap_fd;
	int capture_fd;			/* io/capture.h; -1: none */
	int rawping_fd[2];		/* IPv4, IPv6; -1: none */
	struct watch watch;
	struct counters *counters;	/* shared with the engine */
	struct counters told;		/* what they were when --stats last logged them */
	uint64_t tell_at;
	struct view_page *page;		/* too: flows, when it is asked for them */
	struct roster *roster;		/* too, and with the engine after it */
	uint32_t asked;			/* ... so often */
	struct publish publish;
	struct uplink uplink;
	struct mirror mirror;
	struct guest guest;		/* a virtual machine's; then there is no nsagent */
	bool guest_over;		/* its one connection has been */
	struct control control;
	struct captures captures;
	bool control_more;		/* it has more requests than one turn takes */
	uint64_t started_ms;
	int64_t since;			/* the same, by the wall clock */
	struct resolvers resolvers;	/* whom the DNS forwarder asks, if there is one */
	struct resolvers_watch resolv;
	struct suspend suspend;
	struct hang hang;
	struct child engine, nsagent;
};

static uint64_t now_ms(void)
{
	return (uint64_t)clock_ms();
}

/* --- the children ------------------------------------------------------- */

/* In a child: what is main's alone, and the sibling's socket. An inherited end
 * would keep the sibling from ever reading end of file. */
static void close_mains(struct attach *a)
{
	fd_drop(&a->front_fd);
	fd_drop(&a->state_fd);
	fd_drop(&a->signal_fd);
	fd_drop(&a->life_fd);
	fd_drop(&a->engine.sock);
	fd_drop(&a->nsagent.sock);
	watch_close(&a->watch);
	resolvers_unwatch(&a->resolv);
	suspend_close(&a->suspend);
	control_close(&a->control);
	uplink_close(&a->uplink);
	mirror_close(&a->mirror);
	guest_leave(&a->guest);
}

static struct sandbox_who who(const struct conf *c)
{
	return (struct sandbox_who){
		.uid = c->run_uid, .gid = c->run_gid, .strict = c->sandbox_strict,
	};
}

static int run_nsagent(void *arg, int sock)
{
	struct attach *a = arg;
	const bool tcp = follow_wanted(&a->conf, CONF_TCP), udp = follow_wanted(&a->conf, CONF_UDP);

	close_mains(a);
	fd_drop(&a->tap_fd);
	publish_close(&a->publish);	/* or a port closed later would stay taken */
	fd_drop(&a->rawping_fd[0]);
	fd_drop(&a->rawping_fd[1]);
	fd_drop(&a->capture_fd);
	captures_leave(&a->captures, false);
	return nsagent_main(&(struct nsagent_args){
		.main_fd = sock, .netns_fd = a->netns_fd, .ifindex = a->ifindex,
		.no_tap = a->conf.splice_only, .udp_with_tcp = a->conf.udp_follows_tcp && udp,
		.watch = { [CONF_TCP] = tcp, [CONF_UDP] = udp },
		.who = who(&a->conf), .forbidden = &a->counters->forbidden_nsagent,
	});
}

static int run_engine(void *arg, int sock)
{
	struct attach *a = arg;
	struct err e = ERR_INIT, lack = ERR_INIT;
	struct sandbox_who as = who(&a->conf);
	struct capture_order orders[CAPTURES];
	pid_t parent = getppid();

	close_mains(a);
	captures_orders(&a->captures, orders);
	captures_leave(&a->captures, true);
	fd_drop(&a->netns_fd);
	if (sandbox_engine(&as, &lack, &e) < 0) {
		log_error("%s", e.msg);
		return 1;
	}
	child_bind(parent);	/* a change of user undid it */
	if (lack.code)
		log_warn("%s", lack.msg);
	return engine_main(&(struct engine_args){
		.conf = &a->conf, .net = &a->net,
		.tap_fd = a->conf.guest ? a->guest.fd : a->tap_fd,
		.framing = a->guest.framing, .stream_seq = a->guest.seq,
		.tap_features = a->features, .main_fd = sock, .counters = a->counters,
		.tallies = a->publish.tallies, .page = a->page, .roster = a->roster,
		.number = (uint32_t)a->engine.restarts + 1,
		.forwards = a->publish.list, .nforwards = a->publish.n,
		.rawping_fd = { a->rawping_fd[0], a->rawping_fd[1] },
		.capture = {
			.fd = a->capture_fd, .bell = a->captures.bell, .shared = a->captures.shared,
			.count = a->counters, .orders = orders,
		},
		.resolvers = &a->resolvers,
	});
}

/* --- counters ----------------------------------------------------------- */

struct line {
	char buf[COUNTERS_LINE + 64];
	size_t len;
};

static void flush_line(struct line *l)
{
	if (l->len)
		log_info("counters%s", l->buf);
	l->len = 0;
}

static void add_counter(struct line *l, const char *prefix, const char *name, uint64_t v)
{
	int n;

	if (!v)
		return;
	if (l->len > COUNTERS_LINE)
		flush_line(l);
	n = snprintf(l->buf + l->len, sizeof(l->buf) - l->len, " %s%s=%llu", prefix, name,
		     (unsigned long long)v);
	if (n > 0 && (size_t)n < sizeof(l->buf) - l->len)
		l->len += (size_t)n;
}

static void log_counters(const struct attach *a)
{
	struct line l = { .len = 0 };

#define X(name, text) add_counter(&l, "", #name, a->counters->name);
	COUNTERS_TABLE(X)
#undef X
	for (int i = 0; i < WIRE_ERR_COUNT; i++)
		add_counter(&l, "drop_wire_", wire_err_names[i], a->counters->drop_wire[i]);
	add_counter(&l, "", "engine_restarts", a->engine.restarts);
	add_counter(&l, "", "nsagent_restarts", a->nsagent.restarts);
	flush_line(&l);
}

/* --- start -------------------------------------------------------------- */

static int open_log(const struct conf *c, struct err *e)
{
	char ident[LOG_ID_LEN + CONF_IFNAME_MAX + 2];
	int r;

	snprintf(ident, sizeof(ident), "%.*s@%s", LOG_ID_LEN, c->container_id, c->ifname);
	log_limit_size(c->log_size);
	log_names(c->container_id, c->ifname);
	r = log_open(c->log_target, c->log_level, c->log_path, ident);
	if (r < 0)
		return err_set(e, ERR_CONFIG, "log.target: cannot open %s: %s",
			       c->log_target == LOGT_JOURNAL ? "the journal" : c->log_path,
			       strerror(-r));
	return 0;
}

/* Main takes its signals by descriptor. */
static int open_signals(struct attach *a, struct err *e)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, HANG_SIGNAL);
	sigprocmask(SIG_SETMASK, &set, NULL);
	a->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (a->signal_fd < 0)
		return err_set(e, ERR_IO, "cannot take signals: %s", strerror(errno));
	return 0;
}

/* The configuration, once more validated: the front end is another program. */
static int read_conf(struct conf *c, struct err *e)
{
	int r = encode_from_memfd(HANDOFF_FD_CONF, c);

	close(HANDOFF_FD_CONF);
	if (r < 0) {
		err_set(e, ERR_DECODE, "the configuration handed over does not decode: %s",
			strerror(-r));
		return err_hint(e, "front end and core may be of different versions");
	}
	return conf_validate(c, e);
}

/* Memory that the engine writes and main reads. NULL with *e. */
static void *map_shared(size_t size, struct err *e)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		return p;
	err_set(e, ERR_IO, "no memory to share with the engine: %s", strerror(errno));
	return NULL;
}

static int map_counters(struct attach *a, struct err *e)
{
	a->counters = map_shared(sizeof(*a->counters), e);
	a->publish.tallies = a->counters ? map_shared(TALLIES * sizeof(struct tally), e) : NULL;
	a->page = a->publish.tallies ? map_shared(sizeof(*a->page), e) : NULL;
	a->roster = a->page ? map_shared(sizeof(*a->roster), e) : NULL;
	return a->roster ? 0 : -1;
}

/* While starting up: a signal to end, or the front end gone. */
static bool is_cancelled(struct attach *a, const struct pollfd *front, const struct pollfd *sig)
{
	struct signalfd_siginfo si;

	if (front->revents & (POLLHUP | POLLERR))
		return true;
	if (!(sig->revents & POLLIN))
		return false;
	while (read(a->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			return true;
	return false;
}

/* A child closed its socket or did not answer: says how it ended. */
static int explain_silence(struct child *c, bool timeout, bool strict, struct err *e)
{
	char how[80];
	int status;

	if (timeout)
		return err_set(e, ERR_IO, "%s did not answer in time", c->name);
	status = child_end(c);
	child_describe(status, how, sizeof(how));
	err_set(e, ERR_INTERNAL, "%s died while starting: %s", c->name, how);
	return strict ? err_hint(e, "\"sandbox\" is \"strict\": the log says which part of it"
				    " cannot be had here") : -1;
}

/* Waits for one message of a child that is starting up. */
static int await(struct attach *a, struct child *c, void *msg, size_t len, int *fd,
		 struct err *e)
{
	uint64_t deadline = now_ms() + SETUP_MS, now;
	struct pollfd p[] = {
		{ .fd = c->sock, .events = POLLIN },
		{ .fd = a->front_fd },
		{ .fd = a->signal_fd, .events = POLLIN },
	};
	int r;

	for (now = now_ms(); now < deadline; now = now_ms()) {
		if (poll(p, ARRAY_LEN(p), (int)(deadline - now)) < 0 && errno != EINTR)
			return err_set(e, ERR_IO, "poll: %s", strerror(errno));
		if (p[0].revents) {
			r = msg_recv(c->sock, msg, len, fd);
			if (r == -EPIPE)
				return explain_silence(c, false, a->conf.sandbox_strict, e);
			return r < 0 ? err_set(e, ERR_INTERNAL, "%s spoke nonsense: %s",
					       c->name, strerror(-r)) : 0;
		}
		if (is_cancelled(a, &p[1], &p[2]))
			return err_set(e, ERR_AGAIN, "the attachment was given up while starting");
	}
	return explain_silence(c, true, a->conf.sandbox_strict, e);
}

static int take_setup(struct attach *a, const struct netcfg *made,
		      const struct msg_setup_done *done, struct err *e)
{
	if (!msg_setup_done_ok(done) ||
	    (!done->err.code && ((a->tap_fd < 0) != a->conf.splice_only || !done->ifindex)))
		return err_set(e, ERR_INTERNAL, "nsagent spoke nonsense");
	if (done->err.code) {
		*e = done->err;
		return -1;
	}
	a->features = done->features;
	a->ifindex = done->ifindex;
	uplink_start(&a->uplink, made, done->ipv6_left_out, a->tap_fd);
	if (!done->ipv6_left_out)
		return 0;
	netcfg_strip_ipv6(&a->net);
	if (!a->net.naddresses) {
		err_set(e, ERR_HOSTNET, "the container's namespace has IPv6 switched off, and there"
			" is no IPv4 address to give");
		return err_hint(e, "set net.ipv6.conf.all.disable_ipv6=0 in the container");
	}
	log_warn("family=ipv6 left out: the container's namespace has it switched off");
	return 0;
}

static int setup_interface(struct attach *a, struct err *e)
{
	struct msg_setup req = {
		.kind = MSG_SETUP, .without = a->conf.without, .net = a->net,
		.tap = a->conf.splice_only ? MSG_TAP_NONE :
		       a->conf.adopt ? MSG_TAP_ADOPT : MSG_TAP_NEW,
	};
	struct msg_setup_done done;
	int r;

	if (a->conf.ipv4_late)
		netcfg_drop_ipv4(&req.net);
	r = msg_send(a->nsagent.sock, &req, sizeof(req), -1);

	/* EPIPE: it died already, and the wait below tells how. */
	if (r < 0 && r != -EPIPE)
		return err_set(e, ERR_IO, "cannot speak to nsagent: %s", strerror(-r));
	if (await(a, &a->nsagent, &done, sizeof(done), &a->tap_fd, e) < 0)
		return -1;
	return take_setup(a, &req.net, &done, e);
}

/* Has nsagent open that listener on the container's loopback. */
static int open_reverse(struct attach *a, struct forward *f, const struct publish_step *step,
			struct err *e)
{
	struct msg_listen req = { .kind = MSG_LISTEN, .addr = f->addr, .port = f->port,
				  .proto = f->proto };
	struct msg_listen_done done;
	char text[ADDR_STRLEN];
	int r = msg_send(a->nsagent.sock, &req, sizeof(req), -1);

	if (r < 0 && r != -EPIPE)
		return err_set(e, ERR_IO, "cannot speak to nsagent: %s", strerror(-r));
	if (await(a, &a->nsagent, &done, sizeof(done), &f->sock, e) < 0)
		return -1;
	if (!msg_listen_done_ok(&done) || !done.error != (f->sock >= 0)) {
		fd_drop(&f->sock);
		return err_set(e, ERR_INTERNAL, "nsagent spoke nonsense");
	}
	if (!done.error)
		return publish_adopt(&a->publish, f, e) < 0 ? -1 : 0;
	if (step->optional && (done.error == -EADDRNOTAVAIL || done.error == -EAFNOSUPPORT))
		return 0;	/* IPv6 is switched off in the container */
	if (step->weak && (done.error == -EADDRINUSE || done.error == -EACCES))
		return 0;
	err_set(e, ERR_PORT, "reverse.%s: cannot listen on port %u of %s in the container: %s",
		conf_proto_names[f->proto], f->port, addr_format(&f->addr, text),
		strerror(-done.error));
	return err_hint(e, "see what listens there: ss -%cln in the container",
			f->proto == CONF_TCP ? 't' : 'u');
}

static int open_reverses(struct attach *a, struct err *e)
{
	struct publish_step step = { .rule = 0 };
	struct forward f;

	while (publish_next_reverse(&a->conf, &step, &f))
		if (open_reverse(a, &f, &step, e) < 0)
			return -1;
	return 0;
}

/* nsagent has answered all that is awaited: it may speak of itself from now on. */
static int start_watch(struct attach *a, struct err *e)
{
	const struct msg_watch watch = { .kind = MSG_WATCH };
	int r = msg_send(a->nsagent.sock, &watch, sizeof(watch), -1);

	child_up(&a->nsagent);
	return r < 0 ? err_set(e, ERR_IO, "cannot speak to nsagent: %s", strerror(-r)) : 0;
}

static int start_child(struct child *c, struct err *e)
{
	int r = child_start(c, now_ms());

	return r < 0 ? err_set(e, ERR_IO, "cannot start %s: %s", c->name, strerror(-r)) : 0;
}

static int start_engine(struct attach *a, struct err *e)
{
	struct msg_engine running;

	if (start_child(&a->engine, e) < 0 ||
	    await(a, &a->engine, &running, sizeof(running), NULL, e) < 0)
		return -1;
	if (running.kind != MSG_RUNNING)
		return err_set(e, ERR_INTERNAL, "engine spoke nonsense");
	child_up(&a->engine);
	hang_follow(&a->hang, &a->engine, a->counters->turns);
	return 0;
}

static int open_watch(struct attach *a, struct err *e)
{
	const struct watch_what what = {
		.pidfd = a->conf.owner_pid ? HANDOFF_FD_OWNER : -1, .path = a->conf.netns_path,
		.place_fd = a->place_fd, .netns_fd = a->netns_fd,
	};

	if (a->conf.outlive) {
		if (what.pidfd >= 0)
			close(what.pidfd);
		fd_drop(&a->place_fd);
		return 0;
	}
	return watch_open(&a->watch, &what, e);
}

static void log_resolvers(const struct resolvers *r)
{
	char text[RESOLVERS_MAX * ADDR_STRLEN] = "", one[ADDR_STRLEN];
	size_t len = 0;

	for (uint32_t i = 0; i < r->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "",
					addr_format(&r->list[i].addr, one));
	log_info("resolvers=%s host=%s", text, r->host);
}

static void watch_failed(void)
{
	log_warn(RESOLV_FILE " cannot be watched: its changes will not be followed");
}

/* Before the first look: what changes afterwards is seen. */
static void open_resolvers(struct attach *a)
{
	const struct conf *c = &a->conf;

	/* an address of the host's loopback may be a resolver's (flow/route.h) */
	if (!c->ndns_forward && !c->map_gateway && !c->nhost_loopback)
		return;
	if (c->nresolvers) {
		resolvers_given(c->resolvers, c->nresolvers, &a->resolvers);
		log_resolvers(&a->resolvers);
		return;
	}
	if (!resolvers_watch(&a->resolv, RESOLV_FILE))
		watch_failed();
	resolvers_read(RESOLV_FILE, &a->resolvers);
	log_resolvers(&a->resolvers);
}

/* Whether ping sockets will do is asked as the group that the engine will be in. */
static void open_rawping(struct attach *a)
{
	gid_t own = getegid();
	bool other = a->conf.run_gid && setegid(a->conf.run_gid) == 0;

	a->rawping_fd[0] = rawping_open(true);
	a->rawping_fd[1] = rawping_open(false);
	if (other && setegid(own) < 0)
		log_warn("the group stays %u: %s", a->conf.run_gid, strerror(errno));
}

static struct serve serve_of(struct attach *a);

static int open_capture(struct attach *a, struct err *e)
{
	const struct serve s = serve_of(a);
	char texts[2][PCAPNG_TEXT_MAX];
	struct pcapng_about about = captures_about(&s, "", 0, texts);

	if (!a->conf.capture[0])
		return 0;
	a->capture_fd = capture_open(a->conf.capture, &about, a->captures.shared, e);
	return a->capture_fd < 0 ? -1 : 0;
}

static int find_network(struct attach *a, struct err *e)
{
	if (!a->conf.splice_only)
		return netlink_template(&a->conf, NULL, &a->net, e);
	netcfg_loopback(&a->conf, &a->net);
	return 0;
}

static int start_container(struct attach *a, struct err *e)
{
	/* nsagent finds its way in while the outer side is being read. */
	if (start_child(&a->nsagent, e) < 0 || find_network(a, e) < 0 ||
	    setup_interface(a, e) < 0 ||
	    publish_open(&a->publish, &a->conf, &a->net, e) < 0 || open_reverses(a, e) < 0 ||
	    mirror_open(&a->mirror, &a->conf, e) < 0)
		return -1;
	return start_watch(a, e);
}

/* It configures itself, by DHCP and the like, whenever it comes. */
static int start_guest(struct attach *a, struct err *e)
{
	if (netlink_template(&a->conf, NULL, &a->net, e) < 0)
		return -1;
	uplink_start(&a->uplink, &a->net, false, -1);
	return publish_open(&a->publish, &a->conf, &a->net, e);
}

static int open_inner(struct attach *a, struct err *e)
{
	if (a->conf.guest)
		return guest_open(&a->guest, &a->conf, fd_take(&a->netns_fd), e);
	return ns_check(a->netns_fd, e) < 0 ? -1 : open_watch(a, e);
}

/* All that must have worked before the front end hears "ready". */
static int start(struct attach *a, struct err *e)
{
	if (sandbox_main(e) < 0 || read_conf(&a->conf, e) < 0 || open_log(&a->conf, e) < 0 ||
	    open_signals(a, e) < 0 || open_inner(a, e) < 0 ||
	    map_counters(a, e) < 0 || captures_open(&a->captures, e) < 0)
		return -1;
	uplink_open(&a->uplink, &a->conf, a->state_fd);
	if (suspend_open(&a->suspend) < 0)
		log_debug("the host's suspends are not seen");
	if ((a->conf.guest ? start_guest(a, e) : start_container(a, e)) < 0 ||
	    control_open(&a->control, a->state_fd, e) < 0 || open_capture(a, e) < 0)
		return -1;
	open_resolvers(a);
	open_rawping(a);
	return start_engine(a, e);
}

/* Field 22 of /proc/self/stat, 0 if it cannot be had. */
static uint64_t start_time(void)
{
	FD_OWNED int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	unsigned long long t = 0;
	char buf[1024], *p;
	ssize_t n;

	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	p = strrchr(buf, ')');		/* the name before it may hold spaces */
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p || sscanf(p, " %llu", &t) != 1)
		return 0;
	return t;
}

/* Answers the front end; returns whether it could be told. */
static bool send_ready(struct attach *a, const struct err *e)
{
	struct ready ready = {
		.magic = HANDOFF_MAGIC, .pid = (uint32_t)getpid(), .start_time = start_time(),
		.err = *e, .net = a->net,
	};

	return msg_send(a->front_fd, &ready, sizeof(ready), -1) == 0;
}

static const char *watch_name(const struct attach *a)
{
	return a->conf.guest ? "socket" : watch_kind_names[a->watch.kind];
}

static void log_start(const struct attach *a)
{
	char text[CONF_ADDRS_MAX * (PREFIX_STRLEN + 1)] = "", one[PREFIX_STRLEN];
	size_t len = 0;

	for (uint32_t i = 0; i < a->net.naddresses; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "",
					prefix_format(&a->net.addresses[i], one));
	log_info("attached container=%s network=%s addresses=%s mtu=%u outer=%s/%s offloads=%#x"
		 " watch=%s", a->conf.container_id, a->conf.network, text, a->net.mtu,
		 a->net.outer_ifname4, a->net.outer_ifname6, a->features, watch_name(a));
}

/* --- the loop ----------------------------------------------------------- */

static void end(struct attach *a, const char *why)
{
	if (!a->ended)
		log_info("ending: %s", why);
	a->ended = true;
}

/* It made a system call that it may not. */
static void log_forbidden(const struct child *c, int32_t call)
{
	char name[32];

	sandbox_call_name(call, name, sizeof(name));
	log_error("process=%s pid=%d made a system call that its filter forbids: %s (%d)", c->name,
		  (int)c->pid, name, (int)call);
}

static void reap(struct attach *a)
{
	const struct {
		struct child *child;
		int32_t *forbidden;
	} list[] = {
		{ &a->engine, &a->counters->forbidden_engine },
		{ &a->nsagent, &a->counters->forbidden_nsagent },
	};
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < ARRAY_LEN(list); i++) {
			if (list[i].child->pid != pid)
				continue;
			if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
				log_forbidden(list[i].child, *list[i].forbidden);
			child_died(list[i].child, status, now_ms());
			if (list[i].child == &a->engine)
				captures_engine_died(&a->captures);
		}
}

static void on_signal(struct attach *a)
{
	struct signalfd_siginfo si;

	while (read(a->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			end(a, "told to by a signal");
		else if (si.ssi_signo == SIGUSR1)
			log_counters(a);
		else if (si.ssi_signo == HANG_SIGNAL)
			hang_look(&a->hang, &a->engine, a->counters->turns);
	}
	reap(a);	/* in any case: signals of one number merge */
}

/* The order to configure, the commit, or the front end's death before it. */
static void on_front(struct attach *a)
{
	char c = 0;
	ssize_t n = recv(a->front_fd, &c, sizeof(c), 0);

	if (n < 0 && errno == EINTR)
		return;
	if (n == 1 && c == HANDOFF_COMMIT) {
		fd_drop(&a->front_fd);
	} else if (n == 1 && c == HANDOFF_CONFIGURE) {
		a->owes_ready = true;
		uplink_complete(&a->uplink);
	} else {
		end(a, "the front end gave up before its commit");
	}
}

static void on_watch(struct attach *a)
{
	if (!watch_ended(&a->watch))
		return;
	a->outlived = !a->ended;
	end(a, "the container ended");
}

/* Orders of front ends that may not know our number, see handoff.h. */
static void on_life(struct attach *a)
{
	char orders[64];
	ssize_t n = read(a->life_fd, orders, sizeof(orders));

	if (n > 0 && memchr(orders, HANDOFF_ORDER_END, (size_t)n))
		end(a, "told to by a front end");
}

static void end_of_stream(struct attach *a, const struct serve_stream *gone)
{
	if (gone->seq && guest_gone(&a->guest, gone, now_ms()) && a->conf.guest_once)
		a->guest_over = true;
}

/* What the engine said while it was asked for something else. */
static void heed(struct attach *a, const struct serve *s)
{
	if (s->tap_gone)
		end(a, "the container deleted its interface");
	end_of_stream(a, &s->stream_gone);
}

static void on_engine(struct attach *a)
{
	struct msg_engine m;
	int r = msg_recv(a->engine.sock, &m, sizeof(m), NULL);

	if (r < 0 || !msg_engine_ok(&m))
		child_give_up(&a->engine, r < 0 ? r : -EBADMSG);
	else if (m.kind == MSG_TAP_GONE)
		end(a, "the container deleted its interface");
	else if (m.kind == MSG_STREAM_GONE)
		end_of_stream(a, &(struct serve_stream){ m.seq, m.why });
	else if (m.kind == MSG_INNER_WANTED)
		supply_ask(&a->nsagent, &m);
	else if (m.kind == MSG_RUNNING)		/* else it answers too late */
		child_up(&a->engine);
}

static struct serve serve_of(struct attach *a)
{
	return (struct serve){
		.conf = &a->conf, .net = &a->net, .publish = &a->publish, .engine = &a->engine,
		.nsagent = &a->nsagent, .now_ms = now_ms(), .page = a->page, .asked = &a->asked,
		.counters = a->counters, .started_ms = a->started_ms, .since = a->since,
		.features = a->features, .watch = watch_name(a),
		.captures = captures_count(&a->captures), .connected = a->guest.fd >= 0,
	};
}

static int on_ports(struct attach *a)
{
	static struct msg_ports m;	/* large: not on the stack */
	struct serve s = serve_of(a);
	int r = msg_recv(a->nsagent.sock, &m, sizeof(m), NULL);

	if (r == 0 && !(msg_ports_ok(&m) && follow_wanted(&a->conf, (enum conf_proto)m.proto)))
		r = -EBADMSG;
	if (r == 0)
		follow_ports(&s, &m);
	return r;
}

static int on_moved(struct attach *a)
{
	struct serve s = serve_of(a);
	struct msg_moved m;
	int r = msg_recv(a->nsagent.sock, &m, sizeof(m), NULL);

	if (r == 0)
		r = uplink_moved(&a->uplink, &s, &m);
	if (r == 0 && a->owes_ready) {
		a->owes_ready = false;
		if (!send_ready(a, &m.err))
			end(a, "the front end is gone");
	}
	return r;
}

static int on_listening(struct attach *a)
{
	struct serve s = serve_of(a);
	struct msg_listen_done m;
	int fd, r = msg_recv(a->nsagent.sock, &m, sizeof(m), &fd);

	return r < 0 ? r : mirror_opened(&a->mirror, &s, &m, fd);
}

static int on_inner(struct attach *a)
{
	return supply_pass(&a->nsagent, &a->engine);
}

static int on_running(struct attach *a)
{
	struct msg_running m;
	int r = msg_recv(a->nsagent.sock, &m, sizeof(m), NULL);

	if (r == 0 && a->nsagent.up)
		r = -EBADMSG;
	if (r == 0)
		child_up(&a->nsagent);
	return r;
}

/* Of itself it speaks of ports only, and only if it was told to watch them, and says once that
 * it was started again; all else are answers. */
static void on_nsagent(struct attach *a)
{
	static const struct {
		uint32_t kind;
		int (*fn)(struct attach *a);
	} answers[] = { { MSG_INNER_DONE, on_inner }, { MSG_PORTS, on_ports },
			{ MSG_MOVED, on_moved }, { MSG_LISTEN_DONE, on_listening },
			{ MSG_RUNNING, on_running } };
	uint32_t kind;
	int r = msg_peek_kind(a->nsagent.sock, &kind);
	size_t i = 0;

	while (r == 0 && i < ARRAY_LEN(answers) && answers[i].kind != kind)
		i++;
	if (r == 0)
		r = i < ARRAY_LEN(answers) ? answers[i].fn(a) : -EBADMSG;
	if (r < 0)
		child_give_up(&a->nsagent, r);
}

/* The connection is the capture's from here on. */
static void begin_capture(struct attach *a, struct serve *s, const struct control_request *r,
			  unsigned int client)
{
	struct jsonout o = control_begin(&a->control, client);
	struct err e = ERR_INIT;

	if (captures_check(&a->captures, &r->want, &e) < 0) {
		report_error(&o, &e);
		control_reply(&a->control, client, &o);
		return;
	}
	report_capture(&o, s);
	captures_begin(&a->captures, s, control_take(&a->control, client), &r->want, &o);
}

/* A few requests a turn: whoever asks without end delays nobody. */
static void on_control(struct attach *a)
{
	struct serve s = serve_of(a);
	struct control_request r;
	unsigned int client;
	int n = 0;

	while (n < CONTROL_TURN && control_next(&a->control, s.now_ms, &r, &client)) {
		struct jsonout o;

		n++;
		if (r.verb == CONTROL_CAPTURE) {
			begin_capture(a, &s, &r, client);
			continue;
		}
		o = control_begin(&a->control, client);
		serve_line(&s, &r, &o);
		control_reply(&a->control, client, &o);
	}
	a->control_more = n == CONTROL_TURN;
	heed(a, &s);
}

static void on_resolvers(struct attach *a)
{
	struct serve s = serve_of(a);

	if (!resolvers_watch_again(&a->resolv))
		watch_failed();
	if (!resolvers_read(RESOLV_FILE, &a->resolvers))
		return;
	log_resolvers(&a->resolvers);
	serve_resolvers(&s, &a->resolvers);
}

/* What the kernel saw change while it woke up it says itself; but what is told for so many
 * minutes, or waits for an answer, is as old as that. */
static void on_suspend(struct attach *a)
{
	int64_t slept = suspend_heard(&a->suspend);
	struct serve s = serve_of(a);

	if (!slept)
		return;
	log_info("host resumed slept=%llds", (long long)slept / 1000);
	serve_tell(&s, MSG_RESUMED, 0);
	if (a->conf.follow)
		uplink_heard(&a->uplink, now_ms());
	if (a->resolv.fd >= 0)
		on_resolvers(a);
}

static void on_captures(struct attach *a)
{
	struct serve s = serve_of(a);

	captures_turn(&a->captures, &s);
	heed(a, &s);
}

static void on_host(struct attach *a)
{
	uplink_heard(&a->uplink, now_ms());
}

static void on_guest(struct attach *a)
{
	struct serve s = serve_of(a);

	guest_accept(&a->guest, &s);
}

/* conf.stats_s, and only what changed is news. */
static void tell_stats(struct attach *a)
{
	if (!a->conf.stats_s || now_ms() < a->tell_at)
		return;
	a->tell_at = now_ms() + a->conf.stats_s * UINT64_C(1000);
	/* (turns, behind them, are no news) */
	if (memcmp(&a->told, a->counters, offsetof(struct counters, forbidden_engine)) == 0)
		return;
	a->told = *a->counters;
	log_counters(a);
}

static int stats_wait_ms(const struct attach *a, uint64_t now)
{
	if (!a->conf.stats_s)
		return -1;
	return now < a->tell_at ? (int)(a->tell_at - now) : 0;
}

static void tick(struct attach *a)
{
	struct serve s;

	tell_stats(a);
	child_tick(&a->engine, now_ms());
	hang_follow(&a->hang, &a->engine, a->counters->turns);
	if (!a->conf.guest)
		child_tick(&a->nsagent, now_ms());
	s = serve_of(a);
	uplink_tick(&a->uplink, &s);
	mirror_tick(&a->mirror, &s);
	heed(a, &s);
	/* Not before the front end knows that it worked: it may have been a short one. */
	if (a->guest_over && a->front_fd < 0)
		end(a, "the virtual machine's one connection ended");
}

static int next_wait(const struct attach *a)
{
	uint64_t now = now_ms();
	const int waits[] = { child_wait_ms(&a->engine, now),
			      a->conf.guest ? -1 : child_wait_ms(&a->nsagent, now),
			      uplink_wait_ms(&a->uplink, now), mirror_wait_ms(&a->mirror, now),
			      guest_wait_ms(&a->guest, now), stats_wait_ms(a, now) };
	int least = -1;

	if (a->control_more || a->captures.more)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++)
		if (waits[i] >= 0 && (least < 0 || waits[i] < least))
			least = waits[i];
	return least;
}

static void loop(struct attach *a)
{
	static const struct {
		void (*fn)(struct attach *a);
	} on[] = { { on_signal }, { on_watch }, { on_front }, { on_engine }, { on_nsagent },
		{ on_life }, { on_control }, { on_host }, { on_resolvers }, { on_captures },
		{ on_guest }, { on_suspend } };

	while (!a->ended) {
		struct pollfd p[ARRAY_LEN(on)] = {
			{ .fd = a->signal_fd, .events = POLLIN },
			{ .fd = a->watch.fd, .events = POLLIN },
			{ .fd = a->front_fd, .events = POLLIN },
			{ .fd = a->engine.sock, .events = POLLIN },
			{ .fd = a->nsagent.sock, .events = POLLIN },
			{ .fd = a->life_fd, .events = POLLIN },
			{ .fd = a->control.fd, .events = POLLIN },
			{ .fd = uplink_poll_fd(&a->uplink), .events = POLLIN },
			{ .fd = a->resolv.fd, .events = POLLIN },
			{ .fd = a->captures.fd, .events = POLLIN },
			{ .fd = guest_poll_fd(&a->guest, now_ms()), .events = POLLIN },
			{ .fd = a->suspend.fd, .events = POLLIN },
		};

		if (poll(p, ARRAY_LEN(p), next_wait(a)) < 0 && errno != EINTR) {
			end(a, "poll failed");
			break;
		}
		/* The signals go first and may close a child's socket, whose event
		 * is then void. */
		if (p[0].revents)
			on_signal(a);
		for (size_t i = 1; i < ARRAY_LEN(on) && !a->ended; i++)
			if ((p[i].revents || (i == 6 && a->control_more) ||
			     (i == 9 && a->captures.more)) &&
			    !(i == 3 && a->engine.sock < 0) &&
			    !(i == 4 && a->nsagent.sock < 0))
				on[i].fn(a);
		if (!a->ended)
			tick(a);
	}
}

/* --- end ---------------------------------------------------------------- */

/* Whether conf.state_dir still names the folder we were given. */
static bool is_our_folder(const struct attach *a)
{
	struct stat by_fd, by_path;

	return fstat(a->state_fd, &by_fd) == 0 && lstat(a->conf.state_dir, &by_path) == 0 &&
	       by_fd.st_dev == by_path.st_dev && by_fd.st_ino == by_path.st_ino;
}

/* `patient`: who has it may be the front end that started us, which is about to leave. */
static bool take_lock(int lock, bool patient)
{
	const struct timespec turn = { .tv_nsec = LOCK_TURN_MS * 1000000L };
	int tries = patient ? LOCK_MS / LOCK_TURN_MS : 1;

	while (tries-- > 0) {
		if (flock(lock, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (tries)
			nanosleep(&turn, NULL);
	}
	return false;
}

/*
 * So that nothing stays when a container ends without DEL. A front end at work
 * on this attachment holds the lock and removes the folder itself; one that
 * waits for the lock finds its file unlinked when it gets it.
 */
static void remove_state(struct attach *a, bool patient)
{
	static const char *const files[] = {
		"state.json", "control.sock", HANDOFF_NET_NAME, HANDOFF_LIFE_NAME, "lock",
	};
	FD_OWNED int lock = openat(a->state_fd, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (lock < 0 || !take_lock(lock, patient) || !is_our_folder(a))
		return;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlinkat(a->state_fd, files[i], 0);
	if (rmdir(a->conf.state_dir) < 0)
		log_warn("state folder stays: %s", strerror(errno));
}

/* Has nsagent delete the interface and returns as soon as it is gone: the rest
 * of nsagent's life is the kernel's freeing of it. False: it could not. */
static bool remove_interface(struct attach *a)
{
	const struct timespec turn = { .tv_nsec = 300000 };
	uint64_t deadline = now_ms() + REMOVE_MS;

	if (!a->ifindex || !a->nsagent.pid || a->tap_fd < 0 || tun_gone(a->tap_fd))
		return false;
	fd_drop(&a->nsagent.sock);	/* end of file is the order */
	while (now_ms() < deadline) {
		if (tun_gone(a->tap_fd))
			return true;
		if (waitpid(a->nsagent.pid, NULL, WNOHANG) != 0) {
			a->nsagent.pid = 0;
			return tun_gone(a->tap_fd);
		}
		nanosleep(&turn, NULL);
	}
	return false;
}

/* The interface and the processes; afterwards nothing is left but the state. */
static void undo(struct attach *a)
{
	child_end(&a->engine);
	hang_close(&a->hang);
	if (a->captures.shared)
		capture_trim(a->capture_fd, a->captures.shared);
	captures_close(&a->captures);
	publish_close(&a->publish);
	control_close(&a->control);
	if ((a->outlived && tun_leave(&a->tap_fd)) || !remove_interface(a))
		child_end(&a->nsagent);
	guest_close(&a->guest, &a->conf);
	fd_drop(&a->tap_fd);
	fd_drop(&a->life_fd);
}

static int fail(struct attach *a, struct err *e)
{
	undo(a);
	log_error("failed code=%s: %s", err_name(e->code), e->msg);
	send_ready(a, e);
	if (a->conf.state_dir[0])
		remove_state(a, false);	/* the front end waits for us, and has it */
	return 1;
}

static int run(struct attach *a)
{
	struct err e = ERR_INIT;

	a->started_ms = now_ms();
	a->since = time(NULL);
	if (start(a, &e) < 0)
		return fail(a, &e);
	log_start(a);
	if (!send_ready(a, &e))
		end(a, "the front end is gone");
	malloc_trim(0);
	loop(a);
	undo(a);
	log_counters(a);
	remove_state(a, true);
	return 0;
}

/* The descriptors of the hand-over and no other, none of them for programs. */
static bool take_descriptors(struct attach *a)
{
	for (int fd = HANDOFF_FD_CONF; fd < HANDOFF_FD_OWNER; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return false;
	fcntl(HANDOFF_FD_OWNER, F_SETFD, FD_CLOEXEC);	/* may be missing */
	if (fcntl(HANDOFF_FD_PLACE, F_SETFD, FD_CLOEXEC) == 0)
		a->place_fd = HANDOFF_FD_PLACE;
	close_range(HANDOFF_FD_END, ~0U, 0);
	return true;
}

int attach_main(void)
{
	struct attach a = {
		.front_fd = HANDOFF_FD_FRONT, .netns_fd = HANDOFF_FD_NETNS,
		.state_fd = HANDOFF_FD_STATE, .place_fd = -1, .signal_fd = -1, .tap_fd = -1,
		.life_fd = HANDOFF_FD_LIFE, .rawping_fd = { -1, -1 }, .capture_fd = -1,
		.watch = WATCH_INIT, .control = CONTROL_INIT, .captures = CAPTURES_INIT, .uplink = UPLINK_INIT,
		.mirror = MIRROR_INIT, .guest = GUEST_INIT, .resolv = RESOLVERS_WATCH_INIT,
		.suspend = SUSPEND_INIT, .hang = HANG_INIT,
		.engine = { .name = "engine", .run = run_engine, .arg = &a, .sock = -1 },
		.nsagent = { .name = "nsagent", .run = run_nsagent, .arg = &a, .sock = -1 },
	};

	if (!take_descriptors(&a)) {
		fprintf(stderr, "cni-passt-core: --attach is for the front ends, which hand over"
			" descriptors %d to %d; use cni-passt ADD\n", HANDOFF_FD_CONF,
			HANDOFF_FD_END - 1);
		return 2;
	}
	if (chdir("/") < 0)
		return 2;
	umask(077);
	prctl(PR_SET_NAME, "passt-main", 0, 0, 0);
	log_role("main");
	return run(&a);
}
