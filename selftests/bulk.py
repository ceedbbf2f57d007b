#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Numbers that no configuration file has: AllowedIPs, peers and handshakes by the thousand.

  bulk.py FAMILY allowedips IFNAME COUNT     one peer with COUNT AllowedIPs, written and read
                                             back; prints the number of messages of the dump
  bulk.py FAMILY peers IFNAME COUNT          COUNT peers, written, read back, all removed
  bulk.py FAMILY interrupted IFNAME COUNT    changes COUNT peers in the middle of dumps
  bulk.py FAMILY toggle IFNAME COUNT SECONDS dumps beside a process that changes the peers
  bulk.py FAMILY handshakes HUB-NS FAR-NS HUB-IFNAME FAR-IFNAME... COUNT
                                             COUNT peers of the hub, each of which makes its
                                             own handshake and carries data; see handshakes()
  bulk.py FAMILY remove-all IFNAME           all peers, in one request

Namespaces are paths. Exit status 0, or a line that says what differs.
"""
import collections
import ctypes
import errno
import itertools
import os
import socket
import struct
import sys
import time

from nl import (A_CIDR_MASK, A_FAMILY, A_IPADDR, FLAGS, GET, IFNAME, NLM_F_ACK, NLM_F_DUMP,
                NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, P_ALLOWEDIPS, P_ENDPOINT,
                P_FLAGS, P_LAST_HANDSHAKE, P_PUBLIC_KEY, P_REMOVE_ME, P_RX_BYTES, P_TX_BYTES, PEERS,
                PRIVATE_KEY, PUBLIC_KEY, SET, VERSION, Client, allowedip, attr, attrs, nest, string,
                u32)

REPLACE_PEERS = 1
# A nest has at most 65535 bytes, and so has all that one request says of peers.
IPS_PER_REQUEST = 1500
PEERS_PER_REQUEST = 400
CLONE_NEWNET = 0x40000000
# <linux/in.h>; this socket module does not name it.
IP_PKTINFO = 8


def fail(text):
    sys.exit(f"bulk: {text}")


def put(client, ifname, payload):
    error, _ = client.request(SET, string(IFNAME, ifname) + payload, 0)
    if error:
        fail(f"set: {os.strerror(error)}")


def remove_all(client, ifname):
    put(client, ifname, u32(FLAGS, REPLACE_PEERS))


def chunks(items, size):
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def u32_address(number):
    return struct.pack("!I", number)


def peers_of(message):
    """Attributes of each peer in one message of a dump."""
    peers = dict(attrs(message[4:])).get(PEERS, b"")
    return [list(attrs(peer)) for _, peer in attrs(peers)]


def whole_peers(messages):
    """The peers of a dump as dicts. One that was divided between two messages is put together:
    its second part has the key and the AllowedIPs that the first part has not."""
    peers = []
    for message in messages:
        for number, fields in enumerate(peers_of(message)):
            values = dict(fields)
            values.setdefault(P_ALLOWEDIPS, b"")
            if number == 0 and peers and peers[-1][P_PUBLIC_KEY] == values[P_PUBLIC_KEY]:
                peers[-1][P_ALLOWEDIPS] += values[P_ALLOWEDIPS]
            else:
                peers.append(values)
    return peers


# ---- one peer with many AllowedIPs --------------------------------------------------------


def entries(data):
    """The attributes of a nest, as they are: a hundred thousand of them in a moment."""
    out = []
    offset, end = 0, len(data)
    length_at = struct.Struct("=H").unpack_from
    while offset < end:
        length = length_at(data, offset)[0]
        out.append(data[offset : offset + length])
        offset += (length + 3) & ~3
    return out


def template(entry):
    """Splits an AllowedIP into what stands before and after its address."""
    fields = dict(attrs(entry[4:]))
    expected = {4: (socket.AF_INET, 32), 16: (socket.AF_INET6, 128)}.get(len(fields[A_IPADDR]))
    found = (struct.unpack("=H", fields[A_FAMILY])[0], fields[A_CIDR_MASK][0])
    if found != expected:
        fail(f"an AllowedIP of {len(fields[A_IPADDR])} bytes has family and mask {found}")
    head, tail = entry.split(fields[A_IPADDR])
    return head, tail


def check_exact(found, addresses):
    """FOUND, the raw entries of one family, are the ADDRESSES, each once."""
    head, tail = template(found[0])
    if len(found) != len(addresses):
        fail(f"{len(found)} AllowedIPs instead of {len(addresses)}")
    expected = {head + address + tail for address in addresses}
    different = expected.symmetric_difference(found)
    if different:
        fail(f"{len(different)} AllowedIPs differ, one of them: {different.pop().hex()}")


def many_allowedips(client, ifname, count):
    """Half of them IPv4, half IPv6; the split of the dump lies where it lies."""
    count = int(count)
    key = os.urandom(32)
    stride = 40503  # no power of two: addresses spread over the whole trie
    v4 = [u32_address((10 << 24) + i * stride % (1 << 24)) for i in range(count // 2)]
    v6 = [b"\xfd" + bytes(11) + u32_address(i * 2654435761 % (1 << 32))
          for i in range(count - count // 2)]
    sample4 = allowedip(socket.AF_INET, bytes(3) + b"\x55", 32)
    sample6 = allowedip(socket.AF_INET6, bytes(15) + b"\x55", 128)
    peer_key = attr(P_PUBLIC_KEY, key)
    for sample, addresses in ((sample4, v4), (sample6, v6)):
        size = 4 if sample is sample4 else 16
        head, tail = sample.split(bytes(size - 1) + b"\x55")
        for chunk in chunks(addresses, IPS_PER_REQUEST):
            ips = b"".join([head + address + tail for address in chunk])
            put(client, ifname, nest(PEERS, nest(0, peer_key, nest(P_ALLOWEDIPS, ips))))
    messages = client.dump(ifname)
    found = []
    num_parts = 0
    for message in messages:
        for number, fields in enumerate(peers_of(message)):
            values = dict(fields)
            if values.get(P_PUBLIC_KEY) != key or number:
                fail("a message with another peer, or with the peer twice")
            if num_parts and set(values) - {P_PUBLIC_KEY, P_ALLOWEDIPS}:
                fail(f"a continued peer has attributes {sorted(values)}")
            num_parts += 1
            found += entries(values.get(P_ALLOWEDIPS, b""))
    by_length = collections.defaultdict(list)
    for entry in found:
        by_length[len(entry)].append(entry)
    if sorted(by_length) != [len(sample4), len(sample6)]:
        fail(f"AllowedIPs of {sorted(by_length)} bytes")
    check_exact(by_length[len(sample4)], v4)
    check_exact(by_length[len(sample6)], v6)
    remove_all(client, ifname)
    print(len(messages))


# ---- many peers ---------------------------------------------------------------------------


def peer_entry(number, key, *more):
    """A peer whose endpoint and AllowedIP say its number."""
    address = u32_address((10 << 24) + number)
    endpoint = struct.pack("=H", socket.AF_INET) + struct.pack("!H", 1 + number % 65535) \
        + address + bytes(8)
    return nest(0, attr(P_PUBLIC_KEY, key), attr(P_ENDPOINT, endpoint),
                nest(P_ALLOWEDIPS, allowedip(socket.AF_INET, address, 32)), *more)


def add_peers(client, ifname, keys):
    for chunk in chunks(enumerate(keys), PEERS_PER_REQUEST):
        put(client, ifname, nest(PEERS, *(peer_entry(i, key) for i, key in chunk)))


def check_peers(messages, keys):
    """Exactly these peers, each once, whole and with its own number."""
    found = whole_peers(messages)
    if len(found) != len(keys):
        fail(f"{len(found)} peers instead of {len(keys)}")
    number_of = {key: number for number, key in enumerate(keys)}
    for values in found:
        number = number_of.pop(values[P_PUBLIC_KEY], None)
        if number is None:
            fail("a peer that was not added, or one twice")
        address = u32_address((10 << 24) + number)
        ips = [dict(attrs(ip)).get(A_IPADDR) for _, ip in attrs(values[P_ALLOWEDIPS])]
        if ips != [address] or values[P_ENDPOINT][4:8] != address:
            fail(f"peer {number} has AllowedIPs {ips} and endpoint {values[P_ENDPOINT]}")


def many_peers(client, ifname, count):
    keys = [os.urandom(32) for _ in range(int(count))]
    add_peers(client, ifname, keys)
    messages = client.dump(ifname)
    check_peers(messages, keys)
    remove_all(client, ifname)
    check_peers(client.dump(ifname), [])
    print(len(messages))


class Dump:
    """A dump read message by message, with time for changes in between."""

    def __init__(self, client, ifname):
        self.client = client
        client.seq += 1
        body = struct.pack("=BBH", GET, VERSION, 0) + string(IFNAME, ifname)
        client.sock.send(struct.pack("=IHHII", 16 + len(body), client.family,
                                     NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP, client.seq, 0) + body)
        self.messages = []
        self.is_interrupted = False
        self.is_done = False

    def read(self):
        """What one call of recv gives."""
        data = self.client.sock.recv(1 << 17)
        while data:
            length, kind, flags, seq, _ = struct.unpack_from("=IHHII", data)
            message, data = data[16:length], data[(length + 3) & ~3 :]
            if seq != self.client.seq:
                continue
            self.is_interrupted |= bool(flags & NLM_F_DUMP_INTR)
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                self.is_done = True
                error = struct.unpack_from("=i", message)[0]
                if error:
                    fail(f"dump: {os.strerror(-error)}")
            else:
                self.messages.append(message)

    def finish(self):
        while not self.is_done:
            self.read()


def interrupted(client, ifname, count):
    """Each kind of change in the middle of a dump is announced in the rest of the dump, and
    the next dump is whole again. The kernel has one or two messages ready ahead."""
    other = Client(sys.argv[1])
    keys = [os.urandom(32) for _ in range(int(count))]

    def remove(chosen):
        put(other, ifname, nest(PEERS, *(nest(0, attr(P_PUBLIC_KEY, key), u32(P_FLAGS, P_REMOVE_ME))
                                         for key in chosen)))

    def readd(chosen):
        put(other, ifname, nest(PEERS, *(peer_entry(keys.index(key), key) for key in chosen)))

    def steal():
        address = u32_address((10 << 24) + len(keys) - 1)
        put(other, ifname, nest(PEERS, nest(0, attr(P_PUBLIC_KEY, keys[0]), nest(
            P_ALLOWEDIPS, allowedip(socket.AF_INET, address, 32)))))

    def give_back():
        put(other, ifname, nest(PEERS, peer_entry(len(keys) - 1, keys[-1])))

    last = keys[-PEERS_PER_REQUEST:]
    changes = (
        ("the last peers are removed", lambda: remove(last), lambda: readd(last)),
        ("peers that were read are removed", lambda: remove(keys[:5]), lambda: readd(keys[:5])),
        ("all peers are removed but the last ones",
         lambda: [remove(chunk) for chunk in chunks(keys[:-5], PEERS_PER_REQUEST)],
         lambda: [readd(chunk) for chunk in chunks(keys[:-5], PEERS_PER_REQUEST)]),
        ("an AllowedIP changes its owner", steal, give_back),
        ("all peers are removed", lambda: remove_all(other, ifname),
         lambda: add_peers(other, ifname, keys)),
    )
    add_peers(client, ifname, keys)
    for name, change, undo in changes:
        dump = Dump(client, ifname)
        dump.read()
        if dump.is_done:
            fail(f"the dump of {len(keys)} peers has only one message")
        change()
        dump.finish()
        if not dump.is_interrupted:
            fail(f"{name}, and the dump does not say that it was interrupted")
        undo()
        check_peers(client.dump(ifname), keys)
    remove_all(client, ifname)
    print(len(changes))


def toggle(client, ifname, count, seconds):
    """A dump that was not interrupted shows the last peers all or not at all: one request put
    them there or took them away."""
    keys = [os.urandom(32) for _ in range(int(count))]
    base, group = keys[:-50], keys[-50:]
    add_peers(client, ifname, base)
    add = nest(PEERS, *(peer_entry(len(base) + i, key) for i, key in enumerate(group)))
    remove = nest(PEERS, *(nest(0, attr(P_PUBLIC_KEY, key), u32(P_FLAGS, P_REMOVE_ME))
                           for key in group))
    # The clock runs when all is set up: one of the two states is there to be seen.
    writer = os.fork()
    if writer == 0:
        own = Client(sys.argv[1])
        while True:
            put(own, ifname, add)
            time.sleep(0.05)
            put(own, ifname, remove)
            time.sleep(0.05)
    deadline = time.monotonic() + float(seconds)
    num = collections.Counter()
    try:
        while time.monotonic() < deadline or not num["whole"]:
            dump = Dump(client, ifname)
            dump.finish()
            if dump.is_interrupted:
                num["interrupted"] += 1
                continue
            num["whole"] += 1
            num_peers = len(whole_peers(dump.messages))
            check_peers(dump.messages, keys if num_peers == len(keys) else base)
    finally:
        os.kill(writer, 15)
        os.waitpid(writer, 0)
    remove_all(client, ifname)
    print(num["whole"], num["interrupted"])


# ---- many handshakes ----------------------------------------------------------------------


def enter(netns):
    fd = os.open(netns, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET):
        fail(f"setns {netns}: {os.strerror(ctypes.get_errno())}")
    os.close(fd)


def own_public_key(client, ifname):
    return dict(attrs(client.dump(ifname)[0][4:]))[PUBLIC_KEY]


def peer_address(number):
    return socket.inet_ntoa(u32_address((10 << 24) + (8 << 16) + number))


def send_back(echo):
    """Returns a datagram, from the address that it was sent to."""
    datagram, ancillary, _, sender = echo.recvmsg(2048, 64)
    address = next(data[8:12] for _, kind, data in ancillary if kind == IP_PKTINFO)
    echo.sendmsg([datagram], [(socket.IPPROTO_IP, IP_PKTINFO, bytes(4) + address + bytes(4))], 0,
                 sender)


def handshakes(_, hub_ns, far_ns, hub_ifname, *rest):
    """Each of the far devices, at port 6001, 6002, ... of 192.0.2.2, is one peer of the hub
    after another: it takes the peer's key, the hub sends a datagram to the peer's own address,
    which makes the handshake, and the far end returns it. The hub starts, because its wait of
    5 s between initiations is for each peer, and the far end has one peer only."""
    *far_ifnames, count = rest
    count = int(count)
    enter(far_ns)
    far = Client(sys.argv[1])
    echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    echo.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    echo.bind(("0.0.0.0", 7))
    enter(hub_ns)
    hub = Client(sys.argv[1])
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(60)
    echo.settimeout(60)
    num_far = len(far_ifnames)
    publics = []
    # One far device takes an initiation each 20 ms at most, and their time stamps have steps
    # of 17 ms, so a device is not called again at once.
    not_before = [0.0] * num_far
    for first in range(0, count, num_far):
        batch = range(first, min(first + num_far, count))
        peers = []
        for i in batch:
            # The kernel makes the public key.
            put(far, far_ifnames[i % num_far], attr(PRIVATE_KEY, os.urandom(32)))
            publics.append(own_public_key(far, far_ifnames[i % num_far]))
            endpoint = struct.pack("=H", socket.AF_INET) + struct.pack("!H", 6001 + i % num_far) \
                + socket.inet_aton("192.0.2.2") + bytes(8)
            address = socket.inet_aton(peer_address(i))
            peers.append(nest(0, attr(P_PUBLIC_KEY, publics[i]), attr(P_ENDPOINT, endpoint),
                              nest(P_ALLOWEDIPS, allowedip(socket.AF_INET, address, 32))))
        put(hub, hub_ifname, nest(PEERS, *peers))
        waiting = {}
        for i in batch:
            time.sleep(max(0.0, not_before[i % num_far] - time.monotonic()))
            not_before[i % num_far] = time.monotonic() + 0.04
            waiting[i] = struct.pack("!I", i) + os.urandom(60)
            sock.sendto(waiting[i], (peer_address(i), 7))
        for _ in batch:
            send_back(echo)
        for _ in batch:
            datagram, (address, _) = sock.recvfrom(2048)
            number = struct.unpack_from("!I", datagram)[0]
            if waiting.pop(number, None) != datagram or address != peer_address(number):
                fail(f"from {address} came what peer {number} should have sent, or not even that")
    check_handshakes(hub.dump(hub_ifname), publics)
    print(count)


def check_handshakes(messages, publics):
    found = {values[P_PUBLIC_KEY]: values for values in whole_peers(messages)}
    if set(found) != set(publics):
        fail(f"{len(found)} peers in the dump instead of {len(publics)}")
    for number, key in enumerate(publics):
        values = found[key]
        seconds = struct.unpack_from("=q", values[P_LAST_HANDSHAKE])[0]
        rx_bytes, tx_bytes = (struct.unpack("=Q", values[kind])[0]
                              for kind in (P_RX_BYTES, P_TX_BYTES))
        # A response and a datagram of 92 bytes inside; an initiation and the same.
        if not seconds or rx_bytes < 92 + 128 or tx_bytes < 148 + 128:
            fail(f"peer {number}: handshake {seconds}, {rx_bytes} received, {tx_bytes} sent")


def main():
    commands = {
        "allowedips": many_allowedips,
        "peers": many_peers,
        "interrupted": interrupted,
        "toggle": toggle,
        "handshakes": handshakes,
        "remove-all": remove_all,
    }
    family, command, *args = sys.argv[1:]
    if command not in commands:
        fail(f"no command {command!r}")
    try:
        commands[command](Client(family), *args)
    except OSError as error:
        fail(f"{command}: {errno.errorcode.get(error.errno, error)}: {error}")


main()
