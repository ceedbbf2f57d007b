// SPDX-License-Identifier: GPL-2.0
#include "terminal.hh"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "error.hh"
#include "io.hh"
#include "view_options.hh"

namespace wg::tool {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT};

// The alternate screen, without cursor and line wrap; and all of it back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

void write_all(int fd, std::string_view text) {
  Output out;
  out.append(text);
  out.flush(fd);
}

// The length of an escape sequence at the front: ESC [ parameters final, or ESC O final.
size_t sequence_len(std::string_view bytes) {
  if (bytes.size() >= 3 && bytes[1] == 'O') return 3;
  if (bytes.size() < 3 || bytes[1] != '[') return 1;
  const size_t final = bytes.find_first_not_of("0123456789;", 2);
  return std::min(final, bytes.size() - 1) + 1;
}

struct Sequence {
  std::string_view bytes;
  Key key;
};

constexpr Sequence kSequences[] = {
    {"\x1b[A", Key::kUp},     {"\x1bOA", Key::kUp},      {"\x1b[B", Key::kDown},
    {"\x1bOB", Key::kDown},   {"\x1b[5~", Key::kPageUp}, {"\x1b[6~", Key::kPageDown},
    {"\x1b[H", Key::kHome},   {"\x1bOH", Key::kHome},    {"\x1b[1~", Key::kHome},
    {"\x1b[F", Key::kEnd},    {"\x1bOF", Key::kEnd},     {"\x1b[4~", Key::kEnd},
    {"q", Key::kQuit},        {"Q", Key::kQuit},         {"\x03", Key::kQuit},
    {"k", Key::kUp},          {"j", Key::kDown},         {" ", Key::kPageDown},
    {"\x06", Key::kPageDown}, {"\x02", Key::kPageUp},    {"g", Key::kHome},
    {"G", Key::kEnd},         {"\x0c", Key::kRedraw},
};

}  // namespace

Waiter::Waiter() {
  sigset_t mask;
  sigemptyset(&mask);
  for (const int signal : kSignals) sigaddset(&mask, signal);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  if (sigprocmask(SIG_BLOCK, &mask, &old_mask_) != 0) throw SystemError(errno);
  fd_ = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) {
    const int error = errno;
    sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
    throw SystemError(error);
  }
  sigaction(SIGPIPE, &ignore, &old_pipe_);
}

Waiter::~Waiter() {
  // What still waits was meant for us: unblocked, it would kill what is left to do.
  Happened unused;
  take_signals(unused);
  close(fd_);
  sigaction(SIGPIPE, &old_pipe_, nullptr);
  sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
}

void Waiter::take_signals(Happened &happened) const {
  signalfd_siginfo info;
  while (read(fd_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    happened.resized |= info.ssi_signo == SIGWINCH;
    happened.resumed |= info.ssi_signo == SIGCONT;
    happened.ends |= info.ssi_signo != SIGWINCH && info.ssi_signo != SIGCONT;
  }
}

Waiter::Happened Waiter::wait(double until_s, int input, int output) {
  constexpr double kMilliseconds = 1000;
  // poll() passes over what is negative. Errors are reported without being asked for.
  pollfd files[] = {{fd_, POLLIN, 0}, {input, POLLIN, 0}, {output, 0, 0}};
  const double left_ms = std::ceil((until_s - steady_seconds()) * kMilliseconds);
  const int num = poll(files, std::size(files), static_cast<int>(std::max(left_ms, 0.0)));
  if (num < 0 && errno != EINTR) throw SystemError(errno);
  Happened happened;
  if (num <= 0) return happened;
  if (files[0].revents != 0) take_signals(happened);
  happened.has_input = files[1].revents != 0;
  if (files[2].revents != 0) happened.ends = true;
  return happened;
}

Screen::Screen(int input, int output) : input_(input), output_(output) {
  if (input_ >= 0 && tcgetattr(input_, &old_) != 0) throw SystemError(errno);
  try {
    enter();
  } catch (...) {
    if (input_ >= 0) tcsetattr(input_, TCSANOW, &old_);
    throw;
  }
}

Screen::~Screen() {
  // A terminal that is gone takes neither, and there is nobody to tell.
  [[maybe_unused]] const ssize_t put = write(output_, kLeave.data(), kLeave.size());
  if (input_ >= 0) tcsetattr(input_, TCSANOW, &old_);
}

void Screen::enter() {
  if (input_ >= 0) {
    termios raw = old_;
    // Signals too come as bytes: all of them have to end here.
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(input_, TCSANOW, &raw) != 0) throw SystemError(errno);
  }
  write_all(output_, kEnter);
}

Screen::Size Screen::size() const {
  winsize size{};
  // A terminal that does not know its size, as a serial line, gets the usual one.
  if (ioctl(output_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

void Screen::draw(const std::vector<std::string> &lines) const {
  std::string text = "\x1b[H";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i != 0) text += "\r\n";
    text += lines[i] + "\x1b[K";
  }
  write_all(output_, text + "\x1b[J");
}

std::vector<KeyPress> parse_keys(std::string_view bytes) {
  std::vector<KeyPress> keys;
  while (!bytes.empty()) {
    const size_t len = bytes[0] == '\x1b' ? sequence_len(bytes) : 1;
    const std::string_view one = bytes.substr(0, len);
    const auto *known =
        std::find_if(std::begin(kSequences), std::end(kSequences),
                     [one](const Sequence &sequence) { return sequence.bytes == one; });
    if (known != std::end(kSequences)) {
      keys.push_back({known->key});
    } else if (one.size() == 1 && one[0] > ' ' && one[0] < '\x7f') {
      keys.push_back({Key::kLetter, one[0]});
    }
    bytes.remove_prefix(len);
  }
  return keys;
}

}  // namespace wg::tool
