// SPDX-License-Identifier: GPL-2.0
#include "io.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "error.hh"
#include "text.hh"

namespace wg::tool {

SecretBytes read_fd(int fd, size_t max_len) {
  SecretBytes bytes;
  size_t len = 0;
  for (;;) {
    // One byte more than allowed tells a file that is too long from one that just fits.
    if (len == bytes.size()) bytes.resize(std::min(std::max<size_t>(2 * len, 4096), max_len + 1));
    if (len > max_len) throw SystemError(EFBIG);
    const ssize_t got = read(fd, bytes.data() + len, bytes.size() - len);
    if (got == 0) break;
    if (got > 0) {
      len += static_cast<size_t>(got);
    } else if (errno != EINTR) {
      throw SystemError(errno);
    }
  }
  bytes.resize(len);
  return bytes;
}

SecretBytes read_file(const std::string &path, size_t max_len) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    throw Error(fmt::format("fopen: {}", std::strerror(errno)),
                fmt::format(": `{}'", printable(path)));
  }
  const OnExit close_it([fd] { close(fd); });
  try {
    return read_fd(fd, max_len);
  } catch (const SystemError &error) {
    throw UnreadableFile(fmt::format("Unable to read `{}': {}", printable(path), error.what()));
  }
}

void Output::append_key(const uint8_t key[kKeyLen]) {
  const size_t at = bytes_.size();
  bytes_.resize(at + kKeyTextLen);
  base64_encode(bytes_.data() + at, key);
}

void Output::flush(int fd) {
  size_t done = 0;
  while (done < bytes_.size()) {
    const ssize_t put = write(fd, bytes_.data() + done, bytes_.size() - done);
    if (put >= 0) {
      done += static_cast<size_t>(put);
    } else if (errno != EINTR) {
      throw SystemError(errno);
    }
  }
  SecretBytes().swap(bytes_);
}

}  // namespace wg::tool
