// SPDX-License-Identifier: GPL-2.0
// Hostile messages at a listening port, from somebody who knows what the receiver trusts.
//
//   fuzz-packets send PRIVATE-KEY-FILE PUBLIC-KEY HOST4 HOST6 PORT COUNT
//   fuzz-packets observe IFACE
//
// send plays a configured peer of the target (its private key, the target's public key) that
// has turned: it makes valid messages of all four types, also as a responder, and sends them
// mutated, cut, replayed, under forged sources, between random ones of every size. Inner packets
// carry a mark: kGoodMark when the target should take them, kBadMark when it must not.
// observe watches the target's tunnel device, until SIGTERM, for what came out of it. Both
// print their counts as "NAME VALUE" lines. The seed is printed, WGPP_SEED repeats it.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "random.hh"
#include "wgcore.h"

using wgfuzz::Bytes;
using wgfuzz::die;
using wgfuzz::Random;

namespace {

// First bytes of an inner packet's payload. A good one goes on with its number, 8 bytes.
constexpr char kGoodMark[] = "wgpp-inner-good:";
constexpr char kBadMark[] = "wgpp-inner-bad!!";
constexpr size_t kMarkLen = sizeof(kGoodMark) - 1;
// The inner addresses of this peer and of the target; test-fuzz-packets.sh gives them.
constexpr uint8_t kInner4[4] = {10, 9, 0, 3};
constexpr uint8_t kTargetInner4[4] = {10, 9, 0, 2};
constexpr uint8_t kInner6[16] = {0xfd, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3};
constexpr uint8_t kTargetInner6[16] = {0xfd, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
constexpr size_t kMaxUdp = 65507;

uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t now_ns() {
  return clock_ns(CLOCK_BOOTTIME);
}

void put16(Bytes *out, size_t at, size_t value) {
  (*out)[at] = static_cast<uint8_t>(value >> 8);
  (*out)[at + 1] = static_cast<uint8_t>(value);
}

void put_le32(Bytes *out, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) (*out)[at + i] = static_cast<uint8_t>(value >> 8 * i);
}

// A session with the target, from our side.
struct Session {
  wgc_session core{};
  uint32_t remote_index = 0;
  uint64_t next_counter = 0;
};

class Attacker {
 public:
  Attacker(const Bytes &private_key, const Bytes &target, const std::string &host4,
           const std::string &host6, uint16_t port, uint64_t seed)
      : random_(seed), target_(target), port_(port) {
    wgc_identity_set(&id_, private_key.data());
    wgc_handshake_init(&hs_, &id_, target.data(), nullptr);
    wgc_cookie_jar_init(&jar_, target.data());
    wgc_cookie_checker_init(&checker_, random_.bytes(32).data(), now_ns());
    wgc_cookie_checker_set_identity(&checker_, &id_);
    wgc_identity_set(&stranger_, random_.bytes(32).data());
    wgc_handshake_init(&stranger_hs_, &stranger_, target.data(), nullptr);

    to4_.sin_family = AF_INET;
    to4_.sin_port = htons(port);
    to6_.sin6_family = AF_INET6;
    to6_.sin6_port = htons(port);
    if (inet_pton(AF_INET, host4.c_str(), &to4_.sin_addr) != 1) die("no IPv4 address: " + host4);
    if (inet_pton(AF_INET6, host6.c_str(), &to6_.sin6_addr) != 1) die("no IPv6 address: " + host6);
    udp4_ = open_udp(AF_INET, reinterpret_cast<sockaddr *>(&to4_), sizeof to4_);
    udp6_ = open_udp(AF_INET6, reinterpret_cast<sockaddr *>(&to6_), sizeof to6_);
    raw4_ = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (raw4_ < 0) die("cannot open a raw socket");
    widen(raw4_);
  }

  void run(uint64_t count) {
    while (num_sent_ < count) {
      // Without a handshake now and then there is nothing valid to start from. The target
      // takes one per 20 ms, and is itself limited while under load.
      if (num_sent_ >= next_handshake_) {
        next_handshake_ = num_sent_ + 200;
        shake_hands();
      }
      step();
      if (num_sent_ % 32 == 0) {
        flush();
        listen(0);
      }
    }
    flush();
    // Something valid comes last: the target still takes it.
    for (int round = 0; round < 100 && !finish(); ++round) {
    }
  }

  void print() const {
    for (const auto &[name, value] : counts_) std::printf("%s %llu\n", name.c_str(), value);
    std::printf("sent %llu\n", static_cast<unsigned long long>(num_sent_));
    std::printf("numbered %llu\n", static_cast<unsigned long long>(next_number_));
  }

  bool is_answered() const { return is_answered_; }

 private:
  static void widen(int fd) {
    const int size = 16 << 20;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  }

  static int open_udp(int family, const sockaddr *to, socklen_t len) {
    const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("cannot open a socket");
    widen(fd);
    // Larger datagrams than the link's MTU go out in fragments.
    const int off = IP_PMTUDISC_DONT;
    if (family == AF_INET)
      setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &off, sizeof off);
    else
      setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &off, sizeof off);
    if (connect(fd, to, len) != 0) die(std::string("connect: ") + std::strerror(errno));
    return fd;
  }

  void count(const std::string &name) { ++counts_[name]; }

  // ---- sending ---------------------------------------------------------------------------

  // By any of the three ways; what is queued goes out with flush().
  void send(Bytes msg) {
    const uint64_t way = random_.below(10);
    if (way < 2 && msg.size() <= 1400)
      send_forged(msg);
    else
      queue(way < 5 ? udp6_ : udp4_, std::move(msg));
    ++num_sent_;
  }

  void queue(int fd, Bytes msg) {
    if (msg.size() > kMaxUdp) msg.resize(kMaxUdp);
    queued_[fd].push_back(std::move(msg));
    if (queued_[fd].size() >= 64) flush(fd);
  }

  void flush() {
    flush(udp4_);
    flush(udp6_);
  }

  void flush(int fd) {
    std::vector<Bytes> &messages = queued_[fd];
    std::vector<mmsghdr> headers(messages.size());
    std::vector<iovec> vectors(messages.size());
    for (size_t i = 0; i < messages.size(); ++i) {
      vectors[i] = {messages[i].data(), messages[i].size()};
      headers[i] = {};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    size_t done = 0;
    int num_errors = 0;
    while (done < messages.size()) {
      const int sent =
          sendmmsg(fd, headers.data() + done, static_cast<unsigned>(messages.size() - done), 0);
      if (sent > 0) {
        done += static_cast<size_t>(sent);
        num_errors = 0;
      } else if (++num_errors > 3) {
        ++done;  // an ICMP error of an earlier one, or no memory: not this one's fault
        num_errors = 0;
        count("unsent");
      }
    }
    messages.clear();
  }

  // From any address: the real tunnel's, the target's own, multicast, and random ones.
  void send_forged(const Bytes &msg) {
    static const char *const kSources[] = {"192.0.2.1",     "192.0.2.2", "198.51.100.3",
                                           "127.0.0.1",     "224.0.0.1", "255.255.255.255",
                                           "198.51.100.99", "0.0.0.0"};
    Bytes packet(sizeof(iphdr) + sizeof(udphdr));
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.tos = random_.byte();
    ip.ttl = 64;
    ip.protocol = IPPROTO_UDP;
    ip.daddr = to4_.sin_addr.s_addr;
    ip.saddr = random_.chance(50) ? inet_addr(kSources[random_.below(std::size(kSources))])
                                  : htonl(0xc6336400 + static_cast<uint32_t>(random_.below(200)));
    udphdr udp{};
    udp.source = htons(random_.chance(30) ? 5001 : static_cast<uint16_t>(random_.u32()));
    udp.dest = htons(port_);
    // Without a checksum, which IPv4 allows. Some claim another length than they have.
    udp.len = htons(static_cast<uint16_t>(sizeof udp + msg.size()));
    if (random_.chance(5)) udp.len = htons(static_cast<uint16_t>(random_.below(2000)));
    if (random_.chance(2)) udp.check = 0x1234;
    std::memcpy(packet.data(), &ip, sizeof ip);
    std::memcpy(packet.data() + sizeof ip, &udp, sizeof udp);
    packet.insert(packet.end(), msg.begin(), msg.end());
    if (sendto(raw4_, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr *>(&to4_),
               sizeof to4_) < 0)
      count("unsent");
    count("forged_sources");
  }

  // ---- handshakes ------------------------------------------------------------------------

  Bytes initiation(wgc_handshake *hs, const wgc_identity *id, uint64_t unix_ns) {
    Bytes msg(WGC_INITIATION_LEN);
    last_index_ = random_.u32();
    if (wgc_handshake_create_initiation(hs, msg.data(), id, last_index_, random_.bytes(32).data(),
                                        unix_ns) != WGC_OK)
      die("the core makes no initiation");
    return msg;
  }

  void add_macs(Bytes *msg) {
    if (msg->size() >= WGC_MACS_LEN) wgc_cookie_add_macs(&jar_, msg->data(), msg->size(), now_ns());
  }

  // One handshake as the initiator, and a wait for its end. It fails while the target is under
  // load without a cookie, and within 20 ms of the last one.
  void shake_hands() {
    Bytes msg = initiation(&hs_, &id_, clock_ns(CLOCK_REALTIME));
    add_macs(&msg);
    initiations_.push_back(msg);
    if (initiations_.size() > 64) initiations_.pop_front();
    awaited_index_ = last_index_;
    flush();
    queue(random_.chance(50) ? udp4_ : udp6_, msg);
    flush();
    ++num_sent_;
    count("valid_initiations");
    for (int i = 0; i < 10 && awaited_index_ != 0; ++i) listen(5);
  }

  void begin_session(uint32_t remote_index) {
    auto session = std::make_unique<Session>();
    if (wgc_handshake_begin_session(&hs_, &session->core, now_ns()) != WGC_OK) return;
    session->remote_index = remote_index;
    sessions_.push_back(std::move(session));
    if (sessions_.size() > 4) sessions_.pop_front();
    count("sessions");
  }

  // What the target says to us. It is not our enemy, so nothing here is hostile.
  void listen(int wait_ms) {
    pollfd fds[] = {{udp4_, POLLIN, 0}, {udp6_, POLLIN, 0}};
    if (poll(fds, 2, wait_ms) <= 0) return;
    Bytes buffer(65536);
    for (const pollfd &fd : fds) {
      for (int i = 0; i < 64; ++i) {
        const ssize_t len = recv(fd.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (len < 0) break;
        hear(Bytes(buffer.begin(), buffer.begin() + len), fd.fd);
      }
    }
  }

  void hear(const Bytes &msg, int fd) {
    wgc_message_type type;
    if (wgc_message_classify(msg.data(), msg.size(), &type) != WGC_OK)
      die("the target sent something that is no message");
    switch (type) {
      case WGC_MSG_INITIATION:
        return answer(msg, fd);
      case WGC_MSG_RESPONSE:
        responses_.push_back(msg);
        if (responses_.size() > 64) responses_.pop_front();
        if (wgc_message_receiver(type, msg.data()) != awaited_index_) return;
        if (wgc_handshake_consume_response(&hs_, &id_, msg.data()) != WGC_OK) return;
        awaited_index_ = 0;
        begin_session(wgc_message_sender(msg.data()));
        return;
      case WGC_MSG_COOKIE_REPLY:
        count("cookies_received");
        wgc_cookie_consume_reply(&jar_, msg.data(), now_ns());
        return;
      case WGC_MSG_DATA:
        count("data_received");
        if (!sessions_.empty()) is_answered_ = true;
        return;
    }
  }

  // The target calls: responses and cookie replies that are almost right, then the right one.
  void answer(const Bytes &msg, int fd) {
    count("initiations_received");
    target_index_ = wgc_message_sender(msg.data());
    Bytes source(6, 1);
    Bytes cookie(WGC_COOKIE_REPLY_LEN);
    wgc_cookie_create_reply(&checker_, cookie.data(), msg.data(), msg.size(), source.data(),
                            source.size(), random_.bytes(WGC_COOKIE_NONCE_LEN).data());
    cookie_reply_ = cookie;
    for (int i = 0; i < 4; ++i) send(mutate(cookie));
    if (random_.chance(30)) {
      queue(fd, cookie);
      count("valid_cookie_replies");
      for (int i = 0; i < 3; ++i) queue(fd, cookie);
      num_sent_ += 4;
    }

    wgc_initiation init;
    Bytes caller(32);
    if (wgc_initiation_open(&init, caller.data(), &id_, msg.data()) != WGC_OK) return;
    const bool accepted = wgc_initiation_accept(&hs_, &init, now_ns()) == WGC_OK;
    wgc_wipe(&init, sizeof init);
    if (!accepted) return;
    Bytes response(WGC_RESPONSE_LEN);
    if (wgc_handshake_create_response(&hs_, response.data(), random_.u32(),
                                      random_.bytes(32).data()) != WGC_OK)
      return;
    for (int i = 0; i < 4; ++i) {
      Bytes wrong = mutate(response);
      add_macs(&wrong);
      send(wrong);
    }
    add_macs(&response);
    queue(fd, response);
    queue(fd, response);
    num_sent_ += 2;
    count("valid_responses");
    begin_session(target_index_);
    flush();
  }

  // ---- inner packets -----------------------------------------------------------------------

  Bytes mark(bool is_good) {
    Bytes out(kMarkLen + 8);
    std::memcpy(out.data(), is_good ? kGoodMark : kBadMark, kMarkLen);
    const uint64_t number = is_good ? next_number_++ : random_.u64();
    std::memcpy(out.data() + kMarkLen, &number, 8);
    return out;
  }

  // IPv4 or IPv6 with UDP to a port where nobody listens, and a marked payload.
  Bytes inner_packet(bool is_good, bool is_ipv4, size_t extra_len) {
    Bytes payload = mark(is_good);
    const Bytes extra = random_.bytes(extra_len);
    payload.insert(payload.end(), extra.begin(), extra.end());
    const size_t udp_len = sizeof(udphdr) + payload.size();
    Bytes out(is_ipv4 ? sizeof(iphdr) : sizeof(ip6_hdr));
    const size_t header_len = out.size();
    if (is_ipv4) {
      out[0] = 0x45;
      out[1] = random_.byte();
      put16(&out, 2, header_len + udp_len);
      out[8] = 64;
      out[9] = IPPROTO_UDP;
      std::memcpy(&out[12], kInner4, 4);
      std::memcpy(&out[16], kTargetInner4, 4);
      set_ipv4_checksum(&out);
    } else {
      out[0] = 0x60;
      put16(&out, 4, udp_len);
      out[6] = IPPROTO_UDP;
      out[7] = 64;
      std::memcpy(&out[8], kInner6, 16);
      std::memcpy(&out[24], kTargetInner6, 16);
    }
    Bytes udp(sizeof(udphdr));
    put16(&udp, 0, 1024 + random_.below(60000));
    put16(&udp, 2, 9);
    put16(&udp, 4, udp_len);
    out.insert(out.end(), udp.begin(), udp.end());
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
  }

  static void set_ipv4_checksum(Bytes *packet) {
    uint32_t sum = 0;
    put16(packet, 10, 0);
    for (size_t i = 0; i < 20; i += 2) sum += (*packet)[i] << 8 | (*packet)[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    put16(packet, 10, ~sum & 0xffff);
  }

  // Sealed by our session, and still to be refused.
  Bytes forbidden_inner() {
    const bool is_ipv4 = random_.chance(50);
    Bytes out = inner_packet(false, is_ipv4, random_.below(200));
    switch (random_.below(7)) {
      case 0:  // neither IPv4 nor IPv6
        out[0] = static_cast<uint8_t>((out[0] & 15) | (random_.chance(50) ? 0x50 : 0x70));
        break;
      case 1:  // longer than it is
        if (is_ipv4)
          put16(&out, 2, out.size() + 17 + random_.below(60000 - out.size()));
        else
          put16(&out, 4, out.size() - 40 + 17 + random_.below(60000 - out.size()));
        break;
      case 2:  // IPv4 shorter than its own header; IPv6 cannot lie like that
        if (is_ipv4)
          put16(&out, 2, random_.below(20));
        else
          out[8] ^= 0x40;
        break;
      case 3:  // the real peer's address, and the target's own
        if (is_ipv4)
          out[15] = static_cast<uint8_t>(1 + random_.below(2));
        else
          out[23] = static_cast<uint8_t>(1 + random_.below(2));
        break;
      case 4:  // any address but ours
        if (is_ipv4) {
          random_.fill(&out[12], 4);
          out[12] = 11;
        } else {
          random_.fill(&out[8], 16);
          out[8] = 0x20;
        }
        break;
      case 5:  // cut within its header, and all that there is
        out.resize(1 + random_.below(is_ipv4 ? 19 : 39));
        break;
      default: {  // random bytes that are IP by their first nibble, from another source
        Bytes garbage = random_.bytes(40 + random_.below(1300));
        garbage[0] = static_cast<uint8_t>((random_.chance(50) ? 0x40 : 0x60) | (garbage[0] & 15));
        garbage[12] = 11;
        garbage[8] = 0x20;
        return garbage;
      }
    }
    return out;
  }

  // From our address and of a length that fits, so the target's stack gets it to deal with.
  Bytes allowed_inner() {
    const bool is_ipv4 = random_.chance(50);
    Bytes out = inner_packet(true, is_ipv4, random_.below(random_.chance(5) ? 20000 : 1200));
    switch (random_.below(6)) {
      case 0:  // another protocol in it
        out[is_ipv4 ? 9 : 6] = random_.byte();
        break;
      case 1:  // a header length or a fragment offset that does not fit
        if (is_ipv4) {
          out[0] = static_cast<uint8_t>(0x40 | random_.below(16));
        } else {
          out[6] = static_cast<uint8_t>(random_.chance(50) ? 0 : 44);
        }
        break;
      case 2:
        if (is_ipv4) put16(&out, 6, random_.u32());
        break;
      case 3:  // UDP that lies about its length
        put16(&out, (is_ipv4 ? 20 : 40) + 4, random_.below(65536));
        break;
      default:
        break;
    }
    if (is_ipv4 && random_.chance(80)) set_ipv4_checksum(&out);
    return out;
  }

  Bytes seal(Session *session, const Bytes &inner, uint64_t counter) {
    const size_t padded = std::min<size_t>((inner.size() + 15) / 16 * 16, kMaxUdp - 32);
    Bytes msg(padded + WGC_DATA_OVERHEAD);
    std::copy_n(inner.begin(), std::min(inner.size(), padded), msg.begin() + WGC_DATA_HEADER_LEN);
    wgc_session_seal(&session->core, msg.data(), padded, counter);
    return msg;
  }

  // ---- the catalogue -------------------------------------------------------------------------

  Bytes mutate(Bytes msg) {
    switch (random_.below(6)) {
      case 0:
        msg.resize(random_.below(msg.size() + 1));
        break;
      case 1: {
        const Bytes more = random_.bytes(1 + random_.below(random_.chance(5) ? 30000 : 64));
        msg.insert(msg.end(), more.begin(), more.end());
        break;
      }
      case 2:
        random_.fill(&msg[random_.below(msg.size())], 1);
        break;
      default: {
        const uint64_t num_flips = 1 + random_.below(4);
        for (uint64_t i = 0; i < num_flips; ++i) {
          const uint64_t bit = random_.below(8 * msg.size());
          msg[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
        }
      }
    }
    return msg;
  }

  // Really another message: a mutation may hit upon the same bytes.
  Bytes changed(const Bytes &msg) {
    Bytes out = mutate(msg);
    while (out == msg) out = mutate(msg);
    return out;
  }

  size_t any_length() {
    static const size_t kEdges[] = {0,    1,    3,    4,    15,    16,    31,    32,     33,  47,
                                    48,   63,   64,   65,   91,    92,    93,    147,    148, 149,
                                    1452, 1472, 1473, 8000, 32767, 65000, 65506, kMaxUdp};
    switch (random_.below(8)) {
      case 0:
        return kEdges[random_.below(std::size(kEdges))];
      case 1:
        return random_.chance(10) ? random_.below(kMaxUdp + 1) : random_.below(3000);
      default:
        return random_.below(300);
    }
  }

  void step() {
    switch (random_.below(16)) {
      case 0:
        count("random");
        return send(random_.bytes(any_length()));
      case 1:
      case 2: {
        count("random_of_a_type");
        Bytes msg = random_.bytes(std::max<size_t>(4, any_length()));
        put_le32(&msg, 0, static_cast<uint32_t>(random_.below(6)));
        return send(msg);
      }
      case 3:
      case 4: {
        count("garbage_with_mac1");
        const bool is_initiation = random_.chance(60);
        Bytes msg = random_.bytes(is_initiation ? WGC_INITIATION_LEN : WGC_RESPONSE_LEN);
        put_le32(&msg, 0, is_initiation ? WGC_MSG_INITIATION : WGC_MSG_RESPONSE);
        if (!is_initiation && target_index_ != 0 && random_.chance(50))
          put_le32(&msg, 8, target_index_);
        // An ephemeral of small order makes the shared secret zero (RFC 7748, section 6.1).
        if (random_.chance(10)) {
          std::fill_n(msg.begin() + (is_initiation ? 8 : 12), 32, uint8_t{0});
          msg[is_initiation ? 8 : 12] = static_cast<uint8_t>(random_.below(2));
        }
        add_macs(&msg);
        return send(msg);
      }
      case 5: {
        count("mutated_initiations");
        if (initiations_.empty()) return;
        Bytes msg = mutate(random_.pick(to_vector(initiations_)));
        if (random_.chance(70)) add_macs(&msg);
        return send(msg);
      }
      case 6: {
        count("replayed_handshakes");
        const auto &from = random_.chance(50) ? initiations_ : responses_;
        if (from.empty()) return;
        Bytes msg = from[random_.below(from.size())];
        if (random_.chance(50)) add_macs(&msg);
        return send(msg);
      }
      case 7: {
        count("initiations_of_strangers");
        if (!random_.chance(20)) return;  // costs this side as much as the other
        Bytes msg = initiation(&stranger_hs_, &stranger_, random_.u64() >> 3);
        add_macs(&msg);
        return send(msg);
      }
      case 8: {
        count("cookie_replies");
        Bytes msg = cookie_reply_.empty()
                        ? random_.bytes(WGC_COOKIE_REPLY_LEN)
                        : (random_.chance(80) ? mutate(cookie_reply_) : cookie_reply_);
        if (msg.size() >= 8) {
          put_le32(&msg, 0, WGC_MSG_COOKIE_REPLY);
          if (random_.chance(50)) put_le32(&msg, 4, any_index());
        }
        return send(msg);
      }
      default:
        return data_step();
    }
  }

  template <typename T>
  static std::vector<T> to_vector(const std::deque<T> &from) {
    return {from.begin(), from.end()};
  }

  uint32_t any_index() {
    if (sessions_.empty()) return target_index_;
    return sessions_[random_.below(sessions_.size())]->remote_index;
  }

  void data_step() {
    if (sessions_.empty()) {
      count("random");
      return send(random_.bytes(any_length()));
    }
    Session *session = (random_.chance(80) ? sessions_.back() : sessions_.front()).get();
    switch (random_.below(8)) {
      case 0:
        count("data_garbage_for_a_session");
        {
          Bytes msg = random_.bytes(std::max<size_t>(16, any_length()));
          put_le32(&msg, 0, WGC_MSG_DATA);
          put_le32(&msg, 4, session->remote_index);
          return send(msg);
        }
      case 1:
        count("data_mutated");
        return send(
            changed(seal(session, inner_packet(false, random_.chance(50), random_.below(900)),
                         session->next_counter++)));
      case 2: {
        count("data_replayed");
        if (sealed_.empty()) return;
        const Bytes &msg = sealed_[random_.below(sealed_.size())];
        const uint64_t num_times = 1 + random_.below(3);
        for (uint64_t i = 0; i < num_times; ++i) send(msg);
        return;
      }
      case 3: {
        // From the limit of messages (the window and one short of 2^64) to the end.
        count("data_bad_counter");
        static const uint64_t kDistances[] = {0, 1, 64, 8128, 8129};
        const uint64_t counter = ~uint64_t{0} - kDistances[random_.below(std::size(kDistances))];
        return send(seal(session, inner_packet(false, true, 10), counter));
      }
      case 4:
        // Leaves a gap, now and then one of more than the window.
        session->next_counter += random_.chance(90) ? random_.below(8) : random_.below(20000);
        count("keepalives");
        return send(seal(session, {}, session->next_counter++));
      case 5:
      case 6:
        count("data_forbidden_inside");
        return send(seal(session, forbidden_inner(), session->next_counter++));
      default: {
        count("data_allowed");
        Bytes msg = seal(session, allowed_inner(), session->next_counter++);
        sealed_.push_back(msg);
        if (sealed_.size() > 256) sealed_.pop_front();
        return send(msg);
      }
    }
  }

  // The target answers an echo over a fresh session: it is well.
  bool finish() {
    usleep(50000);
    is_answered_ = false;
    listen(0);
    sessions_.clear();
    shake_hands();
    if (sessions_.empty()) return false;
    is_answered_ = false;
    Bytes echo = inner_packet(true, true, 0);
    echo[1] = 0;
    echo[9] = IPPROTO_ICMP;
    echo[20] = 8;
    echo[21] = 0;
    put16(&echo, 22, 0);
    uint32_t sum = 0;
    if (echo.size() % 2 != 0) echo.push_back(0);
    put16(&echo, 2, echo.size());
    for (size_t i = 20; i < echo.size(); i += 2) sum += echo[i] << 8 | echo[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    put16(&echo, 22, ~sum & 0xffff);
    set_ipv4_checksum(&echo);
    queue(udp4_, seal(sessions_.back().get(), echo, sessions_.back()->next_counter++));
    flush();
    for (int i = 0; i < 20 && !is_answered_; ++i) listen(100);
    return is_answered_;
  }

  Random random_;
  Bytes target_;
  uint16_t port_;
  sockaddr_in to4_{};
  sockaddr_in6 to6_{};
  int udp4_ = -1, udp6_ = -1, raw4_ = -1;
  std::unordered_map<int, std::vector<Bytes>> queued_;

  wgc_identity id_{}, stranger_{};
  wgc_handshake hs_{}, stranger_hs_{};
  wgc_cookie_jar jar_{};
  wgc_cookie_checker checker_{};
  std::deque<std::unique_ptr<Session>> sessions_;
  uint32_t last_index_ = 0, awaited_index_ = 0, target_index_ = 0;
  // Raw material for replays and mutations
  std::deque<Bytes> initiations_, responses_, sealed_;
  Bytes cookie_reply_;

  uint64_t num_sent_ = 0, next_handshake_ = 0, next_number_ = 0;
  bool is_answered_ = false;
  std::map<std::string, unsigned long long> counts_;
};

// ---- observing ---------------------------------------------------------------------------------

volatile sig_atomic_t is_over = 0;

void observe(const std::string &iface) {
  const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
  if (fd < 0) die("cannot open a packet socket");
  const int size = 64 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  sockaddr_ll from{};
  from.sll_family = AF_PACKET;
  from.sll_protocol = htons(ETH_P_ALL);
  from.sll_ifindex = static_cast<int>(if_nametoindex(iface.c_str()));
  if (bind(fd, reinterpret_cast<sockaddr *>(&from), sizeof from) != 0) die("no device " + iface);
  struct sigaction action {};
  action.sa_handler = [](int) { is_over = 1; };
  sigaction(SIGTERM, &action, nullptr);

  uint64_t num_seen = 0, num_good = 0, num_bad = 0, num_repeated = 0, num_alien = 0;
  std::unordered_map<uint64_t, bool> numbers;
  Bytes packet(1 << 17);
  std::printf("ready\n");
  std::fflush(stdout);
  for (;;) {
    pollfd ready{fd, POLLIN, 0};
    if (poll(&ready, 1, 200) <= 0) {
      if (is_over) break;
      continue;
    }
    sockaddr_ll source{};
    socklen_t source_len = sizeof source;
    const ssize_t len = recvfrom(fd, packet.data(), packet.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr *>(&source), &source_len);
    if (len < 1 || source.sll_pkttype == PACKET_OUTGOING) continue;
    ++num_seen;
    // Only the two peers' own addresses may be sources here: of the real peer and of the hostile.
    const uint8_t *address = nullptr;
    bool is_expected = false;
    if (packet[0] >> 4 == 4 && len >= 20) {
      address = &packet[12];
      is_expected = address[0] == 10 && address[1] == 9 && address[2] == 0 &&
                    (address[3] == 1 || address[3] == 3);
    } else if (packet[0] >> 4 == 6 && len >= 40) {
      address = &packet[8];
      is_expected =
          std::memcmp(address, kInner6, 15) == 0 && (address[15] == 1 || address[15] == 3);
    }
    if (!is_expected) ++num_alien;
    const auto end = packet.begin() + len;
    if (std::search(packet.begin(), end, kBadMark, kBadMark + kMarkLen) != end) ++num_bad;
    const auto good = std::search(packet.begin(), end, kGoodMark, kGoodMark + kMarkLen);
    if (end - good >= static_cast<ptrdiff_t>(kMarkLen + 8)) {
      uint64_t number;
      std::memcpy(&number, &*good + kMarkLen, 8);
      ++num_good;
      if (!numbers.emplace(number, true).second) ++num_repeated;
    }
  }
  tpacket_stats stats{};
  socklen_t stats_len = sizeof stats;
  getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &stats_len);
  std::printf("seen %llu\ngood %llu\nbad %llu\nrepeated %llu\nalien %llu\nmissed %u\n",
              static_cast<unsigned long long>(num_seen), static_cast<unsigned long long>(num_good),
              static_cast<unsigned long long>(num_bad),
              static_cast<unsigned long long>(num_repeated),
              static_cast<unsigned long long>(num_alien), stats.tp_drops);
}

}  // namespace

int main(int argc, char **argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() == 2 && args[0] == "observe") {
    observe(args[1]);
    return 0;
  }
  if (args.size() != 7 || args[0] != "send")
    die("usage: fuzz-packets send PRIVATE-KEY-FILE PUBLIC-KEY HOST4 HOST6 PORT COUNT\n"
        "       fuzz-packets observe IFACE");
  const uint64_t seed = wgfuzz::choose_seed();
  std::printf("WGPP_SEED %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  Attacker attacker(wgfuzz::key_from_base64(wgfuzz::first_line(args[1])),
                    wgfuzz::key_from_base64(args[2]), args[3], args[4],
                    static_cast<uint16_t>(std::stoul(args[5])), seed);
  attacker.run(std::stoull(args[6]));
  attacker.print();
  if (!attacker.is_answered()) die("the target no longer answers a valid packet");
  return 0;
}
