#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A generic netlink client for what a well-behaved tool never sends.

  nl.py FAMILY dump IFNAME         how the dump was divided: one line per message
  nl.py FAMILY malformed IFNAME PUBLIC-KEY ATOMIC
                                   one line "ok NAME" or "not ok NAME: why" per request
  nl.py FAMILY contract IFNAME     the same for what well-formed requests do; replaces all peers

PUBLIC-KEY, in base64, names a peer that IFNAME has. A refused request must leave the dump of
the device byte-identical. ATOMIC is 1 when that is also asked of requests which are refused
for their last attribute, after the kernel could have applied earlier ones.
Numbers are those of module/uapi/wgnl.h and of <linux/netlink.h>, <linux/genetlink.h>.
"""
import base64
import errno
import os
import socket
import struct
import sys

NETLINK_GENERIC = 16
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_DUMP_INTR = 0x10
NLA_F_NESTED = 0x8000
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
VERSION = 1

GET, SET = 0, 1
# Device attributes
IFINDEX, IFNAME, PRIVATE_KEY, PUBLIC_KEY, FLAGS, LISTEN_PORT, FWMARK, PEERS = range(1, 9)
# Peer attributes
(P_PUBLIC_KEY, P_PRESHARED_KEY, P_FLAGS, P_ENDPOINT, P_KEEPALIVE, P_LAST_HANDSHAKE, P_RX_BYTES,
 P_TX_BYTES, P_ALLOWEDIPS, P_PROTOCOL_VERSION) = range(1, 11)
P_REMOVE_ME, P_REPLACE_ALLOWEDIPS, P_UPDATE_ONLY = 1, 2, 4
# AllowedIP attributes
A_FAMILY, A_IPADDR, A_CIDR_MASK, A_FLAGS = range(1, 5)


def attr(kind, payload):
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + bytes(-length % 4)


def nest(kind, *children):
    return attr(kind | NLA_F_NESTED, b"".join(children))


def u8(kind, value):
    return attr(kind, struct.pack("=B", value))


def u16(kind, value):
    return attr(kind, struct.pack("=H", value))


def u32(kind, value):
    return attr(kind, struct.pack("=I", value))


def string(kind, value):
    return attr(kind, value.encode() + b"\0")


def attrs(data):
    """Yields (type, payload) of a run of attributes."""
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        yield kind & 0x3FFF, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


class Client:
    """One socket, speaking to one family."""

    def __init__(self, family):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.settimeout(30)
        self.seq = 0
        self.family = GENL_ID_CTRL
        error, replies = self.request(CTRL_CMD_GETFAMILY, string(CTRL_ATTR_FAMILY_NAME, family), 0)
        if error:
            sys.exit(f"nl: family {family}: {os.strerror(error)}")
        reply = dict(attrs(replies[0][4:]))
        self.family = struct.unpack("=H", reply[CTRL_ATTR_FAMILY_ID])[0]

    def request(self, command, payload, flags, version=VERSION):
        """Returns the errno and the payloads of the answers."""
        self.seq += 1
        body = struct.pack("=BBH", command, version, 0) + payload
        head = struct.pack("=IHHII", 16 + len(body), self.family,
                           NLM_F_REQUEST | NLM_F_ACK | flags, self.seq, 0)
        self.sock.send(head + body)
        replies = []
        while True:
            data = self.sock.recv(1 << 17)
            while data:
                length, kind, reply_flags, seq, _ = struct.unpack_from("=IHHII", data)
                message, data = data[16:length], data[(length + 3) & ~3 :]
                if seq != self.seq:
                    continue
                if reply_flags & NLM_F_DUMP_INTR:
                    return errno.EINTR, replies
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return -struct.unpack_from("=i", message)[0], replies
                replies.append(message)

    def dump(self, ifname):
        error, replies = self.request(GET, string(IFNAME, ifname), NLM_F_DUMP)
        if error:
            sys.exit(f"nl: dump of {ifname}: {os.strerror(error)}")
        return replies


def describe_dump(client, ifname):
    """One line per message: the number of peers, and each one's key and number of AllowedIPs.
    Fails when a continued peer repeats what its first part had, or when a later message says
    something else of the device than the first one (it need not say anything)."""
    first = None
    last_key = None
    for message in client.dump(ifname):
        device = list(attrs(message[4:]))
        fixed = [pair for pair in device if pair[0] != PEERS]
        if first and fixed and fixed != first:
            sys.exit(f"nl: a later message differs in its device attributes: {fixed}")
        peers = next((value for kind, value in device if kind == PEERS), b"")
        words = []
        for number, (_, peer) in enumerate(attrs(peers)):
            fields = list(attrs(peer))
            names = [kind for kind, _ in fields]
            values = dict(fields)
            key = values.get(P_PUBLIC_KEY)
            if key is None:
                sys.exit("nl: a peer without public key")
            if key == last_key:
                if number:
                    sys.exit("nl: one peer twice in a message")
                if set(names) - {P_PUBLIC_KEY, P_ALLOWEDIPS}:
                    sys.exit(f"nl: a continued peer has attributes {names}")
            last_key = key
            num_ips = len(list(attrs(values.get(P_ALLOWEDIPS, b""))))
            words.append(f"{base64.b64encode(key).decode()}:{num_ips}")
        print("more" if first else "first", len(words), *words)
        first = first or fixed


def allowedip(family=socket.AF_INET, address=bytes([10, 66, 0, 0]), mask=24, *more):
    return nest(0, u16(A_FAMILY, family), attr(A_IPADDR, address), u8(A_CIDR_MASK, mask), *more)


def malformed_requests(ifname, key):
    """Yields (name, command, dump flag, version, payload, accepted errors, atomic case)."""
    name = string(IFNAME, ifname)
    index = u32(IFINDEX, socket.if_nametoindex(ifname))
    lo = string(IFNAME, "lo")
    new_key = bytes(range(1, 33))
    psk = attr(P_PRESHARED_KEY, bytes([7]) * 32)
    v4 = struct.pack("=H", socket.AF_INET) + struct.pack("!H", 9) + bytes([192, 0, 2, 9]) + bytes(8)
    bad_len = {errno.EINVAL, errno.ERANGE}
    unknown_flag = {errno.EOPNOTSUPP, errno.EINVAL}

    def peer(*fields, public=key):
        return name + nest(PEERS, nest(0, attr(P_PUBLIC_KEY, public), *fields))

    def ips(*entries, public=key):
        return peer(nest(P_ALLOWEDIPS, *entries), public=public)

    def get(label, payload, errors, dump=True):
        return label, GET, NLM_F_DUMP if dump else 0, VERSION, payload, errors, False

    def put(label, payload, errors, atomic=False):
        return label, SET, 0, VERSION, payload, errors, atomic

    yield get("get without a device", b"", {errno.EBADR})
    yield get("get by name and by index", name + index, {errno.EBADR})
    yield get("get of an unknown name", string(IFNAME, "nothing0"), {errno.ENODEV})
    yield get("get of an unknown index", u32(IFINDEX, 0x7FFFFFF0), {errno.ENODEV})
    yield get("get of another kind of device", lo, {errno.EOPNOTSUPP})
    yield get("get that is no dump", name, {errno.EOPNOTSUPP}, dump=False)
    yield get("get with a name that is too long", string(IFNAME, "a" * 40), bad_len)
    yield put("set without a device", u16(LISTEN_PORT, 99), {errno.EBADR})
    yield put("set by name and by index", name + index + u16(LISTEN_PORT, 99), {errno.EBADR})
    yield put("set of an unknown name", string(IFNAME, "nothing0"), {errno.ENODEV})
    yield put("set of an unknown index", u32(IFINDEX, 0x7FFFFFF0), {errno.ENODEV})
    yield put("set of another kind of device", lo, {errno.EOPNOTSUPP})
    yield put("index of two bytes", u16(IFINDEX, 1), bad_len)
    yield put("unknown device flag", name + u32(FLAGS, 0x80000000), unknown_flag)
    yield put("private key of 31 bytes", name + attr(PRIVATE_KEY, bytes(31)), bad_len)
    yield put("private key of 33 bytes", name + attr(PRIVATE_KEY, bytes(33)), bad_len)
    yield put("listen port of one byte", name + u8(LISTEN_PORT, 1), bad_len)
    yield put("fwmark of two bytes", name + u16(FWMARK, 1), bad_len)
    yield put("device flags of two bytes", name + u16(FLAGS, 1), bad_len)
    yield put("peer without public key", name + nest(PEERS, nest(0, psk)), {errno.EINVAL})
    yield put("peer key of 31 bytes", peer(public=key[:31]), bad_len)
    yield put("peer key of 33 bytes", peer(public=key + b"\0"), bad_len)
    yield put("unknown peer flag", peer(u32(P_FLAGS, 0x100)), unknown_flag)
    yield put("unknown peer flag with removal", peer(u32(P_FLAGS, 0x101)), unknown_flag)
    yield put("peer flags of one byte", peer(u8(P_FLAGS, 1)), bad_len)
    yield put("preshared key of 31 bytes", peer(attr(P_PRESHARED_KEY, bytes(31))), bad_len)
    yield put("endpoint of 3 bytes", peer(attr(P_ENDPOINT, v4[:3])), bad_len)
    yield put("keepalive of one byte", peer(u8(P_KEEPALIVE, 1)), bad_len)
    yield put("protocol version 2", peer(u32(P_PROTOCOL_VERSION, 2)), {errno.EPFNOSUPPORT})
    yield put("protocol version 2 after a preshared key",
              peer(psk, u32(P_PROTOCOL_VERSION, 2)), {errno.EPFNOSUPPORT})
    yield put("AllowedIP without family", ips(nest(0, attr(A_IPADDR, bytes(4)), u8(A_CIDR_MASK, 8))),
              {errno.EINVAL})
    yield put("AllowedIP without address", ips(nest(0, u16(A_FAMILY, 2), u8(A_CIDR_MASK, 8))),
              {errno.EINVAL})
    yield put("AllowedIP without mask", ips(nest(0, u16(A_FAMILY, 2), attr(A_IPADDR, bytes(4)))),
              {errno.EINVAL})
    yield put("AllowedIP of an unknown family", ips(allowedip(family=99)), {errno.EINVAL})
    yield put("IPv4 mask of 33", ips(allowedip(mask=33)), {errno.EINVAL})
    yield put("IPv6 mask of 129", ips(allowedip(socket.AF_INET6, bytes(16), 129)), {errno.EINVAL})
    yield put("IPv4 family with an IPv6 address", ips(allowedip(address=bytes(16))), {errno.EINVAL})
    yield put("IPv6 family with an IPv4 address", ips(allowedip(socket.AF_INET6)), {errno.EINVAL})
    yield put("address of 3 bytes", ips(allowedip(address=bytes(3))), bad_len)
    yield put("AllowedIP family of one byte",
              ips(nest(0, u8(A_FAMILY, 2), attr(A_IPADDR, bytes(4)), u8(A_CIDR_MASK, 8))), bad_len)
    # Cut inside of a nest: the inner length says more than there is.
    cut = struct.pack("=HH", 200, P_PUBLIC_KEY) + key[:8]
    yield put("peer attribute longer than its nest", name + nest(PEERS, nest(0, cut)),
              {errno.EINVAL})
    # Too short for an attribute, which may be overlooked like any trailing bytes.
    yield put("peers that are no nest of attributes", name + nest(PEERS, b"\xff" * 6),
              {0, errno.EINVAL, errno.ERANGE})
    # Refused for their last part: nothing of the peer may stay.
    yield put("good AllowedIP before a bad one", ips(allowedip(), allowedip(mask=33)),
              {errno.EINVAL}, True)
    yield put("preshared key, endpoint and keepalive before a bad AllowedIP",
              peer(psk, attr(P_ENDPOINT, v4), u16(P_KEEPALIVE, 77),
                   nest(P_ALLOWEDIPS, allowedip(mask=33))), {errno.EINVAL}, True)
    yield put("replacement of AllowedIPs by a bad one",
              peer(u32(P_FLAGS, P_REPLACE_ALLOWEDIPS), nest(P_ALLOWEDIPS, allowedip(mask=33))),
              {errno.EINVAL}, True)
    yield put("new peer with a bad AllowedIP", ips(allowedip(mask=33), public=new_key),
              {errno.EINVAL}, True)


def accepted_requests(ifname, key):
    """Yields (name, payload): requests that change nothing and are no errors."""
    name = string(IFNAME, ifname)
    other = bytes(range(1, 33))
    yield "removal of an unknown peer", name + nest(
        PEERS, nest(0, attr(P_PUBLIC_KEY, other), u32(P_FLAGS, P_REMOVE_ME)))
    yield "update of an unknown peer", name + nest(
        PEERS, nest(0, attr(P_PUBLIC_KEY, other), u32(P_FLAGS, P_UPDATE_ONLY),
                    u16(P_KEEPALIVE, 5)))
    yield "endpoint of an unknown family", name + nest(
        PEERS, nest(0, attr(P_PUBLIC_KEY, key), attr(P_ENDPOINT, struct.pack("=H", 77) + bytes(26))))


class Contract:
    """Requests to one device, and what is to be seen of it afterwards."""

    def __init__(self, client, ifname):
        self.client, self.ifname = client, ifname

    def set(self, *attributes):
        return self.client.request(SET, string(IFNAME, self.ifname) + b"".join(attributes), 0)[0]

    def peers(self):
        """{public key: attributes}, with AllowedIPs as a set of (address, mask)."""
        found = {}
        for message in self.client.dump(self.ifname):
            device = dict(attrs(message[4:]))
            for _, peer in attrs(device.get(PEERS, b"")):
                fields = dict(attrs(peer))
                ips = found.setdefault(fields[P_PUBLIC_KEY], fields).setdefault("ips", set())
                for _, entry in attrs(fields.get(P_ALLOWEDIPS, b"")):
                    ip = dict(attrs(entry))
                    ips.add((ip[A_IPADDR], ip[A_CIDR_MASK][0]))
        return found

    def device(self):
        return dict(attrs(self.client.dump(self.ifname)[0][4:]))


def ip4(text, mask, *more):
    return allowedip(socket.AF_INET, socket.inet_aton(text), mask, *more)


def ip6(text, mask, *more):
    return allowedip(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text), mask, *more)


def contract_cases(dut):
    """Yields (name, what is, what should be). Each case goes on from the one before."""
    one, two, three = bytes([1] * 32), bytes([2] * 32), bytes([3] * 32)
    gone = u32(A_FLAGS, 1)
    net = lambda text, mask: (socket.inet_aton(text), mask)
    net6 = lambda text, mask: (socket.inet_pton(socket.AF_INET6, text), mask)

    def peer(key, *fields):
        return nest(0, attr(P_PUBLIC_KEY, key), *fields)

    def change(key, *entries):
        return dut.set(nest(PEERS, peer(key, nest(P_ALLOWEDIPS, *entries))))

    def ips(key):
        return dut.peers()[key]["ips"]

    error = dut.set(u32(FLAGS, 1), nest(
        PEERS, peer(one, nest(P_ALLOWEDIPS, ip4("10.1.0.0", 16), ip4("10.1.2.0", 24),
                              ip6("fd00:1::", 32))),
        peer(two, nest(P_ALLOWEDIPS, ip4("10.2.0.0", 16)))))
    yield "replaced peers", (error, set(dut.peers())), (0, {one, two})
    before = ips(one)
    yield "an AllowedIP of another peer is not removed", (
        change(one, ip4("10.2.0.0", 16, gone)), ips(two)), (0, {net("10.2.0.0", 16)})
    yield "a prefix that is not there is not removed", (
        change(one, ip4("10.1.0.0", 17, gone), ip4("10.1.0.0", 15, gone),
               ip6("fd00:1::", 33, gone)), ips(one)), (0, before)
    yield "an AllowedIP is removed by its own prefix, host bits aside", (
        change(one, ip4("10.1.2.77", 24, gone), ip6("fd00:1::5", 32, gone)), ips(one)), (
        0, {net("10.1.0.0", 16)})
    yield "added and removed in one request", (
        change(one, ip4("10.3.0.0", 16), ip4("10.4.0.0", 16), ip4("10.3.0.0", 16, gone)),
        ips(one)), (0, {net("10.1.0.0", 16), net("10.4.0.0", 16)})
    yield "of a prefix given to two peers the last one owns it", (
        dut.set(nest(PEERS, peer(one, nest(P_ALLOWEDIPS, ip4("10.5.0.0", 16))),
                     peer(two, nest(P_ALLOWEDIPS, ip4("10.5.0.0", 16))))),
        net("10.5.0.0", 16) in ips(one), net("10.5.0.0", 16) in ips(two)), (0, False, True)
    yield "replaced AllowedIPs", (
        dut.set(nest(PEERS, peer(one, u32(P_FLAGS, P_REPLACE_ALLOWEDIPS),
                                 nest(P_ALLOWEDIPS, ip6("::", 0))))), ips(one)), (
        0, {net6("::", 0)})
    yield "replaced AllowedIPs by none", (
        dut.set(nest(PEERS, peer(one, u32(P_FLAGS, P_REPLACE_ALLOWEDIPS)))), ips(one)), (0, set())
    yield "update of a peer that is there", (
        dut.set(nest(PEERS, peer(one, u32(P_FLAGS, P_UPDATE_ONLY), u16(P_KEEPALIVE, 9)))),
        dut.peers()[one][P_KEEPALIVE]), (0, struct.pack("=H", 9))
    yield "update of a peer that is not there", (
        dut.set(nest(PEERS, peer(three, u32(P_FLAGS, P_UPDATE_ONLY)))), three in dut.peers()), (
        0, False)
    endpoint = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", 9, 0) + bytes(15) + b"\1"
    endpoint += struct.pack("=I", 0)
    yield "an IPv6 endpoint", (
        dut.set(nest(PEERS, peer(one, attr(P_ENDPOINT, endpoint)))), dut.peers()[one][P_ENDPOINT]), (
        0, endpoint)
    yield "an IPv4 family with the length of IPv6 is no endpoint", (
        dut.set(nest(PEERS, peer(one, attr(P_ENDPOINT, struct.pack("=H", 2) + endpoint[2:])))),
        dut.peers()[one][P_ENDPOINT]), (0, endpoint)
    yield "a preshared key is set, and removed by zeros", (
        dut.set(nest(PEERS, peer(one, attr(P_PRESHARED_KEY, three)))),
        dut.peers()[one][P_PRESHARED_KEY],
        dut.set(nest(PEERS, peer(one, attr(P_PRESHARED_KEY, bytes(32))))),
        dut.peers()[one][P_PRESHARED_KEY]), (0, three, 0, bytes(32))
    # Not a transaction: what comes before the refused peer stays.
    refused = peer(three, u32(P_PROTOCOL_VERSION, 2))
    yield "what comes before a refused peer is applied", (
        dut.set(u32(FWMARK, 77), u16(LISTEN_PORT, 7777), nest(
            PEERS, peer(two, u16(P_KEEPALIVE, 21)), refused, peer(one, u16(P_KEEPALIVE, 22)))),
        dut.device()[FWMARK], dut.device()[LISTEN_PORT], dut.peers()[two][P_KEEPALIVE],
        dut.peers()[one][P_KEEPALIVE], three in dut.peers()), (
        errno.EPFNOSUPPORT, struct.pack("=I", 77), struct.pack("=H", 7777),
        struct.pack("=H", 21), struct.pack("=H", 9), False)
    yield "one peer removed, one replaced", (
        dut.set(nest(PEERS, peer(one, u32(P_FLAGS, P_REMOVE_ME)))), set(dut.peers()),
        dut.set(u32(FLAGS, 1), nest(PEERS, peer(three))), set(dut.peers())), (
        0, {two}, 0, {three})
    yield "all peers replaced by none", (dut.set(u32(FLAGS, 1)), dut.peers()), (0, {})


def contract(client, ifname):
    for label, actual, expected in contract_cases(Contract(client, ifname)):
        print(f"ok {label}" if actual == expected else f"not ok {label}: {actual}")


def error_name(error):
    return errno.errorcode[error] if error else "no error"


def malformed(client, ifname, key, atomic):
    key = base64.b64decode(key)
    before = client.dump(ifname)
    for label, command, flags, version, payload, errors, needs_atomic in malformed_requests(
            ifname, key):
        if needs_atomic and not atomic:
            print(f"skip {label}")
            continue
        error, _ = client.request(command, payload, flags, version)
        after = client.dump(ifname)
        if error not in errors:
            expected = " or ".join(sorted(error_name(e) for e in errors))
            print(f"not ok {label}: {error_name(error)}, expected {expected}")
        elif after != before:
            print(f"not ok {label}: {error_name(error)}, but the device changed")
        else:
            print(f"ok {label}: {error_name(error)}")
        before = after
    for label, payload in accepted_requests(ifname, key):
        error, _ = client.request(SET, payload, 0)
        after = client.dump(ifname)
        if error:
            print(f"not ok {label}: {errno.errorcode[error]}, expected success")
        elif after != before:
            print(f"not ok {label}: the device changed")
        else:
            print(f"ok {label}: accepted, changes nothing")
        before = after


def main():
    family, command, *args = sys.argv[1:]
    client = Client(family)
    if command == "dump":
        describe_dump(client, *args)
    elif command == "malformed":
        malformed(client, args[0], args[1], args[2] == "1")
    elif command == "contract":
        contract(client, *args)
    else:
        sys.exit(f"nl: no command {command!r}")


if __name__ == "__main__":
    main()
