// SPDX-License-Identifier: GPL-2.0
// What all commands share: the way from the command line to one of them, messages, exit status.
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "commands.hh"
#include "error.hh"
#include "network.hh"
#include "processor.hh"
#include "secret.hh"
#include "system.hh"
#include "text.hh"
#include "traces.hh"
#include "usage.hh"

namespace wg::tool {
namespace {

constexpr const char *kDefaultKind = "wireguard";
constexpr const char *kDefaultConfigDirectory = "/etc/wireguard";
// GENL_NAMSIZ bounds the family's name, with its terminating zero.
constexpr size_t kMaxKindLen = 15;

bool is_help(const std::string &word) {
  return word == "-h" || word == "--help" || word == "help";
}

bool is_version(const std::string &word) {
  return word == "-v" || word == "--version" || word == "version";
}

// What comes before the command.
struct Globals {
  std::string kind = kDefaultKind;
  std::string netns;
  std::string config_directory = kDefaultConfigDirectory;
};

void check_kind(const std::string &kind) {
  if (kind.empty() || kind.size() > kMaxKindLen) {
    throw Error(
        fmt::format("Link kind must have 1 to {} characters: `{}'", kMaxKindLen, printable(kind)));
  }
}

// An option of wgtool itself, the place for its value, and what that is.
struct GlobalOption {
  const char *name;
  std::string *value;
  const char *what;
};

// Takes wgtool's own options off the front. Others there belong to the command: `-j show` is `show
// -j`.
Globals take_globals(std::vector<std::string> &words) {
  Globals globals;
  const GlobalOption options[] = {
      {"--kind", &globals.kind, "the name of a link kind"},
      {"--netns", &globals.netns, "the name of a network namespace, as `ip netns' lists them"},
      {"--config-dir", &globals.config_directory, "a directory with configuration files"},
  };
  const char *from_environment = std::getenv("WGTOOL_KIND");
  if (from_environment != nullptr) globals.kind = from_environment;
  while (!words.empty()) {
    const size_t equals = words[0].find('=');
    const std::string_view name = std::string_view(words[0]).substr(0, equals);
    const auto *const option =
        std::find_if(std::begin(options), std::end(options),
                     [&](const GlobalOption &one) { return name == one.name; });
    if (option == std::end(options)) break;
    if (equals != std::string::npos) {
      *option->value = words[0].substr(equals + 1);
      words.erase(words.begin());
      continue;
    }
    if (words.size() < 2) throw Error(fmt::format("{} needs {}", option->name, option->what));
    *option->value = words[1];
    words.erase(words.begin(), words.begin() + 2);
  }
  check_kind(globals.kind);
  const auto command = std::find_if(words.begin(), words.end(), [](const std::string &word) {
    return !word.starts_with('-') || is_help(word) || is_version(word);
  });
  if (command == words.end()) {
    words.insert(words.begin(), "show");
  } else {
    std::rotate(words.begin(), command, command + 1);
  }
  return globals;
}

// All that follows happens in the namespace, DNS and files excepted.
void enter_netns(const std::string &name) {
  if (name.empty()) return;
  if (name.find('/') != std::string::npos || name == "." || name == "..") {
    throw Error(fmt::format("Not the name of a network namespace: `{}'", printable(name)));
  }
  const std::string path = "/run/netns/" + name;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    throw Error(fmt::format("No network namespace `{}': {}; `ip netns' lists them", printable(name),
                            std::strerror(errno)));
  }
  const OnExit close_it([fd] { close(fd); });
  if (setns(fd, CLONE_NEWNET) != 0) {
    throw Error(fmt::format("Unable to enter network namespace `{}': {}", printable(name),
                            std::strerror(errno)));
  }
}

// `wgtool up --netns red wg0': what is meant is plain, where it belongs is not.
void tell_misplaced(Output &err, Arguments arguments, const Command &command) {
  for (const std::string &word : arguments) {
    const std::string name = word.substr(0, word.find('='));
    if (name != "--kind" && name != "--netns" && name != "--config-dir") continue;
    err.print("{} is an option of wgtool itself: put it before `{}'\n", name, command.name);
  }
}

int run_command(const Command &command, Context &context, Arguments arguments) {
  const bool wants_help = arguments.size() == 1 && is_help(arguments[0]);
  const bool ends_in_help = !arguments.empty() && arguments.back() == "--help";
  if (wants_help && context.as_wg && command.run == run_show) {
    print_command_usage(context.err, context.program, command);
    return 0;
  }
  if ((wants_help || ends_in_help) && !context.as_wg) {
    print_help(context.out, context.program, command);
    return 0;
  }
  try {
    return command.run(context, arguments);
  } catch (const UsageError &error) {
    if (*error.what() != '\0') context.err.print("{}\n", context.text(error));
    if (!context.as_wg) tell_misplaced(context.err, arguments, command);
    print_command_usage(context.err, context.program, command);
  } catch (const Error &error) {
    context.err.print("{}\n", context.text(error));
  }
  return 1;
}

bool is_wg(const std::string &program) {
  return program.substr(program.rfind('/') + 1) == "wg";
}

std::string unknown_command(const std::string &word) {
  return fmt::format("No command `{}'; `wgtool --help' lists them", printable(word));
}

// What wgtool and wg(8) print without a device. Return: whether that was asked for.
bool print_general(Output &out, const std::string &program, const std::vector<std::string> &words,
                   bool as_wg) {
  if (words.size() == 1 && is_help(words[0])) {
    print_usage(out, program, as_wg);
    return true;
  }
  if (words.size() == 1 && is_version(words[0])) {
    // Scripts look for a "v" and a number in what wg(8) prints.
    out.print("wgtool {}" WGTOOL_VERSION "\n", as_wg ? "v" : "");
    return true;
  }
  if (words.size() == 2 && !as_wg && is_version(words[0]) && is_version(words[1])) {
    out.print("wgtool " WGTOOL_VERSION "\n{}\n", crypto_text());
    return true;
  }
  if (words.size() != 2 || !is_help(words[0]) || as_wg) return false;
  const Command *command = find_command(words[1], as_wg);
  if (command == nullptr) throw Error(unknown_command(words[1]));
  print_help(out, program, *command);
  return true;
}

int run(const std::string &program, std::vector<std::string> words, Output &out, Output &err) {
  const bool as_wg = is_wg(program);
  choose_crypto();
  Globals globals;
  if (!as_wg) {
    globals = take_globals(words);
    enter_netns(globals.netns);
  } else if (words.empty()) {
    words.emplace_back("show");
  }
  if (print_general(out, program, words, as_wg)) return 0;
  const Command *command = find_command(words[0], as_wg);
  if (command == nullptr) {
    if (!as_wg) throw Error(unknown_command(words[0]));
    err.print("Invalid subcommand: `{}'\n", printable(words[0]));
    print_usage(err, program, as_wg);
    return 1;
  }
  const auto devices = open_devices(globals.kind);
  const auto network = open_network();
  const auto system = open_system();
  Context context{*devices, program, {}, {}, as_wg, globals.kind};
  context.config_directory = globals.config_directory;
  context.network = network.get();
  context.system = system.get();
  const int status = run_command(*command, context, Arguments(words).subspan(1));
  out = std::move(context.out);
  err = std::move(context.err);
  return status;
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
