// SPDX-License-Identifier: GPL-2.0
// Files and standard streams, without a buffer of their own that secrets would stay in.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "error.hh"
#include "key.hh"
#include "secret.hh"

namespace wg::tool {

/**
 * read_fd() - all bytes up to the end of the file
 *
 * Throws SystemError; EFBIG when there are more than @max_len bytes.
 */
SecretBytes read_fd(int fd, size_t max_len);

/**
 * read_file() - a whole file or pipe
 *
 * Throws Error when it cannot be opened, and UnreadableFile, which both name @path.
 */
SecretBytes read_file(const std::string &path, size_t max_len);

/** A file that can be opened and not be read, or holds too much. */
class UnreadableFile : public Error {
 public:
  using Error::Error;
};

/** What a command prints: collected, then written once, then wiped. */
class Output {
 public:
  void append(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }

  /** Not for secrets: formatting may leave copies on the stack. */
  template <typename... Args>
  void print(fmt::format_string<Args...> format, Args &&...args) {
    // Into bytes_ directly, each character would be a push_back().
    fmt::memory_buffer buffer;
    fmt::format_to(std::back_inserter(buffer), format, std::forward<Args>(args)...);
    append({buffer.data(), buffer.size()});
  }

  void append_key(const uint8_t key[kKeyLen]);
  std::string_view text() const { return view(bytes_); }

  /** flush() - write everything out. Throws SystemError, for instance when a disk is full. */
  void flush(int fd);

 private:
  SecretBytes bytes_;
};

}  // namespace wg::tool
