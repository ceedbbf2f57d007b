// SPDX-License-Identifier: GPL-2.0
#include "session.hh"

#include <algorithm>
#include <iterator>

#include "test_util.hh"

namespace {

using wgtest::HandshakePair;
using wgtest::kSecond;
using wgtest::Message;
using wgtest::same_bytes;

constexpr uint64_t kBirth_ns = 1000 * kSecond;

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override { pair_.complete(kBirth_ns); }

  HandshakePair pair_;
  wgc_session &initiator_ = pair_.initiator.session;
  wgc_session &responder_ = pair_.responder.session;
};

using Session = SessionTest;

TEST_F(Session, SealsAndOpensEveryLengthUpTo100) {
  for (size_t len = 0; len <= 100; ++len) {
    const std::string text(len, static_cast<char>('a' + len % 26));
    EXPECT_EQ(wgtest::open(responder_, wgtest::seal(initiator_, text, len), kBirth_ns), text);
  }
}

TEST_F(Session, DataMessageHasTypeIndexAndCounter) {
  const Message packet = wgtest::seal(initiator_, "", 0x0102030405060708);
  const std::vector<uint8_t> kHeader = {4, 0, 0, 0, 0xd4, 0xc3, 0xb2, 0xa1, 8, 7, 6, 5, 4, 3, 2, 1};
  EXPECT_EQ(std::vector<uint8_t>(packet.begin(), packet.begin() + 16), kHeader);
  EXPECT_EQ(packet.size(), 32u);
}

TEST_F(Session, OpenNamesTheCounter) {
  Message packet = wgtest::seal(initiator_, "x", 4711);
  uint64_t counter = 0;
  ASSERT_EQ(wgc_session_open(&responder_, packet.data(), packet.size(), &counter, kBirth_ns),
            WGC_OK);
  EXPECT_EQ(counter, 4711u);
}

TEST_F(Session, EveryTamperedByteIsRejectedAndNothingIsWritten) {
  const Message packet = wgtest::seal(initiator_, "attack at dawn", 5);
  for (size_t i = 0; i < packet.size(); ++i) {
    Message tampered = packet;
    tampered[i] ^= 1 << (i % 8);
    const Message before = tampered;
    uint64_t counter = 99;
    const wgc_status status =
        wgc_session_open(&responder_, tampered.data(), tampered.size(), &counter, kBirth_ns);
    // Type and index led here and are not part of the sealed data.
    if (i < 8) {
      EXPECT_EQ(status, WGC_OK);
      continue;
    }
    EXPECT_EQ(status, WGC_BAD_AEAD) << "byte " << i;
    EXPECT_EQ(tampered, before);
    EXPECT_EQ(counter, 99u);
  }
}

// A batch of both directions and of lengths that end anywhere, and single packets beside it.
TEST_F(Session, BatchesAreWhatSinglePacketsAre) {
  constexpr size_t kNum = 2 * WGC_BATCH_LEN + 3;
  for (const bool in_place : {false, true}) {
    std::vector<Message> expected(kNum);
    std::vector<Message> messages(kNum);
    std::vector<std::vector<uint8_t>> texts(kNum);
    std::vector<wgc_data_packet> packets(kNum);
    for (size_t i = 0; i < kNum; ++i) {
      const wgc_session &from = i % 3 == 0 ? responder_ : initiator_;
      texts[i].assign(i * 37, static_cast<uint8_t>(i));
      expected[i] = wgtest::seal(from, std::string(texts[i].begin(), texts[i].end()), i);
      messages[i].resize(expected[i].size());
      uint8_t *const place = messages[i].data() + WGC_DATA_HEADER_LEN;
      if (in_place) std::copy(texts[i].begin(), texts[i].end(), place);
      packets[i] = {&from,
                    messages[i].data(),
                    in_place ? place : texts[i].data(),
                    texts[i].size(),
                    i,
                    WGC_OK,
                    nullptr};
    }
    wgc_session_seal_batch(packets.data(), kNum, true);
    EXPECT_EQ(messages, expected);

    for (size_t i = 0; i < kNum; ++i) {
      packets[i].session = i % 3 == 0 ? &initiator_ : &responder_;
      packets[i].counter = ~uint64_t{0};
      packets[i].status = WGC_BAD_LENGTH;
      if (!in_place) texts[i].assign(texts[i].size(), 0xa5);
    }
    wgc_session_open_batch(packets.data(), kNum, kBirth_ns, true);
    for (size_t i = 0; i < kNum; ++i) {
      EXPECT_EQ(packets[i].status, WGC_OK) << i;
      EXPECT_EQ(packets[i].counter, i);
      EXPECT_TRUE(std::all_of(packets[i].text, packets[i].text + packets[i].text_len,
                              [i](uint8_t byte) { return byte == i; }))
          << i;
    }
  }
}

// As a kernel has them: headers where they are sealed, then pages, then padding.
TEST_F(Session, TextInSegmentsIsSealedAsItIsInOnePiece) {
  const std::string text(1000, 'p');
  const Message expected = wgtest::seal(initiator_, text, 5);
  Message message(expected.size(), 'p');
  std::fill(message.begin() + WGC_DATA_HEADER_LEN + 70, message.end(), 0);
  uint8_t *const place = message.data() + WGC_DATA_HEADER_LEN;
  const Message page1(500, 'p');
  const Message page2(420, 'p');
  std::fill_n(place + 990, 10, 'p');
  const wgc_segment segments[] = {
      {place, 70}, {page1.data(), 500}, {page2.data(), 420}, {place + 990, 10}};
  const wgc_data_packet packet = {&initiator_, message.data(), nullptr, text.size(),
                                  5,           WGC_OK,         segments};
  wgc_session_seal_batch(&packet, 1, true);
  EXPECT_EQ(message, expected);
}

// What is not even tried, what is forged, and what is well, side by side.
TEST_F(Session, EachPacketOfABatchHasItsOwnVerdict) {
  HandshakePair older;
  older.complete(kBirth_ns - 180 * kSecond);
  Message messages[] = {
      wgtest::seal(initiator_, "good", 1), wgtest::seal(older.initiator.session, "late", 2),
      wgtest::seal(initiator_, "evil", 3), wgtest::seal(initiator_, "used", UINT64_MAX - 100),
      wgtest::seal(initiator_, "fine", 4)};
  const wgc_session *const sessions[] = {&responder_, &older.responder.session, &responder_,
                                         &responder_, &responder_};
  messages[2].back() ^= 1;
  const Message late = messages[1];
  const Message used = messages[3];
  std::vector<wgc_data_packet> packets;
  for (size_t i = 0; i < std::size(messages); ++i) {
    uint8_t *const message = messages[i].data();
    packets.push_back(
        {sessions[i], message, message + WGC_DATA_HEADER_LEN, 4, 99, WGC_BAD_LENGTH, nullptr});
  }
  wgc_session_open_batch(packets.data(), packets.size(), kBirth_ns, true);
  constexpr wgc_status kExpected[] = {WGC_OK, WGC_EXPIRED, WGC_BAD_AEAD, WGC_EXPIRED, WGC_OK};
  for (size_t i = 0; i < packets.size(); ++i) EXPECT_EQ(packets[i].status, kExpected[i]) << i;
  EXPECT_EQ(packets[0].counter, 1u);
  EXPECT_EQ(packets[4].counter, 4u);
  const auto text_of = [&](size_t i) {
    return std::string(packets[i].text, packets[i].text + packets[i].text_len);
  };
  EXPECT_EQ(text_of(0), "good");
  EXPECT_EQ(text_of(2), std::string(4, '\0'));
  EXPECT_EQ(text_of(4), "fine");
  EXPECT_EQ(messages[1], late);
  EXPECT_EQ(messages[3], used);
}

TEST_F(Session, TruncatedMessagesAreRejected) {
  const Message packet = wgtest::seal(initiator_, "attack at dawn", 5);
  for (size_t len = 0; len < packet.size(); ++len) {
    Message cut(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(len));
    uint64_t counter;
    EXPECT_EQ(wgc_session_open(&responder_, cut.data(), len, &counter, kBirth_ns),
              len < 32 ? WGC_BAD_LENGTH : WGC_BAD_AEAD);
  }
}

TEST_F(Session, MaySendUntil180Seconds) {
  for (const wgc_session *session : {&initiator_, &responder_}) {
    EXPECT_EQ(wgc_session_may_send(session, 0, kBirth_ns - 1), WGC_OK);
    EXPECT_EQ(wgc_session_may_send(session, 0, kBirth_ns), WGC_OK);
    EXPECT_EQ(wgc_session_may_send(session, 0, kBirth_ns + 180 * kSecond - 1), WGC_OK);
    EXPECT_EQ(wgc_session_may_send(session, 0, kBirth_ns + 180 * kSecond), WGC_EXPIRED);
    EXPECT_EQ(wgc_session_birth_ns(session), kBirth_ns);
  }
}

TEST_F(Session, OpensUntil180Seconds) {
  const Message packet = wgtest::seal(initiator_, "x", 0);
  EXPECT_EQ(wgtest::open(responder_, packet, kBirth_ns + 180 * kSecond - 1), "x");
  EXPECT_EQ(wgtest::open(responder_, packet, kBirth_ns + 180 * kSecond),
            "status " + std::to_string(WGC_EXPIRED));
}

TEST_F(Session, CountersEndOneWindowBeforeTheyWrap) {
  const uint64_t limit = ~uint64_t{0} - 8128 - 1;
  EXPECT_EQ(wgc_session_may_send(&initiator_, limit - 1, kBirth_ns), WGC_OK);
  EXPECT_EQ(wgc_session_may_send(&initiator_, limit, kBirth_ns), WGC_EXPIRED);
  EXPECT_EQ(wgc_session_may_send(&initiator_, ~uint64_t{0}, kBirth_ns), WGC_EXPIRED);
  EXPECT_EQ(wgtest::open(responder_, wgtest::seal(initiator_, "x", limit - 1), kBirth_ns), "x");
  EXPECT_EQ(wgtest::open(responder_, wgtest::seal(initiator_, "x", limit), kBirth_ns),
            "status " + std::to_string(WGC_EXPIRED));
  EXPECT_EQ(wgc_session_accept(&responder_, limit), WGC_EXPIRED);
  EXPECT_EQ(wgc_session_accept(&responder_, limit - 1), WGC_OK);
}

TEST_F(Session, RekeyOnSendAfter120SecondsAsInitiator) {
  EXPECT_FALSE(wgc_session_rekey_on_send(&initiator_, 1, kBirth_ns + 120 * kSecond - 1));
  EXPECT_TRUE(wgc_session_rekey_on_send(&initiator_, 1, kBirth_ns + 120 * kSecond));
  EXPECT_FALSE(wgc_session_rekey_on_send(&responder_, 1, kBirth_ns + 120 * kSecond));
  EXPECT_FALSE(wgc_session_rekey_on_send(&responder_, 1, kBirth_ns + 1000 * kSecond));
}

TEST_F(Session, RekeyOnSendAfter2To60MessagesInBothRoles) {
  const uint64_t limit = uint64_t{1} << 60;
  for (const wgc_session *session : {&initiator_, &responder_}) {
    EXPECT_FALSE(wgc_session_rekey_on_send(session, limit - 1, kBirth_ns));
    EXPECT_TRUE(wgc_session_rekey_on_send(session, limit, kBirth_ns));
  }
}

TEST_F(Session, RekeyOnReceiveOnceFrom165SecondsAsInitiator) {
  EXPECT_FALSE(wgc_session_rekey_on_receive(&initiator_, kBirth_ns + 165 * kSecond - 1));
  EXPECT_TRUE(wgc_session_rekey_on_receive(&initiator_, kBirth_ns + 165 * kSecond));
  EXPECT_FALSE(wgc_session_rekey_on_receive(&initiator_, kBirth_ns + 165 * kSecond));
  EXPECT_FALSE(wgc_session_rekey_on_receive(&initiator_, kBirth_ns + 170 * kSecond));
  EXPECT_FALSE(wgc_session_rekey_on_receive(&responder_, kBirth_ns + 165 * kSecond));
}

TEST_F(Session, StoppedSessionStillReceives) {
  wgc_session_stop_sending(&responder_);
  EXPECT_EQ(wgc_session_may_send(&responder_, 0, kBirth_ns), WGC_EXPIRED);
  EXPECT_FALSE(wgc_session_rekey_on_send(&responder_, ~uint64_t{0}, kBirth_ns));
  EXPECT_EQ(wgtest::open(responder_, wgtest::seal(initiator_, "x", 0), kBirth_ns), "x");
  wgc_session_stop_sending(&initiator_);
  EXPECT_FALSE(wgc_session_rekey_on_receive(&initiator_, kBirth_ns + 165 * kSecond));
}

TEST_F(Session, WipedSessionDoesNothing) {
  const Message packet = wgtest::seal(initiator_, "x", 0);
  wgc_wipe(&responder_, sizeof responder_);
  EXPECT_EQ(wgc_session_may_send(&responder_, 0, 0), WGC_EXPIRED);
  EXPECT_EQ(wgtest::open(responder_, packet, 0), "status " + std::to_string(WGC_EXPIRED));
  EXPECT_FALSE(wgc_session_rekey_on_send(&responder_, 0, ~uint64_t{0} - 1));
}

TEST_F(Session, NewSessionForgetsTheOldWindow) {
  EXPECT_EQ(wgc_session_accept(&responder_, 100000), WGC_OK);
  HandshakePair other(nullptr, 2);
  ASSERT_EQ(other.accept(other.initiate()), WGC_OK);
  other.respond();
  ASSERT_EQ(wgc_handshake_begin_session(&other.responder.hs, &responder_, kBirth_ns), WGC_OK);
  EXPECT_EQ(wgc_session_accept(&responder_, 0), WGC_OK);
  EXPECT_EQ(wgc_session_accept(&responder_, 100000), WGC_OK);
}

}  // namespace
