// SPDX-License-Identifier: GPL-2.0
#include "limits.hh"

namespace wg {

static_assert(kBucketIdle_ns >= kTokenMax_ns, "forgetting a bucket must not give tokens away");

void bucket_init(wgc_bucket *bucket, uint64_t now_ns) {
  bucket->last_ns = now_ns;
  bucket->tokens_ns = kTokenMax_ns - kTokenCost_ns;
}

bool bucket_take(wgc_bucket *bucket, uint64_t now_ns) {
  // Capped before adding, so that a long absence cannot overflow.
  const uint64_t earned_ns = min(age_ns(bucket->last_ns, now_ns), kTokenMax_ns);
  bucket->tokens_ns = min(bucket->tokens_ns + earned_ns, kTokenMax_ns);
  bucket->last_ns = max(bucket->last_ns, now_ns);
  if (bucket->tokens_ns < kTokenCost_ns) return false;
  bucket->tokens_ns -= kTokenCost_ns;
  return true;
}

bool bucket_idle(const wgc_bucket &bucket, uint64_t now_ns) {
  return age_ns(bucket.last_ns, now_ns) > kBucketIdle_ns;
}

}  // namespace wg
