// SPDX-License-Identifier: GPL-2.0
#include "config.hh"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "error.hh"

namespace wg::tool {
namespace {

const std::string kKey1 = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const std::string kKey2 = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const std::string kPeer = "[Peer]\nPublicKey = " + kKey1 + "\n";

std::string error_of(const std::string &text) {
  try {
    parse_config(text, "wg0.conf");
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

// Every configuration error ends with this line.
void expect_error(const std::string &text, const std::string &message) {
  EXPECT_EQ(error_of(text), "wg0.conf:" + message + "\nConfiguration parsing error") << text;
}

TEST(Config, ReadsEveryKey) {
  const Config config = parse_config(
      "[Interface]\n"
      "PrivateKey = " +
          kKey2 +
          "\n"
          "ListenPort = 51820\n"
          "FwMark = 0xca6c\n"
          "\n"
          "[Peer]\n"
          "PublicKey = " +
          kKey1 +
          "\n"
          "PresharedKey = " +
          kKey2 +
          "\n"
          "AllowedIPs = 10.0.0.0/8, fd00::/8\n"
          "Endpoint = 192.0.2.1:51820\n"
          "PersistentKeepalive = 25\n",
      "wg0.conf");
  const DeviceChange &change = config.change;
  EXPECT_TRUE(config.has_section);
  EXPECT_EQ(config.warnings, "");
  ASSERT_TRUE(change.private_key);
  EXPECT_EQ(change.private_key->bytes[0], 2);
  EXPECT_EQ(change.listen_port, 51820);
  EXPECT_EQ(change.fwmark, 0xca6cu);
  EXPECT_FALSE(change.replace_peers);
  ASSERT_EQ(change.peers.size(), 1u);
  const PeerChange &peer = change.peers[0];
  EXPECT_EQ(peer.public_key.text(), kKey1);
  ASSERT_TRUE(peer.preshared_key);
  EXPECT_EQ(peer.preshared_key->bytes[31], 2);
  ASSERT_EQ(peer.allowed_ips.size(), 2u);
  EXPECT_EQ(peer.allowed_ips[1].text(), "fd00::/8");
  EXPECT_TRUE(peer.replace_allowed_ips);
  ASSERT_TRUE(peer.endpoint);
  EXPECT_EQ(peer.endpoint->text(), "192.0.2.1:51820");
  EXPECT_EQ(peer.keepalive_s, 25);
}

TEST(Config, LeavesOutWhatTheFileLeavesOut) {
  const Config config = parse_config("[Interface]\n" + kPeer, "wg0.conf");
  EXPECT_FALSE(config.change.private_key);
  EXPECT_FALSE(config.change.listen_port);
  EXPECT_FALSE(config.change.fwmark);
  EXPECT_FALSE(config.change.peers[0].preshared_key);
  EXPECT_FALSE(config.change.peers[0].endpoint);
  EXPECT_FALSE(config.change.peers[0].keepalive_s);
  EXPECT_TRUE(config.change.peers[0].replace_allowed_ips);
}

TEST(Config, IgnoresCaseBlanksAndComments) {
  const Config config = parse_config(
      "# nothing here\r\n"
      "  [ INTER face ] # a section\r\n"
      "listen port = 12 34 # with blanks\r\n"
      "\t\r\n"
      "[PEER]\r\n"
      "publickey=" +
          kKey1 +
          "\r\n"
          "PERSISTENTKEEPALIVE = OFF",
      "wg0.conf");
  EXPECT_EQ(config.change.listen_port, 1234);
  EXPECT_EQ(config.change.peers.at(0).keepalive_s, 0);
}

TEST(Config, CollectsAllowedIpsAndTakesTheLastOfTheRest) {
  const Config config = parse_config(
      "[Interface]\nListenPort = 1\nListenPort = 2\n" + kPeer +
          "AllowedIPs = 10.0.0.0/8\nEndpoint = host.example:1\nAllowedIPs = ::/0,192.0.2.1/24\n"
          "Endpoint = 192.0.2.1:2\n",
      "wg0.conf");
  EXPECT_EQ(config.change.listen_port, 2);
  EXPECT_EQ(config.change.peers[0].allowed_ips.size(), 3u);
  EXPECT_FALSE(config.change.peers[0].endpoint_name);
  ASSERT_TRUE(config.change.peers[0].endpoint);
  EXPECT_EQ(config.warnings, "Warning: AllowedIP has nonzero host part: 192.0.2.1/24\n");
}

TEST(Config, KnowsWhereANameStands) {
  const Config config = parse_config(kPeer + "Endpoint = host.example:1\n", "wg0.conf");
  ASSERT_TRUE(config.change.peers[0].endpoint_name);
  EXPECT_EQ(config.change.peers[0].endpoint_name->where, "wg0.conf:3: ");
}

TEST(Config, TellsAnEmptyFileFromAnEmptySection) {
  EXPECT_FALSE(parse_config("", "wg0.conf").has_section);
  EXPECT_FALSE(parse_config("\n# [Interface]\n \n", "wg0.conf").has_section);
  EXPECT_TRUE(parse_config("[Interface]", "wg0.conf").has_section);
}

TEST(Config, RefusesLinesItDoesNotKnow) {
  expect_error("foo", "1: Line unrecognized: `foo'; write NAME = VALUE");
  expect_error("; a comment?", "1: Line unrecognized: `;acomment?'; write NAME = VALUE");
  expect_error("ListenPort = 3",
               "1: Line unrecognized: `ListenPort=3'; begin with [Interface] or [Peer]");
  expect_error("[Interface] x",
               "1: Line unrecognized: `[Interface]x'; a section is [Interface] or "
               "[Peer]");
  expect_error("\n[Peers]", "2: Line unrecognized: `[Peers]'; a section is [Interface] or [Peer]");
  expect_error("[Interface]\nListenPort =\n",
               "2: Line unrecognized: `ListenPort='; a value must follow; leave the line out for "
               "none");
  expect_error("[Interface]\n\nAddress = 192.0.2.1/24\n",
               "3: Line unrecognized: `Address=192.0.2.1/24'; [Interface] takes PrivateKey, "
               "ListenPort and FwMark, and, for `wgtool up' and its like, Address, DNS, MTU, "
               "Table, SaveConfig, PreUp, PostUp, PreDown and PostDown");
  expect_error(kPeer + "ListenPort = 5\n",
               "3: Line unrecognized: `ListenPort=5'; [Peer] takes PublicKey, PresharedKey, "
               "AllowedIPs, Endpoint and PersistentKeepalive");
  expect_error("\xef\xbb\xbf[Interface]\n",
               "1: Line unrecognized: `\xef\xbb\xbf[Interface]'; save the file as UTF-8 without a "
               "byte order mark");
  expect_error(std::string("[Interface]\nListenPort = 1\0\n", 28),
               "2: Line unrecognized: `ListenPort=1?'; it holds a NUL byte; save the file as plain "
               "text");
  expect_error("\x1b[31m", "1: Line unrecognized: `?[31m'; write NAME = VALUE");
}

TEST(Config, RefusesBadValuesWithTheirLine) {
  expect_error("[Interface]\nListenPort = 70000\n",
               "2: Listen port is not a number from 0 to 65535: `70000'; 0 lets the kernel choose "
               "one");
  expect_error("[Interface]\nFwMark = x\n", "2: Fwmark is neither 0/off nor 0-0xffffffff: `x'");
  expect_error(kPeer + "PersistentKeepalive = 25s\n",
               "3: Persistent keepalive interval is neither 0/off nor 1-65535: `25s'");
  expect_error(
      kPeer + "AllowedIPs = 10.0.0.0/33\n",
      "3: AllowedIP is not in the correct format: `10.0.0.0/33'; write ADDRESS/LENGTH, the "
      "length a number from 0 to 32");
  expect_error(kPeer + "\nEndpoint = 192.0.2.1\n",
               "4: Unable to find port of endpoint: `192.0.2.1'; write HOST:PORT");
  expect_error("[Peer]\nPublicKey = x\n", "2: Key is not the correct length or format: `x'");
}

TEST(Config, NeverQuotesASecret) {
  const std::string message = error_of("[Interface]\nPrivateKey = " + kKey2.substr(1) + "\n");
  EXPECT_EQ(
      message,
      "wg0.conf:2: Key is not the correct length or format; a key is 44 characters of base64, "
      "this has 43\nConfiguration parsing error");
  for (const char *line : {"PrivateKye = ", "PresharedKey = ", "Private = Key = ", "= "}) {
    EXPECT_EQ(error_of("[Interface]\n" + std::string(line) + kKey2).find(kKey2.substr(0, 8)),
              std::string::npos)
        << line;
  }
  // One that was cut short, in a line that is refused as a whole.
  for (const char *line : {"PrivateKey=", "presharedkey="}) {
    const std::string cut = line + kKey2.substr(0, 30);
    EXPECT_EQ(error_of(cut), "wg0.conf:1: Line unrecognized: `" + std::string(line) +
                                 "...'; begin with [Interface] or [Peer]\n"
                                 "Configuration parsing error");
  }
}

TEST(Config, RefusesAPeerWithoutAKey) {
  expect_error("[Interface]\n[Peer]\nAllowedIPs = ::/0\n" + kPeer,
               "2: A peer is missing a public key; add PublicKey to this [Peer]");
  expect_error("[Peer]", "1: A peer is missing a public key; add PublicKey to this [Peer]");
}

TEST(Config, RefusesASecondSectionOfOnePeer) {
  expect_error("[Interface]\n" + kPeer + "AllowedIPs = ::/0\n\n" + kPeer,
               "6: Peer `" + kKey1 +
                   "' has a [Peer] section on line 2 already; put all its lines "
                   "into one");
}

TEST(Config, LetsAListSayThatItIsAChange) {
  EXPECT_FALSE(parse_config(kPeer + "AllowedIPs = +10.0.0.1\n", "wg0.conf")
                   .change.peers[0]
                   .replace_allowed_ips);
  EXPECT_TRUE(parse_config(kPeer + "AllowedIPs = 10.0.0.1\nAllowedIPs = +10.0.0.2\n", "wg0.conf")
                  .change.peers[0]
                  .replace_allowed_ips);
}

std::string error_as_wg(const std::string &text) {
  try {
    parse_config(text, "wg0.conf", Dialect::kWg);
  } catch (const Error &error) {
    return error.brief();
  }
  return "no error";
}

TEST(ConfigAsWg, TakesWhatWgTakes) {
  const Config config = parse_config("[Interface]\nListenPort = 70000\n" + kPeer +
                                         "AllowedIPs = ::/0\nEndpoint = 1.2.3:0\n" + kPeer,
                                     "wg0.conf", Dialect::kWg);
  EXPECT_EQ(config.change.listen_port, 4464);
  ASSERT_EQ(config.change.peers.size(), 2u);
  EXPECT_EQ(config.change.peers[0].endpoint->text(), "1.2.0.3:0");
  EXPECT_TRUE(config.change.peers[1].allowed_ips.empty());
}

TEST(ConfigAsWg, EndsALineAtANul) {
  const std::string text("[Interface]\nListenPort = 5\0 6\n\0\nFwMark = 3", 43);
  const Config config = parse_config(text, "wg0.conf", Dialect::kWg);
  EXPECT_EQ(config.change.listen_port, 5);
  EXPECT_EQ(config.change.fwmark, 3u);
}

TEST(ConfigAsWg, SaysWhatWgSays) {
  EXPECT_EQ(error_as_wg("[Interface]\nListenPort =\n"),
            "Line unrecognized: `ListenPort='\nConfiguration parsing error");
  EXPECT_EQ(error_as_wg("[Peer]\nAllowedIPs = 1.2.3.4/8\n[Peer]\n"),
            "Warning: AllowedIP has nonzero host part: 1.2.3.4/8\n"
            "A peer is missing a public key\nInvalid configuration");
  // A line that does not parse comes before a section that lacks its key.
  EXPECT_EQ(error_as_wg("[Peer]\n[Peer]\nfoo\n"),
            "Line unrecognized: `foo'\nConfiguration parsing error");
  EXPECT_EQ(error_as_wg(std::string(150, 'x')),
            "Line unrecognized: `" + std::string(150, 'x') + "'\nConfiguration parsing error");
}

TEST(ConfigAsWg, QuotesNoSecretEither) {
  EXPECT_EQ(error_as_wg("[Interface]\nPrivateKey = " + kKey2.substr(1) + "\n"),
            "Key is not the correct length or format\nConfiguration parsing error");
  EXPECT_EQ(error_as_wg("PrivateKey = " + kKey2.substr(1)),
            "Line unrecognized: `PrivateKey=...'\nConfiguration parsing error");
}

TEST(ConfigAsWg, StopsAtABadEnvironment) {
  setenv("WG_ENDPOINT_RESOLUTION_RETRIES", "x", 1);
  EXPECT_EQ(error_as_wg(kPeer + "Endpoint = 192.0.2.1:5\n"),
            "Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: `x'");
  unsetenv("WG_ENDPOINT_RESOLUTION_RETRIES");
}

TEST(Config, SurvivesRandomChanges) {
  const std::string good = "[Interface]\nPrivateKey = " + kKey2 +
                           "\nListenPort = 5\nFwMark = 0x1\n" + kPeer +
                           "AllowedIPs = 10.0.0.0/8, fd00::/8\nEndpoint = [::1]:5\n"
                           "PersistentKeepalive = 25\n";
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  size_t num_refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = good;
    for (unsigned i = 0; i <= random() % 4; ++i) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 8);
          break;
        default:
          text.insert(at, 1, static_cast<char>(random()));
      }
      if (text.empty()) break;
    }
    const std::string message = error_of(text);
    if (message == "no error") continue;
    ++num_refused;
    ASSERT_TRUE(message.starts_with("wg0.conf:")) << "seed " << seed << ": " << message;
    ASSERT_TRUE(message.ends_with("\nConfiguration parsing error")) << "seed " << seed;
  }
  EXPECT_GT(num_refused, 5000u) << "seed " << seed;
}

}  // namespace
}  // namespace wg::tool
