// SPDX-License-Identifier: GPL-2.0
// The primitives beside OpenSSL and libsodium, which have to agree with each other as well: packets
// of every length up to 4096, batches of any mix, hashes, and products of points.
#include "../aead.hh"
#include "../blake2s.hh"
#include "../test_crypto.hh"
#include "../test_levels.hh"
#include "../test_x25519.hh"
#include "others.hh"

namespace wg::test {
namespace {

using namespace others;

constexpr size_t kMaxLen = 4096;

// What both of them say.
Buffer agreed_seal(const Buffer &text, const Buffer &ad, uint64_t counter, const Buffer &key) {
  Buffer sealed = openssl_seal(text, ad, counter, key);
  EXPECT_EQ(sealed, sodium_seal(text, ad, counter, key));
  return sealed;
}

TEST(Libraries, SealPacketsOfEveryLength) {
  Random random;
  for (size_t len = 0; len <= kMaxLen; ++len) {
    const Buffer key = random.bytes(kAeadKeyLen), text = random.bytes(len);
    const Buffer ad = random.bytes(random.below(40));
    const uint64_t counter = random.number();
    const Buffer expected = agreed_seal(text, ad, counter, key);
    Buffer sealed(len + kAeadTagLen), opened(len);
    aead_seal(sealed.data(), span(text), span(ad), counter, key.data());
    ASSERT_EQ(sealed, expected) << len;
    ASSERT_TRUE(aead_open(opened.data(), span(expected), span(ad), counter, key.data()));
    ASSERT_EQ(opened, text) << len;
  }
}

TEST(Libraries, SealWithLongNonces) {
  Random random;
  for (int i = 0; i < 500; ++i) {
    const Buffer key = random.bytes(kAeadKeyLen), text = random.bytes(random.below(300));
    const Buffer ad = random.bytes(random.below(40)), nonce = random.bytes(kXAeadNonceLen);
    const Buffer expected = sodium_xseal(text, ad, nonce, key);
    Buffer sealed(expected.size());
    xaead_seal(sealed.data(), span(text), span(ad), nonce.data(), key.data());
    ASSERT_EQ(sealed, expected);
  }
}

class LibrariesBatch : public LevelTest {
 protected:
  struct Packet {
    Buffer key, text, expected, sealed, opened;
    uint64_t counter;
  };

  Packet packet(size_t len, const Buffer &key) {
    Packet out = {key,         random_.bytes(len), {}, Buffer(len + kAeadTagLen),
                  Buffer(len), random_.number()};
    out.expected = agreed_seal(out.text, {}, out.counter, out.key);
    return out;
  }

  // Seals and opens them all at once; in place, each text is overwritten.
  static void check_batch(std::vector<Packet> &packets, bool in_place) {
    std::vector<AeadPacket> batch;
    for (Packet &packet : packets) {
      if (in_place) std::copy(packet.text.begin(), packet.text.end(), packet.sealed.begin());
      batch.push_back({packet.sealed.data(), in_place ? packet.sealed.data() : packet.text.data(),
                       packet.text.size(), packet.counter, packet.key.data(), false});
    }
    aead_seal_batch(batch.data(), batch.size(), true);
    for (size_t i = 0; i < packets.size(); ++i) {
      Packet &packet = packets[i];
      ASSERT_EQ(packet.sealed, packet.expected) << packet.text.size();
      batch[i].src = packet.sealed.data();
      batch[i].dst = in_place ? packet.sealed.data() : packet.opened.data();
    }
    aead_open_batch(batch.data(), batch.size(), true);
    for (size_t i = 0; i < packets.size(); ++i) {
      ASSERT_TRUE(batch[i].is_good);
      ASSERT_EQ(Buffer(batch[i].dst, batch[i].dst + batch[i].len), packets[i].text);
    }
  }

  Random random_;
};

WGPP_EACH_LEVEL(LibrariesBatch, packet_levels());

TEST_P(LibrariesBatch, SealsPacketsOfEveryLength) {
  const Buffer key = random_.bytes(kAeadKeyLen);
  for (size_t len = 0; len <= kMaxLen; ++len) {
    std::vector<Packet> packets = {packet(len, key)};
    ASSERT_NO_FATAL_FAILURE(check_batch(packets, len % 2 != 0));
  }
}

TEST_P(LibrariesBatch, SealsAnyMix) {
  for (int i = 0; i < 300; ++i) {
    const Buffer key = random_.bytes(kAeadKeyLen);
    const size_t num = 1 + random_.below(20), max_len = i % 3 == 0 ? 128 : 1600;
    const bool has_one_key = random_.below(2) == 0;
    std::vector<Packet> packets;
    for (size_t j = 0; j < num; ++j) {
      packets.push_back(
          packet(random_.below(max_len + 1), has_one_key ? key : random_.bytes(kAeadKeyLen)));
    }
    ASSERT_NO_FATAL_FAILURE(check_batch(packets, random_.below(2) == 0));
  }
}

TEST(Libraries, HashEveryLength) {
  Random random;
  for (size_t len = 0; len <= 600; ++len) {
    const Buffer text = random.bytes(len);
    Buffer out(kBlake2sHashLen);
    blake2s(out.data(), out.size(), span(text));
    ASSERT_EQ(out, openssl_hash(text)) << len;

    const Buffer key = random.bytes(1 + random.below(32));
    const size_t mac_len = 1 + random.below(32);
    out.resize(mac_len);
    blake2s(out.data(), mac_len, span(text), span(key));
    ASSERT_EQ(out, openssl_mac(key, text, mac_len)) << len;

    const Buffer hmac_key = random.bytes(1 + random.below(100));
    out.resize(kBlake2sHashLen);
    hmac_blake2s(out.data(), span(hmac_key), span(text));
    ASSERT_EQ(out, openssl_hmac(hmac_key, text)) << len;
  }
}

class LibrariesX25519 : public LevelTest {};
WGPP_EACH_LEVEL(LibrariesX25519, x25519_levels());

TEST_P(LibrariesX25519, MultiplyAnything) {
  Random random;
  for (int i = 0; i < 200; ++i) {
    const Buffer scalar = random.bytes(kX25519KeyLen);
    const Buffer point =
        i % 2 == 0 ? random.bytes(kX25519KeyLen) : random.edgy_bytes(kX25519KeyLen);
    Buffer out(kX25519KeyLen);
    ASSERT_TRUE(x25519(out.data(), scalar.data(), point.data()));
    ASSERT_EQ(out, openssl_x25519(scalar, point));
    ASSERT_EQ(out, sodium_x25519(scalar, point));
    x25519_base(out.data(), scalar.data());
    ASSERT_EQ(out, sodium_x25519_base(scalar));
  }
}

class LibrariesX25519Batch : public LevelTest {};
WGPP_EACH_LEVEL(LibrariesX25519Batch, x25519_batch_levels());

TEST_P(LibrariesX25519Batch, MultiplyAnything) {
  Random random;
  std::vector<Buffer> scalars, points;
  for (int i = 0; i < 200; ++i) {
    scalars.push_back(random.bytes(kX25519KeyLen));
    points.push_back(i % 2 == 0 ? random.bytes(kX25519KeyLen) : random.edgy_bytes(kX25519KeyLen));
  }
  const std::vector<Buffer> found = products(scalars, points);
  for (size_t i = 0; i < scalars.size(); ++i) {
    ASSERT_EQ(found[i], openssl_x25519(scalars[i], points[i]));
    ASSERT_EQ(found[i], sodium_x25519(scalars[i], points[i]));
  }
}

}  // namespace
}  // namespace wg::test
