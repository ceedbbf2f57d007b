// SPDX-License-Identifier: GPL-2.0
// Scalar multiplications beside one another, and the arithmetic below them, which is the same
// without the instructions that it is written for.
#include <algorithm>

#include "selftest.hh"
#include "test_crypto.hh"
#include "test_levels.hh"
#include "test_x25519.hh"

#if defined(__SIZEOF_INT128__)
#include "x25519_eight.hh"
#endif

namespace wg::test {
namespace {

bool is_wiped(const X25519Batch &batch) {
  return std::all_of(std::begin(batch.work), std::end(batch.work),
                     [](uint8_t byte) { return byte == 0; });
}

class X25519Batches : public LevelTest {
 protected:
  // Each in every place of a batch, beside the others.
  static void expect_products(std::vector<Buffer> scalars, std::vector<Buffer> points) {
    set_cpu_features(0);
    std::vector<Buffer> expected;
    for (size_t i = 0; i < scalars.size(); ++i) {
      Buffer out(kX25519KeyLen);
      const bool is_good = x25519(out.data(), scalars[i].data(), points[i].data());
      EXPECT_EQ(is_good, out != Buffer(kX25519KeyLen));
      expected.push_back(out);
    }
    set_cpu_features(GetParam().features);
    for (size_t i = 0; i < kX25519BatchMax; ++i) {
      ASSERT_EQ(products(scalars, points), expected);
      for (auto *list : {&scalars, &points, &expected})
        std::rotate(list->begin(), list->begin() + 1, list->end());
    }
  }

  Random random_;
};

WGPP_EACH_LEVEL(X25519Batches, x25519_batch_levels());

TEST_P(X25519Batches, MatchPublishedVectors) {
  std::vector<Buffer> scalars, points;
  for (const Vector &v : read_vectors("x25519.txt")) {
    scalars.push_back(v.bytes("scalar"));
    points.push_back(v.bytes("point"));
    SCOPED_TRACE(v.text("name"));
    EXPECT_EQ(products({scalars.back(), scalars.back()}, {points.back(), points.back()}),
              std::vector<Buffer>(2, v.bytes("out")));
  }
  expect_products(scalars, points);
}

TEST_P(X25519Batches, RefuseNobodyElse) {
  const std::vector<Vector> low = read_vectors("x25519_low_order.txt");
  std::vector<Buffer> scalars, points;
  for (const Vector &v : low) {
    scalars.push_back(random_.bytes(32));
    points.push_back(v.bytes("point"));
    scalars.push_back(random_.bytes(32));
    points.push_back(random_.bytes(32));
  }
  expect_products(scalars, points);
}

TEST_P(X25519Batches, AnyNumber) {
  for (size_t num = 1; num <= 2 * kX25519BatchMax + 1; ++num) {
    std::vector<Buffer> scalars, points;
    for (size_t i = 0; i < num; ++i) {
      scalars.push_back(random_.edgy_bytes(32));
      points.push_back(random_.edgy_bytes(32));
    }
    SCOPED_TRACE(num);
    expect_products(scalars, points);
  }
}

TEST_P(X25519Batches, WorkWithoutVectors) {
  std::vector<Buffer> scalars, points;
  for (size_t i = 0; i < kX25519BatchMax; ++i) {
    scalars.push_back(random_.bytes(32));
    points.push_back(random_.bytes(32));
  }
  EXPECT_EQ(products(scalars, points, false), products(scalars, points, true));
  // Only what has vectors has a use for its room.
  X25519Batch batch;
  std::fill(std::begin(batch.work), std::end(batch.work), 0xa5);
  for (const bool may_use_vectors : {false, true}) {
    for (size_t i = 0; i < kX25519BatchMax; ++i) {
      batch.scalar[i] = scalars[i].data();
      batch.point[i] = points[i].data();
    }
    x25519_batch(batch, kX25519BatchMax, may_use_vectors);
    EXPECT_EQ(batch.work[0] == 0xa5,
              !may_use_vectors || !x25519_batch_wants_vectors(kX25519BatchMax));
  }
}

TEST_P(X25519Batches, LeaveNothingInTheirRoom) {
  X25519Batch batch = {};
  const Buffer scalar = random_.bytes(32), point = random_.bytes(32);
  for (size_t i = 0; i < kX25519BatchMax; ++i) {
    batch.scalar[i] = scalar.data();
    batch.point[i] = point.data();
  }
  x25519_batch(batch, kX25519BatchMax, true);
  EXPECT_TRUE(is_wiped(batch));
}

TEST_P(X25519Batches, SelftestPasses) {
  X25519Batch work;
  EXPECT_STREQ(selftest_vectors(work), nullptr);
}

TEST_P(X25519Batches, LevelIsNamed) {
  const bool is_ifma = std::string(GetParam().name) == "ifma";
  EXPECT_EQ(x25519_batch_wants_vectors(kX25519BatchMax), is_ifma);
  EXPECT_EQ(x25519_batch_wants_vectors(2), is_ifma);
  EXPECT_FALSE(x25519_batch_wants_vectors(1));
  EXPECT_EQ(std::string(x25519_level()).ends_with("+ifma"), is_ifma);
}

#if defined(__SIZEOF_INT128__)

struct SlowMul {
  __extension__ typedef unsigned __int128 Wide;

  static void add_low(Lanes &sum, const Lanes &a, const Lanes &b) { add(sum, a, b, 0); }
  static void add_high(Lanes &sum, const Lanes &a, const Lanes &b) { add(sum, a, b, 52); }

 private:
  static void add(Lanes &sum, const Lanes &a, const Lanes &b, int shift) {
    constexpr uint64_t kMask = (uint64_t{1} << 52) - 1;
    for (size_t i = 0; i < kX25519BatchMax; ++i)
      sum[i] += static_cast<uint64_t>(Wide{a[i] & kMask} * (b[i] & kMask) >> shift) & kMask;
  }
};

using Fe = Fe8<SlowMul>;

// What every operand is under.
constexpr uint64_t kBound = (uint64_t{1} << 51) + (uint64_t{1} << 15);
constexpr uint64_t kLimbEdges[] = {
    0, 1, 18, 19, kLaneMask - 19, kLaneMask - 18, kLaneMask, kLaneMask + 1, kBound - 1};

class X25519Eight : public testing::Test {
 protected:
  Fe any_value() {
    Fe out;
    for (Lanes &limb : out.v) {
      for (size_t lane = 0; lane < kX25519BatchMax; ++lane) {
        limb[lane] = random_.below(3) == 0 ? random_.number() % kBound
                                           : kLimbEdges[random_.below(std::size(kLimbEdges))];
      }
    }
    return out;
  }

  static Number limb(uint64_t n) {
    Buffer bytes(32);
    store_le(bytes.data(), n);
    return Number(bytes);
  }

  // Modulo p.
  Number value(const Fe &a, size_t lane) const {
    Number sum;
    for (size_t i = 5; i-- != 0;) {
      sum = field_.mul(sum, Number::power_of_two(51));
      sum = field_.add(sum, field_.reduce(limb(a.v[i][lane])));
    }
    return sum;
  }

  template <typename Expected>
  void expect_values(const Fe &out, const Expected &expected) {
    for (size_t lane = 0; lane < kX25519BatchMax; ++lane) {
      for (const Lanes &limb : out.v) ASSERT_LT(limb[lane], kBound);
      ASSERT_EQ(value(out, lane).bytes(32), expected(lane).bytes(32));
    }
  }

  Random random_;
  Field field_{Number::power_of_two(255).minus(Number(19))};
};

TEST_F(X25519Eight, Arithmetic) {
  for (int i = 0; i < 40; ++i) {
    const Fe a = any_value(), b = any_value();
    Fe out;
    fe_add(out, a, b);
    expect_values(out, [&](size_t lane) { return field_.add(value(a, lane), value(b, lane)); });
    fe_sub(out, a, b);
    expect_values(out, [&](size_t lane) { return field_.sub(value(a, lane), value(b, lane)); });
    fe_mul(out, a, b);
    expect_values(out, [&](size_t lane) { return field_.mul(value(a, lane), value(b, lane)); });
    fe_square(out, a);
    expect_values(out, [&](size_t lane) { return field_.mul(value(a, lane), value(a, lane)); });
    const auto n = static_cast<uint32_t>(random_.below(1 << 17));
    fe_mul_small(out, a, n);
    expect_values(out, [&](size_t lane) { return field_.mul(value(a, lane), Number(n)); });
  }
}

TEST_F(X25519Eight, TheLargestOperands) {
  Fe all, out;
  for (Lanes &limb : all.v) limb = Lanes{} + (kBound - 1);
  const Number a = value(all, 0);
  fe_mul(out, all, all);
  expect_values(out, [&](size_t) { return field_.mul(a, a); });
  fe_square(out, all);
  expect_values(out, [&](size_t) { return field_.mul(a, a); });
  fe_mul_small(out, all, (1 << 17) - 1);
  expect_values(out, [&](size_t) { return field_.mul(a, Number((1 << 17) - 1)); });
  fe_sub(out, Fe{}, all);
  expect_values(out, [&](size_t) { return field_.sub(Number(0), a); });
}

TEST_F(X25519Eight, OutputsMayBeOperands) {
  const Fe a = any_value(), b = any_value();
  Fe expected, out = a;
  fe_mul(expected, a, b);
  fe_mul(out, out, b);
  expect_values(out, [&](size_t lane) { return value(expected, lane); });
  out = b;
  fe_mul(out, a, out);
  expect_values(out, [&](size_t lane) { return value(expected, lane); });
  out = a;
  fe_square(expected, a);
  fe_square(out, out);
  expect_values(out, [&](size_t lane) { return value(expected, lane); });
}

// Around p and 2^255, and whatever else the limbs can hold.
TEST_F(X25519Eight, StoresWhatIsCanonical) {
  for (int i = 0; i < 200; ++i) {
    Fe a = any_value();
    if (i % 2 == 0) {
      for (size_t lane = 0; lane < kX25519BatchMax; ++lane) {
        for (size_t limb = 1; limb < 5; ++limb) a.v[limb][lane] = kLaneMask;
        a.v[0][lane] = kLaneMask - 40 + random_.below(80);
      }
    }
    Fe changed = a;
    KeyWords words;
    fe_store(words, changed);
    for (size_t lane = 0; lane < kX25519BatchMax; ++lane) {
      Buffer bytes(32);
      for (size_t word = 0; word < 4; ++word) store_le(&bytes[8 * word], words.v[word][lane]);
      ASSERT_EQ(bytes, value(a, lane).bytes(32));
    }
  }
}

TEST_F(X25519Eight, MultipliesAsOneDoes) {
  for (size_t num : {size_t{1}, size_t{5}, kX25519BatchMax, kX25519BatchMax}) {
    std::vector<Buffer> scalars, points;
    X25519Batch batch;
    for (size_t i = 0; i < num; ++i) {
      scalars.push_back(random_.edgy_bytes(32));
      points.push_back(random_.edgy_bytes(32));
      batch.scalar[i] = scalars[i].data();
      batch.point[i] = points[i].data();
    }
    multiply_eight<SlowMul>(batch, num);
    EXPECT_TRUE(is_wiped(batch));
    for (size_t i = 0; i < num; ++i) {
      EXPECT_EQ(Buffer(batch.out[i], batch.out[i] + kX25519KeyLen), product(scalars[i], points[i]));
    }
  }
}

#endif  // __SIZEOF_INT128__

}  // namespace
}  // namespace wg::test
