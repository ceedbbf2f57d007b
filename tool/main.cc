// SPDX-License-Identifier: GPL-2.0
// The command table, and what all commands share: usage, messages, exit status.
#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "commands.hh"
#include "error.hh"
#include "processor.hh"
#include "secret.hh"
#include "text.hh"
#include "traces.hh"

namespace wg::tool {
namespace {

constexpr Command kCommands[] = {
    {"show", run_show,
     "{ <interface> | all | interfaces } [public-key | private-key | listen-port | fwmark | peers "
     "| preshared-keys | endpoints | allowed-ips | latest-handshakes | transfer | "
     "persistent-keepalive | dump]",
     "Shows the current configuration and device information"},
    {"showconf", run_showconf, "<interface>",
     "Shows the current configuration of a given WireGuard interface, for use with `setconf'"},
    {"set", run_set,
     "<interface> [listen-port <port>] [fwmark <mark>] [private-key <file path>] [peer <base64 "
     "public key> [remove] [preshared-key <file path>] [endpoint <ip>:<port>] "
     "[persistent-keepalive <interval seconds>] [allowed-ips [+|-]<ip1>/<cidr1>"
     "[,[+|-]<ip2>/<cidr2>]...] ]...",
     "Change the current configuration, add peers, remove peers, or change peers"},
    {"setconf", run_setconf, "<interface> <configuration filename>",
     "Applies a configuration file to a WireGuard interface"},
    {"addconf", run_addconf, "<interface> <configuration filename>",
     "Appends a configuration file to a WireGuard interface"},
    {"syncconf", run_syncconf, "<interface> <configuration filename>",
     "Synchronizes a configuration file to a WireGuard interface"},
    {"genkey", run_genkey, "", "Generates a new private key and writes it to stdout"},
    {"genpsk", run_genpsk, "", "Generates a new preshared key and writes it to stdout"},
    {"pubkey", run_pubkey, "", "Reads a private key from stdin and writes a public key to stdout"},
};

constexpr const char *kDefaultKind = "wireguard";
// GENL_NAMSIZ bounds the family's name, with its terminating zero.
constexpr size_t kMaxKindLen = 15;

void print_usage(Output &out, const std::string &program) {
  out.print("Usage: {} <cmd> [<args>]\n\nAvailable subcommands:\n", program);
  for (const Command &command : kCommands) out.print("  {}: {}\n", command.name, command.summary);
  out.append("You may pass `--help' to any of these subcommands to view usage.\n");
}

void print_command_usage(Output &out, const std::string &program, const Command &command) {
  out.print("Usage: {} {}{}{}\n", program, command.name, *command.arguments != '\0' ? " " : "",
            command.arguments);
}

bool is_help(const std::string &word) {
  return word == "-h" || word == "--help" || word == "help";
}

bool is_version(const std::string &word) {
  return word == "-v" || word == "--version" || word == "version";
}

// Takes `--kind NAME` off the front. Return: the kind of device to work on.
std::string take_kind(std::vector<std::string> &words) {
  const char *from_environment = std::getenv("WGTOOL_KIND");
  std::string kind = from_environment != nullptr ? from_environment : kDefaultKind;
  if (!words.empty() && words[0] == "--kind") {
    if (words.size() < 2) throw Error("--kind needs the name of a link kind");
    kind = words[1];
    words.erase(words.begin(), words.begin() + 2);
  }
  if (kind.empty() || kind.size() > kMaxKindLen) {
    throw Error(
        fmt::format("Link kind must have 1 to {} characters: `{}'", kMaxKindLen, printable(kind)));
  }
  return kind;
}

int run_command(const Command &command, const std::string &program, Context &context,
                Arguments arguments) {
  if (command.run == run_show && arguments.size() == 1 && is_help(arguments[0])) {
    print_command_usage(context.err, program, command);
    return 0;
  }
  try {
    return command.run(context, arguments);
  } catch (const UsageError &error) {
    if (*error.what() != '\0') context.err.print("{}\n", error.what());
    print_command_usage(context.err, program, command);
  } catch (const Error &error) {
    context.err.print("{}\n", error.what());
  }
  return 1;
}

int run(const std::string &program, std::vector<std::string> words, Output &out, Output &err) {
  const std::string kind = take_kind(words);
  choose_crypto();
  if (words.size() == 1 && is_help(words[0])) {
    print_usage(out, program);
    return 0;
  }
  if (words.size() == 1 && is_version(words[0])) {
    out.append("wgtool " WGTOOL_VERSION "\n");
    return 0;
  }
  if (words.size() == 2 && is_version(words[0]) && is_version(words[1])) {
    out.print("wgtool " WGTOOL_VERSION "\n{}\n", crypto_text());
    return 0;
  }
  const std::string name = words.empty() ? "show" : words[0];
  for (const Command &command : kCommands) {
    if (name != command.name) continue;
    const auto devices = open_devices(kind);
    Context context{*devices, program, {}, {}};
    const Arguments all(words);
    const int status = run_command(command, program, context, words.empty() ? all : all.subspan(1));
    out = std::move(context.out);
    err = std::move(context.err);
    return status;
  }
  err.print("Invalid subcommand: `{}'\n", printable(name));
  print_usage(err, program);
  return 1;
}

int run_and_print(int argc, char **argv) {
  const std::string program = printable(argc > 0 ? argv[0] : "wgtool");
  Output out;
  Output err;
  int status = 1;
  try {
    status = run(program, std::vector<std::string>(argv + (argc > 0), argv + argc), out, err);
  } catch (const std::exception &error) {
    err.print("{}\n", printable(error.what()));
  }
  try {
    err.flush(STDERR_FILENO);
    out.flush(STDOUT_FILENO);
  } catch (const SystemError &error) {
    Output last;
    last.print("Unable to write the output: {}\n", error.what());
    last.flush(STDERR_FILENO);
    status = 1;
  }
  return status;
}

}  // namespace
}  // namespace wg::tool

int main(int argc, char **argv) {
  const wg::tool::OnExit wipe(wg::tool::wipe_traces);
  try {
    return wg::tool::run_and_print(argc, argv);
  } catch (...) {
    // Out of memory, or nowhere left to say what went wrong.
    return 1;
  }
}
