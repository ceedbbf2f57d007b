// SPDX-License-Identifier: GPL-2.0
#include "model.hh"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "error.hh"

namespace wg::tool {
namespace {

std::string error_of(const std::function<void()> &action) {
  try {
    action();
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

std::string parsed(std::string_view text, std::string *warnings = nullptr) {
  PeerChange peer;
  std::string ignored;
  parse_allowed_ips(peer, warnings != nullptr ? *warnings : ignored, text);
  std::string result = peer.replace_allowed_ips ? "=" : "~";
  for (const AllowedIp &ip : peer.allowed_ips) result += (ip.remove ? " -" : " ") + ip.text();
  return result;
}

std::string allowed_ips_error(std::string_view text) {
  return error_of([&] { parsed(text); });
}

TEST(AllowedIps, TakesLists) {
  EXPECT_EQ(parsed(""), "=");
  EXPECT_EQ(parsed("  "), "=");
  EXPECT_EQ(parsed("10.0.0.0/8"), "= 10.0.0.0/8");
  EXPECT_EQ(parsed(" 10.0.0.0/8 ,\t2001:db8::/32"), "= 10.0.0.0/8 2001:db8::/32");
  EXPECT_EQ(parsed("10.0.0.1"), "= 10.0.0.1/32");
  EXPECT_EQ(parsed("2001:DB8::1"), "= 2001:db8::1/128");
  EXPECT_EQ(parsed("0.0.0.0/0,::0/0"), "= 0.0.0.0/0 ::/0");
  EXPECT_EQ(parsed("10.0.0.0/08"), "= 10.0.0.0/8");
  EXPECT_EQ(parsed("::ffff:192.0.2.1/128"), "= ::ffff:192.0.2.1/128");
}

TEST(AllowedIps, SignsMakeTheListAChange) {
  EXPECT_EQ(parsed("+10.0.0.0/8"), "~ 10.0.0.0/8");
  EXPECT_EQ(parsed("-10.0.0.0/8"), "~ -10.0.0.0/8");
  EXPECT_EQ(parsed("10.0.0.0/8,-10.1.0.0/16,+::/0"), "~ 10.0.0.0/8 -10.1.0.0/16 ::/0");
}

TEST(AllowedIps, WarnsOfHostBits) {
  std::string warnings;
  EXPECT_EQ(
      parsed("10.0.0.1/8,10.0.0.0/8,fd00::1/64,10.0.0.1/32,10.0.0.128/25,10.0.0.129/25", &warnings),
      "= 10.0.0.1/8 10.0.0.0/8 fd00::1/64 10.0.0.1/32 10.0.0.128/25 10.0.0.129/25");
  EXPECT_EQ(warnings,
            "Warning: AllowedIP has nonzero host part: 10.0.0.1/8\n"
            "Warning: AllowedIP has nonzero host part: fd00::1/64\n"
            "Warning: AllowedIP has nonzero host part: 10.0.0.129/25\n");
}

TEST(AllowedIps, RefusesAddressesThatAreNotWhole) {
  for (const char *text :
       {"10.0", "010.0.0.0", "10.0.0.256", "", "fe80::1%lo", "host", "1:2", "++1.1.1.1"}) {
    const std::string shown = std::string(text).starts_with('+') ? text + 1 : text;
    EXPECT_EQ(allowed_ips_error(std::string(text) + "/8"),
              "Unable to parse IP address: `" + shown +
                  "'; write it in full, as 192.0.2.0/24 or 2001:db8::/32");
  }
  for (const char *text : {"10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/8,,10.1.0.0/16", ",", "+"}) {
    EXPECT_EQ(allowed_ips_error(text),
              "Unable to parse IP address: `'; write it in full, as 192.0.2.0/24 or 2001:db8::/32");
  }
}

TEST(AllowedIps, RefusesLengthsThatAreNone) {
  for (const char *length : {"33", "", "+8", "-1", "0x8", "8/8", "99999999999999999999"}) {
    const std::string text = std::string("10.0.0.0/") + length;
    EXPECT_EQ(allowed_ips_error(text),
              "AllowedIP is not in the correct format: `" + text +
                  "'; write ADDRESS/LENGTH, the length a number from 0 to 32");
  }
  EXPECT_EQ(allowed_ips_error("::/129"),
            "AllowedIP is not in the correct format: `::/129'; write ADDRESS/LENGTH, the length a "
            "number from 0 to 128");
}

TEST(ListenPort, TakesNumbersOfSixteenBits) {
  EXPECT_EQ(parse_listen_port("0"), 0);
  EXPECT_EQ(parse_listen_port("05"), 5);
  EXPECT_EQ(parse_listen_port("65535"), 65535);
  for (const char *text : {"65536", "70000", "ntp", "-1", "+5", " 5", "5 ", "0x10"}) {
    EXPECT_EQ(error_of([&] { parse_listen_port(text); }),
              "Listen port is not a number from 0 to 65535: `" + std::string(text) +
                  "'; 0 lets the kernel choose one");
  }
  EXPECT_EQ(error_of([] { parse_listen_port(""); }),
            "Unable to parse empty port; write a number from 0 to 65535");
}

TEST(Fwmark, TakesDecimalHexAndOff) {
  EXPECT_EQ(parse_fwmark("off"), 0u);
  EXPECT_EQ(parse_fwmark("OFF"), 0u);
  EXPECT_EQ(parse_fwmark("0"), 0u);
  EXPECT_EQ(parse_fwmark("010"), 10u);
  EXPECT_EQ(parse_fwmark("0xCa6c"), 0xca6cu);
  EXPECT_EQ(parse_fwmark("4294967295"), 0xffffffffu);
  EXPECT_EQ(parse_fwmark("0x0000000ffffffff"), 0xffffffffu);
  for (const char *text : {"", "0x", "0X10", "-1", "+1", " 1", "1 ", "4294967296", "0x100000000",
                           "0xffffffffffffffffff", "0xg", "of"}) {
    EXPECT_EQ(error_of([&] { parse_fwmark(text); }),
              "Fwmark is neither 0/off nor 0-0xffffffff: `" + std::string(text) + "'");
  }
}

TEST(Keepalive, TakesSecondsAndOff) {
  EXPECT_EQ(parse_keepalive("off"), 0);
  EXPECT_EQ(parse_keepalive("Off"), 0);
  EXPECT_EQ(parse_keepalive("0"), 0);
  EXPECT_EQ(parse_keepalive("05"), 5);
  EXPECT_EQ(parse_keepalive("65535"), 65535);
  for (const char *text : {"", "25s", "65536", "-1", "+5", " 5", "0x10"}) {
    EXPECT_EQ(
        error_of([&] { parse_keepalive(text); }),
        "Persistent keepalive interval is neither 0/off nor 1-65535: `" + std::string(text) + "'");
  }
}

TEST(Errors, ShowControlCharactersAsQuestionMarks) {
  EXPECT_EQ(error_of([] {
              parse_fwmark(
                  "\x1b]0;x\x07\x9b"
                  "1\xc2\x9b\xc3\xa9");
            }),
            "Fwmark is neither 0/off nor 0-0xffffffff: `?]0;x??1\xc2?\xc3\xa9'");
}

TEST(ResolveEndpoints, RefusesABadNumberOfRetries) {
  setenv("WG_ENDPOINT_RESOLUTION_RETRIES", "foo", 1);
  DeviceChange change;
  change.peers.emplace_back();
  change.peers[0].endpoint_name = EndpointName{"host.invalid", "5", "host.invalid:5", ""};
  EXPECT_EQ(error_of([&] { resolve_endpoints(change); }),
            "Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: `foo'; set it to a number or to "
            "infinity");
  unsetenv("WG_ENDPOINT_RESOLUTION_RETRIES");
}

TEST(WithoutRemovals, MakesTheWholeListFromTheCurrentOne) {
  Device current;
  current.peers.resize(2);
  current.peers[0].public_key.bytes.fill(1);
  current.peers[1].public_key.bytes.fill(2);
  PeerChange has;
  std::string warnings;
  parse_allowed_ips(has, warnings, "10.1.0.0/16,10.2.0.0/16,::/0");
  current.peers[1].allowed_ips = has.allowed_ips;

  DeviceChange change;
  change.peers.resize(3);
  change.peers[0].public_key.bytes.fill(2);
  // Host bits do not hide a prefix, and a prefix is not there twice.
  parse_allowed_ips(change.peers[0], warnings, "-10.1.2.3/16,+10.3.0.0/16,+10.2.0.0/16");
  change.peers[1].public_key.bytes.fill(3);
  parse_allowed_ips(change.peers[1], warnings, "+10.9.0.0/16,-10.8.0.0/16");
  change.peers[2].public_key.bytes.fill(1);
  parse_allowed_ips(change.peers[2], warnings, "+10.7.0.0/16");
  EXPECT_TRUE(change.removes_allowed_ips());

  const DeviceChange whole = without_removals(change, current);
  EXPECT_FALSE(whole.removes_allowed_ips());
  std::string lists;
  for (const PeerChange &peer : whole.peers) {
    lists += peer.replace_allowed_ips ? "=" : "~";
    for (const AllowedIp &ip : peer.allowed_ips) lists += " " + ip.text();
    lists += ";";
  }
  EXPECT_EQ(lists, "= ::/0 10.3.0.0/16 10.2.0.0/16;= 10.9.0.0/16;~ 10.7.0.0/16;");
}

}  // namespace
}  // namespace wg::tool
