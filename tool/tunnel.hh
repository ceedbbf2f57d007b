// SPDX-License-Identifier: GPL-2.0
// What the network around a device should be, worked out from its file and from what is there.
// Nothing here changes anything.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "network.hh"
#include "quick_config.hh"

namespace wg::tool {

/** Routes and rules of a device, as they should be. */
struct Routing {
  /** In the order in which they are to be added. */
  std::vector<Route> routes;
  /** Families of which everything goes through the tunnel, by a table of its own. */
  std::vector<uint16_t> full_families;
  /** That table, which is the mark of the outer packets, too; 0 without such a family. */
  uint32_t full_table = 0;
};

/** allowed_prefixes() - of all peers, each once, longest first */
std::vector<Prefix> allowed_prefixes(const std::vector<Peer> &peers);
std::vector<Prefix> allowed_prefixes(const std::vector<PeerChange> &peers);

/** covers() - whether all of @inner is in @outer */
bool covers(const Prefix &outer, const Prefix &inner);

/** network_of() - @prefix without the bits behind its length */
Prefix network_of(Prefix prefix);

/**
 * plan_routing() - routes and rules for a device
 * @fwmark: of the device, 0 for none
 * @prefixes: of allowed_prefixes(), or in the same order
 * @present: routes of the device, those of its addresses included
 * @is_used: whether a table has any routes
 *
 * A prefix that a route of the device covers needs none of its own. All of a family goes through
 * a table of its own, whose number is @fwmark or the first from 51820 on that has no routes.
 */
Routing plan_routing(const RouteTable &table, const std::vector<Prefix> &prefixes,
                     uint32_t link_index, uint32_t fwmark, const std::vector<Route> &present,
                     const std::function<bool(uint32_t)> &is_used);

/** connected_routes() - what the kernel will add for @addresses when the link is up */
std::vector<Route> connected_routes(const std::vector<Prefix> &addresses, uint32_t link_index);

/**
 * choose_mtu() - for inner packets, so that outer ones fit the way to every endpoint
 * @mark: of the outer packets
 */
uint32_t choose_mtu(Network &network, const std::vector<Endpoint> &endpoints, uint32_t mark);

/** The rules of a full tunnel for one family, in the order in which they are to be added. */
std::vector<Rule> full_rules(uint16_t family, uint32_t table);

/**
 * find_full_rules() - those in @rules that belong to the device with @fwmark
 *
 * That is the rule for all but this mark, and the one right before it that lets the main table's
 * other routes go first.
 */
std::vector<Rule> find_full_rules(const std::vector<Rule> &rules, uint32_t fwmark);

/**
 * find_orphans() - rules that we added and that nobody needs any more
 * @is_alive: whether a mark, which is a table, too, is in use
 */
std::vector<Rule> find_orphans(const std::vector<Rule> &rules,
                               const std::function<bool(uint32_t)> &is_alive);

/** firewall_table() - the name of the device's table in nftables */
std::string firewall_table(const std::string &device);

/**
 * firewall_text() - the table as nft(8) lists it
 *
 * It drops what comes from outside for an address of the tunnel, and lets answers to outer packets
 * pass the reverse path filter by their mark.
 */
std::string firewall_text(const std::string &device, uint16_t family,
                          const std::vector<Prefix> &addresses, uint32_t mark);

/** firewall_replacement() - for `nft -f', @table ("ip wgtool-wg0") made anew in one go */
std::string firewall_replacement(const std::string &table, const std::string &text);

/** In the words of ip(8), to tell what is done. */
std::string address_command(const char *verb, const Prefix &address, const std::string &device);
std::string route_command(const char *verb, const Route &route, const std::string &device);
std::string rule_command(const char *verb, const Rule &rule);

/** To list them: "Route: 10.0.0.0/8 dev wg0", "Rule: not fwmark 51820 table 51820". */
std::string route_text(const Route &route, const std::string &device);
std::string rule_text(const Rule &rule);

}  // namespace wg::tool
