// SPDX-License-Identifier: GPL-2.0
// The implementations of a batch, each in an object with its own instructions. Vector registers
// have to be usable.
#pragma once

#include "aead.hh"

// The build gives the *_simd.cc of an architecture their flags there.
#if defined(__x86_64__)
#define WGPP_HAVE_X86_VECTORS 1
#else
#define WGPP_HAVE_X86_VECTORS 0
#endif
#if defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WGPP_HAVE_NEON 1
#else
#define WGPP_HAVE_NEON 0
#endif

namespace wg {

#if WGPP_HAVE_X86_VECTORS
// Eight blocks of key stream at a time; needs AVX2 and BMI2.
void aead_run_avx2(AeadPacket *packets, size_t num, bool is_seal);
// The same; needs AVX-512F and AVX-512VL besides.
void aead_run_avx512(AeadPacket *packets, size_t num, bool is_seal);
#endif
#if WGPP_HAVE_NEON
// Four blocks of key stream at a time.
void aead_run_neon(AeadPacket *packets, size_t num, bool is_seal);
#endif

}  // namespace wg
