// SPDX-License-Identifier: GPL-2.0
// The far end of a tunnel, outside of the machine that is searched for secrets: whatever key
// it finds there, the module left there. It answers handshakes and echo requests, and prints
// each session's keys once they have carried a packet.
//
//	outside_peer PORT-FILE PRIVATE-KEY-HEX PEER-PUBLIC-KEY-HEX PRESHARED-KEY-HEX
//
// Binds a free UDP port of the loopback address and writes its number to PORT-FILE. Output
// lines: "static HEX" (the shared secret of the two static keys), "session HEX HEX" (the key
// it sends with, the key it receives with), "echo N" after the Nth answered request. Ends
// when standard input does.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "session.hh"
#include "test_peer.hh"
#include "x25519.hh"

namespace {

using wgtest::Key;
using wgtest::Message;

// Ticks from wall-clock time on, as SimPeer derives its handshake timestamps from now_ns.
uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto unix_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return static_cast<uint64_t>(unix_ns) - wgtest::kUnixEpoch_ns;
}

std::string hex(const uint8_t *bytes, size_t len) {
  std::string text;
  for (size_t i = 0; i < len; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", bytes[i]);
    text += digits;
  }
  return text;
}

// The answer to an IPv4 echo request; empty for anything else.
Message echo_reply(const Message &packet) {
  const size_t header_len = packet.empty() ? 0 : (packet[0] & 15U) * 4U;
  if (packet.size() < header_len + 8 || packet[0] >> 4 != 4 || packet[9] != 1 ||
      packet[header_len] != 8)
    return {};
  Message reply = packet;
  // Swapped addresses leave the header's checksum as it is.
  std::swap_ranges(reply.begin() + 12, reply.begin() + 16, reply.begin() + 16);
  // Type 8 becomes 0: the ones' complement sum falls by 0x0800 (RFC 1624, eqn. 3).
  reply[header_len] = 0;
  uint32_t sum = (reply[header_len + 2] << 8 | reply[header_len + 3]) + 0x0800;
  sum = (sum & 0xffff) + (sum >> 16);
  reply[header_len + 2] = static_cast<uint8_t>(sum >> 8);
  reply[header_len + 3] = static_cast<uint8_t>(sum);
  return reply;
}

[[noreturn]] void die(const char *what) {
  std::perror(what);
  std::exit(1);
}

class OutsidePeer {
 public:
  OutsidePeer(wgtest::Random &random, const Key &own, const Key &theirs, const Key &psk)
      : peer_(random, own) {
    peer_.meet(theirs, &psk);
    peer_.transmit = [this](const Message &message) {
      ::sendto(socket_, message.data(), message.size(), 0, reinterpret_cast<sockaddr *>(&remote_),
               sizeof remote_);
    };
  }

  uint16_t bind_to_loopback() {
    socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof local;
    if (socket_ < 0 || ::bind(socket_, reinterpret_cast<sockaddr *>(&local), len) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr *>(&local), &len) != 0)
      die("outside_peer: cannot bind a UDP port");
    return ntohs(local.sin_port);
  }

  void serve() {
    pollfd fds[] = {{socket_, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    while (true) {
      if (::poll(fds, 2, timeout_ms()) < 0 && errno != EINTR) die("outside_peer: poll");
      if (fds[1].revents != 0 && ::getchar() == EOF) return;
      if (fds[0].revents & POLLIN) receive();
      if (peer_.deadline_ns() <= now_ns()) peer_.expire(now_ns());
    }
  }

 private:
  int timeout_ms() const {
    const uint64_t now = now_ns();
    if (peer_.deadline_ns() == WGC_NO_DEADLINE) return -1;
    if (peer_.deadline_ns() <= now) return 0;
    return static_cast<int>(
        std::min<uint64_t>((peer_.deadline_ns() - now) / wgtest::kMs + 1, 1000));
  }

  void receive() {
    Message message(65535);
    socklen_t len = sizeof remote_;
    const ssize_t got = ::recvfrom(socket_, message.data(), message.size(), 0,
                                   reinterpret_cast<sockaddr *>(&remote_), &len);
    if (got < 0) return;
    message.resize(static_cast<size_t>(got));
    const wgc_status status = peer_.receive(message, now_ns());
    if (status != WGC_OK) std::printf("refused %d\n", status);
    for (const Message &packet : peer_.log.delivered) {
      const Message reply = echo_reply(packet);
      if (reply.empty()) continue;
      peer_.send(reply, now_ns());
      report_session();
      std::printf("echo %u\n", ++num_echos_);
    }
    peer_.log.delivered.clear();
    std::fflush(stdout);
  }

  // Session begins with its two keys (session.hh).
  void report_session() {
    if (!peer_.has_current()) return;
    static_assert(sizeof(wg::Session) <= sizeof(wgc_session));
    const auto *keys = reinterpret_cast<const uint8_t *>(&peer_.current_session());
    const std::string line = hex(keys, 32) + " " + hex(keys + 32, 32);
    if (line == reported_) return;
    reported_ = line;
    std::printf("session %s\n", line.c_str());
  }

  wgtest::SimPeer peer_;
  int socket_ = -1;
  sockaddr_in remote_{};
  std::string reported_;
  unsigned num_echos_ = 0;
};

}  // namespace

int main(int argc, char **argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s PORT-FILE PRIVATE-HEX PEER-PUBLIC-HEX PSK-HEX\n", argv[0]);
    return 2;
  }
  wgtest::Random random(std::random_device{}());
  OutsidePeer peer(random, wgtest::from_hex(argv[2]), wgtest::from_hex(argv[3]),
                   wgtest::from_hex(argv[4]));
  std::ofstream(argv[1]) << peer.bind_to_loopback() << std::endl;
  uint8_t shared[32];
  if (!wg::x25519(shared, wgtest::from_hex(argv[2]).data(), wgtest::from_hex(argv[3]).data())) {
    std::fprintf(stderr, "outside_peer: the peer's key is of small order\n");
    return 1;
  }
  std::printf("static %s\n", hex(shared, sizeof shared).c_str());
  std::fflush(stdout);
  peer.serve();
  return 0;
}
