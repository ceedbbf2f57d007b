// SPDX-License-Identifier: GPL-2.0
// How the tool fails: a command throws, main() prints one message and exits with 1.
#pragma once

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace wg::tool {

/** A finished message for the user: what is wrong, the offending text, what would be right. */
class Error : public std::runtime_error {
 public:
  /** @more is what wg(8) does not say, separator first: "; write HOST:PORT". */
  explicit Error(const std::string &message, const std::string &more = {})
      : std::runtime_error(message + more), brief_len_(message.size()) {}

  /** As wg(8) says it. */
  std::string brief() const { return std::string(what()).substr(0, brief_len_); }

 private:
  size_t brief_len_;
};

/** The command line does not fit the command: main() adds the command's usage. */
class UsageError : public Error {
 public:
  explicit UsageError(const std::string &message = {}) : Error(message) {}
};

/** A variable of the environment holds what it must not, whatever the command. */
class EnvironmentError : public Error {
 public:
  using Error::Error;
};

/** A system call or the kernel refused; the command says what it was doing. */
class SystemError : public Error {
 public:
  /** @detail is the kernel's own explanation, if it gave one. */
  explicit SystemError(int error, const std::string &detail = {})
      : Error(std::strerror(error), detail.empty() ? "" : " (" + detail + ")"), error_(error) {}
  int error() const { return error_; }

 private:
  int error_;
};

}  // namespace wg::tool
