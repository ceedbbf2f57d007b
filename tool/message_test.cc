// SPDX-License-Identifier: GPL-2.0
#include "message.hh"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>

#include "error.hh"
#include "test_message.hh"
#include "uapi/wgnl.h"

namespace wg::tool {
namespace {

std::vector<uint8_t> key(uint8_t fill) {
  return std::vector<uint8_t>(kKeyLen, fill);
}

// A device with two peers; the second one goes on in a second message.
void build_first(Builder &b) {
  b.put(WGNL_DEVICE_LISTEN_PORT, uint16_t{51820});
  b.put(WGNL_DEVICE_FWMARK, uint32_t{0xca6c});
  b.put(WGNL_DEVICE_IFINDEX, uint32_t{7});
  b.text(WGNL_DEVICE_IFNAME, "wg0");
  b.bytes(WGNL_DEVICE_PRIVATE_KEY, key(0x41));
  b.bytes(WGNL_DEVICE_PUBLIC_KEY, key(0x42));
  b.nest(WGNL_DEVICE_PEERS, [&] {
    b.nest(0, [&] { b.bytes(WGNL_PEER_PUBLIC_KEY, key(1)); });
    b.nest(0, [&] {
      b.bytes(WGNL_PEER_PUBLIC_KEY, key(2));
      b.bytes(WGNL_PEER_PRESHARED_KEY, key(0x77));
      b.put(WGNL_PEER_LAST_HANDSHAKE_TIME, std::array<int64_t, 2>{1700000000, 5});
      b.put(WGNL_PEER_KEEPALIVE_INTERVAL, uint16_t{25});
      b.put(WGNL_PEER_TX_BYTES, uint64_t{512});
      b.put(WGNL_PEER_RX_BYTES, uint64_t{1536});
      b.put(WGNL_PEER_PROTOCOL_VERSION, uint32_t{1});
      b.put(WGNL_PEER_ENDPOINT, std::get<Endpoint>(parse_endpoint("192.0.2.1:5")).ipv4);
      b.nest(WGNL_PEER_ALLOWEDIPS, [&] { b.allowed_ip(AF_INET, {10, 0, 0, 0}, 8); });
    });
  });
}

void build_second(Builder &b) {
  b.nest(WGNL_DEVICE_PEERS, [&] {
    b.nest(0, [&] {
      b.bytes(WGNL_PEER_PUBLIC_KEY, key(2));
      b.nest(WGNL_PEER_ALLOWEDIPS, [&] {
        b.allowed_ip(AF_INET6, {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8);
      });
    });
    b.nest(0, [&] {
      b.bytes(WGNL_PEER_PUBLIC_KEY, key(3));
      b.put(WGNL_PEER_ENDPOINT, std::get<Endpoint>(parse_endpoint("[2001:db8::1]:9")).ipv6);
    });
  });
}

std::string error_of(const std::function<void(Builder &)> &build) {
  Builder builder;
  build(builder);
  Device device;
  try {
    decode_device(device, builder.header());
  } catch (const SystemError &error) {
    return error.what();
  }
  return "no error";
}

std::string ips_of(const Peer &peer) {
  std::string text;
  for (const AllowedIp &ip : peer.allowed_ips) text += ip.text() + " ";
  return text;
}

// The device that all messages of a change describe together.
Device decode_all(const std::vector<Message> &messages) {
  Device device;
  for (const Message &message : messages) decode_device(device, nlmsg_hdr(message.get()));
  return device;
}

// The flags of every peer and every AllowedIP in order, as "peer flags: ip flags".
std::string flags_of(const Message &message) {
  std::string text;
  nlattr *peers = nlmsg_find_attr(nlmsg_hdr(message.get()), GENL_HDRLEN, WGNL_DEVICE_PEERS);
  nlattr *peer, *ip;
  int rest, ip_rest;
  nla_for_each_nested(peer, peers, rest) {
    auto *inside = static_cast<nlattr *>(nla_data(peer));
    const nlattr *flags = nla_find(inside, nla_len(peer), WGNL_PEER_FLAGS);
    text += std::to_string(flags != nullptr ? nla_get_u32(flags) : 0) + ":";
    nlattr *ips = nla_find(inside, nla_len(peer), WGNL_PEER_ALLOWEDIPS);
    if (ips == nullptr) continue;
    nla_for_each_nested(ip, ips, ip_rest) {
      const nlattr *ip_flags =
          nla_find(static_cast<nlattr *>(nla_data(ip)), nla_len(ip), WGNL_ALLOWEDIP_FLAGS);
      text += std::to_string(ip_flags != nullptr ? nla_get_u32(ip_flags) : 0);
    }
  }
  return text;
}

TEST(DecodeDevice, ReadsEveryAttributeAndJoinsACutPeer) {
  Builder first, second;
  build_first(first);
  build_second(second);
  Device device;
  decode_device(device, first.header());
  decode_device(device, second.header());
  EXPECT_EQ(device.name, "wg0");
  EXPECT_EQ(device.listen_port, 51820);
  EXPECT_EQ(device.fwmark, 0xca6cu);
  EXPECT_EQ(device.private_key.bytes[31], 0x41);
  ASSERT_TRUE(device.public_key);
  EXPECT_EQ(device.public_key->bytes[31], 0x42);
  ASSERT_EQ(device.peers.size(), 3u);
  EXPECT_EQ(ips_of(device.peers[0]), "");
  EXPECT_FALSE(device.peers[0].endpoint);
  const Peer &peer = device.peers[1];
  EXPECT_EQ(peer.preshared_key.bytes[0], 0x77);
  EXPECT_EQ(peer.handshake_s, 1700000000);
  EXPECT_EQ(peer.handshake_ns, 5);
  EXPECT_EQ(peer.keepalive_s, 25);
  EXPECT_EQ(peer.rx_bytes, 1536u);
  EXPECT_EQ(peer.tx_bytes, 512u);
  EXPECT_EQ(peer.endpoint->text(), "192.0.2.1:5");
  EXPECT_EQ(ips_of(peer), "10.0.0.0/8 fd00::/8 ");
  EXPECT_EQ(device.peers[2].endpoint->text(), "[2001:db8::1]:9");
}

TEST(DecodeDevice, SkipsWhatItDoesNotKnow) {
  EXPECT_EQ(error_of([](Builder &b) {
              b.put(100, uint32_t{1});
              b.nest(WGNL_DEVICE_PEERS, [&] {
                b.nest(0, [&] {
                  b.bytes(WGNL_PEER_PUBLIC_KEY, key(1));
                  b.put(77, uint8_t{1});
                });
              });
            }),
            "no error");
}

TEST(DecodeDevice, RefusesWrongSizesByName) {
  const auto device = [](int type, size_t len) {
    return error_of([&](Builder &b) { b.bytes(type, std::vector<uint8_t>(len)); });
  };
  for (const size_t len : {0, 31, 33}) {
    EXPECT_EQ(device(WGNL_DEVICE_PRIVATE_KEY, len), "Bad message (private key of a device)");
    EXPECT_EQ(device(WGNL_DEVICE_PUBLIC_KEY, len), "Bad message (public key of a device)");
    EXPECT_EQ(device(WGNL_DEVICE_LISTEN_PORT, len), "Bad message (listen port of a device)");
    EXPECT_EQ(device(WGNL_DEVICE_FWMARK, len), "Bad message (fwmark of a device)");
  }
  const auto peer = [](int type, const std::vector<uint8_t> &value) {
    return error_of([&](Builder &b) {
      b.nest(WGNL_DEVICE_PEERS, [&] {
        b.nest(0, [&] {
          b.bytes(WGNL_PEER_PUBLIC_KEY, key(1));
          b.bytes(type, value);
        });
      });
    });
  };
  EXPECT_EQ(peer(WGNL_PEER_PUBLIC_KEY, {1}), "Bad message (public key of a peer)");
  EXPECT_EQ(peer(WGNL_PEER_PRESHARED_KEY, {1}), "Bad message (preshared key of a peer)");
  EXPECT_EQ(peer(WGNL_PEER_KEEPALIVE_INTERVAL, {1}), "Bad message (keepalive of a peer)");
  EXPECT_EQ(peer(WGNL_PEER_LAST_HANDSHAKE_TIME, {1}), "Bad message (last handshake of a peer)");
  EXPECT_EQ(peer(WGNL_PEER_RX_BYTES, {1}), "Bad message (received bytes of a peer)");
  EXPECT_EQ(peer(WGNL_PEER_TX_BYTES, {1}), "Bad message (sent bytes of a peer)");
  EXPECT_EQ(peer(WGNL_PEER_ENDPOINT, {1}), "Bad message (endpoint of a peer)");
  EXPECT_EQ(peer(WGNL_PEER_ENDPOINT, {AF_INET, 0, 0, 0}), "Bad message (endpoint of a peer)");
  EXPECT_EQ(peer(WGNL_PEER_ALLOWEDIPS, {1}), "Bad message (allowed IPs of a peer)");
}

TEST(DecodeDevice, RefusesAllowedIpsThatAreNone) {
  const auto ip = [](uint16_t family, size_t len, uint8_t cidr) {
    return error_of([&](Builder &b) {
      b.nest(WGNL_DEVICE_PEERS, [&] {
        b.nest(0, [&] {
          b.bytes(WGNL_PEER_PUBLIC_KEY, key(1));
          b.nest(WGNL_PEER_ALLOWEDIPS,
                 [&] { b.allowed_ip(family, std::vector<uint8_t>(len), cidr); });
        });
      });
    });
  };
  EXPECT_EQ(ip(AF_INET, 4, 32), "no error");
  EXPECT_EQ(ip(AF_INET6, 16, 128), "no error");
  EXPECT_EQ(ip(AF_INET, 4, 33), "Bad message (length of an allowed IP)");
  EXPECT_EQ(ip(AF_INET6, 16, 129), "Bad message (length of an allowed IP)");
  EXPECT_EQ(ip(AF_INET, 16, 8), "Bad message (address of an allowed IP)");
  EXPECT_EQ(ip(AF_INET6, 4, 8), "Bad message (address of an allowed IP)");
  EXPECT_EQ(ip(AF_UNIX, 4, 8), "Bad message (family of an allowed IP)");
}

TEST(DecodeDevice, RefusesAPeerWithoutAKey) {
  EXPECT_EQ(error_of([](Builder &b) {
              b.nest(WGNL_DEVICE_PEERS,
                     [&] { b.nest(0, [&] { b.put(WGNL_PEER_RX_BYTES, uint64_t{1}); }); });
            }),
            "Bad message (peer without a public key)");
}

// Copies a message into a block of exactly its size, so that a sanitizer sees every read
// beyond it, and decodes it.
void decode_exact(const std::vector<uint8_t> &bytes) {
  std::vector<uint8_t> copy(bytes);
  copy.shrink_to_fit();
  Device device;
  device.peers.resize(1);
  try {
    decode_device(device, reinterpret_cast<const nlmsghdr *>(copy.data()));
  } catch (const SystemError &error) {
    ASSERT_EQ(error.error(), EBADMSG);
    return;
  }
  // What was accepted can be shown.
  for (const Peer &peer : device.peers) {
    ips_of(peer);
    if (peer.endpoint) peer.endpoint->text();
  }
}

std::vector<uint8_t> bytes_of(const nlmsghdr *header) {
  const auto *first = reinterpret_cast<const uint8_t *>(header);
  return {first, first + header->nlmsg_len};
}

void set_len(std::vector<uint8_t> &bytes) {
  const auto len = static_cast<uint32_t>(bytes.size());
  memcpy(bytes.data(), &len, sizeof(len));
}

TEST(DecodeDevice, SurvivesEveryTruncation) {
  Builder builder;
  build_first(builder);
  const std::vector<uint8_t> whole = bytes_of(builder.header());
  for (size_t len = sizeof(nlmsghdr); len < whole.size(); ++len) {
    std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(len));
    set_len(cut);
    decode_exact(cut);
  }
}

TEST(DecodeDevice, SurvivesRandomBytes) {
  Builder first, second;
  build_first(first);
  build_second(second);
  const std::vector<uint8_t> messages[] = {bytes_of(first.header()), bytes_of(second.header())};
  const char *fixed = std::getenv("WGTOOL_TEST_SEED");
  const unsigned seed =
      fixed != nullptr ? static_cast<unsigned>(std::atoi(fixed)) : std::random_device{}();
  SCOPED_TRACE("WGTOOL_TEST_SEED=" + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  printf("WGTOOL_TEST_SEED=%u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100000; ++round) {
    std::vector<uint8_t> bytes = messages[round % 2];
    for (unsigned i = 0; i <= random() % 6; ++i) {
      bytes[16 + random() % (bytes.size() - 16)] =
          static_cast<uint8_t>(random() % 2 != 0 ? random() : random() % 40);
    }
    if (random() % 4 == 0) bytes.resize(16 + random() % (bytes.size() - 16));
    set_len(bytes);
    ASSERT_NO_FATAL_FAILURE(decode_exact(bytes));
  }
}

TEST(EncodeSet, CarriesEveryValue) {
  DeviceChange change;
  change.name = "wg0";
  change.private_key.emplace().bytes.fill(0x41);
  change.listen_port = 51820;
  change.fwmark = 0xca6c;
  change.peers.resize(2);
  PeerChange &peer = change.peers[0];
  peer.public_key.bytes.fill(1);
  peer.preshared_key.emplace().bytes.fill(0x77);
  peer.endpoint = std::get<Endpoint>(parse_endpoint("[fe80::1%4000000]:9"));
  peer.keepalive_s = 25;
  std::string warnings;
  parse_allowed_ips(peer, warnings, "10.0.0.0/8,::/0");
  change.peers[1].public_key.bytes.fill(2);
  change.peers[1].remove = true;

  const auto messages = encode_set(kFamily, change);
  ASSERT_EQ(messages.size(), 1u);
  const nlmsghdr *header = nlmsg_hdr(messages[0].get());
  EXPECT_EQ(header->nlmsg_type, kFamily);
  EXPECT_EQ(header->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
  const Device device = decode_all(messages);
  EXPECT_EQ(device.name, "wg0");
  EXPECT_EQ(device.private_key.bytes[0], 0x41);
  EXPECT_EQ(device.listen_port, 51820);
  EXPECT_EQ(device.fwmark, 0xca6cu);
  ASSERT_EQ(device.peers.size(), 2u);
  EXPECT_EQ(device.peers[0].preshared_key.bytes[0], 0x77);
  EXPECT_EQ(device.peers[0].endpoint->text(), "[fe80::1%4000000]:9");
  EXPECT_EQ(device.peers[0].keepalive_s, 25);
  EXPECT_EQ(ips_of(device.peers[0]), "10.0.0.0/8 ::/0 ");
  EXPECT_EQ(flags_of(messages[0]), "2:001:");
  EXPECT_EQ(nlmsg_find_attr(nlmsg_hdr(messages[0].get()), GENL_HDRLEN, WGNL_DEVICE_FLAGS), nullptr);
}

TEST(EncodeSet, MarksRemovalsOfSinglePrefixes) {
  DeviceChange change;
  change.name = "wg0";
  change.replace_peers = true;
  change.peers.resize(1);
  std::string warnings;
  parse_allowed_ips(change.peers[0], warnings, "+10.0.0.0/8,-10.1.0.0/16");
  const auto messages = encode_set(kFamily, change);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(flags_of(messages[0]), "0:01");
  const nlattr *flags =
      nlmsg_find_attr(nlmsg_hdr(messages[0].get()), GENL_HDRLEN, WGNL_DEVICE_FLAGS);
  ASSERT_NE(flags, nullptr);
  EXPECT_EQ(nla_get_u32(flags), static_cast<uint32_t>(WGNL_DEVICE_F_REPLACE_PEERS));
}

TEST(EncodeSet, SplitsSoThatTheSumIsTheSame) {
  DeviceChange change;
  change.name = "a-long-name-123";
  change.private_key.emplace().bytes.fill(0x41);
  change.listen_port = 7;
  change.replace_peers = true;
  std::mt19937 random(99);
  for (unsigned i = 0; i < 200; ++i) {
    PeerChange &peer = change.peers.emplace_back();
    peer.public_key.bytes.fill(static_cast<uint8_t>(i + 1));
    peer.preshared_key.emplace().bytes.fill(5);
    peer.replace_allowed_ips = true;
    for (unsigned j = 0; j < random() % 300; ++j) {
      AllowedIp ip;
      ip.family = random() % 2 != 0 ? AF_INET : AF_INET6;
      ip.cidr = 32;
      for (size_t k = 0; k < (ip.family == AF_INET ? 4 : 16); ++k) {
        ip.address[k] = static_cast<uint8_t>(random());
      }
      peer.allowed_ips.push_back(ip);
    }
  }
  for (const size_t max_len : {size_t{600}, size_t{4096}, kMaxSetLen, size_t{60000}}) {
    const auto messages = encode_set(kFamily, change, max_len);
    ASSERT_GT(messages.size(), 1u);
    size_t num_replacing = 0;
    for (size_t i = 0; i < messages.size(); ++i) {
      nlmsghdr *header = nlmsg_hdr(messages[i].get());
      EXPECT_LE(header->nlmsg_len, max_len);
      // Only the first message may drop all peers or set the device's own values.
      for (const int type : {WGNL_DEVICE_FLAGS, WGNL_DEVICE_PRIVATE_KEY, WGNL_DEVICE_LISTEN_PORT}) {
        EXPECT_EQ(nlmsg_find_attr(header, GENL_HDRLEN, type) != nullptr, i == 0);
      }
      for (size_t at = 0; (at = flags_of(messages[i]).find("2:", at)) != std::string::npos; ++at) {
        ++num_replacing;
      }
    }
    EXPECT_EQ(num_replacing, change.peers.size());
    const Device device = decode_all(messages);
    EXPECT_EQ(device.name, change.name);
    ASSERT_EQ(device.peers.size(), change.peers.size());
    for (size_t i = 0; i < device.peers.size(); ++i) {
      EXPECT_EQ(device.peers[i].public_key, change.peers[i].public_key);
      ASSERT_EQ(device.peers[i].allowed_ips.size(), change.peers[i].allowed_ips.size());
      for (size_t j = 0; j < device.peers[i].allowed_ips.size(); ++j) {
        ASSERT_TRUE(device.peers[i].allowed_ips[j].same_prefix(change.peers[i].allowed_ips[j]));
      }
    }
  }
}

TEST(EncodeGet, NamesTheDevice) {
  const Message message = encode_get(kFamily, "wg0");
  const nlmsghdr *header = nlmsg_hdr(message.get());
  EXPECT_EQ(header->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
  Device device;
  decode_device(device, header);
  EXPECT_EQ(device.name, "wg0");
}

std::string link_of(const char *kind, const char *wanted) {
  Message message(nlmsg_alloc_simple(RTM_NEWLINK, 0));
  ifinfomsg info{};
  nlmsg_append(message.get(), &info, sizeof(info), NLMSG_ALIGNTO);
  nla_put_string(message.get(), IFLA_IFNAME, "wg0");
  if (kind != nullptr) {
    nlattr *nest = nla_nest_start(message.get(), IFLA_LINKINFO);
    nla_put_string(message.get(), IFLA_INFO_KIND, kind);
    nla_nest_end(message.get(), nest);
  }
  return decode_link(nlmsg_hdr(message.get()), wanted);
}

TEST(DecodeLink, TakesTheKindAskedForOnly) {
  EXPECT_EQ(link_of("wireguard", "wireguard"), "wg0");
  EXPECT_EQ(link_of("wgpp", "wgpp"), "wg0");
  EXPECT_EQ(link_of("wireguard2", "wireguard"), "");
  EXPECT_EQ(link_of("wire", "wireguard"), "");
  EXPECT_EQ(link_of(nullptr, "wireguard"), "");
}

}  // namespace
}  // namespace wg::tool
