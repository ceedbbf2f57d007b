// SPDX-License-Identifier: GPL-2.0
// Structured and random requests to the family, by several threads at once.
//
//   fuzz-netlink FAMILY NUM-REQUESTS PRIVATE-KEY-FILE PEER-KEY PEER-ADDRESS PEER-PORT
//                CARRIER DEVICE...
//
// Everything may happen to each DEVICE. CARRIER is only read, and sent what has to be refused; its
// index is to be one that a changed byte of another's does not make.
// PRIVATE-KEY-FILE, PEER-KEY, PEER-ADDRESS (IPv4) and PEER-PORT are a configuration with which a
// DEVICE works: it is set again and again, so that requests hit a device with live sessions.
// Each reply is checked: an error that the interface knows, or an acknowledgement, or a dump whose
// attributes are what they should be. The requests follow from the seed, which is printed and
// repeated by WGPP_SEED; how the threads interleave does not. Prints "NAME VALUE" lines.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "nl.hh"
#include "uapi/wgnl.h"

using wgfuzz::Attributes;
using wgfuzz::Bytes;
using wgfuzz::die;
using wgfuzz::Message;
using wgfuzz::NetlinkSocket;
using wgfuzz::Random;

namespace {

constexpr int kNumThreads = 4;

struct Target {
  uint16_t family;
  Bytes private_key, peer_key;
  sockaddr_in peer_endpoint;
  std::string carrier;
  std::vector<std::string> devices;
  std::vector<Bytes> keys;  // public keys that peers have; few, so that requests meet
};

// Errors that a request may be answered with. Others would be a fault of ours or of a lower layer
// that leaks through.
bool is_legal_error(int error) {
  static const std::set<int> kLegal = {0,          EINVAL,     ERANGE,       EBADR,
                                       ENODEV,     EOPNOTSUPP, EPFNOSUPPORT, ENOMEM,
                                       EADDRINUSE, EBUSY,      EMSGSIZE,     ENOBUFS};
  return kLegal.count(error) != 0;
}

// ---- what a dump has to look like ------------------------------------------------------------

bool check_allowedip(const uint8_t *data, size_t len) {
  uint16_t family = 0;
  size_t address_len = 0;
  int mask = -1;
  const bool is_sound =
      wgfuzz::for_each_attribute(data, len, [&](int type, const uint8_t *value, size_t value_len) {
        switch (type) {
          case WGNL_ALLOWEDIP_FAMILY:
            if (value_len != 2) return false;
            std::memcpy(&family, value, 2);
            return true;
          case WGNL_ALLOWEDIP_IPADDR:
            address_len = value_len;
            return true;
          case WGNL_ALLOWEDIP_CIDR_MASK:
            if (value_len != 1) return false;
            mask = *value;
            return true;
          default:
            return false;
        }
      });
  return is_sound && ((family == AF_INET && address_len == 4 && mask >= 0 && mask <= 32) ||
                      (family == AF_INET6 && address_len == 16 && mask >= 0 && mask <= 128));
}

bool check_peer(const uint8_t *data, size_t len) {
  bool has_key = false;
  return wgfuzz::for_each_attribute(
             data, len,
             [&](int type, const uint8_t *value, size_t value_len) {
               switch (type) {
                 case WGNL_PEER_PUBLIC_KEY:
                   has_key = true;
                   return value_len == 32;
                 case WGNL_PEER_PRESHARED_KEY:
                   return value_len == 32;
                 case WGNL_PEER_ENDPOINT: {
                   uint16_t family = 0;
                   if (value_len < 2) return false;
                   std::memcpy(&family, value, 2);
                   return (family == AF_INET && value_len == sizeof(sockaddr_in)) ||
                          (family == AF_INET6 && value_len == sizeof(sockaddr_in6));
                 }
                 case WGNL_PEER_KEEPALIVE_INTERVAL:
                   return value_len == 2;
                 case WGNL_PEER_LAST_HANDSHAKE_TIME:
                   return value_len == 16;
                 case WGNL_PEER_UNSPEC:  // padding before 64 bits
                   return value_len == 0;
                 case WGNL_PEER_RX_BYTES:
                 case WGNL_PEER_TX_BYTES:
                   return value_len == 8;
                 case WGNL_PEER_PROTOCOL_VERSION:
                   return value_len == 4;
                 case WGNL_PEER_ALLOWEDIPS:
                   return wgfuzz::for_each_attribute(value, value_len,
                                                     [](int, const uint8_t *ip, size_t ip_len) {
                                                       return check_allowedip(ip, ip_len);
                                                     });
                 default:
                   return false;
               }
             }) &&
         has_key;
}

bool check_device(const uint8_t *data, size_t len) {
  return wgfuzz::for_each_attribute(
      data, len, [](int type, const uint8_t *value, size_t value_len) {
        switch (type) {
          case WGNL_DEVICE_IFINDEX:
          case WGNL_DEVICE_FWMARK:
            return value_len == 4;
          case WGNL_DEVICE_IFNAME:
            return value_len >= 2 && value_len <= IFNAMSIZ && value[value_len - 1] == 0;
          case WGNL_DEVICE_PRIVATE_KEY:
          case WGNL_DEVICE_PUBLIC_KEY:
            return value_len == 32;
          case WGNL_DEVICE_LISTEN_PORT:
            return value_len == 2;
          case WGNL_DEVICE_PEERS:
            return wgfuzz::for_each_attribute(value, value_len,
                                              [](int, const uint8_t *peer, size_t peer_len) {
                                                return check_peer(peer, peer_len);
                                              });
          default:
            return false;
        }
      });
}

// ---- one thread
// ----------------------------------------------------------------------------------

class Fuzzer {
 public:
  Fuzzer(const Target &target, uint64_t seed)
      : target_(target), random_(seed), socket_(NETLINK_GENERIC) {}

  void run(uint64_t num_requests) {
    for (uint64_t i = 0; i < num_requests && complaint_.empty(); ++i) step();
  }

  const std::string &complaint() const { return complaint_; }
  const std::map<std::string, uint64_t> &counts() const { return counts_; }

 private:
  void step() {
    const uint64_t pick = random_.below(100);
    if (pick < 4) return submit(working_configuration(), WGNL_CMD_SET_DEVICE, 0, "working");
    if (pick < 14) {
      Attributes request;
      name_device(&request, random_.chance(30) ? target_.carrier : device());
      return submit(request.bytes(), WGNL_CMD_GET_DEVICE, NLM_F_DUMP, "dumps");
    }
    if (pick < 18) return submit(refused_by_carrier(), WGNL_CMD_SET_DEVICE, 0, "carrier");
    if (pick < 22) {
      Bytes garbage = random_.bytes(random_.below(random_.chance(5) ? 20000 : 200));
      return submit(garbage, any_command(), any_flags(), "random");
    }
    const bool is_set = random_.chance(85);
    Bytes attributes = device_request(is_set).bytes();
    if (random_.chance(30)) mutate(&attributes);
    const auto command = static_cast<uint8_t>(is_set ? WGNL_CMD_SET_DEVICE : WGNL_CMD_GET_DEVICE);
    submit(attributes, random_.chance(97) ? command : any_command(), is_set ? 0 : NLM_F_DUMP,
           is_set ? "set" : "get");
  }

  uint8_t any_command() {
    // Nothing but a get may meet the carrier by chance, and that is harmless.
    return random_.byte();
  }

  uint16_t any_flags() { return random_.chance(50) ? 0 : static_cast<uint16_t>(random_.u32()); }

  const std::string &device() { return random_.pick(target_.devices); }

  static void name_device(Attributes *request, const std::string &name) {
    request->put(WGNL_DEVICE_IFNAME, name);
  }

  // ---- making requests -----------------------------------------------------------------------

  Bytes working_configuration() {
    Attributes request;
    name_device(&request, target_.devices[0]);
    request.put(WGNL_DEVICE_PRIVATE_KEY, target_.private_key);
    request.put_int<uint32_t>(WGNL_DEVICE_FWMARK, 0);
    if (random_.chance(50))
      request.put_int<uint32_t>(WGNL_DEVICE_FLAGS, WGNL_DEVICE_F_REPLACE_PEERS);
    const size_t peers = request.begin(WGNL_DEVICE_PEERS);
    const size_t peer = request.begin(0);
    request.put(WGNL_PEER_PUBLIC_KEY, target_.peer_key);
    request.put(WGNL_PEER_PRESHARED_KEY, Bytes(32));
    request.put(WGNL_PEER_ENDPOINT, &target_.peer_endpoint, sizeof target_.peer_endpoint);
    const size_t ips = request.begin(WGNL_PEER_ALLOWEDIPS);
    for (const uint16_t family : {AF_INET, AF_INET6}) {
      const size_t ip = request.begin(0);
      request.put_int<uint16_t>(WGNL_ALLOWEDIP_FAMILY, family);
      request.put(WGNL_ALLOWEDIP_IPADDR, Bytes(family == AF_INET ? 4 : 16));
      request.put_int<uint8_t>(WGNL_ALLOWEDIP_CIDR_MASK, 0);
      request.end(ip);
    }
    request.end(ips);
    request.end(peer);
    request.end(peers);
    return request.bytes();
  }

  // An unknown flag is looked at before anything is changed.
  Bytes refused_by_carrier() {
    Attributes request;
    name_device(&request, target_.carrier);
    request.put_int<uint32_t>(WGNL_DEVICE_FLAGS, 2U << random_.below(31));
    if (random_.chance(50)) request.put(WGNL_DEVICE_PRIVATE_KEY, random_.bytes(32));
    if (random_.chance(50)) put_peers(&request);
    return request.bytes();
  }

  // Of @len bytes mostly, and otherwise of another length.
  Bytes value(size_t len) {
    if (random_.chance(3)) return random_.bytes(random_.below(2 * len + 3));
    return random_.bytes(len);
  }

  // A small number of @len bytes, of which most have a meaning.
  void put_number(Attributes *out, uint16_t type, size_t len, uint64_t number) {
    Bytes bytes(len);
    std::memcpy(bytes.data(), &number, std::min(len, sizeof number));
    if (random_.chance(3)) bytes.resize(random_.below(10));
    out->put(type, bytes);
  }

  Bytes key() {
    if (random_.chance(90)) return random_.pick(target_.keys);
    if (random_.chance(30)) return target_.peer_key;
    Bytes key(32);  // 0 or 1, of small order, or any
    if (random_.chance(50))
      key[0] = static_cast<uint8_t>(random_.below(2));
    else
      random_.fill(key.data(), 1);
    if (random_.chance(5)) key.resize(random_.below(64));
    return key;
  }

  Bytes endpoint() {
    if (random_.chance(30)) {
      const auto *bytes = reinterpret_cast<const uint8_t *>(&target_.peer_endpoint);
      return {bytes, bytes + sizeof target_.peer_endpoint};
    }
    Bytes out = random_.bytes(random_.chance(50) ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    if (random_.chance(5)) out.resize(random_.below(200));
    const uint16_t family = random_.chance(90) ? (out.size() == 16 ? AF_INET : AF_INET6)
                                               : static_cast<uint16_t>(random_.below(50));
    if (out.size() >= 2) std::memcpy(out.data(), &family, 2);
    // On a link that exists, or of no interface at all.
    if (out.size() == 28 && random_.chance(80)) std::memset(&out[24], 0, 4);
    return out;
  }

  void put_allowedip(Attributes *out) {
    const size_t nest = out->begin(static_cast<uint16_t>(random_.below(3)));
    const bool is_ipv4 = random_.chance(50);
    const size_t len = is_ipv4 ? 4 : 16;
    if (!random_.chance(1))
      put_number(out, WGNL_ALLOWEDIP_FAMILY, 2,
                 random_.chance(98) ? (is_ipv4 ? AF_INET : AF_INET6) : random_.below(50));
    if (!random_.chance(1)) {
      Bytes address = value(len);
      // Few different ones, so that prefixes nest, collide and change owners.
      for (size_t i = 0; i < address.size(); ++i) address[i] &= i < 2 ? 0x03 : 0x80;
      out->put(WGNL_ALLOWEDIP_IPADDR, address);
    }
    if (!random_.chance(1))
      put_number(out, WGNL_ALLOWEDIP_CIDR_MASK, 1,
                 random_.chance(99) ? random_.below(len * 8 + 1) : random_.byte());
    if (random_.chance(20))
      put_number(out, WGNL_ALLOWEDIP_FLAGS, 4, random_.below(random_.chance(95) ? 2 : 5));
    out->end(nest);
  }

  void put_peer(Attributes *out) {
    const size_t nest = out->begin(static_cast<uint16_t>(random_.below(3)));
    if (!random_.chance(1)) out->put(WGNL_PEER_PUBLIC_KEY, key());
    if (random_.chance(20)) out->put(WGNL_PEER_PRESHARED_KEY, value(32));
    if (random_.chance(50))
      put_number(out, WGNL_PEER_FLAGS, 4, random_.below(random_.chance(97) ? 8 : 20));
    if (random_.chance(30)) out->put(WGNL_PEER_ENDPOINT, endpoint());
    if (random_.chance(20))
      put_number(out, WGNL_PEER_KEEPALIVE_INTERVAL, 2,
                 random_.below(random_.chance(80) ? 3 : 65536));
    if (random_.chance(5))
      put_number(out, WGNL_PEER_PROTOCOL_VERSION, 4, random_.chance(80) ? 1 : 2);
    if (random_.chance(3)) out->put(static_cast<uint16_t>(random_.below(16)), value(8));
    if (random_.chance(40)) {
      const size_t ips = out->begin(WGNL_PEER_ALLOWEDIPS);
      const uint64_t num = random_.chance(2) ? random_.below(600) : random_.below(6);
      for (uint64_t i = 0; i < num; ++i) put_allowedip(out);
      out->end(ips);
    }
    out->end(nest);
  }

  void put_peers(Attributes *out) {
    const size_t peers = out->begin(WGNL_DEVICE_PEERS);
    const uint64_t num = random_.chance(1) ? random_.below(300) : random_.below(4);
    for (uint64_t i = 0; i < num; ++i) put_peer(out);
    out->end(peers);
  }

  Attributes device_request(bool is_set) {
    Attributes out;
    const uint64_t way = random_.below(100);
    if (way < 70 || way >= 97) name_device(&out, device());
    if (way >= 70 && way < 90)
      out.put_int<uint32_t>(WGNL_DEVICE_IFINDEX, if_nametoindex(device().c_str()));
    if (way >= 90 && way < 93) name_device(&out, "lo");
    if (way >= 93 && way < 95) out.put(WGNL_DEVICE_IFNAME, random_.bytes(random_.below(40)));
    if (way >= 99) out.put_int<uint32_t>(WGNL_DEVICE_IFINDEX, random_.u32());
    if (random_.chance(is_set ? 10 : 2)) out.put(WGNL_DEVICE_PRIVATE_KEY, value(32));
    if (random_.chance(3)) out.put(WGNL_DEVICE_PRIVATE_KEY, Bytes(32));
    if (random_.chance(2)) out.put(WGNL_DEVICE_PUBLIC_KEY, value(32));
    if (random_.chance(10))
      put_number(&out, WGNL_DEVICE_FLAGS, 4, random_.below(random_.chance(95) ? 2 : 5));
    if (random_.chance(5))
      put_number(&out, WGNL_DEVICE_LISTEN_PORT, 2,
                 random_.chance(70) ? 5100 + random_.below(8) : random_.below(1 << 16));
    // A device's index is small, and a changed type must not make this one.
    if (random_.chance(5))
      put_number(&out, WGNL_DEVICE_FWMARK, 4, random_.chance(50) ? 0 : 0x10000 + random_.below(9));
    if (random_.chance(2)) out.put(static_cast<uint16_t>(9 + random_.below(0x3ff0)), value(4));
    if (random_.chance(is_set ? 85 : 10)) put_peers(&out);
    if (random_.chance(2)) put_peers(&out);
    if (random_.chance(1)) nest_deep(&out);
    return out;
  }

  void nest_deep(Attributes *out) {
    std::vector<size_t> nests;
    const uint64_t depth = 1 + random_.below(2000);
    for (uint64_t i = 0; i < depth; ++i)
      nests.push_back(out->begin(
          i == 0 ? static_cast<uint16_t>(WGNL_DEVICE_PEERS)
                 : static_cast<uint16_t>(random_.chance(50) ? 0 : WGNL_PEER_ALLOWEDIPS)));
    while (!nests.empty()) {
      out->end(nests.back());
      nests.pop_back();
    }
  }

  // Bytes anywhere, among them lengths and types; cut; doubled.
  void mutate(Bytes *attributes) {
    if (attributes->empty()) return;
    switch (random_.below(5)) {
      case 0:
        attributes->resize(random_.below(attributes->size() + 1));
        break;
      case 1: {
        const Bytes copy = *attributes;
        if (copy.size() < 20000) attributes->insert(attributes->end(), copy.begin(), copy.end());
        break;
      }
      case 2: {
        // At a multiple of 4, where headers are: a length of its own choosing.
        const size_t at = random_.below(attributes->size() / 4 + 1) * 4;
        const auto len =
            static_cast<uint16_t>(random_.chance(50) ? random_.below(64) : random_.u32());
        if (at + 2 <= attributes->size()) std::memcpy(&(*attributes)[at], &len, 2);
        break;
      }
      default: {
        const uint64_t num = 1 + random_.below(4);
        for (uint64_t i = 0; i < num; ++i)
          random_.fill(&(*attributes)[random_.below(attributes->size())], 1);
      }
    }
  }

  // ---- sending and judging ---------------------------------------------------------------------

  void submit(const Bytes &attributes, uint8_t command, uint16_t flags, const std::string &name) {
    ++counts_[name];
    ++counts_["requests"];
    const uint32_t seq = ++seq_;
    const genlmsghdr head{command, random_.chance(98) ? uint8_t{WGNL_VERSION} : random_.byte(),
                          random_.chance(99) ? uint16_t{0} : uint16_t{1}};
    flags = static_cast<uint16_t>(flags | NLM_F_REQUEST | NLM_F_ACK);
    Bytes request =
        wgfuzz::make_request(target_.family, flags, seq, &head, sizeof head, attributes);
    has_other_len_ = random_.chance(2);
    if (has_other_len_) {
      // Netlink itself skips what does not have the length that it says, without an answer, and
      // reads what a shorter length leaves over as further messages.
      const auto len = static_cast<uint32_t>(random_.below(2 * request.size()));
      std::memcpy(request.data(), &len, sizeof len);
    }
    const int error = socket_.send(request);
    if (error != 0 && error != EMSGSIZE)
      return complain(std::string("send: ") + std::strerror(error));
    if ((flags & NLM_F_DUMP) == NLM_F_DUMP && random_.chance(15)) return leave_dump();
    collect(seq, head.cmd);
  }

  // Stops in the middle of a dump, with or without a further request on the same socket.
  void leave_dump() {
    ++counts_["dumps_left"];
    int error = 0;
    if (random_.chance(70)) socket_.receive(false, &error);
    if (random_.chance(50)) {
      Attributes request;
      name_device(&request, device());
      const genlmsghdr head{WGNL_CMD_GET_DEVICE, WGNL_VERSION, 0};
      socket_.send(wgfuzz::make_request(target_.family, NLM_F_REQUEST | NLM_F_DUMP, ++seq_, &head,
                                        sizeof head, request.bytes()));
      socket_.receive(false, &error);
    }
    socket_.reopen();
  }

  // A request has been dealt with when send() returns, and a dump goes on by being read: whatever
  // is to come can be read without waiting.
  void collect(uint32_t seq, uint8_t command) {
    for (;;) {
      int error = 0;
      const Bytes datagram = socket_.receive(false, &error);
      if (error == EAGAIN) return;
      if (error == ENOBUFS || error == ENOMEM) continue;
      if (error != 0) return complain(std::string("receive: ") + std::strerror(error));
      std::vector<Message> messages;
      if (!wgfuzz::split(datagram, &messages))
        return complain("a reply whose lengths do not add up");
      for (const Message &message : messages)
        if (!judge(message, seq, command)) return;
    }
  }

  bool judge(const Message &message, uint32_t seq, uint8_t command) {
    const nlmsghdr &header = message.header;
    if (header.nlmsg_seq != seq && has_other_len_ && header.nlmsg_type == NLMSG_ERROR) return true;
    if (header.nlmsg_seq != seq) {
      complain("a reply to another request");
      return false;
    }
    if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
      int error = 0;
      if (message.payload_len < sizeof error) {
        complain("an answer without an error code");
        return false;
      }
      std::memcpy(&error, message.payload, sizeof error);
      if (error > 0 || !is_legal_error(-error)) {
        complain("an error that the interface does not know: " + std::to_string(error));
        return false;
      }
      ++counts_[error == 0 ? "accepted" : "refused"];
      return true;
    }
    if (header.nlmsg_flags & NLM_F_DUMP_INTR) ++counts_["dumps_interrupted"];
    if (header.nlmsg_type != target_.family || message.payload_len < GENL_HDRLEN ||
        !(header.nlmsg_flags & NLM_F_MULTI) || command != WGNL_CMD_GET_DEVICE ||
        !check_device(message.payload + GENL_HDRLEN, message.payload_len - GENL_HDRLEN)) {
      complain("a dump that is not well formed");
      return false;
    }
    ++counts_["dump_messages"];
    return true;
  }

  void complain(const std::string &what) {
    if (complaint_.empty()) complaint_ = what + " (request " + std::to_string(seq_) + ")";
  }

  const Target &target_;
  Random random_;
  NetlinkSocket socket_;
  uint32_t seq_ = 0;
  bool has_other_len_ = false;
  std::string complaint_;
  std::map<std::string, uint64_t> counts_;
};

}  // namespace

int main(int argc, char **argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() < 8)
    die("usage: fuzz-netlink FAMILY NUM-REQUESTS PRIVATE-KEY-FILE PEER-KEY PEER-ADDRESS PEER-PORT "
        "CARRIER DEVICE...");
  const uint64_t seed = wgfuzz::choose_seed();
  std::printf("WGPP_SEED %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);

  Target target;
  Random random(seed);
  target.family = wgfuzz::family_id(args[0]);
  const uint64_t num_requests = std::stoull(args[1]);
  target.private_key = wgfuzz::key_from_base64(wgfuzz::first_line(args[2]));
  target.peer_key = wgfuzz::key_from_base64(args[3]);
  target.peer_endpoint = {};
  target.peer_endpoint.sin_family = AF_INET;
  target.peer_endpoint.sin_port = htons(static_cast<uint16_t>(std::stoul(args[5])));
  if (inet_pton(AF_INET, args[4].c_str(), &target.peer_endpoint.sin_addr) != 1)
    die("no IPv4 address: " + args[4]);
  target.carrier = args[6];
  target.devices.assign(args.begin() + 7, args.end());
  for (int i = 0; i < 24; ++i) target.keys.push_back(random.bytes(32));

  std::vector<std::unique_ptr<Fuzzer>> fuzzers;
  std::vector<std::thread> threads;
  for (int i = 0; i < kNumThreads; ++i)
    fuzzers.push_back(std::make_unique<Fuzzer>(target, random.u64()));
  for (const auto &fuzzer : fuzzers)
    threads.emplace_back([&] { fuzzer->run(num_requests / kNumThreads); });
  for (std::thread &thread : threads) thread.join();

  std::map<std::string, uint64_t> counts;
  bool is_sound = true;
  for (int i = 0; i < kNumThreads; ++i) {
    for (const auto &[name, value] : fuzzers[i]->counts()) counts[name] += value;
    if (!fuzzers[i]->complaint().empty()) {
      std::fprintf(stderr, "thread %d: %s\n", i, fuzzers[i]->complaint().c_str());
      is_sound = false;
    }
  }
  for (const auto &[name, value] : counts)
    std::printf("%s %llu\n", name.c_str(), static_cast<unsigned long long>(value));
  return is_sound ? 0 : 1;
}
