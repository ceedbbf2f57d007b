// SPDX-License-Identifier: GPL-2.0
#include "view.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <tuple>

#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

// Enough of a key to tell peers apart, and to be given to --peer.
constexpr size_t kShownKeyLen = 10;

template <typename T>
struct Word {
  const char *text;
  T value;
};

constexpr Word<State> kStates[] = {
    {"up", State::kUp},       {"idle", State::kIdle},         {"stale", State::kStale},
    {"never", State::kNever}, {"rejected", State::kRejected},
};

constexpr Word<SortKey> kSortKeys[] = {
    {"age", SortKey::kAge},   {"rx", SortKey::kRx},   {"tx", SortKey::kTx},
    {"name", SortKey::kName}, {"key", SortKey::kKey}, {"endpoint", SortKey::kEndpoint},
};

template <typename T, size_t N>
T parse_word(const Word<T> (&words)[N], const char *what, const std::string &text) {
  std::string known;
  for (const Word<T> &word : words) {
    if (text == word.text) return word.value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", word.text);
  }
  throw UsageError(fmt::format("{} is one of {}: `{}'", what, known, printable(text)));
}

std::optional<Rate> rate_of(const Peer &peer, const SeenPeer &before, double passed_s) {
  const bool began_anew = peer.rx_bytes < before.rx_bytes || peer.tx_bytes < before.tx_bytes;
  if (passed_s <= 0 || began_anew) return std::nullopt;
  return Rate{static_cast<double>(peer.rx_bytes - before.rx_bytes) / passed_s,
              static_cast<double>(peer.tx_bytes - before.tx_bytes) / passed_s};
}

// Address families, addresses and ports in the order of their numbers.
std::tuple<int, std::array<uint8_t, 16>, uint32_t, uint16_t> endpoint_order(
    const std::optional<Endpoint> &endpoint) {
  std::array<uint8_t, 16> address{};
  if (!endpoint) return {3, address, 0, 0};
  if (endpoint->address.sa_family == AF_INET) {
    std::memcpy(address.data(), &endpoint->ipv4.sin_addr, sizeof(in_addr));
    return {1, address, 0, ntohs(endpoint->ipv4.sin_port)};
  }
  std::memcpy(address.data(), &endpoint->ipv6.sin6_addr, sizeof(in6_addr));
  return {2, address, endpoint->ipv6.sin6_scope_id, ntohs(endpoint->ipv6.sin6_port)};
}

bool is_newer(const PeerView &a, const PeerView &b) {
  return std::tie(a.peer->handshake_s, a.peer->handshake_ns) >
         std::tie(b.peer->handshake_s, b.peer->handshake_ns);
}

// A rate stands before a total, which is all that is known of others.
template <typename Bytes, typename PerSecond>
bool has_more(const PeerView &a, const PeerView &b, Bytes bytes, PerSecond per_second) {
  if (a.rate.has_value() != b.rate.has_value()) return a.rate.has_value();
  if (a.rate && per_second(*a.rate) != per_second(*b.rate)) {
    return per_second(*a.rate) > per_second(*b.rate);
  }
  return bytes(*a.peer) > bytes(*b.peer);
}

bool is_before(const PeerView &a, const PeerView &b, SortKey key) {
  switch (key) {
    case SortKey::kNone:
      return false;
    case SortKey::kAge:
      return is_newer(a, b);
    case SortKey::kRx:
      return has_more(
          a, b, [](const Peer &peer) { return peer.rx_bytes; },
          [](const Rate &rate) { return rate.rx; });
    case SortKey::kTx:
      return has_more(
          a, b, [](const Peer &peer) { return peer.tx_bytes; },
          [](const Rate &rate) { return rate.tx; });
    case SortKey::kName:
      if (a.name.empty() != b.name.empty()) return b.name.empty();
      return std::tie(a.name, a.peer->public_key) < std::tie(b.name, b.peer->public_key);
    case SortKey::kKey:
      return a.peer->public_key < b.peer->public_key;
    case SortKey::kEndpoint:
      return endpoint_order(a.peer->endpoint) < endpoint_order(b.peer->endpoint);
  }
  return false;
}

}  // namespace

const char *state_word(State state) {
  for (const auto &word : kStates) {
    if (word.value == state) return word.text;
  }
  return "";
}

State parse_state(const std::string &word) {
  return parse_word(kStates, "A state", word);
}

SortKey parse_sort_key(const std::string &word) {
  return parse_word(kSortKeys, "A sort key", word);
}

State classify(const Peer &peer, int64_t now_s, int64_t stale_s, int64_t sent_s) {
  const bool has_handshake = peer.handshake_s != 0 || peer.handshake_ns != 0;
  if (!has_handshake) return peer.tx_bytes != 0 ? State::kRejected : State::kNever;
  // A handshake that is still to come means that the clock was set back: no reason to doubt it.
  if (now_s - peer.handshake_s < stale_s) return State::kUp;
  const bool was_seen_sending = sent_s != 0 && now_s - sent_s <= kSendingFor_s;
  const bool has_to_send = peer.keepalive_s != 0 && peer.endpoint;
  return was_seen_sending || has_to_send ? State::kStale : State::kIdle;
}

SeenDevice observe(const Device &device, const SeenDevice *before, int64_t now_s, double at_s,
                   int64_t stale_s) {
  SeenDevice seen;
  seen.at_s = at_s;
  for (const Peer &peer : device.peers) {
    SeenPeer now{peer.endpoint, peer.handshake_s, peer.handshake_ns,
                 peer.rx_bytes, peer.tx_bytes,    0,
                 State::kNever};
    if (before != nullptr) {
      const auto it = before->peers.find(peer.public_key);
      if (it != before->peers.end()) {
        now.sent_s = peer.tx_bytes > it->second.tx_bytes ? now_s : it->second.sent_s;
      }
    }
    now.state = classify(peer, now_s, stale_s, now.sent_s);
    seen.peers[peer.public_key] = now;
  }
  return seen;
}

DeviceView make_view(const Device &device, const Names &names, const SeenDevice *before,
                     const SeenDevice &now, const ViewOptions &options) {
  DeviceView view{&device, {}};
  for (const Peer &peer : device.peers) {
    PeerView shown{&peer, {}, State::kNever, {}};
    if (const auto it = names.find(peer.public_key); it != names.end()) shown.name = it->second;
    if (const auto it = now.peers.find(peer.public_key); it != now.peers.end()) {
      shown.state = it->second.state;
    }
    if (before != nullptr) {
      const auto it = before->peers.find(peer.public_key);
      if (it != before->peers.end()) {
        shown.rate = rate_of(peer, it->second, now.at_s - before->at_s);
      }
    }
    if (!is_meant(peer.public_key, shown.name, options.peer)) continue;
    if (options.state && *options.state != shown.state) continue;
    view.peers.push_back(std::move(shown));
  }
  sort_peers(view.peers, options.sort);
  return view;
}

bool is_meant(const PublicKey &key, std::string_view name, std::string_view text) {
  return text.empty() || equals_caseless(name, text) || key.text().starts_with(text);
}

void sort_peers(std::vector<PeerView> &peers, SortKey key) {
  if (key == SortKey::kNone) return;
  std::stable_sort(peers.begin(), peers.end(),
                   [key](const PeerView &a, const PeerView &b) { return is_before(a, b, key); });
}

std::string printable_name(const PeerView &peer) {
  if (!peer.name.empty()) return peer.name;
  return peer.peer->public_key.text().substr(0, kShownKeyLen) + "..";
}

}  // namespace wg::tool
