// SPDX-License-Identifier: GPL-2.0
// Writes the seed corpus: DIR/TARGET/NAME for each target. Inputs are written here in the order
// in which the targets read them, so that nothing binary has to be kept.
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "commands.hh"
#include "config.hh"
#include "input.hh"
#include "message.hh"
#include "ops.hh"
#include "uapi/wgnl.h"

namespace {

using wgfuzz::CookieOp;
using wgfuzz::MessageOp;
using wgfuzz::PrimitiveOp;
using wgfuzz::TimerOp;
using wgfuzz::TrieOp;

class Seed {
 public:
  Seed &u8(unsigned value) { return number<uint8_t>(value); }
  Seed &u16(unsigned value) { return number<uint16_t>(value); }
  Seed &u32(uint32_t value) { return number<uint32_t>(value); }
  Seed &u64(uint64_t value) { return number<uint64_t>(value); }
  Seed &text(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  // A step: what it is, then what it reads.
  template <typename Op, typename... Args>
  Seed &op(Op what, Args... args) {
    u8(static_cast<unsigned>(what));
    (u8(static_cast<unsigned>(args)), ...);
    return *this;
  }
  const std::string &bytes() const { return bytes_; }

 private:
  template <typename T>
  Seed &number(uint64_t value) {
    const T narrow = static_cast<T>(value);
    bytes_.append(reinterpret_cast<const char *>(&narrow), sizeof narrow);
    return *this;
  }
  std::string bytes_;
};

class Corpus {
 public:
  explicit Corpus(std::filesystem::path top) : top_(std::move(top)) {}

  void add(const std::string &target, const std::string &name, const std::string &bytes) {
    std::filesystem::create_directories(top_ / target);
    std::ofstream out(top_ / target / name, std::ios::binary);
    out << bytes;
    out.flush();
    if (!out) throw std::runtime_error("cannot write " + (top_ / target / name).string());
  }
  void add(const std::string &target, const std::string &name, const Seed &seed) {
    add(target, name, seed.bytes());
  }

 private:
  std::filesystem::path top_;
};

// a calls, b answers, the first packet confirms.
Seed handshake(unsigned is_healed) {
  Seed seed;
  seed.u8(is_healed).op(MessageOp::kSend, 0, 8);
  for (unsigned i = 0; i < 3; ++i) seed.op(MessageOp::kDeliver, 0);
  return seed;
}

void add_messages(Corpus &corpus) {
  const auto add = [&corpus](const std::string &name, const Seed &seed) {
    corpus.add("messages", name, seed);
  };
  add("handshake", handshake(0));
  add("healed", Seed().u8(1));
  add("answer", handshake(1).op(MessageOp::kSend, 1, 8).op(MessageOp::kDeliver, 0));
  add("both-call", Seed()
                       .u8(1)
                       .op(MessageOp::kSend, 0, 8)
                       .op(MessageOp::kSend, 1, 8)
                       .op(MessageOp::kDeliver, 0)
                       .op(MessageOp::kDeliver, 0)
                       .op(MessageOp::kDeliver, 0)
                       .op(MessageOp::kDeliver, 0));
  // Replayed, reflected, cut short, with a changed byte, with the macs made right again.
  for (const unsigned how : {0, 1, 2, 4, 20, 28, 21}) {
    add("forged-initiation-" + std::to_string(how), Seed()
                                                        .u8(1)
                                                        .op(MessageOp::kSend, 0, 8)
                                                        .op(MessageOp::kForge, 0, how, 60, 1)
                                                        .op(MessageOp::kDeliver, 0));
    add("forged-response-" + std::to_string(how), Seed()
                                                      .u8(0)
                                                      .op(MessageOp::kSend, 0, 8)
                                                      .op(MessageOp::kDeliver, 0)
                                                      .op(MessageOp::kForge, 0, how, 50, 1)
                                                      .op(MessageOp::kDeliver, 0));
    add("forged-data-" + std::to_string(how), handshake(0).op(MessageOp::kForge, 0, how, 20, 1));
  }
  add("sender-index", Seed()
                          .u8(1)
                          .op(MessageOp::kSend, 0, 8)
                          .op(MessageOp::kForge, 0, 20, 5, 0xff)
                          .op(MessageOp::kDeliver, 1));
  Seed loaded;
  loaded.u8(1).op(MessageOp::kLoad, 1, 1).op(MessageOp::kSend, 0, 8);
  for (unsigned i = 0; i < 2; ++i) loaded.op(MessageOp::kDeliver, 0);
  loaded.op(MessageOp::kWait, 60);
  for (unsigned i = 0; i < 4; ++i) loaded.op(MessageOp::kDeliver, 0);
  add("cookie", loaded);
  add("forged-cookie", Seed()
                           .u8(1)
                           .op(MessageOp::kLoad, 1, 1)
                           .op(MessageOp::kSend, 0, 8)
                           .op(MessageOp::kDeliver, 0)
                           .op(MessageOp::kForge, 0, 4, 40, 1));
  add("sealed",
      handshake(0).op(MessageOp::kSealed, 0, 0).u16(5).op(MessageOp::kSealed, 0, 4).u16(5));
  add("sealed-packet",
      handshake(0)
          .op(MessageOp::kSealed, 0, 2)
          .u16(6)
          .u8(20)
          .text(std::string("\x45\0\0\x14\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc0\0\2\2", 20)));
  add("sealed-cut",
      handshake(0).op(MessageOp::kSealed, 0, 2).u16(7).u8(4).text("\x45\x01\xff\xff"));
  add("sealed-far", handshake(1).op(MessageOp::kSealed, 0, 5).u64(UINT64_MAX - 9000));
  add("sealed-last", handshake(1).op(MessageOp::kSealed, 0, 1).u64(UINT64_MAX - 8130));
  add("insider", Seed().u8(1).op(MessageOp::kInsider, 1, 128).op(MessageOp::kInsider, 1, 127));
  add("insider-later", handshake(1).op(MessageOp::kInsider, 1, 130).op(MessageOp::kDeliver, 0));
  add("stranger", Seed().u8(1).op(MessageOp::kStranger, 1));
  add("raw", Seed().u8(0).op(MessageOp::kRaw, 0, 32, 4).text(std::string(31, '\0')));
  add("raw-short", handshake(0).op(MessageOp::kRaw, 0, 10).op(MessageOp::kRaw, 0, 31, 4));
  add("persistent", handshake(1).op(MessageOp::kPersistent, 0, 25).op(MessageOp::kWait, 255));
  add("expired", handshake(1)
                     .op(MessageOp::kWait, 255)
                     .op(MessageOp::kWait, 255)
                     .op(MessageOp::kWait, 255)
                     .op(MessageOp::kWait, 255)
                     .op(MessageOp::kWait, 255)
                     .op(MessageOp::kWait, 255)
                     .op(MessageOp::kWait, 255)
                     .op(MessageOp::kWait, 255)
                     .op(MessageOp::kForge, 0, 0));
}

void add_primitives(Corpus &corpus) {
  // The level comes first; there are two at least on most processors.
  for (unsigned level = 0; level < 2; ++level) {
    const std::string number = std::to_string(level);
    corpus.add("primitives", "one-" + number,
               Seed().u8(level).op(PrimitiveOp::kOne).u32(1).u16(1420).u32(2).u8(20).u32(3).u64(4));
    corpus.add("primitives", "long-nonce-" + number,
               Seed().u8(level).op(PrimitiveOp::kLongNonce).u32(1).u32(2).u16(32).u32(3).u8(16));
    Seed batch;
    batch.u8(level).op(PrimitiveOp::kBatch).u32(1).u8(4);
    for (unsigned i = 0; i < 5; ++i) {
      batch.u8(i);
      if (i % 2 == 1) batch.u32(i);
      if (i == 4) {
        batch.u16(1420);
      } else {
        batch.u8(70 * i);
      }
      batch.u32(i).u64(i).u8(i);
    }
    for (unsigned i = 0; i < 5; ++i) batch.u8(i % 2).u16(i).u8(i / 2);
    corpus.add("primitives", "batch-" + number, batch);
    corpus.add("primitives", "hash-" + number,
               Seed().u8(level).op(PrimitiveOp::kHash).u16(130).u32(1).u8(31).u32(2).u8(63).u32(3));
    // 2^255 - 20 as the point.
    corpus.add("primitives", "multiply-" + number,
               Seed()
                   .u8(level)
                   .op(PrimitiveOp::kMultiply)
                   .text(std::string(32, 's'))
                   .u8(0xec)
                   .text(std::string(30, '\xff'))
                   .u8(0x7f));
  }
}

void add_core(Corpus &corpus) {
  const std::string v4("\x45\0\0\x14\0\0\0\0\x40\x11\0\0\xc0\0\2\1\xc0\0\2\2", 20);
  std::string v6("\x60\0\0\0\0\4\x3b\x40", 8);
  v6.append(32, '\x20').append(4, 'x');
  const auto inner = [](unsigned mtu, unsigned extra) {
    return Seed().u16(mtu).u8(1).u16(1400).u16(extra).u16(0x1810);
  };
  corpus.add("inner", "v4", inner(1420, 0).text(v4));
  corpus.add("inner", "v4-padded", inner(1420, 0).text(v4 + std::string(12, '\0')));
  corpus.add("inner", "v4-cut", inner(0, 0).text(v4.substr(0, 19)));
  corpus.add("inner", "v4-long", inner(0, 40).text(std::string(v4).replace(3, 1, "\x3c")));
  corpus.add("inner", "v4-short-header", inner(3, 0).text(std::string(v4).replace(0, 1, "\x44")));
  corpus.add("inner", "v6", inner(1280, 0).text(v6));
  corpus.add("inner", "v6-cut", inner(1280, 0).text(v6.substr(0, 39)));
  corpus.add("inner", "v6-long", inner(1280, 0).text(std::string(v6).replace(5, 1, "\5")));
  corpus.add("inner", "other", inner(1, 0).text("\x55zzz"));
  corpus.add("inner", "empty", inner(65535, 0));

  corpus.add("replay", "forward", Seed().op(0, 1, 0).u8(200).op(0, 0, 1));
  corpus.add("replay", "again", Seed().op(0, 5, 1).op(0, 0, 1).op(1, 0, 1));
  corpus.add("replay", "edge",
             Seed().op(5, 0).u16(9000).u8(1).op(2, 128, 1).op(2, 127, 1).op(2, 129, 1));
  corpus.add("replay", "lap",
             Seed().op(5, 0).u16(64).u8(1).op(3, 128, 1).op(3, 64, 1).op(1, 64, 1));
  corpus.add("replay", "behind",
             Seed().op(6, 0).u64(uint64_t{1} << 40).u8(1).op(4, 0).u16(8127).u8(1));
  corpus.add("replay", "limit", Seed().op(7, 127, 1).op(7, 128, 1).op(7, 129, 1));

  corpus.add("limits", "burst", Seed().u8(0).u32(5).text(std::string(12, '\0')));
  corpus.add("limits", "steady", Seed().u8(0).u32(5).text(std::string(12, '\x19')));
  corpus.add("limits", "back", Seed().u8(0).u32(0xffffffff).text("\1\2\xc8\3\xf0\x20"));
  corpus.add("limits", "idle", Seed().u8(1).u64(77).op(130).u32(1000000001).u8(1).text("\1\1"));
  corpus.add("limits", "far", Seed().u8(1).u64(1).op(251).u64(UINT64_MAX / 4).u8(0).text("\1\1"));

  const auto prefix = [](Seed &seed, TrieOp op, unsigned family, unsigned kind, unsigned bit,
                         unsigned cidr) -> Seed & {
    seed.op(op, family, kind);
    if ((kind >> 1) % 3 >= 1) seed.u8(bit);
    return seed.u8(cidr);
  };
  for (const unsigned family : {0U, 1U}) {
    Seed nested, steal, joined;
    for (const unsigned cidr : {0U, 8U, 16U, 24U, 32U}) {
      prefix(nested, TrieOp::kInsert, family, 2, 20, cidr).u8(cidr / 8);
    }
    prefix(nested, TrieOp::kLookup, family, 2, 20, 32).op(TrieOp::kDump).op(TrieOp::kRemovePeer, 2);
    prefix(steal, TrieOp::kInsert, family, 0, 0, 24).u8(0);
    prefix(steal, TrieOp::kInsert, family, 0, 0, 24).u8(1);
    prefix(steal, TrieOp::kRemove, family, 0, 0, 24).u8(1);
    for (const unsigned bit : {3U, 9U, 21U, 30U}) {
      prefix(joined, TrieOp::kInsert, family, 2, bit, 32).u8(bit % 4);
    }
    prefix(joined, TrieOp::kRemove, family, 2, 9, 32).u8(1).op(TrieOp::kDump);
    prefix(joined, TrieOp::kRemove, family, 2, 3, 32).u8(0).op(TrieOp::kDump);
    const std::string suffix = family == 1 ? "-v4" : "-v6";
    corpus.add("trie", "nested" + suffix, nested);
    corpus.add("trie", "steal" + suffix, steal);
    corpus.add("trie", "joined" + suffix, joined);
  }

  Seed retries, keepalive, silent;
  retries.op(TimerOp::kBegin, 0).op(TimerOp::kEvent, 0x14).u16(9);
  for (unsigned i = 0; i < 24; ++i) retries.op(TimerOp::kWait, 1).op(TimerOp::kExpire, 1);
  keepalive.op(TimerOp::kEvent, 0x0a).u16(0).op(TimerOp::kEvent, 0x0a).u16(0);
  for (unsigned i = 0; i < 3; ++i) keepalive.op(TimerOp::kWait, 2).op(TimerOp::kExpire, i);
  silent.op(TimerOp::kEvent, 0xc8).u16(0).op(TimerOp::kEvent, 0x05).u16(3);
  for (unsigned i = 0; i < 3; ++i) silent.op(TimerOp::kWait, i).op(TimerOp::kExpire, 0);
  corpus.add("timers", "retries", retries);
  corpus.add("timers", "keepalive", keepalive);
  corpus.add("timers", "silent", silent);
  corpus.add("timers", "stop", Seed().op(TimerOp::kEvent, 0xff).u16(1).op(TimerOp::kStop));
  corpus.add(
      "timers", "zero",
      Seed().op(TimerOp::kEvent, 0x80).u16(1).op(TimerOp::kWait, 244).op(TimerOp::kExpire, 0));
  corpus.add("timers", "persistent",
             Seed()
                 .op(TimerOp::kPersistent, 0, 25)
                 .op(TimerOp::kEvent, 4)
                 .u16(0)
                 .op(TimerOp::kWait, 1)
                 .op(TimerOp::kExpire, 1));
  corpus.add("timers", "both-call",
             Seed()
                 .op(TimerOp::kBegin, 0)
                 .op(TimerOp::kEvent, 0x14)
                 .u16(0)
                 .op(TimerOp::kEvent, 0x24)
                 .u16(0)
                 .op(TimerOp::kWait, 1)
                 .op(TimerOp::kExpire, 1));

  const auto ask = [](Seed &seed, unsigned source, unsigned mask, unsigned at) -> Seed & {
    seed.op(CookieOp::kSend, 1).text("\1\0\0\0abcd").u8(source).u8(mask);
    return mask != 0 ? seed.u8(at) : seed;
  };
  const auto answer = [](Seed &seed, unsigned mask, unsigned at) -> Seed & {
    seed.op(CookieOp::kReply).u32(7).u8(mask);
    return mask != 0 ? seed.u8(at) : seed;
  };
  Seed cookie, forged, old, moved, renewed;
  answer(ask(cookie, 0, 0, 0), 0, 0);
  ask(ask(ask(cookie, 0, 0, 0), 0, 1, 140), 0, 1, 120).op(CookieOp::kReplay);
  answer(answer(ask(forged, 1, 0, 0), 1, 30), 0, 0);
  ask(forged, 1, 0, 0);
  answer(ask(old, 0, 0, 0), 0, 0).op(CookieOp::kWait, 115);
  ask(old, 0, 0, 0);
  answer(ask(moved, 0, 0, 0), 0, 0);
  ask(moved, 1, 0, 0);
  answer(ask(renewed, 2, 0, 0), 0, 0).op(CookieOp::kRenew);
  ask(renewed, 2, 0, 0).op(CookieOp::kIdentity, 0);
  ask(renewed, 2, 0, 0);
  corpus.add("cookie", "asked", cookie);
  corpus.add("cookie", "forged", forged);
  corpus.add("cookie", "old", old);
  corpus.add("cookie", "moved", moved);
  corpus.add("cookie", "renewed", renewed);
}

constexpr const char *kKey1 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";
constexpr const char *kKey2 = "//////////////////////////////////////////8=";

std::string full_config() {
  return std::string("[Interface]\nPrivateKey = ") + kKey1 +
         "\nListenPort = 51820\nFwMark = 0xca6c\n\n[Peer]\nPublicKey = " + kKey2 +
         "\nPresharedKey = " + kKey1 +
         "\nAllowedIPs = 10.0.0.0/8, 192.0.2.1, 2001:db8::/32\n"
         "Endpoint = 192.0.2.1:51820\nPersistentKeepalive = 25\n";
}

void add_text(Corpus &corpus) {
  const std::string peer = std::string("[peer]\npublickey=") + kKey2 + "\n";
  corpus.add("config", "full", full_config());
  for (const char what : {'\0', '\x05', '\x4a', '\x7f'}) {
    corpus.add("quick", "full-" + std::to_string(what),
               what + full_config() + "# Name = x\n[Peer]\nPublicKey=" + kKey1 +
                   "\nAllowedIPs=10.0.0.0/8\n");
    corpus.add("quick", "around-" + std::to_string(what),
               what + std::string("[Interface]\nAddress = 10.0.0.1/24, fd00::1/64\nDNS = 10.0.0.2, "
                                  "a.b\nMTU=1400\nTable = 5\nSaveConfig=true\nListenPort = 5\n"
                                  "PreUp=a\nPostUp = b # c\nPreDown=d\nPostDown=e\n"));
  }
  corpus.add("config", "two-peers", full_config() + "[Peer]\nPublicKey=" + kKey1 + "\n");
  corpus.add("config", "same-peer", peer + peer);
  corpus.add("config", "no-key", "[Peer]\nAllowedIPs = 0.0.0.0/0\n");
  corpus.add("config", "changes", peer + "AllowedIPs = +10.0.0.1/32, -10.0.0.2/32\n");
  corpus.add("config", "host-bits", peer + "AllowedIPs = 10.1.2.3/8, 2001:db8::1/32\n");
  corpus.add("config", "no-ips", peer + "AllowedIPs =\n");
  corpus.add("config", "v6", peer + "Endpoint = [2001:db8::1]:5 # comment\n");
  corpus.add("config", "scope", peer + "Endpoint = [fe80::1%lo]:5\n");
  corpus.add("config", "name", peer + "Endpoint = vpn.example.com:51820\n");
  corpus.add("config", "two-endpoints", peer + "Endpoint = a.example:1\nEndpoint = 192.0.2.1:2\n");
  corpus.add("config", "off", peer + "PersistentKeepalive = off\n[Interface]\nFwMark = off\n");
  corpus.add("config", "blanks", "[ Interface ]\r\n\tListen Port = 5 1\r\n");
  corpus.add("config", "mistyped", std::string("[Interface]\nPrivatKey = ") + kKey1 + "\n");
  corpus.add("config", "bad-key",
             "[Interface]\nPrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
  corpus.add("config", "bom", "\xef\xbb\xbf[Interface]\n");
  corpus.add("config", "control", "[Interface]\n\x1b]0;x\x07 = 1\n");

  const std::string named = std::string("[Peer]\nPublicKey = ") + kKey1 + "\n";
  corpus.add("names", "above", "# Name = laptop\n" + named);
  corpus.add("names", "within", named + "# friendly_name = phone\n");
  corpus.add("names", "client", "### Client office\n" + named);
  corpus.add("names", "begin", "### begin office ###\n" + named + "### end office ###\n");
  corpus.add("names", "secret", full_config() + "#Name=x\n");
  corpus.add("names", "utf8", "# Name = J\xc3\xbcrgen \xe2\x80\xae\n" + named);

  corpus.add("keys", "key", Seed().u8(0).text(kKey2));
  corpus.add("keys", "changed", Seed().u8(1).text(std::string(32, 'k')).op(1, 42, 'B'));
  corpus.add("keys", "no-pad", Seed().u8(0).text(std::string(44, 'A')));
  corpus.add("keys", "spare-bits", Seed().u8(0).text(std::string(42, 'A') + "B="));
  corpus.add("keys", "url-alphabet", Seed().u8(0).text(std::string(42, '-') + "A="));
  corpus.add("keys", "short", Seed().u8(0).text(std::string(43, 'A')));
  corpus.add("keys", "file", Seed().u8(3).text(std::string(32, 'k') + "\n"));
  corpus.add("keys", "file-trailing", Seed().u8(3).text(std::string(32, 'k') + "\nx"));
  corpus.add("keys", "file-empty", Seed().u8(2));
  corpus.add("keys", "file-short", Seed().u8(2).text("AAAA"));

  const char *const endpoints[] = {"192.0.2.1:51820",
                                   "[2001:db8::1]:51820",
                                   "[fe80::1%lo]:5",
                                   "[::ffff:192.0.2.1]:5",
                                   "vpn.example.com:65535",
                                   "[192.0.2.5]:80",
                                   "127.1:80",
                                   "0x7f.1:80",
                                   "2001:db8::1:80",
                                   "[::1]",
                                   "192.0.2.1:0",
                                   "192.0.2.1:65536",
                                   "host:http",
                                   ":80",
                                   "[]:80",
                                   "1.2.3.4.:80",
                                   "[fe80::1%4000000]:5",
                                   "[2001:db8::1%1]:5",
                                   "a b:80"};
  for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; ++i) {
    corpus.add("endpoint", std::to_string(i), endpoints[i]);
  }

  const std::string with_peer = std::string("wg0\npeer\n") + kKey2;
  corpus.add("set", "device",
             Seed().u8(9).text("wg0\nlisten-port\n51820\nfwmark\n0xca6c\nprivate-key\nx"));
  corpus.add("set", "no-key", Seed().u8(9).text("wg0\nprivate-key\nnothing"));
  corpus.add(
      "set", "peer",
      Seed().u8(9).text(with_peer + "\npreshared-key\nx\nendpoint\n192.0.2.1:5\n"
                                    "persistent-keepalive\n25\nallowed-ips\n10.0.0.0/8,::/0"));
  corpus.add("set", "remove", Seed().u8(9).text(with_peer + "\nremove\npeer\n" + kKey1));
  corpus.add("set", "changes", Seed().u8(0).text(with_peer + "\nallowed-ips\n+10.0.0.1,-10.0.0.2"));
  std::string many = with_peer + "\nallowed-ips\n10.0.0.0";
  for (unsigned i = 1; i < 40; ++i) many += ",10.0.0." + std::to_string(i);
  corpus.add("set", "many", Seed().u8(0).text(many));
  corpus.add("set", "no-value", Seed().u8(0).text(with_peer + "\nendpoint"));
  corpus.add("set", "name", Seed().u8(0).text(with_peer + "\nendpoint\nvpn.example.com:5"));
  corpus.add("set", "unknown", Seed().u8(0).text("wg0\n\x1b[2J\n1"));
  corpus.add("set", "alone", Seed().u8(0).text("wg0"));
}

std::string payload_of(nl_msg *message, size_t header_len) {
  const nlmsghdr *header = nlmsg_hdr(message);
  return {reinterpret_cast<const char *>(header) + header_len, header->nlmsg_len - header_len};
}

void add_netlink(Corpus &corpus) {
  wg::tool::DeviceChange change = wg::tool::parse_config(full_config(), "seed").change;
  change.name = "wg0";
  const wg::tool::Message whole = std::move(encode_set(0x21, change).front());
  const std::string payload = payload_of(whole.get(), NLMSG_HDRLEN + 4);
  corpus.add("netlink", "device", Seed().u8(2).text(payload));
  corpus.add("netlink", "cut", Seed().u8(2).text(payload.substr(0, payload.size() - 5)));
  corpus.add("netlink", "twice",
             Seed().u8(1).u16(static_cast<unsigned>(payload.size())).text(payload + payload));
  for (unsigned i = 1; i < 40; ++i)
    change.peers[0].allowed_ips.push_back(change.peers[0].allowed_ips[1]);
  const auto pieces = encode_set(0x21, change, 800);
  const std::string first = payload_of(pieces.at(0).get(), NLMSG_HDRLEN + 4);
  const std::string second = payload_of(pieces.at(1).get(), NLMSG_HDRLEN + 4);
  corpus.add("netlink", "pieces",
             Seed().u8(1).u16(static_cast<unsigned>(first.size())).text(first + second));

  // Ends with an attribute of nothing: the next byte is somebody else's.
  for (int type = WGNL_PEER_PUBLIC_KEY; type <= WGNL_PEER_PROTOCOL_VERSION; ++type) {
    const wg::tool::Message message(nlmsg_alloc_simple(0, 0));
    nlattr *peers = nla_nest_start(message.get(), WGNL_DEVICE_PEERS);
    nlattr *peer = nla_nest_start(message.get(), 0);
    nla_put(message.get(), WGNL_PEER_PUBLIC_KEY, wg::tool::kKeyLen,
            change.peers[0].public_key.bytes.data());
    nla_put(message.get(), type, 0, nullptr);
    nla_nest_end(message.get(), peer);
    nla_nest_end(message.get(), peers);
    corpus.add("netlink", "nothing-" + std::to_string(type),
               Seed().u8(2).text(payload_of(message.get(), NLMSG_HDRLEN)));
  }

  for (const char *kind : {"wireguard", "bridge"}) {
    const wg::tool::Message link(nlmsg_alloc_simple(RTM_NEWLINK, 0));
    const ifinfomsg info{};
    nlmsg_append(link.get(), const_cast<ifinfomsg *>(&info), sizeof info, NLMSG_ALIGNTO);
    nla_put_string(link.get(), IFLA_IFNAME, "wg0");
    nlattr *nest = nla_nest_start(link.get(), IFLA_LINKINFO);
    nla_put_string(link.get(), IFLA_INFO_KIND, kind);
    nla_nest_end(link.get(), nest);
    corpus.add("netlink", std::string("link-") + kind,
               Seed().u8(0).text(payload_of(link.get(), NLMSG_HDRLEN + NLMSG_ALIGN(sizeof info))));
  }
}

void add_uapi(Corpus &corpus) {
  const std::string key(64, 'a'), zeros(64, '0');
  const std::string device = "private_key=" + key + "\nlisten_port=51820\nfwmark=4660\n";
  const std::string peer =
      "public_key=" + key + "\npreshared_key=" + zeros +
      "\nprotocol_version=1\nendpoint=[fe80::1%lo]:5\nlast_handshake_time_sec=1700000000\n"
      "last_handshake_time_nsec=5\ntx_bytes=1024\nrx_bytes=18446744073709551615\n"
      "persistent_keepalive_interval=25\nallowed_ip=10.0.0.0/8\nallowed_ip=::/0\n";
  corpus.add("uapi", "device", device + "errno=0\n");
  corpus.add("uapi", "peers", device + peer + peer + "endpoint=192.0.2.1:0\nerrno=0\n");
  corpus.add("uapi", "no-key", "private_key=" + zeros + "\nerrno=0\n");
  corpus.add("uapi", "error", "errno=-22\n");
  corpus.add("uapi", "no-end", device + "errno=0");
  corpus.add("uapi", "early", "allowed_ip=10.0.0.0/8\nunknown=1\nerrno=0\n");
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds DIR\n";
    return 2;
  }
  try {
    Corpus corpus(argv[1]);
    add_messages(corpus);
    add_core(corpus);
    add_primitives(corpus);
    add_text(corpus);
    add_netlink(corpus);
    add_uapi(corpus);
  } catch (const std::exception &error) {
    std::cerr << "fuzz_seeds: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
