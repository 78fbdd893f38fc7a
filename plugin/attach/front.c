/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/attach/front.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/utf8.h"
#include "conf/conf.h"

#define WITHOUT_MAX	256	/* bytes of CNI_PASST_WITHOUT */

void front_fill_std_fds(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			_exit(1);
}

int front_hold_signals(void)
{
	static const int held[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		sigaddset(&set, held[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int front_without(uint32_t *ret, struct err *e)
{
	const char *env = getenv("CNI_PASST_WITHOUT");
	char text[WITHOUT_MAX], *save = NULL;
	uint32_t bit;

	if (!env)
		return 0;
	if (strlen(env) >= sizeof(text))
		return err_set(e, ERR_ENV, "CNI_PASST_WITHOUT: longer than %d bytes", WITHOUT_MAX);
	strcpy(text, env);
	for (char *s = strtok_r(text, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		bit = conf_without_parse(s);
		if (!bit)
			return err_set(e, ERR_ENV, "CNI_PASST_WITHOUT: \"%.40s\" is not a word of"
				       " it (offload, uso, peek, udpgso)", s);
		*ret |= bit;
	}
	return 0;
}

void front_clean(char *s)
{
	size_t n;

	for (; *s; s += n ? n : 1) {
		n = utf8_len(s);
		if (!n)
			*s = '?';
	}
}
