// SPDX-License-Identifier: GPL-2.0
// Devices as they are shown: with names, states and rates, filtered and in order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model.hh"
#include "names.hh"

namespace wg::tool {

/** How a peer is doing, as far as this side can tell. Documentation/output.md has the reasons. */
enum class State {
  /** A handshake within the last 180 seconds: there is a session. */
  kUp,
  /** No session now, and nothing that asked for one. */
  kIdle,
  /** There was a session; this side still sends, and gets no new one. */
  kStale,
  /** No handshake ever, and nothing sent. */
  kNever,
  /** No handshake ever, though this side sent. */
  kRejected,
};

/** After this time a session's keys are refused (whitepaper, section 6.2: Reject-After-Time). */
inline constexpr int64_t kRejectAfter_s = 180;

/** An initiation is repeated each 5 s, so that who waits for an answer sends within two tries. */
inline constexpr int64_t kSendingFor_s = 10;

const char *state_word(State state);

/** parse_state() - from its word. Throws UsageError, which lists them. */
State parse_state(const std::string &word);

/** What was seen of a peer at one time, without its secrets. */
struct SeenPeer {
  std::optional<Endpoint> endpoint;
  int64_t handshake_s = 0;
  int64_t handshake_ns = 0;
  uint64_t rx_bytes = 0;
  uint64_t tx_bytes = 0;
  /** When this side was last seen to send, in seconds since 1970; 0: not yet. */
  int64_t sent_s = 0;
  State state = State::kNever;
};

/** A device as it was at one time. */
struct SeenDevice {
  std::map<PublicKey, SeenPeer> peers;
  /** A clock that is never set. */
  double at_s = 0;
};

/**
 * classify() - the state of a peer
 * @stale_s: how old a handshake may be for `up'
 * @sent_s: when this side was last seen to send between two reads; 0 when it was not
 */
State classify(const Peer &peer, int64_t now_s, int64_t stale_s, int64_t sent_s);

/**
 * observe() - remember a device, without its secrets
 * @before: the same device as it was earlier, or nullptr
 * @at_s: as SeenDevice has it
 */
SeenDevice observe(const Device &device, const SeenDevice *before, int64_t now_s, double at_s,
                   int64_t stale_s);

/** Bytes per second. */
struct Rate {
  double rx = 0;
  double tx = 0;
};

struct PeerView {
  const Peer *peer;
  std::string name;
  State state;
  /** Not known without an earlier read, nor when counters began anew. */
  std::optional<Rate> rate;
};

/** A device to show; it points into the Device that it was made of. */
struct DeviceView {
  const Device *device;
  std::vector<PeerView> peers;
};

enum class SortKey { kNone, kAge, kRx, kTx, kName, kKey, kEndpoint };

/** parse_sort_key() - from its word. Throws UsageError, which lists them. */
SortKey parse_sort_key(const std::string &word);

/** Which peers to show, and in which order. */
struct ViewOptions {
  /** The beginning of a public key, or a name. */
  std::string peer;
  std::optional<State> state;
  SortKey sort = SortKey::kNone;
  int64_t stale_s = kRejectAfter_s;
};

/**
 * make_view() - all that is shown of a device
 * @before: an earlier read, for rates and states; or nullptr
 * @now: this read, of observe()
 */
DeviceView make_view(const Device &device, const Names &names, const SeenDevice *before,
                     const SeenDevice &now, const ViewOptions &options);

/** is_meant() - whether @text, of --peer, is a peer's name or begins its key; empty means all */
bool is_meant(const PublicKey &key, std::string_view name, std::string_view text);

/**
 * sort_peers() - in place; peers that are alike keep their order
 *
 * Age: newest handshake first. Bytes: most first, per second where that is known. Name: those
 * without one last, by key. Endpoint: by address, those without one last.
 */
void sort_peers(std::vector<PeerView> &peers, SortKey key);

/** printable_name() - the peer's name, or the first characters of its key and two dots */
std::string printable_name(const PeerView &peer);

}  // namespace wg::tool
