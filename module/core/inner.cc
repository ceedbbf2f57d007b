// SPDX-License-Identifier: GPL-2.0
#include "inner.hh"

namespace wg {
namespace {

// RFC 791, 3.1
constexpr size_t kV4HeaderLen = 20;
constexpr size_t kV4DsField = 1;
constexpr size_t kV4TotalLen = 2;
constexpr size_t kV4Source = 12;
constexpr size_t kV4Destination = 16;

// RFC 8200, 3
constexpr size_t kV6HeaderLen = 40;
constexpr size_t kV6PayloadLen = 4;
constexpr size_t kV6Source = 8;
constexpr size_t kV6Destination = 24;

Status parse_v4(ConstBytes data, size_t packet_len, wgc_inner *inner) {
  if (data.size() < kV4HeaderLen) return WGC_BAD_INNER_LENGTH;
  const uint8_t *header = data.data();
  const size_t header_len = (header[0] & 0x0f) * size_t{4};
  const size_t total_len = load_be<uint16_t>(header + kV4TotalLen);
  if (header_len < kV4HeaderLen || total_len < header_len || total_len > packet_len)
    return WGC_BAD_INNER_LENGTH;
  inner->source = header + kV4Source;
  inner->destination = header + kV4Destination;
  inner->total_len = static_cast<uint32_t>(total_len);
  inner->addr_len = 4;
  inner->ds_field = header[kV4DsField];
  return WGC_OK;
}

Status parse_v6(ConstBytes data, size_t packet_len, wgc_inner *inner) {
  if (data.size() < kV6HeaderLen) return WGC_BAD_INNER_LENGTH;
  const uint8_t *header = data.data();
  const size_t total_len = kV6HeaderLen + load_be<uint16_t>(header + kV6PayloadLen);
  if (total_len > packet_len) return WGC_BAD_INNER_LENGTH;
  inner->source = header + kV6Source;
  inner->destination = header + kV6Destination;
  inner->total_len = static_cast<uint32_t>(total_len);
  inner->addr_len = 16;
  // The traffic class straddles the first two bytes.
  inner->ds_field = static_cast<uint8_t>(load_be<uint16_t>(header) >> 4);
  return WGC_OK;
}

}  // namespace

Status inner_parse(ConstBytes data, size_t packet_len, wgc_inner *inner) {
  if (data.empty()) return WGC_BAD_INNER_LENGTH;
  switch (data[0] >> 4) {
    case 4:
      return parse_v4(data, packet_len, inner);
    case 6:
      return parse_v6(data, packet_len, inner);
    default:
      return WGC_BAD_INNER_VERSION;
  }
}

uint32_t padding_len(uint32_t packet_len, uint32_t mtu) {
  uint32_t last_unit = packet_len;
  // A packet that will be fragmented is padded as its last fragment.
  if (mtu != 0 && packet_len > mtu) last_unit = packet_len % mtu;
  const uint32_t padding = (0u - last_unit) % kPaddingMultiple;
  return mtu == 0 ? padding : min(padding, mtu - last_unit);
}

}  // namespace wg
