// SPDX-License-Identifier: GPL-2.0
#include "tunnel.hh"

#include <fmt/format.h>

#include <algorithm>

namespace wg::tool {
namespace {

// The first table for "all of a family" that is tried.
constexpr uint32_t kFirstFullTable = 51820;
// A tunnel's headers over IPv6: 40 of IP, 8 of UDP, 32 of the data message and its tag.
constexpr uint32_t kOverhead = 80;
constexpr uint32_t kDefaultMtu = 1500;

template <typename Peers>
std::vector<Prefix> collect_prefixes(const Peers &peers) {
  std::vector<Prefix> prefixes;
  for (const auto &peer : peers) {
    for (const AllowedIp &ip : peer.allowed_ips) {
      if (!ip.remove) prefixes.push_back(network_of(ip));
    }
  }
  const auto key = [](const Prefix &prefix) {
    return std::tuple(-static_cast<int>(prefix.cidr), prefix.family, prefix.address);
  };
  std::sort(prefixes.begin(), prefixes.end(),
            [&](const Prefix &a, const Prefix &b) { return key(a) < key(b); });
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end(),
                             [](const Prefix &a, const Prefix &b) { return a.same_prefix(b); }),
                 prefixes.end());
  return prefixes;
}

// What packets on this way may have at most, headers of the tunnel included.
uint32_t path_mtu(const std::vector<Link> &links, const RouteAnswer &answer) {
  if (answer.mtu != 0) return answer.mtu;
  const auto link = std::find_if(links.begin(), links.end(), [&](const Link &candidate) {
    return candidate.index == answer.link_index;
  });
  return link == links.end() ? 0 : link->mtu;
}

const char *family_word(uint16_t family) {
  return family == AF_INET ? "-4" : "-6";
}

std::string route_words(const Route &route, const std::string &device) {
  const std::string table = route.table == kMainTable ? "" : fmt::format(" table {}", route.table);
  return fmt::format("{} dev {}{}", route.prefix.text(), device, table);
}

std::string rule_words(const Rule &rule) {
  if (rule.form == Rule::Form::kSuppress) return "table main suppress_prefixlength 0";
  return fmt::format("not fwmark {} table {}", rule.mark, rule.table);
}

const char *nft_family(uint16_t family) {
  return family == AF_INET ? "ip" : "ip6";
}

}  // namespace

Prefix network_of(Prefix prefix) {
  const size_t len = prefix.family == AF_INET ? 4 : 16;
  for (size_t i = 0; i < len; ++i) {
    const int kept = std::clamp(static_cast<int>(prefix.cidr) - static_cast<int>(i) * 8, 0, 8);
    prefix.address[i] &= static_cast<uint8_t>(0xff00U >> kept);
  }
  return prefix;
}

bool covers(const Prefix &outer, const Prefix &inner) {
  if (outer.family != inner.family || outer.cidr > inner.cidr) return false;
  Prefix cut = inner;
  cut.cidr = outer.cidr;
  return network_of(cut).address == network_of(outer).address;
}

std::vector<Prefix> allowed_prefixes(const std::vector<Peer> &peers) {
  return collect_prefixes(peers);
}

std::vector<Prefix> allowed_prefixes(const std::vector<PeerChange> &peers) {
  return collect_prefixes(peers);
}

Routing plan_routing(const RouteTable &table, const std::vector<Prefix> &prefixes,
                     uint32_t link_index, uint32_t fwmark, const std::vector<Route> &present,
                     const std::function<bool(uint32_t)> &is_used) {
  Routing routing;
  if (table.mode == RouteTable::Mode::kOff) return routing;
  for (const Prefix &prefix : prefixes) {
    Route route;
    route.prefix = prefix;
    route.link_index = link_index;
    route.protocol = kOurProtocol;
    if (table.mode == RouteTable::Mode::kGiven) {
      route.table = table.id;
    } else if (prefix.cidr == 0) {
      if (routing.full_table == 0) {
        routing.full_table = fwmark != 0 ? fwmark : kFirstFullTable;
        while (fwmark == 0 && is_used(routing.full_table)) ++routing.full_table;
      }
      route.table = routing.full_table;
      routing.full_families.push_back(prefix.family);
    } else {
      const auto covers_it = [&](const Route &other) {
        return other.link_index == link_index && other.table == kMainTable &&
               covers(other.prefix, prefix);
      };
      // Those that are planned already are longer, or lead elsewhere.
      if (std::any_of(present.begin(), present.end(), covers_it)) continue;
    }
    routing.routes.push_back(route);
  }
  return routing;
}

std::vector<Route> connected_routes(const std::vector<Prefix> &addresses, uint32_t link_index) {
  std::vector<Route> routes;
  for (const Prefix &address : addresses) {
    // A single IPv4 address is in the table `local' only.
    if (address.family == AF_INET && address.cidr == 32) continue;
    Route route;
    route.prefix = network_of(address);
    route.link_index = link_index;
    route.protocol = kKernelProtocol;
    routes.push_back(route);
  }
  return routes;
}

uint32_t choose_mtu(Network &network, const std::vector<Endpoint> &endpoints, uint32_t mark) {
  const std::vector<Link> links = network.links();
  uint32_t smallest = 0;
  const auto consider = [&](const Endpoint &endpoint) {
    const auto answer = network.route_to(endpoint, mark);
    const uint32_t mtu = answer ? path_mtu(links, *answer) : 0;
    if (mtu != 0 && (smallest == 0 || mtu < smallest)) smallest = mtu;
  };
  for (const Endpoint &endpoint : endpoints) {
    // Beyond a link that it names, which need not have anything to do with routes.
    const bool is_scoped =
        endpoint.address.sa_family == AF_INET6 && endpoint.ipv6.sin6_scope_id != 0;
    if (!is_scoped) consider(endpoint);
  }
  if (smallest == 0) {
    for (const Route &route : network.routes(kMainTable, 0)) {
      if (route.prefix.family != AF_INET || route.prefix.cidr != 0) continue;
      smallest = path_mtu(links, {route.link_index, route.mtu});
      break;
    }
  }
  if (smallest == 0) smallest = kDefaultMtu;
  return smallest > kOverhead ? smallest - kOverhead : smallest;
}

std::vector<Rule> full_rules(uint16_t family, uint32_t table) {
  Rule not_mark;
  not_mark.form = Rule::Form::kNotMark;
  not_mark.family = family;
  not_mark.mark = table;
  not_mark.table = table;
  not_mark.protocol = kOurProtocol;
  Rule suppress;
  suppress.form = Rule::Form::kSuppress;
  suppress.family = family;
  suppress.table = kMainTable;
  suppress.protocol = kOurProtocol;
  return {not_mark, suppress};
}

std::vector<Rule> find_full_rules(const std::vector<Rule> &rules, uint32_t fwmark) {
  std::vector<Rule> found;
  if (fwmark == 0) return found;
  for (const Rule &rule : rules) {
    if (rule.form != Rule::Form::kNotMark || rule.mark != fwmark || rule.table != fwmark) continue;
    found.push_back(rule);
    const auto partner = std::find_if(rules.begin(), rules.end(), [&](const Rule &other) {
      return other.form == Rule::Form::kSuppress && other.family == rule.family &&
             other.priority + 1 == rule.priority;
    });
    if (partner != rules.end()) found.push_back(*partner);
  }
  return found;
}

std::vector<Rule> find_orphans(const std::vector<Rule> &rules,
                               const std::function<bool(uint32_t)> &is_alive) {
  const auto leads_on = [&](const Rule &rule) {
    return rule.form == Rule::Form::kNotMark && is_alive(rule.mark);
  };
  std::vector<Rule> orphans;
  for (const Rule &rule : rules) {
    if (rule.protocol != kOurProtocol || rule.form == Rule::Form::kOther) continue;
    const bool is_needed =
        leads_on(rule) || (rule.form == Rule::Form::kSuppress &&
                           std::any_of(rules.begin(), rules.end(), [&](const Rule &other) {
                             return leads_on(other) && other.family == rule.family &&
                                    rule.priority + 1 == other.priority;
                           }));
    if (!is_needed) orphans.push_back(rule);
  }
  return orphans;
}

std::string firewall_table(const std::string &device) {
  // nft(8) has no + and no = in names.
  std::string name = "wgtool-";
  for (const char c : device) {
    if (c == '+') {
      name += "/p";
    } else if (c == '=') {
      name += "/e";
    } else {
      name += c;
    }
  }
  return name;
}

std::string firewall_text(const std::string &device, uint16_t family,
                          const std::vector<Prefix> &addresses, uint32_t mark) {
  const char *ip = nft_family(family);
  std::string text = fmt::format(
      "table {} {} {{\n"
      "\tchain preraw {{\n"
      "\t\ttype filter hook prerouting priority raw; policy accept;\n",
      ip, firewall_table(device));
  for (const Prefix &address : addresses) {
    if (address.family != family) continue;
    text += fmt::format("\t\tiifname != \"{}\" {} daddr {} fib saddr type != local drop\n", device,
                        ip, address.address_text());
  }
  text += fmt::format(
      "\t}}\n\n"
      "\tchain premangle {{\n"
      "\t\ttype filter hook prerouting priority mangle; policy accept;\n"
      "\t\tmeta l4proto udp meta mark set ct mark\n"
      "\t}}\n\n"
      "\tchain postmangle {{\n"
      "\t\ttype filter hook postrouting priority mangle; policy accept;\n"
      "\t\tmeta l4proto udp meta mark 0x{:08x} ct mark set meta mark\n"
      "\t}}\n"
      "}}\n",
      mark);
  return text;
}

std::string firewall_replacement(const std::string &table, const std::string &text) {
  // Declared first, so that there is one to delete.
  return fmt::format("table {0} {{}}\ndelete table {0}\n{1}", table, text);
}

std::string address_command(const char *verb, const Prefix &address, const std::string &device) {
  return fmt::format("ip {} address {} {} dev {}", family_word(address.family), verb,
                     address.text(), device);
}

std::string route_command(const char *verb, const Route &route, const std::string &device) {
  return fmt::format("ip {} route {} {} protocol {}", family_word(route.prefix.family), verb,
                     route_words(route, device), kOurProtocol);
}

std::string rule_command(const char *verb, const Rule &rule) {
  return fmt::format("ip {} rule {} protocol {} {}", family_word(rule.family), verb, kOurProtocol,
                     rule_words(rule));
}

std::string route_text(const Route &route, const std::string &device) {
  return "Route: " + route_words(route, device);
}

std::string rule_text(const Rule &rule) {
  return fmt::format("Rule: {}{}", rule_words(rule), rule.family == AF_INET6 ? " (IPv6)" : "");
}

}  // namespace wg::tool
