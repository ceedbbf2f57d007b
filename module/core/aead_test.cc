// SPDX-License-Identifier: GPL-2.0
#include "aead.hh"

#include <algorithm>

#include "chacha20.hh"
#include "test_crypto.hh"

namespace wg::test {
namespace {

// RFC 8439, 2.8, from the slow parts.
Buffer slow_seal(const Buffer &key, const Buffer &nonce, const Buffer &ad, const Buffer &text) {
  const Buffer block = slow_chacha20(key, nonce, 0, Buffer(64));
  Buffer out = slow_chacha20(key, nonce, 1, text);
  Buffer covered = ad;
  covered.resize((covered.size() + 15) / 16 * 16);
  covered.insert(covered.end(), out.begin(), out.end());
  covered.resize((covered.size() + 15) / 16 * 16);
  for (uint64_t len : {ad.size(), text.size()})
    for (int i = 0; i < 8; ++i) covered.push_back(static_cast<uint8_t>(len >> 8 * i));
  const Buffer tag = slow_poly1305(Buffer(block.begin(), block.begin() + 32), covered);
  out.insert(out.end(), tag.begin(), tag.end());
  return out;
}

Buffer counter_nonce(uint64_t counter) {
  Buffer nonce(12);
  for (size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<uint8_t>(counter >> 8 * i);
  return nonce;
}

// One message and its seal, and what a receiver says to a changed one.
struct Sealed {
  Buffer key, ad, text, sealed;
  uint64_t counter;

  Sealed(Random &random, size_t ad_len, size_t text_len)
      : key(random.bytes(32)),
        ad(random.bytes(ad_len)),
        text(random.bytes(text_len)),
        sealed(text_len + kAeadTagLen),
        counter(random.number()) {
    aead_seal(sealed.data(), span(text), span(ad), counter, key.data());
  }

  // Both ways of opening must refuse, and leave the output (which is the input, in place) alone.
  bool refused(const Buffer &changed, const Buffer &changed_ad, uint64_t changed_counter) const {
    const Buffer untouched(changed.size(), 0xa5);
    Buffer apart = untouched, in_place = changed;
    const bool opened =
        aead_open(apart.data(), span(changed), span(changed_ad), changed_counter, key.data()) ||
        aead_open(in_place.data(), span(in_place), span(changed_ad), changed_counter, key.data());
    return !opened && apart == untouched && in_place == changed;
  }
};

TEST(Aead, MatchesPublishedVectors) {
  for (const Vector &v : read_vectors("aead.txt")) {
    SCOPED_TRACE(v.text("name"));
    const Buffer key = v.bytes("key"), nonce = v.bytes("nonce"), ad = v.bytes("ad"),
                 text = v.bytes("text"), expected = v.bytes("out");
    Buffer sealed(text.size() + kAeadTagLen), opened(text.size());
    aead_seal_ietf(sealed.data(), span(text), span(ad), nonce.data(), key.data());
    EXPECT_EQ(sealed, expected);
    EXPECT_TRUE(aead_open_ietf(opened.data(), span(expected), span(ad), nonce.data(), key.data()));
    EXPECT_EQ(opened, text);
  }
}

TEST(Aead, CounterIsTheNonceAfterFourZeros) {
  const std::vector<Vector> vectors = read_vectors("aead.txt");
  const auto v = std::find_if(vectors.begin(), vectors.end(),
                              [](const Vector &x) { return x.text("name") == "RFC 8439, A.5"; });
  ASSERT_NE(v, vectors.end());
  const Buffer text = v->bytes("text");
  Buffer sealed(text.size() + kAeadTagLen);
  aead_seal(sealed.data(), span(text), span(v->bytes("ad")), 0x0807060504030201,
            v->bytes("key").data());
  EXPECT_EQ(sealed, v->bytes("out"));
}

TEST(Aead, MatchesTheRfcWrittenDown) {
  Random random;
  for (int i = 0; i < 150; ++i) {
    const Sealed s(random, random.below(70), random.below(300));
    ASSERT_EQ(s.sealed, slow_seal(s.key, counter_nonce(s.counter), s.ad, s.text))
        << s.ad.size() << " " << s.text.size();
  }
  for (size_t len : {1420, 1500, 2048}) {
    const Sealed s(random, 0, len);
    ASSERT_EQ(s.sealed, slow_seal(s.key, counter_nonce(s.counter), s.ad, s.text)) << len;
  }
}

TEST(Aead, RoundTripsAtEveryLength) {
  Random random;
  for (size_t len = 0; len <= 2100; ++len) {
    const Sealed s(random, len % 37, len);
    Buffer in_place = s.text;
    in_place.resize(len + kAeadTagLen);
    aead_seal(in_place.data(), {in_place.data(), len}, span(s.ad), s.counter, s.key.data());
    ASSERT_EQ(in_place, s.sealed) << len;

    Buffer opened(len);
    ASSERT_TRUE(aead_open(opened.data(), span(s.sealed), span(s.ad), s.counter, s.key.data()))
        << len;
    ASSERT_EQ(opened, s.text) << len;
    ASSERT_TRUE(aead_open(in_place.data(), span(in_place), span(s.ad), s.counter, s.key.data()))
        << len;
    in_place.resize(len);
    ASSERT_EQ(in_place, s.text) << len;
  }
}

TEST(Aead, InputIsNotChangedOutOfPlace) {
  Random random;
  const Sealed s(random, 20, 333);
  const Buffer before = s.sealed;
  Buffer opened(333);
  ASSERT_TRUE(aead_open(opened.data(), span(s.sealed), span(s.ad), s.counter, s.key.data()));
  EXPECT_EQ(s.sealed, before);
}

TEST(Aead, RefusesEveryFlippedBitOfTheTag) {
  Random random;
  for (size_t len : {0, 1, 64, 100}) {
    const Sealed s(random, 13, len);
    for (size_t bit = 0; bit < kAeadTagLen * 8; ++bit) {
      Buffer changed = s.sealed;
      changed[len + bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      ASSERT_TRUE(s.refused(changed, s.ad, s.counter)) << len << " " << bit;
    }
  }
}

TEST(Aead, RefusesFlippedBitsOfTextAndAd) {
  Random random;
  for (int i = 0; i < 1000; ++i) {
    const Sealed s(random, 1 + random.below(40), 1 + random.below(1500));
    Buffer changed = s.sealed;
    changed[random.below(s.text.size())] ^= static_cast<uint8_t>(1 << random.below(8));
    ASSERT_TRUE(s.refused(changed, s.ad, s.counter));
    Buffer changed_ad = s.ad;
    changed_ad[random.below(s.ad.size())] ^= static_cast<uint8_t>(1 << random.below(8));
    ASSERT_TRUE(s.refused(s.sealed, changed_ad, s.counter));
  }
}

TEST(Aead, RefusesAnotherCounterOrKey) {
  Random random;
  Sealed s(random, 5, 200);
  for (int bit = 0; bit < 64; ++bit)
    ASSERT_TRUE(s.refused(s.sealed, s.ad, s.counter ^ uint64_t{1} << bit)) << bit;
  for (size_t bit = 0; bit < 256; ++bit) {
    s.key[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_TRUE(s.refused(s.sealed, s.ad, s.counter)) << bit;
    s.key[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST(Aead, RefusesTextCutShortOrAppended) {
  Random random;
  const Sealed s(random, 16, 48);
  for (size_t len = 0; len < s.sealed.size(); ++len)
    ASSERT_TRUE(s.refused(Buffer(s.sealed.begin(), s.sealed.begin() + len), s.ad, s.counter))
        << len;
  Buffer longer = s.sealed;
  longer.push_back(0);
  EXPECT_TRUE(s.refused(longer, s.ad, s.counter));
}

// Bytes moved between AD and ciphertext, or zeros added to either, leave the padded data almost
// the same: only the lengths in the tag tell.
TEST(Aead, RefusesPaddingThatLooksLikeData) {
  Random random;
  const Sealed s(random, 16, 20);
  Buffer longer_ad = s.ad;
  longer_ad.push_back(0);
  EXPECT_TRUE(s.refused(s.sealed, longer_ad, s.counter));
  Buffer longer = s.sealed;
  longer.insert(longer.begin() + 20, 0);
  EXPECT_TRUE(s.refused(longer, s.ad, s.counter));
  Buffer moved(s.sealed.begin() + 16, s.sealed.end());
  Buffer moved_ad = s.ad;
  moved_ad.insert(moved_ad.end(), s.sealed.begin(), s.sealed.begin() + 16);
  EXPECT_TRUE(s.refused(moved, moved_ad, s.counter));
}

TEST(XAead, MatchesPublishedVectors) {
  for (const Vector &v : read_vectors("xaead.txt")) {
    SCOPED_TRACE(v.text("name"));
    const Buffer key = v.bytes("key"), nonce = v.bytes("nonce"), ad = v.bytes("ad"),
                 text = v.bytes("text"), expected = v.bytes("out");
    Buffer sealed(text.size() + kAeadTagLen), opened(text.size());
    xaead_seal(sealed.data(), span(text), span(ad), nonce.data(), key.data());
    EXPECT_EQ(sealed, expected);
    EXPECT_TRUE(xaead_open(opened.data(), span(expected), span(ad), nonce.data(), key.data()));
    EXPECT_EQ(opened, text);
  }
}

TEST(XAead, RefusesEveryFlippedBitOfCookieAndNonce) {
  Random random;
  const Buffer key = random.bytes(32), nonce = random.bytes(kXAeadNonceLen), ad = random.bytes(16),
               text = random.bytes(16);
  Buffer sealed(32);
  xaead_seal(sealed.data(), span(text), span(ad), nonce.data(), key.data());
  const auto opens = [&](const Buffer &changed, const Buffer &changed_nonce) {
    Buffer out(16, 0xa5);
    const bool ok =
        xaead_open(out.data(), span(changed), span(ad), changed_nonce.data(), key.data());
    EXPECT_EQ(out, ok ? text : Buffer(16, 0xa5));
    return ok;
  };
  EXPECT_TRUE(opens(sealed, nonce));
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Buffer changed = sealed;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_FALSE(opens(changed, nonce)) << bit;
  }
  for (size_t bit = 0; bit < nonce.size() * 8; ++bit) {
    Buffer changed = nonce;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_FALSE(opens(sealed, changed)) << bit;
  }
}

}  // namespace
}  // namespace wg::test
