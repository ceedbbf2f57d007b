// SPDX-License-Identifier: GPL-2.0
// A packet's text that lies in several places, on its way to the one where it is sealed.
#pragma once

#include "aead.hh"

namespace wg {

// Goes over such a text in pieces. Inlined, as objects with instructions of their own use it.
struct SegmentReader {
  const wgc_segment *segment;
  size_t done;  // bytes of it

  // The next len bytes: where they lie, if that is in one piece, or at dst, which is where they are
  // going to anyway.
  [[gnu::always_inline]] const uint8_t *next(uint8_t *dst, size_t len) {
    if (segment->len - done < len) return gather(dst, len);
    const uint8_t *const at = segment->data + done;
    done += len;
    return at;
  }

 private:
  const uint8_t *gather(uint8_t *dst, size_t len);
};

// All of it in one piece.
[[gnu::always_inline]] inline const uint8_t *linear_text(const AeadPacket &packet) {
  if (packet.segments == nullptr) return packet.src;
  SegmentReader reader = {packet.segments, 0};
  return reader.next(packet.dst, packet.len);
}

}  // namespace wg
