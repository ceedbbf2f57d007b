// SPDX-License-Identifier: GPL-2.0
#include "monitor.hh"

#include <gtest/gtest.h>

#include "commands.hh"
#include "json.hh"
#include "snapshot.hh"
#include "test_devices.hh"
#include "test_peers.hh"

namespace wg::tool {
namespace {

Endpoint endpoint(const std::string &text) {
  return std::get<Endpoint>(parse_endpoint(text));
}

std::string words(const std::vector<Event> &events) {
  std::string text;
  for (const Event &event : events) {
    text += (text.empty() ? "" : ", ") + event.device + " " + event_word(event.kind);
    if (event.peer) text += " " + std::to_string(event.peer->bytes[0]);
  }
  return text;
}

class Diff : public testing::Test {
 protected:
  SeenPeer &peer(Snapshot &snapshot, uint8_t fill) { return snapshot["wg0"].peers[test_key(fill)]; }
  std::string changes() { return words(diff(before_, after_, kTestNow_s)); }

  Snapshot before_, after_;
};

TEST_F(Diff, IsEmptyWhenNothingChanged) {
  EXPECT_EQ(changes(), "");
  peer(before_, 1) = peer(after_, 1) = {endpoint("192.0.2.1:5"), 7, 8, 9, 10, 0, State::kUp};
  peer(after_, 1).rx_bytes += 5;
  EXPECT_EQ(changes(), "");
}

TEST_F(Diff, SeesWhatComesAndGoes) {
  peer(before_, 1);
  peer(before_, 3);
  peer(after_, 2);
  peer(after_, 3);
  before_["gone"].peers[test_key(1)];
  after_["new"].peers[test_key(4)];
  EXPECT_EQ(changes(),
            "gone device-removed, new device-added, new peer-added 4, wg0 peer-removed 1, wg0 "
            "peer-added 2");
}

TEST_F(Diff, SeesHandshakesEndpointsAndStates) {
  peer(before_, 1) = {endpoint("192.0.2.1:5"), 100, 0, 0, 0, 0, State::kStale};
  peer(after_, 1) = {endpoint("192.0.2.9:6"), 200, 0, 0, 0, 0, State::kUp};
  EXPECT_EQ(changes(), "wg0 endpoint-change 1, wg0 handshake 1, wg0 up 1");
  peer(after_, 1) = peer(before_, 1);
  peer(after_, 1).handshake_ns = 1;
  EXPECT_EQ(changes(), "wg0 handshake 1");
  peer(after_, 1) = peer(before_, 1);
  peer(after_, 1).endpoint.reset();
  EXPECT_EQ(changes(), "wg0 endpoint-change 1");
}

TEST_F(Diff, NamesEachStateThatIsReached) {
  const std::pair<State, std::string> table[] = {{State::kUp, "wg0 up 1"},
                                                 {State::kIdle, "wg0 idle 1"},
                                                 {State::kStale, "wg0 stale 1"},
                                                 {State::kRejected, "wg0 rejected 1"}};
  peer(before_, 1).state = State::kNever;
  for (const auto &[state, expected] : table) {
    peer(after_, 1).state = state;
    EXPECT_EQ(changes(), expected);
  }
  std::swap(before_, after_);
  EXPECT_EQ(changes(), "") << "a peer that was made anew";
}

TEST_F(Diff, PrintsLines) {
  Event event{1767225599, "wg0", EventKind::kHandshake, test_key(1), endpoint("192.0.2.1:5"), {}};
  const std::string key = test_key(1).text();
  EXPECT_EQ(event_line(event, "laptop"), "2025-12-31T23:59:59Z wg0 handshake " + key + " (laptop)");
  EXPECT_EQ(event_line(event, ""), "2025-12-31T23:59:59Z wg0 handshake " + key);
  event.kind = EventKind::kEndpointChange;
  EXPECT_EQ(event_line(event, ""),
            "2025-12-31T23:59:59Z wg0 endpoint-change " + key + " (none) -> 192.0.2.1:5");
  Output out;
  print_event_json(out, event, "laptop");
  EXPECT_EQ(out.text(),
            R"({"schema":1,"time":1767225599,"interface":"wg0","event":)"
            R"("endpoint-change","public_key":")" +
                key +
                R"(","name":"laptop","endpoint":"192.0.2.1:5","previous_endpoint":null})"
                "\n");
  EXPECT_EQ(event_line({0, "wg0", EventKind::kDeviceRemoved, {}, {}, {}}, ""),
            "1970-01-01T00:00:00Z wg0 device-removed");
}

class Reading : public testing::Test {
 protected:
  Reading() : context_{devices_, "wgtool", {}, {}} { devices_.devices.push_back(test_device()); }

  Snapshot read(SnapshotReader &reader, const Snapshot &before) {
    return reader.read(before, err_);
  }

  TestDevices devices_;
  Context context_;
  Output err_;
};

TEST_F(Reading, GoesOnWhenADeviceVanishes) {
  for (const std::string name : {"wg0", "all"}) {
    SnapshotReader reader(context_, name, kRejectAfter_s);
    const Snapshot before = read(reader, {});
    EXPECT_EQ(before.size(), 1u);
    for (const int error : {ENODEV, EPROTONOSUPPORT, EOPNOTSUPP}) {
      devices_.errors["wg0"] = error;
      EXPECT_TRUE(read(reader, before).empty());
    }
    devices_.errors.clear();
    EXPECT_EQ(read(reader, {}).size(), 1u);
  }
  EXPECT_EQ(err_.text(), "");
}

TEST_F(Reading, KeepsWhatCannotBeReadForNow) {
  SnapshotReader reader(context_, "all", kRejectAfter_s);
  const Snapshot before = read(reader, {});
  devices_.errors["wg0"] = ENOBUFS;
  const Snapshot same = read(reader, before);
  EXPECT_EQ(words(diff(before, same, 0)), "");
  EXPECT_EQ(same.size(), 1u);
  EXPECT_EQ(read(reader, same).size(), 1u);
  EXPECT_EQ(err_.text(), "Unable to access interface `wg0': No buffer space available\n");
}

TEST_F(Reading, FailsAtFirstWhenNothingCanBeRead) {
  devices_.errors["wg0"] = EPERM;
  SnapshotReader one(context_, "wg0", kRejectAfter_s);
  EXPECT_THROW(read(one, {}), Error);
  SnapshotReader all(context_, "all", kRejectAfter_s);
  EXPECT_THROW(read(all, {}), Error);
  SnapshotReader absent(context_, "wg9", kRejectAfter_s);
  EXPECT_THROW(read(absent, {}), Error);
}

TEST_F(Reading, LeavesSecretsBehind) {
  SnapshotReader reader(context_, "all", kRejectAfter_s);
  std::vector<Device> devices;
  reader.read({}, err_, &devices);
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_TRUE(devices[0].private_key.is_zero());
  EXPECT_TRUE(devices[0].peers[0].preshared_key.is_zero());
}

}  // namespace
}  // namespace wg::tool
