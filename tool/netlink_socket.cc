// SPDX-License-Identifier: GPL-2.0
#include "netlink_socket.hh"

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cstring>

#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

// Dumps come in messages of at most 32 KiB; more room costs nothing.
constexpr size_t kReceiveLen = 65536;

std::string kernel_text(const nlmsghdr *header) {
  // NETLINK_CAP_ACK is on: attributes follow the error code and the request's header.
  constexpr size_t kSkip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nlmsgerr));
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || header->nlmsg_len <= kSkip) return {};
  const auto *attribute =
      reinterpret_cast<const nlattr *>(reinterpret_cast<const char *>(header) + kSkip);
  int len = static_cast<int>(header->nlmsg_len - kSkip);
  for (; nla_ok(attribute, len); attribute = nla_next(attribute, &len)) {
    if (nla_type(attribute) != NLMSGERR_ATTR_MSG) continue;
    const auto *text = static_cast<const char *>(nla_data(attribute));
    return printable({text, strnlen(text, static_cast<size_t>(nla_len(attribute)))});
  }
  return {};
}

// Throws when the kernel reports an error: both kinds of message begin with the code.
void finish(const nlmsghdr *answer) {
  if (answer->nlmsg_len < NLMSG_HDRLEN + sizeof(int)) throw SystemError(EBADMSG);
  int code;
  std::memcpy(&code, reinterpret_cast<const char *>(answer) + NLMSG_HDRLEN, sizeof(code));
  if (code == 0) return;
  throw SystemError(-code, answer->nlmsg_type == NLMSG_ERROR ? kernel_text(answer) : "");
}

}  // namespace

void NetlinkSocket::Deleter::operator()(nl_sock *socket) const {
  nl_socket_free(socket);
}

NetlinkSocket::NetlinkSocket(int protocol) : socket_(nl_socket_alloc()), buffer_(kReceiveLen) {
  if (!socket_) throw std::bad_alloc();
  errno = 0;
  if (nl_connect(socket_.get(), protocol) < 0) throw SystemError(errno != 0 ? errno : EIO);
  const int on = 1;
  // An old kernel lacks these; then errors come without text, and that is all.
  setsockopt(fd(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  setsockopt(fd(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
}

void NetlinkSocket::filter_dumps() {
  const int on = 1;
  setsockopt(fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

int NetlinkSocket::fd() const {
  return nl_socket_get_fd(socket_.get());
}

bool NetlinkSocket::transact(const Message &request, const Handler &handle) {
  nl_complete_msg(socket_.get(), request.get());
  const nlmsghdr *header = nlmsg_hdr(request.get());
  send(header);
  bool consistent = true;
  for (bool done = false; !done;) {
    const size_t len = receive();
    const OnExit wipe([this, len] { wgc_wipe(buffer_.data(), len); });
    auto rest = static_cast<int>(len);
    const auto *answer = reinterpret_cast<const nlmsghdr *>(buffer_.data());
    for (; nlmsg_ok(answer, rest); answer = nlmsg_next(const_cast<nlmsghdr *>(answer), &rest)) {
      if (answer->nlmsg_seq != header->nlmsg_seq) continue;
      if ((answer->nlmsg_flags & NLM_F_DUMP_INTR) != 0) consistent = false;
      if (answer->nlmsg_type == NLMSG_DONE || answer->nlmsg_type == NLMSG_ERROR) {
        finish(answer);
        done = true;
        break;
      }
      if (answer->nlmsg_type < NLMSG_MIN_TYPE) continue;
      handle(answer);
    }
  }
  return consistent;
}

void NetlinkSocket::send(const nlmsghdr *header) {
  ssize_t sent;
  do {
    sent = ::send(fd(), header, header->nlmsg_len, 0);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) throw SystemError(errno);
}

size_t NetlinkSocket::receive() {
  for (;;) {
    sockaddr_nl from{};
    socklen_t from_len = sizeof(from);
    const ssize_t len = recvfrom(fd(), buffer_.data(), buffer_.size(), MSG_TRUNC,
                                 reinterpret_cast<sockaddr *>(&from), &from_len);
    if (len < 0 && errno == EINTR) continue;
    if (len < 0) throw SystemError(errno);
    if (static_cast<size_t>(len) > buffer_.size()) throw SystemError(EMSGSIZE);
    // Other processes can send to us too; only the kernel has port 0.
    if (from.nl_pid == 0) return static_cast<size_t>(len);
  }
}

}  // namespace wg::tool
