// SPDX-License-Identifier: GPL-2.0
// The extern "C" bodies of the AllowedIPs section of the wall.
#include "trie.hh"
#include "wgcore.h"

namespace {

// C embeds and copies the opaque structures as plain bytes; both sides must agree on them.
static_assert(sizeof(wg::Trie) == sizeof(wgc_trie));
static_assert(alignof(wg::Trie) <= alignof(wgc_trie));
static_assert(__is_trivially_copyable(wg::Trie));
static_assert(sizeof(wg::TrieNode) == sizeof(wgc_trie_node));
static_assert(alignof(wg::TrieNode) <= alignof(wgc_trie_node));
static_assert(__is_trivially_copyable(wg::TrieNode));

wg::Trie *unwrap(wgc_trie *trie) {
  return reinterpret_cast<wg::Trie *>(trie);
}

const wg::Trie *unwrap(const wgc_trie *trie) {
  return reinterpret_cast<const wg::Trie *>(trie);
}

wg::TrieNode *unwrap(wgc_trie_node *node) {
  return reinterpret_cast<wg::TrieNode *>(node);
}

const wg::TrieNode *unwrap(const wgc_trie_node *node) {
  return reinterpret_cast<const wg::TrieNode *>(node);
}

wgc_trie_node *wrap(wg::TrieNode *node) {
  return reinterpret_cast<wgc_trie_node *>(node);
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

void wgc_trie_insert(wgc_trie *trie, wgc_trie_insertion *result, const wgc_prefix *prefix,
                     void *value, wgc_trie_node *const spare[2]) {
  wg::TrieNode *const nodes[2] = {unwrap(spare[0]), unwrap(spare[1])};
  const wg::TrieInsertion done = unwrap(trie)->insert(unwrap(*prefix), value, nodes);
  result->node = wrap(done.node);
  result->displaced = done.displaced;
  result->num_used = done.num_used;
}

wgc_trie_node *wgc_trie_find(const wgc_trie *trie, const wgc_prefix *prefix) {
  return wrap(unwrap(trie)->find(unwrap(*prefix)));
}

void wgc_trie_remove(wgc_trie * /*trie*/, wgc_trie_removal *result, wgc_trie_node *node) {
  const wg::TrieRemoval done = wg::trie_remove(unwrap(node));
  result->freed[0] = wrap(done.freed[0]);
  result->freed[1] = wrap(done.freed[1]);
  result->num_freed = done.num_freed;
}

void *wgc_trie_node_value(const wgc_trie_node *node) {
  return wg::trie_node_value(unwrap(node));
}

void wgc_trie_node_prefix(const wgc_trie_node *node, wgc_prefix *prefix) {
  const wg::Prefix found = wg::trie_node_prefix(unwrap(node));
  wg::copy(prefix->addr, found.addr, sizeof prefix->addr);
  prefix->addr_len = found.addr_len;
  prefix->cidr = found.cidr;
}
