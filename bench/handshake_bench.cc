// SPDX-License-Identifier: GPL-2.0
// What handshakes are made of, beside Linux' own, OpenSSL and libsodium: X25519 and BLAKE2s.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <array>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "blake2s.hh"
#include "cycles.hh"
#include "host_cpu.hh"
#include "report.hh"
#include "wgcore.h"
#include "x25519.hh"

extern "C" {
bool curve25519(uint8_t *out, const uint8_t *scalar, const uint8_t *point);
bool curve25519_generate_public(uint8_t *out, const uint8_t *scalar);
void bench_linux_blake2s(uint8_t *out, const uint8_t *in, size_t len);
}

namespace {

using wgbench::Report;
using Key = std::array<uint8_t, 32>;
using Function = std::function<void()>;

constexpr size_t kHashLens[] = {64, 128, 1024};

Key random_key(std::mt19937 &random) {
  Key key;
  for (uint8_t &byte : key) byte = static_cast<uint8_t>(random());
  return key;
}

void check(bool is_good, const char *who) {
  if (!is_good) throw std::runtime_error(std::string(who) + " refuses");
}

// X25519 by OpenSSL, with its objects made ahead: they are most of a single call.
class OpenSslX25519 {
 public:
  OpenSslX25519(const Key &scalar, const Key &point)
      : own_(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), 32)),
        far_(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), 32)),
        context_(EVP_PKEY_CTX_new(own_.get(), nullptr)) {
    check(EVP_PKEY_derive_init(context_.get()) == 1, "OpenSSL");
    check(EVP_PKEY_derive_set_peer(context_.get(), far_.get()) == 1, "OpenSSL");
  }
  void derive(Key &out) {
    size_t len = out.size();
    check(EVP_PKEY_derive(context_.get(), out.data(), &len) == 1, "OpenSSL");
  }

 private:
  struct Deleter {
    void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX *context) const { EVP_PKEY_CTX_free(context); }
  };
  std::unique_ptr<EVP_PKEY, Deleter> own_;
  std::unique_ptr<EVP_PKEY, Deleter> far_;
  std::unique_ptr<EVP_PKEY_CTX, Deleter> context_;
};

class OpenSslHash {
 public:
  OpenSslHash() : context_(EVP_MD_CTX_new()) {}
  void hash(uint8_t *out, const std::vector<uint8_t> &in) {
    check(EVP_DigestInit_ex(context_.get(), EVP_blake2s256(), nullptr) == 1 &&
              EVP_DigestUpdate(context_.get(), in.data(), in.size()) == 1 &&
              EVP_DigestFinal_ex(context_.get(), out, nullptr) == 1,
          "OpenSSL");
  }

 private:
  struct Deleter {
    void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Deleter> context_;
};

// One thing to measure: who does it, and what is done, how often.
struct Case {
  std::string topic, name, contender;
  uint32_t features;
  Function body;
  size_t num = 1;
};

// All that is measured. Each body of a case leaves the same result.
class Cases {
 public:
  explicit Cases(const Key &result) : result_(result) {}
  // Each body does it num times.
  void begin(const std::string &topic, const std::string &name, size_t num = 1) {
    topic_ = topic;
    name_ = name;
    num_ = num;
    is_first_ = true;
  }
  void add(const std::string &contender, uint32_t features, const Function &body) {
    wgc_cpu_set(features);
    body();
    if (!is_first_ && result_ != expected_) throw std::runtime_error(contender + " disagrees");
    expected_ = result_;
    is_first_ = false;
    cases_.push_back({topic_, name_, contender, features, body, num_});
  }
  const std::vector<Case> &all() const { return cases_; }

 private:
  const Key &result_;
  Key expected_{};
  std::string topic_, name_;
  size_t num_ = 1;
  bool is_first_ = true;
  std::vector<Case> cases_;
};

struct Level {
  const char *name;
  uint32_t features;
};

std::vector<Level> levels() {
  std::vector<Level> found = {{"wgpp portable", 0}};
  if ((wg::host_cpu_features() & WGC_CPU_ADX) != 0) found.push_back({"wgpp adx", WGC_CPU_ADX});
  return found;
}

void measure(benchmark::State &state, const Case &one) {
  constexpr int kNumRounds = 8;
  wgc_cpu_set(one.features);
  const double ratio = wgbench::cycles_per_tick();
  uint64_t num = 0;
  const uint64_t begin = wgbench::ticks();
  for (auto _ : state) {
    for (int i = 0; i < kNumRounds; ++i) one.body();
    num += kNumRounds * one.num;
  }
  const auto elapsed = static_cast<double>(wgbench::ticks() - begin);
  state.counters["cycles"] = elapsed * ratio / static_cast<double>(num);
}

int run(int argc, char **argv) {
  wgbench::initialize(&argc, argv);
  check(sodium_init() >= 0, "libsodium");
  std::mt19937 random(1);
  const Key scalar = random_key(random);
  Key point = random_key(random);
  point[31] &= 0x7f;
  Key out;
  Cases cases(out);

  OpenSslX25519 openssl(scalar, point);
  cases.begin("x25519", "a point");
  cases.add("Linux", 0,
            [&] { check(curve25519(out.data(), scalar.data(), point.data()), "Linux"); });
  cases.add("OpenSSL", 0, [&] { openssl.derive(out); });
  cases.add("libsodium", 0, [&] {
    check(crypto_scalarmult(out.data(), scalar.data(), point.data()) == 0, "libsodium");
  });
  for (const Level &level : levels()) {
    cases.add(level.name, level.features,
              [&] { check(wg::x25519(out.data(), scalar.data(), point.data()), "wgpp"); });
  }
  cases.begin("x25519", "the base point");
  cases.add("Linux", 0,
            [&] { check(curve25519_generate_public(out.data(), scalar.data()), "Linux"); });
  cases.add("libsodium", 0,
            [&] { check(crypto_scalarmult_base(out.data(), scalar.data()) == 0, "libsodium"); });
  for (const Level &level : levels()) {
    cases.add(level.name, level.features, [&] { wg::x25519_base(out.data(), scalar.data()); });
  }

  // What setting a device's key does for its peers.
  wg::X25519Batch batch{};
  for (size_t i = 0; i < wg::kX25519BatchMax; ++i) {
    batch.scalar[i] = scalar.data();
    batch.point[i] = point.data();
  }
  const auto multiply_batch = [&] {
    wg::x25519_batch(batch, wg::kX25519BatchMax, true);
    std::copy_n(batch.out[wg::kX25519BatchMax - 1], out.size(), out.begin());
  };
  cases.begin("x25519", "each of 8 points", wg::kX25519BatchMax);
  cases.add("Linux", 0, [&] {
    for (size_t i = 0; i < wg::kX25519BatchMax; ++i)
      check(curve25519(out.data(), scalar.data(), point.data()), "Linux");
  });
  for (const Level &level : levels()) cases.add(level.name, level.features, multiply_batch);
  if ((wg::host_cpu_features() & WGC_CPU_IFMA) != 0)
    cases.add("wgpp ifma", WGC_CPU_AVX2 | WGC_CPU_AVX512 | WGC_CPU_IFMA, multiply_batch);

  OpenSslHash openssl_hash;
  std::vector<std::vector<uint8_t>> texts;
  for (const size_t len : kHashLens) texts.emplace_back(len, 0x5a);
  for (const auto &text : texts) {
    cases.begin("blake2s", fmt::format("{} bytes", text.size()));
    cases.add("Linux", 0, [&] { bench_linux_blake2s(out.data(), text.data(), text.size()); });
    cases.add("OpenSSL", 0, [&] { openssl_hash.hash(out.data(), text); });
    cases.add("wgpp portable", 0, [&] {
      wg::blake2s(out.data(), out.size(), {text.data(), text.size()});
    });
  }

  // What mainline needs on the processor of the targets, by what wgpp has to reach there.
  Report report({"Linux", "OpenSSL", "libsodium", "wgpp portable", "wgpp adx", "wgpp ifma"},
                {{"x25519/a point/wgpp adx", {116.5 / 112}},
                 {"x25519/each of 8 points/wgpp ifma", {116.5 / 30}},
                 {"blake2s/64 bytes/wgpp portable", {412.0 / 430}}});
  for (const Case &one : cases.all()) {
    report.declare(one.topic, one.name);
    benchmark::RegisterBenchmark((one.topic + "/" + one.name + "/" + one.contender).c_str(),
                                 [&one](benchmark::State &state) { measure(state, one); });
  }
  fmt::print("Cycles; the ratio is Linux' by theirs.\n");
  benchmark::RunSpecifiedBenchmarks(&report);
  return report.finish();
}

}  // namespace

int main(int argc, char **argv) {
  return wgbench::run_program(run, argc, argv);
}
