// SPDX-License-Identifier: GPL-2.0
#include "chacha20.hh"

#include "test_crypto.hh"

namespace wg::test {

Buffer slow_chacha20(const Buffer &key, const Buffer &nonce, uint32_t counter, const Buffer &text) {
  Buffer out(text.size());
  for (size_t start = 0; start < text.size(); start += 64, ++counter) {
    std::array<uint32_t, 16> begin{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (size_t i = 0; i < 8; ++i) begin[4 + i] = load_le<uint32_t>(&key[4 * i]);
    begin[12] = counter;
    for (size_t i = 0; i < 3; ++i) begin[13 + i] = load_le<uint32_t>(&nonce[4 * i]);

    std::array<uint32_t, 16> x = begin;
    const auto step = [&x](size_t a, size_t b, size_t c, int n) {
      x[a] += x[b];
      x[c] ^= x[a];
      x[c] = x[c] << n | x[c] >> (32 - n);
    };
    for (int round = 0; round < 20; ++round) {
      for (size_t i = 0; i < 4; ++i) {
        const size_t shift = round % 2;  // odd rounds work on diagonals
        const size_t a = i, b = 4 + (i + shift) % 4, c = 8 + (i + 2 * shift) % 4,
                     d = 12 + (i + 3 * shift) % 4;
        step(a, b, d, 16);
        step(c, d, b, 12);
        step(a, b, d, 8);
        step(c, d, b, 7);
      }
    }
    for (size_t i = 0; i < 64 && start + i < text.size(); ++i) {
      const uint32_t word = x[i / 4] + begin[i / 4];
      out[start + i] = text[start + i] ^ static_cast<uint8_t>(word >> i % 4 * 8);
    }
  }
  return out;
}

namespace {

TEST(ChaCha20, MatchesPublishedVectors) {
  for (const Vector &v : read_vectors("chacha20.txt")) {
    SCOPED_TRACE(v.text("name"));
    const Buffer text = v.bytes("text");
    Buffer out(text.size());
    ChaCha20 stream(v.bytes("key").data(), v.bytes("nonce").data(), v.number("counter"));
    stream.crypt(out.data(), span(text));
    EXPECT_EQ(out, v.bytes("out"));
  }
}

TEST(ChaCha20, BlocksAreTheKeyStream) {
  const Buffer key = counting(32), nonce = counting(12, 0x80);
  const Buffer expected = slow_chacha20(key, nonce, 7, Buffer(192));
  ChaCha20 stream(key.data(), nonce.data(), 7);
  Buffer got(192);
  for (size_t i = 0; i < got.size(); i += kChaCha20BlockLen) stream.block(got.data() + i);
  EXPECT_EQ(got, expected);
}

TEST(ChaCha20, EveryLengthMatchesTheRfcWrittenDown) {
  Random random;
  for (size_t len = 0; len <= 400; ++len) {
    const Buffer key = random.bytes(32), nonce = random.bytes(12), text = random.bytes(len);
    const uint32_t counter = static_cast<uint32_t>(random.number());
    const Buffer expected = slow_chacha20(key, nonce, counter, text);
    Buffer apart(len), in_place = text;
    ChaCha20(key.data(), nonce.data(), counter).crypt(apart.data(), span(text));
    ChaCha20(key.data(), nonce.data(), counter).crypt(in_place.data(), span(in_place));
    ASSERT_EQ(apart, expected) << len;
    ASSERT_EQ(in_place, expected) << len;
  }
}

TEST(ChaCha20, NextCallBeginsAtAWholeBlock) {
  const Buffer key = counting(32), nonce = counting(12);
  const Buffer zeros(10);
  Buffer first(10), second(10);
  ChaCha20 stream(key.data(), nonce.data(), 0);
  stream.crypt(first.data(), span(zeros));
  stream.crypt(second.data(), span(zeros));
  EXPECT_EQ(first, slow_chacha20(key, nonce, 0, zeros));
  EXPECT_EQ(second, slow_chacha20(key, nonce, 1, zeros));
}

TEST(ChaCha20, CounterWrapsAt32Bits) {
  const Buffer key = counting(32), nonce = counting(12);
  Buffer out(128);
  ChaCha20(key.data(), nonce.data(), 0xffffffff).crypt(out.data(), span(Buffer(128)));
  EXPECT_EQ(Buffer(out.begin() + 64, out.end()), slow_chacha20(key, nonce, 0, Buffer(64)));
}

TEST(HChaCha20, MatchesPublishedVector) {
  for (const Vector &v : read_vectors("hchacha20.txt")) {
    SCOPED_TRACE(v.text("name"));
    Buffer out(32);
    hchacha20(out.data(), v.bytes("nonce").data(), v.bytes("key").data());
    EXPECT_EQ(out, v.bytes("out"));
  }
}

// The 20 rounds lie between a block's key stream and its first and last row.
TEST(HChaCha20, IsABlockWithoutItsInputAdded) {
  Random random;
  const Buffer key = random.bytes(32), nonce = random.bytes(16);
  const uint32_t counter = load_le<uint32_t>(nonce.data());
  const Buffer rest(nonce.begin() + 4, nonce.end());
  const Buffer block = slow_chacha20(key, rest, counter, Buffer(64));
  const Buffer constants = from_text("expand 32-byte k");
  Buffer out = key;
  hchacha20(out.data(), nonce.data(), out.data());
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(load_le<uint32_t>(&out[4 * i]),
              load_le<uint32_t>(&block[4 * i]) - load_le<uint32_t>(&constants[4 * i]));
    EXPECT_EQ(load_le<uint32_t>(&out[16 + 4 * i]),
              load_le<uint32_t>(&block[48 + 4 * i]) - load_le<uint32_t>(&nonce[4 * i]));
  }
}

}  // namespace
}  // namespace wg::test
