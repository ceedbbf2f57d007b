// SPDX-License-Identifier: GPL-2.0
// Curve25519's ladder (RFC 7748, 5) and the inverse at its end, on any implementation of the field:
// a type Fe with fe_add(), fe_sub(), fe_mul(), fe_square(), fe_mul_small() and fe_select(). Part of
// x25519.cc and ifma_simd.cc.
#pragma once

#include "base.hh"

namespace wg {
namespace {  // NOLINT(google-build-namespaces): each object has its own

// (A - 2) / 4 for the curve's A = 486662 (RFC 7748, 5).
constexpr uint32_t kA24 = 121665;
constexpr uint32_t kBasePoint = 9;

// What lives during a scalar multiplication; all of it depends on the scalar.
template <typename Fe>
struct Ladder {
  Fe x1, x2, z2, x3, z3;
  Fe a, b, c, d, e;

  Ladder() = default;
  Ladder(const Ladder &) = delete;
  Ladder &operator=(const Ladder &) = delete;
  [[gnu::always_inline]] ~Ladder() { wipe(this, sizeof *this); }
};

// One differential addition and one doubling (RFC 7748, 5; the names there are in brackets). What
// is added is the same with both points exchanged: DA and CB change places. So all that swapping
// comes down to is which of them is doubled: (x2, z2), or (x3, z3) when mask is all ones.
template <bool is_base, typename Fe, typename Mask>
[[gnu::always_inline]] inline void ladder_step(Ladder<Fe> &l, const Mask &mask) {
  fe_add(l.a, l.x2, l.z2);  // [A]
  fe_sub(l.b, l.x2, l.z2);  // [B]
  fe_add(l.c, l.x3, l.z3);  // [C]
  fe_sub(l.d, l.x3, l.z3);  // [D]
  fe_mul(l.x3, l.d, l.a);   // [DA]
  fe_mul(l.z3, l.c, l.b);   // [CB]
  fe_select(l.a, l.a, l.c, mask);
  fe_select(l.b, l.b, l.d, mask);
  fe_square(l.a, l.a);      // [AA]
  fe_square(l.b, l.b);      // [BB]
  fe_sub(l.e, l.a, l.b);    // [E]
  fe_add(l.c, l.x3, l.z3);  //
  fe_sub(l.d, l.x3, l.z3);  //
  fe_mul(l.x2, l.a, l.b);   // x2 = AA * BB
  fe_mul_small(l.z2, l.e, kA24);
  fe_square(l.x3, l.c);     // x3 = (DA + CB)^2
  fe_square(l.z3, l.d);     //
  fe_add(l.z2, l.z2, l.a);  //
  fe_mul(l.z2, l.z2, l.e);  // z2 = E * (AA + a24 * E)
  if constexpr (is_base) {
    fe_mul_small(l.z3, l.z3, kBasePoint);
  } else {
    fe_mul(l.z3, l.z3, l.x1);  // z3 = x1 * (DA - CB)^2
  }
}

template <typename Fe>
[[gnu::noinline]] void square_times(Fe &out, const Fe &a, int n) {
  fe_square(out, a);
  for (int i = 1; i < n; ++i) fe_square(out, out);
}

// Not inlined where the ladder inlines it: the inverse would grow by ten copies.
template <typename Fe>
[[gnu::noinline]] void multiply_far(Fe &out, const Fe &a, const Fe &b) {
  fe_mul(out, a, b);
}

// a = a^(p - 2), which is 1 / a, or 0 for 0. t1 to t3 are scratch, wiped by the caller. The
// comments give the exponent reached; e(n) stands for 2^n - 1.
template <typename Fe>
[[gnu::noinline]] void invert(Fe &a, Fe &t1, Fe &t2, Fe &t3) {
  Fe &a11 = t3;
  square_times(t1, a, 1);     // 2
  square_times(t2, t1, 2);    // 8
  multiply_far(t2, t2, a);    // 9
  multiply_far(a11, t2, t1);  // 11
  square_times(t1, a11, 1);   // 22
  multiply_far(a, t1, t2);    // 31 = e(5)
  square_times(t1, a, 5);     //
  multiply_far(a, t1, a);     // e(10)
  square_times(t1, a, 10);    //
  multiply_far(t1, t1, a);    // e(20)
  square_times(t2, t1, 20);   //
  multiply_far(t1, t2, t1);   // e(40)
  square_times(t1, t1, 10);   //
  multiply_far(a, t1, a);     // e(50)
  square_times(t1, a, 50);    //
  multiply_far(t1, t1, a);    // e(100)
  square_times(t2, t1, 100);  //
  multiply_far(t1, t2, t1);   // e(200)
  square_times(t1, t1, 50);   //
  multiply_far(t1, t1, a);    // e(250)
  square_times(t1, t1, 5);    // 2^255 - 32
  multiply_far(a, t1, a11);   // 2^255 - 21 = p - 2
}

}  // namespace
}  // namespace wg
