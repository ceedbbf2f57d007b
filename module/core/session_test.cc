// SPDX-License-Identifier: GPL-2.0
#include "session.hh"

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
