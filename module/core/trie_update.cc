// SPDX-License-Identifier: GPL-2.0
#include "trie.hh"
#include "trie_node.hh"

namespace wg {
namespace {

struct MaskedPrefix {
  TrieKey key;
  uint8_t cidr;
  uint8_t addr_len;
};

MaskedPrefix mask_prefix(const Prefix &prefix) {
  const bool ipv4 = prefix.addr_len == kIpv4Len;
  const uint8_t cidr = min<uint8_t>(prefix.cidr, ipv4 ? 32 : 128);
  TrieKey key = ipv4 ? load_key<kIpv4Len>(prefix.addr) : load_key<kIpv6Len>(prefix.addr);
  const TrieKey mask = mask_of(cidr);
  key.hi &= mask.hi;
  key.lo &= mask.lo;
  return {key, cidr, ipv4 ? kIpv4Len : kIpv6Len};
}

MaskedPrefix prefix_of(const TrieEntry *entry) {
  const bool ipv4 = entry->addr_len == kIpv4Len;
  return {ipv4 ? load_key<kIpv4Len>(entry->addr) : load_key<kIpv6Len>(entry->addr), entry->cidr,
          entry->addr_len};
}

bool is_same(const MaskedPrefix &a, const MaskedPrefix &b) {
  return a.cidr == b.cidr && a.key.hi == b.key.hi && a.key.lo == b.key.lo;
}

void fill(TrieEntry *entry, const MaskedPrefix &prefix, void *value) {
  entry->value = value;
  entry->cidr = prefix.cidr;
  entry->addr_len = prefix.addr_len;
  if (prefix.addr_len == kIpv4Len) {
    store_be(entry->addr, static_cast<uint32_t>(prefix.key.hi >> 32));
  } else {
    store_be(entry->addr, prefix.key.hi);
    store_be(entry->addr + 8, prefix.key.lo);
  }
}

// Whole bytes that are equal at the start, 16 when all are.
uint32_t common_bytes(const TrieKey &a, const TrieKey &b) {
  if (const uint64_t diff = a.hi ^ b.hi; diff != 0) {
    return static_cast<uint32_t>(__builtin_clzll(diff)) / 8;
  }
  if (const uint64_t diff = a.lo ^ b.lo; diff != 0) {
    return 8 + static_cast<uint32_t>(__builtin_clzll(diff)) / 8;
  }
  return 16;
}

uint32_t byte_of(const TrieKey &key, uint32_t depth) {
  return byte_at<kIpv6Len>(key, depth);
}

uint32_t rank_of(const uint64_t *map, const uint8_t *base, uint32_t bit) {
  return rank<false>(map, base, bit);
}

// ---- one node --------------------------------------------------------------------------------

uintptr_t *prefix_values(TrieNode *node) {
  return node->slots + node->num_children;
}
uintptr_t *prefix_entries(TrieNode *node) {
  return prefix_values(node) + node->num_prefixes;
}
uintptr_t *fringe_entries(TrieNode *node) {
  return prefix_entries(node) + node->num_prefixes;
}

TrieEntry *entry_in(const uintptr_t *slot) {
  return leaf_of(*slot);
}

// The bit in prefix_map of a prefix that ends in a node of this depth.
uint32_t prefix_bit(const MaskedPrefix &prefix, uint32_t depth) {
  const uint32_t rest = prefix.cidr - 8 * depth;
  return 1U << rest | byte_of(prefix.key, depth) >> (8 - rest);
}

bool ends_in(const MaskedPrefix &prefix, uint32_t depth) {
  return prefix.cidr < 8 * depth + 8;
}

// What a prefix that goes on below a node of this depth has in the child's slot.
uintptr_t child_slot(const MaskedPrefix &prefix, uint32_t depth, TrieEntry *entry) {
  if (prefix.cidr == 8 * depth + 8) return reinterpret_cast<uintptr_t>(entry->value) | kFringe;
  return reinterpret_cast<uintptr_t>(entry) | kLeaf;
}

uint32_t fringes_before(const TrieNode *node, uint32_t child) {
  if (node->num_fringes == node->num_children) return child;
  uint32_t count = 0;
  for (uint32_t i = 0; i < child; ++i) count += (node->slots[i] & kKindMask) == kFringe ? 1 : 0;
  return count;
}

// Slots that a prefix takes in a node of this depth.
uint32_t slots_for(const MaskedPrefix &prefix, uint32_t depth) {
  return ends_in(prefix, depth) || prefix.cidr == 8 * depth + 8 ? 2 : 1;
}

// From here on: nodes that no reader sees yet, with room for what is added.

void insert_slot(uintptr_t *at, uintptr_t *end, uintptr_t slot) {
  __builtin_memmove(at + 1, at, static_cast<size_t>(end - at) * sizeof *at);
  *at = slot;
}

void set_bit(uint64_t *map, uint8_t *base, uint32_t bit) {
  map[bit >> 6] |= uint64_t{1} << (bit & 63);
  for (uint32_t word = (bit >> 6) + 1; word < 4; ++word) ++base[word];
}

// entry is that of a fringe, else null.
void add_child(TrieNode *node, uint32_t byte, uintptr_t slot, TrieEntry *entry) {
  const uint32_t at = rank_of(node->child_map, node->child_base, byte);
  const uint32_t fringe = entry != nullptr ? fringes_before(node, at) : 0;
  insert_slot(node->slots + at, node->slots + node->num_slots(), slot);
  set_bit(node->child_map, node->child_base, byte);
  ++node->num_children;
  ++node->num_live;
  if (entry == nullptr) return;
  insert_slot(fringe_entries(node) + fringe, node->slots + node->num_slots(),
              reinterpret_cast<uintptr_t>(entry));
  ++node->num_fringes;
}

void add_prefix(TrieNode *node, uint32_t bit, void *value, TrieEntry *entry) {
  const uint32_t at = rank_of(node->prefix_map, node->prefix_base, bit);
  // The entry first: it moves nothing that lies before it.
  insert_slot(prefix_entries(node) + at, node->slots + node->num_slots(),
              reinterpret_cast<uintptr_t>(entry));
  uintptr_t *const end = node->slots + node->num_slots() + 1;
  insert_slot(prefix_values(node) + at, end, reinterpret_cast<uintptr_t>(value));
  set_bit(node->prefix_map, node->prefix_base, bit);
  ++node->num_prefixes;
  ++node->num_live;
}

void add(TrieNode *node, const MaskedPrefix &prefix, TrieEntry *entry) {
  if (ends_in(prefix, node->depth)) {
    add_prefix(node, prefix_bit(prefix, node->depth), entry->value, entry);
    return;
  }
  const uintptr_t slot = child_slot(prefix, node->depth, entry);
  add_child(node, byte_of(prefix.key, node->depth), slot,
            (slot & kKindMask) == kFringe ? entry : nullptr);
}

TrieNode *make_node(void *block, uint32_t len, uint32_t depth, const TrieKey &path) {
  auto *const node = static_cast<TrieNode *>(block);
  __builtin_memset(node, 0, sizeof *node);
  node->block.len = len;
  node->depth = static_cast<uint8_t>(depth);
  const TrieKey mask = mask_of(8 * depth);
  node->key = {path.hi & mask.hi, path.lo & mask.lo};
  return node;
}

uint32_t num_gaps(const TrieNode *node) {
  return node->num_children + node->num_prefixes - node->num_live;
}

bool is_gap(uintptr_t slot) {
  return (slot & ~kKindMask) == 0;
}

// What is left without the gaps.
struct Live {
  uint32_t num_children = 0;
  uint32_t num_fringes = 0;
  uint32_t num_prefixes = 0;

  explicit Live(TrieNode *node) {
    for (uint32_t i = 0; i < node->num_children; ++i) {
      const uintptr_t slot = node->slots[i];
      if (is_gap(slot)) continue;
      ++num_children;
      num_fringes += (slot & kKindMask) == kFringe ? 1 : 0;
    }
    for (uint32_t i = 0; i < node->num_prefixes; ++i) {
      num_prefixes += is_gap(prefix_values(node)[i]) ? 0 : 1;
    }
  }
  uint32_t num_slots() const { return num_children + 2 * num_prefixes + num_fringes; }
};

// Bytes of the node without its gaps and with num_more slots.
uint32_t packed_len(TrieNode *node, uint32_t num_more) {
  const uint32_t num_slots = num_gaps(node) == 0 ? node->num_slots() : Live(node).num_slots();
  return node_len(num_slots + num_more);
}

template <typename Each>
void for_each_bit(const uint64_t *map, Each &&each) {
  for (uint32_t word = 0; word < 4; ++word) {
    for (uint64_t left = map[word]; left != 0; left &= left - 1) {
      each(64 * word + static_cast<uint32_t>(__builtin_ctzll(left)));
    }
  }
}

// The node without its gaps.
TrieNode *packed_copy(void *block, uint32_t len, TrieNode *node) {
  auto *const packed = static_cast<TrieNode *>(block);
  if (num_gaps(node) == 0) {
    copy(packed, node, node_len(node->num_slots()));
    packed->block.len = len;
    return packed;
  }
  const Live live(node);
  make_node(block, len, node->depth, node->key);
  packed->num_live = node->num_live;
  packed->num_children = static_cast<uint16_t>(live.num_children);
  packed->num_fringes = static_cast<uint16_t>(live.num_fringes);
  packed->num_prefixes = static_cast<uint8_t>(live.num_prefixes);
  uintptr_t *child = packed->slots;
  uintptr_t *value = prefix_values(packed);
  uintptr_t *entry = prefix_entries(packed);
  uintptr_t *fringe = fringe_entries(packed);
  const uintptr_t *old = node->slots;
  const uintptr_t *old_fringe = fringe_entries(node);
  for_each_bit(node->child_map, [&](uint32_t byte) {
    const uintptr_t slot = *old++;
    const bool is_fringe = (slot & kKindMask) == kFringe;
    const uintptr_t fringe_entry = is_fringe ? *old_fringe++ : 0;
    if (is_gap(slot)) return;
    *child++ = slot;
    if (is_fringe) *fringe++ = fringe_entry;
    set_bit(packed->child_map, packed->child_base, byte);
  });
  for_each_bit(node->prefix_map, [&](uint32_t bit) {
    const uintptr_t slot = *old;
    const uintptr_t prefix_entry = old[node->num_prefixes];
    ++old;
    if (is_gap(slot)) return;
    *value++ = slot;
    *entry++ = prefix_entry;
    set_bit(packed->prefix_map, packed->prefix_base, bit);
  });
  return packed;
}

// ---- the way down ------------------------------------------------------------------------------

enum Step : uint32_t {
  kThere,  // the prefix is in the trie
  kRoot,   // the family is empty
  kAdd,    // into the last node on the way
  kAbove,  // into a new node above the one in the slot, which is off the way
  kShare,  // with the entries that the slot has
};

struct Way {
  Step step;
  uintptr_t *slot;        // where the way ends; for kThere in a node's prefixes, the value's slot
  uintptr_t *node_slot;   // leads to the last node on the way; null when there is none
  uint32_t depth;         // of the new node, for kAbove
  uint32_t child;         // number of the slot among the last node's children
  bool is_prefix;         // it is among the node's prefixes instead
  uintptr_t *entry_slot;  // where its entry is, then
  TrieEntry *entry;       // for kThere

  TrieNode *last() const { return node_of(*node_slot); }
};

// True when the way goes on in way.slot.
bool pass_node(Way &way, const MaskedPrefix &wanted) {
  TrieNode *const node = node_of(*way.slot);
  const uint32_t whole_bytes = wanted.cidr / 8U;
  const uint32_t common = min(common_bytes(node->key, wanted.key), whole_bytes);
  if (common < node->depth) {
    way.step = kAbove;
    way.depth = common;
    return false;
  }
  way.node_slot = way.slot;
  way.step = kAdd;
  way.is_prefix = ends_in(wanted, node->depth);
  if (way.is_prefix) {
    const uint32_t bit = prefix_bit(wanted, node->depth);
    if (!has_bit(node->prefix_map, bit)) return false;
    const uint32_t at = rank_of(node->prefix_map, node->prefix_base, bit);
    way.slot = prefix_values(node) + at;
    if (is_gap(*way.slot)) return false;
    way.step = kThere;
    way.entry_slot = prefix_entries(node) + at;
    return false;
  }
  const uint32_t byte = byte_of(wanted.key, node->depth);
  if (!has_bit(node->child_map, byte)) return false;
  way.child = rank_of(node->child_map, node->child_base, byte);
  way.slot = node->slots + way.child;
  return !is_gap(*way.slot);
}

// Where the way of a prefix ends. Does not look at entries: removal knows its own, and each is
// another access to memory.
Way find_slot(uintptr_t *root, const MaskedPrefix &wanted) {
  Way way{};
  way.slot = root;
  way.step = kRoot;
  if (*root == 0) return way;
  while ((*way.slot & kKindMask) == kNode) {
    if (!pass_node(way, wanted)) return way;
  }
  way.step = kShare;
  return way;
}

// Where the entry of a fringe is kept.
uintptr_t *fringe_entry(TrieNode *node, uint32_t child) {
  return fringe_entries(node) + fringes_before(node, child);
}

// Entries of one slot, longest first.
struct Members {
  TrieEntry *of[kMaxBucketEntries + 1];
  uint32_t num = 0;

  // Those of the slot in which a way has ended, which has no node.
  explicit Members(const Way &way) : Members(*way.slot, way.node_slot, way.child) {}
  Members(uintptr_t slot, const uintptr_t *node_slot, uint32_t child) {
    switch (slot & kKindMask) {
      case kLeaf:
        of[num++] = leaf_of(slot);
        break;
      case kFringe:
        of[num++] = entry_in(fringe_entry(node_of(*node_slot), child));
        break;
      default: {
        const TrieBucket *const bucket = bucket_of(slot);
        for (uint32_t i = 0; i < bucket->num_entries; ++i) {
          if (bucket->entries[i] != nullptr) of[num++] = bucket->entries[i];
        }
        break;
      }
    }
  }

  // What the entries have in common, in whole bytes.
  uint32_t common(const MaskedPrefix &with) const {
    uint32_t common = with.cidr / 8U;
    for (uint32_t i = 0; i < num; ++i) {
      const MaskedPrefix prefix = prefix_of(of[i]);
      common = min(common, min<uint32_t>(common_bytes(prefix.key, with.key), prefix.cidr / 8U));
    }
    return common;
  }

  void add(TrieEntry *entry) {
    uint32_t at = num++;
    for (; at != 0 && of[at - 1]->cidr < entry->cidr; --at) of[at] = of[at - 1];
    of[at] = entry;
  }
};

// Where the prefix is, or would be.
Way find_way(uintptr_t *root, const MaskedPrefix &wanted) {
  Way way = find_slot(root, wanted);
  if (way.step == kThere) {
    way.entry = entry_in(way.entry_slot);
  } else if (way.step == kShare) {
    const Members members(way);
    for (uint32_t i = 0; i < members.num; ++i) {
      if (!is_same(prefix_of(members.of[i]), wanted)) continue;
      way.step = kThere;
      way.entry = members.of[i];
    }
  }
  return way;
}

// How entries that are too many for a bucket share a node: each byte that several of them go on
// with gets a bucket. Of five, that is two at most.
struct Groups {
  uint32_t num_slots = 0;
  uint32_t num_buckets = 0;
  uint32_t sizes[2] = {0, 0};
  uint8_t bytes[2] = {0, 0};

  Groups(const MaskedPrefix *prefixes, uint32_t num, uint32_t depth) {
    for (uint32_t i = 0; i < num; ++i) {
      if (ends_in(prefixes[i], depth)) {
        num_slots += 2;
        continue;
      }
      const uint32_t byte = byte_of(prefixes[i].key, depth);
      bool is_first = true;
      uint32_t size = 0;
      for (uint32_t j = 0; j < num; ++j) {
        if (ends_in(prefixes[j], depth) || byte_of(prefixes[j].key, depth) != byte) continue;
        if (j < i) is_first = false;
        ++size;
      }
      if (!is_first) continue;
      if (size == 1) {
        num_slots += slots_for(prefixes[i], depth);
        continue;
      }
      num_slots += 1;
      // In the order of the bytes, whatever that of the prefixes is.
      const uint32_t at = num_buckets++ != 0 && bytes[0] < byte ? 1 : 0;
      if (at == 0) {
        sizes[1] = sizes[0];
        bytes[1] = bytes[0];
      }
      sizes[at] = size;
      bytes[at] = static_cast<uint8_t>(byte);
    }
  }

  // The number of the bucket of this byte, or num_buckets.
  uint32_t bucket_for(uint32_t byte) const {
    uint32_t i = 0;
    while (i < num_buckets && bytes[i] != byte) ++i;
    return i;
  }
};

// ---- changes ------------------------------------------------------------------------------------

TrieBucket *make_bucket(void *block, uint32_t len) {
  auto *const bucket = static_cast<TrieBucket *>(block);
  bucket->block.len = len;
  bucket->num_entries = 0;
  bucket->num_live = 0;
  return bucket;
}

uintptr_t share(void *block, uint32_t len, const Members &members) {
  TrieBucket *const bucket = make_bucket(block, len);
  for (uint32_t i = 0; i < members.num; ++i) bucket->entries[i] = members.of[i];
  bucket->num_entries = members.num;
  bucket->num_live = members.num;
  return reinterpret_cast<uintptr_t>(bucket) | kBucket;
}

// A node in which the members part.
uintptr_t part(const TriePlan &plan, void *const *blocks, const Members &members) {
  MaskedPrefix prefixes[kMaxBucketEntries + 1] = {};
  for (uint32_t i = 0; i < members.num; ++i) prefixes[i] = prefix_of(members.of[i]);
  const Groups groups(prefixes, members.num, plan.depth);
  TrieNode *const node = make_node(blocks[0], plan.len[0], plan.depth, prefixes[0].key);
  TrieBucket *buckets[2];
  for (uint32_t i = 0; i < groups.num_buckets; ++i) {
    buckets[i] = make_bucket(blocks[2 + i], bucket_len(groups.sizes[i]));
    add_child(node, groups.bytes[i], reinterpret_cast<uintptr_t>(buckets[i]) | kBucket, nullptr);
  }
  for (uint32_t i = 0; i < members.num; ++i) {
    const uint32_t which = ends_in(prefixes[i], plan.depth)
                               ? groups.num_buckets
                               : groups.bucket_for(byte_of(prefixes[i].key, plan.depth));
    if (which == groups.num_buckets) {
      add(node, prefixes[i], members.of[i]);
    } else {
      buckets[which]->entries[buckets[which]->num_entries++] = members.of[i];
      ++buckets[which]->num_live;
    }
  }
  return reinterpret_cast<uintptr_t>(node);
}

// A fringe's entry leaves the list that only the writer reads, before the slot changes its kind.
void forget_fringe(TrieNode *node, uint32_t child) {
  uintptr_t *const at = fringe_entry(node, child);
  const uintptr_t *const end = node->slots + node->num_slots();
  __builtin_memmove(at, at + 1, static_cast<size_t>(end - at - 1) * sizeof *at);
  --node->num_fringes;
}

// What is left when a node has one thing only, for the slot above.
uintptr_t only_slot(TrieNode *node) {
  for (uint32_t i = 0; i < node->num_children; ++i) {
    const uintptr_t slot = node->slots[i];
    if (is_gap(slot)) continue;
    return (slot & kKindMask) == kFringe ? *fringe_entry(node, i) | kLeaf : slot;
  }
  uint32_t i = 0;
  while (is_gap(prefix_values(node)[i])) ++i;
  return prefix_entries(node)[i] | kLeaf;
}

// Takes an entry out of a bucket. What is alone needs none.
void remove_from_bucket(uintptr_t *slot, const TrieEntry *entry, TrieFreed &freed) {
  TrieBucket *const bucket = bucket_of(*slot);
  uint32_t i = 0;
  while (bucket->entries[i] != entry) ++i;
  publish(&bucket->entries[i], static_cast<TrieEntry *>(nullptr));
  if (--bucket->num_live != 1) return;
  i = 0;
  while (bucket->entries[i] == nullptr) ++i;
  publish(slot, reinterpret_cast<uintptr_t>(bucket->entries[i]) | kLeaf);
  freed.add(bucket);
}

TrieLine::Item *find_item(TrieLine *line, const MaskedPrefix &prefix) {
  const TrieKey mask = mask_of(prefix.cidr);
  for (uint64_t i = 0; line != nullptr && i < line->num_items; ++i) {
    TrieLine::Item &item = line->items[i];
    if (item.value != nullptr && item.key.hi == prefix.key.hi && item.key.lo == prefix.key.lo &&
        item.mask.hi == mask.hi && item.mask.lo == mask.lo) {
      return &item;
    }
  }
  return nullptr;
}

bool is_longer(const TrieKey &mask, const TrieKey &other) {
  return mask.hi != other.hi ? mask.hi > other.hi : mask.lo > other.lo;
}

// The items of a line, less its gaps, and one more, in their order.
TrieLine *longer_line(void *block, const TrieLine *line, const MaskedPrefix &prefix, void *value,
                      uint32_t len) {
  auto *const longer = static_cast<TrieLine *>(block);
  const TrieLine::Item added{prefix.key, mask_of(prefix.cidr), value};
  longer->block.len = len;
  longer->num_items = 0;
  bool is_in = false;
  for (uint64_t i = 0; line != nullptr && i < line->num_items; ++i) {
    const TrieLine::Item &item = line->items[i];
    if (item.value == nullptr) continue;
    if (!is_in && is_longer(added.mask, item.mask)) {
      longer->items[longer->num_items++] = added;
      is_in = true;
    }
    longer->items[longer->num_items++] = item;
  }
  if (!is_in) longer->items[longer->num_items++] = added;
  return longer;
}

}  // namespace

TrieEntry *Trie::find(const Prefix &prefix) const {
  // The way is only looked at.
  auto *const root = const_cast<uintptr_t *>(&family(prefix).root);
  return find_way(root, mask_prefix(prefix)).entry;
}

void Trie::plan(TriePlan &plan, const Prefix &prefix) const {
  const Family &family = this->family(prefix);
  const MaskedPrefix wanted = mask_prefix(prefix);
  const Way way = find_way(const_cast<uintptr_t *>(&family.root), wanted);
  plan = {way.entry, {}, way.slot, way.node_slot, way.step, way.depth};
  switch (way.step) {
    case kThere:
      return;
    case kRoot:
      break;
    case kAdd:
      plan.len[0] = packed_len(way.last(), slots_for(wanted, way.last()->depth));
      break;
    case kAbove:
      plan.len[0] = node_len(1 + slots_for(wanted, way.depth));
      break;
    case kShare: {
      const Members members(way);
      if (members.num < kMaxBucketEntries) {
        plan.len[0] = bucket_len(members.num + 1);
        break;
      }
      MaskedPrefix prefixes[kMaxBucketEntries + 1] = {};
      for (uint32_t i = 0; i < members.num; ++i) prefixes[i] = prefix_of(members.of[i]);
      prefixes[members.num] = wanted;
      plan.depth = members.common(wanted);
      const Groups groups(prefixes, members.num + 1, plan.depth);
      plan.len[0] = node_len(groups.num_slots);
      for (uint32_t i = 0; i < groups.num_buckets; ++i) {
        plan.len[2 + i] = bucket_len(groups.sizes[i]);
      }
      break;
    }
  }
  const bool has_line = family.line != nullptr || family.num_entries == 0;
  if (has_line && family.num_entries < kMaxLineItems) {
    plan.len[1] = line_len(family.num_entries + 1);
  }
}

void Trie::insert(const TriePlan &plan, TrieEntry *entry, const Prefix &prefix, void *value,
                  void *const blocks[kTriePlanBlocks], TrieFreed &freed) {
  Family &family = this->family(prefix);
  const MaskedPrefix added = mask_prefix(prefix);
  fill(entry, added, value);
  freed = {};

  switch (plan.step) {
    case kRoot:
      publish(plan.slot, reinterpret_cast<uintptr_t>(entry) | kLeaf);
      break;
    case kAdd: {
      TrieNode *const old = node_of(*plan.node_slot);
      TrieNode *const node = packed_copy(blocks[0], plan.len[0], old);
      add(node, added, entry);
      publish(plan.node_slot, reinterpret_cast<uintptr_t>(node));
      freed.add(old);
      break;
    }
    case kAbove: {
      const uintptr_t slot = *plan.slot;
      TrieNode *const node = make_node(blocks[0], plan.len[0], plan.depth, added.key);
      add_child(node, byte_of(node_of(slot)->key, plan.depth), slot, nullptr);
      add(node, added, entry);
      publish(plan.slot, reinterpret_cast<uintptr_t>(node));
      break;
    }
    default: {
      const uintptr_t slot = *plan.slot;
      TrieNode *const parent = plan.node_slot == nullptr ? nullptr : node_of(*plan.node_slot);
      const uint32_t child =
          parent == nullptr ? 0 : static_cast<uint32_t>(plan.slot - parent->slots);
      Members members(slot, plan.node_slot, child);
      members.add(entry);
      if ((slot & kKindMask) == kFringe) forget_fringe(parent, child);
      publish(plan.slot, members.num <= kMaxBucketEntries ? share(blocks[0], plan.len[0], members)
                                                          : part(plan, blocks, members));
      if ((slot & kKindMask) == kBucket) freed.add(bucket_of(slot));
      break;
    }
  }

  TrieLine *const line = family.line;
  TrieLine *const next =
      plan.len[1] == 0 ? nullptr : longer_line(blocks[1], line, added, value, plan.len[1]);
  publish(&family.line, next);
  if (line != nullptr) freed.add(line);
  ++family.num_entries;
}

void Trie::assign(TrieEntry *entry, void *value) {
  const MaskedPrefix prefix = prefix_of(entry);
  Family &family = family_[prefix.addr_len == kIpv4Len ? 0 : 1];
  const Way way = find_slot(&family.root, prefix);
  publish(&entry->value, value);
  if (way.is_prefix) {
    publish(way.slot, reinterpret_cast<uintptr_t>(value));
  } else if ((*way.slot & kKindMask) == kFringe) {
    publish(way.slot, reinterpret_cast<uintptr_t>(value) | kFringe);
  }
  TrieLine::Item *const item = find_item(family.line, prefix);
  if (item != nullptr) publish(&item->value, value);
}

void Trie::remove(TrieEntry *entry, TrieFreed &freed) {
  const MaskedPrefix prefix = prefix_of(entry);
  Family &family = family_[prefix.addr_len == kIpv4Len ? 0 : 1];
  const Way way = find_slot(&family.root, prefix);
  freed = {};

  TrieLine::Item *const item = find_item(family.line, prefix);
  if (item != nullptr) publish(&item->value, static_cast<void *>(nullptr));

  if (!way.is_prefix && (*way.slot & kKindMask) == kBucket) {
    remove_from_bucket(way.slot, entry, freed);
  } else if (way.node_slot == nullptr) {
    publish(way.slot, uintptr_t{0});
  } else {
    // A fringe stays one, so that its place in the list of entries does.
    publish(way.slot, way.is_prefix ? 0 : *way.slot & kFringe);
    TrieNode *const node = way.last();
    if (--node->num_live == 1) {
      publish(way.node_slot, only_slot(node));
      freed.add(node);
    } else if (num_gaps(node) > node->num_live) {
      freed.compact_len = packed_len(node, 0);
    }
  }

  if (--family.num_entries == 0 && family.line != nullptr) {
    freed.add(family.line);
    publish(&family.line, static_cast<TrieLine *>(nullptr));
  }
}

void Trie::compact(const Prefix &prefix, void *block, TrieFreed &freed) {
  const Way way = find_way(&family(prefix).root, mask_prefix(prefix));
  TrieNode *const node = way.last();
  freed = {};
  publish(way.node_slot,
          reinterpret_cast<uintptr_t>(packed_copy(block, packed_len(node, 0), node)));
  freed.add(node);
}

}  // namespace wg
