// SPDX-License-Identifier: GPL-2.0
#include "brief.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "text.hh"
#include "utf8.hh"

namespace wg::tool {
namespace {

constexpr int64_t kMinute_s = 60, kHour_s = 3600, kDay_s = 86400, kYear_s = 365 * 86400;

constexpr size_t kGap = 2;

using Row = std::vector<std::string>;

// Numbers read best with their last digits below each other.
bool is_number(const std::string &heading) {
  static constexpr std::array<std::string_view, 5> kNumbers = {"AGE", "RX", "TX", "RX/S", "TX/S"};
  return std::find(kNumbers.begin(), kNumbers.end(), heading) != kNumbers.end();
}

Row headings(const BriefColumns &columns) {
  Row row = {"INTERFACE", "NAME", "STATE", "AGE", "RX", "TX"};
  if (columns.rates) row.insert(row.end(), {"RX/S", "TX/S"});
  row.insert(row.end(), {"ENDPOINT", "ALLOWED-IPS"});
  return row;
}

std::string compact_rate(double bytes_per_s) {
  constexpr double kMost = 1e18;
  return compact_size(static_cast<uint64_t>(std::min(bytes_per_s + 0.5, kMost)));
}

std::string joined(const std::vector<AllowedIp> &ips) {
  std::string list;
  for (const AllowedIp &ip : ips) {
    if (!list.empty()) list += ',';
    list += ip.text();
  }
  return list.empty() ? "-" : list;
}

Row row_of(const DeviceView &device, const PeerView &view, const Style &style,
           const BriefColumns &columns) {
  const Peer &peer = *view.peer;
  Row row = {printable(device.device->name),   printable_name(view),
             painted_state(view.state, style), compact_age(peer.handshake_s, style.now_s),
             compact_size(peer.rx_bytes),      compact_size(peer.tx_bytes)};
  if (columns.rates) {
    row.push_back(view.rate ? compact_rate(view.rate->rx) : "-");
    row.push_back(view.rate ? compact_rate(view.rate->tx) : "-");
  }
  row.push_back(peer.endpoint ? peer.endpoint->text() : "-");
  row.push_back(joined(peer.allowed_ips));
  return row;
}

std::vector<std::string> align(const std::vector<Row> &rows, const Row &headings) {
  std::vector<size_t> widths(headings.size(), 0);
  for (const Row &row : rows) {
    // The last column, which is the longest, needs no padding.
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  std::vector<std::string> lines;
  for (const Row &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i + 1 == row.size()) {
        line += row[i];
        continue;
      }
      const std::string padding(widths[i] - display_width(row[i]), ' ');
      line += is_number(headings[i]) ? padding + row[i] : row[i] + padding;
      line.append(kGap, ' ');
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::string compact_age(int64_t then_s, int64_t now_s) {
  if (then_s == 0) return "-";
  const int64_t age_s = std::max<int64_t>(now_s - then_s, 0);
  if (age_s < kMinute_s) return fmt::format("{}s", age_s);
  if (age_s < kHour_s) return fmt::format("{}m{:02}s", age_s / kMinute_s, age_s % kMinute_s);
  if (age_s < kDay_s) {
    return fmt::format("{}h{:02}m", age_s / kHour_s, age_s % kHour_s / kMinute_s);
  }
  if (age_s < kYear_s) return fmt::format("{}d{:02}h", age_s / kDay_s, age_s % kDay_s / kHour_s);
  return fmt::format("{}y{:03}d", age_s / kYear_s, age_s % kYear_s / kDay_s);
}

std::string compact_size(uint64_t num_bytes) {
  std::string text = format_size(num_bytes, Style{});
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

std::string painted_state(State state, const Style &style) {
  const char *word = state_word(state);
  if (!style.color) return word;
  switch (state) {
    case State::kUp:
      return fmt::format("\x1b[32m{}\x1b[0m", word);
    case State::kStale:
      return fmt::format("\x1b[33m{}\x1b[0m", word);
    case State::kRejected:
      return fmt::format("\x1b[31m{}\x1b[0m", word);
    case State::kIdle:
    case State::kNever:
      break;
  }
  return word;
}

std::vector<std::string> brief_lines(std::span<const DeviceView> views, const Style &style,
                                     const BriefColumns &columns) {
  const Row header = headings(columns);
  std::vector<Row> rows;
  if (columns.header) rows.push_back(header);
  for (const DeviceView &view : views) {
    for (const PeerView &peer : view.peers) rows.push_back(row_of(view, peer, style, columns));
  }
  return align(rows, header);
}

void print_brief(Output &out, std::span<const DeviceView> views, const Style &style) {
  const bool has_rates = std::any_of(views.begin(), views.end(), [](const DeviceView &view) {
    return std::any_of(view.peers.begin(), view.peers.end(),
                       [](const PeerView &peer) { return peer.rate.has_value(); });
  });
  for (const std::string &line : brief_lines(views, style, {false, has_rates})) {
    out.append(line);
    out.append("\n");
  }
}

}  // namespace wg::tool
