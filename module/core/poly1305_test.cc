// SPDX-License-Identifier: GPL-2.0
#include "poly1305.hh"

#include "test_crypto.hh"

namespace wg::test {

Buffer slow_poly1305(const Buffer &key, const Buffer &text) {
  const Field field(Number::power_of_two(130).minus(Number(5)));
  Buffer r(key.begin(), key.begin() + 16);
  for (size_t i : {3, 7, 11, 15}) r[i] &= 0x0f;
  for (size_t i : {4, 8, 12}) r[i] &= 0xfc;
  Number sum;
  for (size_t i = 0; i < text.size(); i += 16) {
    Buffer block(text.begin() + i, text.begin() + min(i + 16, text.size()));
    block.push_back(1);
    sum = field.mul(field.reduce(sum.plus(Number(block))), Number(r));
  }
  return sum.plus(Number(Buffer(key.begin() + 16, key.end()))).bytes(16);
}

namespace {

Buffer tag_of(const Buffer &key, const Buffer &text) {
  Buffer tag(kPoly1305TagLen);
  poly1305(tag.data(), span(text), key.data());
  return tag;
}

TEST(Poly1305, MatchesPublishedVectors) {
  for (const Vector &v : read_vectors("poly1305.txt")) {
    SCOPED_TRACE(v.text("name"));
    EXPECT_EQ(tag_of(v.bytes("key"), v.bytes("text")), v.bytes("tag"));
  }
}

TEST(Poly1305, EveryLengthMatchesBigIntegers) {
  Random random;
  for (size_t len = 0; len <= 200; ++len) {
    const Buffer key = random.bytes(32), text = random.bytes(len);
    ASSERT_EQ(tag_of(key, text), slow_poly1305(key, text)) << len;
  }
}

TEST(Poly1305, LongCarriesMatchBigIntegers) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const Buffer key = random.edgy_bytes(32), text = random.edgy_bytes(random.below(97));
    ASSERT_EQ(tag_of(key, text), slow_poly1305(key, text));
  }
}

// With r = 1 a tag is the plain sum of the blocks modulo the prime p. Two full blocks of ones make
// p + 3, four make 2p + 6; lowering one byte walks the sum down past p and 2p.
TEST(Poly1305, SumsAroundThePrimeAreReduced) {
  Buffer key(32);
  key[0] = 1;
  for (size_t len : {32, 64}) {
    for (int low = 0xe0; low <= 0xff; ++low) {
      Buffer text(len, 0xff);
      text[len - 16] = static_cast<uint8_t>(low);
      ASSERT_EQ(tag_of(key, text), slow_poly1305(key, text)) << len << " " << low;
    }
  }
}

TEST(Poly1305, SplitInputGivesTheSameTag) {
  Random random;
  const Buffer key = random.bytes(32), text = random.bytes(300);
  const Buffer expected = tag_of(key, text);
  for (int round = 0; round < 200; ++round) {
    Poly1305 mac(key.data());
    for (size_t at = 0; at < text.size();) {
      const size_t len = min(random.below(40), text.size() - at);
      mac.update({text.data() + at, len});
      at += len;
    }
    Buffer tag(kPoly1305TagLen);
    mac.final(tag.data());
    ASSERT_EQ(tag, expected);
  }
}

TEST(Poly1305, PaddedInputIsFollowedByZeros) {
  Random random;
  for (size_t len = 0; len <= 50; ++len) {
    const Buffer key = random.bytes(32), text = random.bytes(len);
    Buffer padded = text;
    padded.resize((len + 15) / 16 * 16);
    Poly1305 mac(key.data());
    mac.update_padded(span(text));
    Buffer tag(kPoly1305TagLen);
    mac.final(tag.data());
    ASSERT_EQ(tag, tag_of(key, padded)) << len;
  }
}

}  // namespace
}  // namespace wg::test
