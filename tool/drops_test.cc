// SPDX-License-Identifier: GPL-2.0
// From the messages of the second family to what `wgtool drops' prints.
#include "drops.hh"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "commands.hh"
#include "error.hh"
#include "json.hh"
#include "test_devices.hh"
#include "test_message.hh"

namespace wg::tool {
namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;

const std::string kKeyText = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

void put_drops(Builder &message, int type, uint32_t reason, uint64_t num) {
  message.nest(type, [&] { message.put(static_cast<int>(reason) + 1, num); });
}

void put_peer(Builder &message) {
  message.nest(0, [&] {
    message.bytes(WGPP_PEER_A_PUBLIC_KEY, std::vector<uint8_t>(kKeyLen, 1));
    put_drops(message, WGPP_PEER_A_DROPS, WGPP_DROP_BAD_SOURCE, 3);
    message.put(WGPP_PEER_A_LAST_DROP, uint32_t{WGPP_DROP_BAD_SOURCE});
    message.put(WGPP_PEER_A_LAST_DROP_TIME, 95 * kSecond_ns);
    message.put(WGPP_PEER_A_LAST_ERROR, uint32_t{ENETUNREACH});
    message.put(WGPP_PEER_A_HANDSHAKES, uint64_t{2});
    message.put(WGPP_PEER_A_ATTEMPTS, uint32_t{1});
    message.put(WGPP_PEER_A_CURRENT_BIRTH, 40 * kSecond_ns);
    message.put(WGPP_PEER_A_NUM_STAGED, uint32_t{5});
    message.put(WGPP_PEER_A_NEXT_TIMER, 102 * kSecond_ns);
    message.nest(WGPP_PEER_A_ENDPOINTS, [&] {
      message.nest(0, [&] {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(51820);
        address.sin_addr.s_addr = htonl(0xc0000201);
        message.put(WGPP_ENDPOINT_A_ADDRESS, address);
        message.put(WGPP_ENDPOINT_A_SINCE, 10 * kSecond_ns);
      });
    });
  });
}

void put_all(Builder &message) {
  message.text(WGPP_A_IFNAME, "wg0");
  message.put(WGPP_A_NOW, 100 * kSecond_ns);
  message.nest(WGPP_A_DROPS, [&] {
    message.put(WGPP_DROP_NO_PEER + 1, uint64_t{7});
    message.put(WGPP_DROP_BAD_SOURCE + 1, uint64_t{3});
    // Of a module that knows more reasons.
    message.put(WGPP_NUM_DROPS + 5, uint64_t{1});
  });
  message.nest(WGPP_A_PEERS, [&] { put_peer(message); });
}

Diagnostics decoded() {
  Builder message;
  put_all(message);
  Diagnostics diagnostics;
  decode_diagnostics(diagnostics, message.header());
  return diagnostics;
}

TEST(Drops, ReasonsHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (uint32_t reason = 0; reason < WGPP_NUM_DROPS; ++reason) {
    const std::string name = drop_name(reason);
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string::npos);
    EXPECT_LE(name.size(), 18U) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_NE(*drop_meaning(reason), '\0');
  }
  EXPECT_EQ(drop_name(WGPP_NUM_DROPS), nullptr);
  // Numbers are never given another meaning.
  EXPECT_STREQ(drop_name(0), "bad-type");
  EXPECT_STREQ(drop_name(22), "bad-source");
  EXPECT_STREQ(drop_name(38), "send-failed");
}

TEST(Drops, AreDecoded) {
  const Diagnostics diagnostics = decoded();
  EXPECT_EQ(diagnostics.name, "wg0");
  EXPECT_EQ(diagnostics.drops[WGPP_DROP_NO_PEER], 7U);
  ASSERT_EQ(diagnostics.peers.size(), 1U);
  const PeerDiagnostics &peer = diagnostics.peers[0];
  EXPECT_EQ(peer.public_key.text(), kKeyText);
  EXPECT_EQ(peer.drops[WGPP_DROP_BAD_SOURCE], 3U);
  EXPECT_EQ(peer.last_drop, uint32_t{WGPP_DROP_BAD_SOURCE});
  EXPECT_EQ(peer.current_ns, 40 * kSecond_ns);
  ASSERT_EQ(peer.endpoints.size(), 1U);
  EXPECT_EQ(peer.endpoints[0].endpoint.text(), "192.0.2.1:51820");
}

TEST(Drops, AreRefusedWhenMalformed) {
  Builder all;
  put_all(all);
  const auto *bytes = reinterpret_cast<const uint8_t *>(all.header());
  for (uint32_t len = 0; len < all.header()->nlmsg_len; ++len) {
    std::vector<uint8_t> cut(bytes, bytes + std::max<size_t>(len, NLMSG_HDRLEN));
    reinterpret_cast<nlmsghdr *>(cut.data())->nlmsg_len = len;
    Diagnostics diagnostics;
    try {
      decode_diagnostics(diagnostics, reinterpret_cast<const nlmsghdr *>(cut.data()));
    } catch (const SystemError &error) {
      EXPECT_EQ(error.error(), EBADMSG);
    }
  }
  Builder no_key;
  no_key.nest(WGPP_A_PEERS, [&] { no_key.nest(0, [&] { no_key.put(WGPP_PEER_A_ATTEMPTS, 1U); }); });
  Builder small;
  small.nest(WGPP_A_DROPS, [&] { small.put(1, uint32_t{1}); });
  for (const Builder *message : {&no_key, &small}) {
    Diagnostics diagnostics;
    EXPECT_THROW(decode_diagnostics(diagnostics, message->header()), SystemError);
  }
}

TEST(Drops, ArePrintedWithTheirMeaning) {
  const Diagnostics diagnostics = decoded();
  Output out;
  print_drops(out, {&diagnostics, {"laptop"}});
  EXPECT_EQ(out.text(),
            "interface: wg0\n"
            "  bad-source                  3  source address not in the peer's AllowedIPs\n"
            "  no-peer                     7  destination in nobody's AllowedIPs\n"
            "\npeer: " +
                kKeyText +
                " (laptop)\n"
                "  last drop: bad-source, 5s ago\n"
                "  last error: Network is unreachable\n"
                "  bad-source                  3  source address not in the peer's AllowedIPs\n");
  const Diagnostics nothing;
  Output other;
  print_drops(other, {&nothing, {}});
  EXPECT_EQ(other.text(), "interface: \n  nothing was dropped\n");
}

TEST(Drops, AreJson) {
  const Diagnostics diagnostics = decoded();
  const DropsView view{&diagnostics, {""}};
  Output out;
  print_drops_json(out, {&view, 1}, 1700000000, {});
  const auto document = nlohmann::json::parse(out.text());
  EXPECT_EQ(document["schema"], 1);
  const auto &device = document["devices"][0];
  EXPECT_EQ(device["drops"], nlohmann::json::parse(R"({"bad-source":3,"no-peer":7})"));
  EXPECT_EQ(device["peers"][0], nlohmann::json::parse(R"({
    "public_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "name": null,
    "drops": {"bad-source": 3}, "last_drop": "bad-source", "last_drop_age_s": 5.0,
    "last_error": "Network is unreachable", "handshakes": 2, "handshake_attempts": 1,
    "session_age_s": 60.0, "previous_session_age_s": null, "unconfirmed_session_age_s": null,
    "waiting_packets": 5, "next_timer_s": 2.0,
    "endpoints": [{"endpoint": "192.0.2.1:51820", "age_s": 90.0}]})"));
}

TEST(Drops, CountFromARead) {
  Drops before{}, after{};
  before[0] = 3;
  before[1] = 9;
  after[0] = 5;
  after[1] = 2;
  const Drops since = drops_since(after, &before);
  EXPECT_EQ(since[0], 2U);
  // The device was made anew.
  EXPECT_EQ(since[1], 2U);
  EXPECT_EQ(drops_since(after, nullptr), after);
}

TEST(Drops, AreNotThereInOtherModules) {
  TestDevices devices;
  devices.devices.emplace_back();
  devices.devices.back().name = "wg0";
  Context context{devices, "wgtool", {}, {}};
  const std::vector<std::string> wg0 = {"wg0"}, wg1 = {"wg1"};
  const auto error_of = [&](Arguments arguments) {
    try {
      run_drops(context, arguments);
    } catch (const Error &error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_of(wg0),
            "`wg0' belongs to a module or program that does not say why it drops; wgpp does "
            "(modprobe wgpp in place of it)");
  EXPECT_EQ(error_of(wg1), "No interface `wg1'; `wgtool show interfaces' lists them");
  // Of all, none.
  EXPECT_EQ(run_drops(context, {}), 1);
  EXPECT_NE(context.err.text().find("`wg0' belongs to a module"), std::string::npos);
}

}  // namespace
}  // namespace wg::tool
