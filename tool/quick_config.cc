// SPDX-License-Identifier: GPL-2.0
#include "quick_config.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "error.hh"
#include "io.hh"
#include "text.hh"

namespace wg::tool {
namespace {

constexpr uint32_t kMinMtu = 68;
constexpr uint32_t kMinMtuIpv6 = 1280;
constexpr uint32_t kMaxMtu = 65535;

constexpr std::array<std::string_view, 9> kQuickKeys = {
    "Address", "DNS", "MTU", "Table", "PreUp", "PostUp", "PreDown", "PostDown", "SaveConfig"};

SecretBytes without_blanks(std::string_view text) {
  SecretBytes compact;
  std::copy_if(text.begin(), text.end(), std::back_inserter(compact),
               [](char c) { return !is_blank(c); });
  return compact;
}

// A line, its newline left out; takes it off @text.
std::string_view take_line(std::string_view &text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// Follows the sections of a file, line by line.
class SectionTracker {
 public:
  // Return: whether @line is in [Interface] and no heading.
  bool in_interface(std::string_view line) {
    const SecretBytes compact = without_blanks(line.substr(0, line.find('#')));
    const std::string_view word = view(compact);
    if (word.starts_with('[')) {
      interface_ = equals_caseless(word, "[Interface]");
      return false;
    }
    return interface_;
  }

 private:
  bool interface_ = false;
};

struct Setting {
  std::string_view name;
  std::string_view value;
};

// Splits NAME = VALUE; a comment is cut off @value unless it may belong to a command.
std::optional<Setting> split_setting(std::string_view line) {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos || line.find('#') < equals) return std::nullopt;
  return Setting{trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1))};
}

std::string_view without_comment(std::string_view value) {
  return trimmed(value.substr(0, value.find('#')));
}

std::vector<std::string> split_list(std::string_view value) {
  std::vector<std::string> items;
  std::string item;
  for (const char c : value) {
    if (c != ',' && !is_blank(c)) {
      item += c;
    } else if (!item.empty()) {
      items.push_back(std::move(item));
      item.clear();
    }
  }
  if (!item.empty()) items.push_back(std::move(item));
  return items;
}

bool is_ip_address(const std::string &text) {
  in6_addr ignored;
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

Prefix parse_address(const std::string &item) {
  // Bits behind the length are what makes it an address, hence no warning of them.
  PeerChange scratch;
  std::string ignored;
  try {
    if (item.starts_with('+') || item.starts_with('-')) throw Error("sign");
    parse_allowed_ips(scratch, ignored, item);
  } catch (const Error &) {
    throw Error(
        fmt::format("Address is not ADDRESS/LENGTH: `{}'; write it in full, as "
                    "192.0.2.1/24 or 2001:db8::1/64",
                    printable(item)));
  }
  return scratch.allowed_ips.at(0);
}

std::string parse_domain(const std::string &item) {
  const bool is_plain = std::all_of(item.begin(), item.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
  });
  if (!is_plain) {
    throw Error(
        fmt::format("DNS takes addresses of servers and domains to search: `{}'", printable(item)));
  }
  return item;
}

// Names of tables, as ip(8) has them.
std::optional<uint32_t> find_table_name(std::string_view name) {
  if (name == "main") return 254;
  if (name == "default") return 253;
  if (name == "local") return 255;
  for (const char *path : {"/etc/iproute2/rt_tables", "/usr/share/iproute2/rt_tables"}) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream words(line.substr(0, line.find('#')));
      std::string number, other;
      if (!(words >> number >> other) || other != name) continue;
      const auto id = parse_decimal(number, UINT32_MAX);
      if (id) return static_cast<uint32_t>(*id);
    }
  }
  return std::nullopt;
}

RouteTable parse_table(std::string_view value) {
  if (value == "auto") return {};
  if (value == "off") return {RouteTable::Mode::kOff, 0};
  std::optional<uint32_t> id;
  if (const auto number = parse_decimal(value, UINT32_MAX); number && *number != 0) {
    id = static_cast<uint32_t>(*number);
  } else if (!number) {
    id = find_table_name(value);
  }
  if (!id) {
    throw Error(
        fmt::format("Table is auto, off, a number from 1 to 4294967295 or a name of "
                    "/etc/iproute2/rt_tables: `{}'",
                    printable(value)));
  }
  return {RouteTable::Mode::kGiven, *id};
}

uint32_t parse_mtu(std::string_view value) {
  const auto mtu = parse_decimal(value, kMaxMtu);
  if (!mtu || *mtu < kMinMtu) {
    throw Error(
        fmt::format("MTU is not a number from {} to {}: `{}'", kMinMtu, kMaxMtu, printable(value)));
  }
  return static_cast<uint32_t>(*mtu);
}

bool parse_bool(std::string_view name, std::string_view value) {
  if (value == "true") return true;
  if (value == "false") return false;
  throw Error(fmt::format("{} is true or false: `{}'", name, printable(value)));
}

std::vector<std::string> *find_hooks(Hooks &hooks, std::string_view name) {
  if (equals_caseless(name, "PreUp")) return &hooks.pre_up;
  if (equals_caseless(name, "PostUp")) return &hooks.post_up;
  if (equals_caseless(name, "PreDown")) return &hooks.pre_down;
  if (equals_caseless(name, "PostDown")) return &hooks.post_down;
  return nullptr;
}

void parse_quick_setting(QuickConfig &config, std::string_view name, std::string_view raw) {
  const std::string_view value = without_comment(raw);
  // For the C library and for shells a text ends there, and for others it goes on.
  if (raw.find('\0') != std::string_view::npos) {
    throw Error(fmt::format("{} holds a NUL byte; save the file as plain text", printable(name)));
  }
  if ((find_hooks(config.hooks, name) != nullptr ? raw : value).empty()) {
    throw Error(fmt::format("{} has no value; leave the line out for none", printable(name)));
  }
  if (auto *commands = find_hooks(config.hooks, name)) {
    commands->emplace_back(raw);
  } else if (equals_caseless(name, "Address")) {
    for (const std::string &item : split_list(value)) {
      config.addresses.push_back(parse_address(item));
    }
  } else if (equals_caseless(name, "DNS")) {
    for (const std::string &item : split_list(value)) {
      if (is_ip_address(item)) {
        config.dns_servers.push_back(item);
      } else {
        config.dns_domains.push_back(parse_domain(item));
      }
    }
  } else if (equals_caseless(name, "MTU")) {
    config.mtu = parse_mtu(value);
  } else if (equals_caseless(name, "Table")) {
    config.table = parse_table(value);
  } else {
    config.save = parse_bool("SaveConfig", value);
  }
}

bool has_ipv6(const std::vector<Prefix> &prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [](const Prefix &prefix) { return prefix.family == AF_INET6; });
}

void warn_if_readable(std::string &warnings, const std::string &path) {
  struct stat file, directory;
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (stat(path.c_str(), &file) != 0 || stat(parent.c_str(), &directory) != 0) return;
  if ((file.st_mode & directory.st_mode & S_IRWXO) == 0) return;
  warnings += fmt::format("Warning: `{}' is world accessible\n", printable(path));
}

}  // namespace

bool is_quick_key(std::string_view name) {
  return std::any_of(kQuickKeys.begin(), kQuickKeys.end(),
                     [&](std::string_view key) { return equals_caseless(key, name); });
}

std::vector<bool> quick_lines(std::string_view text) {
  std::vector<bool> lines;
  SectionTracker sections;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const bool in_interface = sections.in_interface(line);
    const auto setting = split_setting(line);
    lines.push_back(in_interface && setting && is_quick_key(setting->name));
  }
  return lines;
}

QuickConfig parse_quick_config(SecretBytes text, const std::string &path, const std::string &name) {
  QuickConfig config;
  config.name = name;
  config.path = path;
  config.text = std::move(text);
  const std::vector<bool> is_quick = quick_lines(view(config.text));
  SecretBytes rest;
  std::string_view remaining = view(config.text);
  int mtu_line = 0;
  const auto fail = [&](size_t line, std::string_view message) {
    throw Error(
        fmt::format("{}:{}: {}\nConfiguration parsing error", printable(path), line + 1, message));
  };
  for (size_t i = 0; i < is_quick.size(); ++i) {
    const std::string_view line = take_line(remaining);
    // An empty line in its place keeps the numbers of all others right.
    if (!is_quick[i]) rest.insert(rest.end(), line.begin(), line.end());
    rest.push_back('\n');
    if (!is_quick[i]) continue;
    const Setting setting = *split_setting(line);
    try {
      parse_quick_setting(config, setting.name, setting.value);
    } catch (const Error &error) {
      fail(i, error.what());
    }
    if (equals_caseless(setting.name, "MTU")) mtu_line = static_cast<int>(i);
  }
  config.wg = parse_config(view(rest), path);
  config.wg.change.name = name;
  if (config.mtu && *config.mtu < kMinMtuIpv6 && has_ipv6(config.addresses)) {
    fail(static_cast<size_t>(mtu_line),
         fmt::format("MTU {} is too small for the IPv6 Address; it needs at least {}", *config.mtu,
                     kMinMtuIpv6));
  }
  if (!config.wg.has_section) {
    throw Error(fmt::format("Configuration file is empty: `{}'", printable(path)));
  }
  return config;
}

bool is_device_name(std::string_view name) {
  return !name.empty() && name.size() <= 15 && name != "." && name != ".." && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '=' || c == '+' || c == '.' || c == '-';
         });
}

QuickPath find_quick_config(const std::string &argument, const std::string &directory) {
  QuickPath found;
  if (is_device_name(argument)) {
    found.path = directory + "/" + argument + ".conf";
    found.name = argument;
  } else {
    found.path = argument;
    const std::string base = argument.substr(argument.rfind('/') + 1);
    constexpr std::string_view kSuffix = ".conf";
    if (base.ends_with(kSuffix)) found.name = base.substr(0, base.size() - kSuffix.size());
  }
  struct stat status;
  if (stat(found.path.c_str(), &status) != 0) {
    throw Error(
        fmt::format("Configuration file `{}': {}; name an interface that has a file in "
                    "{}, or a path that ends in INTERFACE.conf",
                    printable(found.path), std::strerror(errno), directory));
  }
  if (!is_device_name(found.name)) {
    throw Error(
        fmt::format("The file's name must be INTERFACE.conf, the interface 1 to 15 of A-Z "
                    "a-z 0-9 _ = + . -, no - first: `{}'",
                    printable(found.path)));
  }
  return found;
}

QuickConfig read_quick_config(const std::string &argument, const std::string &directory) {
  const QuickPath found = find_quick_config(argument, directory);
  std::string warnings;
  warn_if_readable(warnings, found.path);
  QuickConfig config =
      parse_quick_config(read_file(found.path, kMaxConfigLen), found.path, found.name);
  config.wg.warnings.insert(0, warnings);
  return config;
}

}  // namespace wg::tool
