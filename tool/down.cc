// SPDX-License-Identifier: GPL-2.0
// down: what `up' or wg-quick(8) made, taken away. clean: what was left by one that was killed.
#include <algorithm>
#include <set>

#include "error.hh"
#include "save.hh"
#include "surroundings.hh"
#include "system.hh"
#include "text.hh"
#include "up.hh"

namespace wg::tool {
namespace {

// The device and what is around it, except DNS. The link goes last: until then it says that this
// has not come to its end.
void remove_device(Context &context, Steps &steps, const Link &link,
                   const std::vector<Rule> &rules) {
  remove_rules(context, steps, rules);
  remove_firewall(context, steps, link.name, firewall_tables(context));
  steps.run("ip link delete dev " + link.name, [&] { context.network->delete_link(link.index); });
}

std::vector<std::string> devices_left(Context &context, const std::string &only) {
  std::vector<std::string> names;
  for (const Link &link : context.network->links()) {
    const bool is_meant = only.empty() || link.name == only;
    if (is_meant && link.group == kUnfinishedGroup) names.push_back(link.name);
  }
  return names;
}

std::vector<uint32_t> marks_in_use(Context &context) {
  std::vector<uint32_t> marks;
  for (const std::string &name : context.devices.list()) {
    try {
      marks.push_back(context.devices.get(name).fwmark);
    } catch (const SystemError &error) {
      // Gone meanwhile; of any other its rules must not be taken for orphans.
      if (error.error() != ENODEV) throw;
    }
  }
  return marks;
}

// Tables of devices that are no more. Return: their names.
std::set<std::string> firewalls_left(Context &context, const std::string &only) {
  std::set<std::string> devices;
  const std::vector<Link> links = context.network->links();
  for (const std::string &table : firewall_tables(context)) {
    const std::string device = table.substr(table.find(' ') + 1 + firewall_table("").size());
    const bool exists = std::any_of(links.begin(), links.end(),
                                    [&](const Link &link) { return link.name == device; });
    if (!exists && (only.empty() || device == only)) devices.insert(device);
  }
  return devices;
}

}  // namespace

int run_down(Context &context, Arguments arguments) {
  const ParsedOptions options = parse_options(kDownOptions, arguments);
  if (options.words().size() != 1) throw UsageError();
  const QuickConfig config = read_quick_config(options.words()[0], context.config_directory);
  context.err.append(config.wg.warnings);
  const Link link = require_device(context, config.name);
  catch_stop_signals();
  Steps steps(context, options.has("dry-run"));
  run_hooks(context, steps, config.hooks.pre_down, config.name);
  // A hook may have taken the device away itself.
  const Device device = get_device(context, config.name);
  if (config.save) save_step(context, steps, config, device);
  if (!steps.is_dry_run()) context.network->set_group(link.index, kUnfinishedGroup);
  if (!config.dns_servers.empty()) unset_dns(context, steps, config.name);
  remove_device(context, steps, link, find_full_rules(context.network->rules(), device.fwmark));
  if (steps.is_dry_run()) {
    run_hooks(context, steps, config.hooks.post_down, config.name);
    return 0;
  }
  // The device is gone whatever these say.
  return run_all_hooks(context, config.hooks.post_down, config.name) ? 0 : 1;
}

int run_clean(Context &context, Arguments arguments) {
  const ParsedOptions options = parse_options(kCleanOptions, arguments);
  if (options.words().size() > 1) throw UsageError();
  const std::string only = options.words().empty() ? "" : options.words()[0];
  catch_stop_signals();
  Steps steps(context, options.has("dry-run"));
  for (const std::string &name : devices_left(context, only)) {
    const auto link = context.network->find_link(name);
    if (!link) continue;
    std::vector<Rule> rules;
    try {
      rules = find_full_rules(context.network->rules(), context.devices.get(name).fwmark);
    } catch (const SystemError &) {
      // Killed before the device was what it was to be: it has no mark, and no rules.
    }
    unset_dns(context, steps, name);
    remove_device(context, steps, *link, rules);
  }
  for (const std::string &name : firewalls_left(context, only)) {
    unset_dns(context, steps, name);
    remove_firewall(context, steps, name, firewall_tables(context));
  }
  remove_rules(context, steps, find_orphans(context.network->rules(), marks_in_use(context)));
  if (steps.count() == 0) context.err.append("Nothing was left behind\n");
  return 0;
}

}  // namespace wg::tool
