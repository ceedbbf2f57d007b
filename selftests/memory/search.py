#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Looks for secrets in the whole memory of a virtual machine that has had a tunnel.

    search.py --peer PROGRAM --tool WGTOOL --vm "scripts/vm.sh ARGUMENTS" --module KO

The tunnel's far end (outside_peer) runs outside, so that every copy of a session key in the
machine is the module's. The keys are given to the machine as files of base64 text, and what is
searched for are the raw bytes, in pieces of 16 that begin every 8, because an allocator may
write over the first words of what it got back.

With the device alive the private key must be found, or the search proves nothing. With the
device down no session key may be left, and with it removed nothing at all. Prints KTAP.
"""

import argparse
import base64
import json
import mmap
import os
import shlex
import socket
import subprocess
import sys
import tempfile

MEMORY = 512 << 20
PIECE, STEP = 16, 8


class Monitor:
    """QEMU's control socket (QMP)."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.lines.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        request = {"execute": name, "arguments": arguments}
        self.socket.sendall(json.dumps(request).encode())
        while True:
            answer = json.loads(self.lines.readline())
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def save_memory(self, path):
        self.command("stop")
        self.command("pmemsave", val=0, size=MEMORY, filename=path)
        self.command("cont")


class Peer:
    """The far end; knows each session's keys."""

    def __init__(self, program, folder, keys):
        port_file = os.path.join(folder, "port")
        self.process = subprocess.Popen(
            [program, port_file, keys["peer"].hex(), keys["public"].hex(), keys["preshared"].hex()],
            stdin=subprocess.PIPE, stdout=open(os.path.join(folder, "peer.log"), "w"))
        self.log = os.path.join(folder, "peer.log")
        while not (os.path.exists(port_file) and open(port_file).read().endswith("\n")):
            if self.process.poll() is not None:
                raise RuntimeError("the peer outside ended early")
        self.port = int(open(port_file).read())

    def secrets(self):
        sessions, static = [], None
        for line in open(self.log):
            words = line.split()
            if words[0] == "session":
                sessions.append([bytes.fromhex(word) for word in words[1:]])
            elif words[0] == "static":
                static = bytes.fromhex(words[1])
        return static, sessions

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def find(memory, secret):
    """Addresses at which a piece of the secret stands."""
    places = []
    for offset in range(0, len(secret) - PIECE + 1, STEP):
        at = memory.find(secret[offset:offset + PIECE])
        while at >= 0:
            places.append((at, offset))
            at = memory.find(secret[offset:offset + PIECE], at + 1)
    return sorted(places)


class Report:
    def __init__(self, planned):
        self.number = self.failed = 0
        print(f"KTAP version 1\n1..{planned}", flush=True)

    def result(self, good, text):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {text}", flush=True)


def describe(memory, places):
    for at, offset in places[:8]:
        around = memory[max(0, at - 32):at + 48].hex(" ", 8)
        print(f"# at {at:#x}, from byte {offset} of it: {around}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("peer", "tool", "vm", "module"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()

    def wgtool(command, text=None):
        done = subprocess.run([options.tool, command], input=text, capture_output=True, check=True)
        return done.stdout.strip()

    with tempfile.TemporaryDirectory(prefix="wgpp-memory.") as folder:
        text = {name: wgtool("genkey") for name in ("private", "peer")}
        text["preshared"] = wgtool("genpsk")
        text["public"] = wgtool("pubkey", text["private"])
        keys = {name: base64.b64decode(value) for name, value in text.items()}
        for name in ("private", "preshared"):
            with open(os.path.join(folder, name + ".key"), "wb") as file:
                file.write(text[name] + b"\n")
        peer = Peer(options.peer, folder, keys)
        control = socket.create_server(("127.0.0.1", 0))
        control.settimeout(1)
        monitor_path = os.path.join(folder, "qmp")
        guest = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest.sh")
        command = shlex.split(options.vm) + [
            "-m", f"{MEMORY >> 20}M", "--net", "--qmp", monitor_path,
            "-e", f"WGPP_MODULE={options.module}", "-e", f"WGTOOL={options.tool}", "--",
            guest, str(peer.port), str(control.getsockname()[1]),
            wgtool("pubkey", text["peer"]).decode(), folder]
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=open(os.path.join(folder, "vm.log"), "w"),
                                   stderr=subprocess.STDOUT)
        try:
            status = look(folder, peer, answer(control, machine), monitor_path, keys)
        except (OSError, RuntimeError) as error:
            print(f"Bail out! {error}")
            status = 1
        finally:
            try:
                machine.wait(60)
            except subprocess.TimeoutExpired:
                machine.terminate()
                machine.wait()
            peer.end()
        if status != 0 or machine.returncode != 0:
            for line in open(os.path.join(folder, "vm.log")):
                print("# vm:", line.rstrip())
        return status or machine.returncode


def answer(control, machine):
    """Waits for the machine to call."""
    while machine.poll() is None:
        try:
            connection, _ = control.accept()
            connection.settimeout(180)
            return connection
        except TimeoutError:
            pass
    raise RuntimeError("the machine ended before it had a tunnel")


def look(folder, peer, connection, monitor_path, keys):
    phases = ("alive", "down", "removed", "unloaded")
    report = Report(4 + 2 + 5 + 5)
    steps = connection.makefile("rw")
    monitor = Monitor(monitor_path)
    image = os.path.join(folder, "memory")
    for phase in phases:
        reached = steps.readline().strip()
        if reached != phase:
            raise RuntimeError(f"the machine stopped at '{reached}' before '{phase}'")
        monitor.save_memory(image)
        static, sessions = peer.secrets()
        with open(image, "rb") as file, \
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            judge(report, phase, memory, keys, static, sessions)
        os.unlink(image)
        steps.write("go on\n")
        steps.flush()
    return 1 if report.failed else 0


def judge(report, phase, memory, keys, static, sessions):
    session_keys = {f"{way} key of session {number}": key
                    for number, pair in enumerate(sessions, 1)
                    for way, key in zip(("receiving", "sending"), pair)}
    if phase == "alive":
        report.result(len(sessions) == 2, "two sessions carried packets")
        for name in ("private", "preshared"):
            report.result(find(memory, keys[name]), f"device alive: its {name} key is found")
        current = [find(memory, key) for key in sessions[-1]]
        report.result(all(current), "device alive: the current session's keys are found")
        return
    unwanted = dict(list(session_keys.items()))
    if phase != "down":
        unwanted["private key"] = keys["private"]
        unwanted["preshared key"] = keys["preshared"]
        unwanted["shared secret of the static keys"] = static
    groups = {"session 1": [], "session 2": []} if phase == "down" else \
        {"private key": [], "preshared key": [], "shared secret": [], "session 1": [], "session 2": []}
    for name, secret in unwanted.items():
        places = find(memory, secret)
        group = next(group for group in groups if group in name)
        if places:
            groups[group].append(name)
            print(f"# device {phase}: {name}, {len(places)} pieces")
            describe(memory, places)
    for group, found in groups.items():
        report.result(not found, f"device {phase}: no trace of the {group}" +
                      (f" ({', '.join(found)})" if found else ""))


if __name__ == "__main__":
    sys.exit(main())
