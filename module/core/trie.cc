// SPDX-License-Identifier: GPL-2.0
#include "trie.hh"

#include "cpu.hh"
#include "trie_node.hh"

namespace wg {
namespace {

// Prefixes of 0 to 5 bits that cover a byte, by its first 5 bits: in the first word of a map.
constexpr uint64_t short_prefixes(uint32_t byte) {
  uint64_t bits = 0;
  for (uint32_t len = 0; len <= 5; ++len) bits |= uint64_t{1} << (1U << len | byte >> (8 - len));
  return bits;
}

struct ShortPrefixes {
  uint64_t of[32];
  constexpr ShortPrefixes() : of{} {
    for (uint32_t i = 0; i < 32; ++i) of[i] = short_prefixes(i << 3);
  }
};
constexpr ShortPrefixes kShortPrefixes;

template <bool has_popcnt>
[[gnu::always_inline]] inline void *prefix_value(const TrieNode *node, uint32_t bit) {
  const uint32_t at =
      node->num_children + rank<has_popcnt>(node->prefix_map, node->prefix_base, bit);
  return fringe_of(acquire(&node->slots[at]));
}

// The longest prefix that ends in this node and covers the byte.
template <bool has_popcnt>
[[gnu::always_inline]] inline void *longest_in_node(const TrieNode *node, uint32_t byte) {
  uint32_t bit = 128 | byte >> 1;
  if (has_bit(node->prefix_map, bit)) {
    if (void *const value = prefix_value<has_popcnt>(node, bit); value != nullptr) return value;
  }
  bit = 64 | byte >> 2;
  if (has_bit(node->prefix_map, bit)) {
    if (void *const value = prefix_value<has_popcnt>(node, bit); value != nullptr) return value;
  }
  uint64_t found = node->prefix_map[0] & kShortPrefixes.of[byte >> 3];
  while (found != 0) {
    bit = 63 - static_cast<uint32_t>(__builtin_clzll(found));
    if (void *const value = prefix_value<has_popcnt>(node, bit); value != nullptr) return value;
    found ^= uint64_t{1} << bit;
  }
  return nullptr;
}

// A search on its way down: a step goes from one slot to the slot below.
template <uint8_t addr_len, bool has_popcnt>
struct Search {
  TrieKey key;
  uintptr_t slot;
  void *value;
  uint32_t depth;
  uint32_t num_passed;
  // Nodes with prefixes. The depth of a node is more than that of the node above.
  const TrieNode *passed[addr_len];

  [[gnu::always_inline]] void begin(const uint8_t *addr, uintptr_t root) {
    key = load_key<addr_len>(addr);
    slot = root;
    value = nullptr;
    depth = 0;
    num_passed = 0;
  }

  [[gnu::always_inline]] bool match(const TrieEntry *entry) {
    if (!agree<addr_len>(load_key<addr_len>(entry->addr), key, entry->cidr)) return false;
    value = acquire(&entry->value);
    return true;
  }

  // Returns false at the end of the way.
  [[gnu::always_inline]] bool step() {
    if ((slot & kKindMask) == kFringe) {
      value = fringe_of(slot);
      return false;
    }
    if ((slot & kKindMask) == kLeaf) {
      match(leaf_of(slot));
      return false;
    }
    if ((slot & kKindMask) == kBucket) {
      const TrieBucket *const bucket = bucket_of(slot);
      for (uint32_t i = 0; i < bucket->num_entries; ++i) {
        const TrieEntry *const entry = acquire(&bucket->entries[i]);
        if (entry != nullptr && match(entry)) break;
      }
      return false;
    }
    const TrieNode *const node = node_of(slot);
    if (node == nullptr) return false;
    if (node->depth != depth && !agree<addr_len>(node->key, key, node->depth * 8U)) return false;
    const uint32_t byte = byte_at<addr_len>(key, node->depth);
    if (node->num_prefixes != 0) passed[num_passed++] = node;
    if (!has_bit(node->child_map, byte)) return false;
    slot = acquire(&node->slots[rank<has_popcnt>(node->child_map, node->child_base, byte)]);
    depth = node->depth + 1U;
    return true;
  }

  // The deepest of the nodes that have an answer has the longest.
  [[gnu::always_inline]] void *end() const {
    if (value != nullptr) return value;
    for (uint32_t i = num_passed; i-- != 0;) {
      void *const found =
          longest_in_node<has_popcnt>(passed[i], byte_at<addr_len>(key, passed[i]->depth));
      if (found != nullptr) return found;
    }
    return nullptr;
  }
};

template <uint8_t addr_len>
[[gnu::always_inline]] inline void *search_line(const TrieLine *line, const uint8_t *addr) {
  const TrieKey key = load_key<addr_len>(addr);
  for (uint64_t i = 0; i < line->num_items; ++i) {
    const TrieLine::Item &item = line->items[i];
    uint64_t diff = (item.key.hi ^ key.hi) & item.mask.hi;
    if (addr_len != kIpv4Len) diff |= (item.key.lo ^ key.lo) & item.mask.lo;
    if (diff != 0) continue;
    if (void *const value = acquire(&item.value); value != nullptr) return value;
  }
  return nullptr;
}

template <uint8_t addr_len, bool has_popcnt>
[[gnu::always_inline]] inline void *search(uintptr_t root, const uint8_t *addr) {
  Search<addr_len, has_popcnt> search;
  search.begin(addr, root);
  while (search.step()) {
    // Which of a node's slots comes next, its first line tells. Most are in the three behind that,
    // and those need not wait for it. A gap has none of them, and no harm is done.
    __builtin_prefetch(fringe_of(search.slot + 64));
    __builtin_prefetch(fringe_of(search.slot + 128));
    __builtin_prefetch(fringe_of(search.slot + 192));
  }
  return search.end();
}

// Steps of several searches in turn: what one needs from memory comes while the others go on. As
// many as the stack of a kernel has room for.
template <uint8_t addr_len>
inline constexpr size_t kNumAbreast = addr_len == kIpv4Len ? 8 : 4;

template <uint8_t addr_len, bool has_popcnt>
[[gnu::always_inline]] inline void search_abreast(uintptr_t root, const uint8_t *const *addrs,
                                                  void **values, size_t num) {
  Search<addr_len, has_popcnt> searches[kNumAbreast<addr_len>];
  for (size_t i = 0; i < num; ++i) searches[i].begin(addrs[i], root);
  uint32_t active = (1U << num) - 1;
  while (active != 0) {
    for (uint32_t left = active; left != 0; left &= left - 1) {
      const auto i = static_cast<uint32_t>(__builtin_ctz(left));
      if (searches[i].step()) {
        // Which of a node's slots it is, the first line tells; most are in the next two.
        const char *const next = static_cast<const char *>(fringe_of(searches[i].slot));
        if (next == nullptr) continue;  // a gap
        __builtin_prefetch(next);
        __builtin_prefetch(next + 64);
        __builtin_prefetch(next + 128);
      } else {
        active ^= 1U << i;
      }
    }
  }
  for (size_t i = 0; i < num; ++i) values[i] = searches[i].end();
}

template <uint8_t addr_len>
[[gnu::always_inline]] inline void *longest_match(const TrieLine *line, uintptr_t root,
                                                  const uint8_t *addr) {
  if (line != nullptr) return search_line<addr_len>(line, addr);
  return cpu_has_popcnt() ? search<addr_len, true>(root, addr)
                          : search<addr_len, false>(root, addr);
}

template <uint8_t addr_len>
void longest_matches(uintptr_t root, const uint8_t *const *addrs, void **values, size_t num) {
  while (num != 0) {
    const size_t now = min(num, kNumAbreast<addr_len>);
    if (cpu_has_popcnt()) {
      search_abreast<addr_len, true>(root, addrs, values, now);
    } else {
      search_abreast<addr_len, false>(root, addrs, values, now);
    }
    addrs += now;
    values += now;
    num -= now;
  }
}

}  // namespace

void Trie::init() {
  for (Family &family : family_) family = {};
}

void *Trie::lookup(const uint8_t *addr, uint8_t addr_len) const {
  if (addr_len == kIpv4Len) {
    return longest_match<kIpv4Len>(acquire(&family_[0].line), acquire(&family_[0].root), addr);
  }
  if (addr_len == kIpv6Len) {
    return longest_match<kIpv6Len>(acquire(&family_[1].line), acquire(&family_[1].root), addr);
  }
  return nullptr;
}

void Trie::lookup_batch(const uint8_t *const *addrs, uint8_t addr_len, void **values,
                        size_t num) const {
  const Family &family = family_[addr_len == kIpv4Len ? 0 : 1];
  const bool is_known = addr_len == kIpv4Len || addr_len == kIpv6Len;
  if (!is_known || acquire(&family.line) != nullptr) {
    for (size_t i = 0; i < num; ++i) values[i] = lookup(addrs[i], addr_len);
  } else if (addr_len == kIpv4Len) {
    longest_matches<kIpv4Len>(acquire(&family.root), addrs, values, num);
  } else {
    longest_matches<kIpv6Len>(acquire(&family.root), addrs, values, num);
  }
}

Prefix trie_entry_prefix(const TrieEntry *entry) {
  Prefix prefix{};
  copy(prefix.addr, entry->addr, entry->addr_len);
  prefix.addr_len = entry->addr_len;
  prefix.cidr = entry->cidr;
  return prefix;
}

}  // namespace wg
