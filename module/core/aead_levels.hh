// SPDX-License-Identifier: GPL-2.0
// The implementations of a batch, each in an object with its own instructions. Vector registers
// have to be usable.
#pragma once

#include "aead.hh"

// The build gives avx2_simd.cc its flags on this architecture.
#if defined(__x86_64__)
#define WGPP_HAVE_AVX2 1
#else
#define WGPP_HAVE_AVX2 0
#endif

namespace wg {

#if WGPP_HAVE_AVX2
// Eight blocks of key stream at a time; needs AVX2 and BMI2.
void aead_run_avx2(AeadPacket *packets, size_t num, bool is_seal);
#endif

}  // namespace wg
