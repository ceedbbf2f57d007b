// SPDX-License-Identifier: GPL-2.0
#include "surroundings.hh"

#include <unistd.h>

#include <algorithm>
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

void run_dns_program(Context &context, Steps &steps, const std::vector<std::string> &arguments,
                     const std::string &input, Steps::Action undo) {
  steps.run(
      joined(arguments), [&] { run_program(context, arguments, input); }, std::move(undo));
}

void forget_dns(Context &context, const std::vector<std::string> &arguments) {
  context.err.print("[#] {}\n", joined(arguments));
  context.err.flush(STDERR_FILENO);
  run_program(context, arguments, {});
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
    context.err.print("[#] {}\n", printable(text));
    context.err.flush(STDERR_FILENO);
    int status = 1;
    try {
      status = context.system->run({"bash", "-c", text}, {});
    } catch (const SystemError &error) {
      context.err.print("bash: {}\n", error.what());
    }
    if (status == 0) continue;
    all_succeeded = false;
    context.err.print("Hook failed with status {}: `{}'\n", status, printable(text));
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

void set_dns(Context &context, Steps &steps, const QuickConfig &config) {
  const std::string record = dns_record(config);
  if (record.empty()) return;
  System &system = *context.system;
  const std::string path = dns_record_path(context, config.name);
  if (system.has_program("resolvconf")) {
    const std::string name = resolvconf_name(system, config.name);
    run_dns_program(context, steps, {"resolvconf", "-a", name, "-m", "0", "-x"}, record,
                    [&context, name, path] {
                      context.system->remove_file(path);
                      forget_dns(context, {"resolvconf", "-d", name, "-f"});
                    });
  } else if (system.has_program("resolvectl")) {
    std::vector<std::string> servers = {"resolvectl", "dns", config.name};
    servers.insert(servers.end(), config.dns_servers.begin(), config.dns_servers.end());
    std::vector<std::string> domains = {"resolvectl", "domain", config.name, "~."};
    domains.insert(domains.end(), config.dns_domains.begin(), config.dns_domains.end());
    const std::string name = config.name;
    run_dns_program(context, steps, servers, {}, [&context, name, path] {
      context.system->remove_file(path);
      forget_dns(context, {"resolvectl", "revert", name});
    });
    run_dns_program(context, steps, domains, {}, {});
  } else {
    throw Error(
        fmt::format("{}: DNS needs resolvconf or resolvectl: install openresolv or "
                    "systemd-resolved, or take DNS out of the file",
                    printable(config.path)));
  }
  if (!steps.is_dry_run()) system.write_text(path, record);
}

void unset_dns(Context &context, Steps &steps, const std::string &device) {
  System &system = *context.system;
  if (system.has_program("resolvconf")) {
    run_dns_program(context, steps, {"resolvconf", "-d", resolvconf_name(system, device), "-f"}, {},
                    {});
  } else if (system.has_program("resolvectl")) {
    run_dns_program(context, steps, {"resolvectl", "revert", device}, {}, {});
  }
  if (!steps.is_dry_run()) system.remove_file(dns_record_path(context, device));
}

void add_full_rules(Context &context, Steps &steps, uint16_t family, uint32_t table) {
  const std::vector<Rule> present = find_full_rules(context.network->rules(), table);
  for (const Rule &rule : full_rules(family, table)) {
    const auto is_same = [&](const Rule &other) {
      return other.family == family && other.form == rule.form;
    };
    if (std::any_of(present.begin(), present.end(), is_same)) continue;
    Network &network = *context.network;
    steps.run(
        rule_command("add", rule), [&] { network.add_rule(rule); },
        [&context, table] {
          // By the priority that the kernel gave it: others may have added equal ones.
          for (const Rule &ours : find_full_rules(context.network->rules(), table)) {
            context.err.print("[#] {}\n", rule_command("delete", ours));
            context.network->delete_rule(ours);
          }
        });
  }
}

void remove_rules(Context &context, Steps &steps, const std::vector<Rule> &rules) {
  for (const Rule &rule : rules) {
    steps.run(rule_command("delete", rule), [&] { context.network->delete_rule(rule); });
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
                  const std::vector<Prefix> &addresses, uint32_t mark) {
  const std::string text = firewall_text(device, family, addresses, mark);
  const std::string table =
      fmt::format("{} {}", family == AF_INET ? "ip" : "ip6", firewall_table(device));
  steps.run(
      fmt::format("nft -f - # table {}", table),
      [&] {
        run_program(context, {"nft", "-f", "-"}, firewall_replacement(device, family, text));
      },
      [&context, table] {
        context.err.print("[#] nft delete table {}\n", table);
        context.err.flush(STDERR_FILENO);
        run_program(context, {"nft", "-f", "-"}, "delete table " + table + "\n");
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
    if (is_family && name.starts_with(firewall_table(""))) tables.push_back(family + " " + name);
  }
  return tables;
}

void remove_firewall(Context &context, Steps &steps, const std::string &device,
                     const std::vector<std::string> &tables) {
  for (const std::string &table : tables) {
    if (table.substr(table.find(' ') + 1) != firewall_table(device)) continue;
    steps.run("nft delete table " + table, [&] {
      run_program(context, {"nft", "-f", "-"}, "delete table " + table + "\n");
    });
  }
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
