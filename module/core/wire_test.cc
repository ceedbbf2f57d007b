// SPDX-License-Identifier: GPL-2.0
#include "wire.hh"

#include "test_util.hh"

namespace {

wgc_status classify(uint32_t type, size_t len, wgc_message_type *out = nullptr) {
  std::vector<uint8_t> msg(len);
  for (size_t i = 0; i < 4 && i < len; ++i) msg[i] = static_cast<uint8_t>(type >> (8 * i));
  wgc_message_type found;
  return wgc_message_classify(msg.data(), len, out ? out : &found);
}

TEST(Classify, AcceptsExactLengthsOnly) {
  const struct {
    wgc_message_type type;
    size_t len;
  } kFixed[] = {{WGC_MSG_INITIATION, 148}, {WGC_MSG_RESPONSE, 92}, {WGC_MSG_COOKIE_REPLY, 64}};
  for (const auto &fixed : kFixed) {
    for (size_t len = 0; len <= 200; ++len) {
      wgc_message_type type = WGC_MSG_DATA;
      const wgc_status expected = len == fixed.len ? WGC_OK : WGC_BAD_LENGTH;
      ASSERT_EQ(classify(fixed.type, len, &type), expected) << fixed.type << " " << len;
      ASSERT_EQ(type, len == fixed.len ? fixed.type : WGC_MSG_DATA);
    }
  }
}

TEST(Classify, AcceptsDataFrom32BytesOn) {
  for (size_t len = 0; len < 32; ++len) EXPECT_EQ(classify(4, len), WGC_BAD_LENGTH) << len;
  for (size_t len : {32, 33, 48, 148, 92, 64, 1500, 65535}) EXPECT_EQ(classify(4, len), WGC_OK);
}

TEST(Classify, RejectsUnknownTypesAndReservedBytes) {
  for (uint32_t type : {0u, 5u, 6u, 255u, 0xffffffffu})
    for (size_t len : {32, 64, 92, 148}) EXPECT_EQ(classify(type, len), WGC_BAD_TYPE);
  for (int bit = 8; bit < 32; ++bit) {
    EXPECT_EQ(classify(1 | (1u << bit), 148), WGC_BAD_TYPE);
    EXPECT_EQ(classify(4 | (1u << bit), 32), WGC_BAD_TYPE);
  }
}

TEST(Message, IndicesAreLittleEndianAtTheirOffsets) {
  uint8_t msg[16];
  for (uint8_t i = 0; i < 16; ++i) msg[i] = i;
  EXPECT_EQ(wgc_message_sender(msg), 0x07060504u);
  EXPECT_EQ(wgc_message_receiver(WGC_MSG_INITIATION, msg), 0u);
  EXPECT_EQ(wgc_message_receiver(WGC_MSG_RESPONSE, msg), 0x0b0a0908u);
  EXPECT_EQ(wgc_message_receiver(WGC_MSG_COOKIE_REPLY, msg), 0x07060504u);
  EXPECT_EQ(wgc_message_receiver(WGC_MSG_DATA, msg), 0x07060504u);
}

}  // namespace
