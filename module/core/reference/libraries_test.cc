// SPDX-License-Identifier: GPL-2.0
// The primitives beside OpenSSL and libsodium, which have to agree with each other as well: packets
// of every length up to 4096, batches of any mix, hashes, and products of points.
#include <openssl/evp.h>
#include <sodium.h>

#include <memory>

#include "../aead.hh"
#include "../blake2s.hh"
#include "../test_crypto.hh"
#include "../test_levels.hh"
#include "../x25519.hh"

namespace wg::test {
namespace {

constexpr size_t kMaxLen = 4096;

void check(bool is_good) {
  if (!is_good) throw std::runtime_error("the library refuses");
}

Buffer nonce_of(uint64_t counter) {
  Buffer nonce(12);
  store_le(&nonce[4], counter);
  return nonce;
}

struct Deleter {
  void operator()(EVP_CIPHER_CTX *context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX *context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MAC *mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX *context) const { EVP_MAC_CTX_free(context); }
};

Buffer openssl_seal(const Buffer &text, const Buffer &ad, uint64_t counter, const Buffer &key) {
  const std::unique_ptr<EVP_CIPHER_CTX, Deleter> context(EVP_CIPHER_CTX_new());
  Buffer out(text.size() + kAeadTagLen);
  int len;
  check(EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, key.data(),
                           nonce_of(counter).data()) == 1);
  check(EVP_EncryptUpdate(context.get(), nullptr, &len, ad.data(), static_cast<int>(ad.size())) ==
        1);
  check(EVP_EncryptUpdate(context.get(), out.data(), &len, text.data(),
                          static_cast<int>(text.size())) == 1);
  check(EVP_EncryptFinal_ex(context.get(), out.data() + text.size(), &len) == 1);
  check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagLen,
                            out.data() + text.size()) == 1);
  return out;
}

Buffer sodium_seal(const Buffer &text, const Buffer &ad, uint64_t counter, const Buffer &key) {
  Buffer out(text.size() + kAeadTagLen);
  check(crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, text.data(), text.size(),
                                                  ad.data(), ad.size(), nullptr,
                                                  nonce_of(counter).data(), key.data()) == 0);
  return out;
}

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
    Buffer expected(text.size() + kAeadTagLen), sealed(expected.size());
    check(crypto_aead_xchacha20poly1305_ietf_encrypt(expected.data(), nullptr, text.data(),
                                                     text.size(), ad.data(), ad.size(), nullptr,
                                                     nonce.data(), key.data()) == 0);
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

Buffer openssl_hash(const Buffer &text) {
  const std::unique_ptr<EVP_MD_CTX, Deleter> context(EVP_MD_CTX_new());
  Buffer out(kBlake2sHashLen);
  check(EVP_DigestInit_ex(context.get(), EVP_blake2s256(), nullptr) == 1 &&
        EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1 &&
        EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
  return out;
}

// name: BLAKE2SMAC, which takes a length, or HMAC, which takes a digest.
Buffer openssl_mac(const char *name, OSSL_PARAM parameter, const Buffer &key, const Buffer &text,
                   size_t len) {
  const std::unique_ptr<EVP_MAC, Deleter> mac(EVP_MAC_fetch(nullptr, name, nullptr));
  const std::unique_ptr<EVP_MAC_CTX, Deleter> context(EVP_MAC_CTX_new(mac.get()));
  const OSSL_PARAM parameters[] = {parameter, OSSL_PARAM_construct_end()};
  Buffer out(len);
  size_t written;
  check(EVP_MAC_init(context.get(), key.data(), key.size(), parameters) == 1 &&
        EVP_MAC_update(context.get(), text.data(), text.size()) == 1 &&
        EVP_MAC_final(context.get(), out.data(), &written, out.size()) == 1 && written == len);
  return out;
}

TEST(Libraries, HashEveryLength) {
  Random random;
  for (size_t len = 0; len <= 600; ++len) {
    const Buffer text = random.bytes(len);
    Buffer out(kBlake2sHashLen);
    blake2s(out.data(), out.size(), span(text));
    ASSERT_EQ(out, openssl_hash(text)) << len;

    const Buffer key = random.bytes(1 + random.below(32));
    size_t mac_len = 1 + random.below(32);
    out.resize(mac_len);
    blake2s(out.data(), mac_len, span(text), span(key));
    ASSERT_EQ(out, openssl_mac("BLAKE2SMAC", OSSL_PARAM_construct_size_t("size", &mac_len), key,
                               text, mac_len))
        << len;

    const Buffer hmac_key = random.bytes(1 + random.below(100));
    char digest[] = "BLAKE2S-256";
    out.resize(kBlake2sHashLen);
    hmac_blake2s(out.data(), span(hmac_key), span(text));
    ASSERT_EQ(out, openssl_mac("HMAC", OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                               hmac_key, text, out.size()))
        << len;
  }
}

class LibrariesX25519 : public LevelTest {};
WGPP_EACH_LEVEL(LibrariesX25519, x25519_levels());

Buffer openssl_x25519(const Buffer &scalar, const Buffer &point) {
  const std::unique_ptr<EVP_PKEY, Deleter> own(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), scalar.size()));
  const std::unique_ptr<EVP_PKEY, Deleter> far(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), point.size()));
  const std::unique_ptr<EVP_PKEY_CTX, Deleter> context(EVP_PKEY_CTX_new(own.get(), nullptr));
  Buffer out(kX25519KeyLen);
  size_t len = out.size();
  check(EVP_PKEY_derive_init(context.get()) == 1 &&
        EVP_PKEY_derive_set_peer(context.get(), far.get()) == 1 &&
        EVP_PKEY_derive(context.get(), out.data(), &len) == 1);
  return out;
}

TEST_P(LibrariesX25519, MultiplyAnything) {
  Random random;
  for (int i = 0; i < 200; ++i) {
    const Buffer scalar = random.bytes(kX25519KeyLen);
    const Buffer point =
        i % 2 == 0 ? random.bytes(kX25519KeyLen) : random.edgy_bytes(kX25519KeyLen);
    Buffer out(kX25519KeyLen), other(kX25519KeyLen);
    ASSERT_TRUE(x25519(out.data(), scalar.data(), point.data()));
    ASSERT_EQ(out, openssl_x25519(scalar, point));
    check(crypto_scalarmult(other.data(), scalar.data(), point.data()) == 0);
    ASSERT_EQ(out, other);
    x25519_base(out.data(), scalar.data());
    check(crypto_scalarmult_base(other.data(), scalar.data()) == 0);
    ASSERT_EQ(out, other);
  }
}

}  // namespace
}  // namespace wg::test
