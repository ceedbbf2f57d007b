// SPDX-License-Identifier: GPL-2.0
// up: make a device and all that its file asks for, or nothing.
#include <unistd.h>

#include <algorithm>

#include "error.hh"
#include "surroundings.hh"
#include "system.hh"
#include "text.hh"
#include "up.hh"

namespace wg::tool {
namespace {

constexpr const char *kDefaultUserspace = "wireguard-go";

class Up {
 public:
  Up(Context &context, Steps &steps, const QuickConfig &config, bool compensate)
      : context_(context),
        network_(*context.network),
        steps_(steps),
        config_(config),
        change_(config.wg.change),
        compensate_(compensate) {}

  void run() {
    // Taken back last, as `down' does it last.
    steps_.on_failure([this] {
      if (hooks_began_) run_all_hooks(context_, config_.hooks.post_down, config_.name);
    });
    add_link();
    hooks(config_.hooks.pre_up);
    configure();
    add_addresses();
    start();
    set_dns(context_, steps_, config_);
    add_routes();
    if (!config_.hooks.post_up.empty()) {
      steps_.on_failure([this] {
        if (compensate_) run_all_hooks(context_, config_.hooks.pre_down, config_.name);
      });
    }
    hooks(config_.hooks.post_up);
    if (!steps_.is_dry_run()) steps_.check_signal();
    finish();
  }

 private:
  void hooks(const std::vector<std::string> &commands) {
    hooks_began_ |= compensate_ && !commands.empty();
    run_hooks(context_, steps_, commands, config_.name);
  }

  void add_link() {
    // Also when what follows the link's creation fails; but not the link of somebody else.
    steps_.on_failure([this] {
      const auto link = network_.find_link(config_.name);
      if (!is_link_ours_) return;
      if (link) {
        Steps::tell(context_, "[#] ip link delete dev " + config_.name);
        network_.delete_link(link->index);
      }
      forget_start(context_, config_.name);
    });
    steps_.run(fmt::format("ip link add {} type {}", config_.name, context_.kind), [this] {
      try {
        network_.add_link(config_.name, context_.kind, kUnfinishedGroup);
        is_link_ours_ = true;
      } catch (const SystemError &error) {
        if (error.error() != EOPNOTSUPP) throw;
        start_userspace();
      }
      link_index_ = require_device(context_, config_.name).index;
    });
  }

  // For machines whose kernel has no such kind, as wg-quick(8) does it.
  void start_userspace() {
    System &system = *context_.system;
    std::string program = system.environment("WG_QUICK_USERSPACE_IMPLEMENTATION");
    if (program.empty()) program = kDefaultUserspace;
    if (system.exists("/sys/module/" + context_.kind) || !system.has_program(program)) {
      throw Error(
          fmt::format("The kernel has no link kind `{}': load the module (modprobe wgpp or "
                      "modprobe wireguard), or install {}",
                      context_.kind, kDefaultUserspace));
    }
    Steps::tell(context_, fmt::format("[!] The kernel has no link kind `{}'; taking the slower {}",
                                      context_.kind, program));
    Steps::tell(context_, fmt::format("[#] {} {}", program, config_.name));
    is_link_ours_ = true;
    note_start(context_, config_.name);
    run_program(context_, {program, config_.name}, {});
    const auto link = network_.find_link(config_.name);
    if (!link) throw Error(fmt::format("{} made no `{}'", printable(program), config_.name));
    network_.set_group(link->index, kUnfinishedGroup);
    forget_start(context_, config_.name);
  }

  void configure() {
    steps_.run(fmt::format("wgtool addconf {} {}", config_.name, config_.path), [this] {
      resolve_endpoints(change_, [this] { steps_.check_signal(); });
      context_.devices.set(change_);
    });
  }

  void add_addresses() {
    for (const Prefix &address : config_.addresses) {
      steps_.run(address_command("add", address, config_.name), [&] {
        try {
          network_.add_address(link_index_, address);
        } catch (const SystemError &error) {
          if (address.family == AF_INET6 && error.error() == EACCES) {
            throw Error(
                fmt::format("IPv6 is disabled for {}: set net.ipv6.conf.{}.disable_ipv6=0, "
                            "or take {} out of {}",
                            config_.name, config_.name, address.text(), config_.path));
          }
          throw;
        }
      });
    }
  }

  void start() {
    uint32_t mtu = 0;
    if (config_.mtu) {
      mtu = *config_.mtu;
    } else {
      mtu = choose_mtu(network_, endpoints(), change_.fwmark.value_or(0));
    }
    steps_.run(fmt::format("ip link set mtu {} up dev {}", mtu, config_.name), [&] {
      network_.set_mtu(link_index_, mtu);
      try {
        network_.set_up(link_index_);
      } catch (const SystemError &error) {
        if (error.error() != EADDRINUSE) throw;
        throw Error(fmt::format(
            "Another program has the UDP port of {}: give it another ListenPort", config_.name));
      }
    });
  }

  // As the device has them: hooks may have added some.
  std::vector<Endpoint> endpoints() {
    std::vector<Endpoint> found;
    if (steps_.is_dry_run()) {
      for (const PeerChange &peer : change_.peers) {
        std::vector<Endpoint> endpoints;
        if (peer.endpoint) found.push_back(*peer.endpoint);
        if (peer.endpoint_name && resolve_endpoint(endpoints, *peer.endpoint_name) == 0) {
          found.push_back(endpoints[0]);
        }
      }
      return found;
    }
    for (const Peer &peer : context_.devices.get(config_.name).peers) {
      if (peer.endpoint) found.push_back(*peer.endpoint);
    }
    return found;
  }

  void add_routes() {
    uint32_t fwmark = change_.fwmark.value_or(0);
    std::vector<Prefix> prefixes, addresses = config_.addresses;
    std::vector<Route> present;
    if (steps_.is_dry_run()) {
      prefixes = allowed_prefixes(change_.peers);
      present = connected_routes(config_.addresses, link_index_);
    } else {
      const Device device = context_.devices.get(config_.name);
      fwmark = device.fwmark;
      prefixes = allowed_prefixes(device.peers);
      present = network_.routes(kMainTable, link_index_);
      addresses = prefixes_of(network_, link_index_);
    }
    const Routing routing = plan_routing(config_.table, prefixes, link_index_, fwmark, present,
                                         [this](uint32_t table) { return is_used(table); });
    if (routing.full_table != 0 && fwmark == 0) set_fwmark(routing.full_table);
    for (const Route &route : routing.routes) {
      const bool is_full = routing.full_table != 0 && route.prefix.cidr == 0;
      if (is_full) add_full_rules(context_, steps_, route.prefix.family, routing.full_table);
      add_route(route);
      if (!is_full) continue;
      if (route.prefix.family == AF_INET) accept_marks(context_, steps_);
      set_firewall(context_, steps_, config_.name, route.prefix.family, addresses,
                   routing.full_table);
    }
  }

  bool is_used(uint32_t table) {
    const std::vector<Rule> rules = network_.rules();
    return !network_.routes(table, 0).empty() ||
           std::any_of(rules.begin(), rules.end(),
                       [&](const Rule &rule) { return rule.table == table; });
  }

  void set_fwmark(uint32_t mark) {
    steps_.run(fmt::format("wgtool set {} fwmark {}", config_.name, mark), [&] {
      DeviceChange change;
      change.name = config_.name;
      change.fwmark = mark;
      context_.devices.set(change);
    });
  }

  void add_route(const Route &route) {
    steps_.run(route_command("add", route, config_.name), [&] {
      try {
        network_.add_route(route);
      } catch (const SystemError &error) {
        if (error.error() != EEXIST) throw;
        throw Error(
            fmt::format("There is another route to {} already (`ip route show {}'): take "
                        "it away, or the prefix out of AllowedIPs, or use Table",
                        route.prefix.text(), route.prefix.text()));
      }
    });
  }

  // From here on it is a device like any other.
  void finish() {
    if (steps_.is_dry_run()) return;
    const auto link = network_.find_link(config_.name);
    if (!link) throw Error(fmt::format("`{}' is gone: somebody took it away", config_.name));
    if (link->group == kUnfinishedGroup) network_.set_group(link->index, 0);
  }

  Context &context_;
  Network &network_;
  Steps &steps_;
  const QuickConfig &config_;
  DeviceChange change_;
  bool compensate_;
  bool hooks_began_ = false;
  bool is_link_ours_ = false;
  uint32_t link_index_ = 0;
};

void refuse_existing(Context &context, const std::string &name) {
  const auto link = context.network->find_link(name);
  if (!link) return;
  if (is_unfinished(context, *link)) {
    throw Error(fmt::format("`{}' was left half made or half taken down: run `wgtool clean {}'",
                            printable(name), printable(name)));
  }
  throw Error(
      fmt::format("`{}' already exists: `wgtool apply {}' brings it to its file, `wgtool "
                  "down {}' takes it down",
                  printable(name), printable(name), printable(name)));
}

// @compensate: run PreDown and PostDown when hooks ran and a later step fails.
void bring_up(Context &context, Steps &steps, const QuickConfig &config, bool compensate) {
  Up up(context, steps, config, compensate);
  try {
    up.run();
  } catch (const Error &error) {
    Steps::tell(context, error.what());
    const bool is_all_back = steps.roll_back();
    throw Error(fmt::format("`{}' is not up; {}", config.name,
                            is_all_back ? "everything was taken back"
                                        : "something is left: see above, and run `wgtool clean'"));
  } catch (...) {
    steps.roll_back();
    throw;
  }
}

}  // namespace

int run_up(Context &context, Arguments arguments) {
  const ParsedOptions options = parse_options(kUpOptions, arguments);
  if (options.words().size() != 1) throw UsageError();
  const QuickConfig config = read_quick_config(options.words()[0], context.config_directory);
  context.err.append(config.wg.warnings);
  catch_stop_signals();
  const DeviceLock lock(context, config.name, options.has("dry-run"));
  refuse_existing(context, config.name);
  Steps steps(context, options.has("dry-run"));
  bring_up(context, steps, config, !options.has("no-hooks-on-fail"));
  return 0;
}

}  // namespace wg::tool
