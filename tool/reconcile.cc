// SPDX-License-Identifier: GPL-2.0
#include "reconcile.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "tunnel.hh"

namespace wg::tool {
namespace {

const Peer *find_peer(const Device &device, const PublicKey &key) {
  const auto it = std::find_if(device.peers.begin(), device.peers.end(),
                               [&](const Peer &peer) { return peer.public_key == key; });
  return it == device.peers.end() ? nullptr : &*it;
}

// Who has a prefix in the end: a prefix that several peers list goes to the last.
using Owners = std::map<AllowedIp, const PeerChange *, PrefixOrder>;
using PrefixSet = std::set<AllowedIp, PrefixOrder>;

Owners owners_of(const DeviceChange &wanted) {
  Owners owners;
  for (const PeerChange &peer : wanted.peers) {
    for (const AllowedIp &ip : peer.allowed_ips) owners[network_of(ip)] = &peer;
  }
  return owners;
}

std::vector<AllowedIp> wanted_ips(const PeerChange &peer, const Owners &owners) {
  std::vector<AllowedIp> ips;
  PrefixSet seen;
  for (const AllowedIp &ip : peer.allowed_ips) {
    const AllowedIp network = network_of(ip);
    if (owners.at(network) == &peer && seen.insert(network).second) ips.push_back(network);
  }
  return ips;
}

// Removals first: then what is added cannot be what is removed.
std::vector<AllowedIp> ip_changes(const std::vector<AllowedIp> &wanted, const Peer &current,
                                  const Owners &owners) {
  const PrefixSet before(current.allowed_ips.begin(), current.allowed_ips.end());
  const PrefixSet after(wanted.begin(), wanted.end());
  std::vector<AllowedIp> changes;
  for (const AllowedIp &ip : current.allowed_ips) {
    // What another peer gets is taken from this one by giving it.
    if (after.contains(ip) || owners.contains(ip)) continue;
    changes.push_back(ip);
    changes.back().remove = true;
  }
  for (const AllowedIp &ip : wanted) {
    if (!before.contains(ip)) changes.push_back(ip);
  }
  return changes;
}

// A name may have several addresses, in another order each time: any of them is as wanted.
bool has_endpoint(const PeerChange &wanted, const Peer &current) {
  if (!current.endpoint) return false;
  const std::string text = current.endpoint->text();
  return wanted.endpoint->text() == text ||
         std::any_of(wanted.endpoints.begin(), wanted.endpoints.end(),
                     [&](const Endpoint &endpoint) { return endpoint.text() == text; });
}

// Return: whether anything differs.
bool compare_peer(PeerChange &change, const PeerChange &wanted, const Peer &current,
                  const Owners &owners) {
  change.public_key = wanted.public_key;
  const SecretKey preshared_key = wanted.preshared_key.value_or(SecretKey());
  if (!preshared_key.equals(current.preshared_key)) change.preshared_key = preshared_key;
  if (wanted.endpoint && !has_endpoint(wanted, current)) change.endpoint = wanted.endpoint;
  const uint16_t keepalive_s = wanted.keepalive_s.value_or(0);
  if (keepalive_s != current.keepalive_s) change.keepalive_s = keepalive_s;
  change.allowed_ips = ip_changes(wanted_ips(wanted, owners), current, owners);
  return change.preshared_key || change.endpoint || change.keepalive_s ||
         !change.allowed_ips.empty();
}

std::string keepalive_line(char sign, uint16_t seconds) {
  return fmt::format("{}PersistentKeepalive = {}", sign, seconds);
}

std::string mark_line(char sign, uint32_t mark) {
  return fmt::format("{}FwMark = 0x{:x}", sign, mark);
}

// Both keys are secret; that they differ is told by the public ones.
std::string private_key_line(char sign, const SecretKey &key) {
  return fmt::format("{}PrivateKey = (hidden; its public key is {})", sign,
                     key.public_key().text());
}

Difference device_difference(const DeviceChange &change, const Device &current) {
  Difference difference{"[Interface]", {}};
  std::vector<std::string> &lines = difference.lines;
  if (change.private_key) {
    if (!current.private_key.is_zero()) lines.push_back(private_key_line('-', current.private_key));
    lines.push_back(private_key_line('+', *change.private_key));
  }
  if (change.listen_port) {
    lines.push_back(fmt::format("-ListenPort = {}", current.listen_port));
    lines.push_back(fmt::format("+ListenPort = {}", *change.listen_port));
  }
  if (change.fwmark) {
    if (current.fwmark != 0) lines.push_back(mark_line('-', current.fwmark));
    if (*change.fwmark != 0) lines.push_back(mark_line('+', *change.fwmark));
  }
  return difference;
}

void list_peer(std::vector<std::string> &lines, const Peer &peer) {
  if (!peer.preshared_key.is_zero()) lines.emplace_back("-PresharedKey = (hidden)");
  for (const AllowedIp &ip : peer.allowed_ips) lines.push_back("-AllowedIPs = " + ip.text());
  if (peer.endpoint) lines.push_back("-Endpoint = " + peer.endpoint->text());
  if (peer.keepalive_s != 0) lines.push_back(keepalive_line('-', peer.keepalive_s));
}

void add_peer_lines(std::vector<std::string> &lines, const PeerChange &change, const Peer &before) {
  if (change.preshared_key) {
    if (!before.preshared_key.is_zero()) lines.emplace_back("-PresharedKey = (hidden)");
    if (!change.preshared_key->is_zero()) {
      lines.emplace_back(before.preshared_key.is_zero() ? "+PresharedKey = (hidden)"
                                                        : "+PresharedKey = (hidden; another)");
    }
  }
  for (const AllowedIp &ip : change.allowed_ips) {
    lines.push_back(fmt::format("{}AllowedIPs = {}", ip.remove ? '-' : '+', ip.text()));
  }
  if (change.endpoint) {
    if (before.endpoint) lines.push_back("-Endpoint = " + before.endpoint->text());
    lines.push_back("+Endpoint = " + change.endpoint->text());
  }
  if (change.keepalive_s) {
    if (before.keepalive_s != 0) lines.push_back(keepalive_line('-', before.keepalive_s));
    if (*change.keepalive_s != 0) lines.push_back(keepalive_line('+', *change.keepalive_s));
  }
}

Difference peer_difference(const PeerChange &change, const Peer *current) {
  Difference difference{"[Peer] " + change.public_key.text(), {}};
  std::vector<std::string> &lines = difference.lines;
  if (change.remove || current == nullptr) {
    lines.push_back(
        fmt::format("{}PublicKey = {}", change.remove ? '-' : '+', change.public_key.text()));
  }
  if (change.remove) {
    if (current != nullptr) list_peer(lines, *current);
    return difference;
  }
  add_peer_lines(lines, change, current != nullptr ? *current : Peer());
  return difference;
}

}  // namespace

DeviceChange minimal_change(const DeviceChange &wanted, const Device &current) {
  DeviceChange change;
  change.name = wanted.name;
  if (wanted.private_key && !wanted.private_key->is_same_private(current.private_key)) {
    change.private_key = wanted.private_key;
  }
  if (wanted.listen_port && *wanted.listen_port != 0 &&
      *wanted.listen_port != current.listen_port) {
    change.listen_port = wanted.listen_port;
  }
  const uint32_t fwmark = wanted.fwmark.value_or(0);
  if (fwmark != current.fwmark) change.fwmark = fwmark;

  std::optional<PublicKey> own_key = current.public_key;
  if (wanted.private_key && !wanted.private_key->is_zero()) {
    own_key = wanted.private_key->public_key();
  }
  std::map<PublicKey, const Peer *> present;
  for (const Peer &peer : current.peers) present[peer.public_key] = &peer;
  std::set<PublicKey> kept;
  for (const PeerChange &peer : wanted.peers) kept.insert(peer.public_key);
  for (const Peer &peer : current.peers) {
    if (kept.contains(peer.public_key)) continue;
    change.peers.emplace_back();
    change.peers.back().public_key = peer.public_key;
    change.peers.back().remove = true;
  }
  const Owners owners = owners_of(wanted);
  for (const PeerChange &peer : wanted.peers) {
    // The kernel passes over a peer with the device's own key, as lists that hosts share have it.
    if (own_key == peer.public_key) continue;
    const auto it = present.find(peer.public_key);
    PeerChange one;
    if (it == present.end()) {
      one = peer;
      one.replace_allowed_ips = true;
      one.allowed_ips = wanted_ips(peer, owners);
    } else if (!compare_peer(one, peer, *it->second, owners)) {
      continue;
    }
    change.peers.push_back(std::move(one));
  }
  return change;
}

bool is_empty(const DeviceChange &change) {
  return !change.private_key && !change.listen_port && !change.fwmark && !change.replace_peers &&
         change.peers.empty();
}

DeviceChange as_change(const Device &device) {
  DeviceChange change;
  change.name = device.name;
  change.private_key = device.private_key;
  change.listen_port = device.listen_port;
  change.fwmark = device.fwmark;
  for (const Peer &peer : device.peers) {
    PeerChange one;
    one.public_key = peer.public_key;
    one.preshared_key = peer.preshared_key;
    one.endpoint = peer.endpoint;
    one.keepalive_s = peer.keepalive_s;
    one.replace_allowed_ips = true;
    one.allowed_ips = peer.allowed_ips;
    change.peers.push_back(std::move(one));
  }
  return change;
}

std::vector<Difference> differences(const DeviceChange &change, const Device &current) {
  std::vector<Difference> all;
  Difference device = device_difference(change, current);
  if (!device.lines.empty()) all.push_back(std::move(device));
  for (const PeerChange &peer : change.peers) {
    all.push_back(peer_difference(peer, find_peer(current, peer.public_key)));
  }
  return all;
}

}  // namespace wg::tool
