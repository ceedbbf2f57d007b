// SPDX-License-Identifier: GPL-2.0
// What a device is (as read) and what shall change (as asked): plain data.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "dialect.hh"
#include "endpoint.hh"
#include "key.hh"

namespace wg::tool {

/** A prefix that a peer may use as source and that routes to it. */
struct AllowedIp {
  uint16_t family = AF_INET;
  uint8_t cidr = 0;
  /** In a change only: take the prefix from the peer instead of giving it. */
  bool remove = false;
  /** 4 or 16 bytes, network order. */
  std::array<uint8_t, 16> address{};

  bool same_prefix(const AllowedIp &other) const {
    return family == other.family && cidr == other.cidr && address == other.address;
  }
  std::string text() const { return address_text() + "/" + std::to_string(cidr); }
  std::string address_text() const;
};

/** An order of prefixes, for sets and maps; what is to become of them does not count. */
struct PrefixOrder {
  bool operator()(const AllowedIp &a, const AllowedIp &b) const {
    return std::tie(a.family, a.cidr, a.address) < std::tie(b.family, b.cidr, b.address);
  }
};

struct Peer {
  PublicKey public_key;
  SecretKey preshared_key;
  std::optional<Endpoint> endpoint;
  uint16_t keepalive_s = 0;
  int64_t handshake_s = 0;
  int64_t handshake_ns = 0;
  uint64_t rx_bytes = 0;
  uint64_t tx_bytes = 0;
  std::vector<AllowedIp> allowed_ips;
};

struct Device {
  std::string name;
  SecretKey private_key;
  std::optional<PublicKey> public_key;
  uint16_t listen_port = 0;
  uint32_t fwmark = 0;
  std::vector<Peer> peers;
};

/** A change of one peer; what is not set stays as it is. */
struct PeerChange {
  PublicKey public_key;
  std::optional<SecretKey> preshared_key;
  std::optional<Endpoint> endpoint;
  /** Set while the endpoint's name waits for resolve_endpoints(). */
  std::optional<EndpointName> endpoint_name;
  /** All addresses of that name, from then on; empty without one. */
  std::vector<Endpoint> endpoints;
  std::optional<uint16_t> keepalive_s;
  bool remove = false;
  bool replace_allowed_ips = false;
  std::vector<AllowedIp> allowed_ips;
};

/** A change of one device, carried out in order; what is not set stays as it is. */
struct DeviceChange {
  std::string name;
  std::optional<SecretKey> private_key;
  std::optional<uint16_t> listen_port;
  std::optional<uint32_t> fwmark;
  bool replace_peers = false;
  std::vector<PeerChange> peers;

  bool removes_allowed_ips() const;
};

/**
 * set_endpoint() - make @text the endpoint of @peer, in place of any it had
 * @where: "FILE:LINE: " for messages about a name that cannot be resolved, or empty
 *
 * Throws Error as parse_endpoint() does.
 */
void set_endpoint(PeerChange &peer, std::string_view text, std::string where = {});

/**
 * set_endpoint_as_wg() - the same by the rules of wg(8), which looks a name up at once
 * @warnings: printed, and emptied, when the wait for the resolver begins
 *
 * Throws Error.
 */
void set_endpoint_as_wg(PeerChange &peer, std::string &warnings, std::string_view text);

/**
 * parse_allowed_ips() - read a comma list of prefixes into @peer
 *
 * Blanks are ignored; a bare address means /32 or /128; empty text empties the list. A
 * '+' or '-' before any item makes the list a change of the current one instead of its
 * replacement. Of several lists for one peer one is enough to make them a replacement, but for
 * Dialect::kWg the last decides. Host bits that are set give one line in @warnings. Throws Error.
 */
void parse_allowed_ips(PeerChange &peer, std::string &warnings, std::string_view text,
                       Dialect dialect = Dialect::kStrict);

/** parse_prefix() - read what AllowedIp::text() writes; nothing for any other text */
std::optional<AllowedIp> parse_prefix(std::string_view text);

/** The value parsers throw Error, which quotes @text and says what is allowed. */
uint16_t parse_listen_port(std::string_view text, Dialect dialect = Dialect::kStrict);
uint32_t parse_fwmark(std::string_view text);
uint16_t parse_keepalive(std::string_view text);
PublicKey parse_public_key(std::string_view text);

/**
 * resolve_endpoints() - turn every endpoint name into an address, waiting for DNS
 *
 * Done once everything else has been parsed, so that a mistake shows at once. Retries
 * as WG_ENDPOINT_RESOLUTION_RETRIES says. Throws Error.
 *
 * @go_on: called before each retry, which may be the last of many; it throws to end them
 */
void resolve_endpoints(DeviceChange &change, const std::function<void()> &go_on = {});

/**
 * without_removals() - the same change with whole AllowedIPs lists in place of removals
 * @current: the device as it is now
 *
 * For kernels that cannot remove a single prefix.
 */
DeviceChange without_removals(const DeviceChange &change, const Device &current);

}  // namespace wg::tool
