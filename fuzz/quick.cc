// SPDX-License-Identifier: GPL-2.0
// Files as wg-quick(8) has them. What is taken is told to wg(8) and to the network in whole; saving
// a device that is as its file says changes nothing, and what is saved of another reads as that
// one.
#include "quick_config.hh"

#include <set>

#include "error.hh"
#include "no_dns.hh"
#include "save.hh"
#include "tool_check.hh"
#include "tunnel.hh"

namespace {

using wg::tool::Device;
using wg::tool::Peer;
using wg::tool::QuickConfig;
using wg::tool::SecretBytes;

QuickConfig parse(std::string_view text) {
  return parse_quick_config(SecretBytes(text.begin(), text.end()), "wg0.conf", "wg0");
}

// The device that the file describes; what the kernel would choose is left out.
Device device_of(const QuickConfig &config) {
  Device device;
  device.name = "wg0";
  const wg::tool::DeviceChange &change = config.wg.change;
  if (change.private_key) device.private_key = *change.private_key;
  device.listen_port = change.listen_port.value_or(0);
  device.fwmark = change.fwmark.value_or(0);
  for (const wg::tool::PeerChange &one : change.peers) {
    Peer peer;
    peer.public_key = one.public_key;
    if (one.preshared_key) peer.preshared_key = *one.preshared_key;
    peer.endpoint = one.endpoint;
    peer.keepalive_s = one.keepalive_s.value_or(0);
    std::set<std::string> seen;
    for (wg::tool::AllowedIp ip : one.allowed_ips) {
      if (ip.remove) continue;
      ip = network_of(ip);
      if (seen.insert(ip.text()).second) peer.allowed_ips.push_back(ip);
    }
    device.peers.push_back(std::move(peer));
  }
  return device;
}

std::set<std::string> texts_of(const std::vector<wg::tool::Prefix> &prefixes) {
  std::set<std::string> texts;
  for (const wg::tool::Prefix &prefix : prefixes) texts.insert(prefix.text());
  return texts;
}

void require_same(const Device &a, const Device &b) {
  REQUIRE(a.private_key.bytes == b.private_key.bytes);
  REQUIRE(a.listen_port == b.listen_port && a.fwmark == b.fwmark);
  REQUIRE(a.peers.size() == b.peers.size());
  for (size_t i = 0; i < a.peers.size(); ++i) {
    const Peer &x = a.peers[i], &y = b.peers[i];
    REQUIRE(x.public_key == y.public_key && x.keepalive_s == y.keepalive_s);
    REQUIRE(x.preshared_key.bytes == y.preshared_key.bytes);
    REQUIRE(texts_of(x.allowed_ips) == texts_of(y.allowed_ips));
  }
}

bool removes(const QuickConfig &config) {
  return config.wg.change.removes_allowed_ips();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  wgfuzz::Input in(data, len);
  const uint8_t what = in.u8();
  const std::string text = in.rest();
  const std::vector<bool> is_quick = wg::tool::quick_lines(text);
  REQUIRE(is_quick.size() <= text.size());
  std::optional<QuickConfig> config;
  try {
    config = parse(text);
  } catch (const wg::tool::Error &error) {
    wgfuzz::require_printable(error.what());
    REQUIRE(std::string_view(error.what()).find("wg0.conf") != std::string_view::npos);
    return 0;
  }
  wgfuzz::require_printable(config->wg.warnings);
  for (const std::string &word : config->dns_servers) wgfuzz::require_printable(word);
  for (const std::string &word : config->dns_domains) {
    wgfuzz::require_printable(word);
    REQUIRE(word.find_first_of(" \n,;'\"$`") == std::string::npos);
  }
  if (removes(*config)) return 0;

  Device device = device_of(*config);
  wg::tool::SavedState state;
  state.addresses = config->addresses;
  state.mtu = config->mtu.value_or(1420);
  std::string same = text;
  if (!same.ends_with('\n')) same += '\n';
  const SecretBytes unchanged = edit_config(*config, device, state);
  REQUIRE(wg::tool::view(unchanged) == same);

  if ((what & 1) != 0) device.listen_port ^= 5;
  if ((what & 2) != 0 && !device.peers.empty()) device.peers.erase(device.peers.begin());
  if ((what & 4) != 0 && !device.peers.empty()) device.peers.back().keepalive_s ^= 7;
  if ((what & 8) != 0 && !device.peers.empty()) device.peers.back().allowed_ips.clear();
  if ((what & 16) != 0) state.addresses.clear();
  if ((what & 32) != 0) device.private_key.bytes[3] ^= 1;
  if ((what & 64) != 0) {
    Peer peer;
    peer.public_key.bytes.fill(what);
    const bool is_new = std::none_of(device.peers.begin(), device.peers.end(), [&](const Peer &p) {
      return p.public_key == peer.public_key;
    });
    peer.allowed_ips = config->addresses;
    for (auto &ip : peer.allowed_ips) ip = network_of(ip);
    if (is_new) device.peers.push_back(peer);
  }
  // Without a section of its own there is no place for what only [Interface] can say.
  const bool has_interface = config->wg.change.private_key || config->wg.change.listen_port;
  if (!has_interface && (what & 33) != 0) return 0;
  const SecretBytes edited = edit_config(*config, device, state);
  const QuickConfig again = parse(wg::tool::view(edited));
  require_same(device_of(again), device);
  REQUIRE(texts_of(again.addresses) == texts_of(state.addresses));
  REQUIRE(again.hooks.post_up == config->hooks.post_up);
  return 0;
}
