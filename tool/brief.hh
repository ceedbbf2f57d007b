// SPDX-License-Identifier: GPL-2.0
// Peers as rows of a table, one line for each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "format.hh"
#include "io.hh"
#include "view.hh"

namespace wg::tool {

/** compact_age() - "59s", "1m05s", "3h07m", "4d02h", "1y020d"; "-" for never */
std::string compact_age(int64_t then_s, int64_t now_s);

/** compact_size() - "512B", "1.50KiB" */
std::string compact_size(uint64_t num_bytes);

/** Which columns a table of peers has beside those that it always has. */
struct BriefColumns {
  bool header = false;
  bool rates = false;
};

/**
 * brief_lines() - one line for each peer, in columns: interface, name, state, age of the last
 * handshake, received, sent, (rates), endpoint, AllowedIPs
 *
 * No column but the name has a blank in it. What is not known is "-".
 */
std::vector<std::string> brief_lines(std::span<const DeviceView> views, const Style &style,
                                     const BriefColumns &columns);

/** print_brief() - these lines. Rates are shown when there are some. */
void print_brief(Output &out, std::span<const DeviceView> views, const Style &style);

/** painted_state() - the word of a state in its colour */
std::string painted_state(State state, const Style &style);

}  // namespace wg::tool
