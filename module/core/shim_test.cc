// SPDX-License-Identifier: GPL-2.0
// What the wall offers and no other test calls through it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "test_util.hh"
#include "wgcore.h"

namespace {

TEST(Wall, SelftestPasses) {
  EXPECT_STREQ(wgc_selftest(), nullptr);
}

TEST(Wall, EqualComparesEveryByteAndNoMore) {
  const uint8_t a[] = {1, 2, 3, 4};
  for (size_t i = 0; i < sizeof a; ++i) {
    uint8_t b[] = {1, 2, 3, 4};
    EXPECT_TRUE(wgc_equal(a, b, sizeof a));
    b[i] ^= 0x80;
    EXPECT_FALSE(wgc_equal(a, b, sizeof a)) << i;
    EXPECT_TRUE(wgc_equal(a, b, i)) << i;
  }
}

// The same, however it is computed.
TEST(Wall, SharedSecretsAreWhatAHandshakeHas) {
  wgtest::Random random(1);
  wgc_identity id;
  wgc_identity_set(&id, random.key().data());
  std::vector<wgtest::Key> keys(WGC_SHARED_SECRETS_MAX);
  for (wgtest::Key &key : keys) wgc_key_public(key.data(), random.key().data());
  constexpr size_t kLow = 3;
  keys[kLow] = wgtest::low_order_keys().back();
  for (size_t num = 1; num <= keys.size(); ++num) {
    std::vector<const uint8_t *> pointers;
    for (size_t i = 0; i < num; ++i) pointers.push_back(keys[i].data());
    wgc_shared_secrets_work work;
    wgc_shared_secrets(&work, &id, pointers.data(), num, false);
    for (size_t i = 0; i < num; ++i) {
      wgc_handshake expected;
      wgc_handshake_init(&expected, &id, keys[i].data(), nullptr);
      wgc_handshake found = expected;
      wgc_handshake_set_identity(&found, &id, work.secret[i]);
      EXPECT_TRUE(wgc_equal(&expected, &found, sizeof found)) << i;
      EXPECT_EQ(std::count(std::begin(work.secret[i]), std::end(work.secret[i]), 0) == WGC_KEY_LEN,
                i == kLow);
      // Another secret makes another handshake.
      work.secret[i][0] ^= 1;
      wgc_handshake_set_identity(&found, &id, work.secret[i]);
      EXPECT_FALSE(wgc_equal(&expected, &found, sizeof found)) << i;
    }
  }
}

TEST(Wall, WithoutAnIdentityNothingIsShared) {
  wgtest::Random random(2);
  wgc_identity id;
  wgc_identity_set(&id, nullptr);
  wgtest::Key key;
  wgc_key_public(key.data(), random.key().data());
  const uint8_t *const pointers[] = {key.data(), key.data()};
  wgc_shared_secrets_work work;
  std::memset(&work, 0xa5, sizeof work);
  wgc_shared_secrets(&work, &id, pointers, 2, false);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(std::count(std::begin(work.secret[i]), std::end(work.secret[i]), 0), WGC_KEY_LEN);
  }
  wgc_handshake without;
  wgc_handshake_init(&without, &id, key.data(), nullptr);
  wgc_handshake with = without;
  wgc_handshake_set_identity(&with, &id, key.data());
  EXPECT_TRUE(wgc_equal(&with, &without, sizeof with));
}

}  // namespace
