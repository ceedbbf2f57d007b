// SPDX-License-Identifier: GPL-2.0
// A netlink socket for one request at a time, of any protocol.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <functional>
#include <memory>

#include "message.hh"
#include "secret.hh"

struct nl_sock;

namespace wg::tool {

/**
 * A netlink socket that takes one request at a time. It reads with recv() itself, so that it can
 * wipe what it read; libnl's own receive path leaves copies on the heap. All functions throw
 * SystemError, with the kernel's own words where it gave some.
 */
class NetlinkSocket {
 public:
  /** @protocol: NETLINK_GENERIC, NETLINK_ROUTE and so on */
  explicit NetlinkSocket(int protocol);

  using Handler = std::function<void(const nlmsghdr *)>;

  /**
   * transact() - send a request and hand each answer to @handle, up to the acknowledgement or
   * the end of the dump
   *
   * Return: whether the dump is consistent; if not, what it lists changed meanwhile.
   */
  bool transact(const Message &request, const Handler &handle);

  /** filter_dumps() - what a dump's request says narrows it; kernels before 4.20 ignore it */
  void filter_dumps();

 private:
  int fd() const;
  void send(const nlmsghdr *header);
  size_t receive();

  struct Deleter {
    void operator()(nl_sock *socket) const;
  };
  std::unique_ptr<nl_sock, Deleter> socket_;
  SecretBytes buffer_;
};

}  // namespace wg::tool
