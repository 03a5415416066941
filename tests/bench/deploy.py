"""A cold deployment of an app of two services in the lab: through Proximity, and by an administrator's own script.

Both make the same container on the same node and run the same commands in it; what the script passes to the create
call and writes into the container is read from a first deployment through Proximity, which is not counted, and what
both made is compared. They take turns (A B B A …), so that a machine that grows slower is unjust to neither.
"""

import contextlib
import datetime
import os
import pathlib
import shutil
import statistics
import subprocess
import time
import urllib.request

import process
from failed import Failed

from world import ROOT, Cluster, Lab, Service

APP = "lab-duo"
SERVICES = ["web", "db"]
PORT, PAGE = 8080, "/cgi-bin/visits"
GOAL = 1.10
HERE = pathlib.Path(__file__).resolve().parent


def run_rounds(proximity, by_hand, rounds):
    """Deploys and deletes in turns; answers the two lists of measures."""
    measures = ([], [])
    sides = (proximity, by_hand)
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            measures[side].append(sides[side].round())
        first, second = measures[0][-1], measures[1][-1]
        print(f"  round {number + 1}: Proximity {first['deploy']:.2f} s, by hand {second['deploy']:.2f} s", flush=True)
    return measures


def run_in_the_lab(options, folder):
    with contextlib.ExitStack() as stack:
        folder = folder / "deploy"
        folder.mkdir(mode=0o711)
        lab = Lab(stack, folder)
        cluster = Cluster(stack, options.binary, folder, lab)
        service = Service(stack, options.binary, folder, cluster, ROOT / "tests/lab/catalog")
        proximity = Proximity(service, cluster)
        by_hand = ByHand(folder, cluster, lab)
        proximity.round(while_there=by_hand.learn)
        by_hand.round(while_there=by_hand.compare)
        return run_rounds(proximity, by_hand, options.rounds)


class Proximity:
    """Deployments through the service."""

    def __init__(self, service, cluster):
        self.service, self.cluster = service, cluster

    def round(self, while_there=None):
        before = set(self.cluster.containers())
        began = time.monotonic()
        accepted = self.service.ask("POST", "/apps", {"catalog_id": APP})
        operation = self.service.finished(accepted["operation"]["id"])
        took = time.monotonic() - began
        app = self.service.ask("GET", f"/apps/{accepted['app']['id']}")
        must_open(app["address"])
        if while_there:
            while_there(self.cluster.containers()[app["vmid"]])
        began = time.monotonic()
        deleted = self.service.ask("DELETE", f"/apps/{app['id']}")
        self.service.finished(deleted["operation"]["id"])
        gone = time.monotonic() - began
        must_be_gone(self.cluster, before)
        return {"deploy": took, "delete": gone, "steps": step_seconds(operation)}


class ByHand:
    """Deployments by the script."""

    def __init__(self, folder, cluster, lab):
        self.folder, self.cluster, self.lab = folder, cluster, lab
        self.files = folder / "files"
        self.container = None
        self.environment = None

    def learn(self, container):
        """Makes the script do what Proximity did for this container."""
        self.container = container
        config, node = container["config"], container["node"]
        storage, size = config["rootfs"].split(":")[0], field(config["rootfs"], "size")
        ssh = dict(pair.split("=", 1) for pair in self.lab.settings["LAB_SSH_HOSTS"].split(","))[node]
        address, port = ssh.split(":")
        key = dict(pair.split("=", 1) for pair in self.lab.settings["LAB_SSH_HOST_KEYS"].split(","))[node]
        known = self.folder / "known_hosts"
        known.write_text(f"[{address}]:{port} {key}\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "API": self.cluster.ready["api"],
            "PROXMOX_PASSWORD": self.cluster.ready["password"],
            "NODE": node,
            "STORAGE": storage,
            "TEMPLATE": self.cluster.template(container),
            "SSH_ADDRESS": address,
            "SSH_PORT": port,
            "SSH_KEY": self.lab.settings["LAB_SSH_KEY_FILE"],
            "SSH_KNOWN_HOSTS": str(known),
            "NAME": APP,
            "FILES": str(self.files),
            "SERVICES": " ".join(SERVICES),
            "HEALTH": f"http://127.0.0.1:{PORT}{PAGE}",
            "CREATE_DISK_GIB": size.removesuffix("G"),
            "CREATE_NET0": ",".join(part for part in config["net0"].split(",") if not part.startswith(("hwaddr=", "type="))),
            **{f"CREATE_{name.upper()}": str(config[name]) for name in ("memory", "swap", "cores", "features", "tags")},
        }
        self.files.mkdir()
        archive = self.inside(container["vmid"], "tar", "-c", "-C", f"/opt/proximity/{APP}", ".")
        subprocess.run(["tar", "-x", "-C", self.files], input=archive, check=True)

    def compare(self, container):
        """Fails unless the script's container is as Proximity's, but for who made it and its network card's address."""
        mine, theirs = comparable(container), comparable(self.container)
        if mine != theirs:
            raise Failed(f"the two sides do not make the same container:\n{mine}\n{theirs}")
        archive = self.inside(container["vmid"], "tar", "-c", "-C", f"/opt/proximity/{APP}", ".")
        other = self.folder / "files-by-hand"
        other.mkdir()
        subprocess.run(["tar", "-x", "-C", other], input=archive, check=True)
        if subprocess.run(["diff", "-r", self.files, other]).returncode != 0:
            raise Failed("the two sides do not write the same files")
        shutil.rmtree(other)

    def inside(self, vmid, *argv):
        """What a command in a container prints, as bytes."""
        it = self.environment
        command = ["ssh", "-F", "/dev/null", "-p", it["SSH_PORT"], "-i", it["SSH_KEY"], "-o", "BatchMode=yes", "-o"]
        command += ["UserKnownHostsFile=" + it["SSH_KNOWN_HOSTS"], "root@" + it["SSH_ADDRESS"]]
        command += ["pct", "exec", str(vmid), "--", *argv]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout

    def round(self, while_there=None):
        before = set(self.cluster.containers())
        began = time.monotonic()
        printed = process.run([HERE / "by_hand.sh", "deploy"], self.environment, limit=180)
        took = time.monotonic() - began
        said = dict(line.split(" ", 1) for line in printed.splitlines())
        vmid, address = said.pop("vmid"), said.pop("address")
        must_open(address)
        if while_there:
            while_there(self.cluster.containers()[int(vmid)])
        began = time.monotonic()
        process.run([HERE / "by_hand.sh", "delete", vmid], self.environment, limit=60)
        gone = time.monotonic() - began
        must_be_gone(self.cluster, before)
        return {"deploy": took, "delete": gone, "steps": {name: int(text) / 1000 for name, text in said.items()}}


def comparable(container):
    """What is to be the same on both sides."""
    config = {name: value for name, value in container["config"].items() if name not in ("description", "digest")}
    config["net0"] = sorted(part for part in config["net0"].split(",") if not part.startswith("hwaddr="))
    config["rootfs"] = field(config["rootfs"], "size")
    return {"config": config, "template": container["template"], "node": container["node"], "status": container["status"]}


def field(text, name):
    """The value of `name=value` in one of Proxmox's comma lists."""
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)[name]


def must_open(address):
    with urllib.request.urlopen(f"http://{address}:{PORT}{PAGE}", timeout=20) as page:
        if page.status != 200:
            raise Failed(f"the page answers {page.status}")


def must_be_gone(cluster, before):
    left = set(cluster.containers()) - before
    if left:
        raise Failed(f"containers are left: {sorted(left)}")


def step_seconds(operation):
    """Seconds of each step, of the time before the first one, and of what lies between them."""
    steps = {row["name"]: instant(row["finished_at"]) - instant(row["started_at"]) for row in operation["steps"]}
    steps["(queued)"] = instant(operation["started_at"]) - instant(operation["created_at"])
    steps["(between)"] = instant(operation["finished_at"]) - instant(operation["created_at"]) - sum(steps.values())
    return steps


def instant(text):
    """Seconds of an RFC 3339 time in UTC; older Pythons read neither its Z nor its nine digits."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.strptime(whole + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return moment.timestamp() + float("0." + (fraction or "0"))


def run(options, folder):
    if os.geteuid() != 0 or not pathlib.Path("/etc/debian_version").exists():
        print("\ndeploy skipped: the lab needs root on Debian")
        return None
    return report(*run_in_the_lab(options, folder))


def report(proximity, by_hand):
    """Prints the comparison and answers it."""
    print(f"\n{APP} in the lab, {len(proximity)} deployments each, seconds, median (least – most)")
    print(f"  {'':18}{'Proximity':>22}{'by hand':>22}{'ratio':>9}")
    ratios = {}
    for what in ("deploy", "delete"):
        mine, theirs = ([measure[what] for measure in side] for side in (proximity, by_hand))
        ratios[what] = statistics.median(mine) / statistics.median(theirs)
        print(f"  {what:18}{spread(mine):>22}{spread(theirs):>22}{ratios[what]:9.3f}")
    pairs = [mine["deploy"] / theirs["deploy"] for mine, theirs in zip(proximity, by_hand)]
    print(f"  deploy, ratio of each round: {' '.join(f'{pair:.2f}' for pair in pairs)}")
    print(f"\n  {'step':18}{'Proximity':>10}{'by hand':>10}{'more':>8}")
    for name, mine, theirs in steps_of(proximity, by_hand):
        print(f"  {name:18}{mine:10.2f}{theirs:10.2f}{mine - theirs:8.2f}")
    verdict = "reached" if ratios["deploy"] <= GOAL else "MISSED"
    print(f"  goal: deploy ratio at most {GOAL:.2f}: {verdict} ({ratios['deploy']:.3f})", flush=True)
    return {"proximity": proximity, "by_hand": by_hand, "ratios": ratios}


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} – {max(values):.2f})"


def steps_of(proximity, by_hand):
    """Median seconds of each step on both sides; 0 where a side has no such step."""
    names = list(dict.fromkeys(name for measure in proximity + by_hand for name in measure["steps"]))
    for name in names:
        yield name, *(statistics.median(measure["steps"].get(name, 0) for measure in side) for side in (proximity, by_hand))
