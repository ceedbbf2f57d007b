// SPDX-License-Identifier: GPL-2.0
#include "view_options.hh"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

// Below the least nothing happens between two reads, above the most nobody waits.
constexpr double kLeast_s = 0.1, kMost_s = 86400;

// More than a century.
constexpr uint64_t kMostStale_s = 4'000'000'000;

}  // namespace

NameOptions name_options(const ParsedOptions &parsed, const std::string &directory) {
  NameOptions options;
  options.enabled = !parsed.has("no-names");
  if (const auto file = parsed.value("names")) {
    if (file->empty()) throw UsageError("--names needs a file: `'");
    options.file = *file;
  }
  options.directory = parsed.value("config-dir").value_or(directory);
  return options;
}

ViewOptions view_options(const ParsedOptions &parsed, SortKey sort) {
  ViewOptions options;
  options.peer = parsed.value("peer").value_or("");
  if (parsed.has("peer") && options.peer.empty()) {
    throw UsageError("--peer needs a name or the beginning of a public key: `'");
  }
  if (const auto state = parsed.value("state")) options.state = parse_state(*state);
  const auto key = parsed.value("sort");
  options.sort = key ? parse_sort_key(*key) : sort;
  if (const auto text = parsed.value("stale")) {
    const auto stale = parse_decimal(*text, kMostStale_s);
    if (!stale || *stale == 0) {
      throw UsageError(
          fmt::format("--stale is a number of seconds, 1 or more: `{}'", printable(*text)));
    }
    options.stale_s = static_cast<int64_t>(*stale);
  }
  return options;
}

double seconds_option(const ParsedOptions &parsed, const std::string &name, double otherwise) {
  const auto text = parsed.value(name);
  if (!text || text->empty()) return otherwise;
  double seconds = 0;
  const char *end = text->data() + text->size();
  const auto result = std::from_chars(text->data(), end, seconds, std::chars_format::fixed);
  // Written so that what is no number is refused too.
  if (result.ec != std::errc() || result.ptr != end ||
      !(seconds >= kLeast_s && seconds <= kMost_s)) {
    throw UsageError(fmt::format("--{} is a number of seconds from {} to {}: `{}'", name, kLeast_s,
                                 kMost_s, printable(*text)));
  }
  return seconds;
}

double steady_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

int64_t wall_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::floor<std::chrono::seconds>(now).count();
}

}  // namespace wg::tool
