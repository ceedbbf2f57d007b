// SPDX-License-Identifier: GPL-2.0
#include "tunnel.hh"

#include <gtest/gtest.h>

#include "test_network.hh"

namespace wg::tool {
namespace {

Prefix prefix(const std::string &text) {
  PeerChange peer;
  std::string warnings;
  parse_allowed_ips(peer, warnings, text);
  return peer.allowed_ips.at(0);
}

std::vector<Prefix> prefixes(const std::vector<std::string> &texts) {
  std::vector<Prefix> all;
  for (const std::string &text : texts) all.push_back(prefix(text));
  return all;
}

std::string routes_text(const Routing &routing) {
  std::string text;
  for (const Route &route : routing.routes) {
    text += fmt::format("{}>{} ", route.prefix.text(), route.table);
  }
  return text;
}

TEST(Tunnel, CoversByItsBits) {
  EXPECT_TRUE(covers(prefix("10.0.0.0/8"), prefix("10.255.0.0/16")));
  EXPECT_TRUE(covers(prefix("10.1.2.3/24"), prefix("10.1.2.77/32")));
  EXPECT_TRUE(covers(prefix("::/0"), prefix("fd00::/8")));
  EXPECT_TRUE(covers(prefix("fd00::/121"), prefix("fd00::7f/128")));
  EXPECT_FALSE(covers(prefix("fd00::/121"), prefix("fd00::80/128")));
  EXPECT_FALSE(covers(prefix("10.0.0.0/16"), prefix("10.0.0.0/8")));
  EXPECT_FALSE(covers(prefix("0.0.0.0/0"), prefix("fd00::/8")));
  EXPECT_EQ(network_of(prefix("10.1.2.255/25")).text(), "10.1.2.128/25");
  EXPECT_EQ(network_of(prefix("10.1.2.3/0")).text(), "0.0.0.0/0");
}

TEST(Tunnel, PrefixesComeOnceAndLongestFirst) {
  std::vector<Peer> peers(2);
  peers[0].allowed_ips = prefixes({"0.0.0.0/0", "10.0.0.0/8"});
  peers[1].allowed_ips = prefixes({"10.0.0.0/8", "10.1.0.0/16", "fd00::/48"});
  std::string text;
  for (const Prefix &one : allowed_prefixes(peers)) text += one.text() + " ";
  EXPECT_EQ(text, "fd00::/48 10.1.0.0/16 10.0.0.0/8 0.0.0.0/0 ");
}

TEST(Tunnel, RoutesWhatIsNotCovered) {
  const auto unused = [](uint32_t) { return false; };
  const auto wanted = prefixes({"10.9.0.7/32", "10.80.1.0/24", "10.80.0.0/16", "fd00:9::/64"});
  const auto present = connected_routes(prefixes({"10.9.0.1/24", "fd00:9::1/64"}), 5);
  EXPECT_EQ(routes_text(plan_routing({}, wanted, 5, 0, present, unused)),
            "10.80.1.0/24>254 10.80.0.0/16>254 ");
  // A route of another link covers nothing.
  EXPECT_EQ(routes_text(plan_routing({}, wanted, 6, 0, present, unused)),
            "10.9.0.7/32>254 10.80.1.0/24>254 10.80.0.0/16>254 fd00:9::/64>254 ");
  EXPECT_EQ(routes_text(plan_routing({RouteTable::Mode::kOff, 0}, wanted, 5, 0, {}, unused)), "");
  EXPECT_EQ(routes_text(plan_routing({RouteTable::Mode::kGiven, 7}, prefixes({"0.0.0.0/0"}), 5, 0,
                                     present, unused)),
            "0.0.0.0/0>7 ");
}

TEST(Tunnel, AFullTunnelHasATableOfItsOwn) {
  const auto wanted = prefixes({"0.0.0.0/0", "::/0"});
  const Routing routing =
      plan_routing({}, wanted, 5, 0, {}, [](uint32_t table) { return table < 51825; });
  EXPECT_EQ(routing.full_table, 51825U);
  EXPECT_EQ(routing.full_families, (std::vector<uint16_t>{AF_INET, AF_INET6}));
  const Routing marked = plan_routing({}, wanted, 5, 9, {}, [](uint32_t) { return true; });
  EXPECT_EQ(marked.full_table, 9U);
}

TEST(Tunnel, RulesBelongTogetherByPlace) {
  std::vector<Rule> rules;
  const auto add = [&](const Rule &rule, uint32_t priority) {
    rules.push_back(rule);
    rules.back().priority = priority;
  };
  const auto first = full_rules(AF_INET, 100), second = full_rules(AF_INET, 200);
  add(second[1], 10);
  add(second[0], 11);
  add(first[1], 12);
  add(first[0], 13);
  const auto found = find_full_rules(rules, 100);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].priority, 13U);
  EXPECT_EQ(found[1].priority, 12U);
  EXPECT_TRUE(find_full_rules(rules, 0).empty());
  const auto orphans = find_orphans(rules, [](uint32_t mark) { return mark == 100; });
  ASSERT_EQ(orphans.size(), 2U);
  EXPECT_EQ(orphans[0].priority, 10U);
  EXPECT_EQ(orphans[1].priority, 11U);
  // Of others, nothing is an orphan.
  for (Rule &rule : rules) rule.protocol = 3;
  EXPECT_TRUE(find_orphans(rules, [](uint32_t) { return false; }).empty());
}

TEST(Tunnel, MtuFitsTheNarrowestWay) {
  Saboteur saboteur;
  MemoryDevices devices(saboteur);
  MemoryNetwork network(devices, saboteur);
  Endpoint endpoint;
  endpoint.ipv4.sin_family = AF_INET;
  EXPECT_EQ(choose_mtu(network, {endpoint}, 0), 1420U);
  network.way_out->mtu = 1400;
  EXPECT_EQ(choose_mtu(network, {endpoint, endpoint}, 0), 1320U);
  // Without an endpoint it is the default route's, and without that what is usual.
  EXPECT_EQ(choose_mtu(network, {}, 0), 1420U);
  Route route;
  route.link_index = 1;
  route.mtu = 1300;
  network.routes_.push_back(route);
  EXPECT_EQ(choose_mtu(network, {}, 0), 1220U);
  network.way_out.reset();
  EXPECT_EQ(choose_mtu(network, {endpoint}, 0), 1220U);
  // A link-local endpoint names its link.
  Endpoint local;
  local.ipv6.sin6_family = AF_INET6;
  local.ipv6.sin6_scope_id = 3;
  network.way_out = RouteAnswer{1, 1290};
  EXPECT_EQ(choose_mtu(network, {local}, 0), 1220U);
}

}  // namespace
}  // namespace wg::tool
