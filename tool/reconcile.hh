// SPDX-License-Identifier: GPL-2.0
// From how a device is to how its file wants it, with as little as possible in between.
#pragma once

#include <string>
#include <vector>

#include "model.hh"

namespace wg::tool {

/**
 * minimal_change() - what turns @current into @wanted
 * @wanted: a file, its endpoints resolved. What it omits: a key, a port and endpoints stay;
 *          preshared keys, keepalives, AllowedIPs and whole peers go.
 *
 * Only peers that differ are in it, and of these only what differs, so that sessions stay.
 */
DeviceChange minimal_change(const DeviceChange &wanted, const Device &current);

/** is_empty() - whether @change would do nothing */
bool is_empty(const DeviceChange &change);

/** as_change() - the whole of @device, for going back to it */
DeviceChange as_change(const Device &device);

/** Lines of one part of a device, and how they differ. */
struct Difference {
  /** "[Interface]" or "[Peer] KEY". */
  std::string section;
  /** Each begins with '-' (there is) or '+' (the file wants). Secrets are not shown. */
  std::vector<std::string> lines;
};

/** differences() - @change, as it would read in the file; @current as for minimal_change() */
std::vector<Difference> differences(const DeviceChange &change, const Device &current);

}  // namespace wg::tool
