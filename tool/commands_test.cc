// SPDX-License-Identifier: GPL-2.0
#include "commands.hh"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "test_devices.hh"
#include "test_file.hh"

namespace wg::tool {
namespace {

const std::string kKey1 = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const std::string kKey2 = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

// Runs one command against devices in memory.
class CommandTest : public testing::Test {
 protected:
  CommandTest() : context_{devices_, "wgtool", {}, {}} {
    setenv("WG_COLOR_MODE", "never", 1);
    for (const char *name : {"wg0", "wg1"}) {
      Device device;
      device.name = name;
      device.listen_port = 7;
      devices_.devices.push_back(device);
    }
  }

  // Return: standard output, or the error.
  std::string run(CommandFunction command, const std::vector<std::string> &arguments) {
    try {
      status_ = command(context_, arguments);
    } catch (const UsageError &error) {
      return std::string("usage: ") + error.what();
    } catch (const Error &error) {
      return std::string("error: ") + error.what();
    }
    std::string text(context_.out.text());
    context_.out = {};
    return text;
  }

  const DeviceChange &sent() const { return devices_.changes.at(0); }

  TestDevices devices_;
  Context context_;
  int status_ = -1;
};

using Show = CommandTest;
using Set = CommandTest;
using SetConf = CommandTest;
using SyncConf = CommandTest;

TEST_F(Show, PrintsAllDevicesWithABlankLineBetween) {
  EXPECT_EQ(run(run_show, {}),
            "interface: wg0\n  listening port: 7\n\n"
            "interface: wg1\n  listening port: 7\n");
  EXPECT_EQ(run(run_show, {"all", "listen-port"}), "wg0\t7\nwg1\t7\n");
  EXPECT_EQ(run(run_show, {"wg1", "listen-port"}), "7\n");
  EXPECT_EQ(run(run_show, {"interfaces"}), "wg0 wg1\n");
}

TEST_F(Show, GoesOnPastADeviceThatFails) {
  devices_.errors["wg0"] = EPERM;
  EXPECT_EQ(run(run_show, {"all", "listen-port"}), "wg1\t7\n");
  EXPECT_EQ(status_, 0);
  EXPECT_EQ(context_.err.text(),
            "Not permitted to access `wg0': run as root (needs CAP_NET_ADMIN)\n");
  devices_.errors["wg1"] = EPERM;
  EXPECT_EQ(run(run_show, {}), "");
  EXPECT_EQ(status_, 1);
}

TEST_F(Show, RefusesWrongWords) {
  EXPECT_EQ(run(run_show, {"wg0", "bogus"}), "usage: Invalid parameter: `bogus'");
  EXPECT_EQ(run(run_show, {"wg0", "peers", "more"}), "usage: ");
  EXPECT_EQ(run(run_show, {"interfaces", "peers"}), "usage: ");
  EXPECT_EQ(run(run_show, {"absent"}),
            "error: No interface `absent'; `wgtool show interfaces' lists them");
}

TEST_F(Show, SaysWhatToDoAboutAFailure) {
  const std::pair<int, std::string> table[] = {
      {ENODEV, "No interface `wg0'; `wgtool show interfaces' lists them"},
      {EPERM, "Not permitted to access `wg0': run as root (needs CAP_NET_ADMIN)"},
      {EACCES, "Not permitted to access `wg0': run as root (needs CAP_NET_ADMIN)"},
      {EPROTONOSUPPORT, "The kernel has no link kind `wireguard': load the module (modprobe wgpp)"},
      {EOPNOTSUPP,
       "`wg0' is no WireGuard interface of kind `wireguard'; `wgtool show interfaces' lists them"},
      {ENAMETOOLONG, "No name of an interface, which has at most 15 bytes: `wg0'"},
      {EIO, "Unable to access interface `wg0': Input/output error"},
  };
  for (const auto &[error, message] : table) {
    devices_.errors["wg0"] = error;
    EXPECT_EQ(run(run_show, {"wg0"}), "error: " + message);
  }
  context_.kind = "wgpp";
  devices_.errors["wg0"] = EPROTONOSUPPORT;
  EXPECT_EQ(run(run_show, {"wg0"}),
            "error: The kernel has no link kind `wgpp': load the module (modprobe wgpp kind=wgpp)");
}

TEST_F(Show, SaysWhatWgSaysWhenCalledSo) {
  context_.as_wg = true;
  EXPECT_EQ(run(run_show, {"absent"}), "error: Unable to access interface: No such device");
  devices_.errors["wg0"] = EPERM;
  EXPECT_EQ(run(run_show, {"all", "listen-port"}), "wg1\t7\n");
  EXPECT_EQ(context_.err.text(), "Unable to access interface wg0: Operation not permitted\n");
  EXPECT_EQ(run(run_show, {"wg1", "-j"}), "usage: Invalid parameter: `-j'");
  const TextFile names("# Name = x\n[Peer]\nPublicKey = " + kKey1 + "\n");
  EXPECT_EQ(run(run_show, {"wg1", "--names=" + names.path()}),
            "usage: Invalid parameter: `--names=" + names.path() + "'");
}

// A device whose peer got and sent something since the last read.
class BusyDevices : public TestDevices {
 public:
  Device get(const std::string &name) override {
    for (Device &device : devices) {
      for (Peer &peer : device.peers) {
        peer.rx_bytes += 1 << 20;
        peer.tx_bytes += 1 << 10;
      }
    }
    return TestDevices::get(name);
  }
};

class ShowOptions : public CommandTest {
 protected:
  ShowOptions() : names_("# Name = laptop\n[Peer]\nPublicKey = " + kKey1 + "\n") {
    busy_.devices = devices_.devices;
    Peer peer;
    peer.public_key = *PublicKey::parse(kKey1);
    peer.preshared_key.bytes.fill(5);
    busy_.devices[0].peers.push_back(peer);
    peer.public_key = *PublicKey::parse(kKey2);
    busy_.devices[0].peers.push_back(peer);
  }

  std::string show(std::vector<std::string> arguments) {
    arguments.push_back("--names=" + names_.path());
    Context context{busy_, "wgtool", {}, {}};
    try {
      status_ = run_show(context, arguments);
    } catch (const UsageError &error) {
      return std::string("usage: ") + error.what();
    } catch (const Error &error) {
      return std::string("error: ") + error.what();
    }
    return std::string(context.out.text()) + std::string(context.err.text());
  }

  const TextFile names_;
  BusyDevices busy_;
};

TEST_F(ShowOptions, NamePeers) {
  const std::string text = show({"wg0"});
  EXPECT_NE(text.find("peer: " + kKey1 + " (laptop)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("peer: " + kKey2 + "\n"), std::string::npos);
  EXPECT_EQ(show({"wg0", "--no-names"}).find("laptop"), std::string::npos);
}

TEST_F(ShowOptions, ChooseTheForm) {
  EXPECT_TRUE(show({"wg0", "-br"}).starts_with("wg0  laptop        rejected  -  1.00MiB  1.00KiB"));
  EXPECT_TRUE(show({"-o"}).starts_with("interface: wg0\\  listening port: 7\n"));
  EXPECT_TRUE(show({"wg0", "-j"}).starts_with("{\"schema\":1,"));
  EXPECT_TRUE(show({"wg0", "-p"}).starts_with("{\n  \"schema\": 1,"));
  EXPECT_TRUE(show({"-jbr"}).starts_with("usage: Unknown option"));
  EXPECT_TRUE(show({"-j", "-br"}).starts_with("usage: "));
  EXPECT_TRUE(show({"wg0", "peers", "-j"}).starts_with("usage: A field is printed in one form"));
  EXPECT_TRUE(show({"wg0", "--sort", "size"}).starts_with("usage: A sort key is one of"));
  EXPECT_TRUE(show({"wg0", "--stale", "0"}).starts_with("usage: --stale"));
  EXPECT_TRUE(show({"wg0", "--rate=0"}).starts_with("usage: --rate is a number of seconds"));
  EXPECT_TRUE(show({"wg0", "--rate=nan"}).starts_with("usage: --rate"));
  EXPECT_TRUE(show({"wg0", "--rate=1x"}).starts_with("usage: --rate"));
}

TEST_F(ShowOptions, HideSecretsUnlessAskedForThem) {
  const std::string psk = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=";
  for (const char *form : {"-j", "-br", "-o", "-p", "--no-names"}) {
    EXPECT_EQ(show({"wg0", form}).find(psk), std::string::npos) << form;
  }
  EXPECT_NE(show({"wg0", "-j", "--show-keys"}).find(psk), std::string::npos);
  EXPECT_NE(show({"wg0", "--show-keys"}).find(psk), std::string::npos);
}

TEST_F(ShowOptions, ChooseThePeers) {
  EXPECT_EQ(show({"--peer", "laptop", "-br"}).find(kKey2.substr(0, 10)), std::string::npos);
  EXPECT_EQ(status_, 0);
  EXPECT_EQ(show({"--peer", "phone"}),
            "No peer has this name or beginning of a public key: `phone'\n");
  EXPECT_EQ(status_, 1);
  EXPECT_EQ(show({"--state", "up"}), "");
  EXPECT_EQ(status_, 0);
  EXPECT_EQ(show({"wg1", "--peer", "laptop", "-j"}).substr(0, 12), "{\"schema\":1,");
  EXPECT_EQ(status_, 1);
}

TEST_F(ShowOptions, MeasureRates) {
  const std::string text = show({"wg0", "--rate=0.1"});
  EXPECT_NE(text.find("MiB/s received"), std::string::npos) << text;
  EXPECT_EQ(show({"wg0"}).find("rate"), std::string::npos);
}

TEST_F(Show, PrintsNothingWithoutDevices) {
  devices_.devices.clear();
  EXPECT_EQ(run(run_show, {}), "");
  EXPECT_EQ(status_, 0);
  EXPECT_EQ(run(run_show, {"interfaces"}), "");
}

TEST_F(Set, ParsesAllWordsBeforeItSends) {
  const TextFile key(kKey2 + "\n");
  run(run_set, {"wg0",
                "listen-port",
                "5",
                "fwmark",
                "0x6",
                "private-key",
                key.path(),
                "peer",
                kKey1,
                "preshared-key",
                key.path(),
                "endpoint",
                "192.0.2.1:5",
                "persistent-keepalive",
                "25",
                "allowed-ips",
                "10.0.0.1/8,::/0",
                "peer",
                kKey2,
                "remove"});
  EXPECT_EQ(status_, 0);
  ASSERT_EQ(devices_.changes.size(), 1u);
  EXPECT_EQ(sent().name, "wg0");
  EXPECT_EQ(sent().listen_port, 5);
  EXPECT_EQ(sent().fwmark, 6u);
  EXPECT_EQ(sent().private_key->bytes[0], 2);
  EXPECT_FALSE(sent().replace_peers);
  ASSERT_EQ(sent().peers.size(), 2u);
  const PeerChange &peer = sent().peers[0];
  EXPECT_EQ(peer.public_key.text(), kKey1);
  EXPECT_EQ(peer.preshared_key->bytes[0], 2);
  EXPECT_EQ(peer.endpoint->text(), "192.0.2.1:5");
  EXPECT_EQ(peer.keepalive_s, 25);
  EXPECT_EQ(peer.allowed_ips.size(), 2u);
  EXPECT_TRUE(peer.replace_allowed_ips);
  EXPECT_FALSE(peer.remove);
  EXPECT_TRUE(sent().peers[1].remove);
  EXPECT_FALSE(sent().peers[1].replace_allowed_ips);
  EXPECT_EQ(context_.err.text(), "Warning: AllowedIP has nonzero host part: 10.0.0.1/8\n");
}

TEST_F(Set, SaysWhatToDoAboutAFailure) {
  devices_.set_error = EPERM;
  EXPECT_EQ(run(run_set, {"wg0", "fwmark", "1"}),
            "error: Not permitted to modify `wg0': run as root (needs CAP_NET_ADMIN)");
  devices_.set_error = EADDRINUSE;
  EXPECT_EQ(run(run_set, {"wg0", "fwmark", "1"}),
            "error: Unable to modify interface `wg0': Address already in use");
  context_.as_wg = true;
  EXPECT_EQ(run(run_set, {"wg0", "fwmark", "1"}),
            "error: Unable to modify interface: Address already in use");
}

TEST_F(Set, LeavesAListAloneThatIsNotNamed) {
  run(run_set, {"wg0", "peer", kKey1});
  EXPECT_FALSE(sent().peers.at(0).replace_allowed_ips);
  EXPECT_FALSE(sent().peers.at(0).keepalive_s);
  EXPECT_FALSE(sent().listen_port);
}

TEST_F(Set, RefusesWordsOutOfPlaceAndSendsNothing) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> table = {
      {{"wg0", "foo"}, "error: Invalid argument: foo"},
      {{"wg0", "LISTEN-PORT", "5"}, "error: Invalid argument: LISTEN-PORT"},
      {{"wg0", "listen-port"}, "error: Invalid argument: listen-port"},
      {{"wg0", "peer"}, "error: Invalid argument: peer"},
      {{"wg0", "remove"}, "error: Invalid argument: remove"},
      {{"wg0", "endpoint", "192.0.2.1:5"}, "error: Invalid argument: endpoint"},
      {{"wg0", "peer", kKey1, "listen-port", "5"}, "error: Invalid argument: listen-port"},
      {{"wg0", "peer", kKey1, "private-key", "x"}, "error: Invalid argument: private-key"},
      {{"wg0", "peer", kKey1, "allowed-ips"}, "error: Invalid argument: allowed-ips"},
      {{"wg0", "peer", kKey1, "remove", "x\x1b"}, "error: Invalid argument: x?"},
      {{"wg0", "peer", "xx"}, "error: Key is not the correct length or format: `xx'"},
      {{"wg0"}, "usage: "},
      {{}, "usage: "},
  };
  for (const auto &[arguments, message] : table) EXPECT_EQ(run(run_set, arguments), message);
  EXPECT_TRUE(devices_.changes.empty());
}

TEST_F(SetConf, ReplacesAllButThePrivateKeyAndThePort) {
  const TextFile file("[Interface]\n[Peer]\nPublicKey=" + kKey1 + "\n");
  run(run_setconf, {"wg0", file.path()});
  EXPECT_EQ(status_, 0);
  EXPECT_TRUE(sent().replace_peers);
  EXPECT_FALSE(sent().listen_port);
  EXPECT_EQ(sent().fwmark, 0u);
  EXPECT_FALSE(sent().private_key);
  EXPECT_TRUE(sent().peers.at(0).replace_allowed_ips);
}

TEST_F(SetConf, RefusesAnEmptyFile) {
  const TextFile file("# nothing\n");
  for (const CommandFunction command : {run_setconf, run_syncconf}) {
    EXPECT_EQ(run(command, {"wg0", file.path()}),
              "error: Configuration file is empty: `" + file.path() +
                  "'; to remove peers or the key, use `set INTERFACE peer KEY remove' or `set "
                  "INTERFACE private-key /dev/null'");
  }
  EXPECT_TRUE(devices_.changes.empty());
}

TEST_F(SetConf, SendsNothingOfAFileWithAnError) {
  const TextFile file("[Interface]\nListenPort = 5\nfoo\n");
  EXPECT_TRUE(run(run_setconf, {"wg0", file.path()}).starts_with("error: " + file.path() + ":3: "));
  EXPECT_EQ(run(run_setconf, {"wg0", "/nonexistent"}),
            "error: fopen: No such file or directory: `/nonexistent'");
  EXPECT_TRUE(devices_.changes.empty());
}

TEST_F(SetConf, AddsOnlyWithAddconf) {
  const TextFile file("[Peer]\nPublicKey=" + kKey1 + "\n");
  run(run_addconf, {"wg0", file.path()});
  EXPECT_FALSE(sent().replace_peers);
  EXPECT_FALSE(sent().listen_port);
  EXPECT_FALSE(sent().fwmark);
  EXPECT_TRUE(sent().peers.at(0).replace_allowed_ips);
}

TEST_F(SyncConf, RemovesWhatTheFileLacksAndKeepsWhatIsAlike) {
  Device &device = devices_.devices[0];
  device.peers.resize(2);
  device.peers[0].public_key = *PublicKey::parse(kKey1);
  device.peers[1].public_key.bytes.fill(9);
  std::string warnings;
  PeerChange list;
  parse_allowed_ips(list, warnings, "10.0.0.0/8,::/0");
  device.peers[0].allowed_ips = list.allowed_ips;
  const TextFile file("[Peer]\nPublicKey=" + kKey1 + "\nAllowedIPs = ::/0, 10.0.0.0/8\n[Peer]\n" +
                      "PublicKey=" + kKey2 + "\nAllowedIPs = fd00::/8\nPersistentKeepalive = 5\n");
  run(run_syncconf, {"wg0", file.path()});
  EXPECT_EQ(status_, 0);
  EXPECT_FALSE(sent().replace_peers);
  EXPECT_FALSE(sent().listen_port);
  EXPECT_EQ(sent().fwmark, 0u);
  ASSERT_EQ(sent().peers.size(), 3u);
  EXPECT_TRUE(sent().peers[0].remove);
  EXPECT_EQ(sent().peers[0].public_key.bytes[0], 9);
  EXPECT_FALSE(sent().peers[1].replace_allowed_ips);
  EXPECT_TRUE(sent().peers[1].allowed_ips.empty());
  EXPECT_TRUE(sent().peers[1].preshared_key->is_zero());
  EXPECT_EQ(sent().peers[1].keepalive_s, 0);
  EXPECT_TRUE(sent().peers[2].replace_allowed_ips);
  EXPECT_EQ(sent().peers[2].keepalive_s, 5);
}

TEST_F(SyncConf, SaysThatItCannotReadTheDevice) {
  const TextFile file("[Interface]\n");
  EXPECT_EQ(run(run_syncconf, {"absent", file.path()}),
            "error: Unable to retrieve current interface configuration: No such device");
}

// Called wg, the same commands take what wg(8) takes. That all of it is alike is for
// selftests/parity.py to say.
class AsWg : public CommandTest {
 protected:
  AsWg() { context_.as_wg = true; }
  // The error as wg(8) has it.
  std::string brief(CommandFunction command, const std::vector<std::string> &arguments) {
    try {
      command(context_, arguments);
    } catch (const Error &error) {
      return context_.text(error);
    }
    return "no error";
  }
};

TEST_F(AsWg, SetTakesPortsAndEndpointsOfAnyForm) {
  EXPECT_EQ(run(run_set, {"wg0", "listen-port", "70000", "peer", kKey1, "endpoint", "1.2.3:80",
                          "peer", kKey2, "endpoint", "2001:db8::1:65537"}),
            "");
  EXPECT_EQ(sent().listen_port, 4464);
  EXPECT_EQ(sent().peers.at(0).endpoint->text(), "1.2.0.3:80");
  EXPECT_EQ(sent().peers.at(1).endpoint->text(), "[2001:db8::1]:1");
}

TEST_F(AsWg, SetLetsTheLastListDecide) {
  run(run_set, {"wg0", "peer", kKey1, "allowed-ips", "10.0.0.1", "allowed-ips", "+10.0.0.2"});
  EXPECT_FALSE(sent().peers.at(0).replace_allowed_ips);
  EXPECT_EQ(sent().peers.at(0).allowed_ips.size(), 2u);
}

TEST_F(AsWg, SetCutsTheNameOfTheInterface) {
  run(run_set, {"0123456789abcdefg", "fwmark", "1"});
  EXPECT_EQ(sent().name, "0123456789abcde");
}

TEST_F(AsWg, ErrorsGiveNoAdvice) {
  EXPECT_EQ(brief(run_set, {"wg0", "listen-port", ""}), "Unable to parse empty port");
  EXPECT_EQ(brief(run_set, {"wg0", "listen-port", "x"}),
            "Servname not supported for ai_socktype: `x'");
  EXPECT_EQ(brief(run_set, {"wg0", "private-key", "/nonexistent"}),
            "fopen: No such file or directory");
  EXPECT_EQ(brief(run_set, {"wg0", "private-key", "/"}), "Invalid length key in key file");
  EXPECT_EQ(brief(run_set, {"wg0", "peer", kKey1, "endpoint", "x"}),
            "Unable to find port of endpoint: `x'");
  EXPECT_EQ(brief(run_set, {"wg0", "peer", kKey1, "allowed-ips", "1.2"}),
            "Unable to parse IP address: `1.2'");
  devices_.errors["wg0"] = EPERM;
  EXPECT_EQ(brief(run_show, {"wg0", "bogus"}),
            "Unable to access interface: Operation not permitted");
}

TEST_F(AsWg, SetLooksAtTheRetriesOfAnyEndpoint) {
  setenv("WG_ENDPOINT_RESOLUTION_RETRIES", "3 ", 1);
  EXPECT_EQ(brief(run_set, {"wg0", "fwmark", "1"}), "no error");
  EXPECT_EQ(brief(run_set, {"wg0", "peer", kKey1, "endpoint", "x"}),
            "Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: `3 '");
  setenv("WG_ENDPOINT_RESOLUTION_RETRIES", " +3", 1);
  EXPECT_EQ(brief(run_set, {"wg0", "peer", kKey1, "endpoint", "192.0.2.1:5"}), "no error");
  unsetenv("WG_ENDPOINT_RESOLUTION_RETRIES");
}

TEST_F(AsWg, FilesClearWhatTheyOmit) {
  const TextFile file("# nothing\n");
  for (const CommandFunction command : {run_setconf, run_syncconf}) {
    EXPECT_EQ(run(command, {"wg0", file.path()}), "");
    EXPECT_TRUE(sent().replace_peers);
    EXPECT_TRUE(sent().private_key->is_zero());
    EXPECT_EQ(sent().listen_port, 0);
    EXPECT_EQ(sent().fwmark, 0u);
    devices_.changes.clear();
  }
}

TEST_F(AsWg, SyncconfTakesSeveralSectionsForOnePeer) {
  Device &device = devices_.devices[0];
  device.peers.resize(1);
  device.peers[0].public_key = *PublicKey::parse(kKey1);
  const TextFile file("[Peer]\nPublicKey=" + kKey1 + "\nPersistentKeepalive=5\n[Peer]\nPublicKey=" +
                      kKey1 + "\nAllowedIPs=::/0\n");
  EXPECT_EQ(run(run_syncconf, {"wg0", file.path()}), "");
  EXPECT_EQ(sent().listen_port, 0);
  ASSERT_EQ(sent().peers.size(), 2u);
  EXPECT_EQ(sent().peers[0].keepalive_s, 5);
  EXPECT_TRUE(sent().peers[0].preshared_key);
  EXPECT_FALSE(sent().peers[1].keepalive_s);
  EXPECT_FALSE(sent().peers[1].preshared_key);
  EXPECT_TRUE(sent().peers[1].replace_allowed_ips);
}

TEST_F(CommandTest, GenkeyMakesClampedKeysThatDiffer) {
  std::string last;
  for (int round = 0; round < 20; ++round) {
    const std::string text = run(run_genkey, {});
    ASSERT_EQ(text.size(), kKeyTextLen + 1);
    const auto key = SecretKey::parse(std::string_view(text).substr(0, kKeyTextLen));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->bytes[0] & 7, 0);
    EXPECT_EQ(key->bytes[31] & 0xc0, 0x40);
    EXPECT_NE(text, last);
    last = text;
  }
  EXPECT_EQ(run(run_genkey, {"x"}), "usage: ");
  EXPECT_EQ(run(run_genpsk, {"x"}), "usage: ");
  EXPECT_EQ(run(run_pubkey, {"x"}), "usage: ");
}

TEST_F(CommandTest, GenpskIsNotClamped) {
  uint8_t low = 0, high = 0;
  for (int round = 0; round < 64; ++round) {
    const std::string text = run(run_genpsk, {});
    const auto key = SecretKey::parse(std::string_view(text).substr(0, kKeyTextLen));
    ASSERT_TRUE(key);
    low |= key->bytes[0];
    high |= key->bytes[31];
  }
  EXPECT_EQ(low & 7, 7);
  EXPECT_EQ(high & 0x80, 0x80);
}

}  // namespace
}  // namespace wg::tool
