// SPDX-License-Identifier: GPL-2.0
// The forms of output: brief, one line, JSON.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "brief.hh"
#include "error.hh"
#include "format.hh"
#include "json.hh"
#include "test_peers.hh"
#include "utf8.hh"

namespace wg::tool {
namespace {

constexpr Style kPlain{false, true, kTestNow_s};
constexpr Style kColored{true, true, kTestNow_s};

const std::string kPrivate = "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c=";
const std::string kPreshared = "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU=";

TEST(Compact, AgesHaveTwoParts) {
  const auto age = [](int64_t age_s) { return compact_age(kTestNow_s - age_s, kTestNow_s); };
  EXPECT_EQ(age(0), "0s");
  EXPECT_EQ(age(59), "59s");
  EXPECT_EQ(age(60), "1m00s");
  EXPECT_EQ(age(3599), "59m59s");
  EXPECT_EQ(age(3600), "1h00m");
  EXPECT_EQ(age(86399), "23h59m");
  EXPECT_EQ(age(86400), "1d00h");
  EXPECT_EQ(age(365 * 86400 - 1), "364d23h");
  EXPECT_EQ(age(366 * 86400), "1y001d");
  EXPECT_EQ(age(-5), "0s");
  EXPECT_EQ(compact_age(0, kTestNow_s), "-");
  EXPECT_EQ(compact_size(1536), "1.50KiB");
}

TEST(Brief, HasALineForEachPeer) {
  Device device = test_device();
  device.peers[3].allowed_ips.clear();
  const DeviceView view = test_view(device);
  Output out;
  print_brief(out, {&view, 1}, kPlain);
  EXPECT_EQ(out.text(),
            "wg0  AQEBAQEBAQ..  up           5s  1.50KiB  100B  192.0.2.1:51820  "
            "10.0.0.1/32,fd00::/64\n"
            "wg0  laptop        idle      2h00m      10B   20B  192.0.2.2:51820  "
            "10.0.0.2/32,fd00::/64\n"
            "wg0  AwMDAwMDAw..  stale     3m20s       1B    2B  192.0.2.3:51820  "
            "10.0.0.3/32,fd00::/64\n"
            "wg0  Big J\xc3\xbcrgen    never         -       0B    0B  -                -\n"
            "wg0  BQUFBQUFBQ..  rejected      -       0B  148B  192.0.2.5:51820  "
            "10.0.0.5/32,fd00::/64\n");
}

TEST(Brief, HasRatesWhereTheyAreKnown) {
  Device device = test_device();
  device.peers.resize(2);
  const SeenDevice before = observe(device, nullptr, kTestNow_s, 0, kRejectAfter_s);
  device.peers[0].rx_bytes += 4096;
  device.peers[1].tx_bytes = 0;
  const DeviceView view = test_view(device, {}, &before);
  const auto lines = brief_lines({&view, 1}, kPlain, {true, true});
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0],
            "INTERFACE  NAME          STATE    AGE       RX    TX     RX/S  TX/S  ENDPOINT      "
            "   ALLOWED-IPS");
  EXPECT_EQ(lines[1].substr(0, 71),
            "wg0        AQEBAQEBAQ..  up        5s  5.50KiB  100B  2.00KiB    0B  19");
  EXPECT_EQ(lines[2].substr(0, 70),
            "wg0        laptop        idle   2h00m      10B    0B        -     -  1");
}

TEST(Brief, AlignsColoredStates) {
  const Device device = test_device();
  const DeviceView view = test_view(device);
  const auto plain = brief_lines({&view, 1}, kPlain, {});
  const auto colored = brief_lines({&view, 1}, kColored, {});
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(display_width(plain[i]), display_width(colored[i]));
  }
  EXPECT_NE(colored[0].find("\x1b[32mup\x1b[0m"), std::string::npos);
  EXPECT_NE(colored[4].find("\x1b[31mrejected\x1b[0m"), std::string::npos);
}

TEST(Oneline, KeepsARecordOnOneLine) {
  Device device = test_device();
  device.peers.erase(device.peers.begin() + 2, device.peers.end());
  const SeenDevice before = observe(device, nullptr, kTestNow_s, 0, kRejectAfter_s);
  const DeviceView view = test_view(device, {}, &before);
  Output out;
  print_oneline(out, view, kPlain);
  EXPECT_EQ(out.text(), "interface: wg0\\  public key: " + test_key(0x66).text() +
                            "\\  private key: (hidden)\\  listening port: 51820\n"
                            "interface: wg0\\peer: " +
                            test_key(1).text() +
                            "\\  preshared key: (hidden)\\  endpoint: 192.0.2.1:51820\\"
                            "  allowed ips: 10.0.0.1/32, fd00::/64\\  latest handshake: 5 "
                            "seconds ago\\  transfer: 1.50 KiB received, 100 B sent\\"
                            "  rate: 0 B/s received, 0 B/s sent\n"
                            "interface: wg0\\peer: " +
                            test_key(2).text() +
                            " (laptop)\\  endpoint: 192.0.2.2:51820\\"
                            "  allowed ips: 10.0.0.2/32, fd00::/64\\  latest handshake: 2 "
                            "hours ago\\  transfer: 10 B received, 20 B sent\\"
                            "  rate: 0 B/s received, 0 B/s sent\n");
}

// Sets variables of the environment for one test.
class ColorTest : public testing::Test {
 protected:
  static bool color(const char *mode, const char *no_color,
                    const std::optional<std::string> &option) {
    setenv("WG_COLOR_MODE", mode, 1);
    setenv("NO_COLOR", no_color, 1);
    const OnExit restore([] {
      setenv("WG_COLOR_MODE", "never", 1);
      unsetenv("NO_COLOR");
    });
    return choose_color(option);
  }
};

TEST_F(ColorTest, FollowsTheOptionThenTheVariables) {
  // Tests may run on a terminal, or not.
  const bool by_itself = isatty(STDOUT_FILENO) == 1;
  EXPECT_EQ(color("", "", {}), by_itself);
  EXPECT_EQ(color("", "1", {}), false);
  EXPECT_EQ(color("always", "1", {}), true);
  EXPECT_EQ(color("never", "", {}), false);
  EXPECT_EQ(color("never", "1", "always"), true);
  EXPECT_EQ(color("never", "1", ""), true);
  EXPECT_EQ(color("always", "", "never"), false);
  EXPECT_EQ(color("always", "1", "auto"), false);
  EXPECT_THROW(color("", "", "red"), UsageError);
}

TEST(Json, HasEveryFieldAndNoSecret) {
  const Device device = test_device();
  const DeviceView view = test_view(device);
  Output out;
  print_devices_json(out, {&view, 1}, kTestNow_s, {});
  const std::string text(out.text());
  EXPECT_TRUE(text.starts_with(
      R"({"schema":1,"time":1800000000,"devices":[{"name":"wg0","public_key":")" +
      test_key(0x66).text() +
      R"(","has_private_key":true,"private_key":null,"listen_port":51820,"fwmark":null,"peers":[)" +
      R"({"public_key":")" + test_key(1).text() +
      R"(","name":null,"state":"up","has_preshared_key":true,"preshared_key":null,)" +
      R"("endpoint":"192.0.2.1:51820","endpoint_host":"192.0.2.1","endpoint_port":51820,)" +
      R"("allowed_ips":["10.0.0.1/32","fd00::/64"],"latest_handshake":1799999995,)" +
      R"("rx_bytes":1536,"tx_bytes":100,"rx_bytes_per_s":null,"tx_bytes_per_s":null,)" +
      R"("persistent_keepalive":null},)"))
      << text;
  EXPECT_TRUE(text.ends_with("]}]}\n"));
  EXPECT_EQ(text.find(kPrivate), std::string::npos);
  EXPECT_EQ(text.find(kPreshared), std::string::npos);
  const auto parsed = nlohmann::json::parse(text);
  const auto &peers = parsed["devices"][0]["peers"];
  EXPECT_EQ(peers[3]["name"], "Big J\xc3\xbcrgen");
  EXPECT_TRUE(peers[3]["latest_handshake"].is_null());
  EXPECT_TRUE(peers[3]["endpoint"].is_null() && peers[3]["endpoint_host"].is_null() &&
              peers[3]["endpoint_port"].is_null());
  EXPECT_EQ(peers[2]["persistent_keepalive"], 25);
  for (const auto &peer : peers) EXPECT_EQ(peer.size(), peers[0].size());
}

TEST(Json, ShowsSecretsInTheirPlacesWhenAsked) {
  Device device = test_device();
  device.peers[3].preshared_key.bytes.fill(0x11);
  const DeviceView view = test_view(device);
  Output out;
  print_devices_json(out, {&view, 1}, kTestNow_s, {true, true});
  const auto parsed = nlohmann::json::parse(out.text());
  EXPECT_EQ(parsed["devices"][0]["private_key"], kPrivate);
  const auto &peers = parsed["devices"][0]["peers"];
  EXPECT_EQ(peers[0]["preshared_key"], kPreshared);
  EXPECT_TRUE(peers[1]["preshared_key"].is_null());
  EXPECT_EQ(peers[3]["preshared_key"], test_key(0x11).text());
  EXPECT_NE(out.text().find("\n  \"devices\": ["), std::string_view::npos);
}

TEST(Json, IsExactAndTakesHostileText) {
  Device device = test_device();
  device.name = "w\x7fg\"\\\xff\x1b";
  device.peers.resize(1);
  device.peers[0].rx_bytes = UINT64_MAX;
  PeerChange change;
  set_endpoint(change, "[2001:db8::1]:7");
  device.peers[0].endpoint = change.endpoint;
  SeenDevice before = observe(device, nullptr, kTestNow_s, 0, kRejectAfter_s);
  before.peers[test_key(1)].rx_bytes = UINT64_MAX - 5;
  const DeviceView view = test_view(device, {}, &before);
  Output out;
  print_devices_json(out, {&view, 1}, kTestNow_s, {false, true});
  EXPECT_NE(out.text().find("\"rx_bytes\":18446744073709551615,"), std::string_view::npos);
  const auto parsed = nlohmann::json::parse(out.text());
  EXPECT_EQ(parsed["devices"][0]["name"], "w?g\"\\\xef\xbf\xbd?");
  const auto &peer = parsed["devices"][0]["peers"][0];
  EXPECT_EQ(peer["endpoint"], "[2001:db8::1]:7");
  EXPECT_EQ(peer["endpoint_host"], "2001:db8::1");
  EXPECT_EQ(peer["endpoint_port"], 7);
  EXPECT_EQ(peer["preshared_key"], kPreshared);
  EXPECT_EQ(peer["rx_bytes_per_s"].dump(), "3");
}

TEST(Json, OfNothingIsADocumentToo) {
  Output out;
  print_devices_json(out, {}, 5, {});
  EXPECT_EQ(out.text(), "{\"schema\":1,\"time\":5,\"devices\":[]}\n");
  Output names;
  print_names_json(names, {"wg0", "wg1"}, {});
  EXPECT_EQ(names.text(), "{\"schema\":1,\"interfaces\":[\"wg0\",\"wg1\"]}\n");
}

}  // namespace
}  // namespace wg::tool
