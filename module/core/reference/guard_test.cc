// SPDX-License-Identifier: GPL-2.0
// Not a byte beyond any buffer is read or written: each lies against memory that nobody may touch,
// with its end or with its beginning. AddressSanitizer does not see what assembly does; this does.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "../aead.hh"
#include "../blake2s.hh"
#include "../test_crypto.hh"
#include "../test_levels.hh"
#include "../test_x25519.hh"

namespace wg::test {
namespace {

// Memory of its own between two pages that may not be touched.
class Guarded {
 public:
  explicit Guarded(size_t max_len) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    room_ = (max_len + page - 1) / page * page;
    len_ = room_ + 2 * page;
    void *const memory =
        mmap(nullptr, len_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no memory");
    memory_ = static_cast<uint8_t *>(memory);
    begin_ = memory_ + page;
    if (mprotect(memory_, page, PROT_NONE) != 0 || mprotect(begin_ + room_, page, PROT_NONE) != 0) {
      throw std::runtime_error("memory cannot be guarded");
    }
  }
  Guarded(const Guarded &) = delete;
  Guarded &operator=(const Guarded &) = delete;
  ~Guarded() { munmap(memory_, len_); }

  // len bytes at either end.
  uint8_t *at(size_t len, bool is_at_end) { return is_at_end ? begin_ + room_ - len : begin_; }
  uint8_t *put(const Buffer &bytes, bool is_at_end) {
    uint8_t *const out = at(bytes.size(), is_at_end);
    std::copy(bytes.begin(), bytes.end(), out);
    return out;
  }

 private:
  uint8_t *memory_;
  uint8_t *begin_;
  size_t room_;
  size_t len_;
};

constexpr size_t kMaxLen = 1600;
constexpr size_t kMaxBatch = 9;

class Guards : public LevelTest {
 protected:
  // One packet of a batch, between guards.
  struct Room {
    Guarded key{kAeadKeyLen}, text{kMaxLen}, sealed{kMaxLen + kAeadTagLen};
    Buffer original;
    uint64_t counter;
  };

  void check_batch(size_t num, size_t len, bool is_at_end, bool in_place) {
    std::vector<AeadPacket> batch;
    for (size_t i = 0; i < num; ++i) {
      Room &room = rooms_[i];
      room.original = random_.bytes(len);
      const uint8_t *const key = room.key.put(random_.bytes(kAeadKeyLen), is_at_end);
      const uint8_t *const text = room.text.put(room.original, is_at_end);
      uint8_t *const sealed = room.sealed.at(len + kAeadTagLen, is_at_end);
      if (in_place) std::copy(text, text + len, sealed);
      batch.push_back({sealed, in_place ? sealed : text, len, i, key, false});
    }
    aead_seal_batch(batch.data(), num, true);
    for (AeadPacket &packet : batch) {
      packet.src = packet.dst;
      if (!in_place) packet.dst = rooms_[packet.counter].text.at(len, is_at_end);
    }
    aead_open_batch(batch.data(), num, true);
    for (const AeadPacket &packet : batch) {
      ASSERT_TRUE(packet.is_good);
      ASSERT_EQ(Buffer(packet.dst, packet.dst + len), rooms_[packet.counter].original);
    }
  }

  std::array<Room, kMaxBatch> rooms_;
  Random random_;
};

WGPP_EACH_LEVEL(Guards, packet_levels());

TEST_P(Guards, PacketsOfEveryLength) {
  for (size_t len = 0; len <= kMaxLen; ++len) {
    ASSERT_NO_FATAL_FAILURE(check_batch(1, len, true, len % 2 == 0)) << len;
    ASSERT_NO_FATAL_FAILURE(check_batch(1, len, false, len % 2 != 0)) << len;
  }
}

TEST_P(Guards, Batches) {
  for (size_t num = 2; num <= kMaxBatch; ++num) {
    for (size_t len = 0; len <= 260; len += num == 8 ? 1 : 7) {
      ASSERT_NO_FATAL_FAILURE(check_batch(num, len, true, len % 2 == 0)) << num << " of " << len;
      ASSERT_NO_FATAL_FAILURE(check_batch(num, len, false, len % 2 != 0)) << num << " of " << len;
    }
    ASSERT_NO_FATAL_FAILURE(check_batch(num, 1420, true, true)) << num;
    ASSERT_NO_FATAL_FAILURE(check_batch(num, 1420, false, false)) << num;
  }
}

class GuardsX25519 : public LevelTest {};
WGPP_EACH_LEVEL(GuardsX25519, x25519_levels());

TEST_P(GuardsX25519, Keys) {
  Random random;
  Guarded scalar(32), point(32), out(32);
  for (const bool is_at_end : {false, true}) {
    const uint8_t *const k = scalar.put(random.bytes(32), is_at_end);
    const uint8_t *const p = point.put(random.bytes(32), is_at_end);
    EXPECT_TRUE(x25519(out.at(32, is_at_end), k, p));
    x25519_base(out.at(32, is_at_end), k);
  }
}

class GuardsX25519Batch : public LevelTest {};
WGPP_EACH_LEVEL(GuardsX25519Batch, x25519_batch_levels());

TEST_P(GuardsX25519Batch, Keys) {
  Random random;
  Guarded scalar(32), point(32), room(sizeof(X25519Batch));
  for (const bool is_at_end : {false, true}) {
    const uint8_t *const k = scalar.put(random.bytes(32), is_at_end);
    const uint8_t *const p = point.put(random.bytes(32), is_at_end);
    auto *const batch = reinterpret_cast<X25519Batch *>(room.at(sizeof(X25519Batch), is_at_end));
    for (size_t i = 0; i < kX25519BatchMax; ++i) {
      batch->scalar[i] = k;
      batch->point[i] = p;
    }
    x25519_batch(*batch, kX25519BatchMax, true);
    Buffer expected(32);
    EXPECT_TRUE(x25519(expected.data(), k, p));
    EXPECT_EQ(Buffer(batch->out[0], batch->out[1]), expected);
  }
}

TEST(GuardsHashes, EveryLength) {
  Random random;
  Guarded text(256), key(32), out(32);
  for (size_t len = 0; len <= 256; ++len) {
    for (const bool is_at_end : {false, true}) {
      const uint8_t *const t = text.put(random.bytes(len), is_at_end);
      const uint8_t *const k = key.put(random.bytes(32), is_at_end);
      blake2s(out.at(32, is_at_end), 32, {t, len}, {k, 32});
      hmac_blake2s(out.at(32, is_at_end), {k, 32}, {t, len});
    }
  }
}

// Each alignment of text and message, against each other.
TEST_P(Guards, AnyAlignment) {
  constexpr size_t kLen = 300;
  const Buffer key = random_.bytes(kAeadKeyLen), text = random_.bytes(kLen);
  Buffer expected(kLen + kAeadTagLen);
  aead_seal(expected.data(), span(text), {}, 1, key.data());
  for (size_t from = 0; from < 64; ++from) {
    for (size_t to = 0; to < 64; ++to) {
      uint8_t *const src = rooms_[0].text.at(kMaxLen, false) + from;
      uint8_t *const dst = rooms_[0].sealed.at(kMaxLen, false) + to;
      std::copy(text.begin(), text.end(), src);
      AeadPacket packet = {dst, src, kLen, 1, key.data(), false};
      aead_seal_batch(&packet, 1, true);
      ASSERT_EQ(Buffer(dst, dst + expected.size()), expected) << from << " " << to;
    }
  }
}

}  // namespace
}  // namespace wg::test
