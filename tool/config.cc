// SPDX-License-Identifier: GPL-2.0
#include "config.hh"

#include <fmt/format.h>

#include <map>
#include <optional>

#include "error.hh"
#include "secret.hh"
#include "text.hh"

namespace wg::tool {
namespace {

bool is_secret(std::string_view name) {
  return equals_caseless(name, "PrivateKey") || equals_caseless(name, "PresharedKey");
}

// A mistyped name of a key must not put the key itself on the screen or into a log, nor may a
// key that was cut short.
std::string shown_line(std::string_view line, Dialect dialect) {
  const size_t max_shown = dialect == Dialect::kWg ? line.size() : 100;
  const size_t equals = line.find('=');
  const bool has_value = equals != std::string_view::npos && equals + 1 < line.size();
  if (has_value && (line.size() - equals > kKeyTextLen - 4 || is_secret(line.substr(0, equals)))) {
    return printable(line.substr(0, equals + 1)) + "...";
  }
  return printable(line.substr(0, max_shown)) + (line.size() > max_shown ? "..." : "");
}

// A message that has its file and line already.
class LocatedError : public Error {
 public:
  using Error::Error;
};

class ConfigParser {
 public:
  ConfigParser(std::string file, Dialect dialect) : file_(std::move(file)), dialect_(dialect) {}

  void parse_line(std::string_view raw) {
    ++line_;
    if (as_wg()) raw = raw.substr(0, raw.find('\0'));
    raw = raw.substr(0, raw.find('#'));
    SecretBytes compact;
    for (char c : raw) {
      if (!is_blank(c)) compact.push_back(c);
    }
    const std::string_view line = view(compact);
    if (line.empty()) return;
    try {
      parse_statement(line);
    } catch (const LocatedError &) {
      throw;
    } catch (const EnvironmentError &error) {
      throw LocatedError(config_.warnings + error.brief());
    } catch (const Error &error) {
      if (as_wg()) fail_as_wg(error.brief(), "Configuration parsing error");
      fail(line_, error.what());
    }
  }

  Config finish() {
    end_section();
    if (is_missing_key_) fail_as_wg("A peer is missing a public key", "Invalid configuration");
    return std::move(config_);
  }

 private:
  enum class Section { kNone, kInterface, kPeer };

  [[noreturn]] void fail(int line, std::string_view message) const {
    throw LocatedError(
        fmt::format("{}:{}: {}\nConfiguration parsing error", printable(file_), line, message));
  }

  [[noreturn]] void fail_as_wg(const std::string &message, std::string_view last) const {
    throw LocatedError(fmt::format("{}{}\n{}", config_.warnings, message, last));
  }

  [[noreturn]] void fail_unrecognized(std::string_view line, const std::string &expected) const {
    throw Error(fmt::format("Line unrecognized: `{}'", shown_line(line, dialect_)),
                "; " + expected);
  }

  bool as_wg() const { return dialect_ == Dialect::kWg; }

  void parse_statement(std::string_view line) {
    if (line.find('\0') != std::string_view::npos) {
      fail_unrecognized(line, "it holds a NUL byte; save the file as plain text");
    }
    if (line_ == 1 && line.starts_with("\xef\xbb\xbf")) {
      fail_unrecognized(line, "save the file as UTF-8 without a byte order mark");
    }
    if (equals_caseless(line, "[Interface]")) return begin_section(Section::kInterface);
    if (equals_caseless(line, "[Peer]")) return begin_section(Section::kPeer);
    if (line[0] == '[') fail_unrecognized(line, "a section is [Interface] or [Peer]");
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) fail_unrecognized(line, "write NAME = VALUE");
    const std::string_view name = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    if (value.empty()) fail_unrecognized(line, "a value must follow; leave the line out for none");
    switch (section_) {
      case Section::kNone:
        fail_unrecognized(line, "begin with [Interface] or [Peer]");
      case Section::kInterface:
        return parse_interface(line, name, value);
      case Section::kPeer:
        return parse_peer(line, name, value);
    }
  }

  void parse_interface(std::string_view line, std::string_view name, std::string_view value) {
    DeviceChange &change = config_.change;
    if (equals_caseless(name, "PrivateKey")) {
      change.private_key = secret(value);
    } else if (equals_caseless(name, "ListenPort")) {
      change.listen_port = parse_listen_port(value, dialect_);
    } else if (equals_caseless(name, "FwMark")) {
      change.fwmark = parse_fwmark(value);
    } else {
      fail_unrecognized(line,
                        "[Interface] takes PrivateKey, ListenPort and FwMark, and, "
                        "for `wgtool up' and its like, Address, DNS, MTU, Table, SaveConfig, "
                        "PreUp, PostUp, PreDown and PostDown");
    }
  }

  void parse_peer(std::string_view line, std::string_view name, std::string_view value) {
    PeerChange &peer = config_.change.peers.back();
    if (equals_caseless(name, "PublicKey")) {
      peer.public_key = parse_public_key(value);
      has_public_key_ = true;
    } else if (equals_caseless(name, "PresharedKey")) {
      peer.preshared_key = secret(value);
    } else if (equals_caseless(name, "AllowedIPs")) {
      // A file describes a peer as a whole, so its list replaces the one that the device has,
      // unless the list itself says that it is a change.
      if (!has_allowed_ips_) peer.replace_allowed_ips = false;
      has_allowed_ips_ = true;
      parse_allowed_ips(peer, config_.warnings, value, dialect_);
    } else if (equals_caseless(name, "Endpoint") && as_wg()) {
      set_endpoint_as_wg(peer, config_.warnings, value);
    } else if (equals_caseless(name, "Endpoint")) {
      set_endpoint(peer, value, fmt::format("{}:{}: ", printable(file_), line_));
    } else if (equals_caseless(name, "PersistentKeepalive")) {
      peer.keepalive_s = parse_keepalive(value);
    } else {
      fail_unrecognized(line,
                        "[Peer] takes PublicKey, PresharedKey, AllowedIPs, Endpoint and "
                        "PersistentKeepalive");
    }
  }

  static SecretKey secret(std::string_view value) {
    const auto key = SecretKey::parse(value);
    if (!key) {
      throw Error("Key is not the correct length or format",
                  fmt::format("; a key is 44 characters of base64, this has {}", value.size()));
    }
    return *key;
  }

  void begin_section(Section section) {
    end_section();
    config_.has_section = true;
    section_ = section;
    section_line_ = line_;
    if (section != Section::kPeer) return;
    has_public_key_ = false;
    has_allowed_ips_ = false;
    config_.change.peers.emplace_back();
    config_.change.peers.back().replace_allowed_ips = true;
  }

  void end_section() {
    if (section_ != Section::kPeer) return;
    if (as_wg()) {
      // wg(8) looks once all lines have been read, and lets the last section of a peer win.
      is_missing_key_ |= !has_public_key_;
      return;
    }
    if (!has_public_key_) {
      fail(section_line_, "A peer is missing a public key; add PublicKey to this [Peer]");
    }
    const PublicKey &key = config_.change.peers.back().public_key;
    const auto [first, is_new] = peer_lines_.emplace(key, section_line_);
    // The kernel would let the later block take over, and the first one's AllowedIPs
    // would be gone without a word.
    if (!is_new) {
      fail(section_line_, fmt::format("Peer `{}' has a [Peer] section on line {} already; put all "
                                      "its lines into one",
                                      key.text(), first->second));
    }
  }

  std::string file_;
  Dialect dialect_;
  Config config_;
  Section section_ = Section::kNone;
  int line_ = 0;
  int section_line_ = 0;
  bool has_public_key_ = false;
  bool has_allowed_ips_ = false;
  bool is_missing_key_ = false;
  std::map<PublicKey, int> peer_lines_;
};

}  // namespace

Config parse_config(std::string_view text, const std::string &file, Dialect dialect) {
  ConfigParser parser(file, dialect);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    parser.parse_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

}  // namespace wg::tool
