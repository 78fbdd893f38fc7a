/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: the native protocol of systemd-journald (systemd.journal-fields(7)): an entry
 * is one datagram of lines FIELD=value. The text's own key=value pairs become fields too,
 * so that `journalctl CNI_PASST_EVENT=capture_ended` finds them. Without libsystemd, and
 * with what a sealed process may call.
 */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include <stddef.h>

#define JOURNAL_SOCKET	"/run/systemd/journal/socket"
#define JOURNAL_ENTRY_MAX	4096
#define JOURNAL_FIELDS	16	/* made of pairs of one text; the rest stand in MESSAGE */
#define JOURNAL_FIELD_MAX	48	/* bytes of a name */

/* Who speaks. No member holds a line's end. */
struct journal_who {
	const char *identifier;			/* SYSLOG_IDENTIFIER */
	const char *container, *interface;	/* CNI_PASST_ID, CNI_PASST_INTERFACE; may be "" */
	const char *process;			/* CNI_PASST_PROCESS; may be "" */
};

/* A connected socket that never waits, or -errno: journald is not there. */
int journal_open(const char *path);

/* Whether syslog(3) would reach journald: its socket is /dev/log. */
int journal_is_syslog(void);

/* Writes an entry; text and message are lines without their end, priority is syslog's. Returns its
 * length; what does not fit is left out, MESSAGE never. */
size_t journal_format(const struct journal_who *who, int priority, const char *message,
		      const char *text, char buf[JOURNAL_ENTRY_MAX]);

#endif
