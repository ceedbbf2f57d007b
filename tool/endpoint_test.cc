// SPDX-License-Identifier: GPL-2.0
#include "endpoint.hh"

#include <gtest/gtest.h>
#include <netdb.h>

#include "error.hh"

namespace wg::tool {
namespace {

std::string address_of(std::string_view text) {
  const auto parsed = parse_endpoint(text);
  const auto *endpoint = std::get_if<Endpoint>(&parsed);
  return endpoint != nullptr ? endpoint->text() : "a name";
}

std::string error_of(std::string_view text) {
  try {
    parse_endpoint(text);
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

TEST(Endpoint, TakesAddressesWithPorts) {
  EXPECT_EQ(address_of("192.0.2.1:51820"), "192.0.2.1:51820");
  EXPECT_EQ(address_of("192.0.2.1:1"), "192.0.2.1:1");
  EXPECT_EQ(address_of("192.0.2.1:0065535"), "192.0.2.1:65535");
  EXPECT_EQ(address_of("[2001:db8::1]:51820"), "[2001:db8::1]:51820");
  EXPECT_EQ(address_of("[::ffff:192.0.2.1]:5"), "[::ffff:192.0.2.1]:5");
  EXPECT_EQ(address_of("[192.0.2.5]:80"), "192.0.2.5:80");
}

TEST(Endpoint, KeepsTheScopeOfAnAddress) {
  EXPECT_EQ(address_of("[fe80::1%lo]:5"), "[fe80::1%lo]:5");
  EXPECT_EQ(address_of("[fe80::1%4000000]:5"), "[fe80::1%4000000]:5");
  EXPECT_EQ(address_of("[2001:db8::1%1]:5"), "[2001:db8::1%1]:5");
}

TEST(Endpoint, LeavesNamesForLater) {
  for (const char *text : {"vpn.example.com:51820", "host-1:5", "1a.example:5", "a.1b:5"}) {
    const auto parsed = parse_endpoint(text);
    const auto *name = std::get_if<EndpointName>(&parsed);
    ASSERT_NE(name, nullptr) << text;
    EXPECT_EQ(name->host + ":" + name->port, text);
  }
}

TEST(Endpoint, SaysWhatIsWrong) {
  EXPECT_EQ(error_of(""), "Unable to parse empty endpoint; write HOST:PORT");
  EXPECT_EQ(error_of("192.0.2.1"), "Unable to find port of endpoint: `192.0.2.1'; write HOST:PORT");
  EXPECT_EQ(error_of("host:"), "Unable to find port of endpoint: `host:'; write HOST:PORT");
  EXPECT_EQ(error_of("[::1]"), "Unable to find port of endpoint: `[::1]'; write [ADDRESS]:PORT");
  EXPECT_EQ(error_of("[::1]80"),
            "Unable to find port of endpoint: `[::1]80'; write [ADDRESS]:PORT");
  EXPECT_EQ(error_of("[::1:80"),
            "Unable to find matching brace of endpoint: `[::1:80'; write [ADDRESS]:PORT");
  EXPECT_EQ(error_of(":80"), "Name or service not known: `:80'; write a host before the port");
  EXPECT_EQ(error_of("[vpn.example.com]:80"),
            "Endpoint has no valid address in brackets: `[vpn.example.com]:80'; write "
            "[ADDRESS]:PORT, or HOST:PORT for a name");
  EXPECT_EQ(error_of(std::string_view("host\0:80", 8)),
            "Endpoint holds a NUL byte: `host?:80'; write HOST:PORT");
}

TEST(Endpoint, RefusesPortsThatAreNoPort) {
  for (const char *port : {"0", "65536", "70000", "99999999999999999999", "http", "-1", "+5", " 5",
                           "5 ", "0x10", "1.5"}) {
    const std::string text = std::string("192.0.2.1:") + port;
    EXPECT_EQ(error_of(text), "Endpoint port is not a number from 1 to 65535: `" + text + "'");
  }
}

TEST(Endpoint, RefusesHalfAddresses) {
  for (const char *host :
       {"1.2.3", "1", "0x7f.1", "127.0x1", "010.0.0.1", "1.2.3.4.5", "256.1.1.1", "1.2.3.4."}) {
    const std::string text = std::string(host) + ":80";
    EXPECT_EQ(error_of(text), "Endpoint is not a full IPv4 address: `" + text +
                                  "'; write four numbers from 0 to 255, as 192.0.2.1:51820");
  }
}

// The resolver takes these for 127.0.0.1 and its like.
TEST(Endpoint, RefusesHalfAddressesInBracketsToo) {
  for (const char *host : {"127.1", "0", "000000", "0x7f.1", "1.2.3.4.5", "010.0.0.1"}) {
    const std::string text = "[" + std::string(host) + "]:80";
    EXPECT_EQ(error_of(text), "Endpoint is not a full IPv4 address: `" + text +
                                  "'; write four numbers from 0 to 255, as 192.0.2.1:51820");
  }
}

// To the resolver a star is this machine.
TEST(Endpoint, TakesNoStarForAnAddress) {
  EXPECT_EQ(error_of("[*]:80"),
            "Endpoint has no valid address in brackets: `[*]:80'; write [ADDRESS]:PORT, or "
            "HOST:PORT for a name");
  const auto parsed = parse_endpoint("*:80");
  const auto *name = std::get_if<EndpointName>(&parsed);
  ASSERT_NE(name, nullptr);
  std::vector<Endpoint> endpoints;
  EXPECT_EQ(resolve_endpoint(endpoints, *name), EAI_NONAME);
}

TEST(Endpoint, RefusesIpv6WithoutBrackets) {
  for (const char *text : {"2001:db8::1:51820", "::1", "::1:80"}) {
    EXPECT_EQ(error_of(text),
              "IPv6 endpoint without brackets: `" + std::string(text) + "'; write [ADDRESS]:PORT");
  }
}

}  // namespace
}  // namespace wg::tool
