// SPDX-License-Identifier: GPL-2.0
// Reading devices again and again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "commands.hh"
#include "monitor.hh"

namespace wg::tool {

/** Reads the devices that a user asked for, as they come and go. */
class SnapshotReader {
 public:
  /** @name: of one device, or "all" */
  SnapshotReader(Context &context, std::string name, int64_t stale_s)
      : context_(context), name_(std::move(name)), stale_s_(stale_s) {}

  /**
   * read() - what there is now
   * @before: the result of the last call
   * @err: told once why a device cannot be read; it stays as it was before
   * @devices: takes the devices themselves, without their secrets, unless it is nullptr
   *
   * The first call throws Error when the device that the user named, or every device, cannot be
   * read. Later one that is gone is missing from the result.
   */
  Snapshot read(const Snapshot &before, Output &err, std::vector<Device> *devices = nullptr);

 private:
  bool read_one(const std::string &name, const Snapshot &before, Snapshot &now,
                std::vector<Device> *devices, Output &err);

  Context &context_;
  std::string name_;
  int64_t stale_s_;
  bool is_first_ = true;
  std::map<std::string, std::string> told_;
};

}  // namespace wg::tool
