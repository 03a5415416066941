"""Many deployments at once on a simulated cluster that takes no time: what is left is the service's own work."""

import contextlib
import time

from failed import Failed
from process import PATIENCE
from world import AT_REST, Cluster, Service

APP = "memos"


def run(options, folder):
    with contextlib.ExitStack() as stack:
        folder = folder / "fleet"
        folder.mkdir()
        cluster = Cluster(stack, options.binary, folder)
        service = Service(stack, options.binary, folder, cluster)
        before = set(cluster.containers())
        service.process.settle()
        idle = service.process.resident()
        apps, deploy = queue(service, options.apps, lambda number: ("POST", "/apps", {"catalog_id": APP, "name": f"app {number}"}))
        if len(set(cluster.containers()) - before) != options.apps:
            raise Failed("the cluster does not hold a container for each app")
        _, delete = queue(service, options.apps, lambda number: ("DELETE", f"/apps/{apps[number]}", None))
        if set(cluster.containers()) != before:
            raise Failed("containers are left")
        service.process.settle()
        after = service.process.resident()
        return report(options.apps, deploy, delete, idle, after)


def queue(service, count, call):
    """Asks for `count` operations one right after the other; answers the apps and what it took until all were done."""
    cpu, began = service.process.cpu_seconds(), time.monotonic()
    accepted = [service.ask(*call(number)) for number in range(count)]
    asked = time.monotonic() - began
    awaited = {row["operation"]["id"] for row in accepted}
    deadline = time.monotonic() + PATIENCE + 5 * count
    while awaited:
        if time.monotonic() > deadline:
            raise Failed(f"{len(awaited)} of {count} operations did not end:\n{service.process.tail()}")
        time.sleep(0.25)
        for row in service.every("/operations"):
            if row["id"] in awaited and row["status"] in AT_REST:
                # The list leaves the reason out.
                service.completed(row if row["status"] == "completed" else service.ask("GET", f"/operations/{row['id']}"))
                awaited.discard(row["id"])
    took = time.monotonic() - began
    cpu = service.process.cpu_seconds() - cpu
    apps = [row.get("app", row["operation"]["app"])["id"] for row in accepted]
    return apps, {"seconds": took, "asked": asked, "cpu": cpu}


def report(count, deploy, delete, idle, after):
    print(f"\n{count} apps at once on the simulated cluster of three nodes, {APP}, at instant pace")
    print(f"  {'':10}{'seconds':>9}{'a second':>10}{'CPU s':>8}{'CPU ms each':>13}")
    for name, it in (("deploy", deploy), ("delete", delete)):
        print(f"  {name:10}{it['seconds']:9.2f}{count / it['seconds']:10.1f}{it['cpu']:8.2f}{1000 * it['cpu'] / count:13.1f}")
    mib = lambda size: f"{size / 2**20:.1f} MiB"
    print(f"  resident memory of serve: {mib(idle[0])} after the start, {mib(after[0])} after that, {mib(after[1])} at most", flush=True)
    return {"apps": count, "deploy": deploy, "delete": delete, "idle_bytes": idle[0], "after_bytes": after[0], "most_bytes": after[1]}
