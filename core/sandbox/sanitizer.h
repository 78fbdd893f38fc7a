/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sanitizer: whether this build has a sanitizer's runtime in it, which attaches to its
 * own process, opens files and maps memory for itself. */
#ifndef SANDBOX_SANITIZER_H
#define SANDBOX_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define UNDER_SANITIZER	1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER	0
#endif

#endif
