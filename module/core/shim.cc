// SPDX-License-Identifier: GPL-2.0
// The bodies of the wall, but for the trie's: pointer and length become a Span, opaque storage
// becomes the core's type, and the core is called.
#include "aead.hh"
#include "cookie.hh"
#include "cpu.hh"
#include "handshake.hh"
#include "identity.hh"
#include "inner.hh"
#include "keyslots.hh"
#include "limits.hh"
#include "selftest.hh"
#include "session.hh"
#include "timers.hh"
#include "wgcore.h"
#include "wire.hh"
#include "x25519.hh"

namespace {

// The owner may copy the storage, and gives it back without a destructor: the core's type has to
// allow both. Everything is built with -fno-strict-aliasing.
template <typename Core, typename Opaque>
[[gnu::always_inline]] inline Core &view(Opaque *opaque) {
  static_assert(sizeof(Core) <= sizeof(Opaque) && alignof(Core) <= alignof(Opaque));
  static_assert(__is_trivially_copyable(Core) && __has_trivial_constructor(Core));
  return *reinterpret_cast<Core *>(opaque);
}

template <typename Core, typename Opaque>
[[gnu::always_inline]] inline const Core &view(const Opaque *opaque) {
  return view<Core>(const_cast<Opaque *>(opaque));
}

[[gnu::always_inline]] inline wg::Identity &core(wgc_identity *id) {
  return view<wg::Identity>(id);
}
[[gnu::always_inline]] inline const wg::Identity &core(const wgc_identity *id) {
  return view<wg::Identity>(id);
}
[[gnu::always_inline]] inline wg::Handshake &core(wgc_handshake *hs) {
  return view<wg::Handshake>(hs);
}
[[gnu::always_inline]] inline const wg::Handshake &core(const wgc_handshake *hs) {
  return view<wg::Handshake>(hs);
}
[[gnu::always_inline]] inline wg::Session &core(wgc_session *session) {
  return view<wg::Session>(session);
}
[[gnu::always_inline]] inline const wg::Session &core(const wgc_session *session) {
  return view<wg::Session>(session);
}
[[gnu::always_inline]] inline wg::CookieChecker &core(wgc_cookie_checker *checker) {
  return view<wg::CookieChecker>(checker);
}
[[gnu::always_inline]] inline const wg::CookieChecker &core(const wgc_cookie_checker *checker) {
  return view<wg::CookieChecker>(checker);
}
[[gnu::always_inline]] inline wg::CookieJar &core(wgc_cookie_jar *jar) {
  return view<wg::CookieJar>(jar);
}
[[gnu::always_inline]] inline wg::Timers &core(wgc_timers *timers) {
  return view<wg::Timers>(timers);
}
[[gnu::always_inline]] inline const wg::Timers &core(const wgc_timers *timers) {
  return view<wg::Timers>(timers);
}

}  // namespace

extern "C" {

// ---- the processor

void wgc_cpu_set(uint32_t features) {
  wg::set_cpu_features(features);
}

bool wgc_cpu_choose(uint32_t features, const char *level) {
  return wg::choose_cpu_level(features, level);
}

const char *wgc_cpu_level(uint32_t features, size_t index) {
  return wg::cpu_level(features, index);
}

const char *wgc_crypto_level(void) {
  return wg::aead_level();
}

const char *wgc_x25519_level(void) {
  return wg::x25519_level();
}

// ---- self-test and keys

const char *wgc_selftest(void) {
  return wg::selftest();
}

const char *wgc_selftest_vectors(wgc_shared_secrets_work *work) {
  return wg::selftest_vectors(view<wg::X25519Batch>(work));
}

void wgc_wipe(void *data, size_t len) {
  wg::wipe(data, len);
}

bool wgc_equal(const void *a, const void *b, size_t len) {
  return wg::ct_equal(static_cast<const uint8_t *>(a), static_cast<const uint8_t *>(b), len);
}

void wgc_key_clamp(uint8_t private_key[WGC_KEY_LEN]) {
  wg::x25519_clamp(private_key);
}

void wgc_key_public(uint8_t public_key[WGC_KEY_LEN], const uint8_t private_key[WGC_KEY_LEN]) {
  wg::x25519_base(public_key, private_key);
}

// ---- messages

wgc_status wgc_message_classify(const uint8_t *msg, size_t len, wgc_message_type *type) {
  return wg::classify_message(msg, len, type);
}

uint32_t wgc_message_receiver(wgc_message_type type, const uint8_t *msg) {
  return wg::message_receiver(type, msg);
}

uint32_t wgc_message_sender(const uint8_t *msg) {
  return wg::message_sender(msg);
}

// ---- identity

void wgc_identity_set(wgc_identity *id, const uint8_t *private_key) {
  wg::identity_set(&core(id), private_key);
}

bool wgc_identity_get(const wgc_identity *id, uint8_t *private_key, uint8_t *public_key) {
  return wg::identity_get(core(id), private_key, public_key);
}

bool wgc_shared_secrets_want_vectors(size_t num) {
  return wg::x25519_batch_wants_vectors(num);
}

void wgc_shared_secrets(wgc_shared_secrets_work *work, const wgc_identity *id,
                        const uint8_t *const *peer_public, size_t num, bool may_use_vectors) {
  static_assert(WGC_SHARED_SECRETS_MAX == wg::kX25519BatchMax);
  static_assert(offsetof(wg::X25519Batch, out) == offsetof(wgc_shared_secrets_work, secret));
  wg::shared_secrets(view<wg::X25519Batch>(work), core(id), peer_public, num, may_use_vectors);
}

// ---- handshake

void wgc_handshake_init(wgc_handshake *hs, const wgc_identity *id,
                        const uint8_t peer_public[WGC_KEY_LEN], const uint8_t *psk) {
  core(hs).init(core(id), peer_public, psk);
}

void wgc_handshake_set_identity(wgc_handshake *hs, const wgc_identity *id,
                                const uint8_t *shared_secret) {
  core(hs).set_identity(core(id), shared_secret);
}

void wgc_handshake_set_psk(wgc_handshake *hs, const uint8_t *psk) {
  core(hs).set_psk(psk);
}

void wgc_handshake_get_psk(const wgc_handshake *hs, uint8_t psk[WGC_KEY_LEN]) {
  core(hs).get_psk(psk);
}

void wgc_handshake_clear(wgc_handshake *hs) {
  core(hs).clear();
}

wgc_status wgc_handshake_create_initiation(wgc_handshake *hs, uint8_t *msg, const wgc_identity *id,
                                           uint32_t sender_index,
                                           const uint8_t ephemeral[WGC_KEY_LEN], uint64_t unix_ns) {
  return core(hs).create_initiation(msg, core(id), sender_index, ephemeral, unix_ns);
}

wgc_status wgc_initiation_open(wgc_initiation *init, uint8_t peer_public[WGC_KEY_LEN],
                               const wgc_identity *id, const uint8_t *msg) {
  return view<wg::Initiation>(init).open(peer_public, core(id), msg);
}

wgc_status wgc_initiation_accept(wgc_handshake *hs, const wgc_initiation *init, uint64_t now_ns) {
  return core(hs).accept_initiation(view<wg::Initiation>(init), now_ns);
}

wgc_status wgc_handshake_create_response(wgc_handshake *hs, uint8_t *msg, uint32_t sender_index,
                                         const uint8_t ephemeral[WGC_KEY_LEN]) {
  return core(hs).create_response(msg, sender_index, ephemeral);
}

wgc_status wgc_handshake_consume_response(wgc_handshake *hs, const wgc_identity *id,
                                          const uint8_t *msg) {
  return core(hs).consume_response(core(id), msg);
}

wgc_status wgc_handshake_begin_session(wgc_handshake *hs, wgc_session *session, uint64_t now_ns) {
  return core(hs).begin_session(&core(session), now_ns);
}

// ---- session

bool wgc_session_is_initiator(const wgc_session *session) {
  return core(session).is_initiator();
}

uint64_t wgc_session_birth_ns(const wgc_session *session) {
  return core(session).birth_ns();
}

wgc_status wgc_session_may_send(const wgc_session *session, uint64_t last_counter,
                                uint64_t now_ns) {
  return core(session).may_send(last_counter, now_ns);
}

bool wgc_session_rekey_on_send(const wgc_session *session, uint64_t next_counter, uint64_t now_ns) {
  return core(session).rekey_on_send(next_counter, now_ns);
}

bool wgc_session_rekey_on_receive(wgc_session *session, uint64_t now_ns) {
  return core(session).rekey_on_receive(now_ns);
}

void wgc_session_seal(const wgc_session *session, uint8_t *packet, size_t plain_len,
                      uint64_t counter) {
  core(session).seal(packet, plain_len, counter);
}

wgc_status wgc_session_open(const wgc_session *session, uint8_t *packet, size_t len,
                            uint64_t *counter, uint64_t now_ns) {
  return core(session).open({packet, len}, counter, now_ns);
}

void wgc_session_seal_batch(const wgc_data_packet *packets, size_t num, bool may_use_vectors) {
  wg::AeadPacket aead[WGC_BATCH_LEN];
  while (num != 0) {
    const size_t now = wg::min<size_t>(num, WGC_BATCH_LEN);
    for (size_t i = 0; i < now; ++i) core(packets[i].session).prepare_seal(&aead[i], packets[i]);
    wg::aead_seal_batch(aead, now, may_use_vectors);
    packets += now;
    num -= now;
  }
}

void wgc_session_open_batch(wgc_data_packet *packets, size_t num, uint64_t now_ns,
                            bool may_use_vectors) {
  wg::AeadPacket aead[WGC_BATCH_LEN];
  while (num != 0) {
    const size_t now = wg::min<size_t>(num, WGC_BATCH_LEN);
    size_t num_tried = 0;
    for (size_t i = 0; i < now; ++i) {
      packets[i].status =
          core(packets[i].session).prepare_open(&aead[num_tried], packets[i], now_ns);
      if (packets[i].status == WGC_OK) ++num_tried;
    }
    wg::aead_open_batch(aead, num_tried, may_use_vectors);
    size_t tried = 0;
    for (size_t i = 0; i < now; ++i) {
      if (packets[i].status != WGC_OK) continue;
      packets[i].counter = aead[tried].counter;
      if (!aead[tried++].is_good) packets[i].status = WGC_BAD_AEAD;
    }
    packets += now;
    num -= now;
  }
}

wgc_status wgc_session_accept(wgc_session *session, uint64_t counter) {
  return core(session).accept(counter);
}

void wgc_session_stop_sending(wgc_session *session) {
  core(session).stop_sending();
}

// ---- keypair slots

void wgc_keyslots_install(wgc_keyslots *slots, wgc_dropped *dropped, void *key, bool is_initiator) {
  wg::keyslots_install(slots, dropped, key, is_initiator);
}

bool wgc_keyslots_confirm(wgc_keyslots *slots, wgc_dropped *dropped, void *key) {
  return wg::keyslots_confirm(slots, dropped, key);
}

void wgc_keyslots_clear(wgc_keyslots *slots, wgc_dropped *dropped) {
  wg::keyslots_clear(slots, dropped);
}

// ---- cookies and macs

void wgc_cookie_checker_init(wgc_cookie_checker *checker, const uint8_t secret[WGC_KEY_LEN],
                             uint64_t now_ns) {
  core(checker).init(secret, now_ns);
}

void wgc_cookie_checker_set_identity(wgc_cookie_checker *checker, const wgc_identity *id) {
  core(checker).set_identity(core(id));
}

bool wgc_cookie_secret_expired(const wgc_cookie_checker *checker, uint64_t now_ns) {
  return core(checker).secret_expired(now_ns);
}

void wgc_cookie_secret_renew(wgc_cookie_checker *checker, const uint8_t secret[WGC_KEY_LEN],
                             uint64_t now_ns) {
  core(checker).renew_secret(secret, now_ns);
}

wgc_status wgc_cookie_check(const wgc_cookie_checker *checker, const uint8_t *msg, size_t len,
                            const uint8_t *source, size_t source_len, uint64_t now_ns) {
  return core(checker).check({msg, len}, {source, source_len}, now_ns);
}

void wgc_cookie_create_reply(const wgc_cookie_checker *checker, uint8_t *reply, const uint8_t *msg,
                             size_t len, const uint8_t *source, size_t source_len,
                             const uint8_t nonce[WGC_COOKIE_NONCE_LEN]) {
  core(checker).create_reply(reply, {msg, len}, {source, source_len}, nonce);
}

void wgc_cookie_jar_init(wgc_cookie_jar *jar, const uint8_t peer_public[WGC_KEY_LEN]) {
  core(jar).init(peer_public);
}

void wgc_cookie_add_macs(wgc_cookie_jar *jar, uint8_t *msg, size_t len, uint64_t now_ns) {
  core(jar).add_macs({msg, len}, now_ns);
}

wgc_status wgc_cookie_consume_reply(wgc_cookie_jar *jar, const uint8_t *reply, uint64_t now_ns) {
  return core(jar).consume_reply(reply, now_ns);
}

// ---- limits

void wgc_bucket_init(wgc_bucket *bucket, uint64_t now_ns) {
  wg::bucket_init(bucket, now_ns);
}

bool wgc_bucket_take(wgc_bucket *bucket, uint64_t now_ns) {
  return wg::bucket_take(bucket, now_ns);
}

bool wgc_bucket_idle(const wgc_bucket *bucket, uint64_t now_ns) {
  return wg::bucket_idle(*bucket, now_ns);
}

// ---- timers

void wgc_timers_init(wgc_timers *timers) {
  core(timers).init();
}

void wgc_timers_stop(wgc_timers *timers) {
  core(timers).stop();
}

uint64_t wgc_timers_event(wgc_timers *timers, uint32_t events, uint32_t random, uint64_t now_ns) {
  return core(timers).event(events, random, now_ns);
}

uint32_t wgc_timers_expire(wgc_timers *timers, uint64_t *deadline_ns, uint64_t now_ns) {
  return core(timers).expire(deadline_ns, now_ns);
}

bool wgc_timers_begin_initiation(wgc_timers *timers, bool is_retry, uint64_t now_ns) {
  return core(timers).begin_initiation(is_retry, now_ns);
}

bool wgc_timers_may_initiate(const wgc_timers *timers, uint64_t now_ns) {
  return core(timers).may_initiate(now_ns);
}

void wgc_timers_forget_initiation(wgc_timers *timers) {
  core(timers).forget_initiation();
}

void wgc_timers_set_persistent(wgc_timers *timers, uint16_t seconds) {
  core(timers).set_persistent(seconds);
}

uint32_t wgc_timers_attempts(const wgc_timers *timers) {
  return core(timers).attempts();
}

uint16_t wgc_timers_persistent(const wgc_timers *timers) {
  return core(timers).persistent();
}

// ---- inner packets

wgc_status wgc_inner_parse(const uint8_t *data, size_t data_len, size_t packet_len,
                           wgc_inner *inner) {
  return wg::inner_parse({data, data_len}, packet_len, inner);
}

uint32_t wgc_padding_len(uint32_t packet_len, uint32_t mtu) {
  return wg::padding_len(packet_len, mtu);
}

}  // extern "C"
