// SPDX-License-Identifier: GPL-2.0
#include "session.hh"

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

void Session::prepare_seal(AeadPacket *aead, const wgc_data_packet &packet) const {
  store_le<uint32_t>(packet.message, WGC_MSG_DATA);
  store_le(packet.message + offsetof(MessageData, receiver_index), remote_index_);
  store_le(packet.message + offsetof(MessageData, counter), packet.counter);
  *aead = {packet.message + sizeof(MessageData),
           packet.text,
           packet.text_len,
           packet.counter,
           send_key_,
           false,
           packet.segments};
}

Status Session::prepare_open(AeadPacket *aead, const wgc_data_packet &packet,
                             uint64_t now_ns) const {
  if (can_receive_ == 0) return WGC_EXPIRED;
  if (age_ns(birth_ns_, now_ns) >= kRejectAfterTime_ns) return WGC_EXPIRED;
  const uint64_t counter = load_le<uint64_t>(packet.message + offsetof(MessageData, counter));
  // No honest sender gets there, so the cost of decrypting is not worth paying.
  if (counter >= kRejectAfterMessages) return WGC_EXPIRED;
  *aead = {packet.text,     packet.message + sizeof(MessageData),
           packet.text_len, counter,
           receive_key_,    false};
  return WGC_OK;
}

void Session::seal(uint8_t *packet, size_t plain_len, uint64_t counter) const {
  AeadPacket aead;
  prepare_seal(
      &aead, {nullptr, packet, packet + sizeof(MessageData), plain_len, counter, WGC_OK, nullptr});
  aead_seal(aead.dst, {aead.src, aead.len}, {}, aead.counter, aead.key);
}

Status Session::open(Bytes packet, uint64_t *counter, uint64_t now_ns) const {
  if (packet.size() < WGC_MIN_MESSAGE_LEN) return WGC_BAD_LENGTH;
  AeadPacket aead;
  uint8_t *const text = packet.data() + sizeof(MessageData);
  const size_t text_len = packet.size() - sizeof(MessageData) - kAeadTagLen;
  const Status status =
      prepare_open(&aead, {nullptr, packet.data(), text, text_len, 0, WGC_OK, nullptr}, now_ns);
  if (status != WGC_OK) return status;
  if (!aead_open(aead.dst, {aead.src, aead.len + kAeadTagLen}, {}, aead.counter, aead.key)) {
    return WGC_BAD_AEAD;
  }
  *counter = aead.counter;
  return WGC_OK;
}

Status Session::accept(uint64_t counter) {
  return window_.accept(counter);
}

}  // namespace wg
