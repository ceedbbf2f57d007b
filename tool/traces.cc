// SPDX-License-Identifier: GPL-2.0
#include "traces.hh"

#include <sys/resource.h>

#include <cstdint>
#include <ctime>

#include "wgcore.h"

namespace wg::tool {
namespace {

// All ones, not zeros: XSAVEOPT and its kin do not write a register file that is all zeros, and
// then the old contents would stay in memory.
#if defined(__x86_64__)

void overwrite_sse() {
  asm volatile(
      "pcmpeqd %%xmm0, %%xmm0\n\t"
      "pcmpeqd %%xmm1, %%xmm1\n\t"
      "pcmpeqd %%xmm2, %%xmm2\n\t"
      "pcmpeqd %%xmm3, %%xmm3\n\t"
      "pcmpeqd %%xmm4, %%xmm4\n\t"
      "pcmpeqd %%xmm5, %%xmm5\n\t"
      "pcmpeqd %%xmm6, %%xmm6\n\t"
      "pcmpeqd %%xmm7, %%xmm7\n\t"
      "pcmpeqd %%xmm8, %%xmm8\n\t"
      "pcmpeqd %%xmm9, %%xmm9\n\t"
      "pcmpeqd %%xmm10, %%xmm10\n\t"
      "pcmpeqd %%xmm11, %%xmm11\n\t"
      "pcmpeqd %%xmm12, %%xmm12\n\t"
      "pcmpeqd %%xmm13, %%xmm13\n\t"
      "pcmpeqd %%xmm14, %%xmm14\n\t"
      "pcmpeqd %%xmm15, %%xmm15"
      :
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

// The halves that SSE instructions leave alone.
void overwrite_avx() {
  asm volatile(
      "vcmptrueps %%ymm0, %%ymm0, %%ymm0\n\t"
      "vcmptrueps %%ymm1, %%ymm1, %%ymm1\n\t"
      "vcmptrueps %%ymm2, %%ymm2, %%ymm2\n\t"
      "vcmptrueps %%ymm3, %%ymm3, %%ymm3\n\t"
      "vcmptrueps %%ymm4, %%ymm4, %%ymm4\n\t"
      "vcmptrueps %%ymm5, %%ymm5, %%ymm5\n\t"
      "vcmptrueps %%ymm6, %%ymm6, %%ymm6\n\t"
      "vcmptrueps %%ymm7, %%ymm7, %%ymm7\n\t"
      "vcmptrueps %%ymm8, %%ymm8, %%ymm8\n\t"
      "vcmptrueps %%ymm9, %%ymm9, %%ymm9\n\t"
      "vcmptrueps %%ymm10, %%ymm10, %%ymm10\n\t"
      "vcmptrueps %%ymm11, %%ymm11, %%ymm11\n\t"
      "vcmptrueps %%ymm12, %%ymm12, %%ymm12\n\t"
      "vcmptrueps %%ymm13, %%ymm13, %%ymm13\n\t"
      "vcmptrueps %%ymm14, %%ymm14, %%ymm14\n\t"
      "vcmptrueps %%ymm15, %%ymm15, %%ymm15"
      :
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

// Compilers that were not told of AVX-512 do not use registers 16 to 31, the C library does.
void overwrite_avx512() {
  asm volatile(
      "vpternlogd $255, %%zmm0, %%zmm0, %%zmm0\n\t"
      "vmovdqa64 %%zmm0, %%zmm1\n\t"
      "vmovdqa64 %%zmm0, %%zmm2\n\t"
      "vmovdqa64 %%zmm0, %%zmm3\n\t"
      "vmovdqa64 %%zmm0, %%zmm4\n\t"
      "vmovdqa64 %%zmm0, %%zmm5\n\t"
      "vmovdqa64 %%zmm0, %%zmm6\n\t"
      "vmovdqa64 %%zmm0, %%zmm7\n\t"
      "vmovdqa64 %%zmm0, %%zmm8\n\t"
      "vmovdqa64 %%zmm0, %%zmm9\n\t"
      "vmovdqa64 %%zmm0, %%zmm10\n\t"
      "vmovdqa64 %%zmm0, %%zmm11\n\t"
      "vmovdqa64 %%zmm0, %%zmm12\n\t"
      "vmovdqa64 %%zmm0, %%zmm13\n\t"
      "vmovdqa64 %%zmm0, %%zmm14\n\t"
      "vmovdqa64 %%zmm0, %%zmm15\n\t"
      "vmovdqa64 %%zmm0, %%zmm16\n\t"
      "vmovdqa64 %%zmm0, %%zmm17\n\t"
      "vmovdqa64 %%zmm0, %%zmm18\n\t"
      "vmovdqa64 %%zmm0, %%zmm19\n\t"
      "vmovdqa64 %%zmm0, %%zmm20\n\t"
      "vmovdqa64 %%zmm0, %%zmm21\n\t"
      "vmovdqa64 %%zmm0, %%zmm22\n\t"
      "vmovdqa64 %%zmm0, %%zmm23\n\t"
      "vmovdqa64 %%zmm0, %%zmm24\n\t"
      "vmovdqa64 %%zmm0, %%zmm25\n\t"
      "vmovdqa64 %%zmm0, %%zmm26\n\t"
      "vmovdqa64 %%zmm0, %%zmm27\n\t"
      "vmovdqa64 %%zmm0, %%zmm28\n\t"
      "vmovdqa64 %%zmm0, %%zmm29\n\t"
      "vmovdqa64 %%zmm0, %%zmm30\n\t"
      "vmovdqa64 %%zmm0, %%zmm31"
      :
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

void overwrite_registers() {
  if (__builtin_cpu_supports("avx512f") != 0) {
    overwrite_avx512();
  } else if (__builtin_cpu_supports("avx") != 0) {
    overwrite_avx();
  } else {
    overwrite_sse();
  }
}

#elif defined(__aarch64__)

void overwrite_registers() {
  asm volatile(
      "movi v0.16b, #255\n\tmovi v1.16b, #255\n\tmovi v2.16b, #255\n\tmovi v3.16b, #255\n\t"
      "movi v4.16b, #255\n\tmovi v5.16b, #255\n\tmovi v6.16b, #255\n\tmovi v7.16b, #255\n\t"
      "movi v8.16b, #255\n\tmovi v9.16b, #255\n\tmovi v10.16b, #255\n\tmovi v11.16b, #255\n\t"
      "movi v12.16b, #255\n\tmovi v13.16b, #255\n\tmovi v14.16b, #255\n\tmovi v15.16b, #255\n\t"
      "movi v16.16b, #255\n\tmovi v17.16b, #255\n\tmovi v18.16b, #255\n\tmovi v19.16b, #255\n\t"
      "movi v20.16b, #255\n\tmovi v21.16b, #255\n\tmovi v22.16b, #255\n\tmovi v23.16b, #255\n\t"
      "movi v24.16b, #255\n\tmovi v25.16b, #255\n\tmovi v26.16b, #255\n\tmovi v27.16b, #255\n\t"
      "movi v28.16b, #255\n\tmovi v29.16b, #255\n\tmovi v30.16b, #255\n\tmovi v31.16b, #255"
      :
      :
      : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
        "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
        "v27", "v28", "v29", "v30", "v31");
}

#else

void overwrite_registers() {}

#endif

long switches() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nvcsw : 0;
}

// Deeper than any command goes.
constexpr size_t kStackLen = 256 << 10;

[[gnu::noinline]] void overwrite_stack() {
  uint8_t below[kStackLen];
  wgc_wipe(below, sizeof(below));
}

}  // namespace

void wipe_traces() {
  constexpr timespec kShort{.tv_sec = 0, .tv_nsec = 100'000};
  constexpr int kTries = 10;  // A sleep that is over before it began saves nothing.
  overwrite_stack();
  const long before = switches();
  for (int i = 0; i < kTries && switches() == before; ++i) {
    overwrite_registers();
    nanosleep(&kShort, nullptr);
  }
}

}  // namespace wg::tool
