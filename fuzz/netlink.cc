// SPDX-License-Identifier: GPL-2.0
// Messages from the kernel: a dump of a device in one or two messages, of links, and of drops.
// Whatever is read can be printed, and comes back when it is written as a configuration.
#include <linux/rtnetlink.h>

#include "config.hh"
#include "drops.hh"
#include "error.hh"
#include "format.hh"
#include "json.hh"
#include "message.hh"
#include "tool_check.hh"

namespace {

using wg::tool::Device;
using wgfuzz::Buffer;
using wgfuzz::Input;

// On the heap and exactly as long as it says, so that a read past the end is noticed.
std::unique_ptr<uint8_t[]> message_of(size_t header_len, const Buffer &payload) {
  const size_t len = header_len + payload.size();
  std::unique_ptr<uint8_t[]> bytes(new uint8_t[len]());
  auto *header = reinterpret_cast<nlmsghdr *>(bytes.get());
  header->nlmsg_len = static_cast<uint32_t>(len);
  std::copy(payload.begin(), payload.end(), bytes.get() + header_len);
  return bytes;
}

bool decode(Device &device, const Buffer &payload) {
  const auto message = message_of(NLMSG_HDRLEN + 4, payload);
  try {
    decode_device(device, reinterpret_cast<const nlmsghdr *>(message.get()));
  } catch (const wg::tool::SystemError &error) {
    REQUIRE(error.error() == EBADMSG);
    return false;
  }
  return true;
}

void check_device(const Device &device) {
  REQUIRE(device.name.size() < 16);
  for (const wg::tool::Peer &peer : device.peers) {
    for (const wg::tool::AllowedIp &ip : peer.allowed_ips) {
      REQUIRE(ip.family == AF_INET || ip.family == AF_INET6);
      REQUIRE(ip.cidr <= (ip.family == AF_INET ? 32 : 128));
    }
  }
}

void print_all(const Device &device) {
  wg::tool::Style style;
  style.hide_keys = false;
  style.now_s = 1700000000;
  wg::tool::Output pretty, dump;
  print_pretty(pretty, device, style);
  // Color codes apart, which are the only escapes there may be.
  std::string text(pretty.text());
  wgfuzz::require_printable(text);
  print_dump(dump, device, "");
  for (const char c : dump.text()) REQUIRE(c == '\n' || c == '\t' || c >= 0x20);
  REQUIRE(static_cast<size_t>(std::count(dump.text().begin(), dump.text().end(), '\n')) ==
          device.peers.size() + 1);
}

// The kernel names each peer once, and gives no endpoint a port of 0.
bool is_sane(const Device &device) {
  std::vector<wg::tool::PublicKey> keys;
  for (const wg::tool::Peer &peer : device.peers) {
    keys.push_back(peer.public_key);
    // The port lies at the same place in both kinds.
    if (peer.endpoint && peer.endpoint->ipv4.sin_port == 0) return false;
  }
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) == keys.end();
}

void check_config(const Device &device) {
  if (!is_sane(device)) return;
  wg::tool::Output out;
  print_config(out, device);
  const wg::tool::Config config = wg::tool::parse_config(out.text(), "printed");
  wgfuzz::require_same_settings(wgfuzz::device_of(config.change), device);
}

void check_link(const Buffer &payload) {
  const auto message = message_of(NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(ifinfomsg)), payload);
  try {
    const std::string name =
        wg::tool::decode_link(reinterpret_cast<const nlmsghdr *>(message.get()), "wireguard");
    REQUIRE(name.size() < 16);
  } catch (const wg::tool::SystemError &error) {
    REQUIRE(error.error() == EBADMSG);
  }
}

void check_diagnostics(const Buffer &payload) {
  const auto message = message_of(NLMSG_HDRLEN + 4, payload);
  wg::tool::Diagnostics diagnostics;
  try {
    decode_diagnostics(diagnostics, reinterpret_cast<const nlmsghdr *>(message.get()));
  } catch (const wg::tool::SystemError &error) {
    REQUIRE(error.error() == EBADMSG);
    return;
  }
  REQUIRE(diagnostics.name.size() < 16);
  const wg::tool::DropsView view{&diagnostics, std::vector<std::string>(diagnostics.peers.size())};
  wg::tool::Output out, json;
  print_drops(out, view);
  wgfuzz::require_printable(std::string(out.text()));
  print_drops_json(json, {&view, 1}, 1700000000, {});
  REQUIRE(std::count(json.text().begin(), json.text().end(), '\n') == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  const uint8_t kind = in.below(4);
  if (kind == 0) {
    const std::string text = in.rest();
    check_link(Buffer(text.begin(), text.end()));
    return 0;
  }
  if (kind == 3) {
    const std::string text = in.rest();
    check_diagnostics(Buffer(text.begin(), text.end()));
    return 0;
  }
  Device device;
  if (kind == 1) {
    const Buffer first = in.bytes(in.u16());
    if (!decode(device, first)) return 0;
  }
  const std::string text = in.rest();
  if (!decode(device, Buffer(text.begin(), text.end()))) return 0;
  check_device(device);
  print_all(device);
  check_config(device);
  return 0;
}
