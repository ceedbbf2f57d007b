// SPDX-License-Identifier: GPL-2.0
// Files and directories for tests. Tests only.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace wg::tool {

/** A directory for a test, empty at first, gone with all that is in it at the end. */
class TestDirectory {
 public:
  TestDirectory() : path_("/tmp/wgtool_test." + std::string(6, 'X')) {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  TestDirectory(const TestDirectory &) = delete;
  TestDirectory &operator=(const TestDirectory &) = delete;
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

/** A file for a test, in memory. */
class TextFile {
 public:
  explicit TextFile(const std::string &content) : fd_(memfd_create("wgtool_test", MFD_CLOEXEC)) {
    EXPECT_GE(fd_, 0);
    EXPECT_EQ(write(fd_, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  }
  TextFile(const TextFile &) = delete;
  TextFile &operator=(const TextFile &) = delete;
  ~TextFile() { close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace wg::tool
