// SPDX-License-Identifier: GPL-2.0
// A network and a machine in memory, for tests of up and its like. Tests only.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "error.hh"
#include "network.hh"
#include "system.hh"
#include "test_devices.hh"
#include "tunnel.hh"

namespace wg::tool {

/** What a test throws where kill -9 would end the process. */
struct Killed {};

/** Makes the n-th call that changes something fail, or the process end before it. */
struct Saboteur {
  int fail_at = -1;
  int kill_at = -1;
  int num_acts = 0;
  int num_calls = 0;

  void act() {
    live();
    if (++num_acts == fail_at) throw SystemError(EIO);
  }
  /** For calls that take back, which are not made to fail. */
  void live() {
    if (++num_calls == kill_at) throw Killed();
  }
};

/** Devices that keep what they are told, as the kernel does. */
class MemoryDevices : public Devices {
 public:
  explicit MemoryDevices(Saboteur &saboteur) : saboteur_(saboteur) {}

  std::map<std::string, Device> devices;
  std::vector<DeviceChange> changes;

  std::vector<std::string> list() override {
    std::vector<std::string> names;
    for (const auto &[name, device] : devices) names.push_back(name);
    return names;
  }

  Device get(const std::string &name) override {
    const auto it = devices.find(name);
    if (it == devices.end()) throw SystemError(ENODEV);
    return it->second;
  }

  void set(const DeviceChange &change) override {
    saboteur_.act();
    changes.push_back(change);
    Device &device = devices.at(change.name);
    if (change.private_key) {
      device.private_key = *change.private_key;
      if (!device.private_key.is_zero()) wgc_key_clamp(device.private_key.bytes.data());
      device.public_key = change.private_key->public_key();
    }
    if (change.listen_port) device.listen_port = *change.listen_port;
    if (change.fwmark) device.fwmark = *change.fwmark;
    if (change.replace_peers) device.peers.clear();
    for (const PeerChange &peer : change.peers) set_peer(device, peer);
  }

 private:
  static void set_peer(Device &device, const PeerChange &change) {
    auto it = std::find_if(device.peers.begin(), device.peers.end(),
                           [&](const Peer &peer) { return peer.public_key == change.public_key; });
    if (change.remove) {
      if (it != device.peers.end()) device.peers.erase(it);
      return;
    }
    if (it == device.peers.end()) {
      device.peers.emplace_back();
      it = device.peers.end() - 1;
      it->public_key = change.public_key;
    }
    if (change.preshared_key) it->preshared_key = *change.preshared_key;
    if (change.endpoint) it->endpoint = change.endpoint;
    if (change.keepalive_s) it->keepalive_s = *change.keepalive_s;
    if (change.replace_allowed_ips) it->allowed_ips.clear();
    for (AllowedIp ip : change.allowed_ips) {
      const bool remove = ip.remove;
      ip = network_of(ip);
      ip.remove = false;
      for (Peer &peer : device.peers) {
        if (remove && &peer != &*it) continue;
        std::erase_if(peer.allowed_ips, [&](const AllowedIp &o) { return o.same_prefix(ip); });
      }
      if (!remove) it->allowed_ips.push_back(ip);
    }
  }

  Saboteur &saboteur_;
};

class MemoryNetwork : public Network {
 public:
  MemoryNetwork(MemoryDevices &devices, Saboteur &saboteur)
      : devices_(devices), saboteur_(saboteur) {
    links_.push_back({1, "eth0", "", 0, 1500, true});
  }

  std::vector<Link> links_;
  std::map<uint32_t, std::vector<LinkAddress>> addresses_;
  std::vector<Route> routes_;
  std::vector<Rule> rules_;
  /** Whether the kernel has kinds. */
  bool has_kinds = true;
  std::optional<RouteAnswer> way_out = RouteAnswer{1, 0};

  std::vector<Link> links() override { return links_; }

  void add_link(const std::string &name, const std::string &kind, uint32_t group) override {
    if (!has_kinds) throw SystemError(EOPNOTSUPP);
    saboteur_.act();
    put_link(name, kind, group);
  }

  void put_link(const std::string &name, const std::string &kind, uint32_t group) {
    if (find_link(name)) throw SystemError(EEXIST);
    links_.push_back({next_index_++, name, kind, group, 1420, false});
    devices_.devices[name].name = name;
  }

  void delete_link(uint32_t index) override {
    saboteur_.live();
    devices_.devices.erase(link(index).name);
    std::erase_if(links_, [&](const Link &one) { return one.index == index; });
    std::erase_if(routes_, [&](const Route &one) { return one.link_index == index; });
    addresses_.erase(index);
  }

  void set_mtu(uint32_t index, uint32_t mtu) override {
    saboteur_.act();
    link(index).mtu = mtu;
  }
  void set_up(uint32_t index) override {
    saboteur_.act();
    link(index).is_up = true;
  }
  void set_group(uint32_t index, uint32_t group) override {
    saboteur_.live();
    link(index).group = group;
  }

  std::vector<LinkAddress> addresses(uint32_t index) override { return addresses_[index]; }

  void add_address(uint32_t index, const Prefix &address) override {
    saboteur_.act();
    addresses_[index].push_back({address, false});
    connect(index);
  }

  void delete_address(uint32_t index, const Prefix &address) override {
    saboteur_.act();
    std::erase(addresses_[index], LinkAddress{address, false});
    for (const Route &route : connected_routes({address}, index)) std::erase(routes_, route);
    connect(index);
  }

  std::vector<Route> routes(uint32_t table, uint32_t link_index) override {
    std::vector<Route> found;
    for (const Route &route : routes_) {
      if ((table == 0 || route.table == table) &&
          (link_index == 0 || route.link_index == link_index)) {
        found.push_back(route);
      }
    }
    return found;
  }

  void add_route(const Route &route) override {
    saboteur_.act();
    for (const Route &other : routes_) {
      if (other.table == route.table && other.prefix.same_prefix(route.prefix)) {
        throw SystemError(EEXIST);
      }
    }
    routes_.push_back(route);
  }

  void delete_route(const Route &route) override {
    saboteur_.act();
    if (std::erase(routes_, route) == 0) throw SystemError(ESRCH);
  }

  std::vector<Rule> rules() override { return rules_; }

  // As the kernel does without a priority: right before all others of the family.
  void add_rule(const Rule &rule) override {
    saboteur_.act();
    Rule added = rule;
    added.priority = 32766;
    for (const Rule &other : rules_) {
      if (other.family == rule.family) added.priority = std::min(added.priority, other.priority);
    }
    --added.priority;
    rules_.push_back(added);
  }

  void delete_rule(const Rule &rule) override {
    saboteur_.live();
    std::erase_if(rules_, [&](const Rule &other) {
      return other.family == rule.family && other.priority == rule.priority;
    });
  }

  std::optional<RouteAnswer> route_to(const Endpoint &, uint32_t) override { return way_out; }

  /** All there is, as text. */
  std::string text() {
    std::string text;
    for (const Link &one : links_) {
      text += fmt::format("link {} {} mtu {} up {} group {}\n", one.name, one.kind, one.mtu,
                          one.is_up, one.group);
      for (const LinkAddress &address : addresses_[one.index]) {
        text += "  address " + address.prefix.text() + "\n";
      }
    }
    for (const Route &route : routes_) {
      text += fmt::format("route {} table {} link {}\n", route.prefix.text(), route.table,
                          route.link_index);
    }
    for (const Rule &rule : rules_) {
      text += fmt::format("rule {} {} {}\n", rule.priority, rule.mark, rule.table);
    }
    return text;
  }

 private:
  // Routes to the networks of a link's addresses, each once.
  void connect(uint32_t index) {
    for (const LinkAddress &address : addresses_[index]) {
      for (const Route &route : connected_routes({address.prefix}, index)) {
        if (std::find(routes_.begin(), routes_.end(), route) == routes_.end()) {
          routes_.push_back(route);
        }
      }
    }
  }

  Link &link(uint32_t index) {
    for (Link &one : links_) {
      if (one.index == index) return one;
    }
    throw SystemError(ENODEV);
  }

  MemoryDevices &devices_;
  Saboteur &saboteur_;
  uint32_t next_index_ = 2;
};

/** Runs nothing, remembers all. nft keeps its tables; hooks do nothing. */
class MemorySystem : public System {
 public:
  explicit MemorySystem(Saboteur &saboteur) : saboteur_(saboteur) {}

  std::vector<std::string> commands;
  std::set<std::string> programs = {"nft", "resolvconf", "bash"};
  std::map<std::string, std::string> sysctls = {{"net/ipv4/conf/all/src_valid_mark", "0"}};
  std::map<std::string, std::string> tables;
  std::map<std::string, std::string> dns;
  std::map<std::string, std::string> files;
  std::set<std::string> locks;
  /** What some programs do. */
  std::map<std::string, std::function<void(const std::vector<std::string> &)>> actions;
  /** Programs that take back fail. */
  bool broken_undo = false;
  int signal = 0;

  int run(const std::vector<std::string> &arguments, std::string_view input) override {
    saboteur_.live();
    std::string line;
    for (const std::string &word : arguments) line += (line.empty() ? "" : " ") + word;
    commands.push_back(line);
    if (!programs.contains(arguments[0])) return 127;
    // Taking back must work whatever happens.
    const bool is_undo = line.find("-d ") != std::string::npos ||
                         input.starts_with("delete table") || line.find("down") < line.size();
    if (is_undo && broken_undo) return 1;
    if (!is_undo && ++saboteur_.num_acts == saboteur_.fail_at) return 1;
    if (actions.contains(arguments[0])) actions[arguments[0]](arguments);
    if (arguments[0] == "nft") run_nft(std::string(input));
    if (arguments[0] == "resolvconf" && arguments[1] == "-a") dns[arguments[2]] = input;
    if (arguments[0] == "resolvconf" && arguments[1] == "-d") dns.erase(arguments[2]);
    return 0;
  }

  int run_and_read(const std::vector<std::string> &arguments, std::string &output) override {
    output.clear();
    if (arguments[1] == "list" && arguments[2] == "tables") {
      for (const auto &[name, text] : tables) output += "table " + name + "\n";
    } else {
      output = tables.at(arguments[3] + " " + arguments[4]);
    }
    return 0;
  }

  bool has_program(const std::string &name) override { return programs.contains(name); }
  bool is_program_link(const std::string &) override { return false; }
  std::string environment(const std::string &) override { return {}; }
  std::string read_text(const std::string &path) override {
    const auto it = files.find(path);
    return it == files.end() ? "" : it->second;
  }
  void write_text(const std::string &path, const std::string &text) override { files[path] = text; }
  std::vector<std::string> list_files(const std::string &directory) override {
    std::vector<std::string> names;
    for (const auto &[path, text] : files) {
      if (path.starts_with(directory + "/")) names.push_back(path.substr(directory.size() + 1));
    }
    return names;
  }
  void remove_file(const std::string &path) override { files.erase(path); }
  int lock(const std::string &path) override { return locks.insert(path).second ? 1 : -1; }
  void unlock(int) override { locks.clear(); }
  uint64_t namespace_id() override { return 7; }
  std::string read_sysctl(const std::string &path) override { return sysctls[path]; }
  void write_sysctl(const std::string &path, const std::string &value) override {
    saboteur_.act();
    sysctls[path] = value;
  }
  bool exists(const std::string &path) override { return files.contains(path); }
  int stop_signal() override { return signal; }

  std::string text() {
    std::string text;
    for (const auto &[name, content] : tables) text += "nft " + name + "\n" + content;
    for (const auto &[name, content] : dns) text += "dns " + name + " " + content;
    for (const auto &[name, content] : files) text += "file " + name + " " + content;
    text += "src_valid_mark " + sysctls["net/ipv4/conf/all/src_valid_mark"] + "\n";
    return text;
  }

 private:
  // "table ip X {}\ndelete table ip X\ntable ip X {...", or "delete table ip X".
  void run_nft(const std::string &input) {
    const auto name_at = [&](size_t at) {
      const size_t family = at + std::string_view("table ").size();
      const size_t end = input.find_first_of(" \n", input.find(' ', family) + 1);
      return input.substr(family, end - family);
    };
    if (input.starts_with("delete table ")) {
      tables.erase(name_at(std::string_view("delete ").size()));
      return;
    }
    const size_t last = input.rfind("\ntable ") + 1;
    tables[name_at(last)] = input.substr(last);
  }

  Saboteur &saboteur_;
};

}  // namespace wg::tool
