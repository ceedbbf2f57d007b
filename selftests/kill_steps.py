#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Kills `wgtool up` and `wgtool down` at their steps and lets `wgtool clean` make an end of it.

kill_steps.py WGTOOL FILE EVERY: every EVERY-th step, and the last, of the namespace that it runs in.

Each step writes a line before it is carried out. The pipe for them has room for one, so that the
program cannot get further than the step after the one that was read.
"""
import fcntl
import os
import subprocess
import sys
import time

F_SETPIPE_SZ = 1031


def run_until(command, num_lines):
    """Starts command and kills it after num_lines lines. Returns whether it was still there."""
    reader, writer = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    with subprocess.Popen(command, stderr=writer, stdout=subprocess.DEVNULL) as process:
        os.close(writer)
        seen = 0
        while seen < num_lines:
            data = os.read(reader, 4096)
            if not data:
                break
            seen += data.count(b"[#]")
        time.sleep(0.2)
        killed = process.poll() is None
        process.kill()
        process.wait()
    os.close(reader)
    return killed


def links():
    return subprocess.run(["ip", "-br", "link"], capture_output=True, check=True, text=True).stdout


def rest():
    """What must be as before."""
    text = ""
    for command in ("ip rule", "ip -6 rule", "ip route show table all", "nft list ruleset"):
        text += subprocess.run(command.split(), capture_output=True, check=True, text=True).stdout
    return text


def main():
    tool, file, every = sys.argv[1], sys.argv[2], int(sys.argv[3])
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    before = rest()
    for word in ("up", "down"):
        kills = whole = 0
        step = 1
        while True:
            if word == "down":
                subprocess.run([tool, "up", file], **quiet)
            if not run_until([tool, word, file], step):
                break
            kills += 1
            subprocess.run([tool, "clean"], check=True)
            if "wgq0" in links():
                # It was killed before `down' had taken anything away, or after the last of `up'.
                whole += word == "up"
                subprocess.run([tool, "down", file], **quiet)
            if "wgq0" in links() or rest() != before:
                sys.exit(f"{word} killed after {step} steps left:\n{links()}{rest()}")
            step += every
        if "wgq0" in links():
            subprocess.run([tool, "down", file], **quiet)
        print(f"{word}: {kills} kills")
        if kills < 2 + whole or whole > 1:
            sys.exit(f"{word} was killed {kills} times, {whole} of them when it was done")


main()
