// SPDX-License-Identifier: GPL-2.0
#include "test_util.hh"

namespace {

using wgtest::Message;

Message v4(size_t total_len, unsigned ihl = 5) {
  Message packet(total_len);
  packet[0] = static_cast<uint8_t>(0x40 | ihl);
  packet[1] = 0xb9;
  packet[2] = static_cast<uint8_t>(total_len >> 8);
  packet[3] = static_cast<uint8_t>(total_len);
  for (uint8_t i = 0; i < 4; ++i) {
    packet[12 + i] = i + 1;
    packet[16 + i] = i + 5;
  }
  return packet;
}

Message v6(size_t payload_len) {
  Message packet(40 + payload_len);
  packet[0] = 0x6b;  // traffic class 0xb9
  packet[1] = 0x9f;
  packet[4] = static_cast<uint8_t>(payload_len >> 8);
  packet[5] = static_cast<uint8_t>(payload_len);
  return packet;
}

wgc_status parse(const Message &packet, wgc_inner *inner = nullptr) {
  wgc_inner ignored;
  return wgc_inner_parse(packet.data(), packet.size(), packet.size(), inner ? inner : &ignored);
}

TEST(Inner, ReadsV4) {
  const Message packet = v4(60);
  wgc_inner inner;
  ASSERT_EQ(parse(packet, &inner), WGC_OK);
  EXPECT_EQ(inner.source, packet.data() + 12);
  EXPECT_EQ(inner.destination, packet.data() + 16);
  EXPECT_EQ(inner.total_len, 60u);
  EXPECT_EQ(inner.addr_len, 4);
  EXPECT_EQ(inner.ds_field, 0xb9);
}

TEST(Inner, ReadsV6) {
  const Message packet = v6(100);
  wgc_inner inner;
  ASSERT_EQ(parse(packet, &inner), WGC_OK);
  EXPECT_EQ(inner.source, packet.data() + 8);
  EXPECT_EQ(inner.destination, packet.data() + 24);
  EXPECT_EQ(inner.total_len, 140u);
  EXPECT_EQ(inner.addr_len, 16);
  EXPECT_EQ(inner.ds_field, 0xb9);
}

TEST(Inner, AcceptsTheLargestPackets) {
  wgc_inner inner;
  ASSERT_EQ(parse(v4(65535), &inner), WGC_OK);
  EXPECT_EQ(inner.total_len, 65535u);
  ASSERT_EQ(parse(v6(65535), &inner), WGC_OK);
  EXPECT_EQ(inner.total_len, 65575u);
}

TEST(Inner, PaddingBehindThePacketIsNotPartOfIt) {
  for (Message packet : {v4(61), v6(21)}) {
    const size_t len = packet.size();
    packet.resize(len + 15);
    wgc_inner inner;
    ASSERT_EQ(parse(packet, &inner), WGC_OK);
    EXPECT_EQ(inner.total_len, len);
  }
}

TEST(Inner, EveryTruncationIsRejected) {
  for (const Message &packet : {v4(100), v4(100, 15), v6(60)}) {
    for (size_t len = 0; len < packet.size(); ++len) {
      // A copy of exactly this size, so that the sanitizer sees a read past it.
      const Message cut(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(len));
      EXPECT_EQ(parse(cut), WGC_BAD_INNER_LENGTH) << len;
    }
  }
}

TEST(Inner, HeaderMustBeReadable) {
  wgc_inner inner;
  const Message four = v4(100), six = v6(60);
  EXPECT_EQ(wgc_inner_parse(four.data(), 19, 100, &inner), WGC_BAD_INNER_LENGTH);
  EXPECT_EQ(wgc_inner_parse(four.data(), 20, 100, &inner), WGC_OK);
  EXPECT_EQ(wgc_inner_parse(six.data(), 39, 100, &inner), WGC_BAD_INNER_LENGTH);
  EXPECT_EQ(wgc_inner_parse(six.data(), 40, 100, &inner), WGC_OK);
}

TEST(Inner, OnlyVersions4And6AreKnown) {
  for (unsigned version = 0; version < 16; ++version) {
    Message packet = version == 6 ? v6(60) : v4(100);
    packet[0] = static_cast<uint8_t>(version << 4 | (packet[0] & 15));
    const bool is_known = version == 4 || version == 6;
    EXPECT_EQ(parse(packet), is_known ? WGC_OK : WGC_BAD_INNER_VERSION) << version;
  }
}

TEST(Inner, V4HeaderLengthMustBe5WordsAndFitThePacket) {
  for (unsigned ihl = 0; ihl < 16; ++ihl) {
    EXPECT_EQ(parse(v4(60, ihl)), ihl >= 5 ? WGC_OK : WGC_BAD_INNER_LENGTH) << ihl;
    Message packet = v4(60, ihl);
    packet[3] = 40;
    EXPECT_EQ(parse(packet), ihl >= 5 && ihl <= 10 ? WGC_OK : WGC_BAD_INNER_LENGTH) << ihl;
  }
}

TEST(Inner, NamedLengthIsHeldAgainstThePacket) {
  for (unsigned named = 0; named <= 0xffff; ++named) {
    Message four = v4(100), six = v6(60);
    four[2] = six[4] = static_cast<uint8_t>(named >> 8);
    four[3] = six[5] = static_cast<uint8_t>(named);
    ASSERT_EQ(parse(four), named >= 20 && named <= 100 ? WGC_OK : WGC_BAD_INNER_LENGTH) << named;
    ASSERT_EQ(parse(six), named <= 60 ? WGC_OK : WGC_BAD_INNER_LENGTH) << named;
  }
}

TEST(Inner, RandomBytesNeverNameMoreThanThereIs) {
  wgtest::Random random(wgtest::test_seed());
  for (int i = 0; i < 100000; ++i) {
    Message packet(random.below(100));
    random.fill(packet.data(), packet.size());
    if (!packet.empty() && random.chance(90)) packet[0] = random.chance(50) ? 0x45 : 0x60;
    if (packet.size() > 5 && random.chance(90)) packet[2] = packet[4] = 0;
    wgc_inner inner;
    if (parse(packet, &inner) != WGC_OK) continue;
    ASSERT_LE(inner.total_len, packet.size());
    ASSERT_GE(inner.source, packet.data());
    ASSERT_LE(inner.destination + inner.addr_len, packet.data() + packet.size());
  }
}

TEST(Padding, Table) {
  const struct {
    uint32_t packet_len, mtu, padding;
  } kRows[] = {
      {0, 1420, 0},
      {1, 1420, 15},
      {15, 1420, 1},
      {16, 1420, 0},
      {17, 1420, 15},
      {1408, 1420, 0},
      {1409, 1420, 11},
      {1419, 1420, 1},
      {1420, 1420, 0},
      {1421, 1420, 15},
      {2840, 1420, 0},
      {2839, 1420, 1},
      {4000, 1420, 8},
      {100, 0, 12},
      {1500, 0, 4},
      {65535, 0, 1},
      {1, 1, 0},
      {5, 3, 1},
      {0xffffffff, 0, 1},
      {0xfffffff1, 0, 15},
      {1280, 1280, 0},
      {1279, 1280, 1},
      {0xffffffff, 0xffffffff, 0},
  };
  for (const auto &row : kRows)
    EXPECT_EQ(wgc_padding_len(row.packet_len, row.mtu), row.padding)
        << row.packet_len << " at mtu " << row.mtu;
}

TEST(Padding, NeverPassesTheMtuOr15) {
  for (uint32_t mtu = 1; mtu < 200; ++mtu) {
    for (uint32_t len = 0; len <= mtu; ++len) {
      const uint32_t padding = wgc_padding_len(len, mtu);
      ASSERT_LE(padding, 15u);
      ASSERT_LE(len + padding, mtu);
      ASSERT_TRUE((len + padding) % 16 == 0 || len + padding == mtu);
    }
  }
}

}  // namespace
