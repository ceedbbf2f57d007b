// SPDX-License-Identifier: GPL-2.0
#include "handshake.hh"

#include <functional>

#include "blake2s.hh"
#include "test_util.hh"
#include "wire.hh"
#include "x25519.hh"

namespace {

using wgtest::End;
using wgtest::HandshakePair;
using wgtest::Key;
using wgtest::kMs;
using wgtest::kSecond;
using wgtest::kUnixEpoch_ns;
using wgtest::Message;
using wgtest::Random;
using wgtest::same_bytes;

constexpr uint64_t kTimestampStep_ns = 1 << 24;

const Key kPsk = {1, 2, 3, 4, 5};

void expect_matching_sessions(const End &initiator, const End &responder) {
  EXPECT_TRUE(wgc_session_is_initiator(&initiator.session));
  EXPECT_FALSE(wgc_session_is_initiator(&responder.session));
  const Message there = wgtest::seal(initiator.session, "there", 0);
  const Message back = wgtest::seal(responder.session, "back", 0);
  EXPECT_EQ(wgtest::open(responder.session, there), "there");
  EXPECT_EQ(wgtest::open(initiator.session, back), "back");
  // A message reflected to its sender is not taken for the other side's.
  EXPECT_EQ(wgtest::open(initiator.session, there), "status 8");
  EXPECT_EQ(wgc_message_receiver(WGC_MSG_DATA, there.data()), HandshakePair::kResponderIndex);
  EXPECT_EQ(wgc_message_receiver(WGC_MSG_DATA, back.data()), HandshakePair::kInitiatorIndex);
}

TEST(Handshake, WithoutPskGivesMatchingKeys) {
  HandshakePair pair;
  pair.complete();
  expect_matching_sessions(pair.initiator, pair.responder);
}

TEST(Handshake, WithPskGivesMatchingKeys) {
  HandshakePair pair(&kPsk);
  pair.complete();
  expect_matching_sessions(pair.initiator, pair.responder);
}

TEST(Handshake, PskChangesTheKeys) {
  HandshakePair with(&kPsk), without;
  with.complete();
  without.complete();
  const Message packet = wgtest::seal(with.initiator.session, "text", 0);
  EXPECT_EQ(wgtest::open(without.responder.session, packet), "status 8");
}

TEST(Handshake, AllZeroPskIsNoPsk) {
  const Key zeros{};
  HandshakePair pair;
  wgc_handshake_set_psk(&pair.initiator.hs, zeros.data());
  pair.complete();
  expect_matching_sessions(pair.initiator, pair.responder);
}

TEST(Handshake, RolesCanSwap) {
  HandshakePair pair;
  pair.complete();
  std::swap(pair.initiator, pair.responder);
  pair.complete();
  expect_matching_sessions(pair.initiator, pair.responder);
}

TEST(Handshake, MessagesCarryTypesAndIndices) {
  HandshakePair pair;
  const Message initiation = pair.initiate();
  wgc_message_type type;
  ASSERT_EQ(wgc_message_classify(initiation.data(), initiation.size(), &type), WGC_OK);
  EXPECT_EQ(type, WGC_MSG_INITIATION);
  EXPECT_EQ(wgc_message_sender(initiation.data()), HandshakePair::kInitiatorIndex);
  ASSERT_EQ(pair.accept(initiation), WGC_OK);
  const Message response = pair.respond();
  ASSERT_EQ(wgc_message_classify(response.data(), response.size(), &type), WGC_OK);
  EXPECT_EQ(type, WGC_MSG_RESPONSE);
  EXPECT_EQ(wgc_message_sender(response.data()), HandshakePair::kResponderIndex);
  EXPECT_EQ(wgc_message_receiver(type, response.data()), HandshakePair::kInitiatorIndex);
  const Message no_macs(WGC_MACS_LEN);
  EXPECT_TRUE(std::equal(no_macs.begin(), no_macs.end(), initiation.end() - WGC_MACS_LEN));
  EXPECT_TRUE(std::equal(no_macs.begin(), no_macs.end(), response.end() - WGC_MACS_LEN));
}

TEST(Handshake, TellsWhoIsCalling) {
  HandshakePair pair;
  const Message msg = pair.initiate();
  wgc_initiation init;
  Key caller;
  ASSERT_EQ(wgc_initiation_open(&init, caller.data(), &pair.responder.id, msg.data()), WGC_OK);
  EXPECT_EQ(caller, pair.initiator.public_key);
}

TEST(Handshake, WrongPskIsRejectedAndStateStays) {
  HandshakePair pair(&kPsk);
  wgc_handshake_set_psk(&pair.responder.hs, nullptr);
  ASSERT_EQ(pair.accept(pair.initiate()), WGC_OK);
  const Message response = pair.respond();
  const wgc_handshake before = pair.initiator.hs;
  EXPECT_EQ(pair.consume(response), WGC_BAD_AEAD);
  EXPECT_TRUE(same_bytes(before, pair.initiator.hs));
  EXPECT_EQ(pair.begin(pair.initiator), WGC_BAD_STATE);
}

TEST(Handshake, InitiationForAnotherKeyIsRejected) {
  HandshakePair pair;
  const End stranger(Random(7).key());
  const Message msg = pair.initiate();
  wgc_initiation init;
  Key caller;
  caller.fill(0xaa);
  EXPECT_EQ(wgc_initiation_open(&init, caller.data(), &stranger.id, msg.data()), WGC_BAD_AEAD);
  EXPECT_EQ(caller, Key{});
  const wgc_initiation zeros{};
  // The core's part of the storage; what lies behind it was never written.
  EXPECT_EQ(std::memcmp(&init, &zeros, sizeof(wg::Initiation)), 0);
}

TEST(Handshake, InitiationOfAnotherPeerIsNotAccepted) {
  HandshakePair pair;
  End stranger(Random(7).key());
  stranger.meet(pair.responder);
  std::swap(stranger, pair.initiator);
  const wgc_handshake before = pair.responder.hs;
  EXPECT_EQ(pair.accept(pair.initiate()), WGC_BAD_STATE);
  EXPECT_TRUE(same_bytes(before, pair.responder.hs));
}

TEST(Handshake, ImpostorWithoutThePrivateKeyIsRejected) {
  // Knows both public keys, but not the private key behind the one it claims.
  HandshakePair pair;
  End impostor(Random(7).key());
  wg::Identity claimed = *reinterpret_cast<wg::Identity *>(&impostor.id);
  std::memcpy(claimed.public_key, pair.initiator.public_key.data(), 32);
  std::memcpy(&impostor.id, &claimed, sizeof claimed);
  impostor.meet(pair.responder);
  std::swap(impostor, pair.initiator);
  const wgc_handshake before = pair.responder.hs;
  EXPECT_EQ(pair.accept(pair.initiate()), WGC_BAD_AEAD);
  EXPECT_TRUE(same_bytes(before, pair.responder.hs));
}

TEST(Handshake, EveryTamperedByteOfAnInitiationIsRejected) {
  HandshakePair pair;
  const Message msg = pair.initiate();
  const wgc_handshake before = pair.responder.hs;
  // Ahead are type and sender index, which the macs alone protect (cookie_test.cc).
  for (size_t i = 8; i < WGC_INITIATION_LEN - WGC_MACS_LEN; ++i) {
    Message tampered = msg;
    tampered[i] ^= 1 << (i % 8);
    const wgc_status status = pair.accept(tampered);
    // Bit 255 of a u-coordinate is ignored by X25519, but not by the hash.
    ASSERT_EQ(status, WGC_BAD_AEAD) << "byte " << i;
    ASSERT_TRUE(same_bytes(before, pair.responder.hs)) << "byte " << i;
  }
  EXPECT_EQ(pair.accept(msg), WGC_OK);
}

TEST(Handshake, EveryTamperedByteOfAResponseIsRejected) {
  HandshakePair pair;
  ASSERT_EQ(pair.accept(pair.initiate()), WGC_OK);
  const Message msg = pair.respond();
  const wgc_handshake before = pair.initiator.hs;
  for (size_t i = 8; i < WGC_RESPONSE_LEN - WGC_MACS_LEN; ++i) {
    Message tampered = msg;
    tampered[i] ^= 1 << (i % 8);
    ASSERT_EQ(pair.consume(tampered), i < 12 ? WGC_BAD_STATE : WGC_BAD_AEAD) << "byte " << i;
    ASSERT_TRUE(same_bytes(before, pair.initiator.hs)) << "byte " << i;
  }
  EXPECT_EQ(pair.consume(msg), WGC_OK);
}

TEST(Handshake, ReplayedInitiationIsRejected) {
  HandshakePair pair;
  const Message msg = pair.initiate();
  ASSERT_EQ(pair.accept(msg, kSecond), WGC_OK);
  const wgc_handshake before = pair.responder.hs;
  EXPECT_EQ(pair.accept(msg, 2 * kSecond), WGC_OLD_TIMESTAMP);
  EXPECT_EQ(pair.accept(msg, 1000 * kSecond), WGC_OLD_TIMESTAMP);
  EXPECT_TRUE(same_bytes(before, pair.responder.hs));
}

TEST(Handshake, TimestampOutlivesTheHandshake) {
  HandshakePair pair;
  const Message msg = pair.initiate();
  ASSERT_EQ(pair.accept(msg, kSecond), WGC_OK);
  wgc_handshake_clear(&pair.responder.hs);
  EXPECT_EQ(pair.accept(msg, 2 * kSecond), WGC_OLD_TIMESTAMP);
  wgc_handshake_set_identity(&pair.responder.hs, &pair.responder.id, nullptr);
  EXPECT_EQ(pair.accept(msg, 3 * kSecond), WGC_OLD_TIMESTAMP);
}

TEST(Handshake, TimestampMustGrow) {
  HandshakePair pair;
  ASSERT_EQ(pair.accept(pair.initiate(kUnixEpoch_ns), 1 * kSecond), WGC_OK);
  EXPECT_EQ(pair.accept(pair.initiate(kUnixEpoch_ns), 2 * kSecond), WGC_OLD_TIMESTAMP);
  EXPECT_EQ(pair.accept(pair.initiate(kUnixEpoch_ns - 1), 2 * kSecond), WGC_OLD_TIMESTAMP);
  EXPECT_EQ(pair.accept(pair.initiate(kUnixEpoch_ns - kSecond), 2 * kSecond), WGC_OLD_TIMESTAMP);
  EXPECT_EQ(pair.accept(pair.initiate(kUnixEpoch_ns + kSecond), 2 * kSecond), WGC_OK);
}

// Decrypts the timestamp of an initiation as the paper describes it.
std::vector<uint8_t> timestamp_of(const HandshakePair &pair, const Message &msg) {
  const auto &in = *reinterpret_cast<const wg::MessageInitiation *>(msg.data());
  Key private_key, shared;
  wgc_identity_get(&pair.responder.id, private_key.data(), nullptr);
  EXPECT_TRUE(wg::x25519(shared.data(), private_key.data(), pair.initiator.public_key.data()));
  wg::SymmetricState noise;
  uint8_t key[32], caller[32];
  noise.start(pair.responder.public_key.data());
  noise.mix_ephemeral(in.ephemeral);
  EXPECT_TRUE(noise.mix_dh(key, private_key.data(), in.ephemeral));
  EXPECT_TRUE(noise.decrypt_and_hash(caller, in.encrypted_static, key));
  noise.mix_key(key, {shared.data(), shared.size()});
  std::vector<uint8_t> label(12);
  EXPECT_TRUE(noise.decrypt_and_hash(label.data(), in.encrypted_timestamp, key));
  return label;
}

TEST(Handshake, TimestampIsWhitenedTai64n) {
  HandshakePair pair;
  // 2023-11-14T22:13:20 is 1700000000 = 0x6553f100; 999999999 ns round down to 59 * 2^24.
  using Label = std::vector<uint8_t>;
  EXPECT_EQ(timestamp_of(pair, pair.initiate(1700000000 * kSecond)),
            (Label{0x40, 0, 0, 0, 0x65, 0x53, 0xf1, 0x0a, 0, 0, 0, 0}));
  EXPECT_EQ(timestamp_of(pair, pair.initiate(1700000000 * kSecond + 999999999)),
            (Label{0x40, 0, 0, 0, 0x65, 0x53, 0xf1, 0x0a, 0x3b, 0, 0, 0}));
  EXPECT_EQ(timestamp_of(pair, pair.initiate(1700000000 * kSecond + kTimestampStep_ns - 1)),
            (Label{0x40, 0, 0, 0, 0x65, 0x53, 0xf1, 0x0a, 0, 0, 0, 0}));
  EXPECT_EQ(timestamp_of(pair, pair.initiate(1700000000 * kSecond + kTimestampStep_ns)),
            (Label{0x40, 0, 0, 0, 0x65, 0x53, 0xf1, 0x0a, 1, 0, 0, 0}));
}

TEST(Handshake, InitiationsWithin20MsAreAFlood) {
  HandshakePair pair;
  uint64_t unix_ns = kUnixEpoch_ns;
  const auto next = [&] { return pair.initiate(unix_ns += kSecond); };
  ASSERT_EQ(pair.accept(next(), kSecond), WGC_OK);
  const wgc_handshake before = pair.responder.hs;
  EXPECT_EQ(pair.accept(next(), kSecond), WGC_FLOOD);
  EXPECT_EQ(pair.accept(next(), kSecond - kMs), WGC_FLOOD);
  EXPECT_EQ(pair.accept(next(), kSecond + 20 * kMs - 1), WGC_FLOOD);
  EXPECT_TRUE(same_bytes(before, pair.responder.hs));
  EXPECT_EQ(pair.accept(next(), kSecond + 20 * kMs), WGC_OK);
}

TEST(Handshake, FirstInitiationRightAfterBootIsNoFlood) {
  HandshakePair pair;
  EXPECT_EQ(pair.accept(pair.initiate(), 0), WGC_OK);
}

TEST(Handshake, ResponseIsConsumedOnce) {
  HandshakePair pair;
  ASSERT_EQ(pair.accept(pair.initiate()), WGC_OK);
  const Message response = pair.respond();
  ASSERT_EQ(pair.consume(response), WGC_OK);
  EXPECT_EQ(pair.consume(response), WGC_BAD_STATE);
  ASSERT_EQ(pair.begin(pair.initiator), WGC_OK);
  EXPECT_EQ(pair.consume(response), WGC_BAD_STATE);
  const wgc_session before = pair.initiator.session;
  EXPECT_EQ(pair.begin(pair.initiator), WGC_BAD_STATE);
  EXPECT_TRUE(same_bytes(before, pair.initiator.session));
}

TEST(Handshake, ResponseAfterTheStateMovedOnIsRejected) {
  HandshakePair pair;
  ASSERT_EQ(pair.accept(pair.initiate()), WGC_OK);
  const Message response = pair.respond();
  // A retry has a new ephemeral key; that it reuses the index must not matter.
  const Message retry = pair.initiate(kUnixEpoch_ns + kSecond);
  const wgc_handshake before = pair.initiator.hs;
  EXPECT_EQ(pair.consume(response), WGC_BAD_AEAD);
  EXPECT_TRUE(same_bytes(before, pair.initiator.hs));
  ASSERT_EQ(pair.accept(retry, 2 * kSecond), WGC_OK);
  EXPECT_EQ(pair.consume(pair.respond()), WGC_OK);
}

TEST(Handshake, ResponseAfterClearIsRejected) {
  HandshakePair pair;
  ASSERT_EQ(pair.accept(pair.initiate()), WGC_OK);
  const Message response = pair.respond();
  wgc_handshake_clear(&pair.initiator.hs);
  EXPECT_EQ(pair.consume(response), WGC_BAD_STATE);
}

TEST(Handshake, ResponseNeedsAnAcceptedInitiation) {
  HandshakePair pair;
  EXPECT_EQ(pair.respond(WGC_BAD_STATE), Message(WGC_RESPONSE_LEN));
  ASSERT_EQ(pair.accept(pair.initiate()), WGC_OK);
  pair.respond();
  pair.respond(WGC_BAD_STATE);
  // The failed one has wiped the first one's handshake.
  EXPECT_EQ(pair.begin(pair.responder), WGC_BAD_STATE);
}

TEST(Handshake, SessionNeedsAFinishedHandshake) {
  HandshakePair pair;
  EXPECT_EQ(pair.begin(pair.initiator), WGC_BAD_STATE);
  const Message initiation = pair.initiate();
  EXPECT_EQ(pair.begin(pair.initiator), WGC_BAD_STATE);
  ASSERT_EQ(pair.accept(initiation), WGC_OK);
  EXPECT_EQ(pair.begin(pair.responder), WGC_BAD_STATE);
}

TEST(Handshake, BeginSessionWipesEverySecretOfTheHandshake) {
  HandshakePair pair;
  const wgc_handshake fresh = pair.initiator.hs;
  pair.complete();
  EXPECT_TRUE(same_bytes(fresh, pair.initiator.hs));
}

TEST(Handshake, ClearKeepsKeysAndPsk) {
  HandshakePair pair(&kPsk);
  const wgc_handshake fresh = pair.initiator.hs;
  pair.initiate();
  EXPECT_FALSE(same_bytes(fresh, pair.initiator.hs));
  wgc_handshake_clear(&pair.initiator.hs);
  EXPECT_TRUE(same_bytes(fresh, pair.initiator.hs));
  Key psk;
  wgc_handshake_get_psk(&pair.initiator.hs, psk.data());
  EXPECT_EQ(psk, kPsk);
}

TEST(Handshake, LowOrderPeerKeyFailsEveryHandshake) {
  for (const Key &low : wgtest::low_order_keys()) {
    HandshakePair pair;
    wgc_handshake_init(&pair.initiator.hs, &pair.initiator.id, low.data(), nullptr);
    const wgc_handshake before = pair.initiator.hs;
    EXPECT_EQ(pair.initiate(kUnixEpoch_ns, WGC_BAD_DH), Message(WGC_INITIATION_LEN));
    EXPECT_TRUE(same_bytes(before, pair.initiator.hs));
  }
}

TEST(Handshake, LowOrderCallerIsNotAccepted) {
  for (const Key &low : wgtest::low_order_keys()) {
    HandshakePair pair;
    auto &claimed = *reinterpret_cast<wg::Identity *>(&pair.initiator.id);
    std::memcpy(claimed.public_key, low.data(), 32);
    wgc_handshake_init(&pair.responder.hs, &pair.responder.id, low.data(), nullptr);
    const wgc_handshake before = pair.responder.hs;
    EXPECT_EQ(pair.accept(pair.initiate()), WGC_BAD_DH);
    EXPECT_TRUE(same_bytes(before, pair.responder.hs));
  }
}

TEST(Handshake, LowOrderEphemeralKeyIsRejected) {
  for (const Key &low : wgtest::low_order_keys()) {
    HandshakePair pair;
    Message initiation = pair.initiate();
    Message tampered = initiation;
    std::copy(low.begin(), low.end(), tampered.begin() + 8);
    EXPECT_EQ(pair.accept(tampered), WGC_BAD_DH);

    ASSERT_EQ(pair.accept(initiation), WGC_OK);
    Message response = pair.respond();
    std::copy(low.begin(), low.end(), response.begin() + 12);
    const wgc_handshake before = pair.initiator.hs;
    EXPECT_EQ(pair.consume(response), WGC_BAD_DH);
    EXPECT_TRUE(same_bytes(before, pair.initiator.hs));
  }
}

TEST(Handshake, NewIdentityWipesWhatIsInProgress) {
  HandshakePair pair;
  ASSERT_EQ(pair.accept(pair.initiate()), WGC_OK);
  const Message response = pair.respond();
  wgc_identity_set(&pair.initiator.id, Random(9).key().data());
  wgc_handshake_set_identity(&pair.initiator.hs, &pair.initiator.id, nullptr);
  EXPECT_EQ(pair.consume(response), WGC_BAD_STATE);
}

TEST(Handshake, NewIdentityIsTheOneThatCalls) {
  HandshakePair pair;
  pair.complete();
  wgc_identity_set(&pair.initiator.id, Random(9).key().data());
  wgc_identity_get(&pair.initiator.id, nullptr, pair.initiator.public_key.data());
  wgc_handshake_set_identity(&pair.initiator.hs, &pair.initiator.id, nullptr);
  EXPECT_EQ(pair.accept(pair.initiate(kUnixEpoch_ns + kSecond), 2 * kSecond), WGC_BAD_STATE);
  pair.responder.meet(pair.initiator);
  pair.complete();
  expect_matching_sessions(pair.initiator, pair.responder);
}

TEST(Handshake, ResponderThatChangedItsKeyMeanwhileRefuses) {
  HandshakePair pair;
  const Message msg = pair.initiate();
  wgc_initiation init;
  Key caller;
  ASSERT_EQ(wgc_initiation_open(&init, caller.data(), &pair.responder.id, msg.data()), WGC_OK);
  wgc_identity_set(&pair.responder.id, Random(9).key().data());
  wgc_handshake_set_identity(&pair.responder.hs, &pair.responder.id, nullptr);
  EXPECT_EQ(wgc_initiation_accept(&pair.responder.hs, &init, kSecond), WGC_BAD_AEAD);
}

TEST(Handshake, NothingWorksWithoutAnIdentity) {
  HandshakePair pair;
  const Message msg = pair.initiate();
  ASSERT_EQ(pair.accept(msg), WGC_OK);
  const Message response = pair.respond();
  wgc_identity_set(&pair.initiator.id, nullptr);
  wgc_identity_set(&pair.responder.id, nullptr);
  EXPECT_EQ(pair.accept(msg), WGC_BAD_STATE);
  EXPECT_EQ(pair.consume(response), WGC_BAD_STATE);
  EXPECT_EQ(pair.initiate(kUnixEpoch_ns, WGC_BAD_STATE), Message(WGC_INITIATION_LEN));
}

TEST(Identity, ClampsAndGivesBothKeysBack) {
  Key private_key = Random(3).key();
  wgc_identity id{};
  wgc_identity_set(&id, private_key.data());
  Key stored, public_key, expected;
  ASSERT_TRUE(wgc_identity_get(&id, stored.data(), public_key.data()));
  wgc_key_clamp(private_key.data());
  EXPECT_EQ(stored, private_key);
  wgc_key_public(expected.data(), private_key.data());
  EXPECT_EQ(public_key, expected);
}

TEST(Identity, AllZerosOrNullRemovesIt) {
  const Key zeros{};
  const uint8_t *const kNothing[] = {nullptr, zeros.data()};
  for (const uint8_t *nothing : kNothing) {
    wgc_identity id{};
    wgc_identity_set(&id, Random(3).key().data());
    wgc_identity_set(&id, nothing);
    Key private_key = {1}, public_key = {2};
    EXPECT_FALSE(wgc_identity_get(&id, private_key.data(), public_key.data()));
    EXPECT_EQ(private_key, Key{});
    EXPECT_EQ(public_key, Key{});
  }
}

}  // namespace
