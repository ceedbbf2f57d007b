// SPDX-License-Identifier: GPL-2.0
#include "netlink.hh"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>

#include "error.hh"
#include "message.hh"
#include "secret.hh"
#include "text.hh"

namespace wg::tool {
namespace {

// Dumps come in messages of at most 32 KiB; more room costs nothing.
constexpr size_t kReceiveLen = 65536;
// A device that changes during every read would keep us for ever.
constexpr int kMaxDumps = 100;

struct SocketDeleter {
  void operator()(nl_sock *socket) const { nl_socket_free(socket); }
};

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

// A netlink socket that takes one request at a time. It reads with recv() itself, so
// that it can wipe what it read; libnl's own receive path leaves copies on the heap.
class Socket {
 public:
  explicit Socket(int protocol) : socket_(nl_socket_alloc()), buffer_(kReceiveLen) {
    if (!socket_) throw std::bad_alloc();
    errno = 0;
    if (nl_connect(socket_.get(), protocol) < 0) throw SystemError(errno != 0 ? errno : EIO);
    const int on = 1;
    // An old kernel lacks these; then errors come without text, and that is all.
    setsockopt(fd(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    setsockopt(fd(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  }

  using Handler = std::function<void(const nlmsghdr *)>;

  // Sends a request and hands each answer to @handle, up to the acknowledgement or the
  // end of the dump. Return: whether the dump is consistent.
  bool transact(const Message &request, const Handler &handle) {
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

 private:
  int fd() const { return nl_socket_get_fd(socket_.get()); }

  void send(const nlmsghdr *header) {
    ssize_t sent;
    do {
      sent = ::send(fd(), header, header->nlmsg_len, 0);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) throw SystemError(errno);
  }

  size_t receive() {
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

  // Throws when the kernel reports an error: both kinds of message begin with the code.
  static void finish(const nlmsghdr *answer) {
    if (answer->nlmsg_len < NLMSG_HDRLEN + sizeof(int)) throw SystemError(EBADMSG);
    int code;
    std::memcpy(&code, reinterpret_cast<const char *>(answer) + NLMSG_HDRLEN, sizeof(code));
    if (code == 0) return;
    throw SystemError(-code, answer->nlmsg_type == NLMSG_ERROR ? kernel_text(answer) : "");
  }

  std::unique_ptr<nl_sock, SocketDeleter> socket_;
  SecretBytes buffer_;
};

class NetlinkDevices : public Devices {
 public:
  explicit NetlinkDevices(std::string kind) : kind_(std::move(kind)) {}

  std::vector<std::string> list() override {
    Message request(nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP));
    ifinfomsg any{};
    if (!request || nlmsg_append(request.get(), &any, sizeof(any), NLMSG_ALIGNTO) < 0) {
      throw std::bad_alloc();
    }
    Socket socket(NETLINK_ROUTE);
    std::vector<std::string> names;
    for (int attempt = 0; attempt < kMaxDumps; ++attempt) {
      names.clear();
      nlmsg_hdr(request.get())->nlmsg_seq = NL_AUTO_SEQ;
      const bool consistent = socket.transact(request, [&](const nlmsghdr *header) {
        if (header->nlmsg_type != RTM_NEWLINK) return;
        std::string name = decode_link(header, kind_);
        if (!name.empty()) names.push_back(std::move(name));
      });
      if (consistent) break;
    }
    // Links that come and go all the time: the last list is as good as another.
    return names;
  }

  Device get(const std::string &name) override {
    check_name(name);
    for (int attempt = 0; attempt < kMaxDumps; ++attempt) {
      Device device;
      const Message request = encode_get(family(), name);
      const bool consistent = socket().transact(
          request, [&](const nlmsghdr *header) { decode_device(device, header); });
      if (consistent) return device;
    }
    throw SystemError(EINTR, "the device changes during every read");
  }

  void set(const DeviceChange &change) override {
    check_name(change.name);
    try {
      send(change);
    } catch (const SystemError &error) {
      // Before 6.16 no single AllowedIP could be removed, and the flag is refused.
      const bool refused = error.error() == EINVAL || error.error() == EOPNOTSUPP;
      if (!refused || !change.removes_allowed_ips()) throw;
      send(without_removals(change, get(change.name)));
    }
  }

 private:
  static void check_name(const std::string &name) {
    if (name.size() >= IF_NAMESIZE) throw SystemError(ENAMETOOLONG);
  }

  void send(const DeviceChange &change) {
    for (const Message &message : encode_set(family(), change)) {
      socket().transact(message, [](const nlmsghdr *) {});
    }
  }

  Socket &socket() {
    if (!socket_) socket_ = std::make_unique<Socket>(NETLINK_GENERIC);
    return *socket_;
  }

  // Asking for the family makes the kernel load the module that has it.
  uint16_t family() {
    if (family_ != 0) return family_;
    Message request =
        new_message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_REQUEST | NLM_F_ACK, 256);
    if (nla_put_string(request.get(), CTRL_ATTR_FAMILY_NAME, kind_.c_str()) < 0) {
      throw SystemError(EMSGSIZE);
    }
    try {
      socket().transact(request, [this](const nlmsghdr *header) {
        const nlattr *id =
            nlmsg_find_attr(const_cast<nlmsghdr *>(header), GENL_HDRLEN, CTRL_ATTR_FAMILY_ID);
        if (id != nullptr && nla_len(id) == sizeof(uint16_t)) family_ = nla_get_u16(id);
      });
    } catch (const SystemError &error) {
      if (error.error() != ENOENT) throw;
    }
    if (family_ == 0) throw SystemError(EPROTONOSUPPORT);
    return family_;
  }

  std::string kind_;
  std::unique_ptr<Socket> socket_;
  uint16_t family_ = 0;
};

}  // namespace

std::unique_ptr<Devices> open_devices(const std::string &kind) {
  return std::make_unique<NetlinkDevices>(kind);
}

}  // namespace wg::tool
