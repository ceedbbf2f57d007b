// SPDX-License-Identifier: GPL-2.0
#include "quick_config.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "error.hh"
#include "test_file.hh"

namespace wg::tool {
namespace {

const std::string kKey = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

QuickConfig parse(std::string_view text) {
  return parse_quick_config(SecretBytes(text.begin(), text.end()), "wg0.conf", "wg0");
}

void expect_error(std::string_view text, std::string_view part) {
  try {
    parse(text);
    ADD_FAILURE() << "taken: " << text;
  } catch (const Error &error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(QuickConfigFile, ReadsWhatSurroundsADevice) {
  const QuickConfig config = parse(
      "# a comment\n[Interface]\naddress = 10.0.0.1/24 , fd00::1/64 10.0.0.2 # more\n"
      "ADDRESS=10.0.0.3/8\nDns = 10.0.0.53, corp.example fd00::53\nDNS=home.arpa\nMTU = 1400\n"
      "Table = 1234\nSaveConfig = true\nPreUp = echo '#1' %i\nPostUp = a = b # kept\n"
      "PreDown=x\nPreDown = y\nPostDown = z\r\nListenPort = 5 # not theirs\n[Peer]\nPublicKey = " +
      kKey + "\nAllowedIPs = 10.0.0.0/8\n");
  std::string addresses;
  for (const Prefix &address : config.addresses) addresses += address.text() + " ";
  EXPECT_EQ(addresses, "10.0.0.1/24 fd00::1/64 10.0.0.2/32 10.0.0.3/8 ");
  EXPECT_EQ(config.dns_servers, (std::vector<std::string>{"10.0.0.53", "fd00::53"}));
  EXPECT_EQ(config.dns_domains, (std::vector<std::string>{"corp.example", "home.arpa"}));
  EXPECT_EQ(config.mtu, 1400U);
  EXPECT_EQ(config.table.mode, RouteTable::Mode::kGiven);
  EXPECT_EQ(config.table.id, 1234U);
  EXPECT_TRUE(config.save);
  EXPECT_EQ(config.hooks.pre_up, std::vector<std::string>{"echo '#1' %i"});
  EXPECT_EQ(config.hooks.post_up, std::vector<std::string>{"a = b # kept"});
  EXPECT_EQ(config.hooks.pre_down, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(config.hooks.post_down, std::vector<std::string>{"z"});
  EXPECT_EQ(config.wg.change.listen_port, 5);
  EXPECT_EQ(config.wg.change.name, "wg0");
  ASSERT_EQ(config.wg.change.peers.size(), 1U);
}

TEST(QuickConfigFile, NamesTheLineAndWhatIsRight) {
  const std::string head = "[Interface]\n\n";
  expect_error(head + "Address = 10.0.0.1/33\n",
               "wg0.conf:3: Address is not ADDRESS/LENGTH: `10.0.0.1/33'; write it in full");
  expect_error(head + "Address = -10.0.0.1/8\n", "wg0.conf:3: Address is not");
  expect_error(head + "Address =\n", "wg0.conf:3: Address has no value");
  expect_error(head + "PostUp = \n", "wg0.conf:3: PostUp has no value");
  expect_error(head + "MTU = 67\n", "wg0.conf:3: MTU is not a number from 68 to 65535: `67'");
  expect_error(head + "MTU = 1279\nAddress = fd00::1/64\n", "wg0.conf:3: MTU 1279 is too small");
  expect_error(head + "Table = 0\n", "wg0.conf:3: Table is auto, off, a number from 1");
  expect_error(head + "Table = nowhere-to-be-found\n", "wg0.conf:3: Table is");
  expect_error(head + "SaveConfig = True\n", "wg0.conf:3: SaveConfig is true or false: `True'");
  expect_error(head + "DNS = 10.0.0.1;8.8.8.8\n", "wg0.conf:3: DNS takes addresses");
  for (const std::string line : {"DNS = 10.0.0.1", "Address = 10.0.0.1", "PostUp = x"}) {
    expect_error(head + line + std::string(1, '\0') + "7\n", "holds a NUL byte");
  }
  // What is wg(8)'s own keeps its line.
  expect_error(head + "DNS = 10.0.0.1\nListenPort = 70000\n", "wg0.conf:4: Listen port");
  expect_error("MTU = 1400\n", "wg0.conf:1: Line unrecognized");
  expect_error(head + "[Peer]\nPublicKey=" + kKey + "\nMTU = 1400\n", "wg0.conf:5: Line");
  expect_error("# nothing\n", "Configuration file is empty");
}

TEST(QuickConfigFile, TablesHaveNames) {
  EXPECT_EQ(parse("[Interface]\nTable = main\n").table.id, 254U);
  EXPECT_EQ(parse("[Interface]\nTable = off\n").table.mode, RouteTable::Mode::kOff);
  EXPECT_EQ(parse("[Interface]\nTable = auto\n").table.mode, RouteTable::Mode::kAuto);
}

TEST(QuickConfigFile, KnowsItsLines) {
  EXPECT_EQ(
      quick_lines("Address=1\n[Interface]\nAddress=1\n#DNS=1\n dns = 1\nListenPort=1\n"
                  "PostUp=x # y\n[Peer]\nMTU=1\n[interface] # z\nMTU=1"),
      (std::vector<bool>{false, false, true, false, true, false, true, false, false, false, true}));
}

TEST(QuickConfigFile, DeviceNames) {
  for (const char *name : {"wg0", "a_b=c+d.e-f", "123456789012345"}) {
    EXPECT_TRUE(is_device_name(name)) << name;
  }
  for (const char *name :
       {"", "1234567890123456", "a/b", "a b", ".", "..", "a%i", "-f", "w\xc3\xa4"}) {
    EXPECT_FALSE(is_device_name(name)) << name;
  }
}

TEST(QuickConfigFile, IsFoundByNameOrPath) {
  const TestDirectory files;
  const std::string &directory = files.path();
  const std::string file = directory + "/wg0.conf";
  std::ofstream(file) << "[Interface]\n";
  EXPECT_EQ(find_quick_config("wg0", directory).path, file);
  EXPECT_EQ(find_quick_config(file, "/nowhere").name, "wg0");
  EXPECT_THROW(find_quick_config("wg1", directory), Error);
  const std::string other = directory + "/name that is no device.conf";
  std::ofstream(other) << "[Interface]\n";
  EXPECT_THROW(find_quick_config(other, directory), Error);
  chmod(file.c_str(), 0644);
  chmod(directory.c_str(), 0755);
  EXPECT_NE(read_quick_config("wg0", directory).wg.warnings.find("world accessible"),
            std::string::npos);
  chmod(file.c_str(), 0600);
  EXPECT_EQ(read_quick_config("wg0", directory).wg.warnings, "");
}

}  // namespace
}  // namespace wg::tool
