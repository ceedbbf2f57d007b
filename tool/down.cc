// SPDX-License-Identifier: GPL-2.0
// down: what `up' or wg-quick(8) made, taken away. clean: what was left by one that was killed.
#include <algorithm>

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
  std::vector<std::string> tables = firewall_tables(context);
  std::erase_if(tables, [&](const std::string &table) {
    const std::string name = firewall_name(table);
    return name != firewall_table(link.name) && name != "wg-quick-" + link.name;
  });
  remove_firewall(context, steps, tables);
  steps.run("ip link delete dev " + link.name, [&] {
    context.network->delete_link(link.index);
    forget_start(context, link.name);
  });
}

std::vector<std::string> devices_left(Context &context, const std::string &only) {
  std::vector<std::string> names;
  for (const Link &link : context.network->links()) {
    const bool is_meant = only.empty() || link.name == only;
    if (is_meant && is_unfinished(context, link)) names.push_back(link.name);
  }
  return names;
}

// Whether anybody needs the rules of this mark: a table with routes is somebody's, whatever its
// kind.
bool is_mark_in_use(Context &context, uint32_t mark) {
  if (!context.network->routes(mark, 0).empty()) return true;
  for (const std::string &name : context.devices.list()) {
    try {
      if (context.devices.get(name).fwmark == mark) return true;
    } catch (const SystemError &error) {
      // Gone meanwhile; of any other its rules must not be taken for orphans.
      if (error.error() != ENODEV) throw;
    }
  }
  return false;
}

void remove_orphans(Context &context, Steps &steps, const std::vector<uint32_t> &only) {
  const auto is_alive = [&](uint32_t mark) {
    const bool is_meant = only.empty() || std::find(only.begin(), only.end(), mark) != only.end();
    return !is_meant || is_mark_in_use(context, mark);
  };
  std::vector<Rule> orphans = find_orphans(context.network->rules(), is_alive);
  // One that is alone says nothing of whose it was: it is for a clean of all.
  if (!only.empty()) {
    std::erase_if(orphans, [&](const Rule &rule) {
      return rule.form == Rule::Form::kSuppress &&
             std::none_of(orphans.begin(), orphans.end(), [&](const Rule &other) {
               return other.form == Rule::Form::kNotMark && other.family == rule.family &&
                      other.priority == rule.priority + 1;
             });
    });
  }
  remove_rules(context, steps, orphans);
}

// Tables of devices that are no more.
std::vector<std::string> firewalls_left(Context &context, const std::string &only) {
  std::vector<std::string> tables;
  const std::vector<Link> links = context.network->links();
  for (const std::string &table : firewall_tables(context)) {
    const std::string name = firewall_name(table);
    if (!name.starts_with(firewall_table(""))) continue;
    const bool exists = std::any_of(links.begin(), links.end(), [&](const Link &link) {
      return firewall_table(link.name) == name;
    });
    if (!exists && (only.empty() || firewall_table(only) == name)) tables.push_back(table);
  }
  return tables;
}

// Return: the mark of the device that was left half made, 0 for none.
uint32_t clean_device(Context &context, Steps &steps, const std::string &name) {
  const DeviceLock lock(context, name, steps.is_dry_run());
  const auto link = context.network->find_link(name);
  if (!link || !is_unfinished(context, *link)) return 0;
  uint32_t mark = 0;
  try {
    mark = context.devices.get(name).fwmark;
  } catch (const SystemError &) {
    // Killed before the device was what it was to be: it has no mark, and no rules.
  }
  if (!read_dns_record(context, name).empty()) try_unset_dns(context, steps, name);
  remove_device(context, steps, *link, own_full_rules(*context.network, link->index, mark));
  return mark;
}

}  // namespace

int run_down(Context &context, Arguments arguments) {
  const ParsedOptions options = parse_options(kDownOptions, arguments);
  if (options.words().size() != 1) throw UsageError();
  const QuickConfig config = read_quick_config(options.words()[0], context.config_directory);
  context.err.append(config.wg.warnings);
  catch_stop_signals();
  const DeviceLock lock(context, config.name, options.has("dry-run"));
  Link link = require_device(context, config.name);
  Steps steps(context, options.has("dry-run"));
  run_hooks(context, steps, config.hooks.pre_down, config.name);
  // A hook may have changed the device, or taken it away itself.
  link = require_device(context, config.name);
  const Device device = get_device(context, config.name);
  if (config.save) save_step(context, steps, config, device);
  if (!steps.is_dry_run()) context.network->set_group(link.index, kUnfinishedGroup);
  const bool has_dns =
      !config.dns_servers.empty() || !read_dns_record(context, config.name).empty();
  if (has_dns) try_unset_dns(context, steps, config.name);
  remove_device(context, steps, link, own_full_rules(*context.network, link.index, device.fwmark));
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
  if (!only.empty() && !is_device_name(only)) {
    throw Error(
        fmt::format("clean takes the name of an interface, not of a file: `{}'", printable(only)));
  }
  catch_stop_signals();
  Steps steps(context, options.has("dry-run"));
  std::vector<uint32_t> marks;
  for (const std::string &name : devices_left(context, only)) {
    try {
      const uint32_t mark = clean_device(context, steps, name);
      if (mark != 0) marks.push_back(mark);
    } catch (const LockedError &error) {
      // It is not left behind: somebody is at it.
      Steps::tell(context, error.what());
    }
  }
  remove_firewall(context, steps, firewalls_left(context, only));
  for (const std::string &name : dns_devices(context)) {
    const bool is_meant = only.empty() || name == only;
    if (is_meant && !context.network->find_link(name)) try_unset_dns(context, steps, name);
  }
  if (only.empty()) {
    remove_orphans(context, steps, {});
  } else if (!marks.empty()) {
    remove_orphans(context, steps, marks);
  }
  if (steps.count() == 0) context.err.append("Nothing was left behind\n");
  return 0;
}

}  // namespace wg::tool
