// SPDX-License-Identifier: GPL-2.0
#include "netlink.hh"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "error.hh"
#include "message.hh"
#include "netlink_socket.hh"
#include "uapi.hh"

namespace wg::tool {
namespace {

// A device that changes during every read would keep us for ever.
constexpr int kMaxDumps = 100;

// The module was unloaded, and maybe loaded again with another number for its family.
template <typename F>
auto with_family(uint16_t &family, F read) {
  try {
    return read();
  } catch (const SystemError &error) {
    if (error.error() != ENOENT || family == 0) throw;
    family = 0;
    return read();
  }
}

class NetlinkDevices : public Devices {
 public:
  explicit NetlinkDevices(std::string kind) : kind_(std::move(kind)) {}

  std::vector<std::string> list() override {
    Message request(nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP));
    ifinfomsg any{};
    if (!request || nlmsg_append(request.get(), &any, sizeof(any), NLMSG_ALIGNTO) < 0) {
      throw std::bad_alloc();
    }
    NetlinkSocket socket(NETLINK_ROUTE);
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
    return with_family(family_, [&] { return read(name); });
  }

  Diagnostics diagnose(const std::string &name) override {
    check_name(name);
    return with_family(diagnostic_family_, [&] { return read_diagnostics(name); });
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
  // Until no change comes in between.
  template <typename T>
  T dump(const Message &request, void (*decode)(T &, const nlmsghdr *)) {
    for (int attempt = 0; attempt < kMaxDumps; ++attempt) {
      T result;
      nlmsg_hdr(request.get())->nlmsg_seq = NL_AUTO_SEQ;
      const bool consistent =
          socket().transact(request, [&](const nlmsghdr *header) { decode(result, header); });
      if (consistent) return result;
    }
    throw SystemError(EINTR, "the device changes during every read");
  }

  Device read(const std::string &name) { return dump(encode_get(family(), name), decode_device); }

  Diagnostics read_diagnostics(const std::string &name) {
    if (diagnostic_family_ == 0) {
      diagnostic_family_ = find_family(kind_ == WGPP_FAMILY ? WGPP_FAMILY_OTHER : WGPP_FAMILY);
    }
    Message request = new_message(diagnostic_family_, WGPP_CMD_GET, WGPP_VERSION,
                                  NLM_F_REQUEST | NLM_F_DUMP, 256);
    if (nla_put_string(request.get(), WGPP_A_IFNAME, name.c_str()) < 0) throw SystemError(EMSGSIZE);
    return dump(request, decode_diagnostics);
  }

  static void check_name(const std::string &name) {
    if (name.size() >= IF_NAMESIZE) throw SystemError(ENAMETOOLONG);
  }

  void send(const DeviceChange &change) {
    for (const Message &message : encode_set(family(), change)) {
      socket().transact(message, [](const nlmsghdr *) {});
    }
  }

  NetlinkSocket &socket() {
    if (!socket_) socket_ = std::make_unique<NetlinkSocket>(NETLINK_GENERIC);
    return *socket_;
  }

  uint16_t family() {
    if (family_ == 0) family_ = find_family(kind_);
    return family_;
  }

  // Asking for a family makes the kernel load the module that has it.
  uint16_t find_family(const std::string &name) {
    uint16_t family = 0;
    Message request =
        new_message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_REQUEST | NLM_F_ACK, 256);
    if (nla_put_string(request.get(), CTRL_ATTR_FAMILY_NAME, name.c_str()) < 0) {
      throw SystemError(EMSGSIZE);
    }
    try {
      socket().transact(request, [&family](const nlmsghdr *header) {
        const nlattr *id =
            nlmsg_find_attr(const_cast<nlmsghdr *>(header), GENL_HDRLEN, CTRL_ATTR_FAMILY_ID);
        if (id != nullptr && nla_len(id) == sizeof(uint16_t)) family = nla_get_u16(id);
      });
    } catch (const SystemError &error) {
      if (error.error() != ENOENT) throw;
    }
    if (family == 0) throw SystemError(EPROTONOSUPPORT);
    return family;
  }

  std::string kind_;
  std::unique_ptr<NetlinkSocket> socket_;
  uint16_t family_ = 0;
  uint16_t diagnostic_family_ = 0;
};

}  // namespace

Diagnostics Devices::diagnose(const std::string & /*name*/) {
  throw SystemError(EPROTONOSUPPORT);
}

std::unique_ptr<Devices> open_devices(const std::string &kind) {
  auto kernel = std::make_unique<NetlinkDevices>(kind);
  if (kind != "wireguard") return kernel;
  return with_sockets(std::move(kernel), kUapiDirectory);
}

}  // namespace wg::tool
