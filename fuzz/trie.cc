// SPDX-License-Identifier: GPL-2.0
// AllowedIPs against a plain map that is searched from end to end, driven as the glue drives it:
// entries and blocks come from the heap, blocks go back when the trie gives them up, and each peer
// knows its own.
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

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

struct Entry {
  wgc_trie_entry *entry;
  size_t peer;
};

class Table {
 public:
  Table() { wgc_trie_init(&trie_); }
  Table(const Table &) = delete;
  Table &operator=(const Table &) = delete;
  ~Table() {
    while (!entries_.empty()) remove(entries_.begin()->first, false);
    REQUIRE(blocks_.empty());
  }

  void insert(const wgc_prefix &given, size_t peer) {
    const Prefix prefix = masked(given);
    wgc_trie_plan plan;
    wgc_trie_prepare(&trie_, &plan, &given);
    const auto before = entries_.find(prefix);
    REQUIRE(plan.entry == (before == entries_.end() ? nullptr : before->second.entry));
    if (plan.entry != nullptr) {
      wgc_trie_assign(&trie_, plan.entry, &peers_[peer]);
      before->second.peer = peer;
    } else {
      void *blocks[WGC_TRIE_PLAN_BLOCKS];
      for (size_t i = 0; i < std::size(blocks); ++i) blocks[i] = allocate(plan.len[i]);
      auto *const entry =
          static_cast<wgc_trie_entry *>(std::malloc(WGC_TRIE_ENTRY_LEN(prefix.addr_len)));
      wgc_trie_freed freed;
      wgc_trie_insert(&trie_, &plan, entry, &given, &peers_[peer], blocks, &freed);
      release(freed);
      entries_[prefix] = {entry, peer};
    }
    check(prefix);
  }

  // By value: it may come out of the map that it leaves.
  void remove(Prefix prefix, bool close_gaps) {
    const auto found = entries_.find(prefix);
    REQUIRE(find(prefix) == (found == entries_.end() ? nullptr : found->second.entry));
    if (found == entries_.end()) return;
    wgc_trie_freed freed;
    wgc_trie_remove(&trie_, found->second.entry, &freed);
    release(freed);
    std::free(found->second.entry);
    entries_.erase(found);
    REQUIRE(find(prefix) == nullptr);
    const uint32_t len = close_gaps ? freed.compact_len : 0;
    if (len == 0) return;
    const wgc_prefix wanted = unmasked(prefix);
    wgc_trie_compact(&trie_, &wanted, allocate(len), &freed);
    release(freed);
  }

  void remove_peer(size_t peer) {
    std::vector<Prefix> gone;
    for (const auto &[prefix, entry] : entries_) {
      if (entry.peer == peer) gone.push_back(prefix);
    }
    for (const Prefix &prefix : gone) remove(prefix, true);
  }

  const void *expected(const uint8_t *addr, uint8_t addr_len) const {
    const void *best = nullptr;
    unsigned best_cidr = 0;
    for (const auto &[prefix, entry] : entries_) {
      if (prefix.covers(addr_len, addr) && (best == nullptr || prefix.cidr >= best_cidr)) {
        best = &peers_[entry.peer];
        best_cidr = prefix.cidr;
      }
    }
    return best;
  }

  void lookup(const uint8_t *addr, uint8_t addr_len) const {
    const void *const found = expected(addr, addr_len);
    REQUIRE(wgc_trie_lookup(&trie_, addr, addr_len) == found);
#if defined(__x86_64__)
    wgc_cpu_set(WGC_CPU_POPCNT);
    REQUIRE(wgc_trie_lookup(&trie_, addr, addr_len) == found);
    wgc_cpu_set(0);
#endif
  }

  void lookup_batch(const std::vector<wgc_prefix> &addresses, uint8_t addr_len) const {
    std::vector<const uint8_t *> addrs;
    addrs.reserve(addresses.size());
    for (const wgc_prefix &address : addresses) addrs.push_back(address.addr);
    std::vector<void *> found(addrs.size());
    wgc_trie_lookup_batch(&trie_, addrs.data(), addr_len, found.data(), addrs.size());
    for (size_t i = 0; i < addrs.size(); ++i) REQUIRE(found[i] == expected(addrs[i], addr_len));
  }

  // What a dump reads.
  void dump() const {
    for (const auto &[prefix, entry] : entries_) check(prefix);
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
  static wgc_prefix unmasked(const Prefix &prefix) {
    wgc_prefix wanted{};
    wanted.addr_len = prefix.addr_len;
    wanted.cidr = prefix.cidr;
    std::memcpy(wanted.addr, prefix.addr.data(), 16);
    return wanted;
  }

  wgc_trie_entry *find(const Prefix &prefix) const {
    const wgc_prefix wanted = unmasked(prefix);
    return wgc_trie_find(&trie_, &wanted);
  }

  void check(const Prefix &prefix) const {
    const Entry &entry = entries_.at(prefix);
    REQUIRE(find(prefix) == entry.entry);
    REQUIRE(wgc_trie_entry_value(entry.entry) == &peers_[entry.peer]);
    wgc_prefix found{};
    wgc_trie_entry_prefix(entry.entry, &found);
    REQUIRE(found.addr_len == prefix.addr_len && found.cidr == prefix.cidr);
    REQUIRE(std::memcmp(found.addr, prefix.addr.data(), 16) == 0);
  }

  void *allocate(uint32_t len) {
    REQUIRE(len <= WGC_TRIE_BLOCK_MAX_LEN);
    if (len == 0) return nullptr;
    void *const block = std::malloc(len);
    blocks_[block] = len;
    return block;
  }

  void release(const wgc_trie_freed &freed) {
    for (uint32_t i = 0; i < freed.num_blocks; ++i) {
      REQUIRE(blocks_.at(freed.blocks[i]) == freed.blocks[i]->len);
      blocks_.erase(freed.blocks[i]);
      std::free(freed.blocks[i]);
    }
  }

  wgc_trie trie_{};
  std::array<int, kNumPeers> peers_{};
  std::map<Prefix, Entry> entries_;
  std::map<void *, uint32_t> blocks_;
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
  Table table;
  while (!in.empty()) {
    switch (static_cast<TrieOp>(in.below(static_cast<unsigned>(TrieOp::kNumOps)))) {
      case TrieOp::kInsert: {
        const wgc_prefix prefix = choose_prefix(in);
        table.insert(prefix, in.below(kNumPeers));
        table.lookup(prefix.addr, prefix.addr_len);
        break;
      }
      case TrieOp::kRemove:
        table.remove(Table::masked(choose_prefix(in)), in.flag());
        break;
      case TrieOp::kRemovePeer:
        table.remove_peer(in.below(kNumPeers));
        break;
      case TrieOp::kDump:
        table.dump();
        break;
      case TrieOp::kLookupBatch: {
        std::vector<wgc_prefix> addresses(in.below(40));
        for (wgc_prefix &address : addresses) choose_addr(in, address.addr);
        table.lookup_batch(addresses, in.flag() ? 4 : 16);
        break;
      }
      default: {
        const wgc_prefix addr = choose_prefix(in);
        table.lookup(addr.addr, addr.addr_len);
        break;
      }
    }
  }
  table.dump();
  return 0;
}
