// SPDX-License-Identifier: GPL-2.0
#include "cookie.hh"

#include "aead.hh"
#include "blake2s.hh"

namespace wg {
namespace {

// 5.4.4 and 5.4.7: the keys are Hash(label || static public key of who is asked).
constexpr size_t kLabelLen = 8;
const uint8_t kMac1Label[kLabelLen] = {'m', 'a', 'c', '1', '-', '-', '-', '-'};
const uint8_t kCookieLabel[kLabelLen] = {'c', 'o', 'o', 'k', 'i', 'e', '-', '-'};

void derive_key(uint8_t *key, const uint8_t (&label)[kLabelLen], const uint8_t *public_key) {
  Blake2s blake;
  blake.update(label);
  blake.update({public_key, kKeyLen});
  blake.final(key);
}

// mac1 is over everything before it, mac2 over that and mac1.
ConstBytes before_mac1(ConstBytes msg) {
  return msg.first(msg.size() - sizeof(MessageMacs));
}
ConstBytes before_mac2(ConstBytes msg) {
  return msg.first(msg.size() - sizeof(MessageMacs) + offsetof(MessageMacs, mac2));
}

const MessageMacs &macs_of(ConstBytes msg) {
  return *reinterpret_cast<const MessageMacs *>(msg.data() + msg.size() - sizeof(MessageMacs));
}

static_assert(WGC_COOKIE_NONCE_LEN == kXAeadNonceLen);

}  // namespace

void CookieChecker::init(const uint8_t *secret, uint64_t now_ns) {
  wipe(this, sizeof *this);
  renew_secret(secret, now_ns);
}

void CookieChecker::set_identity(const Identity &id) {
  has_identity_ = id.present;
  wipe(mac1_key_, kKeyLen);
  wipe(cookie_key_, kKeyLen);
  if (id.present == 0) return;
  derive_key(mac1_key_, kMac1Label, id.public_key);
  derive_key(cookie_key_, kCookieLabel, id.public_key);
}

bool CookieChecker::secret_expired(uint64_t now_ns) const {
  return age_ns(secret_birth_ns_, now_ns) >= kCookieSecretLifetime_ns;
}

void CookieChecker::renew_secret(const uint8_t *secret, uint64_t now_ns) {
  copy(secret_, secret, kKeyLen);
  secret_birth_ns_ = now_ns;
}

void CookieChecker::make_cookie(uint8_t *cookie, ConstBytes source) const {
  blake2s(cookie, kCookieLen, source, secret_);
}

Status CookieChecker::check(ConstBytes msg, ConstBytes source, uint64_t now_ns) const {
  Secret<kMacLen> mac;
  Secret<kCookieLen> cookie;
  if (has_identity_ == 0) return WGC_BAD_MAC1;
  blake2s(mac.bytes, kMacLen, before_mac1(msg), mac1_key_);
  if (!ct_equal(mac.bytes, macs_of(msg).mac1, kMacLen)) return WGC_BAD_MAC1;

  if (secret_expired(now_ns)) return WGC_NEED_COOKIE;
  make_cookie(cookie.bytes, source);
  blake2s(mac.bytes, kMacLen, before_mac2(msg), cookie);
  return ct_equal(mac.bytes, macs_of(msg).mac2, kMacLen) ? WGC_OK : WGC_NEED_COOKIE;
}

void CookieChecker::create_reply(uint8_t *reply, ConstBytes msg, ConstBytes source,
                                 const uint8_t *nonce) const {
  auto &out = *reinterpret_cast<MessageCookieReply *>(reply);
  Secret<kCookieLen> cookie;
  store_le<uint32_t>(out.header.type, WGC_MSG_COOKIE_REPLY);
  store_le(out.receiver_index, message_sender(msg.data()));
  copy(out.nonce, nonce, sizeof out.nonce);
  // The cookie is bound to mac1, so that only who saw our caller's message can plant one on it.
  make_cookie(cookie.bytes, source);
  xaead_seal(out.encrypted_cookie, cookie, macs_of(msg).mac1, out.nonce, cookie_key_);
}

void CookieJar::init(const uint8_t *peer_public) {
  wipe(this, sizeof *this);
  derive_key(mac1_key_, kMac1Label, peer_public);
  derive_key(cookie_key_, kCookieLabel, peer_public);
}

void CookieJar::add_macs(Bytes msg, uint64_t now_ns) {
  auto &macs = *reinterpret_cast<MessageMacs *>(msg.data() + msg.size() - sizeof(MessageMacs));
  blake2s(macs.mac1, kMacLen, before_mac1(msg), mac1_key_);
  copy(last_mac1_, macs.mac1, kMacLen);
  awaits_reply_ = 1;

  if (has_cookie_ != 0 && age_ns(cookie_birth_ns_, now_ns) < kCookieLifetime_ns)
    blake2s(macs.mac2, kMacLen, before_mac2(msg), cookie_);
  else
    __builtin_memset(macs.mac2, 0, kMacLen);
}

Status CookieJar::consume_reply(const uint8_t *reply, uint64_t now_ns) {
  const auto &in = *reinterpret_cast<const MessageCookieReply *>(reply);
  Secret<kCookieLen> cookie;
  if (awaits_reply_ == 0) return WGC_BAD_COOKIE;
  // A forged reply leaves awaits_reply_ set, or it would keep the real one out.
  if (!xaead_open(cookie.bytes, in.encrypted_cookie, last_mac1_, in.nonce, cookie_key_))
    return WGC_BAD_AEAD;
  copy(cookie_, cookie.bytes, kCookieLen);
  cookie_birth_ns_ = now_ns;
  has_cookie_ = 1;
  awaits_reply_ = 0;
  return WGC_OK;
}

}  // namespace wg
