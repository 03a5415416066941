"""What a second replica brings, and how soon somebody goes on after a death."""

import contextlib
import statistics
import time
from datetime import datetime

from fleet import APP, queue
from failed import Failed
from postgres import Postgres, binaries
from process import PATIENCE
from world import AT_REST, Cluster, Service

LEASE = 2.0
WORKERS = 4


def run(options, folder):
    folder = folder / "replicas"
    folder.mkdir()
    rows = {}
    if binaries():
        for count in (1, 2):
            rows[f"{count} × {WORKERS} workers, PostgreSQL"] = replicas(options, folder / f"postgres-{count}", count)
    else:
        print("\nPostgreSQL is not installed: replicas are not measured")
    print(f"\n{options.apps} deployments at once, simulated cluster of three nodes, {APP}, at instant pace")
    for name, seconds in rows.items():
        print(f"  {name:30}{seconds:8.2f} s{options.apps / seconds:8.1f} a second")
    times = deaths(options, folder / "deaths")
    print(f"\nfrom SIGKILL of serve (started again at once) to the next event of its operation, {len(times)} times, lease {LEASE:.0f} s")
    print(f"  median {statistics.median(times):.2f} s, longest {max(times):.2f} s", flush=True)
    return {"apps": options.apps, "seconds": rows, "resumed_after": times, "lease": LEASE}


def replicas(options, folder, count):
    """The first replica is asked; all of them work."""
    with contextlib.ExitStack() as stack:
        folder.mkdir()
        cluster = Cluster(stack, options.binary, folder)
        shared = {
            "DATABASE_URL": Postgres(stack, folder).url,
            "PROXIMITY_SECRET_KEY_FILE": str(folder / "secret.key"),
            "PROXIMITY_WORKERS": str(WORKERS),
        }
        services = []
        for number in range(count):
            own = folder / f"replica-{number}"
            own.mkdir()
            services.append(Service(stack, options.binary, own, cluster, settings=shared))
        _, took = queue(services[0], options.apps, deployment)
        return took["seconds"]


def deployment(number):
    return "POST", "/apps", {"catalog_id": APP, "name": f"app {number}"}


def deaths(options, folder):
    """Kills serve in the middle of a deployment, again and again; answers the seconds until it was heard of again."""
    times = []
    with contextlib.ExitStack() as stack:
        folder.mkdir()
        cluster = Cluster(stack, options.binary, folder)
        settings = {"PROXIMITY_LEASE": f"{LEASE:.0f}s"}
        service = Service(stack, options.binary, folder, cluster, settings=settings)
        for number in range(3 if options.quick else 15):
            operation = service.ask(*deployment(number))["operation"]["id"]
            wait(service, operation, 0)
            service.process.child.kill()
            killed = time.time()
            service.process.child.wait()
            service = Service(stack, options.binary, folder, cluster, settings=settings)
            if service.ask("GET", f"/operations/{operation}")["status"] not in AT_REST:
                times.append(wait(service, operation, killed) - killed)
            service.finished(operation)
    if not times:
        raise Failed("every deployment had ended before its service died")
    return times


def wait(service, operation, after):
    """Waits for a step that begins after a moment; answers when."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        events = service.ask("GET", f"/operations/{operation}/events?format=json&limit=1000")["items"]
        begun = [datetime.fromisoformat(event["time"]).timestamp() for event in events if event["kind"] == "step.started"]
        later = [moment for moment in begun if moment > after]
        if later:
            return later[0]
        time.sleep(0.005)
    raise Failed(f"nobody goes on with {operation}:\n{service.process.tail()}")
