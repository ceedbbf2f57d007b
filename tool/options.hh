// SPDX-License-Identifier: GPL-2.0
// Options of a command: -j, -br, --sort age, --sort=age, -c=never, in any place before "--".
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wg::tool {

using Arguments = std::span<const std::string>;

/** One option that a command takes. */
struct Option {
  /** Without its dash, or empty; one letter, but for "br". */
  const char *letters;
  /** Without its two dashes. */
  const char *name;
  /**
   * What to call its value in the usage, or nullptr when it has none. "[=VALUE]" may be left out,
   * and follows the option in the same word.
   */
  const char *value;
  const char *summary;
};

/** A command line, with options and words apart. */
class ParsedOptions {
 public:
  bool has(const std::string &name) const { return values_.contains(name); }
  /** The value given last; empty when it was left out. */
  std::optional<std::string> value(const std::string &name) const;
  Arguments words() const { return words_; }

 private:
  friend ParsedOptions parse_options(std::span<const Option> options, Arguments arguments);
  std::map<std::string, std::string> values_;
  std::vector<std::string> words_;
};

/**
 * parse_options() - take the options out of @arguments
 *
 * Letters of options that need no value may stand together: -jp. Words after "--" are no options,
 * nor is "-". Throws UsageError that names an option that is unknown, lacks its value or has one
 * too many.
 */
ParsedOptions parse_options(std::span<const Option> options, Arguments arguments);

}  // namespace wg::tool
