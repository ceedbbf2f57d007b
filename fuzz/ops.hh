// SPDX-License-Identifier: GPL-2.0
// What the first byte of a step means, for the targets that run a sequence of steps and for the
// seeds made for them. A byte is taken modulo the number of steps.
#pragma once

#include <cstdint>

namespace wgfuzz {

enum class MessageOp : uint8_t {
  kSend,        // side, length: a packet into the tunnel
  kWait,        // how long, in units of 100 ms
  kDeliver,     // which of the messages under way
  kLose,        // which
  kForge,       // what of, how it is changed, what is made right again
  kSealed,      // side, counter, payload: an authentic data message of any kind
  kInsider,     // side, timestamp: an initiation by who has the peer's keys
  kStranger,    // side: an initiation by who has other keys
  kLoad,        // side, on or off
  kRaw,         // side, length, bytes
  kPersistent,  // side, seconds
  kNumOps
};

enum class TrieOp : uint8_t {
  kInsert,
  kRemove,  // which, and whether gaps are closed
  kLookup,
  kRemovePeer,
  kDump,
  kLookupBatch,  // how many, addresses, family
  kNumOps
};

enum class TimerOp : uint8_t { kEvent, kWait, kExpire, kBegin, kPersistent, kStop, kNumOps };

enum class CookieOp : uint8_t {
  kSend,      // makes the macs of a message, from which source, changed or not, and checks it
  kReply,     // answers the last message and gives the answer, changed or not, to the jar
  kWait,      // seconds
  kRenew,     // another secret
  kReplay,    // the last answer again
  kIdentity,  // takes the identity from the device, or gives it back
  kNumOps
};

enum class PrimitiveOp : uint8_t { kOne, kLongNonce, kBatch, kHash, kMultiply, kNumOps };

}  // namespace wgfuzz
