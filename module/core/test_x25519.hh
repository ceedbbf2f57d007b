// SPDX-License-Identifier: GPL-2.0
// What the quick and the slow tests of X25519 share. Tests only.
#pragma once

#include "test_crypto.hh"
#include "x25519.hh"

namespace wg::test {

inline Buffer product(const Buffer &scalar, const Buffer &point) {
  Buffer out(kX25519KeyLen);
  EXPECT_TRUE(x25519(out.data(), scalar.data(), point.data()));
  return out;
}

// The same for any number, with zeros for what is refused.
inline std::vector<Buffer> products(const std::vector<Buffer> &scalars,
                                    const std::vector<Buffer> &points,
                                    bool may_use_vectors = true) {
  X25519Batch batch;
  std::vector<Buffer> found;
  for (size_t begin = 0; begin < scalars.size(); begin += kX25519BatchMax) {
    const size_t num = std::min(scalars.size() - begin, kX25519BatchMax);
    for (size_t i = 0; i < num; ++i) {
      batch.scalar[i] = scalars[begin + i].data();
      batch.point[i] = points[begin + i].data();
    }
    x25519_batch(batch, num, may_use_vectors);
    for (size_t i = 0; i < num; ++i) found.emplace_back(batch.out[i], batch.out[i] + kX25519KeyLen);
  }
  return found;
}

inline Buffer base_point() {
  Buffer nine(kX25519KeyLen);
  nine[0] = 9;
  return nine;
}

// RFC 7748, 5.2: as often as each vector of the file says, scalar and point become the result and
// the old scalar.
inline void expect_iterated(const std::string &file) {
  for (const Vector &v : read_vectors(file)) {
    SCOPED_TRACE(v.text("name"));
    Buffer k = base_point(), u = base_point();
    for (uint32_t i = 0; i < v.number("iterations"); ++i) {
      Buffer next = product(k, u);
      u = k;
      k = next;
    }
    EXPECT_EQ(k, v.bytes("out"));
  }
}

}  // namespace wg::test
