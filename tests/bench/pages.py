"""The pages of a large house: how long the service works for each, and what a browser has to fetch."""

import contextlib
import gzip
import html
import http.client
import re
import time

from failed import Failed
from many import finish, summary
from process import PATIENCE
from world import Cluster, Service

APP = "memos"
NODES = 100
# What a page names of ours: styles, scripts, pictures.
NAMED = re.compile(r'(?:href|src)="(/(?:static|pictures)/[^"#]+)')
ELSEWHERE = re.compile(r'<(?:script|link|img|iframe|source)[^>]+(?:href|src)="(?:https?:)?//')


def run(options, folder):
    with contextlib.ExitStack() as stack:
        folder = folder / "pages"
        folder.mkdir()
        cluster = Cluster(stack, options.binary, folder, nodes=NODES)
        service = Service(stack, options.binary, folder, cluster, settings={"PROXIMITY_LOG": "warn", "PROXIMITY_WORKERS": "8"})
        began = time.monotonic()
        for number in range(options.house):
            wish = {"catalog_id": APP, "name": f"app {number}", "resources": {"memory": 384 << 20, "disk": 3 << 30}}
            service.ask("POST", "/apps", wish)
        finish(service, options.house)
        service.process.settle()
        built = time.monotonic() - began
        cookie = service.log_in_to_pages()
        rows = {name: page(service, cookie, path, options.views) for name, path in pages(service).items()}
        return report(options, built, rows)


def pages(service):
    operation = service.ask("GET", "/operations?limit=1")["items"][0]["id"]
    return {
        "home": "/",
        "catalog": "/catalog",
        "catalog, searched": "/catalog?q=photos",
        "deploy form": f"/catalog/{APP}",
        "operation": f"/operations/{operation}",
        "operations": "/operations",
        "app": "/apps/app-7",
        "app, history": "/apps/app-7/history",
        "app, settings": "/apps/app-7/settings",
        "nodes": "/nodes",
        "settings": "/settings",
        "audit log": "/settings/audit",
        "palette": "/parts/palette?q=app",
        "login": "/login",
    }


def page(service, cookie, path, views):
    """One after the other over one connection: what it takes beyond loopback is the service's own time."""
    connection = http.client.HTTPConnection(service.address, timeout=PATIENCE)
    headers = {"Accept-Encoding": "gzip", "Accept": "text/html", **({} if path == "/login" else {"Cookie": cookie})}
    took, body = [], b""
    for _ in range(views):
        began = time.monotonic()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        took.append(time.monotonic() - began)
        if answer.status != 200:
            raise Failed(f"{path} was answered {answer.status}")
    later = len(body)
    text = (gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body).decode()
    if ELSEWHERE.search(text):
        raise Failed(f"{path} asks another host for something")
    parts = sorted({html.unescape(name) for name in NAMED.findall(text)})
    first = later + sum(weight(connection, part, headers) for part in parts)
    connection.close()
    return {**summary(took), "first_bytes": first, "later_bytes": later}


def weight(connection, path, headers):
    connection.request("GET", path, headers={**headers, "Accept": "*/*"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise Failed(f"{path} was answered {answer.status}")
    return len(body)


def report(options, built, rows):
    print(f"\npages with {options.house} apps on {NODES} nodes ({options.views} views each; deployed in {built:.0f} s)")
    print(f"  {'':20}{'p50 ms':>9}{'p99 ms':>9}{'first KiB':>11}{'later KiB':>11}")
    for name, it in rows.items():
        print(f"  {name:20}{it['p50_ms']:9.1f}{it['p99_ms']:9.1f}{it['first_bytes'] / 1024:11.1f}{it['later_bytes'] / 1024:11.1f}")
    slow = [name for name, it in rows.items() if it["p99_ms"] > 20]
    heavy = [name for name, it in rows.items() if it["first_bytes"] > 150 << 10 or it["later_bytes"] > 20 << 10]
    print(f"  over 20 ms: {', '.join(slow) or 'none'}; over 150 KiB at first or 20 KiB later: {', '.join(heavy) or 'none'}", flush=True)
    return {"apps": options.house, "nodes": NODES, "pages": rows}
