// SPDX-License-Identifier: GPL-2.0
#include "usage.hh"

#include <algorithm>

#include "commands.hh"
#include "drops.hh"
#include "up.hh"
#include "view_options.hh"

namespace wg::tool {
namespace {

constexpr const char *kShowArguments =
    "{ <interface> | all | interfaces } [public-key | private-key | listen-port | fwmark | peers "
    "| preshared-keys | endpoints | allowed-ips | latest-handshakes | transfer | "
    "persistent-keepalive | dump]";
constexpr const char *kSetArguments =
    "<interface> [listen-port <port>] [fwmark <mark>] [private-key <file path>] [peer <base64 "
    "public key> [remove] [preshared-key <file path>] [endpoint <ip>:<port>] "
    "[persistent-keepalive <interval seconds>] [allowed-ips [+|-]<ip1>/<cidr1>"
    "[,[+|-]<ip2>/<cidr2>]...] ]...";

constexpr Command kCommands[] = {
    {"show", run_show, kShowArguments, "Shows the current configuration and device information",
     "wgtool show wg0 --brief --sort rx", kShowOptions, true},
    {"showconf",
     run_showconf,
     "<interface>",
     "Shows the current configuration of a given WireGuard interface, for use with `setconf'",
     "wgtool showconf wg0 > saved.conf",
     {},
     true},
    {"set",
     run_set,
     kSetArguments,
     "Change the current configuration, add peers, remove peers, or change peers",
     "wgtool set wg0 peer PUBLIC_KEY endpoint 192.0.2.1:51820 allowed-ips +10.9.0.2/32",
     {},
     true},
    {"setconf",
     run_setconf,
     "<interface> <configuration filename>",
     "Applies a configuration file to a WireGuard interface",
     "wgtool setconf wg0 saved.conf",
     {},
     true},
    {"addconf",
     run_addconf,
     "<interface> <configuration filename>",
     "Appends a configuration file to a WireGuard interface",
     "wgtool addconf wg0 more-peers.conf",
     {},
     true},
    {"syncconf",
     run_syncconf,
     "<interface> <configuration filename>",
     "Synchronizes a configuration file to a WireGuard interface",
     "wgtool syncconf wg0 saved.conf",
     {},
     true},
    {"genkey",
     run_genkey,
     "",
     "Generates a new private key and writes it to stdout",
     "(umask 077; wgtool genkey > private.key)",
     {},
     true},
    {"genpsk",
     run_genpsk,
     "",
     "Generates a new preshared key and writes it to stdout",
     "(umask 077; wgtool genpsk > peer.psk)",
     {},
     true},
    {"pubkey",
     run_pubkey,
     "",
     "Reads a private key from stdin and writes a public key to stdout",
     "wgtool pubkey < private.key",
     {},
     true},
    {"up", run_up, "[-n] { <interface> | <file> }",
     "Makes an interface with all that its file asks for: addresses, routes, DNS, hooks",
     "wgtool up wg0     # from /etc/wireguard/wg0.conf", kUpOptions},
    {"down", run_down, "[-n] { <interface> | <file> }",
     "Takes away an interface and what belongs to it", "wgtool down wg0", kDownOptions},
    {"apply", run_apply, "[-n] { <interface> | <file> }",
     "Brings an interface that is up to its file, without dropping a session",
     "wgtool apply -n wg0", kApplyOptions},
    {"diff", run_diff, "{ <interface> | <file> }", "Shows how an interface differs from its file",
     "wgtool diff wg0"},
    {"save", run_save, "[-n] { <interface> | <file> }",
     "Writes the state of an interface into its file, comments kept", "wgtool save wg0",
     kDownOptions},
    {"strip", run_strip, "{ <interface> | <file> }",
     "Prints a file without the lines that only `up' understands",
     "wgtool syncconf wg0 <(wgtool strip wg0)"},
    {"clean", run_clean, "[-n] [<interface>]",
     "Takes away what an `up' or `down' that was killed left behind", "wgtool clean -n",
     kCleanOptions},
    {"watch", run_watch, "[<interface> | all]",
     "Shows peers, their states and rates on the whole screen, and keeps them current",
     "wgtool watch wg0 --sort rx", kWatchOptions},
    {"monitor", run_monitor, "[<interface> | all]",
     "Prints a line for each handshake, change of state or endpoint, and for what comes and goes",
     "wgtool monitor --json", kMonitorOptions},
    {"drops", run_drops, "[<interface> | all]",
     "Says what was dropped, and why: of interfaces of wgpp", "wgtool drops wg0 --peer laptop",
     kDropsOptions},
};

// main() takes these off the front.
constexpr Option kGlobalOptions[] = {
    {"", "kind", "KIND", "link kind and netlink family (default: WGTOOL_KIND, else wireguard)"},
    {"", "netns", "NAME", "work in this network namespace, as `ip netns' lists them"},
    {"", "config-dir", "DIR", "where INTERFACE.conf is (default: /etc/wireguard)"},
    {"h", "help", nullptr, "print this, or the help of a command behind it"},
    {"v", "version", nullptr, "print the version; given twice, the processor's instructions too"},
};

void print_options(Output &out, std::span<const Option> options) {
  for (const Option &option : options) {
    std::string left = *option.letters != '\0' ? fmt::format("-{}, ", option.letters) : "";
    left += fmt::format("--{}", option.name);
    // One that may be left out has its "=" with it.
    const bool is_optional = option.value != nullptr && *option.value == '[';
    if (option.value != nullptr) left += fmt::format("{}{}", is_optional ? "" : " ", option.value);
    out.print("  {:<24} {}\n", left, option.summary);
  }
}

void print_overview(Output &out, const std::string &program) {
  out.print("Usage: {} [<options>] <command> [<arguments>]\n\nCommands:\n", program);
  for (const Command &command : kCommands) {
    out.print("  {:<10} {}\n", command.name, command.summary);
  }
  out.append("\nOptions, before the command:\n");
  print_options(out, kGlobalOptions);
  out.print(
      "\nWithout a command it is `show'.\n`{} <command> --help' has the options of a command and "
      "an example.\n\nExample:\n  wgtool up wg0     # from /etc/wireguard/wg0.conf\n",
      program);
}

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

const Command *find_command(const std::string &name, bool as_wg) {
  const auto *const it = std::find_if(
      std::begin(kCommands), std::end(kCommands),
      [&](const Command &command) { return name == command.name && (command.in_wg || !as_wg); });
  return it == std::end(kCommands) ? nullptr : it;
}

void print_usage(Output &out, const std::string &program, bool as_wg) {
  if (!as_wg) return print_overview(out, program);
  out.print("Usage: {} <cmd> [<args>]\n\nAvailable subcommands:\n", program);
  for (const Command &command : kCommands) {
    if (command.in_wg) out.print("  {}: {}\n", command.name, command.summary);
  }
  out.append("You may pass `--help' to any of these subcommands to view usage.\n");
}

void print_command_usage(Output &out, const std::string &program, const Command &command) {
  out.print("Usage: {} {}{}{}\n", program, command.name, *command.arguments != '\0' ? " " : "",
            command.arguments);
}

void print_help(Output &out, const std::string &program, const Command &command) {
  print_command_usage(out, program, command);
  out.print("\n{}.\n", command.summary);
  if (!command.options.empty()) out.append("\nOptions:\n");
  print_options(out, command.options);
  out.print("\nExample:\n  {}\n", command.example);
}

}  // namespace wg::tool
