// SPDX-License-Identifier: GPL-2.0
// Macs and cookies: a device that checks, and a peer that asks, with anybody on the link between.
// The model remembers which cookie was handed out for which source under which secret.
#include <array>
#include <optional>

#include "input.hh"
#include "ops.hh"
#include "wgcore.h"

namespace {

using wgfuzz::Buffer;
using wgfuzz::CookieOp;
using wgfuzz::Input;

constexpr uint64_t kSecond = 1000000000;
constexpr size_t kNumSources = 4;

// What a cookie depends on.
struct Cookie {
  unsigned secret;
  size_t source;
};

struct Reply {
  Buffer bytes;
  Cookie cookie;
  Buffer mac1;  // of the message that it answers
};

class World {
 public:
  World() {
    const std::array<uint8_t, WGC_KEY_LEN> key{7, 1};
    wgc_identity_set(&id_, key.data());
    std::array<uint8_t, WGC_KEY_LEN> public_key;
    wgc_identity_get(&id_, nullptr, public_key.data());
    wgc_cookie_jar_init(&jar_, public_key.data());
    wgc_cookie_checker_init(&checker_, secret().data(), now_ns_);
    wgc_cookie_checker_set_identity(&checker_, &id_);
  }

  void send(Input &in) {
    const bool is_initiation = in.flag();
    message_ = Buffer(is_initiation ? WGC_INITIATION_LEN : WGC_RESPONSE_LEN);
    in.fill(message_.data(), 8);
    wgc_cookie_add_macs(&jar_, message_.data(), message_.size(), now_ns_);
    mac1_ = Buffer(message_.end() - 32, message_.end() - 16);
    awaits_ = true;
    source_ = in.below(kNumSources);
    const bool has_mac2 = cookie_ && now_ns_ - taken_ns_ < 115 * kSecond;
    REQUIRE(has_mac2 || Buffer(message_.end() - 16, message_.end()) == Buffer(16));

    Buffer changed = message_;
    const uint8_t mask = in.u8();
    const size_t at = mask != 0 ? in.u8() % changed.size() : 0;
    changed[at] ^= mask;
    wgc_status expected = WGC_OK;
    if (!has_identity_ || (mask != 0 && at < changed.size() - 16)) {
      expected = WGC_BAD_MAC1;
    } else if (!has_mac2 || mask != 0 || cookie_->secret != secret_number_ ||
               cookie_->source != source_ || is_expired()) {
      expected = WGC_NEED_COOKIE;
    }
    REQUIRE(check(changed, source_) == expected);
    // From where it was not sent, it has no right cookie.
    REQUIRE(check(changed, (source_ + 1) % kNumSources) != WGC_OK ||
            cookie_->source == (source_ + 1) % kNumSources);
  }

  void reply(Input &in) {
    if (message_.empty() || !has_identity_) return;
    std::array<uint8_t, WGC_COOKIE_NONCE_LEN> nonce{};
    in.fill(nonce.data(), 4);
    Reply reply{Buffer(WGC_COOKIE_REPLY_LEN), {secret_number_, source_}, mac1_};
    const Buffer source = address(source_);
    wgc_cookie_create_reply(&checker_, reply.bytes.data(), message_.data(), message_.size(),
                            source.data(), source.size(), nonce.data());
    REQUIRE(reply.bytes[0] == WGC_MSG_COOKIE_REPLY);
    REQUIRE(wgc_message_receiver(WGC_MSG_COOKIE_REPLY, reply.bytes.data()) ==
            wgc_message_sender(message_.data()));
    last_ = reply;
    const uint8_t mask = in.u8();
    if (mask != 0) {
      // Type and receiver are not what the peer looks at here.
      reply.bytes[8 + in.u8() % (WGC_COOKIE_REPLY_LEN - 8)] ^= mask;
    }
    take(reply, mask == 0);
  }

  void replay() {
    if (last_) take(*last_, true);
  }

  void wait(uint64_t ns) { now_ns_ += ns; }

  void renew() {
    ++secret_number_;
    wgc_cookie_secret_renew(&checker_, secret().data(), now_ns_);
    secret_ns_ = now_ns_;
  }

  void set_identity(bool is_there) {
    const wgc_identity none{};
    has_identity_ = is_there;
    wgc_cookie_checker_set_identity(&checker_, is_there ? &id_ : &none);
  }

 private:
  static Buffer address(size_t source) {
    Buffer out(source % 2 == 0 ? 6 : WGC_SOURCE_MAX_LEN);
    out.back() = static_cast<uint8_t>(source);
    return out;
  }
  std::array<uint8_t, WGC_KEY_LEN> secret() const {
    std::array<uint8_t, WGC_KEY_LEN> out{};
    std::memcpy(out.data(), &secret_number_, sizeof secret_number_);
    return out;
  }
  bool is_expired() const {
    const bool is_expired = now_ns_ - secret_ns_ >= 120 * kSecond;
    REQUIRE(wgc_cookie_secret_expired(&checker_, now_ns_) == is_expired);
    return is_expired;
  }
  wgc_status check(const Buffer &message, size_t source) const {
    const Buffer from = address(source);
    return wgc_cookie_check(&checker_, message.data(), message.size(), from.data(), from.size(),
                            now_ns_);
  }
  // Only as it was sent, only for the mac1 sent last, and only once.
  void take(const Reply &reply, bool is_unchanged) {
    const wgc_cookie_jar before = jar_;
    wgc_status expected = WGC_OK;
    if (!awaits_) {
      expected = WGC_BAD_COOKIE;
    } else if (!is_unchanged || reply.mac1 != mac1_) {
      expected = WGC_BAD_AEAD;
    }
    REQUIRE(wgc_cookie_consume_reply(&jar_, reply.bytes.data(), now_ns_) == expected);
    if (expected != WGC_OK) {
      REQUIRE(std::memcmp(&before, &jar_, sizeof jar_) == 0);
      return;
    }
    awaits_ = false;
    cookie_ = reply.cookie;
    taken_ns_ = now_ns_;
  }

  uint64_t now_ns_ = kSecond;
  wgc_identity id_{};
  wgc_cookie_checker checker_{};
  wgc_cookie_jar jar_{};
  bool has_identity_ = true;
  unsigned secret_number_ = 1;
  uint64_t secret_ns_ = kSecond;

  Buffer message_, mac1_;
  size_t source_ = 0;
  bool awaits_ = false;
  std::optional<Cookie> cookie_;
  uint64_t taken_ns_ = 0;
  std::optional<Reply> last_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  static const World fresh;
  World world = fresh;
  while (!in.empty()) {
    switch (static_cast<CookieOp>(in.below(static_cast<unsigned>(CookieOp::kNumOps)))) {
      case CookieOp::kSend:
        world.send(in);
        break;
      case CookieOp::kReply:
        world.reply(in);
        break;
      case CookieOp::kWait:
        world.wait(in.u8() * kSecond);
        break;
      case CookieOp::kRenew:
        world.renew();
        break;
      case CookieOp::kReplay:
        world.replay();
        break;
      default:
        world.set_identity(in.flag());
        break;
    }
  }
  return 0;
}
