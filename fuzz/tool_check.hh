// SPDX-License-Identifier: GPL-2.0
// What the targets of the tool share: what must hold of every message, and comparing models.
#pragma once

#include <algorithm>
#include <string_view>

#include "endpoint.hh"
#include "input.hh"
#include "model.hh"

namespace wgfuzz {

// A message goes to a terminal: control characters in it would be commands.
inline void require_printable(std::string_view text) {
  for (const char c : text) {
    REQUIRE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
  }
}

inline bool same_endpoint(const wg::tool::Endpoint &a, const wg::tool::Endpoint &b) {
  if (a.address.sa_family != b.address.sa_family) return false;
  if (a.address.sa_family == AF_INET) {
    return a.ipv4.sin_port == b.ipv4.sin_port && a.ipv4.sin_addr.s_addr == b.ipv4.sin_addr.s_addr;
  }
  return a.ipv6.sin6_port == b.ipv6.sin6_port && a.ipv6.sin6_scope_id == b.ipv6.sin6_scope_id &&
         std::memcmp(&a.ipv6.sin6_addr, &b.ipv6.sin6_addr, sizeof a.ipv6.sin6_addr) == 0;
}

inline bool same_endpoint(const std::optional<wg::tool::Endpoint> &a,
                          const std::optional<wg::tool::Endpoint> &b) {
  return a.has_value() == b.has_value() && (!a || same_endpoint(*a, *b));
}

inline bool same_prefixes(const std::vector<wg::tool::AllowedIp> &a,
                          const std::vector<wg::tool::AllowedIp> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto &x, const auto &y) { return x.same_prefix(y); });
}

// A device on which the change was carried out when it was new.
inline wg::tool::Device device_of(const wg::tool::DeviceChange &change) {
  wg::tool::Device device;
  device.name = change.name;
  if (change.private_key) device.private_key = *change.private_key;
  device.listen_port = change.listen_port.value_or(0);
  device.fwmark = change.fwmark.value_or(0);
  for (const wg::tool::PeerChange &wanted : change.peers) {
    wg::tool::Peer peer;
    peer.public_key = wanted.public_key;
    if (wanted.preshared_key) peer.preshared_key = *wanted.preshared_key;
    peer.endpoint = wanted.endpoint;
    peer.keepalive_s = wanted.keepalive_s.value_or(0);
    peer.allowed_ips = wanted.allowed_ips;
    device.peers.push_back(peer);
  }
  return device;
}

inline void require_same_peer(const wg::tool::Peer &a, const wg::tool::Peer &b) {
  REQUIRE(a.public_key == b.public_key);
  REQUIRE(a.preshared_key.bytes == b.preshared_key.bytes);
  REQUIRE(a.keepalive_s == b.keepalive_s);
  REQUIRE(same_endpoint(a.endpoint, b.endpoint));
  REQUIRE(same_prefixes(a.allowed_ips, b.allowed_ips));
}

// All that configures a device; its name is not in a file.
inline void require_same_settings(const wg::tool::Device &a, const wg::tool::Device &b) {
  REQUIRE(a.private_key.bytes == b.private_key.bytes);
  REQUIRE(a.listen_port == b.listen_port);
  REQUIRE(a.fwmark == b.fwmark);
  REQUIRE(a.peers.size() == b.peers.size());
  for (size_t i = 0; i < a.peers.size(); ++i) require_same_peer(a.peers[i], b.peers[i]);
}

}  // namespace wgfuzz
