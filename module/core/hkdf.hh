// SPDX-License-Identifier: GPL-2.0
// The paper's Kdf1, Kdf2 and Kdf3: HKDF (RFC 5869) over HMAC-BLAKE2s with a 32-byte key.
#pragma once

#include "base.hh"

namespace wg {

// Each output has 32 bytes; out2 and out3 may be null (out3 only with out2 given).
// An output may be the buffer of key or of input.
void hkdf(uint8_t *out1, uint8_t *out2, uint8_t *out3, const uint8_t *key, ConstBytes input);

}  // namespace wg
