// SPDX-License-Identifier: GPL-2.0
// Links, addresses, routes and rules: what surrounds a device.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "endpoint.hh"
#include "quick_config.hh"

namespace wg::tool {

/** Marks the routes and rules that we add: "W". Linux leaves numbers above 4 to programs. */
inline constexpr uint8_t kOurProtocol = 87;
/** RTPROT_KERNEL */
inline constexpr uint8_t kKernelProtocol = 2;
inline constexpr uint32_t kMainTable = 254;
/** The group of a link that is coming up or going down: "wgtp". Whole ones have group 0. */
inline constexpr uint32_t kUnfinishedGroup = 0x77677470;

struct Link {
  uint32_t index = 0;
  std::string name;
  /** Empty for devices without a kind, as Ethernet cards. */
  std::string kind;
  /** A number that anyone may attach (ip link set group). */
  uint32_t group = 0;
  uint32_t mtu = 0;
  bool is_up = false;
};

/** An address of a link. */
struct LinkAddress {
  Prefix prefix;
  /** Made by the kernel itself for the link (fe80::/64). */
  bool is_link_local = false;
  bool operator==(const LinkAddress &other) const { return prefix.same_prefix(other.prefix); }
};

/** A unicast route with one way out. What we add has no gateway. */
struct Route {
  Prefix prefix;
  uint32_t table = kMainTable;
  uint32_t link_index = 0;
  /** Who made it: kOurProtocol, or RTPROT_KERNEL (2) for an address, or others. */
  uint8_t protocol = 0;
  /** 0 when it has none of its own. */
  uint32_t mtu = 0;
  bool operator==(const Route &other) const {
    return table == other.table && link_index == other.link_index &&
           prefix.same_prefix(other.prefix);
  }
};

/** A routing rule of one of two forms; others are read, and have kOther. */
struct Rule {
  enum class Form {
    /** not fwmark MARK lookup TABLE */
    kNotMark,
    /** lookup main suppress_prefixlength 0 */
    kSuppress,
    kOther
  };
  Form form = Form::kOther;
  uint16_t family = AF_INET;
  /** 0 in a new rule: the kernel puts it before all but the first. */
  uint32_t priority = 0;
  uint32_t mark = 0;
  uint32_t table = 0;
  uint8_t protocol = 0;
};

/** Where packets to an address would go. */
struct RouteAnswer {
  uint32_t link_index = 0;
  /** Of the route itself; 0 when it has none. */
  uint32_t mtu = 0;
};

/** The network of one namespace. All functions throw SystemError. */
class Network {
 public:
  virtual ~Network() = default;

  virtual std::vector<Link> links() = 0;
  virtual void add_link(const std::string &name, const std::string &kind, uint32_t group) = 0;
  virtual void delete_link(uint32_t index) = 0;
  virtual void set_mtu(uint32_t index, uint32_t mtu) = 0;
  virtual void set_up(uint32_t index) = 0;
  virtual void set_group(uint32_t index, uint32_t group) = 0;

  virtual std::vector<LinkAddress> addresses(uint32_t index) = 0;
  virtual void add_address(uint32_t index, const Prefix &address) = 0;
  virtual void delete_address(uint32_t index, const Prefix &address) = 0;

  /**
   * Unicast routes, those of the table `local' left out.
   * @table, @link_index: only of these, or 0 for any; the kernel filters, for some routers have a
   * million routes
   */
  virtual std::vector<Route> routes(uint32_t table, uint32_t link_index) = 0;
  virtual void add_route(const Route &route) = 0;
  virtual void delete_route(const Route &route) = 0;

  /** In the order in which they are tried. */
  virtual std::vector<Rule> rules() = 0;
  virtual void add_rule(const Rule &rule) = 0;
  virtual void delete_rule(const Rule &rule) = 0;

  /** The way of packets with @mark. Return: nothing when there is none to @endpoint. */
  virtual std::optional<RouteAnswer> route_to(const Endpoint &endpoint, uint32_t mark) = 0;

  std::optional<Link> find_link(const std::string &name);
};

/** open_network() - that of this namespace, over rtnetlink. Its socket is opened at first use. */
std::unique_ptr<Network> open_network();

}  // namespace wg::tool
