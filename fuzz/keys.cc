// SPDX-License-Identifier: GPL-2.0
// Keys as text and key files, against a decoder that works on a string of bits.
#include "key.hh"

#include <sys/mman.h>
#include <unistd.h>

#include "error.hh"
#include "tool_check.hh"

namespace {

using wg::tool::base64_decode;
using wg::tool::base64_encode;
using wg::tool::kKeyLen;
using wg::tool::kKeyTextLen;
using wgfuzz::Input;

using Key = std::array<uint8_t, kKeyLen>;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// RFC 4648, 4, with all that 3.5 lets a decoder be strict about.
std::optional<Key> model_decode(std::string_view text) {
  if (text.size() != 44 || text[43] != '=') return std::nullopt;
  std::vector<bool> bits;
  for (const char c : text.substr(0, 43)) {
    const size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    for (unsigned bit = 6; bit-- > 0;) bits.push_back((digit >> bit & 1) != 0);
  }
  if (bits[256] || bits[257]) return std::nullopt;
  Key key{};
  for (size_t i = 0; i < 256; ++i) {
    if (bits[i]) key[i / 8] |= static_cast<uint8_t>(0x80U >> i % 8);
  }
  return key;
}

void check_text(const std::string &text) {
  Key key;
  key.fill(0xee);
  const std::optional<Key> expected = model_decode(text);
  REQUIRE(base64_decode(key.data(), text) == expected.has_value());
  REQUIRE(key == expected.value_or(Key{}));
  REQUIRE(wg::tool::PublicKey::parse(text).has_value() == expected.has_value());
  if (!expected) return;
  std::string back(kKeyTextLen, '\0');
  base64_encode(back.data(), key.data());
  REQUIRE(back == text);
}

void check_key(const Key &key) {
  std::string text(kKeyTextLen, '\0');
  base64_encode(text.data(), key.data());
  REQUIRE(model_decode(text) == key);
}

// One key, then blanks; nothing at all is the key of zeros.
std::optional<Key> model_file(std::string_view content) {
  if (content.empty()) return Key{};
  if (content.size() > 4096) return std::nullopt;
  const size_t end = std::min<size_t>(44, content.size());
  for (const char c : content.substr(end)) {
    if (std::string_view(" \t\n\v\f\r").find(c) == std::string_view::npos) return std::nullopt;
  }
  return model_decode(content.substr(0, end));
}

void check_file(const std::string &content) {
  static const int fd = memfd_create("key", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  REQUIRE(fd >= 0 && ftruncate(fd, 0) == 0);
  REQUIRE(pwrite(fd, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()));
  const std::optional<Key> expected = model_file(content);
  try {
    const wg::tool::SecretKey key = wg::tool::read_key_file(path);
    REQUIRE(expected == key.bytes);
  } catch (const wg::tool::Error &error) {
    REQUIRE(!expected);
    const std::string_view message = error.what();
    wgfuzz::require_printable(message);
    // The path is quoted, and may be in the file by chance.
    const std::string begin = content.substr(0, 12);
    const bool may_be_key =
        begin.size() == 12 && begin.find_first_not_of(kAlphabet) == std::string::npos;
    REQUIRE(!may_be_key || path.find(begin) != std::string::npos ||
            message.find(begin) == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  switch (in.below(4)) {
    case 0:
      check_text(in.rest());
      break;
    case 1: {
      // A good key with a few characters changed.
      Key key;
      in.fill(key.data(), key.size());
      check_key(key);
      std::string text(kKeyTextLen, '\0');
      base64_encode(text.data(), key.data());
      for (unsigned i = in.below(3); i > 0; --i) {
        const size_t at = in.u8() % text.size();
        text[at] = static_cast<char>(in.u8());
      }
      check_text(text);
      break;
    }
    case 2:
      check_file(in.rest());
      break;
    default: {
      Key key;
      in.fill(key.data(), key.size());
      std::string text(kKeyTextLen, '\0');
      base64_encode(text.data(), key.data());
      check_file(text + in.rest());
      break;
    }
  }
  return 0;
}
