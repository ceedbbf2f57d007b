// SPDX-License-Identifier: GPL-2.0
// pubkey: the public key of the private key on standard input.
#include <unistd.h>

#include <algorithm>

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
  const std::string_view behind = text.substr(std::min(text.size(), kKeyTextLen));
  if (!std::all_of(behind.begin(), behind.end(), is_blank_or_nul)) {
    throw Error(context.program + ": Trailing characters found after key");
  }
  const auto key = SecretKey::parse(text.substr(0, kKeyTextLen));
  if (!key) throw Error(context.program + ": Key is not the correct length or format");
  const PublicKey public_key = key->public_key();
  context.out.append_key(public_key.bytes.data());
  context.out.append("\n");
  return 0;
}

}  // namespace wg::tool
