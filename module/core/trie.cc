// SPDX-License-Identifier: GPL-2.0
#include "trie.hh"

namespace wg {
namespace {

constexpr uint8_t kIpv4Len = 4;
constexpr uint8_t kIpv6Len = 16;
// Prefixes on one path grow by a bit or more from node to node: /0 to /128.
constexpr uint32_t kMaxDepth = 129;

// parent_link is the address of a slot, which has three zero bits, and these tags. With kTagChild
// the slot is child[1]. With kTagRoot it belongs to a Trie, else to the node that starts there.
constexpr uintptr_t kTagChild = 1;
constexpr uintptr_t kTagRoot = 2;
constexpr uintptr_t kTagMask = 7;
static_assert(alignof(TrieNode *) > (kTagChild | kTagRoot));
static_assert(offsetof(TrieNode, child) == 0);

// Pairs with publish(): whoever sees the pointer also sees what it points to.
template <typename T>
[[gnu::always_inline]] inline T *acquire(T *const *slot) {
  return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

template <typename T>
[[gnu::always_inline]] inline void publish(T **slot, T *pointer) {
  __atomic_store_n(slot, pointer, __ATOMIC_RELEASE);
}

[[gnu::always_inline]] inline bool is_ipv4(const Prefix &prefix) {
  return prefix.addr_len == kIpv4Len;
}

// Leading ones, for num_bits from 0 to 64.
[[gnu::always_inline]] inline uint64_t top_mask(uint32_t num_bits) {
  return num_bits == 0 ? 0 : ~uint64_t{0} << (64 - num_bits);
}

// Leading bits that are equal in both, 128 when all are.
[[gnu::always_inline]] inline uint32_t common_len(const TrieKey &a, const TrieKey &b) {
  if (const uint64_t diff = a.hi ^ b.hi; diff != 0) {
    return static_cast<uint32_t>(__builtin_clzll(diff));
  }
  if (const uint64_t diff = a.lo ^ b.lo; diff != 0) {
    return 64 + static_cast<uint32_t>(__builtin_clzll(diff));
  }
  return 128;
}

// The bit that follows a prefix of this length. After a whole address, where none follows, it is
// any bit: such a node has no child on either side.
template <uint8_t addr_len>
[[gnu::always_inline]] inline uint32_t bit_after(const TrieKey &key, uint32_t cidr) {
  const uint64_t word = addr_len == kIpv4Len || cidr < 64 ? key.hi : key.lo;
  return static_cast<uint32_t>(word >> (~cidr & 63)) & 1;
}

[[gnu::always_inline]] inline uint32_t bit_after(const TrieKey &key, uint32_t cidr) {
  return bit_after<kIpv6Len>(key, cidr);
}

// Whether the node's prefix covers the key.
template <uint8_t addr_len>
[[gnu::always_inline]] inline bool covers(const TrieNode *node, const TrieKey &key) {
  const uint32_t cidr = node->cidr;
  if (addr_len == kIpv4Len) return ((node->key.hi ^ key.hi) & top_mask(cidr)) == 0;
  const uint64_t mask_hi = top_mask(min<uint32_t>(cidr, 64));
  const uint64_t mask_lo = top_mask(max<uint32_t>(cidr, 64) - 64);
  return (((node->key.hi ^ key.hi) & mask_hi) | ((node->key.lo ^ key.lo) & mask_lo)) == 0;
}

template <uint8_t addr_len>
[[gnu::always_inline]] inline TrieKey load_key(const uint8_t *addr) {
  if (addr_len == kIpv4Len) return {uint64_t{load_be<uint32_t>(addr)} << 32, 0};
  return {load_be<uint64_t>(addr), load_be<uint64_t>(addr + 8)};
}

struct MaskedPrefix {
  TrieKey key;
  uint8_t cidr;
};

MaskedPrefix mask_prefix(const Prefix &prefix) {
  const bool ipv4 = is_ipv4(prefix);
  const uint8_t cidr = min<uint8_t>(prefix.cidr, ipv4 ? 32 : 128);
  TrieKey key = ipv4 ? load_key<kIpv4Len>(prefix.addr) : load_key<kIpv6Len>(prefix.addr);
  key.hi &= top_mask(min<uint32_t>(cidr, 64));
  key.lo &= top_mask(max<uint32_t>(cidr, 64) - 64);
  return {key, cidr};
}

// Where the trie holds the prefix, or would: link is the slot (tagged), node what it points to.
struct Position {
  uintptr_t link;
  TrieNode *node;
};

TrieNode **slot_of(uintptr_t link) {
  // The tags share the word with the pointer. NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<TrieNode **>(link & ~kTagMask);
}

uintptr_t child_link(TrieNode *parent, uint32_t bit) {
  return reinterpret_cast<uintptr_t>(&parent->child[bit]) | (bit != 0 ? kTagChild : 0);
}

// The node at the end is the prefix itself, or not on the path to it, or null.
Position descend(uintptr_t root_link, const MaskedPrefix &prefix) {
  Position at{root_link, *slot_of(root_link)};
  while (at.node != nullptr && at.node->cidr < prefix.cidr &&
         covers<kIpv6Len>(at.node, prefix.key)) {
    const uint32_t bit = bit_after(prefix.key, at.node->cidr);
    at = {child_link(at.node, bit), at.node->child[bit]};
  }
  return at;
}

bool is_exact(const TrieNode *node, const MaskedPrefix &prefix) {
  return node != nullptr && node->cidr == prefix.cidr && node->key.hi == prefix.key.hi &&
         node->key.lo == prefix.key.lo;
}

void fill(TrieNode *node, const MaskedPrefix &prefix, uint8_t addr_len, void *value) {
  *node = {};
  node->key = prefix.key;
  node->cidr = prefix.cidr;
  node->addr_len = addr_len;
  node->value = value;
}

// Hangs a node below one that no reader can see yet. The node itself may be in use.
void adopt(TrieNode *parent, TrieNode *node) {
  const uint32_t bit = bit_after(node->key, parent->cidr);
  parent->child[bit] = node;
  node->parent_link = child_link(parent, bit);
}

// The store that shows readers the new state.
void attach(uintptr_t link, TrieNode *node) {
  if (node != nullptr) node->parent_link = link;
  publish(slot_of(link), node);
}

template <uint8_t addr_len>
[[gnu::always_inline]] inline void *longest_match(TrieNode *const *root, const uint8_t *addr) {
  const TrieKey key = load_key<addr_len>(addr);
  void *best = nullptr;
  const TrieNode *node = acquire(root);
  for (uint32_t depth = 0; depth < kMaxDepth && node != nullptr; ++depth) {
    if (!covers<addr_len>(node, key)) break;
    void *const value = acquire(&node->value);
    if (value != nullptr) best = value;
    node = acquire(&node->child[bit_after<addr_len>(key, node->cidr)]);
  }
  return best;
}

}  // namespace

void Trie::init() {
  root_[0] = nullptr;
  root_[1] = nullptr;
}

void *Trie::lookup(const uint8_t *addr, uint8_t addr_len) const {
  if (addr_len == kIpv4Len) return longest_match<kIpv4Len>(&root_[0], addr);
  if (addr_len == kIpv6Len) return longest_match<kIpv6Len>(&root_[1], addr);
  return nullptr;
}

TrieInsertion Trie::insert(const Prefix &prefix, void *value, TrieNode *const spare[2]) {
  const MaskedPrefix wanted = mask_prefix(prefix);
  const bool ipv4 = is_ipv4(prefix);
  const uint8_t addr_len = ipv4 ? kIpv4Len : kIpv6Len;
  const uintptr_t root_link = reinterpret_cast<uintptr_t>(&root_[ipv4 ? 0 : 1]) | kTagRoot;
  const Position at = descend(root_link, wanted);

  if (is_exact(at.node, wanted)) {
    void *const displaced = at.node->value;
    publish(&at.node->value, value);
    return {at.node, displaced, 0};
  }

  TrieNode *const node = spare[0];
  fill(node, wanted, addr_len, value);
  if (at.node == nullptr) {
    attach(at.link, node);
    return {node, nullptr, 1};
  }

  const uint32_t common = min<uint32_t>(common_len(at.node->key, wanted.key), at.node->cidr);
  if (common >= wanted.cidr) {
    adopt(node, at.node);
    attach(at.link, node);
    return {node, nullptr, 1};
  }

  TrieNode *const join = spare[1];
  Prefix shared = prefix;
  shared.cidr = static_cast<uint8_t>(common);
  fill(join, mask_prefix(shared), addr_len, nullptr);
  adopt(join, node);
  adopt(join, at.node);
  attach(at.link, join);
  return {node, nullptr, 2};
}

TrieNode *Trie::find(const Prefix &prefix) const {
  const MaskedPrefix wanted = mask_prefix(prefix);
  // The link is only read through.
  const auto root_link = reinterpret_cast<uintptr_t>(&root_[is_ipv4(prefix) ? 0 : 1]) | kTagRoot;
  TrieNode *const node = descend(root_link, wanted).node;
  return is_exact(node, wanted) && node->value != nullptr ? node : nullptr;
}

TrieRemoval trie_remove(TrieNode *node) {
  if (node->value == nullptr || node->parent_link == 0) return {{nullptr, nullptr}, 0};

  if (node->child[0] != nullptr && node->child[1] != nullptr) {
    publish(&node->value, static_cast<void *>(nullptr));
    return {{nullptr, nullptr}, 0};
  }

  // What leaves the trie keeps its value and children: a reader that is on it goes on in the
  // state before the removal.
  const uintptr_t link = node->parent_link;
  TrieNode *const child = node->child[0] != nullptr ? node->child[0] : node->child[1];
  const uint32_t bit = (link & kTagChild) != 0 ? 1 : 0;
  TrieNode *const parent =
      (link & kTagRoot) != 0 ? nullptr : reinterpret_cast<TrieNode *>(slot_of(link) - bit);
  node->parent_link = 0;
  if (child != nullptr || parent == nullptr || parent->value != nullptr) {
    attach(link, child);
    return {{node, nullptr}, 1};
  }

  // The parent has nothing left to join, so the sibling takes its place. A node without a value
  // always has two children: the sibling is there.
  const uintptr_t parent_link = parent->parent_link;
  parent->parent_link = 0;
  attach(parent_link, parent->child[bit ^ 1]);
  return {{node, parent}, 2};
}

void *trie_node_value(const TrieNode *node) {
  return acquire(&node->value);
}

Prefix trie_node_prefix(const TrieNode *node) {
  Prefix prefix{};
  prefix.addr_len = node->addr_len;
  prefix.cidr = node->cidr;
  if (node->addr_len == kIpv4Len) {
    store_be(prefix.addr, static_cast<uint32_t>(node->key.hi >> 32));
  } else {
    store_be(prefix.addr, node->key.hi);
    store_be(prefix.addr + 8, node->key.lo);
  }
  return prefix;
}

}  // namespace wg
