// SPDX-License-Identifier: GPL-2.0
// The trie's insides, shared by what reads it (trie.cc) and what changes it (trie_update.cc).
#pragma once

#include "trie.hh"

namespace wg {

inline constexpr uint8_t kIpv4Len = 4;
inline constexpr uint8_t kIpv6Len = 16;

// A child slot has a kind in its low bits. A fringe is the value of a prefix that ends with the
// slot's byte and covers all that could be below; a leaf is an entry with a prefix of that length
// or more, and a bucket has a few of those. A slot that is null but for the kind is a gap: what
// was there has been removed.
enum SlotKind : uintptr_t { kNode = 0, kLeaf = 1, kFringe = 2, kBucket = 3, kKindMask = 3 };

struct TrieNode {
  TrieBlock block;
  uint16_t num_children;
  uint16_t num_live;     // children and prefixes that are no gaps; two or more
  uint16_t num_fringes;  // children of that kind, gaps included
  uint8_t num_prefixes;
  uint8_t depth;  // bytes of the path to here
  // Bits in the words before each word of the maps.
  uint8_t child_base[4];
  uint8_t prefix_base[4];
  uint64_t child_map[4];
  TrieKey key;  // the path; zero behind it
  // Bit 1 is the prefix of no further bit, 2 and 3 those of one bit, and so on to 128 to 255.
  uint64_t prefix_map[4];
  // Children, then the prefixes' values, null for a gap. Then, for the writer only, the entries of
  // the prefixes, and those of the fringes.
  uintptr_t slots[];

  uint32_t num_slots() const { return num_children + 2U * num_prefixes + num_fringes; }
};
static_assert(offsetof(TrieNode, slots) == 112);

constexpr uint32_t node_len(uint32_t num_slots) {
  return static_cast<uint32_t>(offsetof(TrieNode, slots) + num_slots * sizeof(uintptr_t));
}

// 256 fringes and 255 prefixes.
inline constexpr uint32_t kMaxNodeLen = node_len(2 * 256 + 2 * 255);

// Entries that share a slot, longest first: a node would take more memory, and no less time.
struct TrieBucket {
  TrieBlock block;
  uint32_t num_entries;
  uint32_t num_live;
  TrieEntry *entries[];  // null once removed
};

inline constexpr uint32_t kMaxBucketEntries = 4;

constexpr uint32_t bucket_len(uint32_t num_entries) {
  return static_cast<uint32_t>(sizeof(TrieBucket) + num_entries * sizeof(TrieEntry *));
}

// A family of few prefixes, longest first, beside its nodes.
struct TrieLine {
  struct Item {
    TrieKey key;
    TrieKey mask;
    void *value;  // null once removed
  };
  TrieBlock block;
  uint64_t num_items;
  Item items[];
};

inline constexpr uint32_t kMaxLineItems = 4;

constexpr uint32_t line_len(uint64_t num_items) {
  return static_cast<uint32_t>(sizeof(TrieLine) + num_items * sizeof(TrieLine::Item));
}

// Pairs with publish(): whoever sees the pointer also sees what it points to.
template <typename T>
[[gnu::always_inline]] inline T acquire(const T *slot) {
  return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

template <typename T>
[[gnu::always_inline]] inline void publish(T *slot, T value) {
  __atomic_store_n(slot, value, __ATOMIC_RELEASE);
}

// The kind shares the word with the pointer.
[[gnu::always_inline]] inline TrieNode *node_of(uintptr_t slot) {
  return reinterpret_cast<TrieNode *>(slot);  // NOLINT(performance-no-int-to-ptr)
}
[[gnu::always_inline]] inline TrieEntry *leaf_of(uintptr_t slot) {
  return reinterpret_cast<TrieEntry *>(slot & ~kKindMask);  // NOLINT(performance-no-int-to-ptr)
}
[[gnu::always_inline]] inline TrieBucket *bucket_of(uintptr_t slot) {
  return reinterpret_cast<TrieBucket *>(slot & ~kKindMask);  // NOLINT(performance-no-int-to-ptr)
}
[[gnu::always_inline]] inline void *fringe_of(uintptr_t slot) {
  return reinterpret_cast<void *>(slot & ~kKindMask);  // NOLINT(performance-no-int-to-ptr)
}

// Leading ones, for num_bits from 0 to 64.
[[gnu::always_inline]] inline uint64_t top_mask(uint32_t num_bits) {
  return num_bits == 0 ? 0 : ~uint64_t{0} << (64 - num_bits);
}

[[gnu::always_inline]] inline TrieKey mask_of(uint32_t num_bits) {
  return {top_mask(min<uint32_t>(num_bits, 64)), top_mask(max<uint32_t>(num_bits, 64) - 64)};
}

template <uint8_t addr_len>
[[gnu::always_inline]] inline TrieKey load_key(const uint8_t *addr) {
  if (addr_len == kIpv4Len) return {uint64_t{load_be<uint32_t>(addr)} << 32, 0};
  return {load_be<uint64_t>(addr), load_be<uint64_t>(addr + 8)};
}

// Whether the first num_bits are equal.
template <uint8_t addr_len>
[[gnu::always_inline]] inline bool agree(const TrieKey &a, const TrieKey &b, uint32_t num_bits) {
  if (addr_len == kIpv4Len) return ((a.hi ^ b.hi) & top_mask(num_bits)) == 0;
  const TrieKey mask = mask_of(num_bits);
  return (((a.hi ^ b.hi) & mask.hi) | ((a.lo ^ b.lo) & mask.lo)) == 0;
}

// Byte number depth, counted from the first; 0 behind the last.
template <uint8_t addr_len>
[[gnu::always_inline]] inline uint32_t byte_at(const TrieKey &key, uint32_t depth) {
  const uint64_t word = addr_len == kIpv4Len || depth < 8 ? key.hi : key.lo;
  return static_cast<uint32_t>(word >> ((~depth & 7) * 8)) & 0xff;
}

template <bool has_popcnt>
[[gnu::always_inline]] inline uint32_t count_ones(uint64_t x) {
#if defined(__x86_64__)
  if constexpr (has_popcnt) {
    // The compiler does not know of the instruction: not every processor has it.
    uint64_t count;
    __asm__("popcnt %1, %0" : "=r"(count) : "rm"(x) : "cc");
    return static_cast<uint32_t>(count);
  }
#endif
  x -= x >> 1 & 0x5555555555555555;
  x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return static_cast<uint32_t>(x * 0x0101010101010101 >> 56);
}

[[gnu::always_inline]] inline bool has_bit(const uint64_t *map, uint32_t bit) {
  return (map[bit >> 6] >> (bit & 63) & 1) != 0;
}

// How many bits are set before this one.
template <bool has_popcnt>
[[gnu::always_inline]] inline uint32_t rank(const uint64_t *map, const uint8_t *base,
                                            uint32_t bit) {
  const uint64_t before = map[bit >> 6] & ((uint64_t{1} << (bit & 63)) - 1);
  return base[bit >> 6] + count_ones<has_popcnt>(before);
}

}  // namespace wg
