#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Messages that a WireGuard device must drop without a trace.

  capture IFACE                     prints "TYPE SOURCE-PORT HEX" for each UDP message seen
  forge HOST PORT SOURCE FILE       of the captured data messages: one bit flipped, and as is
  flood HOST PORT PUBLIC-KEY FILE   the whole catalogue; prints how many messages it sent
  inject HOST PORT PUBLIC-KEY FILE KIND NUM
                                    NUM messages that are dropped for the reason KIND
  raw IFACE HEX                     sends one packet through IFACE as it is

PUBLIC-KEY is that of HOST in base64, FILE is the output of capture. Layouts: WireGuard
paper, section 5.4. Random bytes come from a seed that is printed.
"""
import base64
import hashlib
import os
import random
import socket
import struct
import sys

INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
LENGTHS = {INITIATION: 148, RESPONSE: 92, COOKIE: 64}
ETH_P_ALL = 3


def capture(iface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    sock.bind((iface, ETH_P_ALL))
    print("ready", flush=True)
    while True:
        packet = sock.recv(1 << 16)
        version = packet[0] >> 4
        if version == 4 and packet[9] == socket.IPPROTO_UDP:
            udp = packet[(packet[0] & 15) * 4 :]
        elif version == 6 and packet[6] == socket.IPPROTO_UDP:
            udp = packet[40:]
        else:
            continue
        source_port, _, length = struct.unpack_from("!HHH", udp)
        message = udp[8:length]
        if message:
            print(message[0], source_port, message.hex(), flush=True)


def captured(path):
    """Messages of a capture file, by type, in the order of the wire."""
    by_type = {kind: [] for kind in (INITIATION, RESPONSE, COOKIE, DATA)}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if len(words) == 3 and int(words[0]) in by_type:
                by_type[int(words[0])].append(bytes.fromhex(words[2]))
    return by_type


def flip(message, bit):
    out = bytearray(message)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def sender(host, port, source=None):
    info = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(info[0], socket.SOCK_DGRAM)
    if source:
        sock.bind((source, 0))
    sock.connect(info[4])

    def send(message):
        try:
            sock.send(message)
        except ConnectionRefusedError:
            sock.send(message)  # The error belonged to an earlier message.

    return send


def forge(host, port, source, path):
    send = sender(host, port, source)
    messages = captured(path)[DATA]
    if not messages:
        sys.exit("hostile: nothing was captured")
    for message in messages:
        send(flip(message, 8 * len(message) - 1))
        send(message)


def with_mac1(message, public_key):
    """Message with the mac1 that anybody who knows the public key can make (section 5.4.4)."""
    key = hashlib.blake2s(b"mac1----" + public_key).digest()
    body = message[: len(message) - 32]
    return body + hashlib.blake2s(body, key=key, digest_size=16).digest() + bytes(16)


def catalogue(public_key, messages):
    """Every hostile message, with the real ones as raw material."""
    rng = random.Random(os.environ.get("HOSTILE_SEED", "1"))
    for length in (0, 1, 3, 4, 16, 31, 32, 33, 63, 64, 65, 91, 92, 93, 147, 148, 149, 1472, 8000):
        for kind in range(6):
            yield struct.pack("<I", kind)[:length] + rng.randbytes(max(0, length - 4))
        yield rng.randbytes(length)
    for kind, real in messages.items():
        for message in real[:4]:
            yield message  # replayed, and reflected: the capture holds both directions
            for cut in (1, 4, 15, 16, 31):
                yield message[:-cut]
            yield message + b"\0"
            yield message + bytes(16)
            # Type and reserved bytes, index, and then bits over the whole length.
            for bit in (0, 1, 2, 8, 16, 31, 32, 63):
                yield flip(message, bit)
            for _ in range(16):
                yield flip(message, rng.randrange(8 * len(message)))
            if kind in (INITIATION, RESPONSE):
                yield with_mac1(flip(message, 8 * 40), public_key)
                yield with_mac1(message, public_key)
            if kind == DATA:
                # Unknown receivers, counters far ahead and at their end.
                yield message[:4] + rng.randbytes(4) + message[8:]
                for counter in (0, 1 << 32, (1 << 64) - 1):
                    yield message[:8] + struct.pack("<Q", counter) + message[16:]
    for kind, length in LENGTHS.items():
        for _ in range(8):
            garbage = struct.pack("<I", kind) + rng.randbytes(length - 4)
            yield garbage
            yield with_mac1(garbage, public_key)
    # Ephemeral keys of small order: the shared secret would be zero (RFC 7748, section 6.1).
    for ephemeral in (bytes(32), b"\1" + bytes(31)):
        yield with_mac1(struct.pack("<II", INITIATION, 7) + ephemeral + bytes(108), public_key)


def flood(host, port, public_key, path):
    messages = captured(path)
    if not messages[INITIATION] or not messages[RESPONSE] or not messages[DATA]:
        sys.exit("hostile: the capture lacks an initiation, a response or data")
    send = sender(host, port)
    num_sent = 0
    for message in catalogue(base64.b64decode(public_key), messages):
        send(message)
        num_sent += 1
    print(num_sent)


def refused(kind, public_key, messages, rng):
    """A message that a device with sessions refuses for one reason only."""
    def garbage(message_type, length):
        return struct.pack("<I", message_type) + rng.randbytes(length - 4)

    def data():
        if not messages[DATA]:
            sys.exit("hostile: no data was captured")
        return messages[DATA][0]

    makers = {
        "bad-type": lambda: garbage(9, 64),
        "bad-length": lambda: garbage(INITIATION, 100),
        "bad-mac1": lambda: garbage(INITIATION, 148),
        "bad-initiation": lambda: with_mac1(garbage(INITIATION, 148), public_key),
        "bad-dh": lambda: with_mac1(struct.pack("<II", INITIATION, 7) + bytes(140), public_key),
        "old-timestamp": lambda: messages[INITIATION][0],
        "unknown-handshake": lambda: with_mac1(garbage(RESPONSE, 92), public_key),
        "bad-cookie": lambda: garbage(COOKIE, 64)[:4] + data()[4:8] + rng.randbytes(56),
        "unknown-session": lambda: garbage(DATA, 48),
        "bad-tag": lambda: flip(data(), 8 * len(data()) - 1),
        "replay": data,
    }
    if kind not in makers:
        sys.exit(f"hostile: no kind {kind!r}")
    return makers[kind]()


def inject(host, port, public_key, path, kind, num):
    messages = captured(path)
    rng = random.Random(int(num))
    send = sender(host, port)
    for _ in range(int(num)):
        send(refused(kind, base64.b64decode(public_key), messages, rng))


def raw(iface, hex_packet):
    packet = bytes.fromhex(hex_packet)
    protocol = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(protocol))
    sock.sendto(packet, (iface, protocol))


def main():
    commands = {"capture": capture, "forge": forge, "flood": flood, "inject": inject, "raw": raw}
    name, *args = sys.argv[1:] or [""]
    if name not in commands:
        sys.exit(f"hostile: no command {name!r}")
    if name in ("forge", "flood", "inject"):
        args[1] = int(args[1])
    commands[name](*args)


main()
