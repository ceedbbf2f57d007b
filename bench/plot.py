#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draws what crypto_bench has measured: cycles a byte over the length of packets.

    bench/plot.py build/bench/crypto_bench.csv MACHINE >Documentation/crypto.svg

One panel for packets by themselves and one for batches of eight; both axes are logarithmic.
"""

import csv
import math
import sys

PANELS = (("seal", 1, "one packet"), ("seal", 8, "8 packets with one key"))
# Colours that are told apart without colour vision, in the order of the legend.
COLOURS = ("#000000", "#d55e00", "#cc79a7", "#56b4e9", "#009e73", "#0072b2", "#e69f00")
WIDTH, HEIGHT, LEFT, TOP, GAP = 380, 300, 60, 60, 70
LEGEND_STEP = 110


def read(path):
    """(topic, number, contender): a list of (length, cycles a byte)."""
    curves = {}
    contenders = []
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            number, length = (int(word) for word in row["case"].split(" of "))
            curve = curves.setdefault((row["topic"], number, row["contender"]), [])
            curve.append((length, float(row["value"])))
            if row["contender"] not in contenders:
                contenders.append(row["contender"])
    return curves, contenders


class Axes:
    def __init__(self, curves):
        points = [point for curve in curves for point in curve]
        self.lengths = sorted({length for length, _ in points})
        values = [value for _, value in points]
        self.low = min(values) * 0.9
        self.high = max(values) * 1.1

    def x(self, length):
        first, last = math.log(self.lengths[0]), math.log(self.lengths[-1])
        return (math.log(length) - first) / (last - first) * WIDTH

    def y(self, value):
        low, high = math.log(self.low), math.log(self.high)
        return HEIGHT - (math.log(value) - low) / (high - low) * HEIGHT

    def values(self):
        return [value for value in (0.5, 1, 2, 5, 10, 20, 50, 100) if self.low <= value <= self.high]


def text(x, y, words, anchor="middle", size=12):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}">{words}</text>'


def panel(axes, curves, contenders, topic, number, title):
    out = [text(WIDTH / 2, -10, f"{topic}: {title}", size=14)]
    for length in axes.lengths:
        x = axes.x(length)
        out.append(f'<path d="M{x:.1f} 0V{HEIGHT}" stroke="#ddd"/>')
        # Close ones would overlap.
        if length in (64, 256, 576, 1420, 9000, 65536):
            out.append(text(x, HEIGHT + 16, str(length)))
    for value in axes.values():
        y = axes.y(value)
        out.append(f'<path d="M0 {y:.1f}H{WIDTH}" stroke="#ddd"/>')
        out.append(text(-6, y + 4, f"{value:g}", anchor="end"))
    for contender, colour in zip(contenders, COLOURS):
        curve = sorted(curves[topic, number, contender])
        points = " ".join(f"{axes.x(length):.1f},{axes.y(value):.1f}" for length, value in curve)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    out.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#000"/>')
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    curves, contenders = read(sys.argv[1])
    shown = [curves[topic, number, contender] for topic, number, _ in PANELS
             for contender in contenders]
    axes = Axes(shown)
    width = 2 * LEFT + len(PANELS) * WIDTH + (len(PANELS) - 1) * GAP
    height = TOP + HEIGHT + 80
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
          f'font-family="sans-serif">')
    print('<!-- SPDX-License-Identifier: GPL-2.0 -->')
    print(f'<rect width="{width}" height="{height}" fill="#fff"/>')
    print(text(width / 2, 22, f"ChaCha20-Poly1305, cycles a byte; {sys.argv[2]}", size=15))
    for at, (topic, number, title) in enumerate(PANELS):
        print(f'<g transform="translate({LEFT + at * (WIDTH + GAP)} {TOP})">')
        print("\n".join(panel(axes, curves, contenders, topic, number, title)))
        print("</g>")
    print(text(width / 2, TOP + HEIGHT + 36, "bytes in a packet"))
    for at, (contender, colour) in enumerate(zip(contenders, COLOURS)):
        x = LEFT + at * LEGEND_STEP
        y = TOP + HEIGHT + 60
        print(f'<path d="M{x} {y - 4}h20" stroke="{colour}" stroke-width="2"/>')
        print(text(x + 26, y, contender, anchor="start"))
    print("</svg>")


if __name__ == "__main__":
    main()
