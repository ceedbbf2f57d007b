#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A program on a terminal of its own.

  ends HOW PROGRAM...      HOW is text to type (q, ^C) or a signal (SIGTERM): the program ends with
                           status 0 and leaves the terminal as it was
  resize PROGRAM...        no line that it draws is wider or further down than the terminal, of
                           whatever size, also after a change
  shows TEXT KEYS PROGRAM...  after KEYS were typed the screen has TEXT

What does not hold is printed, and the status is 1.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

TIMEOUT = 20
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
SEQUENCE = re.compile(rb"\x1b\[[?0-9;]*[A-Za-z]")


class Terminal:
    def __init__(self, program, rows=24, columns=80):
        self.output = b""
        self.master, self.slave = pty.openpty()
        self.set_size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 1024)
            try:
                os.execvp(program[0], program)
            finally:
                os._exit(127)

    def set_size(self, rows, columns):
        # The kernel sends SIGWINCH.
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, holds):
        end = time.monotonic() + TIMEOUT
        while not holds():
            if time.monotonic() > end:
                sys.exit(f"did not happen; the terminal got: {self.output[-2000:]!r}")
            if select.select([self.master], [], [], 0.2)[0]:
                self.output += os.read(self.master, 1 << 16)

    def wait_for_picture(self):
        """The whole of one that began only now."""
        seen = len(self.output)

        def has_picture():
            start = self.output.find(b"\x1b[H", seen)
            return start >= 0 and b"\x1b[J" in self.output[start:]

        self.read_until(has_picture)
        start = self.output.find(b"\x1b[H", seen)
        return self.output[start : self.output.find(b"\x1b[J", start)]

    def end(self, how):
        if how.startswith("SIG"):
            os.kill(self.pid, getattr(signal, how))
        else:
            os.write(self.master, how.encode().replace(b"^C", b"\x03"))
        end = time.monotonic() + TIMEOUT
        while True:
            if select.select([self.master], [], [], 0.05)[0]:
                self.output += os.read(self.master, 1 << 16)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                break
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                sys.exit(f"{how} does not end it")
        while select.select([self.master], [], [], 0.2)[0]:
            self.output += os.read(self.master, 1 << 16)
        return status


def ends(how, *program):
    terminal = Terminal(program)
    terminal.wait_for_picture()
    if termios.tcgetattr(terminal.slave) == terminal.before:
        sys.exit("the terminal is not in raw mode while the program runs")
    status = terminal.end(how)
    if status != 0:
        sys.exit(f"{how} ends it with wait status {status:#x}; output {terminal.output[-300:]!r}")
    if termios.tcgetattr(terminal.slave) != terminal.before:
        sys.exit("the terminal is left in raw mode")
    tail = terminal.output[terminal.output.rfind(b"\x1b[J") :]
    for name, sequence in (("the screen", LEAVE), ("the cursor", b"\x1b[?25h")):
        if sequence not in tail:
            sys.exit(f"{name} is not given back: {tail!r}")
    if terminal.output.count(ENTER) != terminal.output.count(LEAVE) or not terminal.output:
        sys.exit("the screen was entered and left a different number of times")


def check_size(picture, rows, columns):
    # The terminal adds a return of its own.
    lines = SEQUENCE.sub(b"", picture).decode().replace("\r", "").split("\n")
    if len(lines) > rows or any(len(line) > columns for line in lines):
        sys.exit(f"{rows} rows of {columns} columns do not hold {lines}")


def resize(*program):
    terminal = Terminal(program)
    check_size(terminal.wait_for_picture(), 24, 80)
    for rows, columns in ((10, 40), (50, 200), (1, 1), (2, 7), (5, 300), (24, 80)):
        terminal.set_size(rows, columns)
        # One may have been on its way already.
        terminal.wait_for_picture()
        check_size(terminal.wait_for_picture(), rows, columns)
    terminal.end("q")


def shows(text, keys, *program):
    terminal = Terminal(program, 30, 200)
    terminal.wait_for_picture()
    if keys:
        os.write(terminal.master, keys.encode())
        terminal.wait_for_picture()
    seen = len(terminal.output)
    terminal.read_until(lambda: text.encode() in SEQUENCE.sub(b"", terminal.output[seen:]))
    terminal.end("q")


if __name__ == "__main__":
    commands = {"ends": ends, "resize": resize, "shows": shows}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
