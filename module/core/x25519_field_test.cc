// SPDX-License-Identifier: GPL-2.0
// The arithmetic below X25519 where its carries are: what scalar multiplications, which are tested
// in x25519_test.cc, hit too rarely.
#include "host_cpu.hh"
#include "test_crypto.hh"

#if defined(__x86_64__)

#include "x25519_field64.hh"

namespace wg::test {
namespace {

using Word = uint64_t;

constexpr Word kEdges[] = {0,
                           1,
                           18,
                           19,
                           37,
                           38,
                           Word{1} << 63,
                           ~Word{0} >> 1,
                           ~Word{0} - 38,
                           ~Word{0} - 19,
                           ~Word{0} - 1,
                           ~Word{0}};

// An operand of mul and square: anything under 2^256.
Fe64 any_value(Random &random) {
  Fe64 out;
  for (Word &word : out.v) {
    word = random.below(4) == 0 ? random.number() : kEdges[random.below(std::size(kEdges))];
  }
  return out;
}

// An operand of add and sub: under 2^255 + 2^23.
Fe64 reduced_value(Random &random) {
  Fe64 out = any_value(random);
  out.v[3] &= ~Word{0} >> 1;
  if (random.below(2) == 0) out = {{random.below(1 << 23), 0, 0, Word{1} << 63}};
  return out;
}

Number number(const Fe64 &a) {
  Buffer bytes(32);
  for (size_t i = 0; i < 4; ++i) store_le(&bytes[8 * i], a.v[i]);
  return Number(bytes);
}

bool is_reduced(const Fe64 &a) {
  return number(a).less(Number::power_of_two(255).plus(Number(1 << 23)));
}

class X25519Field64 : public testing::TestWithParam<int> {
 protected:
  // The value, modulo p.
  Number value(const Fe64 &a) const { return field_.reduce(number(a)); }

  Random random_;
  Field field_{Number::power_of_two(255).minus(Number(19))};
};

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(X25519Field64);
INSTANTIATE_TEST_SUITE_P(Rounds, X25519Field64,
                         testing::Range(0, (host_cpu_features() & WGC_CPU_ADX) != 0 ? 4 : 0));

TEST_P(X25519Field64, MultipliesAndReduces) {
  for (int i = 0; i < 60; ++i) {
    const Fe64 a = any_value(random_), b = any_value(random_);
    Fe64 out;
    fe_mul(out, a, b);
    ASSERT_TRUE(is_reduced(out));
    ASSERT_EQ(value(out).bytes(32), field_.mul(value(a), value(b)).bytes(32));
    fe_square(out, a);
    ASSERT_TRUE(is_reduced(out));
    ASSERT_EQ(value(out).bytes(32), field_.mul(value(a), value(a)).bytes(32));
    const auto n = static_cast<uint32_t>(random_.below(1 << 17));
    fe_mul_small(out, a, n);
    ASSERT_TRUE(is_reduced(out));
    ASSERT_EQ(value(out).bytes(32), field_.mul(value(a), Number(n)).bytes(32));
  }
}

TEST_P(X25519Field64, MultipliesTheLargest) {
  Fe64 out, all = {{~Word{0}, ~Word{0}, ~Word{0}, ~Word{0}}};
  fe_mul(out, all, all);
  EXPECT_EQ(value(out).bytes(32), Number(37 * 37).bytes(32));
  fe_square(out, all);
  EXPECT_EQ(value(out).bytes(32), Number(37 * 37).bytes(32));
  fe_mul_small(out, all, (1 << 17) - 1);
  EXPECT_TRUE(is_reduced(out));
  EXPECT_EQ(value(out).bytes(32), Number(37 * ((1 << 17) - 1)).bytes(32));
}

// The lower halves of all partial products are all ones: whatever is added to one carries.
TEST_P(X25519Field64, CarriesOfSmallFactorsGoAllTheWay) {
  for (const uint32_t n : {9U, 121665U, (1U << 17) - 1}) {
    Word inverse = n;
    for (int i = 0; i < 6; ++i) inverse *= 2 - n * inverse;
    const Word word = 0 - inverse;
    ASSERT_EQ(word * n, ~Word{0});
    Fe64 out;
    fe_mul_small(out, {{word, word, word, word}}, n);
    EXPECT_EQ(value(out).bytes(32),
              field_.mul(value({{word, word, word, word}}), Number(n)).bytes(32));
  }
}

TEST_P(X25519Field64, AddsAndSubtracts) {
  for (int i = 0; i < 500; ++i) {
    const Fe64 a = reduced_value(random_);
    Fe64 out, b = reduced_value(random_);
    // A difference of little more than a power of two borrows all the way.
    if (i % 2 == 0) {
      b = a;
      b.v[random_.below(4)] ^= 1;
      b.v[0] ^= random_.below(64);
      b.v[3] &= ~Word{0} >> 1;
    }
    fe_add(out, a, b);
    ASSERT_EQ(value(out).bytes(32), field_.add(value(a), value(b)).bytes(32));
    fe_sub(out, a, b);
    ASSERT_EQ(value(out).bytes(32), field_.sub(value(a), value(b)).bytes(32));
  }
}

TEST_P(X25519Field64, StoresTheCanonicalValue) {
  const Number p = Number::power_of_two(255).minus(Number(19));
  std::vector<Number> values = {p.minus(Number(1)),
                                p,
                                p.plus(Number(1)),
                                p.plus(Number(18)),
                                Number::power_of_two(255),
                                p.plus(Number(20)),
                                Number::power_of_two(255).plus(Number((1 << 23) - 1))};
  for (int i = 0; i < 200; ++i) values.push_back(number(reduced_value(random_)));
  for (const Number &number : values) {
    const Buffer bytes = number.bytes(32);
    Fe64 a;
    for (size_t i = 0; i < 4; ++i) a.v[i] = load_le<Word>(&bytes[8 * i]);
    Buffer out(32);
    fe_store(out.data(), a);
    ASSERT_EQ(out, field_.reduce(number).bytes(32));
  }
}

TEST_P(X25519Field64, ResultsMayReplaceOperands) {
  const Fe64 a = any_value(random_), b = any_value(random_);
  Fe64 expected, out = a;
  fe_mul(expected, a, b);
  fe_mul(out, out, b);
  EXPECT_EQ(number(out).bytes(32), number(expected).bytes(32));
  out = b;
  fe_mul(out, a, out);
  EXPECT_EQ(number(out).bytes(32), number(expected).bytes(32));
  fe_square(expected, a);
  out = a;
  fe_square(out, out);
  EXPECT_EQ(number(out).bytes(32), number(expected).bytes(32));
}

}  // namespace
}  // namespace wg::test

#endif
