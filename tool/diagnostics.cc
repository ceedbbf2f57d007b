// SPDX-License-Identifier: GPL-2.0
#include "diagnostics.hh"

#include <linux/genetlink.h>
#include <net/if.h>

#include "attributes.hh"

namespace wg::tool {
namespace {

struct Reason {
  const char *name;
  const char *meaning;
};

constexpr Reason kReasons[] = {
#define WGTOOL_REASON(symbol, name, meaning) {name, meaning},
    WGPP_DROPS(WGTOOL_REASON)
#undef WGTOOL_REASON
};
static_assert(std::size(kReasons) == WGPP_NUM_DROPS);

void decode_drops(Drops &drops, const nlattr *nest) {
  if (nest == nullptr) return;
  for_each(nest, "drops", [&](const nlattr *attribute) {
    const int type = nla_type(attribute);
    if (type < 1 || type > WGPP_NUM_DROPS) return;
    load_if_there(drops.at(static_cast<size_t>(type) - 1), attribute, "number of drops");
  });
}

PastEndpoint decode_past_endpoint(const nlattr *nest) {
  nlattr *table[WGPP_ENDPOINT_A_MAX + 1];
  split_nest(table, WGPP_ENDPOINT_A_MAX, nest, "endpoint");
  if (table[WGPP_ENDPOINT_A_ADDRESS] == nullptr) fail_malformed("endpoint without an address");
  PastEndpoint past;
  const auto endpoint = load_endpoint(table[WGPP_ENDPOINT_A_ADDRESS], "address of an endpoint");
  if (!endpoint) fail_malformed("family of an endpoint");
  past.endpoint = *endpoint;
  load_if_there(past.since_ns, table[WGPP_ENDPOINT_A_SINCE], "time of an endpoint");
  return past;
}

PeerDiagnostics decode_peer(const nlattr *nest) {
  nlattr *table[WGPP_PEER_A_MAX + 1];
  split_nest(table, WGPP_PEER_A_MAX, nest, "peer");
  if (exact(table[WGPP_PEER_A_PUBLIC_KEY], kKeyLen, "public key of a peer") == nullptr) {
    fail_malformed("peer without a public key");
  }
  PeerDiagnostics peer;
  peer.public_key = load<PublicKey>(table[WGPP_PEER_A_PUBLIC_KEY]);
  decode_drops(peer.drops, table[WGPP_PEER_A_DROPS]);
  if (exact(table[WGPP_PEER_A_LAST_DROP], sizeof(uint32_t), "last drop of a peer") != nullptr) {
    peer.last_drop = load<uint32_t>(table[WGPP_PEER_A_LAST_DROP]);
  }
  load_if_there(peer.last_drop_ns, table[WGPP_PEER_A_LAST_DROP_TIME], "time of a peer's last drop");
  load_if_there(peer.last_error, table[WGPP_PEER_A_LAST_ERROR], "last error of a peer");
  load_if_there(peer.num_handshakes, table[WGPP_PEER_A_HANDSHAKES], "handshakes of a peer");
  load_if_there(peer.num_attempts, table[WGPP_PEER_A_ATTEMPTS], "attempts of a peer");
  load_if_there(peer.current_ns, table[WGPP_PEER_A_CURRENT_BIRTH], "session of a peer");
  load_if_there(peer.previous_ns, table[WGPP_PEER_A_PREVIOUS_BIRTH], "session of a peer");
  load_if_there(peer.next_ns, table[WGPP_PEER_A_NEXT_BIRTH], "session of a peer");
  load_if_there(peer.num_staged, table[WGPP_PEER_A_NUM_STAGED], "waiting packets of a peer");
  load_if_there(peer.next_timer_ns, table[WGPP_PEER_A_NEXT_TIMER], "timer of a peer");
  if (table[WGPP_PEER_A_ENDPOINTS] != nullptr) {
    for_each(table[WGPP_PEER_A_ENDPOINTS], "endpoints of a peer", [&](const nlattr *endpoint) {
      peer.endpoints.push_back(decode_past_endpoint(endpoint));
    });
  }
  return peer;
}

}  // namespace

const char *drop_name(uint32_t reason) {
  return reason < WGPP_NUM_DROPS ? kReasons[reason].name : nullptr;
}

const char *drop_meaning(uint32_t reason) {
  return reason < WGPP_NUM_DROPS ? kReasons[reason].meaning : nullptr;
}

void decode_diagnostics(Diagnostics &diagnostics, const nlmsghdr *header) {
  nlattr *table[WGPP_A_MAX + 1];
  split_message(table, WGPP_A_MAX, header, GENL_HDRLEN, "diagnostics");
  if (table[WGPP_A_IFNAME] != nullptr) {
    diagnostics.name = load_string(table[WGPP_A_IFNAME], IF_NAMESIZE - 1);
  }
  load_if_there(diagnostics.now_ns, table[WGPP_A_NOW], "time");
  decode_drops(diagnostics.drops, table[WGPP_A_DROPS]);
  if (table[WGPP_A_PEERS] != nullptr) {
    for_each(table[WGPP_A_PEERS], "peers",
             [&](const nlattr *peer) { diagnostics.peers.push_back(decode_peer(peer)); });
  }
}

}  // namespace wg::tool
