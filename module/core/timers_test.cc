// SPDX-License-Identifier: GPL-2.0
#include "test_util.hh"

namespace {

using wgtest::kSecond;

constexpr uint64_t kNow_ns = 1000 * kSecond;
constexpr uint64_t kNever = WGC_NO_DEADLINE;
constexpr uint64_t kJitterEnd_ns = kSecond / 3;
constexpr uint32_t kRetry = WGC_ACT_CLEAR_SOURCE | WGC_ACT_INITIATE | WGC_ACT_RETRY;
constexpr uint32_t kNewHandshake = WGC_ACT_CLEAR_SOURCE | WGC_ACT_INITIATE;

class TimersTest : public ::testing::Test {
 protected:
  void SetUp() override { wgc_timers_init(&timers_); }

  uint64_t event(uint32_t events, uint64_t now_ns = kNow_ns, uint32_t random = 0) {
    return wgc_timers_event(&timers_, events, random, now_ns);
  }
  uint32_t expire(uint64_t now_ns) { return wgc_timers_expire(&timers_, &deadline_ns_, now_ns); }

  // Nothing a nanosecond before the deadline, these actions on it.
  void expect_due(uint64_t at_ns, uint32_t actions, uint64_t next_ns = kNever) {
    EXPECT_EQ(expire(at_ns - 1), 0u);
    EXPECT_EQ(deadline_ns_, at_ns);
    EXPECT_EQ(expire(at_ns), actions);
    EXPECT_EQ(deadline_ns_, next_ns);
  }

  wgc_timers timers_;
  uint64_t deadline_ns_ = 0;
};

using Timers = TimersTest;

TEST_F(Timers, StartWithNothingArmed) {
  EXPECT_EQ(event(0), kNever);
  EXPECT_EQ(expire(kNever - 1), 0u);
  EXPECT_EQ(deadline_ns_, kNever);
  EXPECT_TRUE(wgc_timers_may_initiate(&timers_, 0));
  EXPECT_EQ(wgc_timers_persistent(&timers_), 0);
}

TEST_F(Timers, InitiationIsRetriedAfter5Seconds) {
  EXPECT_EQ(event(WGC_EV_ANY_SENT | WGC_EV_INITIATION_SENT), kNow_ns + 5 * kSecond);
  expect_due(kNow_ns + 5 * kSecond, kRetry);
}

TEST_F(Timers, JitterStaysBelowAThirdOfASecond) {
  wgtest::Random random(wgtest::test_seed());
  bool is_spread[4] = {};
  for (int i = 0; i < 1000; ++i) {
    wgc_timers_init(&timers_);
    const uint64_t jitter_ns =
        event(WGC_EV_INITIATION_SENT, kNow_ns, random.u32()) - kNow_ns - 5 * kSecond;
    ASSERT_LT(jitter_ns, kJitterEnd_ns);
    is_spread[jitter_ns * 4 / kJitterEnd_ns] = true;
  }
  for (bool quarter : is_spread) EXPECT_TRUE(quarter);
  wgc_timers_init(&timers_);
  EXPECT_EQ(event(WGC_EV_INITIATION_SENT, kNow_ns, 0xffffffff),
            kNow_ns + 5 * kSecond + kJitterEnd_ns - 1);
  wgc_timers_init(&timers_);
  EXPECT_EQ(event(WGC_EV_DATA_SENT, kNow_ns, 0xffffffff),
            kNow_ns + 15 * kSecond + kJitterEnd_ns - 1);
}

TEST_F(Timers, GivesUpAfter20Initiations) {
  uint64_t now_ns = kNow_ns;
  ASSERT_TRUE(wgc_timers_begin_initiation(&timers_, false, now_ns));
  event(WGC_EV_INITIATION_SENT, now_ns);
  int num_sent = 1;
  while (expire(now_ns += 5 * kSecond) == kRetry) {
    ASSERT_TRUE(wgc_timers_begin_initiation(&timers_, true, now_ns));
    event(WGC_EV_INITIATION_SENT, now_ns);
    ++num_sent;
  }
  EXPECT_EQ(num_sent, 20);
  EXPECT_EQ(now_ns, kNow_ns + 20 * 5 * kSecond);
}

// Leaves the timers with a retry deadline at which they give up.
void exhaust_attempts(wgc_timers &timers, uint64_t now_ns) {
  uint64_t deadline_ns;
  for (int i = 0; i < 19; ++i) {
    wgc_timers_event(&timers, WGC_EV_INITIATION_SENT, 0, now_ns - 5 * kSecond);
    ASSERT_EQ(wgc_timers_expire(&timers, &deadline_ns, now_ns), kRetry);
  }
  wgc_timers_event(&timers, WGC_EV_INITIATION_SENT, 0, now_ns);
}

TEST_F(Timers, CountsTheInitiationsOfAHandshake) {
  EXPECT_EQ(wgc_timers_attempts(&timers_), 0u);
  event(WGC_EV_INITIATION_SENT);
  EXPECT_EQ(wgc_timers_attempts(&timers_), 1u);
  EXPECT_EQ(expire(kNow_ns + 5 * kSecond), kRetry);
  event(WGC_EV_INITIATION_SENT, kNow_ns + 5 * kSecond);
  EXPECT_EQ(wgc_timers_attempts(&timers_), 2u);
  event(WGC_EV_HANDSHAKE_COMPLETE, kNow_ns + 6 * kSecond);
  EXPECT_EQ(wgc_timers_attempts(&timers_), 0u);
}

TEST_F(Timers, GivingUpPurgesAndArmsTheWiping) {
  exhaust_attempts(timers_, kNow_ns);
  event(WGC_EV_DATA_RECEIVED);
  const uint64_t end_ns = kNow_ns + 5 * kSecond;
  EXPECT_EQ(expire(end_ns - 1), 0u);
  EXPECT_EQ(expire(end_ns), uint32_t{WGC_ACT_PURGE_STAGED});
  // The passive keepalive, which was due at 10 s, is gone.
  EXPECT_EQ(deadline_ns_, end_ns + 540 * kSecond);
  expect_due(end_ns + 540 * kSecond, WGC_ACT_ZERO_KEYS);
}

TEST_F(Timers, GivingUpDoesNotPutTheWipingOff) {
  exhaust_attempts(timers_, kNow_ns);
  event(WGC_EV_SESSION_DERIVED, kNow_ns - 100 * kSecond);
  EXPECT_EQ(expire(kNow_ns + 5 * kSecond), uint32_t{WGC_ACT_PURGE_STAGED});
  EXPECT_EQ(deadline_ns_, kNow_ns + 440 * kSecond);
}

TEST_F(Timers, NewInterestStartsTheAttemptsAnew) {
  exhaust_attempts(timers_, kNow_ns);
  // Counts even though it comes too early to be sent.
  ASSERT_TRUE(wgc_timers_begin_initiation(&timers_, true, kNow_ns));
  EXPECT_FALSE(wgc_timers_begin_initiation(&timers_, false, kNow_ns + kSecond));
  EXPECT_EQ(expire(kNow_ns + 5 * kSecond), kRetry);
}

TEST_F(Timers, CompleteHandshakeStopsRetriesAndStartsTheAttemptsAnew) {
  exhaust_attempts(timers_, kNow_ns);
  EXPECT_EQ(event(WGC_EV_HANDSHAKE_COMPLETE), kNever);
  event(WGC_EV_INITIATION_SENT);
  EXPECT_EQ(expire(kNow_ns + 5 * kSecond), kRetry);
}

TEST_F(Timers, InitiationIsRefusedWithin5Seconds) {
  EXPECT_TRUE(wgc_timers_begin_initiation(&timers_, false, kNow_ns));
  const uint64_t end_ns = kNow_ns + 5 * kSecond;
  for (const uint64_t now_ns : {kNow_ns - 1, kNow_ns, end_ns - 1}) {
    EXPECT_FALSE(wgc_timers_may_initiate(&timers_, now_ns));
    EXPECT_FALSE(wgc_timers_begin_initiation(&timers_, false, now_ns));
    EXPECT_FALSE(wgc_timers_begin_initiation(&timers_, true, now_ns));
  }
  EXPECT_TRUE(wgc_timers_may_initiate(&timers_, end_ns));
  EXPECT_TRUE(wgc_timers_begin_initiation(&timers_, true, end_ns));
  EXPECT_FALSE(wgc_timers_may_initiate(&timers_, end_ns));
}

TEST_F(Timers, ForgottenInitiationHoldsUpNothing) {
  ASSERT_TRUE(wgc_timers_begin_initiation(&timers_, false, kNow_ns));
  wgc_timers_forget_initiation(&timers_);
  EXPECT_TRUE(wgc_timers_begin_initiation(&timers_, false, kNow_ns));
  EXPECT_FALSE(wgc_timers_may_initiate(&timers_, kNow_ns));
  event(WGC_EV_RESPONSE_SENT);
  wgc_timers_forget_initiation(&timers_);
  EXPECT_TRUE(wgc_timers_may_initiate(&timers_, kNow_ns));
}

TEST_F(Timers, ForgettingAnInitiationDisarmsNothing) {
  event(WGC_EV_INITIATION_SENT | WGC_EV_SESSION_DERIVED);
  wgc_timers_forget_initiation(&timers_);
  EXPECT_EQ(expire(kNow_ns), 0u);
  EXPECT_EQ(deadline_ns_, kNow_ns + 5 * kSecond);
}

TEST_F(Timers, ResponseCountsAsHandshakeSent) {
  EXPECT_EQ(event(WGC_EV_RESPONSE_SENT), kNever);
  EXPECT_FALSE(wgc_timers_begin_initiation(&timers_, false, kNow_ns + 5 * kSecond - 1));
  EXPECT_TRUE(wgc_timers_begin_initiation(&timers_, false, kNow_ns + 5 * kSecond));
}

TEST_F(Timers, RetryWithin5SecondsOfAResponseWaitsAnotherTurn) {
  ASSERT_TRUE(wgc_timers_begin_initiation(&timers_, false, kNow_ns));
  event(WGC_EV_INITIATION_SENT);
  event(WGC_EV_RESPONSE_SENT, kNow_ns + kSecond);
  expect_due(kNow_ns + 5 * kSecond, 0, kNow_ns + 10 * kSecond);
  expect_due(kNow_ns + 10 * kSecond, kRetry);
  EXPECT_TRUE(wgc_timers_begin_initiation(&timers_, true, kNow_ns + 10 * kSecond));
}

TEST_F(Timers, NewHandshake15SecondsAfterUnansweredData) {
  EXPECT_EQ(event(WGC_EV_ANY_SENT | WGC_EV_DATA_SENT), kNow_ns + 15 * kSecond);
  // More data does not put it off.
  EXPECT_EQ(event(WGC_EV_ANY_SENT | WGC_EV_DATA_SENT, kNow_ns + 9 * kSecond),
            kNow_ns + 15 * kSecond);
  expect_due(kNow_ns + 15 * kSecond, kNewHandshake);
}

TEST_F(Timers, AnyAnswerDisarmsTheNewHandshake) {
  event(WGC_EV_DATA_SENT);
  EXPECT_EQ(event(WGC_EV_ANY_RECEIVED, kNow_ns + kSecond), kNever);
}

TEST_F(Timers, DataSentInABatchWithAnAnswerIsStillUnanswered) {
  event(WGC_EV_DATA_SENT);
  EXPECT_EQ(event(WGC_EV_ANY_RECEIVED | WGC_EV_DATA_SENT, kNow_ns + kSecond),
            kNow_ns + 16 * kSecond);
}

TEST_F(Timers, PassiveKeepalive10SecondsAfterData) {
  EXPECT_EQ(event(WGC_EV_ANY_RECEIVED | WGC_EV_DATA_RECEIVED), kNow_ns + 10 * kSecond);
  expect_due(kNow_ns + 10 * kSecond, WGC_ACT_KEEPALIVE);
}

TEST_F(Timers, KeepaliveReceivedAsksForNoKeepalive) {
  EXPECT_EQ(event(WGC_EV_ANY_RECEIVED), kNever);
}

TEST_F(Timers, MoreDataAsksForOneMorePassiveKeepalive) {
  event(WGC_EV_DATA_RECEIVED);
  for (uint64_t i = 1; i < 10; ++i)
    EXPECT_EQ(event(WGC_EV_DATA_RECEIVED, kNow_ns + i * kSecond), kNow_ns + 10 * kSecond);
  expect_due(kNow_ns + 10 * kSecond, WGC_ACT_KEEPALIVE, kNow_ns + 20 * kSecond);
  expect_due(kNow_ns + 20 * kSecond, WGC_ACT_KEEPALIVE);
}

TEST_F(Timers, SendingAnythingDisarmsThePassiveKeepalive) {
  event(WGC_EV_DATA_RECEIVED);
  event(WGC_EV_DATA_RECEIVED);
  EXPECT_EQ(event(WGC_EV_ANY_SENT, kNow_ns + kSecond), kNever);
  // What was sent answered all data so far: the next one asks for one keepalive only.
  EXPECT_EQ(event(WGC_EV_DATA_RECEIVED, kNow_ns + 2 * kSecond), kNow_ns + 12 * kSecond);
  expect_due(kNow_ns + 12 * kSecond, WGC_ACT_KEEPALIVE);
}

TEST_F(Timers, DataReceivedInABatchWithSendingStillAsksForAKeepalive) {
  EXPECT_EQ(event(WGC_EV_ANY_SENT | WGC_EV_ANY_RECEIVED | WGC_EV_DATA_RECEIVED),
            kNow_ns + 10 * kSecond);
}

TEST_F(Timers, PersistentKeepaliveFollowsTheLastTraversal) {
  wgc_timers_set_persistent(&timers_, 25);
  EXPECT_EQ(wgc_timers_persistent(&timers_), 25);
  EXPECT_EQ(event(0), kNever);
  EXPECT_EQ(event(WGC_EV_ANY_SENT), kNow_ns + 25 * kSecond);
  EXPECT_EQ(event(WGC_EV_ANY_RECEIVED, kNow_ns + kSecond), kNow_ns + 26 * kSecond);
  // Only the keepalive's own way out arms it again.
  expect_due(kNow_ns + 26 * kSecond, WGC_ACT_KEEPALIVE);
  EXPECT_EQ(event(WGC_EV_ANY_SENT, kNow_ns + 26 * kSecond), kNow_ns + 51 * kSecond);
}

TEST_F(Timers, LongestPersistentIntervalFits) {
  wgc_timers_set_persistent(&timers_, 65535);
  EXPECT_EQ(event(WGC_EV_ANY_SENT), kNow_ns + 65535 * kSecond);
}

TEST_F(Timers, PersistentKeepaliveOfZeroDisarms) {
  wgc_timers_set_persistent(&timers_, 25);
  event(WGC_EV_ANY_SENT);
  wgc_timers_set_persistent(&timers_, 0);
  EXPECT_EQ(event(WGC_EV_ANY_SENT), kNever);
  EXPECT_EQ(expire(kNow_ns + 100 * kSecond), 0u);
}

TEST_F(Timers, KeysAreWiped540SecondsAfterTheLastSession) {
  EXPECT_EQ(event(WGC_EV_SESSION_DERIVED), kNow_ns + 540 * kSecond);
  EXPECT_EQ(event(WGC_EV_SESSION_DERIVED, kNow_ns + kSecond), kNow_ns + 541 * kSecond);
  expect_due(kNow_ns + 541 * kSecond, WGC_ACT_ZERO_KEYS);
}

TEST_F(Timers, StopDisarmsAllButTheInterval) {
  wgc_timers_set_persistent(&timers_, 25);
  ASSERT_TRUE(wgc_timers_begin_initiation(&timers_, false, kNow_ns));
  event(0xff);
  wgc_timers_stop(&timers_);
  EXPECT_EQ(expire(kNow_ns + 1000 * kSecond), 0u);
  EXPECT_EQ(deadline_ns_, kNever);
  EXPECT_EQ(wgc_timers_persistent(&timers_), 25);
  EXPECT_TRUE(wgc_timers_may_initiate(&timers_, kNow_ns));
}

TEST_F(Timers, AllThatIsDueTogetherComesTogether) {
  wgc_timers_set_persistent(&timers_, 25);
  event(WGC_EV_ANY_SENT | WGC_EV_INITIATION_SENT | WGC_EV_SESSION_DERIVED | WGC_EV_DATA_SENT |
        WGC_EV_DATA_RECEIVED);
  EXPECT_EQ(expire(kNow_ns + 600 * kSecond), kRetry | WGC_ACT_KEEPALIVE | WGC_ACT_ZERO_KEYS);
  EXPECT_EQ(deadline_ns_, kNever);
}

TEST_F(Timers, EveryDeadlineIsFoundInItsTurn) {
  wgc_timers_set_persistent(&timers_, 25);
  event(WGC_EV_ANY_SENT | WGC_EV_INITIATION_SENT | WGC_EV_SESSION_DERIVED | WGC_EV_DATA_SENT |
        WGC_EV_DATA_RECEIVED);
  expect_due(kNow_ns + 5 * kSecond, kRetry, kNow_ns + 10 * kSecond);
  expect_due(kNow_ns + 10 * kSecond, WGC_ACT_KEEPALIVE, kNow_ns + 15 * kSecond);
  expect_due(kNow_ns + 15 * kSecond, kNewHandshake, kNow_ns + 25 * kSecond);
  expect_due(kNow_ns + 25 * kSecond, WGC_ACT_KEEPALIVE, kNow_ns + 540 * kSecond);
  expect_due(kNow_ns + 540 * kSecond, WGC_ACT_ZERO_KEYS);
}

TEST_F(Timers, GivingUpAndWipingDueTogether) {
  exhaust_attempts(timers_, kNow_ns);
  event(WGC_EV_SESSION_DERIVED, kNow_ns - 600 * kSecond);
  EXPECT_EQ(expire(kNow_ns + 5 * kSecond), uint32_t{WGC_ACT_PURGE_STAGED | WGC_ACT_ZERO_KEYS});
  EXPECT_EQ(deadline_ns_, kNever);
}

}  // namespace
