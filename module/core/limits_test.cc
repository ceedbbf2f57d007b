// SPDX-License-Identifier: GPL-2.0
#include "test_util.hh"

namespace {

using wgtest::kMs;
using wgtest::kSecond;

constexpr uint64_t kStart_ns = 7 * kSecond;

int take_all(wgc_bucket &bucket, uint64_t now_ns) {
  int num_taken = 0;
  while (wgc_bucket_take(&bucket, now_ns)) ++num_taken;
  return num_taken;
}

TEST(Bucket, GivesFiveAtOnce) {
  wgc_bucket bucket;
  wgc_bucket_init(&bucket, kStart_ns);
  EXPECT_EQ(take_all(bucket, kStart_ns), 4) << "the first of five is taken by making the bucket";
}

TEST(Bucket, RefillsOneTokenIn50Ms) {
  wgc_bucket bucket;
  wgc_bucket_init(&bucket, kStart_ns);
  take_all(bucket, kStart_ns);
  EXPECT_FALSE(wgc_bucket_take(&bucket, kStart_ns + 50 * kMs - 1));
  EXPECT_TRUE(wgc_bucket_take(&bucket, kStart_ns + 50 * kMs));
  EXPECT_FALSE(wgc_bucket_take(&bucket, kStart_ns + 50 * kMs));
}

TEST(Bucket, NeverHoldsMoreThanFive) {
  for (const uint64_t pause_ns : {250 * kMs, 251 * kMs, kSecond, 1000000 * kSecond}) {
    wgc_bucket bucket;
    wgc_bucket_init(&bucket, kStart_ns);
    take_all(bucket, kStart_ns);
    EXPECT_EQ(take_all(bucket, kStart_ns + pause_ns), 5);
  }
  wgc_bucket bucket;
  wgc_bucket_init(&bucket, 0);
  EXPECT_EQ(take_all(bucket, ~uint64_t{0}), 5);
}

TEST(Bucket, LetsThrough20ASecondOfASteadyFlood) {
  wgc_bucket bucket;
  wgc_bucket_init(&bucket, kStart_ns);
  int num_taken = 0;
  for (uint64_t t = 0; t < 10 * kSecond; t += kMs)
    num_taken += wgc_bucket_take(&bucket, kStart_ns + t);
  EXPECT_EQ(num_taken, 4 + 199);
}

TEST(Bucket, ClockOfAnotherCpuThatLagsTakesNothingAway) {
  wgc_bucket bucket;
  wgc_bucket_init(&bucket, kStart_ns);
  EXPECT_TRUE(wgc_bucket_take(&bucket, kStart_ns - kMs));
  EXPECT_EQ(take_all(bucket, kStart_ns), 3);
  // And earns nothing twice.
  EXPECT_FALSE(wgc_bucket_take(&bucket, kStart_ns - 40 * kMs));
  EXPECT_FALSE(wgc_bucket_take(&bucket, kStart_ns + 50 * kMs - 1));
}

TEST(Bucket, IsIdleAfterMoreThanASecond) {
  wgc_bucket bucket;
  wgc_bucket_init(&bucket, kStart_ns);
  EXPECT_FALSE(wgc_bucket_idle(&bucket, kStart_ns + kSecond));
  EXPECT_TRUE(wgc_bucket_idle(&bucket, kStart_ns + kSecond + 1));
  wgc_bucket_take(&bucket, kStart_ns + kSecond);
  EXPECT_FALSE(wgc_bucket_idle(&bucket, kStart_ns + 2 * kSecond));
}

}  // namespace
