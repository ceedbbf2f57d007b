// SPDX-License-Identifier: GPL-2.0
#include "save.hh"
#include "test_file.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace wg::tool {
namespace {

const std::string kKey = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const std::string kPeer1 = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const std::string kPeer2 = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";

const std::string kFile = "# head\n[Interface]\n  PrivateKey=" + kKey +
                          " # mine\nAddress = 10.9.0.1/24\nListenPort = 5001\nPostUp = true # x\n"
                          "\n# Name = laptop\n[Peer]\nPublicKey = " +
                          kPeer1 +
                          "\nAllowedIPs = 10.9.0.2/32,10.80.0.0/16\nEndpoint = vpn.example:5\n"
                          "\n### Client phone\n[Peer]\nPublicKey = " +
                          kPeer2 + "\nAllowedIPs = 10.9.0.3\n";

QuickConfig parse(const std::string &text) {
  return parse_quick_config(SecretBytes(text.begin(), text.end()), "wg0.conf", "wg0");
}

// What the file says, as a device would have it.
Device device_of(const QuickConfig &config) {
  Device device;
  device.name = "wg0";
  const DeviceChange &change = config.wg.change;
  if (change.private_key) device.private_key = *change.private_key;
  device.listen_port = change.listen_port.value_or(0);
  for (const PeerChange &one : change.peers) {
    Peer peer;
    peer.public_key = one.public_key;
    peer.allowed_ips = one.allowed_ips;
    if (one.preshared_key) peer.preshared_key = *one.preshared_key;
    peer.keepalive_s = one.keepalive_s.value_or(0);
    Endpoint endpoint;
    endpoint.ipv4.sin_family = AF_INET;
    endpoint.ipv4.sin_port = 0x0500;
    endpoint.ipv4.sin_addr.s_addr = 0x010200c0;
    if (one.endpoint_name) peer.endpoint = endpoint;
    device.peers.push_back(peer);
  }
  return device;
}

class SaveTest : public testing::Test {
 protected:
  SaveTest() : config_(parse(kFile)), device_(device_of(config_)) {
    state_.addresses = config_.addresses;
    state_.mtu = 1420;
  }

  std::string edited() const {
    const SecretBytes text = edit_config(config_, device_, state_);
    return std::string(view(text));
  }

  // kFile with one text in place of another.
  static std::string with(const std::string &from, const std::string &to) {
    std::string text = kFile;
    text.replace(text.find(from), from.size(), to);
    return text;
  }

  QuickConfig config_;
  Device device_;
  SavedState state_;
};

TEST_F(SaveTest, WhatIsSoStaysAsItIsWritten) {
  EXPECT_EQ(edited(), kFile);
}

TEST_F(SaveTest, ChangesOneLine) {
  device_.listen_port = 5002;
  EXPECT_EQ(edited(), with("ListenPort = 5001", "ListenPort = 5002"));
  device_.listen_port = 5001;
  device_.peers[0].allowed_ips.pop_back();
  EXPECT_EQ(edited(), with("10.9.0.2/32,10.80.0.0/16", "10.9.0.2/32"));
}

TEST_F(SaveTest, AddsAndTakesLines) {
  device_.peers[0].keepalive_s = 25;
  EXPECT_EQ(edited(), with("vpn.example:5\n", "vpn.example:5\nPersistentKeepalive = 25\n"));
  device_.peers[0].keepalive_s = 0;
  device_.listen_port = 0;
  EXPECT_EQ(edited(), with("ListenPort = 5001\n", ""));
  device_.listen_port = 5001;
  device_.fwmark = 9;
  EXPECT_EQ(edited(), with("PostUp = true # x\n", "PostUp = true # x\nFwMark = 0x9\n"));
  state_.is_mark_ours = true;
  EXPECT_EQ(edited(), kFile);
}

TEST_F(SaveTest, KeysAreReplacedWhole) {
  device_.private_key = *SecretKey::parse(kPeer2);
  EXPECT_EQ(edited(),
            with("  PrivateKey=" + kKey + " # mine", "PrivateKey = " + kPeer2 + " # mine"));
  device_.private_key = SecretKey();
  EXPECT_EQ(edited(), with("  PrivateKey=" + kKey + " # mine\n", ""));
}

TEST_F(SaveTest, ANameOfAnEndpointStays) {
  device_.peers[0].endpoint->ipv4.sin_port = 0x0600;
  EXPECT_EQ(edited(), kFile);
  device_.peers[1].endpoint = device_.peers[0].endpoint;
  EXPECT_EQ(edited(), kFile + "Endpoint = 192.0.2.1:6\n");
}

TEST_F(SaveTest, PeersComeAndGoWithTheirComments) {
  device_.peers.erase(device_.peers.begin());
  EXPECT_EQ(edited(), kFile.substr(0, kFile.find("# Name")) + kFile.substr(kFile.find("### Cl")));
  device_ = device_of(config_);
  Peer peer;
  peer.public_key = *PublicKey::parse(kKey);
  device_.peers.push_back(peer);
  EXPECT_EQ(edited(), kFile + "\n[Peer]\nPublicKey = " + kKey + "\n");
}

TEST_F(SaveTest, CommentsBehindAPeerThatGoesStay) {
  const std::string text = with("vpn.example:5\n", "vpn.example:5\n\n# Bob is off\n#[Peer]\n");
  config_ = parse(text);
  device_ = device_of(config_);
  device_.peers.erase(device_.peers.begin());
  EXPECT_EQ(edited(), text.substr(0, text.find("# Name")) + text.substr(text.find("# Bob")));
}

TEST_F(SaveTest, AddressesAndMtu) {
  state_.addresses.clear();
  state_.mtu = 1300;
  // An MTU that is worked out is not written.
  EXPECT_EQ(edited(), with("Address = 10.9.0.1/24\n", ""));
  config_.mtu = 1400;
  EXPECT_EQ(edited().find("MTU = 1300") != std::string::npos, true);
}

TEST(WriteConfig, ReplacesWhatALinkLeadsTo) {
  const TestDirectory files;
  const std::string &directory = files.path();
  const std::string file = directory + "/real.conf", link = directory + "/wg0.conf";
  std::ofstream(file) << "old";
  chmod(file.c_str(), 0640);
  ASSERT_EQ(symlink("real.conf", link.c_str()), 0);
  const std::string_view text = "new";
  write_config(link, SecretBytes(text.begin(), text.end()));
  struct stat status;
  ASSERT_EQ(lstat(link.c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  EXPECT_EQ(status.st_size, 3);
  // No other file was left.
  const std::filesystem::directory_iterator all(directory);
  EXPECT_EQ(std::distance(begin(all), end(all)), 2);
  EXPECT_THROW(write_config(directory + "/none/wg0.conf", SecretBytes()), Error);
}

}  // namespace
}  // namespace wg::tool
