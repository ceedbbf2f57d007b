// SPDX-License-Identifier: GPL-2.0
// Eight scalar multiplications at a time with AVX-512's multiply-add of 52 bits. In registers of
// 512 bits: half of that would do half the work in as many instructions, and keys change too seldom
// to slow a processor down.
#include "x25519_levels.hh"

#if WGPP_HAVE_IFMA
#include "x25519_eight.hh"
#include "zmm.hh"

namespace wg {
namespace {

struct Ifma {
#if defined(WGPP_MEMORY_SANITIZER)
  // It does not see into assembly.
  [[gnu::always_inline]] static void add_low(Lanes &sum, const Lanes &a, const Lanes &b) {
    add(sum, a, b, 0);
  }
  [[gnu::always_inline]] static void add_high(Lanes &sum, const Lanes &a, const Lanes &b) {
    add(sum, a, b, 52);
  }
  static void add(Lanes &sum, const Lanes &a, const Lanes &b, int shift) {
    __extension__ typedef unsigned __int128 Wide;
    constexpr uint64_t kMask = (uint64_t{1} << 52) - 1;
    for (size_t i = 0; i < kX25519BatchMax; ++i)
      sum[i] += static_cast<uint64_t>(Wide{a[i] & kMask} * (b[i] & kMask) >> shift) & kMask;
  }
#else
  // The compilers' builtins for them have different names.
  [[gnu::always_inline]] static void add_low(Lanes &sum, const Lanes &a, const Lanes &b) {
    __asm__("vpmadd52luq %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  }
  [[gnu::always_inline]] static void add_high(Lanes &sum, const Lanes &a, const Lanes &b) {
    __asm__("vpmadd52huq %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  }
#endif
};

}  // namespace

void x25519_run_ifma(X25519Batch &batch, size_t num) {
  multiply_eight<Ifma>(batch, num);
  zero_all_registers();
}

}  // namespace wg

#endif  // WGPP_HAVE_IFMA
