// SPDX-License-Identifier: GPL-2.0
// What the programs of this directory share.
#pragma once

#include <cstdint>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "base.hh"
#include "host_cpu.hh"
#include "wgcore.h"

namespace wgsecret {

using Bytes = std::vector<uint8_t>;

// The same ones in every run.
inline Bytes random_bytes(size_t len) {
  static std::mt19937 numbers(1);
  Bytes out(len);
  for (uint8_t &byte : out) byte = static_cast<uint8_t>(numbers());
  return out;
}

inline wg::ConstBytes span(const Bytes &bytes) {
  return {bytes.data(), bytes.size()};
}

inline void require(bool is_true, const char *what) {
  if (!is_true) throw std::runtime_error(std::string(what) + " does not work");
}

// level: a name of wgc_cpu_level(), and "/portable" behind it for X25519 without ADX, which not
// every emulator gets right.
inline void use_level(std::string level) {
  uint32_t features = wg::host_cpu_features();
  if (const size_t at = level.find("/portable"); at != std::string::npos) {
    level.resize(at);
    features &= ~uint32_t{WGC_CPU_ADX};
  }
  if (!wgc_cpu_choose(features, level.c_str())) {
    throw std::runtime_error("no such level on this processor: " + level);
  }
}

// What main() does with its arguments, of which there are to be so many: the status of body, or 1
// and a line that says why.
inline int run_program(int (*body)(const std::vector<std::string> &args), size_t num_args, int argc,
                       char **argv) {
  try {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (args.size() != num_args) throw std::runtime_error("a wrong number of arguments");
    return body(args);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace wgsecret
