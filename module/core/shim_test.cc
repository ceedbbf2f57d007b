// SPDX-License-Identifier: GPL-2.0
// What the wall offers and no other test calls through it.
#include <gtest/gtest.h>

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

}  // namespace
