// SPDX-License-Identifier: GPL-2.0
// Devices of other programs, as wireguard-go: the cross-platform text protocol over the socket
// DIRECTORY/NAME.sock. What comes from a socket is as hostile as what comes from the network.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model.hh"
#include "netlink.hh"
#include "secret.hh"

namespace wg::tool {

inline constexpr const char *kUapiDirectory = "/var/run/wireguard";

/**
 * encode_uapi_set() - the request that carries out a change
 *
 * A zero private key means none, as it does in the kernel.
 */
SecretBytes encode_uapi_set(const DeviceChange &change);

/**
 * decode_uapi_device() - read the answer to "get=1"
 * @answer: up to and without the empty line that ends it
 *
 * Keys that are unknown are skipped. Throws SystemError: EPROTO for what is no answer, with what
 * is wrong but none of the values, which may be secret; else the error that the answer says.
 */
Device decode_uapi_device(const std::string &name, std::string_view answer);

/** decode_uapi_status() - read the answer to "set=1"; throws as decode_uapi_device() does */
void decode_uapi_status(std::string_view answer);

/**
 * with_sockets() - the devices of @kernel, followed by those that sockets in @directory stand for
 *
 * A socket of a name wins over the kernel's device of that name. A socket that nobody listens on
 * any more is removed, as wg(8) does.
 */
std::unique_ptr<Devices> with_sockets(std::unique_ptr<Devices> kernel, std::string directory);

}  // namespace wg::tool
