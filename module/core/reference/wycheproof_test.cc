// SPDX-License-Identifier: GPL-2.0
// Vectors of the Wycheproof project: what implementations have got wrong before.
#include <fstream>
#include <nlohmann/json.hpp>

#include "../aead.hh"
#include "../chacha20.hh"
#include "../test_crypto.hh"
#include "../test_levels.hh"
#include "../test_x25519.hh"

namespace wg::test {
namespace {

using Json = nlohmann::json;

Json read_file(const std::string &name) {
  const std::string path = std::string(WGPP_WYCHEPROOF) + "/" + name;
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot open " + path);
  return Json::parse(in);
}

Buffer bytes(const Json &test, const char *field) {
  return from_hex(test.at(field).get<std::string>());
}

using Seal = void(uint8_t *, ConstBytes, ConstBytes, const uint8_t *, const uint8_t *);
using Open = bool(uint8_t *, ConstBytes, ConstBytes, const uint8_t *, const uint8_t *);

// Returns how many vectors have been run: those with nonces of another length cannot be.
int check_aead(const std::string &file, size_t nonce_len, Seal *seal, Open *open) {
  int num_run = 0;
  const Json vectors = read_file(file);
  for (const Json &group : vectors.at("testGroups")) {
    if (group.at("ivSize").get<size_t>() != 8 * nonce_len) continue;
    for (const Json &test : group.at("tests")) {
      SCOPED_TRACE(test.dump());
      const Buffer key = bytes(test, "key"), nonce = bytes(test, "iv"), ad = bytes(test, "aad");
      const Buffer text = bytes(test, "msg"), tag = bytes(test, "tag");
      Buffer expected = bytes(test, "ct");
      expected.insert(expected.end(), tag.begin(), tag.end());
      const bool is_valid = test.at("result") == "valid";
      Buffer sealed(text.size() + kAeadTagLen), opened(text.size());
      seal(sealed.data(), span(text), span(ad), nonce.data(), key.data());
      EXPECT_EQ(sealed == expected, is_valid);
      EXPECT_EQ(open(opened.data(), span(expected), span(ad), nonce.data(), key.data()), is_valid);
      EXPECT_EQ(opened, is_valid ? text : Buffer(text.size()));
      ++num_run;
    }
  }
  return num_run;
}

TEST(Wycheproof, ChaCha20Poly1305) {
  EXPECT_GE(
      check_aead("chacha20_poly1305_test.json", kChaCha20NonceLen, aead_seal_ietf, aead_open_ietf),
      300);
}

TEST(Wycheproof, XChaCha20Poly1305) {
  EXPECT_GE(check_aead("xchacha20_poly1305_test.json", kXAeadNonceLen, xaead_seal, xaead_open),
            300);
}

class WycheproofBatch : public LevelTest {};
WGPP_EACH_LEVEL(WycheproofBatch, packet_levels());

// Packets have no AD, and nonces that begin with zeros: what is inside of XChaCha20-Poly1305 has
// such nonces. All vectors together are one batch.
TEST_P(WycheproofBatch, XChaCha20Poly1305) {
  struct Packet {
    Buffer key, text, expected, sealed, opened;
    uint64_t counter;
    bool is_valid;
  };
  std::vector<Packet> packets;
  const Json vectors = read_file("xchacha20_poly1305_test.json");
  for (const Json &group : vectors.at("testGroups")) {
    if (group.at("ivSize").get<size_t>() != 8 * kXAeadNonceLen) continue;
    for (const Json &test : group.at("tests")) {
      if (!bytes(test, "aad").empty()) continue;
      const Buffer nonce = bytes(test, "iv"), tag = bytes(test, "tag"), text = bytes(test, "msg");
      Packet packet = {Buffer(kAeadKeyLen),         text,
                       bytes(test, "ct"),           Buffer(text.size() + kAeadTagLen),
                       Buffer(text.size()),         load_le<uint64_t>(&nonce[kHChaCha20NonceLen]),
                       test.at("result") == "valid"};
      packet.expected.insert(packet.expected.end(), tag.begin(), tag.end());
      hchacha20(packet.key.data(), nonce.data(), bytes(test, "key").data());
      packets.push_back(packet);
    }
  }
  ASSERT_GE(packets.size(), 40U);

  std::vector<AeadPacket> batch;
  batch.reserve(packets.size());
  for (Packet &packet : packets) {
    batch.push_back({packet.sealed.data(), packet.text.data(), packet.text.size(), packet.counter,
                     packet.key.data(), false});
  }
  aead_seal_batch(batch.data(), batch.size(), true);
  for (size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(packets[i].sealed == packets[i].expected, packets[i].is_valid) << i;
    batch[i].src = packets[i].expected.data();
    batch[i].dst = packets[i].opened.data();
  }
  aead_open_batch(batch.data(), batch.size(), true);
  for (size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(batch[i].is_good, packets[i].is_valid) << i;
    const Buffer &text = packets[i].text;
    EXPECT_EQ(packets[i].opened, packets[i].is_valid ? text : Buffer(text.size())) << i;
  }
}

class WycheproofX25519 : public LevelTest {};
WGPP_EACH_LEVEL(WycheproofX25519, x25519_levels());

// What they call acceptable has to give the right result as well. Only a result of all zeros is
// refused.
TEST_P(WycheproofX25519, X25519) {
  int num_run = 0, num_refused = 0;
  const Json vectors = read_file("x25519_test.json");
  for (const Json &group : vectors.at("testGroups")) {
    for (const Json &test : group.at("tests")) {
      SCOPED_TRACE(test.dump());
      const Buffer expected = bytes(test, "shared");
      Buffer out(kX25519KeyLen);
      const bool is_good =
          x25519(out.data(), bytes(test, "private").data(), bytes(test, "public").data());
      EXPECT_EQ(out, expected);
      EXPECT_EQ(is_good, expected != Buffer(kX25519KeyLen));
      num_refused += is_good ? 0 : 1;
      ++num_run;
    }
  }
  EXPECT_GE(num_run, 500);
  EXPECT_GE(num_refused, 30);
}

class WycheproofX25519Batch : public LevelTest {};
WGPP_EACH_LEVEL(WycheproofX25519Batch, x25519_batch_levels());

TEST_P(WycheproofX25519Batch, X25519) {
  std::vector<Buffer> scalars, points, expected;
  const Json vectors = read_file("x25519_test.json");
  for (const Json &group : vectors.at("testGroups")) {
    for (const Json &test : group.at("tests")) {
      scalars.push_back(bytes(test, "private"));
      points.push_back(bytes(test, "public"));
      expected.push_back(bytes(test, "shared"));
    }
  }
  EXPECT_GE(expected.size(), 500U);
  EXPECT_EQ(products(scalars, points), expected);
}

}  // namespace
}  // namespace wg::test
