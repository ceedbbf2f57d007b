// SPDX-License-Identifier: GPL-2.0
// Implementations of a batch in objects with their own instructions. Vector registers have to be
// usable.
#pragma once

#include "x25519.hh"

#if defined(__x86_64__)
#define WGPP_HAVE_IFMA 1
#else
#define WGPP_HAVE_IFMA 0
#endif

namespace wg {

#if WGPP_HAVE_IFMA
// Needs AVX-512F, AVX-512VL and AVX-512IFMA; num is from 1 to kX25519BatchMax.
void x25519_run_ifma(X25519Batch &batch, size_t num);
#endif

}  // namespace wg
