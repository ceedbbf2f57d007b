// SPDX-License-Identifier: GPL-2.0
// A device with a peer in each state, for tests of output.
#pragma once

#include <string>

#include "model.hh"
#include "names.hh"
#include "view.hh"

namespace wg::tool {

inline constexpr int64_t kTestNow_s = 1'800'000'000;

inline PublicKey test_key(uint8_t fill) {
  PublicKey key;
  key.bytes.fill(fill);
  return key;
}

/** wg0 with the peers 1 to 5: up, idle, stale, never, rejected. */
inline Device test_device() {
  Device device;
  device.name = "wg0";
  device.private_key.bytes.fill(0x77);
  device.public_key = test_key(0x66);
  device.listen_port = 51820;
  for (uint8_t fill = 1; fill <= 5; ++fill) {
    Peer peer;
    peer.public_key = test_key(fill);
    PeerChange change;
    std::string warnings;
    set_endpoint(change, "192.0.2." + std::to_string(fill) + ":51820");
    parse_allowed_ips(change, warnings, "10.0.0." + std::to_string(fill) + "/32,fd00::/64");
    if (fill != 4) peer.endpoint = change.endpoint;
    peer.allowed_ips = change.allowed_ips;
    device.peers.push_back(peer);
  }
  const auto set = [&device](size_t i, int64_t age_s, uint64_t rx, uint64_t tx) {
    device.peers[i].handshake_s = age_s == 0 ? 0 : kTestNow_s - age_s;
    device.peers[i].rx_bytes = rx;
    device.peers[i].tx_bytes = tx;
  };
  set(0, 5, 1536, 100);
  set(1, 7200, 10, 20);
  set(2, 200, 1, 2);
  set(4, 0, 0, 148);
  device.peers[2].keepalive_s = 25;
  device.peers[0].preshared_key.bytes.fill(0x55);
  return device;
}

/** The second and the fourth peer have names. */
inline Names test_names() {
  return {{test_key(2), "laptop"}, {test_key(4), "Big J\xc3\xbcrgen"}};
}

inline DeviceView test_view(const Device &device, const ViewOptions &options = {},
                            const SeenDevice *before = nullptr) {
  const SeenDevice now = observe(device, before, kTestNow_s, 2, options.stale_s);
  return make_view(device, test_names(), before, now, options);
}

}  // namespace wg::tool
