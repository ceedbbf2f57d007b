// SPDX-License-Identifier: GPL-2.0
// Endpoints: an address that is taken is the one that was written, and reads the same again. What
// is taken by the rules of wg(8) may be another one, but reads the same again too.
#include "endpoint.hh"

#include <arpa/inet.h>

#include "error.hh"
#include "no_dns.hh"
#include "text.hh"
#include "tool_check.hh"

namespace {

using wg::tool::Endpoint;
using wg::tool::EndpointName;
using wg::tool::parse_endpoint;

std::optional<std::variant<Endpoint, EndpointName>> parse(const std::string &text) {
  try {
    return parse_endpoint(text);
  } catch (const wg::tool::Error &error) {
    wgfuzz::require_printable(error.what());
    return std::nullopt;
  }
}

void check_address(const Endpoint &endpoint, const std::string &text) {
  const std::string shown = endpoint.text();
  const auto again = parse(shown);
  REQUIRE(again && std::holds_alternative<Endpoint>(*again));
  REQUIRE(wgfuzz::same_endpoint(std::get<Endpoint>(*again), endpoint));
  REQUIRE(std::get<Endpoint>(*again).text() == shown);

  // Host and port once more, by hand.
  const size_t colon = text.rfind(':');
  REQUIRE(colon != std::string::npos);
  std::string host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));
  const auto port = wg::tool::parse_decimal(text.substr(colon + 1), 65535);
  REQUIRE(port && *port != 0);
  uint8_t address[16];
  if (endpoint.address.sa_family == AF_INET) {
    REQUIRE(inet_pton(AF_INET, host.c_str(), address) == 1);
    REQUIRE(std::memcmp(address, &endpoint.ipv4.sin_addr, 4) == 0);
    REQUIRE(ntohs(endpoint.ipv4.sin_port) == *port);
  } else {
    REQUIRE(endpoint.address.sa_family == AF_INET6);
    REQUIRE(inet_pton(AF_INET6, host.c_str(), address) == 1);
    REQUIRE(std::memcmp(address, &endpoint.ipv6.sin6_addr, 16) == 0);
    REQUIRE(ntohs(endpoint.ipv6.sin6_port) == *port);
  }
}

void check_name(const EndpointName &name) {
  const auto port = wg::tool::parse_decimal(name.port, 65535);
  REQUIRE(port && *port != 0);
  REQUIRE(!name.host.empty());
  REQUIRE(name.host.find_first_of(std::string_view(":[\0", 3)) == std::string::npos ||
          name.host[0] != '[');
  uint8_t address[16];
  REQUIRE(inet_pton(AF_INET, name.host.c_str(), address) != 1);
  wgfuzz::require_printable(name.text);
}

void check_as_wg(const std::string &text) {
  wg::tool::PeerChange peer;
  std::string warnings;
  try {
    set_endpoint_as_wg(peer, warnings, text);
  } catch (const wg::tool::Error &error) {
    wgfuzz::require_printable(error.what());
    return;
  }
  REQUIRE(peer.endpoint && !peer.endpoint_name);
  const auto again = wg::tool::parse_numeric_endpoint(peer.endpoint->text());
  REQUIRE(again && wgfuzz::same_endpoint(*again, *peer.endpoint));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  wgfuzz::Input in(data, len);
  const std::string text = in.rest();
  check_as_wg(text);
  const auto parsed = parse(text);
  if (!parsed) return 0;
  if (const auto *endpoint = std::get_if<Endpoint>(&*parsed)) {
    check_address(*endpoint, text);
  } else {
    check_name(std::get<EndpointName>(*parsed));
  }
  return 0;
}
