#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the table of tests/bench/run out of its measurements on standard input
("cc case peer round value"), and judges them by the figures to reach."""
import collections
import math
import statistics
import sys

UNITS = {"tcp": "Gbit/s", "tcp4": "Gbit/s", "tcp16": "Gbit/s", "cpu": "s/GB", "udpgso": "Gbit/s", "udp1372": "kpps", "udp18": "kpps", "flows": "us/dgram", "rr": "/s", "rr200": "/s", "crr": "/s", "idle": "MiB PSS",
         "splice": "Gbit/s", "splice4": "Gbit/s", "splicecpu": "s/GB", "splicecrr": "/s",
         "tcppub": "Gbit/s", "rrpub": "/s", "crrpub": "/s", "ports": "s", "portsmem": "MiB PSS",
         "start": "ms"}


def short(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def main():
    peers = sys.argv[1:]
    rounds = collections.defaultdict(dict)
    for line in sys.stdin:
        cc, case, peer, number, value = line.split()
        if not math.isnan(float(value)):
            rounds[cc, case, peer][number] = float(value)
    median = {key: statistics.median(values.values()) for key, values in rounds.items()}
    rows = list(dict.fromkeys((cc, case) for cc, case, _ in median))

    def best_pasta(cc, case):
        found = [(median[cc, case, p], p) for p in peers if p.startswith("pasta") and (cc, case, p) in median]
        return (min if case in ("idle", "start") or "cpu" in case or case.startswith("flows") else max)(found)[1] if found else None

    def beside(ours, theirs):
        """The median of what each round gives: a machine may be twice as fast in one as in the
        next. Where they have no round in common, of one median over the other."""
        pairs = [rounds[ours][n] / rounds[theirs][n] for n in rounds[ours] if rounds[theirs].get(n)]
        if pairs:
            return statistics.median(pairs)
        return median[ours] / median[theirs] if ours in median and median.get(theirs) else None

    def ratio(cc, case, peer="ours"):
        return beside((cc, case, peer), (cc, case, best_pasta(cc, case)))

    mine = "ours" if "ours" in peers or "ours-pasta" not in peers else "ours-pasta"
    head = ["case", "cc", "unit"] + peers + [f"{mine}/best pasta"]
    table = [head]
    for cc, case in rows:
        table.append([case, cc, UNITS[case.split("-")[0]]] + [short(median.get((cc, case, p))) for p in peers] +
                     [short(ratio(cc, case, mine))])
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    for row in table:
        print("  ".join(cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))))

    print()
    verdicts = []

    def judge(text, value, limit, below=False):
        if value is not None:
            good = value <= limit if below else value >= limit
            verdicts.append((text, value, f"at {'most' if below else 'least'} {limit}", good))

    def over(cc, case, other):
        """Ours over another peer's, or over ours of another case."""
        theirs = (cc, case, other)
        return beside((cc, case, "ours"), theirs if median.get(theirs) else ("any", other, "ours"))

    for cc in ("cubic", "bbr"):
        for case in ("tcp-up", "tcp-down"):
            judge(f"{case} {cc}: ours / best pasta", ratio(cc, case), 1.6)
            judge(f"{case} {cc}: ours / native", over(cc, case, "native"), 0.8 if cc == "bbr" else 0.4)
        for case in ("cpu-up", "cpu-down"):
            judge(f"{case} {cc}: ours / best pasta", ratio(cc, case), 0.6, below=True)
        judge(f"200 small {cc}: beside bulk / alone", over(cc, "rr200-bulk", "rr200"), 0.5)
    for case, limit in (("splice-up", 1.3), ("splice-down", 1.3), ("splice4-up", 1), ("splice4-down", 1), ("splicecrr", 1.25)):
        judge(f"{case}: ours / best pasta", ratio("any", case), limit)
    for case in ("splicecpu-up", "splicecpu-down"):
        judge(f"{case}: ours / best pasta", ratio("any", case), 1, below=True)
    for case in ("udpgso-up", "udpgso-down"):
        judge(f"{case}: ours / best pasta", ratio("any", case), 6)
    for case in ("udp1372-up", "udp1372-down"):
        judge(f"{case}: ours / best pasta", ratio("any", case), 2)
    for case in ("udp18-up", "udp18-down"):
        judge(f"{case}: ours / best pasta", ratio("any", case), 1.5)
    judge("CPU per datagram: 10000 flows / 10 flows", over("any", "flows-10k", "flows-10"), 1.3, below=True)
    judge("rr: ours / best pasta", ratio("any", "rr"), 1)
    judge("rr: ours / native", over("any", "rr", "native"), 0.9)
    judge("crr: ours / best pasta", ratio("any", "crr"), 1.25)
    judge("idle MiB PSS of ours", median.get(("any", "idle", "ours")), 2, below=True)
    for cc, case in rows:  # what is asked of the command line
        limits = {"tcp-up": 1.3, "tcp-down": 1.3, "udp1372-up": 2, "udp1372-down": 2, "start": 1, "idle": 0.25}
        if case in limits:
            judge(f"{case} {cc}: ours-pasta / best pasta", ratio(cc, case, "ours-pasta"), limits[case], below=case in ("start", "idle"))
    for text, value, limit, good in verdicts:
        print(f"{'reached' if good else 'MISSED '}  {text}: {value:.2f}, wanted {limit}")


main()
