// SPDX-License-Identifier: GPL-2.0
// BLAKE2s (RFC 7693), plain and keyed.
#pragma once

#include "base.hh"

namespace wg {

inline constexpr size_t kBlake2sHashLen = 32;
inline constexpr size_t kBlake2sBlockLen = 64;

// Streaming hash. The state is wiped when it goes out of scope.
class Blake2s {
 public:
  // out_len: 1 to 32; key: 0 to 32 bytes, hashed first when there are any.
  explicit Blake2s(size_t out_len = kBlake2sHashLen, ConstBytes key = {});
  Blake2s(const Blake2s &) = delete;
  Blake2s &operator=(const Blake2s &) = delete;
  ~Blake2s();

  void update(ConstBytes in);
  void final(uint8_t *out);  // writes out_len bytes; the object is used up

 private:
  void compress(const uint8_t *block, size_t counted, bool last);

  uint32_t h_[8];
  uint64_t num_hashed_ = 0;
  uint8_t buffer_[kBlake2sBlockLen];
  size_t buffered_ = 0;
  size_t out_len_;
};

void blake2s(uint8_t *out, size_t out_len, ConstBytes in, ConstBytes key = {});

// HMAC (RFC 2104) over BLAKE2s-256, as the paper's Hmac; any key length.
void hmac_blake2s(uint8_t *out, ConstBytes key, ConstBytes in);

}  // namespace wg
