#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Counts what a command sends to the netlink family of WireGuard, by a nlmon device.

count_peers.py FAMILY COMMAND...: prints "1 message, 2 peers" for its SET_DEVICE requests.
"""
import socket
import struct
import subprocess
import sys

import nl

ETH_P_ALL = 3
# Dumps come by, too: they would fill an ordinary buffer.
SO_RCVBUFFORCE = 33


def main():
    family = nl.Client(sys.argv[1]).family
    subprocess.run(["ip", "link", "add", "count0", "type", "nlmon"], check=True)
    try:
        subprocess.run(["ip", "link", "set", "count0", "up"], check=True)
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        tap.bind(("count0", ETH_P_ALL))
        tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
        subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
        tap.settimeout(0.5)
        messages = peers = 0
        while True:
            try:
                data = tap.recv(1 << 17)
            except socket.timeout:
                break
            if len(data) < 20:
                continue
            _, kind, flags, _, _, command = struct.unpack_from("=IHHIIB", data)
            if kind != family or not flags & nl.NLM_F_REQUEST or command != nl.SET:
                continue
            messages += 1
            for name, content in nl.attrs(data[20:]):
                if name == nl.PEERS:
                    peers += sum(1 for _ in nl.attrs(content))
        print(f"{messages} message{'' if messages == 1 else 's'}, "
              f"{peers} peer{'' if peers == 1 else 's'}")
    finally:
        subprocess.run(["ip", "link", "del", "count0"], check=True)


main()
