// SPDX-License-Identifier: GPL-2.0
// watch: peers on the whole screen, kept current.
#include "watch.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <utility>

#include "brief.hh"
#include "commands.hh"
#include "error.hh"
#include "snapshot.hh"
#include "terminal.hh"
#include "text.hh"
#include "utf8.hh"
#include "view_options.hh"

namespace wg::tool {
namespace {

// Two lines of totals, the headings, and the keys at the bottom.
constexpr size_t kNumHeadLines = 3, kNumFootLines = 1;

struct SortLetter {
  char letter;
  SortKey key;
  const char *name;
};

constexpr SortLetter kSortLetters[] = {
    {'a', SortKey::kAge, "age"}, {'r', SortKey::kRx, "rx"},
    {'t', SortKey::kTx, "tx"},   {'n', SortKey::kName, "name"},
    {'p', SortKey::kKey, "key"}, {'e', SortKey::kEndpoint, "endpoint"},
};

constexpr std::array kStates = {State::kUp, State::kIdle, State::kStale, State::kNever,
                                State::kRejected};

struct Totals {
  size_t num_peers = 0;
  std::map<State, size_t> num_in_state;
  uint64_t rx_bytes = 0, tx_bytes = 0;
  Rate rate;
};

Totals total(const std::vector<DeviceView> &views) {
  Totals totals;
  for (const DeviceView &view : views) {
    for (const PeerView &peer : view.peers) {
      ++totals.num_peers;
      ++totals.num_in_state[peer.state];
      totals.rx_bytes += peer.peer->rx_bytes;
      totals.tx_bytes += peer.peer->tx_bytes;
      totals.rate.rx += peer.rate ? peer.rate->rx : 0;
      totals.rate.tx += peer.rate ? peer.rate->tx : 0;
    }
  }
  return totals;
}

std::string counts_line(const Frame &frame, const Totals &totals) {
  std::string line = fmt::format("{}  {}  {} peer{}", frame.clock, printable(frame.name),
                                 totals.num_peers, totals.num_peers == 1 ? "" : "s");
  for (const State state : kStates) {
    const auto it = totals.num_in_state.find(state);
    if (it == totals.num_in_state.end()) continue;
    line += fmt::format("  {} {}", it->second, painted_state(state, frame.style));
  }
  return frame.views.empty() ? line + "  (no interface now)" : line;
}

std::string rates_line(const Totals &totals) {
  const Style plain;
  return fmt::format("received {}, {} in all   sent {}, {} in all",
                     format_rate(totals.rate.rx, plain), format_size(totals.rx_bytes, plain),
                     format_rate(totals.rate.tx, plain), format_size(totals.tx_bytes, plain));
}

std::string keys_line(const Frame &frame, const Page &page, size_t num_peers) {
  std::string line = "q quit  j/k scroll  sort:";
  for (const SortLetter &known : kSortLetters) {
    const bool is_on = known.key == frame.sort;
    line += fmt::format(" {}{}={}{}", is_on ? "[" : "", known.letter, known.name, is_on ? "]" : "");
  }
  const size_t last = std::min(page.scroll + page.num_rows, num_peers);
  if (page.num_rows < num_peers) {
    line += fmt::format("  {}-{} of {}", page.scroll + 1, last, num_peers);
  }
  return line;
}

std::string clock_text() {
  const std::time_t now = wall_seconds();
  std::tm broken{};
  localtime_r(&now, &broken);
  return fmt::format("{:%H:%M:%S}", broken);
}

// A running `watch'.
class Watch {
 public:
  Watch(Context &context, const ParsedOptions &parsed, const std::string &name)
      : err_(context.err),
        options_(view_options(parsed, SortKey::kAge)),
        interval_s_(seconds_option(parsed, "interval", 1)),
        names_(name_options(parsed, context.config_directory)),
        reader_(context, name, options_.stale_s),
        input_(isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : -1) {
    frame_.name = name;
    frame_.sort = options_.sort;
    frame_.style.color = choose_color(parsed.value("color"));
  }

  void run() {
    // Before the screen is taken, so that what cannot be read at all is said on it as it was.
    read();
    Waiter waiter;
    Screen screen(input_, STDOUT_FILENO);
    double next_s = steady_seconds() + interval_s_;
    for (;;) {
      draw(screen);
      const Waiter::Happened happened = waiter.wait(next_s, input_, STDOUT_FILENO);
      if (happened.ends || (happened.has_input && !take_keys(screen))) return;
      if (happened.resumed) screen.enter();
      if (steady_seconds() < next_s) continue;
      next_s = steady_seconds() + interval_s_;
      read();
    }
  }

 private:
  void read() {
    devices_.clear();
    Snapshot after = reader_.read(now_, err_, &devices_);
    for (const Event &event : diff(now_, after, 0)) {
      if (event.kind == EventKind::kPeerAdded) names_.forget(event.device);
    }
    before_ = std::exchange(now_, std::move(after));
    frame_.style.now_s = wall_seconds();
    frame_.clock = clock_text();
  }

  void draw(Screen &screen) {
    frame_.views.clear();
    options_.sort = frame_.sort;
    for (const Device &device : devices_) {
      const auto before = before_.find(device.name);
      frame_.views.push_back(make_view(device, names_.names(device.name, err_),
                                       before == before_.end() ? nullptr : &before->second,
                                       now_[device.name], options_));
    }
    const Screen::Size size = screen.size();
    const Page page = render(frame_, size.width, size.height);
    frame_.scroll = page.scroll;
    num_rows_ = page.num_rows;
    screen.draw(page.lines);
  }

  // Return: false when the user wants to quit, or the terminal is gone.
  bool take_keys(Screen &screen) {
    std::array<char, 256> bytes{};
    const ssize_t len = ::read(input_, bytes.data(), bytes.size());
    if (len < 0 && errno == EINTR) return true;
    if (len <= 0) return false;
    for (const KeyPress &press : parse_keys({bytes.data(), static_cast<size_t>(len)})) {
      if (press.key == Key::kQuit) return false;
      if (press.key == Key::kRedraw) screen.enter();
      take_key(press);
    }
    return true;
  }

  void take_key(const KeyPress &press) {
    const size_t page = std::max<size_t>(num_rows_, 1);
    const auto back = [this](size_t by) { frame_.scroll -= std::min(by, frame_.scroll); };
    switch (press.key) {
      case Key::kUp:
        return back(1);
      case Key::kPageUp:
        return back(page);
      case Key::kHome:
        return back(frame_.scroll);
      case Key::kDown:
        ++frame_.scroll;
        return;
      case Key::kPageDown:
        frame_.scroll += page;
        return;
      case Key::kEnd:
        // Drawing bounds it.
        frame_.scroll = SIZE_MAX / 2;
        return;
      case Key::kLetter:
        for (const SortLetter &known : kSortLetters) {
          if (known.letter == press.letter) frame_.sort = known.key;
        }
        return;
      case Key::kQuit:
      case Key::kRedraw:
        return;
    }
  }

  Output &err_;
  ViewOptions options_;
  double interval_s_;
  NameSource names_;
  SnapshotReader reader_;
  int input_;
  Frame frame_;
  size_t num_rows_ = 0;
  std::vector<Device> devices_;
  Snapshot before_, now_;
};

}  // namespace

Page render(const Frame &frame, size_t width, size_t height) {
  Page page;
  const Totals totals = total(frame.views);
  std::vector<std::string> table =
      brief_lines(frame.views, frame.style, {.header = true, .rates = true});
  page.lines = {counts_line(frame, totals), rates_line(totals), std::move(table[0])};
  const size_t around = kNumHeadLines + kNumFootLines;
  page.num_rows = height > around ? height - around : 0;
  const size_t num_hidden = totals.num_peers - std::min(page.num_rows, totals.num_peers);
  page.scroll = std::min(frame.scroll, num_hidden);
  const size_t end = std::min(page.scroll + page.num_rows, totals.num_peers);
  for (size_t i = page.scroll; i < end; ++i) page.lines.push_back(std::move(table[i + 1]));
  if (height > kNumHeadLines) {
    page.lines.resize(height - kNumFootLines);
    page.lines.push_back(keys_line(frame, page, totals.num_peers));
  }
  page.lines.resize(std::min(page.lines.size(), height));
  for (std::string &line : page.lines) line = fit(line, width);
  return page;
}

int run_watch(Context &context, Arguments arguments) {
  const ParsedOptions parsed = parse_options(kWatchOptions, arguments);
  if (parsed.words().size() > 1) throw UsageError();
  if (isatty(STDOUT_FILENO) != 1) {
    throw Error(
        "watch needs a terminal for its output; `wgtool show --brief' prints once, and "
        "`wgtool monitor' prints a line for each event");
  }
  const std::string name = parsed.words().empty() ? "all" : parsed.words()[0];
  try {
    Watch(context, parsed, name).run();
  } catch (const SystemError &error) {
    // The terminal went away while something was on its way to it.
    if (error.error() != EPIPE && error.error() != EIO) throw;
  }
  return 0;
}

}  // namespace wg::tool
