// SPDX-License-Identifier: GPL-2.0
#include "endpoint.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netdb.h>

#include <cstring>
#include <memory>

#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The resolver takes "1.2.3" as 1.2.0.3 and "0x7f.1" as 127.0.0.1. A name whose last
// label begins with a digit and is a number cannot be meant as a name.
bool looks_like_ipv4(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (last.empty() || !is_digit(last[0])) return false;
  if (last.starts_with("0x") || last.starts_with("0X")) {
    return last.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
  }
  return last.find_first_not_of("0123456789") == std::string_view::npos;
}

int lookup(Endpoint &endpoint, const std::string &host, const std::string &port, int flags) {
  // To the resolver that is every address, or our own.
  if (host == "*") return EAI_NONAME;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_protocol = IPPROTO_UDP;
  hints.ai_flags = flags;
  addrinfo *found = nullptr;
  const int result = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (result != 0) return result;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo *one = found; one != nullptr; one = one->ai_next) {
    const bool fits = (one->ai_family == AF_INET && one->ai_addrlen == sizeof(sockaddr_in)) ||
                      (one->ai_family == AF_INET6 && one->ai_addrlen == sizeof(sockaddr_in6));
    if (!fits) continue;
    endpoint = Endpoint();
    std::memcpy(&endpoint.ipv6, one->ai_addr, one->ai_addrlen);
    return 0;
  }
  return EAI_NONAME;
}

}  // namespace

std::string Endpoint::text() const {
  char host[INET6_ADDRSTRLEN];
  if (address.sa_family == AF_INET) {
    inet_ntop(AF_INET, &ipv4.sin_addr, host, sizeof(host));
    return fmt::format("{}:{}", host, ntohs(ipv4.sin_port));
  }
  inet_ntop(AF_INET6, &ipv6.sin6_addr, host, sizeof(host));
  std::string scope;
  if (ipv6.sin6_scope_id != 0) {
    // An interface that is gone, or lives in another namespace, has a number only. For addresses
    // that are valid beyond a link the resolver reads numbers only.
    char name[IF_NAMESIZE];
    const in6_addr &ip = ipv6.sin6_addr;
    const bool is_local = IN6_IS_ADDR_LINKLOCAL(&ip) || IN6_IS_ADDR_MC_LINKLOCAL(&ip);
    scope = is_local && if_indextoname(ipv6.sin6_scope_id, name) != nullptr
                ? "%" + printable(name)
                : fmt::format("%{}", ipv6.sin6_scope_id);
  }
  return fmt::format("[{}{}]:{}", host, scope, ntohs(ipv6.sin6_port));
}

std::variant<Endpoint, EndpointName> parse_endpoint(std::string_view text) {
  const std::string shown = printable(text);
  if (text.empty()) throw Error("Unable to parse empty endpoint; write HOST:PORT");
  if (text.find('\0') != std::string_view::npos) {
    throw Error(fmt::format("Endpoint holds a NUL byte: `{}'; write HOST:PORT", shown));
  }

  const bool bracketed = text[0] == '[';
  std::string_view host, port;
  if (bracketed) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) {
      throw Error(
          fmt::format("Unable to find matching brace of endpoint: `{}'; "
                      "write [ADDRESS]:PORT",
                      shown));
    }
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.starts_with(':')) port = {};
  } else {
    const size_t colon = text.rfind(':');
    if (colon != std::string_view::npos) {
      host = text.substr(0, colon);
      port = text.substr(colon);
    }
    if (host.find(':') != std::string_view::npos) {
      throw Error(fmt::format("IPv6 endpoint without brackets: `{}'; write [ADDRESS]:PORT", shown));
    }
  }
  if (port.size() < 2) {
    throw Error(fmt::format("Unable to find port of endpoint: `{}'; write {}", shown,
                            bracketed ? "[ADDRESS]:PORT" : "HOST:PORT"));
  }
  port.remove_prefix(1);
  const auto number = parse_decimal(port, 65535);
  if (!number || *number == 0) {
    throw Error(fmt::format("Endpoint port is not a number from 1 to 65535: `{}'", shown));
  }
  if (host.empty()) {
    throw Error(
        fmt::format("Name or service not known: `{}'; write a host before the port", shown));
  }

  EndpointName name{std::string(host), std::to_string(*number), shown, {}};
  // In brackets too the resolver would take fewer numbers than four, or one that is octal.
  if (host.find(':') == std::string_view::npos && looks_like_ipv4(host)) {
    in_addr ignored;
    if (inet_pton(AF_INET, name.host.c_str(), &ignored) != 1) {
      throw Error(
          fmt::format("Endpoint is not a full IPv4 address: `{}'; "
                      "write four numbers from 0 to 255, as 192.0.2.1:51820",
                      shown));
    }
  }
  Endpoint endpoint;
  const int result = lookup(endpoint, name.host, name.port, AI_NUMERICHOST | AI_NUMERICSERV);
  if (result == 0) return endpoint;
  if (bracketed) {
    throw Error(
        fmt::format("Endpoint has no valid address in brackets: `{}'; "
                    "write [ADDRESS]:PORT, or HOST:PORT for a name",
                    shown));
  }
  return name;
}

int resolve_endpoint(Endpoint &endpoint, const EndpointName &name) {
  return lookup(endpoint, name.host, name.port, AI_NUMERICSERV);
}

}  // namespace wg::tool
