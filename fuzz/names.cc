// SPDX-License-Identifier: GPL-2.0
// Names in comments. Whatever the file holds, a name is short, fit for a terminal and was written
// in a comment: no line of a secret ends up in one.
#include "names.hh"

#include "text.hh"
#include "tool_check.hh"
#include "utf8.hh"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  wgfuzz::Input in(data, len);
  const std::string text = in.rest();
  // Cleaned, so that they can be searched for what was made of them.
  std::string comments;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    const size_t hash = line.find_first_not_of(" \t\v\f\r");
    if (hash != std::string::npos && line[hash] == '#') {
      comments += wg::tool::clean_name(line, line.size()) + "\n";
    }
    at = end + 1;
  }
  for (const auto &[key, name] : wg::tool::parse_names(text)) {
    REQUIRE(!name.empty() && name.size() <= wg::tool::kMaxNameLen);
    wgfuzz::require_printable(name);
    REQUIRE(name.find('\n') == std::string::npos);
    REQUIRE(comments.find(name) != std::string::npos);
    REQUIRE(wg::tool::clean_name(name, wg::tool::kMaxNameLen) == name);
    REQUIRE(wg::tool::display_width(name) <= 2 * name.size());
    for (size_t width = 0; width < 8; ++width) {
      const std::string cut = wg::tool::fit(name, width);
      REQUIRE(name.starts_with(cut) && wg::tool::display_width(cut) <= width);
    }
  }
  return 0;
}
