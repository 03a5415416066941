"""A simulated cluster, a lab below it where wanted, and the service: three things that are started and stopped."""

import copy
import http.client
import json
import os
import pathlib
import shlex
import ssl
import time
import urllib.parse

from failed import Failed
from process import PATIENCE, Process, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"
AT_REST = ("completed", "unwound", "stuck")


class Lab:
    """Real containers on this machine; `lab.env` describes them."""

    def __init__(self, stack, folder):
        self.folder = folder / "lab"
        program = ROOT / "tests/lab/lab"
        stack.callback(lambda: run([program, "down", self.folder], dict(os.environ)))
        run([program, "up", self.folder, "--owner", os.getpid()], dict(os.environ), folder / "lab.log")
        rows = (self.folder / "lab.env").read_text().splitlines()
        self.settings = {name: shlex.split(value)[0] if value else "" for name, value in (row.split("=", 1) for row in rows)}


class Cluster:
    """`proximity sim` as a process of its own."""

    def __init__(self, stack, binary, folder, lab=None, nodes=3):
        argv = [binary, "sim", "--nodes", nodes, "--listen", "127.0.0.1:0", "--pace", "instant"]
        if lab:
            argv += ["--lab", lab.folder / "lab.env"]
        self.process = Process([str(word) for word in argv], {"PROXIMITY_LOG": "warn"}, folder / "sim.log")
        stack.callback(self.process.stop)
        self.ready = json.loads(self.process.line())
        if lab:
            self.ssh = {
                "PROXMOX_SSH_HOSTS": lab.settings["LAB_SSH_HOSTS"],
                "PROXMOX_SSH_HOST_KEYS": lab.settings["LAB_SSH_HOST_KEYS"],
                "PROXMOX_SSH_KEY_FILE": lab.settings["LAB_SSH_KEY_FILE"],
            }
        else:
            self.ssh = {
                "PROXMOX_SSH_HOSTS": self.ready["ssh_hosts"],
                "PROXMOX_SSH_HOST_KEYS": self.ready["ssh_host_keys"],
            }
        if not self.ssh["PROXMOX_SSH_HOSTS"]:
            raise Failed("the simulated cluster offers no SSH")

    def containers(self):
        """All containers by number, as the simulation itself knows them."""
        return {row["vmid"]: row for row in self.state()["containers"]}

    def template(self, container):
        """The volume that a container was made from."""
        for storage in self.state()["storages"]:
            if storage["node"] == container["node"] and container["template"] in storage["templates"]:
                return f"{storage['storage']}:vztmpl/{container['template']}"
        raise Failed(f"{container['node']} has no {container['template']}")

    def faults(self, rules):
        """What goes wrong from now on, and nothing else."""
        self.call("PUT", "/sim/faults", {"faults": rules})

    def state(self):
        """Everything there is to know of the cluster."""
        return self.call("GET", "/sim/state")

    def call(self, method, path, body=None):
        """One call of the simulation's own."""
        # On loopback, started a moment ago by ourselves: there is nobody to be impersonated.
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(self.ready["api"], timeout=PATIENCE, context=context)
        body = None if body is None else json.dumps(body)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status >= 300:
            raise Failed(f"{method} {path} was answered {answer.status}: {text}")
        return json.loads(text)


class Service:
    """`proximity serve` as a process of its own, and its REST API as an administrator uses it."""

    def __init__(self, stack, binary, folder, cluster, catalog=None, settings=None):
        host, _, port = cluster.ready["api"].rpartition(":")
        environment = {
            "PROXIMITY_LISTEN": "127.0.0.1:0",
            "PROXIMITY_DATA_DIR": str(folder / "data"),
            "PROXIMITY_ADMIN_PASSWORD": PASSWORD,
            "PROXMOX_HOST": host,
            "PROXMOX_PORT": port,
            "PROXMOX_PASSWORD": cluster.ready["password"],
            "PROXMOX_FINGERPRINT": cluster.ready["fingerprint"],
            **cluster.ssh,
            **(settings or {}),
        }
        if catalog:
            environment["PROXIMITY_CATALOG_DIR"] = str(catalog)
        self.process = Process([str(binary), "serve"], environment, folder / "serve.log")
        stack.callback(self.process.stop)
        line = self.process.line()
        while not line.startswith("Proximity listens on "):
            line = self.process.line()
        url = line.removeprefix("Proximity listens on ")
        self.address = urllib.parse.urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        stack.callback(self.connection.close)
        self.headers = {}
        self.log_in()

    def another(self):
        """The same caller with a connection of its own, for another thread."""
        twin = copy.copy(self)
        twin.connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        return twin

    def every(self, path):
        """All rows of a list, page by page."""
        cursor = ""
        while cursor is not None:
            page = self.ask("GET", f"{path}?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            yield from page["items"]
            cursor = page.get("next")

    def log_in(self):
        """A session first, then a token, as a script would have it."""
        body = {"username": "admin", "password": PASSWORD}
        session, headers = self.ask("POST", "/sessions", body, with_headers=True)
        cookie = headers["set-cookie"].split(";")[0]
        self.headers = {"Cookie": cookie, "X-CSRF-Token": session["csrf_token"]}
        token = self.ask("POST", "/tokens", {"name": "bench", "scopes": ["admin"]})
        self.headers = {"Authorization": "Bearer " + token["token"]}

    def log_in_to_pages(self):
        """As a browser does; the cookie of the session."""
        body = {"username": "admin", "password": PASSWORD}
        _, headers = self.ask("POST", "/sessions", body, with_headers=True)
        return headers["set-cookie"].split(";")[0]

    def page(self, cookie, path):
        """A page's HTML."""
        self.connection.request("GET", path, headers={"Cookie": cookie, "Accept": "text/html"})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise Failed(f"{path} was answered {answer.status}")
        return text

    def ask(self, method, path, body=None, with_headers=False):
        """One call; anything but success is a failure of the benchmark."""
        headers = {**self.headers, "Content-Type": "application/json"}
        self.connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            raise Failed(f"{method} {path} was answered {answer.status}: {text}\n{self.process.tail()}")
        value = json.loads(text) if text else None
        return (value, answer.headers) if with_headers else value

    def finished(self, operation):
        """The operation once it is completed; any other end is a failure."""
        deadline = time.monotonic() + 5 * PATIENCE
        while time.monotonic() < deadline:
            now = self.ask("GET", f"/operations/{operation}")
            if now["status"] in AT_REST:
                return self.completed(now)
            time.sleep(0.05)
        raise Failed(f"the operation {operation} did not end:\n{self.process.tail()}")

    def completed(self, operation):
        """The operation, which must have gone well."""
        if operation["status"] != "completed":
            raise Failed(f"{operation['kind']} is {operation['status']}: {json.dumps(operation.get('error'), indent=2)}")
        return operation
