// SPDX-License-Identifier: GPL-2.0
// Where a peer is: a UDP address, or a name and port that stand for one.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dialect.hh"

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
 * split_endpoint() - host and port as wg(8) finds them, without a look at either
 *
 * The last colon splits, so IPv6 needs no brackets. Throws Error.
 */
EndpointName split_endpoint(std::string_view text);

/**
 * resolve_endpoint() - look the name up, once
 *
 * For Dialect::kWg the host may also be a number of any form and "*", the port the name of a
 * service, and of a port too large the low 16 bits count.
 *
 * Return: 0 and the addresses found, at least one, or an EAI_ code.
 */
int resolve_endpoint(std::vector<Endpoint> &endpoints, const EndpointName &name,
                     Dialect dialect = Dialect::kStrict);

/**
 * resolve_port() - a port as wg(8) reads it: by the services database, the low 16 bits of a number
 *
 * Return: 0 and the port, or an EAI_ code.
 */
int resolve_port(uint16_t &port, const std::string &text);

/** resolver_text() - what an EAI_ code means; after EAI_SYSTEM errno has to be untouched */
std::string resolver_text(int result);

/**
 * parse_numeric_endpoint() - read what Endpoint::text() writes
 *
 * Return: nothing for any other text; names are not looked up.
 */
std::optional<Endpoint> parse_numeric_endpoint(std::string_view text);

}  // namespace wg::tool
