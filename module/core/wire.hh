// SPDX-License-Identifier: GPL-2.0
// Message layouts (the paper, 5.4.2 to 5.4.7). Byte arrays only, so they lie at any address;
// integers inside are little-endian.
#pragma once

#include "params.hh"

namespace wg {

// Type byte and three reserved zero bytes, read as one number so that both are checked at once.
struct MessageHeader {
  uint8_t type[4];
};

struct MessageMacs {
  uint8_t mac1[kMacLen];
  uint8_t mac2[kMacLen];
};

struct MessageInitiation {
  MessageHeader header;
  uint8_t sender_index[4];
  uint8_t ephemeral[kKeyLen];
  uint8_t encrypted_static[kKeyLen + WGC_TAG_LEN];
  uint8_t encrypted_timestamp[kTimestampLen + WGC_TAG_LEN];
  MessageMacs macs;
};

struct MessageResponse {
  MessageHeader header;
  uint8_t sender_index[4];
  uint8_t receiver_index[4];
  uint8_t ephemeral[kKeyLen];
  uint8_t encrypted_nothing[WGC_TAG_LEN];
  MessageMacs macs;
};

struct MessageCookieReply {
  MessageHeader header;
  uint8_t receiver_index[4];
  uint8_t nonce[WGC_COOKIE_NONCE_LEN];
  uint8_t encrypted_cookie[kCookieLen + WGC_TAG_LEN];
};

struct MessageData {
  MessageHeader header;
  uint8_t receiver_index[4];
  uint8_t counter[8];
};

static_assert(sizeof(MessageInitiation) == WGC_INITIATION_LEN);
static_assert(offsetof(MessageInitiation, sender_index) == 4);
static_assert(offsetof(MessageInitiation, ephemeral) == 8);
static_assert(offsetof(MessageInitiation, encrypted_static) == 40);
static_assert(offsetof(MessageInitiation, encrypted_timestamp) == 88);
static_assert(offsetof(MessageInitiation, macs) == 116);

static_assert(sizeof(MessageResponse) == WGC_RESPONSE_LEN);
static_assert(offsetof(MessageResponse, sender_index) == 4);
static_assert(offsetof(MessageResponse, receiver_index) == 8);
static_assert(offsetof(MessageResponse, ephemeral) == 12);
static_assert(offsetof(MessageResponse, encrypted_nothing) == 44);
static_assert(offsetof(MessageResponse, macs) == 60);

static_assert(sizeof(MessageCookieReply) == WGC_COOKIE_REPLY_LEN);
static_assert(offsetof(MessageCookieReply, receiver_index) == 4);
static_assert(offsetof(MessageCookieReply, nonce) == 8);
static_assert(offsetof(MessageCookieReply, encrypted_cookie) == 32);

static_assert(sizeof(MessageData) == WGC_DATA_HEADER_LEN);
static_assert(offsetof(MessageData, receiver_index) == 4);
static_assert(offsetof(MessageData, counter) == 8);

static_assert(sizeof(MessageMacs) == WGC_MACS_LEN);
static_assert(alignof(MessageInitiation) == 1 && alignof(MessageResponse) == 1 &&
              alignof(MessageCookieReply) == 1 && alignof(MessageData) == 1);

// Type of a message of len bytes, of which the first 4 are read when len is large enough.
Status classify_message(const uint8_t *msg, size_t len, wgc_message_type *type);

// Receiver index in host order, 0 for an initiation. msg: 16 bytes, classified as type.
uint32_t message_receiver(wgc_message_type type, const uint8_t *msg);

// Sender index in host order of an initiation or response.
uint32_t message_sender(const uint8_t *msg);

}  // namespace wg
