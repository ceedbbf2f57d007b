// SPDX-License-Identifier: GPL-2.0
// Answers of devices in userspace. What is taken can be printed, and comes back when it is written
// as a configuration; what is refused is refused without a word of the answer.
#include "uapi.hh"

#include "config.hh"
#include "error.hh"
#include "format.hh"
#include "no_dns.hh"
#include "tool_check.hh"

namespace {

using wg::tool::Device;

void check_error(const wg::tool::SystemError &error) {
  wgfuzz::require_printable(error.what());
  REQUIRE(error.error() > 0 && error.error() <= 4095);
  REQUIRE(std::string_view(error.what()).size() < 100);
}

void check_device(const Device &device) {
  REQUIRE(device.public_key.has_value() != device.private_key.is_zero());
  for (const wg::tool::Peer &peer : device.peers) {
    REQUIRE(peer.handshake_s >= 0 && peer.handshake_ns >= 0);
    for (const wg::tool::AllowedIp &ip : peer.allowed_ips) {
      REQUIRE(ip.family == AF_INET ? ip.cidr <= 32 : ip.family == AF_INET6 && ip.cidr <= 128);
      REQUIRE(!ip.remove);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  wgfuzz::Input in(data, len);
  const std::string answer = in.rest();
  try {
    wg::tool::decode_uapi_status(answer);
  } catch (const wg::tool::SystemError &error) {
    check_error(error);
  }
  Device device;
  try {
    device = wg::tool::decode_uapi_device("wg0", answer);
  } catch (const wg::tool::SystemError &error) {
    check_error(error);
    return 0;
  }
  check_device(device);
  wg::tool::Output out;
  print_dump(out, device, "wg0\t");
  print_pretty(out, device, {});
  wgfuzz::require_printable(std::string(out.text().substr(out.text().rfind('\n') + 1)));

  // As wg(8) reads it: several sections for one peer, and port 0, are no errors there.
  wg::tool::Output written;
  print_config(written, device);
  const wg::tool::Config again = parse_config(written.text(), "again", wg::tool::Dialect::kWg);
  wgfuzz::require_same_settings(wgfuzz::device_of(again.change), device);

  // A request says as much.
  const wg::tool::SecretBytes request = encode_uapi_set(again.change);
  REQUIRE(view(request).starts_with("set=1\n") && view(request).ends_with("\n\n"));
  REQUIRE(view(request).find("\n\n") == request.size() - 2);
  std::string echo(view(request).substr(6));
  echo.back() = 'e';
  echo += "rrno=0\n";
  wgfuzz::require_same_settings(wg::tool::decode_uapi_device("wg0", echo), device);
  return 0;
}
