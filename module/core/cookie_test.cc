// SPDX-License-Identifier: GPL-2.0
#include "cookie.hh"

#include "blake2s.hh"
#include "test_util.hh"

namespace {

using wgtest::End;
using wgtest::Key;
using wgtest::kSecond;
using wgtest::Message;
using wgtest::same_bytes;

using Source = std::vector<uint8_t>;
const Source kV4 = {192, 0, 2, 1, 0xca, 0x6c};
const uint8_t kNonce[WGC_COOKIE_NONCE_LEN] = {1, 2, 3};
constexpr uint64_t kStart_ns = 50 * kSecond;

class CookieTest : public ::testing::Test {
 protected:
  void SetUp() override {
    wgc_cookie_checker_init(&checker_, random_.key().data(), kStart_ns);
    wgc_cookie_checker_set_identity(&checker_, &device_.id);
    wgc_cookie_jar_init(&jar_, device_.public_key.data());
  }

  // A message with macs; the check of a cookie does not look at what is in front of them.
  Message message(uint64_t now_ns = kStart_ns, size_t len = WGC_INITIATION_LEN) {
    Message msg(len);
    random_.fill(msg.data(), len);
    wgc_cookie_add_macs(&jar_, msg.data(), len, now_ns);
    return msg;
  }
  wgc_status check(const Message &msg, uint64_t now_ns = kStart_ns, const Source &source = kV4) {
    return wgc_cookie_check(&checker_, msg.data(), msg.size(), source.data(), source.size(),
                            now_ns);
  }
  Message reply_to(const Message &msg, const Source &source = kV4) {
    Message reply(WGC_COOKIE_REPLY_LEN);
    wgc_cookie_create_reply(&checker_, reply.data(), msg.data(), msg.size(), source.data(),
                            source.size(), kNonce);
    return reply;
  }
  wgc_status consume(const Message &reply, uint64_t now_ns = kStart_ns) {
    return wgc_cookie_consume_reply(&jar_, reply.data(), now_ns);
  }

  wgtest::Random random_{42};
  End device_{random_.key()};
  wgc_cookie_checker checker_{};
  wgc_cookie_jar jar_{};
};

using Cookie = CookieTest;

TEST_F(Cookie, Mac1IsEnoughToBeHeard) {
  EXPECT_EQ(check(message()), WGC_NEED_COOKIE);
  EXPECT_EQ(check(message(kStart_ns, WGC_RESPONSE_LEN)), WGC_NEED_COOKIE);
}

TEST_F(Cookie, WithoutACookieMac2IsZero) {
  const Message msg = message();
  EXPECT_EQ(Message(msg.end() - 16, msg.end()), Message(16));
}

TEST_F(Cookie, EveryTamperedByteBreaksMac1) {
  for (size_t len : {WGC_INITIATION_LEN, WGC_RESPONSE_LEN}) {
    const Message msg = message(kStart_ns, len);
    for (size_t i = 0; i < len; ++i) {
      Message tampered = msg;
      tampered[i] ^= 1 << (i % 8);
      EXPECT_EQ(check(tampered), i < len - 16 ? WGC_BAD_MAC1 : WGC_NEED_COOKIE) << "byte " << i;
    }
  }
}

TEST_F(Cookie, MessageForAnotherDeviceHasBadMac1) {
  wgc_cookie_jar_init(&jar_, End(random_.key()).public_key.data());
  EXPECT_EQ(check(message()), WGC_BAD_MAC1);
}

TEST_F(Cookie, WithoutAnIdentityNothingPasses) {
  const Message msg = message();
  wgc_identity none{};
  wgc_cookie_checker_set_identity(&checker_, &none);
  EXPECT_EQ(check(msg), WGC_BAD_MAC1);
  // Nor what somebody makes with the key that no identity leaves behind.
  Message forged = msg;
  const uint8_t zeros[32] = {};
  wg::blake2s(forged.data() + 116, 16, {forged.data(), 116}, zeros);
  EXPECT_EQ(check(forged), WGC_BAD_MAC1);
}

TEST_F(Cookie, ReplyLeadsToARightMac2) {
  const Message first = message();
  ASSERT_EQ(consume(reply_to(first)), WGC_OK);
  const Message second = message();
  EXPECT_EQ(check(second), WGC_OK);
  EXPECT_EQ(check(message(kStart_ns, WGC_RESPONSE_LEN)), WGC_OK);
}

TEST_F(Cookie, EveryTamperedByteBreaksMac2) {
  ASSERT_EQ(consume(reply_to(message())), WGC_OK);
  const Message msg = message();
  for (size_t i = WGC_INITIATION_LEN - 16; i < WGC_INITIATION_LEN; ++i) {
    Message tampered = msg;
    tampered[i] ^= 1 << (i % 8);
    EXPECT_EQ(check(tampered), WGC_NEED_COOKIE) << "byte " << i;
  }
}

TEST_F(Cookie, ReplyNamesTheSenderOfTheMessage) {
  const Message msg = message();
  const Message reply = reply_to(msg);
  wgc_message_type type;
  ASSERT_EQ(wgc_message_classify(reply.data(), reply.size(), &type), WGC_OK);
  EXPECT_EQ(type, WGC_MSG_COOKIE_REPLY);
  EXPECT_EQ(wgc_message_receiver(type, reply.data()), wgc_message_sender(msg.data()));
  EXPECT_EQ(std::memcmp(reply.data() + 8, kNonce, sizeof kNonce), 0);
}

TEST_F(Cookie, IsBoundToAddressAndPort) {
  ASSERT_EQ(consume(reply_to(message())), WGC_OK);
  const Message msg = message();
  for (size_t i = 0; i < kV4.size(); ++i) {
    Source other = kV4;
    other[i] ^= 1;
    EXPECT_EQ(check(msg, kStart_ns, other), WGC_NEED_COOKIE) << "byte " << i;
  }
  const Source v6(18, 0x20);
  EXPECT_EQ(check(msg, kStart_ns, v6), WGC_NEED_COOKIE);
  ASSERT_EQ(consume(reply_to(msg, v6)), WGC_OK);
  EXPECT_EQ(check(message(), kStart_ns, v6), WGC_OK);
}

TEST_F(Cookie, EveryTamperedByteOfAReplyIsRejected) {
  const Message reply = reply_to(message());
  const wgc_cookie_jar before = jar_;
  // Type and receiver index lead to the jar and are not sealed.
  for (size_t i = 8; i < WGC_COOKIE_REPLY_LEN; ++i) {
    Message tampered = reply;
    tampered[i] ^= 1 << (i % 8);
    ASSERT_EQ(consume(tampered), WGC_BAD_AEAD) << "byte " << i;
    ASSERT_TRUE(same_bytes(before, jar_)) << "byte " << i;
  }
  EXPECT_EQ(consume(reply), WGC_OK);
}

TEST_F(Cookie, ReplyIsAcceptedOncePerMac1) {
  const Message msg = message();
  const Message reply = reply_to(msg);
  ASSERT_EQ(consume(reply), WGC_OK);
  EXPECT_EQ(consume(reply), WGC_BAD_COOKIE);
  message();
  // It answers the message before.
  EXPECT_EQ(consume(reply), WGC_BAD_AEAD);
}

TEST_F(Cookie, ReplyThatNobodyAskedForIsRejected) {
  const Message reply = reply_to(Message(WGC_INITIATION_LEN));
  EXPECT_EQ(consume(reply), WGC_BAD_COOKIE);
}

TEST_F(Cookie, SenderUsesItFor115Seconds) {
  ASSERT_EQ(consume(reply_to(message())), WGC_OK);
  const uint64_t last_ns = kStart_ns + 115 * kSecond - 1;
  EXPECT_EQ(check(message(last_ns), last_ns), WGC_OK);
  const Message late = message(last_ns + 1);
  EXPECT_EQ(Message(late.end() - 16, late.end()), Message(16));
  EXPECT_EQ(check(late, last_ns + 1), WGC_NEED_COOKIE);
}

TEST_F(Cookie, SecretLives120Seconds) {
  ASSERT_EQ(consume(reply_to(message()), kStart_ns + 100 * kSecond), WGC_OK);
  const Message msg = message(kStart_ns + 110 * kSecond);
  const uint64_t last_ns = kStart_ns + 120 * kSecond - 1;
  EXPECT_FALSE(wgc_cookie_secret_expired(&checker_, last_ns));
  EXPECT_EQ(check(msg, last_ns), WGC_OK);
  EXPECT_TRUE(wgc_cookie_secret_expired(&checker_, last_ns + 1));
  EXPECT_EQ(check(msg, last_ns + 1), WGC_NEED_COOKIE);
}

TEST_F(Cookie, NewSecretMakesOldCookiesWorthless) {
  ASSERT_EQ(consume(reply_to(message())), WGC_OK);
  const Message msg = message();
  ASSERT_EQ(check(msg), WGC_OK);
  wgc_cookie_secret_renew(&checker_, random_.key().data(), kStart_ns + kSecond);
  EXPECT_EQ(check(msg), WGC_NEED_COOKIE);
  EXPECT_FALSE(wgc_cookie_secret_expired(&checker_, kStart_ns + 121 * kSecond - 1));
  EXPECT_TRUE(wgc_cookie_secret_expired(&checker_, kStart_ns + 121 * kSecond));
  ASSERT_EQ(consume(reply_to(msg)), WGC_OK);
  EXPECT_EQ(check(message()), WGC_OK);
}

}  // namespace
