# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a list of CNI plugins over and over and prints how long each verb took.

    cni.py NAME ROUNDS CNI_PATH NETNS PLUGINS      (PLUGINS: a JSON list)
"""
import json
import os
import statistics
import subprocess
import sys
import time

name, rounds, path, netns, plugins = sys.argv[1:]
plugins = json.loads(plugins)


def find(kind):
    for folder in path.split(":"):
        if os.path.isfile(os.path.join(folder, kind)):
            return os.path.join(folder, kind)
    sys.exit(f"{name}: no plugin {kind} in {path}")


def run(verb, plugin, prev):
    """One plugin, as a runtime runs it: its milliseconds and its output."""
    request = dict(plugin, cniVersion="1.0.0", name="bench")
    if prev:
        request["prevResult"] = json.loads(prev)
    env = dict(os.environ, CNI_COMMAND=verb, CNI_CONTAINERID="bench", CNI_NETNS=netns,
               CNI_IFNAME="eth0", CNI_PATH=path)
    start = time.perf_counter()
    done = subprocess.run([find(plugin["type"])], input=json.dumps(request).encode(), env=env,
                          stdout=subprocess.PIPE, check=False)
    taken = (time.perf_counter() - start) * 1000
    if done.returncode != 0:
        sys.exit(f"{name}: {verb} of {plugin['type']}: {done.stdout.decode()}")
    return taken, done.stdout


def run_list(verb, prev):
    total = 0.0
    for plugin in plugins if verb != "DEL" else reversed(plugins):
        taken, output = run(verb, plugin, prev)
        total += taken
        if verb == "ADD":
            prev = output
    return total, prev


times = {"ADD": [], "CHECK": [], "DEL": []}
# portmap 1.1.1 cannot check its own rules
checked = all(plugin["type"] != "portmap" for plugin in plugins)
for _ in range(int(rounds)):
    result = None
    for verb, taken in times.items():
        if verb == "CHECK" and not checked:
            continue
        one, result = run_list(verb, result)
        taken.append(one)
shown = [f"{verb} {statistics.median(taken):6.1f}" for verb, taken in times.items() if taken]
print(f"{name:30} {'   '.join(shown)}   ms, median of {rounds}")
