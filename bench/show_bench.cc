// SPDX-License-Identifier: GPL-2.0
// How long wgtool takes between the kernel's answer and its output: a device of many peers, from
// netlink messages to text, in each form of `show'.
#include <fmt/core.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "brief.hh"
#include "format.hh"
#include "json.hh"
#include "message.hh"
#include "uapi/wgnl.h"
#include "view.hh"

namespace {

using wg::tool::Device;
using wg::tool::DeviceView;
using wg::tool::Message;
using wg::tool::Output;

constexpr size_t kNumPeers = 1000, kNumPrefixes = 10;
// As many as the kernel puts into one answer of 8 KiB, or so.
constexpr size_t kPeersPerMessage = 15;
constexpr size_t kRepetitions = 101;
// What `show' may take; the kernel's part of it is not in here.
constexpr double kLimit_ms = 50;

template <typename T>
void put(const Message &message, int type, const T &value) {
  if (nla_put(message.get(), type, sizeof(value), &value) < 0) std::abort();
}

nlattr *begin(const Message &message, int type) {
  nlattr *nest = nla_nest_start(message.get(), type);
  if (nest == nullptr) std::abort();
  return nest;
}

void put_peer(const Message &message, uint32_t i) {
  nlattr *peer = begin(message, 0);
  wg::tool::PublicKey key;
  for (size_t at = 0; at < key.bytes.size(); ++at) {
    key.bytes[at] =
        static_cast<uint8_t>((i * 2654435761u) >> (at % 4 * 8)) ^ static_cast<uint8_t>(at);
  }
  put(message, WGNL_PEER_PUBLIC_KEY, key.bytes);
  put(message, WGNL_PEER_PRESHARED_KEY, key.bytes);
  sockaddr_in endpoint{};
  endpoint.sin_family = AF_INET;
  endpoint.sin_port = htons(51820);
  endpoint.sin_addr.s_addr = htonl(0xc0000200u + i);
  put(message, WGNL_PEER_ENDPOINT, endpoint);
  put(message, WGNL_PEER_KEEPALIVE_INTERVAL, uint16_t{25});
  struct {
    int64_t seconds, nanoseconds;
  } handshake = {std::time(nullptr) - i, i};
  put(message, WGNL_PEER_LAST_HANDSHAKE_TIME, handshake);
  put(message, WGNL_PEER_RX_BYTES, uint64_t{i} * 1234567);
  put(message, WGNL_PEER_TX_BYTES, uint64_t{i} * 7654321);
  nlattr *ips = begin(message, WGNL_PEER_ALLOWEDIPS);
  for (uint32_t j = 0; j < kNumPrefixes; ++j) {
    nlattr *ip = begin(message, 0);
    if (j % 2 == 0) {
      put(message, WGNL_ALLOWEDIP_FAMILY, uint16_t{AF_INET});
      put(message, WGNL_ALLOWEDIP_IPADDR, htonl(0x0a000000u + (i << 8) + j));
      put(message, WGNL_ALLOWEDIP_CIDR_MASK, uint8_t{32});
    } else {
      const uint32_t address[4] = {htonl(0xfd000000), htonl(i), htonl(j), 0};
      put(message, WGNL_ALLOWEDIP_FAMILY, uint16_t{AF_INET6});
      put(message, WGNL_ALLOWEDIP_IPADDR, address);
      put(message, WGNL_ALLOWEDIP_CIDR_MASK, uint8_t{96});
    }
    nla_nest_end(message.get(), ip);
  }
  nla_nest_end(message.get(), ips);
  nla_nest_end(message.get(), peer);
}

// A dump as the kernel sends it.
std::vector<Message> messages() {
  std::vector<Message> all;
  for (uint32_t i = 0; i < kNumPeers; i += kPeersPerMessage) {
    all.push_back(wg::tool::new_message(20, WGNL_CMD_GET_DEVICE, WGNL_VERSION, 0, 65536));
    const Message &message = all.back();
    if (nla_put_string(message.get(), WGNL_DEVICE_IFNAME, "wg0") < 0) std::abort();
    nlattr *peers = begin(message, WGNL_DEVICE_PEERS);
    const uint32_t end = std::min<uint32_t>(i + kPeersPerMessage, kNumPeers);
    for (uint32_t peer = i; peer < end; ++peer) put_peer(message, peer);
    nla_nest_end(message.get(), peers);
  }
  return all;
}

// Time of this process alone: programs beside it take turns with it.
double processor_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// The fifth percentile, as in the other benchmarks: what else the machine does only adds.
double low_ms(const std::function<void()> &body) {
  std::vector<double> times;
  for (size_t i = 0; i < kRepetitions; ++i) {
    const double start_ms = processor_ms();
    body();
    times.push_back(processor_ms() - start_ms);
  }
  std::nth_element(times.begin(), times.begin() + kRepetitions / 20, times.end());
  return times[kRepetitions / 20];
}

Device decode(const std::vector<Message> &dump) {
  Device device;
  for (const Message &message : dump) decode_device(device, nlmsg_hdr(message.get()));
  return device;
}

// A view as show makes it, names left out: they are in files.
DeviceView view_of(const Device &device, wg::tool::SortKey sort) {
  wg::tool::ViewOptions options;
  options.sort = sort;
  const auto seen = observe(device, nullptr, std::time(nullptr), 0, options.stale_s);
  return make_view(device, {}, nullptr, seen, options);
}

int run() {
  const std::vector<Message> dump = messages();
  if (decode(dump).peers.size() != kNumPeers) std::abort();
  wg::tool::Style style;
  style.now_s = std::time(nullptr);
  using wg::tool::SortKey;
  struct Form {
    const char *name;
    std::function<void(Output &, const Device &)> print;
  };
  const Form forms[] = {
      {"decoding alone", [](Output &, const Device &) {}},
      {"show",
       [&](Output &out, const Device &d) { print_pretty(out, view_of(d, SortKey::kAge), style); }},
      {"show --brief",
       [&](Output &out, const Device &d) {
         const DeviceView view = view_of(d, SortKey::kAge);
         print_brief(out, {&view, 1}, style);
       }},
      {"show --json",
       [&](Output &out, const Device &d) {
         const DeviceView view = view_of(d, SortKey::kNone);
         print_devices_json(out, {&view, 1}, style.now_s, {});
       }},
      {"show dump", [](Output &out, const Device &d) { print_dump(out, d, {}); }},
  };
  fmt::print("{} peers with {} prefixes each, from netlink messages to text\n", kNumPeers,
             kNumPrefixes);
  bool is_met = true;
  for (const Form &form : forms) {
    size_t num_bytes = 0;
    const double time_ms = low_ms([&] {
      const Device device = decode(dump);
      Output out;
      form.print(out, device);
      num_bytes = out.text().size();
    });
    is_met = is_met && time_ms < kLimit_ms;
    fmt::print("  {:<16} {:8.2f} ms {:10} bytes  (below {} ms: {})\n", form.name, time_ms,
               num_bytes, kLimit_ms, time_ms < kLimit_ms ? "yes" : "no");
  }
  return is_met ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception &error) {
    fmt::print(stderr, "show_bench: {}\n", error.what());
    return 2;
  }
}
