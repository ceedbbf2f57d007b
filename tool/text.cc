// SPDX-License-Identifier: GPL-2.0
#include "text.hh"

#include <algorithm>

namespace wg::tool {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe(text);
  unsigned char previous = 0;
  for (char &c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    // 0x80 to 0x9f are C1 controls, alone and, in UTF-8, behind 0xc2.
    const bool is_c1 =
        byte >= 0x80 && byte <= 0x9f && previous < 0xc3 && !(previous >= 0x80 && previous <= 0xbf);
    if (byte < 0x20 || byte == 0x7f || is_c1) c = '?';
    previous = byte;
  }
  return safe;
}

bool equals_caseless(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<uint64_t> parse_decimal(std::string_view text, uint64_t max) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  if (value > max) return std::nullopt;
  return value;
}

}  // namespace wg::tool
