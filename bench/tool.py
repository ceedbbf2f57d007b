#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""How long wgtool and wg(8) take on a device with many peers, whole programs beside each other.

usage: bench/tool.py WGTOOL [REFERENCE-WG]

The device is wireguard-go's, in a network namespace of its own, with 1000 peers of 10 AllowedIPs
each; `wgtool up' made it. Runs as root. Programs take turns; printed are milliseconds of their
processor time, the fifth percentile of 41 runs. The status is 0 when `show' takes less than 50 ms
and `apply' without a change less than 100 ms.
"""
import base64
import hashlib
import os
import subprocess
import sys
import tempfile

NUM_PEERS, NUM_PREFIXES, NUM_RUNS = 1000, 10, 41


def config():
    key = base64.b64encode(hashlib.blake2s(b"device").digest()).decode()
    lines = ["[Interface]", f"PrivateKey = {key}", "ListenPort = 51820", "Address = 10.0.0.1/8"]
    for i in range(NUM_PEERS):
        key = base64.b64encode(hashlib.blake2s(b"%d" % i).digest()).decode()
        ips = [f"10.{1 + (i >> 6)}.{i & 63}.{j}/32" if j % 2 == 0 else f"fd00:{i:x}:{j:x}::/96"
               for j in range(NUM_PREFIXES)]
        lines += ["", "[Peer]", f"PublicKey = {key}", "AllowedIPs = " + ", ".join(ips),
                  f"Endpoint = 192.0.{2 + (i >> 8)}.{i & 255}:51820"]
    return "\n".join(lines) + "\n"


def processor_ms(command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench/tool.py: {command}: status {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1e3


def measure(commands):
    times = [[] for _ in commands]
    for _ in range(NUM_RUNS):
        for i, (_, command, _) in enumerate(commands):
            times[i].append(processor_ms(command))
    return [sorted(some)[NUM_RUNS // 20] for some in times]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    tool = os.path.abspath(sys.argv[1])
    wg = sys.argv[2] if len(sys.argv) == 3 else "wg"
    if os.environ.get("WGPP_BENCH_NAMESPACE") is None:
        os.environ["WGPP_BENCH_NAMESPACE"] = "yes"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    with tempfile.TemporaryDirectory(dir="/run") as directory:
        path = directory + "/wg0.conf"
        with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(config())
        subprocess.run([tool, "up", path], check=True, stderr=subprocess.DEVNULL)
        with open(directory + "/plain.conf", "w") as file:
            subprocess.run([tool, "strip", path], stdout=file, check=True)
        commands = [
            ("wg show", [wg, "show", "wg0"], None),
            ("wgtool show", [tool, "show", "wg0"], 50),
            ("wg show dump", [wg, "show", "wg0", "dump"], None),
            ("wgtool show dump", [tool, "show", "wg0", "dump"], 50),
            ("wgtool show --json", [tool, "show", "wg0", "--json"], 50),
            ("wg syncconf, no change", [wg, "syncconf", "wg0", directory + "/plain.conf"], None),
            ("wgtool apply, no change", [tool, "apply", path], 100),
            ("wgtool diff, no change", [tool, "diff", path], 100),
        ]
        print(f"{NUM_PEERS} peers with {NUM_PREFIXES} prefixes each, whole programs")
        is_met = True
        for (name, _, limit_ms), time_ms in zip(commands, measure(commands)):
            judgement = ""
            if limit_ms is not None:
                is_met = is_met and time_ms < limit_ms
                judgement = f"  (below {limit_ms} ms: {'yes' if time_ms < limit_ms else 'no'})"
            print(f"  {name:<24} {time_ms:8.1f} ms{judgement}")
        subprocess.run([tool, "down", path], check=True, stderr=subprocess.DEVNULL)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
