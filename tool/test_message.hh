// SPDX-License-Identifier: GPL-2.0
// Netlink messages for tests. Tests only.
#pragma once

#include <netlink/attr.h>

#include <functional>
#include <vector>

#include "message.hh"
#include "uapi/wgnl.h"

namespace wg::tool {

inline constexpr uint16_t kFamily = 0x21;

// A message as the kernel would write it. The test says what is in it.
class Builder {
 public:
  Builder() : message_(new_message(kFamily, WGNL_CMD_GET_DEVICE, 1, NLM_F_MULTI, 65536)) {}

  template <typename T>
  Builder &put(int type, const T &value) {
    nla_put(message_.get(), type, sizeof(value), &value);
    return *this;
  }
  Builder &text(int type, const char *value) {
    nla_put_string(message_.get(), type, value);
    return *this;
  }
  Builder &bytes(int type, const std::vector<uint8_t> &value) {
    nla_put(message_.get(), type, static_cast<int>(value.size()), value.data());
    return *this;
  }
  Builder &nest(int type, const std::function<void()> &inside) {
    nlattr *nest = nla_nest_start(message_.get(), type);
    inside();
    nla_nest_end(message_.get(), nest);
    return *this;
  }
  void allowed_ip(uint16_t family, const std::vector<uint8_t> &address, uint8_t cidr) {
    nest(0, [&] {
      put(WGNL_ALLOWEDIP_FAMILY, family);
      bytes(WGNL_ALLOWEDIP_IPADDR, address);
      put(WGNL_ALLOWEDIP_CIDR_MASK, cidr);
    });
  }
  const nlmsghdr *header() const { return nlmsg_hdr(message_.get()); }

 private:
  Message message_;
};

}  // namespace wg::tool
