// SPDX-License-Identifier: GPL-2.0
// What wgpp says of a device beyond what others do: drops by reason, and sessions. The contract is
// module/uapi/wgpp.h.
#pragma once

#include <netlink/msg.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "endpoint.hh"
#include "key.hh"
#include "uapi/wgpp.h"

namespace wg::tool {

/** Times are nanoseconds since the machine started, 0 for never. */
struct PastEndpoint {
  Endpoint endpoint;
  uint64_t since_ns = 0;
};

/** How many packets were dropped, by enum wgpp_drop. */
using Drops = std::array<uint64_t, WGPP_NUM_DROPS>;

struct PeerDiagnostics {
  PublicKey public_key;
  Drops drops{};
  std::optional<uint32_t> last_drop;
  uint64_t last_drop_ns = 0;
  /** errno of the last packet that could not be sent; 0 for none. */
  int last_error = 0;
  uint64_t num_handshakes = 0;
  /** Initiations that were sent for the handshake under way; 0 when there is none. */
  uint32_t num_attempts = 0;
  /** When the sessions began that the peer has. */
  uint64_t current_ns = 0, previous_ns = 0, next_ns = 0;
  /** Packets that wait for a handshake. */
  uint32_t num_staged = 0;
  /** When the next timer goes off. */
  uint64_t next_timer_ns = 0;
  /** Newest first. */
  std::vector<PastEndpoint> endpoints;
};

struct Diagnostics {
  std::string name;
  uint64_t now_ns = 0;
  Drops drops{};
  std::vector<PeerDiagnostics> peers;
};

/** drop_name() - "no-peer"; nullptr for a reason that is newer than this program */
const char *drop_name(uint32_t reason);

/** drop_meaning() - "destination in nobody's AllowedIPs" */
const char *drop_meaning(uint32_t reason);

/**
 * decode_diagnostics() - add one message of a dump to @diagnostics
 *
 * Throws SystemError(EBADMSG) for what is malformed; newer reasons are passed over.
 */
void decode_diagnostics(Diagnostics &diagnostics, const nlmsghdr *header);

}  // namespace wg::tool
