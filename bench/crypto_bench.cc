// SPDX-License-Identifier: GPL-2.0
// ChaCha20-Poly1305 of packets beside Linux' own, OpenSSL and libsodium: no AD, a counter for a
// nonce, out of place, as many packets at a time as a batch has.
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

#include "aead.hh"
#include "cycles.hh"
#include "host_cpu.hh"
#include "report.hh"
#include "wgcore.h"

extern "C" {
void chacha20poly1305_encrypt(uint8_t *dst, const uint8_t *src, size_t src_len, const uint8_t *ad,
                              size_t ad_len, uint64_t nonce, const uint8_t *key);
bool chacha20poly1305_decrypt(uint8_t *dst, const uint8_t *src, size_t src_len, const uint8_t *ad,
                              size_t ad_len, uint64_t nonce, const uint8_t *key);
}

namespace {

using wgbench::Report;

constexpr size_t kLens[] = {64, 128, 256, 576, 1024, 1280, 1420, 1500, 9000, 65536};
constexpr size_t kBatches[] = {1, 2, 4, 8, 16, 45};
constexpr size_t kTagLen = wg::kAeadTagLen;
// What is worked on in one sample, at least: the clock takes time too.
constexpr size_t kSampleLen = 65536;

using Key = std::array<uint8_t, wg::kAeadKeyLen>;
using Nonce = std::array<uint8_t, 12>;

Nonce nonce_of(uint64_t counter) {
  Nonce nonce{};
  for (size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<uint8_t>(counter >> 8 * i);
  return nonce;
}

// The packets of one case, in memory of their own.
struct Packets {
  size_t num;
  size_t len;
  std::vector<std::vector<uint8_t>> texts, sealed, opened;

  Packets(size_t num_packets, size_t packet_len) : num(num_packets), len(packet_len) {
    std::mt19937 random(static_cast<uint32_t>(num * 100000 + len));
    for (size_t i = 0; i < num; ++i) {
      texts.emplace_back(len);
      for (uint8_t &byte : texts.back()) byte = static_cast<uint8_t>(random());
      sealed.emplace_back(len + kTagLen);
      opened.emplace_back(len);
    }
  }
};

// Somebody's ChaCha20-Poly1305: seals all packets of a case, or opens what it has sealed.
class Contender {
 public:
  explicit Contender(std::string name) : name_(std::move(name)) {}
  Contender(const Contender &) = delete;
  Contender &operator=(const Contender &) = delete;
  virtual ~Contender() = default;
  const std::string &name() const { return name_; }
  virtual void seal(Packets &packets, const Key &key) = 0;
  virtual bool open(Packets &packets, const Key &key) = 0;

 private:
  std::string name_;
};

class Linux : public Contender {
 public:
  Linux() : Contender("Linux") {}
  void seal(Packets &packets, const Key &key) override {
    for (size_t i = 0; i < packets.num; ++i) {
      chacha20poly1305_encrypt(packets.sealed[i].data(), packets.texts[i].data(), packets.len,
                               nullptr, 0, i, key.data());
    }
  }
  bool open(Packets &packets, const Key &key) override {
    bool is_good = true;
    for (size_t i = 0; i < packets.num; ++i) {
      is_good &= chacha20poly1305_decrypt(packets.opened[i].data(), packets.sealed[i].data(),
                                          packets.len + kTagLen, nullptr, 0, i, key.data());
    }
    return is_good;
  }
};

// A context that knows the key, as it would for a session; each packet brings its nonce.
class OpenSsl : public Contender {
 public:
  OpenSsl() : Contender("OpenSSL"), seal_(new_context()), open_(new_context()) {}
  void set_key(const Key &key) {
    const EVP_CIPHER *const cipher = EVP_chacha20_poly1305();
    check(EVP_EncryptInit_ex(seal_.get(), cipher, nullptr, key.data(), nullptr));
    check(EVP_DecryptInit_ex(open_.get(), cipher, nullptr, key.data(), nullptr));
  }
  void seal(Packets &packets, const Key &) override {
    const int len = static_cast<int>(packets.len);
    for (size_t i = 0; i < packets.num; ++i) {
      uint8_t *const out = packets.sealed[i].data();
      int done;
      check(EVP_EncryptInit_ex(seal_.get(), nullptr, nullptr, nullptr, nonce_of(i).data()));
      check(EVP_EncryptUpdate(seal_.get(), out, &done, packets.texts[i].data(), len));
      check(EVP_EncryptFinal_ex(seal_.get(), out + len, &done));
      check(EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, kTagLen, out + len));
    }
  }
  bool open(Packets &packets, const Key &) override {
    const int len = static_cast<int>(packets.len);
    bool is_good = true;
    for (size_t i = 0; i < packets.num; ++i) {
      uint8_t *const in = packets.sealed[i].data();
      int done;
      check(EVP_DecryptInit_ex(open_.get(), nullptr, nullptr, nullptr, nonce_of(i).data()));
      check(EVP_DecryptUpdate(open_.get(), packets.opened[i].data(), &done, in, len));
      check(EVP_CIPHER_CTX_ctrl(open_.get(), EVP_CTRL_AEAD_SET_TAG, kTagLen, in + len));
      is_good &= EVP_DecryptFinal_ex(open_.get(), packets.opened[i].data() + len, &done) == 1;
    }
    return is_good;
  }

 private:
  struct Deleter {
    void operator()(EVP_CIPHER_CTX *context) const { EVP_CIPHER_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_CIPHER_CTX, Deleter>;
  static Context new_context() { return Context(EVP_CIPHER_CTX_new()); }
  static void check(int result) {
    if (result != 1) throw std::runtime_error("OpenSSL refuses");
  }
  Context seal_;
  Context open_;
};

class Sodium : public Contender {
 public:
  Sodium() : Contender("libsodium") {}
  void seal(Packets &packets, const Key &key) override {
    for (size_t i = 0; i < packets.num; ++i) {
      crypto_aead_chacha20poly1305_ietf_encrypt(packets.sealed[i].data(), nullptr,
                                                packets.texts[i].data(), packets.len, nullptr, 0,
                                                nullptr, nonce_of(i).data(), key.data());
    }
  }
  bool open(Packets &packets, const Key &key) override {
    bool is_good = true;
    for (size_t i = 0; i < packets.num; ++i) {
      is_good &= crypto_aead_chacha20poly1305_ietf_decrypt(
                     packets.opened[i].data(), nullptr, nullptr, packets.sealed[i].data(),
                     packets.len + kTagLen, nullptr, 0, nonce_of(i).data(), key.data()) == 0;
    }
    return is_good;
  }
};

class Ours : public Contender {
 public:
  explicit Ours(const char *level) : Contender(std::string("wgpp ") + level), level_(level) {}
  void seal(Packets &packets, const Key &key) override {
    std::vector<wg::AeadPacket> &batch = prepare(packets, key, false);
    wg::aead_seal_batch(batch.data(), batch.size(), true);
  }
  bool open(Packets &packets, const Key &key) override {
    std::vector<wg::AeadPacket> &batch = prepare(packets, key, true);
    wg::aead_open_batch(batch.data(), batch.size(), true);
    bool is_good = true;
    for (const wg::AeadPacket &packet : batch) is_good &= packet.is_good;
    return is_good;
  }

 private:
  std::vector<wg::AeadPacket> &prepare(Packets &packets, const Key &key, bool is_open) {
    // Once for each turn: finding it by its name takes a few cycles.
    static const Ours *current = nullptr;
    if (current != this && !wgc_cpu_choose(wg::host_cpu_features(), level_)) {
      throw std::logic_error(level_);
    }
    current = this;
    batch_.clear();
    for (size_t i = 0; i < packets.num; ++i) {
      const uint8_t *const src = is_open ? packets.sealed[i].data() : packets.texts[i].data();
      uint8_t *const dst = is_open ? packets.opened[i].data() : packets.sealed[i].data();
      batch_.push_back({dst, src, packets.len, i, key.data(), false});
    }
    return batch_;
  }
  const char *level_;
  std::vector<wg::AeadPacket> batch_;
};

// All of them make the same of the same packets, and of nobody's but the right ones.
void compare(const std::vector<std::unique_ptr<Contender>> &contenders, const Key &key) {
  for (const size_t len : kLens) {
    Packets packets(3, len);
    std::vector<std::vector<uint8_t>> expected;
    for (const auto &contender : contenders) {
      contender->seal(packets, key);
      if (expected.empty()) expected = packets.sealed;
      if (packets.sealed != expected || !contender->open(packets, key) ||
          packets.opened != packets.texts) {
        throw std::runtime_error(contender->name() + " disagrees");
      }
      packets.sealed[1].back() ^= 1;
      if (contender->open(packets, key)) {
        throw std::runtime_error(contender->name() + " opens what is forged");
      }
    }
  }
}

void measure(benchmark::State &state, Packets &packets, const std::function<void()> &body) {
  const double ratio = wgbench::cycles_per_tick();
  const size_t num_bytes = packets.num * packets.len;
  const size_t num_rounds = 1 + kSampleLen / num_bytes;
  uint64_t num = 0;
  const uint64_t begin = wgbench::ticks();
  for (auto _ : state) {
    for (size_t i = 0; i < num_rounds; ++i) body();
    num += num_rounds;
  }
  const auto elapsed = static_cast<double>(wgbench::ticks() - begin);
  state.counters["cycles"] = elapsed * ratio / static_cast<double>(num * num_bytes);
}

int run(int argc, char **argv) {
  wgbench::initialize(&argc, argv);
  if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
  Key key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i * 7 + 1);

  std::vector<std::unique_ptr<Contender>> contenders;
  contenders.push_back(std::make_unique<Linux>());
  contenders.push_back(std::make_unique<OpenSsl>());
  static_cast<OpenSsl &>(*contenders.back()).set_key(key);
  contenders.push_back(std::make_unique<Sodium>());
  contenders.push_back(std::make_unique<Ours>("scalar"));
  const uint32_t features = wg::host_cpu_features();
  const char *level;
  for (size_t i = 1; (level = wgc_cpu_level(features, i)) != nullptr; ++i) {
    contenders.push_back(std::make_unique<Ours>(level));
  }
  compare(contenders, key);

  std::vector<std::string> names;
  names.reserve(contenders.size());
  for (const auto &contender : contenders) names.push_back(contender->name());
  // What AVX2 has to reach beside Linux' code with AVX2.
  Report report(names,
                {{"seal/1 of 1420/wgpp avx2", {1.13}}, {"open/1 of 1420/wgpp avx2", {1.13}}});

  std::vector<std::unique_ptr<Packets>> cases;
  for (const size_t num : kBatches) {
    for (const size_t len : kLens) cases.push_back(std::make_unique<Packets>(num, len));
  }
  for (const bool is_open : {false, true}) {
    const std::string topic = is_open ? "open" : "seal";
    for (const auto &packets : cases) {
      const std::string name = fmt::format("{} of {}", packets->num, packets->len);
      report.declare(topic, name);
      for (const auto &contender : contenders) {
        benchmark::RegisterBenchmark((topic + "/" + name + "/" + contender->name()).c_str(),
                                     [&, is_open](benchmark::State &state) {
                                       contender->seal(*packets, key);
                                       measure(state, *packets, [&] {
                                         if (!is_open) {
                                           contender->seal(*packets, key);
                                         } else if (!contender->open(*packets, key)) {
                                           throw std::runtime_error(contender->name() + " refuses");
                                         }
                                       });
                                     });
      }
    }
  }
  fmt::print("Cycles a byte; the ratio is Linux' by theirs.\n");
  benchmark::RunSpecifiedBenchmarks(&report);
  return report.finish();
}

}  // namespace

int main(int argc, char **argv) {
  return wgbench::run_program(run, argc, argv);
}
