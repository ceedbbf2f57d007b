// SPDX-License-Identifier: GPL-2.0
// Netlink messages of the WireGuard contract (module/uapi/wgnl.h): bytes in, bytes out.
// Nothing here talks to the kernel, so hostile bytes can be tried on it.
#pragma once

#include <netlink/msg.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model.hh"

namespace wg::tool {

/** A message is wiped before it is freed: it may hold keys. */
struct MessageDeleter {
  void operator()(nl_msg *message) const;
};
using Message = std::unique_ptr<nl_msg, MessageDeleter>;

/** Messages of a large change stay below this; one nest cannot exceed 64 KiB. */
inline constexpr size_t kMaxSetLen = 32768;

/** new_message() - an empty generic netlink request with room for @max_len bytes */
Message new_message(uint16_t family, uint8_t command, uint8_t version, uint16_t flags,
                    size_t max_len);

/** encode_get() - ask for one device. The flags of a dump are set. */
Message encode_get(uint16_t family, const std::string &device);

/**
 * encode_set() - the messages that carry out @change, to be sent in order
 * @max_len: bytes after which a further message begins
 *
 * Device settings and "replace all peers" travel in the first message only. A peer that
 * is cut continues with its public key and more AllowedIPs, and replaces none.
 */
std::vector<Message> encode_set(uint16_t family, const DeviceChange &change,
                                size_t max_len = kMaxSetLen);

/**
 * decode_device() - add one message of a dump to @device
 *
 * Adjacent pieces of one peer are put together. Throws SystemError(EBADMSG) when an
 * attribute is cut short, has the wrong size or lacks what it needs.
 */
void decode_device(Device &device, const nlmsghdr *header);

/**
 * decode_link() - the name of a network device, if it is of @kind
 * @header: one RTM_NEWLINK message
 *
 * Return: its name, or an empty string for a device of another kind.
 */
std::string decode_link(const nlmsghdr *header, const std::string &kind);

}  // namespace wg::tool
