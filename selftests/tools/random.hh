// SPDX-License-Identifier: GPL-2.0
// Random input that a seed repeats, and the few conversions that the programs here share.
#pragma once

#include <stdint.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace wgfuzz {

using Bytes = std::vector<uint8_t>;

[[noreturn]] inline void die(const std::string &why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(2);
}

// WGPP_SEED, else a new one. The caller prints it.
inline uint64_t choose_seed() {
  const char *given = std::getenv("WGPP_SEED");
  if (given != nullptr && *given != '\0') return std::strtoull(given, nullptr, 0);
  return std::random_device{}();
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t u64() { return engine_(); }
  uint32_t u32() { return static_cast<uint32_t>(engine_() >> 32); }
  uint8_t byte() { return static_cast<uint8_t>(engine_() >> 56); }
  // 0 to limit - 1
  uint64_t below(uint64_t limit) { return engine_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  void fill(uint8_t *out, size_t len) {
    for (size_t i = 0; i < len; ++i) {
      if (i % 8 == 0) word_ = engine_();
      out[i] = static_cast<uint8_t>(word_ >> i % 8 * 8);
    }
  }
  Bytes bytes(size_t len) {
    Bytes out(len);
    fill(out.data(), len);
    return out;
  }
  template <typename T>
  const T &pick(const std::vector<T> &from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
  uint64_t word_ = 0;
};

// A key as wg(8) writes it: 44 characters of base64.
inline Bytes key_from_base64(const std::string &text) {
  static const std::string kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Bytes out;
  uint32_t bits = 0;
  int num_bits = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string::npos) break;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    num_bits += 6;
    if (num_bits >= 8) {
      num_bits -= 8;
      out.push_back(static_cast<uint8_t>(bits >> num_bits));
    }
  }
  if (out.size() != 32) die("not a key: " + text);
  return out;
}

inline std::string first_line(const std::string &path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) die("cannot read " + path);
  return line;
}

}  // namespace wgfuzz
