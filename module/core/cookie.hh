// SPDX-License-Identifier: GPL-2.0
// The macs of handshake messages and the cookies that hold off floods (the paper, 5.3, 5.4.4 and
// 5.4.7). The checker is the side that answers, the jar the side that asks.
#pragma once

#include "identity.hh"
#include "params.hh"
#include "wire.hh"

namespace wg {

// A device's side. Plain bytes; the caller's lock covers reading and writing.
class CookieChecker {
 public:
  void init(const uint8_t *secret, uint64_t now_ns);
  // Without an identity every check fails with WGC_BAD_MAC1.
  void set_identity(const Identity &id);

  bool secret_expired(uint64_t now_ns) const;
  void renew_secret(const uint8_t *secret, uint64_t now_ns);

  // msg is an initiation or response; source is the address and port it came from.
  // WGC_OK: both macs right; WGC_NEED_COOKIE: mac1 only; WGC_BAD_MAC1.
  Status check(ConstBytes msg, ConstBytes source, uint64_t now_ns) const;
  // reply: WGC_COOKIE_REPLY_LEN bytes; nonce: 24 random bytes.
  void create_reply(uint8_t *reply, ConstBytes msg, ConstBytes source, const uint8_t *nonce) const;

 private:
  void make_cookie(uint8_t *cookie, ConstBytes source) const;

  uint8_t secret_[kKeyLen];
  uint8_t mac1_key_[kKeyLen];
  uint8_t cookie_key_[kKeyLen];
  uint64_t secret_birth_ns_;
  uint32_t has_identity_;
};

// A peer's side. Plain bytes; the caller holds the jar lock.
class CookieJar {
 public:
  void init(const uint8_t *peer_public);
  // Fills both macs of an initiation or response; mac2 is zero without a fresh cookie.
  void add_macs(Bytes msg, uint64_t now_ns);
  // reply: WGC_COOKIE_REPLY_LEN bytes. Accepted once per mac1 that was sent.
  Status consume_reply(const uint8_t *reply, uint64_t now_ns);

 private:
  uint8_t mac1_key_[kKeyLen];
  uint8_t cookie_key_[kKeyLen];
  uint8_t cookie_[kCookieLen];
  uint8_t last_mac1_[kMacLen];
  uint64_t cookie_birth_ns_;
  uint32_t has_cookie_;
  uint32_t awaits_reply_;
};

}  // namespace wg
