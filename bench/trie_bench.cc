// SPDX-License-Identifier: GPL-2.0
// AllowedIPs beside Linux' own: the same prefixes, the same packets, the same order.
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "arena.h"
#include "cycles.hh"
#include "host_cpu.hh"
#include "linux/allowedips_api.h"
#include "report.hh"
#include "wgcore.h"

namespace {

using wgbench::Report;

// An AllowedIPs entry as the glue has it: a list link, and the core's part.
struct Entry {
  void *link[2];
  wgc_trie_entry entry;
};

// A peer, which is what a lookup gives, starts a cache line.
struct alignas(64) Peer {
  char line[64];
};

// What a block takes from the kernel's allocator, as the glue asks it.
uint32_t rounded(uint32_t len) {
  constexpr uint32_t kLens[] = {32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192, 16384};
  if (len == WGC_TRIE_FULL_BLOCK_LEN) return len;
  return *std::lower_bound(std::begin(kLens), std::end(kLens), len);
}

// Ours, owning memory as the glue does.
class Table {
 public:
  explicit Table(uint32_t num_peers) : arena_(arena_create()), peers_(num_peers) {
    wgc_trie_init(&trie_);
  }
  Table(const Table &) = delete;
  Table &operator=(const Table &) = delete;
  ~Table() { arena_destroy(arena_); }

  Entry *insert(const wgc_prefix &prefix, uint32_t peer) {
    wgc_trie_plan plan;
    wgc_trie_prepare(&trie_, &plan, &prefix);
    void *blocks[WGC_TRIE_PLAN_BLOCKS];
    for (size_t i = 0; i < std::size(blocks); ++i) {
      blocks[i] = plan.len[i] == 0 ? nullptr : arena_alloc(arena_, rounded(plan.len[i]));
    }
    auto *const entry = static_cast<Entry *>(arena_alloc(arena_, entry_len(prefix.addr_len)));
    wgc_trie_freed freed;
    wgc_trie_insert(&trie_, &plan, &entry->entry, &prefix, &peers_[peer], blocks, &freed);
    release(freed);
    return entry;
  }

  void remove(Entry *entry) {
    wgc_prefix prefix;
    wgc_trie_entry_prefix(&entry->entry, &prefix);
    wgc_trie_freed freed;
    wgc_trie_remove(&trie_, &entry->entry, &freed);
    release(freed);
    arena_free(arena_, entry, entry_len(prefix.addr_len));
    if (freed.compact_len == 0) return;
    void *const block = arena_alloc(arena_, rounded(freed.compact_len));
    wgc_trie_compact(&trie_, &prefix, block, &freed);
    release(freed);
  }

  const wgc_trie *trie() const { return &trie_; }
  long number_of(const void *peer) const {
    return peer == nullptr ? -1 : static_cast<const Peer *>(peer) - peers_.data();
  }
  size_t len() const { return arena_used(arena_); }

 private:
  static size_t entry_len(uint8_t addr_len) {
    return offsetof(Entry, entry) + WGC_TRIE_ENTRY_LEN(addr_len);
  }
  void release(const wgc_trie_freed &freed) {
    for (uint32_t i = 0; i < freed.num_blocks; ++i) {
      arena_free(arena_, freed.blocks[i], rounded(freed.blocks[i]->len));
    }
  }

  arena *arena_;
  std::vector<Peer> peers_;
  wgc_trie trie_;
};

enum class Kind { kRandom4, kHub4, kScattered4, kRandom6, kHub6 };

struct Shape {
  const char *name;
  Kind kind;
  uint8_t addr_len;
};

constexpr Shape kShapes[] = {
    {"IPv4 /8 to /32 at random", Kind::kRandom4, 4},
    {"IPv4 /32 in a row", Kind::kHub4, 4},
    {"IPv4 /32 at random", Kind::kScattered4, 4},
    {"IPv6 /32 to /128 at random", Kind::kRandom6, 16},
    {"IPv6 /128 in a row", Kind::kHub6, 16},
};

using Random = std::mt19937_64;

wgc_prefix make_prefix(const Shape &shape, uint32_t i, Random &random) {
  wgc_prefix prefix{};
  prefix.addr_len = shape.addr_len;
  const bool in_a_row = shape.kind == Kind::kHub4 || shape.kind == Kind::kHub6;
  if (in_a_row) {
    const std::array<uint8_t, 4> start4 = {10, 0, 0, 0};
    const std::array<uint8_t, 4> start6 = {0x20, 0x01, 0x0d, 0xb8};
    std::memcpy(prefix.addr, shape.addr_len == 4 ? start4.data() : start6.data(), 4);
    const uint32_t low = (shape.addr_len == 4 ? 0x0a000000U : 0U) + i + 1;
    for (int byte = 0; byte < 4; ++byte) {
      prefix.addr[shape.addr_len - 1 - byte] = static_cast<uint8_t>(low >> (8 * byte));
    }
    prefix.cidr = static_cast<uint8_t>(8 * shape.addr_len);
    return prefix;
  }
  for (uint32_t byte = 0; byte < shape.addr_len; ++byte) {
    prefix.addr[byte] = static_cast<uint8_t>(random());
  }
  switch (shape.kind) {
    case Kind::kRandom4:
      prefix.cidr = static_cast<uint8_t>(8 + random() % 25);
      break;
    case Kind::kRandom6:
      prefix.cidr = static_cast<uint8_t>(32 + random() % 97);
      break;
    default:
      prefix.cidr = 32;
      break;
  }
  for (uint32_t bit = prefix.cidr; bit < 8U * shape.addr_len; ++bit) {
    prefix.addr[bit / 8] &= static_cast<uint8_t>(~(0x80U >> bit % 8));
  }
  return prefix;
}

// Distinct prefixes, one peer each, in an order that is not that of the addresses.
std::vector<wgc_prefix> make_prefixes(const Shape &shape, uint32_t num, Random &random) {
  std::vector<wgc_prefix> prefixes;
  std::set<std::array<uint8_t, 17>> seen;
  for (uint32_t i = 0; i < num; ++i) {
    const wgc_prefix prefix = make_prefix(shape, i, random);
    std::array<uint8_t, 17> key;
    std::memcpy(key.data(), prefix.addr, 16);
    key[16] = prefix.cidr;
    if (seen.insert(key).second) prefixes.push_back(prefix);
  }
  std::shuffle(prefixes.begin(), prefixes.end(), random);
  return prefixes;
}

// Both tables, and packets for them that all belong to somebody.
struct Setting {
  const Shape &shape;
  std::vector<wgc_prefix> prefixes;
  linux_table *theirs = nullptr;
  std::unique_ptr<Table> ours;
  std::vector<Entry *> entries;
  std::vector<linux_packet> packets;

  Setting(const Shape &of, uint32_t num) : shape(of) {
    Random random(num);
    prefixes = make_prefixes(shape, num, random);
    fill();
    packets.resize(num < 1000000 ? 1U << 18 : 1U << 20);
    for (linux_packet &packet : packets) {
      const wgc_prefix &prefix = prefixes[random() % prefixes.size()];
      uint8_t addr[16];
      std::memcpy(addr, prefix.addr, sizeof addr);
      for (uint32_t bit = prefix.cidr; bit < 8U * prefix.addr_len; ++bit) {
        if ((random() & 1) != 0) addr[bit / 8] |= static_cast<uint8_t>(0x80U >> bit % 8);
      }
      linux_packet_init(&packet, addr, prefix.addr_len);
      const long expected = linux_table_lookup(theirs, &packet);
      if (ours->number_of(wgc_trie_lookup(ours->trie(), addr, prefix.addr_len)) != expected ||
          expected < 0) {
        throw std::runtime_error("the two do not agree");
      }
    }
  }
  ~Setting() { linux_table_destroy(theirs); }
  Setting(const Setting &) = delete;
  Setting &operator=(const Setting &) = delete;

  uint32_t num_prefixes() const { return static_cast<uint32_t>(prefixes.size()); }

  void create() {
    if (theirs != nullptr) linux_table_destroy(theirs);
    theirs = linux_table_create(num_prefixes());
    ours = std::make_unique<Table>(num_prefixes());
    entries.assign(prefixes.size(), nullptr);
  }
  void fill() {
    create();
    for (uint32_t i = 0; i < num_prefixes(); ++i) {
      const wgc_prefix &prefix = prefixes[i];
      linux_table_insert(theirs, prefix.addr, prefix.addr_len, prefix.cidr, i);
      entries[i] = ours->insert(prefix, i);
    }
  }
};

void measure(benchmark::State &state, uint64_t num_ops, const std::function<void()> &body) {
  const double ratio = wgbench::cycles_per_tick();
  uint64_t num = 0;
  const uint64_t begin = wgbench::ticks();
  for (auto _ : state) {
    body();
    ++num;
  }
  const auto elapsed = static_cast<double>(wgbench::ticks() - begin);
  state.counters["cycles"] = elapsed * ratio / static_cast<double>(num * num_ops);
}

constexpr uint32_t kLookups = 4096;
constexpr uint32_t kBatch = 32;

void register_lookups(Report &report, const std::string &name, Setting &setting) {
  report.declare("lookup", name);
  // Each pass takes other packets: those of the last one may still be in the caches.
  auto next = [&setting, at = size_t{0}]() mutable {
    at = (at + kLookups) % setting.packets.size();
    return &setting.packets[at];
  };
  const uint8_t addr_len = setting.shape.addr_len;
  const auto add = [&](const char *contender, auto body) {
    benchmark::RegisterBenchmark(
        ("lookup/" + name + "/" + contender).c_str(),
        [body](benchmark::State &state) mutable { measure(state, kLookups, body); });
  };
  add("Linux", [&setting, next]() mutable {
    const linux_packet *packet = next();
    long sum = 0;
    for (uint32_t i = 0; i < kLookups; ++i) sum += linux_table_lookup(setting.theirs, packet + i);
    benchmark::DoNotOptimize(sum);
  });
  add("wgpp", [&setting, next, addr_len]() mutable {
    const linux_packet *packet = next();
    long sum = 0;
    for (uint32_t i = 0; i < kLookups; ++i) {
      const uint8_t *const addr = linux_packet_addr(packet + i, addr_len);
      sum += setting.ours->number_of(wgc_trie_lookup(setting.ours->trie(), addr, addr_len));
    }
    benchmark::DoNotOptimize(sum);
  });
  add("wgpp batch", [&setting, next, addr_len]() mutable {
    const linux_packet *packet = next();
    long sum = 0;
    for (uint32_t i = 0; i < kLookups; i += kBatch) {
      const uint8_t *addrs[kBatch];
      void *found[kBatch];
      for (uint32_t j = 0; j < kBatch; ++j) addrs[j] = linux_packet_addr(packet + i + j, addr_len);
      wgc_trie_lookup_batch(setting.ours->trie(), addrs, addr_len, found, kBatch);
      for (const void *peer : found) sum += setting.ours->number_of(peer);
    }
    benchmark::DoNotOptimize(sum);
  });
}

// All prefixes in, all peers out, in the order of insertion. Small tables many times.
void update(Report &report, const std::string &name, Setting &setting) {
  const uint32_t num = setting.num_prefixes();
  const uint32_t num_rounds = num >= 100000 ? 3 : 30;
  const uint32_t num_tables = num >= 1000 ? 1 : 1000 / num;
  for (uint32_t round = 0; round < num_rounds; ++round) {
    double insert_theirs = 0, insert_ours = 0, remove_theirs = 0, remove_ours = 0;
    setting.create();
    // Once to have the memory, and then with the clock running.
    for (uint32_t table = 0; table <= num_tables; ++table) {
      const double ratio = wgbench::cycles_per_tick() / (num * num_tables) * (table != 0 ? 1 : 0);
      uint64_t begin = wgbench::ticks();
      for (uint32_t i = 0; i < num; ++i) {
        const wgc_prefix &prefix = setting.prefixes[i];
        linux_table_insert(setting.theirs, prefix.addr, prefix.addr_len, prefix.cidr, i);
      }
      insert_theirs += ratio * static_cast<double>(wgbench::ticks() - begin);
      begin = wgbench::ticks();
      for (uint32_t i = 0; i < num; ++i) {
        setting.entries[i] = setting.ours->insert(setting.prefixes[i], i);
      }
      insert_ours += ratio * static_cast<double>(wgbench::ticks() - begin);
      begin = wgbench::ticks();
      for (uint32_t i = 0; i < num; ++i) linux_table_remove_peer(setting.theirs, i);
      remove_theirs += ratio * static_cast<double>(wgbench::ticks() - begin);
      begin = wgbench::ticks();
      for (uint32_t i = 0; i < num; ++i) setting.ours->remove(setting.entries[i]);
      remove_ours += ratio * static_cast<double>(wgbench::ticks() - begin);
    }
    report.add("insert", name, "Linux", insert_theirs);
    report.add("insert", name, "wgpp", insert_ours);
    report.add("remove a peer", name, "Linux", remove_theirs);
    report.add("remove a peer", name, "wgpp", remove_ours);
  }
  setting.fill();
}

double must_lookup(const Shape &shape, uint32_t num) {
  const bool in_a_row = shape.kind == Kind::kHub4 || shape.kind == Kind::kHub6;
  if (num == 1) return 1;
  if (num <= 1000) return 2.5;
  if (num <= 100000) return 4;
  return in_a_row ? 15 : 8;
}

int run(int argc, char **argv) {
  wgbench::initialize(&argc, argv);
  wgc_cpu_set(wg::host_cpu_features() & WGC_CPU_POPCNT);
  const std::vector<uint32_t> sizes = {1, 10, 1000, 100000, 1000000};
  std::map<std::string, wgbench::Target> targets;
  const auto name_of = [](const Shape &shape, uint32_t num) {
    return fmt::format("{}, {}", shape.name, num);
  };
  for (const Shape &shape : kShapes) {
    for (const uint32_t num : sizes) {
      const std::string name = name_of(shape, num);
      targets["lookup/" + name + "/wgpp"] = {must_lookup(shape, num)};
      if (num > 1) {
        targets["bytes of memory/" + name + "/wgpp"] = {2};
        targets["insert/" + name + "/wgpp"] = {0.7};
        targets["remove a peer/" + name + "/wgpp"] = {0.5};
      }
    }
  }
  Report report({"Linux", "wgpp", "wgpp batch"}, targets);
  for (const char *topic : {"lookup", "bytes of memory", "insert", "remove a peer"}) {
    for (const Shape &shape : kShapes) {
      for (const uint32_t num : sizes) report.declare(topic, name_of(shape, num));
    }
  }

  fmt::print("Cycles of one operation, and bytes for one prefix; the ratio is Linux' by ours.\n");
  for (const Shape &shape : kShapes) {
    std::vector<std::unique_ptr<Setting>> settings;
    for (const uint32_t num : sizes) {
      settings.push_back(std::make_unique<Setting>(shape, num));
      Setting &setting = *settings.back();
      const std::string name = name_of(shape, num);
      report.add("bytes of memory", name, "Linux",
                 static_cast<double>(linux_table_len(setting.theirs)) / setting.num_prefixes());
      report.add("bytes of memory", name, "wgpp",
                 static_cast<double>(setting.ours->len()) / setting.num_prefixes());
      update(report, name, setting);
      register_lookups(report, name, setting);
    }
    benchmark::RunSpecifiedBenchmarks(&report);
    benchmark::ClearRegisteredBenchmarks();
  }
  return report.finish();
}

}  // namespace

int main(int argc, char **argv) {
  return wgbench::run_program(run, argc, argv);
}
