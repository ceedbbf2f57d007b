// SPDX-License-Identifier: GPL-2.0
#include "blake2s.hh"

#include "test_crypto.hh"

namespace wg::test {
namespace {

Buffer hash_of(const Buffer &text, const Buffer &key = {}, size_t out_len = kBlake2sHashLen) {
  Buffer out(out_len);
  blake2s(out.data(), out_len, span(text), span(key));
  return out;
}

TEST(Blake2s, MatchesPublishedVectors) {
  for (const Vector &v : read_vectors("blake2s.txt")) {
    SCOPED_TRACE(v.text("name"));
    const Buffer expected = v.bytes("out");
    EXPECT_EQ(hash_of(v.bytes("text"), v.bytes("key"), expected.size()), expected);
  }
}

// The byte sequence of RFC 7693, appendix E: a Fibonacci sequence's top bytes.
Buffer fibonacci(size_t len, uint32_t seed) {
  Buffer out(len);
  uint32_t a = 0xdead4bad * seed;
  uint32_t b = 1;
  for (uint8_t &byte : out) {
    const uint32_t next = a + b;
    a = b;
    b = next;
    byte = static_cast<uint8_t>(next >> 24);
  }
  return out;
}

TEST(Blake2s, HashOfManyHashesIsTheOneOfTheRfc) {
  Blake2s all;
  for (uint32_t out_len : {16, 20, 28, 32}) {
    for (uint32_t in_len : {0, 3, 64, 65, 255, 1024}) {
      const Buffer in = fibonacci(in_len, in_len);
      all.update(span(hash_of(in, {}, out_len)));
      all.update(span(hash_of(in, fibonacci(out_len, out_len), out_len)));
    }
  }
  Buffer got(kBlake2sHashLen);
  all.final(got.data());
  // RFC 7693, appendix E.
  EXPECT_EQ(got, from_hex("6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe"));
}

TEST(Blake2s, SplitInputGivesTheSameHash) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    const Buffer key = random.bytes(random.below(33)), text = random.bytes(random.below(400));
    Blake2s hash(kBlake2sHashLen, span(key));
    for (size_t at = 0; at < text.size();) {
      const size_t len = min(random.below(130), text.size() - at);
      hash.update({text.data() + at, len});
      at += len;
    }
    Buffer got(kBlake2sHashLen);
    hash.final(got.data());
    ASSERT_EQ(got, hash_of(text, key)) << key.size() << " " << text.size();
  }
}

TEST(Blake2s, WritesOnlyTheBytesAskedFor) {
  for (size_t out_len = 1; out_len <= kBlake2sHashLen; ++out_len) {
    Buffer out(kBlake2sHashLen + 1, 0xa5);
    blake2s(out.data(), out_len, span(counting(10)));
    EXPECT_EQ(Buffer(out.begin() + out_len, out.end()),
              Buffer(kBlake2sHashLen + 1 - out_len, 0xa5));
  }
}

TEST(Hmac, MatchesComputedVectors) {
  for (const Vector &v : read_vectors("hmac.txt")) {
    SCOPED_TRACE(v.text("name"));
    Buffer out(kBlake2sHashLen);
    hmac_blake2s(out.data(), span(v.bytes("key")), span(v.bytes("text")));
    EXPECT_EQ(out, v.bytes("out"));
  }
}

TEST(Hmac, KeyLongerThanABlockCountsAsItsHash) {
  const Buffer key = counting(100), text = counting(50);
  Buffer got(kBlake2sHashLen), expected(kBlake2sHashLen);
  hmac_blake2s(got.data(), span(key), span(text));
  hmac_blake2s(expected.data(), span(hash_of(key)), span(text));
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace wg::test
