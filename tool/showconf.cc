// SPDX-License-Identifier: GPL-2.0
// showconf: a device as `setconf` reads it, secrets in clear.
#include "commands.hh"
#include "error.hh"
#include "format.hh"

namespace wg::tool {

int run_showconf(Context &context, Arguments arguments) {
  if (arguments.size() != 1) throw UsageError();
  print_config(context.out, get_device(context, arguments[0]));
  return 0;
}

}  // namespace wg::tool
