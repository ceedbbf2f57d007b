// SPDX-License-Identifier: GPL-2.0
// The token bucket against virtual scheduling (ITU-T I.371, annex A): the same rate and burst,
// decided by when the next message is due instead of by counting tokens.
#include "input.hh"
#include "wgcore.h"

namespace {

using wgfuzz::Input;

constexpr uint64_t kSecond = 1000000000;
constexpr uint64_t kCost_ns = kSecond / 20;
constexpr uint64_t kBurst = 5;

class Model {
 public:
  // From the first message on, which finds a full bucket.
  explicit Model(uint64_t now_ns) : due_ns_(now_ns), last_ns_(now_ns) { take(now_ns); }

  bool take(uint64_t now_ns) {
    // Clocks of two processors may disagree: time stands still, and does not go back.
    if (now_ns > last_ns_) last_ns_ = now_ns;
    if (due_ns_ > last_ns_ + (kBurst - 1) * kCost_ns) return false;
    due_ns_ = (due_ns_ > last_ns_ ? due_ns_ : last_ns_) + kCost_ns;
    return true;
  }
  bool is_idle(uint64_t now_ns) const { return now_ns > last_ns_ && now_ns - last_ns_ > kSecond; }

 private:
  uint64_t due_ns_;
  uint64_t last_ns_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  uint64_t now_ns = in.flag() ? in.u64() >> 2 : in.u32();
  wgc_bucket bucket;
  wgc_bucket_init(&bucket, now_ns);
  Model model(now_ns);
  uint64_t behind_ns = 0;
  while (!in.empty()) {
    const uint8_t step = in.u8();
    if (step < 128) {
      now_ns += step * kSecond / 500;
      behind_ns = 0;
    } else if (step < 192) {
      now_ns += in.u32();
      behind_ns = 0;
    } else if (step < 250) {
      behind_ns = step * 1000U;
    } else {
      now_ns += in.u64() >> 3;
      if (now_ns >> 63 != 0) return 0;
    }
    const uint64_t seen_ns = now_ns > behind_ns ? now_ns - behind_ns : 0;
    REQUIRE(wgc_bucket_idle(&bucket, seen_ns) == model.is_idle(seen_ns));
    if (wgc_bucket_idle(&bucket, seen_ns) && in.flag()) {
      // Forgotten and met again: it has to make no difference.
      wgc_bucket_init(&bucket, seen_ns);
      REQUIRE(model.take(seen_ns));
      continue;
    }
    REQUIRE(wgc_bucket_take(&bucket, seen_ns) == model.take(seen_ns));
  }
  return 0;
}
