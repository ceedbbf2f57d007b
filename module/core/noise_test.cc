// SPDX-License-Identifier: GPL-2.0
#include "noise.hh"

#include "blake2s.hh"
#include "test_util.hh"

namespace {

using wg::ConstBytes;
using wg::SymmetricState;

ConstBytes bytes_of(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

TEST(Noise, ConstantsAreHashesOfTheNames) {
  uint8_t chain[32];
  wg::blake2s(chain, 32, bytes_of("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  EXPECT_EQ(std::memcmp(chain, wg::kInitialChain, 32), 0);

  wg::Blake2s blake;
  blake.update(chain);
  blake.update(bytes_of("WireGuard v1 zx2c4 Jason@zx2c4.com"));
  uint8_t hash[32];
  blake.final(hash);
  EXPECT_EQ(std::memcmp(hash, wg::kInitialHash, 32), 0);
}

TEST(Noise, TamperedPayloadLeavesStateAndOutputAlone) {
  const uint8_t key[32] = {1};
  SymmetricState ours, theirs;
  ours.start(key);
  theirs.start(key);
  const uint8_t plain[4] = {1, 2, 3, 4};
  uint8_t sealed[20];
  ours.encrypt_and_hash(sealed, plain, key);

  uint8_t opened[4] = {9, 9, 9, 9};
  const SymmetricState before = theirs;
  sealed[7] ^= 1;
  EXPECT_FALSE(theirs.decrypt_and_hash(opened, sealed, key));
  EXPECT_TRUE(wgtest::same_bytes(before, theirs));
  EXPECT_EQ(opened[0], 9);

  sealed[7] ^= 1;
  EXPECT_TRUE(theirs.decrypt_and_hash(opened, sealed, key));
  EXPECT_EQ(std::memcmp(opened, plain, 4), 0);
  EXPECT_TRUE(wgtest::same_bytes(ours, theirs));
}

TEST(Noise, LowOrderPointIsNotMixed) {
  uint8_t key[32] = {7};
  const uint8_t private_key[32] = {8};
  SymmetricState state;
  state.start(key);
  const SymmetricState before = state;
  for (const wgtest::Key &point : wgtest::low_order_keys())
    EXPECT_FALSE(state.mix_dh(key, private_key, point.data()));
  EXPECT_TRUE(wgtest::same_bytes(before, state));
  EXPECT_EQ(key[0], 7);
}

}  // namespace
