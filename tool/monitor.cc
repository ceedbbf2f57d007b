// SPDX-License-Identifier: GPL-2.0
#include "monitor.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "commands.hh"
#include "error.hh"
#include "json.hh"
#include "snapshot.hh"
#include "terminal.hh"
#include "text.hh"
#include "view_options.hh"

namespace wg::tool {
namespace {

EventKind event_of(State state) {
  switch (state) {
    case State::kUp:
      return EventKind::kUp;
    case State::kStale:
      return EventKind::kStale;
    case State::kRejected:
      return EventKind::kRejected;
    case State::kIdle:
    case State::kNever:
      break;
  }
  return EventKind::kIdle;
}

std::string text_of(const std::optional<Endpoint> &endpoint) {
  return endpoint ? endpoint->text() : "";
}

// Walks two maps at once, in the order of their keys.
template <typename Map, typename Removed, typename Added, typename Kept>
void merge(const Map &before, const Map &after, Removed removed, Added added, Kept kept) {
  auto a = before.begin();
  auto b = after.begin();
  while (a != before.end() || b != after.end()) {
    if (b == after.end() || (a != before.end() && a->first < b->first)) {
      removed(*a++);
    } else if (a == before.end() || b->first < a->first) {
      added(*b++);
    } else {
      kept(*a++, *b++);
    }
  }
}

class Differ {
 public:
  explicit Differ(int64_t now_s) : now_s_(now_s) {}

  std::vector<Event> run(const Snapshot &before, const Snapshot &after) {
    merge(
        before, after, [this](const auto &device) { add(device.first, EventKind::kDeviceRemoved); },
        [this](const auto &device) {
          add(device.first, EventKind::kDeviceAdded);
          compare_peers(device.first, {}, device.second);
        },
        [this](const auto &a, const auto &b) { compare_peers(a.first, a.second, b.second); });
    return std::move(events_);
  }

 private:
  Event &add(const std::string &device, EventKind kind) {
    return events_.emplace_back(Event{now_s_, device, kind, {}, {}, {}});
  }

  Event &add(const std::string &device, EventKind kind, const PublicKey &key,
             const SeenPeer &peer) {
    Event &event = add(device, kind);
    event.peer = key;
    event.endpoint = peer.endpoint;
    return event;
  }

  void compare_peers(const std::string &device, const SeenDevice &before, const SeenDevice &after) {
    merge(
        before.peers, after.peers,
        [&](const auto &peer) { add(device, EventKind::kPeerRemoved, peer.first, peer.second); },
        [&](const auto &peer) { add(device, EventKind::kPeerAdded, peer.first, peer.second); },
        [&](const auto &a, const auto &b) { compare_peer(device, a.first, a.second, b.second); });
  }

  void compare_peer(const std::string &device, const PublicKey &key, const SeenPeer &before,
                    const SeenPeer &after) {
    if (text_of(before.endpoint) != text_of(after.endpoint)) {
      add(device, EventKind::kEndpointChange, key, after).previous_endpoint = before.endpoint;
    }
    const bool is_other =
        before.handshake_s != after.handshake_s || before.handshake_ns != after.handshake_ns;
    if (is_other && after.handshake_s != 0) add(device, EventKind::kHandshake, key, after);
    if (before.state != after.state && after.state != State::kNever) {
      add(device, event_of(after.state), key, after);
    }
  }

  int64_t now_s_;
  std::vector<Event> events_;
};

// What becomes of events: lines, each written at once.
class Stream {
 public:
  Stream(NameSource &names, bool is_json) : names_(names), is_json_(is_json) {}

  void write(const std::vector<Event> &events, Output &err) {
    for (const Event &event : events) {
      // Who adds a peer has written its name just before, or does so soon.
      if (event.kind == EventKind::kPeerAdded) names_.forget(event.device);
    }
    for (const Event &event : events) {
      std::string name;
      if (event.peer) {
        const Names &names = names_.names(event.device, err);
        if (const auto it = names.find(*event.peer); it != names.end()) name = it->second;
      }
      Output line;
      if (is_json_) {
        print_event_json(line, event, name);
      } else {
        line.append(event_line(event, name) + "\n");
      }
      line.flush(STDOUT_FILENO);
    }
  }

 private:
  NameSource &names_;
  bool is_json_;
};

void watch_events(SnapshotReader &reader, Stream &stream, Output &err, double interval_s) {
  Waiter waiter;
  Snapshot before = reader.read({}, err);
  double next_s = steady_seconds() + interval_s;
  for (;;) {
    err.flush(STDERR_FILENO);
    const Waiter::Happened happened = waiter.wait(next_s, -1, STDOUT_FILENO);
    if (happened.ends) return;
    if (steady_seconds() < next_s) continue;
    next_s = steady_seconds() + interval_s;
    Snapshot after = reader.read(before, err);
    stream.write(diff(before, after, wall_seconds()), err);
    before = std::move(after);
  }
}

}  // namespace

const char *event_word(EventKind kind) {
  switch (kind) {
    case EventKind::kDeviceAdded:
      return "device-added";
    case EventKind::kDeviceRemoved:
      return "device-removed";
    case EventKind::kPeerAdded:
      return "peer-added";
    case EventKind::kPeerRemoved:
      return "peer-removed";
    case EventKind::kEndpointChange:
      return "endpoint-change";
    case EventKind::kHandshake:
      return "handshake";
    case EventKind::kUp:
      return "up";
    case EventKind::kIdle:
      return "idle";
    case EventKind::kStale:
      return "stale";
    case EventKind::kRejected:
      return "rejected";
  }
  return "";
}

std::string time_text(int64_t time_s) {
  const std::time_t time = time_s;
  std::tm broken{};
  gmtime_r(&time, &broken);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", broken);
}

std::vector<Event> diff(const Snapshot &before, const Snapshot &after, int64_t now_s) {
  return Differ(now_s).run(before, after);
}

std::string event_line(const Event &event, const std::string &name) {
  std::string line = fmt::format("{} {} {}", time_text(event.time_s), printable(event.device),
                                 event_word(event.kind));
  if (event.peer) line += " " + event.peer->text();
  if (!name.empty()) line += " (" + name + ")";
  if (event.kind == EventKind::kEndpointChange) {
    const auto text = [](const std::optional<Endpoint> &endpoint) {
      return endpoint ? endpoint->text() : std::string("(none)");
    };
    line += " " + text(event.previous_endpoint) + " -> " + text(event.endpoint);
  }
  return line;
}

int run_monitor(Context &context, Arguments arguments) {
  const ParsedOptions parsed = parse_options(kMonitorOptions, arguments);
  if (parsed.words().size() > 1) throw UsageError();
  const std::string device = parsed.words().empty() ? "all" : parsed.words()[0];
  const double interval_s = seconds_option(parsed, "interval", 1);
  NameSource names(name_options(parsed, context.config_directory));
  SnapshotReader reader(context, device, view_options(parsed, SortKey::kNone).stale_s);
  Stream stream(names, parsed.has("json"));
  try {
    watch_events(reader, stream, context.err, interval_s);
  } catch (const SystemError &error) {
    // Who reads the stream has seen enough.
    if (error.error() != EPIPE) throw;
  }
  return 0;
}

}  // namespace wg::tool
