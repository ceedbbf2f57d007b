// SPDX-License-Identifier: GPL-2.0
// The picture of `watch': what is on each line of the screen.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "format.hh"
#include "view.hh"

namespace wg::tool {

/** All that a picture shows. */
struct Frame {
  /** What the user asked for: an interface, or "all". */
  std::string name;
  /** The time of day. */
  std::string clock;
  std::vector<DeviceView> views;
  SortKey sort = SortKey::kAge;
  /** Peers above the screen; more than there are shows the last. */
  size_t scroll = 0;
  Style style;
};

struct Page {
  /** At most as many as the screen is high, none wider than it. */
  std::vector<std::string> lines;
  /** The scroll of the frame, bounded by what there is. */
  size_t scroll = 0;
  /** Peers on one screen. */
  size_t num_rows = 0;
};

/** render() - totals, headings, peers, and a line that names the keys */
Page render(const Frame &frame, size_t width, size_t height);

}  // namespace wg::tool
