// SPDX-License-Identifier: GPL-2.0
// How wide text is on a terminal, and how to make it fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wg::tool {

/** One character of a text in UTF-8. */
struct CodePoint {
  /** 0xfffd for a byte that is not UTF-8. */
  uint32_t value = 0xfffd;
  /** Bytes, at least 1. */
  size_t len = 1;
  bool is_valid = false;
};

/** next_code_point() - the character at the front of @text, which is not empty */
CodePoint next_code_point(std::string_view text);

/**
 * display_width() - columns that @text takes on a terminal
 *
 * Combining marks take none, East Asian wide characters two; colour sequences (ESC [ ... m) none.
 */
size_t display_width(std::string_view text);

/**
 * fit() - the beginning of @text that fits into @width columns, never half a character
 *
 * Colour sequences are kept, and ended where text was cut.
 */
std::string fit(std::string_view text, size_t width);

/**
 * clean_name() - @text as a name to show: no controls, no marks that turn the direction of
 * writing, no blanks at the ends, at most @max_len bytes
 */
std::string clean_name(std::string_view text, size_t max_len);

}  // namespace wg::tool
