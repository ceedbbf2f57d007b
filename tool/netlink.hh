// SPDX-License-Identifier: GPL-2.0
// The way to the kernel. Commands see the interface only, so that tests can stand in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "diagnostics.hh"
#include "model.hh"

namespace wg::tool {

/** Devices of one kind, as somebody keeps them. All functions throw SystemError. */
class Devices {
 public:
  virtual ~Devices() = default;

  /** The names of all devices, in the kernel's order. */
  virtual std::vector<std::string> list() = 0;

  /**
   * One device with all its peers, from a dump that no change interrupted.
   * ENODEV: no such device. EOPNOTSUPP: of another kind. EPROTONOSUPPORT: no module.
   */
  virtual Device get(const std::string &name) = 0;

  /**
   * What the module says of drops and sessions. Throws as get(), and EPROTONOSUPPORT when it says
   * nothing, as any other module than wgpp.
   */
  virtual Diagnostics diagnose(const std::string &name);

  /** Carry out a change. A large one takes several messages and is not atomic. */
  virtual void set(const DeviceChange &change) = 0;
};

/**
 * open_devices() - devices behind generic netlink; of kind wireguard those in userspace too
 * @kind: names both the link kind and the netlink family
 *
 * Sockets are opened at first use.
 */
std::unique_ptr<Devices> open_devices(const std::string &kind);

}  // namespace wg::tool
