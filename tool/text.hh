// SPDX-License-Identifier: GPL-2.0
// Text from elsewhere (kernel, network, files, arguments), made safe for a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wg::tool {

/**
 * printable() - replace each control character by '?'
 *
 * C0 and C1 controls and DEL could move a terminal's cursor or set its title. Other
 * bytes stay, so that names in UTF-8 read as they should.
 */
std::string printable(std::string_view text);

/** equals_caseless() - compare, taking ASCII capitals as small letters */
bool equals_caseless(std::string_view a, std::string_view b);

/** is_blank() - what separates words in a file: space, tab, and the other white space of C */
constexpr bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/** trimmed() - without blanks at both ends */
std::string_view trimmed(std::string_view text);

/** parse_decimal() - digits only, no sign and no blank, at most @max */
std::optional<uint64_t> parse_decimal(std::string_view text, uint64_t max);

}  // namespace wg::tool
