// SPDX-License-Identifier: GPL-2.0
#include "options.hh"

#include <gtest/gtest.h>

#include "error.hh"

namespace wg::tool {
namespace {

constexpr Option kOptions[] = {
    {"j", "json", nullptr, ""},     {"p", "pretty", nullptr, ""}, {"br", "brief", nullptr, ""},
    {"c", "color", "[=WHEN]", ""},  {"f", "dir", "DIR", ""},      {"", "sort", "KEY", ""},
    {"", "rate", "[=SECONDS]", ""},
};

ParsedOptions parse(const std::vector<std::string> &arguments) {
  return parse_options(kOptions, arguments);
}

std::string refusal(const std::vector<std::string> &arguments) {
  try {
    parse(arguments);
  } catch (const UsageError &error) {
    return error.what();
  }
  return "taken";
}

std::vector<std::string> words(const ParsedOptions &parsed) {
  return {parsed.words().begin(), parsed.words().end()};
}

TEST(Options, StandBeforeAndAfterWords) {
  const ParsedOptions parsed = parse({"wg0", "-j", "peers", "--sort", "age", "-", ""});
  EXPECT_TRUE(parsed.has("json"));
  EXPECT_FALSE(parsed.has("pretty"));
  EXPECT_EQ(parsed.value("sort"), "age");
  EXPECT_EQ(parsed.value("dir"), std::nullopt);
  EXPECT_EQ(words(parsed), (std::vector<std::string>{"wg0", "peers", "-", ""}));
}

TEST(Options, TakeAValueInTheSameWordOrInTheNext) {
  EXPECT_EQ(parse({"--sort=rx"}).value("sort"), "rx");
  EXPECT_EQ(parse({"--sort="}).value("sort"), "");
  EXPECT_EQ(parse({"--sort", "--json"}).value("sort"), "--json");
  EXPECT_EQ(parse({"-f", "/a=b"}).value("dir"), "/a=b");
  EXPECT_EQ(parse({"-f=/a=b"}).value("dir"), "/a=b");
  EXPECT_EQ(parse({"--sort", "rx", "--sort", "tx"}).value("sort"), "tx");
}

TEST(Options, MayLackAValueThatIsOptional) {
  const ParsedOptions parsed = parse({"-c", "--rate", "wg0"});
  EXPECT_EQ(parsed.value("color"), "");
  EXPECT_EQ(parsed.value("rate"), "");
  EXPECT_EQ(words(parsed), (std::vector<std::string>{"wg0"}));
  EXPECT_EQ(parse({"-c=never"}).value("color"), "never");
  EXPECT_EQ(parse({"--rate=5"}).value("rate"), "5");
  EXPECT_EQ(parse({"-c=never", "-c"}).value("color"), "");
  EXPECT_EQ(parse({"-c=never", "-jc"}).value("color"), "");
}

TEST(Options, LettersMayStandTogether) {
  const ParsedOptions parsed = parse({"-jpc"});
  EXPECT_TRUE(parsed.has("json") && parsed.has("pretty") && parsed.has("color"));
  EXPECT_FALSE(parsed.has("brief"));
  EXPECT_TRUE(parse({"-br"}).has("brief"));
}

TEST(Options, EndAtTwoDashes) {
  const ParsedOptions parsed = parse({"-j", "--", "--sort", "-p", "--"});
  EXPECT_TRUE(parsed.has("json"));
  EXPECT_FALSE(parsed.has("sort"));
  EXPECT_EQ(words(parsed), (std::vector<std::string>{"--sort", "-p", "--"}));
}

TEST(Options, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal({"--jso"}), "Unknown option: `--jso'");
  EXPECT_EQ(refusal({"-x"}), "Unknown option: `-x'");
  EXPECT_EQ(refusal({"-jx"}), "Unknown option: `-jx'");
  EXPECT_EQ(refusal({"-jf"}), "Unknown option: `-jf'");
  EXPECT_EQ(refusal({"-jc=never"}), "Unknown option: `-jc=never'");
  EXPECT_EQ(refusal({"--\x1b"}), "Unknown option: `--?'");
  EXPECT_EQ(refusal({"--sort"}), "Option --sort needs KEY");
  EXPECT_EQ(refusal({"-f"}), "Option -f needs DIR");
  EXPECT_EQ(refusal({"--json=1"}), "Option --json takes no value: `--json=1'");
  EXPECT_EQ(refusal({"-j=1"}), "Option -j takes no value: `-j=1'");
}

}  // namespace
}  // namespace wg::tool
