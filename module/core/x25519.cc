// SPDX-License-Identifier: GPL-2.0
#include "x25519.hh"

#include "cpu.hh"
#include "x25519_levels.hh"

#if defined(__SIZEOF_INT128__) && !defined(WGPP_NO_INT128)
#include "x25519_field51.hh"
#else
#include "x25519_field25.hh"
#endif
#include "x25519_ladder.hh"
#if defined(__x86_64__)
#include "x25519_field64.hh"
#endif

namespace wg {
namespace {

#if defined(__SIZEOF_INT128__) && !defined(WGPP_NO_INT128)
using PortableFe = Fe51;
#else
using PortableFe = Fe25;
#endif
#if defined(__x86_64__)
using FastFe = Fe64;
#else
using FastFe = PortableFe;
#endif

// The point is the base point, or what l.x1 has.
template <bool is_base, typename Fe>
[[gnu::noinline]] void climb(Ladder<Fe> &l, const uint8_t *scalar) {
  Secret<kX25519KeyLen> k;
  copy(k.bytes, scalar, kX25519KeyLen);
  x25519_clamp(k.bytes);

  // Bit 255 is clear and bit 254 is set in every clamped scalar. What was doubled last is in x2
  // and z2.
  uint64_t last = 0;
  for (size_t i = 255; i-- != 0;) {
    const uint64_t bit = k.bytes[i / 8] >> i % 8 & 1;
    const uint64_t mask = opaque(0 - (last ^ bit));
    last = bit;
    ladder_step<is_base>(l, mask);
  }
}

template <typename Fe>
[[gnu::noinline]] void multiply(uint8_t *out, const uint8_t *scalar, const uint8_t *point) {
  Ladder<Fe> l;
  l.x2 = Fe{{1}};
  l.z2 = Fe{};
  l.z3 = Fe{{1}};
  if (point == nullptr) {
    l.x3 = Fe{{kBasePoint}};
    climb<true>(l, scalar);
  } else {
    fe_load(l.x1, point);
    l.x3 = l.x1;
    climb<false>(l, scalar);
  }
  // Every clamped scalar ends in a zero bit: the result is in x2 and z2.
  invert(l.z2, l.a, l.b, l.c);
  multiply_far(l.x2, l.x2, l.z2);
  fe_store(out, l.x2);
}

// out = scalar * point; of the base point, without one.
void multiply(uint8_t *out, const uint8_t *scalar, const uint8_t *point) {
  if (cpu_has_adx()) {
    multiply<FastFe>(out, scalar, point);
  } else {
    multiply<PortableFe>(out, scalar, point);
  }
  scrub_stack();
}

}  // namespace

const char *x25519_level() {
  if (x25519_batch_wants_vectors(kX25519BatchMax))
    return cpu_has_adx() ? "adx+ifma" : "portable+ifma";
  return cpu_has_adx() ? "adx" : "portable";
}

bool x25519_batch_wants_vectors(size_t num) {
  // However many there are, the time is that of eight.
  return WGPP_HAVE_IFMA != 0 && cpu_has_ifma() && num > 1;
}

void x25519_clamp(uint8_t *scalar) {
  scalar[0] &= 0xf8;
  scalar[31] &= 0x7f;
  scalar[31] |= 0x40;
}

bool x25519(uint8_t *out, const uint8_t *scalar, const uint8_t *point) {
  multiply(out, scalar, point);
  return !ct_is_zero(out, kX25519KeyLen);
}

void x25519_batch(X25519Batch &batch, size_t num, bool may_use_vectors) {
#if WGPP_HAVE_IFMA
  if (may_use_vectors && x25519_batch_wants_vectors(num)) {
    x25519_run_ifma(batch, num);
    scrub_stack();
    return;
  }
#endif
  static_cast<void>(may_use_vectors);
  for (size_t i = 0; i < num; ++i) multiply(batch.out[i], batch.scalar[i], batch.point[i]);
}

void x25519_base(uint8_t *out, const uint8_t *scalar) {
  multiply(out, scalar, nullptr);
}

}  // namespace wg
