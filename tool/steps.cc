// SPDX-License-Identifier: GPL-2.0
#include "steps.hh"

#include <unistd.h>

#include "error.hh"
#include "system.hh"
#include "text.hh"

namespace wg::tool {

void Steps::run(const std::string &text, const Action &action, Action undo) {
  ++count_;
  if (dry_run_) {
    context_.out.print("{}\n", printable(text));
    return;
  }
  check_signal();
  tell(context_, "[#] " + text);
  try {
    action();
  } catch (const SystemError &error) {
    throw Error(fmt::format("`{}': {}", printable(text), error.what()));
  }
  if (undo) undo_.push_back(std::move(undo));
}

void Steps::check_signal() const {
  const int signal = context_.system->stop_signal();
  if (signal != 0) throw Error(fmt::format("Stopped by signal {}", signal));
}

void Steps::tell(Context &context, const std::string &text) {
  context.err.print("{}\n", printable(text));
  try {
    context.err.flush(STDERR_FILENO);
  } catch (const SystemError &) {
    // The terminal is gone, as when the default route moved under it.
  }
}

void Steps::on_failure(Action undo) {
  if (!dry_run_) undo_.push_back(std::move(undo));
}

bool Steps::roll_back() {
  bool is_all_back = true;
  while (!undo_.empty()) {
    const Action undo = std::move(undo_.back());
    undo_.pop_back();
    try {
      undo();
    } catch (const std::exception &error) {
      tell(context_, fmt::format("While taking back: {}", error.what()));
      is_all_back = false;
    }
  }
  return is_all_back;
}

}  // namespace wg::tool
