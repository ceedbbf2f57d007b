#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Random changes to tunnels under traffic, for soak.sh.

  soak.py FAMILY SECONDS SEED MODULE PREFIX

Namespaces PREFIX-0 to PREFIX-3 hang on one bridge in namespace PREFIX-hub, each with a device wg0
that has a tunnel to every other one. All send to all without a pause, while actions are chosen
at random: SEED determines the sequence, each is printed with its number ("# action 12: ...") in
VERBOSE=1, and the counts at the end. An action may fail, since its object may be in another
state by now; that is counted, too. MODULE is the file to load again, or in-tree. At the end all
is set up anew, and the caller checks that it works.
"""
import collections
import ctypes
import os
import random
import socket
import struct
import subprocess
import sys
import time

import nl

NUM_NODES = 4
CLONE_NEWNET = 0x40000000
FAULT_DIRS = ("/sys/kernel/debug/failslab", "/sys/kernel/debug/fail_page_alloc")
libc = ctypes.CDLL(None, use_errno=True)


class Soak:
    def __init__(self, family, seconds, seed, module, prefix):
        self.family, self.module, self.prefix = family, module, prefix
        self.seconds = seconds
        self.rng = random.Random(seed)
        self.counts = collections.Counter()
        self.failed = collections.Counter()
        self.clients = {}
        self.senders = {}
        self.verbose = os.environ.get("VERBOSE") == "1"
        self.keys = {}
        self.has_faults = all(os.path.isdir(path) for path in FAULT_DIRS)
        self.faults_until = 0.0
        for node in range(NUM_NODES):
            self.new_key(node)

    # ---- tools -----------------------------------------------------------------------------

    def name(self, node):
        return f"{self.prefix}-{node}"

    def sh(self, *args, data=None):
        """Runs a command; whether it succeeded."""
        return subprocess.run(args, input=data, text=True, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def ip(self, node, *lines):
        return self.sh("ip", "-n", self.name(node), "-force", "-batch", "-",
                       data="\n".join(lines) + "\n")

    def new_key(self, node):
        tool = os.environ.get("WGTOOL", "wg")
        private = subprocess.run([tool, "genkey"], capture_output=True, check=True).stdout
        public = subprocess.run([tool, "pubkey"], input=private, capture_output=True,
                                check=True).stdout
        self.keys[node] = (nl.base64.b64decode(private), nl.base64.b64decode(public))

    def inside(self, node, function):
        """Calls function in the namespace of node."""
        here = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name(node)}", os.O_RDONLY)
        try:
            if libc.setns(there, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            return function()
        finally:
            libc.setns(here, CLONE_NEWNET)
            os.close(here)
            os.close(there)

    def client(self, node):
        if node not in self.clients:
            self.clients[node] = self.inside(node, lambda: nl.Client(self.family))
        return self.clients[node]

    def forget(self, node=None):
        """Sockets keep a namespace alive, and the family's number changes with the module."""
        for key in [node] if node is not None else list(self.clients):
            if key in self.clients:
                self.clients.pop(key).sock.close()

    def set(self, node, *attributes):
        payload = nl.string(nl.IFNAME, "wg0") + b"".join(attributes)
        error, _ = self.client(node).request(nl.SET, payload, 0)
        return error == 0

    def peer(self, other, *more):
        return nl.nest(nl.PEERS, nl.nest(0, nl.attr(nl.P_PUBLIC_KEY, self.keys[other][1]), *more))

    def endpoint(self, node):
        if self.rng.random() < 0.5:
            return nl.attr(nl.P_ENDPOINT, struct.pack("=H", socket.AF_INET) +
                           struct.pack("!H", 5000 + node) + bytes([192, 0, 2, node + 1]) + bytes(8))
        address = socket.inet_pton(socket.AF_INET6, f"2001:db8::{node + 1}")
        return nl.attr(nl.P_ENDPOINT, struct.pack("=H", socket.AF_INET6) +
                       struct.pack("!HI", 5000 + node, 0) + address + struct.pack("=I", 0))

    def allowedips(self, node):
        v4 = nl.nest(0, nl.u16(nl.A_FAMILY, socket.AF_INET),
                     nl.attr(nl.A_IPADDR, bytes([10, 9, 0, node + 1])), nl.u8(nl.A_CIDR_MASK, 32))
        v6 = nl.nest(0, nl.u16(nl.A_FAMILY, socket.AF_INET6),
                     nl.attr(nl.A_IPADDR, socket.inet_pton(socket.AF_INET6, f"fd00:9::{node + 1}")),
                     nl.u8(nl.A_CIDR_MASK, 128))
        return nl.nest(nl.P_ALLOWEDIPS, v4, v6)

    def whole_peer(self, other):
        return self.peer(other, nl.attr(nl.P_PRESHARED_KEY, bytes(32)), self.endpoint(other),
                         self.allowedips(other))

    # ---- building ----------------------------------------------------------------------------

    def node_up(self, node):
        ns = self.name(node)
        self.sh("ip", "netns", "add", ns)
        self.sh("ip", "link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name",
                f"port{node}", "netns", f"{self.prefix}-hub")
        self.sh("ip", "-n", f"{self.prefix}-hub", "link", "set", f"port{node}", "master", "br0",
                "up")
        self.ip(node, "link set lo up", f"addr add 192.0.2.{node + 1}/24 dev eth0",
                f"addr add 2001:db8::{node + 1}/64 dev eth0 nodad", "link set eth0 up")
        return self.device_up(node)

    def device_up(self, node):
        done = self.ip(node, f"link add wg0 type {self.family}")
        self.ip(node, f"addr add 10.9.0.{node + 1}/24 dev wg0",
                f"addr add fd00:9::{node + 1}/64 dev wg0 nodad", "link set wg0 up")
        return self.configure(node) and done

    def configure(self, node):
        done = self.set(node, nl.attr(nl.PRIVATE_KEY, self.keys[node][0]),
                        nl.u16(nl.LISTEN_PORT, 5000 + node), nl.u32(nl.FWMARK, 0),
                        nl.u32(nl.FLAGS, 1))
        for other in range(NUM_NODES):
            if other != node:
                done = self.set(node, self.whole_peer(other)) and done
        return done

    def send_from(self, node):
        """Echoes of one packet and of several, to two others; ping goes on after errors."""
        self.stop_sending(node)
        others = [other for other in range(NUM_NODES) if other != node]
        commands = [["ping", "-q", "-n", "-i", "0.01", "-s", "200", f"10.9.0.{others[0] + 1}"],
                    ["ping", "-q", "-n", "-i", "0.02", "-s", "4000", f"fd00:9::{others[1] + 1}"],
                    ["ping", "-q", "-n", "-i", "0.02", "-s", "1400", f"10.9.0.{others[2] + 1}"]]
        self.senders[node] = [
            subprocess.Popen(["nsenter", f"--net=/run/netns/{self.name(node)}", "--"] + command,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
            for command in commands]

    def stop_sending(self, node):
        for process in self.senders.pop(node, []):
            process.kill()
            process.wait()

    # ---- actions: each returns whether it was done --------------------------------------------

    def others(self):
        return self.rng.sample(range(NUM_NODES), 2)

    def do_peer_remove(self):
        node, other = self.others()
        return self.set(node, self.peer(other, nl.u32(nl.P_FLAGS, nl.P_REMOVE_ME)))

    def do_peer_add(self):
        node, other = self.others()
        return self.set(node, self.whole_peer(other))

    def do_peers_replace(self):
        return self.configure(self.rng.randrange(NUM_NODES))

    def do_many_peers(self):
        node = self.rng.randrange(NUM_NODES)
        peers = [nl.nest(0, nl.attr(nl.P_PUBLIC_KEY, self.rng.randbytes(32)),
                         nl.u16(nl.P_KEEPALIVE, 1),
                         nl.nest(nl.P_ALLOWEDIPS, *(nl.allowedip(
                             address=bytes([10, 66, i, j]), mask=32) for j in range(8))))
                 for i in range(self.rng.randrange(1, 30))]
        return self.set(node, nl.nest(nl.PEERS, *peers))

    def do_own_key(self):
        node = self.rng.randrange(NUM_NODES)
        return self.set(node, nl.attr(nl.PRIVATE_KEY, self.keys[node][0]))

    def do_key(self):
        node = self.rng.randrange(NUM_NODES)
        return self.set(node, nl.attr(nl.PRIVATE_KEY, self.rng.choice(
            [bytes(32), self.rng.randbytes(32), self.keys[self.rng.randrange(NUM_NODES)][0]])))

    def do_psk(self):
        node, other = self.others()
        key = bytes([self.rng.randrange(2)]) * 32
        done = self.set(node, self.peer(other, nl.attr(nl.P_PRESHARED_KEY, key)))
        return self.set(other, self.peer(node, nl.attr(nl.P_PRESHARED_KEY, key))) and done

    def do_endpoint(self):
        node, other = self.others()
        return self.set(node, self.peer(other, self.endpoint(self.rng.randrange(NUM_NODES))))

    def do_allowedips(self):
        node, other = self.others()
        return self.set(node, self.peer(
            other, nl.u32(nl.P_FLAGS, nl.P_REPLACE_ALLOWEDIPS),
            self.allowedips(self.rng.randrange(NUM_NODES))))

    def do_keepalive(self):
        node, other = self.others()
        return self.set(node, self.peer(other, nl.u16(nl.P_KEEPALIVE, self.rng.randrange(3))))

    def do_port(self):
        node = self.rng.randrange(NUM_NODES)
        return self.set(node, nl.u16(nl.LISTEN_PORT, self.rng.choice([0, 5000 + node, 6000])))

    def do_fwmark(self):
        node = self.rng.randrange(NUM_NODES)
        return self.set(node, nl.u32(nl.FWMARK, self.rng.randrange(3)))

    def do_dump(self):
        node = self.rng.randrange(NUM_NODES)
        error, _ = self.client(node).request(nl.GET, nl.string(nl.IFNAME, "wg0"), nl.NLM_F_DUMP)
        return error == 0

    def do_dumps_beside_changes(self):
        node = self.rng.randrange(NUM_NODES)
        loop = "for i in 1 2 3 4 5 6 7 8; do $WGTOOL show all dump; done"
        readers = [subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.name(node)}", "--", "sh", "-c", loop],
            env={"WGTOOL": "wg", **os.environ},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(2)]
        done = self.do_many_peers()
        self.configure(node)
        for reader in readers:
            reader.wait()
        return done

    def do_link_down_up(self):
        node = self.rng.randrange(NUM_NODES)
        done = self.ip(node, "link set wg0 down")
        if self.rng.random() < 0.3:
            time.sleep(self.rng.random() * 0.2)
        return self.ip(node, "link set wg0 up") and done

    def do_device_again(self):
        node = self.rng.randrange(NUM_NODES)
        done = self.ip(node, "link del wg0")
        return self.device_up(node) and done

    def do_device_moves(self):
        """Away and back; its sockets stay where it was made."""
        node, other = self.others()
        done = self.ip(node, f"link set wg0 name moved{node} netns {self.name(other)}")
        self.ip(other, f"link set moved{node} up")
        done = self.ip(other, f"link set moved{node} name wg0 netns {self.name(node)}") and done
        self.ip(node, f"addr add 10.9.0.{node + 1}/24 dev wg0",
                f"addr add fd00:9::{node + 1}/64 dev wg0 nodad", "link set wg0 up")
        return done

    def do_namespace_again(self):
        """With its device in it, or with the device somewhere else, which loses its carrier."""
        node, other = self.others()
        orphaned = self.rng.random() < 0.4
        if orphaned:
            orphaned = self.ip(node, f"link set wg0 name orphan netns {self.name(other)}")
        self.stop_sending(node)
        self.forget(node)
        done = self.sh("ip", "netns", "del", self.name(node))
        if orphaned:
            self.ip(other, "link set orphan up", "link del orphan")
        # The veth of the same name goes in the background.
        deadline = time.monotonic() + 20
        while not self.node_up(node) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.send_from(node)
        return done

    def do_reload(self):
        self.faults(0)
        self.forget()
        self.clear_faults_window()
        name = "wireguard" if self.module == "in-tree" else os.path.basename(self.module)[:-3]
        done = self.sh("rmmod", name)
        deadline = time.monotonic() + 20
        while not done and time.monotonic() < deadline:
            # A namespace that goes in the background still has its device.
            time.sleep(0.05)
            done = self.sh("rmmod", name)
        if not done:
            raise SystemExit("soak: the module cannot be unloaded")
        load = ["modprobe", name] if self.module == "in-tree" else ["insmod", self.module]
        if self.module != "in-tree" and self.family != "wireguard":
            load.append(f"kind={self.family}")
        if not self.sh(*load):
            raise SystemExit("soak: the module cannot be loaded")
        for node in range(NUM_NODES):
            self.device_up(node)
        return True

    def clear_faults_window(self):
        self.faults_until = 0.0

    def faults(self, percent):
        """Of the allocations below the module's functions."""
        if not self.has_faults:
            return False
        start = end = 0
        if percent:
            name = "wireguard" if self.module == "in-tree" else os.path.basename(self.module)[:-3]
            with open(f"/sys/module/{name}/sections/.text", encoding="ascii") as file:
                start = int(file.read(), 0)
            with open(f"/sys/module/{name}/coresize", encoding="ascii") as file:
                end = start + int(file.read())
            # The kernel tells of some of them with a trace: scan-log.sh.
            self.log("memory runs out on purpose")
        for path in FAULT_DIRS:
            values = {"probability": percent}
            if percent:
                values = {"verbose": 0, "interval": 1, "times": 100000000, "task-filter": "N",
                          "ignore-gfp-wait": "N", "stacktrace-depth": 32, "require-start": start,
                          "require-end": end, "probability": percent}
            for name, value in values.items():
                with open(f"{path}/{name}", "w", encoding="ascii") as file:
                    file.write(str(value))
        if not percent:
            self.log("memory is back")
        return True

    @staticmethod
    def log(text):
        with open("/dev/kmsg", "w", encoding="ascii") as file:
            file.write(f"<6>selftest: {text}\n")

    def num_left(self):
        left = 0
        for path in FAULT_DIRS:
            with open(f"{path}/times", encoding="ascii") as file:
                left += int(file.read())
        return left

    def do_faults(self):
        if not self.has_faults:
            return False
        self.faults_until = time.monotonic() + 2
        return self.faults(self.rng.choice([1, 2, 5]))

    def end_faults(self):
        self.counts["faults injected"] += 200000000 - self.num_left()
        self.faults(0)
        self.faults_until = 0.0

    # ---- the run -------------------------------------------------------------------------------

    def run(self):
        self.sh("ip", "netns", "add", f"{self.prefix}-hub")
        self.sh("ip", "-n", f"{self.prefix}-hub", "link", "add", "br0", "type", "bridge")
        self.sh("ip", "-n", f"{self.prefix}-hub", "link", "set", "br0", "up")
        for node in range(NUM_NODES):
            if not self.node_up(node):
                raise SystemExit("soak: a namespace with a device cannot be made")
        for node in range(NUM_NODES):
            self.send_from(node)
        actions = {self.do_peer_remove: 12, self.do_peer_add: 12, self.do_peers_replace: 6,
                   self.do_many_peers: 4, self.do_own_key: 6, self.do_key: 4, self.do_psk: 6,
                   self.do_endpoint: 8, self.do_allowedips: 6, self.do_keepalive: 6,
                   self.do_port: 4, self.do_fwmark: 4, self.do_dump: 8,
                   self.do_dumps_beside_changes: 2, self.do_link_down_up: 4,
                   self.do_device_again: 3, self.do_device_moves: 3, self.do_namespace_again: 2,
                   self.do_reload: 2, self.do_faults: 1}
        deadline = time.monotonic() + self.seconds
        number = 0
        while time.monotonic() < deadline:
            action = self.rng.choices(list(actions), list(actions.values()))[0]
            number += 1
            name = action.__name__[3:]
            if self.verbose:
                print(f"# action {number}: {name}", flush=True)
            # An action takes the same share of the generator whatever comes of it.
            state = random.Random(self.rng.getrandbits(64))
            outer, self.rng = self.rng, state
            try:
                done = action()
            except (OSError, SystemExit) as error:
                # A lookup of the family fails in want of memory; the module itself must not.
                if isinstance(error, SystemExit) and "module" in str(error):
                    raise
                self.forget()
                done = False
            finally:
                self.rng = outer
            self.counts[name] += 1
            if not done:
                self.failed[name] += 1
            if self.faults_until and time.monotonic() > self.faults_until:
                self.end_faults()
        if self.faults_until:
            self.end_faults()
        for node in list(self.senders):
            self.stop_sending(node)
        for node in range(NUM_NODES):
            self.forget(node)
            self.ip(node, "link del wg0")
            if not self.device_up(node):
                raise SystemExit(f"soak: device {node} cannot be set up at the end")
        self.forget()
        print(f"# {number} actions")
        for name, count in sorted(self.counts.items()):
            print(f"# {name}: {count}, not done {self.failed[name]}")


def main():
    family, seconds, seed, module, prefix = sys.argv[1:]
    soak = Soak(family, int(seconds), int(seed), module, prefix)
    try:
        soak.run()
    finally:
        if soak.has_faults:
            soak.faults(0)
        for node in list(soak.senders):
            soak.stop_sending(node)


if __name__ == "__main__":
    main()
