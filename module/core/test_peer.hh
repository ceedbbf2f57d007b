// SPDX-License-Identifier: GPL-2.0
// For tests only: a peer and its device on one side of a link, doing what the glue does, and
// driven through the wall alone. It takes any bytes from the link.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>

#include "test_util.hh"

namespace wgtest {

class SimPeer {
 public:
  static constexpr size_t kMaxStaged = 128;
  static constexpr uint32_t kMtu = 1420;

  // What the scenarios look at. Times are when it happened.
  struct Log {
    std::vector<uint64_t> initiations_sent, responses_sent, keepalives_sent, data_sent;
    std::vector<uint64_t> sessions_derived, keys_wiped, purges;
    std::vector<uint64_t> cookies_received, cookie_replies_sent;
    std::vector<Message> delivered;
    uint64_t verdicts[WGC_NUM_STATUS] = {};
    uint64_t num_unknown_index = 0;
  };

  SimPeer(Random &random, const Key &private_key) : random_(random), end_(private_key) {
    wgc_cookie_checker_init(&checker_, random_.key().data(), 0);
    wgc_cookie_checker_set_identity(&checker_, &end_.id);
    wgc_timers_init(&timers_);
  }

  void meet(const Key &remote_public, const Key *psk = nullptr) {
    end_.meet(remote_public, psk);
    remote_public_ = remote_public;
    wgc_cookie_jar_init(&jar_, remote_public_.data());
  }
  void meet(const SimPeer &other, const Key *psk = nullptr) { meet(other.end_.public_key, psk); }

  // Where encrypted messages go.
  std::function<void(Message)> transmit;
  // The address that the other side's messages come from.
  std::vector<uint8_t> remote_source = {192, 0, 2, 1, 0xca, 0x6c};
  bool is_under_load = false;
  Log log;

  // A packet for the tunnel. Empty is a keepalive.
  void send(const Message &inner, uint64_t now_ns) {
    if (staged_.size() == kMaxStaged) staged_.pop_front();
    staged_.push_back(inner);
    send_staged(now_ns);
  }

  void send_keepalive(uint64_t now_ns) {
    if (staged_.empty())
      send({}, now_ns);
    else
      send_staged(now_ns);
  }

  // Sends a keepalive at once, as on a configured device.
  void set_persistent(uint16_t seconds, uint64_t now_ns) {
    const bool was_off = wgc_timers_persistent(&timers_) == 0;
    wgc_timers_set_persistent(&timers_, seconds);
    if (was_off && seconds != 0) send_keepalive(now_ns);
  }

  wgc_status receive(Message msg, uint64_t now_ns) {
    const wgc_status status = handle(msg, now_ns);
    ++log.verdicts[status];
    return status;
  }

  uint64_t deadline_ns() const { return deadline_ns_; }

  void expire(uint64_t now_ns) {
    const uint32_t actions = wgc_timers_expire(&timers_, &deadline_ns_, now_ns);
    if (actions & WGC_ACT_PURGE_STAGED) {
      staged_.clear();
      log.purges.push_back(now_ns);
    }
    if (actions & WGC_ACT_INITIATE) initiate((actions & WGC_ACT_RETRY) != 0, now_ns);
    if (actions & WGC_ACT_KEEPALIVE) send_keepalive(now_ns);
    if (actions & WGC_ACT_ZERO_KEYS) {
      wgc_handshake_clear(&end_.hs);
      handshake_index_ = 0;
      wgc_dropped dropped;
      wgc_keyslots_clear(&slots_, &dropped);
      release(dropped);
      log.keys_wiped.push_back(now_ns);
    }
  }

  const Key &public_key() const { return end_.public_key; }
  const wgc_handshake &handshake() const { return end_.hs; }
  size_t num_staged() const { return staged_.size(); }
  size_t num_keypairs() const { return keypairs_.size(); }
  bool has_current() const { return slots_.current_key != nullptr; }
  const wgc_session &current_session() const {
    return static_cast<Keypair *>(slots_.current_key)->session;
  }

 private:
  struct Keypair {
    wgc_session session{};
    uint32_t local_index = 0;
    uint64_t next_counter = 0;
  };

  void event(uint32_t events, uint64_t now_ns) {
    deadline_ns_ = wgc_timers_event(&timers_, events, random_.u32(), now_ns);
  }

  uint32_t new_index() {
    uint32_t index;
    do {
      index = random_.u32();
    } while (index == 0 || index == handshake_index_ || find(index) != nullptr);
    return index;
  }

  Keypair *find(uint32_t local_index) const {
    for (const auto &keypair : keypairs_)
      if (keypair->local_index == local_index) return keypair.get();
    return nullptr;
  }

  void release(const wgc_dropped &dropped) {
    for (uint32_t i = 0; i < dropped.num_keys; ++i) {
      wgc_wipe(&static_cast<Keypair *>(dropped.keys[i])->session, sizeof(wgc_session));
      const auto gone =
          std::remove_if(keypairs_.begin(), keypairs_.end(),
                         [&](const auto &keypair) { return keypair.get() == dropped.keys[i]; });
      ASSERT_NE(gone, keypairs_.end()) << "dropped a keypair that was not in a slot";
      keypairs_.erase(gone, keypairs_.end());
    }
  }

  void send_staged(uint64_t now_ns) {
    if (staged_.empty()) return;
    auto *key = static_cast<Keypair *>(slots_.current_key);
    if (key == nullptr ||
        wgc_session_may_send(&key->session, key->next_counter + staged_.size() - 1, now_ns) !=
            WGC_OK) {
      initiate(false, now_ns);
      return;
    }
    uint32_t events = WGC_EV_ANY_SENT;
    std::deque<Message> batch;
    batch.swap(staged_);
    for (const Message &inner : batch) {
      if (!inner.empty()) events |= WGC_EV_DATA_SENT;
      (inner.empty() ? log.keepalives_sent : log.data_sent).push_back(now_ns);
      const size_t inner_len = inner.size();
      const size_t plain_len = inner_len + wgc_padding_len(static_cast<uint32_t>(inner_len), kMtu);
      Message packet(plain_len + WGC_DATA_OVERHEAD);
      std::copy(inner.begin(), inner.end(), packet.begin() + WGC_DATA_HEADER_LEN);
      wgc_session_seal(&key->session, packet.data(), plain_len, key->next_counter++);
      transmit(std::move(packet));
    }
    event(events, now_ns);
    if (wgc_session_rekey_on_send(&key->session, key->next_counter, now_ns))
      initiate(false, now_ns);
  }

  void initiate(bool is_retry, uint64_t now_ns) {
    if (!wgc_timers_begin_initiation(&timers_, is_retry, now_ns)) return;
    const uint32_t index = new_index();
    Message msg(WGC_INITIATION_LEN);
    if (wgc_handshake_create_initiation(&end_.hs, msg.data(), &end_.id, index, random_.key().data(),
                                        kUnixEpoch_ns + now_ns) != WGC_OK)
      return;
    handshake_index_ = index;
    wgc_cookie_add_macs(&jar_, msg.data(), msg.size(), now_ns);
    log.initiations_sent.push_back(now_ns);
    event(WGC_EV_ANY_SENT | WGC_EV_INITIATION_SENT, now_ns);
    transmit(std::move(msg));
  }

  wgc_status handle(Message &msg, uint64_t now_ns) {
    wgc_message_type type;
    const wgc_status status = wgc_message_classify(msg.data(), msg.size(), &type);
    if (status != WGC_OK) return status;
    const uint32_t receiver = wgc_message_receiver(type, msg.data());
    switch (type) {
      case WGC_MSG_INITIATION:
        return handle_initiation(msg, now_ns);
      case WGC_MSG_RESPONSE:
        return handle_response(msg, receiver, now_ns);
      case WGC_MSG_COOKIE_REPLY:
        return handle_cookie_reply(msg, receiver, now_ns);
      case WGC_MSG_DATA:
        break;
    }
    return handle_data(msg, receiver, now_ns);
  }

  // Whether a handshake message may be looked into; answers with a cookie if not.
  wgc_status check_macs(const Message &msg, uint64_t now_ns) {
    const wgc_status status = wgc_cookie_check(&checker_, msg.data(), msg.size(),
                                               remote_source.data(), remote_source.size(), now_ns);
    if (status != WGC_NEED_COOKIE || !is_under_load)
      return status == WGC_NEED_COOKIE ? WGC_OK : status;
    if (wgc_cookie_secret_expired(&checker_, now_ns))
      wgc_cookie_secret_renew(&checker_, random_.key().data(), now_ns);
    Message reply(WGC_COOKIE_REPLY_LEN);
    uint8_t nonce[WGC_COOKIE_NONCE_LEN];
    random_.fill(nonce, sizeof nonce);
    wgc_cookie_create_reply(&checker_, reply.data(), msg.data(), msg.size(), remote_source.data(),
                            remote_source.size(), nonce);
    log.cookie_replies_sent.push_back(now_ns);
    transmit(std::move(reply));
    return status;
  }

  wgc_status handle_initiation(const Message &msg, uint64_t now_ns) {
    wgc_status status = check_macs(msg, now_ns);
    if (status != WGC_OK) return status;
    wgc_initiation init;
    Key caller;
    status = wgc_initiation_open(&init, caller.data(), &end_.id, msg.data());
    if (status == WGC_OK && caller != remote_public_) status = WGC_BAD_STATE;
    if (status == WGC_OK) status = wgc_initiation_accept(&end_.hs, &init, now_ns);
    wgc_wipe(&init, sizeof init);
    if (status != WGC_OK) return status;
    event(WGC_EV_ANY_RECEIVED, now_ns);
    handshake_index_ = 0;

    Message response(WGC_RESPONSE_LEN);
    const uint32_t index = new_index();
    status = wgc_handshake_create_response(&end_.hs, response.data(), index, random_.key().data());
    if (status != WGC_OK) return status;
    wgc_cookie_add_macs(&jar_, response.data(), response.size(), now_ns);
    install(index, now_ns);
    log.responses_sent.push_back(now_ns);
    event(WGC_EV_ANY_SENT | WGC_EV_RESPONSE_SENT | WGC_EV_SESSION_DERIVED, now_ns);
    transmit(std::move(response));
    return WGC_OK;
  }

  wgc_status handle_response(const Message &msg, uint32_t receiver, uint64_t now_ns) {
    wgc_status status = check_macs(msg, now_ns);
    if (status != WGC_OK) return status;
    if (receiver == 0 || receiver != handshake_index_) {
      ++log.num_unknown_index;
      return WGC_BAD_STATE;
    }
    status = wgc_handshake_consume_response(&end_.hs, &end_.id, msg.data());
    if (status != WGC_OK) return status;
    handshake_index_ = 0;
    install(receiver, now_ns);
    event(WGC_EV_ANY_RECEIVED | WGC_EV_HANDSHAKE_COMPLETE | WGC_EV_SESSION_DERIVED, now_ns);
    // Also tells the responder that its key works.
    send_keepalive(now_ns);
    return WGC_OK;
  }

  wgc_status handle_cookie_reply(const Message &msg, uint32_t receiver, uint64_t now_ns) {
    if ((receiver == 0 || receiver != handshake_index_) && find(receiver) == nullptr) {
      ++log.num_unknown_index;
      return WGC_BAD_COOKIE;
    }
    const wgc_status status = wgc_cookie_consume_reply(&jar_, msg.data(), now_ns);
    if (status == WGC_OK) log.cookies_received.push_back(now_ns);
    return status;
  }

  wgc_status handle_data(Message &msg, uint32_t receiver, uint64_t now_ns) {
    Keypair *key = find(receiver);
    if (key == nullptr) {
      ++log.num_unknown_index;
      return WGC_EXPIRED;
    }
    uint64_t counter;
    wgc_status status = wgc_session_open(&key->session, msg.data(), msg.size(), &counter, now_ns);
    if (status == WGC_OK) status = wgc_session_accept(&key->session, counter);
    if (status != WGC_OK) return status;

    wgc_dropped dropped;
    if (wgc_keyslots_confirm(&slots_, &dropped, key)) {
      release(dropped);
      event(WGC_EV_HANDSHAKE_COMPLETE, now_ns);
      send_staged(now_ns);
    }
    if (wgc_session_rekey_on_receive(&key->session, now_ns)) initiate(false, now_ns);

    const uint8_t *plain = msg.data() + WGC_DATA_HEADER_LEN;
    const size_t plain_len = msg.size() - WGC_DATA_OVERHEAD;
    event(WGC_EV_ANY_RECEIVED | (plain_len != 0 ? uint32_t{WGC_EV_DATA_RECEIVED} : 0), now_ns);
    if (plain_len == 0) return WGC_OK;
    wgc_inner inner;
    status = wgc_inner_parse(plain, plain_len, plain_len, &inner);
    if (status == WGC_OK) log.delivered.emplace_back(plain, plain + inner.total_len);
    return status;
  }

  // Puts the session of a finished handshake into its slot.
  void install(uint32_t local_index, uint64_t now_ns) {
    auto keypair = std::make_unique<Keypair>();
    keypair->local_index = local_index;
    ASSERT_EQ(wgc_handshake_begin_session(&end_.hs, &keypair->session, now_ns), WGC_OK);
    wgc_dropped dropped;
    wgc_keyslots_install(&slots_, &dropped, keypair.get(),
                         wgc_session_is_initiator(&keypair->session));
    release(dropped);
    keypairs_.push_back(std::move(keypair));
    log.sessions_derived.push_back(now_ns);
  }

  Random &random_;
  End end_;
  Key remote_public_{};
  wgc_cookie_checker checker_{};
  wgc_cookie_jar jar_{};
  wgc_timers timers_{};
  uint64_t deadline_ns_ = WGC_NO_DEADLINE;
  wgc_keyslots slots_{};
  std::vector<std::unique_ptr<Keypair>> keypairs_;
  uint32_t handshake_index_ = 0;
  std::deque<Message> staged_;
};

}  // namespace wgtest
