// SPDX-License-Identifier: GPL-2.0
#include "view.hh"

#include <gtest/gtest.h>

#include "error.hh"
#include "test_peers.hh"

namespace wg::tool {
namespace {

State state_of(const Peer &peer, int64_t sent_s = 0, int64_t stale_s = kRejectAfter_s) {
  return classify(peer, kTestNow_s, stale_s, sent_s);
}

Peer with_handshake(int64_t age_s) {
  Peer peer;
  peer.handshake_s = kTestNow_s - age_s;
  peer.rx_bytes = peer.tx_bytes = 1000;
  return peer;
}

std::string order(const Device &device, SortKey sort, const SeenDevice *before = nullptr) {
  std::string fills;
  ViewOptions options;
  options.sort = sort;
  for (const PeerView &peer : test_view(device, options, before).peers) {
    fills += std::to_string(peer.peer->public_key.bytes[0]);
  }
  return fills;
}

TEST(State, WithoutAHandshakeDependsOnSending) {
  Peer peer;
  EXPECT_EQ(state_of(peer), State::kNever);
  peer.rx_bytes = 148;
  EXPECT_EQ(state_of(peer), State::kNever);
  peer.tx_bytes = 148;
  EXPECT_EQ(state_of(peer), State::kRejected);
}

TEST(State, IsUpUntilKeysAreRefused) {
  EXPECT_EQ(state_of(with_handshake(0)), State::kUp);
  EXPECT_EQ(state_of(with_handshake(179)), State::kUp);
  EXPECT_EQ(state_of(with_handshake(180)), State::kIdle);
  EXPECT_EQ(state_of(with_handshake(180), 0, 181), State::kUp);
  EXPECT_EQ(state_of(with_handshake(-1000)), State::kUp);
}

TEST(State, IsStaleWhenThisSideStillSends) {
  Peer peer = with_handshake(180);
  EXPECT_EQ(state_of(peer, kTestNow_s), State::kStale);
  EXPECT_EQ(state_of(peer, kTestNow_s - kSendingFor_s), State::kStale);
  EXPECT_EQ(state_of(peer, kTestNow_s - kSendingFor_s - 1), State::kIdle);
  EXPECT_EQ(state_of(with_handshake(179), kTestNow_s), State::kUp);
}

TEST(State, IsStaleWhenAKeepaliveShouldHaveRenewedIt) {
  Peer peer = with_handshake(180);
  peer.keepalive_s = 25;
  EXPECT_EQ(state_of(peer), State::kIdle) << "nowhere to send to";
  peer.endpoint.emplace();
  EXPECT_EQ(state_of(peer), State::kStale);
  peer.keepalive_s = 0;
  EXPECT_EQ(state_of(peer), State::kIdle);
}

TEST(State, HasAWord) {
  for (const char *word : {"up", "idle", "stale", "never", "rejected"}) {
    EXPECT_STREQ(state_word(parse_state(word)), word);
  }
  try {
    parse_state("dead\x1b");
    ADD_FAILURE();
  } catch (const UsageError &error) {
    EXPECT_STREQ(error.what(), "A state is one of up, idle, stale, never, rejected: `dead?'");
  }
  EXPECT_THROW(parse_sort_key(""), UsageError);
}

TEST(Observe, RemembersWhenThisSideSent) {
  Device device = test_device();
  const SeenDevice first = observe(device, nullptr, kTestNow_s, 1, kRejectAfter_s);
  EXPECT_EQ(first.peers.at(test_key(2)).sent_s, 0);
  EXPECT_EQ(first.peers.at(test_key(2)).state, State::kIdle);
  device.peers[1].tx_bytes += 148;
  const SeenDevice second = observe(device, &first, kTestNow_s + 1, 2, kRejectAfter_s);
  EXPECT_EQ(second.peers.at(test_key(2)).sent_s, kTestNow_s + 1);
  EXPECT_EQ(second.peers.at(test_key(2)).state, State::kStale);
  const SeenDevice third = observe(device, &second, kTestNow_s + 5, 3, kRejectAfter_s);
  EXPECT_EQ(third.peers.at(test_key(2)).state, State::kStale);
  const SeenDevice last = observe(device, &third, kTestNow_s + 12, 4, kRejectAfter_s);
  EXPECT_EQ(last.peers.at(test_key(2)).state, State::kIdle);
}

TEST(View, HasNamesStatesAndRates) {
  Device device = test_device();
  const SeenDevice before = observe(device, nullptr, kTestNow_s - 2, 0, kRejectAfter_s);
  device.peers[0].rx_bytes += 3000;
  device.peers[0].tx_bytes += 500;
  device.peers[1].rx_bytes -= 1;
  device.peers.push_back(device.peers[1]);
  device.peers.back().public_key = test_key(9);
  const DeviceView view = test_view(device, {}, &before);
  ASSERT_EQ(view.peers.size(), 6u);
  EXPECT_EQ(view.peers[0].name, "");
  EXPECT_EQ(view.peers[1].name, "laptop");
  EXPECT_EQ(view.peers[0].state, State::kUp);
  EXPECT_EQ(view.peers[3].state, State::kNever);
  ASSERT_TRUE(view.peers[0].rate);
  EXPECT_DOUBLE_EQ(view.peers[0].rate->rx, 1500);
  EXPECT_DOUBLE_EQ(view.peers[0].rate->tx, 250);
  EXPECT_FALSE(view.peers[1].rate) << "its counters began anew";
  EXPECT_FALSE(view.peers[5].rate) << "it is new";
  EXPECT_FALSE(test_view(device).peers[0].rate);
}

TEST(View, FiltersByKeyNameAndState) {
  const Device device = test_device();
  const auto count = [&device](const std::string &peer, std::optional<State> state = {}) {
    ViewOptions options;
    options.peer = peer;
    options.state = state;
    return test_view(device, options).peers.size();
  };
  EXPECT_EQ(count(""), 5u);
  EXPECT_EQ(count("AQEB"), 1u);
  EXPECT_EQ(count("A"), 3u);
  EXPECT_EQ(count("aQEB"), 0u) << "keys have capitals that matter";
  EXPECT_EQ(count(test_key(3).text()), 1u);
  EXPECT_EQ(count("LAPTOP"), 1u);
  EXPECT_EQ(count("lap"), 0u);
  EXPECT_EQ(count("", State::kStale), 1u);
  EXPECT_EQ(count("laptop", State::kStale), 0u);
}

TEST(View, Sorts) {
  Device device = test_device();
  std::swap(device.peers[1], device.peers[3]);
  EXPECT_EQ(order(device, SortKey::kNone), "14325");
  EXPECT_EQ(order(device, SortKey::kAge), "13245");
  EXPECT_EQ(order(device, SortKey::kRx), "12345");
  EXPECT_EQ(order(device, SortKey::kTx), "51234");
  EXPECT_EQ(order(device, SortKey::kName), "42135");
  EXPECT_EQ(order(device, SortKey::kKey), "12345");
  EXPECT_EQ(order(device, SortKey::kEndpoint), "12354");
}

TEST(View, SortsByRateWhereThereIsOne) {
  Device device = test_device();
  const SeenDevice before = observe(device, nullptr, kTestNow_s, 1, kRejectAfter_s);
  device.peers[3].rx_bytes += 1;
  device.peers[1].tx_bytes += 50;
  EXPECT_EQ(order(device, SortKey::kRx, &before), "41235");
  EXPECT_EQ(order(device, SortKey::kTx, &before), "25134");
}

TEST(View, ShowsTheKeyOfWhoHasNoName) {
  const Device device = test_device();
  const DeviceView view = test_view(device);
  EXPECT_EQ(printable_name(view.peers[0]), "AQEBAQEBAQ..");
  EXPECT_EQ(printable_name(view.peers[1]), "laptop");
}

}  // namespace
}  // namespace wg::tool
