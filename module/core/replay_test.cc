// SPDX-License-Identifier: GPL-2.0
#include "replay.hh"

#include <set>

#include "test_util.hh"

namespace {

constexpr uint64_t kUsable = 8128;
constexpr uint64_t kLimit = ~uint64_t{0} - kUsable - 1;

class ReplayTest : public ::testing::Test {
 protected:
  void SetUp() override { window_.reset(); }
  wgc_status accept(uint64_t counter) { return window_.accept(counter); }

  wg::ReplayWindow window_;
};

using Replay = ReplayTest;

TEST_F(Replay, AcceptsCountersInOrderFromZero) {
  for (uint64_t i = 0; i < 3 * 8192; ++i) ASSERT_EQ(accept(i), WGC_OK) << i;
}

TEST_F(Replay, RejectsCounterSeenTwice) {
  for (uint64_t counter : {0, 1, 63, 64, 65, 8127, 8128, 8129, 100000}) {
    EXPECT_EQ(accept(counter), WGC_OK) << counter;
    EXPECT_EQ(accept(counter), WGC_REPLAY) << counter;
  }
  // 0 and 1 have left the window meanwhile, and 100000 is still the newest.
  EXPECT_EQ(accept(0), WGC_TOO_OLD);
  EXPECT_EQ(accept(100000), WGC_REPLAY);
}

TEST_F(Replay, AcceptsReorderedCountersOnce) {
  EXPECT_EQ(accept(9), WGC_OK);
  for (uint64_t i = 8; i > 0; --i) EXPECT_EQ(accept(i), WGC_OK);
  EXPECT_EQ(accept(0), WGC_OK);
  for (uint64_t i = 0; i < 10; ++i) EXPECT_EQ(accept(i), WGC_REPLAY);
}

TEST_F(Replay, WindowReaches8128Back) {
  for (uint64_t newest : {8128ull, 8191ull, 8192ull, 8255ull, 1ull << 40, (1ull << 40) + 63}) {
    window_.reset();
    ASSERT_EQ(accept(newest), WGC_OK);
    if (newest > kUsable) {
      EXPECT_EQ(accept(newest - kUsable - 1), WGC_TOO_OLD) << newest;
    }
    EXPECT_EQ(accept(newest - kUsable), WGC_OK) << newest;
    EXPECT_EQ(accept(newest - kUsable), WGC_REPLAY) << newest;
    EXPECT_EQ(accept(newest - kUsable + 1), WGC_OK) << newest;
  }
}

TEST_F(Replay, TooOldDoesNotMarkTheCounterALapLater) {
  ASSERT_EQ(accept(20000), WGC_OK);
  ASSERT_EQ(accept(20000 - 8192), WGC_TOO_OLD);
  EXPECT_EQ(accept(20000 - 8192 + 1000), WGC_OK);
  EXPECT_EQ(accept(20001), WGC_OK);
}

TEST_F(Replay, SlidingForgetsOnlyWhatFellOut) {
  for (uint64_t i = 0; i <= 8192; ++i) ASSERT_EQ(accept(i), WGC_OK);
  // 64 is the oldest inside, and its word was not reused by 8192's.
  EXPECT_EQ(accept(63), WGC_TOO_OLD);
  EXPECT_EQ(accept(64), WGC_REPLAY);
  for (uint64_t i = 64; i <= 8192; ++i) ASSERT_EQ(accept(i), WGC_REPLAY) << i;
}

TEST_F(Replay, BigJumpsClearTheWholeWindow) {
  for (uint64_t jump : {8128ull, 8191ull, 8192ull, 8193ull, 16384ull, 1ull << 32, 1ull << 63}) {
    window_.reset();
    for (uint64_t i = 0; i < 8192; ++i) ASSERT_EQ(accept(i), WGC_OK);
    const uint64_t newest = 8191 + jump;
    ASSERT_EQ(accept(newest), WGC_OK);
    for (uint64_t i = 1; i <= kUsable; ++i) {
      const uint64_t counter = newest - i;
      ASSERT_EQ(accept(counter), counter < 8192 ? WGC_REPLAY : WGC_OK) << jump << " " << i;
    }
  }
}

TEST_F(Replay, WorksUpToTheLimitAndNotBeyond) {
  ASSERT_EQ(accept(kLimit), WGC_EXPIRED);
  EXPECT_EQ(accept(~uint64_t{0}), WGC_EXPIRED);
  // Refused ones have not moved the window.
  EXPECT_EQ(accept(0), WGC_OK);
  EXPECT_EQ(accept(kLimit - 1), WGC_OK);
  EXPECT_EQ(accept(kLimit - 1), WGC_REPLAY);
  EXPECT_EQ(accept(kLimit - 1 - kUsable), WGC_OK);
  EXPECT_EQ(accept(kLimit - 2 - kUsable), WGC_TOO_OLD);
}

// What the window should do, told with a set of all counters ever accepted.
class NaiveWindow {
 public:
  wgc_status accept(uint64_t counter) {
    if (counter >= kLimit) return WGC_EXPIRED;
    if (counter < newest_ && newest_ - counter > kUsable) return WGC_TOO_OLD;
    if (!seen_.insert(counter).second) return WGC_REPLAY;
    newest_ = std::max(newest_, counter);
    return WGC_OK;
  }

 private:
  uint64_t newest_ = 0;
  std::set<uint64_t> seen_;
};

TEST_F(Replay, AgreesWithANaiveModelOnRandomCounters) {
  wgtest::Random random(wgtest::test_seed());
  for (int round = 0; round < 20; ++round) {
    NaiveWindow naive;
    window_.reset();
    uint64_t newest = round % 4 == 0 ? kLimit - 40000 : random.below(100000);
    for (int i = 0; i < 20000; ++i) {
      uint64_t counter;
      switch (random.below(8)) {
        case 0:  // a jump, rarely a huge one
          counter = newest + random.below(random.chance(2) ? 1 << 20 : 300);
          break;
        case 1:  // the edge of the window
          counter = newest - kUsable - 3 + random.below(6);
          break;
        case 2:
          counter = newest - random.below(9000);
          break;
        default:
          counter = newest + 1 - random.below(40);
      }
      if (counter > ~uint64_t{0} - 100000 && newest < 100000) counter = 0;
      const wgc_status expected = naive.accept(counter);
      ASSERT_EQ(accept(counter), expected) << "round " << round << " step " << i;
      if (expected == WGC_OK) newest = std::max(newest, counter);
    }
  }
}

}  // namespace
