// SPDX-License-Identifier: GPL-2.0
#include "format.hh"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

constexpr const char *kReset = "\x1b[0m";
constexpr const char *kBold = "\x1b[1m";
constexpr const char *kRed = "\x1b[31m";
constexpr const char *kGreen = "\x1b[32m";
constexpr const char *kYellow = "\x1b[33m";
constexpr const char *kCyan = "\x1b[36m";

std::string_view paint(const Style &style, const char *code) {
  return style.color ? code : "";
}

std::string unit(const Style &style, std::string_view name) {
  // Once for each AllowedIP.
  if (!style.color) return std::string(name);
  return fmt::format("{}{}{}", paint(style, kCyan), name, paint(style, kReset));
}

void print_label(Output &out, const Style &style, std::string_view label) {
  out.print("  {}{}{}: ", paint(style, kBold), label, paint(style, kReset));
}

void print_heading(Output &out, const Style &style, const char *color, std::string_view label,
                   std::string_view text, std::string_view name = {}) {
  out.print("{}{}{}{}: {}{}{}", paint(style, color), paint(style, kBold), label,
            paint(style, kReset), paint(style, color), text, paint(style, kReset));
  if (!name.empty()) out.print(" ({})", name);
  out.append("\n");
}

void print_secret_line(Output &out, const Style &style, std::string_view label,
                       const SecretKey &key) {
  print_label(out, style, label);
  if (style.hide_keys) {
    out.append("(hidden)");
  } else {
    out.append_key(key.bytes.data());
  }
  out.append("\n");
}

void print_secret_or_none(Output &out, const SecretKey &key) {
  if (key.is_zero()) {
    out.append("(none)");
  } else {
    out.append_key(key.bytes.data());
  }
}

std::string join(const std::vector<AllowedIp> &ips, std::string_view separator) {
  if (ips.empty()) return "(none)";
  std::string list;
  for (const AllowedIp &ip : ips) {
    if (!list.empty()) list += separator;
    list += ip.text();
  }
  return list;
}

std::string keepalive_text(const Peer &peer) {
  return peer.keepalive_s == 0 ? "off" : std::to_string(peer.keepalive_s);
}

std::string endpoint_text(const Peer &peer) {
  return peer.endpoint ? peer.endpoint->text() : "(none)";
}

std::string fwmark_text(const Device &device) {
  return device.fwmark == 0 ? "off" : fmt::format("0x{:x}", device.fwmark);
}

std::string public_key_text(const Device &device) {
  return device.public_key ? device.public_key->text() : "(none)";
}

void print_pretty_peer(Output &out, const PeerView &view, const Style &style) {
  const Peer &peer = *view.peer;
  print_heading(out, style, kYellow, "peer", peer.public_key.text(), view.name);
  if (!peer.preshared_key.is_zero()) {
    print_secret_line(out, style, "preshared key", peer.preshared_key);
  }
  if (peer.endpoint) {
    print_label(out, style, "endpoint");
    out.print("{}\n", peer.endpoint->text());
  }
  print_label(out, style, "allowed ips");
  if (peer.allowed_ips.empty()) out.append("(none)");
  for (size_t i = 0; i < peer.allowed_ips.size(); ++i) {
    const AllowedIp &ip = peer.allowed_ips[i];
    out.print("{}{}{}{}", i == 0 ? "" : ", ", ip.address_text(), unit(style, "/"), ip.cidr);
  }
  out.append("\n");
  if (peer.handshake_s != 0) {
    print_label(out, style, "latest handshake");
    out.print("{}\n", format_age(peer.handshake_s, style));
  }
  if (peer.rx_bytes != 0 || peer.tx_bytes != 0) {
    print_label(out, style, "transfer");
    out.print("{} received, {} sent\n", format_size(peer.rx_bytes, style),
              format_size(peer.tx_bytes, style));
  }
  if (view.rate) {
    print_label(out, style, "rate");
    out.print("{} received, {} sent\n", format_rate(view.rate->rx, style),
              format_rate(view.rate->tx, style));
  }
  if (peer.keepalive_s != 0) {
    print_label(out, style, "persistent keepalive");
    out.print("every {}\n", format_duration(peer.keepalive_s, style));
  }
}

void print_pretty_device(Output &out, const Device &device, const Style &style) {
  out.append(paint(style, kReset));
  print_heading(out, style, kGreen, "interface", printable(device.name));
  if (device.public_key) {
    print_label(out, style, "public key");
    out.print("{}\n", device.public_key->text());
  }
  if (!device.private_key.is_zero()) {
    print_secret_line(out, style, "private key", device.private_key);
  }
  if (device.listen_port != 0) {
    print_label(out, style, "listening port");
    out.print("{}\n", device.listen_port);
  }
  if (device.fwmark != 0) {
    print_label(out, style, "fwmark");
    out.print("0x{:x}\n", device.fwmark);
  }
}

// Values have no line ends in them: all text is printable.
void append_oneline(Output &out, const Output &record) {
  std::string_view lines = record.text();
  lines.remove_suffix(1);
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    out.append(lines.substr(0, end));
    if (end < lines.size()) out.append("\\");
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  out.append("\n");
}

// A field of the device prints one value, a field of peers a line for each.
struct Field {
  std::string_view name;
  void (*print_device)(Output &, const Device &);
  void (*print_peer)(Output &, const Peer &);
};

constexpr Field kFields[] = {
    {"public-key", [](Output &out, const Device &d) { out.append(public_key_text(d)); }, nullptr},
    {"private-key", [](Output &out, const Device &d) { print_secret_or_none(out, d.private_key); },
     nullptr},
    {"listen-port", [](Output &out, const Device &d) { out.print("{}", d.listen_port); }, nullptr},
    {"fwmark", [](Output &out, const Device &d) { out.append(fwmark_text(d)); }, nullptr},
    {"peers", nullptr, [](Output &, const Peer &) {}},
    {"preshared-keys", nullptr,
     [](Output &out, const Peer &p) {
       out.append("\t");
       print_secret_or_none(out, p.preshared_key);
     }},
    {"endpoints", nullptr, [](Output &out, const Peer &p) { out.print("\t{}", endpoint_text(p)); }},
    {"allowed-ips", nullptr,
     [](Output &out, const Peer &p) { out.print("\t{}", join(p.allowed_ips, " ")); }},
    {"latest-handshakes", nullptr,
     [](Output &out, const Peer &p) { out.print("\t{}", p.handshake_s); }},
    {"transfer", nullptr,
     [](Output &out, const Peer &p) { out.print("\t{}\t{}", p.rx_bytes, p.tx_bytes); }},
    {"persistent-keepalive", nullptr,
     [](Output &out, const Peer &p) { out.print("\t{}", keepalive_text(p)); }},
};

}  // namespace

Style Style::from_environment() {
  Style style;
  const char *color_mode = std::getenv("WG_COLOR_MODE");
  const std::string_view mode = color_mode != nullptr ? color_mode : "";
  style.color = mode == "always" || (mode != "never" && isatty(STDOUT_FILENO) == 1);
  const char *hide_keys = std::getenv("WG_HIDE_KEYS");
  style.hide_keys = hide_keys == nullptr || std::string_view(hide_keys) != "never";
  style.now_s = std::time(nullptr);
  return style;
}

bool choose_color(const std::optional<std::string> &option) {
  const auto variable = [](const char *name) -> std::string_view {
    const char *value = std::getenv(name);
    return value != nullptr ? value : "";
  };
  std::string_view when = option ? std::string_view(*option) : variable("WG_COLOR_MODE");
  if (option && when.empty()) when = "always";
  if (option && when != "always" && when != "never" && when != "auto") {
    throw UsageError(fmt::format("--color is one of auto, always, never: `{}'", printable(when)));
  }
  if (when == "always" || when == "never") return when == "always";
  return variable("NO_COLOR").empty() && isatty(STDOUT_FILENO) == 1;
}

std::string format_duration(int64_t seconds, const Style &style) {
  struct Part {
    int64_t length_s;
    std::string_view name;
  };
  static constexpr Part kParts[] = {
      {365 * 24 * 60 * 60, "year"},
      {24 * 60 * 60, "day"},
      {60 * 60, "hour"},
      {60, "minute"},
      {1, "second"},
  };
  std::string text;
  for (const Part &part : kParts) {
    const int64_t count = seconds / part.length_s;
    seconds %= part.length_s;
    if (count == 0) continue;
    if (!text.empty()) text += ", ";
    text +=
        fmt::format("{} {}", count, unit(style, std::string(part.name) + (count == 1 ? "" : "s")));
  }
  return text;
}

std::string format_age(int64_t then_s, const Style &style) {
  if (then_s == style.now_s) return "Now";
  if (then_s > style.now_s) {
    return fmt::format("({}System clock wound backward; connection problems may ensue.{})",
                       paint(style, kRed), paint(style, kReset));
  }
  return format_duration(style.now_s - then_s, style) + " ago";
}

std::string format_size(uint64_t num_bytes, const Style &style) {
  if (num_bytes < 1024) return fmt::format("{} {}", num_bytes, unit(style, "B"));
  static constexpr std::string_view kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(num_bytes) / 1024;
  size_t i = 0;
  // Whole numbers decide, since a double rounds just below a power up to it.
  while (i < 3 && (num_bytes >> (10 * (i + 2))) != 0) {
    value /= 1024;
    ++i;
  }
  return fmt::format("{:.2f} {}", value, unit(style, kUnits[i]));
}

void print_pretty(Output &out, const Device &device, const Style &style) {
  DeviceView view{&device, {}};
  for (const Peer &peer : device.peers) view.peers.push_back({&peer, {}, State::kNever, {}});
  // Who never had a handshake keeps the kernel's order, at the end.
  sort_peers(view.peers, SortKey::kAge);
  print_pretty(out, view, style);
}

void print_pretty(Output &out, const DeviceView &view, const Style &style) {
  print_pretty_device(out, *view.device, style);
  for (const PeerView &peer : view.peers) {
    out.append("\n");
    print_pretty_peer(out, peer, style);
  }
}

void print_oneline(Output &out, const DeviceView &view, const Style &style) {
  Output record;
  print_pretty_device(record, *view.device, style);
  append_oneline(out, record);
  for (const PeerView &peer : view.peers) {
    Output lines;
    print_heading(lines, style, kGreen, "interface", printable(view.device->name));
    print_pretty_peer(lines, peer, style);
    append_oneline(out, lines);
  }
}

void print_dump(Output &out, const Device &device, std::string_view prefix) {
  out.append(prefix);
  print_secret_or_none(out, device.private_key);
  out.print("\t{}\t{}\t{}\n", public_key_text(device), device.listen_port, fwmark_text(device));
  for (const Peer &peer : device.peers) {
    out.print("{}{}\t", prefix, peer.public_key.text());
    print_secret_or_none(out, peer.preshared_key);
    out.print("\t{}\t{}\t{}\t{}\t{}\t{}\n", endpoint_text(peer), join(peer.allowed_ips, ","),
              peer.handshake_s, peer.rx_bytes, peer.tx_bytes, keepalive_text(peer));
  }
}

std::string format_rate(double bytes_per_s, const Style &style) {
  // Far above any link, and far below what a uint64_t cannot hold.
  constexpr double kMost = 1e18;
  return format_size(static_cast<uint64_t>(std::min(bytes_per_s + 0.5, kMost)), style) + "/s";
}

bool is_field(std::string_view field) {
  return field == "dump" || std::any_of(std::begin(kFields), std::end(kFields),
                                        [&](const Field &known) { return known.name == field; });
}

void print_field(Output &out, const Device &device, std::string_view field,
                 std::string_view prefix) {
  if (field == "dump") return print_dump(out, device, prefix);
  for (const Field &known : kFields) {
    if (known.name != field) continue;
    if (known.print_device != nullptr) {
      out.append(prefix);
      known.print_device(out, device);
      out.append("\n");
      return;
    }
    for (const Peer &peer : device.peers) {
      out.print("{}{}", prefix, peer.public_key.text());
      known.print_peer(out, peer);
      out.append("\n");
    }
  }
}

void print_config(Output &out, const Device &device) {
  out.append("[Interface]\n");
  if (device.listen_port != 0) out.print("ListenPort = {}\n", device.listen_port);
  if (device.fwmark != 0) out.print("FwMark = 0x{:x}\n", device.fwmark);
  if (!device.private_key.is_zero()) {
    out.append("PrivateKey = ");
    out.append_key(device.private_key.bytes.data());
    out.append("\n");
  }
  out.append("\n");
  for (size_t i = 0; i < device.peers.size(); ++i) {
    const Peer &peer = device.peers[i];
    out.print("{}[Peer]\nPublicKey = {}\n", i == 0 ? "" : "\n", peer.public_key.text());
    if (!peer.preshared_key.is_zero()) {
      out.append("PresharedKey = ");
      out.append_key(peer.preshared_key.bytes.data());
      out.append("\n");
    }
    if (!peer.allowed_ips.empty()) out.print("AllowedIPs = {}\n", join(peer.allowed_ips, ", "));
    if (peer.endpoint) out.print("Endpoint = {}\n", peer.endpoint->text());
    if (peer.keepalive_s != 0) out.print("PersistentKeepalive = {}\n", peer.keepalive_s);
  }
}

}  // namespace wg::tool
