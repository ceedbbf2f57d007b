// SPDX-License-Identifier: GPL-2.0
// The primitives beside those of OpenSSL and libsodium, at a level of the cryptography that the
// input names: packets with and without additional data, one by one and in batches at any offset,
// with changes on the way; hashes, and products of points.
#include "aead.hh"
#include "blake2s.hh"
#include "cpu.hh"
#include "host_cpu.hh"
#include "input.hh"
#include "ops.hh"
#include "reference/others.hh"
#include "x25519.hh"

namespace {

using wgfuzz::Buffer;
using wgfuzz::Input;
using wgfuzz::PrimitiveOp;

constexpr size_t kMaxPackets = 20;
// Where a text begins beside an aligned address.
constexpr unsigned kMaxOffset = 64;

wg::ConstBytes span(const Buffer &bytes) {
  return {bytes.data(), bytes.size()};
}

// Any bytes are worth as much as others here: few of the input's make many.
Buffer stretch(Input &in, size_t len) {
  Buffer out(len);
  uint32_t state = in.u32() | 1;
  for (uint8_t &byte : out) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return out;
}

void choose_level(Input &in) {
  const uint32_t features = wg::host_cpu_features();
  size_t num = 0;
  while (wg::cpu_level(features, num) != nullptr) ++num;
  REQUIRE(wg::choose_cpu_level(features, wg::cpu_level(features, in.u8() % num)));
}

Buffer agreed_seal(const Buffer &text, const Buffer &ad, uint64_t counter, const Buffer &key) {
  Buffer sealed = wg::others::openssl_seal(text, ad, counter, key);
  REQUIRE(sealed == wg::others::sodium_seal(text, ad, counter, key));
  return sealed;
}

void one(Input &in) {
  const Buffer key = stretch(in, wg::kAeadKeyLen);
  const Buffer text = stretch(in, in.u16() % 2048U);
  const Buffer ad = stretch(in, in.u8());
  const uint64_t counter = in.u64();
  const Buffer expected = agreed_seal(text, ad, counter, key);
  Buffer sealed(expected.size());
  wg::aead_seal(sealed.data(), span(text), span(ad), counter, key.data());
  REQUIRE(sealed == expected);
  const size_t at = in.u16() % sealed.size();
  const uint8_t change = in.u8();
  sealed[at] ^= change;
  Buffer opened(text.size());
  const bool is_good = wg::aead_open(opened.data(), span(sealed), span(ad), counter, key.data());
  REQUIRE(is_good == (change == 0));
  if (is_good) REQUIRE(opened == text);
}

void with_long_nonce(Input &in) {
  const Buffer key = stretch(in, wg::kAeadKeyLen);
  const Buffer nonce = stretch(in, wg::kXAeadNonceLen);
  const Buffer text = stretch(in, in.u16() % 300U);
  const Buffer ad = stretch(in, in.u8());
  Buffer sealed(text.size() + wg::kAeadTagLen);
  wg::xaead_seal(sealed.data(), span(text), span(ad), nonce.data(), key.data());
  REQUIRE(sealed == wg::others::sodium_xseal(text, ad, nonce, key));
  Buffer opened(text.size());
  REQUIRE(wg::xaead_open(opened.data(), span(sealed), span(ad), nonce.data(), key.data()));
  REQUIRE(opened == text);
}

struct Packet {
  Buffer key;
  Buffer text;
  Buffer sealed;
  Buffer room;  // with the packet at `offset`
  Buffer apart;
  size_t offset;
  uint64_t counter;
  bool in_place;
  bool is_cut;
  bool is_changed;
  std::vector<Buffer> parts;
  std::vector<wgc_segment> segments;
};

Packet read_packet(Input &in, const Buffer &shared_key) {
  Packet packet;
  const uint8_t shape = in.u8();
  packet.key = (shape & 1) != 0 ? stretch(in, wg::kAeadKeyLen) : shared_key;
  packet.in_place = (shape & 2) != 0;
  packet.is_cut = (shape & 8) != 0;
  packet.text = stretch(in, (shape & 4) != 0 ? in.u16() % 2048U : in.u8());
  packet.counter = in.u64();
  packet.offset = in.below(kMaxOffset);
  packet.sealed = agreed_seal(packet.text, {}, packet.counter, packet.key);
  // Room for the packet, and not a byte more.
  packet.room.resize(packet.offset + packet.sealed.size());
  packet.is_changed = false;
  return packet;
}

// The text in parts, which begin anywhere and may be where they go to.
void cut(Input &in, Packet &packet) {
  uint8_t *const place = packet.room.data() + packet.offset;
  const size_t len = packet.text.size();
  for (size_t done = 0; done < len;) {
    const uint8_t shape = in.u8();
    const size_t now =
        std::min<size_t>(1 + ((shape & 1) != 0 ? in.u16() % 1024U : in.u8()), len - done);
    const uint8_t *const from = packet.text.data() + done;
    if ((shape & 2) != 0) {
      std::memcpy(place + done, from, now);
      packet.segments.push_back({place + done, now});
    } else {
      packet.parts.emplace_back(from, from + now);
      packet.segments.push_back({packet.parts.back().data(), now});
    }
    if ((shape & 4) != 0) packet.segments.push_back({nullptr, 0});
    done += now;
  }
  if (packet.segments.empty()) packet.segments.push_back({nullptr, 0});
}

void batch(Input &in) {
  const Buffer shared_key = stretch(in, wg::kAeadKeyLen);
  std::vector<Packet> packets;
  for (size_t num = 1 + in.below(kMaxPackets); num != 0; --num) {
    packets.push_back(read_packet(in, shared_key));
  }
  std::vector<wg::AeadPacket> all;
  for (Packet &packet : packets) {
    uint8_t *const at = packet.room.data() + packet.offset;
    if (packet.in_place && !packet.text.empty()) {
      std::memcpy(at, packet.text.data(), packet.text.size());
    }
    all.push_back({at, packet.in_place ? at : packet.text.data(), packet.text.size(),
                   packet.counter, packet.key.data(), false});
    if (!packet.is_cut) continue;
    cut(in, packet);
    all.back().src = nullptr;
    all.back().segments = packet.segments.data();
  }
  wg::aead_seal_batch(all.data(), all.size(), true);
  for (size_t i = 0; i < packets.size(); ++i) {
    Packet &packet = packets[i];
    uint8_t *const at = packet.room.data() + packet.offset;
    REQUIRE(std::memcmp(at, packet.sealed.data(), packet.sealed.size()) == 0);
    if (in.flag()) {
      const size_t place = in.u16() % packet.sealed.size();
      const uint8_t change = in.u8();
      at[place] ^= change;
      packet.is_changed = change != 0;
    }
    packet.apart.resize(packet.text.size());
    all[i].src = at;
    all[i].dst = packet.in_place ? at : packet.apart.data();
  }
  wg::aead_open_batch(all.data(), all.size(), true);
  for (size_t i = 0; i < packets.size(); ++i) {
    const Packet &packet = packets[i];
    REQUIRE(all[i].is_good == !packet.is_changed);
    const Buffer expected = packet.is_changed ? Buffer(packet.text.size()) : packet.text;
    REQUIRE(Buffer(all[i].dst, all[i].dst + all[i].len) == expected);
  }
}

void hash(Input &in) {
  const Buffer text = stretch(in, in.u16() % 600U);
  const Buffer key = stretch(in, 1 + in.below(32));
  const Buffer hmac_key = stretch(in, 1 + in.below(100));
  const size_t mac_len = 1 + in.below(32);
  Buffer out(wg::kBlake2sHashLen);
  wg::blake2s(out.data(), out.size(), span(text));
  REQUIRE(out == wg::others::openssl_hash(text));
  wg::hmac_blake2s(out.data(), span(hmac_key), span(text));
  REQUIRE(out == wg::others::openssl_hmac(hmac_key, text));
  out.resize(mac_len);
  wg::blake2s(out.data(), mac_len, span(text), span(key));
  REQUIRE(out == wg::others::openssl_mac(key, text, mac_len));
}

void multiply(Input &in) {
  // Points near the ends of the field come from the fuzzer itself.
  const Buffer scalar = in.bytes(wg::kX25519KeyLen);
  const Buffer point = in.bytes(wg::kX25519KeyLen);
  Buffer out(wg::kX25519KeyLen);
  const Buffer expected = wg::others::sodium_x25519(scalar, point);
  const bool is_good = wg::x25519(out.data(), scalar.data(), point.data());
  REQUIRE(out == expected);
  REQUIRE(is_good == (expected != Buffer(expected.size())));
  if (is_good) REQUIRE(out == wg::others::openssl_x25519(scalar, point));
  const Buffer other = in.bytes(wg::kX25519KeyLen);
  wg::X25519Batch batch;
  batch.scalar[0] = batch.scalar[1] = scalar.data();
  batch.point[0] = other.data();
  batch.point[1] = point.data();
  wg::x25519_batch(batch, 2, true);
  REQUIRE(Buffer(batch.out[0], batch.out[1]) == wg::others::sodium_x25519(scalar, other));
  REQUIRE(Buffer(batch.out[1], batch.out[2]) == expected);
  wg::x25519_base(out.data(), scalar.data());
  REQUIRE(out == wg::others::sodium_x25519_base(scalar));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static const bool has_started = sodium_init() >= 0;
  REQUIRE(has_started);
  Input in(data, len);
  choose_level(in);
  switch (static_cast<PrimitiveOp>(in.below(static_cast<unsigned>(PrimitiveOp::kNumOps)))) {
    case PrimitiveOp::kOne:
      one(in);
      break;
    case PrimitiveOp::kLongNonce:
      with_long_nonce(in);
      break;
    case PrimitiveOp::kBatch:
      batch(in);
      break;
    case PrimitiveOp::kHash:
      hash(in);
      break;
    case PrimitiveOp::kMultiply:
      multiply(in);
      break;
    case PrimitiveOp::kNumOps:
      break;
  }
  wg::set_cpu_features(0);
  return 0;
}
