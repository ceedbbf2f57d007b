// SPDX-License-Identifier: GPL-2.0
// show: devices, for people and for scripts.
#include <poll.h>

#include <algorithm>

#include "brief.hh"
#include "commands.hh"
#include "error.hh"
#include "format.hh"
#include "json.hh"
#include "names.hh"
#include "text.hh"
#include "view.hh"
#include "view_options.hh"

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

void tell_failure(Context &context, const std::string &name, const SystemError &error) {
  if (context.as_wg) {
    context.err.print("Unable to access interface {}: {}\n", printable(name), context.text(error));
  } else {
    context.err.print("{}\n", device_error(context, name, Access::kRead, error).what());
  }
}

// One device that cannot be read does not hide the others; only when none can be read
// has the command failed.
int show_all(Context &context, const std::string &field, const Style &style) {
  size_t num_failed = 0;
  const std::vector<std::string> names = context.devices.list();
  for (const std::string &name : names) {
    try {
      const Device device = context.devices.get(name);
      show_one(context, device, field, printable(name) + "\t", style);
      if (field.empty() && &name != &names.back()) context.out.append("\n");
    } catch (const SystemError &error) {
      tell_failure(context, name, error);
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
      tell_failure(context, name, error);
      status = 1;
    }
  }
  return false;
}

// What wg(8) has: the output is the same to the byte.
int show_as_wg(Context &context, Arguments words) {
  if (words.size() > 2) throw UsageError();
  const std::string name = words.empty() ? "all" : words[0];
  const std::string field = words.size() == 2 ? words[1] : "";
  int status = 0;
  if (name == "interfaces") {
    if (words.size() == 2) throw UsageError();
    return show_interfaces(context);
  }
  if (words.size() == 2 && !is_field(field)) {
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

enum class Form { kPretty, kBrief, kOneline, kJson };

bool is_json(const ParsedOptions &parsed) {
  return parsed.has("json") || parsed.has("pretty");
}

Form choose_form(const ParsedOptions &parsed) {
  if (is_json(parsed) + parsed.has("brief") + parsed.has("oneline") > 1) {
    throw UsageError("JSON, --brief and --oneline are different forms: choose one");
  }
  if (is_json(parsed)) return Form::kJson;
  if (parsed.has("brief")) return Form::kBrief;
  return parsed.has("oneline") ? Form::kOneline : Form::kPretty;
}

// The devices that are asked for and can be read.
class Reader {
 public:
  Reader(Context &context, const std::string &name) : context_(context), is_all_(name == "all") {
    names_ = is_all_ ? context.devices.list() : std::vector<std::string>{name};
  }

  // Return: the devices, each with the time at which it was read.
  std::vector<std::pair<Device, double>> read(bool tells_failures) {
    std::vector<std::pair<Device, double>> devices;
    for (const std::string &name : names_) {
      try {
        Device device = is_all_ ? context_.devices.get(name) : get_device(context_, name);
        devices.emplace_back(std::move(device), steady_seconds());
      } catch (const SystemError &error) {
        if (tells_failures) tell_failure(context_, name, error);
      }
    }
    return devices;
  }

  bool has_failed(size_t num_read) const { return num_read == 0 && !names_.empty(); }

 private:
  Context &context_;
  bool is_all_;
  std::vector<std::string> names_;
};

std::map<std::string, SeenDevice> observe_all(const std::vector<std::pair<Device, double>> &devices,
                                              const std::map<std::string, SeenDevice> &before,
                                              int64_t now_s, int64_t stale_s) {
  std::map<std::string, SeenDevice> seen;
  for (const auto &[device, at_s] : devices) {
    const auto it = before.find(device.name);
    seen[device.name] =
        observe(device, it == before.end() ? nullptr : &it->second, now_s, at_s, stale_s);
  }
  return seen;
}

void sleep_seconds(double seconds) {
  constexpr double kMilliseconds = 1000;
  poll(nullptr, 0, static_cast<int>(seconds * kMilliseconds));
}

void print_views(Output &out, const std::vector<DeviceView> &views, Form form, const Style &style,
                 const ParsedOptions &parsed) {
  if (form == Form::kJson) {
    print_devices_json(out, views, style.now_s, {parsed.has("pretty"), parsed.has("show-keys")});
  } else if (form == Form::kBrief) {
    print_brief(out, views, style);
  } else {
    for (const DeviceView &view : views) {
      if (form == Form::kOneline) {
        print_oneline(out, view, style);
      } else {
        if (!out.text().empty()) out.append("\n");
        print_pretty(out, view, style);
      }
    }
  }
}

// Devices in which nothing is left are no answer to who asked for peers.
void drop_empty(std::vector<DeviceView> &views) {
  views.erase(std::remove_if(views.begin(), views.end(),
                             [](const DeviceView &view) { return view.peers.empty(); }),
              views.end());
}

int show_views(Context &context, const std::string &name, const ParsedOptions &parsed) {
  const Form form = choose_form(parsed);
  const ViewOptions options =
      view_options(parsed, form == Form::kJson ? SortKey::kNone : SortKey::kAge);
  const double rate_s = seconds_option(parsed, "rate", 1);
  Style style = Style::from_environment();
  style.color = choose_color(parsed.value("color"));
  if (parsed.has("show-keys")) style.hide_keys = false;
  NameSource names(name_options(parsed, context.config_directory));

  Reader reader(context, name);
  std::map<std::string, SeenDevice> before;
  if (parsed.has("rate")) {
    before = observe_all(reader.read(false), {}, wall_seconds(), options.stale_s);
    sleep_seconds(rate_s);
  }
  const auto devices = reader.read(true);
  style.now_s = wall_seconds();
  const auto now = observe_all(devices, before, style.now_s, options.stale_s);

  std::vector<DeviceView> views;
  for (const auto &[device, at_s] : devices) {
    const auto it = before.find(device.name);
    views.push_back(make_view(device, names.names(device.name, context.err),
                              it == before.end() ? nullptr : &it->second, now.at(device.name),
                              options));
  }
  if (!options.peer.empty() || options.state) drop_empty(views);
  print_views(context.out, views, form, style, parsed);
  if (!options.peer.empty() && views.empty() && !devices.empty()) {
    context.err.print("No peer has this name or beginning of a public key{}: `{}'\n",
                      options.state ? ", and this state" : "", printable(options.peer));
    return 1;
  }
  return reader.has_failed(devices.size()) ? 1 : 0;
}

// Options say how to print for people and in JSON; what scripts read has one form.
void refuse_options(const ParsedOptions &parsed) {
  for (const Option &option : kShowOptions) {
    if (parsed.has(option.name)) {
      throw UsageError(
          fmt::format("A field is printed in one form only, without --{}; --json has "
                      "all fields",
                      option.name));
    }
  }
}

}  // namespace

Device get_device(Context &context, const std::string &name) {
  try {
    return context.devices.get(name);
  } catch (const SystemError &error) {
    throw device_error(context, name, Access::kRead, error);
  }
}

int run_show(Context &context, Arguments arguments) {
  if (context.as_wg) return show_as_wg(context, arguments);
  const ParsedOptions parsed = parse_options(kShowOptions, arguments);
  const Arguments words = parsed.words();
  const std::string name = words.empty() ? "all" : words[0];
  if (words.size() > 1) {
    refuse_options(parsed);
    return show_as_wg(context, words);
  }
  if (name != "interfaces") return show_views(context, name, parsed);
  if (is_json(parsed)) {
    print_names_json(context.out, context.devices.list(), {parsed.has("pretty"), false});
    return 0;
  }
  refuse_options(parsed);
  return show_as_wg(context, words);
}

}  // namespace wg::tool
