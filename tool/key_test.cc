// SPDX-License-Identifier: GPL-2.0
#include "key.hh"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "error.hh"
#include "secret.hh"
#include "test_file.hh"

namespace wg::tool {
namespace {

struct KeyPair {
  const char *private_key;
  const char *public_key;
};

// Made with `wg genkey` and `wg pubkey` of wireguard-tools 1.0.20210914. The first and
// the last private keys are not clamped.
constexpr KeyPair kKeyPairs[] = {
    {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
     "L+V9o0fNYkMVKNqsX7spBzD/9oSvxM/C7ZCZX1jLO3Q="},
    {"uLG4YzLqASwxCUevAn1aSQyUKHyjPr22+wKjdokufkc=",
     "1uCqrJ8DKYzlBZWRwB42PrqE78sGrSEekdR4xEuPd0o="},
    {"EB0Z823r0a0lCwjel/jHO498jUXSRvUK0rUF60BBlVM=",
     "BDMes002DQLIYUGTa6piEbHNL3K/X16m92ERA8ODTVs="},
    {"QCPtvfeWOnWk1aUk3kpAttvo4GraVJy61MV1kK4kOE8=",
     "iBYKrDS2VtaPogl/6yPWvaOdLmoN3lop7GZVcG4LfEU="},
    {"KAZvzdF8l0XyjQldnj3lqEnU3ho4pyQNedBxp4Fl70I=",
     "464bOm0al6nONtGw+0heLcQaGb+nDzhEzF4/bQXv+B4="},
    {"//////////////////////////////////////////8=",
     "hHwNLDdSNPNl5mCVUYejc1oPdhPRYJ06ak2MU66qWiI="},
};

std::string error_of(const std::string &path) {
  try {
    read_key_file(path);
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

TEST(Base64, DecodesWhatItEncodes) {
  std::mt19937 random(4711);
  for (int round = 0; round < 1000; ++round) {
    uint8_t key[kKeyLen], back[kKeyLen];
    for (uint8_t &byte : key) byte = static_cast<uint8_t>(random());
    char text[kKeyTextLen];
    base64_encode(text, key);
    ASSERT_TRUE(base64_decode(back, {text, kKeyTextLen}));
    EXPECT_EQ(memcmp(key, back, kKeyLen), 0);
  }
}

TEST(Base64, KnowsEveryDigit) {
  struct Case {
    const char *text;
    uint8_t key[kKeyLen];
  };
  // Between them the texts hold all 64 digits; the bytes are from Python's base64 module.
  static constexpr Case kCases[] = {
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopo=",
       {0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3,
        0x8f, 0x41, 0x14, 0x93, 0x51, 0x55, 0x97, 0x61, 0x96, 0x9b, 0x71,
        0xd7, 0x9f, 0x82, 0x18, 0xa3, 0x92, 0x59, 0xa7, 0xa2, 0x9a}},
      {"qrstuvwxyz0123456789+/AAAAAAAAAAAAAAAAAAAAA=",
       {0xaa, 0xbb, 0x2d, 0xba, 0xfc, 0x31, 0xcb, 0x3d, 0x35, 0xdb, 0x7e,
        0x39, 0xeb, 0xbf, 0x3d, 0xfb, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
  };
  for (const Case &one : kCases) {
    uint8_t key[kKeyLen];
    ASSERT_TRUE(base64_decode(key, one.text));
    EXPECT_EQ(memcmp(key, one.key, kKeyLen), 0);
    char text[kKeyTextLen];
    base64_encode(text, one.key);
    EXPECT_EQ(std::string(text, kKeyTextLen), one.text);
  }
}

TEST(Base64, RefusesEveryOtherLength) {
  uint8_t key[kKeyLen];
  for (size_t len = 0; len < 100; ++len) {
    std::string text(len == 0 ? 0 : len - 1, 'A');
    if (len > 0) text += '=';
    EXPECT_EQ(base64_decode(key, text), len == kKeyTextLen) << len;
  }
}

TEST(Base64, RefusesEveryOtherByteAtEveryPlace) {
  const std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t key[kKeyLen];
  for (size_t at = 0; at < kKeyTextLen - 1; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = std::string(kKeyTextLen - 1, 'A') + "=";
      text[at] = static_cast<char>(byte);
      bool good = alphabet.find(static_cast<char>(byte)) != std::string_view::npos;
      // The last digit carries four bits of the key only.
      if (at == kKeyTextLen - 2) good = good && alphabet.find(static_cast<char>(byte)) % 4 == 0;
      ASSERT_EQ(base64_decode(key, text), good) << at << " " << byte;
    }
  }
}

TEST(Base64, RefusesEveryOtherPadding) {
  uint8_t key[kKeyLen];
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = std::string(kKeyTextLen - 1, 'A') + static_cast<char>(byte);
    EXPECT_EQ(base64_decode(key, text), byte == '=') << byte;
  }
}

TEST(Base64, ZeroesTheKeyOnFailure) {
  uint8_t key[kKeyLen];
  memset(key, 0x55, sizeof(key));
  EXPECT_FALSE(base64_decode(key, "////////////////////////////////////////////"));
  for (uint8_t byte : key) EXPECT_EQ(byte, 0);
}

TEST(SecretKey, DerivesThePublicKeysOfWg) {
  for (const KeyPair &pair : kKeyPairs) {
    const auto key = SecretKey::parse(pair.private_key);
    ASSERT_TRUE(key) << pair.private_key;
    EXPECT_EQ(key->public_key().text(), pair.public_key);
  }
}

TEST(SecretKey, IsZeroOnlyWhenAllBytesAre) {
  SecretKey key;
  EXPECT_TRUE(key.is_zero());
  key.bytes[31] = 1;
  EXPECT_FALSE(key.is_zero());
}

TEST(SecretKey, IsWipedWhenItGoesAway) {
  alignas(SecretKey) unsigned char storage[sizeof(SecretKey)];
  auto *key = new (storage) SecretKey();
  key->bytes.fill(0xaa);
  key->~SecretKey();
  for (const volatile unsigned char &byte : storage) EXPECT_EQ(byte, 0);
}

TEST(KeyFile, TakesOneKeyAndBlanksAfterIt) {
  for (const char *tail : {"", "\n", " \t\r\n\n"}) {
    const TextFile file(std::string(kKeyPairs[1].private_key) + tail);
    EXPECT_EQ(read_key_file(file.path()).public_key().text(), kKeyPairs[1].public_key);
  }
}

TEST(KeyFile, TakesEmptyAsNoKey) {
  EXPECT_TRUE(read_key_file("/dev/null").is_zero());
  const TextFile file("");
  EXPECT_TRUE(read_key_file(file.path()).is_zero());
}

TEST(KeyFile, RefusesTheRestByName) {
  const std::string key = kKeyPairs[1].private_key;
  const TextFile small("short"), tail(key + "x"), two(key + "\n" + key), nul(key + '\0');
  const TextFile bad("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=");
  EXPECT_EQ(error_of(small.path()),
            "Invalid length key in key file: `" + small.path() + "'; a key has 44 characters");
  for (const TextFile *file : {&tail, &two, &nul}) {
    EXPECT_EQ(error_of(file->path()),
              "Found trailing character in key file: `" + file->path() + "'; it must hold one key");
  }
  EXPECT_EQ(error_of(bad.path()), "Key is not the correct length or format in key file: `" +
                                      bad.path() + "'; `genkey' and `genpsk' make keys");
  EXPECT_EQ(error_of("/nonexistent"), "fopen: No such file or directory: `/nonexistent'");
  EXPECT_EQ(error_of("/"), "Unable to read `/': Is a directory");
  EXPECT_EQ(error_of("/dev/zero"), "Unable to read `/dev/zero': File too large");
}

}  // namespace
}  // namespace wg::tool
