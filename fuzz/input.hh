// SPDX-License-Identifier: GPL-2.0
// What all fuzz targets share: reading the fuzzer's bytes, and stopping where a property fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#define REQUIRE(condition) \
  wgfuzz::require(static_cast<bool>(condition), __FILE__, __LINE__, #condition)

namespace wgfuzz {

using Buffer = std::vector<uint8_t>;

// Where it does not hold, the fuzzer keeps the input that led there and prints a stack.
inline void require(bool holds, const char *file, int line, const char *condition) {
  if (holds) return;
  static_cast<void>(std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition));
  std::abort();
}

// Reads from the front, so that a seed is written in the order in which it is read and a change
// at one place leaves the meaning of what comes before it. Past the end all is zero.
class Input {
 public:
  Input(const uint8_t *data, size_t len) : data_(data), len_(len) {}

  bool empty() const { return len_ == 0; }
  uint8_t u8() { return number<uint8_t>(); }
  uint16_t u16() { return number<uint16_t>(); }
  uint32_t u32() { return number<uint32_t>(); }
  uint64_t u64() { return number<uint64_t>(); }
  bool flag() { return (u8() & 1) != 0; }
  // limit: 1 to 256
  uint8_t below(unsigned limit) { return static_cast<uint8_t>(u8() % limit); }

  // Exactly as large as asked, so that a read past its end is noticed.
  Buffer bytes(size_t len) {
    Buffer out(len);
    take(out.data(), len);
    return out;
  }
  void fill(uint8_t *out, size_t len) {
    std::memset(out, 0, len);
    take(out, len);
  }
  std::string text(size_t len) {
    const size_t num = len < len_ ? len : len_;
    std::string out(reinterpret_cast<const char *>(data_), num);
    skip(num);
    return out;
  }
  std::string rest() { return text(len_); }

 private:
  template <typename T>
  T number() {
    T value = 0;
    take(reinterpret_cast<uint8_t *>(&value), sizeof value);
    return value;
  }
  void take(uint8_t *out, size_t len) {
    const size_t num = len < len_ ? len : len_;
    if (num != 0) std::memcpy(out, data_, num);
    skip(num);
  }
  void skip(size_t num) {
    data_ += num;
    len_ -= num;
  }

  const uint8_t *data_;
  size_t len_;
};

}  // namespace wgfuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
