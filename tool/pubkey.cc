// SPDX-License-Identifier: GPL-2.0
// pubkey: the public key of the private key on standard input.
#include <unistd.h>

#include "commands.hh"
#include "error.hh"

namespace wg::tool {
namespace {

bool is_blank_or_nul(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

}  // namespace

int run_pubkey(Context &context, Arguments arguments) {
  constexpr size_t kMaxInputLen = 4096;
  if (!arguments.empty()) throw UsageError();
  const SecretBytes input = read_fd(STDIN_FILENO, kMaxInputLen);
  const std::string_view text = view(input);
  const auto key = SecretKey::parse(text.substr(0, kKeyTextLen));
  if (!key) throw Error(context.program + ": Key is not the correct length or format");
  for (char c : text.substr(kKeyTextLen)) {
    if (!is_blank_or_nul(c)) throw Error(context.program + ": Trailing characters found after key");
  }
  const PublicKey public_key = key->public_key();
  context.out.append_key(public_key.bytes.data());
  context.out.append("\n");
  return 0;
}

}  // namespace wg::tool
