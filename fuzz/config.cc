// SPDX-License-Identifier: GPL-2.0
// Configuration files. What is taken reads the same after it was written out; what is refused is
// refused in words that fit a terminal and quote no secret. By our rules and by those of wg(8).
#include "config.hh"

#include "error.hh"
#include "format.hh"
#include "no_dns.hh"
#include "text.hh"
#include "tool_check.hh"

namespace {

using wg::tool::Config;
using wg::tool::Dialect;
using wg::tool::parse_config;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string without_blanks(std::string_view line) {
  std::string out;
  for (const char c : line.substr(0, line.find('#'))) {
    if (c != ' ' && (c < '\t' || c > '\r')) out += c;
  }
  return out;
}

// Nothing that was given as a key of either kind may be read in a message, whether it is well
// formed or not. A text that is elsewhere in the file too may have been quoted from there.
void require_no_secret(const std::string &file, std::string_view message) {
  constexpr size_t kLeast = 20;
  std::string all;
  std::vector<std::string> secrets;
  for (size_t at = 0; at < file.size();) {
    const size_t end = std::min(file.find('\n', at), file.size());
    const std::string line = without_blanks(std::string_view(file).substr(at, end - at));
    all += wg::tool::printable(line) + "\n";
    const std::string_view name = std::string_view(line).substr(0, line.find('='));
    if (name.size() + kLeast < line.size() && (wg::tool::equals_caseless(name, "PrivateKey") ||
                                               wg::tool::equals_caseless(name, "PresharedKey"))) {
      secrets.push_back(line.substr(name.size() + 1));
    }
    at = end + 1;
  }
  for (const std::string &secret : secrets) {
    const std::string shown = wg::tool::printable(secret);
    // Other characters may come from the words around what was quoted.
    if (shown.size() < kLeast || shown.find_first_not_of(kAlphabet) < kLeast) continue;
    if (all.find(shown.substr(0, kLeast)) != all.rfind(shown.substr(0, kLeast))) continue;
    REQUIRE(message.find(shown.substr(0, kLeast)) == std::string_view::npos);
  }
}

std::string printed(const wg::tool::Device &device) {
  wg::tool::Output out;
  print_config(out, device);
  return std::string(out.text());
}

void check(const std::string &text, Dialect dialect) {
  Config config;
  try {
    config = parse_config(text, "fuzz\x1b.conf", dialect);
  } catch (const wg::tool::Error &error) {
    wgfuzz::require_printable(error.what());
    require_no_secret(text, error.what());
    return;
  }
  wgfuzz::require_printable(config.warnings);
  require_no_secret(text, config.warnings);
  REQUIRE(config.has_section || config.change.peers.empty());
  for (const wg::tool::PeerChange &peer : config.change.peers) {
    REQUIRE(!(peer.endpoint && peer.endpoint_name));
    for (const wg::tool::AllowedIp &ip : peer.allowed_ips) {
      REQUIRE(ip.family == AF_INET ? ip.cidr <= 32 : ip.family == AF_INET6 && ip.cidr <= 128);
    }
  }
  // A removal is a change, which no device has.
  if (config.change.removes_allowed_ips()) return;
  const wg::tool::Device device = wgfuzz::device_of(config.change);
  const std::string written = printed(device);
  const Config again = parse_config(written, "again", dialect);
  wgfuzz::require_same_settings(wgfuzz::device_of(again.change), device);
  REQUIRE(printed(wgfuzz::device_of(again.change)) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  wgfuzz::Input in(data, len);
  const std::string text = in.rest();
  check(text, Dialect::kStrict);
  check(text, Dialect::kWg);
  return 0;
}
