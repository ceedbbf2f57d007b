// SPDX-License-Identifier: GPL-2.0
// Tests that are run with each implementation that this processor has.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cpu.hh"
#include "host_cpu.hh"

namespace wg::test {

struct Level {
  const char *name;
  uint32_t features;
};

// TEST_P()s of a class that is derived from this one, with WGPP_EACH_LEVEL().
class LevelTest : public testing::TestWithParam<Level> {
 protected:
  void SetUp() override { set_cpu_features(GetParam().features); }
  void TearDown() override { set_cpu_features(0); }
};

// Those of them that this processor can run.
inline std::vector<Level> possible(const std::vector<Level> &levels) {
  std::vector<Level> found;
  for (const Level &level : levels) {
    if ((host_cpu_features() & level.features) == level.features) found.push_back(level);
  }
  return found;
}

// How packets are sealed and opened.
inline std::vector<Level> packet_levels() {
  return possible({{"scalar", 0},
                   {"avx2", WGC_CPU_AVX2},
                   {"avx512", WGC_CPU_AVX2 | WGC_CPU_AVX512},
                   {"neon", WGC_CPU_NEON}});
}

// How handshakes multiply.
inline std::vector<Level> x25519_levels() {
  return possible({{"portable", 0}, {"adx", WGC_CPU_ADX}});
}

// The same for many.
inline std::vector<Level> x25519_batch_levels() {
  return possible({{"portable", 0},
                   {"adx", WGC_CPU_ADX},
                   {"ifma", WGC_CPU_AVX2 | WGC_CPU_AVX512 | WGC_CPU_IFMA}});
}

}  // namespace wg::test

#define WGPP_EACH_LEVEL(suite, levels)                               \
  INSTANTIATE_TEST_SUITE_P(Levels, suite, testing::ValuesIn(levels), \
                           [](const auto &info) { return std::string(info.param.name); })
