// SPDX-License-Identifier: GPL-2.0
#include "uapi.hh"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>

#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

constexpr size_t kHexKeyLen = 2 * kKeyLen;
// A hundred thousand peers with ten prefixes each need less.
constexpr size_t kMaxAnswerLen = 128 << 20;
constexpr std::string_view kSuffix = ".sock";

[[noreturn]] void fail_protocol(const std::string &detail) {
  throw SystemError(EPROTO, detail);
}

// Wiped, and in time that does not depend on the key's value.
void append_hex(SecretBytes &out, const std::array<uint8_t, kKeyLen> &key) {
  const auto digit = [](uint32_t value) {
    // 10 to 15 borrow here, which moves them from behind '9' to 'a'.
    const uint32_t is_letter = (9U - value) >> 31;
    return static_cast<char>(value + '0' + is_letter * ('a' - '0' - 10));
  };
  for (const uint8_t byte : key) {
    out.push_back(digit(byte >> 4U));
    out.push_back(digit(byte & 15U));
  }
}

bool decode_hex(std::array<uint8_t, kKeyLen> &key, std::string_view text) {
  if (text.size() != kHexKeyLen) return false;
  uint32_t bad = 0;
  for (size_t i = 0; i < kHexKeyLen; ++i) {
    const auto c = static_cast<uint32_t>(static_cast<unsigned char>(text[i]));
    const uint32_t number = c - '0';
    const uint32_t letter = (c | 0x20U) - 'a';
    // All ones for a digit of that kind.
    const uint32_t is_number = (((number | (9U - number)) >> 31) & 1U) - 1U;
    const uint32_t is_letter = (((letter | (5U - letter)) >> 31) & 1U) - 1U;
    bad |= ~(is_number | is_letter);
    const uint32_t value = (is_number & number) | (is_letter & (letter + 10U));
    key[i / 2] = static_cast<uint8_t>((key[i / 2] << 4U) | (value & 15U));
  }
  return bad == 0;
}

void append(SecretBytes &out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

void append_key_line(SecretBytes &out, std::string_view name,
                     const std::array<uint8_t, kKeyLen> &key) {
  append(out, name);
  out.push_back('=');
  append_hex(out, key);
  out.push_back('\n');
}

void append_peer(SecretBytes &out, const PeerChange &peer) {
  append_key_line(out, "public_key", peer.public_key.bytes);
  if (peer.remove) return append(out, "remove=true\n");
  if (peer.preshared_key) append_key_line(out, "preshared_key", peer.preshared_key->bytes);
  if (peer.endpoint) append(out, fmt::format("endpoint={}\n", peer.endpoint->text()));
  if (peer.keepalive_s) {
    append(out, fmt::format("persistent_keepalive_interval={}\n", *peer.keepalive_s));
  }
  if (peer.replace_allowed_ips) append(out, "replace_allowed_ips=true\n");
  for (const AllowedIp &ip : peer.allowed_ips) {
    append(out, fmt::format("allowed_ip={}{}\n", ip.remove ? "-" : "", ip.text()));
  }
}

// Walks over the lines of an answer. What is a device's and what a peer's goes by what has been
// seen before.
class AnswerReader {
 public:
  explicit AnswerReader(Device *device) : device_(device) {}

  void read(std::string_view answer) {
    while (!answer.empty()) {
      const size_t end = answer.find('\n');
      if (end == std::string_view::npos) fail_protocol("a line has no end");
      read_line(answer.substr(0, end));
      answer.remove_prefix(end + 1);
    }
    if (!status_) fail_protocol("the answer has no errno");
    // Both signs are in use.
    if (*status_ != 0) throw SystemError(std::abs(*status_));
  }

 private:
  void read_line(std::string_view line) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) fail_protocol("a line is no key=value");
    const std::string_view name = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    if (name == "errno") {
      status_ = errno_value(value);
    } else if (device_ == nullptr) {
      return;
    } else if (name == "public_key") {
      device_->peers.emplace_back();
      read_key(device_->peers.back().public_key.bytes, value, name);
    } else if (device_->peers.empty()) {
      read_device(name, value);
    } else {
      read_peer(device_->peers.back(), name, value);
    }
  }

  void read_device(std::string_view name, std::string_view value) {
    if (name == "private_key") {
      read_key(device_->private_key.bytes, value, name);
      if (device_->private_key.is_zero()) return;
      device_->public_key = device_->private_key.public_key();
    } else if (name == "listen_port") {
      device_->listen_port = static_cast<uint16_t>(number(value, UINT16_MAX, name));
    } else if (name == "fwmark") {
      device_->fwmark = static_cast<uint32_t>(number(value, UINT32_MAX, name));
    }
  }

  static void read_peer(Peer &peer, std::string_view name, std::string_view value) {
    if (name == "preshared_key") {
      read_key(peer.preshared_key.bytes, value, name);
    } else if (name == "endpoint") {
      peer.endpoint = parse_numeric_endpoint(value);
      if (!peer.endpoint) fail_protocol("endpoint is no address and port");
    } else if (name == "persistent_keepalive_interval") {
      peer.keepalive_s = static_cast<uint16_t>(number(value, UINT16_MAX, name));
    } else if (name == "allowed_ip") {
      peer.allowed_ips.push_back(allowed_ip(value));
    } else if (name == "last_handshake_time_sec") {
      peer.handshake_s = static_cast<int64_t>(number(value, INT64_MAX, name));
    } else if (name == "last_handshake_time_nsec") {
      peer.handshake_ns = static_cast<int64_t>(number(value, INT64_MAX, name));
    } else if (name == "rx_bytes") {
      peer.rx_bytes = number(value, UINT64_MAX, name);
    } else if (name == "tx_bytes") {
      peer.tx_bytes = number(value, UINT64_MAX, name);
    }
  }

  static uint64_t number(std::string_view value, uint64_t max, std::string_view name) {
    const auto parsed = parse_decimal(value, max);
    if (!parsed) fail_protocol(fmt::format("{} is no number in its range", name));
    return *parsed;
  }

  static void read_key(std::array<uint8_t, kKeyLen> &key, std::string_view value,
                       std::string_view name) {
    if (!decode_hex(key, value)) fail_protocol(fmt::format("{} is no key in hex", name));
  }

  static AllowedIp allowed_ip(std::string_view value) {
    const auto ip = parse_prefix(value);
    if (!ip) fail_protocol("allowed_ip is no prefix");
    return *ip;
  }

  static int errno_value(std::string_view value) {
    int number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    // Other systems' numbers end long before.
    constexpr int kMaxErrno = 4095;
    if (error != std::errc() || end != value.data() + value.size() || number < -kMaxErrno ||
        number > kMaxErrno) {
      fail_protocol("errno is no error number");
    }
    return number;
  }

  Device *device_;
  std::optional<int> status_;
};

// How long a program may be silent, and how long a whole answer may take; big devices take theirs.
constexpr time_t kSilence_s = 10;
constexpr int kWhole_s = 60;

// A socket's file descriptor.
class Connection {
 public:
  // Throws SystemError.
  explicit Connection(const std::string &path)
      : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) throw SystemError(errno);
    // A program that hangs is not to hang us. It holds up connect(), too, when many wait for it.
    const timeval limit{kSilence_s, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    if (connect(fd_, reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
      const int error = errno == EAGAIN ? ETIMEDOUT : errno;
      close(fd_);
      throw SystemError(error);
    }
  }
  Connection(const Connection &) = delete;
  Connection &operator=(const Connection &) = delete;
  ~Connection() { close(fd_); }

  // Return: the answer without the empty line at its end.
  SecretBytes transact(std::string_view request) {
    send_all(request);
    SecretBytes answer;
    size_t len = 0;
    // One that says a byte now and then does not hold us for ever either.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kWhole_s);
    for (;;) {
      if (std::chrono::steady_clock::now() > deadline) throw SystemError(ETIMEDOUT);
      if (len == answer.size()) answer.resize(std::clamp<size_t>(2 * len, 1 << 16, kMaxAnswerLen));
      if (len == answer.size()) fail_protocol("the answer has no end");
      const ssize_t got = recv(fd_, answer.data() + len, answer.size() - len, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw SystemError(errno == EAGAIN ? ETIMEDOUT : errno);
      if (got == 0) fail_protocol("the answer ends early");
      // The empty line may have begun with the last byte of what came before.
      const size_t from = len == 0 ? 0 : len - 1;
      len += static_cast<size_t>(got);
      const size_t end = std::string_view(answer.data(), len).find("\n\n", from);
      if (end != std::string_view::npos) {
        answer.resize(end + 1);
        return answer;
      }
    }
  }

 private:
  void send_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put >= 0) {
        bytes.remove_prefix(static_cast<size_t>(put));
      } else if (errno == EPIPE) {
        // It may have said why before it hung up.
        return;
      } else if (errno != EINTR) {
        throw SystemError(errno == EAGAIN ? ETIMEDOUT : errno);
      }
    }
  }

  int fd_;
};

class SocketDevices : public Devices {
 public:
  SocketDevices(std::unique_ptr<Devices> kernel, std::string directory)
      : kernel_(std::move(kernel)), directory_(std::move(directory)) {}

  std::vector<std::string> list() override {
    std::vector<std::string> names = kernel_->list();
    DIR *directory = opendir(directory_.c_str());
    if (directory == nullptr) return names;
    const OnExit close_it([directory] { closedir(directory); });
    while (const dirent *entry = readdir(directory)) {
      const std::string_view file(entry->d_name);
      if (file.size() <= kSuffix.size() || !file.ends_with(kSuffix)) continue;
      const std::string name(file.substr(0, file.size() - kSuffix.size()));
      try {
        if (connect_to(name) == nullptr) continue;
      } catch (const SystemError &) {
        // Not ours to talk to: whoever asks for it by name is told why.
        continue;
      }
      // It stands in front of the kernel's device.
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
  }

  Device get(const std::string &name) override {
    const auto connection = connect_to(name);
    if (connection == nullptr) return kernel_->get(name);
    const SecretBytes answer = connection->transact("get=1\n\n");
    return decode_uapi_device(name, view(answer));
  }

  Diagnostics diagnose(const std::string &name) override {
    // A program in user space says nothing of the kind.
    return connect_to(name) == nullptr ? kernel_->diagnose(name) : Devices::diagnose(name);
  }

  void set(const DeviceChange &change) override {
    const auto connection = connect_to(change.name);
    if (connection == nullptr) return kernel_->set(change);
    try {
      send(*connection, change);
    } catch (const SystemError &error) {
      // Older programs know no removal of a single AllowedIP.
      if (error.error() != EINVAL || !change.removes_allowed_ips()) throw;
      const DeviceChange whole = without_removals(change, get(change.name));
      const auto again = connect_to(change.name);
      if (again == nullptr) throw;
      send(*again, whole);
    }
  }

 private:
  static void send(Connection &connection, const DeviceChange &change) {
    const SecretBytes request = encode_uapi_set(change);
    decode_uapi_status(view(connection.transact(view(request))));
  }

  // Return: nullptr when the name has no socket, or none that somebody listens on.
  std::unique_ptr<Connection> connect_to(const std::string &name) const {
    const bool is_file_name = !name.empty() && name.find('/') == std::string::npos &&
                              name.find('\0') == std::string::npos;
    const std::string path = directory_ + "/" + name + std::string(kSuffix);
    struct stat status;
    if (!is_file_name || path.size() >= sizeof(sockaddr_un::sun_path) ||
        stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
      return nullptr;
    }
    try {
      return std::make_unique<Connection>(path);
    } catch (const SystemError &error) {
      if (error.error() != ECONNREFUSED) throw;
      // Its program has died and cannot have it back; the next one needs the name.
      unlink(path.c_str());
      return nullptr;
    }
  }

  std::unique_ptr<Devices> kernel_;
  std::string directory_;
};

}  // namespace

SecretBytes encode_uapi_set(const DeviceChange &change) {
  SecretBytes out;
  append(out, "set=1\n");
  if (change.private_key) append_key_line(out, "private_key", change.private_key->bytes);
  if (change.listen_port) append(out, fmt::format("listen_port={}\n", *change.listen_port));
  if (change.fwmark) append(out, fmt::format("fwmark={}\n", *change.fwmark));
  if (change.replace_peers) append(out, "replace_peers=true\n");
  for (const PeerChange &peer : change.peers) append_peer(out, peer);
  append(out, "\n");
  return out;
}

Device decode_uapi_device(const std::string &name, std::string_view answer) {
  Device device;
  device.name = name;
  AnswerReader(&device).read(answer);
  return device;
}

void decode_uapi_status(std::string_view answer) {
  AnswerReader(nullptr).read(answer);
}

std::unique_ptr<Devices> with_sockets(std::unique_ptr<Devices> kernel, std::string directory) {
  return std::make_unique<SocketDevices>(std::move(kernel), std::move(directory));
}

}  // namespace wg::tool
