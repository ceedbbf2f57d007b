// SPDX-License-Identifier: GPL-2.0
// Configuration files: [Interface] and [Peer] sections of key = value lines.
#pragma once

#include <string>
#include <string_view>

#include "model.hh"

namespace wg::tool {

/** A file as a change; each command decides what the omissions in it mean. */
struct Config {
  DeviceChange change;
  /** Whether there is any section at all. */
  bool has_section = false;
  /** Lines for standard error: suspicious, but taken. */
  std::string warnings;
};

/**
 * parse_config() - read a configuration
 * @file: its name, for messages
 *
 * A line is cut at '#'; blanks are dropped, inside words too; names are caseless. Names
 * in endpoints are left for resolve_endpoints(). Throws Error with file and line; what
 * may be a secret is never quoted.
 *
 * For Dialect::kWg names are looked up here, a peer may have several sections, a line ends at a
 * NUL, and the Error has no place, but the warnings up to it, as wg(8) prints them.
 */
Config parse_config(std::string_view text, const std::string &file,
                    Dialect dialect = Dialect::kStrict);

}  // namespace wg::tool
