// SPDX-License-Identifier: GPL-2.0
// Inner packets: their IP header (RFC 791, RFC 8200) and the padding that hides their length
// (the paper, 5.4.6).
#pragma once

#include "params.hh"

namespace wg {

// data: what may be read, packet_len: the packet's length. IPv4 options are not read and may lie
// outside of data.
Status inner_parse(ConstBytes data, size_t packet_len, wgc_inner *inner);

// Zeros to append; mtu 0 means no limit.
uint32_t padding_len(uint32_t packet_len, uint32_t mtu);

}  // namespace wg
