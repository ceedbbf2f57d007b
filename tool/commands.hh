// SPDX-License-Identifier: GPL-2.0
// The subcommands: one file each, all of one shape.
#pragma once

#include <span>
#include <string>

#include "dialect.hh"
#include "error.hh"
#include "io.hh"
#include "model.hh"
#include "netlink.hh"
#include "options.hh"

namespace wg::tool {

class Network;
class System;

/** What a command works with. */
struct Context {
  Devices &devices;
  /** As the user called it, for messages. */
  std::string program;
  /** Written to standard output when the command has ended, in failure too. */
  Output out;
  /** For standard error: warnings, and failures that do not end the command. */
  Output err;
  /** Called by the name of wg(8): what is silently wrong there is taken here too. */
  bool as_wg = false;
  /** Link kind and netlink family. */
  std::string kind = "wireguard";
  /** Where NAME.conf is. */
  std::string config_directory = "/etc/wireguard";
  /** The namespace's links, addresses, routes and rules. */
  Network *network = nullptr;
  System *system = nullptr;

  Dialect dialect() const { return as_wg ? Dialect::kWg : Dialect::kStrict; }
  /** What to print of a failure. */
  std::string text(const Error &error) const { return as_wg ? error.brief() : error.what(); }
};

/**
 * A command: @arguments come after its name. It throws UsageError or Error.
 * Return: the exit status, 0 or 1.
 */
using CommandFunction = int (*)(Context &context, Arguments arguments);

struct Command {
  const char *name;
  CommandFunction run;
  /** Arguments, for the usage line. */
  const char *arguments;
  const char *summary;
  /** A command line that does something useful, for --help. */
  const char *example;
  /** What the command passes to parse_options(). */
  std::span<const Option> options = {};
  /** Whether wg(8) has it. */
  bool in_wg = false;
};

int run_show(Context &context, Arguments arguments);
int run_showconf(Context &context, Arguments arguments);
int run_set(Context &context, Arguments arguments);
int run_setconf(Context &context, Arguments arguments);
int run_addconf(Context &context, Arguments arguments);
int run_syncconf(Context &context, Arguments arguments);
int run_genkey(Context &context, Arguments arguments);
int run_genpsk(Context &context, Arguments arguments);
int run_pubkey(Context &context, Arguments arguments);
int run_up(Context &context, Arguments arguments);
int run_down(Context &context, Arguments arguments);
int run_clean(Context &context, Arguments arguments);
int run_apply(Context &context, Arguments arguments);
int run_diff(Context &context, Arguments arguments);
int run_save(Context &context, Arguments arguments);
int run_strip(Context &context, Arguments arguments);
int run_watch(Context &context, Arguments arguments);
int run_monitor(Context &context, Arguments arguments);
int run_drops(Context &context, Arguments arguments);

/**
 * parse_set() - the arguments of `set`, the interface first. Reads key files.
 *
 * Names in endpoints are left for resolve_endpoints(), but for Dialect::kWg.
 */
DeviceChange parse_set(std::string &warnings, Arguments arguments,
                       Dialect dialect = Dialect::kStrict);

/**
 * name_to_change() - the interface that a command is to change
 *
 * wg(8) cuts the name at 15 bytes without a word; ours fails when the kernel sees it.
 */
std::string name_to_change(const std::string &name, Dialect dialect);

enum class Access { kRead, kChange };

/**
 * device_error() - why a device cannot be read or changed, in one line that says what to do
 *
 * Called as wg, the words are those of wg(8).
 */
Error device_error(const Context &context, const std::string &name, Access access,
                   const SystemError &error);

/** get_device() - read one device. Throws Error of device_error(). */
Device get_device(Context &context, const std::string &name);

/** set_device() - resolve names, then send. Throws Error of device_error(). */
void set_device(Context &context, DeviceChange &change);

/**
 * sync_change() - what makes a device like a file without touching what is alike
 * @wanted: from parse_config()
 *
 * For Dialect::kWg what the file omits of the device has been set to zero by the caller.
 */
DeviceChange sync_change(const DeviceChange &wanted, const Device &current,
                         Dialect dialect = Dialect::kStrict);

}  // namespace wg::tool
