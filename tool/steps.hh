// SPDX-License-Identifier: GPL-2.0
// What `up' and its like do, one step after the other, and how it is taken back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "commands.hh"

namespace wg::tool {

/**
 * Steps that are told and carried out, or only told. What has been done is taken back, last first,
 * by roll_back().
 */
class Steps {
 public:
  using Action = std::function<void()>;

  /** @dry_run: print each step to standard output, and carry out none */
  Steps(Context &context, bool dry_run) : context_(context), dry_run_(dry_run) {}

  bool is_dry_run() const { return dry_run_; }

  /**
   * run() - one step
   * @text: the command of ip(8) and others that does the same
   * @undo: what takes it back; empty when something before does that, too
   *
   * Throws what @action throws, and Error when a signal asks us to stop.
   */
  void run(const std::string &text, const Action &action, Action undo = {});

  /** tell() - a line of progress; that nobody can read it stops nothing */
  static void tell(Context &context, const std::string &text);

  /** on_failure() - for roll_back(), which is to call it also when what follows fails halfway */
  void on_failure(Action undo);

  /** Takes all back. Failures are told, and do not end it. Return: whether there were none. */
  bool roll_back();

  /** check_signal() - throw Error when a signal asks us to stop */
  void check_signal() const;

  /** Return: the number of steps run so far. */
  size_t count() const { return count_; }

 private:
  Context &context_;
  bool dry_run_;
  size_t count_ = 0;
  std::vector<Action> undo_;
};

}  // namespace wg::tool
