// SPDX-License-Identifier: GPL-2.0
#include "utf8.hh"

#include <algorithm>
#include <iterator>

#include "text.hh"

namespace wg::tool {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// The blocks of combining marks and of what is invisible; not all of Unicode's single marks.
constexpr Range kZeroWidth[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},   {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},   {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};

// East Asian wide and emoji, by blocks.
constexpr Range kDoubleWidth[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe4f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

// They would show a text in another order than it is stored.
constexpr Range kDirection[] = {
    {0x061c, 0x061c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};

template <size_t N>
bool is_in(const Range (&ranges)[N], uint32_t value) {
  return std::any_of(std::begin(ranges), std::end(ranges), [value](const Range &range) {
    return value >= range.first && value <= range.last;
  });
}

size_t width_of(uint32_t value) {
  if (is_in(kZeroWidth, value)) return 0;
  return is_in(kDoubleWidth, value) ? 2 : 1;
}

// The length of a colour sequence at the front of @text, or 0.
size_t color_len(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

CodePoint next_code_point(std::string_view text) {
  const auto at = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = at(0);
  if (lead < 0x80) return {lead, 1, true};
  size_t len = 0;
  if (lead >= 0xc2 && lead <= 0xdf) len = 2;
  if (lead >= 0xe0 && lead <= 0xef) len = 3;
  if (lead >= 0xf0 && lead <= 0xf4) len = 4;
  if (len == 0 || text.size() < len) return {};
  uint32_t value = lead & (0x7fu >> len);
  for (size_t i = 1; i < len; ++i) {
    if ((at(i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (at(i) & 0x3fu);
  }
  const bool too_long = (len == 3 && value < 0x800) || (len == 4 && value < 0x10000);
  if (too_long || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, len, true};
}

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    size_t len = color_len(text);
    if (len == 0) {
      const CodePoint point = next_code_point(text);
      len = point.len;
      width += width_of(point.value);
    }
    text.remove_prefix(len);
  }
  return width;
}

std::string fit(std::string_view text, size_t width) {
  std::string kept;
  size_t used = 0;
  bool is_colored = false;
  while (!text.empty()) {
    size_t len = color_len(text);
    if (len != 0) {
      is_colored = true;
    } else {
      const CodePoint point = next_code_point(text);
      len = point.len;
      used += width_of(point.value);
      if (used > width) {
        if (is_colored) kept += "\x1b[0m";
        return kept;
      }
    }
    kept += text.substr(0, len);
    text.remove_prefix(len);
  }
  return kept;
}

std::string clean_name(std::string_view text, size_t max_len) {
  const std::string safe = printable(text);
  const size_t first = std::min(safe.find_first_not_of(' '), safe.size());
  std::string_view rest = std::string_view(safe).substr(first);
  std::string name;
  while (!rest.empty()) {
    const CodePoint point = next_code_point(rest);
    const bool is_bad = !point.is_valid || is_in(kDirection, point.value);
    const std::string_view shown = is_bad ? "?" : rest.substr(0, point.len);
    if (name.size() + shown.size() > max_len) break;
    name += shown;
    rest.remove_prefix(point.len);
  }
  name.erase(name.find_last_not_of(' ') + 1);
  return name;
}

}  // namespace wg::tool
