// SPDX-License-Identifier: GPL-2.0
// The extern "C" bodies of the AllowedIPs section of the wall.
#include "trie.hh"
#include "trie_node.hh"
#include "wgcore.h"

namespace {

// C embeds and copies the opaque structures as plain bytes; both sides must agree on them.
template <typename Core, typename Opaque>
constexpr bool is_same_storage() {
  return sizeof(Core) == sizeof(Opaque) && alignof(Core) <= alignof(Opaque) &&
         __is_trivially_copyable(Core);
}
static_assert(is_same_storage<wg::Trie, wgc_trie>());
static_assert(is_same_storage<wg::TrieEntry, wgc_trie_entry>());
static_assert(is_same_storage<wg::TrieBlock, wgc_trie_block>());
static_assert(is_same_storage<wg::TriePlan, wgc_trie_plan>());
static_assert(is_same_storage<wg::TrieFreed, wgc_trie_freed>());
static_assert(wg::trie_entry_len(4) == WGC_TRIE_ENTRY_LEN(4));
static_assert(wg::trie_entry_len(16) == WGC_TRIE_ENTRY_LEN(16));
static_assert(wg::kTriePlanBlocks == WGC_TRIE_PLAN_BLOCKS);
static_assert(wg::kMaxNodeLen == WGC_TRIE_BLOCK_MAX_LEN);
static_assert(wg::node_len(2 * 256) == WGC_TRIE_FULL_BLOCK_LEN);

wg::Trie *unwrap(wgc_trie *trie) {
  return reinterpret_cast<wg::Trie *>(trie);
}

const wg::Trie *unwrap(const wgc_trie *trie) {
  return reinterpret_cast<const wg::Trie *>(trie);
}

wg::TrieEntry *unwrap(wgc_trie_entry *entry) {
  return reinterpret_cast<wg::TrieEntry *>(entry);
}

const wg::TrieEntry *unwrap(const wgc_trie_entry *entry) {
  return reinterpret_cast<const wg::TrieEntry *>(entry);
}

wg::TrieFreed &unwrap(wgc_trie_freed *freed) {
  return *reinterpret_cast<wg::TrieFreed *>(freed);
}

wg::Prefix unwrap(const wgc_prefix &prefix) {
  wg::Prefix out;
  wg::copy(out.addr, prefix.addr, sizeof out.addr);
  out.addr_len = prefix.addr_len;
  out.cidr = prefix.cidr;
  return out;
}

}  // namespace

void wgc_trie_init(wgc_trie *trie) {
  unwrap(trie)->init();
}

void *wgc_trie_lookup(const wgc_trie *trie, const uint8_t *addr, uint8_t addr_len) {
  return unwrap(trie)->lookup(addr, addr_len);
}

void wgc_trie_lookup_batch(const wgc_trie *trie, const uint8_t *const *addrs, uint8_t addr_len,
                           void **values, size_t num) {
  unwrap(trie)->lookup_batch(addrs, addr_len, values, num);
}

wgc_trie_entry *wgc_trie_find(const wgc_trie *trie, const wgc_prefix *prefix) {
  return reinterpret_cast<wgc_trie_entry *>(unwrap(trie)->find(unwrap(*prefix)));
}

void wgc_trie_prepare(const wgc_trie *trie, wgc_trie_plan *plan, const wgc_prefix *prefix) {
  unwrap(trie)->plan(*reinterpret_cast<wg::TriePlan *>(plan), unwrap(*prefix));
}

void wgc_trie_insert(wgc_trie *trie, const wgc_trie_plan *plan, wgc_trie_entry *entry,
                     const wgc_prefix *prefix, void *value,
                     void *const blocks[WGC_TRIE_PLAN_BLOCKS], wgc_trie_freed *freed) {
  unwrap(trie)->insert(*reinterpret_cast<const wg::TriePlan *>(plan), unwrap(entry),
                       unwrap(*prefix), value, blocks, unwrap(freed));
}

void wgc_trie_assign(wgc_trie *trie, wgc_trie_entry *entry, void *value) {
  unwrap(trie)->assign(unwrap(entry), value);
}

void wgc_trie_remove(wgc_trie *trie, wgc_trie_entry *entry, wgc_trie_freed *freed) {
  unwrap(trie)->remove(unwrap(entry), unwrap(freed));
}

void wgc_trie_compact(wgc_trie *trie, const wgc_prefix *prefix, void *block,
                      wgc_trie_freed *freed) {
  unwrap(trie)->compact(unwrap(*prefix), block, unwrap(freed));
}

void *wgc_trie_entry_value(const wgc_trie_entry *entry) {
  return unwrap(entry)->value;
}

void wgc_trie_entry_prefix(const wgc_trie_entry *entry, wgc_prefix *prefix) {
  const wg::Prefix found = wg::trie_entry_prefix(unwrap(entry));
  wg::copy(prefix->addr, found.addr, sizeof prefix->addr);
  prefix->addr_len = found.addr_len;
  prefix->cidr = found.cidr;
}
