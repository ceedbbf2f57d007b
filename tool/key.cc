// SPDX-License-Identifier: GPL-2.0
#include "key.hh"

#include <fmt/format.h>

#include "error.hh"
#include "io.hh"
#include "secret.hh"
#include "text.hh"

namespace wg::tool {
namespace {

// All ones when low <= value <= high, else zero; all arguments are below 2^8.
constexpr uint32_t range_mask(uint32_t value, uint32_t low, uint32_t high) {
  const uint32_t outside = (value - low) | (high - value);
  return (outside >> 31) - 1;
}

// No table and no branch: a table index is visible in the cache.
constexpr char encode_digit(uint32_t value) {
  return static_cast<char>((range_mask(value, 0, 25) & (value + 'A')) |
                           (range_mask(value, 26, 51) & (value - 26 + 'a')) |
                           (range_mask(value, 52, 61) & (value - 52 + '0')) |
                           (range_mask(value, 62, 62) & '+') | (range_mask(value, 63, 63) & '/'));
}

// The digit's value; bit 31 is set when it is none.
constexpr uint32_t decode_digit(char digit) {
  const uint32_t c = static_cast<unsigned char>(digit);
  const uint32_t upper = range_mask(c, 'A', 'Z');
  const uint32_t lower = range_mask(c, 'a', 'z');
  const uint32_t number = range_mask(c, '0', '9');
  const uint32_t plus = range_mask(c, '+', '+');
  const uint32_t slash = range_mask(c, '/', '/');
  const uint32_t known = upper | lower | number | plus | slash;
  return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (number & (c - '0' + 52)) | (plus & 62) |
         (slash & 63) | (~known & 0x80000000U);
}

constexpr bool is_blank_or_nul(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r' || c == '\0';
}

}  // namespace

void base64_encode(char text[kKeyTextLen], const uint8_t key[kKeyLen]) {
  uint32_t bits = 0;
  int num_bits = 0;
  size_t out = 0;
  for (size_t i = 0; i < kKeyLen; ++i) {
    bits = (bits << 8) | key[i];
    num_bits += 8;
    while (num_bits >= 6) {
      num_bits -= 6;
      text[out++] = encode_digit((bits >> num_bits) & 63);
    }
  }
  // 256 bits leave 4 over: they lead the last digit, padded with two zero bits.
  text[out++] = encode_digit((bits << 2) & 63);
  text[out] = '=';
}

bool base64_decode(uint8_t key[kKeyLen], std::string_view text) {
  if (text.size() != kKeyTextLen) {
    wgc_wipe(key, kKeyLen);
    return false;
  }
  uint32_t bits = 0;
  uint32_t bad = static_cast<unsigned char>(text[kKeyTextLen - 1]) ^ '=';
  int num_bits = 0;
  size_t out = 0;
  for (size_t i = 0; i < kKeyTextLen - 1; ++i) {
    const uint32_t value = decode_digit(text[i]);
    bad |= value & 0x80000000U;
    bits = (bits << 6) | (value & 63);
    num_bits += 6;
    if (num_bits >= 8) {
      num_bits -= 8;
      key[out++] = static_cast<uint8_t>(bits >> num_bits);
    }
  }
  bad |= bits & 3;
  if (bad != 0) wgc_wipe(key, kKeyLen);
  return bad == 0;
}

std::string PublicKey::text() const {
  std::string text(kKeyTextLen, '\0');
  base64_encode(text.data(), bytes.data());
  return text;
}

std::optional<PublicKey> PublicKey::parse(std::string_view text) {
  PublicKey key;
  if (!base64_decode(key.bytes.data(), text)) return std::nullopt;
  return key;
}

bool SecretKey::is_zero() const {
  static constexpr std::array<uint8_t, kKeyLen> kZeros{};
  return wgc_equal(bytes.data(), kZeros.data(), kKeyLen);
}

bool SecretKey::is_same_private(const SecretKey &other) const {
  SecretKey a = *this, b = other;
  for (SecretKey *key : {&a, &b}) {
    if (!key->is_zero()) wgc_key_clamp(key->bytes.data());
  }
  return a.equals(b);
}

PublicKey SecretKey::public_key() const {
  PublicKey key;
  wgc_key_public(key.bytes.data(), bytes.data());
  return key;
}

std::optional<SecretKey> SecretKey::parse(std::string_view text) {
  SecretKey key;
  if (!base64_decode(key.bytes.data(), text)) return std::nullopt;
  return key;
}

SecretKey read_key_file(const std::string &path, Dialect dialect) {
  constexpr size_t kMaxLen = 4096;
  const std::string name = fmt::format(": `{}'; ", printable(path));
  SecretBytes bytes;
  try {
    bytes = read_file(path, kMaxLen);
  } catch (const UnreadableFile &) {
    // A directory, or more than any key file holds.
    if (dialect == Dialect::kStrict) throw;
    throw Error("Invalid length key in key file");
  }
  const std::string_view content = view(bytes);
  if (content.empty()) return {};
  if (content.size() < kKeyTextLen) {
    throw Error("Invalid length key in key file", name + "a key has 44 characters");
  }
  for (char c : content.substr(kKeyTextLen)) {
    if (is_blank_or_nul(c) && c != '\0') continue;
    // wg(8) shows the character, which may be one of a second key.
    throw Error("Found trailing character in key file", name + "it must hold one key");
  }
  std::optional<SecretKey> key = SecretKey::parse(content.substr(0, kKeyTextLen));
  if (!key) {
    // wg(8) shows what stands in place of a key, which may be all of it but a letter.
    throw Error("Key is not the correct length or format",
                " in key file" + name + "`genkey' and `genpsk' make keys");
  }
  return *key;
}

}  // namespace wg::tool
