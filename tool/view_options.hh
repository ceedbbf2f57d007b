// SPDX-License-Identifier: GPL-2.0
// The options of show, watch and monitor.
#pragma once

#include <string>

#include "names.hh"
#include "options.hh"
#include "view.hh"

namespace wg::tool {

// What several of them have.
inline constexpr Option kNoNamesOption = {"", "no-names", nullptr,
                                          "Do not read names of peers from comments"};
inline constexpr Option kNamesOption = {"", "names", "FILE", "Read names from this file alone"};
inline constexpr Option kConfigDirOption = {
    "f", "config-dir", "DIR",
    "Read names from DIR/INTERFACE.conf (default: as `wgtool --config-dir')"};
inline constexpr Option kStaleOption = {"", "stale", "SECONDS",
                                        "A handshake older than this is no session (default: 180)"};
inline constexpr Option kPeerOption = {"", "peer", "PEER",
                                       "Only peers with this name or beginning of a public key"};
inline constexpr Option kStateOption = {"", "state", "STATE",
                                        "Only peers that are up, idle, stale, never or rejected"};
inline constexpr Option kSortOption = {"", "sort", "KEY",
                                       "Order by age, rx, tx, name, key or endpoint"};
inline constexpr Option kColorOption = {"c", "color", "[=WHEN]",
                                        "Print in colour: auto, always or never"};
inline constexpr Option kIntervalOption = {"i", "interval", "SECONDS",
                                           "Time between two reads (default: 1)"};

inline constexpr Option kShowOptions[] = {
    {"j", "json", nullptr, "Print JSON, as Documentation/json.md says"},
    {"p", "pretty", nullptr, "Print JSON, indented"},
    {"", "show-keys", nullptr, "Print secret keys too, instead of hiding them"},
    {"br", "brief", nullptr, "Print one line for each peer, with its state"},
    {"o", "oneline", nullptr, "Print each record on one line"},
    {"", "rate", "[=SECONDS]", "Read twice and print bytes per second (default: 1 second apart)"},
    kSortOption,
    kPeerOption,
    kStateOption,
    kStaleOption,
    kNamesOption,
    kConfigDirOption,
    kNoNamesOption,
    kColorOption,
};

inline constexpr Option kWatchOptions[] = {
    kIntervalOption, kSortOption,      kPeerOption,    kStateOption, kStaleOption,
    kNamesOption,    kConfigDirOption, kNoNamesOption, kColorOption,
};

inline constexpr Option kMonitorOptions[] = {
    {"j", "json", nullptr, "Print each event as one line of JSON"},
    kIntervalOption,
    kStaleOption,
    kNamesOption,
    kConfigDirOption,
    kNoNamesOption,
};

/** The readers throw UsageError, which quotes the value and says what is allowed. */
NameOptions name_options(const ParsedOptions &parsed, const std::string &directory);
/** @sort: when the user asked for none */
ViewOptions view_options(const ParsedOptions &parsed, SortKey sort);

/** seconds_option() - a time, in seconds with decimals; @otherwise when it was not given */
double seconds_option(const ParsedOptions &parsed, const std::string &name, double otherwise);

/** A clock that is never set, in seconds. */
double steady_seconds();

/** wall_seconds() - since 1970 */
int64_t wall_seconds();

}  // namespace wg::tool
