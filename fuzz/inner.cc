// SPDX-License-Identifier: GPL-2.0
// Inner packets: header, trim, padding, and whether the source belongs to the peer, as a packet
// goes through them after it has been opened.
#include <vector>

#include "input.hh"
#include "wgcore.h"

namespace {

using wgfuzz::Buffer;
using wgfuzz::Input;

// The header read again, with other arithmetic.
wgc_status model_parse(const Buffer &data, size_t packet_len, size_t *total_len) {
  if (data.empty()) return WGC_BAD_INNER_LENGTH;
  const unsigned version = data[0] / 16;
  if (version != 4 && version != 6) return WGC_BAD_INNER_VERSION;
  const size_t least = version == 4 ? 20 : 40;
  if (data.size() < least) return WGC_BAD_INNER_LENGTH;
  const size_t at = version == 4 ? 2 : 4;
  *total_len = data[at] * size_t{256} + data[at + 1] + (version == 6 ? least : 0);
  const size_t header_len = version == 4 ? data[0] % 16 * size_t{4} : least;
  const bool fits = header_len >= least && *total_len >= header_len && *total_len <= packet_len;
  return fits ? WGC_OK : WGC_BAD_INNER_LENGTH;
}

// Zeros are appended one by one.
uint32_t model_padding(uint32_t packet_len, uint32_t mtu) {
  const uint32_t last = mtu != 0 && packet_len > mtu ? packet_len % mtu : packet_len;
  uint32_t padded = last;
  while (padded % 16 != 0 && (mtu == 0 || padded < mtu)) ++padded;
  return padded - last;
}

bool in_prefix(const uint8_t *addr, const wgc_prefix &prefix) {
  for (unsigned bit = 0; bit < prefix.cidr; ++bit) {
    const unsigned mask = 0x80U >> bit % 8;
    if ((addr[bit / 8] & mask) != (prefix.addr[bit / 8] & mask)) return false;
  }
  return true;
}

// One prefix of the peer: the source is accepted when it lies inside.
void check_source(Input &in, const wgc_inner &inner) {
  wgc_prefix prefix{};
  prefix.addr_len = inner.addr_len;
  prefix.cidr = static_cast<uint8_t>(in.u8() % (inner.addr_len * 8U + 1));
  std::memcpy(prefix.addr, inner.source, inner.addr_len);
  prefix.addr[in.below(inner.addr_len)] ^= in.u8();

  wgc_trie trie;
  wgc_trie_init(&trie);
  wgc_trie_entry entry;
  wgc_trie_plan plan;
  wgc_trie_freed freed;
  int peer;
  wgc_trie_prepare(&trie, &plan, &prefix);
  std::vector<uint64_t> memory[WGC_TRIE_PLAN_BLOCKS];
  void *blocks[WGC_TRIE_PLAN_BLOCKS];
  for (size_t i = 0; i < std::size(memory); ++i) {
    memory[i].resize(plan.len[i] / 8);
    blocks[i] = memory[i].data();
  }
  wgc_trie_insert(&trie, &plan, &entry, &prefix, &peer, blocks, &freed);
  const bool is_owned = wgc_trie_lookup(&trie, inner.source, inner.addr_len) == &peer;
  REQUIRE(is_owned == in_prefix(inner.source, prefix));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  const uint32_t mtu = in.u16();
  const uint32_t sent_len = in.flag() ? in.u16() : in.u32() % 200000;
  const uint32_t padding = wgc_padding_len(sent_len, mtu);
  REQUIRE(padding == model_padding(sent_len, mtu));
  REQUIRE(padding < 16);

  const size_t extra_len = in.u16();
  const size_t source_seed = in.u16();
  const std::string text = in.rest();
  const Buffer packet(text.begin(), text.end());
  const size_t packet_len = packet.size() + extra_len;
  wgc_inner inner{};
  const wgc_status status = wgc_inner_parse(packet.data(), packet.size(), packet_len, &inner);
  size_t total_len = 0;
  REQUIRE(status == model_parse(packet, packet_len, &total_len));
  if (status != WGC_OK) return 0;
  REQUIRE(inner.total_len == total_len && inner.total_len <= packet_len);
  REQUIRE(inner.addr_len == (packet[0] / 16 == 4 ? 4 : 16));
  const uint8_t *const end = packet.data() + packet.size();
  REQUIRE(inner.source > packet.data() && inner.source + inner.addr_len == inner.destination);
  REQUIRE(inner.destination + inner.addr_len <= end);
  const unsigned ds_field =
      inner.addr_len == 4 ? packet[1] : (packet[0] % 16 * 16U) | (packet[1] / 16U);
  REQUIRE(inner.ds_field == ds_field);
  uint8_t choice[3] = {static_cast<uint8_t>(source_seed), static_cast<uint8_t>(source_seed >> 8),
                       static_cast<uint8_t>(source_seed >> 5)};
  Input source(choice, sizeof choice);
  check_source(source, inner);
  return 0;
}
