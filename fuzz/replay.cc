// SPDX-License-Identifier: GPL-2.0
// The replay window against a set of all counters that were ever accepted.
#include <set>

#include "input.hh"
#include "test_util.hh"

namespace {

using wgfuzz::Input;

// RFC 6479 with the ring's size that the protocol page names: 8192 bits, one word less usable.
constexpr uint64_t kUsable = 8192 - 64;
constexpr uint64_t kLimit = UINT64_MAX - kUsable - 1;

class Model {
 public:
  wgc_status accept(uint64_t counter) {
    if (counter >= kLimit) return WGC_EXPIRED;
    if (newest_ > counter && newest_ - counter > kUsable) return WGC_TOO_OLD;
    if (!seen_.insert(counter).second) return WGC_REPLAY;
    if (counter > newest_) newest_ = counter;
    return WGC_OK;
  }
  uint64_t newest() const { return newest_; }

 private:
  std::set<uint64_t> seen_;
  uint64_t newest_ = 0;
};

// Mostly near the newest counter, a window behind it or a lap ahead: where mistakes are.
uint64_t choose(Input &in, uint64_t newest) {
  const uint8_t kind = in.below(8);
  const uint64_t small = in.u8();
  switch (kind) {
    case 0:
      return newest + small;
    case 1:
      return newest - small;
    case 2:
      return newest - kUsable + small - 128;
    case 3:
      return newest + 8192 + small - 128;
    case 4:
      return newest - in.u16() % 9000;
    case 5:
      return newest + in.u16();
    case 6:
      return in.u64();
    default:
      return kLimit + small - 128;
  }
}

const wgc_session &fresh_session() {
  static const wgc_session session = [] {
    wgtest::HandshakePair pair;
    pair.complete();
    return pair.initiator.session;
  }();
  return session;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  wgc_session session = fresh_session();
  Model model;
  while (!in.empty()) {
    const uint64_t counter = choose(in, model.newest());
    const unsigned num = in.below(4) == 0 ? in.u8() : 1;
    for (unsigned i = 0; i < num; ++i) {
      REQUIRE(wgc_session_accept(&session, counter + i) == model.accept(counter + i));
    }
  }
  return 0;
}
