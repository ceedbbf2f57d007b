// SPDX-License-Identifier: GPL-2.0
#include "x25519.hh"

#if defined(__SIZEOF_INT128__) && !defined(WGPP_NO_INT128)
#include "x25519_field51.hh"
#else
#include "x25519_field25.hh"
#endif

namespace wg {
namespace {

// (A - 2) / 4 for the curve's A = 486662 (RFC 7748, 5).
constexpr uint32_t kA24 = 121665;

// What lives on the stack during one scalar multiplication; all of it depends on the scalar.
struct Ladder {
  Fe x1, x2, z2, x3, z3;
  Fe a, b, c, d;

  Ladder() = default;
  Ladder(const Ladder &) = delete;
  Ladder &operator=(const Ladder &) = delete;
  [[gnu::always_inline]] ~Ladder() { wipe(this, sizeof *this); }
};

// One differential addition and one doubling (RFC 7748, 5; the names there are in brackets).
void ladder_step(Ladder &l) {
  fe_add(l.a, l.x2, l.z2);   // [A]
  fe_sub(l.b, l.x2, l.z2);   // [B]
  fe_add(l.c, l.x3, l.z3);   // [C]
  fe_sub(l.d, l.x3, l.z3);   // [D]
  fe_mul(l.d, l.d, l.a);     // [DA]
  fe_mul(l.c, l.c, l.b);     // [CB]
  fe_square(l.a, l.a);       // [AA]
  fe_square(l.b, l.b);       // [BB]
  fe_add(l.x3, l.d, l.c);    //
  fe_square(l.x3, l.x3);     // x3 = (DA + CB)^2
  fe_sub(l.z3, l.d, l.c);    //
  fe_square(l.z3, l.z3);     //
  fe_mul(l.z3, l.z3, l.x1);  // z3 = x1 * (DA - CB)^2
  fe_mul(l.x2, l.a, l.b);    // x2 = AA * BB
  fe_sub(l.b, l.a, l.b);     // [E]
  fe_mul_small(l.z2, l.b, kA24);
  fe_add(l.z2, l.z2, l.a);  //
  fe_mul(l.z2, l.z2, l.b);  // z2 = E * (AA + a24 * E)
}

void square_times(Fe &out, const Fe &a, int n) {
  fe_square(out, a);
  for (int i = 1; i < n; ++i) fe_square(out, out);
}

// a = a^(p - 2), which is 1 / a, or 0 for 0. t1 to t3 are scratch, wiped by the caller. The
// comments give the exponent reached; e(n) stands for 2^n - 1.
void invert(Fe &a, Fe &t1, Fe &t2, Fe &t3) {
  Fe &a11 = t3;
  fe_square(t1, a);           // 2
  square_times(t2, t1, 2);    // 8
  fe_mul(t2, t2, a);          // 9
  fe_mul(a11, t2, t1);        // 11
  fe_square(t1, a11);         // 22
  fe_mul(a, t1, t2);          // 31 = e(5)
  square_times(t1, a, 5);     //
  fe_mul(a, t1, a);           // e(10)
  square_times(t1, a, 10);    //
  fe_mul(t1, t1, a);          // e(20)
  square_times(t2, t1, 20);   //
  fe_mul(t1, t2, t1);         // e(40)
  square_times(t1, t1, 10);   //
  fe_mul(a, t1, a);           // e(50)
  square_times(t1, a, 50);    //
  fe_mul(t1, t1, a);          // e(100)
  square_times(t2, t1, 100);  //
  fe_mul(t1, t2, t1);         // e(200)
  square_times(t1, t1, 50);   //
  fe_mul(t1, t1, a);          // e(250)
  square_times(t1, t1, 5);    // 2^255 - 32
  fe_mul(a, t1, a11);         // 2^255 - 21 = p - 2
}

void multiply(uint8_t *out, const uint8_t *scalar, const uint8_t *point) {
  Secret<kX25519KeyLen> k;
  copy(k.bytes, scalar, kX25519KeyLen);
  x25519_clamp(k.bytes);

  Ladder l;
  fe_load(l.x1, point);
  l.x2 = Fe{{1}};
  l.z2 = Fe{};
  l.x3 = l.x1;
  l.z3 = Fe{{1}};

  // Bit 255 is clear and bit 254 is set in every clamped scalar.
  uint64_t swapped = 0;
  for (size_t i = 255; i-- != 0;) {
    const uint64_t bit = k.bytes[i / 8] >> i % 8 & 1;
    uint64_t mask = 0 - (swapped ^ bit);
    // Hides from the compiler that mask is 0 or all ones, or it might branch on it.
    __asm__ __volatile__("" : "+r"(mask));
    fe_swap(l.x2, l.x3, mask);
    fe_swap(l.z2, l.z3, mask);
    swapped = bit;
    ladder_step(l);
  }
  // Every clamped scalar ends in a zero bit: the result is in x2 and z2.
  invert(l.z2, l.a, l.b, l.c);
  fe_mul(l.x2, l.x2, l.z2);
  fe_store(out, l.x2);
}

}  // namespace

void x25519_clamp(uint8_t *scalar) {
  scalar[0] &= 0xf8;
  scalar[31] &= 0x7f;
  scalar[31] |= 0x40;
}

bool x25519(uint8_t *out, const uint8_t *scalar, const uint8_t *point) {
  multiply(out, scalar, point);
  return !ct_is_zero(out, kX25519KeyLen);
}

void x25519_base(uint8_t *out, const uint8_t *scalar) {
  constexpr uint8_t kBasePoint[kX25519KeyLen] = {9};
  multiply(out, scalar, kBasePoint);
}

}  // namespace wg
