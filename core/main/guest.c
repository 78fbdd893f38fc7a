/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

static int option(int fd, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, name, &v, &len) < 0 ? -1 : v;
}

static void adopt(struct guest *g, int fd)
{
	const int size = GUEST_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	g->fd = fd;
	g->seq++;
}

static int bad_socket(const char *why, struct err *e)
{
	return err_set(e, ERR_IO, "the virtual machine's socket %s", why);
}

int guest_open(struct guest *g, const struct conf *c, int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || option(fd, SO_TYPE) != SOCK_STREAM)
		return bad_socket("is no stream socket", e);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	g->framing = mmap(NULL, sizeof(*g->framing), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->framing == MAP_FAILED) {
		g->framing = NULL;
		return err_set(e, ERR_IO, "no memory to share with the engine: %s",
			       strerror(errno));
	}
	if (!option(fd, SO_ACCEPTCONN)) {
		adopt(g, fd);
		return 0;
	}
	g->listen_fd = fd;
	if (c->socket_path[0] && lstat(c->socket_path, &st) == 0) {
		g->dev = st.st_dev;
		g->ino = st.st_ino;
	}
	return 0;
}

int guest_poll_fd(const struct guest *g, uint64_t now_ms)
{
	return g->again_ms > now_ms ? -1 : g->listen_fd;
}

int guest_wait_ms(const struct guest *g, uint64_t now_ms)
{
	return g->again_ms > now_ms ? (int)(g->again_ms - now_ms) : -1;
}

/* What the other side wrote before it went counts no more. */
static bool lives(const struct guest *g)
{
	struct pollfd p = { .fd = g->fd, .events = POLLRDHUP };

	return g->fd >= 0 && poll(&p, 1, 0) == 0;
}

void guest_accept(struct guest *g, struct serve *s)
{
	FD_OWNED int fd = accept4(g->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		g->again_ms = errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			      errno == ENOBUFS ? s->now_ms + GUEST_PAUSE_MS : 0;
		return;
	}
	if (lives(g)) {
		s->counters->stream_refused++;
		if (log_allowed(&g->said_refused, s->now_ms))
			log_warn("stream: one more connection is refused, there is one;"
				 " before it unsaid: %llu",
				 (unsigned long long)g->said_refused.last_swallowed);
		return;
	}
	fd_drop(&g->fd);
	adopt(g, fd_take(&fd));
	s->counters->stream_connections++;
	if (log_allowed(&g->said, s->now_ms))
		log_info("stream connected number=%u", g->seq);
	serve_connection(s, g->fd, g->seq);
}

bool guest_gone(struct guest *g, const struct serve_stream *end, uint64_t now_ms)
{
	if (g->fd < 0 || end->seq != g->seq)
		return false;
	fd_drop(&g->fd);
	if (log_allowed(&g->said_end, now_ms))
		log_info("stream ended number=%u why=\"%s\"", end->seq,
			 end->why == EBADMSG ? "a length that no frame has" :
			 end->why ? strerror((int)end->why) : "closed by the other side");
	return true;
}

void guest_leave(struct guest *g)
{
	fd_drop(&g->listen_fd);
}

void guest_close(struct guest *g, const struct conf *c)
{
	struct stat st;

	if (g->listen_fd >= 0 && g->ino && lstat(c->socket_path, &st) == 0 &&
	    st.st_dev == g->dev && st.st_ino == g->ino)
		unlink(c->socket_path);
	fd_drop(&g->listen_fd);
	fd_drop(&g->fd);	/* last: who sees it close may want that path at once */
}
