// SPDX-License-Identifier: GPL-2.0
// Configuration files as wg-quick(8) has them: what wg(8) knows, and what the network around the
// device needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config.hh"
#include "secret.hh"

namespace wg::tool {

/** An address with the length of its network, or a network: same fields, no peer. */
using Prefix = AllowedIp;

/** Where routes go. */
struct RouteTable {
  enum class Mode {
    /** The main table; /0 gets a table and rules of its own. */
    kAuto,
    kOff,
    /** All routes into table @id. */
    kGiven
  };
  Mode mode = Mode::kAuto;
  uint32_t id = 0;
};

/** Shell commands that a file asks for, `%i` not replaced yet. */
struct Hooks {
  std::vector<std::string> pre_up, post_up, pre_down, post_down;
};

struct QuickConfig {
  /** Of the device. */
  std::string name;
  std::string path;
  /** The file as it is. */
  SecretBytes text;
  /** What wg(8) would be given. */
  Config wg;
  std::vector<Prefix> addresses;
  std::vector<std::string> dns_servers;
  std::vector<std::string> dns_domains;
  std::optional<uint32_t> mtu;
  RouteTable table;
  bool save = false;
  Hooks hooks;
};

/** The largest file that is read. */
inline constexpr size_t kMaxConfigLen = 64 << 20;

/**
 * parse_quick_config() - read a whole file
 * @text: taken over
 *
 * Throws Error with file and line, as parse_config() does.
 */
QuickConfig parse_quick_config(SecretBytes text, const std::string &path, const std::string &name);

/** Which lines of a file wg-quick(8) keeps for itself. */
bool is_quick_key(std::string_view name);

/** quick_lines() - for every line of @text, whether it is one of those */
std::vector<bool> quick_lines(std::string_view text);

/** is_device_name() - whether wg-quick(8) would take it: 1 to 15 of A-Z a-z 0-9 _ = + . - */
bool is_device_name(std::string_view name);

/** A file and the device that it is for. */
struct QuickPath {
  std::string path;
  std::string name;
};

/**
 * find_quick_config() - which file an argument means: NAME, or a path that ends in NAME.conf
 * @directory: where NAME.conf is looked for
 *
 * Throws Error that says what such an argument looks like.
 */
QuickPath find_quick_config(const std::string &argument, const std::string &directory);

/**
 * read_quick_config() - find, read and parse
 *
 * A file that others can read gives a warning. Throws Error.
 */
QuickConfig read_quick_config(const std::string &argument, const std::string &directory);

}  // namespace wg::tool
