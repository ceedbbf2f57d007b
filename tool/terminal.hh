// SPDX-License-Identifier: GPL-2.0
// What runs until it is told to end: signals, time, keys, the whole screen.
#pragma once

#include <termios.h>

#include <csignal>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wg::tool {

/**
 * Signals, taken one by one instead of by handlers. While it lives, SIGINT, SIGTERM, SIGHUP,
 * SIGQUIT, SIGWINCH and SIGCONT wait for wait(), and SIGPIPE is ignored, so that everything can be
 * put in order before the end.
 */
class Waiter {
 public:
  /** Throws SystemError. */
  Waiter();
  Waiter(const Waiter &) = delete;
  Waiter &operator=(const Waiter &) = delete;
  ~Waiter();

  struct Happened {
    /** A signal asked for the end, or nobody reads @output any more. */
    bool ends = false;
    /** The terminal has another size. */
    bool resized = false;
    /** The program goes on after a stop: somebody else may have had the terminal. */
    bool resumed = false;
    bool has_input = false;
  };

  /**
   * wait() - until something happens or the time has come
   * @until_s: of steady_seconds()
   * @input: a file to be read, or -1
   * @output: a file whose reader may go, or -1
   *
   * Return: nothing set when the time has come. Throws SystemError.
   */
  Happened wait(double until_s, int input, int output);

 private:
  void take_signals(Happened &happened) const;

  int fd_ = -1;
  sigset_t old_mask_{};
  struct sigaction old_pipe_ {};
};

/** The whole screen, as long as it lives; afterwards the terminal is as it was. */
class Screen {
 public:
  struct Size {
    size_t width = 80;
    size_t height = 24;
  };

  /** @input: where keys come from, or -1. @output: a terminal. Throws SystemError. */
  Screen(int input, int output);
  Screen(const Screen &) = delete;
  Screen &operator=(const Screen &) = delete;
  ~Screen();

  /** enter() - again, after somebody else had the terminal */
  void enter();

  Size size() const;

  /** draw() - show these lines, the first at the top; below them is nothing. Throws SystemError. */
  void draw(const std::vector<std::string> &lines) const;

 private:
  int input_;
  int output_;
  termios old_{};
};

enum class Key { kQuit, kUp, kDown, kPageUp, kPageDown, kHome, kEnd, kRedraw, kLetter };

struct KeyPress {
  Key key;
  /** With kLetter. */
  char letter = 0;
};

/** parse_keys() - what the bytes of a terminal mean; unknown sequences are passed over */
std::vector<KeyPress> parse_keys(std::string_view bytes);

}  // namespace wg::tool
