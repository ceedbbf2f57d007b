// SPDX-License-Identifier: GPL-2.0
#include "handshake.hh"

#include "wire.hh"
#include "x25519.hh"

namespace wg {
namespace {

// 5.1: TAI64N, big-endian seconds and nanoseconds. Their low bits are cut off, so that the label
// tells an observer of many initiations little about our clock.
void write_timestamp(uint8_t *out, uint64_t unix_ns) {
  const uint64_t seconds = unix_ns / kNsPerSecond;
  const uint32_t nanoseconds = static_cast<uint32_t>(unix_ns % kNsPerSecond);
  store_be<uint64_t>(out, kTai64Epoch + seconds);
  store_be<uint32_t>(out + 8, nanoseconds & ~(kTimestampWhitening_ns - 1));
}

}  // namespace

bool Handshake::Timestamp::is_after(const Timestamp &other) const {
  if (seconds != other.seconds) return seconds > other.seconds;
  return nanoseconds > other.nanoseconds;
}

Status Initiation::open(uint8_t *peer_public, const Identity &id, const uint8_t *msg) {
  const Status status = decrypt(id, msg);
  if (status != WGC_OK) wipe(this, sizeof *this);
  copy(peer_public, remote_static_, kKeyLen);
  return status;
}

Status Initiation::decrypt(const Identity &id, const uint8_t *msg) {
  const auto &in = *reinterpret_cast<const MessageInitiation *>(msg);
  if (id.present == 0) return WGC_BAD_STATE;
  noise_.start(id.public_key);

  // e
  copy(remote_ephemeral_, in.ephemeral, kKeyLen);
  noise_.mix_ephemeral(remote_ephemeral_);
  // es
  Secret<kKeyLen> key;
  if (!noise_.mix_dh(key.bytes, id.private_key, remote_ephemeral_)) return WGC_BAD_DH;
  // s
  if (!noise_.decrypt_and_hash(remote_static_, in.encrypted_static, key.bytes)) return WGC_BAD_AEAD;

  // ss and the timestamp wait for accept_initiation(), where the peer's secret is at hand.
  copy(encrypted_timestamp_, in.encrypted_timestamp, sizeof encrypted_timestamp_);
  sender_index_ = message_sender(msg);
  return WGC_OK;
}

void Handshake::init(const Identity &id, const uint8_t *peer_public, const uint8_t *psk) {
  wipe(this, sizeof *this);
  copy(remote_static_, peer_public, kKeyLen);
  set_psk(psk);
  set_identity(id, nullptr);
}

void Handshake::set_identity(const Identity &id, const uint8_t *shared_secret) {
  clear();
  wipe(static_static_, kKeyLen);
  if (id.present == 0) return;
  if (shared_secret != nullptr) {
    copy(static_static_, shared_secret, kKeyLen);
    return;
  }
  // Failure leaves zeros, which every handshake takes for WGC_BAD_DH.
  if (!x25519(static_static_, id.private_key, remote_static_)) wipe(static_static_, kKeyLen);
}

void Handshake::set_psk(const uint8_t *psk) {
  if (psk != nullptr)
    copy(psk_, psk, kKeyLen);
  else
    wipe(psk_, kKeyLen);
}

void Handshake::get_psk(uint8_t *psk) const {
  copy(psk, psk_, kKeyLen);
}

bool Handshake::has_shared_secret() const {
  return !ct_is_zero(static_static_, kKeyLen);
}

void Handshake::clear() {
  wipe(&progress_, sizeof progress_);
}

Status Handshake::create_initiation(uint8_t *msg, const Identity &id, uint32_t sender_index,
                                    const uint8_t *ephemeral, uint64_t unix_ns) {
  clear();
  __builtin_memset(msg, 0, WGC_INITIATION_LEN);
  copy(progress_.ephemeral_private, ephemeral, kKeyLen);
  x25519_clamp(progress_.ephemeral_private);
  const Status status = write_initiation(msg, id, sender_index, unix_ns);
  if (status != WGC_OK) {
    clear();
    wipe(msg, WGC_INITIATION_LEN);
    return status;
  }
  progress_.local_index = sender_index;
  progress_.state = State::kCreatedInitiation;
  return WGC_OK;
}

// 5.4.2
Status Handshake::write_initiation(uint8_t *msg, const Identity &id, uint32_t sender_index,
                                   uint64_t unix_ns) {
  auto &out = *reinterpret_cast<MessageInitiation *>(msg);
  SymmetricState &noise = progress_.noise;
  Secret<kKeyLen> key;

  if (id.present == 0) return WGC_BAD_STATE;
  if (!has_shared_secret()) return WGC_BAD_DH;
  store_le<uint32_t>(out.header.type, WGC_MSG_INITIATION);
  store_le(out.sender_index, sender_index);
  noise.start(remote_static_);

  // e
  x25519_base(out.ephemeral, progress_.ephemeral_private);
  noise.mix_ephemeral(out.ephemeral);
  // es
  if (!noise.mix_dh(key.bytes, progress_.ephemeral_private, remote_static_)) return WGC_BAD_DH;
  // s
  noise.encrypt_and_hash(out.encrypted_static, id.public_key, key.bytes);
  // ss
  noise.mix_key(key.bytes, static_static_);
  // payload
  uint8_t timestamp[kTimestampLen];
  write_timestamp(timestamp, unix_ns);
  noise.encrypt_and_hash(out.encrypted_timestamp, timestamp, key.bytes);
  return WGC_OK;
}

Status Handshake::accept_initiation(const Initiation &init, uint64_t now_ns) {
  if (!ct_equal(init.remote_static_, remote_static_, kKeyLen)) return WGC_BAD_STATE;
  if (!has_shared_secret()) return WGC_BAD_DH;
  ScopedState noise(init.noise_);
  Secret<kKeyLen> key;
  Secret<kTimestampLen> label;

  // ss
  noise.mix_key(key.bytes, static_static_);
  // payload
  if (!noise.decrypt_and_hash(label.bytes, init.encrypted_timestamp_, key.bytes))
    return WGC_BAD_AEAD;

  // 5.1: only a greater timestamp than ever before, or recorded initiations could be replayed.
  const Timestamp timestamp =
      as_public(Timestamp{load_be<uint64_t>(label.bytes), load_be<uint32_t>(label.bytes + 8)});
  if (!timestamp.is_after(last_timestamp_)) return WGC_OLD_TIMESTAMP;
  // 5.3: the peer itself may not make us compute without end either.
  if (has_accepted_ != 0 && age_ns(last_accepted_ns_, now_ns) < kMinInitiationGap_ns)
    return WGC_FLOOD;

  clear();
  last_timestamp_ = timestamp;
  last_accepted_ns_ = now_ns;
  has_accepted_ = 1;
  progress_.noise = noise;
  copy(progress_.remote_ephemeral, init.remote_ephemeral_, kKeyLen);
  progress_.remote_index = init.sender_index_;
  progress_.state = State::kConsumedInitiation;
  return WGC_OK;
}

Status Handshake::create_response(uint8_t *msg, uint32_t sender_index, const uint8_t *ephemeral) {
  __builtin_memset(msg, 0, WGC_RESPONSE_LEN);
  const Status status = write_response(msg, sender_index, ephemeral);
  if (status != WGC_OK) {
    clear();
    wipe(msg, WGC_RESPONSE_LEN);
    return status;
  }
  progress_.local_index = sender_index;
  progress_.state = State::kCreatedResponse;
  return WGC_OK;
}

// 5.4.3
Status Handshake::write_response(uint8_t *msg, uint32_t sender_index, const uint8_t *ephemeral) {
  auto &out = *reinterpret_cast<MessageResponse *>(msg);
  SymmetricState &noise = progress_.noise;
  Secret<kKeyLen> ephemeral_private;
  Secret<kKeyLen> key;

  if (progress_.state != State::kConsumedInitiation) return WGC_BAD_STATE;
  store_le<uint32_t>(out.header.type, WGC_MSG_RESPONSE);
  store_le(out.sender_index, sender_index);
  store_le(out.receiver_index, progress_.remote_index);

  // e
  copy(ephemeral_private.bytes, ephemeral, kKeyLen);
  x25519_clamp(ephemeral_private.bytes);
  x25519_base(out.ephemeral, ephemeral_private.bytes);
  noise.mix_ephemeral(out.ephemeral);
  // ee
  if (!noise.mix_dh(nullptr, ephemeral_private.bytes, progress_.remote_ephemeral))
    return WGC_BAD_DH;
  // se
  if (!noise.mix_dh(nullptr, ephemeral_private.bytes, remote_static_)) return WGC_BAD_DH;
  // psk
  noise.mix_psk(key.bytes, psk_);
  // payload
  noise.encrypt_and_hash(out.encrypted_nothing, {}, key.bytes);
  return WGC_OK;
}

Status Handshake::consume_response(const Identity &id, const uint8_t *msg) {
  const auto &in = *reinterpret_cast<const MessageResponse *>(msg);
  if (progress_.state != State::kCreatedInitiation || id.present == 0) return WGC_BAD_STATE;
  // The index is outside of H. A response to an earlier initiation ends here, before any DH.
  if (message_receiver(WGC_MSG_RESPONSE, msg) != progress_.local_index) return WGC_BAD_STATE;
  ScopedState noise(progress_.noise);
  Secret<kKeyLen> key;
  uint8_t nothing[1];

  // e
  noise.mix_ephemeral(in.ephemeral);
  // ee
  if (!noise.mix_dh(nullptr, progress_.ephemeral_private, in.ephemeral)) return WGC_BAD_DH;
  // se
  if (!noise.mix_dh(nullptr, id.private_key, in.ephemeral)) return WGC_BAD_DH;
  // psk
  noise.mix_psk(key.bytes, psk_);
  // payload
  if (!noise.decrypt_and_hash(nothing, in.encrypted_nothing, key.bytes)) return WGC_BAD_AEAD;

  progress_.noise = noise;
  progress_.remote_index = message_sender(msg);
  progress_.state = State::kConsumedResponse;
  return WGC_OK;
}

// 5.4.5 and 5.4.6
Status Handshake::begin_session(Session *session, uint64_t now_ns) {
  const bool is_initiator = progress_.state == State::kConsumedResponse;
  if (!is_initiator && progress_.state != State::kCreatedResponse) return WGC_BAD_STATE;
  Secret<kKeyLen> key1;
  Secret<kKeyLen> key2;
  progress_.noise.split(key1.bytes, key2.bytes);
  const uint8_t *send_key = is_initiator ? key1.bytes : key2.bytes;
  const uint8_t *receive_key = is_initiator ? key2.bytes : key1.bytes;
  session->begin(send_key, receive_key, progress_.remote_index, is_initiator, now_ns);
  clear();
  return WGC_OK;
}

}  // namespace wg
