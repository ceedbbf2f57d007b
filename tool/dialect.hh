// SPDX-License-Identifier: GPL-2.0
// By whose rules text is read.
#pragma once

namespace wg::tool {

enum class Dialect {
  /** Ours: what would silently do something else than what was written is refused. */
  kStrict,
  /** Those of wg(8), for who calls us by its name: it takes what wg takes, in wg's words. */
  kWg,
};

}  // namespace wg::tool
