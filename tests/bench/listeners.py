"""A thousand people who watch one operation: what they cost in memory, and whether each is told everything."""

import contextlib
import re
import selectors
import socket
import time

from failed import Failed
from process import PATIENCE
from world import Cluster, Service

APP = "memos"
# What the last event of each stream holds.
LAST = {"API": b"event: operation.finished", "page": b'"over":true'}


def run(options, folder):
    rows = {}
    for kind in LAST:
        with contextlib.ExitStack() as stack:
            own = folder / f"listeners-{kind}"
            own.mkdir()
            rows[kind] = one(stack, options, own, kind)
    print(f"\n{options.listeners} who watch one deployment over server-sent events")
    for kind, it in rows.items():
        size = it["bytes"] / 2**20
        print(
            f"  {kind:5} resident memory of serve: +{size:.1f} MiB ({it['bytes'] / options.listeners / 1024:.0f} KiB each); "
            f"from the first event to the last listener's last {it['seconds']:.2f} s, {it['cpu']:.2f} s CPU",
            flush=True,
        )
    return {"listeners": options.listeners, **rows}


def one(stack, options, folder, kind):
    """Opens all streams while the operation waits, then lets it go on to its end."""
    cluster = Cluster(stack, options.binary, folder)
    service = Service(stack, options.binary, folder, cluster, settings={"PROXIMITY_LOG": "warn"})
    # What the first of each kind brings into memory is not the listeners'.
    service.finished(service.ask("POST", "/apps", {"catalog_id": APP, "name": "first"})["operation"]["id"])
    cookie = service.log_in_to_pages()
    cluster.faults([{"on": "pull", "do": "hang"}])
    operation = service.ask("POST", "/apps", {"catalog_id": APP, "name": "watched"})["operation"]["id"]
    await_pull(service, operation)
    if kind == "API":
        path, header = f"/api/v1/operations/{operation}/events", "Authorization: " + service.headers["Authorization"]
    else:
        # The page names its stream, from the last event on that it shows.
        page = service.page(cookie, f"/operations/{operation}")
        path, header = re.search(r"/live/operations/[^\"]+", page).group(), f"Cookie: {cookie}"
    head = f"GET {path} HTTP/1.1\r\nHost: {service.address}\r\nAccept: text/event-stream\r\n{header}\r\n\r\n".encode()
    service.process.settle()
    before = service.process.resident()[0]
    crowd = Crowd(service.address, head, options.listeners, LAST[kind])
    stack.callback(crowd.close)
    crowd.read_until(lambda: crowd.answered == options.listeners, "were answered")
    crowd.rest(service.process)
    during = service.process.resident()[0]
    cpu, began = service.process.cpu_seconds(), time.monotonic()
    cluster.faults([])
    crowd.read_until(lambda: crowd.done == options.listeners, "were told of the end")
    took = time.monotonic() - began
    cpu = service.process.cpu_seconds() - cpu
    return {"bytes": during - before, "seconds": took, "cpu": cpu, "most_bytes": service.process.resident()[1] - before}


def await_pull(service, operation):
    deadline = time.monotonic() + PATIENCE
    while not any(step["name"] == "pull_images" and step["status"] == "running" for step in service.ask("GET", f"/operations/{operation}")["steps"]):
        if time.monotonic() > deadline:
            raise Failed("the deployment does not come to its images")
        time.sleep(0.05)


class Crowd:
    """Streams that are read as they come, all by one thread."""

    def __init__(self, address, head, count, last):
        host, _, port = address.rpartition(":")
        self.selector, self.last = selectors.DefaultSelector(), last
        self.answered = self.done = 0
        self.streams = []
        for _ in range(count):
            stream = socket.create_connection((host, int(port)), PATIENCE)
            stream.sendall(head)
            stream.setblocking(False)
            self.streams.append(stream)
            self.selector.register(stream, selectors.EVENT_READ, {"tail": b"", "answered": False, "done": False})

    def read_until(self, is_enough, what):
        deadline = time.monotonic() + PATIENCE
        while not is_enough():
            if time.monotonic() > deadline:
                raise Failed(f"of {len(self.streams)} listeners {self.answered} were answered and {self.done} saw the end: not all {what}")
            self.read(0.2)

    def read(self, patience):
        for key, _ in self.selector.select(patience):
            data, it = key.fileobj.recv(1 << 16), key.data
            if not data:
                self.selector.unregister(key.fileobj)
                continue
            text = it["tail"] + data
            it["tail"] = text[-len(self.last):]
            if not it["answered"]:
                if not data.startswith(b"HTTP/1.1 200"):
                    raise Failed(f"a listener was answered {data[:1200]!r}")
                it["answered"] = True
                self.answered += 1
            if not it["done"] and self.last in text:
                it["done"] = True
                self.done += 1

    def rest(self, process):
        """Reads on until the service has nothing more to say: nobody is left half fed."""
        deadline, quiet = time.monotonic() + PATIENCE, 0
        while quiet < 8:
            if time.monotonic() > deadline:
                raise Failed("the service never comes to rest under its listeners")
            before = process.cpu_seconds()
            until = time.monotonic() + 0.25
            while time.monotonic() < until:
                self.read(0.05)
            quiet = quiet + 1 if process.cpu_seconds() - before <= 0.05 else 0

    def close(self):
        for stream in self.streams:
            stream.close()
        self.selector.close()
