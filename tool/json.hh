// SPDX-License-Identifier: GPL-2.0
// Output for programs. Documentation/json.md is the contract.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "drops.hh"
#include "io.hh"
#include "monitor.hh"
#include "view.hh"

namespace wg::tool {

/** Grows when a field goes or changes its meaning, not when one is added. */
inline constexpr int kJsonSchema = 1;

struct JsonStyle {
  /** With line ends and indentation. */
  bool pretty = false;
  /** Secret keys too; else null stands for them. */
  bool show_keys = false;
};

/** print_devices_json() - one document, and a line end */
void print_devices_json(Output &out, std::span<const DeviceView> views, int64_t now_s,
                        const JsonStyle &style);

/** print_drops_json() - one document, and a line end */
void print_drops_json(Output &out, std::span<const DropsView> views, int64_t now_s,
                      const JsonStyle &style);

/** print_names_json() - the names of devices alone */
void print_names_json(Output &out, const std::vector<std::string> &names, const JsonStyle &style);

/** print_event_json() - one line. @name: the peer's, or empty. */
void print_event_json(Output &out, const Event &event, const std::string &name);

}  // namespace wg::tool
