// SPDX-License-Identifier: GPL-2.0
// AllowedIPs against a plain map that is searched from end to end, driven as the glue drives it:
// nodes come from the heap, go back when the trie gives them up, and each peer knows its own.
#include <array>
#include <map>
#include <set>

#include "input.hh"
#include "ops.hh"
#include "wgcore.h"

namespace {

using wgfuzz::Input;
using wgfuzz::TrieOp;

constexpr size_t kNumPeers = 4;

struct Prefix {
  uint8_t addr_len = 4;
  uint8_t cidr = 0;
  std::array<uint8_t, 16> addr{};

  auto operator<=>(const Prefix &) const = default;
  bool covers(uint8_t other_len, const uint8_t *other) const {
    if (other_len != addr_len) return false;
    for (unsigned bit = 0; bit < cidr; ++bit) {
      if (((addr[bit / 8] ^ other[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
    }
    return true;
  }
};

class Pair {
 public:
  Pair() { wgc_trie_init(&trie_); }
  Pair(const Pair &) = delete;
  Pair &operator=(const Pair &) = delete;
  ~Pair() {
    while (!values_.empty()) remove(values_.begin()->first);
    // Nodes that only joined others have to be gone with them.
    REQUIRE(nodes_.empty());
  }

  void insert(const wgc_prefix &given, size_t peer) {
    const Prefix prefix = masked(given);
    auto *const first = new wgc_trie_node;
    auto *const second = new wgc_trie_node;
    wgc_trie_node *const spare[2] = {first, second};
    wgc_trie_insertion result{};
    wgc_trie_insert(&trie_, &result, &given, &peers_[peer], spare);
    REQUIRE(result.num_used <= 2);
    for (uint32_t i = 0; i < 2; ++i) {
      if (i < result.num_used) {
        nodes_.insert(spare[i]);
      } else {
        delete spare[i];
      }
    }
    const auto before = values_.find(prefix);
    REQUIRE(result.displaced == (before == values_.end() ? nullptr : &peers_[before->second]));
    values_[prefix] = peer;
    REQUIRE(wgc_trie_node_value(result.node) == &peers_[peer]);
    check_prefix(result.node, prefix);
  }

  // By value: it may come out of the map that it leaves.
  void remove(Prefix prefix) {
    wgc_trie_node *const node = find(prefix);
    REQUIRE((node != nullptr) == values_.contains(prefix));
    if (node == nullptr) return;
    wgc_trie_removal removal{};
    wgc_trie_remove(&trie_, &removal, node);
    REQUIRE(removal.num_freed <= 2);
    for (uint32_t i = 0; i < removal.num_freed; ++i) {
      REQUIRE(nodes_.erase(removal.freed[i]) == 1);
      delete removal.freed[i];
    }
    values_.erase(prefix);
    REQUIRE(find(prefix) == nullptr);
  }

  void remove_peer(size_t peer) {
    std::vector<Prefix> gone;
    for (const auto &[prefix, owner] : values_) {
      if (owner == peer) gone.push_back(prefix);
    }
    for (const Prefix &prefix : gone) remove(prefix);
  }

  void lookup(const uint8_t *addr, uint8_t addr_len) const {
    const void *best = nullptr;
    unsigned best_cidr = 0;
    for (const auto &[prefix, peer] : values_) {
      if (prefix.covers(addr_len, addr) && (best == nullptr || prefix.cidr >= best_cidr)) {
        best = &peers_[peer];
        best_cidr = prefix.cidr;
      }
    }
    REQUIRE(wgc_trie_lookup(&trie_, addr, addr_len) == best);
  }

  // What a dump reads: every node that has a value, and nothing else.
  void dump() const {
    std::map<Prefix, const void *> found;
    for (const wgc_trie_node *node : nodes_) {
      const void *value = wgc_trie_node_value(node);
      if (value != nullptr) REQUIRE(found.emplace(prefix_of(node), value).second);
    }
    REQUIRE(found.size() == values_.size());
    for (const auto &[prefix, peer] : values_) REQUIRE(found.at(prefix) == &peers_[peer]);
    // Each join has two sides.
    REQUIRE(nodes_.empty() || nodes_.size() < 2 * values_.size());
  }

  static Prefix masked(const wgc_prefix &given) {
    Prefix prefix;
    prefix.addr_len = given.addr_len == 4 ? 4 : 16;
    const unsigned num_bits = prefix.addr_len * 8U;
    prefix.cidr = static_cast<uint8_t>(given.cidr < num_bits ? given.cidr : num_bits);
    for (unsigned bit = 0; bit < prefix.cidr; ++bit) {
      prefix.addr[bit / 8] |= given.addr[bit / 8] & (0x80U >> bit % 8);
    }
    return prefix;
  }

 private:
  static Prefix prefix_of(const wgc_trie_node *node) {
    wgc_prefix out{};
    wgc_trie_node_prefix(node, &out);
    Prefix prefix;
    prefix.addr_len = out.addr_len;
    prefix.cidr = out.cidr;
    std::memcpy(prefix.addr.data(), out.addr, 16);
    return prefix;
  }
  static void check_prefix(const wgc_trie_node *node, const Prefix &prefix) {
    REQUIRE(prefix_of(node) == prefix);
  }
  wgc_trie_node *find(const Prefix &prefix) const {
    wgc_prefix wanted{};
    wanted.addr_len = prefix.addr_len;
    wanted.cidr = prefix.cidr;
    std::memcpy(wanted.addr, prefix.addr.data(), 16);
    return wgc_trie_find(&trie_, &wanted);
  }

  wgc_trie trie_{};
  std::array<int, kNumPeers> peers_{};
  std::map<Prefix, size_t> values_;
  std::set<wgc_trie_node *> nodes_;
};

// Addresses that share long beginnings: random ones part at the first bits.
void choose_addr(Input &in, uint8_t addr[16]) {
  const uint8_t kind = in.u8();
  if (kind == 255) {
    in.fill(addr, 16);
    return;
  }
  std::memset(addr, (kind & 1) != 0 ? 0xff : 0, 16);
  for (unsigned i = 0; i < (kind >> 1) % 3U; ++i) {
    const uint8_t bit = in.below(128);
    addr[bit / 8] ^= static_cast<uint8_t>(0x80U >> bit % 8);
  }
}

wgc_prefix choose_prefix(Input &in) {
  wgc_prefix prefix{};
  prefix.addr_len = in.flag() ? 4 : 16;
  choose_addr(in, prefix.addr);
  prefix.cidr = in.u8();
  return prefix;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  Pair pair;
  while (!in.empty()) {
    switch (static_cast<TrieOp>(in.below(static_cast<unsigned>(TrieOp::kNumOps)))) {
      case TrieOp::kInsert: {
        const wgc_prefix prefix = choose_prefix(in);
        pair.insert(prefix, in.below(kNumPeers));
        pair.lookup(prefix.addr, prefix.addr_len);
        break;
      }
      case TrieOp::kRemove:
        pair.remove(Pair::masked(choose_prefix(in)));
        break;
      case TrieOp::kRemovePeer:
        pair.remove_peer(in.below(kNumPeers));
        break;
      case TrieOp::kDump:
        pair.dump();
        break;
      default: {
        const wgc_prefix addr = choose_prefix(in);
        pair.lookup(addr.addr, addr.addr_len);
        break;
      }
    }
  }
  pair.dump();
  return 0;
}
