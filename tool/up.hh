// SPDX-License-Identifier: GPL-2.0
// Options of `up' and its like.
#pragma once

#include "options.hh"

namespace wg::tool {

inline constexpr Option kDryRun = {"n", "dry-run", nullptr,
                                   "print what would be done, and do nothing"};

inline constexpr Option kUpOptions[] = {
    kDryRun,
    {"", "no-hooks-on-fail", nullptr,
     "when a step fails, do not run PreDown and PostDown for the hooks that ran"},
};
inline constexpr Option kDownOptions[] = {kDryRun};
inline constexpr Option kCleanOptions[] = {kDryRun};
inline constexpr Option kApplyOptions[] = {kDryRun};

}  // namespace wg::tool
