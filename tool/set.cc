// SPDX-License-Identifier: GPL-2.0
// set: change a device and its peers by arguments.
#include <net/if.h>

#include <algorithm>

#include "commands.hh"
#include "error.hh"
#include "text.hh"

namespace wg::tool {
namespace {

// Arguments one after the other; a word without its value is refused by its name.
class Words {
 public:
  explicit Words(Arguments words) : words_(words) {}

  bool empty() const { return words_.empty(); }

  const std::string &next() {
    const std::string &word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }

  const std::string &value_of(const std::string &word) {
    if (words_.empty()) fail(word);
    return next();
  }

  [[noreturn]] static void fail(const std::string &word) {
    throw Error(fmt::format("Invalid argument: {}", printable(word)));
  }

 private:
  Arguments words_;
};

void parse_device_word(DeviceChange &change, const std::string &word, Words &words,
                       Dialect dialect) {
  if (word == "listen-port") {
    change.listen_port = parse_listen_port(words.value_of(word), dialect);
  } else if (word == "fwmark") {
    change.fwmark = parse_fwmark(words.value_of(word));
  } else if (word == "private-key") {
    change.private_key = read_key_file(words.value_of(word), dialect);
  } else {
    Words::fail(word);
  }
}

void parse_peer_word(PeerChange &peer, std::string &warnings, const std::string &word, Words &words,
                     Dialect dialect) {
  if (word == "remove") {
    peer.remove = true;
  } else if (word == "preshared-key") {
    peer.preshared_key = read_key_file(words.value_of(word), dialect);
  } else if (word == "endpoint") {
    const std::string &value = words.value_of(word);
    if (dialect == Dialect::kWg) {
      set_endpoint_as_wg(peer, warnings, value);
    } else {
      set_endpoint(peer, value);
    }
  } else if (word == "persistent-keepalive") {
    peer.keepalive_s = parse_keepalive(words.value_of(word));
  } else if (word == "allowed-ips") {
    parse_allowed_ips(peer, warnings, words.value_of(word), dialect);
  } else {
    Words::fail(word);
  }
}

}  // namespace

DeviceChange parse_set(std::string &warnings, Arguments arguments, Dialect dialect) {
  Words words(arguments);
  DeviceChange change;
  change.name = name_to_change(words.next(), dialect);
  while (!words.empty()) {
    const std::string &word = words.next();
    if (word == "peer") {
      change.peers.emplace_back();
      change.peers.back().public_key = parse_public_key(words.value_of(word));
    } else if (change.peers.empty()) {
      parse_device_word(change, word, words, dialect);
    } else {
      parse_peer_word(change.peers.back(), warnings, word, words, dialect);
    }
  }
  return change;
}

std::string name_to_change(const std::string &name, Dialect dialect) {
  return dialect == Dialect::kWg ? name.substr(0, IF_NAMESIZE - 1) : name;
}

void set_device(Context &context, DeviceChange &change) {
  resolve_endpoints(change);
  try {
    context.devices.set(change);
  } catch (const SystemError &error) {
    throw device_error(context, change.name, Access::kChange, error);
  }
}

int run_set(Context &context, Arguments arguments) {
  if (arguments.size() < 2) throw UsageError();
  std::string warnings;
  const OnExit warn([&] { context.err.append(warnings); });
  DeviceChange change = parse_set(warnings, arguments, context.dialect());
  set_device(context, change);
  return 0;
}

}  // namespace wg::tool
