// SPDX-License-Identifier: GPL-2.0
// save: the state of a device into its file. strip: the file as wg(8) takes it.
#include "save.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <map>
#include <set>

#include "error.hh"
#include "io.hh"
#include "surroundings.hh"
#include "text.hh"
#include "up.hh"

namespace wg::tool {
namespace {

using Lines = std::vector<SecretBytes>;

SecretBytes to_bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

SecretBytes secret_line(std::string_view name, const SecretKey &key) {
  SecretBytes line = to_bytes(name);
  const std::string_view equals = " = ";
  line.insert(line.end(), equals.begin(), equals.end());
  const size_t at = line.size();
  line.resize(at + kKeyTextLen);
  base64_encode(line.data() + at, key.bytes.data());
  return line;
}

// What is left of a line without comment and blanks, as parse_config() reads it.
SecretBytes statement_of(std::string_view line) {
  SecretBytes compact;
  for (const char c : line.substr(0, line.find('#'))) {
    if (!is_blank(c)) compact.push_back(c);
  }
  return compact;
}

std::string name_of(std::string_view line) {
  const SecretBytes statement = statement_of(line);
  const std::string_view text = view(statement);
  const size_t equals = text.find('=');
  return equals == std::string_view::npos ? "" : std::string(text.substr(0, equals));
}

// One section with its heading; the first of a file is what comes before any.
struct Section {
  enum class Kind { kNone, kInterface, kPeer };
  Kind kind = Kind::kNone;
  Lines lines;
};

Section::Kind kind_of(std::string_view line) {
  const SecretBytes statement = statement_of(line);
  if (equals_caseless(view(statement), "[Interface]")) return Section::Kind::kInterface;
  if (equals_caseless(view(statement), "[Peer]")) return Section::Kind::kPeer;
  return Section::Kind::kNone;
}

// Comments right above a heading belong to it, not to the section before.
void move_comments(Section &from, Section &to) {
  auto first = from.lines.end();
  while (first != from.lines.begin()) {
    const std::string_view line = trimmed(view(*(first - 1)));
    if (!line.starts_with('#')) break;
    --first;
  }
  to.lines.insert(to.lines.end(), first, from.lines.end());
  from.lines.erase(first, from.lines.end());
}

std::vector<Section> split_sections(std::string_view text) {
  std::vector<Section> sections(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const Section::Kind kind = kind_of(line);
    if (kind != Section::Kind::kNone) {
      Section next;
      next.kind = kind;
      move_comments(sections.back(), next);
      sections.push_back(std::move(next));
    }
    sections.back().lines.push_back(to_bytes(line));
  }
  return sections;
}

// Where new lines of a section go: behind its last line that is neither blank nor comment.
size_t end_of(const Section &section) {
  size_t end = section.lines.size();
  while (end > 0 && statement_of(view(section.lines[end - 1])).empty()) --end;
  return end;
}

// The comment behind a setting, with the blanks before it.
std::string_view comment_of(std::string_view line) {
  size_t at = line.find('#');
  if (at == std::string_view::npos) return {};
  while (at > 0 && is_blank(line[at - 1])) --at;
  return line.substr(at);
}

// Puts @replacement, if any, in place of all lines of this name. A comment behind the first of them
// stays.
void replace_lines(Section &section, std::string_view name, Lines replacement) {
  Lines result;
  bool placed = false;
  for (SecretBytes &line : section.lines) {
    if (!equals_caseless(name_of(view(line)), name)) {
      result.push_back(std::move(line));
      continue;
    }
    if (placed) continue;
    placed = true;
    if (!replacement.empty()) {
      const std::string_view comment = comment_of(view(line));
      replacement[0].insert(replacement[0].end(), comment.begin(), comment.end());
    }
    std::move(replacement.begin(), replacement.end(), std::back_inserter(result));
  }
  section.lines = std::move(result);
  if (placed || replacement.empty()) return;
  section.lines.insert(section.lines.begin() + static_cast<ptrdiff_t>(end_of(section)),
                       std::make_move_iterator(replacement.begin()),
                       std::make_move_iterator(replacement.end()));
}

void replace_line(Section &section, std::string_view name, const std::string &value) {
  Lines lines;
  if (!value.empty()) lines.push_back(to_bytes(fmt::format("{} = {}", name, value)));
  replace_lines(section, name, std::move(lines));
}

void replace_secret(Section &section, std::string_view name, const SecretKey &key) {
  Lines lines;
  if (!key.is_zero()) lines.push_back(secret_line(name, key));
  replace_lines(section, name, std::move(lines));
}

std::set<std::string> texts_of(const std::vector<Prefix> &prefixes) {
  std::set<std::string> texts;
  for (const Prefix &prefix : prefixes) texts.insert(prefix.text());
  return texts;
}

std::set<std::string> networks_of(const std::vector<AllowedIp> &prefixes) {
  std::set<std::string> texts;
  for (const AllowedIp &prefix : prefixes) texts.insert(network_of(prefix).text());
  return texts;
}

std::string joined(const std::vector<Prefix> &prefixes) {
  std::string text;
  for (const Prefix &prefix : prefixes) text += (text.empty() ? "" : ", ") + prefix.text();
  return text;
}

void edit_interface(Section &section, const QuickConfig &config, const Device &device,
                    const SavedState &state) {
  const DeviceChange &file = config.wg.change;
  if (texts_of(config.addresses) != texts_of(state.addresses)) {
    Lines lines;
    for (const Prefix &address : state.addresses) {
      lines.push_back(to_bytes("Address = " + address.text()));
    }
    replace_lines(section, "Address", std::move(lines));
  }
  // What `up' works out by itself is left to it.
  if (config.mtu && *config.mtu != state.mtu) {
    replace_line(section, "MTU", std::to_string(state.mtu));
  }
  if (file.listen_port.value_or(0) != device.listen_port) {
    replace_line(section, "ListenPort",
                 device.listen_port != 0 ? std::to_string(device.listen_port) : "");
  }
  const uint32_t mark = state.is_mark_ours && !file.fwmark ? 0 : device.fwmark;
  if (file.fwmark.value_or(0) != mark) {
    replace_line(section, "FwMark", mark != 0 ? fmt::format("0x{:x}", mark) : "");
  }
  if (!file.private_key.value_or(SecretKey()).is_same_private(device.private_key)) {
    replace_secret(section, "PrivateKey", device.private_key);
  }
}

// A name that was written stays: the address behind it is what changes.
bool keeps_endpoint(const PeerChange &file, const Peer &peer) {
  if (file.endpoint_name || !peer.endpoint) return true;
  return file.endpoint && file.endpoint->text() == peer.endpoint->text();
}

void edit_peer(Section &section, const PeerChange &file, const Peer &peer) {
  if (!file.preshared_key.value_or(SecretKey()).equals(peer.preshared_key)) {
    replace_secret(section, "PresharedKey", peer.preshared_key);
  }
  if (networks_of(file.allowed_ips) != networks_of(peer.allowed_ips)) {
    replace_line(section, "AllowedIPs", joined(peer.allowed_ips));
  }
  if (!keeps_endpoint(file, peer)) replace_line(section, "Endpoint", peer.endpoint->text());
  if (file.keepalive_s.value_or(0) != peer.keepalive_s) {
    replace_line(section, "PersistentKeepalive",
                 peer.keepalive_s != 0 ? std::to_string(peer.keepalive_s) : "");
  }
}

Section new_peer(const Peer &peer) {
  Section section;
  section.kind = Section::Kind::kPeer;
  section.lines.push_back(to_bytes("[Peer]"));
  section.lines.push_back(to_bytes("PublicKey = " + peer.public_key.text()));
  edit_peer(section, PeerChange(), peer);
  return section;
}

void trim_start(Lines &lines) {
  const auto first = std::find_if(lines.begin(), lines.end(), [](const SecretBytes &line) {
    return !trimmed(view(line)).empty();
  });
  lines.erase(lines.begin(), first);
}

void trim_end(Lines &lines) {
  while (!lines.empty() && trimmed(view(lines.back())).empty()) lines.pop_back();
}

SecretBytes join_sections(const std::vector<Section> &sections) {
  SecretBytes text;
  for (const Section &section : sections) {
    for (const SecretBytes &line : section.lines) {
      text.insert(text.end(), line.begin(), line.end());
      text.push_back('\n');
    }
  }
  return text;
}

void write_all(int fd, const SecretBytes &text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t put = write(fd, text.data() + done, text.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw SystemError(errno);
    done += static_cast<size_t>(put);
  }
}

}  // namespace

SecretBytes edit_config(const QuickConfig &config, const Device &device, const SavedState &state) {
  std::vector<Section> sections = split_sections(view(config.text));
  std::map<PublicKey, const Peer *> missing;
  for (const Peer &peer : device.peers) missing[peer.public_key] = &peer;

  std::vector<Section> kept;
  size_t peer_index = 0;
  bool has_interface = false;
  for (Section &section : sections) {
    if (section.kind == Section::Kind::kInterface && !has_interface) {
      has_interface = true;
      edit_interface(section, config, device, state);
    }
    if (section.kind == Section::Kind::kPeer) {
      const PeerChange &file = config.wg.change.peers.at(peer_index++);
      const auto it = missing.find(file.public_key);
      if (it == missing.end()) {
        // Comments behind its last line may be of anything.
        section.lines.erase(section.lines.begin(),
                            section.lines.begin() + static_cast<ptrdiff_t>(end_of(section)));
        trim_start(section.lines);
        if (!section.lines.empty()) kept.push_back(std::move(section));
        continue;
      }
      edit_peer(section, file, *it->second);
      missing.erase(it);
    }
    kept.push_back(std::move(section));
  }
  for (const Peer &peer : device.peers) {
    if (!missing.contains(peer.public_key)) continue;
    if (!kept.empty()) trim_end(kept.back().lines);
    Section section = new_peer(peer);
    section.lines.insert(section.lines.begin(), SecretBytes());
    kept.push_back(std::move(section));
  }
  return join_sections(kept);
}

void write_config(const std::string &path, const SecretBytes &text) {
  // A link stays one: what it leads to is replaced.
  char resolved[PATH_MAX];
  const std::string target = realpath(path.c_str(), resolved) != nullptr ? resolved : path;
  const std::string directory = target.substr(0, target.rfind('/') + 1);
  // mkostemp() puts letters of its own in place of the last six.
  std::string temporary =
      directory + "." + target.substr(directory.size()) + "." + std::string(6, 'X');
  struct stat status;
  const bool exists = stat(target.c_str(), &status) == 0;
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  const auto fail = [&](const std::string &file, int error) {
    if (fd >= 0) unlink(temporary.c_str());
    throw Error(fmt::format("Unable to write `{}': {}", printable(file), std::strerror(error)));
  };
  if (fd < 0) fail(target, errno);
  const OnExit close_it([fd] { close(fd); });
  try {
    write_all(fd, text);
  } catch (const SystemError &error) {
    fail(temporary, error.error());
  }
  // Who may read it stays; the owner goes first, for that takes mode bits away.
  const bool is_like_before = !exists || (fchown(fd, status.st_uid, status.st_gid) == 0 &&
                                          fchmod(fd, status.st_mode & 0777) == 0);
  if (!is_like_before || fsync(fd) != 0) fail(temporary, errno);
  if (rename(temporary.c_str(), target.c_str()) != 0) fail(target, errno);
  // The new name has to last, too.
  const int parent = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
  if (parent < 0) return;
  fsync(parent);
  close(parent);
}

void save_step(Context &context, Steps &steps, const QuickConfig &config, const Device &device) {
  Network &network = *context.network;
  const auto link = network.find_link(config.name);
  SavedState state;
  if (link) {
    state.mtu = link->mtu;
    for (const LinkAddress &address : network.addresses(link->index)) {
      if (!address.is_link_local) state.addresses.push_back(address.prefix);
    }
  }
  state.is_mark_ours = link && !own_full_rules(network, link->index, device.fwmark).empty();
  const SecretBytes text = edit_config(config, device, state);
  if (view(text) == view(config.text)) return;
  steps.run("wgtool save " + config.path, [&] { write_config(config.path, text); });
}

int run_save(Context &context, Arguments arguments) {
  const ParsedOptions options = parse_options(kDownOptions, arguments);
  if (options.words().size() != 1) throw UsageError();
  const QuickConfig config = read_quick_config(options.words()[0], context.config_directory);
  context.err.append(config.wg.warnings);
  require_device(context, config.name);
  Steps steps(context, options.has("dry-run"));
  save_step(context, steps, config, get_device(context, config.name));
  if (steps.count() == 0) {
    context.err.print("`{}' says what is so already\n", printable(config.path));
  }
  return 0;
}

int run_strip(Context &context, Arguments arguments) {
  if (arguments.size() != 1) throw UsageError();
  const QuickConfig config = read_quick_config(arguments[0], context.config_directory);
  context.err.append(config.wg.warnings);
  std::string_view text = view(config.text);
  for (const bool is_quick : quick_lines(text)) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (!is_quick) {
      context.out.append(text.substr(0, end));
      context.out.append("\n");
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}

}  // namespace wg::tool
