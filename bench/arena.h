/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for what is measured, of both sides alike: in huge pages, as a kernel's direct mapping
 * has it, one object beside the other, and what is freed is used again for the same length.
 */
#ifndef WGPP_BENCH_ARENA_H
#define WGPP_BENCH_ARENA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t len);
void arena_free(struct arena *arena, void *memory, size_t len);
/* Bytes in use. */
size_t arena_used(const struct arena *arena);

#ifdef __cplusplus
}
#endif
#endif
