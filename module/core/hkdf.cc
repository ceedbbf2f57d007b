// SPDX-License-Identifier: GPL-2.0
#include "hkdf.hh"

#include "blake2s.hh"

namespace wg {
namespace {

constexpr size_t kHkdfKeyLen = 32;

// The paper, 5.4: t0 = Hmac(key, input), t1 = Hmac(t0, 1), t(n) = Hmac(t0, t(n - 1) || n).
[[gnu::noinline]] void derive(uint8_t *out1, uint8_t *out2, uint8_t *out3, const uint8_t *key,
                              ConstBytes input) {
  Secret<kBlake2sHashLen> t0;
  hmac_blake2s(t0.bytes, {key, kHkdfKeyLen}, input);

  // From here on key and input are not read again: the outputs may overwrite them.
  Secret<kBlake2sHashLen + 1> chain;
  uint8_t *const number = chain.bytes + kBlake2sHashLen;
  *number = 1;
  hmac_blake2s(chain.bytes, t0, {number, 1});
  copy(out1, chain.bytes, kBlake2sHashLen);
  if (out2 == nullptr) return;

  *number = 2;
  hmac_blake2s(chain.bytes, t0, chain);
  copy(out2, chain.bytes, kBlake2sHashLen);
  if (out3 == nullptr) return;

  *number = 3;
  hmac_blake2s(chain.bytes, t0, chain);
  copy(out3, chain.bytes, kBlake2sHashLen);
}

}  // namespace

void hkdf(uint8_t *out1, uint8_t *out2, uint8_t *out3, const uint8_t *key, ConstBytes input) {
  derive(out1, out2, out3, key, input);
  scrub_stack();
}

}  // namespace wg
