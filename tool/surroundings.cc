// SPDX-License-Identifier: GPL-2.0
#include "surroundings.hh"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "error.hh"
#include "system.hh"
#include "text.hh"

namespace wg::tool {
namespace {

constexpr const char *kResolvconfOrder = "/etc/resolvconf/interface-order";
constexpr const char *kMarkSysctl = "net/ipv4/conf/all/src_valid_mark";
constexpr int kNotFound = 127;

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string with_device(std::string command, const std::string &device) {
  for (size_t at = 0; (at = command.find("%i", at)) != std::string::npos; at += device.size()) {
    command.replace(at, 2, device);
  }
  return command;
}

// Debian's resolvconf orders its records by names, and wants tunnels to have one of its prefixes.
std::string resolvconf_name(System &system, const std::string &device) {
  if (system.is_program_link("resolvconf")) return device;
  std::istringstream order(system.read_text(kResolvconfOrder));
  std::string line;
  while (std::getline(order, line)) {
    const bool is_pattern = line.size() > 1 && line.back() == '*' &&
                            std::all_of(line.begin(), line.end() - 1, [](char c) {
                              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                     (c >= '0' && c <= '9') || c == '-';
                            });
    if (is_pattern) return line.substr(0, line.size() - 1) + "." + device;
  }
  return device;
}

// A device's record is of its namespace: names of devices are, too.
std::string dns_record_path(Context &context, const std::string &device) {
  return fmt::format("/run/wgtool/dns-{}-{}", context.system->namespace_id(), device);
}

// While a program in user space makes the device there is this file: the device's group cannot say
// yet that it is not finished.
std::string start_path(Context &context, const std::string &device) {
  return fmt::format("/run/wgtool/start-{}-{}", context.system->namespace_id(), device);
}

using DnsCommands = std::vector<std::vector<std::string>>;

// What follows the first word of the lines of @record that begin with @key.
std::vector<std::string> record_words(const std::string &record, const std::string &key) {
  std::vector<std::string> found;
  std::istringstream lines(record);
  std::string line, word;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    if (!(words >> word) || word != key) continue;
    while (words >> word) found.push_back(word);
  }
  return found;
}

// Empty without a program that could do it. resolvconf reads the record, resolvectl has it in
// words.
DnsCommands dns_commands(Context &context, const std::string &device, const std::string &record) {
  System &system = *context.system;
  if (system.has_program("resolvconf")) {
    return {{"resolvconf", "-a", resolvconf_name(system, device), "-m", "0", "-x"}};
  }
  if (!system.has_program("resolvectl")) return {};
  DnsCommands commands = {{"resolvectl", "dns", device}, {"resolvectl", "domain", device, "~."}};
  const std::vector<std::string> servers = record_words(record, "nameserver");
  const std::vector<std::string> domains = record_words(record, "search");
  commands[0].insert(commands[0].end(), servers.begin(), servers.end());
  commands[1].insert(commands[1].end(), domains.begin(), domains.end());
  return commands;
}

DnsCommands forget_dns_commands(Context &context, const std::string &device) {
  System &system = *context.system;
  if (system.has_program("resolvconf")) {
    return {{"resolvconf", "-d", resolvconf_name(system, device), "-f"}};
  }
  if (system.has_program("resolvectl")) return {{"resolvectl", "revert", device}};
  return {};
}

// To what was said for @device before: nothing, when @record is empty.
void restore_dns(Context &context, const std::string &device, const std::string &record) {
  const DnsCommands commands =
      record.empty() ? forget_dns_commands(context, device) : dns_commands(context, device, record);
  for (const std::vector<std::string> &command : commands) {
    Steps::tell(context, "[#] " + joined(command));
    run_program(context, command, record);
  }
  const std::string path = dns_record_path(context, device);
  if (record.empty()) {
    context.system->remove_file(path);
  } else {
    context.system->write_text(path, record);
  }
}

// A table of ours as it is, or nothing.
std::string listed_firewall(Context &context, const std::string &table) {
  const size_t space = table.find(' ');
  std::string text;
  const int status = context.system->run_and_read(
      {"nft", "list", "table", table.substr(0, space), table.substr(space + 1)}, text);
  return status == 0 ? text : "";
}

}  // namespace

void run_program(Context &context, const std::vector<std::string> &arguments,
                 std::string_view input) {
  const int status = context.system->run(arguments, input);
  if (status == 0) return;
  if (status == kNotFound) {
    throw Error(fmt::format("`{}' is not installed or not in PATH", printable(arguments[0])));
  }
  throw Error(fmt::format("`{}' failed with status {}", printable(joined(arguments)), status));
}

void run_hooks(Context &context, Steps &steps, const std::vector<std::string> &commands,
               const std::string &device) {
  for (const std::string &command : commands) {
    const std::string text = with_device(command, device);
    steps.run(text, [&] {
      const int status = context.system->run({"bash", "-c", text}, {});
      if (status != 0) {
        throw Error(fmt::format("Hook failed with status {}: `{}'", status, printable(text)));
      }
    });
  }
}

bool run_all_hooks(Context &context, const std::vector<std::string> &commands,
                   const std::string &device) {
  bool all_succeeded = true;
  for (const std::string &command : commands) {
    const std::string text = with_device(command, device);
    Steps::tell(context, "[#] " + text);
    int status = 1;
    try {
      status = context.system->run({"bash", "-c", text}, {});
    } catch (const SystemError &error) {
      Steps::tell(context, std::string("bash: ") + error.what());
    }
    if (status == 0) continue;
    all_succeeded = false;
    Steps::tell(context, fmt::format("Hook failed with status {}: `{}'", status, text));
  }
  return all_succeeded;
}

std::string dns_record(const QuickConfig &config) {
  // Domains to search without a server to ask change nothing.
  if (config.dns_servers.empty()) return {};
  std::string text;
  for (const std::string &server : config.dns_servers) text += "nameserver " + server + "\n";
  if (!config.dns_domains.empty()) text += "search " + joined(config.dns_domains) + "\n";
  return text;
}

std::string read_dns_record(Context &context, const std::string &device) {
  return context.system->read_text(dns_record_path(context, device));
}

std::vector<std::string> dns_devices(Context &context) {
  const std::string prefix = fmt::format("dns-{}-", context.system->namespace_id());
  std::vector<std::string> devices;
  for (const std::string &name : context.system->list_files("/run/wgtool")) {
    if (name.starts_with(prefix)) devices.push_back(name.substr(prefix.size()));
  }
  return devices;
}

void set_dns(Context &context, Steps &steps, const QuickConfig &config) {
  const std::string record = dns_record(config);
  if (record.empty()) return;
  const std::string before = read_dns_record(context, config.name);
  const DnsCommands commands = dns_commands(context, config.name, record);
  if (commands.empty()) {
    throw Error(
        fmt::format("{}: DNS needs resolvconf or resolvectl: install openresolv or "
                    "systemd-resolved, or take DNS out of the file",
                    printable(config.path)));
  }
  const std::string device = config.name;
  // The first of two may have been carried out when the second fails.
  steps.on_failure([&context, device, before] { restore_dns(context, device, before); });
  // Written first, so that `clean' knows of what a kill interrupts.
  if (!steps.is_dry_run()) context.system->write_text(dns_record_path(context, device), record);
  for (const std::vector<std::string> &command : commands) {
    steps.run(joined(command), [&] { run_program(context, command, record); });
  }
}

void unset_dns(Context &context, Steps &steps, const std::string &device) {
  const std::string before = read_dns_record(context, device);
  for (const std::vector<std::string> &command : forget_dns_commands(context, device)) {
    steps.run(
        joined(command), [&] { run_program(context, command, {}); },
        [&context, device, before] { restore_dns(context, device, before); });
  }
  if (!steps.is_dry_run()) context.system->remove_file(dns_record_path(context, device));
}

void try_unset_dns(Context &context, Steps &steps, const std::string &device) {
  try {
    unset_dns(context, steps, device);
  } catch (const Error &error) {
    // The device goes all the same: a name server behind it would be of no use.
    Steps::tell(context, error.what());
    context.system->remove_file(dns_record_path(context, device));
  }
}

std::vector<Rule> own_full_rules(Network &network, uint32_t link_index, uint32_t fwmark) {
  if (fwmark == 0) return {};
  // Another device may have the same mark; the rules belong to whose default route they lead to.
  const std::vector<Route> routes = network.routes(fwmark, link_index);
  std::vector<Rule> rules = find_full_rules(network.rules(), fwmark);
  std::erase_if(rules, [&](const Rule &rule) {
    return std::none_of(routes.begin(), routes.end(), [&](const Route &route) {
      return route.prefix.family == rule.family && route.prefix.cidr == 0;
    });
  });
  return rules;
}

void add_full_rules(Context &context, Steps &steps, uint16_t family, uint32_t table) {
  Network &network = *context.network;
  const std::vector<Rule> present = find_full_rules(network.rules(), table);
  for (const Rule &rule : full_rules(family, table)) {
    const auto is_same = [&rule](const Rule &other) {
      return other.family == rule.family && other.form == rule.form;
    };
    if (std::any_of(present.begin(), present.end(), is_same)) continue;
    const auto added = std::make_shared<Rule>(rule);
    steps.run(
        rule_command("add", rule),
        [&] {
          network.add_rule(rule);
          // The kernel put it first; its priority tells it from equal ones of others.
          for (const Rule &other : network.rules()) {
            if (!is_same(other) || other.mark != rule.mark) continue;
            *added = other;
            break;
          }
        },
        [&context, &network, added] {
          Steps::tell(context, "[#] " + rule_command("delete", *added));
          network.delete_rule(*added);
        });
  }
}

void remove_rules(Context &context, Steps &steps, const std::vector<Rule> &rules) {
  Network &network = *context.network;
  for (const Rule &rule : rules) {
    steps.run(
        rule_command("delete", rule), [&] { network.delete_rule(rule); },
        [&network, rule] { network.add_rule(rule); });
  }
}

void accept_marks(Context &context, Steps &steps) {
  System &system = *context.system;
  // Where it is set there is nothing to write: in a container the file may be read-only.
  const std::string before = system.read_sysctl(kMarkSysctl);
  if (before == "1") return;
  steps.run(
      "sysctl -q net.ipv4.conf.all.src_valid_mark=1",
      [&] { system.write_sysctl(kMarkSysctl, "1"); },
      [&system, before] { system.write_sysctl(kMarkSysctl, before); });
}

void set_firewall(Context &context, Steps &steps, const std::string &device, uint16_t family,
                  const std::vector<Prefix> &addresses, uint32_t mark, const std::string &before) {
  const std::string text = firewall_text(device, family, addresses, mark);
  const std::string table =
      fmt::format("{} {}", family == AF_INET ? "ip" : "ip6", firewall_table(device));
  steps.run(
      fmt::format("nft -f - # table {}", table),
      [&] {
        run_program(context, {"nft", "-f", "-"}, firewall_replacement(table, text));
      },
      [&context, table, before] {
        Steps::tell(context, fmt::format("[#] nft -f - # table {} as before", table));
        run_program(
            context, {"nft", "-f", "-"},
            before.empty() ? "delete table " + table + "\n" : firewall_replacement(table, before));
      });
}

std::vector<std::string> firewall_tables(Context &context) {
  std::vector<std::string> tables;
  std::string output;
  if (!context.system->has_program("nft") ||
      context.system->run_and_read({"nft", "list", "tables"}, output) != 0) {
    return tables;
  }
  std::istringstream lines(output);
  std::string word, family, name;
  while (lines >> word >> family >> name) {
    const bool is_family = family == "ip" || family == "ip6";
    if (is_family) tables.push_back(fmt::format("{} {}", family, name));
  }
  return tables;
}

std::string firewall_name(const std::string &table) {
  return table.substr(table.find(' ') + 1);
}

void remove_firewall(Context &context, Steps &steps, const std::vector<std::string> &tables) {
  for (const std::string &table : tables) {
    const std::string before = steps.is_dry_run() ? "" : listed_firewall(context, table);
    steps.run(
        "nft delete table " + table,
        [&] {
          run_program(context, {"nft", "-f", "-"}, "delete table " + table + "\n");
        },
        [&context, table, before] {
          run_program(context, {"nft", "-f", "-"}, firewall_replacement(table, before));
        });
  }
}

DeviceLock::DeviceLock(Context &context, const std::string &device, bool dry_run)
    : system_(*context.system), handle_(-1) {
  if (dry_run) return;
  const std::string path = fmt::format("/run/wgtool/lock-{}-{}", system_.namespace_id(), device);
  try {
    handle_ = system_.lock(path);
  } catch (const SystemError &error) {
    throw Error(fmt::format("Unable to lock `{}': {}; run as root", path, error.what()));
  }
  if (handle_ < 0) {
    throw LockedError(fmt::format("Another wgtool is at work on `{}': try again when it has ended",
                                  printable(device)));
  }
}

DeviceLock::~DeviceLock() {
  if (handle_ >= 0) system_.unlock(handle_);
}

void note_start(Context &context, const std::string &device) {
  context.system->write_text(start_path(context, device), "");
}

void forget_start(Context &context, const std::string &device) {
  context.system->remove_file(start_path(context, device));
}

bool is_unfinished(Context &context, const Link &link) {
  return link.group == kUnfinishedGroup || context.system->exists(start_path(context, link.name));
}

std::vector<Prefix> prefixes_of(Network &network, uint32_t link_index) {
  std::vector<Prefix> prefixes;
  for (const LinkAddress &address : network.addresses(link_index)) {
    prefixes.push_back(address.prefix);
  }
  return prefixes;
}

Link require_device(Context &context, const std::string &name) {
  const auto link = context.network->find_link(name);
  if (!link) {
    throw Error(fmt::format("There is no interface `{}'; `wgtool up {}' makes it", printable(name),
                            printable(name)));
  }
  const std::vector<std::string> devices = context.devices.list();
  if (std::find(devices.begin(), devices.end(), name) == devices.end()) {
    throw Error(fmt::format("`{}' is not a {} interface, but of kind `{}'", printable(name),
                            context.kind, printable(link->kind.empty() ? "none" : link->kind)));
  }
  return *link;
}

}  // namespace wg::tool
