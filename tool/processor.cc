// SPDX-License-Identifier: GPL-2.0
#include "processor.hh"

#include <fmt/format.h>

#include <cstdlib>

#include "error.hh"
#include "host_cpu.hh"
#include "text.hh"
#include "wgcore.h"

namespace wg::tool {
namespace {

constexpr const char *kVariable = "WGPP_CRYPTO";

// The levels of this processor, with a comma before each of them.
std::string levels() {
  std::string text;
  const char *level;
  for (size_t i = 0; (level = wgc_cpu_level(host_cpu_features(), i)) != nullptr; ++i) {
    text += fmt::format(", {}", level);
  }
  return text;
}

}  // namespace

void choose_crypto() {
  const char *const wanted = std::getenv(kVariable);
  if (wgc_cpu_choose(host_cpu_features(), wanted == nullptr ? "auto" : wanted)) return;
  throw Error(fmt::format("{} `{}' is none of what this processor can do: auto{}", kVariable,
                          printable(wanted), levels()));
}

std::string crypto_text() {
  return fmt::format("crypto: {}, X25519: {} (of auto{}: {} chooses)", wgc_crypto_level(),
                     wgc_x25519_level(), levels(), kVariable);
}

}  // namespace wg::tool
