// SPDX-License-Identifier: GPL-2.0
// Netlink by hand: what libraries would refuse to build has to be built, too.
#pragma once

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "random.hh"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

namespace wgfuzz {

// Attributes, one after another; nests by offset.
class Attributes {
 public:
  void put(uint16_t type, const void *data, size_t len) {
    const nlattr head{static_cast<uint16_t>(NLA_HDRLEN + len), type};
    append(&head, sizeof head);
    append(data, len);
    bytes_.resize(NLA_ALIGN(bytes_.size()));
  }
  void put(uint16_t type, const Bytes &data) { put(type, data.data(), data.size()); }
  void put(uint16_t type, const std::string &text) { put(type, text.c_str(), text.size() + 1); }
  template <typename T>
  void put_int(uint16_t type, T value) {
    put(type, &value, sizeof value);
  }
  size_t begin(uint16_t type) {
    const size_t at = bytes_.size();
    const nlattr head{NLA_HDRLEN, static_cast<uint16_t>(type | NLA_F_NESTED)};
    append(&head, sizeof head);
    return at;
  }
  // What is longer than the 16 bits of its length wraps around, as it would in a careless tool.
  void end(size_t at) {
    const auto len = static_cast<uint16_t>(bytes_.size() - at);
    std::memcpy(&bytes_[at], &len, sizeof len);
  }
  void append(const void *data, size_t len) {
    const auto *from = static_cast<const uint8_t *>(data);
    bytes_.insert(bytes_.end(), from, from + len);
  }
  Bytes &bytes() { return bytes_; }
  const Bytes &bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// A request: netlink header, a header of the family's, attributes.
inline Bytes make_request(uint16_t type, uint16_t flags, uint32_t seq, const void *head,
                          size_t head_len, const Bytes &attributes) {
  Bytes out(NLMSG_HDRLEN + NLMSG_ALIGN(head_len));
  std::memcpy(&out[NLMSG_HDRLEN], head, head_len);
  out.insert(out.end(), attributes.begin(), attributes.end());
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(out.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = seq;
  std::memcpy(out.data(), &header, sizeof header);
  return out;
}

class NetlinkSocket {
 public:
  explicit NetlinkSocket(int protocol) : protocol_(protocol) { open(); }
  ~NetlinkSocket() { close(fd_); }
  NetlinkSocket(const NetlinkSocket &) = delete;
  NetlinkSocket &operator=(const NetlinkSocket &) = delete;

  void reopen() {
    close(fd_);
    open();
  }
  int fd() const { return fd_; }

  // 0 or an errno
  int send(const Bytes &request) const {
    return ::send(fd_, request.data(), request.size(), 0) < 0 ? errno : 0;
  }

  // One datagram, which may hold several messages. Empty when there is none, or an error.
  Bytes receive(bool wait, int *error) const {
    Bytes out(1 << 17);
    const ssize_t len = recv(fd_, out.data(), out.size(), wait ? 0 : MSG_DONTWAIT);
    *error = len < 0 ? errno : 0;
    out.resize(len < 0 ? 0 : static_cast<size_t>(len));
    return out;
  }

 private:
  void open() {
    fd_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol_);
    if (fd_ < 0) die("cannot open a netlink socket");
    const int size = 8 << 20, on = 1;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd_, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    setsockopt(fd_, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    if (bind(fd_, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
      die("cannot bind a netlink socket");
  }

  int protocol_;
  int fd_ = -1;
};

// One message of a datagram
struct Message {
  nlmsghdr header;
  const uint8_t *payload;
  size_t payload_len;
};

// Splits a datagram. False when its lengths do not add up.
inline bool split(const Bytes &datagram, std::vector<Message> *messages) {
  size_t at = 0;
  while (at < datagram.size()) {
    if (datagram.size() - at < NLMSG_HDRLEN) return false;
    Message message{};
    std::memcpy(&message.header, &datagram[at], sizeof message.header);
    const size_t len = message.header.nlmsg_len;
    if (len < NLMSG_HDRLEN || len > datagram.size() - at) return false;
    message.payload = datagram.data() + at + NLMSG_HDRLEN;
    message.payload_len = len - NLMSG_HDRLEN;
    messages->push_back(message);
    at += NLMSG_ALIGN(len);
  }
  return true;
}

// Calls each(type, data, len) for a run of attributes. False when their lengths do not add up.
template <typename Each>
bool for_each_attribute(const uint8_t *data, size_t len, Each each) {
  while (len > 0) {
    nlattr head;
    if (len < NLA_HDRLEN) return false;
    std::memcpy(&head, data, sizeof head);
    if (head.nla_len < NLA_HDRLEN || head.nla_len > len) return false;
    if (!each(head.nla_type & NLA_TYPE_MASK, data + NLA_HDRLEN, size_t{head.nla_len} - NLA_HDRLEN))
      return false;
    const size_t step = std::min<size_t>(NLA_ALIGN(head.nla_len), len);
    data += step;
    len -= step;
  }
  return true;
}

inline uint16_t family_id(const std::string &name) {
  NetlinkSocket socket(NETLINK_GENERIC);
  Attributes attributes;
  attributes.put(CTRL_ATTR_FAMILY_NAME, name);
  const genlmsghdr head{CTRL_CMD_GETFAMILY, 1, 0};
  int error = socket.send(
      make_request(GENL_ID_CTRL, NLM_F_REQUEST, 1, &head, sizeof head, attributes.bytes()));
  const Bytes reply = error != 0 ? Bytes() : socket.receive(true, &error);
  std::vector<Message> messages;
  uint16_t id = 0;
  if (error == 0 && split(reply, &messages) && !messages.empty() &&
      messages[0].header.nlmsg_type == GENL_ID_CTRL && messages[0].payload_len > GENL_HDRLEN)
    for_each_attribute(messages[0].payload + GENL_HDRLEN, messages[0].payload_len - GENL_HDRLEN,
                       [&](int type, const uint8_t *data, size_t len) {
                         if (type == CTRL_ATTR_FAMILY_ID && len == sizeof id)
                           std::memcpy(&id, data, sizeof id);
                         return true;
                       });
  if (id == 0) die("there is no generic netlink family " + name);
  return id;
}

}  // namespace wgfuzz
