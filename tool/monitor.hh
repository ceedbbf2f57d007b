// SPDX-License-Identifier: GPL-2.0
// What changes between two reads of all devices.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "view.hh"

namespace wg::tool {

enum class EventKind {
  kDeviceAdded,
  kDeviceRemoved,
  kPeerAdded,
  kPeerRemoved,
  kEndpointChange,
  kHandshake,
  kUp,
  kIdle,
  kStale,
  kRejected,
};

/** event_word() - "device-added", "handshake" and so on */
const char *event_word(EventKind kind);

struct Event {
  /** Seconds since 1970. */
  int64_t time_s = 0;
  std::string device;
  EventKind kind = EventKind::kHandshake;
  /** Absent in events of a device. */
  std::optional<PublicKey> peer;
  /** Of that peer, as far as they are known. */
  std::optional<Endpoint> endpoint;
  /** What it was before the change. */
  std::optional<Endpoint> previous_endpoint;
};

/** All devices at one time. */
using Snapshot = std::map<std::string, SeenDevice>;

/**
 * diff() - what happened between two snapshots, by device and then by key
 *
 * A device that came has all its peers added; the peers of one that went have no events of their
 * own. A change of state is an event; of `never' there is none, for nothing leads to it.
 */
std::vector<Event> diff(const Snapshot &before, const Snapshot &after, int64_t now_s);

/** time_text() - "2026-01-31T23:59:59Z" */
std::string time_text(int64_t time_s);

/** event_line() - "2026-01-31T23:59:59Z wg0 handshake KEY (NAME)", without a line end */
std::string event_line(const Event &event, const std::string &name);

}  // namespace wg::tool
