// SPDX-License-Identifier: GPL-2.0
#include "selftest.hh"

#include <gtest/gtest.h>

namespace {

TEST(Selftest, EveryPrimitivePasses) {
  EXPECT_STREQ(wg::selftest(), nullptr);
}

}  // namespace
