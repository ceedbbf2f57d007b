// SPDX-License-Identifier: GPL-2.0
// Runs everything that handles secrets, with the secrets marked as undefined memory. To valgrind
// each branch and each address that depends on one is an error then, and to MemorySanitizer, which
// does not understand the assembly of X25519: built with it, only packets are sealed and opened,
// the part that has levels which valgrind does not know. What the core itself gives away, verdicts
// about tags, points and timestamps, is defined again by as_public() of base.hh; what goes out on
// the wire is defined again here.
//
//	probe LEVEL      scalar, avx2, avx512
//	probe branch     leaks a secret by a branch, which has to be seen
//	probe index      leaks one by an address
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "aead.hh"
#include "blake2s.hh"
#include "hkdf.hh"
#include "program.hh"
#include "wgcore.h"
#include "x25519.hh"

namespace {

using wgsecret::Bytes;
using wgsecret::random_bytes;
using wgsecret::require;
using wgsecret::span;

// Random bytes that nobody may look at.
Bytes secret_bytes(size_t len) {
  Bytes out = random_bytes(len);
  WGPP_MARK_SECRET(out.data(), out.size());
  return out;
}

void publish(void *data, size_t len) {
  WGPP_MARK_PUBLIC(data, len);
}

void publish(Bytes &bytes) {
  publish(bytes.data(), bytes.size());
}

void probe_x25519() {
  const Bytes scalar = secret_bytes(32);
  Bytes point(32), out(32);
  wg::x25519_base(point.data(), scalar.data());
  publish(point);
  require(wg::x25519(out.data(), secret_bytes(32).data(), point.data()), "x25519");
  // A point is a secret, too, when it stands for who is calling.
  require(wg::x25519(out.data(), scalar.data(), secret_bytes(32).data()), "x25519");
  const Bytes zero(32);
  require(!wg::x25519(out.data(), scalar.data(), zero.data()), "the refusal of low orders");
}

void probe_x25519_batch() {
  std::vector<Bytes> scalars, points;
  wg::X25519Batch batch;
  for (size_t i = 0; i < wg::kX25519BatchMax; ++i) {
    scalars.push_back(secret_bytes(32));
    points.push_back(secret_bytes(32));
    batch.scalar[i] = scalars[i].data();
    batch.point[i] = points[i].data();
  }
  wg::x25519_batch(batch, wg::kX25519BatchMax, true);
}

void probe_hashes() {
  Bytes out(32), second(32), third(32);
  for (const size_t len : {0, 1, 32, 63, 64, 65, 128, 200}) {
    const Bytes text = secret_bytes(len);
    wg::blake2s(out.data(), out.size(), span(text));
    wg::blake2s(out.data(), 16, span(text), span(secret_bytes(32)));
    wg::hmac_blake2s(out.data(), span(secret_bytes(len)), span(text));
    wg::hkdf(out.data(), second.data(), third.data(), secret_bytes(32).data(), span(text));
  }
}

constexpr size_t kLens[] = {0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 300, 577, 1024, 1420};

void probe_aead() {
  const Bytes key = secret_bytes(32), ad = random_bytes(16), nonce = random_bytes(24);
  for (const size_t len : kLens) {
    Bytes text = secret_bytes(len), sealed(len + 16), opened(len);
    wg::aead_seal(sealed.data(), span(text), span(ad), 7, key.data());
    publish(sealed);
    require(wg::aead_open(opened.data(), span(sealed), span(ad), 7, key.data()), "aead_open");
    sealed[len / 2] ^= 1;
    require(!wg::aead_open(opened.data(), span(sealed), span(ad), 7, key.data()), "aead_open");
    wg::xaead_seal(sealed.data(), span(text), span(ad), nonce.data(), key.data());
    publish(sealed);
    require(wg::xaead_open(opened.data(), span(sealed), span(ad), nonce.data(), key.data()),
            "xaead_open");
  }
}

// Batches of each number of packets, of one key and of several, the last one forged.
void probe_batches() {
  for (const size_t num : {1, 2, 3, 7, 8, 9, 17}) {
    for (const bool has_one_key : {true, false}) {
      std::vector<Bytes> keys, texts, sealed, opened;
      std::vector<wg::AeadPacket> batch;
      for (size_t i = 0; i < num; ++i) {
        const size_t len = kLens[(i * 5 + num) % std::size(kLens)];
        if (keys.empty() || !has_one_key) keys.push_back(secret_bytes(32));
        texts.push_back(secret_bytes(len));
        sealed.emplace_back(len + 16);
        opened.emplace_back(len);
      }
      for (size_t i = 0; i < num; ++i) {
        batch.push_back({sealed[i].data(), texts[i].data(), texts[i].size(), i,
                         keys[has_one_key ? 0 : i].data(), false});
      }
      wg::aead_seal_batch(batch.data(), num, true);
      for (size_t i = 0; i < num; ++i) {
        publish(sealed[i]);
        batch[i].src = sealed[i].data();
        batch[i].dst = opened[i].data();
      }
      sealed.back()[0] ^= 1;
      wg::aead_open_batch(batch.data(), num, true);
      for (size_t i = 0; i < num; ++i) require(batch[i].is_good == (i + 1 < num), "a batch");
    }
  }
}

constexpr uint8_t kSource[] = {192, 0, 2, 1, 0xca, 0x6c};

struct End {
  wgc_identity id{};
  wgc_handshake handshake{};
  wgc_session session{};
  wgc_cookie_checker checker{};
  wgc_cookie_jar jar{};
  Bytes public_key = Bytes(32);

  End() {
    wgc_identity_set(&id, secret_bytes(32).data());
    wgc_identity_get(&id, nullptr, public_key.data());
    publish(public_key);
    wgc_cookie_checker_init(&checker, secret_bytes(32).data(), 0);
    wgc_cookie_checker_set_identity(&checker, &id);
  }
  void meet(const End &other, const Bytes &psk) {
    wgc_handshake_init(&handshake, &id, other.public_key.data(), psk.data());
    wgc_cookie_jar_init(&jar, other.public_key.data());
  }
  // What goes out, with its macs.
  void send(Bytes &message) {
    wgc_cookie_add_macs(&jar, message.data(), message.size(), 0);
    publish(message);
  }
  void check_macs(const Bytes &message, wgc_status expected) {
    require(wgc_cookie_check(&checker, message.data(), message.size(), kSource, sizeof kSource,
                             0) == expected,
            "the check of macs");
  }
};

void probe_handshake() {
  const Bytes psk = secret_bytes(32);
  End a, b;
  a.meet(b, psk);
  b.meet(a, psk);

  Bytes initiation(WGC_INITIATION_LEN);
  require(wgc_handshake_create_initiation(&a.handshake, initiation.data(), &a.id, 1,
                                          secret_bytes(32).data(), 1700000000000000000) == WGC_OK,
          "an initiation");
  a.send(initiation);
  b.check_macs(initiation, WGC_NEED_COOKIE);

  const Bytes nonce = random_bytes(WGC_COOKIE_NONCE_LEN);
  Bytes reply(WGC_COOKIE_REPLY_LEN);
  wgc_cookie_create_reply(&b.checker, reply.data(), initiation.data(), initiation.size(), kSource,
                          sizeof kSource, nonce.data());
  publish(reply);
  require(wgc_cookie_consume_reply(&a.jar, reply.data(), 0) == WGC_OK, "a cookie");
  a.send(initiation);
  b.check_macs(initiation, WGC_OK);

  Bytes caller(32);
  wgc_initiation opened{};
  require(wgc_initiation_open(&opened, caller.data(), &b.id, initiation.data()) == WGC_OK,
          "opening an initiation");
  require(wgc_initiation_accept(&b.handshake, &opened, 1000000000) == WGC_OK,
          "taking an initiation");
  require(wgc_initiation_accept(&b.handshake, &opened, 2000000000) == WGC_OLD_TIMESTAMP,
          "refusing an old initiation");

  Bytes response(WGC_RESPONSE_LEN);
  require(wgc_handshake_create_response(&b.handshake, response.data(), 2,
                                        secret_bytes(32).data()) == WGC_OK,
          "a response");
  b.send(response);
  a.check_macs(response, WGC_NEED_COOKIE);
  require(wgc_handshake_consume_response(&a.handshake, &a.id, response.data()) == WGC_OK,
          "taking a response");
  require(wgc_handshake_begin_session(&a.handshake, &a.session, 0) == WGC_OK, "a session");
  require(wgc_handshake_begin_session(&b.handshake, &b.session, 0) == WGC_OK, "a session");

  Bytes packet = secret_bytes(200 + WGC_DATA_OVERHEAD);
  wgc_session_seal(&a.session, packet.data(), 200, 5);
  publish(packet);
  uint64_t counter;
  require(wgc_session_open(&b.session, packet.data(), packet.size(), &counter, 0) == WGC_OK,
          "a packet");
  require(wgc_session_accept(&b.session, counter) == WGC_OK, "a packet");
}

// Two leaks, so that a tool which sees nothing is noticed. volatile, or there would be nothing
// to see.
int leak(const std::string &how) {
  volatile uint8_t table[256] = {};
  const Bytes secret = secret_bytes(1);
  if (how == "index") return table[secret[0]];
  volatile int result = 0;
  if ((secret[0] & 1) != 0) result = 1;
  return result & 0;
}

int run(const std::vector<std::string> &args) {
  const std::string &what = args[0];
  if (!WGPP_IS_WATCHED) throw std::runtime_error("it has to be run by valgrind");
  if (what == "branch" || what == "index") return leak(what) & 0;
  wgsecret::use_level(what);
  probe_aead();
  probe_batches();
  if (WGPP_KNOWS_ASSEMBLY || wg::x25519_batch_wants_vectors(wg::kX25519BatchMax))
    probe_x25519_batch();
  if (WGPP_KNOWS_ASSEMBLY) {
    probe_x25519();
    probe_hashes();
    probe_handshake();
  }
  std::printf("%s, X25519 %s: done\n", wgc_crypto_level(), wgc_x25519_level());
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  return wgsecret::run_program(run, 1, argc, argv);
}
