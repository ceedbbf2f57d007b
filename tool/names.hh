// SPDX-License-Identifier: GPL-2.0
// Names of peers: comments in configuration files.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "io.hh"
#include "key.hh"

namespace wg::tool {

/** Bytes of a name; what is longer is cut. */
inline constexpr size_t kMaxNameLen = 64;

/** A file of names that is larger is refused. */
inline constexpr size_t kMaxNamesFileLen = 16 << 20;

using Names = std::map<PublicKey, std::string>;

/**
 * parse_names() - the names that comments in a configuration file give to peers
 *
 * `# Name = X` and `# friendly_name = X` within a [Peer] block, or directly above it; `### Client
 * X` and `### begin X ###` directly above it. "Directly" allows other comments between, but no
 * empty line. A name within the block wins over one above it, and the first of several wins.
 * Nothing is refused: what is no name is passed over. No copies are made but of names and public
 * keys.
 */
Names parse_names(std::string_view text);

/** Where to read names. */
struct NameOptions {
  bool enabled = true;
  /** For all devices; empty: a file for each device. */
  std::string file;
  /** NAME.conf in it is the file of device NAME. */
  std::string directory = "/etc/wireguard";
};

/** Reads the names of devices when they are first asked for. */
class NameSource {
 public:
  explicit NameSource(NameOptions options) : options_(std::move(options)) {}

  /**
   * names() - those of the peers of one device
   *
   * A file that is not there has no names. Trouble with one that is there is told once, in @err.
   * Throws Error when the file that the user named cannot be read.
   */
  const Names &names(const std::string &device, Output &err);

  /** forget() - read anew when asked next */
  void forget(const std::string &device) { known_.erase(key(device)); }

 private:
  const std::string &key(const std::string &device) const {
    return options_.file.empty() ? device : options_.file;
  }
  Names read(const std::string &device) const;

  NameOptions options_;
  std::map<std::string, Names> known_;
  std::map<std::string, std::string> told_;
};

}  // namespace wg::tool
