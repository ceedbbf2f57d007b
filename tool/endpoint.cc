// SPDX-License-Identifier: GPL-2.0
#include "endpoint.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netdb.h>

#include <cerrno>
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

// @host is nullptr for none: the resolver then gives the port alone.
int lookup(std::vector<Endpoint> &endpoints, const char *host, const std::string &port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_protocol = IPPROTO_UDP;
  hints.ai_flags = flags;
  addrinfo *found = nullptr;
  const int result = getaddrinfo(host, port.c_str(), &hints, &found);
  if (result != 0) return result;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo *one = found; one != nullptr; one = one->ai_next) {
    const bool fits = (one->ai_family == AF_INET && one->ai_addrlen == sizeof(sockaddr_in)) ||
                      (one->ai_family == AF_INET6 && one->ai_addrlen == sizeof(sockaddr_in6));
    if (!fits) continue;
    std::memcpy(&endpoints.emplace_back().ipv6, one->ai_addr, one->ai_addrlen);
  }
  return endpoints.empty() ? EAI_NONAME : 0;
}

// The first that is found.
int lookup(Endpoint &endpoint, const char *host, const std::string &port, int flags) {
  std::vector<Endpoint> endpoints;
  const int result = lookup(endpoints, host, port, flags);
  if (result == 0) endpoint = endpoints[0];
  return result;
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

EndpointName split_endpoint(std::string_view text) {
  const std::string shown = printable(text);
  if (text.empty()) throw Error("Unable to parse empty endpoint", "; write HOST:PORT");
  const bool bracketed = text[0] == '[';
  std::string_view host, port;
  if (bracketed) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) {
      throw Error(fmt::format("Unable to find matching brace of endpoint: `{}'", shown),
                  "; write [ADDRESS]:PORT");
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
  }
  if (port.size() < 2) {
    throw Error(fmt::format("Unable to find port of endpoint: `{}'", shown),
                bracketed ? "; write [ADDRESS]:PORT" : "; write HOST:PORT");
  }
  return {std::string(host), std::string(port.substr(1)), shown, {}};
}

std::variant<Endpoint, EndpointName> parse_endpoint(std::string_view text) {
  const std::string shown = printable(text);
  if (text.find('\0') != std::string_view::npos) {
    throw Error(fmt::format("Endpoint holds a NUL byte: `{}'; write HOST:PORT", shown));
  }
  const bool bracketed = text.starts_with('[');
  if (!bracketed && text.find(':') != text.rfind(':')) {
    throw Error(fmt::format("IPv6 endpoint without brackets: `{}'; write [ADDRESS]:PORT", shown));
  }
  EndpointName name = split_endpoint(text);
  const auto number = parse_decimal(name.port, 65535);
  if (!number || *number == 0) {
    throw Error(fmt::format("Endpoint port is not a number from 1 to 65535: `{}'", shown));
  }
  if (name.host.empty()) {
    throw Error(
        fmt::format("Name or service not known: `{}'; write a host before the port", shown));
  }

  name.port = std::to_string(*number);
  // In brackets too the resolver would take fewer numbers than four, or one that is octal.
  if (name.host.find(':') == std::string::npos && looks_like_ipv4(name.host)) {
    in_addr ignored;
    if (inet_pton(AF_INET, name.host.c_str(), &ignored) != 1) {
      throw Error(
          fmt::format("Endpoint is not a full IPv4 address: `{}'; "
                      "write four numbers from 0 to 255, as 192.0.2.1:51820",
                      shown));
    }
  }
  Endpoint endpoint;
  if (lookup(endpoint, name.host.c_str(), name.port, AI_NUMERICHOST | AI_NUMERICSERV) == 0 &&
      name.host != "*") {
    return endpoint;
  }
  if (bracketed) {
    throw Error(
        fmt::format("Endpoint has no valid address in brackets: `{}'; "
                    "write [ADDRESS]:PORT, or HOST:PORT for a name",
                    shown));
  }
  return name;
}

int resolve_endpoint(std::vector<Endpoint> &endpoints, const EndpointName &name, Dialect dialect) {
  endpoints.clear();
  if (dialect == Dialect::kWg) return lookup(endpoints, name.host.c_str(), name.port, 0);
  // To the resolver that is every address, or our own.
  if (name.host == "*") return EAI_NONAME;
  return lookup(endpoints, name.host.c_str(), name.port, AI_NUMERICSERV);
}

int resolve_port(uint16_t &port, const std::string &text) {
  Endpoint endpoint;
  const int result = lookup(endpoint, nullptr, text, AI_PASSIVE);
  // At the same place in both families.
  if (result == 0) port = ntohs(endpoint.ipv4.sin_port);
  return result;
}

std::string resolver_text(int result) {
  return result == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(result);
}

std::optional<Endpoint> parse_numeric_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  const auto port = parse_decimal(text.substr(colon + 1), 65535);
  std::string host(text.substr(0, colon));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  in_addr ignored;
  // Only four numbers are an address in full; the resolver takes fewer.
  const bool is_ipv4 = inet_pton(AF_INET, host.c_str(), &ignored) == 1;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  Endpoint endpoint;
  if (!port || (bracketed ? !is_ipv6 : !is_ipv4) ||
      lookup(endpoint, host.c_str(), std::to_string(*port), AI_NUMERICHOST | AI_NUMERICSERV) != 0) {
    return std::nullopt;
  }
  return endpoint;
}

}  // namespace wg::tool
