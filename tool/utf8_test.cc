// SPDX-License-Identifier: GPL-2.0
#include "utf8.hh"

#include <gtest/gtest.h>

namespace wg::tool {
namespace {

TEST(Utf8, ReadsCharactersOfEveryLength) {
  EXPECT_EQ(next_code_point("a").value, 0x61u);
  EXPECT_EQ(next_code_point("\xc3\xa4x").value, 0xe4u);
  EXPECT_EQ(next_code_point("\xe2\x82\xac").value, 0x20acu);
  EXPECT_EQ(next_code_point("\xf0\x9f\x98\x80").value, 0x1f600u);
  EXPECT_EQ(next_code_point("\xf0\x9f\x98\x80").len, 4u);
}

TEST(Utf8, TakesWhatIsNoUtf8ByteByByte) {
  for (const char *text : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "\xc3x"}) {
    EXPECT_FALSE(next_code_point(text).is_valid) << text;
    EXPECT_EQ(next_code_point(text).len, 1u);
  }
}

TEST(Utf8, CountsColumns) {
  EXPECT_EQ(display_width(""), 0u);
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("\xc3\xa4o\xcc\x88"), 2u);
  EXPECT_EQ(display_width("\xe6\xbc\xa2\xe5\xad\x97"), 4u);
  EXPECT_EQ(display_width("\x1b[31mab\x1b[0m"), 2u);
}

TEST(Utf8, FitsWholeCharacters) {
  EXPECT_EQ(fit("abc", 5), "abc");
  EXPECT_EQ(fit("abc", 2), "ab");
  EXPECT_EQ(fit("abc", 0), "");
  EXPECT_EQ(fit("\xe6\xbc\xa2\xe5\xad\x97", 3), "\xe6\xbc\xa2");
  EXPECT_EQ(fit("o\xcc\x88x", 1), "o\xcc\x88");
  EXPECT_EQ(fit("\x1b[31mab\x1b[0m", 2), "\x1b[31mab\x1b[0m");
  EXPECT_EQ(fit("\x1b[31mabc\x1b[0m", 2), "\x1b[31mab\x1b[0m");
}

TEST(Utf8, CleansNames) {
  EXPECT_EQ(clean_name("  laptop of J\xc3\xbcrgen \t", 64), "laptop of J\xc3\xbcrgen ?");
  EXPECT_EQ(clean_name("a\x1b[2Jb", 64), "a?[2Jb");
  EXPECT_EQ(clean_name("a\xe2\x80\xae"
                       "b",
                       64),
            "a?b");
  EXPECT_EQ(clean_name("a\xff", 64), "a?");
  EXPECT_EQ(clean_name("abcd", 3), "abc");
  EXPECT_EQ(clean_name("ab\xc3\xa4", 3), "ab");
  EXPECT_EQ(clean_name("ab  cd", 4), "ab");
  EXPECT_EQ(clean_name("   ", 64), "");
}

}  // namespace
}  // namespace wg::tool
