#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Traffic whose every byte is verified.

  serve PORT                  TCP: reads to the end, answers with the SHA-256 and the bytes.
                              UDP: echoes each datagram to its sender.
  tcp HOST PORT NUM_BYTES [MS [FILE]]    sends random bytes to serve, verifies digest and
                              echo; pauses MS milliseconds before each 64 KiB, and in the
                              middle until FILE is there.
  pieces HOST PORT NUM_BYTES SIZE    the same over two connections in turns, SIZE bytes at a
                              time, so that the kernel has each packet in as many pieces.
  udp HOST PORT COUNT SIZE    sends COUNT datagrams of SIZE bytes, verifies each echo.
  order-recv PORT FLOWS COUNT receives FLOWS numbered flows of COUNT datagrams, in order.
  order-send HOST PORT FLOWS COUNT SIZE    their sender.

Exit status 0 when everything arrived unchanged, 1 with a line on stderr otherwise.
"""
import errno
import hashlib
import os
import select
import socket
import struct
import sys
import threading
import time

TIMEOUT_S = 60
# Datagrams in flight: few enough that no queue on the way overflows, so each loss is a fault.
UDP_WINDOW = 16
# <asm-generic/socket.h>; the socket module does not name it.
SO_RCVBUFFORCE = 33


def fail(text):
    print(f"traffic: {text}", file=sys.stderr)
    sys.exit(1)


def listener(kind, port):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.bind(("::", port))
    return sock


def read_all(conn):
    chunks = []
    while chunk := conn.recv(1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


def answer(conn):
    try:
        with conn:
            data = read_all(conn)
            conn.sendall(hashlib.sha256(data).digest() + data)
    except OSError:
        pass  # The client is gone, and it is the one that judges.


def serve(port):
    tcp = listener(socket.SOCK_STREAM, port)
    udp = listener(socket.SOCK_DGRAM, port)
    tcp.listen(64)
    print("ready", flush=True)
    while True:
        for sock in select.select([tcp, udp], [], [])[0]:
            if sock is tcp:
                threading.Thread(target=answer, args=(tcp.accept()[0],), daemon=True).start()
                continue
            data, sender = udp.recvfrom(1 << 16)
            try:
                udp.sendto(data, sender)
            except OSError:
                pass


def connect(host, port):
    """A connection, also when the device is down for a moment."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return socket.create_connection((host, port), TIMEOUT_S)
        except OSError as error:
            is_brief = error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)
            if not is_brief or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def wait_for(file):
    deadline = time.monotonic() + TIMEOUT_S
    while not os.path.exists(file):
        if time.monotonic() > deadline:
            fail(f"there is no {file} after {TIMEOUT_S} s")
        time.sleep(0.05)


def tcp(host, port, num_bytes, pause_ms=0, file=None):
    data = os.urandom(num_bytes)
    with connect(host, port) as conn:
        for start in range(0, num_bytes, 1 << 16):
            time.sleep(pause_ms / 1000)
            if file and start >= num_bytes / 2:
                wait_for(file)
            conn.sendall(data[start:start + (1 << 16)])
        check_answer(conn, data)


def check_answer(conn, data):
    conn.shutdown(socket.SHUT_WR)
    reply = read_all(conn)
    if reply[:32] != hashlib.sha256(data).digest():
        fail(f"the far end received other bytes than the {len(data)} sent")
    if reply[32:] != data:
        fail(f"of {len(data)} bytes, {len(reply) - 32} came back, or came back changed")


def pieces(host, port, num_bytes, size):
    data = [os.urandom(num_bytes), os.urandom(num_bytes)]
    with connect(host, port) as first, connect(host, port) as second:
        conns = [first, second]
        for conn in conns:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        # What a process sends is put behind what it has sent before, by whichever connection.
        for start in range(0, num_bytes, size):
            for conn, text in zip(conns, data):
                conn.sendall(text[start:start + size])
        for conn, text in zip(conns, data):
            check_answer(conn, text)


def udp(host, port, count, size):
    info = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(info[0], socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.connect(info[4])
    sock.settimeout(TIMEOUT_S)
    waiting = {}
    sent = 0
    while sent < count or waiting:
        while sent < count and len(waiting) < UDP_WINDOW:
            head = struct.pack("!I", sent)[:size]
            waiting[head] = head + os.urandom(size - len(head))
            sock.send(waiting[head])
            sent += 1
        try:
            reply = sock.recv(1 << 16)
        except TimeoutError:
            fail(f"{len(waiting)} of {count} datagrams of {size} bytes did not come back")
        if waiting.pop(reply[:4], None) != reply:
            fail(f"a datagram of {size} bytes came back changed")


def order_recv(port, num_flows, count):
    sock = listener(socket.SOCK_DGRAM, port)
    sock.settimeout(TIMEOUT_S)
    print("ready", flush=True)
    expected = [0] * num_flows
    lost = 0
    finished = set()
    while len(finished) < num_flows:
        try:
            data = sock.recv(1 << 16)
        except TimeoutError:
            fail(f"waiting for flows, next numbers {expected}")
        flow, number = struct.unpack_from("!II", data)
        if number < expected[flow]:
            fail(f"flow {flow}: {number} arrived when {expected[flow]} was next")
        if number >= count:
            finished.add(flow)
            lost += max(0, count - expected[flow])
            expected[flow] = count
            continue
        lost += number - expected[flow]
        expected[flow] = number + 1
    total = num_flows * count
    print(f"received {total - lost} of {total} in order", flush=True)
    # Full queues may drop; a path that drops most of it would not test the order.
    if lost * 2 > total:
        fail(f"{lost} of {total} datagrams were lost")


def order_send(host, port, num_flows, count, size):
    info = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]

    def flow_main(flow):
        sock = socket.socket(info[0], socket.SOCK_DGRAM)
        sock.connect(info[4])
        pad = bytes(size - 8)
        for number in range(count):
            sock.send(struct.pack("!II", flow, number) + pad)
            # A burst is what spreads over the CPUs; the pause keeps queues from overflowing.
            if number % 32 == 31:
                time.sleep(0.01)
        # The end mark is numbered past the flow, and repeated because it may be dropped.
        for _ in range(10):
            time.sleep(0.05)
            sock.send(struct.pack("!II", flow, count) + pad)

    threads = [threading.Thread(target=flow_main, args=(flow,)) for flow in range(num_flows)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    commands = {
        "serve": serve,
        "tcp": tcp,
        "pieces": pieces,
        "udp": udp,
        "order-recv": order_recv,
        "order-send": order_send,
    }
    name, *args = sys.argv[1:] or [""]
    if name not in commands:
        fail(f"no command {name!r}")
    try:
        commands[name](*(int(arg) if arg.isdigit() else arg for arg in args))
    except OSError as error:
        fail(f"{name}: {error}")


main()
