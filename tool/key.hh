// SPDX-License-Identifier: GPL-2.0
// Keys and their text form: 32 bytes as 44 characters of base64 (RFC 4648, section 4).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dialect.hh"
#include "wgcore.h"

namespace wg::tool {

inline constexpr size_t kKeyLen = WGC_KEY_LEN;
inline constexpr size_t kKeyTextLen = 44;

/**
 * base64_encode() - write a key as 44 characters, in time independent of its value
 */
void base64_encode(char text[kKeyTextLen], const uint8_t key[kKeyLen]);

/**
 * base64_decode() - read a key, in time independent of its value
 *
 * Strict: exactly 44 characters of the standard alphabet, the last one '=', and the two
 * bits that a key does not use are zero. On failure @key is zeroed.
 *
 * Return: whether @text is a key. Only the length may leak through timing.
 */
bool base64_decode(uint8_t key[kKeyLen], std::string_view text);

/** A public key; ordered, so that it can index a map. */
struct PublicKey {
  std::array<uint8_t, kKeyLen> bytes{};

  auto operator<=>(const PublicKey &) const = default;
  std::string text() const;
  static std::optional<PublicKey> parse(std::string_view text);
};

/** A private or preshared key: wiped when it goes away. All zeros means none. */
struct SecretKey {
  std::array<uint8_t, kKeyLen> bytes{};

  SecretKey() = default;
  SecretKey(const SecretKey &) = default;
  SecretKey &operator=(const SecretKey &) = default;
  ~SecretKey() { wgc_wipe(bytes.data(), bytes.size()); }

  bool is_zero() const;
  /** In time that does not depend on the keys. */
  bool equals(const SecretKey &other) const {
    return wgc_equal(bytes.data(), other.bytes.data(), kKeyLen);
  }
  /** Whether both make the same private key: the kernel clears and sets bits that do not count. */
  bool is_same_private(const SecretKey &other) const;
  PublicKey public_key() const;
  static std::optional<SecretKey> parse(std::string_view text);
};

/**
 * read_key_file() - a key from a file that holds nothing else
 *
 * An empty file, as /dev/null is, means the key of zeros: remove the key. White space
 * after the key is allowed. Throws Error, which never quotes what the file holds.
 * Dialect::kWg differs in how it fails only.
 */
SecretKey read_key_file(const std::string &path, Dialect dialect = Dialect::kStrict);

}  // namespace wg::tool
