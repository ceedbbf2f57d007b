// SPDX-License-Identifier: GPL-2.0
// The arguments of `set`, one per line, by our rules and by those of wg(8), and the messages that
// carry them out.
#include <sys/mman.h>
#include <unistd.h>

#include "commands.hh"
#include "error.hh"
#include "message.hh"
#include "no_dns.hh"
#include "tool_check.hh"

namespace {

// A file with a key in it, for the arguments that name one: the fuzzer must not open others.
const std::string &key_file() {
  static const std::string path = [] {
    const int fd = memfd_create("key", MFD_CLOEXEC);
    const std::string text = std::string(42, 'A') + "E=\n";
    REQUIRE(fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    return "/proc/self/fd/" + std::to_string(fd);
  }();
  return path;
}

std::vector<std::string> words_of(const std::string &text) {
  std::vector<std::string> words;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string word = text.substr(at, end - at);
    // The shell hands over C strings.
    word.resize(std::min(word.find('\0'), word.size()));
    const bool is_file = !words.empty() && words.back().ends_with("-key");
    if (is_file) word = word.starts_with('n') ? "/dev/null" : key_file();
    words.push_back(word);
    at = end + 1;
  }
  return words;
}

// What the kernel would read out of the messages is what was asked for.
void check_messages(const wg::tool::DeviceChange &change, size_t max_len) {
  wg::tool::Device decoded;
  for (const wg::tool::Message &message : encode_set(0x21, change, max_len)) {
    REQUIRE(nlmsg_hdr(message.get())->nlmsg_len <= max_len);
    decode_device(decoded, nlmsg_hdr(message.get()));
  }
  wg::tool::Device wanted = wgfuzz::device_of(change);
  // Neighbours of one key read as one peer that was cut in two.
  for (size_t i = 0; i + 1 < wanted.peers.size(); ++i) {
    if (wanted.peers[i].public_key == wanted.peers[i + 1].public_key) return;
  }
  REQUIRE(decoded.name == change.name.substr(0, 15));
  wgfuzz::require_same_settings(decoded, wanted);
}

void check(const std::vector<std::string> &words, size_t max_len, wg::tool::Dialect dialect) {
  std::string warnings;
  wg::tool::DeviceChange change;
  try {
    change = wg::tool::parse_set(warnings, words, dialect);
  } catch (const wg::tool::Error &error) {
    wgfuzz::require_printable(error.what());
    return;
  }
  wgfuzz::require_printable(warnings);
  const bool is_cut = dialect == wg::tool::Dialect::kWg;
  REQUIRE(change.name == (is_cut ? words[0].substr(0, 15) : words[0]));
  // Longer names are refused before a message is made.
  if (change.name.size() < 16) check_messages(change, max_len);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  wgfuzz::Input in(data, len);
  const size_t max_len = 512 + 16 * in.u8();
  const std::vector<std::string> words = words_of(in.rest());
  check(words, max_len, wg::tool::Dialect::kStrict);
  check(words, max_len, wg::tool::Dialect::kWg);
  return 0;
}
