// SPDX-License-Identifier: GPL-2.0
// Two peers and somebody on the link between them, who sees, drops, repeats and changes messages,
// makes macs right again, and sometimes has the keys of one side. However it goes, a message acts
// only when the other side has made it, and only once; and when the attacker leaves, the tunnel
// works again.
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "input.hh"
#include "ops.hh"
#include "test_peer.hh"

namespace {

using wgfuzz::Buffer;
using wgfuzz::Input;
using wgfuzz::MessageOp;
using wgtest::Key;
using wgtest::kMs;
using wgtest::kSecond;
using wgtest::Message;
using wgtest::SimPeer;

// Work for one input: more finds nothing that less does not.
constexpr unsigned kMaxOps = 64;
constexpr size_t kMaxInFlight = 64;

Key fixed_key(uint8_t fill) {
  Key key;
  key.fill(fill);
  return key;
}

// The part of a message that only who has the keys can make. A mac is made with a public key; the
// sender's index lies outside of what the handshake authenticates, as in the paper.
Message proof_of(const Message &msg) {
  size_t from = 8, to = msg.size();
  if (msg[0] == WGC_MSG_INITIATION) to = 116;
  if (msg[0] == WGC_MSG_RESPONSE) to = 60;
  if (msg.size() < to || to < from) return {};
  Message proof(msg.begin() + static_cast<long>(from), msg.begin() + static_cast<long>(to));
  proof.push_back(msg[0]);
  return proof;
}

class World {
 public:
  World() : a_(random_, fixed_key(1)), b_(random_, fixed_key(2)) {
    a_.meet(b_, &psk_);
    b_.meet(a_, &psk_);
    a_.transmit = [this](Message msg) { carry(b_, std::move(msg)); };
    b_.transmit = [this](Message msg) { carry(a_, std::move(msg)); };
    for (unsigned i = 0; i < 2; ++i) wgc_cookie_jar_init(&jars_[i], side(i).public_key().data());
  }

  void run(Input &in) {
    // It costs more than all the rest.
    const bool is_healed = in.u8() % 8 == 1;
    for (unsigned i = 0; i < kMaxOps && !in.empty(); ++i) step(in);
    if (is_healed && !has_future_stamp_) heal();
  }

 private:
  struct Flight {
    SimPeer *to;
    Message msg;
  };
  // What a side has been shown and has taken.
  struct Seen {
    std::set<Message> made;
    std::set<Message> taken;
    std::set<std::pair<uint32_t, uint64_t>> counters;
    std::map<Message, uint64_t> stamps;
    std::optional<uint64_t> last_stamp;
  };

  SimPeer &side(unsigned number) { return number % 2 == 0 ? a_ : b_; }
  unsigned number_of(const SimPeer &peer) const { return &peer == &a_ ? 0 : 1; }
  SimPeer &other(const SimPeer &peer) { return side(number_of(peer) + 1); }

  void made(const SimPeer &to, const Message &msg, uint64_t unix_ns) {
    Seen &seen = seen_[number_of(to)];
    const Message proof = proof_of(msg);
    seen.made.insert(proof);
    // Clocks are shown in steps of 2^24 ns.
    const uint64_t nanoseconds = unix_ns % kSecond;
    if (msg[0] == WGC_MSG_INITIATION) {
      seen.stamps[proof] = unix_ns - nanoseconds + (nanoseconds >> 24 << 24);
    }
  }

  void carry(SimPeer &to, Message msg) {
    made(to, msg, wgtest::kUnixEpoch_ns + now_ns_);
    // A cookie is for an address, and whoever is on the link reads what goes there.
    if (msg[0] == WGC_MSG_COOKIE_REPLY) {
      wgc_cookie_consume_reply(&jars_[1 - number_of(to)], msg.data(), now_ns_);
    }
    if (in_flight_.size() == kMaxInFlight) in_flight_.pop_front();
    in_flight_.push_back({&to, msg});
    recorded_.push_back({&to, std::move(msg)});
    if (recorded_.size() > kMaxInFlight) recorded_.pop_front();
  }

  void deliver(SimPeer &to, const Message &msg) {
    Seen &seen = seen_[number_of(to)];
    num_sessions_ = to.log.sessions_derived.size();
    num_delivered_ = to.log.delivered.size();
    const wgc_handshake handshake = to.handshake();
    const size_t num_keypairs = to.num_keypairs();
    const wgc_status status = to.receive(msg, now_ns_);
    REQUIRE(status < WGC_NUM_STATUS);
    const bool is_taken =
        status == WGC_OK || status == WGC_BAD_INNER_VERSION || status == WGC_BAD_INNER_LENGTH;
    if (!is_taken) {
      REQUIRE(std::memcmp(&handshake, &to.handshake(), sizeof handshake) == 0);
      REQUIRE(num_keypairs == to.num_keypairs());
      REQUIRE(num_sessions_ == to.log.sessions_derived.size());
      REQUIRE(num_delivered_ == to.log.delivered.size());
      return;
    }
    const Message proof = proof_of(msg);
    REQUIRE(seen.made.contains(proof));
    REQUIRE(seen.taken.insert(proof).second);
    const bool is_handshake = msg[0] == WGC_MSG_INITIATION || msg[0] == WGC_MSG_RESPONSE;
    REQUIRE(to.log.sessions_derived.size() == num_sessions_ + (is_handshake ? 1 : 0));
    REQUIRE(to.num_keypairs() <= 3);
    if (msg[0] == WGC_MSG_INITIATION) {
      const uint64_t stamp = seen.stamps.at(proof);
      REQUIRE(!seen.last_stamp || stamp > *seen.last_stamp);
      seen.last_stamp = stamp;
    }
    if (msg[0] == WGC_MSG_DATA) check_data(seen, msg);
    REQUIRE(to.log.delivered.size() <=
            num_delivered_ + (msg[0] == WGC_MSG_DATA && status == WGC_OK ? 1 : 0));
  }

  static void check_data(Seen &seen, const Message &msg) {
    uint32_t receiver;
    uint64_t counter;
    std::memcpy(&receiver, msg.data() + 4, sizeof receiver);
    std::memcpy(&counter, msg.data() + 8, sizeof counter);
    REQUIRE(seen.counters.emplace(receiver, counter).second);
  }

  void wait(uint64_t ns) {
    const uint64_t until_ns = now_ns_ + ns;
    for (unsigned i = 0; i < 1000; ++i) {
      const uint64_t next_ns = std::min(a_.deadline_ns(), b_.deadline_ns());
      if (next_ns > until_ns) break;
      now_ns_ = std::max(now_ns_, next_ns);
      for (SimPeer *peer : {&a_, &b_}) {
        if (peer->deadline_ns() <= now_ns_) peer->expire(now_ns_);
      }
    }
    now_ns_ = until_ns;
  }

  void step(Input &in) {
    switch (static_cast<MessageOp>(in.below(static_cast<unsigned>(MessageOp::kNumOps)))) {
      case MessageOp::kSend: {
        SimPeer &from = side(in.u8());
        from.send(packet(in.u8()), now_ns_);
        break;
      }
      case MessageOp::kWait:
        wait(in.u8() * 100 * kMs);
        break;
      case MessageOp::kDeliver:
        if (const auto flight = take_flight(in.u8())) deliver(*flight->to, flight->msg);
        break;
      case MessageOp::kLose:
        take_flight(in.u8());
        break;
      case MessageOp::kForge:
        forge(in);
        break;
      case MessageOp::kSealed:
        send_sealed(in);
        break;
      case MessageOp::kInsider:
        call_as_insider(in);
        break;
      case MessageOp::kStranger:
        call_as_stranger(side(in.u8()));
        break;
      case MessageOp::kLoad: {
        SimPeer &peer = side(in.u8());
        peer.is_under_load = in.flag();
        break;
      }
      case MessageOp::kRaw: {
        SimPeer &to = side(in.u8());
        const Message msg = in.bytes(in.u8());
        open_alone(to, msg);
        deliver(to, msg);
        break;
      }
      default: {
        SimPeer &peer = side(in.u8());
        peer.set_persistent(in.u8(), now_ns_);
        break;
      }
    }
  }

  static Message packet(size_t payload_len) {
    Message inner(20 + payload_len);
    inner[0] = 0x45;
    inner[2] = static_cast<uint8_t>(inner.size() >> 8);
    inner[3] = static_cast<uint8_t>(inner.size());
    return inner;
  }

  std::unique_ptr<Flight> take_flight(size_t which) {
    if (in_flight_.empty()) return nullptr;
    const auto it = in_flight_.begin() + static_cast<long>(which % in_flight_.size());
    auto flight = std::make_unique<Flight>(std::move(*it));
    in_flight_.erase(it);
    return flight;
  }

  // A message that was sent once, to either side, with bytes changed, cut or added. Without a
  // change it is a replay, or with another receiver a reflection.
  void forge(Input &in) {
    const uint8_t which = in.u8();
    const uint8_t how = in.u8();
    if (recorded_.empty()) return;
    const Flight &flight = recorded_[recorded_.size() - 1 - which % recorded_.size()];
    Message msg = flight.msg;
    SimPeer &to = (how & 1) != 0 ? other(*flight.to) : *flight.to;
    if ((how & 2) != 0) msg.resize(in.u8());
    for (unsigned i = 0; i < (how >> 2 & 3U) && !msg.empty(); ++i) {
      const uint8_t at = in.u8();
      msg[at % msg.size()] ^= in.u8();
    }
    if ((how & 16) != 0 && msg.size() >= WGC_MACS_LEN) {
      wgc_cookie_add_macs(&jars_[number_of(to)], msg.data(), msg.size(), now_ns_);
    }
    deliver(to, msg);
  }

  // Opening has to look after itself, whether or not the message was classified before. This one
  // was made by nobody.
  static void open_alone(const SimPeer &to, Message msg) {
    if (!to.has_current()) return;
    uint64_t counter = 0;
    const wgc_status status =
        wgc_session_open(&to.current_session(), msg.data(), msg.size(), &counter,
                         wgc_session_birth_ns(&to.current_session()));
    REQUIRE(status != WGC_OK);
    REQUIRE(msg.size() >= WGC_MIN_MESSAGE_LEN || status == WGC_BAD_LENGTH);
  }

  // An authentic peer need not be a decent one.
  void send_sealed(Input &in) {
    SimPeer &from = side(in.u8());
    const uint8_t kind = in.u8();
    const uint64_t counter = (kind & 1) != 0 ? in.u64() : in.u16();
    const size_t payload_len = (kind & 2) != 0 ? in.u8() : 0;
    const Buffer payload = in.bytes(payload_len);
    if (!from.has_current()) return;
    Message msg(payload_len + WGC_DATA_OVERHEAD);
    std::copy(payload.begin(), payload.end(), msg.begin() + WGC_DATA_HEADER_LEN);
    wgc_session_seal(&from.current_session(), msg.data(), payload_len, counter);
    made(other(from), msg, 0);
    deliver(other(from), msg);
    if ((kind & 4) != 0) deliver(other(from), msg);
  }

  Message call(const Key &private_key, SimPeer &to, const Key *psk, uint64_t unix_ns) {
    wgtest::End caller(private_key);
    Message msg(WGC_INITIATION_LEN);
    wgc_handshake_init(&caller.hs, &caller.id, to.public_key().data(),
                       psk != nullptr ? psk->data() : nullptr);
    const Key ephemeral = random_.key();
    REQUIRE(wgc_handshake_create_initiation(&caller.hs, msg.data(), &caller.id, random_.u32(),
                                            ephemeral.data(), unix_ns) == WGC_OK);
    wgc_cookie_add_macs(&jars_[number_of(to)], msg.data(), msg.size(), now_ns_);
    return msg;
  }

  void call_as_insider(Input &in) {
    SimPeer &to = side(in.u8());
    const uint8_t steps = in.u8();
    // Half of the stamps lie in the past; one step is a tenth of a second.
    uint64_t unix_ns = wgtest::kUnixEpoch_ns + now_ns_ - 128 * 100 * kMs + steps * 100 * kMs;
    if (steps == 255) unix_ns = in.u64();
    if (unix_ns > wgtest::kUnixEpoch_ns + now_ns_) has_future_stamp_ = true;
    const Message msg = call(fixed_key(&to == &a_ ? 2 : 1), to, &psk_, unix_ns);
    made(to, msg, unix_ns);
    deliver(to, msg);
  }

  void call_as_stranger(SimPeer &to) {
    deliver(to, call(fixed_key(3), to, nullptr, wgtest::kUnixEpoch_ns + now_ns_));
  }

  // Some minutes without an attacker. By then both sides have to get packets across.
  void heal() {
    in_flight_.clear();
    for (SimPeer *peer : {&a_, &b_}) peer->is_under_load = false;
    // Of no keys that were there before.
    wait(200 * kSecond);
    in_flight_.clear();
    size_t num_before[2] = {};
    for (unsigned round = 0; round < 30; ++round) {
      if (round == 28) {
        for (unsigned i = 0; i < 2; ++i) num_before[i] = side(i).log.delivered.size();
      }
      for (SimPeer *peer : {&a_, &b_}) peer->send(packet(round), now_ns_);
      for (unsigned i = 0; i < 50; ++i) {
        wait(200 * kMs);
        for (size_t num = in_flight_.size(); num > 0 && !in_flight_.empty(); --num) {
          if (const auto flight = take_flight(0)) deliver(*flight->to, flight->msg);
        }
      }
    }
    for (unsigned i = 0; i < 2; ++i) REQUIRE(side(i).log.delivered.size() >= num_before[i] + 2);
  }

  wgtest::Random random_{1};
  const Key psk_ = fixed_key(9);
  uint64_t now_ns_ = kSecond;
  SimPeer a_, b_;
  // The attacker's cookies, for messages to each side.
  wgc_cookie_jar jars_[2] = {};
  std::deque<Flight> in_flight_, recorded_;
  Seen seen_[2];
  size_t num_sessions_ = 0, num_delivered_ = 0;
  bool has_future_stamp_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int * /*argc*/, char *** /*argv*/) {
  // SimPeer asserts through GoogleTest: make that end the run.
  ::testing::GTEST_FLAG(throw_on_failure) = true;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  World world;
  world.run(in);
  return 0;
}
