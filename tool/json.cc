// SPDX-License-Identifier: GPL-2.0
// The only file that includes nlohmann's header, which takes long to compile.
#include "json.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "text.hh"

namespace wg::tool {
namespace {

// Fields keep the order in which they are written here.
using Json = nlohmann::ordered_json;

// A document is made of ordinary strings, which nobody wipes: a secret is not put into it. This
// byte, which printable() leaves in no text, stands where the document has its next secret.
constexpr char kSecretMark = '\x7f';

using Secrets = std::vector<const SecretKey *>;

Json or_null(bool is_there, Json value) {
  return is_there ? std::move(value) : Json();
}

Json secret(const SecretKey &key, Secrets *secrets) {
  if (secrets == nullptr || key.is_zero()) return {};
  secrets->push_back(&key);
  return std::string(1, kSecretMark);
}

std::string host_of(const Endpoint &endpoint) {
  // The text has everything, the zone too; the port is behind the last colon.
  std::string host = endpoint.text();
  host.erase(host.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

Json endpoint_text(const std::optional<Endpoint> &endpoint) {
  return endpoint ? Json(printable(endpoint->text())) : Json();
}

void add_endpoint(Json &object, const std::optional<Endpoint> &endpoint) {
  object["endpoint"] = endpoint_text(endpoint);
  object["endpoint_host"] = endpoint ? Json(printable(host_of(*endpoint))) : Json();
  object["endpoint_port"] = endpoint ? Json(ntohs(endpoint->ipv4.sin_port)) : Json();
}

// A name may be any text; "" is none.
Json text_or_null(const std::string &text) {
  return text.empty() ? Json() : Json(printable(text));
}

Json rate(double bytes_per_s) {
  constexpr double kMost = 1e18;
  return static_cast<uint64_t>(std::min(bytes_per_s + 0.5, kMost));
}

Json peer_json(const PeerView &view, Secrets *secrets) {
  const Peer &peer = *view.peer;
  Json object;
  object["public_key"] = peer.public_key.text();
  object["name"] = text_or_null(view.name);
  object["state"] = state_word(view.state);
  object["has_preshared_key"] = !peer.preshared_key.is_zero();
  object["preshared_key"] = secret(peer.preshared_key, secrets);
  add_endpoint(object, peer.endpoint);
  Json &ips = object["allowed_ips"] = Json::array();
  for (const AllowedIp &ip : peer.allowed_ips) ips.push_back(ip.text());
  object["latest_handshake"] = or_null(peer.handshake_s != 0, peer.handshake_s);
  object["rx_bytes"] = peer.rx_bytes;
  object["tx_bytes"] = peer.tx_bytes;
  object["rx_bytes_per_s"] = view.rate ? rate(view.rate->rx) : Json();
  object["tx_bytes_per_s"] = view.rate ? rate(view.rate->tx) : Json();
  object["persistent_keepalive"] = or_null(peer.keepalive_s != 0, peer.keepalive_s);
  return object;
}

Json device_json(const DeviceView &view, Secrets *secrets) {
  const Device &device = *view.device;
  Json object;
  object["name"] = printable(device.name);
  object["public_key"] = device.public_key ? Json(device.public_key->text()) : Json();
  object["has_private_key"] = !device.private_key.is_zero();
  object["private_key"] = secret(device.private_key, secrets);
  object["listen_port"] = or_null(device.listen_port != 0, device.listen_port);
  object["fwmark"] = or_null(device.fwmark != 0, device.fwmark);
  Json &peers = object["peers"] = Json::array();
  for (const PeerView &peer : view.peers) peers.push_back(peer_json(peer, secrets));
  return object;
}

std::string dump(const Json &document, bool pretty) {
  // What is not UTF-8 would throw; names of interfaces may be any bytes.
  constexpr int kIndent = 2;
  return document.dump(pretty ? kIndent : -1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json drops_json(const Drops &drops) {
  Json object = Json::object();
  for (uint32_t reason = 0; reason < drops.size(); ++reason) {
    if (drops.at(reason) != 0) object[drop_name(reason)] = drops.at(reason);
  }
  return object;
}

// In seconds, and null for never.
Json age(uint64_t then_ns, uint64_t now_ns) {
  constexpr double kNsPerSecond = 1e9;
  if (then_ns == 0) return {};
  return static_cast<double>(now_ns - std::min(then_ns, now_ns)) / kNsPerSecond;
}

Json diagnostics_json(const PeerDiagnostics &peer, const std::string &name, uint64_t now_ns) {
  Json object;
  object["public_key"] = peer.public_key.text();
  object["name"] = text_or_null(name);
  object["drops"] = drops_json(peer.drops);
  const char *last = peer.last_drop ? drop_name(*peer.last_drop) : nullptr;
  object["last_drop"] = last != nullptr ? Json(last) : Json();
  object["last_drop_age_s"] = age(peer.last_drop_ns, now_ns);
  object["last_error"] = peer.last_error != 0 ? Json(std::strerror(peer.last_error)) : Json();
  object["handshakes"] = peer.num_handshakes;
  object["handshake_attempts"] = peer.num_attempts;
  object["session_age_s"] = age(peer.current_ns, now_ns);
  object["previous_session_age_s"] = age(peer.previous_ns, now_ns);
  object["unconfirmed_session_age_s"] = age(peer.next_ns, now_ns);
  object["waiting_packets"] = peer.num_staged;
  // The other way round: how long it still takes.
  object["next_timer_s"] = age(now_ns, std::max(peer.next_timer_ns, now_ns));
  if (peer.next_timer_ns == 0) object["next_timer_s"] = Json();
  Json &endpoints = object["endpoints"] = Json::array();
  for (const PastEndpoint &past : peer.endpoints) {
    endpoints.push_back(
        {{"endpoint", printable(past.endpoint.text())}, {"age_s", age(past.since_ns, now_ns)}});
  }
  return object;
}

void append_with_secrets(Output &out, std::string_view text, const Secrets &secrets) {
  for (const SecretKey *key : secrets) {
    const size_t at = text.find(kSecretMark);
    out.append(text.substr(0, at));
    out.append_key(key->bytes.data());
    text.remove_prefix(at + 1);
  }
  out.append(text);
}

}  // namespace

void print_devices_json(Output &out, std::span<const DeviceView> views, int64_t now_s,
                        const JsonStyle &style) {
  Secrets secrets;
  Json document;
  document["schema"] = kJsonSchema;
  document["time"] = now_s;
  Json &devices = document["devices"] = Json::array();
  for (const DeviceView &view : views) {
    devices.push_back(device_json(view, style.show_keys ? &secrets : nullptr));
  }
  append_with_secrets(out, dump(document, style.pretty), secrets);
}

void print_drops_json(Output &out, std::span<const DropsView> views, int64_t now_s,
                      const JsonStyle &style) {
  Json document;
  document["schema"] = kJsonSchema;
  document["time"] = now_s;
  Json &devices = document["devices"] = Json::array();
  for (const DropsView &view : views) {
    const Diagnostics &diagnostics = *view.diagnostics;
    Json device;
    device["name"] = printable(diagnostics.name);
    device["drops"] = drops_json(diagnostics.drops);
    Json &peers = device["peers"] = Json::array();
    for (size_t i = 0; i < diagnostics.peers.size(); ++i) {
      peers.push_back(diagnostics_json(diagnostics.peers[i], view.names.at(i), diagnostics.now_ns));
    }
    devices.push_back(std::move(device));
  }
  out.append(dump(document, style.pretty));
}

void print_names_json(Output &out, const std::vector<std::string> &names, const JsonStyle &style) {
  Json document;
  document["schema"] = kJsonSchema;
  Json &interfaces = document["interfaces"] = Json::array();
  for (const std::string &name : names) interfaces.push_back(printable(name));
  out.append(dump(document, style.pretty));
}

void print_event_json(Output &out, const Event &event, const std::string &name) {
  Json object;
  object["schema"] = kJsonSchema;
  object["time"] = event.time_s;
  object["interface"] = printable(event.device);
  object["event"] = event_word(event.kind);
  object["public_key"] = event.peer ? Json(event.peer->text()) : Json();
  object["name"] = text_or_null(name);
  object["endpoint"] = endpoint_text(event.endpoint);
  object["previous_endpoint"] = endpoint_text(event.previous_endpoint);
  out.append(dump(object, false));
}

}  // namespace wg::tool
