// SPDX-License-Identifier: GPL-2.0
// show: devices, for people and for scripts.
#include "commands.hh"
#include "error.hh"
#include "format.hh"
#include "text.hh"

namespace wg::tool {
namespace {

void show_one(Context &context, const Device &device, const std::string &field,
              std::string_view prefix, const Style &style) {
  if (field.empty()) {
    print_pretty(context.out, device, style);
  } else {
    print_field(context.out, device, field, prefix);
  }
}

int show_interfaces(Context &context) {
  std::string line;
  for (const std::string &name : context.devices.list()) {
    line += (line.empty() ? "" : " ") + printable(name);
  }
  if (!line.empty()) context.out.print("{}\n", line);
  return 0;
}

// One device that cannot be read does not hide the others; only when none can be read
// has the command failed.
int show_all(Context &context, const std::string &field, const Style &style) {
  size_t num_failed = 0;
  const std::vector<std::string> names = context.devices.list();
  for (const std::string &name : names) {
    const std::string shown = printable(name);
    try {
      const Device device = context.devices.get(name);
      show_one(context, device, field, shown + "\t", style);
      if (field.empty() && &name != &names.back()) context.out.append("\n");
    } catch (const SystemError &error) {
      context.err.print("Unable to access interface {}: {}\n", shown, context.text(error));
      ++num_failed;
    }
  }
  return !names.empty() && num_failed == names.size() ? 1 : 0;
}

// Whether a device can be read, after a line for each before it that cannot; if not, the status.
bool any_device(Context &context, int &status) {
  for (const std::string &name : context.devices.list()) {
    try {
      context.devices.get(name);
      return true;
    } catch (const SystemError &error) {
      context.err.print("Unable to access interface {}: {}\n", printable(name),
                        context.text(error));
      status = 1;
    }
  }
  return false;
}

}  // namespace

Device get_device(Context &context, const std::string &name) {
  try {
    return context.devices.get(name);
  } catch (const SystemError &error) {
    throw Error(fmt::format("Unable to access interface: {}", context.text(error)));
  }
}

int run_show(Context &context, Arguments arguments) {
  if (arguments.size() > 2) throw UsageError();
  const std::string name = arguments.empty() ? "all" : arguments[0];
  const std::string field = arguments.size() == 2 ? arguments[1] : "";
  int status = 0;
  if (name == "interfaces") {
    if (arguments.size() == 2) throw UsageError();
    return show_interfaces(context);
  }
  if (arguments.size() == 2 && !is_field(field)) {
    // wg(8) looks at the field once it has a device.
    if (context.as_wg && name != "all") get_device(context, name);
    if (context.as_wg && name == "all" && !any_device(context, status)) return status;
    throw UsageError(fmt::format("Invalid parameter: `{}'", printable(field)));
  }
  const Style style = Style::from_environment();
  if (name == "all") return show_all(context, field, style);
  show_one(context, get_device(context, name), field, {}, style);
  return 0;
}

}  // namespace wg::tool
