// SPDX-License-Identifier: GPL-2.0
#include "processor.hh"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "error.hh"
#include "wgcore.h"

namespace wg::tool {
namespace {

bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

class Processor : public testing::Test {
 protected:
  void TearDown() override {
    unsetenv("WGPP_CRYPTO");
    wgc_cpu_set(0);
  }
  static void choose(const char *level) {
    setenv("WGPP_CRYPTO", level, 1);
    choose_crypto();
  }
};

TEST_F(Processor, VariableChooses) {
  choose("scalar");
  EXPECT_TRUE(has(crypto_text(), "crypto: scalar, X25519: portable")) << crypto_text();
  choose("auto");
  const std::string best = crypto_text();
  unsetenv("WGPP_CRYPTO");
  wgc_cpu_set(0);
  choose_crypto();
  EXPECT_EQ(crypto_text(), best);
  EXPECT_TRUE(has(best, "(of auto, scalar")) << best;
}

TEST_F(Processor, NameThatNobodyKnowsIsQuotedWithThoseThatThereAre) {
  for (const char *const level : {"mmx", "", "Scalar", "avx2\x1b[31m"}) {
    try {
      choose(level);
      ADD_FAILURE() << level << " was taken";
    } catch (const Error &error) {
      const std::string text = error.what();
      EXPECT_TRUE(has(text, "WGPP_CRYPTO `")) << text;
      EXPECT_TRUE(has(text, "' is none of what this processor can do: auto, scalar")) << text;
      EXPECT_FALSE(has(text, "\x1b")) << level;
    }
  }
}

}  // namespace
}  // namespace wg::tool
