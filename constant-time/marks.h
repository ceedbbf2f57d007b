/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How memory is marked as secret, which is undefined to the tool that looks on, and as public
 * again: valgrind, or clang's MemorySanitizer where valgrind does not know the processor's
 * instructions. Included in front of everything, the core's files, too.
 */
#pragma once

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define WGPP_MEMORY_SANITIZER
#endif
#endif

#ifdef WGPP_MEMORY_SANITIZER
#include <sanitizer/msan_interface.h>
#define WGPP_MARK_SECRET(data, len) __msan_poison(data, len)
#define WGPP_MARK_PUBLIC(data, len) __msan_unpoison(data, len)
#define WGPP_IS_WATCHED true
#define WGPP_KNOWS_ASSEMBLY false
#else
#include <valgrind/memcheck.h>
#define WGPP_MARK_SECRET(data, len) VALGRIND_MAKE_MEM_UNDEFINED(data, len)
#define WGPP_MARK_PUBLIC(data, len) VALGRIND_MAKE_MEM_DEFINED(data, len)
#define WGPP_IS_WATCHED (RUNNING_ON_VALGRIND != 0)
#define WGPP_KNOWS_ASSEMBLY true
#endif
