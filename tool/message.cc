// SPDX-License-Identifier: GPL-2.0
#include "message.hh"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include <algorithm>
#include <cstring>

#include "attributes.hh"
#include "error.hh"
#include "uapi/wgnl.h"

namespace wg::tool {
namespace {

constexpr size_t kMaxGetLen = 256;

void put(nl_msg *message, int type, const void *data, size_t len) {
  if (nla_put(message, type, static_cast<int>(len), data) < 0) throw SystemError(EMSGSIZE);
}

void put_u32(nl_msg *message, int type, uint32_t value) {
  put(message, type, &value, sizeof(value));
}

void put_u16(nl_msg *message, int type, uint16_t value) {
  put(message, type, &value, sizeof(value));
}

nlattr *begin_nest(nl_msg *message, int type) {
  nlattr *nest = nla_nest_start(message, type);
  if (nest == nullptr) throw SystemError(EMSGSIZE);
  return nest;
}

size_t message_len(nl_msg *message) {
  return nlmsg_hdr(message)->nlmsg_len;
}

void put_allowed_ip(nl_msg *message, const AllowedIp &ip) {
  nlattr *nest = begin_nest(message, 0);
  put_u16(message, WGNL_ALLOWEDIP_FAMILY, ip.family);
  put(message, WGNL_ALLOWEDIP_IPADDR, ip.address.data(), ip.family == AF_INET ? 4 : 16);
  put(message, WGNL_ALLOWEDIP_CIDR_MASK, &ip.cidr, sizeof(ip.cidr));
  if (ip.remove) put_u32(message, WGNL_ALLOWEDIP_FLAGS, WGNL_ALLOWEDIP_F_REMOVE_ME);
  nla_nest_end(message, nest);
}

// What a peer needs at most beside its AllowedIPs, and one of these, with headers.
constexpr size_t kPeerLen = 256;
constexpr size_t kAllowedIpLen = 64;

// Writes a change as a sequence of messages.
class SetWriter {
 public:
  SetWriter(uint16_t family, const DeviceChange &change, size_t max_len)
      : family_(family), change_(change), max_len_(max_len) {}

  std::vector<Message> write() {
    start();
    if (change_.private_key) {
      put(now(), WGNL_DEVICE_PRIVATE_KEY, change_.private_key->bytes.data(), kKeyLen);
    }
    if (change_.listen_port) put_u16(now(), WGNL_DEVICE_LISTEN_PORT, *change_.listen_port);
    if (change_.fwmark) put_u32(now(), WGNL_DEVICE_FWMARK, *change_.fwmark);
    if (change_.replace_peers) put_u32(now(), WGNL_DEVICE_FLAGS, WGNL_DEVICE_F_REPLACE_PEERS);
    begin_peers();
    for (const PeerChange &peer : change_.peers) write_peer(peer);
    nla_nest_end(now(), peers_);
    return std::move(messages_);
  }

 private:
  nl_msg *now() { return messages_.back().get(); }

  bool has_room(size_t len) { return message_len(now()) + len <= max_len_; }

  void start() {
    // The margin keeps every write inside the buffer: room is checked per AllowedIP.
    messages_.push_back(new_message(family_, WGNL_CMD_SET_DEVICE, WGNL_VERSION,
                                    NLM_F_REQUEST | NLM_F_ACK, max_len_ + 1024));
    put(now(), WGNL_DEVICE_IFNAME, change_.name.c_str(), change_.name.size() + 1);
  }

  void begin_peers() { peers_ = begin_nest(now(), WGNL_DEVICE_PEERS); }

  void next_message() {
    nla_nest_end(now(), peers_);
    start();
    begin_peers();
  }

  nlattr *begin_peer(const PeerChange &peer) {
    nlattr *nest = begin_nest(now(), 0);
    put(now(), WGNL_PEER_PUBLIC_KEY, peer.public_key.bytes.data(), kKeyLen);
    return nest;
  }

  void write_peer(const PeerChange &peer) {
    if (!has_room(kPeerLen)) next_message();
    nlattr *nest = begin_peer(peer);
    uint32_t flags = 0;
    if (peer.remove) flags |= WGNL_PEER_F_REMOVE_ME;
    if (peer.replace_allowed_ips) flags |= WGNL_PEER_F_REPLACE_ALLOWEDIPS;
    if (flags != 0) put_u32(now(), WGNL_PEER_FLAGS, flags);
    if (peer.preshared_key) {
      put(now(), WGNL_PEER_PRESHARED_KEY, peer.preshared_key->bytes.data(), kKeyLen);
    }
    if (peer.endpoint) put(now(), WGNL_PEER_ENDPOINT, &peer.endpoint->ipv6, peer.endpoint->len());
    if (peer.keepalive_s) put_u16(now(), WGNL_PEER_KEEPALIVE_INTERVAL, *peer.keepalive_s);
    if (!peer.allowed_ips.empty()) {
      nlattr *ips = begin_nest(now(), WGNL_PEER_ALLOWEDIPS);
      for (const AllowedIp &ip : peer.allowed_ips) {
        if (!has_room(kAllowedIpLen)) {
          nla_nest_end(now(), ips);
          nla_nest_end(now(), nest);
          next_message();
          nest = begin_peer(peer);
          ips = begin_nest(now(), WGNL_PEER_ALLOWEDIPS);
        }
        put_allowed_ip(now(), ip);
      }
      nla_nest_end(now(), ips);
    }
    nla_nest_end(now(), nest);
  }

  uint16_t family_;
  const DeviceChange &change_;
  size_t max_len_;
  std::vector<Message> messages_;
  nlattr *peers_ = nullptr;
};

AllowedIp decode_allowed_ip(const nlattr *nest) {
  nlattr *table[WGNL_ALLOWEDIP_ATTR_MAX + 1];
  split_nest(table, WGNL_ALLOWEDIP_ATTR_MAX, nest, "allowed IP");
  AllowedIp ip;
  ip.family = AF_UNSPEC;
  load_if_there(ip.family, table[WGNL_ALLOWEDIP_FAMILY], "family of an allowed IP");
  const bool is_ipv4 = ip.family == AF_INET;
  if (!is_ipv4 && ip.family != AF_INET6) fail_malformed("family of an allowed IP");
  const nlattr *address = table[WGNL_ALLOWEDIP_IPADDR];
  const size_t len = is_ipv4 ? 4 : 16;
  if (exact(address, len, "address of an allowed IP") == nullptr) {
    fail_malformed("allowed IP without an address");
  }
  std::memcpy(ip.address.data(), nla_data(address), len);
  if (table[WGNL_ALLOWEDIP_CIDR_MASK] == nullptr) fail_malformed("allowed IP without a length");
  load_if_there(ip.cidr, table[WGNL_ALLOWEDIP_CIDR_MASK], "length of an allowed IP");
  if (ip.cidr > len * 8) fail_malformed("length of an allowed IP");
  return ip;
}

void decode_peer(Device &device, const nlattr *nest) {
  nlattr *table[WGNL_PEER_ATTR_MAX + 1];
  split_nest(table, WGNL_PEER_ATTR_MAX, nest, "peer");
  Peer peer;
  if (table[WGNL_PEER_PUBLIC_KEY] == nullptr) fail_malformed("peer without a public key");
  load_if_there(peer.public_key.bytes, table[WGNL_PEER_PUBLIC_KEY], "public key of a peer");
  load_if_there(peer.preshared_key.bytes, table[WGNL_PEER_PRESHARED_KEY],
                "preshared key of a peer");
  if (table[WGNL_PEER_ENDPOINT] != nullptr) {
    peer.endpoint = load_endpoint(table[WGNL_PEER_ENDPOINT], "endpoint of a peer");
  }
  load_if_there(peer.keepalive_s, table[WGNL_PEER_KEEPALIVE_INTERVAL], "keepalive of a peer");
  std::array<int64_t, 2> handshake{};
  load_if_there(handshake, table[WGNL_PEER_LAST_HANDSHAKE_TIME], "last handshake of a peer");
  peer.handshake_s = handshake[0];
  peer.handshake_ns = handshake[1];
  load_if_there(peer.rx_bytes, table[WGNL_PEER_RX_BYTES], "received bytes of a peer");
  load_if_there(peer.tx_bytes, table[WGNL_PEER_TX_BYTES], "sent bytes of a peer");
  if (table[WGNL_PEER_ALLOWEDIPS] != nullptr) {
    for_each(table[WGNL_PEER_ALLOWEDIPS], "allowed IPs of a peer",
             [&](const nlattr *ip) { peer.allowed_ips.push_back(decode_allowed_ip(ip)); });
  }
  // A dump that is full cuts a peer; the rest comes first in the next message.
  if (!device.peers.empty() && device.peers.back().public_key == peer.public_key) {
    auto &ips = device.peers.back().allowed_ips;
    ips.insert(ips.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
  } else {
    device.peers.push_back(std::move(peer));
  }
}

}  // namespace

void MessageDeleter::operator()(nl_msg *message) const {
  nlmsghdr *header = nlmsg_hdr(message);
  wgc_wipe(header, header->nlmsg_len);
  nlmsg_free(message);
}

Message new_message(uint16_t family, uint8_t command, uint8_t version, uint16_t flags,
                    size_t max_len) {
  Message message(nlmsg_alloc_size(max_len));
  if (!message) throw std::bad_alloc();
  if (genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, command, version) ==
      nullptr) {
    throw SystemError(EMSGSIZE);
  }
  return message;
}

Message encode_get(uint16_t family, const std::string &device) {
  Message message = new_message(family, WGNL_CMD_GET_DEVICE, WGNL_VERSION,
                                NLM_F_REQUEST | NLM_F_DUMP, kMaxGetLen);
  put(message.get(), WGNL_DEVICE_IFNAME, device.c_str(), device.size() + 1);
  return message;
}

std::vector<Message> encode_set(uint16_t family, const DeviceChange &change, size_t max_len) {
  return SetWriter(family, change, max_len).write();
}

void decode_device(Device &device, const nlmsghdr *header) {
  nlattr *table[WGNL_DEVICE_ATTR_MAX + 1];
  split_message(table, WGNL_DEVICE_ATTR_MAX, header, GENL_HDRLEN, "device");
  if (table[WGNL_DEVICE_IFNAME] != nullptr) {
    device.name = load_string(table[WGNL_DEVICE_IFNAME], IF_NAMESIZE - 1);
  }
  load_if_there(device.private_key.bytes, table[WGNL_DEVICE_PRIVATE_KEY],
                "private key of a device");
  if (exact(table[WGNL_DEVICE_PUBLIC_KEY], kKeyLen, "public key of a device") != nullptr) {
    device.public_key = load<PublicKey>(table[WGNL_DEVICE_PUBLIC_KEY]);
  }
  load_if_there(device.listen_port, table[WGNL_DEVICE_LISTEN_PORT], "listen port of a device");
  load_if_there(device.fwmark, table[WGNL_DEVICE_FWMARK], "fwmark of a device");
  if (table[WGNL_DEVICE_PEERS] != nullptr) {
    for_each(table[WGNL_DEVICE_PEERS], "peers of a device",
             [&](const nlattr *peer) { decode_peer(device, peer); });
  }
}

std::string decode_link(const nlmsghdr *header, const std::string &kind) {
  nlattr *table[IFLA_LINKINFO + 1];
  split_message(table, IFLA_LINKINFO, header, NLMSG_ALIGN(sizeof(ifinfomsg)), "link message");
  if (table[IFLA_IFNAME] == nullptr || table[IFLA_LINKINFO] == nullptr) return {};
  nlattr *info[IFLA_INFO_KIND + 1];
  split_nest(info, IFLA_INFO_KIND, table[IFLA_LINKINFO], "link information");
  if (info[IFLA_INFO_KIND] == nullptr) return {};
  if (load_string(info[IFLA_INFO_KIND], 64) != kind) return {};
  return load_string(table[IFLA_IFNAME], IF_NAMESIZE - 1);
}

}  // namespace wg::tool
