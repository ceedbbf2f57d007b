// SPDX-License-Identifier: GPL-2.0
// ChaCha20-Poly1305 of many packets at once, for the objects with vector instructions: each word
// of ChaCha20's state is a vector, with a block of the key stream in each of its lanes, and
// Poly1305 runs in the integer units meanwhile. Included once by each such object.
#pragma once

#include "aead.hh"
#include "poly1305_word.hh"
#include "segments.hh"

namespace wg {
namespace {  // NOLINT(google-build-namespaces): each object has its own, with its own instructions

inline constexpr size_t kBlockLen = 64;
inline constexpr size_t kMacBlockLen = 16;
// Packets of a round of work: what it keeps of each is on a kernel's stack.
inline constexpr size_t kRoundPackets = 8;
inline constexpr uint32_t kNumKeyWords = 8;

// The key stream's first block; the key is in its first half. A lane that makes one has a text of
// zeros, and so is no exception.
struct OneTimeKey {
  uint8_t bytes[kBlockLen];
};

alignas(64) inline constexpr uint8_t kZeros[kBlockLen] = {};

// The authenticator: goes from one packet of a round to the next, as far as their ciphertext and
// keys are there. What the inner loop needs is in `word`, `at` and `left`.
struct Mac {
  Poly1305Word word;
  const uint8_t *at;
  size_t left;  // whole blocks that can be taken from there

  AeadPacket *packets;
  const OneTimeKey *keys;
  size_t index;  // the packet it works on
  bool is_begun;
  bool is_seal;
  // Packets before this one are there as a whole, and of this one so many bytes.
  size_t end_index;
  size_t end_len;
  bool has_end_key;

  [[gnu::always_inline]] const uint8_t *text() const {
    return is_seal ? packets[index].dst : packets[index].src;
  }

  void init(AeadPacket *all, const OneTimeKey *all_keys, bool seal) {
    packets = all;
    keys = all_keys;
    index = 0;
    left = 0;
    at = nullptr;
    is_begun = false;
    is_seal = seal;
    end_index = 0;
    end_len = 0;
    has_end_key = false;
  }

  [[gnu::always_inline]] void begin() {
    word.begin(keys[index].bytes);
    at = text();
    is_begun = true;
  }

  // So many whole blocks that there are. Not word.block(): from one block to the next the
  // accumulator is to stay in registers.
  [[gnu::always_inline]] void blocks(size_t num) {
    Poly1305Word local = word;
    const uint8_t *from = at;
    for (size_t i = 0; i < num; ++i, from += kMacBlockLen) local.block(from);
    word = local;
    at = from;
    left -= num;
  }

  // What follows the whole blocks: a padded one, and the lengths (RFC 8439, 2.8).
  void finish() {
    AeadPacket &packet = packets[index];
    const size_t rest = packet.len % kMacBlockLen;
    if (rest != 0) {
      // Behind the text is the tag's place.
      const uint64_t low = rest < 8 ? ~(~uint64_t{0} << 8 * rest) : ~uint64_t{0};
      const uint64_t high = rest > 8 ? ~(~uint64_t{0} << 8 * (rest - 8)) : 0;
      word.block(load_le<uint64_t>(at) & low, load_le<uint64_t>(at + 8) & high, 1);
    }
    word.block(0, uint64_t{packet.len}, 1);
    if (is_seal) {
      word.end(packet.dst + packet.len, keys[index].bytes + 16);
    } else {
      // The right tag of a forged packet is a secret as well.
      uint8_t tag[kAeadTagLen];
      word.end(tag, keys[index].bytes + 16);
      packet.is_good = ct_equal(tag, packet.src + packet.len, kAeadTagLen);
      wipe(tag, sizeof tag);
    }
    is_begun = false;
    ++index;
  }

  // Ends a packet whose blocks are used up, and begins the next one that there is work on.
  [[gnu::noinline]] void turn() {
    for (;;) {
      const bool is_whole = index < end_index;
      if (!is_begun) {
        if (!is_whole && !(index == end_index && has_end_key)) return;
        begin();
      }
      const size_t done = static_cast<size_t>(at - text());
      left = (is_whole ? packets[index].len : end_len) / kMacBlockLen - done / kMacBlockLen;
      if (left != 0 || !is_whole) return;
      finish();
    }
  }

  void extend(size_t new_end_index, size_t new_end_len, bool new_has_end_key) {
    end_index = new_end_index;
    end_len = new_end_len;
    has_end_key = new_has_end_key;
    if (left == 0) {
      turn();
    } else if (index == end_index) {
      left = (end_len - static_cast<size_t>(at - text())) / kMacBlockLen;
    } else {
      left = packets[index].len / kMacBlockLen - static_cast<size_t>(at - text()) / kMacBlockLen;
    }
  }

  // As far as packet and length.
  void run_to(size_t to_index, size_t to_len) {
    while (index < to_index ||
           (index == to_index && is_begun && static_cast<size_t>(at - text()) < to_len)) {
      if (left == 0) {
        turn();
        if (left == 0) return;
        continue;
      }
      size_t num = left;
      if (index == to_index) {
        const size_t done = static_cast<size_t>(at - text());
        num = min(num, (to_len - done + kMacBlockLen - 1) / kMacBlockLen);
      }
      blocks(num);
    }
  }

  // Not inlined, as Stash::apply().
  [[gnu::noinline]] void run() {
    while (left != 0) {
      blocks(left);
      turn();
    }
  }
};

// By whole vectors: a call of memset() takes as long as several blocks.
template <typename V, typename T>
[[gnu::always_inline]] inline void wipe_object(T &object) {
  static_assert(sizeof(T) % sizeof(V) == 0);
  const V zero{};
#pragma GCC unroll 8
  for (size_t i = 0; i < sizeof(T); i += sizeof(V)) {
    __builtin_memcpy(reinterpret_cast<uint8_t *>(&object) + i, &zero, sizeof zero);
  }
  __asm__ __volatile__("" : : "r"(&object) : "memory");
}

// What the lanes of one pass work on.
template <size_t lanes>
struct alignas(4 * lanes) Group {
  uint32_t key[kNumKeyWords][lanes];
  uint32_t block[lanes];
  uint32_t counter_lo[lanes];
  uint32_t counter_hi[lanes];
  uint8_t *dst[lanes];
  const uint8_t *src[lanes];
  size_t len[lanes];
  size_t num;
  size_t num_whole;  // of these, how many at the beginning have whole blocks
  const uint8_t *last_key[lanes];

  // Most batches have one key for all. Lanes without work run all the same, with this one.
  template <typename V>
  [[gnu::always_inline]] void init(const uint8_t *first_key) {
    for (size_t word = 0; word < kNumKeyWords; ++word) {
      const V v = V{} + load_le<uint32_t>(first_key + 4 * word);
      __builtin_memcpy(key[word], &v, sizeof v);
    }
    for (const uint8_t *&last : last_key) last = first_key;
    __builtin_memset(block, 0, 3 * sizeof block);
  }

  [[gnu::always_inline]] void clear() { num = num_whole = 0; }

  void set_lane(const uint8_t *new_key, uint64_t counter, uint32_t new_block, uint8_t *new_dst,
                const uint8_t *new_src, size_t new_len) {
    if (num == num_whole) num_whole += new_len / kBlockLen;
    const size_t i = num++;
    block[i] = new_block;
    counter_lo[i] = static_cast<uint32_t>(counter);
    counter_hi[i] = static_cast<uint32_t>(counter >> 32);
    dst[i] = new_dst;
    src[i] = new_src;
    len[i] = new_len;
    set_key(i, new_key);
  }

  void set_key_lane(const AeadPacket &packet, OneTimeKey &one_time) {
    set_lane(packet.key, packet.counter, 0, one_time.bytes, kZeros, kBlockLen);
  }

  // Lanes for num blocks of a packet's text, from src at this offset on.
  [[gnu::always_inline]] void set_lanes(const AeadPacket &packet, size_t offset,
                                        size_t num_blocks) {
    size_t left = packet.len - offset;
    auto new_block = static_cast<uint32_t>(offset / kBlockLen) + 1;
    if (num == num_whole) num_whole += min(left / kBlockLen, num_blocks);
    const size_t end = num + num_blocks;
    for (size_t i = num; i != end; ++i) {
      block[i] = new_block++;
      counter_lo[i] = static_cast<uint32_t>(packet.counter);
      counter_hi[i] = static_cast<uint32_t>(packet.counter >> 32);
      dst[i] = packet.dst + offset;
      src[i] = packet.src + offset;
      len[i] = min(left, kBlockLen);
      set_key(i, packet.key);
      offset += kBlockLen;
      left -= kBlockLen;
    }
    num = end;
  }

 private:
  [[gnu::always_inline]] void set_key(size_t i, const uint8_t *new_key) {
    if (last_key[i] == new_key) return;
    last_key[i] = new_key;
    for (size_t word = 0; word < kNumKeyWords; ++word) {
      key[word][i] = load_le<uint32_t>(new_key + 4 * word);
    }
  }
};

// Of len bytes from offset on; a part of one counts.
[[gnu::always_inline]] inline size_t num_blocks_from(size_t offset, size_t len) {
  return (len - offset + kBlockLen - 1) / kBlockLen;
}

// dst = src xor stream.
template <typename V>
[[gnu::always_inline]] inline void xor_whole(uint8_t *dst, const uint8_t *src, const V &stream) {
  V text;
  __builtin_memcpy(&text, src, sizeof text);
  text ^= stream;
  __builtin_memcpy(dst, &text, sizeof text);
}

// The same for a part, of which len has one bit: goes on behind it.
template <typename T>
[[gnu::always_inline]] inline void xor_piece(uint8_t *&dst, const uint8_t *&src, size_t len,
                                             const uint8_t *&stream) {
  if ((len & sizeof(T)) == 0) return;
  T text;
  T word;
  __builtin_memcpy(&text, src, sizeof text);
  __builtin_memcpy(&word, stream, sizeof word);
  text = static_cast<T>(text ^ word);
  __builtin_memcpy(dst, &text, sizeof text);
  dst += sizeof(T);
  src += sizeof(T);
  stream += sizeof(T);
}

// dst = src xor stream, for a part of a block.
template <typename V>
[[gnu::always_inline]] inline void xor_part(uint8_t *dst, const uint8_t *src, size_t len,
                                            const V &stream) {
  if (len >= sizeof(V)) {
    xor_whole(dst, src, stream);
    return;
  }
  using Half = uint64_t __attribute__((vector_size(16)));
  uint8_t part[sizeof(V)];
  __builtin_memcpy(part, &stream, sizeof part);
  const uint8_t *from = part;
  xor_piece<Half>(dst, src, len, from);
  xor_piece<uint64_t>(dst, src, len, from);
  xor_piece<uint32_t>(dst, src, len, from);
  xor_piece<uint16_t>(dst, src, len, from);
  xor_piece<uint8_t>(dst, src, len, from);
  wipe(part, sizeof part);
}

// dst = src xor stream, of any length.
template <typename V>
[[gnu::always_inline]] inline void xor_text(uint8_t *dst, const uint8_t *src, size_t len,
                                            const uint8_t *stream) {
  for (size_t part = 0; part < len; part += sizeof(V)) {
    V v;
    __builtin_memcpy(&v, stream + part, sizeof v);
    xor_part(dst + part, src + part, len - part, v);
  }
}

// Part number `part` of the blocks of all lanes.
template <size_t lanes, typename V>
[[gnu::always_inline]] inline void put_parts(const Group<lanes> &group, size_t part,
                                             const V (&rows)[lanes]) {
  const size_t offset = part * sizeof(V);
#pragma GCC unroll 16
  for (size_t i = 0; i < lanes; ++i) {
    if (i < group.num_whole) {
      xor_whole(group.dst[i] + offset, group.src[i] + offset, rows[i]);
      continue;
    }
    if (i >= group.num) return;
    if (offset >= group.len[i]) continue;
    xor_part(group.dst[i] + offset, group.src[i] + offset, group.len[i] - offset, rows[i]);
  }
}

template <typename Isa>
[[gnu::always_inline]] inline void quarter_round(typename Isa::V &a, typename Isa::V &b,
                                                 typename Isa::V &c, typename Isa::V &d) {
  a += b, d = Isa::rotl16(d ^ a);
  c += d, b = Isa::template rotl<12>(b ^ c);
  a += b, d = Isa::rotl8(d ^ a);
  c += d, b = Isa::template rotl<7>(b ^ c);
}

// How far the authenticator has to be before the lanes write.
struct MacGoal {
  size_t index;
  size_t len;
};

// In each double round: as many as a packet has for its key stream. Vector and integer units work
// on both at the same time.
inline constexpr size_t kMacBlocks = 3;

// Key stream for all lanes, and Poly1305 beside it as far as there is something to take. A goal is
// for packets that are decrypted where they stand.

template <typename Isa>
[[gnu::noinline]] void run_group(const Group<Isa::kLanes> &group, Mac &mac, const MacGoal *goal) {
  using V = typename Isa::V;
  const auto load = [](const uint32_t *words) {
    V v;
    __builtin_memcpy(&v, words, sizeof v);
    return v;
  };
  constexpr V kZero{};
  // "expand 32-byte k"; the nonce begins with 32 bits of zeros (the paper, 5.4.6).
  V x0 = kZero + 0x61707865;
  V x1 = kZero + 0x3320646e;
  V x2 = kZero + 0x79622d32;
  V x3 = kZero + 0x6b206574;
  V x4 = load(group.key[0]);
  V x5 = load(group.key[1]);
  V x6 = load(group.key[2]);
  V x7 = load(group.key[3]);
  V x8 = load(group.key[4]);
  V x9 = load(group.key[5]);
  V x10 = load(group.key[6]);
  V x11 = load(group.key[7]);
  V x12 = load(group.block);
  V x13 = kZero;
  V x14 = load(group.counter_lo);
  V x15 = load(group.counter_hi);

  Poly1305Word word = mac.word;
  const uint8_t *at = mac.at;
  size_t left = mac.left;
  for (int i = 0; i < 10; ++i) {
    if (left < kMacBlocks && mac.index < mac.end_index) {
      for (; left != 0; --left, at += kMacBlockLen) word.block(at);
      mac.word = word;
      mac.at = at;
      mac.left = 0;
      mac.turn();
      word = mac.word;
      at = mac.at;
      left = mac.left;
    }
    if (left >= kMacBlocks) {
      quarter_round<Isa>(x0, x4, x8, x12);
      quarter_round<Isa>(x1, x5, x9, x13);
      word.block(at);
      quarter_round<Isa>(x2, x6, x10, x14);
      quarter_round<Isa>(x3, x7, x11, x15);
      word.block(at + kMacBlockLen);
      quarter_round<Isa>(x0, x5, x10, x15);
      quarter_round<Isa>(x1, x6, x11, x12);
      word.block(at + 2 * kMacBlockLen);
      quarter_round<Isa>(x2, x7, x8, x13);
      quarter_round<Isa>(x3, x4, x9, x14);
      at += kMacBlocks * kMacBlockLen;
      left -= kMacBlocks;
    } else {
      quarter_round<Isa>(x0, x4, x8, x12);
      quarter_round<Isa>(x1, x5, x9, x13);
      quarter_round<Isa>(x2, x6, x10, x14);
      quarter_round<Isa>(x3, x7, x11, x15);
      quarter_round<Isa>(x0, x5, x10, x15);
      quarter_round<Isa>(x1, x6, x11, x12);
      quarter_round<Isa>(x2, x7, x8, x13);
      quarter_round<Isa>(x3, x4, x9, x14);
    }
  }
  mac.word = word;
  mac.at = at;
  mac.left = left;
  if (goal != nullptr) mac.run_to(goal->index, goal->len);

  V low[8] = {x0 + 0x61707865,         x1 + 0x3320646e,         x2 + 0x79622d32,
              x3 + 0x6b206574,         x4 + load(group.key[0]), x5 + load(group.key[1]),
              x6 + load(group.key[2]), x7 + load(group.key[3])};
  Isa::put(group, 0, low);
  V high[8] = {x8 + load(group.key[4]),      x9 + load(group.key[5]),     x10 + load(group.key[6]),
               x11 + load(group.key[7]),     x12 + load(group.block),     x13,
               x14 + load(group.counter_lo), x15 + load(group.counter_hi)};
  Isa::put(group, 1, high);
}

#if defined(__SANITIZE_ADDRESS__)
// What the sanitizer puts around it counts, too.
inline constexpr size_t kScrubLen = 768;
#else
inline constexpr size_t kScrubLen = 960;
#endif

// scrub_stack() of base.hh with vectors. For who calls run_group(), and no further up: it reaches
// as far below the caller's frame as that and Mac::turn() do.
template <typename V>
[[gnu::noinline]] void scrub_near() {
  // Not an array of V: its alignment would leave a gap below the caller's frame.
  uint8_t below[kScrubLen];
  wipe_object<V>(below);
}

#if defined(__clang__)
// Frames of clang's are larger, and no single one is to be.
template <typename V>
[[gnu::noinline]] void scrub_far() {
  uint8_t skipped[576];
  __asm__ __volatile__("" : : "r"(skipped) : "memory");
  scrub_near<V>();
  __asm__ __volatile__("" : : "r"(skipped) : "memory");
}
#endif

template <typename V>
[[gnu::always_inline]] inline void scrub_vectors() {
  scrub_near<V>();
#if defined(__clang__)
  scrub_far<V>();
#endif
}

// The rounds keep keys and authenticator on a frame of their own, as no frame is to be large.
template <typename Isa>
[[gnu::noinline]] void seal_round(AeadPacket *packets, size_t num, Group<Isa::kLanes> &group) {
  OneTimeKey keys[kRoundPackets];
  Mac mac;
  mac.init(packets, keys, true);
  SegmentReader reader = {};
  size_t index = 0;
  size_t offset = 0;
  bool has_key = false;
  while (index < num) {
    group.clear();
    while (group.num < Isa::kLanes && index < num) {
      const AeadPacket &packet = packets[index];
      if (!has_key) {
        group.set_key_lane(packet, keys[index]);
        has_key = true;
        reader = {packet.segments, 0};
      } else if (packet.segments == nullptr) {
        const size_t now = min(num_blocks_from(offset, packet.len), Isa::kLanes - group.num);
        group.set_lanes(packet, offset, now);
        offset += now * kBlockLen;
      } else {
        const size_t len = min(packet.len - offset, kBlockLen);
        uint8_t *const dst = packet.dst + offset;
        group.set_lane(packet.key, packet.counter, static_cast<uint32_t>(offset / kBlockLen) + 1,
                       dst, reader.next(dst, len), len);
        offset += kBlockLen;
      }
      if (offset < packet.len) continue;
      ++index;
      offset = 0;
      has_key = false;
    }
    run_group<Isa>(group, mac, nullptr);
    mac.extend(index, offset, has_key);
  }
  mac.run();
  wipe(&mac, sizeof mac);
  wipe_object<typename Isa::V>(keys);
  scrub_vectors<typename Isa::V>();
}

// Goes over the blocks of text of a round, one packet after the other.
struct Blocks {
  AeadPacket *packets;
  size_t num;
  size_t index;
  size_t offset;

  // To the next block that there is, if it is not there already. False when there is none.
  [[gnu::always_inline]] bool find() {
    while (index < num && offset >= packets[index].len) {
      ++index;
      offset = 0;
    }
    return index < num;
  }
  [[gnu::always_inline]] size_t len() const { return min(packets[index].len - offset, kBlockLen); }
  [[gnu::always_inline]] uint8_t *dst() const { return packets[index].dst + offset; }
  [[gnu::always_inline]] const uint8_t *src() const { return packets[index].src + offset; }
  // Of the key stream; block 0 is the one-time key's.
  [[gnu::always_inline]] uint32_t number() const {
    return static_cast<uint32_t>(offset / kBlockLen) + 1;
  }
  [[gnu::always_inline]] void step() { offset += kBlockLen; }

  // What the authenticator has to have read before the blocks so far are overwritten. The tag is
  // not, but the last bytes before it are.
  [[gnu::always_inline]] MacGoal goal() const {
    if (offset >= packets[index].len) return {index + 1, 0};
    return {index, offset};
  }
};

// Key stream that is there before the authenticator has been over what it belongs to.
template <typename Isa>
struct alignas(sizeof(typename Isa::V)) Stash {
  uint8_t stream[Isa::kLanes][kBlockLen];
  size_t num;

  // For the first blocks of the round. Not inlined: what it leaves of the key stream is to be where
  // scrub_near() reaches.
  [[gnu::noinline]] void apply(AeadPacket *packets, size_t num_packets) const {
    Blocks blocks = {packets, num_packets, 0, 0};
    for (size_t i = 0; i < num && blocks.find(); ++i, blocks.step()) {
      xor_text<typename Isa::V>(blocks.dst(), blocks.src(), blocks.len(), stream[i]);
    }
  }
};

template <typename Isa>
[[gnu::noinline]] void open_texts(AeadPacket *packets, size_t num, Group<Isa::kLanes> &group,
                                  Stash<Isa> &stash) {
  OneTimeKey keys[kRoundPackets];
  Mac mac;
  mac.init(packets, keys, false);
  Blocks blocks = {packets, num, 0, 0};
  for (size_t done = 0; done < num;) {
    group.clear();
    for (; done < num && group.num < Isa::kLanes; ++done) {
      group.set_key_lane(packets[done], keys[done]);
    }
    // Lanes that are left over do not wait for the authenticator, which waits for the keys.
    for (; done == num && group.num < Isa::kLanes && blocks.find(); blocks.step()) {
      const AeadPacket &packet = packets[blocks.index];
      group.set_lane(packet.key, packet.counter, blocks.number(), stash.stream[stash.num++], kZeros,
                     kBlockLen);
    }
    run_group<Isa>(group, mac, nullptr);
  }
  mac.extend(num, 0, false);

  bool is_stashed = stash.num != 0;
  while (blocks.find()) {
    MacGoal goal = {};
    group.clear();
    while (group.num < Isa::kLanes && blocks.find()) {
      const AeadPacket &packet = packets[blocks.index];
      const size_t now = min(num_blocks_from(blocks.offset, packet.len), Isa::kLanes - group.num);
      group.set_lanes(packet, blocks.offset, now);
      blocks.offset += now * kBlockLen;
      goal = blocks.goal();
    }
    run_group<Isa>(group, mac, &goal);
    // The authenticator is beyond these, too.
    if (is_stashed) stash.apply(packets, num);
    is_stashed = false;
  }
  mac.run();
  if (is_stashed) stash.apply(packets, num);
  wipe(&mac, sizeof mac);
  wipe_object<typename Isa::V>(keys);
  scrub_vectors<typename Isa::V>();
}

template <typename Isa>
[[gnu::noinline]] void open_round(AeadPacket *packets, size_t num, Group<Isa::kLanes> &group) {
  Stash<Isa> stash;
  stash.num = 0;
  open_texts<Isa>(packets, num, group, stash);
  wipe_object<typename Isa::V>(stash);
}

// What a forged packet was, or has been decrypted to, is not for anyone to read.
inline void wipe_forged(AeadPacket *packets, size_t num) {
  for (size_t i = 0; i < num; ++i) {
    if (!packets[i].is_good && packets[i].len != 0) wipe(packets[i].dst, packets[i].len);
  }
}

template <typename Isa>
[[gnu::noinline]] void run_rounds(AeadPacket *packets, size_t num, bool is_seal) {
  using V = typename Isa::V;
  Group<Isa::kLanes> group;
  group.template init<V>(packets[0].key);
  while (num != 0) {
    const size_t now = min(num, kRoundPackets);
    if (is_seal) {
      seal_round<Isa>(packets, now, group);
    } else {
      open_round<Isa>(packets, now, group);
      wipe_forged(packets, now);
    }
    packets += now;
    num -= now;
  }
  wipe_object<V>(group);
}

}  // namespace
}  // namespace wg
