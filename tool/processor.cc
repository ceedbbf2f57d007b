// SPDX-License-Identifier: GPL-2.0
#include "processor.hh"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "error.hh"
#include "host_cpu.hh"
#include "text.hh"
#include "wgcore.h"

namespace wg::tool {
namespace {

constexpr const char *kVariable = "WGPP_CRYPTO";

}  // namespace

void choose_crypto() {
  const char *const text = std::getenv(kVariable);
  const std::string_view wanted = text == nullptr ? "auto" : text;
  uint32_t chosen = host_cpu_features();
  if (wanted == "scalar") {
    chosen &= ~uint32_t{WGC_CPU_AVX2 | WGC_CPU_ADX};
  } else if (wanted == "avx2") {
    if ((chosen & WGC_CPU_AVX2) == 0) {
      throw Error(fmt::format("{}=avx2: this processor lacks AVX2 or BMI2; use auto", kVariable));
    }
  } else if (wanted != "auto") {
    throw Error(
        fmt::format("{} is none of auto, scalar, avx2: `{}'", kVariable, printable(wanted)));
  }
  wgc_cpu_set(chosen);
}

std::string crypto_text() {
  const bool has_avx2 = (host_cpu_features() & WGC_CPU_AVX2) != 0;
  return fmt::format("crypto: {}, X25519: {} (this processor has {}; {} chooses)",
                     wgc_crypto_level(), wgc_x25519_level(),
                     has_avx2 ? "scalar and avx2" : "scalar", kVariable);
}

}  // namespace wg::tool
