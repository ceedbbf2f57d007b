// SPDX-License-Identifier: GPL-2.0
// setconf, addconf, syncconf: three ways to apply a configuration file.
#include <algorithm>
#include <set>

#include "commands.hh"
#include "config.hh"
#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

Config read_config(Context &context, Arguments arguments) {
  constexpr size_t kMaxConfigLen = 64 << 20;
  if (arguments.size() != 2) throw UsageError();
  const SecretBytes text = read_file(arguments[1], kMaxConfigLen);
  Config config = parse_config(view(text), arguments[1], context.dialect());
  config.change.name = name_to_change(arguments[0], context.dialect());
  context.err.append(config.warnings);
  return config;
}

// An empty file is an editor's or a script's accident far more often than a wish to
// have a device without key and peers.
void refuse_empty(const Context &context, const Config &config, const std::string &file) {
  if (config.has_section || context.as_wg) return;
  throw Error(
      fmt::format("Configuration file is empty: `{}'; to remove peers or the key, use "
                  "`set INTERFACE peer KEY remove' or `set INTERFACE private-key /dev/null'",
                  printable(file)));
}

// What wg(8) makes of a file that is the whole truth.
void clear_omitted(DeviceChange &change) {
  if (!change.private_key) change.private_key = SecretKey();
  if (!change.listen_port) change.listen_port = 0;
  if (!change.fwmark) change.fwmark = 0;
}

bool same_prefixes(const std::vector<AllowedIp> &wanted, const std::vector<AllowedIp> &current) {
  const auto texts = [](const std::vector<AllowedIp> &ips) {
    std::set<std::string> set;
    for (const AllowedIp &ip : ips) set.insert(ip.text());
    return set;
  };
  return texts(wanted) == texts(current);
}

}  // namespace

int run_setconf(Context &context, Arguments arguments) {
  Config config = read_config(context, arguments);
  refuse_empty(context, config, arguments[1]);
  DeviceChange &change = config.change;
  // The file is the whole truth, but for the private key and the port: a file without a key often
  // goes with one that was set from elsewhere, and losing it cannot be undone; peers that are to
  // reach us know the port that we have.
  change.replace_peers = true;
  if (context.as_wg) clear_omitted(change);
  if (!change.fwmark) change.fwmark = 0;
  set_device(context, change);
  return 0;
}

int run_addconf(Context &context, Arguments arguments) {
  Config config = read_config(context, arguments);
  set_device(context, config.change);
  return 0;
}

namespace {

const Peer *find_peer(const Device &device, const PublicKey &key) {
  const auto it = std::find_if(device.peers.begin(), device.peers.end(),
                               [&](const Peer &peer) { return peer.public_key == key; });
  return it == device.peers.end() ? nullptr : &*it;
}

}  // namespace

DeviceChange sync_change(const DeviceChange &wanted, const Device &current, Dialect dialect) {
  DeviceChange change = wanted;
  // Another port would cut every session off, so an omitted one stays.
  const bool same_port = change.listen_port == current.listen_port;
  if (same_port && dialect == Dialect::kStrict) change.listen_port.reset();
  if (!change.fwmark) change.fwmark = 0;
  std::set<PublicKey> kept;
  for (PeerChange &peer : change.peers) {
    const bool is_first = kept.insert(peer.public_key).second;
    // wg(8) takes several sections for one peer; what one of them sets the next leaves.
    if (is_first && !peer.preshared_key) peer.preshared_key = SecretKey();
    if (is_first && !peer.keepalive_s) peer.keepalive_s = 0;
    if (dialect == Dialect::kWg) continue;
    // Replacing a list by itself would drop packets for a moment.
    const Peer *old = find_peer(current, peer.public_key);
    if (old != nullptr && peer.replace_allowed_ips &&
        same_prefixes(peer.allowed_ips, old->allowed_ips)) {
      peer.replace_allowed_ips = false;
      peer.allowed_ips.clear();
    }
  }
  std::vector<PeerChange> removals;
  for (const Peer &peer : current.peers) {
    if (kept.contains(peer.public_key)) continue;
    removals.emplace_back();
    removals.back().public_key = peer.public_key;
    removals.back().remove = true;
  }
  // Removals first: what the others take over is free by then.
  change.peers.insert(change.peers.begin(), removals.begin(), removals.end());
  return change;
}

int run_syncconf(Context &context, Arguments arguments) {
  Config config = read_config(context, arguments);
  refuse_empty(context, config, arguments[1]);
  if (context.as_wg) clear_omitted(config.change);
  if (context.as_wg && config.change.peers.empty()) {
    // Without a peer to keep wg(8) has no need to read the device.
    config.change.replace_peers = true;
    set_device(context, config.change);
    return 0;
  }
  resolve_endpoints(config.change);
  Device current;
  try {
    current = context.devices.get(config.change.name);
  } catch (const SystemError &error) {
    throw Error(
        fmt::format("Unable to retrieve current interface configuration: {}", context.text(error)));
  }
  DeviceChange change = sync_change(config.change, current, context.dialect());
  set_device(context, change);
  return 0;
}

}  // namespace wg::tool
