// SPDX-License-Identifier: GPL-2.0
// For tests only: seeded random numbers and the two ends of a handshake.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "wgcore.h"

// Readable failures: "WGC_BAD_AEAD" says more than 9.
inline void PrintTo(wgc_status status, std::ostream *out) {
  static const char *const kNames[] = {"OK",
                                       "BAD_LENGTH",
                                       "BAD_TYPE",
                                       "BAD_MAC1",
                                       "NEED_COOKIE",
                                       "BAD_COOKIE",
                                       "BAD_STATE",
                                       "BAD_DH",
                                       "BAD_AEAD",
                                       "OLD_TIMESTAMP",
                                       "FLOOD",
                                       "EXPIRED",
                                       "REPLAY",
                                       "TOO_OLD",
                                       "BAD_INNER_VERSION",
                                       "BAD_INNER_LENGTH"};
  static_assert(sizeof kNames / sizeof kNames[0] == WGC_NUM_STATUS);
  *out << kNames[status];
}

namespace wgtest {

using Key = std::array<uint8_t, WGC_KEY_LEN>;
using Message = std::vector<uint8_t>;

constexpr uint64_t kMs = 1000000;
constexpr uint64_t kSecond = 1000 * kMs;
// Some moment after 1970 in nanoseconds; a multiple of 2^24, where timestamps step.
constexpr uint64_t kUnixEpoch_ns = 1700000000 * kSecond / (1 << 24) * (1 << 24);

// The seed of a random test: WGPP_SEED, else a new one. Always printed, to run it again.
inline uint64_t test_seed() {
  const char *given = std::getenv("WGPP_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  std::cout << "WGPP_SEED=" << seed << std::endl;
  ::testing::Test::RecordProperty("seed", std::to_string(seed));
  return seed;
}

// Repeatable random numbers (the same on every standard library, unlike distributions).
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t u64() { return engine_(); }
  uint32_t u32() { return static_cast<uint32_t>(engine_() >> 32); }
  uint64_t below(uint64_t limit) { return engine_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  void fill(uint8_t *out, size_t len) {
    for (size_t i = 0; i < len; ++i) out[i] = static_cast<uint8_t>(engine_() >> 32);
  }
  Key key() {
    Key key;
    fill(key.data(), key.size());
    return key;
  }

 private:
  std::mt19937_64 engine_;
};

template <typename T>
bool same_bytes(const T &a, const T &b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

inline Key from_hex(const std::string &hex) {
  Key key{};
  for (size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<uint8_t>(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
  return key;
}

// Every u-coordinate of small order below 2^255 (RFC 7748, 6.1 and 7): 0, 1, two of order 8, and
// p - 1, p, p + 1.
inline std::vector<Key> low_order_keys() {
  return {
      from_hex("0000000000000000000000000000000000000000000000000000000000000000"),
      from_hex("0100000000000000000000000000000000000000000000000000000000000000"),
      from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
      from_hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
      from_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      from_hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      from_hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
  };
}

// One end: a device with a key and its handshake with one peer.
struct End {
  wgc_identity id{};
  Key public_key{};
  wgc_handshake hs{};
  wgc_session session{};

  explicit End(const Key &private_key) {
    wgc_identity_set(&id, private_key.data());
    wgc_identity_get(&id, nullptr, public_key.data());
  }
  void meet(const Key &other_public, const Key *psk = nullptr) {
    wgc_handshake_init(&hs, &id, other_public.data(), psk ? psk->data() : nullptr);
  }
  void meet(const End &other, const Key *psk = nullptr) { meet(other.public_key, psk); }
};

// Two ends that know each other, and the steps of a handshake between them.
class HandshakePair {
 public:
  static constexpr uint32_t kInitiatorIndex = 0x11223344;
  static constexpr uint32_t kResponderIndex = 0xa1b2c3d4;

  explicit HandshakePair(const Key *psk = nullptr, uint64_t seed = 1)
      : random_(seed), initiator(random_.key()), responder(random_.key()) {
    initiator.meet(responder, psk);
    responder.meet(initiator, psk);
  }

  Message initiate(uint64_t unix_ns = kUnixEpoch_ns, wgc_status expected = WGC_OK) {
    Message msg(WGC_INITIATION_LEN, 0xee);
    EXPECT_EQ(wgc_handshake_create_initiation(&initiator.hs, msg.data(), &initiator.id,
                                              kInitiatorIndex, random_.key().data(), unix_ns),
              expected);
    return msg;
  }

  // What a responder does with an initiation whose mac1 is right.
  wgc_status accept(const Message &msg, uint64_t now_ns = kSecond) {
    wgc_initiation init;
    Key peer_public;
    wgc_status status = wgc_initiation_open(&init, peer_public.data(), &responder.id, msg.data());
    if (status == WGC_OK) status = wgc_initiation_accept(&responder.hs, &init, now_ns);
    wgc_wipe(&init, sizeof init);
    return status;
  }

  Message respond(wgc_status expected = WGC_OK) {
    Message msg(WGC_RESPONSE_LEN, 0xee);
    EXPECT_EQ(wgc_handshake_create_response(&responder.hs, msg.data(), kResponderIndex,
                                            random_.key().data()),
              expected);
    return msg;
  }

  wgc_status consume(const Message &msg) {
    return wgc_handshake_consume_response(&initiator.hs, &initiator.id, msg.data());
  }

  wgc_status begin(End &end, uint64_t now_ns = 0) {
    return wgc_handshake_begin_session(&end.hs, &end.session, now_ns);
  }

  // The whole handshake; both ends have a session born at now_ns.
  void complete(uint64_t now_ns = 0) {
    const Message initiation = initiate();
    ASSERT_EQ(accept(initiation), WGC_OK);
    const Message response = respond();
    ASSERT_EQ(consume(response), WGC_OK);
    ASSERT_EQ(begin(initiator, now_ns), WGC_OK);
    ASSERT_EQ(begin(responder, now_ns), WGC_OK);
  }

 private:
  Random random_;

 public:
  End initiator;
  End responder;
};

inline Message seal(const wgc_session &session, const std::string &text, uint64_t counter) {
  Message packet(text.size() + WGC_DATA_OVERHEAD);
  std::memcpy(packet.data() + WGC_DATA_HEADER_LEN, text.data(), text.size());
  wgc_session_seal(&session, packet.data(), text.size(), counter);
  return packet;
}

// The plaintext, or the status as text.
inline std::string open(const wgc_session &session, Message packet, uint64_t now_ns = 0) {
  uint64_t counter;
  const wgc_status status =
      wgc_session_open(&session, packet.data(), packet.size(), &counter, now_ns);
  if (status != WGC_OK) return "status " + std::to_string(status);
  return {packet.begin() + WGC_DATA_HEADER_LEN, packet.end() - WGC_TAG_LEN};
}

}  // namespace wgtest
