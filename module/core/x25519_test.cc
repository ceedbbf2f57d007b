// SPDX-License-Identifier: GPL-2.0
#include "x25519.hh"

#include "test_crypto.hh"
#include "test_levels.hh"
#include "test_x25519.hh"

namespace wg::test {
namespace {

class X25519 : public LevelTest {};

WGPP_EACH_LEVEL(X25519, x25519_levels());

// RFC 7748, 5, on slow integers, with branches where the code under test has masks.
Buffer slow_x25519(const Buffer &scalar, const Buffer &point) {
  const Field f(Number::power_of_two(255).minus(Number(19)));
  Buffer clamped = scalar, masked = point;
  clamped[0] &= 248;
  clamped[31] = static_cast<uint8_t>((clamped[31] & 127) | 64);
  masked[31] &= 127;
  const Number k(clamped), x1 = f.reduce(Number(masked));
  Number x2(1), z2, x3 = x1, z3(1);
  for (size_t i = 255; i-- != 0;) {
    if (k.bit(i)) std::swap(x2, x3), std::swap(z2, z3);
    const Number a = f.add(x2, z2), b = f.sub(x2, z2), c = f.add(x3, z3), d = f.sub(x3, z3);
    const Number aa = f.mul(a, a), bb = f.mul(b, b), da = f.mul(d, a), cb = f.mul(c, b);
    const Number e = f.sub(aa, bb), sum = f.add(da, cb), diff = f.sub(da, cb);
    x3 = f.mul(sum, sum);
    z3 = f.mul(x1, f.mul(diff, diff));
    x2 = f.mul(aa, bb);
    z2 = f.mul(e, f.add(aa, f.mul(Number(121665), e)));
    if (k.bit(i)) std::swap(x2, x3), std::swap(z2, z3);
  }
  return f.mul(x2, f.invert(z2)).bytes(32);
}

TEST_P(X25519, MatchesPublishedVectors) {
  for (const Vector &v : read_vectors("x25519.txt")) {
    SCOPED_TRACE(v.text("name"));
    EXPECT_EQ(product(v.bytes("scalar"), v.bytes("point")), v.bytes("out"));
  }
}

TEST_P(X25519, IteratesToThePublishedResults) {
  expect_iterated("x25519_iterated.txt");
}

TEST_P(X25519, RefusesPointsOfLowOrder) {
  Random random;
  for (const Vector &v : read_vectors("x25519_low_order.txt")) {
    SCOPED_TRACE(v.text("name"));
    Buffer out(32, 0xa5);
    EXPECT_FALSE(x25519(out.data(), random.bytes(32).data(), v.bytes("point").data()));
    EXPECT_EQ(out, Buffer(32));
  }
}

TEST_P(X25519, RandomInputsMatchSlowIntegers) {
  Random random;
  for (int i = 0; i < 6; ++i) {
    const Buffer scalar = random.bytes(32), point = random.bytes(32);
    ASSERT_EQ(product(scalar, point), slow_x25519(scalar, point));
  }
}

TEST_P(X25519, LongCarriesMatchSlowIntegers) {
  Random random;
  for (int i = 0; i < 6; ++i) {
    const Buffer scalar = random.edgy_bytes(32), point = random.edgy_bytes(32);
    ASSERT_EQ(product(scalar, point), slow_x25519(scalar, point));
  }
}

TEST_P(X25519, BasePointIsNine) {
  Random random;
  for (int i = 0; i < 20; ++i) {
    const Buffer scalar = random.bytes(32);
    Buffer out(32);
    x25519_base(out.data(), scalar.data());
    EXPECT_EQ(out, product(scalar, base_point()));
  }
}

TEST_P(X25519, BothSidesAgree) {
  Random random;
  for (int i = 0; i < 100; ++i) {
    const Buffer a = random.bytes(32), b = random.bytes(32);
    Buffer public_a(32), public_b(32);
    x25519_base(public_a.data(), a.data());
    x25519_base(public_b.data(), b.data());
    ASSERT_EQ(product(a, public_b), product(b, public_a));
  }
}

TEST_P(X25519, TopBitOfThePointIsIgnored) {
  Random random;
  const Buffer scalar = random.bytes(32);
  Buffer point = random.bytes(32);
  const Buffer expected = product(scalar, point);
  point[31] ^= 0x80;
  EXPECT_EQ(product(scalar, point), expected);
}

TEST_P(X25519, ScalarIsClampedOnTheFly) {
  Random random;
  const Buffer point = random.bytes(32), scalar = random.bytes(32);
  Buffer clamped = scalar;
  x25519_clamp(clamped.data());
  EXPECT_EQ(clamped[0] & 7, 0);
  EXPECT_EQ(clamped[31] & 0xc0, 0x40);
  EXPECT_EQ(product(clamped, point), product(scalar, point));
  for (int bit : {0, 1, 2, 254, 255}) {
    Buffer changed = scalar;
    changed[static_cast<size_t>(bit) / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_EQ(product(changed, point), product(scalar, point)) << bit;
  }
}

TEST_P(X25519, OutputMayBeScalarOrPoint) {
  Random random;
  const Buffer scalar = random.bytes(32), point = random.bytes(32);
  const Buffer expected = product(scalar, point);
  Buffer s = scalar, p = point;
  EXPECT_TRUE(x25519(s.data(), s.data(), point.data()));
  EXPECT_TRUE(x25519(p.data(), scalar.data(), p.data()));
  EXPECT_EQ(s, expected);
  EXPECT_EQ(p, expected);
}

TEST_P(X25519, LevelsAgree) {
  Random random;
  for (int i = 0; i < 200; ++i) {
    const Buffer scalar = random.edgy_bytes(32), point = random.edgy_bytes(32);
    set_cpu_features(0);
    Buffer expected(32), out(32);
    const bool is_good = x25519(expected.data(), scalar.data(), point.data());
    set_cpu_features(GetParam().features);
    ASSERT_EQ(x25519(out.data(), scalar.data(), point.data()), is_good);
    ASSERT_EQ(out, expected);
  }
}

}  // namespace
}  // namespace wg::test
