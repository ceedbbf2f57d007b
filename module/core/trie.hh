// SPDX-License-Identifier: GPL-2.0
// AllowedIPs: longest-prefix match in one path-compressed binary radix trie per address family.
//
// The caller owns all memory and serialises the writers. Readers run beside them without a lock:
// each update becomes visible by one release store, to one child slot or to one value.
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

// A prefix with a value, or, without one, the place where the paths to two children part.
// Key, cidr and addr_len never change while a reader may see the node.
struct TrieNode {
  TrieNode *child[2];  // longer prefixes, by the first bit after this one
  void *value;
  // For the writer only. The slot that points here, tagged in its low bits; 0 outside the trie.
  uintptr_t parent_link;
  TrieKey key;
  uint8_t cidr;
  uint8_t addr_len;
  uint8_t unused[14];  // fills the cache line
};

struct TrieInsertion {
  TrieNode *node;     // holds the prefix now
  void *displaced;    // the value that it had before, or nullptr
  uint32_t num_used;  // spares that are now in the trie
};

struct TrieRemoval {
  TrieNode *freed[2];  // may be freed after a grace period; unchanged for readers until then
  uint32_t num_freed;
};

// Must not move in memory while it holds a node: the topmost nodes link back to its slots.
class Trie {
 public:
  void init();

  // The value of the longest prefix that covers addr (4 or 16 bytes, network order), or nullptr;
  // nullptr as well for any other addr_len. Visits 129 nodes at most.
  // Context: RCU read side, or the update lock.
  void *lookup(const uint8_t *addr, uint8_t addr_len) const;

  // Sets the value (not null) of a prefix. A new prefix takes spare[0], and spare[1] too when the
  // paths to it and to its neighbour must be joined. Context: update lock.
  TrieInsertion insert(const Prefix &prefix, void *value, TrieNode *const spare[2]);

  // The node of exactly this prefix, or nullptr when it has no value. Context: update lock.
  TrieNode *find(const Prefix &prefix) const;

 private:
  TrieNode *root_[2];  // IPv4, IPv6
};

// Takes the value off a node, in constant time, and the node out of the trie unless it still
// joins two others. Does nothing to a node without a value or outside the trie.
// Context: update lock.
TrieRemoval trie_remove(TrieNode *node);

// nullptr for a node that only joins two others. Context: update lock or RCU.
void *trie_node_value(const TrieNode *node);

// Context: update lock or RCU.
Prefix trie_node_prefix(const TrieNode *node);

}  // namespace wg
