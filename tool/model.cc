// SPDX-License-Identifier: GPL-2.0
#include "model.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

bool has_host_bits(const AllowedIp &ip) {
  const size_t len = ip.family == AF_INET ? 4 : 16;
  for (size_t i = ip.cidr / 8U; i < len; ++i) {
    const unsigned kept = i == ip.cidr / 8U ? ip.cidr % 8U : 0;
    if ((ip.address[i] & (0xffU >> kept)) != 0) return true;
  }
  return false;
}

void clear_host_bits(AllowedIp &ip) {
  const size_t len = ip.family == AF_INET ? 4 : 16;
  for (size_t i = ip.cidr / 8U; i < len; ++i) {
    const unsigned kept = i == ip.cidr / 8U ? ip.cidr % 8U : 0;
    ip.address[i] &= static_cast<uint8_t>(~(0xffU >> kept));
  }
}

// @item has its sign removed and its blanks too.
AllowedIp parse_allowed_ip(std::string &warnings, std::string_view item) {
  const size_t slash = item.find('/');
  const std::string host(item.substr(0, slash));
  AllowedIp ip;
  uint64_t max_cidr = 32;
  if (inet_pton(AF_INET, host.c_str(), ip.address.data()) != 1) {
    ip.family = AF_INET6;
    max_cidr = 128;
    if (inet_pton(AF_INET6, host.c_str(), ip.address.data()) != 1) {
      throw Error(fmt::format("Unable to parse IP address: `{}'", printable(host)),
                  "; write it in full, as 192.0.2.0/24 or 2001:db8::/32");
    }
  }
  const auto cidr = slash == std::string_view::npos
                        ? std::optional<uint64_t>(max_cidr)
                        : parse_decimal(item.substr(slash + 1), max_cidr);
  if (!cidr) {
    throw Error(fmt::format("AllowedIP is not in the correct format: `{}'", printable(item)),
                fmt::format("; write ADDRESS/LENGTH, the length a number from 0 to {}", max_cidr));
  }
  ip.cidr = static_cast<uint8_t>(*cidr);
  if (has_host_bits(ip)) {
    warnings += fmt::format("Warning: AllowedIP has nonzero host part: {}\n", printable(item));
  }
  return ip;
}

// As wg(8) reads a number: blanks and a sign before it are taken, and nothing at all is 0.
std::optional<uint64_t> parse_retries_as_wg(const char *text) {
  char *end = nullptr;
  const unsigned long number = std::strtoul(text, &end, 10);
  if (*end != '\0' || number > INT32_MAX) return std::nullopt;
  return number;
}

// How often a failed lookup is tried again; -1 for ever.
long resolution_retries(Dialect dialect) {
  constexpr long kDefault = 15;
  const char *text = std::getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
  if (text == nullptr) return kDefault;
  if (std::string_view(text) == "infinity") return -1;
  const auto number =
      dialect == Dialect::kWg ? parse_retries_as_wg(text) : parse_decimal(text, INT32_MAX);
  if (!number) {
    throw EnvironmentError(
        fmt::format("Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: `{}'", printable(text)),
        "; set it to a number or to infinity");
  }
  return static_cast<long>(*number);
}

bool is_final(int result) {
  return result == EAI_NONAME || result == EAI_FAIL || result == EAI_NODATA;
}

std::vector<Endpoint> resolve_with_retries(const EndpointName &name, long retries, Dialect dialect,
                                           std::string &warnings,
                                           const std::function<void()> &go_on = {}) {
  constexpr double kFirstDelay_s = 1.0;
  constexpr double kDelayFactor = 1.2;
  constexpr double kMaxDelay_s = 20.0;
  std::vector<Endpoint> endpoints;
  double delay_s = kFirstDelay_s;
  for (long attempt = 0;; ++attempt) {
    const int result = resolve_endpoint(endpoints, name, dialect);
    if (result == 0) return endpoints;
    const std::string why = resolver_text(result);
    if (is_final(result) || (retries >= 0 && attempt >= retries)) {
      throw Error(fmt::format("{}{}: `{}'", name.where, why, name.text));
    }
    fmt::print(stderr, "{}{}{}: `{}'. Trying again in {:.2f} seconds...\n", warnings, name.where,
               why, name.text, delay_s);
    warnings.clear();
    usleep(static_cast<useconds_t>(delay_s * 1e6));
    // A signal ends the wait.
    if (go_on) go_on();
    delay_s = std::min(delay_s * kDelayFactor, kMaxDelay_s);
  }
}

}  // namespace

std::string AllowedIp::address_text() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family, address.data(), text, sizeof(text));
  return text;
}

bool DeviceChange::removes_allowed_ips() const {
  return std::any_of(peers.begin(), peers.end(), [](const PeerChange &peer) {
    return std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(),
                       [](const AllowedIp &ip) { return ip.remove; });
  });
}

void set_endpoint(PeerChange &peer, std::string_view text, std::string where) {
  auto parsed = parse_endpoint(text);
  peer.endpoint.reset();
  peer.endpoint_name.reset();
  if (auto *endpoint = std::get_if<Endpoint>(&parsed)) {
    peer.endpoint = *endpoint;
  } else {
    peer.endpoint_name = std::get<EndpointName>(std::move(parsed));
    peer.endpoint_name->where = std::move(where);
  }
}

void set_endpoint_as_wg(PeerChange &peer, std::string &warnings, std::string_view text) {
  // wg(8) looks at the number first, and only when there is an endpoint.
  const long retries = resolution_retries(Dialect::kWg);
  peer.endpoint = resolve_with_retries(split_endpoint(text), retries, Dialect::kWg, warnings)[0];
}

void parse_allowed_ips(PeerChange &peer, std::string &warnings, std::string_view text,
                       Dialect dialect) {
  std::string list;
  std::copy_if(text.begin(), text.end(), std::back_inserter(list), [](char c) {
    return c != ' ' && c != '\t' && c != '\n' && c != '\v' && c != '\f' && c != '\r';
  });
  std::vector<AllowedIp> ips;
  bool incremental = false;
  for (size_t at = 0; !list.empty() && at <= list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    std::string_view item = std::string_view(list).substr(at, comma - at);
    const bool is_signed = item.starts_with('+') || item.starts_with('-');
    const bool remove = item.starts_with('-');
    if (is_signed) item.remove_prefix(1);
    incremental |= is_signed;
    ips.push_back(parse_allowed_ip(warnings, item));
    ips.back().remove = remove;
    at = comma + 1;
  }
  if (dialect == Dialect::kWg) peer.replace_allowed_ips = false;
  peer.replace_allowed_ips |= !incremental;
  peer.allowed_ips.insert(peer.allowed_ips.end(), ips.begin(), ips.end());
}

std::optional<AllowedIp> parse_prefix(std::string_view text) {
  const bool is_whole = text.find('/') != std::string_view::npos;
  if (!is_whole || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::string warnings;
  try {
    return parse_allowed_ip(warnings, text);
  } catch (const Error &) {
    return std::nullopt;
  }
}

uint16_t parse_listen_port(std::string_view text, Dialect dialect) {
  if (text.empty()) {
    throw Error("Unable to parse empty port", "; write a number from 0 to 65535");
  }
  if (dialect == Dialect::kWg) {
    uint16_t number = 0;
    const int result = resolve_port(number, std::string(text));
    if (result != 0) {
      throw Error(fmt::format("{}: `{}'", resolver_text(result), printable(text)));
    }
    return number;
  }
  const auto port = parse_decimal(text, 65535);
  if (!port) {
    throw Error(
        fmt::format("Listen port is not a number from 0 to 65535: `{}'; "
                    "0 lets the kernel choose one",
                    printable(text)));
  }
  return static_cast<uint16_t>(*port);
}

uint32_t parse_fwmark(std::string_view text) {
  constexpr uint64_t kMax = 0xffffffff;
  if (equals_caseless(text, "off")) return 0;
  std::optional<uint64_t> mark;
  if (text.starts_with("0x")) {
    const std::string_view digits = text.substr(2);
    if (!digits.empty() &&
        digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos) {
      uint64_t value = 0;
      for (char c : digits) {
        const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        value = std::min<uint64_t>(value * 16 + static_cast<uint64_t>(digit), kMax + 1);
      }
      if (value <= kMax) mark = value;
    }
  } else {
    mark = parse_decimal(text, kMax);
  }
  if (!mark) {
    throw Error(fmt::format("Fwmark is neither 0/off nor 0-0xffffffff: `{}'", printable(text)));
  }
  return static_cast<uint32_t>(*mark);
}

uint16_t parse_keepalive(std::string_view text) {
  if (equals_caseless(text, "off")) return 0;
  const auto seconds = parse_decimal(text, 65535);
  if (!seconds) {
    throw Error(fmt::format("Persistent keepalive interval is neither 0/off nor 1-65535: `{}'",
                            printable(text)));
  }
  return static_cast<uint16_t>(*seconds);
}

PublicKey parse_public_key(std::string_view text) {
  const auto key = PublicKey::parse(text);
  if (!key) {
    throw Error(fmt::format("Key is not the correct length or format: `{}'", printable(text)));
  }
  return *key;
}

void resolve_endpoints(DeviceChange &change, const std::function<void()> &go_on) {
  const auto waits = [](const PeerChange &peer) { return peer.endpoint_name.has_value(); };
  if (std::none_of(change.peers.begin(), change.peers.end(), waits)) return;
  const long retries = resolution_retries(Dialect::kStrict);
  std::string no_warnings;
  for (PeerChange &peer : change.peers) {
    if (!peer.endpoint_name) continue;
    peer.endpoints =
        resolve_with_retries(*peer.endpoint_name, retries, Dialect::kStrict, no_warnings, go_on);
    peer.endpoint = peer.endpoints[0];
    peer.endpoint_name.reset();
  }
}

DeviceChange without_removals(const DeviceChange &change, const Device &current) {
  DeviceChange whole = change;
  for (PeerChange &peer : whole.peers) {
    const auto removes = [](const AllowedIp &ip) { return ip.remove; };
    if (std::none_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), removes)) continue;
    std::vector<AllowedIp> result;
    if (!peer.replace_allowed_ips && !change.replace_peers) {
      const auto it = std::find_if(
          current.peers.begin(), current.peers.end(),
          [&](const Peer &candidate) { return candidate.public_key == peer.public_key; });
      if (it != current.peers.end()) result = it->allowed_ips;
    }
    for (AllowedIp ip : peer.allowed_ips) {
      clear_host_bits(ip);
      std::erase_if(result, [&](const AllowedIp &other) { return other.same_prefix(ip); });
      if (!ip.remove) result.push_back(ip);
    }
    peer.allowed_ips = std::move(result);
    peer.replace_allowed_ips = true;
  }
  return whole;
}

}  // namespace wg::tool
