// SPDX-License-Identifier: GPL-2.0
// up, down, apply, diff and clean on a machine in memory.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "commands.hh"
#include "reconcile.hh"
#include "test_file.hh"
#include "test_network.hh"

namespace wg::tool {
namespace {

const std::string kPrivate = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const std::string kPeer1 = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const std::string kPeer2 = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";

const std::string kFull =
    "[Interface]\nPrivateKey = " + kPrivate +
    "\nAddress = 10.9.0.1/24, fd00:9::1/64\nDNS = 10.9.0.2, example.org\n"
    "PreUp = pre up %i\nPostUp = post up %i\nPreDown = pre down %i\nPostDown = post down %i\n"
    "[Peer]\nPublicKey = " +
    kPeer1 +
    "\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.1:51820\n[Peer]\nPublicKey = " + kPeer2 +
    "\nAllowedIPs = 10.80.0.0/16, 10.9.0.7/32\n";

class UpTest : public testing::Test {
 protected:
  UpTest() : devices_(saboteur_), network_(devices_, saboteur_), system_(saboteur_) {
    write(kFull);
  }

  void write(const std::string &text) {
    const std::string path = directory_ + "/wg0.conf";
    std::ofstream(path) << text;
    chmod(path.c_str(), 0600);
  }

  std::string read() {
    std::ifstream file(directory_ + "/wg0.conf");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Return: the status; the outputs are in out_ and err_.
  int run(CommandFunction command, const std::vector<std::string> &arguments) {
    Context context{devices_, "wgtool", {}, {}};
    context.config_directory = directory_;
    context.network = &network_;
    context.system = &system_;
    int status = 1;
    std::string thrown;
    testing::internal::CaptureStderr();
    const OnExit release([this, &context, &thrown] {
      err_ = testing::internal::GetCapturedStderr() + std::string(context.err.text()) + thrown;
      out_ = context.out.text();
    });
    try {
      status = command(context, arguments);
    } catch (const Error &error) {
      thrown = error.what();
    }
    return status;
  }

  std::string state() { return network_.text() + system_.text(); }

  Saboteur saboteur_;
  MemoryDevices devices_;
  MemoryNetwork network_;
  MemorySystem system_;
  TestDirectory files_;
  const std::string &directory_ = files_.path();
  std::string out_, err_;
};

using Up = UpTest;
using Down = UpTest;
using Apply = UpTest;
using Clean = UpTest;
using Save = UpTest;

TEST_F(Up, MakesAllThatTheFileAsksFor) {
  ASSERT_EQ(run(run_up, {"wg0"}), 0) << err_;
  const auto link = network_.find_link("wg0");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->mtu, 1420U);
  EXPECT_TRUE(link->is_up);
  EXPECT_EQ(link->group, 0U);
  EXPECT_EQ(devices_.devices["wg0"].fwmark, 51820U);
  EXPECT_EQ(network_.addresses_[link->index].size(), 2U);
  std::string routes;
  for (const Route &route : network_.routes_) {
    if (route.protocol == kOurProtocol)
      routes += fmt::format("{} {}\n", route.prefix.text(), route.table);
  }
  // 10.9.0.7/32 is in the network of the address.
  EXPECT_EQ(routes, "10.80.0.0/16 254\n0.0.0.0/0 51820\n::/0 51820\n");
  EXPECT_EQ(network_.rules_.size(), 4U);
  EXPECT_EQ(system_.tables.size(), 2U);
  EXPECT_EQ(system_.dns["wg0"], "nameserver 10.9.0.2\nsearch example.org\n");
  EXPECT_EQ(system_.sysctls["net/ipv4/conf/all/src_valid_mark"], "1");
  EXPECT_EQ(system_.commands.front(), "bash -c pre up wg0");
  EXPECT_EQ(system_.commands.back(), "bash -c post up wg0");
}

// Whatever step fails, nothing is left, and hooks that ran get theirs that make up for them.
TEST_F(Up, TakesAllBackWhereverItFails) {
  const std::string before = state();
  int num_steps = 0;
  for (int i = 1;; ++i) {
    saboteur_ = {i};
    system_.commands.clear();
    const int status = run(run_up, {"wg0"});
    if (status == 0) break;
    ++num_steps;
    EXPECT_EQ(state(), before) << "after failure " << i << ": " << err_;
    EXPECT_NE(err_.find("everything was taken back"), std::string::npos) << err_;
    const auto ran = [&](const std::string &hook) {
      return std::count(system_.commands.begin(), system_.commands.end(), "bash -c " + hook);
    };
    EXPECT_EQ(ran("post down wg0"), ran("pre up wg0")) << i;
    EXPECT_EQ(ran("pre down wg0"), ran("post up wg0")) << i;
  }
  EXPECT_GE(num_steps, 20);
}

TEST_F(Up, RunsNoHooksAfterAFailureWhenToldSo) {
  saboteur_.fail_at = 5;
  EXPECT_EQ(run(run_up, {"--no-hooks-on-fail", "wg0"}), 1);
  for (const std::string &command : system_.commands) {
    EXPECT_EQ(command.find("down"), std::string::npos) << command;
  }
}

TEST_F(Up, OnlyTellsWhenDry) {
  const std::string before = state();
  ASSERT_EQ(run(run_up, {"-n", "wg0"}), 0) << err_;
  EXPECT_EQ(state(), before);
  EXPECT_TRUE(system_.commands.empty());
  const std::string planned = out_;
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  // What was told is what is done.
  for (std::string_view rest = planned; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string line(rest.substr(0, end));
    EXPECT_EQ(line.find("wg1"), std::string::npos);
    rest.remove_prefix(end + 1);
  }
  EXPECT_NE(planned.find("ip link add wg0 type wireguard\n"), std::string::npos);
  EXPECT_NE(planned.find("ip -4 route add 0.0.0.0/0 dev wg0 table 51820 protocol 87\n"),
            std::string::npos);
  EXPECT_NE(planned.find("post up wg0\n"), std::string::npos);
}

TEST_F(Up, StopsAtASignal) {
  const std::string before = state();
  system_.signal = 15;
  EXPECT_EQ(run(run_up, {"wg0"}), 1);
  EXPECT_NE(err_.find("signal 15"), std::string::npos);
  EXPECT_EQ(state(), before);
}

TEST_F(Up, RefusesADeviceThatExists) {
  network_.add_link("wg0", "dummy", 0);
  const std::string before = state();
  EXPECT_EQ(run(run_up, {"wg0"}), 1);
  EXPECT_NE(err_.find("`wg0' already exists"), std::string::npos) << err_;
  EXPECT_EQ(state(), before);
}

TEST_F(Up, ChecksTheFileBeforeAnything) {
  write(kFull + "Nonsense = 1\n");
  const std::string before = state();
  EXPECT_EQ(run(run_up, {"wg0"}), 1);
  EXPECT_NE(err_.find("wg0.conf:16: Line unrecognized: `Nonsense=1'"), std::string::npos) << err_;
  EXPECT_EQ(state(), before);
  EXPECT_TRUE(system_.commands.empty());
}

TEST_F(Up, SkipsTablesThatAreInUse) {
  Route other;
  other.table = 51820;
  network_.routes_.push_back(other);
  Rule rule;
  rule.table = 51821;
  network_.rules_.push_back(rule);
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  EXPECT_EQ(devices_.devices["wg0"].fwmark, 51822U);
}

TEST_F(Up, NamesTheProgramsThatCanDoDns) {
  system_.programs = {"nft", "bash"};
  EXPECT_EQ(run(run_up, {"wg0"}), 1);
  EXPECT_NE(err_.find("DNS needs resolvconf or resolvectl"), std::string::npos) << err_;
  system_.programs = {"nft", "bash", "resolvectl"};
  ASSERT_EQ(run(run_up, {"wg0"}), 0) << err_;
  EXPECT_EQ(
      std::count(system_.commands.begin(), system_.commands.end(), "resolvectl dns wg0 10.9.0.2"),
      1);
  EXPECT_EQ(std::count(system_.commands.begin(), system_.commands.end(),
                       "resolvectl domain wg0 ~. example.org"),
            1);
}

TEST_F(Down, LeavesNothing) {
  const std::string before = state();
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  // Another tunnel's rules, and the administrator's, stay.
  system_.sysctls["net/ipv4/conf/all/src_valid_mark"] = "0";
  ASSERT_EQ(run(run_down, {"wg0"}), 0) << err_;
  EXPECT_EQ(state(), before);
  EXPECT_EQ(system_.commands.back(), "bash -c post down wg0");
}

TEST_F(Down, LeavesTheRulesOfOthers) {
  for (const Rule &rule : full_rules(AF_INET, 99)) network_.add_rule(rule);
  Rule foreign = full_rules(AF_INET, 1)[1];
  foreign.protocol = 0;
  network_.add_rule(foreign);
  const std::string before = network_.text();
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  ASSERT_EQ(run(run_down, {"wg0"}), 0);
  EXPECT_EQ(network_.text(), before);
}

TEST_F(Down, NeedsADeviceOfOurs) {
  EXPECT_EQ(run(run_down, {"wg0"}), 1);
  EXPECT_NE(err_.find("There is no interface `wg0'"), std::string::npos);
  network_.add_link("wg0", "dummy", 0);
  devices_.devices.clear();
  EXPECT_EQ(run(run_down, {"wg0"}), 1);
  EXPECT_NE(err_.find("of kind `dummy'"), std::string::npos);
}

// up and down without their end, as kill -9 leaves them, at each step in turn.
TEST_F(Clean, FinishesWhatWasKilled) {
  const std::string before = state();
  for (const CommandFunction command : {run_up, run_down}) {
    int num_kills = 0;
    for (int i = 1;; ++i) {
      saboteur_ = {};
      if (command == run_down) {
        ASSERT_EQ(run(run_up, {"wg0"}), 0) << err_;
      }
      saboteur_ = {-1, i};
      bool killed = false;
      try {
        run(command, {"wg0"});
      } catch (const Killed &) {
        killed = true;
      }
      saboteur_ = {};
      if (!killed) break;
      ++num_kills;
      EXPECT_EQ(run(run_clean, {}), 0) << err_;
      system_.sysctls["net/ipv4/conf/all/src_valid_mark"] = "0";
      // A down that had not begun to take away leaves what is up.
      if (network_.find_link("wg0")) {
        EXPECT_EQ(run(run_down, {"wg0"}), 0) << err_;
      }
      EXPECT_EQ(state(), before) << "killed after " << i;
      // Again there is nothing to do.
      EXPECT_EQ(run(run_clean, {}), 0);
      EXPECT_EQ(err_, "Nothing was left behind\n");
    }
    EXPECT_GE(num_kills, command == run_up ? 19 : 9);
    if (network_.find_link("wg0")) {
      ASSERT_EQ(run(run_down, {"wg0"}), 0);
    }
  }
}

TEST_F(Clean, FindsADeviceThatAProgramWasMaking) {
  network_.has_kinds = false;
  system_.programs.insert("wireguard-go");
  system_.actions["wireguard-go"] = [this](const std::vector<std::string> &arguments) {
    network_.put_link(arguments[1], "tun", 0);
  };
  const std::string before = state();
  for (int i = 1;; ++i) {
    saboteur_ = {-1, i};
    try {
      ASSERT_EQ(run(run_up, {"wg0"}), 0) << err_;
      EXPECT_GE(i, 20);
      break;
    } catch (const Killed &) {
    }
    saboteur_ = {};
    if (network_.find_link("wg0")) {
      EXPECT_EQ(run(run_up, {"wg0"}), 1);
      EXPECT_NE(err_.find("run `wgtool clean wg0'"), std::string::npos) << err_;
    }
    EXPECT_EQ(run(run_clean, {}), 0) << err_;
    system_.sysctls["net/ipv4/conf/all/src_valid_mark"] = "0";
    // Nobody made a device, and nobody minds that somebody was about to.
    system_.files.erase("/run/wgtool/start-7-wg0");
    EXPECT_EQ(state(), before) << "killed after " << i;
  }
  saboteur_ = {};
  ASSERT_EQ(run(run_down, {"wg0"}), 0) << err_;
  system_.sysctls["net/ipv4/conf/all/src_valid_mark"] = "0";
  EXPECT_EQ(state(), before);
}

TEST_F(Clean, RemovesWhatHasNoDevice) {
  const std::string before = state();
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  network_.delete_link(network_.find_link("wg0")->index);
  system_.sysctls["net/ipv4/conf/all/src_valid_mark"] = "0";
  EXPECT_EQ(network_.rules_.size(), 4U);
  ASSERT_EQ(run(run_clean, {}), 0) << err_;
  EXPECT_EQ(state(), before);
  ASSERT_EQ(run(run_clean, {}), 0);
  EXPECT_EQ(err_, "Nothing was left behind\n");
}

TEST_F(Clean, FindsALinkThatWasLeft) {
  const std::string before = state();
  network_.add_link("wg0", "wireguard", kUnfinishedGroup);
  EXPECT_EQ(run(run_up, {"wg0"}), 1);
  EXPECT_NE(err_.find("run `wgtool clean wg0'"), std::string::npos);
  EXPECT_EQ(run(run_clean, {"wg1"}), 0);
  EXPECT_NE(state(), before);
  EXPECT_EQ(run(run_clean, {"wg0"}), 0);
  EXPECT_EQ(state(), before);
}

TEST_F(Clean, LeavesWhatSomebodyIsAt) {
  network_.add_link("wg0", "wireguard", kUnfinishedGroup);
  system_.locks.insert("/run/wgtool/lock-7-wg0");
  const std::string before = state();
  ASSERT_EQ(run(run_clean, {}), 0);
  EXPECT_EQ(state(), before);
  EXPECT_NE(err_.find("Another wgtool is at work on `wg0'"), std::string::npos) << err_;
}

TEST_F(Up, SaysWhenNotAllWasTakenBack) {
  system_.broken_undo = true;
  saboteur_.fail_at = 15;
  EXPECT_EQ(run(run_up, {"wg0"}), 1);
  EXPECT_NE(err_.find("something is left"), std::string::npos) << err_;
}

TEST_F(Clean, LeavesWhatIsUp) {
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  const std::string before = state();
  ASSERT_EQ(run(run_clean, {}), 0);
  EXPECT_EQ(state(), before);
}

// A name that has two addresses; which of them comes first, no one knows.
TEST_F(Apply, LeavesTheEndpointThatIsOneOfAName) {
  write(kFull);
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  Device &device = devices_.devices.at("wg0");
  DeviceChange wanted = as_change(device);
  const auto endpoint = [](const char *text) { return std::get<Endpoint>(parse_endpoint(text)); };
  wanted.peers[0].endpoints = {endpoint("192.0.2.7:5"), endpoint("192.0.2.8:5")};
  wanted.peers[0].endpoint = wanted.peers[0].endpoints[0];
  device.peers[0].endpoint = endpoint("192.0.2.8:5");
  EXPECT_TRUE(is_empty(minimal_change(wanted, device)));
  device.peers[0].endpoint = endpoint("192.0.2.9:5");
  const DeviceChange change = minimal_change(wanted, device);
  ASSERT_EQ(change.peers.size(), 1U);
  EXPECT_EQ(change.peers[0].endpoint->text(), "192.0.2.7:5");
}

TEST_F(Apply, ChangesNothingWhenAllIsSo) {
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  const std::string before = state();
  const size_t num_changes = devices_.changes.size();
  system_.commands.clear();
  EXPECT_EQ(run(run_diff, {"wg0"}), 0) << out_;
  EXPECT_EQ(out_, "");
  ASSERT_EQ(run(run_apply, {"wg0"}), 0) << err_;
  EXPECT_EQ(err_, "");
  EXPECT_EQ(state(), before);
  EXPECT_EQ(devices_.changes.size(), num_changes);
  EXPECT_TRUE(system_.commands.empty());
}

// What comes out is what `up' of the new file would have made.
TEST_F(Apply, EndsWhereUpOfTheFileWould) {
  const std::string head = "[Interface]\nPrivateKey = " + kPrivate + "\nListenPort = 5001\n";
  const std::string peer = "[Peer]\nPublicKey = " + kPeer1 + "\nAllowedIPs = ";
  const std::vector<std::string> files = {
      kFull,
      head + "Address = 10.9.0.1/24\n" + peer + "10.9.0.2/32\n",
      head + "Address = 10.9.0.3/24\nMTU = 1300\n" + peer + "::/0\n",
      head + "Table = 77\nAddress = fd00::1/64\n" + peer + "0.0.0.0/0, 10.1.0.0/16\n",
      head + "Table = off\nFwMark = 9\n" + peer + "0.0.0.0/0\n",
      head + "FwMark = 0xca6c\nDNS = 10.0.0.1\n" + peer + "0.0.0.0/0, 10.80.0.0/16\n",
      head + "[Peer]\nPublicKey = " + kPeer2 + "\nAllowedIPs = 10.80.0.0/16\n",
  };
  const auto settled = [this] {
    std::vector<std::string> lines;
    const std::string text = network_.text() + system_.text();
    for (std::string_view rest = text; !rest.empty();) {
      const size_t end = rest.find('\n');
      // Priorities follow from the order, and a mark that is accepted stays so.
      std::string line(rest.substr(0, end));
      if (line.starts_with("rule ")) line.erase(5, line.find(' ', 5) - 4);
      if (line.starts_with("route ")) line.erase(line.find(" link "));
      if (!line.starts_with("src_valid_mark")) lines.push_back(line);
      rest.remove_prefix(end + 1);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  for (const std::string &from : files) {
    for (const std::string &to : files) {
      write(to);
      ASSERT_EQ(run(run_up, {"wg0"}), 0) << err_;
      const auto expected = settled();
      const auto expected_peers = devices_.devices["wg0"].peers.size();
      ASSERT_EQ(run(run_down, {"wg0"}), 0) << err_;
      write(from);
      ASSERT_EQ(run(run_up, {"wg0"}), 0) << err_;
      write(to);
      ASSERT_EQ(run(run_apply, {"wg0"}), 0) << err_;
      EXPECT_EQ(settled(), expected) << "from\n" << from << "to\n" << to << err_;
      EXPECT_EQ(devices_.devices["wg0"].peers.size(), expected_peers);
      EXPECT_EQ(run(run_diff, {"wg0"}), 0) << out_ << "from\n" << from << "to\n" << to;
      ASSERT_EQ(run(run_down, {"wg0"}), 0) << err_;
    }
  }
}

TEST_F(Apply, TakesAllBackWhereverItFails) {
  const std::string to = "[Interface]\nPrivateKey = " + kPrivate +
                         "\nAddress = 10.9.0.3/24\nMTU = 1300\n[Peer]\nPublicKey = " + kPeer2 +
                         "\nAllowedIPs = 10.90.0.0/16\n";
  const std::string from = "[Interface]\nPrivateKey = " + kPrivate +
                           "\nAddress = 10.9.0.1/24\n[Peer]\nPublicKey = " + kPeer1 +
                           "\nAllowedIPs = 10.80.0.0/16\n";
  write(from);
  ASSERT_EQ(run(run_up, {"wg0"}), 0) << err_;
  const auto sorted = [this] {
    std::string text = state();
    std::sort(text.begin(), text.end());
    return text;
  };
  const std::string before = sorted();
  int num_steps = 0;
  for (int i = 1; i < 50; ++i) {
    write(to);
    saboteur_ = {i};
    const int status = run(run_apply, {"wg0"});
    saboteur_.fail_at = -1;
    if (status == 0) break;
    ++num_steps;
    EXPECT_EQ(sorted(), before) << "after failure " << i << ": " << err_;
    write(from);
    EXPECT_EQ(run(run_diff, {"wg0"}), 0) << out_;
  }
  EXPECT_GE(num_steps, 6);
}

TEST_F(Apply, SendsThePeerThatDiffersOnly) {
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  const size_t num_changes = devices_.changes.size();
  std::string text = kFull;
  text.replace(text.find("10.80.0.0/16"), 12, "10.81.0.0/16");
  write(text);
  ASSERT_EQ(run(run_apply, {"wg0"}), 0);
  ASSERT_EQ(devices_.changes.size(), num_changes + 1);
  const DeviceChange &change = devices_.changes.back();
  EXPECT_FALSE(change.private_key || change.listen_port || change.fwmark || change.replace_peers);
  ASSERT_EQ(change.peers.size(), 1U);
  EXPECT_EQ(change.peers[0].public_key.text(), kPeer2);
  EXPECT_FALSE(change.peers[0].replace_allowed_ips);
  ASSERT_EQ(change.peers[0].allowed_ips.size(), 2U);
  EXPECT_TRUE(change.peers[0].allowed_ips[0].remove);
  EXPECT_EQ(change.peers[0].allowed_ips[1].text(), "10.81.0.0/16");
}

TEST_F(Apply, LeavesTheAdministratorsRoutes) {
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  Route theirs;
  theirs.link_index = network_.find_link("wg0")->index;
  theirs.prefix.cidr = 8;
  theirs.prefix.address[0] = 44;
  network_.routes_.push_back(theirs);
  ASSERT_EQ(run(run_apply, {"wg0"}), 0);
  EXPECT_EQ(network_.routes_.back(), theirs);
}

TEST_F(Apply, DiffShowsFileAgainstDevice) {
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  std::string text = kFull;
  text.replace(text.find("10.80.0.0/16"), 12, "10.81.0.0/16");
  text.replace(text.find("10.9.0.1/24"), 11, "10.9.0.5/24");
  write(text);
  EXPECT_EQ(run(run_diff, {"wg0"}), 1);
  EXPECT_EQ(out_, "--- wg0 (as it is)\n+++ " + directory_ +
                      "/wg0.conf\n [Interface]\n-Address = 10.9.0.1/24\n+Address = 10.9.0.5/24\n"
                      "-Route: 10.80.0.0/16 dev wg0\n+Route: 10.81.0.0/16 dev wg0\n"
                      "+Firewall: nft table ip wgtool-wg0\n [Peer] " +
                      kPeer2 + "\n-AllowedIPs = 10.80.0.0/16\n+AllowedIPs = 10.81.0.0/16\n");
  write("[Interface]\nListenPort = 70000\n");
  EXPECT_EQ(run(run_diff, {"wg0"}), 2);
}

TEST_F(Apply, ABrokenFileChangesNothing) {
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  const std::string before = state();
  const size_t num_changes = devices_.changes.size();
  for (const std::string &text :
       {std::string("[Interface]\nAddress = 10.0.0.0.0/8\n"), kFull + "[Peer]\n", std::string(),
        kFull + "AllowedIPs = 10.0.0.0/33\n"}) {
    write(text);
    EXPECT_EQ(run(run_apply, {"wg0"}), 1);
    EXPECT_NE(err_.find("wg0.conf"), std::string::npos) << err_;
    EXPECT_EQ(state(), before);
  }
  EXPECT_EQ(devices_.changes.size(), num_changes);
}

TEST_F(Save, ChangesOnlyWhatIsDifferent) {
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  EXPECT_EQ(run(run_save, {"wg0"}), 0) << err_;
  // The port is chosen by the kernel; this one has none.
  EXPECT_EQ(read(), kFull);
  Device &device = devices_.devices["wg0"];
  device.peers[1].keepalive_s = 25;
  EXPECT_EQ(run(run_save, {"wg0"}), 0);
  EXPECT_EQ(read(), kFull + "PersistentKeepalive = 25\n");
  EXPECT_EQ(run(run_diff, {"wg0"}), 0) << out_;
}

TEST_F(Save, IsDoneByDownWhenTheFileSaysSo) {
  std::string text = kFull;
  text.insert(text.find("PreUp"), "SaveConfig = true\n");
  write(text);
  ASSERT_EQ(run(run_up, {"wg0"}), 0);
  devices_.devices["wg0"].peers.pop_back();
  ASSERT_EQ(run(run_down, {"wg0"}), 0) << err_;
  EXPECT_EQ(read(), text.substr(0, text.rfind("[Peer]")));
}

}  // namespace
}  // namespace wg::tool
