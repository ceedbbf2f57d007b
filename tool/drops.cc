// SPDX-License-Identifier: GPL-2.0
// drops: what a device and its peers dropped, by reason.
#include "drops.hh"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "brief.hh"
#include "commands.hh"
#include "json.hh"
#include "monitor.hh"
#include "terminal.hh"
#include "text.hh"
#include "view.hh"

namespace wg::tool {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

bool is_any(const Drops &drops) {
  return std::any_of(drops.begin(), drops.end(), [](uint64_t num) { return num != 0; });
}

void print_reasons(Output &out, const Drops &drops) {
  for (uint32_t reason = 0; reason < drops.size(); ++reason) {
    if (drops.at(reason) == 0) continue;
    out.print("  {:<18} {:>10}  {}\n", drop_name(reason), drops.at(reason), drop_meaning(reason));
  }
}

std::string age_text(uint64_t then_ns, uint64_t now_ns) {
  // compact_age() takes 0 for never.
  const auto seconds = [](uint64_t ns) { return static_cast<int64_t>(ns) / kNsPerSecond + 1; };
  return compact_age(seconds(then_ns), std::max(seconds(now_ns), seconds(then_ns)));
}

void print_peer(Output &out, const PeerDiagnostics &peer, const std::string &name,
                uint64_t now_ns) {
  out.print("\npeer: {}{}\n", peer.public_key.text(), name.empty() ? "" : " (" + name + ")");
  if (peer.last_drop_ns != 0 && peer.last_drop && drop_name(*peer.last_drop) != nullptr) {
    out.print("  last drop: {}, {} ago\n", drop_name(*peer.last_drop),
              age_text(peer.last_drop_ns, now_ns));
  }
  if (peer.last_error != 0) out.print("  last error: {}\n", std::strerror(peer.last_error));
  print_reasons(out, peer.drops);
}

// Of one device, with names; and of the peers that were asked for only.
class Reader {
 public:
  Reader(Context &context, const ParsedOptions &parsed)
      : context_(context),
        names_(name_options(parsed, context.config_directory)),
        peer_(view_options(parsed, SortKey::kNone).peer) {}

  Diagnostics read(const std::string &device) {
    Diagnostics diagnostics;
    try {
      diagnostics = context_.devices.diagnose(device);
    } catch (const SystemError &error) {
      throw drops_error(device, error);
    }
    std::erase_if(diagnostics.peers, [&](const PeerDiagnostics &peer) {
      return !is_meant(peer.public_key, name(device, peer.public_key), peer_);
    });
    num_peers_ += diagnostics.peers.size();
    return diagnostics;
  }

  std::string name(const std::string &device, const PublicKey &key) {
    const Names &names = names_.names(device, context_.err);
    const auto it = names.find(key);
    return it == names.end() ? "" : printable(it->second);
  }

  DropsView view(const Diagnostics &diagnostics) {
    DropsView view{&diagnostics, {}};
    for (const PeerDiagnostics &peer : diagnostics.peers) {
      view.names.push_back(name(diagnostics.name, peer.public_key));
    }
    return view;
  }

  /** Whether the peer that was asked for is one of none of the devices that were read. */
  bool lacks_peer() const { return !peer_.empty() && num_peers_ == 0; }
  const std::string &peer() const { return peer_; }

 private:
  // A device that others know has no counters of ours.
  Error drops_error(const std::string &device, const SystemError &error) {
    if (error.error() == EPROTONOSUPPORT || error.error() == EOPNOTSUPP) {
      try {
        context_.devices.get(device);
        return Error(
            fmt::format("`{}' belongs to a module or program that does not say why it "
                        "drops; wgpp does (modprobe wgpp in place of it)",
                        printable(device)));
      } catch (const SystemError &other) {
        return device_error(context_, device, Access::kRead, other);
      }
    }
    return device_error(context_, device, Access::kRead, error);
  }

  Context &context_;
  NameSource names_;
  std::string peer_;
  size_t num_peers_ = 0;
};

std::vector<std::string> device_names(Context &context, const std::string &name) {
  return name == "all" ? context.devices.list() : std::vector<std::string>{name};
}

std::vector<Diagnostics> read_all(Context &context, Reader &reader, const std::string &name) {
  std::vector<Diagnostics> all;
  for (const std::string &device : device_names(context, name)) {
    try {
      all.push_back(reader.read(device));
    } catch (const Error &error) {
      if (name != "all") throw;
      context.err.print("{}\n", error.what());
    }
  }
  return all;
}

void write_lines(const std::string &device, const std::string &peer, const Drops &drops) {
  Output out;
  for (uint32_t reason = 0; reason < drops.size(); ++reason) {
    if (drops.at(reason) == 0) continue;
    out.print("{} {} {} +{}{}\n", time_text(wall_seconds()), printable(device), drop_name(reason),
              drops.at(reason), peer);
  }
  out.flush(STDOUT_FILENO);
}

// What peers have is not told again for their device.
void write_new(Reader &reader, const Diagnostics &before, const Diagnostics &after) {
  Drops of_device = drops_since(after.drops, &before.drops);
  std::map<PublicKey, const Drops *> earlier;
  for (const PeerDiagnostics &peer : before.peers) earlier[peer.public_key] = &peer.drops;
  for (const PeerDiagnostics &peer : after.peers) {
    const auto it = earlier.find(peer.public_key);
    const Drops drops = drops_since(peer.drops, it == earlier.end() ? nullptr : it->second);
    if (!is_any(drops)) continue;
    const std::string name = reader.name(after.name, peer.public_key);
    write_lines(after.name, " " + peer.public_key.text() + (name.empty() ? "" : " (" + name + ")"),
                drops);
    for (size_t i = 0; i < drops.size(); ++i) {
      of_device.at(i) -= std::min(of_device.at(i), drops.at(i));
    }
  }
  if (reader.peer().empty()) write_lines(after.name, "", of_device);
}

void watch(Context &context, Reader &reader, const std::string &name, double interval_s) {
  Waiter waiter;
  std::map<std::string, Diagnostics> before;
  for (Diagnostics &one : read_all(context, reader, name)) before[one.name] = std::move(one);
  for (double next_s = steady_seconds() + interval_s;;) {
    context.err.flush(STDERR_FILENO);
    if (waiter.wait(next_s, -1, STDOUT_FILENO).ends) return;
    if (steady_seconds() < next_s) continue;
    next_s = steady_seconds() + interval_s;
    for (Diagnostics &after : read_all(context, reader, name)) {
      const auto it = before.find(after.name);
      if (it != before.end()) write_new(reader, it->second, after);
      before[after.name] = std::move(after);
    }
  }
}

}  // namespace

Drops drops_since(const Drops &after, const Drops *before) {
  Drops since = after;
  if (before == nullptr) return since;
  for (size_t i = 0; i < since.size(); ++i) {
    // Less than before: the device was made anew.
    if (since.at(i) >= before->at(i)) since.at(i) -= before->at(i);
  }
  return since;
}

void print_drops(Output &out, const DropsView &view) {
  const Diagnostics &diagnostics = *view.diagnostics;
  out.print("interface: {}\n", printable(diagnostics.name));
  if (!is_any(diagnostics.drops)) out.append("  nothing was dropped\n");
  print_reasons(out, diagnostics.drops);
  for (size_t i = 0; i < diagnostics.peers.size(); ++i) {
    if (!is_any(diagnostics.peers[i].drops)) continue;
    print_peer(out, diagnostics.peers[i], view.names.at(i), diagnostics.now_ns);
  }
}

int run_drops(Context &context, Arguments arguments) {
  const ParsedOptions parsed = parse_options(kDropsOptions, arguments);
  if (parsed.words().size() > 1) throw UsageError();
  const bool is_json = parsed.has("json") || parsed.has("pretty");
  if (parsed.has("watch") && is_json) {
    throw UsageError("--watch prints lines, and not JSON");
  }
  const std::string name = parsed.words().empty() ? "all" : parsed.words()[0];
  Reader reader(context, parsed);
  if (parsed.has("watch")) {
    watch(context, reader, name, seconds_option(parsed, "watch", 1));
    return 0;
  }
  const std::vector<Diagnostics> all = read_all(context, reader, name);
  std::vector<DropsView> views;
  views.reserve(all.size());
  for (const Diagnostics &one : all) views.push_back(reader.view(one));
  if (is_json) {
    print_drops_json(context.out, views, wall_seconds(), {parsed.has("pretty"), false});
  } else {
    for (const DropsView &view : views) {
      if (&view != views.data()) context.out.append("\n");
      print_drops(context.out, view);
    }
  }
  if (reader.lacks_peer() && !all.empty()) {
    context.err.print("No peer has this name or beginning of a public key: `{}'\n",
                      printable(reader.peer()));
    return 1;
  }
  return all.empty() && !device_names(context, name).empty() ? 1 : 0;
}

}  // namespace wg::tool
