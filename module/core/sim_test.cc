// SPDX-License-Identifier: GPL-2.0
// Two peers with a fake clock on a link that delays, loses, reorders and duplicates.
#include <map>
#include <set>

#include "test_peer.hh"

namespace {

using wgtest::Key;
using wgtest::kMs;
using wgtest::kSecond;
using wgtest::Message;
using wgtest::SimPeer;
using Times = std::vector<uint64_t>;

constexpr uint64_t kDelay_ns = 10 * kMs;
constexpr uint64_t kMaxJitter_ns = kSecond / 3;

// An IPv4 packet that carries a number.
Message packet(uint32_t number, size_t payload_len = 8) {
  Message inner(20 + payload_len);
  inner[0] = 0x45;
  inner[2] = static_cast<uint8_t>(inner.size() >> 8);
  inner[3] = static_cast<uint8_t>(inner.size());
  std::memcpy(inner.data() + 20, &number, sizeof number);
  return inner;
}

uint32_t number_of(const Message &inner) {
  uint32_t number;
  std::memcpy(&number, inner.data() + 20, sizeof number);
  return number;
}

class SimTest : public ::testing::Test {
 protected:
  struct Link {
    bool is_up = true;
    unsigned loss_percent = 0, duplicate_percent = 0;
    uint64_t extra_delay_ns = 0, jitter_ns = 0;
    // May look at each message and its time of sending, and refuse to carry it.
    std::function<bool(const Message &)> filter;
  };

  SimTest() {
    const Key psk = random_.key();
    a_.meet(b_, &psk);
    b_.meet(a_, &psk);
    a_.transmit = [this](Message msg) { carry(a_to_b_, b_, std::move(msg)); };
    b_.transmit = [this](Message msg) { carry(b_to_a_, a_, std::move(msg)); };
  }

  void carry(Link &link, SimPeer &to, Message msg) {
    if (!link.is_up || random_.chance(link.loss_percent)) return;
    if (link.filter && !link.filter(msg)) return;
    const int num_copies = random_.chance(link.duplicate_percent) ? 2 : 1;
    for (int i = 0; i < num_copies; ++i) {
      const uint64_t jitter_ns = link.jitter_ns != 0 ? random_.below(link.jitter_ns) : 0;
      in_flight_.emplace(now_ns_ + kDelay_ns + link.extra_delay_ns + jitter_ns, Arrival{&to, msg});
    }
  }

  // Goes from one thing that happens to the next, up to and including until_ns.
  void run_until(uint64_t until_ns) {
    for (;;) {
      uint64_t next_ns = std::min(a_.deadline_ns(), b_.deadline_ns());
      if (!in_flight_.empty()) next_ns = std::min(next_ns, in_flight_.begin()->first);
      if (next_ns > until_ns) break;
      ASSERT_GE(next_ns, now_ns_) << "a deadline was left behind";
      now_ns_ = next_ns;
      while (!in_flight_.empty() && in_flight_.begin()->first == now_ns_) {
        Arrival arrival = std::move(in_flight_.begin()->second);
        in_flight_.erase(in_flight_.begin());
        arrival.to->receive(std::move(arrival.msg), now_ns_);
      }
      for (SimPeer *peer : {&a_, &b_})
        if (peer->deadline_ns() <= now_ns_) peer->expire(now_ns_);
    }
    now_ns_ = until_ns;
  }
  void run_for(uint64_t time_ns) { run_until(now_ns_ + time_ns); }

  void send(SimPeer &from, uint32_t number = 0) { from.send(packet(number), now_ns_); }

  // a_ calls b_ with packet 0. Returns the birth of a_'s session; b_'s is one delay older.
  uint64_t connect() {
    const uint64_t start_ns = now_ns_;
    send(a_);
    run_for(3 * kDelay_ns);
    EXPECT_EQ(a_.log.sessions_derived.back(), start_ns + 2 * kDelay_ns);
    EXPECT_EQ(b_.log.sessions_derived.back(), start_ns + kDelay_ns);
    EXPECT_TRUE(a_.has_current() && b_.has_current());
    return start_ns + 2 * kDelay_ns;
  }

  static Times since(const Times &times, uint64_t from_ns) {
    return {std::lower_bound(times.begin(), times.end(), from_ns), times.end()};
  }

  struct Arrival {
    SimPeer *to;
    Message msg;
  };
  wgtest::Random random_{wgtest::test_seed()};
  uint64_t now_ns_ = 100 * kSecond;
  // Ordered by time, and by sending among equals.
  std::multimap<uint64_t, Arrival> in_flight_;
  Link a_to_b_, b_to_a_;
  SimPeer a_{random_, random_.key()};
  SimPeer b_{random_, random_.key()};
};

using Sim = SimTest;

TEST_F(Sim, FirstPacketStartsAHandshakeAndFollowsIt) {
  const uint64_t start_ns = now_ns_;
  connect();
  EXPECT_EQ(a_.log.initiations_sent, Times{start_ns});
  EXPECT_EQ(b_.log.responses_sent, Times{start_ns + kDelay_ns});
  EXPECT_EQ(a_.log.data_sent, Times{start_ns + 2 * kDelay_ns});
  EXPECT_EQ(a_.log.keepalives_sent, Times{});
  EXPECT_EQ(b_.log.delivered, std::vector<Message>{packet(0)});
  EXPECT_EQ(b_.log.initiations_sent, Times{});
}

TEST_F(Sim, PacketsOfEveryLengthArriveUnpadded) {
  connect();
  for (size_t len = 8; len <= 1400; len += 7) {
    b_.log.delivered.clear();
    a_.send(packet(1, len), now_ns_);
    run_for(kDelay_ns);
    ASSERT_EQ(b_.log.delivered, std::vector<Message>{packet(1, len)});
  }
}

TEST_F(Sim, InitiatorRekeysOnSendingAt120Seconds) {
  const uint64_t birth_ns = connect();
  for (uint64_t t = kSecond; t < 120 * kSecond; t += kSecond) {
    run_until(birth_ns + t);
    send(a_);
    send(b_);
  }
  run_until(birth_ns + 120 * kSecond - 1);
  send(b_);
  send(a_);
  EXPECT_EQ(a_.log.initiations_sent.size(), 1u);
  run_until(birth_ns + 120 * kSecond);
  // The responder's session is older, and yet the responder leaves it to the initiator.
  send(b_);
  EXPECT_EQ(b_.log.initiations_sent, Times{});
  send(a_);
  EXPECT_EQ(since(a_.log.initiations_sent, birth_ns), Times{birth_ns + 120 * kSecond});
  run_for(3 * kDelay_ns);
  EXPECT_EQ(wgc_session_birth_ns(&a_.current_session()), birth_ns + 120 * kSecond + 2 * kDelay_ns);
  EXPECT_TRUE(wgc_session_is_initiator(&a_.current_session()));
  EXPECT_FALSE(wgc_session_is_initiator(&b_.current_session()));
  EXPECT_EQ(b_.log.initiations_sent, Times{});
}

TEST_F(Sim, BusyTunnelRekeysEvery120SecondsAndLosesNothing) {
  const uint64_t birth_ns = connect();
  uint32_t number = 1;
  for (uint64_t t = 100 * kMs; t <= 1000 * kSecond; t += 100 * kMs) {
    run_until(birth_ns + t);
    send(a_, number);
    send(b_, number);
    ++number;
  }
  run_for(kSecond);
  // Births are 20 ms behind the initiation, so every second rekey is one packet later.
  EXPECT_EQ(a_.log.initiations_sent.size(), 1u + 8u);
  EXPECT_EQ(b_.log.initiations_sent, Times{});
  EXPECT_EQ(b_.log.delivered.size(), 10001u);
  EXPECT_EQ(a_.log.delivered.size(), 10000u);
  EXPECT_LE(a_.num_keypairs(), 3u);
  EXPECT_LE(b_.num_keypairs(), 3u);
}

TEST_F(Sim, ReceivingInitiatorRekeysAt165Seconds) {
  const uint64_t birth_ns = connect();
  run_until(birth_ns + 165 * kSecond - kDelay_ns - 1);
  send(b_);
  run_for(kDelay_ns);
  EXPECT_EQ(a_.log.delivered.size(), 1u);
  EXPECT_EQ(a_.log.initiations_sent.size(), 1u);
  run_until(birth_ns + 165 * kSecond - kDelay_ns);
  send(b_);
  send(b_);
  EXPECT_EQ(b_.log.initiations_sent, Times{});
  run_for(kDelay_ns);
  EXPECT_EQ(a_.log.delivered.size(), 3u);
  EXPECT_EQ(since(a_.log.initiations_sent, birth_ns), Times{birth_ns + 165 * kSecond});
}

TEST_F(Sim, NothingIsSentUnderASessionOf180Seconds) {
  const uint64_t birth_ns = connect();
  b_to_a_.is_up = false;
  run_until(birth_ns + 180 * kSecond - 1);
  const size_t num_sent = a_.log.data_sent.size();
  send(a_);
  EXPECT_EQ(a_.log.data_sent.size(), num_sent + 1);
  run_until(birth_ns + 180 * kSecond);
  send(a_);
  EXPECT_EQ(a_.log.data_sent.size(), num_sent + 1);
  EXPECT_EQ(a_.num_staged(), 1u);
}

TEST_F(Sim, NothingIsReceivedUnderASessionOf180Seconds) {
  connect();
  const uint64_t birth_of_b_ns = b_.log.sessions_derived.back();
  // Arrives one nanosecond early, then in time to be refused.
  for (const bool is_late : {false, true}) {
    run_until(birth_of_b_ns + 180 * kSecond - kDelay_ns - (is_late ? 0 : 1));
    const size_t num_delivered = b_.log.delivered.size();
    const uint64_t num_expired = b_.log.verdicts[WGC_EXPIRED];
    send(a_);
    // Only what was just sent: the handshake that it started comes after it.
    run_for(kDelay_ns);
    EXPECT_EQ(b_.log.delivered.size(), num_delivered + (is_late ? 0 : 1));
    EXPECT_EQ(b_.log.verdicts[WGC_EXPIRED], num_expired + (is_late ? 1 : 0));
  }
}

TEST_F(Sim, KeysAreWiped540SecondsAfterTheLastSession) {
  const uint64_t birth_ns = connect();
  run_until(birth_ns - kDelay_ns + 540 * kSecond - 1);
  EXPECT_EQ(b_.num_keypairs(), 1u);
  run_for(1);
  EXPECT_EQ(b_.num_keypairs(), 0u);
  run_until(birth_ns + 540 * kSecond - 1);
  EXPECT_EQ(a_.num_keypairs(), 1u);
  run_for(1);
  EXPECT_EQ(a_.num_keypairs(), 0u);
  EXPECT_EQ(a_.log.keys_wiped, Times{birth_ns + 540 * kSecond});
  EXPECT_EQ(b_.log.keys_wiped, Times{birth_ns - kDelay_ns + 540 * kSecond});
  EXPECT_EQ(a_.deadline_ns(), WGC_NO_DEADLINE);
  EXPECT_EQ(b_.deadline_ns(), WGC_NO_DEADLINE);
}

TEST_F(Sim, PassiveKeepalive10SecondsAfterData) {
  connect();
  const uint64_t received_ns = b_.log.responses_sent.back() + 2 * kDelay_ns;
  run_until(received_ns + 10 * kSecond - 1);
  EXPECT_EQ(b_.log.keepalives_sent, Times{});
  run_for(1);
  EXPECT_EQ(b_.log.keepalives_sent, Times{received_ns + 10 * kSecond});
  // A keepalive is not answered, and it keeps the other side from a new handshake at 15 s.
  run_for(100 * kSecond);
  EXPECT_EQ(b_.log.keepalives_sent.size(), 1u);
  EXPECT_EQ(a_.log.keepalives_sent, Times{});
  EXPECT_EQ(a_.log.initiations_sent.size(), 1u);
}

TEST_F(Sim, AnswerMakesThePassiveKeepaliveNeedless) {
  connect();
  run_for(5 * kSecond);
  send(b_);
  run_for(9 * kSecond);
  EXPECT_EQ(b_.log.keepalives_sent, Times{});
}

TEST_F(Sim, SilenceAfterDataStartsAHandshakeAt15Seconds) {
  connect();
  run_for(20 * kSecond);
  ASSERT_EQ(a_.log.initiations_sent.size(), 1u);
  b_to_a_.is_up = false;
  send(a_);
  const uint64_t sent_ns = now_ns_;
  run_for(15 * kSecond - 1);
  EXPECT_EQ(a_.log.initiations_sent.size(), 1u);
  run_for(kMaxJitter_ns);
  ASSERT_EQ(a_.log.initiations_sent.size(), 2u);
  EXPECT_GE(a_.log.initiations_sent.back(), sent_ns + 15 * kSecond);
}

TEST_F(Sim, PersistentKeepaliveEvery25Seconds) {
  const uint64_t start_ns = now_ns_;
  a_.set_persistent(25, now_ns_);
  EXPECT_EQ(a_.log.initiations_sent, Times{start_ns}) << "enabling it sends one at once";
  run_for(125 * kSecond);
  const uint64_t first_ns = start_ns + 2 * kDelay_ns;
  Times expected;
  for (uint64_t i = 0; i < 5; ++i) expected.push_back(first_ns + i * 25 * kSecond);
  EXPECT_EQ(a_.log.keepalives_sent, expected);
  EXPECT_EQ(b_.log.keepalives_sent, Times{});
  EXPECT_EQ(b_.log.delivered.size(), 0u);
}

// b_ can reach a_ only within 30 s of a_'s last message, as behind a NAT.
class BehindNat : public SimTest {
 protected:
  BehindNat() {
    a_to_b_.filter = [this](const Message &) {
      open_until_ns_ = now_ns_ + 30 * kSecond;
      return true;
    };
    b_to_a_.filter = [this](const Message &) { return now_ns_ <= open_until_ns_; };
  }
  uint64_t open_until_ns_ = 0;
};

TEST_F(BehindNat, PersistentKeepaliveKeepsTheWayIn) {
  a_.set_persistent(25, now_ns_);
  run_for(kSecond);
  size_t num_sent = 0;
  for (int i = 0; i < 20; ++i) {
    run_for(40 * kSecond + random_.below(20 * kSecond));
    send(b_);
    ++num_sent;
    // Time enough for a handshake, had the session just come to its end.
    run_for(kSecond);
    ASSERT_EQ(a_.log.delivered.size(), num_sent) << "round " << i;
  }
}

TEST_F(BehindNat, WithoutPersistentKeepaliveTheWayInCloses) {
  connect();
  run_for(100 * kSecond);
  send(b_);
  run_for(kSecond);
  EXPECT_EQ(a_.log.delivered.size(), 0u);
}

TEST_F(Sim, GivesUpAfter20InitiationsAndPurges) {
  const uint64_t start_ns = now_ns_;
  a_to_b_.is_up = false;
  for (uint32_t i = 0; i < 200; ++i) send(a_, i);
  EXPECT_EQ(a_.num_staged(), SimPeer::kMaxStaged);
  run_for(1000 * kSecond);
  const Times &sent = a_.log.initiations_sent;
  ASSERT_EQ(sent.size(), 20u);
  EXPECT_EQ(sent.front(), start_ns);
  for (size_t i = 1; i < sent.size(); ++i) {
    EXPECT_GE(sent[i] - sent[i - 1], 5 * kSecond);
    EXPECT_LT(sent[i] - sent[i - 1], 5 * kSecond + kMaxJitter_ns);
  }
  EXPECT_GE(sent.back(), start_ns + 90 * kSecond);
  ASSERT_EQ(a_.log.purges.size(), 1u);
  const uint64_t given_up_ns = a_.log.purges.front();
  EXPECT_GE(given_up_ns - sent.back(), 5 * kSecond);
  EXPECT_LT(given_up_ns - sent.back(), 5 * kSecond + kMaxJitter_ns);
  EXPECT_EQ(a_.num_staged(), 0u);
  EXPECT_EQ(a_.log.keys_wiped, Times{given_up_ns + 540 * kSecond});
  EXPECT_EQ(a_.deadline_ns(), WGC_NO_DEADLINE);
}

TEST_F(Sim, TriesAgainWhenAskedAfterGivingUp) {
  a_to_b_.is_up = false;
  send(a_, 1);
  run_for(200 * kSecond);
  ASSERT_EQ(a_.log.purges.size(), 1u);
  a_to_b_.is_up = true;
  send(a_, 2);
  run_for(kSecond);
  EXPECT_EQ(b_.log.delivered, std::vector<Message>{packet(2)});
}

TEST_F(Sim, LostInitiationIsRetriedAndStagedPacketsGoOut) {
  a_to_b_.is_up = false;
  for (uint32_t i = 0; i < 5; ++i) send(a_, i);
  run_for(12 * kSecond);
  a_to_b_.is_up = true;
  run_for(5 * kSecond);
  std::vector<Message> expected;
  for (uint32_t i = 0; i < 5; ++i) expected.push_back(packet(i));
  EXPECT_EQ(b_.log.delivered, expected);
}

// Every number was delivered at most once and was sent.
void expect_no_duplicates(const SimPeer &peer, uint32_t num_sent) {
  std::set<uint32_t> numbers;
  for (const Message &inner : peer.log.delivered) {
    ASSERT_LT(number_of(inner), num_sent);
    ASSERT_TRUE(numbers.insert(number_of(inner)).second) << "twice: " << number_of(inner);
  }
}

TEST_F(Sim, LossyReorderingLinkDeliversNothingTwiceAndRecovers) {
  for (Link *link : {&a_to_b_, &b_to_a_}) {
    link->loss_percent = 30;
    link->duplicate_percent = 20;
    link->jitter_ns = 500 * kMs;
  }
  uint32_t number = 0;
  const uint64_t start_ns = now_ns_;
  while (now_ns_ < start_ns + 600 * kSecond) {
    send(a_, number);
    send(b_, number);
    ++number;
    run_for(1 + random_.below(200 * kMs));
  }
  expect_no_duplicates(a_, number);
  expect_no_duplicates(b_, number);
  // 70 % is the link's share; the rest is room for handshakes that took a few attempts.
  EXPECT_GT(a_.log.delivered.size(), number / 2);
  EXPECT_GT(b_.log.delivered.size(), number / 2);
  EXPECT_GT(a_.log.verdicts[WGC_REPLAY] + b_.log.verdicts[WGC_REPLAY], 0u);

  // The link heals. Whatever state the loss has left behind, both directions come back.
  a_to_b_ = b_to_a_ = Link{};
  send(a_, number);
  send(b_, number);
  run_for(60 * kSecond);
  ++number;
  expect_no_duplicates(a_, number);
  expect_no_duplicates(b_, number);
  const auto got_last = [&](const SimPeer &peer) {
    return std::any_of(peer.log.delivered.begin(), peer.log.delivered.end(),
                       [&](const Message &inner) { return number_of(inner) == number - 1; });
  };
  // Old keypairs may swallow the first packet after the loss; the next ones must get through.
  for (int i = 0; i < 20 && !(got_last(a_) && got_last(b_)); ++i) {
    send(a_, number);
    send(b_, number);
    ++number;
    run_for(kSecond);
  }
  EXPECT_TRUE(got_last(a_) && got_last(b_));
  for (const SimPeer *peer : {&a_, &b_}) {
    EXPECT_EQ(peer->log.verdicts[WGC_BAD_AEAD], 0u);
    EXPECT_EQ(peer->log.verdicts[WGC_BAD_MAC1], 0u);
    EXPECT_LE(peer->num_keypairs(), 3u);
  }
}

TEST_F(Sim, BothCallAtTheSameMoment) {
  send(a_, 1);
  send(b_, 2);
  run_for(60 * kSecond);
  EXPECT_EQ(b_.log.delivered, std::vector<Message>{packet(1)});
  EXPECT_EQ(a_.log.delivered, std::vector<Message>{packet(2)});
}

// Here most retries fall into the 5 s after a response, often on both sides at once.
TEST_F(Sim, BothCallAtTheSameMomentOverASlowLink) {
  a_to_b_.extra_delay_ns = b_to_a_.extra_delay_ns = 140 * kMs;
  send(a_, 1);
  send(b_, 2);
  run_for(300 * kSecond);
  EXPECT_EQ(b_.log.delivered, std::vector<Message>{packet(1)});
  EXPECT_EQ(a_.log.delivered, std::vector<Message>{packet(2)});
}

TEST_F(Sim, BothCallWhileASessionExists) {
  connect();
  run_for(170 * kSecond);
  for (uint32_t i = 10; i < 40; ++i) {
    send(a_, i);
    send(b_, i);
    run_for(kSecond);
  }
  run_for(60 * kSecond);
  EXPECT_EQ(b_.log.delivered.size(), 31u);
  EXPECT_EQ(a_.log.delivered.size(), 30u);
}

TEST_F(Sim, UnderLoadTheSecondInitiationBringsACookie) {
  const uint64_t start_ns = now_ns_;
  b_.is_under_load = true;
  send(a_, 1);
  run_for(3 * kSecond);
  EXPECT_EQ(b_.log.cookie_replies_sent, Times{start_ns + kDelay_ns});
  EXPECT_EQ(a_.log.cookies_received, Times{start_ns + 2 * kDelay_ns});
  EXPECT_EQ(b_.log.responses_sent, Times{});
  run_for(3 * kSecond);
  ASSERT_EQ(a_.log.initiations_sent.size(), 2u);
  EXPECT_EQ(b_.log.responses_sent, Times{a_.log.initiations_sent[1] + kDelay_ns});
  EXPECT_EQ(b_.log.delivered, std::vector<Message>{packet(1)});
  EXPECT_EQ(b_.log.cookie_replies_sent.size(), 1u);
}

TEST_F(Sim, BothUnderLoadStillGetThrough) {
  a_.is_under_load = b_.is_under_load = true;
  send(a_, 1);
  run_for(60 * kSecond);
  EXPECT_EQ(b_.log.delivered, std::vector<Message>{packet(1)});
  // The responder needed a cookie for its response as well.
  EXPECT_EQ(b_.log.cookies_received.size(), 1u);
}

TEST_F(Sim, GarbageAndBitFlipsChangeNothing) {
  connect();
  Message last;
  a_to_b_.filter = [&](const Message &msg) {
    last = msg;
    return true;
  };
  uint32_t number = 1;
  for (int i = 0; i < 2000; ++i) {
    send(a_, number++);
    Message noise = last;
    if (random_.chance(50)) {
      noise[random_.below(noise.size())] ^= static_cast<uint8_t>(1 + random_.below(255));
    } else {
      noise.resize(random_.below(200));
      random_.fill(noise.data(), noise.size());
      if (noise.size() >= 4 && random_.chance(80)) {
        std::memset(noise.data(), 0, 4);
        noise[0] = static_cast<uint8_t>(1 + random_.below(4));
      }
    }
    EXPECT_NE(b_.receive(noise, now_ns_), WGC_OK);
    // Back to its sender.
    EXPECT_NE(a_.receive(last, now_ns_), WGC_OK);
    run_for(20 * kMs);
  }
  EXPECT_EQ(b_.log.delivered.size(), number);
  expect_no_duplicates(b_, number);
  EXPECT_EQ(a_.log.initiations_sent.size(), 1u);
}

}  // namespace
