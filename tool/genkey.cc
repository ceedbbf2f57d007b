// SPDX-License-Identifier: GPL-2.0
// genkey, genpsk: new keys from the kernel's random numbers.
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.hh"
#include "error.hh"

namespace wg::tool {
namespace {

void warn_if_world_readable(Context &context) {
  struct stat status;
  if (fstat(STDOUT_FILENO, &status) != 0) return;
  if (!S_ISREG(status.st_mode) || (status.st_mode & S_IRWXO) == 0) return;
  context.err.append(
      "Warning: writing to world accessible file.\n"
      "Consider setting the umask to 077 and trying again.\n");
}

SecretKey random_key() {
  SecretKey key;
  // Up to 256 bytes come whole or not at all, and not before the generator is ready.
  ssize_t got;
  do {
    got = getrandom(key.bytes.data(), key.bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(key.bytes.size())) {
    throw Error(fmt::format("Unable to get random numbers: {}", std::strerror(errno)));
  }
  return key;
}

void print_key(Context &context, const SecretKey &key) {
  context.out.append_key(key.bytes.data());
  context.out.append("\n");
}

}  // namespace

int run_genkey(Context &context, Arguments arguments) {
  if (!arguments.empty()) throw UsageError();
  warn_if_world_readable(context);
  SecretKey key = random_key();
  wgc_key_clamp(key.bytes.data());
  print_key(context, key);
  return 0;
}

int run_genpsk(Context &context, Arguments arguments) {
  if (!arguments.empty()) throw UsageError();
  warn_if_world_readable(context);
  print_key(context, random_key());
  return 0;
}

}  // namespace wg::tool
