/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: one line an event, key=value where there are values, no packet
 * contents. The one room besides main's sealed flag with file-scope state.
 * base..proto do not log; io, main, plugin and hooks do.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

enum log_level { LOGL_ERROR, LOGL_WARN, LOGL_INFO, LOGL_DEBUG, LOGL_COUNT };
/* LOGT_SYSLOG is journald, with fields, where that has syslog's socket; LOGT_JOURNAL is that
 * without a doubt. */
enum log_target { LOGT_STDERR, LOGT_SYSLOG, LOGT_FILE, LOGT_NONE, LOGT_JOURNAL, LOGT_COUNT };

#define LOG_FILE_MAX	(4U << 20)	/* a log file is started anew past this size */

/* Names as the configuration spells them: "error", "warn", "info", "debug"
 * and "stderr", "syslog", "file", "none", "journal". log_level_parse and
 * log_target_parse return 0 or -EINVAL. */
extern const char *const log_level_names[LOGL_COUNT];
extern const char *const log_target_names[LOGT_COUNT];
int log_level_parse(const char *s, enum log_level *ret);
int log_target_parse(const char *s, enum log_target *ret);

/* Opens the target. path is for LOGT_FILE. ident is put into every line (the
 * attachment's id) and copied. Returns 0 or -errno; then stderr is used.
 * Control characters in ident and in messages are written as spaces. */
int log_open(enum log_target target, enum log_level level, const char *path,
	     const char *ident);

/* Whose attachment it is, for the journal's fields; copied. */
void log_names(const char *container, const char *interface);

/* Bytes of a log file before it starts anew; 0: LOG_FILE_MAX. */
void log_limit_size(uint32_t size);

/* Which process speaks ("main", "engine", "nsagent"); copied. */
void log_role(const char *role);

void log_msg(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...)	log_msg(LOGL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_msg(LOGL_WARN, __VA_ARGS__)
#define log_info(...)	log_msg(LOGL_INFO, __VA_ARGS__)
#define log_debug(...)	log_msg(LOGL_DEBUG, __VA_ARGS__)

/* For events a peer can cause: true once a minute for each limit. On true,
 * limit->last_swallowed is how many were swallowed since the true before. */
struct log_limit {
	uint64_t next_ms;
	uint64_t swallowed;
	uint64_t last_swallowed;
};
bool log_allowed(struct log_limit *limit, uint64_t now_ms);

#endif
