// SPDX-License-Identifier: GPL-2.0
// Where a peer is: a UDP address, or a name and port that stand for one.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <string_view>
#include <variant>

namespace wg::tool {

/** An IPv4 or IPv6 socket address, as the kernel takes it. */
struct Endpoint {
  union {
    sockaddr address;
    sockaddr_in ipv4;
    sockaddr_in6 ipv6;
  };

  Endpoint() : ipv6{} {}
  socklen_t len() const {
    return address.sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }
  /** "192.0.2.1:51820" or "[2001:db8::1%eth0]:51820". */
  std::string text() const;
};

/** A host name whose address is still to be looked up. */
struct EndpointName {
  std::string host;
  std::string port;
  /** As the user wrote it, for messages. */
  std::string text;
  /** "FILE:LINE: " or empty. */
  std::string where;
};

/**
 * parse_endpoint() - read HOST:PORT, ADDRESS:PORT or [ADDRESS]:PORT
 *
 * Refuses what would reach the kernel as another address than the one written: ports
 * out of range or by name, numbers that are no full IPv4 address, and IPv6 without
 * brackets. Throws Error.
 */
std::variant<Endpoint, EndpointName> parse_endpoint(std::string_view text);

/**
 * resolve_endpoint() - look the name up, once
 *
 * Return: 0 and the first address found, or an EAI_ code.
 */
int resolve_endpoint(Endpoint &endpoint, const EndpointName &name);

}  // namespace wg::tool
