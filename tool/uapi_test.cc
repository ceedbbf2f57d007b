// SPDX-License-Identifier: GPL-2.0
#include "uapi.hh"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "error.hh"
#include "test_devices.hh"
#include "test_file.hh"

namespace wg::tool {
namespace {

const std::string kHex1 = "0101010101010101010101010101010101010101010101010101010101010101";
const std::string kHex2 = "abcdef0202020202020202020202020202020202020202020202020202020209";
const std::string kHexZero(64, '0');

Device decode(const std::string &text) {
  return decode_uapi_device("wg0", text);
}

// The message of a failure, or "no error".
std::string error_of(const std::string &text) {
  try {
    decode(text);
  } catch (const SystemError &error) {
    return error.what();
  }
  return "no error";
}

TEST(UapiAnswer, ReadsEveryKey) {
  const Device device = decode("private_key=" + kHex1 +
                               "\nlisten_port=51820\nfwmark=51820\n"
                               "public_key=" +
                               kHex2 + "\npreshared_key=" + kHex1 +
                               "\nprotocol_version=1\n"
                               "endpoint=[2001:db8::1]:0\n"
                               "last_handshake_time_sec=7\nlast_handshake_time_nsec=8\n"
                               "tx_bytes=18446744073709551615\nrx_bytes=9\n"
                               "persistent_keepalive_interval=65535\n"
                               "allowed_ip=10.0.0.0/8\nallowed_ip=fd00::/8\n"
                               "public_key=" +
                               kHex1 + "\nendpoint=192.0.2.1:65535\nerrno=0\n");
  EXPECT_EQ(device.name, "wg0");
  EXPECT_EQ(device.private_key.bytes[31], 1);
  ASSERT_TRUE(device.public_key);
  EXPECT_EQ(device.public_key, device.private_key.public_key());
  EXPECT_EQ(device.listen_port, 51820);
  EXPECT_EQ(device.fwmark, 51820u);
  ASSERT_EQ(device.peers.size(), 2u);
  const Peer &peer = device.peers[0];
  EXPECT_EQ(peer.public_key.bytes[0], 0xab);
  EXPECT_EQ(peer.public_key.bytes[31], 9);
  EXPECT_EQ(peer.preshared_key.bytes[0], 1);
  EXPECT_EQ(peer.endpoint->text(), "[2001:db8::1]:0");
  EXPECT_EQ(peer.handshake_s, 7);
  EXPECT_EQ(peer.handshake_ns, 8);
  EXPECT_EQ(peer.tx_bytes, UINT64_MAX);
  EXPECT_EQ(peer.rx_bytes, 9u);
  EXPECT_EQ(peer.keepalive_s, 65535);
  ASSERT_EQ(peer.allowed_ips.size(), 2u);
  EXPECT_EQ(peer.allowed_ips[1].text(), "fd00::/8");
  EXPECT_EQ(device.peers[1].endpoint->text(), "192.0.2.1:65535");
}

TEST(UapiAnswer, TakesTheKeyOfZerosAsNone) {
  const Device device = decode("private_key=" + kHexZero + "\nerrno=0\n");
  EXPECT_TRUE(device.private_key.is_zero());
  EXPECT_FALSE(device.public_key);
}

TEST(UapiAnswer, SkipsKeysThatAreUnknown) {
  EXPECT_EQ(decode("colour=blue\nlisten_port=3\nerrno=0\n").listen_port, 3);
}

TEST(UapiAnswer, RefusesWhatIsNone) {
  EXPECT_EQ(error_of(""), "Protocol error (the answer has no errno)");
  EXPECT_EQ(error_of("listen_port=3\n"), "Protocol error (the answer has no errno)");
  EXPECT_EQ(error_of("errno=0"), "Protocol error (a line has no end)");
  EXPECT_EQ(error_of("garbage\nerrno=0\n"), "Protocol error (a line is no key=value)");
  for (const char *value : {"", "x", "0x1", "99999", "-99999", "1 ", "0\r"}) {
    EXPECT_EQ(error_of(std::string("errno=") + value + "\n"),
              "Protocol error (errno is no error number)")
        << value;
  }
}

TEST(UapiAnswer, RefusesValuesOutOfRangeWithoutQuotingThem) {
  const std::string peer = "public_key=" + kHex1 + "\n";
  const struct {
    std::string line, message;
  } cases[] = {
      {"listen_port=65536", "listen_port is no number in its range"},
      {"listen_port=-1", "listen_port is no number in its range"},
      {"listen_port=5\r", "listen_port is no number in its range"},
      {"fwmark=4294967296", "fwmark is no number in its range"},
      {"fwmark=0x1", "fwmark is no number in its range"},
      {"private_key=" + kHex1 + "0", "private_key is no key in hex"},
      {"private_key=" + kHex1.substr(1), "private_key is no key in hex"},
      {"private_key=" + kHex1.substr(1) + "g", "private_key is no key in hex"},
      {"public_key=/" + kHex1.substr(1), "public_key is no key in hex"},
      {"public_key=:" + kHex1.substr(1), "public_key is no key in hex"},
      {"public_key=`" + kHex1.substr(1), "public_key is no key in hex"},
      {"public_key=\xff" + kHex1.substr(1), "public_key is no key in hex"},
      {peer + "preshared_key=00", "preshared_key is no key in hex"},
      {peer + "endpoint=vpn.example.com:5", "endpoint is no address and port"},
      {peer + "endpoint=1.2.3:5", "endpoint is no address and port"},
      {peer + "endpoint=192.0.2.1:65536", "endpoint is no address and port"},
      {peer + "endpoint=192.0.2.1", "endpoint is no address and port"},
      {peer + "endpoint=[192.0.2.1]:5", "endpoint is no address and port"},
      {peer + "endpoint=2001:db8::1:5", "endpoint is no address and port"},
      {peer + "endpoint=", "endpoint is no address and port"},
      {peer + "allowed_ip=10.0.0.0/33", "allowed_ip is no prefix"},
      {peer + "allowed_ip=10.0.0.0", "allowed_ip is no prefix"},
      {peer + std::string("allowed_ip=10.0.0.0\0x/8", 23), "allowed_ip is no prefix"},
      {peer + "rx_bytes=18446744073709551616", "rx_bytes is no number in its range"},
      {peer + "last_handshake_time_sec=-5", "last_handshake_time_sec is no number in its range"},
      {peer + "persistent_keepalive_interval=off",
       "persistent_keepalive_interval is no number in its range"},
  };
  for (const auto &one : cases) {
    EXPECT_EQ(error_of(one.line + "\nerrno=0\n"), "Protocol error (" + one.message + ")")
        << one.line;
  }
}

TEST(UapiAnswer, ThrowsItsErrorOfEitherSign) {
  for (const char *value : {"13", "-13"}) {
    EXPECT_EQ(error_of(std::string("errno=") + value + "\n"), "Permission denied");
    EXPECT_THROW(decode_uapi_status(std::string("errno=") + value + "\n"), SystemError);
  }
  EXPECT_NO_THROW(decode_uapi_status("errno=0\n"));
  EXPECT_NO_THROW(decode_uapi_status("listen_port=x\nerrno=0\n"));
  EXPECT_THROW(decode_uapi_status("listen_port=5\n"), SystemError);
}

TEST(UapiRequest, SaysEveryChange) {
  DeviceChange change;
  change.private_key.emplace();
  change.private_key->bytes.fill(0xa9);
  change.listen_port = 5;
  change.fwmark = 0x10;
  change.replace_peers = true;
  change.peers.resize(2);
  change.peers[0].public_key.bytes.fill(1);
  change.peers[0].preshared_key.emplace();
  std::string no_warnings;
  set_endpoint(change.peers[0], "[2001:db8::1]:5");
  parse_allowed_ips(change.peers[0], no_warnings, "10.0.0.0/8,::1");
  parse_allowed_ips(change.peers[0], no_warnings, "-10.0.0.1");
  change.peers[0].keepalive_s = 25;
  change.peers[1].public_key.bytes.fill(1);
  change.peers[1].remove = true;
  change.peers[1].keepalive_s = 25;
  std::string a9;
  for (size_t i = 0; i < kKeyLen; ++i) a9 += "a9";
  EXPECT_EQ(view(encode_uapi_set(change)),
            "set=1\nprivate_key=" + a9 +
                "\nlisten_port=5\nfwmark=16\nreplace_peers=true\n"
                "public_key=" +
                kHex1 + "\npreshared_key=" + kHexZero +
                "\nendpoint=[2001:db8::1]:5\npersistent_keepalive_interval=25\n"
                "replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=::1/128\n"
                "allowed_ip=-10.0.0.1/32\n"
                "public_key=" +
                kHex1 + "\nremove=true\n\n");
  EXPECT_EQ(view(encode_uapi_set({})), "set=1\n\n");
}

// A directory of its own for sockets, and kernel devices "wg0" and "both".
class UapiSocket : public testing::Test {
 protected:
  UapiSocket() {
    auto kernel = std::make_unique<TestDevices>();
    for (const char *device : {"wg0", "both"}) {
      kernel->devices.emplace_back();
      kernel->devices.back().name = device;
      kernel->devices.back().listen_port = 1;
    }
    kernel_ = kernel.get();
    devices_ = with_sockets(std::move(kernel), directory_);
  }
  ~UapiSocket() override {
    for (std::thread &server : servers_) server.join();
  }

  std::string path(const std::string &name) const { return directory_ + "/" + name + ".sock"; }

  int bind_socket(const std::string &name) const {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path(name).copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr *>(&address), sizeof(address)), 0);
    return fd;
  }

  // Serves one connection for each answer; an empty one hangs up at once.
  void serve(const std::string &name, const std::vector<std::string> &answers) {
    const int listener = bind_socket(name);
    EXPECT_EQ(listen(listener, 5), 0);
    servers_.emplace_back([this, listener, answers] {
      for (const std::string &answer : answers) {
        const int fd = accept(listener, nullptr, nullptr);
        std::string request;
        char buffer[4096];
        ssize_t got = 1;
        while (!answer.empty() && got > 0 && !request.ends_with("\n\n")) {
          got = read(fd, buffer, sizeof(buffer));
          if (got > 0) request.append(buffer, static_cast<size_t>(got));
        }
        requests_ += request;
        // In two pieces, cut in the empty line.
        if (!answer.empty()) {
          const size_t cut = answer.size() - 1;
          EXPECT_EQ(send(fd, answer.data(), cut, MSG_NOSIGNAL), static_cast<ssize_t>(cut));
          usleep(1000);
          EXPECT_EQ(send(fd, answer.data() + cut, 1, MSG_NOSIGNAL), 1);
        }
        close(fd);
      }
      close(listener);
    });
  }

  TestDirectory files_;
  const std::string &directory_ = files_.path();
  TestDevices *kernel_ = nullptr;
  std::unique_ptr<Devices> devices_;
  std::vector<std::thread> servers_;
  std::string requests_;
};

TEST_F(UapiSocket, IsListedAfterTheKernelsDevices) {
  serve("go0", {""});
  serve("both", {""});
  std::vector<std::string> names = devices_->list();
  EXPECT_EQ(names, (std::vector<std::string>{"wg0", "both", "go0"}));
}

TEST_F(UapiSocket, WinsOverTheKernelsDevice) {
  serve("both", {"listen_port=2\nerrno=0\n\n"});
  EXPECT_EQ(devices_->get("both").listen_port, 2);
  EXPECT_EQ(devices_->get("wg0").listen_port, 1);
  servers_[0].join();
  servers_.clear();
  EXPECT_EQ(requests_, "get=1\n\n");
}

TEST_F(UapiSocket, TakesChanges) {
  serve("go0", {"errno=0\n\n", "errno=-1\n\n"});
  DeviceChange change;
  change.name = "go0";
  change.fwmark = 3;
  EXPECT_NO_THROW(devices_->set(change));
  EXPECT_THROW(devices_->set(change), SystemError);
  EXPECT_TRUE(kernel_->changes.empty());
  change.name = "wg0";
  devices_->set(change);
  EXPECT_EQ(kernel_->changes.size(), 1u);
}

TEST_F(UapiSocket, ReplacesAListThatItCannotRemoveFrom) {
  const std::string state =
      "public_key=" + kHex1 + "\nallowed_ip=10.1.0.0/16\nallowed_ip=10.2.0.0/16\nerrno=0\n\n";
  serve("go0", {"errno=-22\n\n", state, "errno=0\n\n"});
  DeviceChange change;
  change.name = "go0";
  change.peers.resize(1);
  change.peers[0].public_key.bytes.fill(1);
  std::string no_warnings;
  parse_allowed_ips(change.peers[0], no_warnings, "-10.1.0.0/16");
  devices_->set(change);
  servers_[0].join();
  servers_.clear();
  EXPECT_TRUE(requests_.ends_with("get=1\n\nset=1\npublic_key=" + kHex1 +
                                  "\nreplace_allowed_ips=true\nallowed_ip=10.2.0.0/16\n\n"))
      << requests_;
}

TEST_F(UapiSocket, IsRemovedWhenNobodyListens) {
  close(bind_socket("wg0"));
  ASSERT_TRUE(std::filesystem::exists(path("wg0")));
  EXPECT_EQ(devices_->get("wg0").listen_port, 1);
  EXPECT_FALSE(std::filesystem::exists(path("wg0")));
  close(bind_socket("stale"));
  EXPECT_EQ(devices_->list(), (std::vector<std::string>{"wg0", "both"}));
  EXPECT_FALSE(std::filesystem::exists(path("stale")));
}

TEST_F(UapiSocket, IsNoOtherFile) {
  std::filesystem::create_directory(path("wg0"));
  EXPECT_EQ(devices_->get("wg0").listen_port, 1);
  EXPECT_TRUE(std::filesystem::exists(path("wg0")));
  serve("go0", {""});
  // Not through a path, which could lead to any socket.
  EXPECT_THROW(devices_->get("./go0"), SystemError);
  EXPECT_THROW(devices_->get(""), SystemError);
  EXPECT_THROW(devices_->get(std::string(200, 'a')), SystemError);
  EXPECT_EQ(devices_->list(), (std::vector<std::string>{"wg0", "both", "go0"}));
}

TEST_F(UapiSocket, FailsWhenItHangsUp) {
  serve("go0", {"listen_port=2\nerrno=0\n", ""});
  const auto error_of_get = [this] {
    try {
      devices_->get("go0");
      return std::string("no error");
    } catch (const SystemError &error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(error_of_get(), "Protocol error (the answer ends early)");
  // Before or after our request has reached it.
  const std::string error = error_of_get();
  EXPECT_TRUE(error.starts_with("Protocol error") || error == "Connection reset by peer") << error;
}

}  // namespace
}  // namespace wg::tool
