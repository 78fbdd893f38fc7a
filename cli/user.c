/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NAME_SIZE	256	/* of a login's name */
#define OVERFLOW_ID	65534	/* "nobody" where it has no name */

/* A whole number that is an id; UINT32_MAX is none (credentials(7)). */
static bool read_id(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || v >= UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static const char *read_group(const char *text, uint32_t *gid)
{
	const struct group *g;

	if (read_id(text, gid))
		return NULL;
	g = getgrnam(text);
	if (!g)
		return "has a group that this machine does not know";
	*gid = g->gr_gid;
	return NULL;
}

const char *user_parse(const char *spec, uint32_t *uid, uint32_t *gid)
{
	size_t n = strcspn(spec, ":");
	const struct passwd *p;
	char name[NAME_SIZE];
	bool number;

	if (n == 0 || n >= sizeof(name))
		return "is not a user";
	memcpy(name, spec, n);
	name[n] = '\0';
	number = read_id(name, uid);
	p = number ? getpwuid(*uid) : getpwnam(name);
	if (!p && !number)
		return "is no user of this machine";
	if (p)
		*uid = p->pw_uid;
	if (spec[n])
		return read_group(spec + n + 1, gid);
	if (!p)
		return "has no group: say UID:GID";
	*gid = p->pw_gid;
	return NULL;
}

void user_default(struct conf *c)
{
	static const char *const names[] = { "cni-passt", "nobody" };

	if (geteuid() != 0)
		return;
	c->run_uid = c->run_gid = OVERFLOW_ID;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!user_parse(names[i], &c->run_uid, &c->run_gid))
			return;
}

int user_become(uint32_t uid, uint32_t gid, struct err *e)
{
	if (uid == geteuid() && gid == getegid())
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
		err_set(e, ERR_PRIVILEGE, "--runas: cannot become user %u, group %u: %s", uid, gid,
			strerror(errno));
		return err_hint(e, "that takes root");
	}
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);	/* or our own /proc/self is root's */
	/* what it says is another's */
	return unsetenv("XDG_RUNTIME_DIR") < 0
		? err_set(e, ERR_IO, "XDG_RUNTIME_DIR: %s", strerror(errno)) : 0;
}
