// SPDX-License-Identifier: GPL-2.0
// A million products one after the other, at each level: make check-slow.
#include "../test_levels.hh"
#include "../test_x25519.hh"

namespace wg::test {
namespace {

class X25519Slow : public LevelTest {};
WGPP_EACH_LEVEL(X25519Slow, x25519_levels());

TEST_P(X25519Slow, IteratesToThePublishedResult) {
  expect_iterated("x25519_million.txt");
}

}  // namespace
}  // namespace wg::test
