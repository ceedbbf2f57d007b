// SPDX-License-Identifier: GPL-2.0
// What the core leaves of secrets on the stack. Each call runs on a stack of its own, which is
// searched afterwards for every word of the keys, of the key stream, of ChaCha20's state before its
// last addition (from which the key could be computed), of shared secrets and of the handshake.
//
//	residue LEVEL    status 3 when something was found
//	residue plant    leaves a key there: it has to be found
#include <sys/mman.h>
#include <ucontext.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "aead.hh"
#include "chacha20.hh"
#include "hkdf.hh"
#include "params.hh"
#include "program.hh"
#include "wgcore.h"
#include "x25519.hh"

namespace {

using wgsecret::Bytes;
using wgsecret::random_bytes;
using wgsecret::require;
using wgsecret::span;

constexpr int kFound = 3;
constexpr size_t kStackLen = 256 << 10;
// Times are no secrets: as small ones none of their words is looked for.
constexpr uint64_t kSecond = 1000000000;
constexpr size_t kTagLen = wg::kAeadTagLen;

bool has_found = false;

// The words that nobody may find.
class Secrets {
 public:
  // Counters, flags and lengths are in everything: a word of a secret has bits in each half.
  void add(const void *data, size_t len) {
    for (size_t i = 0; i + 4 <= len; i += 4) {
      uint32_t word;
      std::memcpy(&word, static_cast<const uint8_t *>(data) + i, sizeof word);
      if ((word & 0xffff) != 0 && word >> 16 != 0 && word >> 16 != 0xffff) words_.insert(word);
    }
  }
  void add(const Bytes &bytes) { add(bytes.data(), bytes.size()); }
  // What everyone sees is no secret.
  void remove(const void *data, size_t len) {
    for (size_t i = 0; i + 4 <= len; ++i) {
      uint32_t word;
      std::memcpy(&word, static_cast<const uint8_t *>(data) + i, sizeof word);
      words_.erase(word);
    }
  }
  void remove(const Bytes &bytes) { remove(bytes.data(), bytes.size()); }
  // A key, and what comes of it for one packet.
  void add_stream(const Bytes &key, uint64_t counter, size_t len) {
    add(key);
    uint8_t nonce[wg::kChaCha20NonceLen] = {};
    std::memcpy(nonce + 4, &counter, sizeof counter);
    wg::ChaCha20 stream(key.data(), nonce, 0);
    uint32_t before[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    std::memcpy(before + 4, key.data(), key.size());
    std::memcpy(before + 13, nonce, sizeof nonce);
    for (uint32_t block = 0; block <= (len + 63) / 64; ++block) {
      uint32_t words[16];
      stream.block(reinterpret_cast<uint8_t *>(words));
      add(words, sizeof words);
      // Clamped, they are what Poly1305 multiplies with (RFC 8439, 2.5).
      const uint32_t factor[4] = {words[0] & 0x0fffffff, words[1] & 0x0ffffffc,
                                  words[2] & 0x0ffffffc, words[3] & 0x0ffffffc};
      if (block == 0) add(factor, sizeof factor);
      before[12] = block;
      for (size_t i = 0; i < 16; ++i) words[i] -= before[i];
      add(words, sizeof words);
    }
  }
  [[nodiscard]] bool contains(uint32_t word) const { return words_.contains(word); }

 private:
  std::unordered_set<uint32_t> words_;
};

const std::function<void()> *to_run;

// The secrets are asked for when everything has run.
void search(const std::string &name, const std::function<void()> &run,
            const std::function<void(Secrets &)> &fill) {
  void *stack =
      mmap(nullptr, kStackLen, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(stack != MAP_FAILED, "mmap");
  ucontext_t here, there;
  require(getcontext(&there) == 0, "getcontext");
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = kStackLen;
  there.uc_link = &here;
  to_run = &run;
  makecontext(
      &there, [] { (*to_run)(); }, 0);
  require(swapcontext(&here, &there) == 0, "swapcontext");

  Secrets secrets;
  fill(secrets);
  size_t found = 0;
  std::string where;
  for (size_t at = 0; at < kStackLen; at += 4) {
    uint32_t word;
    std::memcpy(&word, static_cast<const uint8_t *>(stack) + at, sizeof word);
    if (!secrets.contains(word)) continue;
    if (++found <= 8) where += " -" + std::to_string(kStackLen - at);
  }
  munmap(stack, kStackLen);
  if (found == 0) return;
  has_found = true;
  std::printf("%s: %zu words on the stack, at%s\n", name.c_str(), found, where.c_str());
}

void search_batch(size_t num, size_t len) {
  const Bytes key = random_bytes(32);
  std::vector<Bytes> texts(num), sealed(num);
  std::vector<wg::AeadPacket> batch;
  for (size_t i = 0; i < num; ++i) {
    texts[i] = random_bytes(len);
    sealed[i].resize(len + kTagLen);
    batch.push_back({sealed[i].data(), texts[i].data(), len, i, key.data(), false});
  }
  const auto fill = [&](Secrets &secrets) {
    for (size_t i = 0; i < num; ++i) secrets.add_stream(key, i, len);
  };
  const std::string what = std::to_string(num) + " of " + std::to_string(len);
  search(
      "sealing " + what, [&] { wg::aead_seal_batch(batch.data(), num, true); }, fill);
  for (size_t i = 0; i < num; ++i) {
    batch[i].src = sealed[i].data();
    batch[i].dst = texts[i].data();
  }
  search(
      "opening " + what, [&] { wg::aead_open_batch(batch.data(), num, true); }, fill);
  for (const wg::AeadPacket &packet : batch) require(packet.is_good, "opening");
  for (size_t i = 0; i < num; ++i) sealed[i][len] ^= 1;
  search(
      "refusing " + what, [&] { wg::aead_open_batch(batch.data(), num, true); }, fill);
}

void search_primitives() {
  const Bytes key = random_bytes(32), input = random_bytes(200), nonce = random_bytes(24);
  Bytes out1(32), out2(32), out3(32), sealed(input.size() + kTagLen), point(32);
  search(
      "x25519_base", [&] { wg::x25519_base(point.data(), key.data()); },
      [&](Secrets &secrets) { secrets.add(key); });
  search(
      "x25519", [&] { require(wg::x25519(out1.data(), key.data(), point.data()), "x25519"); },
      [&](Secrets &secrets) {
        secrets.add(key);
        secrets.add(out1);
      });
  wg::X25519Batch batch{};
  for (size_t i = 0; i < wg::kX25519BatchMax; ++i) {
    batch.scalar[i] = key.data();
    batch.point[i] = point.data();
  }
  search(
      "x25519_batch", [&] { wg::x25519_batch(batch, wg::kX25519BatchMax, true); },
      [&](Secrets &secrets) {
        secrets.add(key);
        secrets.add(out1);
      });
  search(
      "hkdf", [&] { wg::hkdf(out1.data(), out2.data(), out3.data(), key.data(), span(input)); },
      [&](Secrets &secrets) {
        for (const Bytes &bytes : {key, input, out1, out2, out3}) secrets.add(bytes);
      });
  search(
      "xaead_seal",
      [&] { wg::xaead_seal(sealed.data(), span(input), {}, nonce.data(), key.data()); },
      [&](Secrets &secrets) {
        Bytes subkey(32);
        wg::hchacha20(subkey.data(), nonce.data(), key.data());
        uint64_t counter;
        std::memcpy(&counter, nonce.data() + 16, sizeof counter);
        secrets.add(key);
        secrets.add_stream(subkey, counter, input.size());
      });
}

struct End {
  wgc_identity id{};
  wgc_handshake handshake{};
  wgc_session session{};
  wgc_initiation opened{};
  Bytes private_key = random_bytes(32), ephemeral = random_bytes(32), public_key = Bytes(32);

  End() {
    wgc_identity_set(&id, private_key.data());
    wgc_identity_get(&id, private_key.data(), public_key.data());
  }
};

void search_handshake() {
  const Bytes psk = random_bytes(32);
  End a, b;
  Bytes initiation(WGC_INITIATION_LEN), response(WGC_RESPONSE_LEN), caller(32);
  Secrets states;  // all that handshakes and sessions keep, after each step
  const auto fill = [&](Secrets &secrets) {
    for (End *end : {&a, &b}) {
      states.add(end->private_key);
      states.add(end->ephemeral);
      states.add(&end->handshake, sizeof end->handshake);
      states.add(&end->session, sizeof end->session);
      // Of that only the chaining key, its first member: the rest is made of what everyone sees.
      states.add(&end->opened, wg::kHashLen);
    }
    for (const Bytes &bytes : {a.public_key, b.public_key, initiation, response}) {
      states.remove(bytes);
    }
    secrets = states;
  };
  const auto step = [&](const char *name, const std::function<bool()> &run) {
    bool is_good = false;
    search(
        name, [&] { is_good = run(); }, fill);
    require(is_good, name);
  };
  step("the identity", [&] {
    wgc_identity_set(&a.id, a.private_key.data());
    return true;
  });
  step("the beginning", [&] {
    wgc_handshake_init(&a.handshake, &a.id, b.public_key.data(), psk.data());
    wgc_handshake_init(&b.handshake, &b.id, a.public_key.data(), psk.data());
    return true;
  });
  step("creating an initiation", [&] {
    return wgc_handshake_create_initiation(&a.handshake, initiation.data(), &a.id, 1,
                                           a.ephemeral.data(), 5 * kSecond) == WGC_OK;
  });
  step("opening an initiation", [&] {
    return wgc_initiation_open(&b.opened, caller.data(), &b.id, initiation.data()) == WGC_OK;
  });
  step("accepting an initiation",
       [&] { return wgc_initiation_accept(&b.handshake, &b.opened, 1000) == WGC_OK; });
  step("creating a response", [&] {
    return wgc_handshake_create_response(&b.handshake, response.data(), 2, b.ephemeral.data()) ==
           WGC_OK;
  });
  step("consuming a response", [&] {
    return wgc_handshake_consume_response(&a.handshake, &a.id, response.data()) == WGC_OK;
  });
  for (End *end : {&a, &b}) {
    step("beginning a session",
         [&] { return wgc_handshake_begin_session(&end->handshake, &end->session, 0) == WGC_OK; });
  }
}

[[gnu::noinline]] void plant(const Bytes &key) {
  uint8_t copy[32];
  std::memcpy(copy, key.data(), sizeof copy);
  // The compiler has to believe that somebody reads it.
  __asm__ __volatile__("" : : "r"(copy) : "memory");
}

int run(const std::vector<std::string> &args) {
  const std::string &what = args[0];
  if (what == "plant") {
    const Bytes key = random_bytes(32);
    search(
        "a planted key", [&] { plant(key); }, [&](Secrets &secrets) { secrets.add(key); });
    return has_found ? kFound : 0;
  }
  wgsecret::use_level(what);
  for (const size_t num : {1, 2, 3, 7, 8, 9, 17}) {
    for (const size_t len : {0, 16, 33, 64, 100, 300, 512, 577, 1420}) search_batch(num, len);
  }
  search_primitives();
  search_handshake();
  return has_found ? kFound : 0;
}

}  // namespace

int main(int argc, char **argv) {
  return wgsecret::run_program(run, 1, argc, argv);
}
