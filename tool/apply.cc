// SPDX-License-Identifier: GPL-2.0
// apply: bring a device that is up to its file, sessions kept. diff: show what that would change.
#include <algorithm>
#include <set>
#include <tuple>

#include "error.hh"
#include "reconcile.hh"
#include "surroundings.hh"
#include "system.hh"
#include "text.hh"
#include "up.hh"

namespace wg::tool {
namespace {

// RTPROT_BOOT, which ip(8) gives to routes.
constexpr uint8_t kBootProtocol = 3;

// Of diff(1): 2 is for trouble.
constexpr int kSame = 0;
constexpr int kDifferent = 1;
constexpr int kTrouble = 2;

bool contains(const std::vector<Prefix> &prefixes, const Prefix &prefix) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const Prefix &other) { return other.same_prefix(prefix); });
}

template <typename T>
bool contains(const std::vector<T> &all, const T &one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// Thousands of routes are found among thousands.
struct RouteOrder {
  bool operator()(const Route &a, const Route &b) const {
    const auto a_way = std::tie(a.table, a.link_index), b_way = std::tie(b.table, b.link_index);
    return a_way != b_way ? a_way < b_way : PrefixOrder()(a.prefix, b.prefix);
  }
};
using RouteSet = std::set<Route, RouteOrder>;

RouteSet set_of(const std::vector<Route> &routes) {
  return {routes.begin(), routes.end()};
}

// All that differs between a device that is up and its file.
struct Plan {
  Link link;
  Device device;
  DeviceChange change;
  std::vector<Prefix> add_addresses, remove_addresses;
  std::vector<Route> add_routes, remove_routes;
  std::vector<Rule> remove_rules;
  /** Families that get rules. */
  std::vector<uint16_t> add_rules;
  /** Families whose nft table is made, and the one that is there, or nothing. */
  std::vector<std::pair<uint16_t, std::string>> set_firewalls;
  std::vector<std::string> remove_firewalls;
  uint32_t full_table = 0;
  uint32_t mtu = 0;
  bool set_dns = false;
  bool unset_dns = false;
};

class Planner {
 public:
  // Looks up the names of endpoints, once for all plans.
  Planner(Context &context, const QuickConfig &config)
      : context_(context), network_(*context.network), config_(config), file_(config.wg.change) {
    resolve_endpoints(file_, [&context] {
      const int signal = context.system->stop_signal();
      if (signal != 0) throw Error(fmt::format("Stopped by signal {}", signal));
    });
  }

  Plan plan() {
    plan_ = {};
    addresses_.clear();
    wanted_ = file_;
    plan_.link = require_device(context_, config_.name);
    if (is_unfinished(context_, plan_.link)) {
      throw Error(fmt::format("`{}' was left half made or half taken down: run `wgtool clean {}'",
                              config_.name, config_.name));
    }
    plan_.device = get_device(context_, config_.name);
    rules_ = network_.rules();
    plan_addresses();
    plan_routes();
    plan_.change = minimal_change(wanted_, plan_.device);
    plan_.mtu = wanted_mtu();
    plan_firewalls();
    plan_dns();
    return std::move(plan_);
  }

 private:
  void plan_addresses() {
    std::vector<Prefix> present;
    for (const LinkAddress &address : network_.addresses(plan_.link.index)) {
      present.push_back(address.prefix);
      // What the kernel made for the link no file has.
      if (!address.is_link_local && !contains(config_.addresses, address.prefix)) {
        plan_.remove_addresses.push_back(address.prefix);
      }
    }
    for (const Prefix &address : config_.addresses) {
      if (!contains(present, address)) plan_.add_addresses.push_back(address);
    }
    for (const Prefix &address : present) {
      if (!contains(plan_.remove_addresses, address)) addresses_.push_back(address);
    }
    addresses_.insert(addresses_.end(), plan_.add_addresses.begin(), plan_.add_addresses.end());
  }

  void plan_routes() {
    const uint32_t live_mark = plan_.device.fwmark;
    const std::vector<Rule> ours = own_full_rules(network_, plan_.link.index, live_mark);
    // A mark that `up' chose stays the one that is used.
    uint32_t mark = wanted_.fwmark.value_or(0);
    if (mark == 0 && !ours.empty()) mark = live_mark;
    const Routing routing =
        plan_routing(config_.table, allowed_prefixes(wanted_.peers), plan_.link.index, mark,
                     connected_routes(config_.addresses, plan_.link.index),
                     [this](uint32_t table) { return is_used(table); });
    plan_.full_table = routing.full_table;
    if (!wanted_.fwmark) wanted_.fwmark = routing.full_table;

    const std::vector<Route> present = network_.routes(0, plan_.link.index);
    const RouteSet is_present = set_of(present), is_planned = set_of(routing.routes);
    for (const Route &route : routing.routes) {
      if (!is_present.contains(route)) plan_.add_routes.push_back(route);
    }
    // Only what AllowedIPs brought may go: other routes of the device are the administrator's.
    RouteSet before;
    for (const Prefix &prefix : allowed_prefixes(plan_.device.peers)) before.insert({prefix});
    for (const Route &route : present) {
      // wg-quick(8) does not mark its own; where it puts them is known.
      const bool is_wg_quicks =
          config_.table.mode == RouteTable::Mode::kAuto && route.protocol == kBootProtocol &&
          (route.table == kMainTable || (route.table == live_mark && !ours.empty()));
      if ((route.protocol == kOurProtocol || is_wg_quicks) && before.contains({route.prefix}) &&
          !is_planned.contains(route)) {
        plan_.remove_routes.push_back(route);
      }
    }
    for (const uint16_t family : routing.full_families) {
      const auto is_family = [&](const Rule &rule) { return rule.family == family; };
      const bool has_both = live_mark == routing.full_table &&
                            std::count_if(ours.begin(), ours.end(), is_family) == 2;
      if (!has_both) plan_.add_rules.push_back(family);
    }
    for (const Rule &rule : ours) {
      if (live_mark != routing.full_table || !contains(routing.full_families, rule.family)) {
        plan_.remove_rules.push_back(rule);
      }
    }
    full_families_ = routing.full_families;
  }

  bool is_used(uint32_t table) {
    return !network_.routes(table, 0).empty() ||
           std::any_of(rules_.begin(), rules_.end(),
                       [&](const Rule &rule) { return rule.table == table; });
  }

  uint32_t wanted_mtu() {
    if (config_.mtu) return *config_.mtu;
    std::vector<Endpoint> endpoints;
    for (const PeerChange &peer : wanted_.peers) {
      const auto live =
          std::find_if(plan_.device.peers.begin(), plan_.device.peers.end(),
                       [&](const Peer &other) { return other.public_key == peer.public_key; });
      if (peer.endpoint) {
        endpoints.push_back(*peer.endpoint);
      } else if (live != plan_.device.peers.end() && live->endpoint) {
        endpoints.push_back(*live->endpoint);
      }
    }
    return choose_mtu(network_, endpoints, plan_.device.fwmark);
  }

  void plan_firewalls() {
    const std::string name = firewall_table(config_.name);
    std::vector<std::string> tables;
    // Listing them takes a process, and a device without any has nothing to compare.
    if (!full_families_.empty() || !plan_.remove_rules.empty()) tables = firewall_tables(context_);
    for (const uint16_t family : full_families_) {
      const std::string table = (family == AF_INET ? "ip " : "ip6 ") + name;
      std::string listed;
      const bool is_there =
          contains(tables, table) &&
          context_.system->run_and_read(
              {"nft", "list", "table", table.substr(0, table.find(' ')), name}, listed) == 0;
      const std::string text = firewall_text(config_.name, family, addresses_, plan_.full_table);
      if (!is_there || listed != text) plan_.set_firewalls.emplace_back(family, listed);
      std::erase(tables, table);
    }
    for (const std::string &table : tables) {
      if (firewall_name(table) == name) plan_.remove_firewalls.push_back(table);
    }
  }

  void plan_dns() {
    const std::string known = read_dns_record(context_, config_.name);
    const std::string wanted = dns_record(config_);
    plan_.set_dns = !wanted.empty() && wanted != known;
    plan_.unset_dns = wanted.empty() && !known.empty();
  }

  Context &context_;
  Network &network_;
  const QuickConfig &config_;
  Plan plan_;
  /** What the file wants, and the same with what is worked out. */
  DeviceChange file_, wanted_;
  std::vector<Rule> rules_;
  std::vector<Prefix> addresses_;
  std::vector<uint16_t> full_families_;
};

// Carries a plan out. The order lets packets find their way all the time: what is new comes first,
// what is old goes last.
class Apply {
 public:
  Apply(Context &context, Steps &steps, const QuickConfig &config, Plan plan)
      : context_(context),
        network_(*context.network),
        steps_(steps),
        config_(config),
        plan_(std::move(plan)) {}

  void run() {
    for (const Prefix &address : plan_.add_addresses) {
      steps_.run(
          address_command("add", address, config_.name),
          [&] { network_.add_address(plan_.link.index, address); },
          [this, address] { network_.delete_address(plan_.link.index, address); });
    }
    change_device();
    set_link();
    add_routes();
    set_firewalls();
    remove_routes();
    keep_secondaries();
    for (const Prefix &address : plan_.remove_addresses) {
      steps_.run(
          address_command("delete", address, config_.name),
          [&] { network_.delete_address(plan_.link.index, address); },
          [this, address] { network_.add_address(plan_.link.index, address); });
    }
    if (plan_.set_dns) set_dns(context_, steps_, config_);
    if (plan_.unset_dns) unset_dns(context_, steps_, config_.name);
  }

 private:
  // With an IPv4 address go all others of its network that came later, unless this is set.
  void keep_secondaries() {
    const auto is_ipv4 = [](const Prefix &address) { return address.family == AF_INET; };
    if (std::none_of(plan_.remove_addresses.begin(), plan_.remove_addresses.end(), is_ipv4)) return;
    const std::string path = fmt::format("net/ipv4/conf/{}/promote_secondaries", plan_.link.name);
    if (context_.system->read_sysctl(path) == "1") return;
    // A dot in the name is what sysctl(8) wants written as a slash.
    steps_.run(fmt::format("echo 1 >/proc/sys/{}", path),
               [&] { context_.system->write_sysctl(path, "1"); });
  }

  void change_device() {
    if (is_empty(plan_.change)) return;
    const size_t num_peers = plan_.change.peers.size();
    // A change of several parts may fail halfway.
    steps_.on_failure([this] {
      const Device now = context_.devices.get(config_.name);
      const DeviceChange back = minimal_change(as_change(plan_.device), now);
      if (!is_empty(back)) context_.devices.set(back);
    });
    steps_.run(fmt::format("wgtool set {} # {} peer{} differ{}", config_.name, num_peers,
                           num_peers == 1 ? "" : "s", num_peers == 1 ? "s" : ""),
               [&] { context_.devices.set(plan_.change); });
  }

  void set_link() {
    if (plan_.mtu != plan_.link.mtu) {
      steps_.run(
          fmt::format("ip link set mtu {} dev {}", plan_.mtu, config_.name),
          [&] { network_.set_mtu(plan_.link.index, plan_.mtu); },
          [this] { network_.set_mtu(plan_.link.index, plan_.link.mtu); });
    }
    if (!plan_.link.is_up) {
      steps_.run(fmt::format("ip link set up dev {}", config_.name),
                 [&] { network_.set_up(plan_.link.index); });
    }
  }

  void add_routes() {
    for (const uint16_t family : plan_.add_rules) {
      add_full_rules(context_, steps_, family, plan_.full_table);
      if (family == AF_INET) accept_marks(context_, steps_);
    }
    for (const Route &route : plan_.add_routes) {
      steps_.run(
          route_command("add", route, config_.name), [&] { network_.add_route(route); },
          [this, route] { network_.delete_route(route); });
    }
  }

  void set_firewalls() {
    std::vector<Prefix> addresses;
    for (const Prefix &address : prefixes_of(network_, plan_.link.index)) {
      if (!contains(plan_.remove_addresses, address)) addresses.push_back(address);
    }
    for (const auto &[family, before] : plan_.set_firewalls) {
      set_firewall(context_, steps_, config_.name, family, addresses, plan_.full_table, before);
    }
  }

  void remove_routes() {
    for (const Route &route : plan_.remove_routes) {
      steps_.run(
          route_command("delete", route, config_.name), [&] { network_.delete_route(route); },
          [this, route] { network_.add_route(route); });
    }
    remove_rules(context_, steps_, plan_.remove_rules);
    remove_firewall(context_, steps_, plan_.remove_firewalls);
  }

  Context &context_;
  Network &network_;
  Steps &steps_;
  const QuickConfig &config_;
  Plan plan_;
};

void print_section(Output &out, const std::string &section, const std::vector<std::string> &lines) {
  if (lines.empty()) return;
  out.print(" {}\n", section);
  for (const std::string &line : lines) out.print("{}\n", line);
}

// What is around the device, in words of the file where it has any.
std::vector<std::string> network_lines(const QuickConfig &config, const Plan &plan) {
  std::vector<std::string> lines;
  for (const Prefix &address : plan.remove_addresses)
    lines.push_back("-Address = " + address.text());
  for (const Prefix &address : plan.add_addresses) lines.push_back("+Address = " + address.text());
  if (plan.mtu != plan.link.mtu) {
    lines.push_back(fmt::format("-MTU = {}", plan.link.mtu));
    lines.push_back(fmt::format("+MTU = {}", plan.mtu));
  }
  if (plan.set_dns || plan.unset_dns) {
    lines.emplace_back(plan.set_dns ? "+DNS, as in the file" : "-DNS");
  }
  if (!plan.link.is_up) lines.emplace_back("+Link: up");
  for (const Route &route : plan.remove_routes) {
    lines.push_back("-" + route_text(route, config.name));
  }
  for (const Route &route : plan.add_routes) {
    lines.push_back("+" + route_text(route, config.name));
  }
  for (const Rule &rule : plan.remove_rules) lines.push_back("-" + rule_text(rule));
  for (const uint16_t family : plan.add_rules) {
    for (const Rule &rule : full_rules(family, plan.full_table)) {
      lines.push_back("+" + rule_text(rule));
    }
  }
  for (const std::string &table : plan.remove_firewalls)
    lines.push_back("-Firewall: nft table " + table);
  for (const auto &[family, before] : plan.set_firewalls) {
    lines.push_back(fmt::format("+Firewall: nft table {} {}", family == AF_INET ? "ip" : "ip6",
                                firewall_table(config.name)));
  }
  return lines;
}

int diff(Context &context, const std::string &argument) {
  const QuickConfig config = read_quick_config(argument, context.config_directory);
  context.err.append(config.wg.warnings);
  const Plan plan = Planner(context, config).plan();
  std::vector<Difference> parts = differences(plan.change, plan.device);
  const std::vector<std::string> around = network_lines(config, plan);
  if (parts.empty() && around.empty()) return kSame;
  context.out.print("--- {} (as it is)\n+++ {}\n", config.name, printable(config.path));
  if (!around.empty() && (parts.empty() || parts[0].section != "[Interface]")) {
    parts.insert(parts.begin(), Difference{"[Interface]", {}});
  }
  if (!around.empty()) {
    parts[0].lines.insert(parts[0].lines.end(), around.begin(), around.end());
  }
  for (const Difference &part : parts) print_section(context.out, part.section, part.lines);
  return kDifferent;
}

}  // namespace

int run_apply(Context &context, Arguments arguments) {
  const ParsedOptions options = parse_options(kApplyOptions, arguments);
  if (options.words().size() != 1) throw UsageError();
  const QuickConfig config = read_quick_config(options.words()[0], context.config_directory);
  context.err.append(config.wg.warnings);
  catch_stop_signals();
  const DeviceLock lock(context, config.name, options.has("dry-run"));
  Steps steps(context, options.has("dry-run"));
  Planner planner(context, config);
  Plan plan = planner.plan();
  const bool may_lose_routes = !plan.remove_addresses.empty() && !steps.is_dry_run();
  // These outlive roll_back(), which needs what they know.
  Apply first(context, steps, config, std::move(plan));
  std::optional<Apply> second;
  try {
    first.run();
    // With the last address of a family the kernel takes all its routes away.
    if (may_lose_routes) {
      second.emplace(context, steps, config, planner.plan());
      second->run();
    }
    if (!steps.is_dry_run()) steps.check_signal();
  } catch (const Error &error) {
    Steps::tell(context, error.what());
    if (!steps.roll_back()) {
      throw Error(fmt::format("`{}' is not as it was: see above, and `wgtool diff'", config.name));
    }
    throw Error(fmt::format("`{}' is as it was; everything was taken back", config.name));
  } catch (...) {
    steps.roll_back();
    throw;
  }
  return 0;
}

int run_diff(Context &context, Arguments arguments) {
  try {
    if (arguments.size() != 1) throw Error("diff needs an interface or a file; try --help");
    return diff(context, arguments[0]);
  } catch (const Error &error) {
    context.err.print("{}\n", error.what());
    return kTrouble;
  }
}

}  // namespace wg::tool
