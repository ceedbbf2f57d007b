// SPDX-License-Identifier: GPL-2.0
#include "options.hh"

#include <fmt/format.h>

#include <algorithm>

#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

[[noreturn]] void fail_unknown(const std::string &word) {
  throw UsageError(fmt::format("Unknown option: `{}'", printable(word)));
}

const Option *find_letters(std::span<const Option> options, std::string_view letters) {
  const auto it = std::find_if(options.begin(), options.end(), [&](const Option &option) {
    return !letters.empty() && letters == option.letters;
  });
  return it == options.end() ? nullptr : &*it;
}

const Option *find_name(std::span<const Option> options, std::string_view name) {
  const auto it = std::find_if(options.begin(), options.end(),
                               [&](const Option &option) { return name == option.name; });
  return it == options.end() ? nullptr : &*it;
}

}  // namespace

std::optional<std::string> ParsedOptions::value(const std::string &name) const {
  const auto it = values_.find(name);
  if (it == values_.end()) return std::nullopt;
  return it->second;
}

ParsedOptions parse_options(std::span<const Option> options, Arguments arguments) {
  ParsedOptions parsed;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string &word = arguments[i];
    if (word == "--") {
      parsed.words_.insert(parsed.words_.end(), arguments.begin() + static_cast<ptrdiff_t>(i) + 1,
                           arguments.end());
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      parsed.words_.push_back(word);
      continue;
    }
    if (word.starts_with("--")) {
      const size_t equals = std::min(word.find('='), word.size());
      const Option *option = find_name(options, std::string_view(word).substr(2, equals - 2));
      if (option == nullptr) fail_unknown(word);
      const bool has_value = equals < word.size();
      if (option->value == nullptr && has_value) {
        throw UsageError(
            fmt::format("Option --{} takes no value: `{}'", option->name, printable(word)));
      }
      if (option->value != nullptr && !has_value && i + 1 == arguments.size()) {
        throw UsageError(fmt::format("Option --{} needs {}", option->name, option->value));
      }
      std::string &value = parsed.values_[option->name];
      if (has_value) {
        value = word.substr(equals + 1);
      } else if (option->value != nullptr) {
        value = arguments[++i];
      }
      continue;
    }
    const Option *whole = find_letters(options, std::string_view(word).substr(1));
    if (whole != nullptr && whole->value != nullptr) {
      if (i + 1 == arguments.size()) {
        throw UsageError(fmt::format("Option -{} needs {}", whole->letters, whole->value));
      }
      parsed.values_[whole->name] = arguments[++i];
      continue;
    }
    if (whole != nullptr) {
      parsed.values_[whole->name];
      continue;
    }
    for (size_t at = 1; at < word.size(); ++at) {
      const Option *option = find_letters(options, std::string_view(word).substr(at, 1));
      if (option == nullptr || option->value != nullptr) fail_unknown(word);
      parsed.values_[option->name];
    }
  }
  return parsed;
}

}  // namespace wg::tool
