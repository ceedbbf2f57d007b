#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Thousands of generated commands, given to wg(8) and to wgtool under the name of wg.

  parity.py [--seed N] [--first N] [--cases N] [--twins go|kernel] [--tool FILE]
            [--reference "COMMAND WORDS"] [--verbose]

Each case is a command line with the files, the input and the environment that go with it. A
command that changes a device is run by wg on one twin and by ours on the other; then both twins
have to hold the same. A command that only reads is run by both on the same device. Output, exit
status, messages and state are compared byte for byte. What may differ is in the table INTENDED,
with the reason; all else fails.

--twins go (the default) needs root, wireguard-go and /dev/net/tun, and no kernel module: twins are
two wireguard-go, and what is shown comes from a server here that speaks the same protocol, so that
it can say anything. It runs in namespaces of its own and leaves nothing behind. --twins kernel
makes two devices of kind wireguard in the network namespace it is called in: in a throwaway
machine.

Cases come in blocks that begin with empty twins, so that a failure can be had again: it prints
the --seed and --first to use. The status is 0 when all went well.
"""
import argparse
import base64
import collections
import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

BLOCK = 20
MAX_REPORTED = 10
# No command takes as long; one that does hangs, and ends the test.
LIMIT_S = 120
DIRECTORY = "/run/wireguard"
TWINS = ("ref0", "new0")
FIELDS = ("public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips "
          "latest-handshakes transfer persistent-keepalive dump").split()
CATEGORIES = ("set", "setconf", "addconf", "syncconf", "show", "showconf", "keys", "usage")
NONE = "A" * 43 + "="

Result = collections.namedtuple("Result", "status out err")


class Case:
    """A command line. "{dev}" in it is the twin's name, "{NAME}" the path of a file."""

    def __init__(self, category, words, changes=False, files=None, stdin=b"", env=None,
                 umask=0o077, to_file=False):
        self.category, self.words, self.changes = category, words, changes
        self.files, self.stdin, self.env = files or {}, stdin, env or {}
        self.umask, self.to_file = umask, to_file

    def text(self):
        """All that the case gives to a tool, for those who look for a word in it."""
        return b"\0".join([w.encode("utf-8", "surrogateescape") for w in self.words] +
                          list(self.files.values()))

    def config(self):
        """The lines of a configuration file, as a tool sees them."""
        lines = self.files.get("conf", b"").split(b"\n")
        cut = [line.split(b"\0")[0].split(b"#")[0] for line in lines]
        return [re.sub(rb"[ \t-\r]", b"", line) for line in cut]


#
# What may differ
#

class Intended:
    """A difference that is meant: explains(case, ref, new) says whether it is all there is.

    With changes, what the twins hold afterwards differs, too; with age it is wg that was different
    before 1.0.20260223.
    """

    def __init__(self, name, reason, explains, changes=False, age=False):
        self.name, self.reason, self.explains = name, reason, explains
        self.changes, self.age = changes, age


def only_errors(ref, new):
    return ref.status == new.status and ref.out == new.out


def without_secrets(case, ref, new):
    if not only_errors(ref, new):
        return False
    shown = re.search(rb"Key is not the correct length or format: `([^']*)'\n", ref.err)
    if shown:
        secrets = [f for name, f in case.files.items() if name != "conf"]
        secrets += [line for line in case.config()
                    if line.lower().startswith((b"privatekey=", b"presharedkey="))]
        if not any(shown[1] in secret for secret in secrets):
            return False
        return ref.err.replace(b": `" + shown[1] + b"'", b"") == new.err
    shown = re.search(rb"Found trailing character in key file(: `[^']*')\n", ref.err)
    if shown:
        return ref.err.replace(shown[1], b"") == new.err
    shown = re.search(rb"Line unrecognized: `([^\n=]*=)([^\n]*)'\n", ref.err)
    if shown:
        is_secret = shown[1].lower() in (b"privatekey=", b"presharedkey=") or len(shown[2]) > 39
        safe = ref.err.replace(shown[1] + shown[2], shown[1] + b"...")
        return is_secret and printable(safe) == new.err.replace(b"\n", b"?")
    return False


def printable(text):
    """The bytes that a terminal might obey, and newlines, which may stand among them."""
    return re.sub(rb"[\0-\x1f\x7f]|(?<![\x80-\xff])[\x80-\x9f]|(?<=\xc2)[\x80-\x9f]", b"?", text)


def without_controls(_case, ref, new):
    return only_errors(ref, new) and ref.err != printable(ref.err) and \
        printable(ref.err) == printable(new.err)


def removes(case):
    return re.search(rb"(^|[\0,= \t\n])[ \t]*-[ \t]*[0-9a-fA-F:]", case.text()) is not None


def falls_back(case, ref, new):
    error = b"Unable to modify interface: Invalid argument\n"
    return removes(case) and ref.status == 1 and new.status == 0 and ref.err.endswith(error) and \
        ref.err[:-len(error)] == new.err


def is_version(case, ref, new):
    return case.words[0] in ("-v", "--version", "version") and ref.status == new.status == 0 and \
        ref.err == new.err and re.fullmatch(rb"wgtool v[0-9.]+\n", new.out)


def is_unreadable(case, _ref, new):
    return case.words[-1] == "/" and new.status == 1 and b"Unable to read" in new.err


def without_signs_in_usage(_case, ref, new):
    signs = b"[allowed-ips [+|-]<ip1>/<cidr1>[,[+|-]<ip2>/<cidr2>]...]"
    plain = b"[allowed-ips <ip1>/<cidr1>[,<ip2>/<cidr2>]...]"
    return only_errors(ref, new) and plain in ref.err and ref.err.replace(plain, signs) == new.err


def without_signs(case, ref, _new):
    sign = re.search(rb"Unable to parse IP address: `([+-][^\n]*)'\n", ref.err)
    return ref.status == 1 and sign is not None


def without_prefix(case, ref, new):
    if case.words != ["show", "all", "endpoints"] or ref.status != new.status or ref.err != new.err:
        return False
    lines = [line.split(b"\t", 1)[1] for line in new.out.splitlines(True)]
    return re.findall(rb"[A-Za-z0-9+/]{43}=\t[^\n]*\n", ref.out) == lines


def has_long_name(case, ref, new):
    return len(case.words) > 1 and len(case.words[1]) > 15 and ref.status == new.status == 1 and \
        new.err == b"Unable to access interface: File name too long\n"


def keeps_what_is_omitted(case, ref, new):
    return case.category == "syncconf" and ref == new


INTENDED = (
    Intended("version", "the program and its version are ours", is_version),
    Intended("secrets", "key material is never quoted, whole, in part or mistyped", without_secrets),
    Intended("controls", "what a terminal might obey reads as a question mark", without_controls),
    Intended("removals", "a list with '-' is replaced as a whole where the device knows no removal",
             falls_back, changes=True),
    Intended("unreadable", "a directory is no empty configuration", is_unreadable, changes=True),
    Intended("set-usage", "no '+' and '-' in AllowedIPs", without_signs_in_usage, age=True),
    Intended("signs", "no '+' and '-' in AllowedIPs", without_signs, changes=True, age=True),
    Intended("endpoints", "`show all endpoints' gave a device's name once", without_prefix, age=True),
    Intended("long-name", "show took a name that no interface can have", has_long_name, age=True),
    Intended("sync", "syncconf kept an omitted PresharedKey and PersistentKeepalive",
             keeps_what_is_omitted, changes=True, age=True),
)


#
# Cases
#

class Generator:
    """The cases of a block, from its seed."""

    def __init__(self, seed, block, keys, can_speak):
        self.rng = random.Random(f"{seed}/{block}")
        # Pairs of private and public key; of most peers only the public one is in use.
        self.keys = keys
        self.can_speak = can_speak
        self.peers = [self.key() for _ in range(4)] + [keys[0][1]]

    def key(self):
        return base64.b64encode(self.rng.randbytes(32)).decode()

    def chance(self, percent):
        return self.rng.randrange(100) < percent

    def pick(self, *choices):
        return self.rng.choice(choices)

    def case(self):
        kind = self.rng.choices(CATEGORIES, (32, 18, 8, 12, 17, 5, 4, 4))[0]
        if kind in ("setconf", "addconf", "syncconf"):
            return self.config_case(kind)
        return getattr(self, kind + "_case")()

    def environment(self):
        env = {"WG_ENDPOINT_RESOLUTION_RETRIES": "0"}
        if self.chance(3):
            # None that means nearly for ever: some names of ours are asked of a resolver that is away.
            env["WG_ENDPOINT_RESOLUTION_RETRIES"] = self.pick(
                "x", "", " 1", "+1", "-0", "0x1", "INFINITY", "1 ")
        return env

    # Values

    def port(self):
        if self.chance(70):
            return str(self.rng.randrange(1, 65536))
        return self.pick("0", "70000", "65536", "ntp", "domain", "foo", "", "0x10", "-1", " 7", "7 ",
                         "+5", "010", "4294967297", "18446744073709551617", "5;6", "=5", "1e3")

    def mark(self):
        if self.chance(60):
            return self.pick("0", "off", "OFF", "1", "51820", hex(self.rng.randrange(1 << 32)))
        return self.pick("", "0x", "0X10", "0xfFf", "-1", "010", "010x", "4294967295", "4294967296",
                         " 1", "1 ", "oFf", "0x100000000", "+5", "0x-1", "0x 1", "offf", "0x0000000001")

    def keepalive(self):
        if self.chance(65):
            return self.pick("0", "off", "1", "25", "65535", str(self.rng.randrange(65536)))
        return self.pick("", "25s", "-1", "65536", "0x10", "OFF", " 1", "+1", "010", "9" * 23, "1.5")

    def address(self):
        if self.chance(60):
            return ".".join(str(self.rng.randrange(256)) for _ in range(4))
        return self.pick("2001:db8::%x", "fd00:%x::1", "::%x", "::ffff:10.0.0.1%.0s",
                         "fe80::%x:2") % self.rng.randrange(1, 65536)

    def endpoint(self):
        if self.chance(60):
            host, port = self.address(), self.rng.randrange(1, 65536)
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return self.pick(
            "", "192.0.2.1", "[::1", "[::1]", "[::1]80", "[::1]:", "[::1]:80", ":80", "x:", "1.2.3:80",
            "1.2.3.4:0", "1.2.3.4:70000", "1.2.3.4:ntp", "1.2.3.4:foo", "2001:db8::1:51820", "127.1:9",
            "[192.0.2.5]:80", "0x7f.1:80", "*:80", "[*]:80", "[]:80", "a b:80", "localhost:80",
            "nonexistent.invalid:80", "[fe80::1%lo]:80", "fe80::1%lo:80", "[fe80::1%nope]:5",
            "[2001:db8::1%lo]:5", "[::1]x:80", "[::1]:80:90", "1.2.3.4:-1", "1.2.3.4: 80", "::1:80",
            "[[::1]]:80", ":::80", "1.2.3.4:4294967297", "010.1.1.1:5", "3232235777:4", "1.2.3.4:010",
            "\x1b[31m:80", "\u00e9.invalid:1", "[fe80::1%1]:7", "1.2.3.4:99999999999999999999")

    def prefix(self, signs):
        address = self.address()
        most = 128 if ":" in address else 32
        item = address if self.chance(30) else f"{address}/{self.rng.randrange(most + 1)}"
        if self.chance(6):
            item = self.pick("10.0/8", "010.0.0.0/8", "10.0.0.0/33", "10.0.0.0/", "/", "", "::/129", "x",
                             "fe80::1%lo/64", "1.2.3.4/ 24", "1.2.3.4/+5", "1.2.3.4/010", "0.0.0.0/0",
                             "::0/0", "1.2.3.4/24/5", "+", "++1.2.3.4", "::ffff:1.2.3.4/120", "10.0.0.1 ",
                             "1.2.3.4/99999999999999", "1.2. 3.4", "\x1b[2J", "fe80:::1", "1.2.3.4/-5")
        return self.pick("", "", "+", "-") + item if signs else item

    def prefixes(self, least=0):
        signs = self.chance(12)
        items = [self.prefix(signs) for _ in range(self.pick(least, 1, 1, 2, 3, 5))]
        if items and self.chance(15):
            items.append(self.rng.choice(items).lstrip("+-"))
        return self.pick(",", ",", ", ", " ,").join(items)

    def public_key(self):
        if self.chance(4):
            return self.pick("", "xx", NONE, NONE[:-2] + "B=", self.key()[:-1], self.key() + "=",
                             " " + self.key(), self.key()[:20] + "-" + self.key()[21:])
        return self.rng.choice(self.peers)

    def secret(self):
        key = self.rng.choice(self.keys)[0] if self.chance(60) else self.key()
        if self.chance(10):
            return self.pick("x", NONE, key[:-1], key + "A", key[:30] + "*" + key[31:], key[:-2] + "B=")
        return key

    def key_file(self, files):
        """A word for a file that holds a key, or something else."""
        if self.chance(10):
            return self.pick("/dev/null", "/nonexistent", "", "/", "/etc/hostname/x")
        name = f"key{len(files)}"
        text = self.secret() + self.pick("\n", "\n", "", " \n\n", "\r\n")
        if self.chance(10):
            text = self.pick("", "\n", "short\n", text.strip() + " x\n", text.strip() + "\0", "x" + text,
                             text.strip() + text, " " + text)
        files[name] = text.encode()
        return "{" + name + "}"

    # Commands

    def set_case(self):
        files, words = {}, []
        if self.chance(40):
            words += ["listen-port", self.port()]
        if self.chance(35):
            words += ["fwmark", self.mark()]
        if self.chance(25):
            words += ["private-key", self.key_file(files)]
        for _ in range(self.pick(0, 1, 1, 2, 3)):
            words += ["peer", self.public_key()]
            if self.chance(8):
                words += ["remove"]
            for _ in range(self.pick(0, 1, 2, 3)):
                what = self.pick("endpoint", "persistent-keepalive", "preshared-key", "allowed-ips",
                                 "allowed-ips")
                value = {"endpoint": self.endpoint, "persistent-keepalive": self.keepalive,
                         "preshared-key": lambda: self.key_file(files),
                         "allowed-ips": self.prefixes}[what]()
                words += [what, value]
        if self.chance(6):
            at = self.rng.randrange(len(words) + 1)
            words.insert(at, self.pick("foo", "peer", "remove", "listen-port", "endpoint", "", "Peer",
                                       "allowed-ips", "--help", "\x1b[1m", "private-key"))
        if self.chance(3) and words:
            words.pop()
        device = "{dev}" if self.chance(97) else self.odd_name()
        return Case("set", ["set", device] + words, True, files, env=self.environment())

    def odd_name(self):
        return self.pick("absent", "lo", "a" * 15, "a" * 16, "a" * 40, "", ".", "..", "a/b", "a b",
                         "../wireguard/show0", "all", "interfaces", "--help", "{dev}x")

    def respell(self, word):
        """Blanks and capitals, which a file may have anywhere."""
        word = self.pick(word, word, word, word.lower(), word.upper())
        if self.chance(10):
            at = self.rng.randrange(len(word) + 1)
            word = word[:at] + self.pick(" ", "\t", "  ", "\v") + word[at:]
        return word

    def line(self, name, value):
        return self.respell(name) + self.pick(" = ", "=", " =", "= ", "\t=\t") + value + \
            self.pick("", "", "", " ", " # comment", "#x", "\r")

    def fault(self):
        return self.pick("foo", "[Foo]", "[Interface]x", ";comment", "Address = 10.0.0.1/24", "ListenPort=",
                         "ListenPort", "= 5", "=", "PrivateKey=", "AllowedIPs =", "MTU = 1420", "[",
                         "PrivateKey " + self.key(), "PrivatKey = " + self.key(), "[Peer", "\0", "Foo\x1b=1",
                         "ListenPort=5\0 6", "Listen\0Port=5", "ListenPort==5", "[ Interface ]", "[PEER]",
                         "Endpoint =", "PublicKey=", "[Interface]", "DNS = 192.0.2.1", "\u00e9=1",
                         "x" * 150, "ListenPort = " + "0" * 200 + "7", "SaveConfig = true")

    def interface_section(self):
        lines = [self.respell("[Interface]")]
        if self.chance(75):
            lines.append(self.line("ListenPort", self.port() if self.chance(30)
                                   else str(self.rng.randrange(1, 65536))))
        if self.chance(75):
            lines.append(self.line("PrivateKey", self.key() if self.chance(50) else self.secret()))
        if self.chance(50):
            lines.append(self.line("FwMark", self.mark() if self.chance(30) else self.pick("1", "off")))
        return lines

    def peer_section(self):
        lines = [self.respell("[Peer]")]
        if self.chance(97):
            lines.append(self.line("PublicKey", self.public_key()))
        if self.chance(30):
            lines.append(self.line("PresharedKey", self.key() if self.chance(80) else self.secret()))
        for _ in range(self.pick(0, 1, 1, 1, 2)):
            lines.append(self.line("AllowedIPs", self.prefixes(0 if self.chance(10) else 1)))
        if self.chance(40):
            lines.append(self.line("Endpoint", self.pick("192.0.2.1:5", self.endpoint())))
        if self.chance(40):
            lines.append(self.line("PersistentKeepalive", self.pick("25", self.keepalive())))
        body = lines[1:]
        self.rng.shuffle(body)
        return lines[:1] + body

    def config(self):
        lines = []
        if self.chance(92):
            lines += self.interface_section()
        for _ in range(self.pick(0, 1, 1, 2, 3, 4)):
            lines += self.pick([], [""], ["# comment"], ["   "]) + self.peer_section()
        if self.chance(3):
            lines += self.interface_section()
        for _ in range(self.pick(0, 0, 0, 0, 1)):
            lines.insert(self.rng.randrange(len(lines) + 1), self.fault())
        if self.chance(4):
            lines = self.pick([], [""], ["[Interface]"], ["# nothing"], ["\ufeff[Interface]"])
        text = self.pick("\n", "\n", "\n", "\r\n").join(lines) + self.pick("\n", "\n", "")
        return text.encode() + self.pick(b"", b"", b"", b"#\x80\n")

    def config_case(self, kind):
        files, stdin, name = {"conf": self.config()}, b"", "{conf}"
        if self.chance(4):
            files, name = {}, self.pick("/nonexistent", "/dev/null", "", "/")
        elif self.chance(5):
            # The input comes through a pipe.
            stdin, name = files["conf"], "/dev/stdin"
        device = "{dev}" if self.chance(97) else self.odd_name()
        return Case(kind, [kind, device, name], True, files, stdin, self.environment())

    def show_env(self):
        env = {}
        if self.chance(50):
            env["WG_COLOR_MODE"] = self.pick("always", "never", "auto", "", "ALWAYS")
        if self.chance(30):
            env["WG_HIDE_KEYS"] = self.pick("never", "always", "", "NEVER")
        return env

    def show_case(self):
        name = self.pick("show0", "show1", "{dev}") if self.can_speak else "{dev}"
        name = self.pick(name, name, name, "all", "all") if self.chance(94) else self.odd_name()
        words = self.pick(["show", name], ["show", name, self.rng.choice(FIELDS)],
                          ["show", name, "dump"])
        if self.chance(8):
            words = self.pick(["show"], [], ["show", "interfaces"], ["show", name, "bad"],
                              ["show", "interfaces", "peers"], ["show", name, ""],
                              ["show", name, "dump", "x"], ["show", "--help"], ["show", "-h"],
                              ["show", "help"], ["show", name, "\x1b[m"], ["show", name, "Peers"])
        return Case("show", words, env=self.show_env())

    def showconf_case(self):
        name = self.pick("show0", "show1") if self.can_speak else "{dev}"
        words = ["showconf", name if self.chance(90) else self.odd_name()]
        if self.chance(5):
            words = self.pick(words + ["x"], ["showconf"], ["showconf", "--help"])
        return Case("showconf", words)

    def keys_case(self):
        if self.chance(30):
            return Case("keys", [self.pick("genkey", "genpsk")], umask=self.pick(0, 0o077, 0o022),
                        to_file=self.chance(70))
        key = self.secret()
        text = self.pick(key + "\n", key + "\n", key, key + " \n\n", key + "\0\n", key + "x", " " + key,
                         "", "\n", key[:-1], key + "\nx", key + "\t\v\f\r\n", key * 2, NONE)
        return Case("keys", ["pubkey"], stdin=text.encode())

    def usage_case(self):
        command = self.pick("show", "showconf", "set", "setconf", "addconf", "syncconf", "genkey",
                            "genpsk", "pubkey")
        words = self.pick([command, "a", "b", "c", "d"], [command, "--help"], [command, "-h"],
                          ["help"], ["--help"], ["-h"], ["nonsense"], ["-x"], ["help", command],
                          ["--help", command], [""], ["-v"], ["--version"], ["version"],
                          ["-v", "x"], ["Show"], ["\x1b[31m"], ["-v", "-v"], ["set"], ["set", "absent"],
                          ["setconf", "absent"], ["setconf"], ["addconf"], ["syncconf", "absent"],
                          ["genkey", "x"], ["genpsk", "x"], ["pubkey", "x"], ["-j"], ["show", "-j"],
                          ["--kind", "wireguard", "show"], ["up"], ["--netns", "x"])
        return Case("usage", words)

    # What a device says of itself, in the protocol of userspace devices

    def hex_key(self):
        return self.rng.randbytes(32).hex()

    def peer_answer(self):
        lines = [f"public_key={self.hex_key()}"]
        if self.chance(60):
            lines.append("preshared_key=" + (self.hex_key() if self.chance(40) else "0" * 64))
        lines.append("protocol_version=1")
        if self.chance(60):
            host, port = self.address(), self.rng.randrange(65536)
            lines.append(f"endpoint=[{host}]:{port}" if ":" in host else f"endpoint={host}:{port}")
        elif self.chance(20):
            lines.append("endpoint=" + self.pick("[fe80::1%lo]:5", "[fe80::2%77]:6", "[::]:0"))
        now = int(time.time())
        when = self.pick(0, 0, 1, now - self.rng.randrange(100), now - self.rng.randrange(10**5), now,
                         now - self.rng.randrange(10**8), now + 3600)
        lines += [f"last_handshake_time_sec={when}",
                  f"last_handshake_time_nsec={self.rng.randrange(10**9) if when else 0}"]
        for name in ("tx_bytes", "rx_bytes"):
            size = self.pick(0, 1023, 1024, 1048575, 1048576, (1 << 30) - 1, 1 << 40, (1 << 64) - 1,
                             self.rng.randrange(1 << self.rng.randrange(1, 64)))
            lines.append(f"{name}={size}")
        lines.append("persistent_keepalive_interval=" +
                     str(self.pick(0, 0, 1, 25, 60, 61, 3600, 3661, 65535)))
        for _ in range(self.pick(0, 1, 2, 5)):
            address = self.address()
            lines.append(f"allowed_ip={address}/{self.rng.randrange(129 if ':' in address else 33)}")
        return lines

    def answer(self):
        lines = []
        if self.chance(70):
            lines.append(f"private_key={self.hex_key()}")
        lines.append(f"listen_port={self.pick(0, 1, 51820, 65535)}")
        if self.chance(40):
            lines.append(f"fwmark={self.pick(0, 1, 4660, 4294967295)}")
        for _ in range(self.pick(0, 1, 1, 2, 5)):
            lines += self.peer_answer()
        if self.chance(10):
            lines.insert(self.rng.randrange(len(lines) + 1), self.pick(
                "unknown=1", "listen_port=70000", "listen_port=x", "garbage", "fwmark=0x1", "allowed_ip=x",
                "endpoint=1.2.3.4", "public_key=zz", "listen_port=-1", "rx_bytes=-1", "", "x=\r"))
        end = "errno=0\n\n"
        if self.chance(5):
            end = self.pick("errno=2\n\n", "errno=0\n", "errno=0", "", "\n", "errno=x\n\n", "errno=13\n\n")
        return ("\n".join(lines) + "\n" + end).encode()


#
# Twins
#

class Server(threading.Thread):
    """A device that answers what it is told to."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.answer = b"errno=0\n\n"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{DIRECTORY}/{name}.sock")
        self.listener.listen(16)
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            with client:
                try:
                    request = b""
                    while not request.endswith(b"\n\n"):
                        more = client.recv(65536)
                        if not more:
                            break
                        request += more
                    if request:
                        client.sendall(self.answer)
                except OSError:
                    # Who only looks whether somebody is here hangs up at once.
                    pass


class GoTwins:
    """Two wireguard-go, which are read over their sockets."""

    can_speak = True

    def __init__(self, _tester):
        self.programs = []
        for name in TWINS:
            program = subprocess.Popen(
                # Each in a namespace of its own, where it can bind the port that the other one has.
                ["unshare", "--net", "wireguard-go", "-f", name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=dict(os.environ, LOG_LEVEL="silent"))
            self.programs.append(program)
        for name in TWINS:
            for _ in range(500):
                if os.path.exists(f"{DIRECTORY}/{name}.sock"):
                    break
                time.sleep(0.01)
            else:
                raise RuntimeError("wireguard-go does not start")
        self.servers = [Server("show0"), Server("show1")]
        os.mkdir(f"{DIRECTORY}/hidden")

    def end(self):
        for program in self.programs:
            program.terminate()
            program.wait()

    def ask(self, name, request):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{DIRECTORY}/{name}.sock")
            client.sendall(request)
            answer = b""
            while not answer.endswith(b"\n\n"):
                more = client.recv(1 << 20)
                if not more:
                    raise RuntimeError(f"{name} hung up")
                answer += more
        return answer.decode()

    def set(self, name, request):
        answer = self.ask(name, f"set=1\n{request}\n".encode())
        if answer != "errno=0\n\n":
            raise RuntimeError(f"{name} refuses {request!r}: {answer!r}")

    def clear(self):
        for name in TWINS:
            self.set(name, f"private_key={'0' * 64}\nlisten_port=5\nfwmark=0\nreplace_peers=true\n")

    def prepare(self, generator):
        for server in self.servers:
            server.answer = generator.answer()

    def state(self, name):
        """The port, all else of the device, and its peers: here they come in any order."""
        port, device, peers = "", [], []
        for line in self.ask(name, b"get=1\n\n").split():
            if line.startswith("public_key="):
                peers.append([])
            if line.startswith("listen_port="):
                port = line.split("=")[1]
            elif peers and not line.startswith(("errno=", "last_handshake_", "tx_bytes", "rx_bytes")):
                peers[-1].append(line)
            elif not peers:
                device.append(line)
        return port, sorted(device), sorted(peers)

    def states(self):
        return [self.state(name) for name in TWINS]

    def set_port(self, port):
        for name in TWINS:
            self.set(name, f"listen_port={port}\n")

    def copy(self):
        """The state of the second to the first."""
        _, device, peers = self.state(TWINS[1])
        lines = ["listen_port=5", "fwmark=0", f"private_key={'0' * 64}", "replace_peers=true"]
        for peer in peers:
            lines += [line for line in peer if not line.startswith("protocol_version")]
        device = [line for line in device if not line.startswith("errno")]
        self.set(TWINS[0], "\n".join(lines[:3] + device + lines[3:]) + "\n")
        self.set_port(5)

    def read_only(self, what):
        """Without the twins while all devices are shown: they give their peers in any order."""
        paths = [(f"{DIRECTORY}/{name}.sock", f"{DIRECTORY}/hidden/{name}") for name in TWINS]
        for here, hidden in paths:
            os.rename(here, hidden)
        try:
            return what()
        finally:
            for here, hidden in paths:
                os.rename(hidden, here)


class KernelTwins:
    """Two devices of kind wireguard, which the reference reads."""

    can_speak = False

    def __init__(self, tester):
        self.tester = tester
        for name in TWINS:
            subprocess.run(["ip", "link", "add", name, "type", "wireguard"], check=True)

    def end(self):
        for name in TWINS:
            subprocess.run(["ip", "link", "del", name], check=True)

    def run(self, *words):
        return subprocess.run(self.tester.tools[0] + list(words), check=True, stdout=subprocess.PIPE,
                              text=True).stdout

    def apply(self, name, text):
        path = f"{self.tester.tmp}/state"
        with open(path, "w") as file:
            file.write(text)
        self.run("setconf", name, path)

    def clear(self):
        for name in TWINS:
            self.apply(name, "[Interface]\nListenPort = 5\n")

    def prepare(self, _generator):
        pass

    def states(self):
        """The port, all else of the device, and its peers in order."""
        lines = self.run("show", "all", "dump").splitlines()
        found = []
        for name in TWINS:
            rows = [line.split("\t")[1:] for line in lines if line.startswith(name + "\t")]
            found.append((rows[0][2], rows[0][:2] + rows[0][3:],
                          [row[:4] + row[7:] for row in rows[1:]]))
        return found

    def set_port(self, port):
        for name in TWINS:
            self.run("set", name, "listen-port", str(port))

    def copy(self):
        self.apply(TWINS[0], self.run("showconf", TWINS[1]))
        self.set_port(5)

    def read_only(self, what):
        return what()


#
# The test
#

class Tester:
    def __init__(self, options):
        self.options = options
        self.tmp = tempfile.mkdtemp(prefix="parity-")
        os.mkdir(f"{self.tmp}/bin")
        self.new = f"{self.tmp}/bin/wg"
        os.symlink(os.path.realpath(options.tool), self.new)
        reference = shlex.split(options.reference)
        # Usage lines name the program as it was called.
        self.tools = (reference, ["wg"])
        version = subprocess.run(reference + ["--version"], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout
        self.version = re.search(r"v([0-9.]+)", version)[1]
        self.is_old = self.version < "1.0.20260223"
        self.counts, self.failed = collections.Counter(), collections.Counter()
        self.explained = collections.Counter()
        self.statuses = collections.Counter()
        # What the twins hold, if nobody has touched them since it was read
        self.known = None
        self.keys = []
        for i in range(3):
            private = base64.b64encode(random.Random(f"{options.seed}/key/{i}").randbytes(32)).decode()
            public = subprocess.run(reference + ["pubkey"], check=True, input=private, text=True,
                                    stdout=subprocess.PIPE).stdout.strip()
            self.keys.append((private, public))
        self.twins = (GoTwins if options.twins == "go" else KernelTwins)(self)

    def end(self):
        self.twins.end()
        shutil.rmtree(self.tmp)

    def words(self, case, twin):
        names = {"{dev}": twin}
        for name in case.files:
            names["{" + name + "}"] = f"{self.tmp}/{name}"
        return [names.get(w, w.replace("{dev}", twin)) for w in case.words]

    def run_one(self, case, side, twin):
        env = dict(self.base_env(), **case.env)
        stdout = subprocess.PIPE
        out_path = f"{self.tmp}/out"
        if case.to_file:
            fd = os.open(out_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666 & ~case.umask)
            stdout = os.fdopen(fd, "wb")
        program = self.tools[side]
        with subprocess.Popen(program + self.words(case, twin), stdin=subprocess.PIPE, stdout=stdout,
                              stderr=subprocess.PIPE, env=env,
                              executable=self.new if side else None) as process:
            try:
                out, err = process.communicate(case.stdin, timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        if case.to_file:
            stdout.close()
            with open(out_path, "rb") as file:
                out = file.read()
            os.unlink(out_path)
        if case.words in (["genkey"], ["genpsk"]):
            out = self.without_key(case.words[0], out)
        out, err = (text.replace(twin.encode(), b"TWIN") for text in (out, err))
        return Result(process.returncode, out, err)

    @staticmethod
    def base_env():
        return {"PATH": os.environ["PATH"], "LC_ALL": "C"}

    @staticmethod
    def without_key(command, out):
        """What a new key is like, in place of itself."""
        match = re.fullmatch(rb"([A-Za-z0-9+/]{43}=)\n", out)
        if not match:
            return out
        key = base64.b64decode(match[1])
        is_clamped = not key[0] & 7 and key[31] & 0xc0 == 0x40
        return b"a key\n" if command == "genpsk" or is_clamped else b"a key that is not clamped\n"

    def run_both(self, case):
        twins = TWINS if case.changes else TWINS[:1] * 2
        return [self.run_one(case, side, twins[side]) for side in (0, 1)]

    def explain(self, case, ref, new):
        for intended in INTENDED:
            if not self.is_old and intended.age or ref == new and not intended.changes:
                continue
            if intended.explains(case, ref, new):
                return intended
        return None

    def compare_states(self, before):
        """What differs, but for a port that both rolled."""
        # Read once for two cases: each process takes long where it is emulated.
        self.known = ref, new = self.twins.states()
        if ref[1:] != new[1:]:
            return "twins differ:" + "".join(
                f"\n#   {name}: {a}\n#   {'':{len(name)}}  {b}"
                for name, a, b in zip(("device", "peers"), ref[1:], new[1:]) if a != b)
        if ref[0] != new[0]:
            rolled = before[0][0] != ref[0] and before[1][0] != new[0] and "0" not in (ref[0], new[0])
            if not rolled:
                return f"ports differ: {ref[0]} and {new[0]}"
            self.twins.set_port(5)
            self.known = None
        return ""

    def run_case(self, number, case):
        for name, text in case.files.items():
            with open(f"{self.tmp}/{name}", "wb") as file:
                file.write(text)
        before = (self.known or self.twins.states()) if case.changes else None
        ref, new = self.run_both(case) if case.changes else \
            self.twins.read_only(lambda: self.read_twice(case))
        difference = ""
        intended = None
        if ref != new:
            intended = self.explain(case, ref, new)
            if intended is None:
                difference = "results differ"
        if case.changes and not difference:
            difference = self.compare_states(before)
            if difference and intended is None:
                intended = self.explain(case, ref, new)
            if difference and intended is not None and intended.changes:
                difference = ""
                self.copy()
        self.counts[case.category] += 1
        self.statuses[ref.status] += 1
        if intended is not None and not difference:
            self.explained[intended.name] += 1
        if difference:
            self.failed[case.category] += 1
            self.report(number, case, ref, new, difference)
            if case.changes:
                self.copy()
        elif self.options.verbose:
            print(f"# case {number}: {shlex.join(case.words)}: {ref.status}"
                  f"{', ' + intended.name if intended else ''}")

    def copy(self):
        self.twins.copy()
        self.known = None

    def read_twice(self, case):
        # Ages may go on by a second between the two.
        for _ in range(5):
            ref, new = self.run_both(case)
            if ref == new or b"ago" not in ref.out + new.out and b"Now" not in ref.out + new.out:
                break
        return ref, new

    def report(self, number, case, ref, new, difference):
        if sum(self.failed.values()) > MAX_REPORTED:
            return
        print(f"# case {number}: {difference}")
        print(f"#   wg {shlex.join(case.words)!r}  env {case.env}")
        print(f"#   repeat it with --seed {self.options.seed} --first {number - number % BLOCK} "
              f"--cases {number % BLOCK + 1}")
        for name, text in case.files.items():
            print(f"#   {name}: {text!r}")
        if case.stdin:
            print(f"#   stdin: {case.stdin!r}")
        for name, result in (("wg", ref), ("ours", new)):
            print(f"#   {name + ':':5} status {result.status} out {result.out!r} err {result.err!r}")

    def run(self):
        options = self.options
        since = time.monotonic()
        first, last = options.first, options.first + options.cases
        for block in range(first // BLOCK, (last + BLOCK - 1) // BLOCK):
            generator = Generator(options.seed, block, self.keys, self.twins.can_speak)
            self.twins.clear()
            self.known = None
            self.twins.prepare(generator)
            for number in range(block * BLOCK, min(last, (block + 1) * BLOCK)):
                case = generator.case()
                # Those before the first one are run, too: they make the state it meets.
                self.run_case(number, case)
        self.print_results(time.monotonic() - since)
        return 1 if self.failed else 0

    def print_results(self, seconds):
        print("KTAP version 1")
        print(f"1..{len(CATEGORIES)}")
        for number, category in enumerate(CATEGORIES, 1):
            result = "not ok" if self.failed[category] else "ok"
            bad = f", {self.failed[category]} differ" if self.failed[category] else ""
            print(f"{result} {number} - {category}: {self.counts[category]} cases{bad}")
        for intended in INTENDED:
            if self.explained[intended.name]:
                age = "wg's age: " if intended.age else ""
                print(f"# intended: {intended.name}, {self.explained[intended.name]} cases: "
                      f"{age}{intended.reason}")
        total, failed = sum(self.counts.values()), sum(self.failed.values())
        print(f"# {total} cases, {failed} unintended differences, {sum(self.explained.values())} "
              f"intended; {self.statuses[0]} commands succeed and {total - self.statuses[0]} fail")
        print(f"# seed {self.options.seed}, wg {self.version}, twins: {self.options.twins}, "
              f"{seconds:.0f} s, {total / seconds:.0f} cases per second")


def enter_namespaces():
    """A network and a mount namespace, whose /run/wireguard is empty."""
    if os.environ.get("WGPP_PARITY_NAMESPACES"):
        subprocess.run(["mount", "-t", "tmpfs", "none", DIRECTORY], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.makedirs(DIRECTORY, mode=0o755, exist_ok=True)
    os.environ["WGPP_PARITY_NAMESPACES"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable] + sys.argv)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(1 << 32)))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--twins", choices=("go", "kernel"), default="go")
    parser.add_argument("--tool", default="build/tool/wgtool")
    parser.add_argument("--reference", default="wg", help="command words of the wg to compare with")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    options.first -= options.first % BLOCK
    if options.twins == "go":
        enter_namespaces()
    tester = Tester(options)
    try:
        return tester.run()
    finally:
        tester.end()


if __name__ == "__main__":
    sys.exit(main())
