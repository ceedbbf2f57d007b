// SPDX-License-Identifier: GPL-2.0
// How devices read: for people (pretty), for scripts (fields, dump), as configuration.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io.hh"
#include "model.hh"
#include "view.hh"

namespace wg::tool {

/** How to print for people. */
struct Style {
  bool color = false;
  bool hide_keys = true;
  /** Seconds since 1970; ages count back from here. */
  int64_t now_s = 0;

  /** From WG_COLOR_MODE, WG_HIDE_KEYS, the terminal and the clock, as wg(8) does. */
  static Style from_environment();
};

/**
 * choose_color() - whether to print in colour
 * @option: of --color: auto, always, never, or empty for always; nothing when it was not given
 *
 * The option decides, then WG_COLOR_MODE=always or never, then a NO_COLOR that is not empty, then
 * whether standard output is a terminal. Throws UsageError.
 */
bool choose_color(const std::optional<std::string> &option);

/** format_duration() - "1 hour, 1 second"; empty for 0 */
std::string format_duration(int64_t seconds, const Style &style);

/** format_age() - "5 seconds ago", "Now", or a warning when @then_s is still to come */
std::string format_age(int64_t then_s, const Style &style);

/** format_size() - "512 B", "1.50 KiB", up to TiB */
std::string format_size(uint64_t num_bytes, const Style &style);

/** format_rate() - "1.50 KiB/s" */
std::string format_rate(double bytes_per_s, const Style &style);

/** print_pretty() - as wg(8) prints a device, newest handshake first */
void print_pretty(Output &out, const Device &device, const Style &style);

/** print_pretty() - the same with names, rates and the order of the view */
void print_pretty(Output &out, const DeviceView &view, const Style &style);

/**
 * print_oneline() - what print_pretty() prints, each record on one line
 *
 * As ip(8) does, a backslash stands where a line ended. Every line begins with the interface.
 */
void print_oneline(Output &out, const DeviceView &view, const Style &style);

/** print_dump() - one line for the device, one per peer; @prefix is "" or "NAME\t" */
void print_dump(Output &out, const Device &device, std::string_view prefix);

/** is_field() - whether `show` knows this field */
bool is_field(std::string_view field);

/** print_field() - one field of the device, or of each peer; "dump" is one too */
void print_field(Output &out, const Device &device, std::string_view field,
                 std::string_view prefix);

/** print_config() - the device as `setconf` reads it */
void print_config(Output &out, const Device &device);

}  // namespace wg::tool
