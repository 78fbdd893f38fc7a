/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/handoff.h"
#include "io/hostwatch.h"
#include "io/netlink.h"
#include "io/tun.h"

void uplink_open(struct uplink *u, const struct conf *c, int state_fd)
{
	*u = UPLINK_INIT;
	u->state_fd = state_fd;
	if (!c->follow)
		return;
	u->fd = hostwatch_open();
	if (u->fd < 0)
		log_warn("the host's changes cannot be followed: %s", strerror(-u->fd));
}

void uplink_start(struct uplink *u, const struct netcfg *net, bool no_ipv6, int tap_fd)
{
	u->inside = *net;
	u->tap_fd = tap_fd;
	u->no_ipv6 = no_ipv6;
}

void uplink_complete(struct uplink *u)
{
	u->stale = true;
}

void uplink_close(struct uplink *u)
{
	fd_drop(&u->fd);
}

int uplink_poll_fd(const struct uplink *u)
{
	return u->look_ms ? -1 : u->fd;
}

void uplink_heard(struct uplink *u, uint64_t now_ms)
{
	u->look_ms = MAX_OF(now_ms + UPLINK_SETTLE_MS, u->rest_ms);
}

/* nsagent that is not there is told when it is; its start ends the wait in any case. */
int uplink_wait_ms(const struct uplink *u, uint64_t now_ms)
{
	uint64_t due = u->look_ms && u->carrier_ms ? MIN_OF(u->look_ms, u->carrier_ms)
						   : MAX_OF(u->look_ms, u->carrier_ms);

	if (!due)
		return -1;
	return due > now_ms ? (int)(due - now_ms) : 0;
}

/* --- telling --------------------------------------------------------------- */

static void add_word(char *buf, size_t size, const char *word)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s%s", len ? "," : "", word);
}

static void say(const struct netcfg *n, uint32_t diff)
{
	char what[128] = "", list[CONF_ADDRS_MAX * (PREFIX_STRLEN + 1)] = "";
	char one[PREFIX_STRLEN], gw4[ADDR_STRLEN], gw6[ADDR_STRLEN];

	for (uint32_t i = 0; i < NETCFG_PART_COUNT; i++)
		if (diff & 1u << i)
			add_word(what, sizeof(what), netcfg_part_names[i]);
	for (uint32_t i = 0; i < n->naddresses; i++)
		add_word(list, sizeof(list), prefix_format(&n->addresses[i], one));
	log_info("host changed=%s outer=%s/%s addresses=%s gateways=%s,%s mtu=%u", what,
		 n->outer_ifname4, n->outer_ifname6, list, addr_format(&n->gateway4, gw4),
		 addr_format(&n->gateway6, gw6), n->mtu);
}

/* For front ends: state.json is theirs, and says what was made. */
static void write_down(const struct uplink *u, const struct netcfg *net)
{
	const struct handoff_net h = { .magic = HANDOFF_MAGIC, .net = *net };
	static const char temporary[] = "." HANDOFF_NET_NAME;
	FD_OWNED int fd = openat(u->state_fd, temporary,
				 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && write(fd, &h, sizeof(h)) == (ssize_t)sizeof(h) &&
	    renameat(u->state_fd, temporary, u->state_fd, HANDOFF_NET_NAME) == 0)
		return;
	log_warn("state folder: " HANDOFF_NET_NAME ": %s", strerror(errno));
	unlinkat(u->state_fd, temporary, 0);
}

/* Closed in the engine before they are opened anew: two sockets cannot have one port. */
static void move_listeners(struct serve *s, const struct netcfg *was)
{
	struct publish *p = s->publish;
	uint32_t n = p->n, stale = 0, moved = 0, place;

	for (uint32_t i = 0; i < n; i++)
		if (publish_is_stale(p, s->conf, was, s->net, i)) {
			serve_tell(s, MSG_FORWARD_CLOSE, i);
			stale++;
		}
	if (stale)
		serve_sync(s);
	for (uint32_t i = 0; i < n && stale; i++) {
		if (!publish_is_stale(p, s->conf, was, s->net, i))
			continue;
		stale--;
		place = publish_reopen(p, s->conf, s->net, i);
		if (place == FORWARD_NONE)
			continue;
		moved++;
		serve_tell(s, MSG_FORWARD_OPEN, place);
	}
	if (moved)
		log_info("forward listeners=%u bound anew", moved);
}

/* What the interface is to have: what the network is, and behind it what was a copy until now
 * and the host still has, on another interface: connections from there live on, as the
 * host's own do. By themselves, so that they lead nowhere and nothing new begins there. */
static void set_wanted(const struct uplink *u, const struct netcfg *net, struct netcfg *ret)
{
	struct prefix list[CONF_ADDRS_MAX];
	bool there[CONF_ADDRS_MAX];
	uint32_t n = 0;

	*ret = *net;
	for (uint32_t i = 0; i < u->inside.naddresses; i++) {
		const struct addr *a = &u->inside.addresses[i].addr;

		if (!netcfg_has_address(net, a))
			list[n++] = (struct prefix){ *a, addr_is4(a) ? 32 : 128 };
	}
	if (n)
		netlink_present(list, n, there);
	for (uint32_t i = 0; i < n && ret->naddresses < CONF_ADDRS_MAX; i++)
		if (there[i])
			ret->addresses[ret->naddresses++] = list[i];
}

static void tell_nsagent(struct uplink *u, struct serve *s)
{
	struct msg_move m = { .kind = MSG_MOVE, .was = u->inside };
	int rc;

	set_wanted(u, s->net, &m.now);
	m.nold = m.now.naddresses - s->net->naddresses;
	rc = msg_send_fds(s->nsagent->sock, &m, sizeof(m), NULL, 0);

	if (rc < 0) {
		child_give_up(s->nsagent, rc);
		return;
	}
	u->stale = false;
	u->asked = s->nsagent->pid;
	u->asked_for = m.now;
}

/* Of a container that configures itself: what it asked for is not its any more. */
static void drop_carrier(struct uplink *u, uint64_t now_ms)
{
	int rc = tun_carrier(u->tap_fd, false);

	if (rc < 0)
		log_debug("carrier: %s", strerror(-rc));
	else
		u->carrier_ms = now_ms + UPLINK_CARRIER_MS;
}

static void raise_carrier(struct uplink *u)
{
	u->carrier_ms = 0;
	tun_carrier(u->tap_fd, true);
}

static void take(struct uplink *u, struct serve *s, const struct netcfg *now, uint32_t diff)
{
	const struct netcfg was = *s->net;

	*s->net = *now;
	say(now, diff);
	serve_tell_network(s);
	move_listeners(s, &was);
	u->stale = now->configure;
	write_down(u, now);
	if (!now->configure && u->tap_fd >= 0 && (diff & 1u << NETCFG_ADDRESSES))
		drop_carrier(u, s->now_ms);
}

int uplink_moved(struct uplink *u, struct serve *s, const struct msg_moved *m)
{
	struct netcfg stripped = *s->net;

	if (!msg_moved_ok(m) || !u->asked)
		return -EBADMSG;
	u->asked = 0;
	u->inside = u->asked_for;	/* as far as it went: what is missing is tried again */
	if (m->err.code)
		log_warn("the container's interface did not follow the host: %s", m->err.msg);
	if (!m->ipv6_left_out || u->no_ipv6)
		return 0;
	u->no_ipv6 = true;
	netcfg_strip_ipv6(&u->inside);
	netcfg_strip_ipv6(&stripped);
	log_warn("family=ipv6 left out: the container's namespace has it switched off");
	take(u, s, &stripped, netcfg_diff(s->net, &stripped));
	return 0;
}

/* --- looking --------------------------------------------------------------- */

/* What was said so far goes with the old socket; what is said from now on is heard. */
static void listen_anew(struct uplink *u)
{
	int fd = hostwatch_open();

	if (fd < 0)
		return;		/* the old one serves: it may make us look in vain */
	fd_drop(&u->fd);
	u->fd = fd;
}

/* The host as it is. False: it cannot be told, or has not what the configuration
 * wants of it, and all stays as it is. */
static bool read_host(const struct uplink *u, const struct serve *s, struct netcfg *ret)
{
	struct err e = ERR_INIT;

	if (netlink_template(s->conf, s->net, ret, &e) < 0) {
		log_debug("host not read: %s", e.msg);
		return false;
	}
	if (u->no_ipv6)
		netcfg_strip_ipv6(ret);
	return true;
}

/* A listener may be bound to an interface that is not the one of the default route. */
static void compare(struct uplink *u, struct serve *s, const struct netcfg *now)
{
	uint32_t diff = netcfg_diff(s->net, now);
	bool doubt = netcfg_loses_family(s->net, now) && !u->doubt;

	if (diff && !doubt)
		take(u, s, now, diff);
	else
		move_listeners(s, s->net);
	/* and addresses that stayed for the sake of connections */
	if (now->configure && u->inside.naddresses > s->net->naddresses)
		u->stale = true;
	u->doubt = doubt;
}

static void look(struct uplink *u, struct serve *s)
{
	struct netcfg now;
	uint64_t began = s->now_ms, ended;

	listen_anew(u);
	u->look_ms = 0;
	if (read_host(u, s, &now))
		compare(u, s, &now);
	ended = (uint64_t)clock_ms();
	u->rest_ms = ended + UPLINK_REST_MS + UPLINK_REST_TIMES * (ended - began);
	if (u->doubt)
		u->look_ms = MAX_OF(ended + UPLINK_DOUBT_MS, u->rest_ms);
}

void uplink_tick(struct uplink *u, struct serve *s)
{
	if (u->look_ms && s->now_ms >= u->look_ms)
		look(u, s);
	if (u->carrier_ms && s->now_ms >= u->carrier_ms)
		raise_carrier(u);
	if (u->asked && u->asked != s->nsagent->pid) {
		u->asked = 0;	/* it died over it: the next one is told */
		u->stale = true;
	}
	if (u->stale && !u->asked && s->nsagent->sock >= 0)
		tell_nsagent(u, s);
}
