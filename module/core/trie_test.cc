// SPDX-License-Identifier: GPL-2.0
// AllowedIPs through the wall, against a list that is searched from end to end.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "wgcore.h"

namespace {

using Random = std::mt19937_64;

// WGPP_SEED repeats a run.
Random seeded_random() {
  const char *text = std::getenv("WGPP_SEED");
  const uint64_t seed =
      text != nullptr ? std::strtoull(text, nullptr, 0) : uint64_t{std::random_device{}()};
  std::printf("WGPP_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return Random(seed);
}

uint32_t below(Random &random, uint32_t limit) {
  return std::uniform_int_distribution<uint32_t>(0, limit - 1)(random);
}

// One bit at a time, to share nothing with the code under test.
bool bit_of(const uint8_t *addr, uint32_t i) {
  return ((addr[i / 8] >> (7 - i % 8)) & 1) != 0;
}

void set_bit(uint8_t *addr, uint32_t i, bool bit) {
  const auto mask = static_cast<uint8_t>(0x80 >> (i % 8));
  addr[i / 8] = static_cast<uint8_t>(bit ? addr[i / 8] | mask : addr[i / 8] & ~mask);
}

uint32_t max_cidr(const wgc_prefix &prefix) {
  return prefix.addr_len * 8U;
}

bool covers(const wgc_prefix &prefix, const uint8_t *addr, uint8_t addr_len) {
  if (prefix.addr_len != addr_len) return false;
  for (uint32_t i = 0; i < prefix.cidr; ++i) {
    if (bit_of(prefix.addr, i) != bit_of(addr, i)) return false;
  }
  return true;
}

bool same_prefix(const wgc_prefix &a, const wgc_prefix &b) {
  return a.cidr == b.cidr && covers(a, b.addr, b.addr_len);
}

wgc_prefix without_host_bits(wgc_prefix prefix) {
  for (uint32_t i = prefix.cidr; i < 128; ++i) set_bit(prefix.addr, i, false);
  return prefix;
}

wgc_prefix ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t cidr) {
  return {{a, b, c, d}, 4, cidr};
}

wgc_prefix ipv6(std::array<uint8_t, 16> addr, uint8_t cidr) {
  wgc_prefix prefix{{}, 16, cidr};
  std::copy(addr.begin(), addr.end(), prefix.addr);
  return prefix;
}

std::string text_of(const wgc_prefix &prefix) {
  std::string text;
  for (uint32_t i = 0; i < prefix.addr_len; ++i) {
    char byte[4];
    std::snprintf(byte, sizeof byte, "%02x", prefix.addr[i]);
    text += byte;
  }
  return text + "/" + std::to_string(prefix.cidr);
}

// A trie that plays the glue's part: it owns the nodes and knows where each one is. A free node is
// filled with noise, which a trie that still used it would trip over.
class Table {
 public:
  explicit Table(size_t num_nodes)
      : nodes_(new wgc_trie_node[num_nodes]), num_nodes_(num_nodes), is_free_(num_nodes) {
    wgc_trie_init(&trie_);
    for (size_t i = 0; i < num_nodes; ++i) release(&nodes_[i], false);
  }

  // Returns the displaced value.
  void *insert(const wgc_prefix &prefix, void *value) {
    EXPECT_GE(free_.size(), 2U);
    wgc_trie_node *const spare[2] = {free_[free_.size() - 1], free_[free_.size() - 2]};
    std::memset(&last_, 0xa5, sizeof last_);
    wgc_trie_insert(&trie_, &last_, &prefix, value, spare);
    EXPECT_LE(last_.num_used, 2U);
    EXPECT_EQ(last_.node == spare[0], last_.num_used > 0);
    for (uint32_t i = 0; i < last_.num_used; ++i) {
      is_free_[index_of(spare[i])] = false;
      free_.pop_back();
    }
    EXPECT_EQ(wgc_trie_node_value(last_.node), value);
    return last_.displaced;
  }

  // Returns how many nodes came free. With keep, they stay as they are and are never used again.
  uint32_t remove(wgc_trie_node *node, bool keep = false) {
    wgc_trie_removal result;
    std::memset(&result, 0xa5, sizeof result);
    wgc_trie_remove(&trie_, &result, node);
    EXPECT_LE(result.num_freed, 2U);
    for (uint32_t i = 0; i < result.num_freed; ++i) release(result.freed[i], keep);
    return result.num_freed;
  }

  uint32_t remove(const wgc_prefix &prefix) {
    wgc_trie_node *const node = find(prefix);
    EXPECT_NE(node, nullptr);
    return node == nullptr ? 0 : remove(node);
  }

  wgc_trie_node *find(const wgc_prefix &prefix) const { return wgc_trie_find(&trie_, &prefix); }

  void *lookup(const wgc_prefix &address) const {
    return wgc_trie_lookup(&trie_, address.addr, address.addr_len);
  }

  uint32_t last_num_used() const { return last_.num_used; }
  size_t num_used_nodes() const { return num_nodes_ - free_.size(); }

  bool has_empty_roots() const {
    return std::all_of(std::begin(trie_.opaque), std::end(trie_.opaque),
                       [](uint8_t byte) { return byte == 0; });
  }

 private:
  size_t index_of(const wgc_trie_node *node) const {
    return static_cast<size_t>(node - nodes_.get());
  }

  void release(wgc_trie_node *node, bool keep) {
    ASSERT_LT(index_of(node), num_nodes_) << "not our node";
    ASSERT_FALSE(is_free_[index_of(node)]) << "freed twice";
    is_free_[index_of(node)] = true;
    if (keep) return;
    std::memset(node, 0xa5, sizeof *node);
    free_.push_back(node);
  }

  std::unique_ptr<wgc_trie_node[]> nodes_;
  size_t num_nodes_;
  std::vector<bool> is_free_;
  std::vector<wgc_trie_node *> free_;
  wgc_trie trie_;
  wgc_trie_insertion last_;
};

// What the trie should do, in the plainest way.
class List {
 public:
  struct Entry {
    wgc_prefix prefix;
    void *value;
  };

  Entry *find(const wgc_prefix &prefix) {
    for (Entry &entry : entries_) {
      if (same_prefix(entry.prefix, prefix)) return &entry;
    }
    return nullptr;
  }

  void *insert(const wgc_prefix &prefix, void *value) {
    if (Entry *entry = find(prefix); entry != nullptr) return std::exchange(entry->value, value);
    entries_.push_back({without_host_bits(prefix), value});
    return nullptr;
  }

  void remove(const wgc_prefix &prefix) {
    std::erase_if(entries_, [&](const Entry &entry) { return same_prefix(entry.prefix, prefix); });
  }

  void *lookup(const wgc_prefix &address) const {
    const Entry *best = nullptr;
    for (const Entry &entry : entries_) {
      if (best != nullptr && entry.prefix.cidr <= best->prefix.cidr) continue;
      if (covers(entry.prefix, address.addr, address.addr_len)) best = &entry;
    }
    return best == nullptr ? nullptr : best->value;
  }

  // Nodes of a path-compressed trie: the prefixes, and the points where neighbours in address
  // order part, where those are not prefixes themselves.
  size_t num_trie_nodes() const {
    const auto order = [](const wgc_prefix &a, const wgc_prefix &b) {
      if (a.addr_len != b.addr_len) return a.addr_len < b.addr_len;
      const int addr_order = std::memcmp(a.addr, b.addr, sizeof a.addr);
      return addr_order != 0 ? addr_order < 0 : a.cidr < b.cidr;
    };
    std::set<wgc_prefix, decltype(order)> nodes(order);
    for (const Entry &entry : entries_) nodes.insert(entry.prefix);
    const std::vector<wgc_prefix> sorted(nodes.begin(), nodes.end());
    for (size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i - 1].addr_len != sorted[i].addr_len) continue;
      wgc_prefix join = sorted[i];
      join.cidr = 0;
      while (join.cidr < std::min(sorted[i - 1].cidr, sorted[i].cidr) &&
             bit_of(sorted[i - 1].addr, join.cidr) == bit_of(sorted[i].addr, join.cidr)) {
        ++join.cidr;
      }
      nodes.insert(without_host_bits(join));
    }
    return nodes.size();
  }

  const std::vector<Entry> &entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

// Close to one of a few addresses: a random tail behind a shared start, so that prefixes nest,
// collide and part at every depth.
wgc_prefix random_prefix(Random &random) {
  wgc_prefix prefix{{}, static_cast<uint8_t>(below(random, 2) != 0 ? 16 : 4), 0};
  const uint32_t num_bits = max_cidr(prefix);
  Random base(below(random, 3));
  for (uint32_t i = 0; i < prefix.addr_len; ++i) prefix.addr[i] = static_cast<uint8_t>(base());
  const uint32_t shared = below(random, num_bits + 1);
  for (uint32_t i = shared; i < num_bits; ++i) set_bit(prefix.addr, i, below(random, 2) != 0);
  // Long prefixes are the common ones, but only short distances beyond the shared part collide.
  const uint32_t cidr = below(random, 2) != 0 ? shared + below(random, 4) : below(random, 129);
  prefix.cidr = static_cast<uint8_t>(std::min(cidr, num_bits));
  return prefix;
}

int values[64];

TEST(Trie, AgreesWithListUnderRandomUpdates) {
  Random random = seeded_random();
  constexpr uint32_t kNumOps = 240000;
  constexpr size_t kMaxPrefixes = 160;
  Table table(2 * kMaxPrefixes + 2);
  List list;
  uint32_t num_inserted = 0;
  uint32_t num_replaced = 0;
  uint32_t num_removed = 0;
  uint32_t num_hits = 0;

  for (uint32_t op = 0; op < kNumOps && !testing::Test::HasFailure(); ++op) {
    wgc_prefix prefix = random_prefix(random);
    SCOPED_TRACE("operation " + std::to_string(op) + " on " + text_of(prefix));
    const uint32_t kind = below(random, 8);
    const bool from_list = !list.entries().empty() && below(random, 2) != 0;
    // Existing prefixes often, with host bits set.
    if (kind < 4 && from_list) {
      const wgc_prefix &old = list.entries()[below(random, list.entries().size())].prefix;
      for (uint32_t i = 0; old.addr_len == prefix.addr_len && i < old.cidr; ++i) {
        set_bit(prefix.addr, i, bit_of(old.addr, i));
      }
      if (old.addr_len == prefix.addr_len) prefix.cidr = old.cidr;
    }

    if (kind < 2 && list.entries().size() < kMaxPrefixes) {
      void *const value = &values[below(random, std::size(values))];
      const bool was_there = list.find(prefix) != nullptr;
      ASSERT_EQ(table.insert(prefix, value), list.insert(prefix, value));
      ++(was_there ? num_replaced : num_inserted);
    } else if (kind < 4) {
      const List::Entry *const entry = list.find(prefix);
      wgc_trie_node *const node = table.find(prefix);
      ASSERT_EQ(node != nullptr, entry != nullptr);
      if (node == nullptr) continue;
      ASSERT_EQ(wgc_trie_node_value(node), entry->value);
      wgc_prefix found;
      wgc_trie_node_prefix(node, &found);
      ASSERT_EQ(std::memcmp(&found, &entry->prefix, sizeof found), 0) << text_of(found);
      table.remove(node);
      list.remove(prefix);
      ++num_removed;
    } else {
      void *const value = table.lookup(prefix);
      ASSERT_EQ(value, list.lookup(prefix));
      if (value != nullptr) ++num_hits;
    }
    // The count takes long; no node may be missing or left over at any point.
    if (op % 32 == 0) {
      ASSERT_EQ(table.num_used_nodes(), list.num_trie_nodes());
    }
  }
  std::printf("%u inserted, %u replaced, %u removed, %u lookups hit\n", num_inserted, num_replaced,
              num_removed, num_hits);

  while (!list.entries().empty()) {
    const wgc_prefix prefix = list.entries()[below(random, list.entries().size())].prefix;
    table.remove(prefix);
    list.remove(prefix);
  }
  EXPECT_EQ(table.num_used_nodes(), 0U);
  EXPECT_TRUE(table.has_empty_roots());
}

TEST(Trie, EmptyTrieMatchesNothing) {
  const Table table(2);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), nullptr);
  EXPECT_EQ(table.lookup(ipv6({0x20, 0x01}, 128)), nullptr);
  EXPECT_EQ(table.find(ipv4(0, 0, 0, 0, 0)), nullptr);
}

TEST(Trie, DefaultRouteCoversItsFamilyOnly) {
  Table table(4);
  EXPECT_EQ(table.insert(ipv4(0, 0, 0, 0, 0), &values[0]), nullptr);
  EXPECT_EQ(table.lookup(ipv4(0, 0, 0, 0, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(255, 255, 255, 255, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv6({}, 128)), nullptr);
  EXPECT_EQ(table.insert(ipv6({}, 0), &values[1]), nullptr);
  EXPECT_EQ(table.lookup(ipv6({0xff, 0xff}, 128)), &values[1]);
  EXPECT_EQ(table.lookup(ipv4(1, 2, 3, 4, 32)), &values[0]);
  EXPECT_EQ(table.remove(ipv4(0, 0, 0, 0, 0)), 1U);
  EXPECT_EQ(table.lookup(ipv4(1, 2, 3, 4, 32)), nullptr);
  EXPECT_EQ(table.lookup(ipv6({}, 128)), &values[1]);
}

TEST(Trie, WholeAddressMatchesItselfOnly) {
  Table table(8);
  table.insert(ipv4(192, 0, 2, 255, 32), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(192, 0, 2, 255, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(192, 0, 2, 254, 32)), nullptr);
  EXPECT_EQ(table.lookup(ipv4(64, 0, 2, 255, 32)), nullptr);

  std::array<uint8_t, 16> addr;
  addr.fill(0xff);
  table.insert(ipv6(addr, 128), &values[1]);
  EXPECT_EQ(table.lookup(ipv6(addr, 128)), &values[1]);
  for (uint32_t i = 0; i < 128; ++i) {
    wgc_prefix other = ipv6(addr, 128);
    set_bit(other.addr, i, false);
    EXPECT_EQ(table.lookup(other), nullptr) << i;
  }
}

TEST(Trie, LongestPrefixWins) {
  Table table(8);
  table.insert(ipv4(10, 0, 0, 0, 8), &values[0]);
  table.insert(ipv4(10, 1, 2, 0, 24), &values[1]);
  table.insert(ipv4(10, 1, 0, 0, 16), &values[2]);
  EXPECT_EQ(table.lookup(ipv4(10, 1, 2, 3, 32)), &values[1]);
  EXPECT_EQ(table.lookup(ipv4(10, 1, 3, 3, 32)), &values[2]);
  EXPECT_EQ(table.lookup(ipv4(10, 2, 2, 3, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(11, 1, 2, 3, 32)), nullptr);
}

TEST(Trie, IgnoresHostBitsOnInputAndClearsThemOnOutput) {
  Table table(2);
  table.insert(ipv4(10, 1, 2, 255, 23), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(10, 1, 3, 1, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(10, 1, 4, 1, 32)), nullptr);
  wgc_trie_node *const node = table.find(ipv4(10, 1, 3, 77, 23));
  ASSERT_NE(node, nullptr);
  wgc_prefix prefix;
  std::memset(&prefix, 0xa5, sizeof prefix);
  wgc_trie_node_prefix(node, &prefix);
  const wgc_prefix expected = ipv4(10, 1, 2, 0, 23);
  EXPECT_EQ(std::memcmp(&prefix, &expected, sizeof prefix), 0) << text_of(prefix);
}

TEST(Trie, ReportsDisplacedValueAlsoWhenItIsTheSame) {
  Table table(4);
  EXPECT_EQ(table.insert(ipv4(10, 0, 0, 0, 8), &values[0]), nullptr);
  EXPECT_EQ(table.insert(ipv4(10, 0, 0, 0, 8), &values[0]), &values[0]);
  EXPECT_EQ(table.last_num_used(), 0U);
  EXPECT_EQ(table.insert(ipv4(10, 9, 9, 9, 8), &values[1]), &values[0]);
  EXPECT_EQ(table.last_num_used(), 0U);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), &values[1]);
  EXPECT_EQ(table.num_used_nodes(), 1U);
}

TEST(Trie, JoiningNodeTakesValueInPlace) {
  Table table(8);
  table.insert(ipv4(10, 0, 0, 0, 9), &values[0]);
  table.insert(ipv4(10, 128, 0, 0, 9), &values[1]);
  EXPECT_EQ(table.last_num_used(), 2U);
  EXPECT_EQ(table.find(ipv4(10, 0, 0, 0, 8)), nullptr) << "a joining node is no prefix";
  EXPECT_EQ(table.insert(ipv4(10, 0, 0, 0, 8), &values[2]), nullptr);
  EXPECT_EQ(table.last_num_used(), 0U);
  EXPECT_NE(table.find(ipv4(10, 0, 0, 0, 8)), nullptr);

  // With a value it outlives its children; without one it goes with the last but one.
  EXPECT_EQ(table.remove(ipv4(10, 0, 0, 0, 9)), 1U);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), &values[2]);
  EXPECT_EQ(table.remove(ipv4(10, 0, 0, 0, 8)), 1U);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), nullptr);
  EXPECT_EQ(table.lookup(ipv4(10, 128, 0, 1, 32)), &values[1]);
}

TEST(Trie, RemovalFreesTheJoinWithItsChild) {
  Table table(8);
  table.insert(ipv4(10, 0, 0, 0, 24), &values[0]);
  table.insert(ipv4(10, 0, 1, 0, 24), &values[1]);
  table.insert(ipv4(10, 0, 0, 0, 23), &values[2]);
  EXPECT_EQ(table.remove(ipv4(10, 0, 0, 0, 23)), 0U) << "it still joins two others";
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), &values[0]);
  EXPECT_EQ(table.remove(ipv4(10, 0, 1, 0, 24)), 2U);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 1, 1, 32)), nullptr);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), &values[0]);
  EXPECT_EQ(table.remove(ipv4(10, 0, 0, 0, 24)), 1U);
  EXPECT_TRUE(table.has_empty_roots());
}

TEST(Trie, SecondRemovalOfANodeDoesNothing) {
  Table table(8);
  table.insert(ipv4(10, 0, 0, 0, 9), &values[0]);
  table.insert(ipv4(10, 128, 0, 0, 9), &values[1]);
  table.insert(ipv4(10, 0, 0, 0, 8), &values[2]);
  wgc_trie_node *const join = table.find(ipv4(10, 0, 0, 0, 8));
  wgc_trie_node *const leaf = table.find(ipv4(10, 0, 0, 0, 9));
  EXPECT_EQ(table.remove(join), 0U);
  EXPECT_EQ(table.remove(join), 0U);
  EXPECT_EQ(table.remove(leaf, true), 2U);
  EXPECT_EQ(table.remove(leaf, true), 0U);
  EXPECT_EQ(wgc_trie_node_value(leaf), &values[0]) << "readers may still be on it";
  EXPECT_EQ(table.lookup(ipv4(10, 128, 0, 1, 32)), &values[1]);
}

TEST(Trie, TakesTooLongPrefixAsWholeAddress) {
  Table table(6);
  table.insert(ipv4(10, 0, 0, 1, 33), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 0, 32)), nullptr);
  wgc_trie_node *const node = table.find(ipv4(10, 0, 0, 1, 32));
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(table.find(ipv4(10, 0, 0, 1, 255)), node);
  wgc_prefix prefix;
  wgc_trie_node_prefix(node, &prefix);
  EXPECT_EQ(prefix.cidr, 32);

  table.insert(ipv6({0x20, 0x01}, 255), &values[1]);
  wgc_trie_node *const node6 = table.find(ipv6({0x20, 0x01}, 128));
  ASSERT_NE(node6, nullptr);
  wgc_trie_node_prefix(node6, &prefix);
  EXPECT_EQ(prefix.cidr, 128);
}

TEST(Trie, LookupOfUnknownAddressLengthMatchesNothing) {
  Table table(4);
  table.insert(ipv4(0, 0, 0, 0, 0), &values[0]);
  table.insert(ipv6({}, 0), &values[1]);
  for (const int addr_len : {0, 1, 3, 5, 15, 17, 255}) {
    EXPECT_EQ(table.lookup({{}, static_cast<uint8_t>(addr_len), 0}), nullptr) << addr_len;
  }
}

class TrieChain : public testing::TestWithParam<int> {};

// Every prefix length of one address at once is the deepest trie there is.
TEST_P(TrieChain, EveryLengthOfOneAddressNests) {
  Random random = seeded_random();
  wgc_prefix address{{}, static_cast<uint8_t>(GetParam()), 0};
  for (uint8_t &byte : address.addr) byte = static_cast<uint8_t>(random());
  const uint32_t num_bits = max_cidr(address);
  std::vector<uint32_t> order(num_bits + 1);
  for (uint32_t i = 0; i <= num_bits; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);

  Table table(num_bits + 3);
  std::array<int, 129> lengths;
  for (const uint32_t cidr : order) {
    address.cidr = static_cast<uint8_t>(cidr);
    table.insert(address, &lengths[cidr]);
    EXPECT_EQ(table.last_num_used(), 1U);
  }
  EXPECT_EQ(table.lookup(address), &lengths[num_bits]);
  for (uint32_t i = 0; i < num_bits; ++i) {
    wgc_prefix other = address;
    set_bit(other.addr, i, !bit_of(address.addr, i));
    EXPECT_EQ(table.lookup(other), &lengths[i]) << "differs at bit " << i;
  }

  std::shuffle(order.begin(), order.end(), random);
  std::set<uint32_t> left(order.begin(), order.end());
  for (const uint32_t cidr : order) {
    address.cidr = static_cast<uint8_t>(cidr);
    EXPECT_EQ(table.remove(address), 1U);
    left.erase(cidr);
    EXPECT_EQ(table.lookup(address), left.empty() ? nullptr : &lengths[*left.rbegin()]);
  }
  EXPECT_TRUE(table.has_empty_roots());
}

INSTANTIATE_TEST_SUITE_P(Families, TrieChain, testing::Values(4, 16));

// The writer churns prefixes below, above and between some that stay. Nodes are never used twice,
// which stands for a grace period that outlasts the test.
TEST(Trie, ReaderBesideWriterAlwaysFindsTheStablePrefix) {
  Random random = seeded_random();
  constexpr uint32_t kNumUpdates = 60000;
  Table table(2 * kNumUpdates + 100);

  struct Route {
    wgc_prefix prefix;
  };
  constexpr uint32_t kNumStable = 8;
  constexpr uint32_t kNumRoutes = 256;
  std::vector<Route> routes(kNumRoutes);
  for (uint32_t i = 0; i < kNumRoutes; ++i) {
    wgc_prefix &prefix = routes[i].prefix;
    do {
      prefix = ipv4(10, static_cast<uint8_t>(below(random, 4)),
                    static_cast<uint8_t>(below(random, 4)), static_cast<uint8_t>(random()), 0);
      prefix.cidr = static_cast<uint8_t>(i == 0 ? 0 : 8 + below(random, i < kNumStable ? 17 : 25));
      prefix = without_host_bits(prefix);
    } while (std::any_of(routes.begin(), routes.begin() + i,
                         [&](const Route &other) { return same_prefix(other.prefix, prefix); }));
    if (i < kNumStable) table.insert(prefix, &routes[i]);
  }

  std::atomic<bool> is_reading = false;
  std::atomic<bool> is_done = false;
  std::string failure;
  uint64_t num_lookups = 0;
  uint64_t num_unstable = 0;
  std::thread reader([&] {
    Random reader_random(1);
    do {
      wgc_prefix address = ipv4(10, static_cast<uint8_t>(below(reader_random, 4)),
                                static_cast<uint8_t>(below(reader_random, 4)),
                                static_cast<uint8_t>(reader_random()), 32);
      uint32_t stable_cidr = 0;
      for (uint32_t i = 0; i < kNumStable; ++i) {
        const wgc_prefix &prefix = routes[i].prefix;
        if (covers(prefix, address.addr, 4))
          stable_cidr = std::max<uint32_t>(stable_cidr, prefix.cidr);
      }
      const auto *route = static_cast<const Route *>(table.lookup(address));
      if (route == nullptr) {
        failure = "nothing for " + text_of(address);
      } else if (!covers(route->prefix, address.addr, 4) || route->prefix.cidr < stable_cidr) {
        failure = text_of(route->prefix) + " for " + text_of(address);
      }
      ++num_lookups;
      if (route != nullptr && route >= &routes[kNumStable]) ++num_unstable;
      is_reading = true;
    } while (!is_done && failure.empty());
    is_reading = true;
  });

  while (!is_reading) std::this_thread::yield();
  std::array<bool, kNumRoutes> is_in{};
  for (uint32_t i = 0; i < kNumUpdates; ++i) {
    const uint32_t which = kNumStable + below(random, kNumRoutes - kNumStable);
    if (is_in[which]) {
      table.remove(table.find(routes[which].prefix), true);
    } else {
      table.insert(routes[which].prefix, &routes[which]);
    }
    is_in[which] = !is_in[which];
  }
  is_done = true;
  reader.join();
  EXPECT_EQ(failure, "");
  std::printf("%llu lookups, %llu of them gave a prefix that comes and goes\n",
              static_cast<unsigned long long>(num_lookups),
              static_cast<unsigned long long>(num_unstable));
}

// Each update replaces the slot that leads to the one stable prefix, and the reader does nothing
// but ask for it: a moment in which the way there is cut would show.
TEST(Trie, ReaderNeverLosesThePrefixWhoseNeighboursChange) {
  constexpr uint32_t kNumRounds = 100000;
  const wgc_prefix stable = ipv4(10, 0, 0, 0, 24);
  const wgc_prefix sibling = ipv4(10, 0, 1, 0, 24);
  const wgc_prefix covering = ipv4(10, 0, 0, 0, 16);
  int stable_value = 0;
  int other_value = 0;
  const std::unique_ptr<wgc_trie_node[]> nodes(new wgc_trie_node[3 * kNumRounds + 3]);
  wgc_trie_node *next = nodes.get();
  wgc_trie trie;
  wgc_trie_init(&trie);
  const auto insert = [&](const wgc_prefix &prefix, void *value) {
    wgc_trie_node *const spare[2] = {next, next + 1};
    wgc_trie_insertion result;
    wgc_trie_insert(&trie, &result, &prefix, value, spare);
    next += result.num_used;
    return result.node;
  };
  insert(stable, &stable_value);

  std::atomic<uint64_t> num_lookups = 0;
  std::atomic<bool> is_done = false;
  uint64_t num_lost = 0;
  std::thread reader([&] {
    while (!is_done.load(std::memory_order_relaxed)) {
      if (wgc_trie_lookup(&trie, stable.addr, 4) != &stable_value) ++num_lost;
      num_lookups.store(num_lookups + 1, std::memory_order_relaxed);
    }
  });
  while (num_lookups == 0) std::this_thread::yield();
  for (uint32_t i = 0; i < kNumRounds; ++i) {
    wgc_trie_removal result;
    wgc_trie_node *node = insert(sibling, &other_value);
    wgc_trie_remove(&trie, &result, node);
    node = insert(covering, &other_value);
    wgc_trie_remove(&trie, &result, node);
  }
  is_done = true;
  reader.join();
  std::printf("%llu lookups\n", static_cast<unsigned long long>(num_lookups));
  EXPECT_EQ(num_lost, 0U);
}

}  // namespace
