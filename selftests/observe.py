#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What an observer on the link sees of tunnels.

  observe.py IFACE      one line per handshake message, and per data message that is the first
                        or the last one under its receiver index, or a keepalive

A line is "EVENT SECONDS SOURCE-PORT INDEX". EVENT is initiation, response, cookie, first,
keepalive, or last, which is printed for each index when SIGTERM comes. SECONDS are those of
the kernel's time stamp. INDEX is that of the sender for handshake messages, of the receiver
for data. Layouts: WireGuard paper, section 5.4.
"""
import signal
import socket
import struct
import sys

ETH_P_ALL = 3
# <asm-generic/socket.h>; the socket module does not name them.
SO_TIMESTAMPNS = 35
HANDSHAKE = {1: "initiation", 2: "response", 3: "cookie"}
DATA = 4
KEEPALIVE_LEN = 32


def udp_of(packet):
    if packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_UDP:
        return packet[(packet[0] & 15) * 4 :]
    if packet[0] >> 4 == 6 and packet[6] == socket.IPPROTO_UDP:
        return packet[40:]
    return None


def main():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.bind((sys.argv[1], ETH_P_ALL))
    last = {}

    def finish(*_):
        for (port, index), seconds in last.items():
            print("last", f"{seconds:.3f}", port, f"{index:08x}", flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, finish)
    print("ready", flush=True)
    while True:
        # Headers are all that matters; the length comes from the UDP header.
        packet, ancillary, _, _ = sock.recvmsg(128, 64)
        udp = udp_of(packet)
        if not udp or len(udp) < 16:
            continue
        port, _, udp_len = struct.unpack_from("!HHH", udp)
        kind, index = struct.unpack_from("<II", udp, 8)
        seconds = 0.0
        for _, _, data in ancillary:
            whole, nanoseconds = struct.unpack_from("=qq", data)
            seconds = whole + nanoseconds / 1e9
        if kind in HANDSHAKE:
            event = HANDSHAKE[kind]
        elif kind != DATA:
            continue
        elif (port, index) not in last:
            event = "first"
        elif udp_len - 8 == KEEPALIVE_LEN:
            event = "keepalive"
        else:
            event = None
        if kind == DATA:
            last[port, index] = seconds
        if event:
            print(event, f"{seconds:.3f}", port, f"{index:08x}", flush=True)


main()
