// SPDX-License-Identifier: GPL-2.0
// Batches, at each level that this processor has, against single packets.
#include <algorithm>

#include "aead.hh"
#include "selftest.hh"
#include "test_crypto.hh"
#include "test_levels.hh"

namespace wg::test {
namespace {

class AeadBatch : public LevelTest {
 protected:
  Random random_;
};

WGPP_EACH_LEVEL(AeadBatch, packet_levels());

// One packet with its memory: each buffer on its own and not a byte longer than it has to be, so
// that AddressSanitizer sees what is touched beyond.
struct Packet {
  Buffer key, text, expected, sealed, opened;
  uint64_t counter;

  Packet(Random &random, const Buffer &packet_key, size_t len)
      : key(packet_key),
        text(random.bytes(len)),
        expected(len + kAeadTagLen),
        sealed(len + kAeadTagLen),
        opened(len),
        counter(random.number()) {
    aead_seal(expected.data(), span(text), {}, counter, key.data());
  }
};

std::vector<AeadPacket> to_seal(std::vector<Packet> &packets, bool in_place) {
  std::vector<AeadPacket> batch;
  for (Packet &packet : packets) {
    if (in_place) std::copy(packet.text.begin(), packet.text.end(), packet.sealed.begin());
    batch.push_back({packet.sealed.data(), in_place ? packet.sealed.data() : packet.text.data(),
                     packet.text.size(), packet.counter, packet.key.data(), false});
  }
  return batch;
}

std::vector<AeadPacket> to_open(std::vector<Packet> &packets, bool in_place) {
  std::vector<AeadPacket> batch;
  for (Packet &packet : packets) {
    batch.push_back({in_place ? packet.sealed.data() : packet.opened.data(), packet.sealed.data(),
                     packet.text.size(), packet.counter, packet.key.data(), in_place});
  }
  return batch;
}

void check_both_ways(std::vector<Packet> &packets) {
  for (const bool in_place : {false, true}) {
    std::vector<AeadPacket> batch = to_seal(packets, in_place);
    aead_seal_batch(batch.data(), batch.size(), true);
    for (const Packet &packet : packets) ASSERT_EQ(packet.sealed, packet.expected);

    batch = to_open(packets, in_place);
    aead_open_batch(batch.data(), batch.size(), true);
    for (size_t i = 0; i < packets.size(); ++i) {
      ASSERT_TRUE(batch[i].is_good);
      ASSERT_TRUE(std::equal(packets[i].text.begin(), packets[i].text.end(), batch[i].dst));
    }
  }
}

TEST_P(AeadBatch, LevelHasAName) {
  EXPECT_STREQ(aead_level(), GetParam().name);
}

TEST_P(AeadBatch, SelftestPasses) {
  X25519Batch work;
  EXPECT_STREQ(selftest_vectors(work), nullptr);
}

TEST_P(AeadBatch, EveryLengthAlone) {
  const Buffer key = random_.bytes(32);
  for (size_t len = 0; len <= 4096; ++len) {
    std::vector<Packet> packets;
    packets.emplace_back(random_, key, len);
    SCOPED_TRACE(len);
    check_both_ways(packets);
    if (HasFatalFailure()) return;
  }
}

TEST_P(AeadBatch, EveryLengthInPairs) {
  const Buffer key = random_.bytes(32);
  for (size_t len = 0; len <= 600; ++len) {
    std::vector<Packet> packets;
    packets.emplace_back(random_, key, len);
    packets.emplace_back(random_, key, 600 - len);
    SCOPED_TRACE(len);
    check_both_ways(packets);
    if (HasFatalFailure()) return;
  }
}

TEST_P(AeadBatch, MixesOfLengthsAndKeys) {
  const Buffer keys[] = {random_.bytes(32), random_.bytes(32), random_.bytes(32)};
  for (int round = 0; round < 400; ++round) {
    std::vector<Packet> packets;
    const size_t num = random_.below(21);
    const size_t num_keys = 1 + random_.below(3);
    const size_t max_len = random_.below(4) == 0 ? 3000 : 150;
    for (size_t i = 0; i < num; ++i) {
      packets.emplace_back(random_, keys[random_.below(num_keys)], random_.below(max_len));
    }
    SCOPED_TRACE(round);
    check_both_ways(packets);
    if (HasFatalFailure()) return;
  }
}

// At every address, for nothing says where a message lies in its buffer.
TEST_P(AeadBatch, AnyAlignment) {
  const Buffer key = random_.bytes(32);
  const Packet packet(random_, key, 700);
  for (size_t shift = 0; shift < 65; ++shift) {
    Buffer room(shift + packet.expected.size());
    std::copy(packet.text.begin(), packet.text.end(), room.begin() + static_cast<ptrdiff_t>(shift));
    uint8_t *const at = room.data() + shift;
    AeadPacket aead = {at, at, packet.text.size(), packet.counter, key.data(), false};
    aead_seal_batch(&aead, 1, true);
    ASSERT_TRUE(std::equal(packet.expected.begin(), packet.expected.end(), at)) << shift;
    aead_open_batch(&aead, 1, true);
    ASSERT_TRUE(aead.is_good && std::equal(packet.text.begin(), packet.text.end(), at)) << shift;
  }
}

TEST_P(AeadBatch, TheCounterIsCountedInAllItsBits) {
  const Buffer key = random_.bytes(32);
  for (int bit = 0; bit < 128; ++bit) {
    std::vector<Packet> packets;
    packets.emplace_back(random_, key, bit < 64 ? 300 : 700);
    packets[0].counter = uint64_t{1} << bit % 64;
    aead_seal(packets[0].expected.data(), span(packets[0].text), {}, packets[0].counter,
              key.data());
    check_both_ways(packets);
    if (HasFatalFailure()) return;
  }
}

// Each forged packet is zeros, wherever it was changed, and those beside it are what they were.
TEST_P(AeadBatch, ForgedPacketsAreWipedAndHarmNoOther) {
  const Buffer key = random_.bytes(32);
  for (int round = 0; round < 600; ++round) {
    std::vector<Packet> packets;
    const size_t num = 1 + random_.below(12);
    const size_t max_len = random_.below(2) == 0 ? 1500 : 80;
    for (size_t i = 0; i < num; ++i) packets.emplace_back(random_, key, random_.below(max_len));
    const bool in_place = random_.below(2) != 0;
    std::vector<bool> is_forged(num);
    for (size_t i = 0; i < num; ++i) {
      packets[i].sealed = packets[i].expected;
      is_forged[i] = random_.below(3) == 0;
      if (!is_forged[i]) continue;
      // In the tag every other time: it is the smaller target.
      const size_t len = packets[i].text.size();
      const size_t at = random_.below(2) != 0 ? len + random_.below(kAeadTagLen)
                                              : random_.below(len + kAeadTagLen);
      packets[i].sealed[at] ^= static_cast<uint8_t>(1 << random_.below(8));
    }
    std::vector<AeadPacket> batch = to_open(packets, in_place);
    aead_open_batch(batch.data(), batch.size(), true);
    for (size_t i = 0; i < num; ++i) {
      const size_t len = packets[i].text.size();
      ASSERT_EQ(batch[i].is_good, !is_forged[i]) << round << " " << i;
      const Buffer expected = is_forged[i] ? Buffer(len) : packets[i].text;
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), batch[i].dst)) << round << " " << i;
    }
  }
}

TEST_P(AeadBatch, AnotherKeyOrCounterIsForgedToo) {
  const Buffer key = random_.bytes(32);
  const Buffer other = random_.bytes(32);
  std::vector<Packet> packets;
  for (int i = 0; i < 3; ++i) packets.emplace_back(random_, key, 100);
  for (Packet &packet : packets) packet.sealed = packet.expected;
  std::vector<AeadPacket> batch = to_open(packets, false);
  batch[0].key = other.data();
  batch[2].counter ^= uint64_t{1} << 63;
  aead_open_batch(batch.data(), batch.size(), true);
  EXPECT_FALSE(batch[0].is_good);
  EXPECT_TRUE(batch[1].is_good);
  EXPECT_FALSE(batch[2].is_good);
}

// A text in parts, each in memory of its own or where it goes to.
struct Parts {
  std::vector<Buffer> apart;
  std::vector<wgc_segment> segments;

  Parts(Random &random, Packet &packet) {
    const size_t len = packet.text.size();
    for (size_t done = 0; done < len || random.below(4) == 0;) {
      const size_t num = random.below(3) == 0 ? random.below(8) : random.below(700);
      const size_t now = std::min(num, len - done);
      const auto from = packet.text.begin() + static_cast<ptrdiff_t>(done);
      if (random.below(3) == 0) {
        std::copy_n(from, now, packet.sealed.begin() + static_cast<ptrdiff_t>(done));
        segments.push_back({packet.sealed.data() + done, now});
      } else {
        apart.emplace_back(from, from + static_cast<ptrdiff_t>(now));
        segments.push_back({apart.back().data(), now});
      }
      done += now;
    }
    if (segments.empty()) segments.push_back({nullptr, 0});
  }
};

TEST_P(AeadBatch, TextInSegments) {
  const Buffer key = random_.bytes(32);
  for (int round = 0; round < 1500; ++round) {
    std::vector<Packet> packets;
    const size_t num = 1 + random_.below(round % 2 == 0 ? 1 : 10);
    const size_t max_len = random_.below(2) == 0 ? 3000 : 400;
    for (size_t i = 0; i < num; ++i) packets.emplace_back(random_, key, random_.below(max_len));
    std::vector<AeadPacket> batch = to_seal(packets, false);
    std::vector<Parts> parts;
    parts.reserve(num);
    for (size_t i = 0; i < num; ++i) {
      if (random_.below(4) == 0) continue;
      parts.emplace_back(random_, packets[i]);
      batch[i].src = nullptr;
      batch[i].segments = parts.back().segments.data();
    }
    aead_seal_batch(batch.data(), batch.size(), round % 5 != 0);
    for (const Packet &packet : packets) ASSERT_EQ(packet.sealed, packet.expected) << round;
  }
}

TEST_P(AeadBatch, WithoutVectorsItIsTheSame) {
  const Buffer key = random_.bytes(32);
  std::vector<Packet> packets;
  for (int i = 0; i < 9; ++i) packets.emplace_back(random_, key, 500);
  std::vector<AeadPacket> batch = to_seal(packets, false);
  aead_seal_batch(batch.data(), batch.size(), false);
  for (const Packet &packet : packets) EXPECT_EQ(packet.sealed, packet.expected);
  batch = to_open(packets, false);
  aead_open_batch(batch.data(), batch.size(), false);
  for (const AeadPacket &packet : batch) EXPECT_TRUE(packet.is_good);
}

}  // namespace
}  // namespace wg::test
