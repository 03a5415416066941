"""Benchmarks: what Proximity costs beside the same work by hand, and what the service itself uses.

    bench.py --binary FILE [--quick] [--only deploy|fleet|many|replicas|listeners|pages] [--rounds N] [--apps N]
             [--many N] [--json FILE]

deploy  the lab, for real: a deployment through Proximity against a shell script that takes the same steps
fleet   the simulated cluster, which takes no time: what the service itself does and uses
many    a thousand deployments queued on a simulated cluster of twenty nodes: speed, memory, the API meanwhile
replicas two of them on one PostgreSQL against one; how soon somebody goes on after a SIGKILL
listeners a thousand who watch one operation: memory, and whether each is told everything
pages   every page with 500 apps on 100 nodes: how long the service works for it, and what it weighs

Ends with 1 when anything failed, with 130 after Ctrl-C; either way nothing is left behind.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import deploy
import fleet
import listeners
import machine
import many
import pages
import replicas
from failed import Failed


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--binary", required=True, type=pathlib.Path, help="the program; built when absent")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and apps: is it still sound, not how fast")
    parser.add_argument("--only", choices=["deploy", "fleet", "many", "replicas", "listeners", "pages"], help="one part")
    parser.add_argument("--rounds", type=int, help="deployments of each side (default 6, quick 2)")
    parser.add_argument("--apps", type=int, help="deployments at once (default 60, quick 12)")
    parser.add_argument("--many", type=int, help="deployments queued on twenty nodes (default 1000, quick 60)")
    parser.add_argument("--few", type=int, help="deployments for each number of workers (default 100, quick 20)")
    parser.add_argument("--listeners", type=int, help="who watch one operation (default 1000, quick 100)")
    parser.add_argument("--house", type=int, help="apps behind the pages (default 500, quick 50)")
    parser.add_argument("--views", type=int, help="of each page (default 300, quick 50)")
    parser.add_argument("--json", type=pathlib.Path, help="also write all single values to this file")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 6)
    options.apps = options.apps or (12 if options.quick else 60)
    options.many = options.many or (60 if options.quick else 1000)
    options.few = options.few or (20 if options.quick else 100)
    options.listeners = options.listeners or (100 if options.quick else 1000)
    options.house = options.house or (50 if options.quick else 500)
    options.views = options.views or (50 if options.quick else 300)
    options.binary = options.binary.resolve()
    return options


def interrupted(_number, _frame):
    # Once: what comes after the first signal is the cleaning up, and that is not to be cut short.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    parts = {"deploy": deploy.run, "fleet": fleet.run, "many": many.run, "replicas": replicas.run,
             "listeners": listeners.run, "pages": pages.run}
    results, failures = {"machine": machine.describe()}, []
    print(machine.line(), flush=True)
    try:
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="proximity-bench-", dir="/var/tmp"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            # Guests of the lab are ordinary users here and have to get through to their disks.
            folder.chmod(0o711)
            for name, part in parts.items():
                if options.only in (None, name):
                    try:
                        results[name] = part(options, folder)
                    except Failed as failure:
                        failures.append(name)
                        print(f"\n{name} FAILED: {failure}", flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted; nothing is left behind", file=sys.stderr)
        return 130
    print(f"\nload at the end: {machine.load()}", flush=True)
    results["load_at_the_end"] = machine.load()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    # Children that outlive a broken pipe or an error in here are ended by the stacks above, not by luck.
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
