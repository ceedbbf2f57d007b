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

bool takes_value(const Option &option) {
  return option.value != nullptr;
}

bool may_lack_value(const Option &option) {
  return option.value == nullptr || *option.value == '[';
}

// Takes the arguments one after the other.
class OptionParser {
 public:
  OptionParser(std::span<const Option> options, Arguments arguments,
               std::map<std::string, std::string> &values, std::vector<std::string> &words)
      : options_(options), arguments_(arguments), values_(values), words_(words) {}

  void parse() {
    while (!arguments_.empty()) {
      const std::string &word = next();
      if (word == "--") {
        words_.insert(words_.end(), arguments_.begin(), arguments_.end());
        return;
      }
      if (word.size() < 2 || word[0] != '-') {
        words_.push_back(word);
      } else if (!parse_one(word)) {
        parse_letters(word);
      }
    }
  }

 private:
  const std::string &next() {
    const std::string &word = arguments_.front();
    arguments_ = arguments_.subspan(1);
    return word;
  }

  // A word that is one option, perhaps with its value behind "=". Return: false for other words.
  bool parse_one(const std::string &word) {
    const size_t equals = std::min(word.find('='), word.size());
    const bool is_long = word.starts_with("--");
    const std::string shown = word.substr(0, equals);
    const Option *option = is_long ? find_name(options_, std::string_view(shown).substr(2))
                                   : find_letters(options_, std::string_view(shown).substr(1));
    if (option == nullptr) {
      if (is_long || equals < word.size()) fail_unknown(word);
      return false;
    }
    const bool has_value = equals < word.size();
    if (!takes_value(*option) && has_value) {
      throw UsageError(fmt::format("Option {} takes no value: `{}'", shown, printable(word)));
    }
    if (!may_lack_value(*option) && !has_value && arguments_.empty()) {
      throw UsageError(fmt::format("Option {} needs {}", shown, option->value));
    }
    std::string &value = values_[option->name];
    if (has_value) {
      value = word.substr(equals + 1);
    } else {
      value = may_lack_value(*option) ? "" : next();
    }
    return true;
  }

  void parse_letters(const std::string &word) {
    for (size_t at = 1; at < word.size(); ++at) {
      const Option *option = find_letters(options_, std::string_view(word).substr(at, 1));
      if (option == nullptr || !may_lack_value(*option)) fail_unknown(word);
      values_[option->name] = "";
    }
  }

  std::span<const Option> options_;
  Arguments arguments_;
  std::map<std::string, std::string> &values_;
  std::vector<std::string> &words_;
};

}  // namespace

std::optional<std::string> ParsedOptions::value(const std::string &name) const {
  const auto it = values_.find(name);
  if (it == values_.end()) return std::nullopt;
  return it->second;
}

ParsedOptions parse_options(std::span<const Option> options, Arguments arguments) {
  ParsedOptions parsed;
  OptionParser(options, arguments, parsed.values_, parsed.words_).parse();
  return parsed;
}

}  // namespace wg::tool
