// SPDX-License-Identifier: GPL-2.0
// What the tests of the primitives share: vectors from text files, random input with a seed that
// a failure prints, and slow integers to check fast ones against. Tests only.
#pragma once

#include <gtest/gtest.h>
#include <stdint.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "base.hh"

namespace wg::test {

using Buffer = std::vector<uint8_t>;

inline ConstBytes span(const Buffer &b) {
  return {b.data(), b.size()};
}

inline Buffer from_text(const std::string &s) {
  return Buffer(s.begin(), s.end());
}

inline Buffer from_hex(const std::string &hex) {
  if (hex.size() % 2 != 0) throw std::runtime_error("odd number of hex digits: " + hex);
  Buffer out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    size_t used = 0;
    const std::string digits = hex.substr(i, 2);
    out.push_back(static_cast<uint8_t>(std::stoul(digits, &used, 16)));
    if (used != 2) throw std::runtime_error("not hex: " + digits);
  }
  return out;
}

// first, first + 1, ...
inline Buffer counting(size_t len, uint8_t first = 0) {
  Buffer out(len);
  for (uint8_t &b : out) b = first++;
  return out;
}

// One vector of a file: its fields by name.
class Vector {
 public:
  void set(const std::string &field, const std::string &value) { fields_[field] = value; }
  bool empty() const { return fields_.empty(); }
  const std::string &text(const std::string &field) const {
    const auto it = fields_.find(field);
    if (it == fields_.end()) throw std::runtime_error("vector lacks the field " + field);
    return it->second;
  }
  Buffer bytes(const std::string &field) const { return from_hex(text(field)); }
  uint32_t number(const std::string &field) const {
    return static_cast<uint32_t>(std::stoul(text(field)));
  }

 private:
  std::map<std::string, std::string> fields_;
};

// Reads module/core/vectors/<file>. Throws when there is nothing in it, so that a lost file
// fails the test instead of emptying it.
inline std::vector<Vector> read_vectors(const std::string &file) {
  const std::string path = std::string(WGPP_VECTOR_DIR) + "/" + file;
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot open " + path);
  std::vector<Vector> out;
  Vector current;
  const auto finish = [&] {
    if (!current.empty()) out.push_back(current);
    current = Vector();
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) finish();
    if (line.empty() || line[0] == '#') continue;
    const size_t equals = line.find(" =");
    if (equals == std::string::npos) throw std::runtime_error(path + ": no field in: " + line);
    const size_t value = equals + 3;
    current.set(line.substr(0, equals), value < line.size() ? line.substr(value) : "");
  }
  finish();
  if (out.empty()) throw std::runtime_error("no vectors in " + path);
  return out;
}

// Random bytes. The seed is new in every run and stands in the message of a failure; setting
// WGPP_SEED repeats a run.
class Random {
 public:
  Random() : Random(choose_seed()) {}

  uint64_t number() { return engine_(); }
  size_t below(size_t limit) { return static_cast<size_t>(engine_() % limit); }
  Buffer bytes(size_t len) {
    Buffer out(len);
    for (uint8_t &b : out) b = static_cast<uint8_t>(engine_());
    return out;
  }
  // Mostly runs of ones or zeros: what carries are made of.
  Buffer edgy_bytes(size_t len) {
    Buffer out = bytes(len);
    for (uint8_t &b : out) {
      const size_t pick = below(8);
      if (pick < 4) b = 0xff;
      if (pick == 4) b = 0;
    }
    return out;
  }

 private:
  explicit Random(uint64_t seed)
      : engine_(seed), trace_(__FILE__, __LINE__, "WGPP_SEED=" + std::to_string(seed)) {}

  static uint64_t choose_seed() {
    if (const char *given = std::getenv("WGPP_SEED")) return std::strtoull(given, nullptr, 10);
    return std::random_device{}();
  }

  std::mt19937_64 engine_;
  testing::ScopedTrace trace_;
};

// Integers under 2^320 modulo a prime under 2^256, by addition and subtraction alone: too slow
// to use, too simple to be wrong in the same way as the code under test.
class Number {
 public:
  Number() = default;
  explicit Number(uint32_t small) { words_[0] = small; }
  explicit Number(const Buffer &little_endian) {
    for (size_t i = 0; i < little_endian.size(); ++i)
      words_.at(i / 4) |= uint32_t{little_endian[i]} << i % 4 * 8;
  }
  static Number power_of_two(size_t bit) {
    Number out;
    out.words_.at(bit / 32) = uint32_t{1} << bit % 32;
    return out;
  }

  Buffer bytes(size_t len) const {
    Buffer out(len);
    for (size_t i = 0; i < len; ++i) out[i] = static_cast<uint8_t>(words_.at(i / 4) >> i % 4 * 8);
    return out;
  }
  bool bit(size_t i) const { return words_.at(i / 32) >> i % 32 & 1; }

  Number plus(const Number &b) const {
    Number out;
    uint64_t sum = 0;
    for (size_t i = 0; i < kNumWords; ++i) {
      sum += uint64_t{words_[i]} + b.words_[i];
      out.words_[i] = static_cast<uint32_t>(sum);
      sum >>= 32;
    }
    return out;
  }
  // b must not be larger.
  Number minus(const Number &b) const {
    Number out;
    uint64_t borrow = 0;
    for (size_t i = 0; i < kNumWords; ++i) {
      const uint64_t diff = uint64_t{words_[i]} - b.words_[i] - borrow;
      out.words_[i] = static_cast<uint32_t>(diff);
      borrow = diff >> 63;
    }
    return out;
  }
  bool less(const Number &b) const {
    for (size_t i = kNumWords; i-- != 0;)
      if (words_[i] != b.words_[i]) return words_[i] < b.words_[i];
    return false;
  }

 private:
  static constexpr size_t kNumWords = 10;
  std::array<uint32_t, kNumWords> words_{};
};

class Field {
 public:
  explicit Field(const Number &prime) : p_(prime) {}

  Number reduce(Number a) const {
    while (!a.less(p_)) a = a.minus(p_);
    return a;
  }
  Number add(const Number &a, const Number &b) const { return reduce(a.plus(b)); }
  Number sub(const Number &a, const Number &b) const { return reduce(a.plus(p_).minus(b)); }
  Number mul(const Number &a, const Number &b) const {
    Number out;
    for (size_t i = 256; i-- != 0;) {
      out = add(out, out);
      if (a.bit(i)) out = add(out, b);
    }
    return out;
  }
  // 1 / a, by Fermat.
  Number invert(const Number &a) const {
    const Number exponent = p_.minus(Number(2));
    Number out(1);
    for (size_t i = 256; i-- != 0;) {
      out = mul(out, out);
      if (exponent.bit(i)) out = mul(out, a);
    }
    return out;
  }

 private:
  Number p_;
};

// ChaCha20 and Poly1305 as RFC 8439 writes them down.
Buffer slow_chacha20(const Buffer &key, const Buffer &nonce, uint32_t counter, const Buffer &text);
Buffer slow_poly1305(const Buffer &key, const Buffer &text);

}  // namespace wg::test
