// SPDX-License-Identifier: GPL-2.0
#include "cpu.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host_cpu.hh"
#include "wgcore.h"

namespace wg::test {
namespace {

constexpr uint32_t kAllOfX86 =
    WGC_CPU_POPCNT | WGC_CPU_AVX2 | WGC_CPU_ADX | WGC_CPU_AVX512 | WGC_CPU_IFMA;

std::vector<std::string> levels(uint32_t features) {
  std::vector<std::string> found;
  const char *level;
  while ((level = wgc_cpu_level(features, found.size())) != nullptr) found.emplace_back(level);
  return found;
}

class Cpu : public testing::Test {
 protected:
  void TearDown() override { wgc_cpu_set(0); }
};

TEST_F(Cpu, HasLevelsFromScalarToTheBest) {
  using List = std::vector<std::string>;
  EXPECT_EQ(levels(0), List({"scalar"}));
  EXPECT_EQ(levels(WGC_CPU_POPCNT | WGC_CPU_ADX), List({"scalar"}));
  EXPECT_EQ(levels(WGC_CPU_AVX2), List({"scalar", "avx2"}));
  EXPECT_EQ(levels(kAllOfX86), List({"scalar", "avx2", "avx512"}));
  EXPECT_EQ(levels(WGC_CPU_NEON), List({"scalar", "neon"}));
  // Its instructions come with those of AVX2.
  EXPECT_EQ(levels(WGC_CPU_AVX512), List({"scalar"}));
}

TEST_F(Cpu, NameFitsIntoTheParameterOfTheModule) {
  for (const std::string &level : levels(~uint32_t{0})) EXPECT_LT(level.size(), 8U) << level;
  EXPECT_EQ(levels(~uint32_t{0}).size(), 4U);
}

TEST_F(Cpu, AutomaticChoiceHasAll) {
  ASSERT_TRUE(wgc_cpu_choose(kAllOfX86, "auto"));
  EXPECT_TRUE(cpu_has_popcnt() && cpu_has_avx2() && cpu_has_adx());
  EXPECT_TRUE(cpu_has_avx512() && cpu_has_ifma());
  EXPECT_FALSE(cpu_has_neon());
}

TEST_F(Cpu, ChoiceKeepsFromWhatIsBetter) {
  ASSERT_TRUE(wgc_cpu_choose(kAllOfX86, "scalar"));
  EXPECT_TRUE(cpu_has_popcnt());
  EXPECT_FALSE(cpu_has_avx2() || cpu_has_avx512() || cpu_has_adx());
  ASSERT_TRUE(wgc_cpu_choose(kAllOfX86, "avx2"));
  EXPECT_TRUE(cpu_has_popcnt() && cpu_has_avx2() && cpu_has_adx());
  EXPECT_FALSE(cpu_has_avx512() || cpu_has_ifma());
  ASSERT_TRUE(wgc_cpu_choose(kAllOfX86, "avx512"));
  EXPECT_TRUE(cpu_has_avx2() && cpu_has_avx512() && cpu_has_ifma() && cpu_has_adx());
}

TEST_F(Cpu, ChoiceIsRefusedAndChangesNothing) {
  ASSERT_TRUE(wgc_cpu_choose(WGC_CPU_AVX2, "auto"));
  for (const char *const level : {"avx512", "neon", "", "AVX2", "avx", "avx22", "auto ", "mmx"}) {
    EXPECT_FALSE(wgc_cpu_choose(WGC_CPU_AVX2 | WGC_CPU_POPCNT, level)) << level;
    EXPECT_TRUE(cpu_has_avx2()) << level;
    EXPECT_FALSE(cpu_has_popcnt()) << level;
  }
}

// What tests and programs of this processor choose is what works then.
TEST_F(Cpu, LevelOfThisProcessorIsNamedByTheCipher) {
  for (const std::string &level : levels(host_cpu_features())) {
    ASSERT_TRUE(wgc_cpu_choose(host_cpu_features(), level.c_str()));
    EXPECT_EQ(level, wgc_crypto_level());
  }
  ASSERT_TRUE(wgc_cpu_choose(host_cpu_features(), "auto"));
  EXPECT_EQ(levels(host_cpu_features()).back(), wgc_crypto_level());
}

}  // namespace
}  // namespace wg::test
