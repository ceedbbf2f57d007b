// SPDX-License-Identifier: GPL-2.0
// AllowedIPs through the wall, against a list that is searched from end to end.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
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

// A trie that plays the glue's part: it owns entries and blocks. What is free is filled with noise,
// which a trie that still used it would trip over.
class Table {
 public:
  // With keep, what leaves the trie stays as it is, which stands for a grace period that outlasts
  // the test.
  explicit Table(bool keep = false) : keep_(keep) { wgc_trie_init(&trie_); }
  Table(const Table &) = delete;
  Table &operator=(const Table &) = delete;

  // Returns the value that the prefix had before.
  void *insert(const wgc_prefix &prefix, void *value) {
    wgc_trie_plan plan;
    std::memset(&plan, 0xa5, sizeof plan);
    wgc_trie_prepare(&trie_, &plan, &prefix);
    if (plan.entry != nullptr) {
      num_new_blocks_ = 0;
      void *const displaced = wgc_trie_entry_value(plan.entry);
      wgc_trie_assign(&trie_, plan.entry, value);
      EXPECT_EQ(wgc_trie_entry_value(plan.entry), value);
      return displaced;
    }
    void *blocks[WGC_TRIE_PLAN_BLOCKS];
    num_new_blocks_ = 0;
    for (size_t i = 0; i < std::size(blocks); ++i) {
      blocks[i] = allocate_block(plan.len[i]);
      if (blocks[i] != nullptr) ++num_new_blocks_;
    }
    insert_planned(plan, prefix, value, blocks);
    return nullptr;
  }

  // A new prefix, where allocations fail after the first few: what there was is given back, as the
  // glue does it. True when there were enough.
  bool insert_with(size_t num_allocations, const wgc_prefix &prefix, void *value) {
    wgc_trie_plan plan;
    std::memset(&plan, 0xa5, sizeof plan);
    wgc_trie_prepare(&trie_, &plan, &prefix);
    EXPECT_EQ(plan.entry, nullptr);
    void *blocks[WGC_TRIE_PLAN_BLOCKS] = {};
    bool is_enough = true;
    for (size_t i = 0; is_enough && i < std::size(blocks); ++i) {
      if (plan.len[i] == 0) continue;
      is_enough = num_allocations-- != 0;
      if (is_enough) blocks[i] = allocate_block(plan.len[i]);
    }
    if (is_enough && num_allocations != 0) {
      insert_planned(plan, prefix, value, blocks);
      return true;
    }
    for (size_t i = 0; i < std::size(blocks); ++i) {
      if (blocks[i] == nullptr) continue;
      release(blocks[i], plan.len[i]);
      --num_blocks_;
    }
    return false;
  }

  // Also closes gaps when there are any, unless told not to.
  void remove(wgc_trie_entry *entry, bool close_gaps = true) {
    wgc_prefix prefix;
    wgc_trie_entry_prefix(entry, &prefix);
    wgc_trie_freed freed;
    std::memset(&freed, 0xa5, sizeof freed);
    wgc_trie_remove(&trie_, entry, &freed);
    release(freed);
    release(entry, WGC_TRIE_ENTRY_LEN(prefix.addr_len));
    --num_entries_;
    const uint32_t len = close_gaps ? freed.compact_len : 0;
    if (len == 0) return;
    std::memset(&freed, 0xa5, sizeof freed);
    wgc_trie_compact(&trie_, &prefix, allocate_block(len), &freed);
    EXPECT_EQ(freed.num_blocks, 1U);
    EXPECT_EQ(freed.compact_len, 0U);
    EXPECT_LT(len, freed.blocks[0]->len);
    release(freed);
  }

  void remove(const wgc_prefix &prefix, bool close_gaps = true) {
    wgc_trie_entry *const entry = find(prefix);
    ASSERT_NE(entry, nullptr) << text_of(prefix);
    remove(entry, close_gaps);
  }

  wgc_trie_entry *find(const wgc_prefix &prefix) const { return wgc_trie_find(&trie_, &prefix); }

  void *lookup(const wgc_prefix &address) const {
    return wgc_trie_lookup(&trie_, address.addr, address.addr_len);
  }

  // Of all that the trie has.
  uint64_t checksum() const {
    uint64_t sum = 0;
    const auto add = [&sum](const void *data, size_t len) {
      for (size_t i = 0; i < len; ++i) sum = sum * 31 + static_cast<const uint8_t *>(data)[i];
    };
    add(&trie_, sizeof trie_);
    for (const auto &[memory, len] : memory_) add(memory, len);
    return sum;
  }

  const wgc_trie *trie() const { return &trie_; }
  uint32_t num_new_blocks() const { return num_new_blocks_; }
  size_t num_entries() const { return num_entries_; }
  size_t num_blocks() const { return num_blocks_; }
  size_t num_bytes() const { return num_bytes_; }

  bool is_blank() const {
    return std::all_of(std::begin(trie_.opaque), std::end(trie_.opaque),
                       [](uint8_t byte) { return byte == 0; });
  }

  ~Table() {
    for (const auto &[memory, len] : memory_) std::free(memory);
  }

 private:
  void insert_planned(const wgc_trie_plan &plan, const wgc_prefix &prefix, void *value,
                      void *const blocks[WGC_TRIE_PLAN_BLOCKS]) {
    // Not a byte more than promised: AddressSanitizer watches the end.
    auto *const entry =
        static_cast<wgc_trie_entry *>(allocate(WGC_TRIE_ENTRY_LEN(prefix.addr_len)));
    wgc_trie_freed freed;
    std::memset(&freed, 0xa5, sizeof freed);
    wgc_trie_insert(&trie_, &plan, entry, &prefix, value, blocks, &freed);
    EXPECT_EQ(wgc_trie_entry_value(entry), value);
    release(freed);
    ++num_entries_;
  }

  void *allocate(size_t len) {
    void *const memory = std::malloc(len);
    std::memset(memory, 0xa5, len);
    memory_[memory] = len;
    num_bytes_ += len;
    return memory;
  }

  void *allocate_block(uint32_t len) {
    EXPECT_LE(len, uint32_t{WGC_TRIE_BLOCK_MAX_LEN});
    if (len == 0) return nullptr;
    ++num_blocks_;
    return allocate(len);
  }

  void release(void *memory, size_t len) {
    const auto found = memory_.find(memory);
    ASSERT_NE(found, memory_.end()) << "not ours, or freed twice";
    ASSERT_EQ(found->second, len);
    num_bytes_ -= len;
    if (keep_) return;
    memory_.erase(found);
    std::memset(memory, 0xa5, len);
    std::free(memory);
  }

  void release(const wgc_trie_freed &freed) {
    ASSERT_LE(freed.num_blocks, std::size(freed.blocks));
    num_blocks_ -= freed.num_blocks;
    for (uint32_t i = 0; i < freed.num_blocks; ++i) release(freed.blocks[i], freed.blocks[i]->len);
  }

  bool keep_;
  wgc_trie trie_;
  std::map<void *, size_t> memory_;
  size_t num_entries_ = 0;
  size_t num_blocks_ = 0;
  size_t num_bytes_ = 0;
  uint32_t num_new_blocks_ = 0;
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

// Runs every test without the processor's POPCNT, and with it where there is one.
class Trie : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { wgc_cpu_set(GetParam() ? WGC_CPU_POPCNT : 0); }
  void TearDown() override { wgc_cpu_set(0); }
};

std::vector<bool> popcnt_choices() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("popcnt") != 0) return {false, true};
#endif
  return {false};
}

INSTANTIATE_TEST_SUITE_P(Popcnt, Trie, testing::ValuesIn(popcnt_choices()));

struct Profile {
  uint32_t max_prefixes;
  uint32_t num_ops;
};

TEST_P(Trie, AgreesWithListUnderRandomUpdates) {
  Random random = seeded_random();
  uint32_t num_inserted = 0;
  uint32_t num_replaced = 0;
  uint32_t num_removed = 0;
  uint32_t num_hits = 0;

  // Few prefixes are kept in another way than many.
  for (const Profile profile : {Profile{6, 40000}, Profile{160, 100000}, Profile{600, 20000}}) {
    Table table;
    List list;
    for (uint32_t op = 0; op < profile.num_ops && !testing::Test::HasFailure(); ++op) {
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

      if (kind < 2 && list.entries().size() < profile.max_prefixes) {
        void *const value = &values[below(random, std::size(values))];
        const bool was_there = list.find(prefix) != nullptr;
        ASSERT_EQ(table.insert(prefix, value), list.insert(prefix, value));
        ++(was_there ? num_replaced : num_inserted);
      } else if (kind < 4) {
        const List::Entry *const entry = list.find(prefix);
        wgc_trie_entry *const found = table.find(prefix);
        ASSERT_EQ(found != nullptr, entry != nullptr);
        if (found == nullptr) continue;
        ASSERT_EQ(wgc_trie_entry_value(found), entry->value);
        wgc_prefix found_prefix;
        wgc_trie_entry_prefix(found, &found_prefix);
        ASSERT_EQ(std::memcmp(&found_prefix, &entry->prefix, sizeof found_prefix), 0)
            << text_of(found_prefix);
        table.remove(found, below(random, 2) != 0);
        list.remove(prefix);
        ++num_removed;
      } else {
        void *const value = table.lookup(prefix);
        ASSERT_EQ(value, list.lookup(prefix));
        if (value != nullptr) ++num_hits;
      }
    }
    while (!list.entries().empty()) {
      const wgc_prefix prefix = list.entries()[below(random, list.entries().size())].prefix;
      table.remove(prefix, below(random, 2) != 0);
      list.remove(prefix);
    }
    EXPECT_EQ(table.num_blocks(), 0U);
    EXPECT_EQ(table.num_bytes(), 0U);
    EXPECT_TRUE(table.is_blank());
  }
  std::printf("%u inserted, %u replaced, %u removed, %u lookups hit\n", num_inserted, num_replaced,
              num_removed, num_hits);
}

TEST_P(Trie, BatchFindsWhatSingleLookupsFind) {
  Random random = seeded_random();
  for (const uint32_t num_prefixes : {0, 3, 300}) {
    Table table;
    for (uint32_t i = 0; i < num_prefixes; ++i)
      table.insert(random_prefix(random), &values[i % 64]);
    for (uint32_t num = 0; num <= 40; ++num) {
      for (const uint8_t addr_len : {4, 16, 7}) {
        std::vector<wgc_prefix> addresses(num);
        std::vector<const uint8_t *> addrs(num);
        std::vector<void *> found(num + 1, &random);
        for (uint32_t i = 0; i < num; ++i) {
          do {
            addresses[i] = random_prefix(random);
          } while (addr_len != 7 && addresses[i].addr_len != addr_len);
          addrs[i] = addresses[i].addr;
        }
        wgc_trie_lookup_batch(table.trie(), addrs.data(), addr_len, found.data(), num);
        for (uint32_t i = 0; i < num; ++i) {
          EXPECT_EQ(found[i], wgc_trie_lookup(table.trie(), addrs[i], addr_len));
        }
        EXPECT_EQ(found[num], &random) << "wrote past the end";
      }
    }
  }
}

// A removal leaves a gap where the node below was, and the node above as it is.
TEST_P(Trie, LookupsPassTheGapsOfRemovals) {
  constexpr uint8_t kNum = 60;
  for (const bool is_ipv4 : {true, false}) {
    const auto prefix = [is_ipv4](uint8_t i, uint8_t host_bits) {
      const auto len = static_cast<uint8_t>((is_ipv4 ? 32 : 128) - host_bits);
      return is_ipv4 ? ipv4(10, i, 7, 9, len) : ipv6({0x20, 0x01, i, 7}, len);
    };
    Table table;
    for (uint8_t i = 0; i < kNum; ++i) table.insert(prefix(i, i % 2), &values[i]);
    for (uint8_t i = 0; i < kNum; i += 3) table.remove(prefix(i, i % 2), false);
    std::vector<wgc_prefix> addresses;
    for (uint8_t i = 0; i < kNum; ++i) addresses.push_back(prefix(i, 0));
    std::vector<const uint8_t *> addrs;
    for (const wgc_prefix &address : addresses) addrs.push_back(address.addr);
    std::vector<void *> found(kNum);
    wgc_trie_lookup_batch(table.trie(), addrs.data(), is_ipv4 ? 4 : 16, found.data(), kNum);
    for (uint8_t i = 0; i < kNum; ++i) {
      EXPECT_EQ(found[i], i % 3 == 0 ? nullptr : &values[i]) << int{i};
      EXPECT_EQ(table.lookup(addresses[i]), found[i]) << int{i};
    }
  }
}

TEST_P(Trie, EmptyTrieMatchesNothing) {
  const Table table;
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), nullptr);
  EXPECT_EQ(table.lookup(ipv6({0x20, 0x01}, 128)), nullptr);
  EXPECT_EQ(table.find(ipv4(0, 0, 0, 0, 0)), nullptr);
}

TEST_P(Trie, DefaultRouteCoversItsFamilyOnly) {
  Table table;
  EXPECT_EQ(table.insert(ipv4(0, 0, 0, 0, 0), &values[0]), nullptr);
  EXPECT_EQ(table.lookup(ipv4(0, 0, 0, 0, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(255, 255, 255, 255, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv6({}, 128)), nullptr);
  EXPECT_EQ(table.insert(ipv6({}, 0), &values[1]), nullptr);
  EXPECT_EQ(table.lookup(ipv6({0xff, 0xff}, 128)), &values[1]);
  EXPECT_EQ(table.lookup(ipv4(1, 2, 3, 4, 32)), &values[0]);
  table.remove(ipv4(0, 0, 0, 0, 0));
  EXPECT_EQ(table.lookup(ipv4(1, 2, 3, 4, 32)), nullptr);
  EXPECT_EQ(table.lookup(ipv6({}, 128)), &values[1]);
}

TEST_P(Trie, WholeAddressMatchesItselfOnly) {
  Table table;
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

TEST_P(Trie, LongestPrefixWins) {
  Table table;
  table.insert(ipv4(10, 0, 0, 0, 8), &values[0]);
  table.insert(ipv4(10, 1, 2, 0, 24), &values[1]);
  table.insert(ipv4(10, 1, 0, 0, 16), &values[2]);
  EXPECT_EQ(table.lookup(ipv4(10, 1, 2, 3, 32)), &values[1]);
  EXPECT_EQ(table.lookup(ipv4(10, 1, 3, 3, 32)), &values[2]);
  EXPECT_EQ(table.lookup(ipv4(10, 2, 2, 3, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(11, 1, 2, 3, 32)), nullptr);
}

TEST_P(Trie, IgnoresHostBitsOnInputAndClearsThemOnOutput) {
  Table table;
  table.insert(ipv4(10, 1, 2, 255, 23), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(10, 1, 3, 1, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(10, 1, 4, 1, 32)), nullptr);
  wgc_trie_entry *const entry = table.find(ipv4(10, 1, 3, 77, 23));
  ASSERT_NE(entry, nullptr);
  wgc_prefix prefix;
  std::memset(&prefix, 0xa5, sizeof prefix);
  wgc_trie_entry_prefix(entry, &prefix);
  const wgc_prefix expected = ipv4(10, 1, 2, 0, 23);
  EXPECT_EQ(std::memcmp(&prefix, &expected, sizeof prefix), 0) << text_of(prefix);
}

TEST_P(Trie, AssignmentNeedsNoMemory) {
  // Among few prefixes, as a prefix inside a node, as a fringe of it and as a leaf below it.
  for (const uint8_t cidr : {12, 16, 24, 32}) {
    for (const int num_others : {0, 20}) {
      Table table;
      for (int i = 0; i < num_others; ++i) {
        table.insert(ipv4(10, static_cast<uint8_t>(i), 1, 0, 17), &values[i]);
      }
      const wgc_prefix prefix = ipv4(10, 200, 3, 4, cidr);
      EXPECT_EQ(table.insert(prefix, &values[60]), nullptr);
      const size_t num_bytes = table.num_bytes();
      EXPECT_EQ(table.insert(prefix, &values[60]), &values[60]);
      EXPECT_EQ(table.insert(prefix, &values[61]), &values[60]);
      EXPECT_EQ(table.num_new_blocks(), 0U);
      EXPECT_EQ(table.num_bytes(), num_bytes);
      EXPECT_EQ(table.lookup(prefix), &values[61]);
    }
  }
}

TEST_P(Trie, NodeMakesRoomBelowAFringe) {
  Table table;
  for (int i = 0; i < 10; ++i) table.insert(ipv4(static_cast<uint8_t>(i), 0, 0, 0, 8), &values[i]);
  table.insert(ipv4(5, 6, 0, 0, 16), &values[16]);
  EXPECT_EQ(table.lookup(ipv4(5, 6, 1, 1, 32)), &values[16]);
  EXPECT_EQ(table.lookup(ipv4(5, 7, 1, 1, 32)), &values[5]);
  EXPECT_EQ(table.find(ipv4(5, 0, 0, 0, 8)) != nullptr, true);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(table.lookup(ipv4(static_cast<uint8_t>(i), 9, 9, 9, 32)), &values[i]);
  }
  table.remove(ipv4(5, 0, 0, 0, 8));
  EXPECT_EQ(table.lookup(ipv4(5, 6, 1, 1, 32)), &values[16]);
  EXPECT_EQ(table.lookup(ipv4(5, 7, 1, 1, 32)), nullptr);
  table.remove(ipv4(5, 6, 0, 0, 16));
  EXPECT_EQ(table.lookup(ipv4(5, 6, 1, 1, 32)), nullptr);
  EXPECT_EQ(table.num_blocks(), 1U);
}

TEST_P(Trie, FewPrefixesGiveWayToNodesAndLookupsStayRight) {
  Table table;
  for (int num = 1; num <= 12; ++num) {
    table.insert(ipv4(10, 0, 0, static_cast<uint8_t>(num), 32), &values[num]);
    for (int i = 1; i <= 13; ++i) {
      EXPECT_EQ(table.lookup(ipv4(10, 0, 0, static_cast<uint8_t>(i), 32)),
                i <= num ? &values[i] : nullptr);
    }
  }
  for (int num = 12; num >= 1; --num) {
    table.remove(ipv4(10, 0, 0, static_cast<uint8_t>(num), 32));
    for (int i = 1; i <= 13; ++i) {
      EXPECT_EQ(table.lookup(ipv4(10, 0, 0, static_cast<uint8_t>(i), 32)),
                i < num ? &values[i] : nullptr);
    }
  }
  EXPECT_TRUE(table.is_blank());
  EXPECT_EQ(table.num_bytes(), 0U);
}

// The memory follows the number of prefixes both ways.
TEST_P(Trie, GapsAreClosed) {
  Table table;
  std::vector<size_t> num_bytes;
  for (int i = 0; i < 256; ++i) {
    num_bytes.push_back(table.num_bytes());
    table.insert(ipv4(10, 0, 0, static_cast<uint8_t>(i), 32), &values[i % 64]);
  }
  for (int i = 255; i >= 0; --i) {
    table.remove(ipv4(10, 0, 0, static_cast<uint8_t>(i), 32));
    EXPECT_LE(table.num_bytes(), 2 * num_bytes[static_cast<size_t>(i)] + 100) << i;
    EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 0, 32)), i != 0 ? &values[0] : nullptr);
  }
  EXPECT_EQ(table.num_bytes(), 0U);
}

TEST_P(Trie, WithoutMemoryGapsStayAndTheNextInsertionClosesThem) {
  Table table;
  for (int i = 0; i < 256; ++i) {
    table.insert(ipv4(10, 0, 0, static_cast<uint8_t>(i), 32), &values[i % 64]);
  }
  const size_t full = table.num_bytes();
  for (int i = 2; i < 256; ++i) {
    table.remove(ipv4(10, 0, 0, static_cast<uint8_t>(i), 32), false);
    EXPECT_EQ(table.lookup(ipv4(10, 0, 0, static_cast<uint8_t>(i), 32)), nullptr);
  }
  EXPECT_GT(table.num_bytes(), full / 4);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), &values[1]);
  table.insert(ipv4(10, 0, 0, 99, 32), &values[3]);
  EXPECT_LT(table.num_bytes(), full / 20);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 99, 32)), &values[3]);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 98, 32)), nullptr);
}

// WGPP_INSERTIONS says how many; `make check-slow` makes a million.
TEST_P(Trie, InsertionWithoutMemoryChangesNothing) {
  Random random = seeded_random();
  const char *const text = std::getenv("WGPP_INSERTIONS");
  const uint32_t num =
      text != nullptr ? static_cast<uint32_t>(std::strtoul(text, nullptr, 0)) : 20000;
  Table table;
  std::vector<wgc_prefix> prefixes;
  uint32_t num_failed = 0;
  while (prefixes.size() < num) {
    wgc_prefix prefix = random_prefix(random);
    // There are not that many others.
    prefix.cidr = static_cast<uint8_t>(max_cidr(prefix) - below(random, 4));
    for (uint32_t i = 0; i < 3; ++i)
      prefix.addr[below(random, prefix.addr_len)] ^= static_cast<uint8_t>(random());
    if (table.find(prefix) != nullptr) continue;
    void *const longest = table.lookup(prefix);
    void *const value = &values[prefixes.size() % std::size(values)];
    const bool has_sum = prefixes.size() % (num / 50 + 1) == 0;
    const uint64_t sum = has_sum ? table.checksum() : 0;
    for (size_t step = 0; !table.insert_with(step, prefix, value); ++step) {
      ++num_failed;
      ASSERT_EQ(table.find(prefix), nullptr) << text_of(prefix);
      ASSERT_EQ(table.lookup(prefix), longest) << text_of(prefix);
      ASSERT_EQ(has_sum ? table.checksum() : 0, sum) << text_of(prefix);
    }
    ASSERT_NE(table.find(prefix), nullptr) << text_of(prefix);
    prefixes.push_back(prefix);
  }
  std::printf("%u insertions, %u failures\n", num, num_failed);
  EXPECT_GE(num_failed, num);
  for (const wgc_prefix &prefix : prefixes) table.remove(prefix);
  EXPECT_EQ(table.num_blocks(), 0U);
  EXPECT_EQ(table.num_bytes(), 0U);
  EXPECT_TRUE(table.is_blank());
}

// What mainline needs for as many is 144 bytes each.
TEST_P(Trie, AThousandAddressesTakeLittleMemory) {
  Table table;
  for (int i = 0; i < 1000; ++i) {
    table.insert(ipv4(10, 0, static_cast<uint8_t>(i / 256), static_cast<uint8_t>(i), 32),
                 &values[i % 64]);
  }
  std::printf("%zu bytes each\n", table.num_bytes() / 1000);
  EXPECT_LT(table.num_bytes(), 36U * 1000);
}

TEST_P(Trie, TakesTooLongPrefixAsWholeAddress) {
  Table table;
  table.insert(ipv4(10, 0, 0, 1, 33), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 1, 32)), &values[0]);
  EXPECT_EQ(table.lookup(ipv4(10, 0, 0, 0, 32)), nullptr);
  wgc_trie_entry *const entry = table.find(ipv4(10, 0, 0, 1, 32));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(table.find(ipv4(10, 0, 0, 1, 255)), entry);
  wgc_prefix prefix;
  wgc_trie_entry_prefix(entry, &prefix);
  EXPECT_EQ(prefix.cidr, 32);

  table.insert(ipv6({0x20, 0x01}, 255), &values[1]);
  wgc_trie_entry *const entry6 = table.find(ipv6({0x20, 0x01}, 128));
  ASSERT_NE(entry6, nullptr);
  wgc_trie_entry_prefix(entry6, &prefix);
  EXPECT_EQ(prefix.cidr, 128);
}

TEST_P(Trie, LookupOfUnknownAddressLengthMatchesNothing) {
  Table table;
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

  Table table;
  std::array<int, 129> lengths;
  for (const uint32_t cidr : order) {
    address.cidr = static_cast<uint8_t>(cidr);
    table.insert(address, &lengths[cidr]);
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
    table.remove(address);
    left.erase(cidr);
    EXPECT_EQ(table.lookup(address), left.empty() ? nullptr : &lengths[*left.rbegin()]);
  }
  EXPECT_TRUE(table.is_blank());
}

INSTANTIATE_TEST_SUITE_P(Families, TrieChain, testing::Values(4, 16));

// One prefix inside each node of the deepest chain there is.
TEST(TrieChain, NodesGoWithTheirPrefixes) {
  for (const bool from_the_top : {true, false}) {
    Table table;
    constexpr size_t kNum = 16;
    const auto prefix = [](size_t i) { return ipv6({}, static_cast<uint8_t>(8 * i + 4)); };
    for (size_t i = 0; i < kNum; ++i) table.insert(prefix(i), &values[i]);
    size_t num_blocks = table.num_blocks();
    EXPECT_GE(num_blocks, kNum - 4);
    for (size_t i = 0; i < kNum; ++i) {
      table.remove(prefix(from_the_top ? i : kNum - 1 - i), false);
      EXPECT_LE(table.num_blocks(), num_blocks);
      num_blocks = table.num_blocks();
      void *const longest = i + 1 == kNum ? nullptr : &values[from_the_top ? 15 : 14 - i];
      EXPECT_EQ(table.lookup(ipv6({}, 128)), longest);
    }
    EXPECT_EQ(num_blocks, 0U);
    EXPECT_TRUE(table.is_blank());
  }
}

// The writer churns prefixes below, above and between some that stay.
TEST_P(Trie, ReaderBesideWriterAlwaysFindsTheStablePrefix) {
  Random random = seeded_random();
  constexpr uint32_t kNumUpdates = 60000;
  Table table(true);

  // Aligned as a value has to be.
  struct alignas(8) Route {
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
      table.remove(routes[which].prefix);
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

struct Neighbours {
  uint32_t num_far;
  uint32_t num_near;  // below the stable prefix
};

class TrieReader : public testing::TestWithParam<Neighbours> {};

// Each update replaces what leads to the one stable prefix, and the reader does nothing but ask for
// it: a moment in which the way there is cut would show. With few prefixes, with many, and with a
// node that gets others above it.
TEST_P(TrieReader, NeverLosesThePrefixWhoseNeighboursChange) {
  constexpr uint32_t kNumRounds = 60000;
  const wgc_prefix stable = ipv4(10, 0, 0, 0, 24);
  const wgc_prefix changing[] = {ipv4(10, 0, 1, 0, 24), ipv4(10, 0, 0, 0, 16),
                                 ipv4(10, 0, 0, 7, 32), ipv4(10, 0, 0, 128, 25)};
  int stable_value = 0;
  int other_value = 0;
  Table table(true);
  table.insert(stable, &stable_value);
  for (uint32_t i = 0; i < GetParam().num_far; ++i) {
    table.insert(ipv4(20, static_cast<uint8_t>(i), 0, 0, 16), &other_value);
  }
  for (uint32_t i = 0; i < GetParam().num_near; ++i) {
    table.insert(ipv4(10, 0, 0, static_cast<uint8_t>(10 + i), 32), &other_value);
  }

  std::atomic<uint64_t> num_lookups = 0;
  std::atomic<bool> is_done = false;
  uint64_t num_lost = 0;
  std::thread reader([&] {
    while (!is_done.load(std::memory_order_relaxed)) {
      if (wgc_trie_lookup(table.trie(), stable.addr, 4) != &stable_value) ++num_lost;
      num_lookups.store(num_lookups + 1, std::memory_order_relaxed);
    }
  });
  while (num_lookups == 0) std::this_thread::yield();
  for (uint32_t i = 0; i < kNumRounds; ++i) {
    const wgc_prefix &prefix = changing[i % std::size(changing)];
    table.insert(prefix, &other_value);
    table.remove(prefix);
  }
  is_done = true;
  reader.join();
  std::printf("%llu lookups\n", static_cast<unsigned long long>(num_lookups));
  EXPECT_EQ(num_lost, 0U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, TrieReader,
                         testing::Values(Neighbours{0, 0}, Neighbours{20, 0}, Neighbours{0, 20},
                                         Neighbours{20, 20}));

}  // namespace
