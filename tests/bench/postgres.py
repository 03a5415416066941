"""A PostgreSQL server of our own: Debian's binaries, a folder, a socket in it, no port."""

import os
import pathlib
import shutil
import subprocess
import time

from failed import Failed
from process import PATIENCE

ACCOUNT = "postgres"


def binaries():
    """The newest of what is installed; None where nothing is."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Postgres:
    def __init__(self, stack, folder):
        self.folder = folder / "postgres"
        self.folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.folder, ACCOUNT)
        subprocess.run(
            self.command("initdb", "-A", "trust", "-N", "--no-locale", "-E", "UTF8", "-U", ACCOUNT, "-D", self.folder / "data"),
            check=True, cwd="/", stdout=subprocess.DEVNULL,
        )
        with (folder / "postgres.log").open("ab") as log:
            self.child = subprocess.Popen(
                self.command("postgres", "-D", self.folder / "data", "-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"),
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        stack.callback(self.stop)
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(self.command("pg_isready", "-q", "-h", self.folder), cwd="/").returncode != 0:
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise Failed("PostgreSQL did not start:\n" + (folder / "postgres.log").read_text())
            time.sleep(0.05)
        self.url = f"postgres://{ACCOUNT}@localhost/postgres?host={self.folder}"

    def command(self, program, *words):
        user = ["--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups"] if os.getuid() == 0 else []
        return ["setpriv", *user, "--pdeathsig", "QUIT", "--", str(binaries() / program), *(str(word) for word in words)]

    def stop(self):
        # Fast shutdown: connections end, what was committed is written.
        self.child.send_signal(2)
        self.child.wait()
