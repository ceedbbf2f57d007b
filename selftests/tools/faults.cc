// SPDX-License-Identifier: GPL-2.0
// Operations of which every allocation fails once (Documentation/fault-injection of the kernel,
// /proc/PID/fail-nth): an operation is repeated with its 1st, 2nd, 3rd ... allocation failing,
// until it ends without having met the failure.
//
//   faults config KIND PRIVATE-KEY-FILE PEER-KEY PEER-ADDRESS PEER-PORT
//   faults send ADDRESS...          datagrams through a tunnel that is there
//   faults load MODULE-FILE [PARAMETER]     a module that is not loaded
//
// config makes devices of KIND in this namespace and sets them up, but moves none to another:
// nothing of ours allocates then, and the kernel warns when it has no memory to rename a device
// that it moves. One line "OPERATION FAULTS REFUSED" for each operation; a failed allocation
// need not make the operation fail. Status 1 when an operation does not succeed although nothing
// failed, or goes on failing.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <functional>

#include "nl.hh"
#include "uapi/wgnl.h"

using wgfuzz::Attributes;
using wgfuzz::Bytes;
using wgfuzz::die;
using wgfuzz::NetlinkSocket;

namespace {

constexpr char kDevice[] = "fault0";
// More than any operation allocates: it would never come to an end.
constexpr unsigned kMaxFaults = 20000;
// So often in a row without the operation meeting the failure, as a first success may be luck:
// what is cached is not allocated.
constexpr unsigned kNumQuiet = 2;

class FailNth {
 public:
  FailNth() : fd_(open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0) die("this kernel has no /proc/self/fail-nth");
  }
  void arm(unsigned nth) const {
    char text[16];
    const int len = std::snprintf(text, sizeof text, "%u", nth);
    if (pwrite(fd_, text, static_cast<size_t>(len), 0) != len) die("cannot write fail-nth");
  }
  // Whether the failure happened.
  bool disarm() const {
    char text[16] = {};
    if (pread(fd_, text, sizeof text - 1, 0) <= 0) die("cannot read fail-nth");
    const bool has_failed = std::strtoul(text, nullptr, 10) == 0;
    arm(0);
    return has_failed;
  }

 private:
  int fd_;
};

struct Operation {
  std::string name;
  std::function<void()> prepare;
  std::function<int()> run;  // 0 or an errno; allocates nothing in this program
  std::function<void()> undo;
};

void sweep(const Operation &operation) {
  const FailNth fail_nth;
  unsigned num_faults = 0, num_refused = 0, num_quiet = 0, nth = 1;
  while (num_quiet < kNumQuiet) {
    if (nth > kMaxFaults) die(operation.name + ": no end of failing allocations");
    operation.prepare();
    fail_nth.arm(nth);
    const int error = operation.run();
    const bool has_failed = fail_nth.disarm();
    operation.undo();
    if (has_failed) {
      ++num_faults;
      ++nth;
      num_quiet = 0;
      if (error != 0) ++num_refused;
    } else {
      ++num_quiet;
      if (error != 0) die(operation.name + ": " + std::strerror(error) + " without a failure");
    }
  }
  std::printf("%s %u %u\n", operation.name.c_str(), num_faults, num_refused);
  std::fflush(stdout);
}

// ---- netlink -----------------------------------------------------------------------------------

// Sends, and reads into memory that is there already, until the answer is complete.
class Talker {
 public:
  explicit Talker(int protocol) : socket_(protocol), buffer_(1 << 17) {}

  int request(Bytes request, bool is_dump = false) {
    set_seq(&request);
    if (send(socket_.fd(), request.data(), request.size(), 0) < 0) return errno;
    for (;;) {
      const ssize_t len = recv(socket_.fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (len < 0) {
        // What could not be allocated may be the answer: then the socket says so, or nothing.
        const int error = errno;
        if (is_dump) socket_.reopen();
        return error;
      }
      size_t at = 0;
      while (at + NLMSG_HDRLEN <= static_cast<size_t>(len)) {
        nlmsghdr header;
        std::memcpy(&header, &buffer_[at], sizeof header);
        if (header.nlmsg_len < NLMSG_HDRLEN) return EBADMSG;
        if (header.nlmsg_seq == seq_ &&
            (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE)) {
          int error;
          std::memcpy(&error, &buffer_[at + NLMSG_HDRLEN], sizeof error);
          return -error;
        }
        at += NLMSG_ALIGN(header.nlmsg_len);
      }
    }
  }

 private:
  void set_seq(Bytes *request) {
    ++seq_;
    std::memcpy(request->data() + offsetof(nlmsghdr, nlmsg_seq), &seq_, sizeof seq_);
  }

  NetlinkSocket socket_;
  Bytes buffer_;
  uint32_t seq_ = 0;
};

class Config {
 public:
  Config(const std::vector<std::string> &args)
      : kind_(args[0]),
        family_(wgfuzz::family_id(args[0])),
        private_key_(wgfuzz::key_from_base64(wgfuzz::first_line(args[1]))),
        peer_key_(wgfuzz::key_from_base64(args[2])),
        route_(NETLINK_ROUTE),
        generic_(NETLINK_GENERIC) {
    endpoint_.sin_family = AF_INET;
    endpoint_.sin_port = htons(static_cast<uint16_t>(std::stoul(args[4])));
    if (inet_pton(AF_INET, args[3].c_str(), &endpoint_.sin_addr) != 1)
      die("no address: " + args[3]);
    create_ = link_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0, true);
    up_ = link_request(RTM_NEWLINK, 0, IFF_UP, IFF_UP, false);
    down_ = link_request(RTM_NEWLINK, 0, 0, IFF_UP, false);
    delete_ = link_request(RTM_DELLINK, 0, 0, 0, false);
  }

  void run() {
    const auto nothing = [] {};
    const auto remove = [this] { route_.request(delete_); };
    const auto make = [this] { must("create", route_.request(create_)); };
    const Bytes identity = set_request([&](Attributes *out) {
      out->put(WGNL_DEVICE_PRIVATE_KEY, private_key_);
      out->put_int<uint16_t>(WGNL_DEVICE_LISTEN_PORT, 5077);
      out->put_int<uint32_t>(WGNL_DEVICE_FWMARK, 7);
    });
    const Bytes peers = set_request([&](Attributes *out) { put_peers(out, 3, 24); });
    const Bytes no_peers = set_request([&](Attributes *out) {
      out->put_int<uint32_t>(WGNL_DEVICE_FLAGS, WGNL_DEVICE_F_REPLACE_PEERS);
    });
    const Bytes other_key =
        set_request([&](Attributes *out) { out->put(WGNL_DEVICE_PRIVATE_KEY, peer_key_); });
    uint16_t port = 5080;
    const auto change_port = [&] {
      port = port == 5080 ? 5081 : 5080;
      port_ = set_request(
          [&](Attributes *out) { out->put_int<uint16_t>(WGNL_DEVICE_LISTEN_PORT, port); });
    };
    const Bytes replace = set_request([&](Attributes *out) {
      out->put_int<uint32_t>(WGNL_DEVICE_FLAGS, WGNL_DEVICE_F_REPLACE_PEERS);
      put_peers(out, 3, 8);
    });
    const Bytes keepalive_off = set_request([&](Attributes *out) { put_keepalive(out, 0); });
    const Bytes keepalive_on = set_request([&](Attributes *out) { put_keepalive(out, 9); });
    Attributes name;
    name.put(WGNL_DEVICE_IFNAME, std::string(kDevice));
    const Bytes dump = generic_request(WGNL_CMD_GET_DEVICE, NLM_F_DUMP, name.bytes());
    const auto set_up = [=, this] {
      must("create", route_.request(create_));
      must("configure", generic_.request(identity));
      must("peers", generic_.request(peers));
      must("up", route_.request(up_));
    };

    sweep({"create", remove, [this] { return route_.request(create_); }, remove});
    make();
    sweep({"identity", nothing, [&] { return generic_.request(identity); },
           [&] { generic_.request(other_key); }});
    sweep({"add_peers", nothing, [&] { return generic_.request(peers); },
           [&] { must("remove peers", generic_.request(no_peers)); }});
    must("peers", generic_.request(peers));
    sweep(
        {"up", nothing, [this] { return route_.request(up_); }, [this] { route_.request(down_); }});
    must("up", route_.request(up_));
    sweep({"port", change_port, [this] { return generic_.request(port_); }, nothing});
    sweep({"replace_peers", nothing, [&] { return generic_.request(replace); }, nothing});
    must("peers", generic_.request(peers));
    sweep({"keepalive", [&] { generic_.request(keepalive_off); },
           [&] { return generic_.request(keepalive_on); }, nothing});
    sweep({"key_change", nothing, [&] { return generic_.request(other_key); },
           [&] { must("identity", generic_.request(identity)); }});
    sweep({"dump", nothing, [&] { return generic_.request(dump, true); }, nothing});
    sweep({"remove_peers", [&] { must("peers", generic_.request(peers)); },
           [&] { return generic_.request(no_peers); }, nothing});
    sweep({"down", [this] { must("up", route_.request(up_)); },
           [this] { return route_.request(down_); }, nothing});
    remove();
    sweep({"delete",
           [&] {
             remove();
             set_up();
           },
           [this] { return route_.request(delete_); }, nothing});
    remove();
  }

 private:
  static void must(const char *what, int error) {
    if (error != 0) die(std::string(what) + ": " + std::strerror(error) + ", after a failure");
  }

  Bytes link_request(uint16_t type, uint16_t more_flags, unsigned flags, unsigned change,
                     bool has_kind) const {
    ifinfomsg head{};
    head.ifi_flags = flags;
    head.ifi_change = change;
    Attributes out;
    out.put(IFLA_IFNAME, std::string(kDevice));
    if (has_kind) {
      const size_t info = out.begin(IFLA_LINKINFO);
      out.put(IFLA_INFO_KIND, kind_);
      out.end(info);
    }
    return wgfuzz::make_request(type, static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | more_flags),
                                0, &head, sizeof head, out.bytes());
  }

  Bytes generic_request(uint8_t command, uint16_t flags, const Bytes &attributes) const {
    const genlmsghdr head{command, WGNL_VERSION, 0};
    return wgfuzz::make_request(family_, static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags),
                                0, &head, sizeof head, attributes);
  }

  Bytes set_request(const std::function<void(Attributes *)> &fill) const {
    Attributes out;
    out.put(WGNL_DEVICE_IFNAME, std::string(kDevice));
    fill(&out);
    return generic_request(WGNL_CMD_SET_DEVICE, 0, out.bytes());
  }

  // The first is the real one; all have an endpoint, a preshared key and AllowedIPs that nest.
  void put_peers(Attributes *out, int num_peers, int num_ips) const {
    const size_t peers = out->begin(WGNL_DEVICE_PEERS);
    for (int i = 0; i < num_peers; ++i) {
      const size_t peer = out->begin(0);
      Bytes key = peer_key_;
      key[0] = static_cast<uint8_t>(key[0] + i);
      out->put(WGNL_PEER_PUBLIC_KEY, key);
      out->put(WGNL_PEER_PRESHARED_KEY, Bytes(32, 9));
      out->put(WGNL_PEER_ENDPOINT, &endpoint_, sizeof endpoint_);
      out->put_int<uint16_t>(WGNL_PEER_KEEPALIVE_INTERVAL, 25);
      const size_t ips = out->begin(WGNL_PEER_ALLOWEDIPS);
      for (int j = 0; j < num_ips; ++j) {
        const bool is_ipv4 = j % 2 == 0;
        const size_t ip = out->begin(0);
        Bytes address(is_ipv4 ? 4 : 16);
        address[0] = static_cast<uint8_t>(0x20 + i);
        address[1] = static_cast<uint8_t>(j * 37);
        out->put_int<uint16_t>(WGNL_ALLOWEDIP_FAMILY, is_ipv4 ? AF_INET : AF_INET6);
        out->put(WGNL_ALLOWEDIP_IPADDR, address);
        out->put_int<uint8_t>(WGNL_ALLOWEDIP_CIDR_MASK, static_cast<uint8_t>(8 + j % 9));
        out->end(ip);
      }
      out->end(ips);
      out->end(peer);
    }
    out->end(peers);
  }

  void put_keepalive(Attributes *out, uint16_t seconds) const {
    const size_t peers = out->begin(WGNL_DEVICE_PEERS);
    const size_t peer = out->begin(0);
    out->put(WGNL_PEER_PUBLIC_KEY, peer_key_);
    out->put_int<uint16_t>(WGNL_PEER_KEEPALIVE_INTERVAL, seconds);
    out->end(peer);
    out->end(peers);
  }

  std::string kind_;
  uint16_t family_;
  Bytes private_key_, peer_key_;
  sockaddr_in endpoint_{};
  Talker route_, generic_;
  Bytes create_, up_, down_, delete_, port_;
};

// ---- the two others ----------------------------------------------------------------------------

void send_all(const std::vector<std::string> &addresses) {
  for (const std::string &address : addresses) {
    sockaddr_storage to{};
    auto *to4 = reinterpret_cast<sockaddr_in *>(&to);
    auto *to6 = reinterpret_cast<sockaddr_in6 *>(&to);
    socklen_t len = sizeof *to4;
    if (inet_pton(AF_INET, address.c_str(), &to4->sin_addr) == 1) {
      to4->sin_family = AF_INET;
      to4->sin_port = htons(9);
    } else if (inet_pton(AF_INET6, address.c_str(), &to6->sin6_addr) == 1) {
      to6->sin6_family = AF_INET6;
      to6->sin6_port = htons(9);
      len = sizeof *to6;
    } else {
      die("no address: " + address);
    }
    const int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("cannot open a socket");
    const Bytes data(60000, 'x');
    // One packet, fragments, and one GSO packet that the device cuts.
    const struct {
      const char *name;
      size_t len;
      int segment_len;
    } kinds[] = {{"packet", 600, 0}, {"fragments", 9000, 0}, {"gso", 12000, 1000}};
    for (const auto &kind : kinds) {
      setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &kind.segment_len, sizeof kind.segment_len);
      const auto run = [&] {
        const ssize_t sent =
            sendto(fd, data.data(), kind.len, 0, reinterpret_cast<sockaddr *>(&to), len);
        // Nobody listens there: an answer that says so is no failure of this datagram.
        return sent < 0 && errno != ECONNREFUSED ? errno : 0;
      };
      sweep({std::string("send_") + kind.name + (len == sizeof *to4 ? "_ipv4" : "_ipv6"), [] {},
             run, [] {}});
    }
    close(fd);
  }
}

void load(const std::string &file, const std::string &parameters) {
  std::string name = file.substr(file.rfind('/') + 1);
  name = name.substr(0, name.find('.'));
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) die("cannot open " + file);
  const auto unload = [&] { syscall(SYS_delete_module, name.c_str(), O_NONBLOCK); };
  sweep({"load", unload,
         [&] { return syscall(SYS_finit_module, fd, parameters.c_str(), 0) != 0 ? errno : 0; },
         unload});
  close(fd);
}

}  // namespace

int main(int argc, char **argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  // The kernel's allocations are meant to fail, not those for this program's memory.
  mlockall(MCL_CURRENT | MCL_FUTURE);
  if (args.size() == 6 && args[0] == "config") {
    Config(std::vector<std::string>(args.begin() + 1, args.end())).run();
  } else if (args.size() >= 2 && args[0] == "send") {
    send_all(std::vector<std::string>(args.begin() + 1, args.end()));
  } else if ((args.size() == 2 || args.size() == 3) && args[0] == "load") {
    load(args[1], args.size() == 3 ? args[2] : "");
  } else {
    die("usage: faults config KIND PRIVATE-KEY-FILE PEER-KEY PEER-ADDRESS PEER-PORT\n"
        "       faults send ADDRESS...\n"
        "       faults load MODULE-FILE [PARAMETER]");
  }
  return 0;
}
