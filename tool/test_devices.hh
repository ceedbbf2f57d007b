// SPDX-License-Identifier: GPL-2.0
// Devices that live in memory, for tests of commands.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "error.hh"
#include "netlink.hh"

namespace wg::tool {

/** Serves what a test put in and records what a command sends. */
class TestDevices : public Devices {
 public:
  std::vector<Device> devices;
  std::map<std::string, int> errors;
  std::vector<DeviceChange> changes;
  int set_error = 0;

  std::vector<std::string> list() override {
    std::vector<std::string> names;
    for (const Device &device : devices) names.push_back(device.name);
    return names;
  }

  Device get(const std::string &name) override {
    if (const auto it = errors.find(name); it != errors.end()) throw SystemError(it->second);
    for (const Device &device : devices) {
      if (device.name == name) return device;
    }
    throw SystemError(ENODEV);
  }

  void set(const DeviceChange &change) override {
    if (set_error != 0) throw SystemError(set_error);
    changes.push_back(change);
  }
};

}  // namespace wg::tool
