// SPDX-License-Identifier: GPL-2.0
#include "hkdf.hh"

#include "test_crypto.hh"

namespace wg::test {
namespace {

TEST(Hkdf, MatchesComputedVectors) {
  for (const Vector &v : read_vectors("hkdf.txt")) {
    SCOPED_TRACE(v.text("name"));
    const Buffer key = v.bytes("key"), input = v.bytes("input");
    Buffer out1(32), out2(32), out3(32);
    hkdf(out1.data(), out2.data(), out3.data(), key.data(), span(input));
    EXPECT_EQ(out1, v.bytes("out1"));
    EXPECT_EQ(out2, v.bytes("out2"));
    EXPECT_EQ(out3, v.bytes("out3"));
  }
}

TEST(Hkdf, FewerOutputsAreTheSameFirstOutputs) {
  const Buffer key = counting(32, 3), input = counting(40);
  Buffer all1(32), all2(32), all3(32), one(32), two1(32), two2(32);
  hkdf(all1.data(), all2.data(), all3.data(), key.data(), span(input));
  hkdf(one.data(), nullptr, nullptr, key.data(), span(input));
  hkdf(two1.data(), two2.data(), nullptr, key.data(), span(input));
  EXPECT_EQ(one, all1);
  EXPECT_EQ(two1, all1);
  EXPECT_EQ(two2, all2);
}

// The handshake replaces its chaining key this way.
TEST(Hkdf, OutputsMayOverwriteKeyAndInput) {
  const Buffer key = counting(32, 3), input = counting(32, 99);
  Buffer out1(32), out2(32), out3(32);
  hkdf(out1.data(), out2.data(), out3.data(), key.data(), span(input));
  Buffer first = key, second = input, third(32);
  hkdf(first.data(), second.data(), third.data(), first.data(), span(second));
  EXPECT_EQ(first, out1);
  EXPECT_EQ(second, out2);
  EXPECT_EQ(third, out3);
  first = key, second = input;
  hkdf(second.data(), first.data(), nullptr, first.data(), span(second));
  EXPECT_EQ(second, out1);
  EXPECT_EQ(first, out2);
}

}  // namespace
}  // namespace wg::test
