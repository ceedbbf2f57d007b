// SPDX-License-Identifier: GPL-2.0
#include "format.hh"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "text.hh"

namespace wg::tool {
namespace {

constexpr int64_t kNow_s = 1700000000;
constexpr Style kPlain{false, true, kNow_s};

PublicKey public_key(uint8_t fill) {
  PublicKey key;
  key.bytes.fill(fill);
  return key;
}

// Two peers: one with everything and one with nothing.
Device example() {
  Device device;
  device.name = "wg0";
  device.private_key.bytes.fill(0x41);
  device.public_key = public_key(0x42);
  device.listen_port = 51820;
  device.fwmark = 0xca6c;
  device.peers.resize(2);
  device.peers[0].public_key = public_key(1);
  Peer &peer = device.peers[1];
  peer.public_key = public_key(2);
  peer.preshared_key.bytes.fill(0x77);
  peer.endpoint = std::get<Endpoint>(parse_endpoint("[2001:db8::1]:7"));
  peer.keepalive_s = 25;
  peer.handshake_s = kNow_s - 3661;
  peer.rx_bytes = 1536;
  peer.tx_bytes = 512;
  std::string warnings;
  PeerChange change;
  parse_allowed_ips(change, warnings, "10.0.0.0/8,fd00::/64");
  peer.allowed_ips = change.allowed_ips;
  return device;
}

constexpr const char *kPrivate = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
constexpr const char *kPublic = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=";
constexpr const char *kPeer1 = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
constexpr const char *kPeer2 = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
constexpr const char *kPsk = "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c=";

std::string field(const Device &device, std::string_view name, std::string_view prefix = "") {
  Output out;
  print_field(out, device, name, prefix);
  return std::string(out.text());
}

TEST(Duration, DropsPartsThatAreZero) {
  EXPECT_EQ(format_duration(1, kPlain), "1 second");
  EXPECT_EQ(format_duration(59, kPlain), "59 seconds");
  EXPECT_EQ(format_duration(60, kPlain), "1 minute");
  EXPECT_EQ(format_duration(61, kPlain), "1 minute, 1 second");
  EXPECT_EQ(format_duration(3600, kPlain), "1 hour");
  EXPECT_EQ(format_duration(90061, kPlain), "1 day, 1 hour, 1 minute, 1 second");
  EXPECT_EQ(format_duration(31535999, kPlain), "364 days, 23 hours, 59 minutes, 59 seconds");
  EXPECT_EQ(format_duration(31536000, kPlain), "1 year");
  EXPECT_EQ(format_duration(63345906, kPlain), "2 years, 3 days, 4 hours, 5 minutes, 6 seconds");
  EXPECT_EQ(format_duration(65535, kPlain), "18 hours, 12 minutes, 15 seconds");
}

TEST(Age, SaysNowAndWarnsOfTheFuture) {
  EXPECT_EQ(format_age(kNow_s, kPlain), "Now");
  EXPECT_EQ(format_age(kNow_s - 2, kPlain), "2 seconds ago");
  EXPECT_EQ(format_age(kNow_s + 1, kPlain),
            "(System clock wound backward; connection problems may ensue.)");
  EXPECT_EQ(format_age(kNow_s + 1, Style{true, true, kNow_s}),
            "(\x1b[31mSystem clock wound backward; connection problems may ensue.\x1b[0m)");
}

TEST(Size, ChangesTheUnitAtPowersOf1024) {
  EXPECT_EQ(format_size(0, kPlain), "0 B");
  EXPECT_EQ(format_size(1023, kPlain), "1023 B");
  EXPECT_EQ(format_size(1024, kPlain), "1.00 KiB");
  EXPECT_EQ(format_size(1536, kPlain), "1.50 KiB");
  EXPECT_EQ(format_size(1048575, kPlain), "1024.00 KiB");
  EXPECT_EQ(format_size(1048576, kPlain), "1.00 MiB");
  EXPECT_EQ(format_size(1073741823, kPlain), "1024.00 MiB");
  EXPECT_EQ(format_size(1073741824, kPlain), "1.00 GiB");
  EXPECT_EQ(format_size(1099511627775, kPlain), "1024.00 GiB");
  EXPECT_EQ(format_size(1099511627776, kPlain), "1.00 TiB");
  EXPECT_EQ(format_size(UINT64_MAX / 2, kPlain), "8388608.00 TiB");
  EXPECT_EQ(format_size(5, Style{true, true, 0}), "5 \x1b[36mB\x1b[0m");
}

TEST(Pretty, PutsTheNewestHandshakeFirstAndHidesSecrets) {
  Output out;
  print_pretty(out, example(), kPlain);
  EXPECT_EQ(out.text(), std::string("interface: wg0\n"
                                    "  public key: ") +
                            kPublic +
                            "\n  private key: (hidden)\n"
                            "  listening port: 51820\n"
                            "  fwmark: 0xca6c\n"
                            "\n"
                            "peer: " +
                            kPeer2 +
                            "\n  preshared key: (hidden)\n"
                            "  endpoint: [2001:db8::1]:7\n"
                            "  allowed ips: 10.0.0.0/8, fd00::/64\n"
                            "  latest handshake: 1 hour, 1 minute, 1 second ago\n"
                            "  transfer: 1.50 KiB received, 512 B sent\n"
                            "  persistent keepalive: every 25 seconds\n"
                            "\n"
                            "peer: " +
                            kPeer1 + "\n  allowed ips: (none)\n");
}

TEST(Pretty, ColorsAndShowsSecretsWhenAsked) {
  Output out;
  Device device = example();
  device.peers.erase(device.peers.begin());
  print_pretty(out, device, Style{true, false, kNow_s});
  EXPECT_EQ(
      out.text(),
      std::string("\x1b[0m\x1b[32m\x1b[1minterface\x1b[0m: \x1b[32mwg0\x1b[0m\n"
                  "  \x1b[1mpublic key\x1b[0m: ") +
          kPublic + "\n  \x1b[1mprivate key\x1b[0m: " + kPrivate +
          "\n  \x1b[1mlistening port\x1b[0m: 51820\n"
          "  \x1b[1mfwmark\x1b[0m: 0xca6c\n"
          "\n"
          "\x1b[33m\x1b[1mpeer\x1b[0m: \x1b[33m" +
          kPeer2 + "\x1b[0m\n  \x1b[1mpreshared key\x1b[0m: " + kPsk +
          "\n  \x1b[1mendpoint\x1b[0m: [2001:db8::1]:7\n"
          "  \x1b[1mallowed ips\x1b[0m: 10.0.0.0\x1b[36m/\x1b[0m8, fd00::\x1b[36m/\x1b[0m64\n"
          "  \x1b[1mlatest handshake\x1b[0m: 1 \x1b[36mhour\x1b[0m, 1 \x1b[36mminute\x1b[0m, 1 "
          "\x1b[36msecond\x1b[0m ago\n"
          "  \x1b[1mtransfer\x1b[0m: 1.50 \x1b[36mKiB\x1b[0m received, 512 \x1b[36mB\x1b[0m sent\n"
          "  \x1b[1mpersistent keepalive\x1b[0m: every 25 \x1b[36mseconds\x1b[0m\n");
}

TEST(Pretty, LeavesOutWhatIsNotSet) {
  Output out;
  Device device;
  device.name =
      "wg\x1b"
      "9";
  print_pretty(out, device, kPlain);
  EXPECT_EQ(out.text(), "interface: wg?9\n");
}

TEST(Fields, PrintOneLineEach) {
  const Device device = example();
  const std::string peer1 = kPeer1, peer2 = kPeer2;
  EXPECT_EQ(field(device, "public-key"), std::string(kPublic) + "\n");
  EXPECT_EQ(field(device, "private-key"), std::string(kPrivate) + "\n");
  EXPECT_EQ(field(device, "listen-port"), "51820\n");
  EXPECT_EQ(field(device, "fwmark"), "0xca6c\n");
  EXPECT_EQ(field(device, "peers"), peer1 + "\n" + peer2 + "\n");
  EXPECT_EQ(field(device, "preshared-keys"), peer1 + "\t(none)\n" + peer2 + "\t" + kPsk + "\n");
  EXPECT_EQ(field(device, "endpoints"), peer1 + "\t(none)\n" + peer2 + "\t[2001:db8::1]:7\n");
  EXPECT_EQ(field(device, "allowed-ips"),
            peer1 + "\t(none)\n" + peer2 + "\t10.0.0.0/8 fd00::/64\n");
  EXPECT_EQ(field(device, "latest-handshakes"), peer1 + "\t0\n" + peer2 + "\t1699996339\n");
  EXPECT_EQ(field(device, "transfer"), peer1 + "\t0\t0\n" + peer2 + "\t1536\t512\n");
  EXPECT_EQ(field(device, "persistent-keepalive"), peer1 + "\toff\n" + peer2 + "\t25\n");
  EXPECT_FALSE(is_field("peer"));
  EXPECT_TRUE(is_field("dump"));
}

TEST(Fields, PrefixEveryLineWithTheDevice) {
  const Device device = example();
  EXPECT_EQ(field(device, "endpoints", "wg0\t"),
            std::string("wg0\t") + kPeer1 + "\t(none)\nwg0\t" + kPeer2 + "\t[2001:db8::1]:7\n");
  EXPECT_EQ(field(device, "fwmark", "wg0\t"), "wg0\t0xca6c\n");
}

TEST(Fields, NameWhatIsNotSet) {
  const Device device;
  EXPECT_EQ(field(device, "public-key"), "(none)\n");
  EXPECT_EQ(field(device, "private-key"), "(none)\n");
  EXPECT_EQ(field(device, "listen-port"), "0\n");
  EXPECT_EQ(field(device, "fwmark"), "off\n");
  EXPECT_EQ(field(device, "peers"), "");
}

TEST(Dump, HasOneLineForTheDeviceAndOnePerPeer) {
  EXPECT_EQ(field(example(), "dump", "wg0\t"),
            std::string("wg0\t") + kPrivate + "\t" + kPublic + "\t51820\t0xca6c\nwg0\t" + kPeer1 +
                "\t(none)\t(none)\t(none)\t0\t0\t0\toff\nwg0\t" + kPeer2 + "\t" + kPsk +
                "\t[2001:db8::1]:7\t10.0.0.0/8,fd00::/64\t1699996339\t1536\t512\t25\n");
}

TEST(ShowConf, WritesWhatIsSet) {
  Output out;
  print_config(out, example());
  EXPECT_EQ(out.text(), std::string("[Interface]\n"
                                    "ListenPort = 51820\n"
                                    "FwMark = 0xca6c\n"
                                    "PrivateKey = ") +
                            kPrivate + "\n\n[Peer]\nPublicKey = " + kPeer1 +
                            "\n\n[Peer]\nPublicKey = " + kPeer2 + "\nPresharedKey = " + kPsk +
                            "\nAllowedIPs = 10.0.0.0/8, fd00::/64\n"
                            "Endpoint = [2001:db8::1]:7\n"
                            "PersistentKeepalive = 25\n");
}

TEST(Environment, ChoosesColorsAndMasks) {
  setenv("WG_COLOR_MODE", "always", 1);
  setenv("WG_HIDE_KEYS", "never", 1);
  EXPECT_TRUE(Style::from_environment().color);
  EXPECT_FALSE(Style::from_environment().hide_keys);
  setenv("WG_COLOR_MODE", "never", 1);
  setenv("WG_HIDE_KEYS", "always", 1);
  EXPECT_FALSE(Style::from_environment().color);
  EXPECT_TRUE(Style::from_environment().hide_keys);
  unsetenv("WG_COLOR_MODE");
  unsetenv("WG_HIDE_KEYS");
  EXPECT_TRUE(Style::from_environment().hide_keys);
}

TEST(Printable, KeepsUtf8AndDropsControls) {
  EXPECT_EQ(printable("wg\xc3\xa9\xe2\x82\xac"), "wg\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(printable("a\x1b[2Jb\r\n\t\x7f"), "a?[2Jb????");
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "?31m");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\xc2?31m");
}

}  // namespace
}  // namespace wg::tool
