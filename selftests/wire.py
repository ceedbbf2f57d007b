#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What can be seen of a tunnel on the link below it, and packets made to be seen.

  capture IFACE          a line per message: TYPE SOURCE-PORT LENGTH DS-FIELD TTL DF CHECKSUM,
                         LENGTH without the UDP header, the others as they are in the header
  hashes IFACE PORT      a line "LENGTH HASH" per message from PORT: 8 bits of the flow hash that
                         the packet has in the kernel when it leaves
  send HOST PORT SIZES [DS-FIELDS]    one UDP datagram per size and DS field (hex), in order;
                         both are lists with commas
  flows HOST PORT NUM ROUNDS    ROUNDS datagrams in each of NUM flows, of 512 bytes in the first
                         flow and 16 more in each further one
  number HOST PORT COUNT     COUNT datagrams that have their number in them, at once
  receive PORT           a line "LENGTH DS-FIELD NUMBER" per datagram
  inject IFACE PROTOCOL HEX    one packet with this EtherType (hex); prints the error's name
  relay PORT TARGET-PORT COPIES DS-FIELD    forwards datagrams between whoever speaks to PORT
                         and TARGET-PORT of this host: to the target once and with DS-FIELD,
                         from it COPIES times in a burst
"""
import ctypes
import errno
import select
import socket
import struct
import sys

ETH_P_ALL = 3
PACKET_OUTGOING = 4
UDP_PROTOCOL = 17
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
IP_RECVTOS, IPV6_RECVTCLASS, IPV6_TCLASS = 13, 66, 67
# Bytes that any capture keeps, headers included: enough for both outer headers.
SNAP_MIN = 64
# <linux/filter.h>: load the hash, keep 8 bits, add SNAP_MIN, return it as the length to keep.
SKF_AD_RXHASH = 0xFFFFF000 + 32
HASH_AS_LENGTH = ((0x20, 0, 0, SKF_AD_RXHASH), (0x54, 0, 0, 0xFF), (0x04, 0, 0, SNAP_MIN),
                  (0x16, 0, 0, 0))


def messages(sock):
    """Yields (source port, length, DS field, TTL, DF, checksum, type, bytes kept, outgoing)."""
    while True:
        packet, address = sock.recvfrom(1 << 16)
        kept = len(packet)
        if packet[0] >> 4 == 4:
            header_len, protocol = (packet[0] & 15) * 4, packet[9]
            ds_field, ttl, is_df = packet[1], packet[8], packet[6] >> 6 & 1
            # Of a datagram in fragments the first one alone has the headers.
            if struct.unpack_from("!H", packet, 6)[0] & 0x1FFF:
                continue
        else:
            header_len, protocol = 40, packet[6]
            ds_field, ttl, is_df = struct.unpack_from("!H", packet)[0] >> 4 & 0xFF, packet[7], 0
        if protocol != UDP_PROTOCOL:
            continue
        source, _, length, checksum = struct.unpack_from("!HHHH", packet, header_len)
        yield (source, length - 8, ds_field, ttl, is_df, checksum, packet[header_len + 8], kept,
               address[2] == PACKET_OUTGOING)


def packet_socket(iface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    return sock, (iface, ETH_P_ALL)


def capture(iface):
    sock, address = packet_socket(iface)
    sock.bind(address)
    print("ready", flush=True)
    for source, length, ds_field, ttl, is_df, checksum, kind, _, _ in messages(sock):
        print(kind, source, length, f"{ds_field:02x}", ttl, is_df, checksum, flush=True)


def hashes(iface, port):
    sock, address = packet_socket(iface)
    code = b"".join(struct.pack("=HBBI", *line) for line in HASH_AS_LENGTH)
    buffer = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a length, padding, and a pointer.
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                    struct.pack("@HP", len(HASH_AS_LENGTH), ctypes.addressof(buffer)))
    sock.bind(address)
    print("ready", flush=True)
    for source, length, _, _, _, _, _, kept, is_outgoing in messages(sock):
        if source == port and is_outgoing:
            print(length, kept - SNAP_MIN, flush=True)


def udp_socket(host, port, ds_field=0):
    info = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(info[0], socket.SOCK_DGRAM)
    if info[0] == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_TCLASS, ds_field)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, ds_field)
    sock.connect(info[4])
    return sock


def send(host, port, sizes, ds_fields="0"):
    for ds_field in ds_fields.split(","):
        sock = udp_socket(host, port, int(ds_field, 16))
        for size in sizes.split(","):
            sock.send(bytes(int(size)))


def flows(host, port, num, rounds):
    socks = [udp_socket(host, port) for _ in range(int(num))]
    for _ in range(int(rounds)):
        for i, sock in enumerate(socks):
            sock.send(bytes(512 + 16 * i))


def number(host, port, count):
    sock = udp_socket(host, port)
    for i in range(int(count)):
        sock.send(struct.pack("!I", i))


def receive(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
    sock.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.bind(("::", int(port)))
    print("ready", flush=True)
    while True:
        data, ancillary, _, _ = sock.recvmsg(1 << 16, 256)
        ds_field = [value[0] for _, kind, value in ancillary if kind in (1, IPV6_TCLASS)]
        index = struct.unpack_from("!I", data)[0] if len(data) >= 4 else -1
        print(len(data), *(f"{value:02x}" for value in ds_field[:1]), index, flush=True)


def inject(iface, protocol, hex_packet):
    protocol = int(protocol, 16)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    try:
        sock.sendto(bytes.fromhex(hex_packet), (iface, protocol))
        print("no error")
    except OSError as error:
        print(errno.errorcode[error.errno])


def relay(port, target_port, copies, ds_field):
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.bind(("", int(port)))
    inside = udp_socket("127.0.0.1", int(target_port), int(ds_field, 16))
    caller = None
    print("ready", flush=True)
    while True:
        for sock in select.select([outside, inside], [], [])[0]:
            try:
                data, address = sock.recvfrom(1 << 16)
            except ConnectionRefusedError:
                continue  # Nobody has opened the port yet.
            if sock is outside:
                caller = address
                inside.send(data)
            elif caller:
                for _ in range(int(copies)):
                    outside.sendto(data, caller)


def main():
    commands = {"capture": capture, "hashes": lambda iface, port: hashes(iface, int(port)),
                "send": send, "flows": flows, "number": number, "receive": receive, "inject": inject,
                "relay": relay}
    name, *args = sys.argv[1:] or [""]
    if name not in commands:
        sys.exit(f"wire: no command {name!r}")
    commands[name](*args)


main()
