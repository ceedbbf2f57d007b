// SPDX-License-Identifier: GPL-2.0
// What to say, and to do, when a device cannot be had.
#include "commands.hh"
#include "error.hh"
#include "network.hh"
#include "text.hh"

namespace wg::tool {
namespace {

// wg(8)'s kind is the one that is loaded by its alias; another has to be named.
std::string load_command(const std::string &kind) {
  return kind == "wireguard" ? "modprobe wgpp" : "modprobe wgpp kind=" + kind;
}

}  // namespace

Error device_error(const Context &context, const std::string &name, Access access,
                   const SystemError &error) {
  const char *verb = access == Access::kRead ? "access" : "modify";
  if (context.as_wg)
    return Error(fmt::format("Unable to {} interface: {}", verb, context.text(error)));
  const std::string shown = printable(name);
  switch (error.error()) {
    case ENODEV:
      return Error(fmt::format("No interface `{}'; `wgtool show interfaces' lists them", shown));
    case EPERM:
    case EACCES:
      return Error(
          fmt::format("Not permitted to {} `{}': run as root (needs CAP_NET_ADMIN)", verb, shown));
    case EPROTONOSUPPORT:
      if (context.network != nullptr && !context.network->find_link(name)) {
        return Error(
            fmt::format("No interface `{}', and the kernel has no link kind `{}': to have "
                        "one, load the module ({})",
                        shown, printable(context.kind), load_command(printable(context.kind))));
      }
      return Error(fmt::format("The kernel has no link kind `{}': load the module ({})",
                               printable(context.kind), load_command(printable(context.kind))));
    case EOPNOTSUPP:
      return Error(fmt::format(
          "`{}' is no WireGuard interface of kind `{}'; `wgtool show interfaces' lists them", shown,
          printable(context.kind)));
    case ENAMETOOLONG:
      return Error(fmt::format("No name of an interface, which has at most 15 bytes: `{}'", shown));
    default:
      return Error(fmt::format("Unable to {} interface `{}': {}", verb, shown, error.what()));
  }
}

}  // namespace wg::tool
