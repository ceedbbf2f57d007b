// SPDX-License-Identifier: GPL-2.0
#include "wire.hh"

namespace wg {

Status classify_message(const uint8_t *msg, size_t len, wgc_message_type *type) {
  if (len < WGC_MIN_MESSAGE_LEN) return WGC_BAD_LENGTH;
  size_t exact_len = 0;
  const uint32_t value = load_le<uint32_t>(msg);
  switch (value) {
    case WGC_MSG_INITIATION:
      exact_len = WGC_INITIATION_LEN;
      break;
    case WGC_MSG_RESPONSE:
      exact_len = WGC_RESPONSE_LEN;
      break;
    case WGC_MSG_COOKIE_REPLY:
      exact_len = WGC_COOKIE_REPLY_LEN;
      break;
    case WGC_MSG_DATA:
      exact_len = len;
      break;
    default:
      return WGC_BAD_TYPE;
  }
  if (len != exact_len) return WGC_BAD_LENGTH;
  *type = static_cast<wgc_message_type>(value);
  return WGC_OK;
}

uint32_t message_receiver(wgc_message_type type, const uint8_t *msg) {
  switch (type) {
    case WGC_MSG_RESPONSE:
      return load_le<uint32_t>(msg + offsetof(MessageResponse, receiver_index));
    case WGC_MSG_COOKIE_REPLY:
    case WGC_MSG_DATA:
      return load_le<uint32_t>(msg + offsetof(MessageData, receiver_index));
    case WGC_MSG_INITIATION:
      break;
  }
  return 0;
}

uint32_t message_sender(const uint8_t *msg) {
  return load_le<uint32_t>(msg + offsetof(MessageInitiation, sender_index));
}

}  // namespace wg
