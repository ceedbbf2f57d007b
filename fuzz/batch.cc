// SPDX-License-Identifier: GPL-2.0
// Batches of packets, each level of the cryptography beside packets one by one: sealing, changes
// on the way, opening; in place and apart, with several keys.
#include <array>
#include <vector>

#include "aead.hh"
#include "cpu.hh"
#include "host_cpu.hh"
#include "input.hh"

namespace {

using wg::AeadPacket;
using wgfuzz::Buffer;
using wgfuzz::Input;

constexpr unsigned kMaxPackets = 20;
constexpr unsigned kNumKeys = 3;

struct Packet {
  Buffer text;
  Buffer sealed;  // by itself
  Buffer wire;    // sealed, and changed perhaps
  uint64_t counter;
  unsigned key;
  bool in_place;
};

using Keys = std::array<std::array<uint8_t, wg::kAeadKeyLen>, kNumKeys>;

Packet read_packet(Input &in, const Keys &keys) {
  Packet packet;
  const uint8_t shape = in.u8();
  packet.key = shape % kNumKeys;
  packet.in_place = (shape & 0x80) != 0;
  // Short ones mostly: they share the lanes.
  const size_t len = (shape & 0x40) != 0 ? in.u16() % 2048U : in.u8();
  packet.counter = in.u64();
  packet.text = in.bytes(len);
  packet.sealed.resize(len + wg::kAeadTagLen);
  wg::aead_seal(packet.sealed.data(), {packet.text.data(), len}, {}, packet.counter,
                keys[packet.key].data());
  packet.wire = packet.sealed;
  if (in.below(4) == 0) packet.wire[in.u16() % packet.wire.size()] ^= in.u8();
  return packet;
}

void check_seal(const std::vector<Packet> &packets, const Keys &keys) {
  std::vector<Buffer> out;
  std::vector<AeadPacket> batch;
  out.reserve(packets.size());
  batch.reserve(packets.size());
  for (const Packet &packet : packets) {
    out.emplace_back(packet.sealed.size());
    uint8_t *const dst = out.back().data();
    if (packet.in_place && !packet.text.empty()) {
      std::memcpy(dst, packet.text.data(), packet.text.size());
    }
    batch.push_back({dst, packet.in_place ? dst : packet.text.data(), packet.text.size(),
                     packet.counter, keys[packet.key].data(), false});
  }
  wg::aead_seal_batch(batch.data(), batch.size(), true);
  for (size_t i = 0; i < packets.size(); ++i) REQUIRE(out[i] == packets[i].sealed);
}

void check_open(const std::vector<Packet> &packets, const Keys &keys) {
  std::vector<Buffer> wires;
  std::vector<Buffer> out;
  std::vector<AeadPacket> batch;
  wires.reserve(packets.size());
  out.reserve(packets.size());
  batch.reserve(packets.size());
  for (const Packet &packet : packets) {
    wires.push_back(packet.wire);
    out.emplace_back(packet.text.size());
    uint8_t *const src = wires.back().data();
    batch.push_back({packet.in_place ? src : out.back().data(), src, packet.text.size(),
                     packet.counter, keys[packet.key].data(), false});
  }
  wg::aead_open_batch(batch.data(), batch.size(), true);
  for (size_t i = 0; i < packets.size(); ++i) {
    const Packet &packet = packets[i];
    const bool is_good = packet.wire == packet.sealed;
    REQUIRE(batch[i].is_good == is_good);
    const Buffer expected = is_good ? packet.text : Buffer(packet.text.size());
    REQUIRE(Buffer(batch[i].dst, batch[i].dst + batch[i].len) == expected);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  Keys keys;
  for (auto &key : keys) key.fill(in.u8());
  std::vector<Packet> packets;
  while (!in.empty() && packets.size() < kMaxPackets) packets.push_back(read_packet(in, keys));
  std::vector<uint32_t> levels = {0};
  if ((wg::host_cpu_features() & WGC_CPU_AVX2) != 0) levels.push_back(WGC_CPU_AVX2);
  for (const uint32_t level : levels) {
    wg::set_cpu_features(level);
    check_seal(packets, keys);
    check_open(packets, keys);
  }
  wg::set_cpu_features(0);
  return 0;
}
