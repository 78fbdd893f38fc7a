#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the table of tests/bench/run out of its measurements on standard input
("cc case peer round value"), and judges them by the figures to reach."""
import collections
import math
import statistics
import sys

UNITS = {"tcp": "Gbit/s", "tcp4": "Gbit/s", "tcp16": "Gbit/s", "cpu": "s/GB", "udpgso": "Gbit/s", "udp1372": "kpps", "rr": "/s", "crr": "/s", "idle": "MiB PSS",
         "tcppub": "Gbit/s", "rrpub": "/s", "crrpub": "/s", "ports": "s", "portsmem": "MiB PSS",
         "splice": "Gbit/s", "splice4": "Gbit/s", "splicecpu": "s/GB", "splicecrr": "/s"}


def short(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def main():
    peers = sys.argv[1:]
    runs = collections.defaultdict(list)
    for line in sys.stdin:
        cc, case, peer, _, value = line.split()
        if not math.isnan(float(value)):
            runs[cc, case, peer].append(float(value))
    median = {key: statistics.median(values) for key, values in runs.items()}
    rows = list(dict.fromkeys((cc, case) for cc, case, _ in median))

    def best_pasta(cc, case):
        found = [median[cc, case, p] for p in peers if p.startswith("pasta") and (cc, case, p) in median]
        return (min if case == "idle" or "cpu" in case else max)(found) if found else None

    def ratio(cc, case):
        ours, pasta = median.get((cc, case, "ours")), best_pasta(cc, case)
        return ours / pasta if ours is not None and pasta else None

    head = ["case", "cc", "unit"] + peers + ["ours/best pasta"]
    table = [head]
    for cc, case in rows:
        table.append([case, cc, UNITS[case.split("-")[0]]] + [short(median.get((cc, case, p))) for p in peers] +
                     [short(ratio(cc, case))])
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    for row in table:
        print("  ".join(cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))))

    print()
    verdicts = []

    def judge(text, value, limit, below=False):
        if value is not None:
            verdicts.append((text, value, limit, value <= limit if below else value >= limit))

    for cc in ("cubic", "bbr"):
        for case in ("tcp-up", "tcp-down"):
            ours, pasta = median.get((cc, case, "ours")), median.get((cc, case, "pasta"))
            judge(f"{case} {cc}: ours at MTU 1500 / pasta at its default MTU", ours / pasta if ours and pasta else None, 1.3)
        up, down = median.get((cc, "tcp-up", "ours")), median.get((cc, "tcp-down", "ours"))
        judge(f"tcp {cc}: ours, up / down", up / down if up and down else None, 0.5)
    for case in ("udpgso-up", "udpgso-down"):
        judge(f"{case}: ours / best pasta", ratio("any", case), 4)
    for case, limit in (("splice-up", 1.3), ("splice-down", 1.3), ("splice4-up", 1), ("splice4-down", 1), ("splicecrr", 1.25)):
        judge(f"{case}: ours / best pasta", ratio("any", case), limit)
    for case in ("splicecpu-up", "splicecpu-down"):
        judge(f"{case}: ours / best pasta", ratio("any", case), 1, below=True)
    judge("crr: ours / best pasta", ratio("any", "crr"), 1)
    judge("idle MiB PSS of ours", median.get(("any", "idle", "ours")), 3, below=True)
    for text, value, limit, good in verdicts:
        print(f"{'reached' if good else 'MISSED '}  {text}: {value:.2f}, wanted {'at most' if text.startswith(('idle', 'splicecpu')) else 'at least'} {limit}")


main()
