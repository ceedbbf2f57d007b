// SPDX-License-Identifier: GPL-2.0
// What was dropped, and why.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "diagnostics.hh"
#include "io.hh"
#include "names.hh"
#include "view_options.hh"

namespace wg::tool {

inline constexpr Option kDropsOptions[] = {
    {"j", "json", nullptr, "Print JSON, as Documentation/json.md says"},
    {"p", "pretty", nullptr, "Print JSON, indented"},
    kPeerOption,
    {"", "watch", "[=SECONDS]",
     "Print a line for what is dropped from now on (default: each second)"},
    kNamesOption,
    kConfigDirOption,
    kNoNamesOption,
};

/** Drops to print: of a device, and of the peers that were asked for. */
struct DropsView {
  const Diagnostics *diagnostics;
  /** Of the peers, in their order; empty for those without one. */
  std::vector<std::string> names;
};

/** print_drops() - for people: a reason a line, those that did not happen left out */
void print_drops(Output &out, const DropsView &view);

/** drops_since() - what @after has more than @before, which nullptr stands for none of */
Drops drops_since(const Drops &after, const Drops *before);

}  // namespace wg::tool
