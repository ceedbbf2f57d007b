/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vector registers: whose they are, and for how long.
 *
 * The core works in them between wg_vectors_begin() and wg_vectors_end() only. Nobody is
 * preempted there, so that what is done in between has to be bounded: by WG_BATCH_MAX_BYTES, and
 * when a device gets a new key by WGC_SHARED_SECRETS_MAX.
 */
#ifndef WG_VECTORS_H
#define WG_VECTORS_H

#include <linux/types.h>
#if defined(CONFIG_X86) || defined(CONFIG_UML_X86)
#include <asm/fpu/api.h>
#elif defined(CONFIG_ARM64) && defined(CONFIG_KERNEL_MODE_NEON) && defined(WG_HAVE_NEON_BEGIN)
#define WG_HAVE_NEON
#include <asm/neon.h>
#include <asm/simd.h>
#endif

/* More packets of a batch are not added; some 15 microseconds of work. */
#define WG_BATCH_MAX_BYTES 32768

/* Whether the core has a use for them. */
extern bool wg_vectors_used;

/** wg_vectors_begin() - Return: whether vector registers may be touched until wg_vectors_end() */
static inline bool wg_vectors_begin(void)
{
#if defined(CONFIG_X86)
	if (!wg_vectors_used || !irq_fpu_usable())
		return false;
	kernel_fpu_begin();
	return true;
#elif defined(CONFIG_UML_X86)
	if (!wg_vectors_used)
		return false;
	kernel_fpu_begin();
	return true;
#elif defined(WG_HAVE_NEON)
	if (!wg_vectors_used || !may_use_simd())
		return false;
	kernel_neon_begin();
	return true;
#else
	return false;
#endif
}

/** wg_vectors_end() - @begun: what wg_vectors_begin() said */
static inline void wg_vectors_end(bool begun)
{
#if defined(CONFIG_X86) || defined(CONFIG_UML_X86)
	if (begun)
		kernel_fpu_end();
#elif defined(WG_HAVE_NEON)
	if (begun)
		kernel_neon_end();
#endif
}

#endif
