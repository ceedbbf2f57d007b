// SPDX-License-Identifier: GPL-2.0
#include "session.hh"

#include "aead.hh"
#include "wire.hh"

namespace wg {

void Session::begin(const uint8_t *send_key, const uint8_t *receive_key, uint32_t remote_index,
                    bool is_initiator, uint64_t now_ns) {
  copy(send_key_, send_key, kKeyLen);
  copy(receive_key_, receive_key, kKeyLen);
  birth_ns_ = now_ns;
  remote_index_ = remote_index;
  is_initiator_ = is_initiator;
  can_receive_ = 1;
  asked_rekey_on_receive_ = 0;
  window_.reset();
  __atomic_store_n(&can_send_, 1, __ATOMIC_RELAXED);
}

bool Session::can_send() const {
  return __atomic_load_n(&can_send_, __ATOMIC_RELAXED) != 0;
}

Status Session::may_send(uint64_t last_counter, uint64_t now_ns) const {
  if (!can_send()) return WGC_EXPIRED;
  if (age_ns(birth_ns_, now_ns) >= kRejectAfterTime_ns) return WGC_EXPIRED;
  if (last_counter >= kRejectAfterMessages) return WGC_EXPIRED;
  return WGC_OK;
}

bool Session::rekey_on_send(uint64_t next_counter, uint64_t now_ns) const {
  if (!can_send()) return false;
  if (next_counter >= kRekeyAfterMessages) return true;
  // By time only the initiator, or both sides would start a handshake in the same second.
  return is_initiator() && age_ns(birth_ns_, now_ns) >= kRekeyAfterTime_ns;
}

bool Session::rekey_on_receive(uint64_t now_ns) {
  if (!can_send() || !is_initiator()) return false;
  if (age_ns(birth_ns_, now_ns) < kLastMinute_ns) return false;
  // The plain read keeps the cache line shared once the question has been answered.
  if (__atomic_load_n(&asked_rekey_on_receive_, __ATOMIC_RELAXED) != 0) return false;
  return __atomic_exchange_n(&asked_rekey_on_receive_, 1, __ATOMIC_RELAXED) == 0;
}

void Session::stop_sending() {
  __atomic_store_n(&can_send_, 0, __ATOMIC_RELAXED);
}

void Session::seal(uint8_t *packet, size_t plain_len, uint64_t counter) const {
  store_le<uint32_t>(packet, WGC_MSG_DATA);
  store_le(packet + offsetof(MessageData, receiver_index), remote_index_);
  store_le(packet + offsetof(MessageData, counter), counter);
  uint8_t *payload = packet + sizeof(MessageData);
  aead_seal(payload, {payload, plain_len}, {}, counter, send_key_);
}

Status Session::open(Bytes packet, uint64_t *counter, uint64_t now_ns) const {
  if (packet.size() < WGC_MIN_MESSAGE_LEN) return WGC_BAD_LENGTH;
  if (can_receive_ == 0) return WGC_EXPIRED;
  if (age_ns(birth_ns_, now_ns) >= kRejectAfterTime_ns) return WGC_EXPIRED;
  const uint64_t nonce = load_le<uint64_t>(packet.data() + offsetof(MessageData, counter));
  // No honest sender gets there, so the cost of decrypting is not worth paying.
  if (nonce >= kRejectAfterMessages) return WGC_EXPIRED;
  const Bytes payload = packet.from(sizeof(MessageData));
  if (!aead_open(payload.data(), payload, {}, nonce, receive_key_)) return WGC_BAD_AEAD;
  *counter = nonce;
  return WGC_OK;
}

Status Session::accept(uint64_t counter) {
  return window_.accept(counter);
}

}  // namespace wg
