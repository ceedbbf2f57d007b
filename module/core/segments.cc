// SPDX-License-Identifier: GPL-2.0
#include "segments.hh"

namespace wg {

const uint8_t *SegmentReader::gather(uint8_t *dst, size_t len) {
  while (segment->len == done) {
    ++segment;
    done = 0;
  }
  if (segment->len - done >= len) return next(dst, len);
  for (size_t num = 0; num < len;) {
    const size_t now = min(segment->len - done, len - num);
    const uint8_t *const at = segment->data + done;
    // What is there already stays.
    if (now != 0 && at != dst + num) copy(dst + num, at, now);
    num += now;
    done += now;
    if (num == len) break;
    ++segment;
    done = 0;
  }
  return dst;
}

}  // namespace wg
