// SPDX-License-Identifier: GPL-2.0
#include "names.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "error.hh"
#include "text.hh"
#include "utf8.hh"

namespace wg::tool {
namespace {

constexpr std::string_view kBlanks = " \t\v\f\r";

bool starts_caseless(std::string_view text, std::string_view start) {
  return equals_caseless(text.substr(0, start.size()), start);
}

// `### Client X' and `### begin X ###', as installers write them.
std::string_view heading_name(std::string_view comment) {
  if (!comment.starts_with("###") || comment.starts_with("####")) return {};
  comment = trimmed(comment.substr(3));
  if (starts_caseless(comment, "client ")) return trimmed(comment.substr(7));
  if (!starts_caseless(comment, "begin ") || !comment.ends_with("###")) return {};
  comment.remove_suffix(3);
  return comment.size() < 6 ? std::string_view() : trimmed(comment.substr(6));
}

// `# Name = X' and `# friendly_name = X'.
std::string_view assigned_name(std::string_view comment) {
  comment.remove_prefix(std::min(comment.find_first_not_of('#'), comment.size()));
  const size_t equals = comment.find('=');
  if (equals == std::string_view::npos) return {};
  const std::string_view key = trimmed(comment.substr(0, equals));
  if (!equals_caseless(key, "name") && !equals_caseless(key, "friendly_name")) return {};
  return trimmed(comment.substr(equals + 1));
}

// Whether @text is @word, blanks in it aside: that is how configuration files are read.
bool is_word(std::string_view text, std::string_view word) {
  size_t at = 0;
  for (const char c : text) {
    if (kBlanks.find(c) != std::string_view::npos) continue;
    if (at == word.size() || !equals_caseless({&c, 1}, word.substr(at, 1))) return false;
    ++at;
  }
  return at == word.size();
}

// The key of a `PublicKey = KEY' line; the lines of secrets are not copied.
std::optional<PublicKey> public_key(std::string_view line) {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos || !is_word(line.substr(0, equals), "publickey")) return {};
  std::string text;
  for (const char c : line.substr(equals + 1)) {
    if (kBlanks.find(c) == std::string_view::npos) text += c;
    if (text.size() > kKeyTextLen) return {};
  }
  return PublicKey::parse(text);
}

class NameParser {
 public:
  void take(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.empty()) {
      above_ = {};
      settle();
    } else if (text[0] == '#') {
      take_comment(text);
    } else {
      take_setting(trimmed(text.substr(0, text.find('#'))));
    }
  }

  Names finish() {
    end_peer();
    return std::move(names_);
  }

 private:
  void take_comment(std::string_view comment) {
    const std::string_view assigned = assigned_name(comment);
    const std::string_view name = assigned.empty() ? heading_name(comment) : assigned;
    if (name.empty()) return;
    // Whose it is, is known only when the line after the comments has been read.
    if (above_.empty()) above_ = name;
    if (!assigned.empty() && waiting_.empty()) waiting_ = assigned;
  }

  void take_setting(std::string_view line) {
    const std::string_view above = std::exchange(above_, {});
    if (!line.starts_with('[')) {
      settle();
      if (in_peer_ && !key_) key_ = public_key(line);
      return;
    }
    // The comments before were the next block's, unless an empty line ended them.
    if (above.empty()) settle();
    waiting_ = {};
    end_peer();
    in_peer_ = is_word(line, "[peer]");
    if (in_peer_) above_peer_ = above;
  }

  // What waits turned out to be in the block.
  void settle() {
    if (within_peer_.empty()) within_peer_ = waiting_;
    waiting_ = {};
  }

  void end_peer() {
    settle();
    const std::string_view name = within_peer_.empty() ? above_peer_ : within_peer_;
    if (in_peer_ && key_ && !name.empty()) {
      std::string clean = clean_name(name, kMaxNameLen);
      if (!clean.empty()) names_.emplace(*key_, std::move(clean));
    }
    in_peer_ = false;
    key_.reset();
    within_peer_ = above_peer_ = {};
  }

  Names names_;
  bool in_peer_ = false;
  std::optional<PublicKey> key_;
  std::string_view above_peer_, within_peer_;
  // A name in the comments since the last empty line or setting.
  std::string_view above_;
  // A name for this block, unless a block begins directly below it.
  std::string_view waiting_;
};

SecretBytes read_regular_file(const std::string &path) {
  // Without O_NONBLOCK, somebody's pipe in the directory would stop us.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw SystemError(errno);
  const OnExit close_it([fd] { close(fd); });
  struct stat status {};
  if (fstat(fd, &status) != 0) throw SystemError(errno);
  if (!S_ISREG(status.st_mode)) throw SystemError(EINVAL, "not a regular file");
  return read_fd(fd, kMaxNamesFileLen);
}

}  // namespace

Names parse_names(std::string_view text) {
  NameParser parser;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    parser.take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

Names NameSource::read(const std::string &device) const {
  if (!options_.enabled) return {};
  if (!options_.file.empty()) {
    const SecretBytes text = read_file(options_.file, kMaxNamesFileLen);
    return parse_names(view(text));
  }
  // The kernel has no such names; other keepers of devices might.
  if (device.empty() || device[0] == '.' || device.find('/') != std::string::npos) return {};
  try {
    const SecretBytes text = read_regular_file(options_.directory + "/" + device + ".conf");
    return parse_names(view(text));
  } catch (const SystemError &error) {
    if (error.error() == ENOENT || error.error() == ENOTDIR) return {};
    throw;
  }
}

const Names &NameSource::names(const std::string &device, Output &err) {
  const auto it = known_.find(key(device));
  if (it != known_.end()) return it->second;
  Names names;
  try {
    names = read(device);
  } catch (const SystemError &error) {
    if (std::exchange(told_[device], error.what()) != error.what()) {
      err.print("No names for the peers of {}: {}/{}.conf: {}\n", printable(device),
                printable(options_.directory), printable(device), error.what());
    }
  }
  return known_[key(device)] = std::move(names);
}

}  // namespace wg::tool
