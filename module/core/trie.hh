// SPDX-License-Identifier: GPL-2.0
// AllowedIPs: longest-prefix match in one trie per address family that takes a byte at a step.
//
// A node has a bit for each of the 256 bytes that may follow, a bit for each of the 255 prefixes
// that end inside it (0 to 7 bits more than its path), and slots for those that are there, packed.
// A path without branches is skipped. Families with a handful of prefixes are searched from end to
// end instead, in a Line.
//
// The caller owns all memory and serialises the writers. Readers run beside them without a lock:
// a node never changes for them but for a slot at a time, and each update becomes visible by one
// release store.
#pragma once

#include "base.hh"

namespace wg {

// The first cidr bits of the address count. A cidr past the end of the address is taken as its
// end, and an addr_len other than 4 as 16, so that no input leads outside the array.
struct Prefix {
  uint8_t addr[16];  // network order; host bits are ignored on input, zero on output
  uint8_t addr_len;  // 4 or 16
  uint8_t cidr;      // 0 to 32 or 0 to 128
};

// The address in two host-order words, first bit on top; IPv4 fills the top half of hi.
struct TrieKey {
  uint64_t hi;
  uint64_t lo;
};

inline constexpr size_t kTrieEntryMaxLen = 32;

// A prefix in the trie. Storage for IPv4 may end after 4 bytes of address (trie_entry_len()).
struct TrieEntry {
  void *value;
  uint8_t cidr;
  uint8_t addr_len;
  uint8_t unused[2];
  uint8_t addr[kTrieEntryMaxLen - sizeof(void *) - 4];  // host bits are zero
};
static_assert(sizeof(TrieEntry) == kTrieEntryMaxLen);

constexpr size_t trie_entry_len(uint8_t addr_len) {
  return addr_len == 4 ? offsetof(TrieEntry, addr) + 4 : sizeof(TrieEntry);
}

// What the nodes are made of: memory of the caller's. next is the caller's whenever the block is
// out of the trie; len is what was asked for.
struct TrieBlock {
  void *next;
  uint32_t len;
  uint32_t unused;
};

inline constexpr size_t kTriePlanBlocks = 4;

// What an insertion is going to need. Valid until the next update.
struct TriePlan {
  TrieEntry *entry;               // the prefix is in the trie already: call Trie::assign() instead
  uint32_t len[kTriePlanBlocks];  // bytes of the blocks to give to insert(), 0 for none
  // The rest is for insert().
  uintptr_t *slot;
  uintptr_t *node_slot;
  uint32_t step;
  uint32_t depth;
};

// What has left the trie: free it after a grace period. It is unchanged for readers until then.
struct TrieFreed {
  TrieBlock *blocks[2];
  uint32_t num_blocks;
  // After a removal that has left more gaps than entries: the length of a block that closes them
  // when given to compact(), else 0.
  uint32_t compact_len;

  void add(void *block) { blocks[num_blocks++] = static_cast<TrieBlock *>(block); }
};

struct TrieNode;
struct TrieLine;

// Must not move in memory while it holds an entry.
class Trie {
 public:
  void init();

  // The value of the longest prefix that covers addr (4 or 16 bytes, network order), or nullptr;
  // nullptr as well for any other addr_len. Visits 17 nodes at most.
  // Context: RCU read side, or the update lock.
  void *lookup(const uint8_t *addr, uint8_t addr_len) const;

  // The same for num addresses of one length, whose nodes are fetched side by side.
  void lookup_batch(const uint8_t *const *addrs, uint8_t addr_len, void **values, size_t num) const;

  // Context of the rest: update lock.

  // The entry of exactly this prefix, or nullptr.
  TrieEntry *find(const Prefix &prefix) const;

  void plan(TriePlan &plan, const Prefix &prefix) const;

  // Inserts a prefix that is not in the trie, with the blocks that plan() has asked for. value is
  // not null and a multiple of 4. Fills entry, which is trie_entry_len() long.
  void insert(const TriePlan &plan, TrieEntry *entry, const Prefix &prefix, void *value,
              void *const blocks[kTriePlanBlocks], TrieFreed &freed);

  // Another value for an entry that is in the trie.
  void assign(TrieEntry *entry, void *value);

  // Takes an entry that is in the trie out of it. Needs no memory, and so leaves a gap in a node
  // with other entries; the next insertion there closes it. The entry keeps its prefix.
  void remove(TrieEntry *entry, TrieFreed &freed);

  // Closes gaps around a prefix that has just been removed.
  void compact(const Prefix &prefix, void *block, TrieFreed &freed);

 private:
  struct Family {
    uintptr_t root;
    TrieLine *line;
    uint64_t num_entries;
  };

  Family &family(const Prefix &prefix) { return family_[prefix.addr_len == 4 ? 0 : 1]; }
  const Family &family(const Prefix &prefix) const { return family_[prefix.addr_len == 4 ? 0 : 1]; }

  Family family_[2];  // IPv4, IPv6
};

Prefix trie_entry_prefix(const TrieEntry *entry);

}  // namespace wg
