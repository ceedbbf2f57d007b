// SPDX-License-Identifier: GPL-2.0
#include "snapshot.hh"

#include <utility>

#include "error.hh"
#include "view_options.hh"

namespace wg::tool {
namespace {

// No such device, not one of ours any more, or nobody there who has them.
bool is_gone(int error) {
  return error == ENODEV || error == EOPNOTSUPP || error == EPROTONOSUPPORT || error == ENOENT;
}

}  // namespace

bool SnapshotReader::read_one(const std::string &name, const Snapshot &before, Snapshot &now,
                              std::vector<Device> *devices, Output &err) {
  const auto old = before.find(name);
  try {
    Device device = context_.devices.get(name);
    now[name] = observe(device, old == before.end() ? nullptr : &old->second, wall_seconds(),
                        steady_seconds(), stale_s_);
    if (devices != nullptr) {
      // Kept for long, and of no use to who shows them.
      device.private_key = {};
      for (Peer &peer : device.peers) peer.preshared_key = {};
      devices->push_back(std::move(device));
    }
    told_.erase(name);
    return true;
  } catch (const SystemError &error) {
    const Error told = device_error(context_, name, Access::kRead, error);
    if (is_first_ && name == name_) throw Error(told);
    if (!is_first_ && is_gone(error.error())) return false;
    if (old != before.end()) now[name] = old->second;
    if (std::exchange(told_[name], told.what()) != told.what()) err.print("{}\n", told.what());
    return false;
  }
}

Snapshot SnapshotReader::read(const Snapshot &before, Output &err, std::vector<Device> *devices) {
  const std::vector<std::string> names =
      name_ == "all" ? context_.devices.list() : std::vector<std::string>{name_};
  Snapshot now;
  size_t num_read = 0;
  for (const std::string &name : names) {
    num_read += read_one(name, before, now, devices, err);
  }
  if (is_first_ && num_read == 0 && !names.empty()) {
    throw Error("None of the interfaces can be read");
  }
  is_first_ = false;
  return now;
}

}  // namespace wg::tool
