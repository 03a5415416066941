"""A thousand deployments at once on a simulated cluster of twenty nodes: do all complete, how fast, in how much memory, and
how fast is the API meanwhile."""

import contextlib
import threading
import time

from failed import Failed
from process import PATIENCE
from world import Cluster, Service

APP = "memos"
NODES = 20
WORKERS = (1, 2, 4, 8)


def run(options, folder):
    folder = folder / "many"
    folder.mkdir()
    speeds = {}
    for workers in WORKERS:
        with contextlib.ExitStack() as stack:
            speeds[workers] = one(stack, options, folder / f"workers-{workers}", options.few, workers)
    with contextlib.ExitStack() as stack:
        whole = one(stack, options, folder / "whole", options.many, 8, with_calls=True)
    return report(options, speeds, whole)


def one(stack, options, folder, count, workers, with_calls=False):
    """`count` deployments, by so many workers."""
    folder.mkdir()
    cluster = Cluster(stack, options.binary, folder, nodes=NODES)
    settings = {"PROXIMITY_WORKERS": str(workers), "PROXIMITY_LOG": "warn"}
    service = Service(stack, options.binary, folder, cluster, settings=settings)
    before = set(cluster.containers())
    service.ask("POST", "/park", {"reason": "the queue is filled first"})
    asked = time.monotonic()
    for number in range(count):
        service.ask("POST", "/apps", {"catalog_id": APP, "name": f"app {number}", "resources": {"memory": 384 << 20, "disk": 3 << 30}})
    asked = time.monotonic() - asked
    queued = service.process.resident()[0]
    cpu, began = service.process.cpu_seconds(), time.monotonic()
    service.ask("POST", "/resume", {})
    calls = Calls(service) if with_calls else None
    finish(service, count)
    took = time.monotonic() - began
    cpu = service.process.cpu_seconds() - cpu
    result = {"apps": count, "asked": asked, "seconds": took, "cpu": cpu, "queued_bytes": queued, "most_bytes": service.process.resident()[1]}
    if calls:
        result["calls"] = calls.stop()
    check(service, cluster, before, count)
    return result


def finish(service, count):
    """Waits until none is live any more, for as long as one more ends every now and then."""
    left, deadline = count + 1, time.monotonic() + PATIENCE
    while left:
        live = service.ask("GET", "/status")["operations"]
        if live["stuck"]:
            raise Failed(f"{live['stuck']} operations are stuck:\n{service.process.tail()}")
        now = live["queued"] + live["running"] + live["unwinding"]
        if now < left:
            left, deadline = now, time.monotonic() + PATIENCE
        if time.monotonic() > deadline:
            raise Failed(f"{now} operations do not end:\n{service.process.tail()}")
        time.sleep(0.2)


def check(service, cluster, before, count):
    """Every operation completed, every app on a number of its own, and nothing else on the cluster."""
    for row in service.every("/operations"):
        service.completed(row if row["status"] == "completed" else service.ask("GET", f"/operations/{row['id']}"))
    numbers = [app["vmid"] for app in service.every("/apps")]
    if len(numbers) != count or len(set(numbers)) != count:
        raise Failed(f"{len(set(numbers))} numbers for {len(numbers)} of {count} apps")
    if set(cluster.containers()) - before != set(numbers):
        raise Failed("the cluster does not hold exactly the apps' containers")


class Calls:
    """Somebody who keeps using the API while it works."""

    KINDS = {
        "GET /operations": ("GET", "/operations?limit=50", None),
        "GET /apps": ("GET", "/apps?limit=50", None),
        "POST /apps?plan=true": ("POST", "/apps?plan=true", {"catalog_id": APP, "name": "planned"}),
    }

    def __init__(self, service):
        self.took = {kind: [] for kind in self.KINDS}
        self.over = threading.Event()
        self.broken = []
        self.threads = [threading.Thread(target=self.keep_asking, args=(service.another(), kind)) for kind in self.KINDS]
        for thread in self.threads:
            thread.start()

    def keep_asking(self, service, kind):
        while not self.over.wait(0.05):
            began = time.monotonic()
            try:
                service.ask(*self.KINDS[kind])
            except Exception as error:
                self.broken.append(f"{kind}: {error}")
                return
            self.took[kind].append(time.monotonic() - began)

    def stop(self):
        """Milliseconds: how many calls, the median, and what one in a hundred takes."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.broken:
            raise Failed("; ".join(self.broken))
        return {kind: summary(took) for kind, took in self.took.items()}


def summary(took):
    took = sorted(took)
    at = lambda share: 1000 * took[min(len(took) - 1, int(share * len(took)))] if took else None
    return {"count": len(took), "p50_ms": at(0.50), "p99_ms": at(0.99)}


def report(options, speeds, whole):
    mib = lambda size: f"{size / 2**20:.1f} MiB"
    print(f"\n{options.few} deployments of {APP} on the simulated cluster of {NODES} nodes, at instant pace")
    for workers, it in speeds.items():
        print(f"  {workers} workers{it['seconds']:9.2f} s{it['apps'] / it['seconds']:8.1f} a second{1000 * it['cpu'] / it['apps']:8.1f} ms CPU each")
    print(f"\n{whole['apps']} deployments at once, 8 workers: all completed, each with a number of its own")
    print(f"  asked for in {whole['asked']:.1f} s, done in {whole['seconds']:.1f} s: {whole['apps'] / whole['seconds']:.1f} a second")
    print(f"  resident memory of serve: {mib(whole['queued_bytes'])} with all of them queued, {mib(whole['most_bytes'])} at most")
    for kind, it in whole["calls"].items():
        print(f"  {kind:22}{it['count']:7} calls, p50 {it['p50_ms']:.1f} ms, p99 {it['p99_ms']:.1f} ms", flush=True)
    return {"workers": speeds, "whole": whole}
